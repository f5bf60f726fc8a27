"""Sockets for the core: a blocking `TlsSocket`, and asyncio streams in `puretls.net.aio`; both for Pyodide in `puretls.net.pyodide`."""

from puretls.net.blocking import TlsSocket, connect

__all__ = ["TlsSocket", "connect"]
