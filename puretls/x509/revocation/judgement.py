"""What CRLs and OCSP responses come to for one certificate of a path, under a policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import TlsFeature
from puretls.x509.ocsp.fields import Status
from puretls.x509.path.purposes import STATUS_REQUEST
from puretls.x509.path.status import StatusContext
from puretls.x509.reports.findings import Fault
from puretls.x509.revocation.answers import Answer
from puretls.x509.revocation.case import Case, SignatureChecker
from puretls.x509.revocation.crls import crl_status
from puretls.x509.revocation.policy import HARD, LEAF, OFF, RevocationPolicy
from puretls.x509.revocation.responses import ocsp_status

SERIAL = "tbs_certificate.serial_number"
"""What a report points at."""


def revocation_faults(
    policy: RevocationPolicy, certificate: Certificate, context: StatusContext, stapled: bytes | None
) -> Iterator[Fault]:
    """Faults of the rules "revoked", "revocation-unknown" and "must-staple" (where a response came, but not a good one)."""
    if context.presented:
        policy = replace(policy, certificates=(*policy.certificates, *context.presented))
    checker = SignatureChecker(context.verify, context.rules)
    case = Case(certificate, context.path[context.index + 1 :], policy, context.time, checker)
    if stapled is not None and must_staple(certificate):
        yield from _staple_faults(case, stapled)
    if policy.mode == OFF:
        return
    answer = revocation_status(case, stapled)
    if answer.status is Status.REVOKED:
        yield Fault("revoked", SERIAL, answer.sentence)
    elif answer.status is Status.UNKNOWN and (policy.mode == HARD or (policy.mode == LEAF and context.index == 0)):
        yield Fault("revocation-unknown", SERIAL, answer.sentence)


def must_staple(certificate: Certificate) -> bool:
    """Whether it may only be used with a stapled OCSP response (RFC 7633 4.2.3.1)."""
    feature = certificate.get(TlsFeature)
    return feature is not None and STATUS_REQUEST in feature.features


def _staple_faults(case: Case, stapled: bytes) -> Iterator[Fault]:
    answer = ocsp_status(case, stapled)
    if answer.status is Status.UNKNOWN:
        yield Fault("must-staple", "tbs_certificate.extensions", f"a good OCSP response is demanded, but {answer.sentence}")


def revocation_status(case: Case, stapled: bytes | None = None) -> Answer:
    """All that CRLs and responses say of one certificate: revoked if any says so, else good if any does, else unknown and why."""
    responses = case.policy.ocsp_responses if stapled is None else (stapled, *case.policy.ocsp_responses)
    answers = [ocsp_status(case, response) for response in responses]
    if case.policy.crls or not answers:
        answers.append(crl_status(case))
    for status in (Status.REVOKED, Status.GOOD):
        for answer in answers:
            if answer.status is status:
                return answer
    return Answer(Status.UNKNOWN, "; ".join(dict.fromkeys(answer.sentence for answer in answers)))
