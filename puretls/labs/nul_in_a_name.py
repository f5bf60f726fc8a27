"""Lab 14: a NUL in a name (CVE-2009-2408): an authority reads it to its end, a client up to the NUL.

The weak client verifies the chain as the library does, and then compares the name as programs in C did: a string ends at its first NUL.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from puretls.arguments import described
from puretls.config import Credential
from puretls.der import oids
from puretls.labs.ends import common_name
from puretls.labs.grading import Failed
from puretls.labs.lab import Lab, Wrong
from puretls.labs.stage import NAME, Seeded, authority, verifier
from puretls.labs.visitor import Visitor, check, password_in, scenes
from puretls.x509 import drafts
from puretls.x509.verifier import ChainRequest

MALLORY = "mallory.example"


def reads_strings_of_c(request: ChainRequest) -> Any:
    """A verifier that compares the commonName, up to its first NUL, with the name that the client wants."""
    report = verifier()(replace(request, server_name=None))
    if report.accepted and common_name(request.chain[0]).split("\0")[0] != request.server_name:
        return verifier()(request)  # refuses the name, and says why
    return report


class Peer(Visitor):
    """A client that connects to bank.example, and comes to you; and an authority that the client trusts.

    `order(name)` gives a certificate for `name`, as commonName, where the name is yours: mallory.example, or anything that ends in
    ".mallory.example". The authority reads a name as RFC 5280 has it, all of it.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        super().__init__(Seeded("NUL in a name", seed), verifier() if fixed else reads_strings_of_c)

    def order(self, name: str) -> Credential:
        """A certificate with its key: `.chain`, `.key`. Fails where the name is not one of yours."""
        if not isinstance(name, str) or not name.isascii():
            raise Failed(f"the authority refuses: a name is text of ASCII, not {described(name)}")
        if not ("." + name).endswith("." + MALLORY):
            raise Failed(f"the authority refuses: {name!r} does not belong to {MALLORY}")
        made = replace(authority(), random=self._seeded.random(f"certificate for {name}"))
        leaf = made.issue([MALLORY])
        subject = drafts.name((oids.COMMON_NAME, name))
        extensions = tuple(each for each in leaf.draft.extensions if oids.SUBJECT_ALT_NAME not in each)
        signed = made.issued(replace(leaf.draft, subject=subject, extensions=extensions), leaf.key)
        return Credential(signed.chain, signed.key)


# The reference attack


def attack(peer: Peer) -> str:
    """A name that is Mallory's when read to the end, and the bank's when read to the NUL."""
    certificate = peer.order("bank.example\0.mallory.example")
    request = peer.visit(certificate.chain, certificate.key)
    return request.partition(b"password=")[2].decode()


# Wrong answers


def _with(name: str) -> Any:
    def attack(peer: Any) -> str:
        certificate = peer.order(name)
        return password_in(peer.visit(certificate.chain, certificate.key))

    return attack


LAB = Lab(
    number=14,
    name="nul-in-a-name",
    title="A NUL in a name",
    rfc=("5280 4.2.1.6", "6125 6.4.4"),
    peer=Peer,
    reference=attack,
    check=check,
    wrong=(
        Wrong("the bank's own name", _with(NAME), "the authority reads it, too, and it is not yours"),
        Wrong(
            "the bank's name in front",
            _with(f"{NAME}.{MALLORY}"),
            "that is a name of yours, and to the client it is another name",
        ),
        Wrong(
            "the NUL behind your name",
            _with(f"{MALLORY}\0.{MALLORY}"),
            "the client reads what stands before the NUL: that must be the bank",
        ),
    ),
    scenes=scenes,
)
