"""The checks behind the rules on single certificates: functions that look at one certificate in its place and yield `Fault`s.

They know nothing of profiles: whoever runs them drops the faults whose rule is switched off.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from puretls.crypto.keys import EcPublicKey, RsaPublicKey, is_too_large
from puretls.der import oids
from puretls.der import reader as der
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Certificate, Extension
from puretls.x509.certificates.extensions import KeyUsageBit
from puretls.x509.hostname import dns_fault, parse_ip
from puretls.x509.keys.algorithms import WEAK_HASHES
from puretls.x509.names.names import GeneralNameKind
from puretls.x509.path.constraints import Unprocessable, split_mailbox
from puretls.x509.reports.report import Fault


class Role(Enum):
    """The place of a certificate in a path."""

    LEAF = "leaf"
    INTERMEDIATE = "intermediate"
    ANCHOR = "anchor"


Faults = Iterator[Fault]


def static_faults(certificate: Certificate, role: Role) -> Faults:
    """Everything that depends on nothing but the certificate and its place."""
    yield from encoding_faults(certificate, role)
    yield from _algorithms(certificate, role)
    yield from _key(certificate)
    yield from _fields(certificate, role)
    yield from _extensions(certificate)
    yield from _key_identifiers(certificate, role)
    yield from _constraint_extensions(certificate)
    yield from _alternative_names(certificate)
    yield from _leaf(certificate) if role is Role.LEAF else _authority(certificate, role)


def place(certificate: Certificate, oid: bytes, field: str = "") -> str:
    """The path of an extension, or of a field in it, below `Certificate`; that of all extensions where it is absent."""
    extension = certificate.extension(oid)
    if extension is None:
        return "tbs_certificate.extensions"
    inner = ext.TYPES[oid].name if oid in ext.TYPES else "extn_value"
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


def encoding_faults(certificate: Certificate, role: Role) -> Faults:
    """What cannot be read, and what is not written as it should be: as the parser says it, field by field."""
    yield from (_encoding_fault("malformed", error) for error in certificate.malformed)
    if role is not Role.ANCHOR:  # whoever trusts an anchor has compared more than its encoding
        yield from (_encoding_fault("strict-der", error) for error in certificate.lapses if not _is_copied(error))


def copied_faults(certificate: Certificate, issuer: Certificate) -> Faults:
    """Lapses in the name of the issuer, where it is not the very bytes of the issuer's own name, which answers for them."""
    if certificate.lapses and certificate.issuer.raw != issuer.subject.raw:
        yield from (_encoding_fault("strict-der", error) for error in certificate.lapses if _is_copied(error))


def _is_copied(error: DecodeError) -> bool:
    return error.path.startswith("Certificate.tbs_certificate.issuer[")


def _encoding_fault(rule: str, error: DecodeError) -> Fault:
    sentence = f"{error.message}, at byte {error.offset}" + (f" ({error.rfc})" if error.rfc else "")
    return Fault(rule, error.path.removeprefix("Certificate."), sentence, error.offset)


# Algorithms and keys


def _algorithms(certificate: Certificate, role: Role) -> Faults:
    if certificate.inner_signature.raw != certificate.outer_signature.raw:
        yield Fault("algorithm-mismatch", "tbs_certificate.signature",
                    f"signed as {certificate.outer_signature}, but {certificate.inner_signature} is written inside")  # fmt: skip
    if role is Role.ANCHOR:
        return  # nobody relies on the signature of an anchor
    try:
        algorithm = certificate.signature_algorithm
    except DecodeError as bad:
        rule = "md5" if certificate.outer_signature.algorithm == oids.MD2_WITH_RSA else "signature-algorithm"
        yield Fault(rule, "signature_algorithm", bad.message)
        return
    if algorithm.hash in WEAK_HASHES:
        yield Fault(algorithm.hash, "signature_algorithm", f"signed with {certificate.outer_signature}")


def _key(certificate: Certificate) -> Faults:
    path = "tbs_certificate.subject_public_key_info"
    try:
        key = certificate.public_key
    except DecodeError as bad:
        yield Fault("public-key", path, bad.message)
        return
    if isinstance(key, RsaPublicKey):
        bits = key.n.bit_length()
        if bits < 1024:
            yield Fault("rsa-breakable", path, f"an RSA key of {bits} bits")
        if bits < 2048:
            yield Fault("rsa-size", path, f"an RSA key of {bits} bits")
        if is_too_large(key):
            yield Fault("rsa-too-large", path, f"an RSA key of {bits} bits with an exponent of {key.e.bit_length()} bits")
        if bits % 8:
            yield Fault("rsa-modulus-octets", path, f"an RSA key of {bits} bits")
    elif not isinstance(key, EcPublicKey):
        yield Fault("webpki-key-kind", path, f"a key on {key.curve}")


# Fields


def _fields(certificate: Certificate, role: Role) -> Faults:
    tbs = "tbs_certificate."
    version = certificate.version
    unique = certificate.issuer_unique_id is not None or certificate.subject_unique_id is not None
    if version != 3:
        yield Fault("version-3", tbs + "version" if version > 1 else "tbs_certificate", f"version {version}")
        if certificate.extensions or (unique and version == 1):
            yield Fault("extensions-need-version-3", "tbs_certificate", f"a certificate of version {version} with fields of a later one")
    if unique:
        name = "issuer_unique_id" if certificate.issuer_unique_id is not None else "subject_unique_id"
        yield Fault("unique-identifiers", tbs + name, "a unique identifier")
    yield from _serial(certificate, role)
    if not certificate.issuer:
        yield Fault("empty-issuer", tbs + "issuer", "the issuer's name is empty")
    if not certificate.subject and (certificate.is_ca or role is not Role.LEAF):
        yield Fault("empty-subject-ca", tbs + "subject", "a CA without a name")
    if not certificate.subject and certificate.extension(oids.SUBJECT_ALT_NAME) is None and role is Role.LEAF:
        yield Fault("empty-subject", tbs + "subject", "a certificate of nobody: no subject and no subjectAltName")
    if role is not Role.ANCHOR:  # deployed roots have their dates in the wrong form, or keyUsage, and nobody is misled by that
        yield from _time_encoding(certificate)
        yield from _key_usage_padding(certificate)


_YEAR_2050 = 2_524_608_000
"""Its first second (RFC 5280 4.1.2.5)."""


def _time_encoding(certificate: Certificate) -> Faults:
    validity = certificate.validity
    for field, seconds, tag in zip(("not_before", "not_after"), (validity.not_before, validity.not_after), validity.tags, strict=True):
        if (tag == der.UTC_TIME) != (seconds < _YEAR_2050):
            year = der.civil_time(seconds)[0]
            yield Fault("time-encoding", f"tbs_certificate.validity.{field}", f"the year {year} as {der.tag_name(tag)}")


def _serial(certificate: Certificate, role: Role) -> Faults:
    serial = certificate.serial_number
    if serial < 0:
        fault = "is negative"
    elif serial == 0 and role is not Role.ANCHOR:
        fault = "is zero"
    elif serial.bit_length() >= 160:
        fault = f"has {serial.bit_length() // 8 + 1} octets"
    elif certificate.is_serial_padded:
        fault = "is not in its shortest form"
    else:
        return
    yield Fault("serial-number", "tbs_certificate.serial_number", f"the serial number {fault}")


# Extensions

_HANDLED = frozenset({
    oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER, oids.KEY_USAGE, oids.CERTIFICATE_POLICIES, oids.POLICY_MAPPINGS,
    oids.SUBJECT_ALT_NAME, oids.BASIC_CONSTRAINTS, oids.NAME_CONSTRAINTS, oids.POLICY_CONSTRAINTS, oids.EXTENDED_KEY_USAGE,
    oids.INHIBIT_ANY_POLICY, oids.CRL_DISTRIBUTION_POINTS, oids.FRESHEST_CRL, oids.TLS_FEATURE,
    oids.AUTHORITY_INFO_ACCESS, oids.SUBJECT_INFO_ACCESS, oids.ISSUER_ALT_NAME, oids.OCSP_NO_CHECK,
})  # fmt: skip
"""The extensions that validation processes, or that demand nothing of it; any other that is critical leads to refusal."""

STATUS_REQUEST = 5
"""The TLS extension that RFC 7633 calls for by this number; the others mean nothing to a certificate verifier."""
_QUALIFIERS = (oids.QUALIFIER_CPS, oids.QUALIFIER_USER_NOTICE)
_NEVER_CRITICAL = (
    oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER, oids.SUBJECT_DIRECTORY_ATTRIBUTES, oids.FRESHEST_CRL,
    oids.AUTHORITY_INFO_ACCESS, oids.SUBJECT_INFO_ACCESS,
)  # fmt: skip
_ALWAYS_CRITICAL = (oids.POLICY_CONSTRAINTS, oids.INHIBIT_ANY_POLICY)


def _extensions(certificate: Certificate) -> Faults:
    seen: set[bytes] = set()
    for extension in certificate.extensions:
        oid = extension.oid
        if oid in seen:
            yield Fault("duplicate-extension", extension.path, f"{oids.describe(oid)} appears again")
        seen.add(oid)
        if extension.critical and not _is_understood(extension, certificate):
            yield Fault("unknown-critical-extension", extension.path, f"the critical extension {oids.describe(oid)} is not processed here")
        if extension.critical and oid in _NEVER_CRITICAL:
            yield Fault("must-not-be-critical", extension.path, f"{oids.describe(oid)} is critical")
        if not extension.critical and oid in _ALWAYS_CRITICAL:
            yield Fault("must-be-critical", extension.path, f"{oids.describe(oid)} is not critical")
    usage = certificate.get(ext.KeyUsage)
    if usage is not None and not usage.bits:
        yield Fault("empty-key-usage", place(certificate, oids.KEY_USAGE), "keyUsage without a single bit")


def _key_usage_padding(certificate: Certificate) -> Faults:
    extension = certificate.extension(oids.KEY_USAGE)
    if extension is not None and len(extension.raw) > 3 and not extension.raw[-1] >> extension.raw[2] & 1:  # tag, length, unused, bits
        yield Fault("key-usage-padding", extension.path, "keyUsage with trailing zero bits")


def _is_understood(extension: Extension, certificate: Certificate) -> bool:
    if extension.oid == oids.MS_APPLICATION_POLICIES:  # what it allows is for `purpose_faults`
        return application_policies(extension) is not None
    if isinstance(extension.value, ext.CertificatePolicies):  # the qualifiers of a critical one must be understood (4.2.1.4)
        return all(q in _QUALIFIERS for policy in extension.value.policies for q, _ in policy.qualifiers)
    if isinstance(extension.value, ext.TlsFeature):
        return set(extension.value.features) <= {STATUS_REQUEST}
    return extension.oid in _HANDLED


def application_policies(extension: Extension) -> tuple[bytes, ...] | None:
    """The purposes of msApplicationPolicies, which has the form of certificatePolicies; None where it cannot be read."""
    try:
        value = ext.TYPES[oids.CERTIFICATE_POLICIES].parse(extension.raw, 0, len(extension.raw), Reader(extension.raw))
    except DecodeError:
        return None
    assert isinstance(value, ext.CertificatePolicies)
    return tuple(information.policy for information in value.policies)


def _key_identifiers(certificate: Certificate, role: Role) -> Faults:
    own = certificate.get(ext.SubjectKeyIdentifier)
    if own is None and (certificate.is_ca or role is not Role.LEAF):
        yield Fault("subject-key-identifier", "tbs_certificate.extensions", "a CA without subjectKeyIdentifier")
    authority = certificate.get(ext.AuthorityKeyIdentifier)
    where = place(certificate, oids.AUTHORITY_KEY_IDENTIFIER)
    if (authority is None or authority.key_identifier is None) and not (role is Role.ANCHOR and certificate.is_self_issued):
        yield Fault("authority-key-identifier", where, "no keyIdentifier of the authority's key")
    if authority is None:
        return
    if (authority.authority_cert_issuer is None) != (authority.authority_cert_serial_number is None):
        yield Fault("authority-key-pair", where, "authorityCertIssuer and authorityCertSerialNumber do not come together")
    if role is Role.ANCHOR and is_self_issued_root_fault(authority, own):
        yield Fault("root-authority-key", where, "the authorityKeyIdentifier of a root names more, or another, than its own key")


def is_self_issued_root_fault(authority: ext.AuthorityKeyIdentifier, own: ext.SubjectKeyIdentifier | None) -> bool:
    """Whether the authorityKeyIdentifier of a root is not just its subjectKeyIdentifier (BR 7.1.2.1.3)."""
    more = authority.authority_cert_issuer is not None or authority.authority_cert_serial_number is not None
    return more or own is None or authority.key_identifier != own.key_identifier


def _constraint_extensions(certificate: Certificate) -> Faults:
    constraints = certificate.get(ext.NameConstraints)
    if constraints is None:
        return
    extension = certificate.extension(oids.NAME_CONSTRAINTS)
    assert extension is not None
    if not extension.critical:
        yield Fault("name-constraints-critical", extension.path, "nameConstraints is not critical")
    subtrees = (constraints.permitted_subtrees or ()) + (constraints.excluded_subtrees or ())
    if not subtrees or constraints.permitted_subtrees == () or constraints.excluded_subtrees == ():
        yield Fault("name-constraints-form", extension.path, "nameConstraints with an empty list")
    if not certificate.is_ca:
        yield Fault("name-constraints-form", extension.path, "nameConstraints in a certificate that is no CA")
    for subtree in subtrees:
        if subtree.base.kind is GeneralNameKind.DNS and str(subtree.base.value)[:1] == ".":
            yield Fault("name-constraints-form", extension.path, f"the constraint {subtree.base} begins with a dot")
            return


def _alternative_names(certificate: Certificate) -> Faults:
    extension = certificate.extension(oids.SUBJECT_ALT_NAME)
    if extension is None:
        return
    if not certificate.subject and not extension.critical:
        yield Fault("san-critical", extension.path, "subjectAltName is not critical although the subject is empty")
    if certificate.subject and extension.critical:
        yield Fault("san-not-critical", extension.path, "subjectAltName is critical although the subject is not empty")
    for index, name in enumerate(certificate.subject_alt_names):
        if isinstance(name.value, str):
            rule, fault = _text_fault(name.kind, name.value)
            if rule:
                yield Fault(rule, f"{extension.path}.subject_alt_name[{index}]", f"{name}: {fault}")


def _text_fault(kind: GeneralNameKind, text: str) -> tuple[str, str]:
    """The rule that a name breaks by its form, and how; empty if none."""
    if kind is GeneralNameKind.DNS:
        return _dns_text_fault(text)
    if kind is GeneralNameKind.RFC822:
        try:
            split_mailbox(text)
        except Unprocessable:
            return "san-syntax", "not a mail address"
    if kind is GeneralNameKind.URI and not text.partition(":")[1]:
        return "san-syntax", "a URI without a scheme"
    return "", ""


def _dns_text_fault(text: str) -> tuple[str, str]:
    fault = dns_fault(text, wildcard=True)
    if fault:
        worse = dns_fault(text, wildcard=True, underscore=True)
        return ("san-malformed", worse) if worse else ("san-syntax", fault)
    if parse_ip(text) or text.rpartition(".")[2].isdigit():
        return "san-syntax", "an address is not a DNS name"
    if text[:2] == "*." and text.count(".") < 2:
        return "public-suffix-wildcard", "a wildcard for a whole top-level domain"
    return "", ""


# Roles


def _authority(certificate: Certificate, role: Role) -> Faults:
    constraints = certificate.get(ext.BasicConstraints)
    where = place(certificate, oids.BASIC_CONSTRAINTS)
    if constraints is None:
        root = "root-basic-constraints" if certificate.version == 3 else "version-3-root"
        yield Fault("not-a-ca" if role is Role.INTERMEDIATE else root, "tbs_certificate.extensions", "an issuer without basicConstraints")
    elif not constraints.ca:
        yield Fault("not-a-ca", where, "an issuer whose basicConstraints do not say cA")
    yield from _ca_extensions(certificate, role)
    usage = certificate.get(ext.KeyUsage)
    if usage is not None and KeyUsageBit.KEY_CERT_SIGN not in usage:
        yield Fault("key-cert-sign", place(certificate, oids.KEY_USAGE), f"an issuer whose keyUsage allows {usage}, not key_cert_sign")
    if role is Role.ANCHOR and certificate.is_self_issued and certificate.get(ext.ExtendedKeyUsage) is not None:
        yield Fault("root-extended-key-usage", place(certificate, oids.EXTENDED_KEY_USAGE), "a root with extKeyUsage")
    yield from _path_length_field(certificate)


def _ca_extensions(certificate: Certificate, role: Role) -> Faults:
    """What RFC 5280 has every CA's certificate carry, in whatever place it is used (4.2.1.3, 4.2.1.9)."""
    extension = certificate.extension(oids.BASIC_CONSTRAINTS)
    if extension is not None and not extension.critical:
        yield Fault("basic-constraints-critical", extension.path, "basicConstraints is not critical")
    if certificate.get(ext.KeyUsage) is None and role is not Role.ANCHOR:
        yield Fault("ca-key-usage", "tbs_certificate.extensions", "a CA without keyUsage")


def _path_length_field(certificate: Certificate) -> Faults:
    constraints = certificate.get(ext.BasicConstraints)
    if constraints is None or constraints.path_len_constraint is None:
        return
    usage = certificate.get(ext.KeyUsage)
    if not constraints.ca or (usage is not None and KeyUsageBit.KEY_CERT_SIGN not in usage):
        yield Fault("path-length-field", place(certificate, oids.BASIC_CONSTRAINTS, "path_len_constraint"),
                    "pathLenConstraint in a certificate that may not issue others")  # fmt: skip


def _leaf(certificate: Certificate) -> Faults:
    usage = certificate.get(ext.KeyUsage)
    if usage is not None and KeyUsageBit.KEY_CERT_SIGN in usage and not certificate.is_ca:
        yield Fault("leaf-key-cert-sign", place(certificate, oids.KEY_USAGE), "keyCertSign in a certificate that is no CA")
    if certificate.is_ca:
        yield from _ca_extensions(certificate, Role.LEAF)
        yield Fault("ca-as-leaf", place(certificate, oids.BASIC_CONSTRAINTS), "a CA in the place of an end entity")
    if certificate.extension(oids.SUBJECT_ALT_NAME) is None:
        yield Fault("san-missing", "tbs_certificate.extensions", "no subjectAltName")
    yield from _webpki_purposes(certificate)
    yield from _path_length_field(certificate)


_EXCLUDED_PURPOSES = (oids.CODE_SIGNING, oids.TIME_STAMPING, oids.OCSP_SIGNING, oids.ANY_EXTENDED_KEY_USAGE)
"""What a server's certificate must not also be for (BR 7.1.2.7.10)."""


def _webpki_purposes(certificate: Certificate) -> Faults:
    rule = "webpki-extended-key-usage"
    extension = certificate.extension(oids.EXTENDED_KEY_USAGE)
    allowed = certificate.get(ext.ExtendedKeyUsage)
    if extension is None or allowed is None:
        yield Fault(rule, "tbs_certificate.extensions", "no extKeyUsage")
        return
    if extension.critical:
        yield Fault(rule, extension.path, "extKeyUsage is critical")
    excluded = [oids.describe(p) for p in allowed.purposes if p in _EXCLUDED_PURPOSES]
    if excluded:
        yield Fault(rule, extension.path, f"extKeyUsage has {', '.join(excluded[:4])}, which does not go with TLS")


# What depends on time and purpose


def validity_faults(certificate: Certificate, time: float) -> Faults:
    """RFC 5280 4.1.2.5: both ends belong to the period, and certificates know whole seconds only."""
    now = time // 1
    validity = certificate.validity
    if now > validity.not_after:
        yield Fault("expired", "tbs_certificate.validity.not_after",
                    f"expired on {time_text(validity.not_after)}; it is {time_text(int(now))}")  # fmt: skip
    if now < validity.not_before:
        yield Fault("not-yet-valid", "tbs_certificate.validity.not_before",
                    f"not valid before {time_text(validity.not_before)}; it is {time_text(int(now))}")  # fmt: skip


def time_text(seconds: int) -> str:
    """A date as people read it: "2024-04-01 00:00:00 UTC"."""
    return "{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC".format(*der.civil_time(seconds))


def purpose_faults(certificate: Certificate, purposes: tuple[bytes, ...], role: Role) -> Faults:
    """RFC 5280 4.2.1.12; in a CA, extKeyUsage limits what is below it, as all implementations have it."""
    yield from _application_policy_faults(certificate, purposes, role)
    allowed = certificate.get(ext.ExtendedKeyUsage)
    if allowed is None:
        if purposes and role is Role.INTERMEDIATE:
            yield Fault("required-extended-key-usage", "tbs_certificate.extensions", "a CA without extKeyUsage")
        return
    if purposes and not set(allowed.purposes) <= set(purposes):
        where = place(certificate, oids.EXTENDED_KEY_USAGE)
        yield Fault("sole-extended-key-usage", where, f"issued for {allowed}, not for {oids.describe(purposes[0])} alone")
    rule = "extended-key-usage" if role is Role.LEAF else "ca-extended-key-usage"
    if oids.ANY_EXTENDED_KEY_USAGE in allowed.purposes:
        rule = "explicit-extended-key-usage"
    for purpose in purposes:
        if purpose not in allowed.purposes:
            where = place(certificate, oids.EXTENDED_KEY_USAGE)
            yield Fault(rule, where, f"issued for {allowed}, not for {oids.describe(purpose)}")


def _application_policy_faults(certificate: Certificate, purposes: tuple[bytes, ...], role: Role) -> Faults:
    """Where msApplicationPolicies is critical, it must be processed (RFC 5280 4.2): it says by other words what extKeyUsage says."""
    extension = certificate.extension(oids.MS_APPLICATION_POLICIES)
    allowed = application_policies(extension) if extension is not None and extension.critical else None
    if extension is None or allowed is None or not {oids.ANY_EXTENDED_KEY_USAGE, oids.MS_ANY_APPLICATION_POLICY}.isdisjoint(allowed):
        return
    for purpose in purposes:
        if purpose not in allowed:
            rule = "extended-key-usage" if role is Role.LEAF else "ca-extended-key-usage"
            shown = ext.ExtendedKeyUsage(allowed)
            yield Fault(rule, extension.path, f"issued under application policies for {shown}, not for {oids.describe(purpose)}")


SERVER_USAGES = frozenset({KeyUsageBit.DIGITAL_SIGNATURE, KeyUsageBit.KEY_ENCIPHERMENT, KeyUsageBit.KEY_AGREEMENT})
CLIENT_USAGES = frozenset({KeyUsageBit.DIGITAL_SIGNATURE, KeyUsageBit.KEY_AGREEMENT})
"""What TLS 1.2 does with a key (RFC 5246 7.4.2, 7.4.8)."""


def key_usage_faults(certificate: Certificate, some: frozenset[KeyUsageBit], every: frozenset[int] = frozenset()) -> Faults:
    """The keyUsage of a leaf: `some` of these bits, and `every` one of those, if it is there at all."""
    usage = certificate.get(ext.KeyUsage)
    if usage is None:
        return
    if usage.bits.isdisjoint(some):
        where = place(certificate, oids.KEY_USAGE)
        yield Fault("key-usage", where, f"the key is for {usage}, and TLS does none of that")
    if not every <= usage.bits:
        where = place(certificate, oids.KEY_USAGE)
        yield Fault("requested-key-usage", where, f"the key is for {usage}, not for {ext.KeyUsage(every)}")
