"""TLS 1.2 in pure Python: a protocol stack whose every byte can be explained and every step changed."""
