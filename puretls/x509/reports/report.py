"""What validation has to say: every finding, where it is, what demands it, what mends it; and the verdict."""

from __future__ import annotations

from typing import NamedTuple

from puretls.iana import AlertDescription
from puretls.text import printable
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.reports.rules import Rule


class Fault(NamedTuple):
    """A violation as a check sees it: the rule's id, the field's path below `Certificate`, a sentence with the values.

    `offset`: of the byte at fault, where one byte is.
    """

    rule: str
    path: str
    sentence: str
    offset: int | None = None


@frozen
class Finding:
    """A violation in its place. `index` counts from the leaf, 0; None, with `certificate` None, where no certificate is at fault."""

    rule: Rule
    sentence: str
    certificate: Certificate | None = None
    index: int | None = None
    path: str = ""
    """The field, as in the certificate's spans: "tbs_certificate.validity.not_after"."""
    offset: int | None = None
    """The byte of the certificate's DER at fault, where one is; `byte_range` is of the whole field."""

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id

    @property
    def subject(self) -> str:
        """The subject of the certificate, for people; where it has none, a name from subjectAltName."""
        return display_name(self.certificate) if self.certificate is not None else ""

    @property
    def byte_range(self) -> tuple[int, int] | None:
        """Start and end of the field in the certificate's DER, tag and length included; None where no field is named."""
        return self.certificate.locate(self.path) if self.certificate is not None and self.path else None

    def __str__(self) -> str:
        place = "" if self.certificate is None else f"certificate {self.index} ({self.subject}): "
        return place + printable(self.sentence)

    def as_dict(self) -> dict[str, object]:
        """The finding for machines: numbers, strings, None and a list."""
        return {
            "rule": self.id,
            "certificate": self.index,
            "subject": self.subject,
            "field": self.path,
            "bytes": list(self.byte_range or ()),
            "offset": self.offset,
            "sentence": self.sentence,
            "demanded": self.rule.sentence,
            "section": self.rule.section,
            "mend": self.rule.mend,
            "alert": self.rule.alert.name.lower(),
        }


def display_name(certificate: Certificate) -> str:
    """A certificate's subject on one line, or its first alternative name where the subject is empty."""
    if certificate.subject:
        return str(certificate.subject)
    names = certificate.subject_alt_names
    return str(names[0]) if names else "no name"


@frozen
class TriedPath:
    """A path that was looked at, leaf first, and what spoke against it."""

    path: tuple[Certificate, ...]
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether it reached a trust anchor."""
        return not any(f.id in {"unknown-issuer", "self-signed"} for f in self.findings)


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
        from puretls.x509.reports.text import report_text

        return report_text(self)
