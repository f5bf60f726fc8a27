"""The place of a certificate in a path, and that of a field in its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extension_types import TYPES
from puretls.x509.reports.findings import Fault


class Role(Enum):
    """The place of a certificate in a path."""

    LEAF = "leaf"
    INTERMEDIATE = "intermediate"
    ANCHOR = "anchor"


Faults = Iterator[Fault]


def place(certificate: Certificate, oid: bytes, field: str = "") -> str:
    """The path of an extension, or of a field in it, below `Certificate`; that of all extensions where it is absent."""
    extension = certificate.extension(oid)
    if extension is None:
        return "tbs_certificate.extensions"
    inner = TYPES[oid].name if oid in TYPES else "extn_value"
    return extension.path + (f".{inner}.{field}" if field else "")


def is_self_signed(certificate: Certificate) -> bool:
    """Self-issued, and by all signs with its own key; the signature is not verified."""
    if not certificate.is_self_issued:
        return False
    own = certificate.get(ext.SubjectKeyIdentifier)
    authority = certificate.get(ext.AuthorityKeyIdentifier)
    if own is None or authority is None or authority.key_identifier is None:
        return True
    return own.key_identifier == authority.key_identifier
