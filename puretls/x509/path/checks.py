"""The checks behind the rules on single certificates: functions that look at one certificate in its place and yield `Fault`s.

They know nothing of profiles: whoever runs them drops the faults whose rule is switched off.
"""

from __future__ import annotations

from puretls.crypto.keys import EcPublicKey, RsaPublicKey, is_too_large
from puretls.der import oids, tags
from puretls.der.times import civil_time
from puretls.errors import DecodeError
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import KeyUsageBit
from puretls.x509.keys.algorithms import WEAK_HASHES
from puretls.x509.path.extension_checks import extension_faults, key_usage_padding_faults
from puretls.x509.path.place import Faults, Role, place
from puretls.x509.reports.findings import Fault


def static_faults(certificate: Certificate, role: Role) -> Faults:
    """Everything that depends on nothing but the certificate and its place."""
    yield from encoding_faults(certificate, role)
    yield from _algorithms(certificate, role)
    yield from _key(certificate)
    yield from _fields(certificate, role)
    yield from extension_faults(certificate, role)
    yield from _leaf(certificate) if role is Role.LEAF else _authority(certificate, role)


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
        yield from key_usage_padding_faults(certificate)


_YEAR_2050 = 2_524_608_000
"""Its first second (RFC 5280 4.1.2.5)."""


def _time_encoding(certificate: Certificate) -> Faults:
    validity = certificate.validity
    for field, seconds, tag in zip(("not_before", "not_after"), (validity.not_before, validity.not_after), validity.tags, strict=True):
        if (tag == tags.UTC_TIME) != (seconds < _YEAR_2050):
            year = civil_time(seconds)[0]
            yield Fault("time-encoding", f"tbs_certificate.validity.{field}", f"the year {year} as {tags.tag_name(tag)}")


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
