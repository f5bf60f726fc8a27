"""From what puretls raises to what programs parse: `.library`, `.reason`, `verify_code`, `verify_message`.

OpenSSL's names are tables here; behind them the text has puretls's own sentence, which says what to do.
"""

from __future__ import annotations

from puretls.errors import Aborted, CallbackError, FatalAlert, PeerError, PuretlsError, Reason, Truncated, VerificationError
from puretls.iana import AlertDescription as A
from puretls.ssl.errors import SSLError, closed, cut, failure

_SSLV3 = frozenset((A.UNEXPECTED_MESSAGE, A.BAD_RECORD_MAC, A.DECOMPRESSION_FAILURE, A.HANDSHAKE_FAILURE, A.BAD_CERTIFICATE,
                    A.UNSUPPORTED_CERTIFICATE, A.CERTIFICATE_REVOKED, A.CERTIFICATE_EXPIRED, A.CERTIFICATE_UNKNOWN,
                    A.ILLEGAL_PARAMETER))  # fmt: skip
"""Alerts that SSL 3.0 had: OpenSSL calls them SSLV3_ALERT_..., and those of RFC 6066 TLSV1_..."""
_EXTENSIONS = frozenset((A.UNSUPPORTED_EXTENSION, A.CERTIFICATE_UNOBTAINABLE, A.UNRECOGNIZED_NAME,
                         A.BAD_CERTIFICATE_STATUS_RESPONSE, A.BAD_CERTIFICATE_HASH_VALUE))  # fmt: skip
_OTHER_ALERTS = {A.USER_CANCELED: "TLSV1_ALERT_USER_CANCELLED"}

_REASONS = {
    Reason.NOT_TLS: "WRONG_VERSION_NUMBER",
    Reason.SSLV2_HELLO: "UNSUPPORTED_PROTOCOL",
    Reason.WRONG_RECORD_VERSION: "WRONG_VERSION_NUMBER",
    Reason.UNKNOWN_CONTENT_TYPE: "WRONG_VERSION_NUMBER",
    Reason.RECORD_OVERFLOW: "DATA_LENGTH_TOO_LONG",
    Reason.BAD_RECORD_MAC: "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
    Reason.UNEXPECTED_MESSAGE: "UNEXPECTED_MESSAGE",
    Reason.DECODE: "LENGTH_MISMATCH",
    Reason.VERSION_TOO_OLD: "UNSUPPORTED_PROTOCOL",
    Reason.VERSION_NOT_OFFERED: "UNSUPPORTED_PROTOCOL",
    Reason.TLS_1_2_NOT_SUPPORTED: "UNSUPPORTED_PROTOCOL",
    Reason.INAPPROPRIATE_FALLBACK: "INAPPROPRIATE_FALLBACK",
    Reason.NO_SHARED_SUITE: "NO_SHARED_CIPHER",
    Reason.NO_SHARED_DH_GROUP: "NO_SHARED_CIPHER",
    Reason.NO_SHARED_SCHEME: "NO_SHARED_SIGNATURE_ALGORITHMS",
    Reason.SUITE_NOT_OFFERED: "WRONG_CIPHER_RETURNED",
    Reason.NO_APPLICATION_PROTOCOL: "NO_APPLICATION_PROTOCOL",
    Reason.INSECURE_RENEGOTIATION: "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    Reason.RENEGOTIATION_INFO_MISMATCH: "RENEGOTIATION_MISMATCH",
    Reason.CLIENT_CERTIFICATE_REQUIRED: "PEER_DID_NOT_RETURN_A_CERTIFICATE",
    Reason.WEAK_DH_GROUP: "DH_KEY_TOO_SMALL",
    Reason.GROUP_NOT_OFFERED: "WRONG_CURVE",
    Reason.BAD_SIGNATURE: "BAD_SIGNATURE",
    Reason.BAD_FINISHED: "DIGEST_CHECK_FAILED",
    Reason.UNKNOWN_PSK_IDENTITY: "PSK_IDENTITY_NOT_FOUND",
    Reason.NO_PSK: "PSK_IDENTITY_NOT_FOUND",
}
"""Reasons for which OpenSSL has a name of its own; the others go by ours."""


_OTHER_PROTOCOLS = (
    ((b"GET ", b"POST ", b"HEAD ", b"PUT "), "HTTP_REQUEST"),
    ((b"CONNECT",), "HTTPS_PROXY_REQUEST"),
)
"""What a peer speaks that speaks no TLS, by how it begins."""


def translated(error: PuretlsError, head: bytes = b"") -> SSLError:
    """What CPython raises for this error. Verification errors are told elsewhere: they need what was trusted.

    `head`: the first bytes that the peer sent.
    """
    if isinstance(error, Truncated):
        return cut()
    if isinstance(error, FatalAlert):
        return _alert(error)
    if isinstance(error, Aborted | CallbackError):
        return failure("CALLBACK_FAILED")
    if isinstance(error, PeerError):
        assert not isinstance(error, VerificationError)
        return failure(_name(error.reason, head), str(error))
    return failure("INTERNAL_ERROR", str(error))


def _name(reason: Reason, head: bytes) -> str:
    if reason is Reason.NOT_TLS:
        for beginnings, name in _OTHER_PROTOCOLS:
            if head.startswith(beginnings):
                return name
    return _REASONS.get(reason, reason.name)


def _alert(error: FatalAlert) -> SSLError:
    if error.description == A.CLOSE_NOTIFY:
        return closed()
    return failure(alert_name(error.description), error.meaning)


def alert_name(description: int) -> str:
    """OpenSSL's name of an alert that was received, such as "TLSV1_ALERT_UNKNOWN_CA"."""
    try:
        alert = A(description)
    except ValueError:
        return f"TLSV1_ALERT_{description}"
    if alert in _OTHER_ALERTS:
        return _OTHER_ALERTS[alert]
    prefix = "SSLV3_ALERT" if alert in _SSLV3 else "TLSV1" if alert in _EXTENSIONS else "TLSV1_ALERT"
    return f"{prefix}_{alert.name}"
