"""Fast pure-Python inner loops: functions on bytes and ints, no protocol knowledge."""
