"""TlsSocket: a connected socket with TLS on it, in the manner of `socket.socket`.

Owns threads, time-outs and buffers; no protocol.
"""

from __future__ import annotations

import socket
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self, cast

from puretls import drive
from puretls.arguments import described
from puretls.config import ClientConfig, ServerConfig
from puretls.connection import Connection
from puretls.errors import DangerWarning, PuretlsError, UsageError
from puretls.events import ConnectionClosed, DataReceived, Event, HandshakeCompleted, RenegotiationRefused
from puretls.net.defaults import CHUNK, RAGGED, client_defaults
from puretls.net.files import RawFile, make_file
from puretls.net.socket_options import SocketOptions
from puretls.net.transport import SocketTransport, StreamSocket

if TYPE_CHECKING:
    from puretls.handshake.context import Negotiated
    from puretls.session import Session

PATIENCE = 2.0
"""Seconds that `close` waits until close_notify, and data that an earlier time-out left behind, can be sent."""
_Kind = type[BaseException]


class TlsSocket(SocketOptions):
    """TLS on a connected socket, which it owns from then on.

    Methods are those of `socket.socket`; one thread may receive while another sends. Besides `OSError` of the socket
    (`TimeoutError` among them) they raise `puretls.TlsError`, and `Truncated` where the stream ends without close_notify.

    To upgrade a connection (STARTTLS), stop reading at the last plaintext byte and hand the socket to `client` or `server`.
    """

    def __init__(
        self,
        sock: StreamSocket,
        connection: Connection,
        *,
        handshake_timeout: float | None = None,
        on_event: Callable[[Event], None] | None = None,
        suppress_ragged_eofs: bool = False,
    ) -> None:
        """Join a socket and a connection that has not started. No byte moves before the first `handshake`, `recv` or `send`.

        `handshake_timeout`: seconds for the whole handshake, however busily the peer trickles bytes; None takes the
        configuration's `limits.handshake_time`. `on_event` sees every event in the thread that caused it.
        `suppress_ragged_eofs` takes a stream that ends without close_notify for one that ends well, with a `DangerWarning`: somebody
        on the wire may have cut it, which is harmless only where the protocol above knows the length of what it reads.
        """
        if suppress_ragged_eofs:
            warnings.warn(RAGGED, DangerWarning, stacklevel=2)
        self.connection = connection
        self._transport = SocketTransport(sock)
        self._below = cast("socket.socket", sock)
        self._handshake_timeout = connection.config.limits.handshake_time if handshake_timeout is None else handshake_timeout
        self._on_event = on_event
        self._ragged_is_clean = suppress_ragged_eofs
        # One thread may read while another writes, so each has a lock of its own, taken before `_lock`. Nobody waits for the socket with
        # `_lock` held: a reader that waits for the peer would keep the writer from encrypting, and the peer may wait for the writer.
        self._lock = threading.RLock()  # around each use of the connection
        self._handshaking = threading.Lock()  # not `_reading`: a writer must get on once the handshake is done
        self._reading = threading.RLock()  # one reader
        self._writing = threading.RLock()  # one writer, so that pieces of two sendall calls do not mix
        self._received = bytearray()
        self._complete = False
        self._end: ConnectionClosed | None = None
        self._files = 0
        self._closed = self._detached = False

    @classmethod
    def client(
        cls, sock: StreamSocket, config: ClientConfig, server_name: str | None, *, session: Session | None = None, **options: Any
    ) -> Self:
        """Shake hands as a client. `server_name` is the name (or IP address) to ask for and to verify; see `Connection.client`.

        The socket is closed when the handshake fails.
        """
        return cls(sock, Connection.client(config, server_name, session=session), **options)._opened()

    @classmethod
    def server(cls, sock: StreamSocket, config: ServerConfig, **options: Any) -> Self:
        """Shake hands as a server. The socket is closed when the handshake fails."""
        return cls(sock, Connection.server(config), **options)._opened()

    def _opened(self) -> Self:
        try:
            self.handshake()
        except BaseException:
            self._close_socket()
            raise
        return self

    def handshake(self) -> None:
        """Shake hands, unless that is done. After a `TimeoutError` of the socket's own time-out, a second call continues the handshake."""
        if self._complete:
            return
        with self._handshaking:
            if self._complete:
                return
            self._transport.deadline = time.monotonic() + self._handshake_timeout
            try:
                with self._lock:
                    if self.connection.state.name == "START":
                        self.connection.start()
                self._run(until=lambda event: isinstance(event, HandshakeCompleted))
            finally:
                self._transport.deadline = None

    def renegotiate(self) -> bool:
        """Ask for another handshake on this connection and wait for it (RFC 5246 7.4.1.1); False if the peer refuses, or closes.

        `connection.change_config` says beforehand what is to be agreed on, a client's certificate for example. Data that comes meanwhile
        is kept for `recv`. A peer that goes on as if nothing were asked ends in `TimeoutError`: after the time for a handshake, or after
        `connection.transport_limit` bytes. Raises `UsageError` as `Connection.renegotiate` does.
        """
        self.handshake()
        over: list[Event] = []

        def answered(event: Event) -> bool:
            if isinstance(event, HandshakeCompleted | RenegotiationRefused):
                over.append(event)
            return bool(over) or len(self._received) > self.connection.transport_limit

        with self._reading:
            self._transport.deadline = time.monotonic() + self._handshake_timeout
            try:
                with self._lock:
                    self.connection.renegotiate()
                self._run(until=answered)
            finally:
                self._transport.deadline = None
        if not over and self._end is None:
            raise TimeoutError("the peer sends data and no answer")
        return bool(over) and isinstance(over[0], HandshakeCompleted)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Up to `size` bytes of application data; b"" after the peer's close_notify."""
        _refuse(flags)
        if not isinstance(size, int) or size < 0:
            raise UsageError(f"a size is a number of bytes and never negative, not {described(size)}")
        self.handshake()
        with self._reading:
            while size > 0 and not self._received and self._end is None:
                self._run(until=lambda event: isinstance(event, DataReceived))
            if not self._received and size > 0 and self._end is not None and self._end.error and not self._ragged_is_clean:
                raise self._end.error
            data = bytes(self._received[:size])
            del self._received[:size]
        return data

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, flags: int = 0) -> int:
        """`recv` into `buffer`; returns the number of bytes.

        Raises `UsageError`, before anything is read, for a buffer that cannot take them.
        """
        view = _writable(buffer)
        data = self.recv(min(size, len(view)) if size else len(view), flags)
        view[: len(data)] = data
        return len(data)

    def send(self, data: bytes | bytearray | memoryview, flags: int = 0) -> int:
        """Send up to 1 MiB of `data`; returns how much was taken.

        What was taken is sent once: when this raises `TimeoutError`, the rest goes out with the next call; do not repeat it.
        """
        _refuse(flags)
        self.handshake()
        with self._writing, memoryview(data).cast("B") as view:
            chunk = bytes(view[:CHUNK])
            with self._lock:
                self.connection.send(chunk)
            self._transport.flush(self._drain, wait=True)
        return len(chunk)

    def sendall(self, data: bytes | bytearray | memoryview, flags: int = 0) -> None:
        """Send all of `data`."""
        with self._writing, memoryview(data).cast("B") as view:
            sent = 0
            while sent < len(view):
                sent += self.send(view[sent:], flags)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send a file from `offset` on, all of it or `count` bytes; returns how many. The file is left behind what was sent."""
        if "b" not in getattr(file, "mode", "b"):
            raise UsageError("sendfile wants a file opened in binary mode")
        if count is not None and (not isinstance(count, int) or count < 1):
            raise UsageError("count is a number of bytes, at least 1")
        if offset:
            file.seek(offset)
        total = 0
        while count is None or total < count:
            data = file.read(CHUNK if count is None else min(CHUNK, count - total))
            if not data:
                break
            self.sendall(data)
            total += len(data)
        return total

    def pending(self) -> int:
        """Bytes of application data that `recv` would give without reading the socket."""
        return len(self._received)

    def unwrap(self) -> StreamSocket:
        """Close TLS in both directions and return the socket, open, to go on in the clear.

        Application data still under way is lost; plaintext that came right behind the peer's close_notify is in
        `connection.trailing_data`. Raises `Truncated` when the stream ends without the peer's close_notify.
        """
        self.handshake()
        with self._lock:
            self.connection.close()
        self._transport.flush(self._drain, wait=True)
        with self._reading:
            while self._end is None:
                self._run(until=lambda event: isinstance(event, DataReceived))
                self._received.clear()  # nobody will read it, and the peer may send much more
        if self._end.error:
            raise self._end.error
        self._closed = True
        return self._below

    def close(self) -> None:
        """Send close_notify and close the socket, without waiting for the peer's. Files made by `makefile` keep it open.

        A peer that does not read may hold this up for `PATIENCE` seconds, or the socket's own time-out.
        """
        self._closed = True
        if self._files == 0:
            self._close_now()

    def makefile(
        self, mode: str = "r", buffering: int = -1, *, encoding: str | None = None, newline: str | None = None
    ) -> IO[Any]:
        """A file on the connection; `mode` is "r", "w" or "rw", with "b" for bytes, as in `socket.socket.makefile`.

        Where a read comes to the end of a stream without close_notify it raises `Truncated`; what it read is in `received`.
        """
        raw = RawFile(self, "r" in mode, "w" in mode, self._file_closed)
        self._files += 1
        return make_file(raw, mode, buffering, encoding, newline)

    def shutdown(self, how: int) -> None:
        """Shuts the socket down. SHUT_WR and SHUT_RDWR send close_notify first."""
        if how != socket.SHUT_RD:
            self._say_goodbye()
        self._below.shutdown(how)

    @property
    def negotiated(self) -> Negotiated | None:
        """What was agreed on; None before the ServerHello. See `Connection.negotiated`."""
        return self.connection.negotiated

    @property
    def session(self) -> Session | None:
        """What resumes this connection, for `TlsSocket.client(..., session=...)`."""
        return self.connection.session

    @property
    def peer_certificates(self) -> tuple[bytes, ...]:
        """The peer's chain in DER, leaf first."""
        return self.connection.peer_certificates

    def detach(self) -> int:
        """Give the file descriptor away, open, and close this object. As with `ssl.SSLSocket`, no close_notify is sent.

        The keys stay behind in this object, so nobody can continue the connection. `unwrap` is the way to continue in the clear.
        """
        self._closed = self._detached = True
        return self._below.detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: _Kind | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<TlsSocket {self.connection.role.value} {self.connection.state.name} fd={self.fileno()}>"

    def _run(self, until: Callable[[Event], bool]) -> None:
        """Drive the connection to an event, keeping data and the end of the stream as they come by."""

        def seen(event: Event) -> bool:
            if isinstance(event, DataReceived):
                self._received += event.data
            elif isinstance(event, HandshakeCompleted):
                self._complete = True
            if self._on_event is not None:
                self._on_event(event)
            return until(event)

        event = drive.run(self.connection, self._transport, seen, self._lock)
        if isinstance(event, ConnectionClosed):
            self._end = event
            if self._on_event is not None:
                self._on_event(event)

    def _drain(self) -> bytes:
        with self._lock:
            return self.connection.bytes_to_send()

    def _say_goodbye(self) -> None:
        with suppress(OSError, PuretlsError):
            with self._lock:
                self.connection.close()
            self._transport.flush(self._drain)

    def _close_now(self) -> None:
        if self._detached:
            return
        if self._complete:
            self._transport.overdue = "the peer did not read what was left to send"
            self._transport.deadline = time.monotonic() + PATIENCE
            self._say_goodbye()
        self._close_socket()

    def _close_socket(self) -> None:
        with suppress(OSError):  # wakes a thread that waits in recv
            self._below.shutdown(socket.SHUT_RDWR)
        self._below.close()
        self._closed = True

    def _file_closed(self) -> None:
        self._files -= 1
        if self._closed and self._files == 0:
            self._close_now()


def connect(
    address: tuple[str, int],
    config: ClientConfig | None = None,
    *,
    server_name: str | None = None,
    timeout: float | None = None,
    session: Session | None = None,
    **options: Any,
) -> TlsSocket:
    """Connect to `address` and shake hands; the name to verify is the host of the address unless `server_name` is given.

    Without a `config` the system's roots are trusted, as by `ClientConfig(verifier=roots.system_verifier())`.
    An international host name is mapped once, and an IPv6 address may have a zone: ("fe80::1%eth0", 443).

    `timeout`: seconds for the connection and, afterwards, for each wait. Raises as `TlsSocket` does.
    """
    from puretls.x509.hostname import host_to_look_up

    if not isinstance(address, tuple | list) or len(address) < 2:
        raise UsageError('an address is a pair, such as ("example.org", 443)')
    config = client_defaults() if config is None else config
    connection = Connection.client(config, server_name or address[0], session=session)  # refuses a bad name before anything is looked up
    address = host_to_look_up(address[0]), address[1]
    return TlsSocket(socket.create_connection(address, timeout), connection, **options)._opened()


def _refuse(flags: int) -> None:
    if flags:
        raise UsageError("flags make no sense on a TLS connection")


def _writable(buffer: Any) -> memoryview:
    """The bytes of a buffer that can be written to."""
    try:
        view = memoryview(buffer).cast("B")
    except TypeError:
        raise UsageError(f"recv_into fills a buffer of bytes without gaps, not {described(buffer)}") from None
    if view.readonly:
        raise UsageError(f"recv_into fills a buffer that can be written to, and this {described(buffer)} is read-only")
    return view
