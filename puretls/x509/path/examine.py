"""The examination of certificates and paths: which faults they have, under the rules that are switched on.

The checks on single certificates are in `checks`; here they are asked for with a `Question` in mind, remembered where they depend on
nothing else, and joined by what only a whole path can show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import PublicKey, weight
from puretls.crypto.provider import BatchVerify, Provider
from puretls.crypto.signatures import SignatureAlgorithm
from puretls.der import oids
from puretls.der.memo import Memo
from puretls.errors import DecodeError
from puretls.values import field, frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import BasicConstraints, KeyUsageBit, NameConstraints, TlsFeature
from puretls.x509.hostname import Reference, covered
from puretls.x509.keys.algorithms import allows
from puretls.x509.names.general import GeneralName, GeneralNameKind
from puretls.x509.path.budgets import BudgetExceeded, Budgets, Meter
from puretls.x509.path.checks import copied_faults, static_faults
from puretls.x509.path.constraints import Constraints, Violation
from puretls.x509.path.finder import KeyMatch, Path, key_match
from puretls.x509.path.place import Role, place
from puretls.x509.path.policy import PolicyInputs, policy_fault
from puretls.x509.path.purposes import STATUS_REQUEST, key_usage_faults, purpose_faults, validity_faults
from puretls.x509.path.status import RevocationChecker, StatusContext
from puretls.x509.path.together import KnownSignatures, Link, link, unknown_signatures
from puretls.x509.reports.findings import Fault, display_name

SHOWN_NAMES = 6
"""Names of a certificate shown in a message (CVE-2025-61729: error text must not grow with the certificate)."""
EXPLANATION = Budgets(signatures=24, steps=512, paths=48, work_per_byte=4)
MAX_FAULTS = 64
"""Faults of one certificate that are kept: the first is enough to refuse it, and a hostile one can have a million."""
_POLICY_EXTENSIONS = frozenset(
    {oids.CERTIFICATE_POLICIES, oids.POLICY_CONSTRAINTS, oids.POLICY_MAPPINGS, oids.INHIBIT_ANY_POLICY}
)
_KEY_RULES = frozenset({"public-key", "rsa-size", "rsa-breakable", "rsa-too-large"})
"""What an anchor that is nothing but a name and a key must meet still."""


@frozen
class Settings:
    """What does not change from one verification to the next."""

    provider: Provider
    profile: str
    rules: frozenset[str]
    switched_off: tuple[str, ...] = ()
    policies: PolicyInputs = field(default_factory=PolicyInputs)
    revocation: RevocationChecker | None = None
    budgets: Budgets = field(default_factory=Budgets)
    explanation: Budgets = EXPLANATION
    """What it may cost to say why nothing was accepted."""
    handled: frozenset[bytes] = frozenset()
    """Critical extensions that the caller processes."""
    random: RandomBytes | None = None
    """Multipliers by which signatures are verified together, on which no verdict depends; None: one by one."""


@frozen
class Question:
    """One leaf, and what it is wanted for."""

    leaf: Certificate
    time: float
    reference: Reference | None
    names: tuple[GeneralName, ...]
    purposes: tuple[bytes, ...]
    some_usage: frozenset[KeyUsageBit]
    every_usage: frozenset[int]
    max_intermediates: int | None
    ocsp_response: bytes | None


class Caches:
    """What verifications leave for those after them: pure functions of bytes, so nothing in here can go stale."""

    __slots__ = ("faults", "signatures", "statuses")

    def __init__(self) -> None:
        self.signatures: KnownSignatures = Memo(1024)
        self.faults: Memo[tuple[object, ...], tuple[Fault, ...]] = Memo(512)
        self.statuses: Memo[tuple[object, ...], bool] = Memo(32)
        """Right signatures of CRLs and OCSP responses. Python hashes bytes once: a CRL of megabytes is found by its place in memory."""


class Examiner:
    """Examines for one question; `meter` counts what it costs. All faults it yields are under rules that are switched on.

    What the examiner `before` has compared for the same question is not compared again.
    """

    def __init__(
        self, settings: Settings, caches: Caches, question: Question, meter: Meter, before: Examiner | None = None
    ) -> None:
        self.settings = settings
        self.caches = caches
        self.question = question
        self.meter = meter
        self._constraints: dict[bytes, Constraints] = before._constraints if before else {}
        self._violations: dict[tuple[bytes, bytes], tuple[Violation, ...]] = before._violations if before else {}
        self._tried_together = before is not None

    def own_faults(self, certificate: Certificate, role: Role) -> Iterator[Fault]:
        """Those of a certificate in its place, whatever the path; under rules that are switched on."""
        key = certificate.fingerprint, role, self.settings.rules, self.settings.handled
        static = self.caches.faults.get(key)
        if static is None:
            counted = (f for f in static_faults(certificate, role) if self._counts(f, certificate, role))
            static = tuple(islice(counted, MAX_FAULTS))
            self.caches.faults.put(key, static)
        yield from static
        yield from (f for f in self._asked_faults(certificate, role) if f.rule in self.settings.rules)

    def _counts(self, fault: Fault, certificate: Certificate, role: Role) -> bool:
        if fault.rule not in self.settings.rules or (
            fault.rule == "unknown-critical-extension" and self._is_handled(fault, certificate)
        ):
            return False
        if role is Role.ANCHOR and fault.rule not in _KEY_RULES and "anchor-constraints" not in self.settings.rules:
            return False
        # What its own key has signed needs no identifier of another key (RFC 5280 4.2.1.1)
        own = fault.rule == "authority-key-identifier" and role is not Role.LEAF and self.is_signed_by(certificate, certificate)
        return not own

    def _is_handled(self, fault: Fault, certificate: Certificate) -> bool:
        return any(e.path == fault.path and e.oid in self.settings.handled for e in certificate.extensions)

    def _asked_faults(self, certificate: Certificate, role: Role) -> Iterator[Fault]:
        question = self.question
        if role is not Role.ANCHOR or "anchor-validity" in self.settings.rules:
            yield from validity_faults(certificate, question.time)
        if role is not Role.ANCHOR or "anchor-constraints" in self.settings.rules:
            yield from purpose_faults(certificate, question.purposes, role)
        if role is Role.LEAF:
            yield from key_usage_faults(certificate, question.some_usage, question.every_usage)
            yield from self._name_faults(certificate)
            feature = certificate.get(TlsFeature)
            if feature is not None and STATUS_REQUEST in feature.features and question.ocsp_response is None:
                where = place(certificate, oids.TLS_FEATURE)
                yield Fault("must-staple", where, "must come with a stapled OCSP response, and came without")

    def _name_faults(self, leaf: Certificate) -> Iterator[Fault]:
        names = leaf.subject_alt_names
        reference = self.question.reference
        if reference is not None and not covered(reference, names):
            yield Fault("wrong-host", place(leaf, oids.SUBJECT_ALT_NAME), f"{presented_names(names)}, not for {reference}")
        for wanted in self.question.names:
            if not any(_same(wanted, name) for name in names):
                where = place(leaf, oids.SUBJECT_ALT_NAME)
                yield Fault("wrong-name", where, f"{presented_names(names, hosts=False)}, not for {wanted}")

    def path_faults(self, path: Path) -> Iterator[tuple[int, Fault]]:
        """Those of a complete path: its length, the constraints of its CAs, its policies."""
        rules = self.settings.rules
        return ((index, fault) for index, fault in self._path_faults(path) if fault.rule in rules)

    def _path_faults(self, path: Path) -> Iterator[tuple[int, Fault]]:
        yield from self._length_faults(path)
        yield from self._identifier_faults(path)
        yield from self._constraint_faults(path)
        from_anchor = len(path) > 1 and self._binds_policies(path[-1])
        downwards = path[::-1] if from_anchor or len(path) == 1 else path[-2::-1]
        fault = policy_fault(downwards, self.settings.policies, from_anchor=from_anchor)
        if fault is not None:
            index, sentence = fault
            where = place(downwards[index], oids.CERTIFICATE_POLICIES)
            yield len(downwards) - 1 - index, Fault("policy", where, sentence)

    def _binds_policies(self, anchor: Certificate) -> bool:
        """Whether the policy extensions of an anchor take part (RFC 5937 3.2); one without any stands for all policies."""
        return "anchor-constraints" in self.settings.rules and any(e.oid in _POLICY_EXTENSIONS for e in anchor.extensions)

    def _identifier_faults(self, path: Path) -> Iterator[tuple[int, Fault]]:
        for index, (child, issuer) in enumerate(pairwise(path)):
            yield from ((index, fault) for fault in copied_faults(child, issuer))
            if key_match(child, issuer) is KeyMatch.OTHER:
                where = place(child, oids.AUTHORITY_KEY_IDENTIFIER, "key_identifier")
                yield index, Fault("key-identifier-match", where, f"names another key than that of {display_name(issuer)}")

    def _length_faults(self, path: Path) -> Iterator[tuple[int, Fault]]:
        """RFC 5280 6.1.4 (l) and (m): self-issued certificates do not count."""
        allowed, limiting = len(path), path[-1]
        for index in range(len(path) - 1, 0, -1):
            certificate = path[index]
            if not certificate.is_self_issued and index < len(path) - 1:
                if allowed <= 0:
                    yield index, Fault("path-length", place(certificate, oids.BASIC_CONSTRAINTS),
                                       f"is one CA more than {display_name(limiting)} allows below it")  # fmt: skip
                allowed -= 1
            constraints = certificate.get(BasicConstraints)
            limit = constraints.path_len_constraint if constraints is not None else None
            if limit is not None and limit < allowed and (index < len(path) - 1 or "anchor-constraints" in self.settings.rules):
                allowed, limiting = limit, certificate
        logical = sum(not c.is_self_issued for c in path[1:-1])
        if self.question.max_intermediates is not None and logical > self.question.max_intermediates:
            yield 1, Fault("chain-length", "", f"{logical} intermediates, {self.question.max_intermediates} are allowed here")

    def _constraint_faults(self, path: Path) -> Iterator[tuple[int, Fault]]:
        top = len(path) - (1 if "anchor-constraints" in self.settings.rules else 2)
        for above in range(top, 0, -1):
            extension = path[above].get(NameConstraints)
            if extension is None:
                continue
            below = [i for i in range(above) if i == 0 or not path[i].is_self_issued]
            constraints = self._constraints_of(path[above], extension)
            for index in below:
                self._compare(path, above, index)
            for fault in constraints.faults[:SHOWN_NAMES]:
                yield above, Fault("name-constraints-unprocessable", place(path[above], oids.NAME_CONSTRAINTS), fault)
            for index in below:
                for violation in self._violations[path[above].fingerprint, path[index].fingerprint]:
                    rule = "name-constraints" if violation.processed else "name-constraints-unprocessable"
                    yield index, Fault(rule, violation.path, f"{violation.sentence} by {display_name(path[above])}")

    def _constraints_of(self, certificate: Certificate, extension: NameConstraints) -> Constraints:
        made = self._constraints.get(certificate.fingerprint)
        if made is None:
            made = self._constraints[certificate.fingerprint] = Constraints(extension)
        return made

    def _compare(self, path: Path, above: int, index: int) -> None:
        """Looks the names of one certificate up in the constraints of one above it: once, in however many paths they meet."""
        pair = path[above].fingerprint, path[index].fingerprint
        if pair in self._violations:
            return
        constraints, certificate = self._constraints[path[above].fingerprint], path[index]
        try:
            self.meter.spend("name_comparisons", constraints.comparisons(certificate), work=len(certificate.raw) // 4)
        except BudgetExceeded as spent:
            raise BudgetExceeded(str(spent), certificate, index) from None
        self._violations[pair] = tuple(islice(constraints.violations(certificate), MAX_FAULTS))

    def signature_faults(self, path: Path, skip: frozenset[int] = frozenset()) -> Iterator[tuple[int, Fault]]:
        """From the anchor down: until a signature is verified, nothing is known of the key below."""
        self._verify_together(path)
        for index in range(len(path) - 2, -1, -1):
            if index not in skip and not self.is_signed_by(path[index], path[index + 1]):
                yield index, Fault("signature", "signature_value",
                                   f"the signature does not verify with the key of {display_name(path[index + 1])}")  # fmt: skip

    def link(self, child: Certificate, issuer: Certificate) -> Link:
        """What a remembered signature is found by."""
        return link(self.settings.provider, child, issuer)

    def is_signed_by(self, child: Certificate, issuer: Certificate) -> bool:
        link = self.link(child, issuer)
        known = self.caches.signatures.get(link)
        if known is None:
            try:
                algorithm = child.signature_algorithm
                known = allows(issuer.spki, algorithm) and self._verify(algorithm, issuer.public_key, child.tbs, child.signature)
            except DecodeError:
                known = False
            self.caches.signatures.put(link, known)
        return known

    def _verify_together(self, path: Path) -> None:
        """Remembers the signatures of the first path that are found right together. All others wait to be verified one by one.

        Once a question: what cannot be accepted costs no more than that, and its faults are found as ever.
        """
        provider, random, known = self.settings.provider, self.settings.random, self.caches.signatures
        if self._tried_together or random is None or not isinstance(provider.verify, BatchVerify):
            return
        self._tried_together = True
        unknown = list(unknown_signatures(path, provider, known))
        if len(unknown) < 2:
            return
        for (found, signed), right in zip(unknown, provider.verify.together([u.signed for u in unknown], random), strict=True):
            if right:
                self._spend_on(signed[1])
                known.put(found, True)

    def _verify(self, algorithm: SignatureAlgorithm, key: PublicKey, message: bytes, signature: bytes) -> bool:
        self._spend_on(key)
        return self.settings.provider.verify(algorithm, key, message, signature)

    def _verify_status(self, algorithm: SignatureAlgorithm, key: PublicKey, message: bytes, signature: bytes) -> bool:
        """The signature of a CRL or a response. Only right ones are remembered: a peer fills no memory with what it makes up."""
        link = self.settings.provider.name, algorithm, key, message, signature
        if link in self.caches.statuses:
            return True
        right = self._verify(algorithm, key, message, signature)
        if right:
            self.caches.statuses.put(link, True)
        return right

    def _spend_on(self, key: PublicKey) -> None:
        self.meter.spend("signatures")
        self.meter.spend("signature_work", weight(key))

    def status_faults(self, path: Path, pool: Iterable[Certificate]) -> Iterator[tuple[int, Fault]]:
        """What a revocation checker says; `pool` may hold signers of CRLs."""
        checker = self.settings.revocation
        if checker is None:
            return
        presented = tuple(c for c in pool if c not in path and c.is_sound)
        for index in range(len(path) - 1):
            stapled = self.question.ocsp_response if index == 0 else None
            context = StatusContext(path, index, self.question.time, self._verify_status, self.settings.rules, stapled, presented)
            found = checker.check(path[index], path[index + 1], context)
            yield from ((index, fault) for fault in found if fault.rule in self.settings.rules)


def unusable(faults: Iterable[tuple[int, Fault]]) -> frozenset[int]:
    """Certificates whose signature is not worth computing, or dangerous to: by an algorithm or a key that is refused anyway."""
    return frozenset(
        index - 1 if fault.rule in _KEY_RULES else index
        for index, fault in faults
        if fault.rule in _KEY_RULES or fault.rule in {"signature-algorithm", "md5"}
    )


def presented_names(names: tuple[GeneralName, ...], *, hosts: bool = True) -> str:
    """The names of a certificate for a message, some of them."""
    kinds = (GeneralNameKind.DNS, GeneralNameKind.IP)
    shown = [name for name in names if not hosts or name.kind in kinds]
    if not shown:
        return "has no name in subjectAltName (commonName does not count)" if hosts else "has no name in subjectAltName"
    more = f" and {len(shown) - SHOWN_NAMES} more" if len(shown) > SHOWN_NAMES else ""
    return "is for " + ", ".join(str(name).removeprefix("DNS ") for name in shown[:SHOWN_NAMES]) + more


def _same(wanted: GeneralName, name: GeneralName) -> bool:
    """Equality of names by kind; hosts and domains of mail addresses without regard to case, local parts with it."""
    if wanted.kind != name.kind:
        return False
    if isinstance(wanted.value, str) and isinstance(name.value, str):
        return _folded(wanted.kind, wanted.value) == _folded(name.kind, name.value)
    return wanted.value == name.value


def _folded(kind: GeneralNameKind, text: str) -> str:
    if kind is GeneralNameKind.DNS:
        return text.lower()
    if kind is GeneralNameKind.RFC822:
        local, at, host = text.rpartition("@")
        return local + at + host.lower()
    return text
