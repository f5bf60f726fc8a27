"""_SSLSocket: one connection as CPython's `ssl.py` uses it. It translates; the engine drives.

The owner (an SSLSocket or SSLObject) and the socket are held weakly, and the connection's call-backs hold this object weakly: nothing
here keeps itself alive.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from puretls.connection import Connection
from puretls.errors import Aborted, InternalError, PuretlsError, UsageError, VerificationError
from puretls.events import Event, HandshakeCompleted
from puretls.iana import AlertDescription
from puretls.ssl import cipher_list
from puretls.ssl.callbacks import tell_unraisable
from puretls.ssl.certificates import Certificate, as_dict
from puretls.ssl.configs import Hooks, client_config, server_config
from puretls.ssl.constants import CERT_NONE
from puretls.ssl.conversions import octets
from puretls.ssl.engine import Engine
from puretls.ssl.errors import SSLError, failure, verification_failure
from puretls.ssl.problems import translated
from puretls.ssl.session import SSLSession
from puretls.ssl.settings import Settings
from puretls.ssl.tap import MessageTap
from puretls.ssl.versions import IGNORE_UNEXPECTED_EOF
from puretls.ssl.wire import BioWire, SocketWire
from puretls.x509.certificates.certificate import parse_remembered
from puretls.x509.hostname import parse_reference
from puretls.x509.verifier import ChainRequest

if TYPE_CHECKING:
    from puretls.config import ServerConfig
    from puretls.handshake.context import Negotiated
    from puretls.messages.handshake import ClientHello
    from puretls.suites import Suite


class _SSLSocket:
    """One end of a connection, over a socket or a pair of memory BIOs. `_SSLContext` makes it."""

    __module__ = "_ssl"

    _context: Settings
    _origin: Settings
    _wire: BioWire | SocketWire
    _server_side: bool
    _server_hostname: str | None
    _owner: weakref.ref[Any] | None
    _checks_name: bool
    _offered: SSLSession | None
    _engine: Engine | None
    _hello: ClientHello | None
    _callback_error: Exception | None

    def __new__(cls, *arguments: object) -> _SSLSocket:
        raise TypeError("cannot create '_ssl._SSLSocket' instances")

    @classmethod
    def _of(
        cls, context: Settings, wire: BioWire | SocketWire, server_side: bool, name: Any, owner: Any, session: Any
    ) -> _SSLSocket:
        if server_side and context._versions.is_client_only:
            raise SSLError(0, "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context")
        if not server_side and context._versions.is_server_only:
            raise SSLError(0, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context")
        self = object.__new__(cls)
        self._context = self._origin = context
        self._wire = wire
        self._server_side = server_side
        self._server_hostname = _checked_name(name)
        self.owner = owner
        self._checks_name = context._check_hostname and not server_side
        self._offered = None
        self._engine = None
        self._hello = None
        self._callback_error = None
        if session is not None:
            self.session = session
        return self

    # what it belongs to

    @property
    def context(self) -> Settings:
        """The context; a call-back for server names may set another."""
        return self._context

    @context.setter
    def context(self, value: Any) -> None:
        if not isinstance(value, Settings):
            raise TypeError("The value must be a SSLContext")
        self._context = value

    @property
    def owner(self) -> Any:
        """The Python-level owner of this object, passed as "self" in the call-back for server names."""
        return None if self._owner is None else self._owner()

    @owner.setter
    def owner(self, value: Any) -> None:
        self._owner = None if value is None else weakref.ref(value)

    @property
    def server_side(self) -> bool:
        return self._server_side

    @property
    def server_hostname(self) -> str | None:
        return self._server_hostname

    # the session

    @property
    def session(self) -> SSLSession | None:
        session = self._engine.connection.session if self._engine is not None else None
        return None if session is None else SSLSession._of(session, self._context)

    @session.setter
    def session(self, value: Any) -> None:
        if not isinstance(value, SSLSession):
            raise TypeError("Value is not a SSLSession.")
        if value._context is not self._context:
            raise ValueError("Session refers to a different SSLContext.")
        if self._server_side:
            raise ValueError("Cannot set session for server-side SSLSocket.")
        if self._engine is not None:
            raise ValueError("Cannot set session after handshake.")
        self._offered = value

    @property
    def session_reused(self) -> bool:
        return self._negotiated is not None and self._negotiated.resumed

    # operations

    def do_handshake(self) -> None:
        self._do(lambda engine: engine.handshake())

    def read(self, len: int, buffer: Any = None) -> Any:
        """Read up to len bytes; into `buffer` where there is one, and then how many."""
        if buffer is None:
            if len < 0:
                raise ValueError("size should not be negative")
            return self._do(lambda engine: engine.read(len)) if len else b""
        with memoryview(buffer) as view:
            if view.readonly:
                raise TypeError(f"read() argument 2 must be read-write bytes-like object, not {type(buffer).__name__}")
            size = view.nbytes if len <= 0 or len > view.nbytes else len
        return BytesIO(self._do(lambda engine: engine.read(size))).readinto(buffer) if size else 0

    def write(self, b: Any, /) -> int:
        """Writes the bytes-like object b into the SSL object; returns the number of bytes written."""
        with octets(b) as view:
            written: int = self._do(lambda engine: engine.write(view))
            return written

    def shutdown(self) -> Any:
        """Does the SSL shutdown handshake with the remote end; returns the socket."""
        self._do(lambda engine: engine.close())
        return self._wire.sock

    def pending(self) -> int:
        """Returns the number of already decrypted bytes available for read, pending on the connection."""
        return 0 if self._engine is None else self._engine.pending

    def verify_client_post_handshake(self) -> None:
        raise failure("WRONG_SSL_VERSION", "TLS 1.2 has no authentication after the handshake")

    def _do(self, operation: Callable[[Engine], Any]) -> Any:
        try:
            if self._engine is None:
                self._engine = self._connect()
            return operation(self._engine)
        except PuretlsError as error:
            problem = error
        finally:
            if self._callback_error is not None:
                told, self._callback_error = self._callback_error, None
                raise told
        # The connection keeps its error, whose frames hold the connection. A defect of ours is told with them all the same.
        if isinstance(problem, InternalError):
            raise translated(problem) from problem
        problem.__traceback__ = None
        raise self._told(problem)

    def _told(self, error: PuretlsError) -> SSLError:
        if isinstance(error, VerificationError):
            return verification_failure(*self._context._parts.trust.code(error.report, self._server_hostname))
        return translated(error, self._engine.head if self._engine is not None else b"")

    # what was agreed on, and with whom

    @property
    def _negotiated(self) -> Negotiated | None:
        return self._engine.connection.negotiated if self._engine is not None else None

    def cipher(self) -> tuple[str, str, int] | None:
        return None if self._negotiated is None else _summary(self._negotiated.suite)

    def shared_ciphers(self) -> list[tuple[str, str, int]] | None:
        """The suites of a server that the client offered, too; None for a client."""
        if self._hello is None:
            return None
        offered = set(self._hello.cipher_suites)
        return [_summary(suite) for suite in self._context._parts.ciphers.usable() if suite.id in offered]

    def version(self) -> str | None:
        return "TLSv1.2" if self._engine is not None and self._engine.complete else None

    def compression(self) -> None:
        """Always None: puretls compresses nothing."""

    def selected_alpn_protocol(self) -> str | None:
        return None if self._negotiated is None else self._negotiated.alpn

    def get_channel_binding(self, cb_type: str = "tls-unique") -> bytes | None:
        """Get channel binding data for current connection: "tls-unique" (RFC 5929 3)."""
        if cb_type != "tls-unique":
            raise ValueError(f"'{cb_type}' channel binding type not implemented")
        if self._engine is None or not self._engine.complete:
            return None
        try:
            return self._engine.connection.channel_binding(cb_type)
        except UsageError:
            return None

    def getpeercert(self, binary_mode: bool = False, /) -> Any:
        """Returns the certificate for the peer: None where there is none, {} where it was not verified."""
        if self._engine is None or not self._engine.complete:
            raise ValueError("handshake not done yet")
        chain = self._engine.connection.peer_certificates
        if not chain:
            return None
        if binary_mode:
            return chain[0]
        return {} if self._context._verify_mode == CERT_NONE else as_dict(parse_remembered(chain[0]))

    def get_unverified_chain(self) -> list[Certificate] | None:
        chain = self._engine.connection.peer_certificates if self._engine is not None else ()
        return [Certificate(parse_remembered(der)) for der in chain] or None

    def get_verified_chain(self) -> list[Certificate] | None:
        report = self._engine.connection.peer_report if self._engine is not None else None
        path = getattr(report, "path", ())
        return [Certificate(each) for each in path] if path else self.get_unverified_chain()

    # the connection, and what it asks

    def _connect(self) -> Engine:
        hooks = _hooks(self)
        if self._server_side:
            connection = Connection.server(server_config(self._context, self._origin, hooks))
            self._origin._parts.sessions.count["accept"] += 1
        else:
            offered = None if self._offered is None else self._offered._session
            connection = Connection.client(
                client_config(self._context, self._place, hooks), _sent_name(self._server_hostname), session=offered
            )
            self._origin._parts.sessions.count["connect"] += 1
        ragged = bool(self._origin._versions.options & IGNORE_UNEXPECTED_EOF)
        return Engine(connection, self._wire, _weakly(self, _SSLSocket._on_event), ragged_is_clean=ragged)

    @property
    def _place(self) -> bytes:
        """What tells one server from another: its name, and its address where that can be known."""
        return f"{self._server_hostname} {self._wire.peer}".encode()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, HandshakeCompleted):
            count = self._origin._parts.sessions.count
            count["accept_good" if self._server_side else "connect_good"] += 1
            if event.negotiated.resumed:
                count["hits"] += 1
            elif self._hello is not None and self._hello.session_id:
                count["misses"] += 1

    def _tell_message(self, direction: str, version: int, content_type: int, kind: int, data: bytes) -> None:
        """An exception is kept, and raised when the operation is over."""
        callback = self._context._callbacks.message
        if callback is not None and self._callback_error is None:
            try:
                callback(self._named, direction, version, content_type, kind, data)
            except Exception as error:
                self._callback_error = error

    @property
    def _named(self) -> Any:
        """What call-backs are given as the connection."""
        owner = self.owner
        return self if owner is None else owner

    def _verify(self, request: ChainRequest) -> Any:
        name = self._server_hostname if self._checks_name else None
        context = self._context
        return context._parts.trust.verify(
            request, name, context._verify_flags, context._name_flags, context._parts.ciphers.level
        )

    def _config_for(self, hello: ClientHello) -> ServerConfig | None:
        """The call-back for server names, which may set another context, or refuse with an alert."""
        self._hello = hello
        callback = self._origin._callbacks.sni
        if callback is None:
            return None
        try:
            answer = callback(self._named, _asked_name(hello), self._context)
        except Exception as error:
            tell_unraisable(error)
            raise Aborted(AlertDescription.HANDSHAKE_FAILURE) from None
        if answer is not None:
            raise Aborted(_alert(answer))
        if self._context is self._origin:
            return None
        return server_config(self._context, self._origin, _hooks(self))

    def _ask_client_psk(self, hint: bytes | None) -> tuple[bytes, bytes] | None:
        callback = self._context._callbacks.client_psk
        assert callback is not None
        try:
            identity, key = callback(hint.decode() if hint else None)
            return (identity or "").encode(), bytes(key)
        except Exception as error:
            tell_unraisable(error)
            return None

    def _ask_server_psk(self, identity: bytes) -> bytes | None:
        callback = self._context._callbacks.server_psk
        assert callback is not None
        try:
            return bytes(callback(identity.decode() if identity else None)) or None
        except Exception as error:
            tell_unraisable(error)
            return None


def _weakly(owner: _SSLSocket, method: Any) -> Any:
    reference = weakref.ref(owner)

    def call(*arguments: Any) -> Any:
        found = reference()
        if found is not None:
            return method(found, *arguments)
        return None

    return call


def _hooks(sock: _SSLSocket) -> Hooks:
    return Hooks(
        verify=_weakly(sock, _SSLSocket._verify),
        client_psk=_weakly(sock, _SSLSocket._ask_client_psk),
        server_psk=_weakly(sock, _SSLSocket._ask_server_psk),
        config_for=_weakly(sock, _SSLSocket._config_for),
        interceptors=(MessageTap(_weakly(sock, _SSLSocket._tell_message)),) if sock._context._callbacks.message else (),
    )


def _checked_name(name: Any) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str):
        raise TypeError(f"argument must be str, not {type(name).__name__}")
    if "\0" in name:
        raise TypeError("embedded null character")
    if not name or name.startswith("."):
        raise ValueError("server_hostname cannot be an empty string or start with a leading dot.")
    if len(name.encode("ascii")) > 255:
        raise failure("SSL3_EXT_INVALID_SERVERNAME")
    return name


def _sent_name(name: str | None) -> str | None:
    """The name as a connection takes it: none where it is not a host name or an address (it is then not sent either)."""
    if name is None:
        return None
    try:
        parse_reference(name)
    except UsageError:
        return None
    return name


def _summary(suite: Suite) -> tuple[str, str, int]:
    told = cipher_list.describe(suite)
    return str(told["name"]), str(told["protocol"]), int(str(told["strength_bits"]))


def _asked_name(hello: ClientHello) -> str | None:
    from puretls.extensions.server_name import asked_name

    return asked_name(hello)


def _alert(answer: Any) -> AlertDescription:
    """What a call-back for server names returns besides None. OpenSSL sends any number; those of no alert are internal errors here."""
    try:
        return AlertDescription(answer.__index__())
    except (AttributeError, ValueError):
        error = TypeError(f"{type(answer).__name__!r} object cannot be interpreted as an integer")
        tell_unraisable(error)
        return AlertDescription.INTERNAL_ERROR
