"""_SSLContext: what the connections of a program share. It is made of small parts, and translates CPython's names to them.

Only light modules are loaded with this one; the core comes with the first context.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from puretls.ssl.callbacks import callable_or_none, psk_hint
from puretls.ssl.constants import CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED
from puretls.ssl.conversions import c_int
from puretls.ssl.errors import SSLError
from puretls.ssl.settings import Settings

if TYPE_CHECKING:
    from puretls.ssl.socket import _SSLSocket


class _SSLContext(Settings):
    """What `ssl.SSLContext` stands on. Properties are descriptors of this class: `ssl.py` and others call them by `super()`."""

    __module__ = "_ssl"

    # connections

    def _wrap_socket(
        self, sock: Any, server_side: bool, server_hostname: Any = None, *, owner: Any = None, session: Any = None
    ) -> _SSLSocket:
        from puretls.ssl.socket import _SSLSocket
        from puretls.ssl.wire import SocketWire

        return _SSLSocket._of(self, SocketWire(sock), bool(server_side), server_hostname, owner, session)

    def _wrap_bio(
        self,
        incoming: Any,
        outgoing: Any,
        server_side: bool,
        server_hostname: Any = None,
        *,
        owner: Any = None,
        session: Any = None,
    ) -> _SSLSocket:
        from puretls.ssl.socket import _SSLSocket
        from puretls.ssl.wire import BioWire

        return _SSLSocket._of(self, BioWire(incoming, outgoing), bool(server_side), server_hostname, owner, session)

    # versions and options

    @property
    def protocol(self) -> int:
        return self._versions.protocol

    @property
    def options(self) -> int:
        return self._versions.options

    @options.setter
    def options(self, value: Any) -> None:
        self._versions.set_options(value)

    @property
    def minimum_version(self) -> int:
        return self._versions.minimum

    @minimum_version.setter
    def minimum_version(self, value: Any) -> None:
        self._versions.set_minimum(value)

    @property
    def maximum_version(self) -> int:
        return self._versions.maximum

    @maximum_version.setter
    def maximum_version(self, value: Any) -> None:
        self._versions.set_maximum(value)

    @property
    def security_level(self) -> int:
        """The current security level."""
        return self._parts.ciphers.level

    @property
    def num_tickets(self) -> int:
        """Control the number of TLSv1.3 session tickets. In TLS 1.2 there is one, or none where this is 0."""
        return self._num_tickets

    @num_tickets.setter
    def num_tickets(self, value: Any) -> None:
        number = operator.index(value)
        if number < 0:
            raise ValueError("value must be non-negative")
        if not self._versions.is_server_only:
            raise ValueError("SSLContext is not a server context.")
        self._num_tickets = number

    @property
    def post_handshake_auth(self) -> bool:
        """Kept, and without effect: TLS 1.2 has no authentication after the handshake."""
        return self._post_handshake_auth

    @post_handshake_auth.setter
    def post_handshake_auth(self, value: Any) -> None:
        self._post_handshake_auth = bool(value)

    # verification

    @property
    def verify_mode(self) -> int:
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, value: Any) -> None:
        mode = c_int(value)
        if mode not in {CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED}:
            raise ValueError("invalid value for verify_mode")
        if mode == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = mode

    @property
    def check_hostname(self) -> bool:
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, value: Any) -> None:
        self._check_hostname = bool(value)
        if self._check_hostname and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED

    @property
    def verify_flags(self) -> int:
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, value: Any) -> None:
        self._verify_flags = operator.index(value) & (1 << 64) - 1

    @property
    def _host_flags(self) -> int:
        return self._name_flags

    @_host_flags.setter
    def _host_flags(self, value: Any) -> None:
        self._name_flags = operator.index(value) & (1 << 32) - 1

    # certificates and keys

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        try:
            self._parts.load_cert_chain(certfile, keyfile, password)
        finally:
            del password  # what shows the frames of an error shows no secret

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        self._parts.trust.load(cafile, capath, cadata)

    def set_default_verify_paths(self) -> None:
        self._parts.trust.load_defaults()

    def cert_store_stats(self) -> dict[str, int]:
        """Returns quantities of loaded X.509 certificates: X.509 certificates with a CA extension, certificate revocation lists."""
        return self._parts.trust.stats()

    def get_ca_certs(self, binary_form: bool = False) -> list[Any]:
        """Returns a list of dicts with information of loaded CA certs, or of their DER."""
        return self._parts.trust.authorities(bool(binary_form))

    # suites, groups, protocols

    def set_ciphers(self, cipherlist: str, /) -> None:
        if not isinstance(cipherlist, str):
            raise TypeError(f"set_ciphers() argument must be str, not {type(cipherlist).__name__}")
        self._parts.ciphers.set(cipherlist)

    def get_ciphers(self) -> list[dict[str, object]]:
        return self._parts.ciphers.described()

    def _set_alpn_protocols(self, protos: Any, /) -> None:
        self._parts.set_alpn(bytes(protos))

    def set_ecdh_curve(self, name: Any, /) -> None:
        self._parts.set_curve(name)

    def load_dh_params(self, filepath: Any, /) -> None:
        self._parts.load_dh_params(filepath)

    # sessions, keys told, call-backs

    def session_stats(self) -> dict[str, int]:
        return self._parts.sessions.stats()

    @property
    def keylog_filename(self) -> Any:
        return self._parts.key_log.path

    @keylog_filename.setter
    def keylog_filename(self, value: Any) -> None:
        self._parts.key_log.open(value)

    @property
    def sni_callback(self) -> Any:
        """Set a callback that will be called when a server name is provided by the SSL/TLS client in the SNI extension."""
        return self._callbacks.sni

    @sni_callback.setter
    def sni_callback(self, value: Any) -> None:
        if self._versions.is_client_only:
            raise ValueError("sni_callback cannot be set on TLS_CLIENT context")
        self._callbacks.sni = callable_or_none(value, "not a callable object")

    @property
    def _msg_callback(self) -> Any:
        return self._callbacks.message

    @_msg_callback.setter
    def _msg_callback(self, value: Any) -> None:
        self._callbacks.message = callable_or_none(value, f"{value!r} is not callable.")

    def set_psk_client_callback(self, callback: Any) -> None:
        if self._versions.is_server_only:
            raise SSLError(0, "Cannot add PSK client callback to a PROTOCOL_TLS_SERVER context")
        self._callbacks.client_psk = callable_or_none(callback, "callback must be callable")

    def set_psk_server_callback(self, callback: Any, identity_hint: str | None = None) -> None:
        if self._versions.is_client_only:
            raise SSLError(0, "Cannot add PSK server callback to a PROTOCOL_TLS_CLIENT context")
        self._callbacks.server_psk = callable_or_none(callback, "callback must be callable")
        self._callbacks.psk_hint = psk_hint(identity_hint) if callback is not None else None
