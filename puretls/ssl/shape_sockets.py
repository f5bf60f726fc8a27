"""`SSLSocket`: a socket that owns its descriptor, with an object of `_ssl` on it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from socket import SO_TYPE, SOCK_STREAM, SOL_SOCKET, socket
from typing import Any, Self

from puretls.ssl.shape_channels import CHANNEL_BINDING_TYPES, Channel

_EOF = 8
"""SSL_ERROR_EOF: the stream ended without close_notify."""


class WrappedSocket(Channel, socket):
    """All of `SSLSocket` but the class of its errors, which is the `_ssl`'s that is in place."""

    _failure: type[OSError]

    _context: Any
    _session: Any
    _connected: bool
    _sendfile_use_send: Callable[..., int]
    server_side: bool
    server_hostname: str | None
    do_handshake_on_connect: bool
    suppress_ragged_eofs: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError(
            f"{type(self).__name__} does not have a public constructor. Instances are returned by SSLContext.wrap_socket()."
        )

    @classmethod
    def _create(
        cls,
        sock: socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        context: Any = None,
        session: Any = None,
    ) -> Self:
        _check_wrappable(sock, server_side, server_hostname, context, session)
        timeout = sock.gettimeout()
        parts: dict[str, Any] = {"family": sock.family, "type": sock.type, "proto": sock.proto, "fileno": sock.fileno()}
        made = cls.__new__(cls, **parts)
        socket.__init__(made, **parts)
        sock.detach()
        try:
            made._context, made._session = context, session
            made._closed = False  # type: ignore[attr-defined]
            made.server_side = server_side
            made.server_hostname = context._encode_hostname(server_hostname)
            made.do_handshake_on_connect = do_handshake_on_connect
            made.suppress_ragged_eofs = suppress_ragged_eofs
            made._connected = made._find_out_if_connected()
            made.settimeout(timeout)
            if made._connected:
                made._sslobj = made._wrapped(server_side)
                if do_handshake_on_connect:
                    if timeout == 0.0:
                        raise ValueError("do_handshake_on_connect should not be specified for non-blocking sockets")
                    made.do_handshake()
        except BaseException:
            with suppress(OSError):
                made.close()
            raise
        return made

    def _wrapped(self, server_side: bool) -> Any:
        return self._context._wrap_socket(self, server_side, self.server_hostname, owner=self, session=self._session)

    def _find_out_if_connected(self) -> bool:
        """Whether there is a peer. Raises `SSLError` where there is none, and plaintext of one waits to be taken for protected."""
        try:
            self.getpeername()
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise
        else:
            return True
        blocking = self.getblocking()
        self.setblocking(False)
        try:
            early = self.recv(1)
        except OSError as error:
            if error.errno not in (errno.ENOTCONN, errno.EINVAL):  # EINVAL: of Unix sockets
                raise
            early = b""
        self.setblocking(blocking)
        if early:
            raise self._early_data()
        return False

    def _early_data(self) -> OSError:
        reason = "Closed before TLS handshake with data in recv buffer."
        error: Any = self._failure(errno.ENOTCONN, reason)
        error.reason, error.library = reason, None
        failure: OSError = error
        return failure

    @property
    def context(self) -> Any:
        """The context in force; a server may change it while it handles the client's server name."""
        return self._context

    @context.setter
    def context(self, context: Any) -> None:
        self._context = context
        self._sslobj.context = context

    @property
    def session(self) -> Any:
        """The session, which a client may set before the handshake."""
        return None if self._sslobj is None else self._sslobj.session

    @session.setter
    def session(self, session: Any) -> None:
        self._session = session
        if self._sslobj is not None:
            self._sslobj.session = session

    def dup(self) -> Any:
        raise NotImplementedError(f"Can't dup() {type(self).__name__} instances")

    def _checkClosed(self, msg: str | None = None) -> None:
        """A hook of subclasses."""

    def _check_connected(self) -> None:
        if not self._connected:
            self.getpeername()  # a socket may have got its peer since; else ENOTCONN

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """Up to `len` bytes, b"" at the end; or their number, if they go into `buffer`."""
        self._checkClosed()
        if self._sslobj is None:
            raise ValueError("Read on closed or unwrapped SSL socket.")
        try:
            return self._sslobj.read(len) if buffer is None else self._sslobj.read(len, buffer)
        except self._failure as error:
            if error.args[0] == _EOF and self.suppress_ragged_eofs:
                return b"" if buffer is None else 0
            raise

    def write(self, data: Any) -> int:
        """Send `data`; returns how many bytes were taken."""
        self._checkClosed()
        if self._sslobj is None:
            raise ValueError("Write on closed or unwrapped SSL socket.")
        return self._sslobj.write(data)

    def getpeercert(self, binary_form: bool = False) -> dict[str, Any] | bytes | None:
        """As `SSLObject.getpeercert`. Raises `OSError` where the socket has no peer."""
        self._checkClosed()
        self._check_connected()
        return super().getpeercert(binary_form)

    def _refuse_flags(self, flags: int, method: str) -> None:
        if flags != 0:
            raise ValueError(f"non-zero flags not allowed in calls to {method}() on {self.__class__}")

    def _refuse_datagrams(self, method: str) -> None:
        self._checkClosed()
        if self._sslobj is not None:
            raise ValueError(f"{method} not allowed on instances of {self.__class__}")

    def send(self, data: Any, flags: int = 0) -> int:
        self._checkClosed()
        if self._sslobj is None:
            return super().send(data, flags)
        self._refuse_flags(flags, "send")
        return self._sslobj.write(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._checkClosed()
        if self._sslobj is None:
            return super().sendall(data, flags)
        self._refuse_flags(flags, "sendall")
        with memoryview(data) as view, view.cast("B") as octets:
            sent = 0
            while sent < len(octets):
                sent += self.send(octets[sent:])
        return None

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file from `offset` on; returns how many bytes."""
        if self._sslobj is None:
            return super().sendfile(file, offset, count)
        return self._sendfile_use_send(file, offset, count)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        self._checkClosed()
        if self._sslobj is None:
            return super().recv(buflen, flags)
        self._refuse_flags(flags, "recv")
        return self.read(buflen)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        self._checkClosed()
        if nbytes is None:
            nbytes = 1024
            if buffer is not None:
                with memoryview(buffer) as view:
                    nbytes = view.nbytes or 1024
        if self._sslobj is None:
            return super().recv_into(buffer, nbytes, flags)
        self._refuse_flags(flags, "recv_into")
        return self.read(nbytes, buffer)

    def sendto(self, data: Any, *arguments: Any) -> int:
        self._refuse_datagrams("sendto")
        return super().sendto(data, *(argument for argument in arguments if argument is not None))

    def recvfrom(self, buflen: int = 1024, flags: int = 0) -> Any:
        self._refuse_datagrams("recvfrom")
        return super().recvfrom(buflen, flags)

    def recvfrom_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> Any:
        self._refuse_datagrams("recvfrom_into")
        return super().recvfrom_into(buffer, nbytes or 0, flags)

    def sendmsg(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"sendmsg not allowed on instances of {self.__class__}")

    def recvmsg(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"recvmsg not allowed on instances of {self.__class__}")

    def recvmsg_into(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"recvmsg_into not allowed on instances of {self.__class__}")

    def shutdown(self, how: int) -> None:
        """As of any socket; nothing of TLS is sent."""
        self._checkClosed()
        self._sslobj = None
        super().shutdown(how)

    def unwrap(self) -> socket:
        """Send close_notify, wait for the peer's, and give the plain socket."""
        if self._sslobj is None:
            raise ValueError(f"No SSL wrapper around {self}")
        below: socket = self._sslobj.shutdown()
        self._sslobj = None
        return below

    def verify_client_post_handshake(self) -> None:
        """TLS 1.3 only."""
        if self._sslobj is None:
            raise ValueError(f"No SSL wrapper around {self}")
        self._sslobj.verify_client_post_handshake()

    def _real_close(self) -> None:
        self._sslobj = None
        super()._real_close()  # type: ignore[misc]

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands; `block` does it even on a non-blocking socket."""
        self._check_connected()
        timeout = self.gettimeout()
        try:
            if timeout == 0.0 and block:
                self.settimeout(None)
            self._sslobj.do_handshake()
        finally:
            self.settimeout(timeout)

    def connect(self, addr: Any) -> None:
        """Connect, and shake hands unless told otherwise."""
        self._connect(super().connect, addr)

    def connect_ex(self, addr: Any) -> int:
        """As `connect`; a failure to connect is told by its number."""
        return self._connect(super().connect_ex, addr)

    def _connect(self, connect: Callable[[Any], Any], addr: Any) -> Any:
        if self.server_side:
            raise ValueError("can't connect in server-side mode")
        if self._connected or self._sslobj is not None:
            raise ValueError("attempt to connect already-connected SSLSocket!")
        self._sslobj = self._wrapped(False)
        try:
            failed = connect(addr)
            if not failed:
                self._connected = True
                if self.do_handshake_on_connect:
                    self.do_handshake()
        except (OSError, ValueError):
            self._sslobj = None
            raise
        return failed

    def accept(self) -> tuple[Any, Any]:
        """The next client, with TLS on its connection, and its address."""
        below, address = super().accept()
        wrapped = self.context.wrap_socket(
            below,
            server_side=True,
            do_handshake_on_connect=self.do_handshake_on_connect,
            suppress_ragged_eofs=self.suppress_ragged_eofs,
        )
        return wrapped, address

    def get_channel_binding(self, cb_type: str = "tls-unique") -> bytes | None:
        """As of `SSLObject`."""
        if self._sslobj is None and cb_type not in CHANNEL_BINDING_TYPES:
            raise ValueError(f"{cb_type} channel binding type not implemented")
        return self._told("get_channel_binding", cb_type)


def _check_wrappable(sock: socket, server_side: bool, server_hostname: Any, context: Any, session: Any) -> None:
    try:
        kind = sock.getsockopt(SOL_SOCKET, SO_TYPE)
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:  # Emscripten's sockets of node do not tell
            raise
        kind = sock.type
    if kind != SOCK_STREAM:
        raise NotImplementedError("only stream sockets are supported")
    if server_side and server_hostname:
        raise ValueError("server_hostname can only be specified in client mode")
    if server_side and session is not None:
        raise ValueError("session can only be specified in client mode")
    if context.check_hostname and not server_hostname:
        raise ValueError("check_hostname requires server_hostname")
