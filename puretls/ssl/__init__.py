"""CPython's C module `_ssl` in pure Python, so that the standard library's own `ssl.py` runs where there is no OpenSSL.

import puretls.ssl
puretls.ssl.install()
import ssl
"""

from puretls.ssl.install import install

__all__ = ["install"]
