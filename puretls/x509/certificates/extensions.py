"""Certificate extensions as typed values (RFC 5280 4.2; RFC 6960 4.2.2.2.1, RFC 6962 3.3, RFC 7633).

One row of `TYPES` a known extension: its identifier, its name in paths, the class of its value, the function that reads it, and
where it is specified. Unknown extensions keep their bytes.
"""

from __future__ import annotations

from enum import IntEnum

from puretls.der import oids
from puretls.values import frozen
from puretls.x509.names.distinguished import Attribute
from puretls.x509.names.general import GeneralName


class KeyUsageBit(IntEnum):
    """RFC 5280 4.2.1.3."""

    DIGITAL_SIGNATURE = 0
    NON_REPUDIATION = 1
    KEY_ENCIPHERMENT = 2
    DATA_ENCIPHERMENT = 3
    KEY_AGREEMENT = 4
    KEY_CERT_SIGN = 5
    CRL_SIGN = 6
    ENCIPHER_ONLY = 7
    DECIPHER_ONLY = 8


@frozen
class AuthorityKeyIdentifier:
    """RFC 5280 4.2.1.1."""

    key_identifier: bytes | None
    authority_cert_issuer: tuple[GeneralName, ...] | None
    authority_cert_serial_number: int | None


@frozen
class SubjectKeyIdentifier:
    """RFC 5280 4.2.1.2."""

    key_identifier: bytes


@frozen
class KeyUsage:
    """RFC 5280 4.2.1.3: the numbers of the bits set; compare with `KeyUsageBit`."""

    bits: frozenset[int]

    def __contains__(self, bit: int) -> bool:
        return bit in self.bits

    def __str__(self) -> str:
        known = {bit.value: bit.name.lower() for bit in KeyUsageBit}
        return ", ".join(known.get(bit, f"bit {bit}") for bit in sorted(self.bits)) or "nothing"


@frozen
class PrivateKeyUsagePeriod:
    """RFC 3280 4.2.1.4; of no meaning for TLS, read so that it can be shown."""

    not_before: bytes | None
    not_after: bytes | None


@frozen
class PolicyInformation:
    """RFC 5280 4.2.1.4. `qualifiers`: (identifier, DER of the qualifier)."""

    policy: bytes
    qualifiers: tuple[tuple[bytes, bytes], ...] = ()


@frozen
class CertificatePolicies:
    """RFC 5280 4.2.1.4."""

    policies: tuple[PolicyInformation, ...]


@frozen
class PolicyMappings:
    """RFC 5280 4.2.1.5: (issuer domain policy, subject domain policy)."""

    mappings: tuple[tuple[bytes, bytes], ...]


@frozen
class SubjectAltName:
    """RFC 5280 4.2.1.6."""

    names: tuple[GeneralName, ...]


@frozen
class IssuerAltName:
    """RFC 5280 4.2.1.7."""

    names: tuple[GeneralName, ...]


@frozen
class SubjectDirectoryAttributes:
    """RFC 5280 4.2.1.8: the attribute types."""

    types: tuple[bytes, ...]


@frozen
class BasicConstraints:
    """RFC 5280 4.2.1.9."""

    ca: bool
    path_len_constraint: int | None = None


@frozen
class GeneralSubtree:
    """RFC 5280 4.2.1.10; `minimum` other than 0 and any `maximum` are kept to be refused."""

    base: GeneralName
    minimum: int = 0
    maximum: int | None = None


@frozen
class NameConstraints:
    """RFC 5280 4.2.1.10. None: the field is absent."""

    permitted_subtrees: tuple[GeneralSubtree, ...] | None
    excluded_subtrees: tuple[GeneralSubtree, ...] | None


@frozen
class PolicyConstraints:
    """RFC 5280 4.2.1.11."""

    require_explicit_policy: int | None
    inhibit_policy_mapping: int | None


@frozen
class ExtendedKeyUsage:
    """RFC 5280 4.2.1.12."""

    purposes: tuple[bytes, ...]

    def __str__(self) -> str:
        return ", ".join(oids.describe(purpose) for purpose in self.purposes[:16])


@frozen
class DistributionPointName:
    """RFC 5280 4.2.1.13: exactly one of the two."""

    full_name: tuple[GeneralName, ...] | None = None
    relative_to_issuer: tuple[Attribute, ...] | None = None


@frozen
class DistributionPoint:
    """RFC 5280 4.2.1.13."""

    name: DistributionPointName | None
    reasons: frozenset[int] | None
    crl_issuer: tuple[GeneralName, ...] | None


@frozen
class CrlDistributionPoints:
    """RFC 5280 4.2.1.13."""

    points: tuple[DistributionPoint, ...]


@frozen
class FreshestCrl:
    """RFC 5280 4.2.1.15."""

    points: tuple[DistributionPoint, ...]


@frozen
class InhibitAnyPolicy:
    """RFC 5280 4.2.1.14."""

    skip_certs: int


@frozen
class AccessDescription:
    """RFC 5280 4.2.2.1."""

    method: bytes
    location: GeneralName


@frozen
class AuthorityInfoAccess:
    """RFC 5280 4.2.2.1."""

    descriptions: tuple[AccessDescription, ...]


@frozen
class SubjectInfoAccess:
    """RFC 5280 4.2.2.2."""

    descriptions: tuple[AccessDescription, ...]


@frozen
class TlsFeature:
    """RFC 7633 4.1: numbers of TLS extensions; 5 is status_request, "must-staple"."""

    features: tuple[int, ...]


@frozen
class OcspNoCheck:
    """RFC 6960 4.2.2.2.1."""


@frozen
class SignedCertificateTimestamps:
    """RFC 6962 3.3: the SignedCertificateTimestampList as TLS encodes it."""

    sct_list: bytes
