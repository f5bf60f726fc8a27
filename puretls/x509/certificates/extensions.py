"""Certificate extensions as typed values (RFC 5280 4.2; RFC 6960 4.2.2.2.1, RFC 6962 3.3, RFC 7633).

One row of `TYPES` a known extension: its identifier, its name in paths, the class of its value, the function that reads it, and
where it is specified. Unknown extensions keep their bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from puretls.der import oids
from puretls.der import reader as der
from puretls.der.memo import Memo
from puretls.der.reader import Reader
from puretls.values import frozen
from puretls.x509.names.names import Attribute, GeneralName, read_general_name, read_general_names, read_rdn


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


def _authority_key_identifier(reader: Reader) -> AuthorityKeyIdentifier:
    body = reader.enter()
    key_identifier = body.octets("key_identifier", der.context(0)) if body.peek() == der.context(0) else None
    issuer = read_general_names(body, "authority_cert_issuer", der.explicit(1)) if body.peek() == der.explicit(1) else None
    serial = body.integer("authority_cert_serial_number", der.context(2)) if body.peek() == der.context(2) else None
    body.done()
    return AuthorityKeyIdentifier(key_identifier, issuer, serial)


def _private_key_usage_period(reader: Reader) -> PrivateKeyUsagePeriod:
    body = reader.enter()
    not_before = body.octets("not_before", der.context(0)) if body.peek() == der.context(0) else None
    not_after = body.octets("not_after", der.context(1)) if body.more else None
    body.done()
    return PrivateKeyUsagePeriod(not_before, not_after)


def _qualifier(reader: Reader, name: str) -> tuple[bytes, bytes]:
    pair = reader.enter(name=name)
    value = pair.oid("policy_qualifier_id"), pair.raw("qualifier")
    pair.done()
    return value


def _policy_information(reader: Reader, name: str) -> PolicyInformation:
    info = reader.enter(name=name)
    policy = info.oid("policy_identifier")
    qualifiers = info.list_of(_qualifier, "policy_qualifiers") if info.more else ()
    info.done()
    return PolicyInformation(policy, qualifiers)


def _policy_mapping(reader: Reader, name: str) -> tuple[bytes, bytes]:
    pair = reader.enter(name=name)
    value = pair.oid("issuer_domain_policy"), pair.oid("subject_domain_policy")
    pair.done()
    return value


def _directory_attribute(reader: Reader, name: str) -> bytes:
    attribute = reader.enter(name=name)
    kind = attribute.oid("type")
    attribute.set_of(Reader.skip, "values")
    attribute.done()
    return kind


def _basic_constraints(reader: Reader) -> BasicConstraints:
    body = reader.enter()
    ca = body.default_false("ca")
    length = body.natural("path_len_constraint") if body.more else None
    body.done()
    return BasicConstraints(ca, length)


def _subtree(reader: Reader, name: str) -> GeneralSubtree:
    subtree = reader.enter(name=name)
    base = read_general_name(subtree, "base", constraint=True)
    minimum = _minimum(subtree)
    maximum = subtree.natural("maximum", der.context(1)) if subtree.more else None
    subtree.done()
    return GeneralSubtree(base, minimum, maximum)


def _minimum(subtree: Reader) -> int:
    at = subtree.at
    if subtree.peek() != der.context(0):
        return 0
    minimum = subtree.natural("minimum", der.context(0))
    if minimum == 0:
        subtree.lapse("DEFAULT value 0 written out", "minimum", offset=at, rfc="X.690 11.5")
    return minimum


def _name_constraints(reader: Reader) -> NameConstraints:
    body = reader.enter()
    # Empty lists are against the grammar, but said to be a matter of rules: what they fail to constrain is plain enough.
    tag = der.explicit(0)
    permitted = body.list_of(_subtree, "permitted_subtrees", tag, empty=True) if body.peek() == tag else None
    excluded = body.list_of(_subtree, "excluded_subtrees", der.explicit(1), empty=True) if body.more else None
    body.done()
    return NameConstraints(permitted, excluded)


def _policy_constraints(reader: Reader) -> PolicyConstraints:
    body = reader.enter()
    require = body.natural("require_explicit_policy", der.context(0)) if body.peek() == der.context(0) else None
    inhibit = body.natural("inhibit_policy_mapping", der.context(1)) if body.more else None
    body.done()
    return PolicyConstraints(require, inhibit)


def read_distribution_point_name(reader: Reader, name: str) -> DistributionPointName:
    """`[0] DistributionPointName`, a CHOICE and hence explicit; also in a CRL's issuingDistributionPoint."""
    choice = reader.enter(der.explicit(0), name)
    if choice.peek() == der.explicit(0):
        value = DistributionPointName(full_name=read_general_names(choice, "full_name", der.explicit(0)))
    else:
        value = DistributionPointName(relative_to_issuer=read_rdn(choice, "name_relative_to_crl_issuer", der.explicit(1)))
    choice.done()
    return value


def _distribution_point(reader: Reader, name: str) -> DistributionPoint:
    point = reader.enter(name=name)
    where = read_distribution_point_name(point, "distribution_point") if point.peek() == der.explicit(0) else None
    reasons = point.named_bits("reasons", der.context(1)) if point.peek() == der.context(1) else None
    issuer = read_general_names(point, "crl_issuer", der.explicit(2)) if point.more else None
    point.done()
    return DistributionPoint(where, reasons, issuer)


def _access_description(reader: Reader, name: str) -> AccessDescription:
    description = reader.enter(name=name)
    method = description.oid("access_method")
    value = AccessDescription(method, read_general_name(description, "access_location"))
    description.done()
    return value


def _feature(reader: Reader, name: str) -> int:
    return reader.small(name, limit=2**16)


def _no_check(reader: Reader) -> OcspNoCheck:
    reader.null()
    return OcspNoCheck()


@frozen
class ExtensionType:
    """A known extension. `name` is its component in paths; `section` is where it is specified."""

    name: str
    cls: type
    read: Callable[[Reader], object]
    section: str

    def parse(self, data: bytes, start: int, stop: int, parent: Reader) -> object:
        """The value from `start..stop` of `data`, the content of extnValue. Raises `DecodeError`."""
        key = self.name, data[start:stop]
        value = _VALUES.get(key) if parent.sink is None else None
        if value is None:
            inner = parent.within(start, stop, self.name)
            value = self.read(inner)
            inner.done()
            if stop - start <= MAX_SHARED and parent.is_strict:
                _VALUES.put(key, value)
        return value


MAX_SHARED = 24
"""Bytes of a value that is worth remembering: keyUsage, basicConstraints, most extKeyUsage, hardly any key identifier."""
_VALUES: Memo[tuple[str, bytes], object] = Memo(256)


# Roots of Trustwave, shipped by distributions to this day, pad their keyUsage: X.690 11.2.2 is not insisted on there.
_ROWS = (
    (oids.AUTHORITY_KEY_IDENTIFIER, AuthorityKeyIdentifier, _authority_key_identifier, "RFC 5280 4.2.1.1"),
    (oids.SUBJECT_KEY_IDENTIFIER, SubjectKeyIdentifier, lambda r: SubjectKeyIdentifier(r.octets()), "RFC 5280 4.2.1.2"),
    (oids.KEY_USAGE, KeyUsage, lambda r: KeyUsage(r.named_bits(padded=True)), "RFC 5280 4.2.1.3"),
    (oids.PRIVATE_KEY_USAGE_PERIOD, PrivateKeyUsagePeriod, _private_key_usage_period, "RFC 3280 4.2.1.4"),
    (oids.CERTIFICATE_POLICIES, CertificatePolicies, lambda r: CertificatePolicies(r.list_of(_policy_information)), "RFC 5280 4.2.1.4"),
    (oids.POLICY_MAPPINGS, PolicyMappings, lambda r: PolicyMappings(r.list_of(_policy_mapping)), "RFC 5280 4.2.1.5"),
    (oids.SUBJECT_ALT_NAME, SubjectAltName, lambda r: SubjectAltName(read_general_names(r, "")), "RFC 5280 4.2.1.6"),
    (oids.ISSUER_ALT_NAME, IssuerAltName, lambda r: IssuerAltName(read_general_names(r, "")), "RFC 5280 4.2.1.7"),
    (oids.SUBJECT_DIRECTORY_ATTRIBUTES, SubjectDirectoryAttributes,
     lambda r: SubjectDirectoryAttributes(r.list_of(_directory_attribute)), "RFC 5280 4.2.1.8"),
    (oids.BASIC_CONSTRAINTS, BasicConstraints, _basic_constraints, "RFC 5280 4.2.1.9"),
    (oids.NAME_CONSTRAINTS, NameConstraints, _name_constraints, "RFC 5280 4.2.1.10"),
    (oids.POLICY_CONSTRAINTS, PolicyConstraints, _policy_constraints, "RFC 5280 4.2.1.11"),
    (oids.EXTENDED_KEY_USAGE, ExtendedKeyUsage, lambda r: ExtendedKeyUsage(r.list_of(Reader.oid)), "RFC 5280 4.2.1.12"),
    (oids.CRL_DISTRIBUTION_POINTS, CrlDistributionPoints,
     lambda r: CrlDistributionPoints(r.list_of(_distribution_point)), "RFC 5280 4.2.1.13"),
    (oids.INHIBIT_ANY_POLICY, InhibitAnyPolicy, lambda r: InhibitAnyPolicy(r.natural("skip_certs")), "RFC 5280 4.2.1.14"),
    (oids.FRESHEST_CRL, FreshestCrl, lambda r: FreshestCrl(r.list_of(_distribution_point)), "RFC 5280 4.2.1.15"),
    (oids.AUTHORITY_INFO_ACCESS, AuthorityInfoAccess,
     lambda r: AuthorityInfoAccess(r.list_of(_access_description)), "RFC 5280 4.2.2.1"),
    (oids.SUBJECT_INFO_ACCESS, SubjectInfoAccess, lambda r: SubjectInfoAccess(r.list_of(_access_description)), "RFC 5280 4.2.2.2"),
    (oids.TLS_FEATURE, TlsFeature, lambda r: TlsFeature(r.list_of(_feature, empty=True)), "RFC 7633 4.1"),
    (oids.OCSP_NO_CHECK, OcspNoCheck, _no_check, "RFC 6960 4.2.2.2.1"),
    (oids.CT_PRECERTIFICATE_SCTS, SignedCertificateTimestamps,
     lambda r: SignedCertificateTimestamps(r.octets("sct_list")), "RFC 6962 3.3"),
)  # fmt: skip


def _snake(text: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in text).lstrip("_")


TYPES: dict[bytes, ExtensionType] = {oid: ExtensionType(_snake(cls.__name__), cls, read, where) for oid, cls, read, where in _ROWS}
"""Identifier -> how to read it."""
