"""The search: whatever bytes are presented, there is a report, and nothing is accepted but what was signed."""

import os
import random as randomness
from dataclasses import replace

import pytest

from puretls.crypto.kernels.ec import combs
from puretls.x509 import drafts
from puretls.x509.verifier import ChainRequest, chain_verifier
from tests.x509.chains import HOST, NOW, PROVIDER, authority, leaf, root, verify

TOP = root()
MIDDLE = authority(TOP)
END = leaf(MIDDLE, more=(drafts.authority_info_access(ocsp=["http://ocsp.example.org/"]),))


def damaged(count):
    """Chains of which one byte is another."""
    rng = randomness.Random(4158)
    for _ in range(count):
        chain = [bytearray(END.der), bytearray(MIDDLE.der)]
        victim = rng.choice(chain)
        position = rng.randrange(len(victim))
        victim[position] ^= rng.randrange(1, 256)
        yield tuple(bytes(part) for part in chain)


def assert_none_is_accepted(chains):
    verifier = chain_verifier([TOP.der], provider=PROVIDER)
    assert verifier(ChainRequest((END.der, MIDDLE.der), "server", HOST, NOW)).accepted
    for chain in chains:
        report = verifier(ChainRequest(chain, "server", HOST, NOW))
        assert not report.accepted
        assert report.findings
        assert report.alert is not None
        assert "\n" not in str(report)
        assert report.explain()


def test_no_byte_of_a_chain_can_be_changed():
    assert_none_is_accepted(damaged(300))


@pytest.mark.full
def test_no_byte_of_a_chain_can_be_changed_often():
    assert_none_is_accepted(damaged(10_000))


def test_chains_put_together_from_strangers_are_not_accepted():
    """Same names everywhere, other keys: every link is tried and none holds."""
    others = [authority(root("root", label=f"other root {n}"), "ca", label=f"other ca {n}") for n in range(4)]
    stray = leaf(others[0])
    report = verify([stray, *others, MIDDLE], [TOP])
    assert not report.accepted
    assert {"signature"} == {finding.id for finding in report.findings}
    assert verify([END, *others, MIDDLE], [TOP]).accepted


SINGLY = replace(PROVIDER, name="one by one", verify=PROVIDER.verify.one)
LOWER = authority(MIDDLE, "lower")
DEEP = leaf(LOWER)


def told(chain, provider):
    """All that a refusal says, by a verifier that knows nothing yet, about keys that no other test has used."""
    combs.clear()
    report = chain_verifier([TOP.der], provider=provider, random=os.urandom)(ChainRequest(chain, "server", HOST, NOW))
    findings = [(finding.id, finding.index, finding.path, str(finding)) for finding in report.findings]
    return report.accepted, report.alert, findings, report.explain()


def test_signatures_verified_together_are_those_of_one_by_one():
    asked = []
    verify = replace(PROVIDER.verify, one=lambda *arguments: asked.append(arguments) or PROVIDER.verify.one(*arguments))
    for chain, alone in (((END, MIDDLE), 0), ((DEEP, LOWER, MIDDLE), 0)):
        combs.clear()
        verifier = chain_verifier([TOP.der], provider=replace(PROVIDER, verify=verify), random=os.urandom)
        report = verifier(ChainRequest(tuple(made.der for made in chain), "server", HOST, NOW))
        assert (report.accepted, report.signatures, len(asked)) == (True, len(chain), alone)


@pytest.mark.parametrize("victim", range(3))
def test_a_wrong_signature_is_told_as_when_each_is_verified_by_itself(victim):
    """The last byte of a certificate is one of its signature's."""
    chain = [made.der for made in (DEEP, LOWER, MIDDLE)]
    chain[victim] = chain[victim][:-1] + bytes([chain[victim][-1] ^ 1])
    assert told(tuple(chain), PROVIDER) == told(tuple(chain), SINGLY)
    assert told(tuple(chain), PROVIDER)[2][0][:2] == ("signature", victim)


def test_damage_is_told_as_when_each_signature_is_verified_by_itself():
    for chain in damaged(12):
        assert told(chain, PROVIDER) == told(chain, SINGLY)


def test_what_is_refused_is_tried_together_once():
    """Other paths of the same question are examined signature by signature: a peer gains no work by sending more of them."""
    tried = []
    verify = replace(PROVIDER.verify, together=lambda signatures, random: tried.append(len(signatures)) or [False] * len(signatures))
    elsewhere = authority(root("elsewhere", label="root"), "ca")
    chain = (END.der[:-1] + bytes([END.der[-1] ^ 1]), MIDDLE.der, elsewhere.der)
    verifier = chain_verifier([TOP.der, root("elsewhere").der], provider=replace(PROVIDER, verify=verify), random=os.urandom)
    assert not verifier(ChainRequest(chain, "server", HOST, NOW)).accepted
    assert tried == [2]


def test_the_randomness_of_the_verifier_makes_the_multipliers():
    drawn = []
    verifier = chain_verifier([TOP.der], provider=PROVIDER, random=lambda length: drawn.append(length) or bytes(length))
    combs.clear()
    assert verifier(ChainRequest((END.der, MIDDLE.der), "server", HOST, NOW)).accepted
    assert drawn == [8]
