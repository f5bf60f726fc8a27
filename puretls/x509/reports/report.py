"""The verdict of validation with all its findings; `Report.explain` puts it into words."""

from __future__ import annotations

from collections.abc import Iterator

from puretls.der.times import time_text
from puretls.iana import AlertDescription
from puretls.text import printable_lines
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import AuthorityKeyIdentifier, SubjectKeyIdentifier
from puretls.x509.reports.findings import Finding, TriedPath, display_name, reach_anchor

MAX_FINDINGS = 16
"""Findings that a report shows at length."""


@frozen
class Report:
    """The outcome of validation. `path`: the accepted path, leaf first, or the one that got furthest. `findings`: none if accepted."""

    accepted: bool
    path: tuple[Certificate, ...]
    findings: tuple[Finding, ...]
    tried: tuple[TriedPath, ...] = ()
    profile: str = "default"
    switched_off: tuple[str, ...] = ()
    """Rules of the profile that did not count, by name."""
    signatures: int = 0
    """Signatures computed, not counting those remembered."""
    steps: int = 0
    """Candidate issuers looked at."""

    @property
    def alert(self) -> AlertDescription | None:
        """The alert that tells the peer of a refusal; None when accepted."""
        return None if self.accepted else self.findings[0].rule.alert

    @property
    def reaches_anchor(self) -> bool:
        """Whether the path ends at a trust anchor; where it does not, another set of anchors may help."""
        return reach_anchor(self.findings)

    def names_another_key(self, finding: Finding) -> bool:
        """Whether a signature does not verify because it is of another key than the issuer's, as the key identifiers say (4.2.1.1).

        So it is with an authority that was made anew under its old name. To OpenSSL the issuer is missing then.
        """
        if finding.id != "signature" or finding.index is None or finding.index + 1 >= len(self.path):
            return False
        wanted = self.path[finding.index].get(AuthorityKeyIdentifier)
        found = self.path[finding.index + 1].get(SubjectKeyIdentifier)
        if wanted is None or found is None:
            return False
        return wanted.key_identifier not in (None, found.key_identifier)

    def __str__(self) -> str:
        if self.accepted:
            chain = " <- ".join(display_name(c) for c in self.path[:4])
            return f"verified: {chain}" + (" <- ..." if len(self.path) > 4 else "")
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        return f"{self.findings[0]}{more}"

    def as_dict(self) -> dict[str, object]:
        """The report for machines, ready for `json.dumps`; certificates by their SHA-256."""
        return {
            "accepted": self.accepted,
            "alert": None if self.alert is None else self.alert.name.lower(),
            "profile": self.profile,
            "switched_off": list(self.switched_off),
            "path": [certificate.fingerprint.hex() for certificate in self.path],
            "findings": [finding.as_dict() for finding in self.findings],
            "tried": [
                {"path": [c.fingerprint.hex() for c in tried.path], "rules": [finding.id for finding in tried.findings]}
                for tried in self.tried
            ],
            "signatures": self.signatures,
            "steps": self.steps,
        }

    def explain(self) -> str:
        """Everything, over many lines: verdict, path, each finding with its bytes and what mends it, and the other paths tried."""
        return printable_lines(_report_lines(self))


# In words


def _report_lines(report: Report) -> Iterator[str]:
    alert = "" if report.alert is None else f" (alert {report.alert.name.lower()})"
    yield "accepted" if report.accepted else f"refused{alert}: {report.findings[0]}"
    rules = f"rules: {report.profile}"
    yield rules + (f", without {', '.join(report.switched_off)}" if report.switched_off else "")
    yield f"work: {report.signatures} signatures verified, {report.steps} candidate issuers looked at"
    if report.path:
        yield ""
        yield "path, from the peer upwards:"
        yield from _path_lines(report.path)
    for number, finding in enumerate(report.findings[:MAX_FINDINGS], 1):
        yield ""
        yield from _finding_lines(number, finding)
    if len(report.findings) > MAX_FINDINGS:
        yield ""
        yield f"and {len(report.findings) - MAX_FINDINGS} more findings"
    others = [tried for tried in report.tried if tried.path != report.path]
    if others:
        yield ""
        yield "also tried:"
        yield from (f"  {_tried_text(tried)}" for tried in others)


def _path_lines(path: tuple[Certificate, ...]) -> Iterator[str]:
    from puretls.x509.certificates.text import key_text  # words that a handshake never needs

    for index, certificate in enumerate(path):
        yield f"  {index}  {display_name(certificate)}"
        yield f"     {key_text(certificate)}; until {time_text(certificate.validity.not_after)}"


def _finding_lines(number: int, finding: Finding) -> Iterator[str]:
    yield f"{number}. {finding.id}: {finding}"
    if finding.path:
        where = finding.byte_range
        yield f"   where:  {finding.path}" + (f", bytes {where[0]} to {where[1] - 1}" if where else "")
    yield f"   rule:   {finding.rule.sentence} ({finding.rule.section})"
    yield f"   mend:   {finding.rule.mend}"


def _tried_text(tried: TriedPath) -> str:
    names = " <- ".join(display_name(c) for c in tried.path[:6])
    more = " <- ..." if len(tried.path) > 6 else ""
    return f"{names}{more}: {tried.findings[0].id if tried.findings else 'acceptable'}"
