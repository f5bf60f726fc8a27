"""Awaiting what a socket tells by signals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from puretls.errors import PuretlsError
from puretls.qt._names import QtNames
from puretls.qt.qobject import QObject
from puretls.qt.signals import SignalInstance
from puretls.qt.socketenums import SocketError, SocketState

_UNCONNECTED, _CONNECTED = SocketState.UnconnectedState, SocketState.ConnectedState


class SocketFailed(PuretlsError):
    """What the awaitable forms raise. `error` is the SocketError."""

    def __init__(self, error: SocketError, text: str) -> None:
        super().__init__(text)
        self.error = error


class SslAwaiting(QtNames):
    """The awaitable forms that QSslSocket has beside its signals."""

    async def connectedAsync(self) -> None:
        """Returns once TCP is up. Raises `SocketFailed`."""
        await _reach(self, lambda made: made.state() is _CONNECTED, "connected")

    async def encryptedAsync(self) -> None:
        """Returns once the handshake is over. Raises `SocketFailed` when it fails."""
        await _reach(self, lambda made: made.isEncrypted(), "encrypted")

    async def readyReadAsync(self) -> None:
        """Returns once there is something to read. Raises `SocketFailed` when nothing will come any more."""
        await _reach(self, lambda made: made.bytesAvailable() > 0, "readyRead")

    async def disconnectedAsync(self) -> None:
        """Returns once the connection has ended, however."""
        await _reach(self, lambda made: made.state() is _UNCONNECTED, "disconnected")


async def _reach(made: Any, reached: Callable[[Any], bool], signal: str) -> None:
    """Returns once `reached(made)`, which a signal may change. Raises `SocketFailed` when the connection ends before."""
    if reached(made):
        return
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look() -> None:
        if future.done():
            return
        if reached(made):
            future.set_result(None)
        elif made.state() is _UNCONNECTED:
            future.set_exception(SocketFailed(made.error(), made.errorString()))

    signals: list[SignalInstance] = [getattr(made, signal), made.disconnected, made.errorOccurred]
    links = [each.connect(look) for each in signals]
    look()
    try:
        await future
    finally:
        for link in links:
            QObject.disconnect(link)
