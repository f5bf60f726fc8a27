"""Lab 13: a certificate that issues others and may not (CVE-2002-0862, CVE-2011-0228).

The weak client verifies every signature of the chain, every date and the name. Whether an issuer is an authority it does not ask.
"""

from __future__ import annotations

from typing import Any

from puretls.arguments import described
from puretls.ca import Authority, DevelopmentCa
from puretls.config import Credential
from puretls.crypto.groups import RandomBytes
from puretls.errors import UsageError
from puretls.labs.ends import text
from puretls.labs.lab import Lab, Wrong
from puretls.labs.stage import CLOCK, NAME, Seeded, authority, credential, provider
from puretls.labs.visitor import Visitor, check, password_in, scenes
from puretls.x509.verifier import chain_verifier

MALLORY = "mallory.example"
NOT_ASKED = ("not-a-ca", "path-length", "key-cert-sign")
"""The rules about who may issue certificates (RFC 5280 4.2.1.9 and 4.2.1.3): the weak client leaves them out."""


def issue(name: str, issuer: Credential, random: RandomBytes) -> Credential:
    """A certificate for `name` with a new key, signed by the issuer's key, as any tool for certificates makes one.

    Its chain holds the new certificate alone.
    """
    if not isinstance(issuer, Credential):
        raise UsageError(f"an issuer is a certificate with its key, such as peer.mine, not {described(issuer)}")
    subject = issuer.leaf.subject.raw
    signs = Authority(issuer.chain[0], issuer.key, subject, int(CLOCK) + 10**7)
    made = DevelopmentCa(signs, None, random, int(CLOCK), provider()).issue([name])
    return Credential(made.chain, made.key)


class Peer(Visitor):
    """A client that connects to bank.example, and comes to you: you are the network.

    `mine` is your own certificate, for mallory.example, issued by the authority that the client trusts: `mine.chain`, `mine.key`.
    `issue(name, issuer)` makes a certificate for a name, signed by the key of an `issuer` such as `mine`.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        without = () if fixed else NOT_ASKED
        trusts = chain_verifier([authority().root.certificate], provider=provider(), danger_without=without)
        super().__init__(Seeded("not a CA", seed), trusts)
        self.mine = credential(name=MALLORY)

    def issue(self, name: str, issuer: Credential) -> Credential:
        """A new key and a certificate for this name, which the key of `issuer` signs: `.chain` (of one certificate) and `.key`."""
        return issue(text("name", name), issuer, self._seeded.random(f"issued for {name}"))


# The reference attack


def attack(peer: Peer) -> str:
    """A certificate for the bank, signed by one that is for mallory.example and nothing else."""
    forged = peer.issue("bank.example", peer.mine)
    request = peer.visit(forged.chain + peer.mine.chain, forged.key)
    return request.partition(b"password=")[2].decode()


# Wrong answers


def _own(peer: Any) -> str:
    return password_in(peer.visit(peer.mine.chain, peer.mine.key))


def _without_issuer(peer: Any) -> str:
    forged = peer.issue(NAME, peer.mine)
    return password_in(peer.visit(forged.chain, forged.key))


def _own_root(peer: Any) -> str:
    """An authority that Mallory has made herself."""
    random = peer._seeded.random("a root of Mallory's")
    made = DevelopmentCa.create(random, CLOCK, intermediate=False, provider=provider()).issue([NAME])
    return password_in(peer.visit(made.chain, made.key))


LAB = Lab(
    number=13,
    name="not-a-ca",
    title="A CA flag not checked",
    rfc=("5280 4.2.1.9", "5280 6.1.4"),
    peer=Peer,
    reference=attack,
    check=check,
    wrong=(
        Wrong("your own certificate", _own, "it is for another name, and names are checked"),
        Wrong(
            "the issuer left out",
            _without_issuer,
            "the client cannot know who signed it: no path leads to an authority that it trusts",
        ),
        Wrong(
            "an authority of your own",
            _own_root,
            "the client does not trust it: the path has to end in an authority that it does",
        ),
    ),
    scenes=scenes,
)
