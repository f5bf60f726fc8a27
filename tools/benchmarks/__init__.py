"""The parts of tools/bench.py, one a sub-command. Each has `cases(options)`: what it measures, in order."""
