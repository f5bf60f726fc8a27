"""The blocking functions of sockets: they poll the socket's own descriptor, and only its own events happen meanwhile.

`msecs` are milliseconds, -1 waits for ever.
"""

from __future__ import annotations

import time

from puretls.qt.qmessage import qWarning
from puretls.qt.socketengine import TIMED_OUT, Deadline, wait_for_socket
from puretls.qt.socketenums import SocketError, SocketState
from puretls.qt.tcpattempt import CONNECT_SECONDS
from puretls.qt.tcptransport import TcpTransport

_UNCONNECTED, _CONNECTED, _BOUND = SocketState.UnconnectedState, SocketState.ConnectedState, SocketState.BoundState
_CLOSING, _CONNECTING, _LOOKUP = SocketState.ClosingState, SocketState.ConnectingState, SocketState.HostLookupState


def wait_for_connected(tcp: TcpTransport, msecs: int) -> bool:
    """Blocks until it is connected, has failed, or the time is over."""
    if tcp.state is _CONNECTED:
        return True
    closing, tcp.pending_close = tcp.pending_close, False
    deadline = Deadline(msecs)
    if tcp.state is _LOOKUP:
        tcp.look_up_now()
    while tcp.state is _CONNECTING and not deadline.over:
        _wait_for_address(tcp, deadline)
    if tcp.state is _CONNECTING:
        tcp.time_out()
    if tcp.state is not _CONNECTED:
        return False
    if closing:
        tcp.tell("disconnectFromHost")
    return True


def _wait_for_address(tcp: TcpTransport, deadline: Deadline) -> None:
    engine = tcp.engine
    assert engine is not None
    patience = CONNECT_SECONDS if deadline.seconds is None else min(CONNECT_SECONDS, deadline.seconds)
    before = time.monotonic()
    if not engine.valid or engine.error or wait_for_socket(engine.sock, read=False, write=True, seconds=patience)[1]:
        tcp.test_connection()
    elif time.monotonic() - before >= CONNECT_SECONDS:
        tcp.connect_to_next_address()


def wait_for_ready_read(tcp: TcpTransport, msecs: int) -> bool:
    """Blocks until something was read. False when the time is over (SocketTimeoutError) or the connection has ended."""
    return _wait(tcp, msecs, for_read=True)


def wait_for_bytes_written(tcp: TcpTransport, msecs: int) -> bool:
    """Blocks until something was written. False at once if there is nothing to write."""
    return bool(tcp.queued) and _wait(tcp, msecs, for_write=True)


def wait_for_disconnected(tcp: TcpTransport, msecs: int) -> bool:
    """Blocks until the connection has ended. False, with a warning, when there is none."""
    if tcp.state is _UNCONNECTED:
        qWarning("QAbstractSocket::waitForDisconnected() is not allowed in UnconnectedState")
        return False
    _wait(tcp, msecs)
    return tcp.state is _UNCONNECTED


def _wait(tcp: TcpTransport, msecs: int, *, for_read: bool = False, for_write: bool = False) -> bool:
    """Reads and writes until what is waited for has happened. False when the time is over, or the connection."""
    deadline = Deadline(msecs)
    if tcp.state in (_LOOKUP, _CONNECTING) and not wait_for_connected(tcp, msecs):
        return False
    while tcp.state in (_CONNECTED, _BOUND, _CLOSING) and tcp.engine is not None:
        if for_read and tcp.state is _CLOSING:
            return False
        may_read = not tcp.is_full and tcp.state is not _CLOSING
        sock = tcp.engine.sock
        readable, writable = wait_for_socket(sock, read=may_read, write=bool(tcp.queued), seconds=deadline.seconds)
        if not readable and not writable:
            tcp.fail(SocketError.SocketTimeoutError, TIMED_OUT)
            return False
        if readable and tcp.read_ahead() and for_read:
            return True
        if writable and tcp.write_queued() and for_write:
            return True
    return False
