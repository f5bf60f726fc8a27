"""Client certificates, verification, pre-shared keys (RFC 5246 7.4.6, RFC 4279)."""

from dataclasses import replace

import pytest

from puretls import danger
from puretls.config import PENDING, Credential
from puretls.crypto.keys import RsaPublicKey
from puretls.der import oids
from puretls.errors import Reason, UsageError, VerificationError
from puretls.events import CertificateReceived, VerificationRequired
from puretls.iana import SignatureScheme
from puretls.x509 import drafts
from puretls.x509.keys import spki_bytes
from puretls.x509.names.distinguished import parse_name
from puretls.x509.verifier import chain_verifier
from tests.support.credentials import NAME, authority, credential, issued
from tests.support.pair import IDENTITY, PSK, fields_for, no_security, pair, real, suite_named

KINDS = ("secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448", "rsa2048", "rsa_pss")


@pytest.mark.rfc("5246", "7.4.6")
@pytest.mark.rfc("8422", "5.6")
@pytest.mark.rfc("8422", "5.8")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["request", "require"])
def test_client_proves_its_certificate(kind, mode):
    mine = credential(kind, usage="client")
    fields = {"provider": real()}
    joined = pair(fields | {"credentials": (mine,)}, fields | {"client_authentication": mode}).handshake()
    joined.check_secrets()
    assert joined.server.connection.peer_certificates == mine.chain
    assert joined.server.connection.peer_report.accepted
    assert joined.client.connection.negotiated.client_signature_scheme is not None


@pytest.mark.rfc("5246", "7.4.6")
def test_client_without_a_certificate_is_accepted_only_where_none_is_required():
    joined = pair({}, {"client_authentication": "request"}).handshake()
    joined.check_secrets()
    assert joined.server.connection.peer_certificates == ()
    refused = pair({}, {"client_authentication": "require"}).handshake()
    assert refused.server.alerts_sent == refused.client.alerts_received == ["handshake_failure"]


@pytest.mark.rfc("5246", "7.4.4")
@pytest.mark.rfc("8422", "5.5")
def test_client_chooses_by_the_authorities_and_algorithms_asked_for():
    mine = (credential("rsa2048", usage="client"), credential("ed25519", usage="client"))
    server = {"client_authentication": "require", "certificate_authorities": (authority().intermediate.name,)}
    assert pair({"credentials": mine}, server).handshake().server.connection.peer_certificates == mine[0].chain
    schemes = (SignatureScheme.ED25519, SignatureScheme.ECDSA_SECP256R1_SHA256)
    joined = pair({"credentials": mine}, server | {"signature_schemes": schemes}).handshake()
    assert joined.server.connection.peer_certificates == mine[1].chain
    stranger = pair({"credentials": mine}, {"client_authentication": "request", "certificate_authorities": (b"\x30\0",)}).handshake()
    stranger.check_secrets()
    assert stranger.server.connection.peer_certificates == ()


def test_client_certificate_can_be_chosen_by_call_back():
    mine = (credential("rsa2048", usage="client"), credential("ed25519", usage="client"))
    asked = []

    def choose(request):
        asked.append(request)
        return mine[1]

    joined = pair({"credentials": mine, "client_certificate": choose}, {"client_authentication": "require"}).handshake()
    assert joined.server.connection.peer_certificates == mine[1].chain
    assert len(asked) == 1
    joined = pair({"client_certificate": lambda request: None}, {"client_authentication": "request"}).handshake()
    joined.check_secrets()


def test_chain_and_name_are_verified():
    verify = chain_verifier([authority().root.certificate], provider=real())
    joined = pair({"provider": real(), "verifier": verify}, {"provider": real()}).handshake()
    joined.check_secrets()
    assert joined.client.connection.peer_report.accepted
    received = next(event for event in joined.client.events if isinstance(event, CertificateReceived))
    assert (received.chain, received.report) == (credential().chain, joined.client.connection.peer_report)
    wrong = pair({"provider": real(), "verifier": verify}, {"provider": real()}, name="other.test").handshake()
    assert isinstance(wrong.client.error, VerificationError)
    assert wrong.server.alerts_received == wrong.client.alerts_sent
    assert not wrong.server.completed


def test_without_a_verifier_every_chain_is_refused():
    refused = pair({"verifier": None}).handshake()
    assert isinstance(refused.client.error, VerificationError)
    assert not refused.client.completed


def test_server_verifies_its_clients_by_their_own_purpose():
    verify = chain_verifier([authority().root.certificate], provider=real())
    server = {"provider": real(), "client_authentication": "require", "verifier": verify}
    joined = pair({"provider": real(), "credentials": (credential(usage="client"),)}, server).handshake()
    joined.check_secrets()
    refused = pair({"provider": real(), "credentials": (credential(usage="server"),)}, server).handshake()
    assert isinstance(refused.server.error, VerificationError)


@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize("side", ["client", "server"])
def test_verdict_may_come_later(side, accept):
    client, server = {"credentials": (credential(usage="client"),)}, {"client_authentication": "require"}
    fields = client if side == "client" else server
    fields["verifier"] = lambda request: PENDING
    joined = pair(client, server).handshake()
    end = getattr(joined, side)
    question = end.events[-1]
    assert isinstance(question, VerificationRequired)
    assert question.request.purpose == ("server" if side == "client" else "client")
    assert not joined.client.completed
    joined.run()
    assert not joined.client.completed
    report = danger.AcceptedUnverified(accepted=accept)
    end.connection.answer(report)
    joined.run()
    if accept:
        joined.check_secrets()
        joined.exchange()
    else:
        assert end.alerts_sent == ["certificate_unknown"]
        assert end.error.report is report


def test_answer_without_a_question_is_refused():
    from puretls.errors import UsageError

    joined = pair().handshake()
    with pytest.raises(UsageError):
        joined.client.connection.answer(danger.AcceptedUnverified())


def test_server_name_and_time_reach_the_verifier():
    from tests.support.credentials import NOW

    requests = []

    def verify(request):
        requests.append(request)
        return danger.AcceptedUnverified()

    pair({"verifier": verify}).handshake()
    assert (requests[0].server_name, requests[0].time, requests[0].chain) == (NAME, NOW, issued().chain)


PSK_SUITES = ("TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",
              "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256")  # fmt: skip


@pytest.mark.rfc("4279", "2")
@pytest.mark.parametrize("name", PSK_SUITES)
@pytest.mark.parametrize("hint", [None, b"", b"a hint"])
def test_pre_shared_key_with_identity_and_hint(name, hint):
    near, far = fields_for(suite_named(name))
    seen = []
    near["psk"] = lambda hint: seen.append(hint) or (IDENTITY, PSK)
    joined = pair(near | {"provider": real()}, far | {"provider": real(), "psk_hint": hint}).handshake()
    joined.check_secrets()
    assert joined.server.connection.negotiated.psk_identity == IDENTITY
    ephemeral = suite_named(name).is_ephemeral
    assert seen == [hint if hint is not None else (b"" if ephemeral else None)]


@pytest.mark.rfc("4279", "2")
@pytest.mark.parametrize("name", PSK_SUITES)
def test_unknown_identity_and_wrong_key_are_refused(name):
    near, far = fields_for(suite_named(name))
    stranger = near | {"psk": lambda hint: (b"stranger", PSK), "provider": real()}
    told = pair(stranger, far | {"refuse_unknown_identities": True, "provider": real()}).handshake()
    assert told.server.alerts_sent == told.client.alerts_received == ["unknown_psk_identity"]
    wrong = pair(near | {"psk": lambda hint: (IDENTITY, b"wrong"), "provider": real()}, far | {"provider": real()}).handshake()
    assert wrong.server.alerts_sent == ["bad_record_mac"]
    unknown = pair(stranger, far | {"provider": real()}).handshake()
    for one, other in zip(unknown.ends(), wrong.ends(), strict=True):
        assert (one.alerts_sent, one.state, one.kinds(), str(one.error)) == (other.alerts_sent, other.state, other.kinds(), str(other.error))
    none = pair(near | {"psk": lambda hint: None}, far).handshake()
    assert none.client.alerts_sent == ["handshake_failure"]


@pytest.mark.rfc("4279", "2")
def test_known_and_unknown_identities_take_the_same_path():
    """As much randomness, as many derivations; a key that comes from nowhere is another one each time."""
    near, far = fields_for(suite_named(PSK_SUITES[0]))
    seen = []
    for identity in (IDENTITY, b"stranger", b"stranger"):
        draws, keys = [], []
        random = danger.fixed_random(b"known" + bytes((len(seen),)))
        drawn = lambda count, draws=draws, random=random: draws.append(count) or random(count)  # noqa: E731
        provider = replace(real(), prf=lambda *arguments, keys=keys: keys.append(bytes(arguments[1])) or real().prf(*arguments))
        pair(near | {"psk": lambda hint, identity=identity: (identity, b"wrong" * 7)}, far | {"random": drawn, "provider": provider}).handshake()
        seen.append((draws, keys))
    assert seen[0][0] == seen[1][0] == seen[2][0]
    assert len(seen[0][1]) == len(seen[1][1])
    assert seen[1][1][0] != seen[2][1][0]


LONG = b"k" * 2**16
BAD_PSKS = {
    "empty key": ((IDENTITY, b""), b"", "1 to 65,535 bytes"),
    "key too long": ((IDENTITY, LONG), LONG, "1 to 65,535 bytes"),
    "text": ((IDENTITY, "key"), "key", "1 to 65,535 bytes"),
    "a number": ((IDENTITY, 32), 32, "1 to 65,535 bytes"),
    "no key": ((IDENTITY, None), True, "1 to 65,535 bytes"),
    "identity too long": ((LONG, PSK), None, "identity of at most 65,535 bytes"),
    "identity as text": (("me", PSK), None, "identity of at most 65,535 bytes"),
    "key alone": (PSK, None, "(identity, key) or None"),
    "three things": ((IDENTITY, PSK, 1), None, "(identity, key) or None"),
    "True": (True, None, "(identity, key) or None"),
}


@pytest.mark.rfc("4279", "5.3")
@pytest.mark.parametrize("suite", PSK_SUITES)
@pytest.mark.parametrize("what", BAD_PSKS)
def test_key_that_is_none_is_the_callers_fault_in_both_roles(what, suite):
    given, key, text = BAD_PSKS[what]
    near, far = fields_for(suite_named(suite))
    client = pair(near | {"psk": lambda hint: given}, far).handshake().client
    server = pair(near, far | {"psk": lambda identity: key}).handshake().server
    for end in (client, server) if key is not None else (client,):
        assert type(end.error) is UsageError
        assert str(end.error).startswith("psk must give")
        assert end.alerts_sent == ["internal_error"]
    assert text in str(client.error)


def test_longest_key_and_identity_work():
    near, far = fields_for(suite_named(PSK_SUITES[0]))
    near["psk"], far["psk"] = lambda hint: (LONG[1:], LONG[1:]), lambda identity: LONG[1:]
    joined = pair(near, far).handshake()
    joined.check_secrets()
    with pytest.raises(UsageError, match="psk_hint"):
        pair(near, far | {"psk_hint": LONG})


def test_keys_of_any_length_work_and_are_not_shown():
    near, far = fields_for(suite_named(PSK_SUITES[0]))
    for key in (b"k", b"k" * 64, b"k" * 3000):
        joined = pair(near | {"psk": lambda hint, key=key: (IDENTITY, key)}, far | {"psk": lambda identity, key=key: key}).handshake()
        joined.check_secrets()
        assert repr(key)[2:-1] * 4 not in repr(danger.parts(joined.client.connection).progress.context)


@pytest.mark.rfc("5280", "7.1")
@pytest.mark.rfc("5246", "7.4.4")
@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (drafts.name((oids.ORGANIZATION, "PURETLS  development ca"), (oids.COMMON_NAME, "puretls Development CA intermediate")), True),
        (drafts.name((oids.ORGANIZATION, "puretls development CA"), (oids.COMMON_NAME, "somebody else")), False),
        (b"\x30\x03\x31\x00\x00", False),
    ],
)
def test_authorities_are_names_and_not_bytes(asked, sent):
    """A server that writes the CA's name in another string type or case gets the certificate all the same."""
    name = parse_name(authority().intermediate.name)
    assert str(name) == "CN=puretls development CA intermediate,O=puretls development CA"
    mine = credential("rsa2048", usage="client")
    joined = pair({"credentials": (mine,)}, {"client_authentication": "request", "certificate_authorities": (asked,)}).handshake()
    joined.check_secrets()
    assert joined.server.connection.peer_certificates == (mine.chain if sent else ())


@pytest.mark.parametrize("key", [RsaPublicKey((1 << 8200) + 1, 65537), RsaPublicKey((1 << 2047) + 1, (1 << 40) + 1)])
def test_a_key_that_would_be_dear_is_refused_before_its_signature_is_verified(key):
    """Nobody has verified the chain when the signature over the key exchange is checked (RFC 8017 3.1)."""
    verified = []

    def verify(*arguments):
        verified.append(arguments)
        return True

    made = authority().issued(replace(issued("rsa2048").draft, spki=spki_bytes(key)), issued("rsa2048").key)
    bad = object.__new__(Credential)
    bad.__dict__.update(credential("rsa2048").__dict__ | {"chain": made.chain})
    fields = {"provider": replace(no_security(), verify=verify)}
    joined = pair(fields, {"credentials": (bad,)}).handshake()
    assert joined.client.error.reason is Reason.UNSUPPORTED_KEY
    assert verified == []
