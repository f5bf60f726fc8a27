"""What of the module `ssl` needs no `_ssl`: numbers of TLS by name, and certificates and their times as text."""

from __future__ import annotations

import base64
from enum import IntEnum
from typing import Any


def int_enum(name: str, members: Any) -> Any:
    """An `IntEnum` of the module `ssl`."""
    kind: Any = IntEnum
    return kind(name, members, module="ssl")


def _numbered(text: str) -> dict[str, int]:
    words = text.split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


_CONTENTS = "CHANGE_CIPHER_SPEC 20 ALERT 21 HANDSHAKE 22 APPLICATION_DATA 23 HEADER 256 INNER_CONTENT_TYPE 257"
_TLSContentType = int_enum("_TLSContentType", _numbered(_CONTENTS))
_ALERTS = """
CLOSE_NOTIFY 0 UNEXPECTED_MESSAGE 10 BAD_RECORD_MAC 20 DECRYPTION_FAILED 21 RECORD_OVERFLOW 22 DECOMPRESSION_FAILURE 30
HANDSHAKE_FAILURE 40 NO_CERTIFICATE 41 BAD_CERTIFICATE 42 UNSUPPORTED_CERTIFICATE 43 CERTIFICATE_REVOKED 44
CERTIFICATE_EXPIRED 45 CERTIFICATE_UNKNOWN 46 ILLEGAL_PARAMETER 47 UNKNOWN_CA 48 ACCESS_DENIED 49 DECODE_ERROR 50
DECRYPT_ERROR 51 EXPORT_RESTRICTION 60 PROTOCOL_VERSION 70 INSUFFICIENT_SECURITY 71 INTERNAL_ERROR 80
INAPPROPRIATE_FALLBACK 86 USER_CANCELED 90 NO_RENEGOTIATION 100 MISSING_EXTENSION 109 UNSUPPORTED_EXTENSION 110
CERTIFICATE_UNOBTAINABLE 111 UNRECOGNIZED_NAME 112 BAD_CERTIFICATE_STATUS_RESPONSE 113 BAD_CERTIFICATE_HASH_VALUE 114
UNKNOWN_PSK_IDENTITY 115 CERTIFICATE_REQUIRED 116 NO_APPLICATION_PROTOCOL 120
"""
_TLSAlertType = int_enum("_TLSAlertType", _numbered(_ALERTS))
_MESSAGES = """
HELLO_REQUEST 0 CLIENT_HELLO 1 SERVER_HELLO 2 HELLO_VERIFY_REQUEST 3 NEWSESSION_TICKET 4 END_OF_EARLY_DATA 5
HELLO_RETRY_REQUEST 6 ENCRYPTED_EXTENSIONS 8 CERTIFICATE 11 SERVER_KEY_EXCHANGE 12 CERTIFICATE_REQUEST 13 SERVER_DONE 14
CERTIFICATE_VERIFY 15 CLIENT_KEY_EXCHANGE 16 FINISHED 20 CERTIFICATE_URL 21 CERTIFICATE_STATUS 22 SUPPLEMENTAL_DATA 23
KEY_UPDATE 24 NEXT_PROTO 67 MESSAGE_HASH 254 CHANGE_CIPHER_SPEC 257
"""
_TLSMessageType = int_enum("_TLSMessageType", _numbered(_MESSAGES))

PEM_HEADER = "-----BEGIN CERTIFICATE-----"
PEM_FOOTER = "-----END CERTIFICATE-----"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def cert_time_to_seconds(cert_time: str) -> int:
    """Seconds since 1970 of a time as `getpeercert` gives it, such as "Jan  5 09:34:43 2018 GMT", in any locale."""
    from calendar import timegm
    from time import strptime

    form = " %d %H:%M:%S %Y GMT"
    try:
        month = _MONTHS.index(cert_time[:3].title()) + 1
    except ValueError:
        raise ValueError(f'time data {cert_time!r} does not match format "%b{form}"') from None
    parts = strptime(cert_time[3:], form)
    return timegm((parts[0], month, *parts[2:6]))


def DER_cert_to_PEM_cert(der_cert_bytes: bytes) -> str:
    """A certificate as PEM."""
    text = base64.standard_b64encode(der_cert_bytes).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([PEM_HEADER, *lines, PEM_FOOTER, ""])


def PEM_cert_to_DER_cert(pem_cert_string: str) -> bytes:
    """A certificate as DER. Raises `ValueError` for a text that does not begin and end as PEM."""
    if not pem_cert_string.startswith(PEM_HEADER):
        raise ValueError(f"Invalid PEM encoding; must start with {PEM_HEADER}")
    text = pem_cert_string.strip()
    if not text.endswith(PEM_FOOTER):
        raise ValueError(f"Invalid PEM encoding; must end with {PEM_FOOTER}")
    return base64.decodebytes(text[len(PEM_HEADER) : -len(PEM_FOOTER)].encode("ascii", "strict"))
