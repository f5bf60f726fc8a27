"""Every suite with every group and certificate that fits, puretls against itself (RFC 5246 7.3)."""

from dataclasses import replace
from itertools import permutations

import pytest

from puretls import danger
from puretls.config import DEFAULT_GROUPS
from puretls.crypto.cbc import TRIPLE_DES_CBC
from puretls.extensions import EncryptThenMac, ExtendedMasterSecret
from puretls.extensions.supported_groups import FINITE_FIELD
from puretls.iana import NamedGroup
from puretls.messages.handshake import ClientHello
from puretls.suites import SUITES
from tests.support.breaks import message
from tests.support.credentials import credential
from tests.support.pair import fields_for, no_security, pair, real, suite_named

KEYS = {"RSA": ("rsa2048", "rsa_pss"), "ECDSA": ("secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448")}
every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def groups_of(suite):
    if not suite.is_ephemeral:
        return (None,)
    return tuple(group for group in DEFAULT_GROUPS if (group in FINITE_FIELD) == suite.is_finite_field)


def keys_of(suite):
    if not suite.has_certificate:
        return (None,)
    return KEYS[suite.auth.value] if suite.is_signed else ("rsa2048",)


COMBINATIONS = [(suite, group, kind) for suite in SUITES for group in groups_of(suite) for kind in keys_of(suite)]


def run(suite, group, kind, provider, **client):
    near, far = fields_for(suite, kind)
    # The client must list a certificate's curve; it comes after the group that is to be chosen.
    curve = {"secp256r1": NamedGroup.SECP256R1, "secp384r1": NamedGroup.SECP384R1, "secp521r1": NamedGroup.SECP521R1}.get(kind)
    groups = (group,) if group is not None else DEFAULT_GROUPS
    near |= {"provider": provider, "groups": (*groups, *([curve] if curve not in {None, *groups} else []))} | client
    far |= {"provider": provider, "groups": groups}
    return pair(near, far).handshake()


@every_suite
def test_suite_completes_and_carries_data(suite):
    joined = run(suite, None, keys_of(suite)[0], real())
    joined.check_secrets()
    joined.exchange(b"u" * 40, b"")
    if suite.bulk is not TRIPLE_DES_CBC:  # a hundred times slower than the others
        joined.exchange(b"x", b"d" * 3000)
    assert joined.client.connection.negotiated.suite is suite


def test_every_suite_completes_with_every_group_and_certificate_that_fits():
    for suite, group, kind in COMBINATIONS:
        joined = run(suite, group, kind, no_security())
        joined.check_secrets()
        joined.exchange()
        negotiated = joined.client.connection.negotiated
        assert (negotiated.suite, negotiated.group) == (suite, group), joined.story()
    assert len(COMBINATIONS) > 350


REAL = [
    (name, group, kind)
    for name, kinds in (("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", KEYS["RSA"]), ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", KEYS["ECDSA"]),
                        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", ("rsa2048",)))
    for group in groups_of(next(suite for suite in SUITES if suite.name == name))
    for kind in kinds
]  # fmt: skip


@pytest.mark.parametrize(("name", "group", "kind"), REAL, ids=lambda value: getattr(value, "name", value))
def test_groups_and_certificates_with_real_cryptography(name, group, kind):
    joined = run(next(suite for suite in SUITES if suite.name == name), group, kind, real())
    joined.check_secrets()
    joined.exchange()


@pytest.mark.rfc("7366", "3")
@pytest.mark.parametrize("etm", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("suite", [suite for suite in SUITES if suite.is_cbc], ids=lambda suite: suite.name)
def test_cbc_with_and_without_encrypt_then_mac(suite, etm):
    near, far = fields_for(suite)
    near |= {"provider": real(), "extensions": (EncryptThenMac(enabled=etm[0]),)}
    far |= {"provider": real(), "extensions": (EncryptThenMac(enabled=etm[1]),)}
    if suite.kx.name not in {"PSK", "RSA"}:
        near["provider"] = far["provider"] = no_security()
    joined = pair(near, far).handshake()
    joined.check_secrets()
    joined.exchange(b"u" * 30, b"d" * 17)
    assert joined.client.connection.negotiated.encrypt_then_mac is all(etm)


@pytest.mark.rfc("7627", "5.1")
@pytest.mark.parametrize("ems", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("resume", [False, True])
def test_extended_master_secret_needs_both(ems, resume):
    from puretls.session import MemorySessionStore
    from tests.support.credentials import NOW

    store = MemorySessionStore(clock=lambda: NOW)
    client = {"extensions": (ExtendedMasterSecret(enabled=ems[0]),)}
    server = {"extensions": (ExtendedMasterSecret(enabled=ems[1]),), "session_cache": store}
    joined = pair(client, server).handshake()
    joined.check_secrets()
    assert joined.client.connection.negotiated.extended_master_secret is all(ems)
    if resume:
        again = pair(client, server, session=joined.client.connection.session).handshake()
        again.check_secrets()
        assert again.client.connection.negotiated.resumed
        assert again.client.connection.negotiated.extended_master_secret is all(ems)
        again.exchange()


@pytest.mark.rfc("5246", "7.4.2")
def test_certificate_is_chosen_by_what_the_client_can_verify():
    server = {"credentials": (credential("rsa2048"), credential("secp256r1"), credential("ed25519"))}
    from puretls.iana import SignatureScheme as Scheme

    for schemes, kind in (
        ((Scheme.RSA_PSS_RSAE_SHA256,), "rsa2048"),
        ((Scheme.ECDSA_SECP256R1_SHA256,), "secp256r1"),
        ((Scheme.ED25519,), "ed25519"),
    ):
        joined = pair({"signature_schemes": schemes}, server).handshake()
        joined.check_secrets()
        assert joined.client.connection.peer_certificates == credential(kind).chain


@pytest.mark.rfc("6066", "3")
def test_certificate_is_chosen_by_server_name():
    other, wild = credential(name="other.test"), credential(name="*.wild.test")
    server = {"credentials": (credential(), other, wild)}
    for name, expected in (("other.test", other), ("a.wild.test", wild), ("unknown.test", credential()), (None, credential())):
        joined = pair({}, server, name=name).handshake()
        joined.check_secrets()
        assert joined.client.connection.peer_certificates == expected.chain
        assert joined.server.connection.server_name == name


@pytest.mark.rfc("7919", "4")
def test_client_without_finite_field_groups_gets_the_servers_own():
    suite = next(suite for suite in SUITES if suite.name == "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")
    near, far = fields_for(suite)
    joined = pair(near | {"groups": (NamedGroup.X25519,)}, far).handshake()
    joined.check_secrets()
    assert joined.client.connection.negotiated.group_name == "ffdhe2048"


@pytest.mark.rfc("5246", "7.4.3")
def test_custom_prime_is_used_and_its_size_told():
    suite = next(suite for suite in SUITES if suite.name == "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")
    near, far = fields_for(suite)
    # RFC 3526 3, the 2048-bit MODP group.
    prime = int(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245"
        "E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
        "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9"
        "DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
        16,
    )
    joined = pair(near | {"groups": (NamedGroup.X25519,)}, far | {"dh_parameters": (prime, 2)}).handshake()
    joined.check_secrets()
    assert joined.client.connection.negotiated.group is None
    assert joined.client.connection.negotiated.group_name == "dh2048"


@pytest.mark.rfc("5246", "8.1.1")
@pytest.mark.parametrize("offered", [0x0303, 0x0304])
def test_premaster_secret_carries_the_version_of_the_hello(offered):
    """RFC 5246 7.4.7.1: what the client offered, not what was agreed on."""
    blocks = []

    def rsa_private(key, number, random):
        blocks.append(pow(number, key.d, key.public.n).to_bytes(256, "big"))
        return int.from_bytes(blocks[0], "big")

    near, far = fields_for(suite_named("TLS_RSA_WITH_AES_128_GCM_SHA256"))
    newer = (message(ClientHello, lambda hello: replace(hello, client_version=offered)),)
    joined = pair(near | {"interceptors": newer}, far | {"provider": replace(no_security(), rsa_private=rsa_private)}).handshake()
    joined.check_secrets()
    assert blocks[0][:2] == b"\0\2"
    assert 0 not in blocks[0][2:207]
    assert blocks[0][207:210] == b"\0" + offered.to_bytes(2, "big")


@pytest.mark.rfc("5246", "8.1.2")
def test_finite_field_secret_loses_its_leading_zeros():
    group = real().group("ffdhe2048")
    one, other = (group.generate(danger.fixed_random(b"%d" % seed)) for seed in (1, 2))
    shared = group.shared_secret(one.private, other.public)
    assert shared == group.shared_secret(other.private, one.public)
    assert not shared.startswith(b"\0")
    # 2^-1 times 2: a shared secret of one byte
    assert group.shared_secret(type(one.private)((1).to_bytes(1, "big")), (2).to_bytes(256, "big")) == b"\2"


@pytest.mark.rfc("5246", "7.4.1.3")
@pytest.mark.parametrize("client_first", [False, True])
def test_client_decides_among_suites_of_equal_preference_and_the_server_among_groups(client_first):
    gcm, chacha, cbc = (
        suite_named(f"TLS_ECDHE_ECDSA_WITH_{bulk}") for bulk in ("AES_128_GCM_SHA256", "CHACHA20_POLY1305_SHA256", "AES_128_CBC_SHA")
    )
    far = {"suites": (gcm, chacha, cbc), "equal_suites": ((gcm, chacha),), "prefer_client_order": client_first}
    for offered in permutations((gcm, chacha, cbc)):
        joined = pair({"suites": offered}, far).handshake()
        joined.check_secrets()
        wanted = offered if client_first else [suite for suite in offered if suite is not cbc]
        assert joined.client.connection.negotiated.suite is wanted[0]
