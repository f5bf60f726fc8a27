"""Certificates as `_ssl` shows them: the dictionary of `getpeercert()`, and the class `Certificate` of the chains.

Every field is worded as CPython and OpenSSL word it. Where the C module raises, or cuts a value short, the value is shown whole: a name
of a type without text as "#" and the hexadecimal of its DER (RFC 4514 2.4), a serial number of more than 35 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.der.times import civil_time
from puretls.errors import DecodeError
from puretls.ssl.constants import ENCODING_DER, ENCODING_PEM
from puretls.ssl.conversions import uncopied
from puretls.ssl.errors import SSLError
from puretls.ssl.names import as_tuples, name_hash, object_name, rfc2253
from puretls.x509.certificates import certificate as x509
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.fields import UNREADABLE
from puretls.x509.names.distinguished import Name
from puretls.x509.names.general import GeneralName, GeneralNameKind, read_general_name
from puretls.x509.pem import load_certificates, write_pem

T = TypeVar("T")


def as_dict(certificate: x509.Certificate) -> dict[str, object]:
    """What `SSLSocket.getpeercert()` gives of a certificate that was verified."""
    version = {"version": certificate.version, "serialNumber": _serial(certificate.serial_number)}
    dates = certificate.validity
    found: dict[str, object] = {
        "subject": as_tuples(certificate.subject),
        "issuer": as_tuples(certificate.issuer),
        **version,
        "notBefore": "Bad time value" if dates is UNREADABLE else time_text(dates.not_before),
        "notAfter": "Bad time value" if dates is UNREADABLE else time_text(dates.not_after),
    }
    alternative = _alternative_names(certificate)
    if alternative is not None:
        found["subjectAltName"] = alternative
    uris = {
        "OCSP": _access(certificate, oids.ACCESS_OCSP),
        "caIssuers": _access(certificate, oids.ACCESS_CA_ISSUERS),
        "crlDistributionPoints": _distribution_points(certificate),
    }
    return found | {name: tuple(listed) for name, listed in uris.items() if listed}


def time_text(seconds: int) -> str:
    """ASN1_TIME_print: "Jan  5 09:34:43 2018 GMT", which `ssl.cert_time_to_seconds` reads."""
    year, month, day, hour, minute, second = civil_time(seconds)
    return f"{_MONTHS[month - 1]} {day:2} {hour:02}:{minute:02}:{second:02} {year} GMT"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _serial(number: int) -> str:
    """i2a_ASN1_INTEGER: whole bytes in hexadecimal."""
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


# Names


def _alternative_names(certificate: x509.Certificate) -> tuple[tuple[str, object], ...] | None:
    """None where the extension is absent, occurs twice, or cannot be read.

    It is shown, not compared with anything: so names that no verifier accepts, in letters other than ASCII or addresses of a wrong length,
    are among them, as OpenSSL has it.
    """
    found = [extension for extension in certificate.extensions if extension.oid == oids.SUBJECT_ALT_NAME]
    if len(found) != 1:
        return None
    value = found[0].value
    if isinstance(value, ext.SubjectAltName) and certificate.is_sound:
        return tuple(map(_general_name, value.names))
    try:
        body = Reader(found[0].raw).enter()
        names = []
        while body.more:
            names.append(_lenient_name(body))
    except (DecodeError, UnicodeDecodeError):
        return None
    return tuple(names)


def _lenient_name(body: Reader) -> tuple[str, object]:
    tag = body.peek()
    kind = GeneralNameKind(tag & 0x1F) if tag & 0x1F < len(GeneralNameKind) else None
    if kind is GeneralNameKind.IP or kind in _KINDS:
        start, stop = body.take(tags.context(kind))
        content = body.data[start:stop]
        return ("IP Address", ip_text(content)) if kind is GeneralNameKind.IP else (_KINDS[kind], content.decode())
    return _general_name(read_general_name(body, ""))


_KINDS = {GeneralNameKind.RFC822: "email", GeneralNameKind.DNS: "DNS", GeneralNameKind.URI: "URI"}


def _general_name(name: GeneralName) -> tuple[str, object]:
    value = name.value
    if isinstance(value, Name):
        return "DirName", as_tuples(value)
    if isinstance(value, str):
        return _KINDS[name.kind], value
    if name.kind is GeneralNameKind.IP:
        return "IP Address", ip_text(value)
    if name.kind is GeneralNameKind.REGISTERED_ID:
        return "Registered ID", object_name(value)
    if name.kind is GeneralNameKind.OTHER_NAME:
        return "othername", _other_name(name.type_id, value)
    return ("X400Name" if name.kind is GeneralNameKind.X400_ADDRESS else "EdiPartyName"), "<unsupported>"


def ip_text(address: bytes) -> str:
    """CPython's form, which does not shorten IPv6: "2001:DB8:0:0:0:0:0:1"."""
    if len(address) == 4:
        return ".".join(map(str, address))
    if len(address) != 16:
        return "<invalid>"
    return ":".join(f"{int.from_bytes(address[at : at + 2]):X}" for at in range(0, 16, 2))


_OTHER_NAMES = {
    "1.3.6.1.5.5.7.8.9": ("SmtpUTF8Mailbox", tags.UTF8_STRING),
    "1.3.6.1.5.5.7.8.5": ("XmppAddr", tags.UTF8_STRING),
    "1.3.6.1.5.5.7.8.7": ("SRVName", tags.IA5_STRING),
    "1.3.6.1.5.5.7.8.8": ("NAIRealm", tags.UTF8_STRING),
    "1.3.6.1.4.1.311.20.2.3": ("UPN", tags.UTF8_STRING),
}


def _other_name(type_id: bytes, der: bytes) -> str:
    """GENERAL_NAME_print."""
    kind, tag = _OTHER_NAMES.get(oids.dotted(type_id), ("", tags.UTF8_STRING))
    body = Reader(der).enter(tags.explicit(0))
    body.oid()
    value = body.enter(tags.explicit(0))
    if not kind or value.peek() != tag:
        return "<unsupported>"
    start, stop = value.take(tag)
    return f"{kind}:{der[start:stop].decode(errors='backslashreplace')}"


# Addresses


def _access(certificate: x509.Certificate, method: bytes) -> list[str]:
    found = _only(certificate, oids.AUTHORITY_INFO_ACCESS, ext.AuthorityInfoAccess)
    descriptions = found.descriptions if found else ()
    return _uris(description.location for description in descriptions if description.method == method)


def _distribution_points(certificate: x509.Certificate) -> list[str]:
    found = _only(certificate, oids.CRL_DISTRIBUTION_POINTS, ext.CrlDistributionPoints)
    names = (point.name.full_name or () for point in (found.points if found else ()) if point.name)
    return _uris(name for listed in names for name in listed)


def _only(certificate: x509.Certificate, identifier: bytes, kind: type[T]) -> T | None:
    """The value of an extension; None where it is absent, or occurs twice (X509_get_ext_d2i)."""
    found = [extension.value for extension in certificate.extensions if extension.oid == identifier]
    return found[0] if len(found) == 1 and isinstance(found[0], kind) else None


def _uris(names: Iterable[GeneralName]) -> list[str]:
    return [str(name.value) for name in names if name.kind is GeneralNameKind.URI]


# Classes and functions of `_ssl`


class Certificate:
    """A certificate of a chain, as `SSLSocket.get_verified_chain` gives them in 3.13 (`_ssl.Certificate`)."""

    __module__ = "_ssl"
    __reduce_ex__ = uncopied
    __slots__ = ("_certificate",)

    def __init__(self, certificate: x509.Certificate) -> None:
        self._certificate = certificate

    def public_bytes(self, format: int = ENCODING_PEM) -> str | bytes:
        """PEM text, or DER as bytes. Raises `ValueError` for another format."""
        if format == ENCODING_DER:
            return self._certificate.raw
        if format == ENCODING_PEM:
            return write_pem("CERTIFICATE", self._certificate.raw)
        raise ValueError("Unsupported format")

    def get_info(self) -> dict[str, object]:
        """The same as `getpeercert()`."""
        return as_dict(self._certificate)

    def __eq__(self, other: object) -> bool:
        return self._certificate == other._certificate if isinstance(other, Certificate) else NotImplemented

    def __hash__(self) -> int:
        return name_hash(self._certificate.subject)

    def __repr__(self) -> str:
        return f"<_ssl.Certificate '{rfc2253(self._certificate.subject)}'>"


def test_decode_cert(path: str | bytes) -> dict[str, object]:
    """The dictionary of the first certificate in a PEM file (`_ssl._test_decode_cert`). Raises `SSLError`."""
    try:
        with open(path, "rb") as file:
            return as_dict(x509.Certificate.read(load_certificates(file.read())[0]))
    except OSError:
        raise SSLError("Can't open file") from None
    except DecodeError:
        raise SSLError("Error decoding PEM-encoded file") from None
