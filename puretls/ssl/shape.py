"""The standard library's module `ssl` over `_ssl`, for Pythons whose own `ssl.py` is missing or a stub, such as Pyodide.

The names, arguments and errors are those of CPython's documentation. The file is executed as the module `ssl`
(`puretls.ssl.stdlib.load_shape`), for programs replace names in that module and expect its functions to see it.
Not here: what CPython removed by 3.12 (`match_hostname`, `wrap_socket`) and the certificate stores of Windows.
"""

from __future__ import annotations

import _ssl
import os
import sys
import warnings
from _ssl import (
    OPENSSL_VERSION,
    OPENSSL_VERSION_INFO,
    OPENSSL_VERSION_NUMBER,
    MemoryBIO,
    SSLCertVerificationError,
    SSLEOFError,
    SSLError,
    SSLSession,
    SSLSyscallError,
    SSLWantReadError,
    SSLWantWriteError,
    SSLZeroReturnError,
)
from collections import namedtuple
from collections.abc import Callable, Iterable
from enum import Enum, IntEnum, IntFlag
from functools import partial
from socket import (  # type: ignore[attr-defined]
    _GLOBAL_DEFAULT_TIMEOUT,
    SO_TYPE,
    SOCK_STREAM,
    SOL_SOCKET,
    create_connection,
    socket,
)
from typing import Any, Self

from puretls.ssl.shape_channels import CHANNEL_BINDING_TYPES, SSLObject
from puretls.ssl.shape_sockets import WrappedSocket
from puretls.ssl.shape_values import (
    PEM_FOOTER,
    PEM_HEADER,
    DER_cert_to_PEM_cert,
    PEM_cert_to_DER_cert,
    _TLSAlertType,
    _TLSContentType,
    _TLSMessageType,
    cert_time_to_seconds,
    int_enum,
)

native: Any = _ssl
_SSLContext = _ssl._SSLContext
_DEFAULT_CIPHERS: str = native._DEFAULT_CIPHERS
_RESTRICTED_SERVER_CIPHERS = _DEFAULT_CIPHERS
_OPENSSL_API_VERSION: tuple[int, ...] = native._OPENSSL_API_VERSION
CertificateError = SSLCertVerificationError
socket_error = OSError
HAS_NEVER_CHECK_COMMON_NAME = hasattr(native, "HOSTFLAG_NEVER_CHECK_SUBJECT")

# Enums of the integers that `_ssl` has; their members are names of this module, too.


def _chosen(prefix: str, name: str) -> bool:
    return name.startswith(prefix) and name != "PROTOCOL_SSLv23"


def _integers(kind: Any, name: str, prefix: str) -> Any:
    return kind._convert_(name, __name__, partial(_chosen, prefix), source=native)


_SSLMethod = _integers(IntEnum, "_SSLMethod", "PROTOCOL_")
Options = _integers(IntFlag, "Options", "OP_")
AlertDescription = _integers(IntEnum, "AlertDescription", "ALERT_DESCRIPTION_")
SSLErrorNumber = _integers(IntEnum, "SSLErrorNumber", "SSL_ERROR_")
VerifyFlags = _integers(IntFlag, "VerifyFlags", "VERIFY_")
VerifyMode = _integers(IntEnum, "VerifyMode", "CERT_")
PROTOCOL_TLS, PROTOCOL_TLS_CLIENT = _SSLMethod.PROTOCOL_TLS, _SSLMethod.PROTOCOL_TLS_CLIENT
PROTOCOL_TLS_SERVER = _SSLMethod.PROTOCOL_TLS_SERVER
CERT_NONE, CERT_REQUIRED = VerifyMode.CERT_NONE, VerifyMode.CERT_REQUIRED
SSL_ERROR_EOF = SSLErrorNumber.SSL_ERROR_EOF
PROTOCOL_SSLv23 = _SSLMethod.PROTOCOL_SSLv23 = _SSLMethod.PROTOCOL_TLS
_PROTOCOL_NAMES = {value: name for name, value in _SSLMethod.__members__.items()}
globals().update({name: getattr(native, name) for name in dir(native) if name.startswith(("HAS_", "RAND_"))})


_VERSIONS = ("MINIMUM_SUPPORTED", "SSLv3", "TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3", "MAXIMUM_SUPPORTED")
TLSVersion = int_enum("TLSVersion", {name: getattr(native, f"PROTO_{name}") for name in _VERSIONS})


class _ASN1Object(namedtuple("_ASN1Object", "nid shortname longname oid")):
    """An object identifier with its number and names in OpenSSL."""

    __slots__ = ()

    def __new__(cls, oid: str) -> Self:
        return super().__new__(cls, *native.txt2obj(oid, name=False))

    @classmethod
    def fromnid(cls, nid: int) -> Self:
        """The object of OpenSSL's number. Raises `ValueError`."""
        return super().__new__(cls, *native.nid2obj(nid))

    @classmethod
    def fromname(cls, name: str) -> Self:
        """The object of a short name, a long name or dotted numbers. Raises `ValueError`."""
        return super().__new__(cls, *native.txt2obj(name, name=True))


class Purpose(_ASN1Object, Enum):
    """What the peer's certificate must be good for."""

    SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


DefaultVerifyPaths = namedtuple(
    "DefaultVerifyPaths", "cafile capath openssl_cafile_env openssl_cafile openssl_capath_env openssl_capath"
)


def get_default_verify_paths() -> DefaultVerifyPaths:
    """Where trusted certificates are looked for; `cafile` and `capath` are None where nothing is there."""
    parts = native.get_default_verify_paths()
    file, directory = os.environ.get(parts[0], parts[1]), os.environ.get(parts[2], parts[3])
    return DefaultVerifyPaths(file if os.path.isfile(file) else None, directory if os.path.isdir(directory) else None, *parts)


class SSLContext(_ssl._SSLContext):
    """Configuration of connections: versions, ciphers, credentials, trust.

    Properties stand in front of those of `_ssl` and give enums; `super(SSLContext, SSLContext).options` is what lies below.
    """

    sslsocket_class: type[SSLSocket]
    sslobject_class: type[SSLObject]
    _host_flags: int
    _set_alpn_protocols: Callable[[bytearray], None]

    def __new__(cls, protocol: int | None = None, *args: Any, **kwargs: Any) -> Self:
        if protocol is None:
            warnings.warn("ssl.SSLContext() without protocol argument is deprecated.", DeprecationWarning, stacklevel=2)
            protocol = PROTOCOL_TLS
        return super().__new__(cls, protocol)

    def wrap_socket(
        self,
        sock: socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: SSLSession | None = None,
    ) -> SSLSocket:
        """TLS on a socket, which is detached; the handshake is done at once if the socket is connected."""
        return self.sslsocket_class._create(
            sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, server_hostname, self, session
        )

    def wrap_bio(
        self,
        incoming: MemoryBIO,
        outgoing: MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: SSLSession | None = None,
    ) -> SSLObject:
        """TLS between two buffers, whose bytes the caller moves."""
        name = self._encode_hostname(server_hostname)
        return self.sslobject_class._create(incoming, outgoing, server_side, name, session, self)

    def _encode_hostname(self, hostname: str | bytes | None) -> str | None:
        if hostname is None:
            return None
        return hostname.encode("idna").decode("ascii") if isinstance(hostname, str) else hostname.decode("ascii")

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """The application protocols to offer or to accept, best first (RFC 7301)."""
        encoded = bytearray()
        for name in (bytes(protocol, "ascii") for protocol in alpn_protocols):
            if not 0 < len(name) < 256:
                raise SSLError("ALPN protocols must be 1 to 255 in length")
            encoded += bytes([len(name)]) + name
        self._set_alpn_protocols(encoded)

    def set_npn_protocols(self, npn_protocols: Iterable[str]) -> None:
        """NPN is not there; ALPN took its place."""
        warnings.warn("ssl NPN is deprecated, use ALPN instead", DeprecationWarning, stacklevel=2)

    def set_servername_callback(self, server_name_callback: Callable[..., int | None] | None) -> None:
        """As setting `sni_callback`, with the name as a text even where it is internationalised."""
        if server_name_callback is None:
            self.sni_callback = None
            return
        if not callable(server_name_callback):
            raise TypeError("not a callable object")

        def encoded(sslobj: Any, servername: str | None, context: SSLContext) -> int | None:
            return server_name_callback(sslobj, self._encode_hostname(servername), context)

        self.sni_callback = encoded  # type: ignore[assignment]

    def load_default_certs(self, purpose: Purpose = Purpose.SERVER_AUTH) -> None:
        """Trust what the system trusts."""
        if not isinstance(purpose, _ASN1Object):
            raise TypeError(purpose)
        self.set_default_verify_paths()

    @property
    def minimum_version(self) -> Any:
        return TLSVersion(super().minimum_version)

    @minimum_version.setter
    def minimum_version(self, value: int) -> None:
        if value == TLSVersion.SSLv3:
            self.options &= ~Options.OP_NO_SSLv3
        _below("minimum_version").__set__(self, value)

    @property
    def maximum_version(self) -> Any:
        return TLSVersion(super().maximum_version)

    @maximum_version.setter
    def maximum_version(self, value: int) -> None:
        _below("maximum_version").__set__(self, value)

    @property
    def options(self) -> Any:
        return Options(super().options)

    @options.setter
    def options(self, value: int) -> None:
        _below("options").__set__(self, value)

    @property
    def hostname_checks_common_name(self) -> bool:
        """Whether the subject's common name counts where a certificate has no name of the subject as an extension."""
        return not self._host_flags & native.HOSTFLAG_NEVER_CHECK_SUBJECT

    @hostname_checks_common_name.setter
    def hostname_checks_common_name(self, value: bool) -> None:
        without = self._host_flags & ~native.HOSTFLAG_NEVER_CHECK_SUBJECT
        self._host_flags = without if value else without | native.HOSTFLAG_NEVER_CHECK_SUBJECT

    @property
    def protocol(self) -> Any:  # type: ignore[override]
        return _SSLMethod(super().protocol)

    @property
    def verify_flags(self) -> Any:
        return VerifyFlags(super().verify_flags)

    @verify_flags.setter
    def verify_flags(self, value: int) -> None:
        _below("verify_flags").__set__(self, value)

    @property
    def verify_mode(self) -> Any:
        return _member(VerifyMode, super().verify_mode)

    @verify_mode.setter
    def verify_mode(self, value: int) -> None:
        _below("verify_mode").__set__(self, value)

    @property
    def _msg_callback(self) -> Callable[..., None] | None:
        """Called as f(connection, "read" or "write", version, content type, message type, bytes) for headers and messages."""
        inner = _below("_msg_callback").__get__(self)
        return None if inner is None else inner.user_function

    @_msg_callback.setter
    def _msg_callback(self, callback: Callable[..., None] | None) -> None:
        if callback is None:
            _below("_msg_callback").__set__(self, None)
            return
        if not callable(callback):
            raise TypeError(f"{callback} is not callable.")

        def inner(conn: Any, direction: str, version: int, content_type: int, msg_type: int, data: bytes) -> None:
            kinds = {_TLSContentType.HEADER: _TLSContentType, _TLSContentType.ALERT: _TLSAlertType}
            kind = _member(kinds.get(content_type, _TLSMessageType), msg_type)
            callback(conn, direction, _member(TLSVersion, version), _member(_TLSContentType, content_type), kind, data)

        named: Any = inner
        named.user_function = callback
        _below("_msg_callback").__set__(self, inner)


def _below(name: str) -> Any:
    """The property of `_ssl` that one of `SSLContext` stands in front of."""
    return getattr(super(SSLContext, SSLContext), name)


def _member(kind: Any, value: int) -> Any:
    """The member with this value, or the value itself where there is none."""
    try:
        return kind(value)
    except ValueError:
        return value


def create_default_context(
    purpose: Purpose = Purpose.SERVER_AUTH,
    *,
    cafile: str | os.PathLike[str] | None = None,
    capath: str | os.PathLike[str] | None = None,
    cadata: str | bytes | None = None,
) -> SSLContext:
    """A context with the settings that are right for most: as a client, chain and name are verified."""
    if not isinstance(purpose, _ASN1Object):
        raise TypeError(purpose)
    context = SSLContext(_protocol_for(purpose))
    if sys.version_info >= (3, 13):
        context.verify_flags |= native.VERIFY_X509_PARTIAL_CHAIN | native.VERIFY_X509_STRICT
    return _with_trust(context, purpose, cafile, capath, cadata)


def _create_unverified_context(
    protocol: int | None = None,
    *,
    cert_reqs: int | None = CERT_NONE,
    check_hostname: bool = False,
    purpose: Purpose = Purpose.SERVER_AUTH,
    certfile: str | None = None,
    keyfile: str | None = None,
    cafile: str | None = None,
    capath: str | None = None,
    cadata: str | bytes | None = None,
) -> SSLContext:
    """The context that modules of the standard library take without one of the caller's: nothing is verified unless asked for."""
    if not isinstance(purpose, _ASN1Object):
        raise TypeError(purpose)
    default = _protocol_for(purpose)
    context = SSLContext(default if protocol is None else protocol)
    context.check_hostname = check_hostname  # first, for without it verify_mode can be lowered
    if cert_reqs is not None:
        context.verify_mode = cert_reqs
    if keyfile and not certfile:
        raise ValueError("certfile must be specified")
    if certfile:
        context.load_cert_chain(certfile, keyfile)
    return _with_trust(context, purpose, cafile, capath, cadata)


def _protocol_for(purpose: Purpose) -> Any:
    try:
        return {Purpose.SERVER_AUTH: PROTOCOL_TLS_CLIENT, Purpose.CLIENT_AUTH: PROTOCOL_TLS_SERVER}[purpose]
    except KeyError:
        raise ValueError(purpose) from None


def _with_trust(context: SSLContext, purpose: Purpose, cafile: Any, capath: Any, cadata: Any) -> SSLContext:
    if cafile or capath or cadata:
        context.load_verify_locations(cafile, capath, cadata)
    elif context.verify_mode != CERT_NONE:
        context.load_default_certs(purpose)
    file = os.environ.get("SSLKEYLOGFILE")
    if file and not sys.flags.ignore_environment:
        context.keylog_filename = file
    return context


_create_default_https_context = create_default_context
_create_stdlib_context = _create_unverified_context


class SSLSocket(WrappedSocket):
    """A socket with TLS on it, made by `SSLContext.wrap_socket`. After `unwrap` it is a plain socket."""

    _failure = SSLError


SSLContext.sslsocket_class = SSLSocket
SSLContext.sslobject_class = SSLObject


def get_server_certificate(
    addr: tuple[str, int],
    ssl_version: int = PROTOCOL_TLS_CLIENT,
    ca_certs: str | None = None,
    timeout: Any = _GLOBAL_DEFAULT_TIMEOUT,
) -> str:
    """The certificate of a server as PEM; verified if `ca_certs` names a file of trusted ones."""
    requirement = CERT_NONE if ca_certs is None else CERT_REQUIRED
    context = _create_stdlib_context(ssl_version, cert_reqs=requirement, cafile=ca_certs)
    with create_connection(addr, timeout=timeout) as sock, context.wrap_socket(sock, server_hostname=addr[0]) as wrapped:
        certificate = wrapped.getpeercert(True)
    assert isinstance(certificate, bytes)
    return DER_cert_to_PEM_cert(certificate)


def get_protocol_name(protocol_code: int) -> str:
    """The name of a PROTOCOL_ constant."""
    return _PROTOCOL_NAMES.get(protocol_code, "<unknown>")
