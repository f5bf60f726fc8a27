"""QSslCertificate: what a certificate says, in Qt's types."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from puretls.der import oids
from puretls.errors import PuretlsError
from puretls.qt._names import QtNames
from puretls.qt.certificatefiles import PatternSyntax, content, files, parse, parse_all
from puretls.qt.qbytearray import QByteArray, as_bytes
from puretls.qt.qcryptographichash import QCryptographicHash, algorithm_named
from puretls.qt.qdatetime import QDateTime
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificateextension import QSslCertificateExtension, address_text
from puretls.qt.qsslkey import QSslKey
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.fields import UNREADABLE
from puretls.x509.names.distinguished import Name
from puretls.x509.names.general import GeneralNameKind
from puretls.x509.pem import write_pem

if TYPE_CHECKING:
    from puretls.qt.qsslerror import QSslError

_Pem = QSsl.EncodingFormat.Pem
Syntax: TypeAlias = PatternSyntax

# Names of attributes as OpenSSL abbreviates them, which is what subjectInfoAttributes() has always returned.
_SHORT_NAMES = {
    oids.COMMON_NAME: "CN", oids.COUNTRY: "C", oids.LOCALITY: "L", oids.STATE: "ST", oids.ORGANIZATION: "O",
    oids.ORGANIZATIONAL_UNIT: "OU", oids.SERIAL_NUMBER: "serialNumber", oids.DN_QUALIFIER: "dnQualifier",
    oids.EMAIL_ADDRESS: "emailAddress", oids.SURNAME: "SN", oids.GIVEN_NAME: "GN", oids.TITLE: "title",
    oids.DOMAIN_COMPONENT: "DC", oids.USER_ID: "UID", oids.STREET: "street",
}  # fmt: skip


class QSslCertificate(QtNames):
    """An X.509 certificate, or none (`isNull`). Equal when the bytes are."""

    class SubjectInfo(enum.Enum):
        """Attributes of a name."""

        Organization = 0
        CommonName = 1
        LocalityName = 2
        OrganizationalUnitName = 3
        CountryName = 4
        StateOrProvinceName = 5
        DistinguishedNameQualifier = 6
        SerialNumber = 7
        EmailAddress = 8

    PatternSyntax = PatternSyntax

    _verifier: ClassVar[Callable[[Sequence[QSslCertificate], str], list[QSslError]]]
    """Set by `qsslconfiguration`, which knows whom to trust: configurations hold certificates, not the other way round."""

    def __init__(self, data: Any = b"", format: QSsl.EncodingFormat = _Pem) -> None:
        self._certificate: Certificate | None = None
        if isinstance(data, QSslCertificate):
            self._certificate = data._certificate
        else:
            self._certificate = next(parse_all(content(data), format), None)

    @classmethod
    def _of(cls, certificate: Certificate | bytes | None) -> QSslCertificate:
        """The facade of a parsed certificate, or of DER; null for DER that is none."""
        made = cls()
        made._certificate = parse(certificate) if isinstance(certificate, bytes) else certificate
        return made

    # making

    @staticmethod
    def fromData(data: Any, format: QSsl.EncodingFormat = _Pem) -> list[QSslCertificate]:
        """All certificates in bytes; those that cannot be read are passed over."""
        return [QSslCertificate._of(each) for each in parse_all(content(data), format)]

    @staticmethod
    def fromDevice(device: Any, format: QSsl.EncodingFormat = _Pem) -> list[QSslCertificate]:
        """All certificates in a device (anything with `readAll` or `read`)."""
        return QSslCertificate.fromData(device, format)

    @staticmethod
    def fromFile(filePath: str, format: QSsl.EncodingFormat = _Pem) -> list[QSslCertificate]:
        """All certificates in one file, none if it cannot be read."""
        try:
            return QSslCertificate.fromData(Path(filePath).read_bytes(), format)
        except OSError:
            return []

    @staticmethod
    def fromPath(
        path: str, format: QSsl.EncodingFormat = _Pem, syntax: Syntax = PatternSyntax.FixedString
    ) -> list[QSslCertificate]:
        """All certificates in a file, or in the files whose paths match a pattern."""
        return [each for file in sorted(files(path, syntax)) for each in QSslCertificate.fromFile(str(file), format)]

    @staticmethod
    def importPkcs12(
        device: Any,
        key: QSslKey,
        cert: QSslCertificate,
        caCertificates: list[QSslCertificate] | None = None,
        passPhrase: Any = b"",
    ) -> bool:
        """Fills key, certificate and CAs from PKCS #12. False, and nothing filled, if it cannot be read."""
        from puretls.x509.pkcs12 import parse_pkcs12

        try:
            found = parse_pkcs12(content(device), as_bytes(passPhrase).decode())
        except (PuretlsError, UnicodeDecodeError):
            return False
        if found.key is None or found.certificate is None:
            return False
        key.swap(QSslKey._of(found.key))
        cert.swap(QSslCertificate._of(found.certificate))
        if caCertificates is not None:
            caCertificates[:] = [QSslCertificate._of(each) for each in found.others]
        return True

    def clear(self) -> None:
        self._certificate = None

    def swap(self, other: QSslCertificate) -> None:
        self._certificate, other._certificate = other._certificate, self._certificate

    # reading

    def isNull(self) -> bool:
        return self._certificate is None

    def handle(self) -> int:
        """0: there is no back end that would have handles."""
        return 0

    def toDer(self) -> QByteArray:
        return QByteArray(self._certificate.raw if self._certificate else b"")

    def toPem(self) -> QByteArray:
        return QByteArray(write_pem("CERTIFICATE", self._certificate.raw) if self._certificate else b"")

    def toText(self) -> str:
        """The certificate in words."""
        return self._certificate.text() if self._certificate else ""

    def version(self) -> QByteArray:
        return QByteArray(str(self._certificate.version) if self._certificate else b"")

    def serialNumber(self) -> QByteArray:
        """Pairs of hexadecimal digits, with colons between them."""
        if self._certificate is None:
            return QByteArray()
        number = self._certificate.serial_number
        text = abs(number).to_bytes(max(1, (abs(number).bit_length() + 7) // 8), "big").hex(":")
        return QByteArray(("-" if number < 0 else "") + text)

    def digest(self, algorithm: Any = None) -> QByteArray:
        """A hash of the DER, of MD5 if no algorithm is named: a `QCryptographicHash.Algorithm`, PySide6's own too, or a name.

        Empty for an algorithm that is not computed here, as in Qt. Raises `UsageError` for what names none.
        """
        return QCryptographicHash.hash(self.toDer(), algorithm_named(algorithm or "Md5"))

    def effectiveDate(self) -> QDateTime:
        return self._date("not_before")

    def expiryDate(self) -> QDateTime:
        return self._date("not_after")

    def _date(self, which: str) -> QDateTime:
        """An invalid date where there is none that can be read, or none that Qt has."""
        if self._certificate is None or self._certificate.validity is UNREADABLE:
            return QDateTime()
        return QDateTime.fromSecsSinceEpoch(getattr(self._certificate.validity, which))

    def publicKey(self) -> QSslKey:
        """The subject's key, null if it is of a kind that is not known."""
        if self._certificate is None:
            return QSslKey()
        try:
            return QSslKey._of(self._certificate.public_key)
        except PuretlsError:
            return QSslKey()

    def extensions(self) -> list[QSslCertificateExtension]:
        return [QSslCertificateExtension._of(each) for each in self._certificate.extensions] if self._certificate else []

    def isSelfSigned(self) -> bool:
        """Issuer and subject are the same."""
        return self._certificate is not None and self._certificate.is_self_issued

    def isBlacklisted(self) -> bool:
        """Whether it is one of the certificates whose misuse made history (DigiNotar and others), by serial and name."""
        if self._certificate is None:
            return False
        return bytes(self.serialNumber()).decode() in _BLACKLIST

    def subjectInfo(self, attribute: Any) -> list[str]:
        """Values of an attribute of the subject: a SubjectInfo, or a short name as bytes (`b"CN"`)."""
        return _values(self._certificate.subject, attribute) if self._certificate else []

    def issuerInfo(self, attribute: Any) -> list[str]:
        """The same of the issuer."""
        return _values(self._certificate.issuer, attribute) if self._certificate else []

    def subjectInfoAttributes(self) -> list[QByteArray]:
        """Short names of the attributes there are."""
        return _attributes(self._certificate.subject) if self._certificate else []

    def issuerInfoAttributes(self) -> list[QByteArray]:
        return _attributes(self._certificate.issuer) if self._certificate else []

    def subjectDisplayName(self) -> str:
        """Common name, else organization, else organizational unit."""
        return _display(self._certificate.subject) if self._certificate else ""

    def issuerDisplayName(self) -> str:
        return _display(self._certificate.issuer) if self._certificate else ""

    def subjectAlternativeNames(self) -> dict[QSsl.AlternativeNameEntryType, list[str]]:
        """Names by kind."""
        kinds = {
            GeneralNameKind.RFC822: QSsl.AlternativeNameEntryType.EmailEntry,
            GeneralNameKind.DNS: QSsl.AlternativeNameEntryType.DnsEntry,
            GeneralNameKind.IP: QSsl.AlternativeNameEntryType.IpAddressEntry,
        }
        found: dict[QSsl.AlternativeNameEntryType, list[str]] = {}
        for each in self._certificate.subject_alt_names if self._certificate else ():
            if each.kind in kinds:
                found.setdefault(kinds[each.kind], []).append(address_text(each.value))
        return {kind: sorted(found[kind]) for kind in sorted(found, key=lambda each: each.value)}

    @staticmethod
    def verify(certificateChain: Sequence[QSslCertificate], hostName: str = "") -> list[QSslError]:
        """What is wrong with a chain, against the CAs of the default configuration, and for a host name if one is given."""
        return QSslCertificate._verifier(certificateChain, hostName)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslCertificate) and self._certificate == other._certificate

    def __hash__(self) -> int:
        return hash(self._certificate)

    def __repr__(self) -> str:
        if self._certificate is None:
            return "QSslCertificate()"
        return (
            f"QSslCertificate(Subject={self.subjectDisplayName()!r}, Issuer={self.issuerDisplayName()!r}, "
            f"SerialNumber={bytes(self.serialNumber()).decode()!r}, ExpiryDate={self.expiryDate().toString()!r})"
        )


_INFO = {
    QSslCertificate.SubjectInfo.Organization: "O",
    QSslCertificate.SubjectInfo.CommonName: "CN",
    QSslCertificate.SubjectInfo.LocalityName: "L",
    QSslCertificate.SubjectInfo.OrganizationalUnitName: "OU",
    QSslCertificate.SubjectInfo.CountryName: "C",
    QSslCertificate.SubjectInfo.StateOrProvinceName: "ST",
    QSslCertificate.SubjectInfo.DistinguishedNameQualifier: "dnQualifier",
    QSslCertificate.SubjectInfo.SerialNumber: "serialNumber",
    QSslCertificate.SubjectInfo.EmailAddress: "emailAddress",
}

_BLACKLIST = frozenset(
    (
        "04:7e:cb:e9:fc:a5:5f:7b:d0:9e:ae:36:e1:0c:ae:1e",  # mail.google.com, Comodo 2011
        "f5:c8:6a:f3:61:62:f1:3a:64:f5:4f:6d:c9:58:7c:06",  # www.google.com, Comodo 2011
        "05:e2:e6:a4:cd:09:ea:54:d6:65:b0:75:fe:22:a2:56",  # *.google.com, DigiNotar 2011
        "0c:76:da:9c:91:0c:4e:2c:9e:fe:15:d0:58:93:3c:4c",  # DigiNotar Root CA
    )
)


def _attribute_name(kind: bytes) -> str:
    return _SHORT_NAMES.get(kind) or oids.dotted(kind)


def _values(name: Name, attribute: Any) -> list[str]:
    wanted = _INFO[attribute] if isinstance(attribute, QSslCertificate.SubjectInfo) else as_bytes(attribute).decode("latin-1")
    return [
        each.value if isinstance(each.value, str) else each.value.hex()
        for rdn in name.rdns
        for each in rdn
        if _attribute_name(each.type) == wanted
    ]


def _attributes(name: Name) -> list[QByteArray]:
    return [QByteArray(each) for each in sorted({_attribute_name(each.type) for rdn in name.rdns for each in rdn})]


def _display(name: Name) -> str:
    return next((values[0] for values in (_values(name, each) for each in (b"CN", b"O", b"OU")) if values), "")
