"""One TCP connection with Qt's states: it looks a name up, connects, reads ahead, writes what is queued, and ends.

A transport has no signals. It says what happens through `tell`, in Qt's order, and QTcpSocket and QSslSocket make signals of that.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from puretls.qt.calls import weakly
from puretls.qt.hostlookup import address_of, resolve, system_address
from puretls.qt.qhostaddress import NetworkLayerProtocol, QHostAddress
from puretls.qt.qmessage import qWarning
from puretls.qt.socketengine import SocketEngine
from puretls.qt.socketenums import BindFlag, SocketError, SocketState
from puretls.qt.tcpattempt import Attempt, Target

_UNCONNECTED, _CONNECTED, _BOUND = SocketState.UnconnectedState, SocketState.ConnectedState, SocketState.BoundState
_CLOSING, _CONNECTING, _LOOKUP = SocketState.ClosingState, SocketState.ConnectingState, SocketState.HostLookupState

Tell = Callable[..., object]
"""Gets a name and its arguments. Most names are Qt's signals: `stateChanged(state)`, `hostFound`, `connected`, `readyRead`,
`bytesWritten(count)`, `errorOccurred(error)`, `readChannelFinished`, `disconnected`. Three others: `failed(error, text)` and
`ends(ends)` give new values without a signal; `disconnectFromHost` and `abort` ask the owner to do what Qt's virtual functions do."""


class Ends(NamedTuple):
    """Address and port of both ends, and the name that was connected to."""

    local: tuple[QHostAddress, int] = (QHostAddress(), 0)
    peer: tuple[QHostAddress, int] = (QHostAddress(), 0)
    name: str = ""


class TcpTransport:
    """A TCP connection. `received` holds what was read ahead, `queued` what is not written yet."""

    def __init__(self, tell: Tell, received: bytearray | None = None) -> None:
        self.tell = tell
        self.state: SocketState = _UNCONNECTED
        self.error: SocketError = SocketError.UnknownSocketError
        self.error_string: str = ""
        self.ends: Ends = Ends()
        self.received: bytearray = bytearray() if received is None else received
        self.queued: bytearray = bytearray()
        self.read_limit = 0  # bytes that are read ahead; 0 is no limit
        self.is_open: bool = False
        self.engine: SocketEngine | None = None
        self._attempt = Attempt()
        self._gives_up = False
        self.pending_close: bool = False  # ends as soon as it is connected

    @property
    def system_socket(self) -> socket.socket | None:
        """The socket of the operating system, None if there is none."""
        return self.engine.sock if self.engine is not None and self.engine.valid else None

    # connecting

    def bind(self, local: QHostAddress, port: int, mode: BindFlag) -> bool:
        """Binds before connecting. False, with an error, if the system refuses."""
        engine = self._open_engine(local)
        if mode & (BindFlag.ShareAddress | BindFlag.ReuseAddressHint):
            engine.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            engine.sock.bind(system_address(local, port))
        except OSError as problem:
            self._set_error(SocketError.AddressInUseError, problem.strerror or str(problem))
            return False
        self._ask_for_ends()
        self._change_state(_BOUND)
        return True

    def refuses_to_connect(self, name: str) -> bool:
        """Whether a connection exists already or begins; that is told as OperationError."""
        if self.state not in (_CONNECTED, _CONNECTING, _CLOSING, _LOOKUP):
            return False
        qWarning(f'QAbstractSocket::connectToHost() called when already looking up or connecting/connected to "{name}"')
        self.fail(SocketError.OperationError, "Trying to connect while connection is in progress")
        return True

    def connect(self, target: Target) -> None:
        """Begins to connect."""
        attempt = self._attempt = Attempt(target, is_bound=self.state is _BOUND)
        self._gives_up = self.pending_close = False
        self.is_open = True
        self.queued.clear()
        if not attempt.is_bound:
            self.state = _UNCONNECTED
        self._set_ends(Ends(self.ends.local, name=target.host) if attempt.is_bound else Ends(name=target.host))
        self._set_error(SocketError.UnknownSocketError, "")
        self._change_state(_LOOKUP)
        if self.state is _LOOKUP:  # else a slot has ended it
            attempt.look_up(weakly(self._start_connecting))

    def look_up_now(self) -> None:
        """Asks for the addresses again and blocks until they are there; the answer of the other lookup does not count."""
        former = self._attempt
        former.cancel()
        self._attempt = Attempt(former.target, is_bound=former.is_bound)
        self._start_connecting(resolve(self._attempt.target.host))

    def _start_connecting(self, addresses: list[QHostAddress]) -> None:
        if self.state is not _LOOKUP:
            return
        if not self._attempt.keep(addresses):
            self._end_attempt(SocketError.HostNotFoundError, "Host not found")
            return
        self._change_state(_CONNECTING)
        self.tell("hostFound")
        if self.state is _CONNECTING:
            self.connect_to_next_address()

    def connect_to_next_address(self) -> None:
        """Tries the next address, or fails with what was wrong with the last."""
        address, engine = self._attempt.next_address(self.connect_to_next_address), self.engine
        if address is None:
            if engine is not None and engine.error:
                self._end_attempt(SocketError[engine.error], engine.error_string)
            else:
                self._end_attempt(SocketError.ConnectionRefusedError, "Connection refused")
            return
        if engine is None or not engine.valid or not self._attempt.is_bound:
            engine = self._open_engine(address)
        port = self._attempt.target.port
        engine.connect(lambda: system_address(address, port))

    def _end_attempt(self, error: SocketError, text: str) -> None:
        self._set_error(error, text)
        self._change_state(_UNCONNECTED)
        self.tell("errorOccurred", error)

    def time_out(self) -> None:
        """Gives up connecting, as the blocking functions do it: without `errorOccurred`."""
        self._set_error(SocketError.SocketTimeoutError, "Socket operation timed out")
        self._reset_engine()
        self._change_state(_UNCONNECTED)

    def _open_engine(self, address: QHostAddress) -> SocketEngine:
        if self.engine is not None:
            self.engine.close()
        family = socket.AF_INET6 if address.protocol() is NetworkLayerProtocol.IPv6Protocol else socket.AF_INET
        self.engine = SocketEngine(socket.socket(family, socket.SOCK_STREAM), self.read_ahead, self._on_writable)
        return self.engine

    def test_connection(self) -> None:
        """The system has decided about an address: it is connected, or the next one is tried."""
        self._attempt.stop_timer()
        if self.engine is None or not self.engine.connected():
            self.connect_to_next_address()
            return
        self.engine.notify_read(True)
        self.engine.notify_write(True)
        self._ask_for_ends()
        self._set_ends(self.ends._replace(name=self._attempt.target.host))
        self._change_state(_CONNECTED)
        self.tell("connected")
        if self.pending_close:
            self.pending_close = False
            self.tell("disconnectFromHost")

    def adopt(self, descriptor: int) -> bool:
        """Takes over a descriptor; `enter` follows. False, with an error, if it is no socket."""
        self._reset_engine()
        try:
            sock = socket.socket(fileno=descriptor)
        except OSError as problem:
            self._set_error(SocketError.UnsupportedSocketOperationError, problem.strerror or str(problem))
            return False
        self.engine = SocketEngine(sock, self.read_ahead, self._on_writable)
        self.is_open = True
        self.queued.clear()
        self._set_error(SocketError.UnknownSocketError, "")
        self.pending_close = self._gives_up = False
        self._ask_for_ends()
        return True

    def enter(self, state: SocketState) -> None:
        """Sets the state of a connection that was taken over."""
        self._change_state(state)
        if state is _CONNECTED and self.engine is not None:
            self.engine.notify_read(True)

    # ending

    def disconnect(self) -> None:
        """Ends the connection once all is written; during connecting, once it is connected."""
        if self.state is _UNCONNECTED:
            return
        if not self._gives_up and self.state in (_CONNECTING, _LOOKUP):
            self.pending_close = True
            return
        if self.engine is not None:
            self.engine.notify_read(False)
        self._attempt.cancel()
        if not self._gives_up:
            if self.state is not _CLOSING:
                self._change_state(_CLOSING)
            if self.engine is not None and self.engine.valid and self.queued:
                self.engine.notify_write(True)
                return
        self._end()

    def _end(self) -> None:
        former = self.state
        self._reset_engine()
        self._change_state(_UNCONNECTED)
        self.tell("readChannelFinished")
        if former in (_CONNECTED, _CLOSING):
            self.tell("disconnected")
        if self.state is _UNCONNECTED:
            self._set_ends(Ends())

    def _reset_engine(self) -> None:
        self._attempt.stop_timer()
        engine, self.engine = self.engine, None
        if engine is not None:
            engine.close()

    def close(self) -> None:
        """Disconnects; nothing more is read, and no one may write."""
        self.is_open = False
        self.received.clear()
        self.disconnect()

    def give_up(self) -> None:
        """What is queued is lost: `disconnect` will not wait for it."""
        if self.state is not _UNCONNECTED:
            self.queued.clear()
        self._gives_up = True

    def abort(self) -> None:
        """Ends the connection now."""
        self.give_up()
        self.close()

    # reading and writing

    @property
    def is_full(self) -> bool:
        """Whether no more is to be read ahead."""
        return bool(self.read_limit) and len(self.received) >= self.read_limit

    def read_again(self) -> None:
        """Goes on reading ahead if there is room."""
        if self.engine is not None and self.state is _CONNECTED and not self.is_full:
            self.engine.notify_read(True)

    def take(self, count: int) -> bytes:
        """Up to `count` bytes of what was read ahead. When all was taken, reading goes on, as Qt does."""
        data = bytes(self.received[:count])
        del self.received[:count]
        if not self.received:
            self.read_again()
        return data

    def pause(self) -> None:
        """Neither reads nor writes until `resume`."""
        if self.engine is not None:
            self.engine.notify_read(False)
            self.engine.notify_write(False)

    def resume(self) -> None:
        """Goes on after a pause."""
        if self.engine is not None:
            self.engine.notify_read(True)
            if self.queued:
                self.engine.notify_write(True)

    def read_ahead(self) -> bool:
        """Reads what the system has and tells `readyRead`. False if there was nothing.

        What waits to be written goes first, as in Qt: what comes may be the end of the stream, after which nothing is written.
        """
        if self.queued and self.state is _CONNECTED:
            self.write_queued()
        engine = self.engine
        if engine is None or not engine.valid:
            return False
        room = self.read_limit - len(self.received) if self.read_limit else 0
        if self.read_limit and room <= 0:
            engine.notify_read(False)
            return False
        data = engine.read(room)
        if not engine.valid:
            self.fail(SocketError[engine.error], engine.error_string)
            self._reset_engine()
            self.tell("disconnectFromHost")
            return False
        if not data:
            return False
        self.received += data
        if room and len(data) >= room:
            engine.notify_read(False)
        self.tell("readyRead")
        return True

    def _on_writable(self) -> None:
        if self.state is _CONNECTING:
            self.test_connection()
        else:
            self.write_queued()

    def write_queued(self) -> bool:
        """Writes what the system takes and tells `bytesWritten`. False if nothing was written."""
        engine = self.engine
        if engine is None or not engine.valid or not self.queued:
            if engine is not None and engine.valid:
                engine.notify_write(False)
            if self.state is _CLOSING:
                self.tell("disconnectFromHost")
            return False
        with memoryview(self.queued) as pending:
            written = engine.write(pending)
        if written < 0:
            self.fail(SocketError[engine.error], engine.error_string)
            self.tell("abort")
            return False
        del self.queued[:written]
        if written:
            self.tell("bytesWritten", written)
        if not self.queued and self.engine is not None:
            self.engine.notify_write(False)
        if self.state is _CLOSING:
            self.tell("disconnectFromHost")
        return written > 0

    def write(self, data: bytes) -> bool:
        """Queues bytes. False, with an error, when there is no connection."""
        if self.state is _UNCONNECTED:
            self._set_error(SocketError.UnknownSocketError, "Socket is not connected")
            return False
        self.queued += data
        if self.engine is not None and self.state is _CONNECTED:
            self.engine.notify_write(True)
        return True

    def flush(self) -> bool:
        """Writes now what the system takes. Whether anything was written."""
        written = False
        while self.queued and self.write_queued():
            written = True
        return written

    def write_untold(self, data: bytes) -> None:
        """Writes at once and tells nothing. The bytes are lost if others are queued or the system has no room."""
        if data and not self.queued and self.engine is not None and self.engine.valid:
            with memoryview(data) as view:
                self.engine.write(view)

    # telling

    def _ask_for_ends(self) -> None:
        assert self.engine is not None
        local, peer = (_address_of(ask) for ask in (self.engine.sock.getsockname, self.engine.sock.getpeername))
        self._set_ends(Ends(local, peer, self.ends.name))

    def _set_ends(self, ends: Ends) -> None:
        self.ends = ends
        self.tell("ends", ends)

    def _change_state(self, state: SocketState) -> None:
        if state is not self.state:
            self.state = state
            self.tell("stateChanged", state)

    def _set_error(self, error: SocketError, text: str) -> None:
        self.error, self.error_string = error, text
        self.tell("failed", error, text)

    def fail(self, error: SocketError, text: str) -> None:
        """Tells an error."""
        self._set_error(error, text)
        self.tell("errorOccurred", error)


def _address_of(ask: Callable[[], Any]) -> tuple[QHostAddress, int]:
    try:
        found = ask()
    except OSError:
        return QHostAddress(), 0
    return (address_of(found), found[1]) if isinstance(found, tuple) else (QHostAddress(), 0)
