#!/usr/bin/env python3
"""The shim that BoringSSL's protocol test runner drives: one process a test, told by flags what to be and what to expect.

Exit status 0: all went as the flags expect. 89: a flag of a feature that puretls does not have. 1: a failure, with what happened
on standard error: `ALERT_SENT:name`, `ALERT_RECEIVED:name` and the like, to which an ErrorMap leads the runner's expectations.
"""

from __future__ import annotations

import base64
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# The tree that the tool lies in comes first.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from puretls import (
    NEED_DATA,
    AlertSent,
    Alpn,
    ClientConfig,
    Connection,
    ConnectionClosed,
    Credential,
    DataReceived,
    Direction,
    FatalAlert,
    HandshakeCompleted,
    Limits,
    MemorySessionStore,
    PeerError,
    PuretlsError,
    Reason,
    RenegotiationRefused,
    ServerConfig,
    TicketKeys,
    TicketReceived,
    UsageError,
)
from puretls.crypto.keys import RsaPublicKey
from puretls.crypto.signatures import SIGNATURE_SCHEMES, fits
from puretls.danger import AcceptedUnverified
from puretls.extensions import Padding, SignatureAlgorithms, SignedCertificateTimestamp, StatusRequest
from puretls.iana import AlertDescription, AlertLevel, ClientCertificateType, ContentType, NamedGroup, SignatureScheme
from puretls.names import suites
from puretls.trace import Layer
from puretls.x509.keys import parse_private_key
from puretls.x509.pem import load_certificates

UNIMPLEMENTED, FAILED = 89, 1
TLS_1_2 = 0x0303
TIMEOUT = 30.0

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
BORINGSSL_TEXTS = {
    Reason.RENEGOTIATION_INFO_MISMATCH: ":RENEGOTIATION_MISMATCH:",
    Reason.INAPPROPRIATE_FALLBACK: ":INAPPROPRIATE_FALLBACK:",
    Reason.IDENTITY_CHANGED: ":SERVER_CERT_CHANGED:",
    Reason.VERSION_CHANGED: ":WRONG_SSL_VERSION:",
}
"""What the runner expects of refusals that an alert alone does not tell apart, where puretls has a reason for exactly that."""
SESSION_LIFETIME = 7200


# Flags


class Unimplemented(Exception):
    """The test is about something that puretls does not have."""


class Unmet(Exception):
    """Something went otherwise than the flags expect; `str()` goes to standard error."""


def _hex_names(text: str) -> tuple[bytes, ...]:
    """DER names in hexadecimal, by comma; "<NULL>" and "<EMPTY>" are none."""
    return () if text in {"<NULL>", "<EMPTY>"} else tuple(map(bytes.fromhex, text.split(",")))


def _protocol_names(text: str) -> tuple[str, ...]:
    """Names with their lengths, as on the wire."""
    data, names = os.fsencode(text), []
    while data:
        names.append(data[1 : 1 + data[0]].decode("latin-1"))
        data = data[1 + data[0] :]
    return tuple(names)


def _words(text: str) -> list[str]:
    return text.split()


Many = list
_FLAGS: dict[str, Any] = dict.fromkeys(
    _words("""
        server ipv6 fallback-scsv no-tls1 no-tls11 no-tls12 no-tls13 no-ticket shim-writes-first shim-shuts-down check-close-notify
        decline-alpn reject-alpn select-empty-alpn expect-session-miss expect-extended-master-secret enable-ocsp-stapling
        enable-signed-cert-timestamps verify-fail verify-peer require-any-client-certificate expect-ticket-renewal
        expect-no-session expect-session-id expect-no-session-id expect-no-server-name expect-no-peer-cert
        expect-secure-renegotiation expect-no-secure-renegotiation renegotiate-once renegotiate-freely renegotiate-ignore
        renegotiate-explicit forbid-renegotiation-after-handshake send-alert tls-unique use-export-context server-preference
        handshake-never-done write-different-record-sizes renew-ticket use-exporter-between-reads is-handshaker-supported
        read-with-unfinished-write use-custom-verify-callback decline-ocsp-callback
    """)
)
"""What follows a flag: None for nothing, else what makes a value of it. `Many`: numbers, one each time it is given."""
_FLAGS |= dict.fromkeys(  # variants of an API that puretls has in one form only, and switches that mean nothing in TLS 1.2
    _words("""
        async implicit-handshake use-old-client-cert-callback use-early-callback install-ddos-callback partial-write
        cbc-record-splitting peek-then-read handshake-twice no-op-extra-handshake expect-verify-result use-ticket-callback
        use-ticket-aead-callback use-ocsp-callback set-ocsp-in-callback expect-no-hrr
    """)
)
_FLAGS |= dict.fromkeys(
    _words("""
        port shim-id resume-count min-version max-version expect-version expect-total-renegotiations
        expect-peer-signature-algorithm expect-curve-id expect-cipher resumption-delay max-send-fragment read-size
        export-keying-material max-cert-list
    """),
    int,
)
_FLAGS |= dict.fromkeys(
    _words("""
        cert-file key-file trust-cert host-name expect-server-name cipher select-alpn expect-alpn psk psk-identity export-label
        export-context expect-peer-cert-file write-settings expect-msg-callback
    """),
    str,
)
_FLAGS |= dict.fromkeys(
    _words("""
        ticket-key ocsp-response signed-cert-timestamps expect-ocsp-response expect-signed-cert-timestamps
        expect-certificate-types
    """),
    base64.b64decode,
)
_FLAGS |= dict.fromkeys(_words("curves verify-prefs signing-prefs expect-peer-verify-pref"), Many)
_FLAGS |= {
    "advertise-alpn": _protocol_names,
    "expect-advertised-alpn": _protocol_names,
    "use-client-ca-list": _hex_names,
    "expect-client-ca-list": _hex_names,
}


def parse_flags(arguments: list[str]) -> tuple[SimpleNamespace, SimpleNamespace]:
    """What holds for the first connection, and for those that resume it. Raises `Unimplemented` for an unknown flag."""
    first, later = ({name: [] if kind is Many else None for name, kind in _FLAGS.items()} for _ in range(2))
    words = iter(arguments)
    for word in words:
        flag, targets, ours = _strip_prefixes(word, first, later)
        if flag not in _FLAGS:
            raise Unimplemented(word)
        kind = _FLAGS[flag]
        value = True if kind is None else _value(kind, flag, words)
        for target in targets if ours else ():
            if kind is Many:
                target[flag].append(value)
            else:
                target[flag] = value
    return tuple(SimpleNamespace(**{name.replace("-", "_"): value for name, value in flags.items()}) for flags in (first, later))


def _strip_prefixes(word: str, first: dict[str, Any], later: dict[str, Any]) -> tuple[str, tuple[dict[str, Any], ...], bool]:
    """The flag's name, whom it concerns, and whether it is meant for a shim at all."""
    ours, targets = True, (first, later)
    name = word
    for prefix, mine in (("-on-shim-", True), ("-on-handshaker-", False)):
        if name.startswith(prefix):
            name, ours = name[len(prefix) - 1 :], mine
    for prefix, chosen in (("-on-initial-", (first,)), ("-on-resume-", (later,)), ("-on-retry-", ())):
        if name.startswith(prefix):
            name, targets = name[len(prefix) - 1 :], chosen
    return name.removeprefix("-"), targets, ours


def _value(kind: Any, flag: str, words: Iterator[str]) -> Any:
    try:
        return (int if kind is Many else kind)(next(words))
    except (StopIteration, ValueError) as error:
        raise Unmet(f"-{flag}: a value is missing or wrong") from error


def check_versions(flags: SimpleNamespace) -> None:
    """TLS 1.2 must be among the versions that are left. Raises `Unimplemented`, or `Unmet` where none at all is."""
    lowest, highest = flags.min_version or 0x0301, flags.max_version or 0x0304
    off = {0x0301: flags.no_tls1, 0x0302: flags.no_tls11, TLS_1_2: flags.no_tls12, 0x0304: flags.no_tls13}
    left = {version for version, disabled in off.items() if not disabled and lowest <= version <= highest}
    if not left:
        raise Unmet("NO_SUPPORTED_VERSIONS")
    if "v2clienthello" in (flags.expect_msg_callback or ""):
        raise Unimplemented("hellos in the format of SSL 2.0")
    if TLS_1_2 not in left or flags.expect_version not in {None, TLS_1_2}:
        raise Unimplemented("a version other than TLS 1.2")


# Configurations


@dataclass
class Shared:
    """What lives as long as the process: sessions, ticket keys, the clock."""

    tickets: TicketKeys
    delay: int = 0
    stapled: dict[str, bytes | None] = field(default_factory=dict)
    """What the server stapled in the full handshake: it belongs to the session, whatever a resumption shows."""
    cache: MemorySessionStore = field(init=False)

    def __post_init__(self) -> None:
        self.cache = MemorySessionStore(clock=self.clock)

    def clock(self) -> float:
        return time.time() + self.delay


@dataclass(frozen=True)
class Refused(AcceptedUnverified):
    """The verdict of -verify-fail."""

    accepted: bool = False


def _credentials(flags: SimpleNamespace) -> tuple[Credential, ...]:
    if not flags.cert_file:
        return ()
    chain = load_certificates(Path(flags.cert_file).read_bytes())
    key = parse_private_key(Path(flags.key_file or flags.cert_file).read_bytes())
    ocsp = None if flags.decline_ocsp_callback else flags.ocsp_response
    return (Credential(chain, key, ocsp_response=ocsp, sct_list=flags.signed_cert_timestamps),)


def _suites(flags: SimpleNamespace) -> tuple[Any, ...]:
    text = flags.cipher or DEFAULT_CIPHERS
    if "[" in text:
        raise Unimplemented("suites of equal preference")
    chosen = suites(text, default=suites(DEFAULT_CIPHERS, danger=True), danger=True)
    return chosen if flags.psk else tuple(suite for suite in chosen if not suite.is_psk)


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


def _common(flags: SimpleNamespace, shared: Shared) -> dict[str, Any]:
    renegotiation = flags.renegotiate_once or flags.renegotiate_freely or flags.renegotiate_explicit
    verdict = _verdict(flags)
    return {
        "suites": _suites(flags),
        "groups": _groups(flags),
        "signature_schemes": _schemes(flags.verify_prefs, VERIFY_SCHEMES),
        "signing_schemes": _schemes(flags.signing_prefs, SIGNING_SCHEMES),
        "credentials": _credentials(flags),
        "verifier": lambda request: verdict,
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
        extensions.append(Alpn(*flags.advertise_alpn))
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
    _expect_listed(request.supported_signature_algorithms, flags.expect_peer_verify_pref, "peer verify preferences")
    _expect_listed(request.certificate_types, flags.expect_certificate_types, "certificate types")
    if flags.expect_client_ca_list is not None:
        _expect(tuple(request.certificate_authorities) == flags.expect_client_ca_list, "certificate authorities")
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
    extensions: list[Any] = []
    if flags.reject_alpn:
        extensions.append(Alpn("\0nothing that anybody offers"))
    elif flags.select_alpn is not None or flags.decline_alpn or flags.select_empty_alpn:
        extensions.append(Alpn(select=lambda offered: _select_alpn(flags, offered)))
    key, identity = os.fsencode(flags.psk or ""), os.fsencode(flags.psk_identity or "")
    authentication = "request" if flags.verify_peer else "require" if flags.require_any_client_certificate else "none"
    return ServerConfig(
        **_common(flags, shared),
        extensions=tuple(extensions),
        client_authentication=authentication,
        certificate_authorities=flags.use_client_ca_list or (),
        session_cache=shared.cache,
        tickets=None if flags.no_ticket else shared.tickets,
        session_lifetime=SESSION_LIFETIME,
        psk=(lambda shown: key if shown == identity else None) if flags.psk else None,
        psk_hint=identity or None,
        prefer_client_order=not (flags.cipher or flags.server_preference),
    )


def _select_alpn(flags: SimpleNamespace, offered: tuple[str, ...]) -> str | None:
    if flags.decline_alpn:
        return None
    if flags.expect_advertised_alpn is not None:
        _expect(offered == flags.expect_advertised_alpn, "protocols on offer")
    return "" if flags.select_empty_alpn else os.fsencode(flags.select_alpn).decode("latin-1")


# A connection


class Peer:
    """One connection to the runner."""

    def __init__(self, connection: Connection, sock: socket.socket) -> None:
        self.connection = connection
        self._sock = sock
        self.events: list[Any] = []
        self.before_read: Callable[[], None] = lambda: None

    def flush(self) -> None:
        data = self.connection.bytes_to_send()
        if data:
            with suppress(BrokenPipeError, ConnectionResetError):  # why it has left is still to be read
                self._sock.sendall(data)

    def step(self) -> Any:
        """One event, after the reading and writing that leads to it."""
        while True:
            try:
                event = self.connection.next_event()
            except PuretlsError:
                self.flush()
                raise
            self.flush()
            if event is not NEED_DATA:
                self.events.append(event)
                return event
            self.before_read()
            try:
                self.connection.receive_bytes(self._sock.recv(65536))
            except ConnectionResetError:
                self.connection.receive_bytes(b"")

    def send(self, data: bytes) -> None:
        self.connection.send(data)
        self.flush()

    def saw(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def leave(self) -> None:
        """Half-close and drain, so that what was sent arrives."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self._sock.settimeout(5)
            while self._sock.recv(65536):
                pass
        self._sock.close()


def dial(flags: SimpleNamespace) -> socket.socket:
    """Connect to the runner and say which shim this is."""
    sock = socket.create_connection(("::1" if flags.ipv6 else "127.0.0.1", flags.port), TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall((flags.shim_id or 0).to_bytes(8, "little"))
    return sock


def hold(flags: SimpleNamespace, shared: Shared, session: Any, *, resumes: bool) -> Any:
    """One connection from start to end; gives the session to offer next."""
    config = server_config(flags, shared) if flags.server else client_config(flags, shared)
    served = isinstance(config, ServerConfig)
    connection = Connection.server(config) if served else Connection.client(config, flags.host_name, session)
    peer = Peer(connection, dial(flags))
    try:
        connection.start()
        return Conversation(peer, flags, config, shared).run(resumes=resumes) or session
    except PuretlsError as error:
        raise Unmet(_told(error, peer)) from error
    finally:
        with suppress(PuretlsError):
            peer.flush()
        peer.leave()


def _told(error: PuretlsError, peer: Peer) -> str:
    """What the runner looks for."""
    while True:  # the alert was queued; its event comes before the error
        try:
            event = peer.connection.next_event()
        except PuretlsError:
            break
        if event is NEED_DATA:
            break
        peer.events.append(event)
    if isinstance(error.__cause__, Unmet):  # raised in a call-back
        return str(error.__cause__)
    lines = [f"ALERT_SENT:{_name(event.description)}" for event in peer.saw(AlertSent) if event.level == AlertLevel.FATAL]
    if isinstance(error, FatalAlert):
        lines = [f"ALERT_RECEIVED:{_name(error.description)}"]
    if getattr(error, "reason", None) is Reason.EMS_MISMATCH and "renegotiation" in str(error):
        lines.append(":RENEGOTIATION_EMS_MISMATCH:")
    lines.append(BORINGSSL_TEXTS.get(getattr(error, "reason", None), ""))
    return "\n".join([*filter(None, lines), str(error)])


def _name(description: int) -> str:
    return description.name.lower() if isinstance(description, AlertDescription) else str(description)


def _messages(connection: Connection) -> str:
    """All messages but application data, as the runner notes them; our own close_notify is not expected there."""
    lines = []
    for entry in connection.trace:
        if entry.layer is Layer.RECORD or entry.content_type == ContentType.APPLICATION_DATA:
            continue
        what = {ContentType.HANDSHAKE: "hs {0}", ContentType.CHANGE_CIPHER_SPEC: "ccs", ContentType.ALERT: "alert {0} {1}"}
        if entry.direction is Direction.OUTBOUND and entry.content_type == ContentType.ALERT:
            continue
        told = "write" if entry.direction is Direction.OUTBOUND else "read"
        lines.append(f"{told} {what[ContentType(entry.content_type)].format(*entry.raw)}\n")
    return "".join(lines)


def _expect(condition: object, what: str) -> None:
    if not condition:
        raise Unmet(f"not as expected: {what}")


def _expect_listed(got: Any, wanted: Any, what: str) -> None:
    """Numbers, in order; nothing wanted is nothing to check."""
    _expect(not wanted or list(got) == list(wanted), what)


class Conversation:
    """The handshake, the checks on it, the exchange, the end."""

    def __init__(self, peer: Peer, flags: SimpleNamespace, config: Any, shared: Shared) -> None:
        self.peer, self.flags, self.config, self._shared = peer, flags, config, shared
        self.connection = peer.connection
        self._pending = bytearray()

    def run(self, *, resumes: bool) -> Any:
        """Gives the session that was made, if one was."""
        self._handshake()
        self._check(resumes=resumes)
        made = self._new_session()
        if self.flags.forbid_renegotiation_after_handshake:
            self.connection.change_config(replace(self.config, renegotiation=False))
        self._say_first()
        if self.flags.send_alert:
            self.connection.abort(AlertDescription.DECOMPRESSION_FAILURE)
            self.peer.flush()
            return made
        self._exchange()
        _expect(self._renegotiations() == (self.flags.expect_total_renegotiations or 0), "number of renegotiations")
        if self.flags.expect_msg_callback is not None:
            _expect(_messages(self.connection) == self.flags.expect_msg_callback, "messages")
        return made

    def _handshake(self) -> None:
        while not isinstance(event := self.peer.step(), HandshakeCompleted):
            if isinstance(event, ConnectionClosed):
                raise Unmet("CLOSED: the peer left in the handshake")
        if self.flags.handshake_never_done:
            raise Unmet("the handshake was completed")

    def _renegotiations(self) -> int:
        return len(self.peer.saw(HandshakeCompleted)) - 1

    # Checks

    def _check(self, *, resumes: bool) -> None:
        self._check_session(resumes=resumes)
        self._check_negotiated()
        self._check_peer()

    def _new_session(self) -> Any:
        made = self.peer.saw(TicketReceived) or not self.connection.negotiated.resumed
        return self.connection.session if made else None

    def _check_session(self, *, resumes: bool) -> None:
        flags, resumed = self.flags, self.connection.negotiated.resumed
        _expect(resumed == (resumes and not flags.expect_session_miss), f"resumption ({'was' if resumed else 'was not'} resumed)")
        if flags.server:
            if not resumes:
                cached = bool(self.connection.negotiated.session_id)
                _expect(cached or not flags.expect_session_id, "session kept by id")
                _expect(not (cached and flags.expect_no_session_id), "no session kept by id")
            return
        wanted = not flags.expect_no_session and (not resumed or bool(flags.expect_ticket_renewal))
        _expect((self._new_session() is not None) == wanted, "new session")

    def _check_negotiated(self) -> None:
        flags, negotiated = self.flags, self.connection.negotiated
        scheme = negotiated.client_signature_scheme if flags.server else negotiated.signature_scheme
        for wanted, got, what in (
            (flags.expect_cipher, int(negotiated.suite.id), "suite"),
            (flags.expect_curve_id, negotiated.group, "group"),
            (flags.expect_peer_signature_algorithm, scheme, "signature algorithm"),
            (flags.expect_server_name, self.connection.server_name, "server name"),
        ):
            _expect(wanted is None or wanted == got, f"{what}: {got}")
        if flags.server:
            _expect_listed(negotiated.result(SignatureAlgorithms) or (), flags.expect_peer_verify_pref, "peer verify preferences")
        _expect(not (flags.expect_no_server_name and self.connection.server_name), "no server name")
        _expect(negotiated.extended_master_secret or not flags.expect_extended_master_secret, "extended_master_secret")
        _expect(negotiated.secure_renegotiation or not flags.expect_secure_renegotiation, "secure renegotiation")
        _expect(not (negotiated.secure_renegotiation and flags.expect_no_secure_renegotiation), "no secure renegotiation")
        expected = flags.select_alpn if flags.server else flags.expect_alpn
        _expect((negotiated.alpn or "") == os.fsencode(expected or "").decode("latin-1"), f"ALPN: {negotiated.alpn}")

    def _check_peer(self) -> None:
        flags, connection = self.flags, self.connection
        chain = connection.peer_certificates
        if flags.expect_no_peer_cert or flags.psk:
            _expect(not chain, "no certificate of the peer")
        elif not flags.server or flags.require_any_client_certificate:
            _expect(chain, "a certificate of the peer")
        if flags.expect_peer_cert_file:
            _expect(chain == load_certificates(Path(flags.expect_peer_cert_file).read_bytes()), "the peer's chain")
        self._check_stapled()

    def _check_stapled(self) -> None:
        if not self.connection.negotiated.resumed:
            scts = self.connection.negotiated.result(SignedCertificateTimestamp)
            self._shared.stapled = {"OCSP response": self.connection.ocsp_response, "certificate timestamps": scts}
        for wanted, what in (
            (self.flags.expect_ocsp_response, "OCSP response"),
            (self.flags.expect_signed_cert_timestamps, "certificate timestamps"),
        ):
            _expect(wanted is None or self._shared.stapled[what] == wanted, what)

    # Data

    def _say_first(self) -> None:
        flags = self.flags
        if flags.export_keying_material:
            context = os.fsencode(flags.export_context or "") if flags.use_export_context else None
            label = os.fsencode(flags.export_label or "")
            self.peer.send(self.connection.export_keying_material(label, flags.export_keying_material, context))
        if flags.tls_unique:
            try:
                self.peer.send(self.connection.channel_binding("tls-unique"))
            except UsageError as error:
                raise Unmet(f"tls-unique: {error}") from error

    def _exchange(self) -> None:
        if self.flags.write_different_record_sizes:
            for size in (1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769):
                self.peer.send(b"\x42" * size)
        elif self.flags.shim_writes_first or self.flags.read_with_unfinished_write:
            self.peer.send(b"hello")
        if self.flags.shim_shuts_down:
            self._shut_down()
        else:
            self._echo()

    def _echo(self) -> None:
        size = self.flags.read_size or 512
        if self.flags.use_exporter_between_reads:
            self.peer.before_read = self._export
        while True:
            event = self.peer.step()
            if isinstance(event, DataReceived):
                for start in range(0, len(event.data), size):
                    self.peer.send(bytes(byte ^ 0xFF for byte in event.data[start : start + size]))
            elif isinstance(event, ConnectionClosed):
                if self.flags.check_close_notify and not event.clean:
                    raise Unmet("UNCLEAN_SHUTDOWN")
                self.connection.close()
                self.peer.flush()
                return
            else:
                self._on_renegotiation(event)

    def _export(self) -> None:
        try:
            self.connection.export_keying_material(b"some label", 1)
        except UsageError as error:
            raise Unmet("failed to export keying material") from error

    def _on_renegotiation(self, event: Any) -> None:
        """Grant as many as the flags say; where none is wanted, a request is the end (the runner waits for no warning)."""
        if isinstance(event, HandshakeCompleted) and self.flags.renegotiate_once:
            self.connection.change_config(replace(self.config, renegotiation=False))
        if isinstance(event, RenegotiationRefused) and not self.flags.renegotiate_ignore:
            self.connection.abort(AlertDescription.NO_RENEGOTIATION)

    def _shut_down(self) -> None:
        self.connection.close()
        self.peer.flush()
        if not self.flags.check_close_notify:
            return
        while not isinstance(event := self.peer.step(), ConnectionClosed):
            if isinstance(event, DataReceived):
                raise Unmet("APPLICATION_DATA_ON_SHUTDOWN")
            self._on_renegotiation(event)
        if not event.clean:
            raise Unmet("UNCLEAN_SHUTDOWN")


# The program


def run(arguments: list[str]) -> None:
    """All connections of a test. Raises `Unimplemented` and `Unmet`."""
    first, later = parse_flags(arguments)
    if first.is_handshaker_supported:
        print("No")
        return
    for flags in (first, later):
        check_versions(flags)
    shared = Shared(TicketKeys([first.ticket_key] if first.ticket_key else ()))
    session = None
    for number in range(1 + (first.resume_count or 0)):
        flags = later if number else first
        if number and later.renew_ticket:
            shared.tickets.rotate()
        session = hold(flags, shared, session, resumes=number > 0)
        shared.delay += flags.resumption_delay or 0


def main(arguments: list[str]) -> int:
    """The exit status."""
    try:
        run(arguments)
    except Unimplemented as error:
        print(f"UNIMPLEMENTED: {error}", file=sys.stderr)
        return UNIMPLEMENTED
    except (Unmet, OSError, UsageError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
