"""The checks that depend on the time, and on what the certificate is to be used for."""

from __future__ import annotations

from puretls.der import oids
from puretls.der.reader import Reader
from puretls.der.times import time_text
from puretls.errors import DecodeError
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extension_types import TYPES
from puretls.x509.certificates.extensions import KeyUsageBit
from puretls.x509.certificates.fields import Extension
from puretls.x509.path.place import Faults, Role, place
from puretls.x509.reports.findings import Fault

STATUS_REQUEST = 5
"""The TLS extension that RFC 7633 calls for by this number; the others mean nothing to a certificate verifier."""


def application_policies(extension: Extension) -> tuple[bytes, ...] | None:
    """The purposes of msApplicationPolicies, which has the form of certificatePolicies; None where it cannot be read."""
    try:
        value = TYPES[oids.CERTIFICATE_POLICIES].parse(extension.raw, 0, len(extension.raw), Reader(extension.raw))
    except DecodeError:
        return None
    assert isinstance(value, ext.CertificatePolicies)
    return tuple(information.policy for information in value.policies)


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
