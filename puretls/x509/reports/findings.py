"""Findings: which rule a certificate breaks, in which field, and what mends it."""

from __future__ import annotations

from typing import NamedTuple

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


def reach_anchor(findings: tuple[Finding, ...]) -> bool:
    """Whether these findings are about a path that ends at a trust anchor."""
    return not any(finding.id in {"unknown-issuer", "self-signed"} for finding in findings)


@frozen
class TriedPath:
    """A path that was looked at, leaf first, and what spoke against it."""

    path: tuple[Certificate, ...]
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether it reached a trust anchor."""
        return reach_anchor(self.findings)
