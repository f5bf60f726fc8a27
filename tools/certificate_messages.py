"""Write the messages of refused certificates into the manual: `python tools/certificate_messages.py [--check]`.

A development CA with fixed time and fixed "randomness" makes one chain for each fault; what the verifier says of it, in one line and
explained, goes between the markers of puretls/manual/certificates.md. With `--check` nothing is written, and the exit status says
whether the page is up to date.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from puretls.ca import DAY, DevelopmentCa, Issued
from puretls.crypto.provider import default
from puretls.x509 import drafts
from puretls.x509.crl import Crl
from puretls.x509.reports.report import Report
from puretls.x509.revocation import Revocation
from puretls.x509.verifier import ChainRequest, chain_verifier

PAGE = Path(__file__).resolve().parent.parent / "puretls" / "manual" / "certificates.md"
BEGIN, END = "<!-- messages: begin -->\n", "<!-- messages: end -->\n"
NOW = 1_790_000_000  # 2026-09-21
HOST = "www.example.test"


def fixed(label: str) -> Callable[[int], bytes]:
    """Bytes that are the same at every run: for a manual, and for nothing else."""
    numbers = iter(range(1 << 30))
    return lambda length: hashlib.shake_256(f"{label} {next(numbers)}".encode()).digest(length)


def cases() -> Iterator[tuple[str, Report]]:
    """One refused chain for each fault that a person meets."""
    ca = DevelopmentCa.create(fixed("ca"), NOW, organization="Example")
    leaf = ca.issue([HOST, "example.test"])
    root = ca.root.certificate

    def report(
        issued: Issued, *, anchors: tuple[bytes, ...] = (root,), host: str = HOST, revocation: Revocation | None = None
    ) -> Report:
        verifier = chain_verifier(anchors, provider=default(), revocation=revocation)
        return verifier(ChainRequest(issued.chain, "server", host, NOW))

    def changed(**fields: object) -> Issued:
        return ca.issued(replace(leaf.draft, **fields), leaf.key)

    stranger = DevelopmentCa.create(fixed("stranger"), NOW, organization="Somebody else").issue([HOST])
    ordinary = ca.issue(["ordinary.example.test"])
    below = replace(
        ca, intermediate=replace(ca.root, certificate=ordinary.certificate, key=ordinary.key, name=ordinary.draft.subject)
    )
    forged = below.issue([HOST])
    signer = drafts.Signer(leaf.key, ca.random, ca.provider)
    self_signed = replace(
        leaf, chain=(replace(leaf.draft, issuer=leaf.draft.subject, extensions=leaf.draft.extensions[:-1]).signed(signer),)
    )
    yield "expired", report(changed(not_before=NOW - 400 * DAY, not_after=NOW - 3 * DAY))
    yield "not yet valid", report(changed(not_before=NOW + DAY))
    yield "wrong host", report(leaf, host="shop.example.test")
    yield "unknown issuer", report(stranger)
    yield "self-signed", report(self_signed)
    yield "missing intermediate", report(replace(leaf, chain=leaf.chain[:1]))
    yield "not a CA", report(replace(forged, chain=(*forged.chain, ca.issuer.certificate)))
    yield "wrong purpose", report(ca.issue([HOST], usage="client"))
    yield "revoked", report(leaf, revocation=Revocation(crls=(Crl.parse(ca.crl([leaf.certificate], reason=1)),)))


def explained_text(report: Report) -> str:
    """The explanation, without the count of work done, which says nothing to a reader of the manual."""
    return "\n".join(line for line in report.explain().splitlines() if not line.startswith("work: "))


def section() -> str:
    """The part of the page between the markers."""
    lines = ["| fault | what it says in one line |", "|---|---|"]
    explained = []
    for name, report in cases():
        assert not report.accepted, name
        lines.append(f"| {name} | `{report}` |")
        explained.append(f"### {name[0].upper()}{name[1:]}\n\n```text\n{explained_text(report)}\n```\n")
    return "\n".join(["", *lines, "", "And with `--explain`:", "", *explained])


def main() -> int:
    """Write or check."""
    text = PAGE.read_text()
    start, stop = text.index(BEGIN) + len(BEGIN), text.index(END)
    new = text[:start] + section() + text[stop:]
    if "--check" in sys.argv:
        return int(new != text)
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
