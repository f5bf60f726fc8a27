"""The server's signature over its key exchange, verified together with those of its chain (RFC 5246 7.4.2, 7.4.3 and 7.4.5)."""

from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import Connection, danger, drive
from puretls.ca import DevelopmentCa
from puretls.config import Credential
from puretls.crypto.kernels.ec import combs
from puretls.crypto.provider import BatchVerify
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.errors import VerificationError
from puretls.testing.adapters.openssl import MemoryBioPeer
from puretls.x509.keys import private_key_pem
from puretls.x509.path.together import LONGEST
from puretls.x509.pem import write_pem
from puretls.x509.verifier import chain_verifier
from tests.support.credentials import NAME, NOW, authority, credential
from tests.support.pair import client_config, pair, real


@pytest.fixture(autouse=True)
def fresh_keys():
    """Keys that came before may have combs, with which they are faster alone."""
    combs.clear()


random = danger.fixed_random(b"multipliers")
SHA256 = SignatureAlgorithm(SignatureKind.ECDSA, "sha256")


class Counted:
    """A provider that tells how many signatures were verified: alone, and in how many together."""

    def __init__(self):
        verify = real().verify
        self.alone, self.together = 0, []

        def one(*signed):
            self.alone += 1
            return verify(*signed)

        def together(signatures, random):
            self.together.append(len(signatures))
            return verify.together(signatures, random)

        self.provider = replace(real(), verify=BatchVerify(one, together))


def verifier_of(provider, ca=None, **options):
    return chain_verifier([(ca or authority()).root.certificate], provider=provider, random=random, **options)


def shaken(chain=None, *, provider=None, verifier=None, server=None):
    """A handshake of a client that verifies."""
    provider = provider or real()
    mine = credential()
    mine = mine if chain is None else Credential(chain, mine.key)
    client = {"provider": provider, "verifier": verifier or verifier_of(provider)}
    return pair(client, {"provider": server or real(), "credentials": (mine,)}).handshake()


@pytest.mark.rfc("5246", "7.4.3")
def test_the_signatures_of_a_handshake_and_its_chain_are_verified_at_once():
    counted = Counted()
    joined = shaken(provider=counted.provider)
    joined.check_secrets()
    assert counted.together == [3]  # the key exchange's, the leaf's, the intermediate's
    assert counted.alone == 0
    assert joined.client.connection.peer_report.accepted


@pytest.mark.rfc("5246", "7.4.3")
def test_they_are_with_openssl_as_the_server(tmp_path):
    """Each of its messages comes in a record of its own."""
    ssl = pytest.importorskip("ssl", reason="this Python has no OpenSSL")
    mine, counted = credential(), Counted()
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text("".join(write_pem("CERTIFICATE", der) for der in mine.chain))
    key.write_text(private_key_pem(mine.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain, key)
    server = MemoryBioPeer(context, server_side=True)
    client = Connection.client(client_config(provider=counted.provider, verifier=verifier_of(counted.provider)), NAME)
    client.start()
    while not client.is_connected:
        server.receive(client.bytes_to_send())
        client.receive_bytes(server.take())
        list(drive.events(client))
    assert client.peer_report.accepted
    assert (counted.alone, counted.together) == (0, [3])


def test_what_was_verified_ahead_is_known_when_another_server_of_the_issuer_comes():
    counted = Counted()
    verifier = verifier_of(counted.provider)
    shaken(provider=counted.provider, verifier=verifier)
    other = credential(name="other.test")
    client = {"provider": counted.provider, "verifier": verifier}
    joined = pair(client, {"provider": real(), "credentials": (other,)}, name="other.test").handshake()
    joined.check_secrets()
    assert counted.together == [3, 2]


def flipped(der, place=-1):
    """The same DER with another bit in its last byte, which is one of the signature's."""
    damaged = bytearray(der)
    damaged[place] ^= 1
    return bytes(damaged)


def wrong_signer():
    """A server that signs something else."""
    sign = real().sign
    return replace(real(), sign=lambda algorithm, key, message, random: sign(algorithm, key, message + b"!", random))


@lru_cache
def foreign_chain():
    """A chain of the same names and other keys: the leaf fits the key, and nobody's signature fits."""
    ca = DevelopmentCa.create(danger.fixed_random(b"another authority"), NOW)
    return (credential().chain[0], ca.issue([NAME]).chain[1])


WRONG = {
    "key exchange": (None, wrong_signer),
    "leaf": (lambda leaf, ca: (flipped(leaf), ca), real),
    "intermediate": (lambda leaf, ca: (leaf, flipped(ca)), real),
    "key exchange and leaf": (lambda leaf, ca: (flipped(leaf), ca), wrong_signer),
    "all": (lambda leaf, ca: (flipped(leaf), flipped(ca)), wrong_signer),
    "no intermediate": (lambda leaf, ca: (leaf,), real),
    "another intermediate of the name": (lambda leaf, ca: foreign_chain(), real),
    "garbage behind the leaf": (lambda leaf, ca: (leaf, b"garbage"), real),
    "garbage, and a wrong key exchange": (lambda leaf, ca: (leaf, b"garbage"), wrong_signer),
}


@pytest.mark.rfc("5246", "7.4.3")
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_as_if_each_signature_were_verified_by_itself(what):
    """The same error in the same state with the same words, and the same events before it."""
    change, server = WRONG[what]
    chain = None if change is None else change(*credential().chain)

    def told(verifier):
        combs.clear()
        joined = shaken(chain, server=server(), verifier=verifier)
        error = joined.client.error
        assert error is not None, what
        return (
            type(error),
            str(error),
            error.path,
            getattr(error, "offset", None),
            error.alert,
            error.state,
            joined.client.kinds(),
        )

    asked = verifier_of(real())
    assert told(verifier_of(real())) == told(asked.__call__)  # a method of the verifier's, which does that and no more


@pytest.mark.parametrize("what", ["leaf", "intermediate"])
def test_a_wrong_signature_of_the_chain_costs_the_right_one_nothing(what):
    """A right signature over the key exchange stays right, so that it is the chain that is refused."""
    change, _ = WRONG[what]
    counted = Counted()
    joined = shaken(change(*credential().chain), provider=counted.provider)
    assert isinstance(joined.client.error, VerificationError)
    assert counted.together[0] == 3
    assert counted.alone


def signed_by(mine, message=b"message"):
    return SHA256, mine.public_key, message, real().sign(SHA256, mine.key, message, random)


def test_a_provider_sees_every_signature_whose_verdict_is_taken():
    """The configuration's provider and the verifier's are two: each is asked for its own."""
    verifier, mine = verifier_of(real()), credential()
    assert verifier.verify_ahead(mine.chain, signed_by(mine), real())
    counted = Counted()
    assert not verifier.verify_ahead(mine.chain, signed_by(mine), counted.provider)
    joined = shaken(provider=counted.provider, verifier=verifier_of(real()))
    joined.check_secrets()
    assert (counted.alone, counted.together) == (1, [])


def test_nothing_is_found_right_ahead_without_multipliers_or_anchors_or_a_path():
    mine = credential()
    signed = signed_by(mine)
    without = chain_verifier([authority().root.certificate], provider=real())
    nobody = chain_verifier([], provider=real(), random=random)
    assert not without.verify_ahead(mine.chain, signed, real())
    assert not nobody.verify_ahead(mine.chain, signed, real())
    known = verifier_of(real())
    assert not known.verify_ahead(mine.chain[:1], signed, real())
    assert not known.verify_ahead((), signed, real())
    assert not known.verify_ahead((mine.chain[0], *[mine.chain[0]] * LONGEST, mine.chain[1]), signed, real())
    assert not known.caches.signatures


@pytest.mark.parametrize("kind", ["secp384r1", "ed25519"])
def test_keys_of_another_kind_than_the_chains_are_verified_by_themselves(kind):
    counted = Counted()
    joined = pair(
        {"provider": counted.provider, "verifier": verifier_of(counted.provider)},
        {"provider": real(), "credentials": (credential(kind),)},
    ).handshake()
    joined.check_secrets()
    assert counted.alone == 1  # the key exchange's
    assert counted.together[-1] == 2  # the chain's


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from(credential().chain), max_size=4), st.booleans())
def test_no_chain_makes_it_raise(chain, right):
    message = signed_by(credential())
    signed = message if right else (*message[:2], b"another message", message[3])
    found = verifier_of(real()).verify_ahead(chain, signed, real())
    assert not found or right


def test_a_verifier_of_ones_own_has_no_say_in_it():
    """Only True is a yes: what a stranger's attribute of that name gives is not."""

    class Strange:
        verify_ahead = staticmethod(lambda *arguments: "yes")

        def __call__(self, request):
            return danger.accept_any_chain(request)

    counted = Counted()
    joined = shaken(provider=counted.provider, verifier=Strange())
    joined.check_secrets()
    assert counted.alone == 1
