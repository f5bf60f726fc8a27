"""Configurations as the flags ask for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bogo.flags import Unimplemented, Unmet, expect, expect_listed
from puretls import (
    Alpn,
    ClientConfig,
    Credential,
    Limits,
    MemorySessionStore,
    PeerError,
    PuretlsError,
    Reason,
    ServerConfig,
    TicketKeys,
    UsageError,
)
from puretls.algorithm_names import equal_suites, suites
from puretls.crypto.keys import RsaPublicKey
from puretls.crypto.signatures import SIGNATURE_SCHEMES, fits
from puretls.danger import AcceptedUnverified
from puretls.extensions import Padding, ServerName, SignedCertificateTimestamp, StatusRequest
from puretls.iana import AlertDescription, ClientCertificateType, NamedGroup, SignatureScheme
from puretls.values import frozen
from puretls.x509.keys import parse_private_key
from puretls.x509.pem import load_certificates

# What the runner takes for granted of a peer that is told nothing else.
DEFAULT_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-PSK-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:"
    "ECDHE-RSA-AES128-SHA:ECDHE-PSK-AES128-CBC-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:ECDHE-PSK-AES256-CBC-SHA:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:PSK-AES128-CBC-SHA:AES256-SHA:PSK-AES256-CBC-SHA:DES-CBC3-SHA:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256"
)
DEFAULT_GROUPS = (NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1)
_S = SignatureScheme
VERIFY_SCHEMES = (
    _S.ECDSA_SECP256R1_SHA256,
    _S.RSA_PSS_RSAE_SHA256,
    _S.RSA_PKCS1_SHA256,
    _S.ECDSA_SECP384R1_SHA384,
    _S.RSA_PSS_RSAE_SHA384,
    _S.RSA_PKCS1_SHA384,
    _S.RSA_PSS_RSAE_SHA512,
    _S.RSA_PKCS1_SHA512,
    _S.RSA_PKCS1_SHA1,
)
SIGNING_SCHEMES = (
    _S.ED25519,
    _S.ECDSA_SECP256R1_SHA256,
    _S.RSA_PSS_RSAE_SHA256,
    _S.RSA_PKCS1_SHA256,
    _S.ECDSA_SECP384R1_SHA384,
    _S.RSA_PSS_RSAE_SHA384,
    _S.RSA_PKCS1_SHA384,
    _S.ECDSA_SECP521R1_SHA512,
    _S.RSA_PSS_RSAE_SHA512,
    _S.RSA_PKCS1_SHA512,
    _S.ECDSA_SHA1,
    _S.RSA_PKCS1_SHA1,
)
LARGEST_MESSAGE = 16384
SESSION_LIFETIME = 7200


@dataclass
class Shared:
    """What lives as long as the process: sessions, ticket keys, the clock."""

    tickets: TicketKeys
    delay: int = 0
    cache: MemorySessionStore = field(init=False)

    def __post_init__(self) -> None:
        self.cache = MemorySessionStore(clock=self.clock)

    def clock(self) -> float:
        return time.time() + self.delay


@frozen
class Refused(AcceptedUnverified):
    """The verdict of -verify-fail."""

    accepted: bool = False


def _credentials(flags: SimpleNamespace) -> tuple[Credential, ...]:
    if not flags.cert_file:
        return ()
    chain = load_certificates(Path(flags.cert_file).read_bytes())
    try:
        key = parse_private_key(Path(flags.key_file or flags.cert_file).read_bytes())
    except PuretlsError as error:
        raise Unimplemented(f"this key: {error}") from error
    ocsp = None if flags.decline_ocsp_callback else flags.ocsp_response
    credential = Credential(chain, key, ocsp_response=ocsp)
    try:
        return (replace(credential, sct_list=flags.signed_cert_timestamps),)
    except UsageError as error:
        raise Unmet(f":INVALID_SCT_LIST: {error}") from error


def _suites(flags: SimpleNamespace) -> tuple[Any, ...]:
    chosen = suites(flags.cipher or DEFAULT_CIPHERS, default=suites(DEFAULT_CIPHERS, danger=True), danger=True)
    return chosen if flags.psk else tuple(suite for suite in chosen if not suite.is_psk)


def _equal_suites(flags: SimpleNamespace, chosen: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
    """The groups in brackets, as far as there are suites of them."""
    groups = equal_suites(flags.cipher, danger=True) if "[" in (flags.cipher or "") else ()
    return tuple(left for group in groups if (left := tuple(suite for suite in group if suite in chosen)))


def _schemes(numbers: list[int], default: tuple[SignatureScheme, ...]) -> tuple[int, ...]:
    """Those that puretls has; where it has none, one that no test uses, since a list must not be empty."""
    chosen = tuple(number for number in numbers if number in SIGNATURE_SCHEMES) if numbers else default
    return chosen or (_S.ED448,)


def _groups(flags: SimpleNamespace) -> tuple[NamedGroup, ...]:
    known = {int(group): group for group in ClientConfig().groups}
    if NamedGroup.SECP224R1 in flags.curves:
        raise Unimplemented("P-224")
    chosen = tuple(known[number] for number in flags.curves if number in known)
    if flags.curves and not chosen:
        raise Unimplemented("groups of other versions")
    return chosen or DEFAULT_GROUPS


def _verdict(flags: SimpleNamespace) -> AcceptedUnverified:
    """-verify-fail counts only where the peer's certificate is demanded or checked at all."""
    if flags.verify_fail and (flags.verify_peer or flags.require_any_client_certificate or flags.use_custom_verify_callback):
        custom = flags.use_custom_verify_callback
        return Refused(alert=AlertDescription.CERTIFICATE_UNKNOWN if custom else AlertDescription.HANDSHAKE_FAILURE)
    return AcceptedUnverified()


def _verifier(flags: SimpleNamespace) -> Callable[[Any], AcceptedUnverified]:
    """-verify-fail decides, over a session only with -reverify-on-resume.

    A peer that shows another certificate in a renegotiation is refused, as this application wants it.
    """
    verdict, first = _verdict(flags), []

    def verify(request: Any) -> AcceptedUnverified:
        if request.resumed:
            return verdict if flags.reverify_on_resume else AcceptedUnverified()
        first.append(request.chain)
        if request.chain != first[0]:
            raise Unmet(":SERVER_CERT_CHANGED:")
        return verdict

    return verify


def _common(flags: SimpleNamespace, shared: Shared) -> dict[str, Any]:
    renegotiation = flags.renegotiate_once or flags.renegotiate_freely or flags.renegotiate_explicit
    return {
        "suites": _suites(flags),
        "groups": _groups(flags),
        "signature_schemes": _schemes(flags.verify_prefs, VERIFY_SCHEMES),
        "signing_schemes": _schemes(flags.signing_prefs, SIGNING_SCHEMES),
        "credentials": _credentials(flags),
        "verifier": _verifier(flags),
        "clock": shared.clock,
        "limits": Limits(handshake_message=max(LARGEST_MESSAGE, flags.max_cert_list or 102_400), certificates=128),
        "max_send_fragment": flags.max_send_fragment or 2**14,
        "renegotiation": bool(renegotiation or flags.forbid_renegotiation_after_handshake),
        "danger_suites": True,
    }


def client_config(flags: SimpleNamespace, shared: Shared) -> ClientConfig:
    """The client that the flags ask for."""
    common = _common(flags, shared)
    extensions: list[Any] = [
        Padding(512),  # some servers choke on hellos of 256 to 511 bytes (RFC 7685 1)
        StatusRequest(enabled=bool(flags.enable_ocsp_stapling)),
        SignedCertificateTimestamp(enabled=bool(flags.enable_signed_cert_timestamps)),
    ]
    if flags.advertise_alpn:
        extensions.append(Alpn(*flags.advertise_alpn, danger_any_answer=bool(flags.allow_unknown_alpn_protos)))
    return ClientConfig(
        **common,
        extensions=tuple(extensions),
        psk=_client_psk(flags) if flags.psk else None,
        tickets=not flags.no_ticket,
        fallback_scsv=bool(flags.fallback_scsv),
        client_certificate=lambda request: _client_certificate(flags, common, request),
    )


def _client_psk(flags: SimpleNamespace) -> Callable[[bytes | None], tuple[bytes, bytes] | None]:
    identity = os.fsencode(flags.psk_identity or "")

    def choose(hint: bytes | None) -> tuple[bytes, bytes] | None:
        return (identity, os.fsencode(flags.psk)) if (hint or b"") == identity else None

    return choose


def _client_certificate(flags: SimpleNamespace, common: dict[str, Any], request: Any) -> Credential | None:
    """Check what the server asks for; the one credential is meant to be used, so it is a failure where it cannot be."""
    expect_listed(request.supported_signature_algorithms, flags.expect_peer_verify_pref, "peer verify preferences")
    expect_listed(request.certificate_types, flags.expect_certificate_types, "certificate types")
    if flags.expect_client_ca_list is not None:
        expect(tuple(request.certificate_authorities) == flags.expect_client_ca_list, "certificate authorities")
    credential = next(iter(common["credentials"]), None)
    if credential is not None and _certificate_type(credential) not in request.certificate_types:
        raise PeerError(Reason.WRONG_KEY_TYPE, "the server asks for certificates of other types")
    usable = credential is None or any(
        fits(scheme, credential.public_key) and scheme in request.supported_signature_algorithms
        for scheme in common["signing_schemes"]
    )
    if not usable:
        raise PeerError(Reason.NO_SHARED_SCHEME)
    return credential


def _certificate_type(credential: Credential) -> ClientCertificateType:
    """RFC 5246 7.4.4 and RFC 8422 5.5."""
    rsa = isinstance(credential.public_key, RsaPublicKey)
    return ClientCertificateType.RSA_SIGN if rsa else ClientCertificateType.ECDSA_SIGN


def server_config(flags: SimpleNamespace, shared: Shared) -> ServerConfig:
    """The server that the flags ask for."""
    extensions: list[Any] = [ServerName(acknowledge=False if flags.no_server_name_ack else None)]
    if flags.reject_alpn:
        extensions.append(Alpn("\0nothing that anybody offers"))
    elif flags.select_alpn is not None or flags.decline_alpn or flags.select_empty_alpn:
        extensions.append(Alpn(select=lambda offered: _select_alpn(flags, offered)))
    key, identity = os.fsencode(flags.psk or ""), os.fsencode(flags.psk_identity or "")
    authentication = "request" if flags.verify_peer else "require" if flags.require_any_client_certificate else "none"
    common = _common(flags, shared)
    return ServerConfig(
        **common,
        extensions=tuple(extensions),
        client_authentication=authentication,
        certificate_authorities=flags.use_client_ca_list or (),
        session_cache=shared.cache,
        tickets=None if flags.no_ticket or flags.skip_ticket else shared.tickets,
        session_lifetime=SESSION_LIFETIME,
        psk=(lambda shown: key if shown == identity else None) if flags.psk else None,
        refuse_unknown_identities=True,
        psk_hint=identity or None,
        prefer_client_order=not (flags.cipher or flags.server_preference),
        equal_suites=_equal_suites(flags, common["suites"]),
    )


def _select_alpn(flags: SimpleNamespace, offered: tuple[str, ...]) -> str | None:
    if flags.decline_alpn:
        return None
    if flags.expect_advertised_alpn is not None:
        expect(offered == flags.expect_advertised_alpn, "protocols on offer")
    return "" if flags.select_empty_alpn else os.fsencode(flags.select_alpn).decode("latin-1")
