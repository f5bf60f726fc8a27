"""Party: what one end of a connection is, and what it answers when the connection asks: for a verdict, a key, another context.

It holds contexts, and the program's objects weakly: the connection holds it, and it does not hold the connection.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from puretls.connection import Connection
from puretls.errors import Aborted, UsageError
from puretls.events import Event, HandshakeCompleted
from puretls.extensions.server_name import asked_name
from puretls.iana import AlertDescription
from puretls.ssl.callbacks import tell_unraisable
from puretls.ssl.configs import Hooks, client_config, server_config
from puretls.ssl.errors import SSLError, failure
from puretls.ssl.settings import Settings, Terms
from puretls.ssl.tap import MessageTap
from puretls.x509.hostname import parse_reference
from puretls.x509.verifier import ChainRequest

if TYPE_CHECKING:
    from puretls.config import ServerConfig
    from puretls.crypto.provider import Provider, Signed
    from puretls.messages.handshake import ClientHello
    from puretls.session import Session
    from puretls.x509.reports.report import Report

MAX_IDENTITY, MAX_KEY = 256, 512
"""Bytes that OpenSSL has room for (PSK_MAX_IDENTITY_LEN, PSK_MAX_PSK_LEN)."""


class Party:
    """One end. `context` may become another one; `origin` is that in which the connection began, `terms` what it held it to then."""

    def __init__(self, context: Settings, server_side: bool, name: Any) -> None:
        """Raises `SSLError` where the context is for the other role, and what CPython raises for a name that is none."""
        if server_side and context._versions.is_client_only:
            raise SSLError(0, "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context")
        if not server_side and context._versions.is_server_only:
            raise SSLError(0, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context")
        self.context: Settings = context
        self.origin: Settings = context
        self.terms: Terms = context._terms()
        self.server_side = server_side
        self.name: str | None = _checked_name(name)
        """The host name or address of the server, for a client."""
        self.hello: ClientHello | None = None
        """What the client said, for a server."""
        self.callback_error: Exception | None = None
        """What a message call-back raised: the operation raises it when it is over."""
        self._stands_for: weakref.ref[Any] | None = None

    @property
    def stands_for(self) -> Any:
        """What call-backs are given as the connection."""
        return None if self._stands_for is None else self._stands_for()

    @stands_for.setter
    def stands_for(self, value: Any) -> None:
        self._stands_for = weakref.ref(value)

    def connect(self, peer: str, session: Session | None) -> Connection:
        """A connection that asks this party. `peer`: the address of the other end as text, where it is known."""
        count, hooks = self.origin._parts.sessions.count, self._hooks()
        if self.server_side:
            connection = Connection.server(server_config(self.context, self.terms, self.origin._parts.sessions, hooks))
            count["accept"] += 1
        else:
            place = f"{self.name} {peer}".encode()  # tells one server from another
            connection = Connection.client(
                client_config(self.context, self.terms, place, hooks), _sent_name(self.name), session=session
            )
            count["connect"] += 1
        return connection

    def _hooks(self) -> Hooks:
        taps = (MessageTap(self._tell_message),) if self.context._callbacks.message else ()
        return Hooks(_Judge(self), self._ask_client_psk, self._ask_server_psk, self._config_for, taps)

    def on_event(self, event: Event) -> None:
        """Counts handshakes."""
        if isinstance(event, HandshakeCompleted):
            count = self.origin._parts.sessions.count
            count["accept_good" if self.server_side else "connect_good"] += 1
            if event.negotiated.resumed:
                count["hits"] += 1
            elif self.hello is not None and self.hello.session_id:
                count["misses"] += 1

    # what the connection asks

    def _config_for(self, hello: ClientHello) -> ServerConfig | None:
        """The call-back for server names, which may set another context, or refuse with an alert."""
        self.hello = hello
        callback = self.origin._callbacks.sni
        if callback is None:
            return None
        try:
            answer = callback(self.stands_for, asked_name(hello), self.context)
        except Exception as error:
            tell_unraisable(error)
            raise Aborted(AlertDescription.HANDSHAKE_FAILURE) from None
        if answer is not None:
            raise Aborted(_alert(answer))
        if self.context is self.origin:
            return None
        return server_config(self.context, self.terms, self.origin._parts.sessions, self._hooks())

    def _ask_client_psk(self, hint: bytes | None) -> tuple[bytes, bytes] | None:
        callback = self.context._callbacks.client_psk
        assert callback is not None
        try:
            identity, key = callback(hint.decode() if hint else None)
            found = (identity or "").encode(), bytes(key)
        except Exception as error:
            tell_unraisable(error)
            return None
        return found if len(found[0]) <= MAX_IDENTITY and 0 < len(found[1]) <= MAX_KEY else None

    def _ask_server_psk(self, identity: bytes) -> bytes | None:
        callback = self.context._callbacks.server_psk
        assert callback is not None
        try:
            key = bytes(callback(identity.decode() if identity else None))
        except Exception as error:
            tell_unraisable(error)
            return None
        return key if 0 < len(key) <= MAX_KEY else None

    def _tell_message(self, direction: str, version: int, content_type: int, kind: int, data: bytes) -> None:
        callback = self.context._callbacks.message
        if callback is not None and self.callback_error is None:
            try:
                callback(self.stands_for, direction, version, content_type, kind, data)
            except Exception as error:
                self.callback_error = error


class _Judge:
    """The verifier of a party's connection, by what its context trusts now."""

    def __init__(self, party: Party) -> None:
        self._party = party

    def __call__(self, request: ChainRequest) -> Report:
        party = self._party
        name = party.name if party.terms.check_hostname and not party.server_side else None
        return party.context._parts.trust.verify(request, name, *self._manner())

    def verify_ahead(self, chain: Sequence[bytes], signed: Signed, provider: Provider) -> bool:
        """As `Verifier.verify_ahead`."""
        return self._party.context._parts.trust.policy(*self._manner()).verify_ahead(chain, signed, provider)

    def _manner(self) -> tuple[int, int, int]:
        """Flags of verification and of names, security level."""
        terms = self._party.terms
        return terms.verify_flags, terms.name_flags, self._party.context._parts.ciphers.level


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


def _alert(answer: Any) -> AlertDescription:
    """What a call-back for server names returns besides None. OpenSSL sends any number; those of no alert are internal errors here."""
    try:
        return AlertDescription(answer.__index__())
    except (AttributeError, ValueError):
        error = TypeError(f"{type(answer).__name__!r} object cannot be interpreted as an integer")
        tell_unraisable(error)
        return AlertDescription.INTERNAL_ERROR
