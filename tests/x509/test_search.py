"""The search: whatever bytes are presented, there is a report, and nothing is accepted but what was signed."""

import random as randomness

import pytest

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
