"""The flags by which the runner tells a shim what to be and what to expect."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

TLS_1_2 = 0x0303


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
        read-with-unfinished-write use-custom-verify-callback decline-ocsp-callback skip-ticket reverify-on-resume
        no-server-name-ack allow-unknown-alpn-protos
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
        ocsp-response signed-cert-timestamps expect-ocsp-response expect-signed-cert-timestamps
        expect-certificate-types ticket-key
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


def expect(condition: object, what: str) -> None:
    if not condition:
        raise Unmet(f"not as expected: {what}")


def expect_listed(got: Any, wanted: Any, what: str) -> None:
    """Numbers, in order; nothing wanted is nothing to check."""
    expect(not wanted or list(got) == list(wanted), what)
