"""Whether certificates of a path are revoked: what is asked of CRLs and OCSP responses, and what their answers come to.

Nothing is fetched here: CRLs and responses are arguments. The verifier calls `Revocation.check` for each certificate of a path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from puretls.crypto.keys import PublicKey, RsaPublicKey, is_too_large
from puretls.errors import DecodeError, UsageError
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import TlsFeature
from puretls.x509.crl import Crl
from puretls.x509.keys.algorithms import WEAK_HASHES, AlgorithmIdentifier, signature_algorithm
from puretls.x509.path.checks import time_text
from puretls.x509.path.status import StatusContext, Verify
from puretls.x509.reports.report import Fault

OFF, SOFT, LEAF, HARD = MODES = ("off", "soft", "leaf", "hard")
STATUS_REQUEST = 5
"""The TLS extension that a must-staple certificate names (RFC 7633 4.2.3.1)."""
DEFAULT_MAX_AGE = 7 * 86_400
"""Seconds for which an answer without nextUpdate is believed."""
SERIAL = "tbs_certificate.serial_number"
"""What a report points at."""


class Status(Enum):
    """RFC 6960 2.2; a CRL gives the first two, absence of answers the third."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@frozen
class Answer:
    """What is known of one certificate. `sentence` says why; `reason` is a CRLReason, `time` that of revocation."""

    status: Status
    sentence: str
    time: int | None = None
    reason: int | None = None


@frozen
class Revocation:
    """What to ask, of what: the verifier's `RevocationChecker`. Times in seconds.

    `mode`: "off"; "soft", where silence is accepted; "leaf", where it is not for the leaf; "hard", where it is for none but the
    anchor. A certificate that is known to be revoked is refused in all modes but "off".
    `certificates` may hold signers of CRLs that are not in the path; they are trusted only as far as the path vouches for them.
    `max_age` counts from thisUpdate and applies besides nextUpdate (None: only where that is missing, and then
    `DEFAULT_MAX_AGE`); `skew` is how far in the future an answer may be made, by clocks that differ.
    """

    mode: str = SOFT
    crls: tuple[Crl, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    max_age: int | None = None
    skew: int = 300

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"no revocation mode {self.mode!r}: there are {', '.join(MODES)}")

    def check(self, certificate: Certificate, issuer: Certificate, context: StatusContext) -> Iterator[Fault]:
        """Faults of the rules "revoked", "revocation-unknown" and "must-staple" (where a response came, but not a good one)."""
        assert issuer is context.path[context.index + 1]
        stapled = context.ocsp_response if context.index == 0 else None
        if self.mode in {OFF, SOFT} and not (stapled or self.crls or self.ocsp_responses):
            return  # nobody to ask, and silence is accepted
        policy = replace(self, certificates=(*self.certificates, *context.presented)) if context.presented else self
        case = Case(
            certificate, context.path[context.index + 1 :], policy, context.time, SignatureChecker(context.verify, context.rules)
        )
        if stapled is not None and must_staple(certificate):
            yield from _staple_faults(case, stapled)
        if self.mode == OFF:
            return
        answer = revocation_status(case, stapled)
        if answer.status is Status.REVOKED:
            yield Fault("revoked", SERIAL, answer.sentence)
        elif answer.status is Status.UNKNOWN and (self.mode == HARD or (self.mode == LEAF and context.index == 0)):
            yield Fault("revocation-unknown", SERIAL, answer.sentence)

    def date_fault(self, this_update: int, next_update: int | None, now: float) -> str:
        """Empty where an answer of these dates counts now (RFC 5280 6.3.3, RFC 6960 4.2.2.1), else a sentence."""
        if this_update > now + self.skew:
            return f"is of the future: it was made on {time_text(this_update)}"
        if next_update is not None and next_update < now:
            return f"is out of date: the next was due on {time_text(next_update)}"
        oldest = self.max_age if self.max_age is not None or next_update is not None else DEFAULT_MAX_AGE
        if oldest is not None and now - this_update > oldest:
            return f"is too old: it was made on {time_text(this_update)}"
        return ""


@frozen
class SignatureChecker:
    """Verifies CRLs and responses under the rules on algorithms and keys of certificates; `rules`: ids of those that hold."""

    verify: Verify
    rules: frozenset[str]

    def fault(self, signer: Certificate, identifier: AlgorithmIdentifier, tbs: bytes, signature: bytes) -> str:
        """Empty where the signature is right and its algorithm and key are acceptable, else a sentence."""
        try:
            algorithm = signature_algorithm(identifier)
            key = signer.public_key
        except DecodeError as bad:
            return f"cannot be verified: {bad.message}"
        if algorithm.hash in WEAK_HASHES and algorithm.hash in self.rules:
            return f"is signed with {identifier}"
        return self._size_fault(key) or (
            "" if self.verify(algorithm, key, tbs, signature) else "has a signature that does not verify"
        )

    def _size_fault(self, key: PublicKey) -> str:
        if not isinstance(key, RsaPublicKey):
            return ""
        bits = key.n.bit_length()
        if (bits < 2048 and "rsa-size" in self.rules) or is_too_large(key):
            return f"is signed by an RSA key of {bits} bits"
        return ""


@frozen
class Case:
    """One certificate in question. `above`: its issuer and what follows that in the path, up to the anchor."""

    certificate: Certificate
    above: tuple[Certificate, ...]
    policy: Revocation
    time: float
    checker: SignatureChecker
    depth: int = 2
    """How many times the signer of an answer is itself asked after."""

    @property
    def issuer(self) -> Certificate:
        """Who issued the certificate."""
        return self.above[0]


def must_staple(certificate: Certificate) -> bool:
    """Whether it may only be used with a stapled OCSP response (RFC 7633 4.2.3.1)."""
    feature = certificate.get(TlsFeature)
    return feature is not None and STATUS_REQUEST in feature.features


def _staple_faults(case: Case, stapled: bytes) -> Iterator[Fault]:
    from puretls.x509.ocsp import ocsp_status

    answer = ocsp_status(case, stapled)
    if answer.status is Status.UNKNOWN:
        yield Fault("must-staple", "tbs_certificate.extensions", f"a good OCSP response is demanded, but {answer.sentence}")


def revocation_status(case: Case, stapled: bytes | None = None) -> Answer:
    """All that CRLs and responses say of one certificate: revoked if any says so, else good if any does, else unknown and why."""
    from puretls.x509.ocsp import ocsp_status
    from puretls.x509.revocation.crls import crl_status

    responses = case.policy.ocsp_responses if stapled is None else (stapled, *case.policy.ocsp_responses)
    answers = [ocsp_status(case, response) for response in responses]
    if case.policy.crls or not answers:
        answers.append(crl_status(case))
    for status in (Status.REVOKED, Status.GOOD):
        for answer in answers:
            if answer.status is status:
                return answer
    return Answer(Status.UNKNOWN, "; ".join(dict.fromkeys(answer.sentence for answer in answers)))


def revoked_sentence(source: str, time: int, reason: str) -> str:
    """How a revocation reads."""
    return f"revoked on {time_text(time)} ({reason}), says {source}"
