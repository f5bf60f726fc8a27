"""Sockets for the core: a blocking `TlsSocket`, and asyncio streams in `puretls.net.aio`."""

from puretls.net.blocking import TlsSocket, connect

__all__ = ["TlsSocket", "connect"]
