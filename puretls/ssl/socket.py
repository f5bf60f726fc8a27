"""_SSLSocket: one connection as CPython's `ssl.py` uses it. It translates; the engine drives.

The owner (an SSLSocket or SSLObject) and the socket are held weakly, and what the connection asks is a party that does not know this
object: nothing here keeps itself alive.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from io import BytesIO
from time import sleep
from typing import TYPE_CHECKING, Any

from puretls.errors import InternalError, PuretlsError, UsageError, VerificationError
from puretls.ssl import cipher_list
from puretls.ssl.certificates import Certificate, as_dict
from puretls.ssl.constants import CERT_NONE
from puretls.ssl.conversions import octets, uncopied
from puretls.ssl.engine import Engine
from puretls.ssl.errors import SSLError, failure, verification_failure
from puretls.ssl.party import Party
from puretls.ssl.problems import translated
from puretls.ssl.session import SSLSession
from puretls.ssl.settings import Settings
from puretls.ssl.versions import IGNORE_UNEXPECTED_EOF
from puretls.ssl.wire import BioWire, SocketWire
from puretls.x509.certificates.certificate import parse_remembered

if TYPE_CHECKING:
    from puretls.handshake.context import Negotiated
    from puretls.session import Session
    from puretls.suites import Suite

UNSPECIFIED = 1
"""X509_V_ERR_UNSPECIFIED: what OpenSSL has no number for is told in our words."""


class _SSLSocket:
    """One end of a connection, over a socket or a pair of memory BIOs. `_SSLContext` makes it."""

    __module__ = "_ssl"
    __reduce_ex__ = uncopied

    _party: Party
    _wire: BioWire | SocketWire
    _owner: weakref.ref[Any] | None
    _offered: Session | None
    _engine: Engine | None
    _beginning: threading.Lock

    def __new__(cls, *arguments: object) -> _SSLSocket:
        raise TypeError("cannot create '_ssl._SSLSocket' instances")

    @classmethod
    def _of(
        cls, context: Settings, wire: BioWire | SocketWire, server_side: bool, name: Any, owner: Any, session: Any
    ) -> _SSLSocket:
        self = object.__new__(cls)
        self._party = Party(context, server_side, name)
        self._wire = wire
        self._offered = self._engine = None
        self._beginning = threading.Lock()
        self.owner = owner
        if session is not None:
            self.session = session
        return self

    # what it belongs to

    @property
    def context(self) -> Settings:
        """The context; a call-back for server names may set another."""
        return self._party.context

    @context.setter
    def context(self, value: Any) -> None:
        if not isinstance(value, Settings):
            raise TypeError("The value must be a SSLContext")
        self._party.context = value

    @property
    def owner(self) -> Any:
        """The Python-level owner of this object, passed as "self" in the call-back for server names."""
        return None if self._owner is None else self._owner()

    @owner.setter
    def owner(self, value: Any) -> None:
        self._owner = None if value is None else weakref.ref(value)
        self._party.stands_for = self if value is None else value

    @property
    def server_side(self) -> bool:
        return self._party.server_side

    @property
    def server_hostname(self) -> str | None:
        return self._party.name

    # the session

    @property
    def session(self) -> SSLSession | None:
        session = self._engine.connection.session if self._engine is not None else None
        return None if session is None else SSLSession._of(session, self.context)

    @session.setter
    def session(self, value: Any) -> None:
        if not isinstance(value, SSLSession):
            raise TypeError("Value is not a SSLSession.")
        if value._context is not self.context:
            raise ValueError("Session refers to a different SSLContext.")
        if self.server_side:
            raise ValueError("Cannot set session for server-side SSLSocket.")
        if self._engine is not None:
            raise ValueError("Cannot set session after handshake.")
        self._offered = value._session

    @property
    def session_reused(self) -> bool:
        return self._negotiated is not None and self._negotiated.resumed

    # operations

    def do_handshake(self) -> None:
        # The C module computes without the interpreter's lock. Here another thread that was woken by our bytes would wait 5 ms for each
        # turn, and find its peer gone on. This takes a tenth of a millisecond.
        if threading.active_count() > 1:
            sleep(0)
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
            return operation(self._engine or self._begun())
        except PuretlsError as error:
            problem = error
        finally:
            if self._party.callback_error is not None:
                told, self._party.callback_error = self._party.callback_error, None
                raise told
        # The connection keeps its error, whose frames hold the connection. A defect of ours is told with them all the same.
        if isinstance(problem, InternalError):
            raise translated(problem) from problem
        problem.__traceback__ = None
        raise self._told(problem)

    def _told(self, error: PuretlsError) -> SSLError:
        if isinstance(error, VerificationError):
            code, words = self.context._parts.trust.code(error.report, self.server_hostname)
            return verification_failure(code, words, str(error.report) if code == UNSPECIFIED else "")
        return translated(error, self._engine.head if self._engine is not None else b"")

    # what was agreed on, and with whom

    @property
    def _negotiated(self) -> Negotiated | None:
        return self._engine.connection.negotiated if self._engine is not None else None

    def cipher(self) -> tuple[str, str, int] | None:
        return None if self._negotiated is None else _summary(self._negotiated.suite)

    def shared_ciphers(self) -> list[tuple[str, str, int]] | None:
        """The suites of a server that the client offered, too; None for a client."""
        if self._party.hello is None:
            return None
        offered = set(self._party.hello.cipher_suites)
        return [_summary(suite) for suite in self.context._parts.ciphers.usable() if suite.id in offered]

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
        return {} if self._party.terms.verify_mode == CERT_NONE else as_dict(parse_remembered(chain[0]))

    def get_unverified_chain(self) -> list[Certificate] | None:
        chain = self._engine.connection.peer_certificates if self._engine is not None else ()
        return [Certificate(parse_remembered(der)) for der in chain] or None

    def get_verified_chain(self) -> list[Certificate] | None:
        report = self._engine.connection.peer_report if self._engine is not None else None
        path = getattr(report, "path", ())
        return [Certificate(each) for each in path] if path else self.get_unverified_chain()

    # the connection, and what it asks

    def _begun(self) -> Engine:
        """The engine, made with the first operation: until then a program may set another context, or a session."""
        with self._beginning:
            if self._engine is None:
                connection = self._party.connect(self._wire.peer, self._offered)
                ragged = bool(self._party.terms.options & IGNORE_UNEXPECTED_EOF)
                self._engine = Engine(connection, self._wire, self._party.on_event, ragged_is_clean=ragged)
            return self._engine


def _summary(suite: Suite) -> tuple[str, str, int]:
    told = cipher_list.describe(suite)
    return str(told["name"]), str(told["protocol"]), int(str(told["strength_bits"]))
