"""CPython's C module `_ssl` in pure Python, so that the standard library's own `ssl.py` runs where there is no OpenSSL."""
