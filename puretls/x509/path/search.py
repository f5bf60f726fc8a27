"""The search for an acceptable path: finding, examining, and choosing what to report when there is none.

Two passes. The first follows only candidates without a fault of their own, examines each complete path cheaply, then verifies its
signatures from the anchor down, and takes the first path that has no fault at all. Only when there is none does the second pass
look again, at faulty candidates too, for the path to explain the refusal with. Nothing that the second pass finds is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from puretls.der import oids
from puretls.errors import DecodeError
from puretls.values import replace
from puretls.x509.certificates.certificate import Certificate, parse_remembered
from puretls.x509.certificates.extensions import AuthorityInfoAccess
from puretls.x509.names.distinguished import escape
from puretls.x509.path.budgets import BudgetExceeded, Meter
from puretls.x509.path.examine import MAX_FAULTS, Caches, Examiner, Question, Settings, unusable
from puretls.x509.path.finder import Candidate, End, Path, PathFinder, Pool
from puretls.x509.path.place import Role, is_self_signed
from puretls.x509.path.trust import TrustStore
from puretls.x509.reports.findings import Fault, Finding, TriedPath
from puretls.x509.reports.report import Report
from puretls.x509.reports.rules import RULES

MAX_UNUSED = 3
"""Faults of the files of trust anchors that a refusal for want of one tells."""
MAX_TRIED = 16
"""Paths kept for the report."""
FETCHES = 8
"""Calls of `fetch_issuers` in one verification, and certificates taken from each."""

class Search:
    """One verification."""

    def __init__(self, store: TrustStore, settings: Settings, caches: Caches, question: Question) -> None:
        self.store = store
        self.settings = settings
        self.caches = caches
        self.question = question
        self.pool: Pool = Pool()
        self.meter: Meter = Meter(settings.budgets, len(question.leaf.raw))
        self.examiner: Examiner = Examiner(settings, caches, question, self.meter)
        self.spent: Meter = Meter(settings.budgets)  # of the first pass, once the second has begun
        self.unreadable: list[Finding] = []
        self.dead_ends: dict[Certificate, None] = {}

    def present(self, index: int, data: bytes) -> None:
        """Takes in a certificate that may help; one in which not even a key can be found is kept for the report only."""
        self.meter.size += len(data)
        try:
            self.pool.add(parse_remembered(data))
        except DecodeError as bad:
            self.unreadable.append(Finding(RULES["malformed"], f"presented certificate {index}: {bad}"))

    def run(self, fetch: Callable[[Certificate], Iterable[bytes]] | None) -> Report:
        """The verdict."""
        try:
            path = self._accepted()
            while path is None and fetch is not None and self._fetched(fetch):
                path = self._accepted()
        except BudgetExceeded as spent:
            finding = Finding(RULES["budget"], f"path building was given up: {spent}", spent.certificate, spent.index)
            return self._refused([], finding)
        return self._report(path) if path else self._refused(self._explanations())

    # First pass

    def _accepted(self) -> Path | None:
        leaf = self.question.leaf
        if next(self.examiner.own_faults(leaf, Role.LEAF), None) is not None:
            return None
        if self._is_trusted_leaf(leaf) and self._is_acceptable((leaf,)):
            return (leaf,)
        for path, end in PathFinder(self.store, self.pool, self.meter, self._usable).paths(leaf):
            if end is End.ANCHOR and self._is_acceptable(path):
                return path
            if end is End.NOBODY:
                self.dead_ends[path[-1]] = None
        return None

    def _is_trusted_leaf(self, leaf: Certificate) -> bool:
        rules = self.settings.rules
        if leaf not in self.store or "trusted-leaf" in rules or next(self._limit_faults(leaf), None) is not None:
            return False
        return "trusted-leaf-self-signed" not in rules or (leaf.is_self_issued and self.examiner.is_signed_by(leaf, leaf))

    def _limit_faults(self, anchor: Certificate) -> Iterator[Fault]:
        """What the file of an anchor says against the purpose."""
        refused = self.store.refused_purpose(anchor, self.question.purposes)
        if refused is not None and "anchor-purpose" in self.settings.rules:
            yield Fault("anchor-purpose", "", f"is not trusted for {oids.describe(refused)} by the settings in its file")

    def _usable(self, path: Path, candidate: Candidate) -> bool:
        certificate = candidate.certificate
        if self.caches.signatures.get(self.examiner.link(path[-1], certificate)) is False:
            return False
        role = Role.ANCHOR if candidate.anchor else Role.INTERMEDIATE
        if candidate.anchor and next(self._limit_faults(certificate), None) is not None:
            return False
        return next(self.examiner.own_faults(certificate, role), None) is None

    def _is_acceptable(self, path: Path) -> bool:
        found = self.examiner
        stages = (found.path_faults(path), found.signature_faults(path), found.status_faults(path, self.pool))
        return all(next(faults, None) is None for faults in stages)

    def _fetched(self, fetch: Callable[[Certificate], Iterable[bytes]]) -> bool:
        """Asks for the issuers of dead ends; tells whether there is anything new."""
        new = False
        for certificate in list(self.dead_ends):
            if self.meter.fetches == FETCHES:
                break
            self.meter.fetches += 1
            for index, data in enumerate(islice(fetch(certificate), FETCHES)):
                self.meter.size += len(data)
                try:
                    new |= self.pool.add(parse_remembered(data))
                except DecodeError as bad:
                    self.unreadable.append(Finding(RULES["malformed"], f"fetched certificate {index}: {bad}"))
        self.dead_ends.clear()
        return new

    # Second pass

    def _explanations(self) -> list[TriedPath]:
        self.spent = self.meter
        meter = self.meter = Meter(replace(self.settings.explanation, intermediates=self.settings.budgets.intermediates), self.spent.size)
        self.examiner = Examiner(self.settings, self.caches, self.question, meter, before=self.examiner)
        tried: list[TriedPath] = []
        leaf = self.question.leaf
        try:
            if self._is_trusted_leaf(leaf):
                tried.append(self._examined((leaf,), End.ANCHOR))
            tried.extend(
                self._examined(path, end) for path, end in PathFinder(self.store, self.pool, meter, lambda p, c: True).paths(leaf)
            )
        except BudgetExceeded:
            pass  # what has been seen is enough to explain with
        return tried or [self._examined((leaf,), End.NOBODY)]

    def _examined(self, path: Path, end: End) -> TriedPath:
        last = len(path) - 1
        faults: list[tuple[int, Fault]] = []
        for index, certificate in enumerate(path):
            role = Role.LEAF if index == 0 else Role.ANCHOR if end is End.ANCHOR and index == last else Role.INTERMEDIATE
            faults.extend((index, fault) for fault in self.examiner.own_faults(certificate, role))
        if end is End.ANCHOR:
            faults.extend((last, fault) for fault in self._limit_faults(path[-1]))
            faults.extend(islice(self.examiner.path_faults(path), MAX_FAULTS))
            with suppress(BudgetExceeded):  # what is known by then is told
                broken = list(self.examiner.signature_faults(path, unusable(faults)))
                # Revocation says nothing about a path that is not what it seems
                faults.extend(broken or self.examiner.status_faults(path, self.pool))
        else:
            faults.append((last, self._end_fault(path, end)))
        findings = (Finding(RULES[fault.rule], fault.sentence, path[index], index, fault.path, fault.offset) for index, fault in faults)
        return TriedPath(path, tuple(sorted(findings, key=lambda f: -f.rule.rank))[:MAX_FAULTS])

    def _end_fault(self, path: Path, end: End) -> Fault:
        last = path[-1]
        if end is End.TOO_LONG:
            return Fault("chain-length", "", f"more than {self.settings.budgets.intermediates} intermediates and no trust anchor yet")
        if is_self_signed(last):
            what = "a self-signed certificate" if len(path) == 1 else "a self-signed root"
            return Fault("self-signed", "tbs_certificate.issuer", f"{what} that is not among the trust anchors")
        where = _issuer_uri(last)
        return Fault("unknown-issuer", "tbs_certificate.issuer",
                     f"its issuer ({last.issuer}) is neither a trust anchor nor among the certificates presented"
                     + (f"; it should be at {escape(where)}" if where else ""))  # fmt: skip

    # Reports

    def _report(self, path: Path) -> Report:
        settings = self.settings
        return Report(True, path, (), (TriedPath(path, ()),), settings.profile, settings.switched_off,
                      self.meter.signatures, self.meter.steps)  # fmt: skip

    def _refused(self, tried: list[TriedPath], first: Finding | None = None) -> Report:
        settings = self.settings
        ordered = sorted(tried, key=_distance)
        best = ordered[0] if ordered else TriedPath((self.question.leaf,), ())
        findings = best.findings
        if not best.complete:  # what cannot be read may be what is missed, and is the graver fault
            findings = tuple(sorted((*self.unreadable, *findings), key=lambda finding: -finding.rule.rank))
            unused = self.store.faults[:MAX_UNUSED]
            findings += tuple(Finding(RULES["anchors"], f"not among the trust anchors: {fault}") for fault in unused)
        findings = ((first,) if first else ()) + findings
        findings = findings or (Finding(RULES["unknown-issuer"], "no acceptable path"),)  # a refusal always has a reason
        return Report(False, best.path, findings, tuple(ordered[:MAX_TRIED]), settings.profile, settings.switched_off,
                      self.spent.signatures + self.meter.signatures, self.spent.steps + self.meter.steps)  # fmt: skip


def _issuer_uri(certificate: Certificate) -> str:
    """Where the certificate says that its issuer's is to be had (RFC 5280 4.2.2.1); empty if it does not say."""
    access = certificate.get(AuthorityInfoAccess)
    locations = (d.location.value for d in access.descriptions if d.method == oids.ACCESS_CA_ISSUERS) if access else ()
    return next((location for location in locations if isinstance(location, str)), "")


def _distance(tried: TriedPath) -> tuple[bool, bool, int, int, int]:
    """How far a path is from acceptance: without anchor, with a bad signature, many findings, grave ones, short."""
    rules = {finding.id for finding in tried.findings}
    gravest = max((finding.rule.rank for finding in tried.findings), default=0)
    return not tried.complete, "signature" in rules, len(tried.findings), gravest, -len(tried.path)
