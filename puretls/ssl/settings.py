"""What a context holds. `_SSLContext` adds the names by which programs change it; connections read it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from puretls.ssl.callbacks import Callbacks
from puretls.ssl.constants import CERT_NONE, CERT_REQUIRED, HOSTFLAG_NO_PARTIAL_WILDCARDS, VERIFY_X509_TRUSTED_FIRST
from puretls.ssl.conversions import uncopied
from puretls.ssl.versions import Versions

if TYPE_CHECKING:
    from puretls.ssl.parts import Parts


class Terms(NamedTuple):
    """What a connection is held to, as SSL_new copies it when the connection is made.

    A context that verifies less from then on, or another context in its place, frees no connection of it.
    """

    verify_mode: int
    check_hostname: bool
    verify_flags: int
    name_flags: int
    options: int
    allow_tls_1_2: bool
    num_tickets: int


class Settings:
    """Versions and options, call-backs, how peers are verified, and the parts that keep certificates, keys, suites and sessions."""

    _versions: Versions
    _callbacks: Callbacks
    _parts: Parts
    _verify_mode: int
    _check_hostname: bool
    _verify_flags: int
    _name_flags: int
    _num_tickets: int
    _post_handshake_auth: bool

    __reduce_ex__ = uncopied

    def __new__(cls, protocol: Any, /) -> Self:
        from puretls.ssl.parts import Parts

        self = object.__new__(cls)
        self._versions = Versions(protocol)
        self._callbacks = Callbacks()
        self._parts = Parts()
        self._check_hostname = self._versions.is_client_only
        self._verify_mode = CERT_REQUIRED if self._versions.is_client_only else CERT_NONE
        self._verify_flags, self._name_flags = VERIFY_X509_TRUSTED_FIRST, HOSTFLAG_NO_PARTIAL_WILDCARDS
        self._num_tickets, self._post_handshake_auth = 2, False
        return self

    def _terms(self) -> Terms:
        """What a connection that is made now is held to."""
        versions = self._versions
        return Terms(
            self._verify_mode,
            self._check_hostname,
            self._verify_flags,
            self._name_flags,
            versions.options,
            versions.allow_tls_1_2,
            self._num_tickets,
        )
