"""Certificates as a person reads them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from puretls.crypto.keys import EcPublicKey, RsaPublicKey
from puretls.der import oids
from puretls.der.times import time_text
from puretls.errors import DecodeError
from puretls.text import counted, printable_lines
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.extension_types import TYPES
from puretls.x509.certificates.fields import UNREADABLE, CertificateFields, Extension, Validity
from puretls.x509.names.general import GeneralName

MAX_NAMES = 50
"""Names of one extension that are shown."""


def certificate_text(certificate: CertificateFields) -> str:
    """The certificate in words."""
    return printable_lines(_certificate_lines(certificate))


def _certificate_lines(certificate: CertificateFields) -> Iterator[str]:
    yield f"Certificate, version {certificate.version}, {len(certificate.raw)} bytes"
    yield f"  Subject:      {certificate.subject}"
    yield f"  Issuer:       {certificate.issuer}" + ("  (self-issued)" if certificate.is_self_issued else "")
    yield f"  Serial:       {hex_text(certificate.serial_number)}"
    yield from _validity_lines(certificate.validity)
    yield f"  Public key:   {key_text(certificate)}"
    yield f"  Signature:    {certificate.outer_signature}, {counted(len(certificate.signature), 'byte')}"
    yield f"  SHA-256:      {certificate.fingerprint.hex(':')}"
    yield f"  Key pin:      {certificate.spki_pin_text}  (SHA-256 of SubjectPublicKeyInfo)"
    if certificate.extensions:
        yield "  Extensions:"
    for extension in certificate.extensions:
        yield from _extension_lines(extension)
    if not certificate.is_sound:
        yield "  Faults:"
    yield from (f"    {error}" for error in certificate.malformed)
    yield from (f"    {error}" for error in certificate.lapses)


def _validity_lines(validity: Validity) -> Iterator[str]:
    if validity is UNREADABLE:
        yield "  Valid:        dates that cannot be read"
        return
    days = (validity.not_after - validity.not_before + 1) / 86400
    yield f"  Valid from:   {time_text(validity.not_before)}"
    yield f"  Valid until:  {time_text(validity.not_after)}  ({days:.0f} days)"


def hex_text(number: int) -> str:
    """Serial numbers and the like: hexadecimal, because they are labels and not quantities."""
    digits = f"{abs(number):x}"
    digits = "0" * (len(digits) % 2) + digits
    return ("-" if number < 0 else "") + ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def key_text(certificate: CertificateFields) -> str:
    """Kind and size of the key."""
    try:
        key = certificate.public_key
    except DecodeError as bad:
        return f"not usable: {bad.message}"
    if isinstance(key, RsaPublicKey):
        return f"RSA, {counted(key.n.bit_length(), 'bit')}, exponent {hex(key.e)}" + (", for RSASSA-PSS only" if key.pss_only else "")
    if isinstance(key, EcPublicKey):
        return f"ECDSA on {key.curve}"
    return f"EdDSA on {key.curve}"


def _extension_lines(extension: Extension) -> Iterator[str]:
    critical = ", critical: who does not understand it must refuse" if extension.critical else ""
    kind = TYPES.get(extension.oid)
    section = f" ({kind.section})" if kind else ""
    yield f"    {oids.describe(extension.oid)}{section}{critical}"
    for line in extension_value(extension):
        yield f"      {line}"


def extension_value(extension: Extension) -> Iterator[str]:
    """The value of an extension, a fact a line."""
    value = extension.value
    describe = _DESCRIBE.get(type(value))
    if describe is not None:
        yield from describe(value)
    elif value is None:
        shown = extension.raw[:64].hex(" ")
        why = "which cannot be read" if extension.oid in TYPES else "not known here"
        yield f"{counted(len(extension.raw), 'byte')}, {why}: {shown}" + (" ..." if len(extension.raw) > 64 else "")
    else:
        yield textwrap.shorten(str(value), 300)


def _names(names: tuple[GeneralName, ...], label: str = "") -> Iterator[str]:
    yield from (f"{label}{name}" for name in names[:MAX_NAMES])
    if len(names) > MAX_NAMES:
        yield f"and {len(names) - MAX_NAMES} more"


def _basic_constraints(value: ext.BasicConstraints) -> Iterator[str]:
    if not value.ca:
        yield "not a CA: it may not issue certificates"
    elif value.path_len_constraint is None:
        yield "a CA, with any number of CAs below it"
    else:
        yield f"a CA, with at most {value.path_len_constraint} CAs below it"


def _authority_key(value: ext.AuthorityKeyIdentifier) -> Iterator[str]:
    if value.key_identifier is not None:
        yield f"the issuer's key is {value.key_identifier.hex(':')}"
    if value.authority_cert_issuer is not None:
        yield from _names(value.authority_cert_issuer, "whose certificate was issued by ")
    if value.authority_cert_serial_number is not None:
        yield f"with the serial number {hex_text(value.authority_cert_serial_number)}"


def _name_constraints(value: ext.NameConstraints) -> Iterator[str]:
    for label, subtrees in (("permitted: ", value.permitted_subtrees), ("excluded: ", value.excluded_subtrees)):
        yield from _names(tuple(subtree.base for subtree in subtrees or ()), label)


def _policies(value: ext.CertificatePolicies) -> Iterator[str]:
    yield from (oids.describe(policy.policy) for policy in value.policies[:MAX_NAMES])


def _points(value: ext.CrlDistributionPoints | ext.FreshestCrl) -> Iterator[str]:
    for point in value.points[:MAX_NAMES]:
        if point.name is not None and point.name.full_name is not None:
            yield from _names(point.name.full_name)
        if point.crl_issuer is not None:
            yield from _names(point.crl_issuer, "signed by ")


def _access(value: ext.AuthorityInfoAccess | ext.SubjectInfoAccess) -> Iterator[str]:
    yield from (f"{oids.describe(one.method)}: {one.location}" for one in value.descriptions[:MAX_NAMES])


def _policy_constraints(value: ext.PolicyConstraints) -> Iterator[str]:
    if value.require_explicit_policy is not None:
        yield f"an acceptable policy is required after {counted(value.require_explicit_policy, 'certificate')}"
    if value.inhibit_policy_mapping is not None:
        yield f"policies may not be mapped after {counted(value.inhibit_policy_mapping, 'certificate')}"


def _features(value: ext.TlsFeature) -> Iterator[str]:
    for feature in value.features[:MAX_NAMES]:
        yield "must come with a stapled OCSP response" if feature == 5 else f"the TLS extension {feature}"


_DESCRIBE: dict[type, Callable[[Any], Iterator[str]]] = {
    ext.BasicConstraints: _basic_constraints,
    ext.AuthorityKeyIdentifier: _authority_key,
    ext.SubjectKeyIdentifier: lambda value: iter([value.key_identifier.hex(":")]),
    ext.KeyUsage: lambda value: iter([str(value)]),
    ext.ExtendedKeyUsage: lambda value: iter([str(value)]),
    ext.SubjectAltName: lambda value: _names(value.names),
    ext.IssuerAltName: lambda value: _names(value.names),
    ext.NameConstraints: _name_constraints,
    ext.CertificatePolicies: _policies,
    ext.PolicyMappings: lambda value: (f"{oids.describe(a)} is called {oids.describe(b)}" for a, b in value.mappings[:MAX_NAMES]),
    ext.PolicyConstraints: _policy_constraints,
    ext.InhibitAnyPolicy: lambda value: iter([f"anyPolicy does not count after {counted(value.skip_certs, 'certificate')}"]),
    ext.CrlDistributionPoints: _points,
    ext.FreshestCrl: _points,
    ext.AuthorityInfoAccess: _access,
    ext.SubjectInfoAccess: _access,
    ext.TlsFeature: _features,
    ext.OcspNoCheck: lambda value: iter(["as a signer of OCSP responses it need not be asked after itself"]),
    ext.SignedCertificateTimestamps: lambda value: iter([f"{counted(len(value.sct_list), 'byte')} of timestamps"]),
}
