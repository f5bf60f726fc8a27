"""What CRLs say of one certificate: RFC 5280 6.3.3, with delta and indirect CRLs, distribution points and reasons.

A CRL counts only when its signer is in the certificate's own path, or is vouched for by it: no CRL brings its own trust.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from puretls.der import oids
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import (
    AuthorityKeyIdentifier,
    CrlDistributionPoints,
    DistributionPointName,
    KeyUsage,
    KeyUsageBit,
    SubjectKeyIdentifier,
)
from puretls.x509.crl.extensions import ALL_REASONS, REMOVE_FROM_CRL, CrlNumber, DeltaCrlIndicator, IssuingDistributionPoint
from puretls.x509.crl.fields import RevokedCertificate
from puretls.x509.crl.lists import Crl
from puretls.x509.names.distinguished import Name
from puretls.x509.names.general import GeneralName, GeneralNameKind
from puretls.x509.ocsp.fields import Status
from puretls.x509.revocation.answers import Answer, revoked_sentence
from puretls.x509.revocation.case import Case

MAX_SIGNERS = 8
"""Certificates tried as the signer of one CRL."""
MAX_POINTS = 64
"""Distribution points of one certificate that are looked at."""

NameKey = tuple[GeneralNameKind, object]


@frozen
class Point:
    """A distribution point of the certificate. `stated` is False for the one that RFC 5280 6.3.3 assumes for a certificate without any."""

    names: frozenset[NameKey]
    crl_issuers: tuple[Name, ...]
    reasons: frozenset[int]
    stated: bool


def crl_status(case: Case) -> Answer:
    """GOOD once CRLs for every reason were found without the certificate, REVOKED when one lists it, else UNKNOWN and why."""
    covered: frozenset[int] = frozenset()
    faults: dict[str, None] = {}
    for point in _points(case.certificate):
        for crl in case.policy.crls:
            if crl.get(DeltaCrlIndicator) is not None or not _is_for(crl, point, case.certificate):
                continue
            idp = crl.get(IssuingDistributionPoint)
            reasons = point.reasons & (ALL_REASONS if idp is None or idp.reasons is None else idp.reasons)
            if reasons <= covered:
                continue
            delta = _delta(crl, case)
            fault = _scope_fault(idp, point, case.certificate) or _crl_fault(crl, case, refreshed=delta is not None)
            if fault:
                faults[f"the CRL of {crl.issuer} {fault}"] = None
                continue
            entry = _entry(crl, delta, case.certificate)
            if entry is not None:
                sentence = revoked_sentence(f"the CRL of {crl.issuer}", entry.revocation_date, entry.reason_text)
                return Answer(Status.REVOKED, sentence, entry.revocation_date, entry.reason)
            covered |= reasons
            if covered >= ALL_REASONS:
                return Answer(Status.GOOD, f"not on the CRL of {crl.issuer}")
    return Answer(Status.UNKNOWN, "; ".join(faults) or _nothing(case, covered))


def _nothing(case: Case, covered: frozenset[int]) -> str:
    if covered:
        return f"the CRLs of {case.certificate.issuer} at hand cover only some reasons"
    return f"no CRL of {case.certificate.issuer} is at hand"


# Which CRL is meant


def _points(certificate: Certificate) -> Iterator[Point]:
    issuer = certificate.issuer
    listed = certificate.get(CrlDistributionPoints)
    for point in listed.points[:MAX_POINTS] if listed else ():
        issuers = tuple(one.value for one in point.crl_issuer or () if isinstance(one.value, Name))
        names = _names(point.name, issuers[0] if issuers else issuer)
        if point.name is None:
            names = frozenset(_key(one) for one in point.crl_issuer or ())
        reasons = ALL_REASONS if point.reasons is None else point.reasons & ALL_REASONS
        yield Point(names, issuers, reasons, stated=True)
    if listed is None:  # 6.3.3: as if the issuer's own CRL were a distribution point; where some are stated, they are what counts
        yield Point(frozenset({(GeneralNameKind.DIRECTORY, issuer.canonical)}), (), ALL_REASONS, stated=False)


def _names(where: DistributionPointName | None, issuer: Name) -> frozenset[NameKey]:
    if where is None:
        return frozenset()
    if where.full_name is not None:
        return frozenset(_key(one) for one in where.full_name)
    relative = Name(b"", (*issuer.rdns, where.relative_to_issuer or ()))
    return frozenset({(GeneralNameKind.DIRECTORY, relative.canonical)})


def _key(name: GeneralName) -> NameKey:
    """What is compared: directory names after normalisation, the others as they are."""
    return name.kind, name.value.canonical if isinstance(name.value, Name) else name.value


def _is_for(crl: Crl, point: Point, certificate: Certificate) -> bool:
    """6.3.3 (b)(1): a CRL of the issuer that the distribution point names, or else of the certificate's own issuer."""
    return crl.issuer in point.crl_issuers if point.crl_issuers else crl.issuer == certificate.issuer


def _scope_fault(idp: IssuingDistributionPoint | None, point: Point, certificate: Certificate) -> str:
    """6.3.3 (b): empty where the CRL says that it covers this certificate."""
    if idp is None:
        return "is not marked as indirect" if point.crl_issuers else ""
    if bool(point.crl_issuers) > idp.indirect:
        return "is not marked as indirect"
    if idp.indirect and point.stated and not point.crl_issuers:
        return "is indirect, which the certificate's distribution point does not announce"  # 4.2.1.13
    if idp.name is not None and _idp_names(idp, point, certificate).isdisjoint(point.names):
        return "is for another distribution point"
    return _kind_fault(idp, certificate)


def _idp_names(idp: IssuingDistributionPoint, point: Point, certificate: Certificate) -> frozenset[NameKey]:
    return _names(idp.name, point.crl_issuers[0] if point.crl_issuers else certificate.issuer)


def _kind_fault(idp: IssuingDistributionPoint, certificate: Certificate) -> str:
    if idp.only_attribute:
        return "is for attribute certificates"
    knowable = certificate.version == 3  # an older certificate cannot say what it is
    if idp.only_user and (certificate.is_ca or not knowable):
        return "is for end-entity certificates"
    if idp.only_ca and not (certificate.is_ca and knowable):
        return "is for CA certificates"
    return ""


# Whether it counts


def _crl_fault(crl: Crl, case: Case, *, refreshed: bool = False) -> str:
    """Empty where the CRL is understood, current and genuine; `refreshed`: a current delta makes up for a passed nextUpdate."""
    if crl.unknown_critical is not None:
        return f"has the unknown critical extension {oids.describe(crl.unknown_critical)}"
    fault = case.policy.date_fault(crl.this_update, None if refreshed else crl.next_update, case.time)
    if refreshed and fault.startswith("is too old") and case.policy.max_age is None:
        fault = ""
    return fault or _profile_fault(crl, case.checker.rules) or _signer_fault(crl, case)


def _profile_fault(crl: Crl, rules: frozenset[str]) -> str:
    """Empty where the extensions that RFC 5280 5.2 requires are there, as far as `rules` ask for them."""
    conforming = crl.get(AuthorityKeyIdentifier) is not None
    number = crl.get(CrlNumber)
    critical = any(e.critical for e in crl.extensions if e.oid == oids.CRL_NUMBER)
    if "crl-number" in rules and ((conforming and number is None) or critical):
        return "has its cRLNumber marked critical" if critical else "has no cRLNumber"
    if "crl-extensions" in rules and not (conforming and number is not None):
        return "lacks authorityKeyIdentifier or cRLNumber"
    return ""


def _signer_fault(crl: Crl, case: Case) -> str:
    """6.3.3 (f) and (g)."""
    fault = "is signed by nobody known"
    for signer in _signers(crl, case):
        usage = signer.get(KeyUsage)
        if usage is not None and KeyUsageBit.CRL_SIGN not in usage:
            fault = f"is signed by {signer.subject}, whose keyUsage lacks cRLSign"
            continue
        fault = case.checker.fault(signer, crl.outer_signature, crl.tbs, crl.signature)
        if not fault and signer not in case.above:
            fault = _stranger_fault(signer, case)
        if not fault:
            return ""
    return fault


def _signers(crl: Crl, case: Case) -> list[Certificate]:
    """Certificates with the CRL's issuer as subject: the path's own first, then by key identifier."""
    wanted = crl.get(AuthorityKeyIdentifier)
    named = [one for one in dict.fromkeys((*case.above, *case.policy.certificates)) if one.subject == crl.issuer]

    def rank(signer: Certificate) -> tuple[bool, bool]:
        own = signer.get(SubjectKeyIdentifier)
        other_key = wanted is not None and own is not None and wanted.key_identifier not in (None, own.key_identifier)
        return other_key, signer not in case.above

    return sorted(named, key=rank)[:MAX_SIGNERS]


def _stranger_fault(signer: Certificate, case: Case) -> str:
    """Empty where a certificate from outside the path is issued by one inside it, valid, and not itself revoked."""
    if case.depth == 0:
        return f"is signed by {signer.subject}, too far from the path"
    if not signer.validity.not_before <= case.time <= signer.validity.not_after:
        return f"is signed by {signer.subject}, which is not valid now"
    for index, authority in enumerate(case.above):
        if signer.issuer != authority.subject or case.checker.fault(
            authority, signer.outer_signature, signer.tbs, signer.signature
        ):
            continue
        inner = replace(case, certificate=signer, above=case.above[index:], depth=case.depth - 1)
        if crl_status(inner).status is Status.REVOKED:
            return f"is signed by {signer.subject}, which is revoked"
        return ""
    return f"is signed by {signer.subject}, which nobody in the path issued"


# Delta CRLs


def _delta(crl: Crl, case: Case) -> Crl | None:
    """The newest current delta that fits a complete CRL (6.3.3 (c), 5.2.4)."""
    number = crl.get(CrlNumber)
    if number is None:
        return None
    found = [one for one in case.policy.crls if _fits(one, crl, number.number) and not _crl_fault(one, case)]
    return max(found, key=_number, default=None)


def _number(crl: Crl) -> int:
    number = crl.get(CrlNumber)
    return number.number if number else -1


def _fits(delta: Crl, crl: Crl, number: int) -> bool:
    base = delta.get(DeltaCrlIndicator)
    if base is None or delta.issuer != crl.issuer:
        return False
    same_scope = delta.get(IssuingDistributionPoint) == crl.get(IssuingDistributionPoint)
    same_key = delta.get(AuthorityKeyIdentifier) == crl.get(AuthorityKeyIdentifier)
    return same_scope and same_key and base.base_number <= number <= _number(delta)


def _entry(crl: Crl, delta: Crl | None, certificate: Certificate) -> RevokedCertificate | None:
    """The entry that counts, which is the delta's where it has one; None where the certificate is not revoked."""
    entry = delta.find(certificate.issuer, certificate.serial_number) if delta else None
    if entry is None:
        entry = crl.find(certificate.issuer, certificate.serial_number)
    return None if entry is not None and entry.reason == REMOVE_FROM_CRL else entry
