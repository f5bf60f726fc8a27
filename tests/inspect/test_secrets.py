"""What opens a conversation: key log, RSA key, pre-shared key, an earlier session; and what is said where it is missing or wrong."""

import pytest

from puretls.errors import UsageError
from puretls.extensions import ExtendedMasterSecret
from puretls.inspect import Conversation, Knowledge
from puretls.keylog import key_log_line
from puretls.messages.handshake import Finished
from puretls.messages.records import ApplicationData
from puretls.suites import SUITES
from tests.support.credentials import credential
from tests.support.pair import IDENTITY, PSK, real
from tests.support.recorded import DOWN, UP, conversations, recorded, recorded_pair, streams
from tests.support.reference import REFERENCE

BULKS = {}
for suite in SUITES:
    BULKS.setdefault((suite.bulk.name, suite.mac, suite.kx.name if suite.kx.is_psk else ""), suite)


def talk(conversation):
    return conversation.data("client"), conversation.data("server")


def check_open(conversation):
    assert [str(seen.problem) for seen in (*conversation.records, *conversation.messages) if seen.problem] == []
    assert sum(isinstance(seen.message, Finished) for seen in conversation.messages) == 2 * conversation.outcome.completed > 0


@pytest.mark.rfc("5246", "6.2.3")
@pytest.mark.parametrize("suite", BULKS.values(), ids=lambda suite: suite.name)
def test_every_protection_and_kind_of_pre_shared_key_is_opened(suite):
    turns, log = recorded_pair(suite.name)
    conversation = Conversation(*streams(turns), Knowledge.of(log), provider=real())
    check_open(conversation)
    assert talk(conversation) == (b"up 0 " * 20, b"down 0 " * 200)


@pytest.mark.rfc("5246", "8.1.1")
@pytest.mark.parametrize("extended", [True, False], ids=["extended", "plain"])
@pytest.mark.parametrize(
    "suite", ["TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_NULL_SHA256"]
)
def test_servers_rsa_key_opens_what_was_exchanged_under_it(suite, extended):
    turns, _ = recorded_pair(suite, client={"extensions": (ExtendedMasterSecret(enabled=extended),)})
    conversation = Conversation(*streams(turns), Knowledge.of(rsa_keys=[credential("rsa2048").key]), provider=real())
    check_open(conversation)
    (handshake,) = conversation.handshakes
    assert handshake.extended_master_secret is extended
    assert handshake.found.source == "the server's RSA key"
    assert len(handshake.found.premaster) == 48


@pytest.mark.rfc("4279", "4")
def test_rsa_psk_wants_both_keys():
    turns, _ = recorded_pair("TLS_RSA_PSK_WITH_AES_128_CBC_SHA256")
    made = streams(turns)
    key, psk = Knowledge.of(rsa_keys=[credential("rsa2048").key]), Knowledge.of(psks={IDENTITY: PSK})
    check_open(Conversation(*made, key | psk, provider=real()))
    for alone in (key, psk):
        assert talk(Conversation(*made, alone, provider=real())) == (b"", b"")


@pytest.mark.rfc("4279", "2")
def test_pre_shared_key_alone_opens_what_has_no_forward_secrecy():
    known = Knowledge.of(psks={IDENTITY: PSK})
    turns, _ = recorded_pair("TLS_PSK_WITH_AES_128_GCM_SHA256")
    check_open(Conversation(*streams(turns), known, provider=real()))
    turns, _ = recorded_pair("TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256")
    closed = Conversation(*streams(turns), known, provider=real())
    assert talk(closed) == (b"", b"")
    assert "give a key log" in closed.handshakes[0].missing


@pytest.mark.rfc("7627", "4")
def test_premaster_secret_that_was_recorded_opens_too():
    turns, _ = recorded_pair("TLS_RSA_WITH_AES_128_GCM_SHA256")
    with_key = Conversation(*streams(turns), Knowledge.of(rsa_keys=[credential("rsa2048").key]), provider=real()).handshakes[0]
    known = Knowledge.of(premasters={with_key.client_random: with_key.found.premaster})
    check_open(Conversation(*streams(turns), known, provider=real()))


@pytest.mark.parametrize("name", ["resumed by id", "resumed by ticket"])
def test_a_resumption_is_opened_by_what_the_first_connection_tells(name):
    first, second = conversations(name)
    assert not Conversation(second.client, second.server, provider=real()).data("server")
    known = Knowledge(sessions=first.learned.sessions)
    resumed = Conversation(second.client, second.server, known, provider=real())
    check_open(resumed)
    assert resumed.handshakes[0].found.source == "the session that is resumed"
    assert talk(resumed) == (UP, DOWN)


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row.name)
def test_without_secrets_everything_is_framed_and_named(row):
    for conversation in conversations(row.name):
        closed = Conversation(conversation.client, conversation.server, provider=real())
        where = [
            [(seen.path, seen.name, seen.start, seen.length, seen.parts, seen.epoch) for seen in made.records]
            for made in (closed, conversation)
        ]
        assert where[0] == where[1]
        clear = [
            (seen.path, seen.raw) for seen in conversation.messages if not any(key(conversation, seen) for key in (protected,))
        ]
        assert [(seen.path, seen.raw) for seen in closed.messages] == clear
        missing = [str(seen.problem) for seen in closed.records if seen.epoch]
        assert all(text.startswith("no master secret for client random ") and "give a key log" in text for text in missing)
        assert closed.stopped("client") is closed.stopped("server") is None


def protected(conversation, message):
    number = message.records[0]
    return next(seen for seen in conversation.records if (seen.side, seen.number) == (message.side, number)).epoch


def test_what_is_missing_is_said_with_what_would_help():
    (rsa,), (ecdhe,), (psk,) = conversations("RSA, GCM"), conversations("ECDHE, RSA, GCM"), conversations("PSK, GCM")

    def missing(conversation, known=None):
        made = Conversation(conversation.client, conversation.server, known or Knowledge(), provider=real())
        return str(next(seen.problem for seen in made.records if seen.epoch))

    assert missing(rsa).endswith(f"{rsa.handshakes[0].client_random.hex()}: give a key log or the server's RSA key")
    assert missing(ecdhe).endswith(": give a key log")
    assert missing(psk).endswith(": give a key log or the pre-shared key")
    other_log = Knowledge.of(recorded("RSA, CCM")[1])
    assert missing(rsa, other_log).endswith("the key log given has 1 other connection")
    other_key = Knowledge.of(rsa_keys=[credential("rsa_pss").key])
    assert missing(rsa, other_key).endswith("the RSA key given does not decrypt the ClientKeyExchange")
    assert "an RSA key does not open ECDHE" in missing(ecdhe, Knowledge.of(rsa_keys=[credential("rsa2048").key]))


def test_of_a_handshake_that_ended_before_its_keys_no_key_is_missing():
    turns, log = recorded("ECDHE, RSA, GCM")
    flights = turns[0][:2]
    for sent, sentence in ((flights, "the handshake did not come as far as its keys"), (flights[:1], "there was no ServerHello")):
        (handshake,) = Conversation(*streams(sent), Knowledge.of(log), provider=real()).handshakes
        assert sentence in handshake.missing


def test_a_master_secret_that_does_not_fit_is_recognised():
    (conversation,) = conversations("ECDHE, RSA, GCM")
    wrong = key_log_line("CLIENT_RANDOM", conversation.handshakes[0].client_random, b"m" * 48)
    made = Conversation(conversation.client, conversation.server, Knowledge.of(wrong), provider=real())
    problems = [seen.problem for seen in made.records if seen.epoch]
    assert all("does not open it: it belongs to another connection" in str(problem) for problem in problems)
    assert not any(problem.refused for problem in problems)
    assert made.handshakes[0].fits is False
    assert not any(isinstance(seen.message, ApplicationData) for seen in made.messages)


def test_only_rsa_keys_are_taken():
    with pytest.raises(UsageError, match="only an RSA key opens a recorded connection"):
        Knowledge.of(rsa_keys=[credential("secp256r1").key])


def test_no_secret_is_shown():
    (conversation,) = conversations("RSA, CBC, MAC first")
    master = conversation.handshakes[0].found.master
    shown = repr((conversation, conversation.handshakes, conversation.records, conversation.messages, conversation.learned))
    keys = conversation.handshakes[0].keys
    for secret in (master, keys.client_key, keys.server_mac_key):
        assert secret.hex() not in shown
        assert repr(bytes(secret)) not in shown
