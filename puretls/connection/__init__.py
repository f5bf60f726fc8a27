"""One end of a TLS 1.2 connection without I/O: the facade, and the parts it delegates to, each of which knows only those below it."""

from puretls.connection.facade import Connection

__all__ = ["Connection"]
