"""`SSLObject`, and what it and `SSLSocket` tell of a connection. Nothing here needs to know which `_ssl` is in place."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, Self

CHANNEL_BINDING_TYPES = ["tls-unique"]
_ENCODING_DER = 2


class Channel:
    """What an `SSLObject` and an `SSLSocket` tell of their connection; None where there is none."""

    _sslobj: Any = None

    def _told(self, method: str, *arguments: Any) -> Any:
        return None if self._sslobj is None else getattr(self._sslobj, method)(*arguments)

    @property
    def session_reused(self) -> bool | None:
        """Whether the handshake was abbreviated."""
        return None if self._sslobj is None else self._sslobj.session_reused

    def selected_alpn_protocol(self) -> str | None:
        """The application protocol that was agreed on."""
        return self._told("selected_alpn_protocol")

    def selected_npn_protocol(self) -> None:
        """None: NPN is not there."""
        warnings.warn("ssl NPN is deprecated, use ALPN instead", DeprecationWarning, stacklevel=2)

    def cipher(self) -> tuple[str, str, int] | None:
        """The cipher suite: name, version of the protocol, bits of the key."""
        return self._told("cipher")

    def shared_ciphers(self) -> list[tuple[str, str, int]] | None:
        """The suites that a server shares with its client."""
        return self._told("shared_ciphers")

    def compression(self) -> str | None:
        """The compression in force."""
        return self._told("compression")

    def version(self) -> str | None:
        """The version of the protocol, such as "TLSv1.2"."""
        return self._told("version")

    def pending(self) -> int:
        """Bytes that can be read without waiting."""
        return self._told("pending") or 0

    def get_verified_chain(self) -> list[bytes]:
        """The chain from the peer's certificate to the trusted one, DER."""
        return _encoded(self._sslobj.get_verified_chain())

    def get_unverified_chain(self) -> list[bytes]:
        """The certificates that the peer sent, DER."""
        return _encoded(self._sslobj.get_unverified_chain())

    def getpeercert(self, binary_form: bool = False) -> dict[str, Any] | bytes | None:
        """The peer's certificate: a dict ({} if it was not verified), or DER; None if there was none."""
        return self._sslobj.getpeercert(binary_form)


def _encoded(chain: Iterable[Any] | None) -> list[bytes]:
    return [certificate.public_bytes(_ENCODING_DER) for certificate in chain or ()]


class SSLObject(Channel):
    """A connection between two `MemoryBIO`s, made by `SSLContext.wrap_bio`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError(
            f"{type(self).__name__} does not have a public constructor. Instances are returned by SSLContext.wrap_bio()."
        )

    @classmethod
    def _create(
        cls,
        incoming: Any,
        outgoing: Any,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: Any = None,
        context: Any = None,
    ) -> Self:
        made = cls.__new__(cls)
        made._sslobj = context._wrap_bio(
            incoming, outgoing, server_side=server_side, server_hostname=server_hostname, owner=made, session=session
        )
        return made

    @property
    def context(self) -> Any:
        """The context in force; a server may change it while it handles the client's server name."""
        return self._sslobj.context

    @context.setter
    def context(self, context: Any) -> None:
        self._sslobj.context = context

    @property
    def session(self) -> Any:
        """The session, which a client may set before the handshake."""
        return self._sslobj.session

    @session.setter
    def session(self, session: Any) -> None:
        self._sslobj.session = session

    @property
    def server_side(self) -> bool:
        return self._sslobj.server_side

    @property
    def server_hostname(self) -> str | None:
        """The name that a client asks for."""
        return self._sslobj.server_hostname

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """Up to `len` bytes; or their number, if they go into `buffer`."""
        return self._sslobj.read(len) if buffer is None else self._sslobj.read(len, buffer)

    def write(self, data: Any) -> int:
        """Encrypt `data`; returns how many bytes were taken."""
        return self._sslobj.write(data)

    def do_handshake(self) -> None:
        """Shake hands, or go on with it; `SSLWantReadError` where bytes of the peer are needed."""
        self._sslobj.do_handshake()

    def unwrap(self) -> None:
        """Send close_notify and wait for the peer's."""
        self._sslobj.shutdown()

    def get_channel_binding(self, cb_type: str = "tls-unique") -> bytes | None:
        """What binds a protocol above to this connection (RFC 5929); None before the handshake."""
        return self._sslobj.get_channel_binding(cb_type)

    def verify_client_post_handshake(self) -> None:
        """TLS 1.3 only."""
        self._sslobj.verify_client_post_handshake()


SSLObject.__module__ = "ssl"
