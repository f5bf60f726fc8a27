"""How the extensions of certificates are read: a row for each, with its identifier, its class and its section."""

from __future__ import annotations

from collections.abc import Callable

from puretls.der import oids, tags
from puretls.der.memo import Memo
from puretls.der.reader import Reader
from puretls.values import frozen
from puretls.x509.certificates.extensions import (
    AccessDescription,
    AuthorityInfoAccess,
    AuthorityKeyIdentifier,
    BasicConstraints,
    CertificatePolicies,
    CrlDistributionPoints,
    DistributionPoint,
    DistributionPointName,
    ExtendedKeyUsage,
    FreshestCrl,
    GeneralSubtree,
    InhibitAnyPolicy,
    IssuerAltName,
    KeyUsage,
    NameConstraints,
    OcspNoCheck,
    PolicyConstraints,
    PolicyInformation,
    PolicyMappings,
    PrivateKeyUsagePeriod,
    SignedCertificateTimestamps,
    SubjectAltName,
    SubjectDirectoryAttributes,
    SubjectInfoAccess,
    SubjectKeyIdentifier,
    TlsFeature,
)  # fmt: skip
from puretls.x509.names.distinguished import read_rdn
from puretls.x509.names.general import read_general_name, read_general_names


def _authority_key_identifier(reader: Reader) -> AuthorityKeyIdentifier:
    body = reader.enter()
    key_identifier = body.octets("key_identifier", tags.context(0)) if body.peek() == tags.context(0) else None
    issuer = read_general_names(body, "authority_cert_issuer", tags.explicit(1)) if body.peek() == tags.explicit(1) else None
    serial = body.integer("authority_cert_serial_number", tags.context(2)) if body.peek() == tags.context(2) else None
    body.done()
    return AuthorityKeyIdentifier(key_identifier, issuer, serial)


def _subject_alt_name(reader: Reader) -> SubjectAltName:
    """An empty list is plain, though RFC 5280 forbids it: the certificate has no such names."""
    at = reader.at
    names = reader.list_of(read_general_name, empty=True)
    if not names:
        reader.lapse("empty list", offset=at, rfc="RFC 5280 4.2.1.6")
    return SubjectAltName(names)


def _private_key_usage_period(reader: Reader) -> PrivateKeyUsagePeriod:
    body = reader.enter()
    not_before = body.octets("not_before", tags.context(0)) if body.peek() == tags.context(0) else None
    not_after = body.octets("not_after", tags.context(1)) if body.more else None
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
    maximum = subtree.natural("maximum", tags.context(1)) if subtree.more else None
    subtree.done()
    return GeneralSubtree(base, minimum, maximum)


def _minimum(subtree: Reader) -> int:
    at = subtree.at
    if subtree.peek() != tags.context(0):
        return 0
    minimum = subtree.natural("minimum", tags.context(0))
    if minimum == 0:
        subtree.lapse("DEFAULT value 0 written out", "minimum", offset=at, rfc="X.690 11.5")
    return minimum


def _name_constraints(reader: Reader) -> NameConstraints:
    body = reader.enter()
    # Empty lists are against the grammar, but said to be a matter of rules: what they fail to constrain is plain enough.
    tag = tags.explicit(0)
    permitted = body.list_of(_subtree, "permitted_subtrees", tag, empty=True) if body.peek() == tag else None
    excluded = body.list_of(_subtree, "excluded_subtrees", tags.explicit(1), empty=True) if body.more else None
    body.done()
    return NameConstraints(permitted, excluded)


def _policy_constraints(reader: Reader) -> PolicyConstraints:
    body = reader.enter()
    require = body.natural("require_explicit_policy", tags.context(0)) if body.peek() == tags.context(0) else None
    inhibit = body.natural("inhibit_policy_mapping", tags.context(1)) if body.more else None
    body.done()
    return PolicyConstraints(require, inhibit)


def read_distribution_point_name(reader: Reader, name: str) -> DistributionPointName:
    """`[0] DistributionPointName`, a CHOICE and hence explicit; also in a CRL's issuingDistributionPoint."""
    choice = reader.enter(tags.explicit(0), name)
    if choice.peek() == tags.explicit(0):
        value = DistributionPointName(full_name=read_general_names(choice, "full_name", tags.explicit(0)))
    else:
        value = DistributionPointName(relative_to_issuer=read_rdn(choice, "name_relative_to_crl_issuer", tags.explicit(1)))
    choice.done()
    return value


def _distribution_point(reader: Reader, name: str) -> DistributionPoint:
    point = reader.enter(name=name)
    where = read_distribution_point_name(point, "distribution_point") if point.peek() == tags.explicit(0) else None
    reasons = point.named_bits("reasons", tags.context(1)) if point.peek() == tags.context(1) else None
    issuer = read_general_names(point, "crl_issuer", tags.explicit(2)) if point.more else None
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
    (oids.SUBJECT_ALT_NAME, SubjectAltName, _subject_alt_name, "RFC 5280 4.2.1.6"),
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


TYPES: dict[bytes, ExtensionType] = {
    oid: ExtensionType(_snake(cls.__name__), cls, read, where) for oid, cls, read, where in _ROWS
}
"""Identifier -> how to read it."""
