"""QSslCertificateExtension: an extension of a certificate, with a value of Python's plain types."""

from __future__ import annotations

import ipaddress
from typing import Any

from puretls.der import oids
from puretls.qt._names import QtNames
from puretls.qt.qbytearray import QByteArray
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.fields import Extension as ParsedExtension
from puretls.x509.names.general import GeneralNameKind

_USAGES = (
    "Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment", "Key Agreement", "Certificate Sign",
    "CRL Sign", "Encipher Only", "Decipher Only",
)  # fmt: skip
_PURPOSES = {
    oids.SERVER_AUTH: "TLS Web Server Authentication",
    oids.CLIENT_AUTH: "TLS Web Client Authentication",
    oids.CODE_SIGNING: "Code Signing",
    oids.EMAIL_PROTECTION: "E-mail Protection",
    oids.TIME_STAMPING: "Time Stamping",
    oids.OCSP_SIGNING: "OCSP Signing",
}


class QSslCertificateExtension(QtNames):
    """One extension; `value()` is to be relied on where `isSupported()`."""

    def __init__(self, other: QSslCertificateExtension | None = None) -> None:
        self._extension: ParsedExtension | None = other._extension if other is not None else None

    @classmethod
    def _of(cls, extension: ParsedExtension) -> QSslCertificateExtension:
        made = cls()
        made._extension = extension
        return made

    def oid(self) -> str:
        """Dotted numbers."""
        return "" if self._extension is None else oids.dotted(self._extension.oid)

    def name(self) -> str:
        """A short name, or the numbers where there is none."""
        if self._extension is None:
            return ""
        return _short_name(self._extension.oid)

    def isCritical(self) -> bool:
        return self._extension is not None and self._extension.critical

    def isSupported(self) -> bool:
        """Whether `value()` is one of the four forms that Qt documents."""
        kinds = (ext.BasicConstraints, ext.SubjectKeyIdentifier, ext.AuthorityKeyIdentifier, ext.AuthorityInfoAccess)
        return self._extension is not None and isinstance(self._extension.value, kinds)

    def value(self) -> Any:
        """A map, a list, a str, or the bytes of an extension that is not known."""
        return None if self._extension is None else _extension_value(self._extension)

    def swap(self, other: QSslCertificateExtension) -> None:
        self._extension, other._extension = other._extension, self._extension

    def __repr__(self) -> str:
        return f"QSslCertificateExtension({self.name()!r})"


def _short_name(oid: bytes) -> str:
    name = oids.describe(oid).split(" ")[0]
    return "extendedKeyUsage" if name == "extKeyUsage" else name


def _extension_value(extension: ParsedExtension) -> Any:
    value = extension.value
    match value:
        case ext.BasicConstraints():
            length = value.path_len_constraint
            return {"ca": value.ca} | ({} if length is None else {"pathLenConstraint": length})
        case ext.SubjectKeyIdentifier():
            return value.key_identifier.hex(":").upper()
        case ext.AuthorityKeyIdentifier():
            return {} if value.key_identifier is None else {"keyid": QByteArray(value.key_identifier.hex())}
        case ext.AuthorityInfoAccess():
            return {_short_name(each.method).removeprefix("id-ad-"): str(each.location.value) for each in value.descriptions}
        case ext.KeyUsage():
            return [text for bit, text in enumerate(_USAGES) if bit in value.bits]
        case ext.ExtendedKeyUsage():
            return [_PURPOSES.get(each, oids.describe(each)) for each in value.purposes]
        case ext.SubjectAltName():
            kinds = {GeneralNameKind.DNS: "DNS", GeneralNameKind.IP: "IP Address", GeneralNameKind.RFC822: "email"}
            found: dict[str, str] = {}
            for each in value.names:
                if each.kind in kinds:
                    found[kinds[each.kind]] = address_text(each.value)  # a map of single values: the last of a kind stays
            return found
    return QByteArray(extension.raw)


def address_text(value: object) -> str:
    """An IP address in its usual form; other values as they are."""
    return str(ipaddress.ip_address(value)) if isinstance(value, bytes) else str(value)
