"""The checks on the extensions of a single certificate (RFC 5280 4.2), which yield `Fault`s."""

from __future__ import annotations

from puretls.der import oids
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.fields import Extension
from puretls.x509.hostname import dns_fault, parse_ip
from puretls.x509.names.general import GeneralNameKind
from puretls.x509.path.constraints import Unprocessable, split_mailbox
from puretls.x509.path.place import Faults, Role, place
from puretls.x509.path.purposes import STATUS_REQUEST, application_policies
from puretls.x509.reports.findings import Fault


def extension_faults(certificate: Certificate, role: Role) -> Faults:
    """All that single extensions show, and what is missing among them."""
    yield from _each_extension(certificate)
    yield from _key_identifiers(certificate, role)
    yield from _constraint_extensions(certificate)
    yield from _alternative_names(certificate)


_HANDLED = frozenset({
    oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER, oids.KEY_USAGE, oids.CERTIFICATE_POLICIES, oids.POLICY_MAPPINGS,
    oids.SUBJECT_ALT_NAME, oids.BASIC_CONSTRAINTS, oids.NAME_CONSTRAINTS, oids.POLICY_CONSTRAINTS, oids.EXTENDED_KEY_USAGE,
    oids.INHIBIT_ANY_POLICY, oids.CRL_DISTRIBUTION_POINTS, oids.FRESHEST_CRL, oids.TLS_FEATURE,
    oids.AUTHORITY_INFO_ACCESS, oids.SUBJECT_INFO_ACCESS, oids.ISSUER_ALT_NAME, oids.OCSP_NO_CHECK,
})  # fmt: skip
"""The extensions that validation processes, or that demand nothing of it; any other that is critical leads to refusal."""
_QUALIFIERS = (oids.QUALIFIER_CPS, oids.QUALIFIER_USER_NOTICE)
_NEVER_CRITICAL = (
    oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER, oids.SUBJECT_DIRECTORY_ATTRIBUTES, oids.FRESHEST_CRL,
    oids.AUTHORITY_INFO_ACCESS, oids.SUBJECT_INFO_ACCESS,
)  # fmt: skip
_ALWAYS_CRITICAL = (oids.POLICY_CONSTRAINTS, oids.INHIBIT_ANY_POLICY)


def _each_extension(certificate: Certificate) -> Faults:
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


def key_usage_padding_faults(certificate: Certificate) -> Faults:
    """Zero bits at the end of keyUsage, which X.690 11.2.2 does not have."""
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
    if role is Role.ANCHOR and _names_another_key(authority, own):
        yield Fault("root-authority-key", where, "the authorityKeyIdentifier of a root names more, or another, than its own key")


def _names_another_key(authority: ext.AuthorityKeyIdentifier, own: ext.SubjectKeyIdentifier | None) -> bool:
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
