"""Conversations are decoded from their bytes and a key log, without taking part: our own and OpenSSL's."""

import re

import pytest

from puretls.iana import ContentType
from puretls.inspect import Chunk, Conversation, Knowledge, Stream
from puretls.keylog import master_secrets
from puretls.messages.handshake import Finished
from tests.support.pair import real
from tests.support.recorded import DOWN, UP, conversations, every_reference, openssl_turns, recorded, streams
from tests.support.reference import REFERENCE

NAMES = [row.name for row in REFERENCE]


def sent_by(turns, side):
    return b"".join(data for who, data in turns if who == side)


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize("name", NAMES)
def test_reference_conversation_is_decoded_without_a_problem(name):
    """Every record opens, every Finished fits, each step is legal for its receiver, and nothing is left over."""
    for conversation in conversations(name):
        assert [str(seen.problem) for seen in (*conversation.records, *conversation.messages) if seen.problem] == []
        assert all(message.legal for message in conversation.messages)
        assert conversation.strays == ()
        assert len(conversation.messages) > 1
        for side in ("client", "server"):
            raw = b"".join(record.raw for record in conversation.records if record.side == side)
            assert raw == conversation.stream(side).data
        for handshake in conversation.handshakes[: conversation.outcome.completed]:
            assert handshake.fits
            assert handshake.finished == {"client", "server"}
    assert all(text in conversations(name)[0].data(side) for side, text in (("client", UP), ("server", DOWN)))


def test_what_is_known_of_the_outcome():
    kinds = {conversation.name: conversation.outcome.kind for conversation in every_reference()}
    assert kinds.pop("client certificate, then refused data") == "alert"
    assert kinds.pop("max_fragment_length, no name for it") == "alert"
    assert set(kinds.values()) == {"closed"}


@pytest.mark.rfc("5246", "7.2")
@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (("open", "open"), "each side sent an alert that cannot be opened with what is known: whether"),
        (("fin", "open"), "; then the client ended the stream: whether"),
        (("fin", "fin"), "; then both ended the stream: whether"),
        (("open", "reset"), "each side sent an alert"),
    ],
)
def test_of_an_alert_that_cannot_be_opened_no_more_is_said_than_is_known(ends, told):
    """Fatal or close_notify: both have two bytes, and without keys they look the same."""
    for known in every_reference():
        if known.outcome.completed and known.version == 0x0303 and any(record.epoch for record in known.records):
            sides = [Stream.of(known.stream(side).data, end=end) for side, end in zip(("client", "server"), ends, strict=True)]
            outcome = Conversation(*sides, provider=real()).outcome
            last = {record.side: record.content_type for record in known.records}
            senders = [side for side, kind in last.items() if kind == ContentType.ALERT]
            assert outcome.kind == "sealed alert"
            assert outcome.side in senders
            assert told.replace("each side", "each side" if len(senders) == 2 else f"the {senders[0]}") in outcome.sentence


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize(
    "name", ["ECDHE, RSA, GCM", "resumed by id", "client certificate again in a renegotiation", "RSA, CBC, MAC first"]
)
def test_without_an_order_of_the_bytes_needs_tell_it(name):
    """Two streams alone give the messages that the order of the bytes gave, each side in its order, and every state is the same."""
    for conversation in conversations(name):
        bare = Conversation(
            Stream.of(conversation.client.data), Stream.of(conversation.server.data), conversation.knowledge, provider=real()
        )
        assert [seen.problem for seen in bare.messages if seen.problem] == []
        for side in ("client", "server"):
            assert [(seen.path, seen.raw) for seen in bare.messages if seen.side == side] == [
                (seen.path, seen.raw) for seen in conversation.messages if seen.side == side
            ]
        handshakes = [[seen.path for seen in made.messages if seen.handshake is not None] for made in (bare, conversation)]
        assert handshakes[0] == handshakes[1]


@pytest.mark.rfc("5246", "7.3")
def test_an_order_that_cannot_be_is_mended():
    """Clocks of two taps differ: the server's bytes all seem to come first."""
    turns, log = recorded("ECDHE, RSA, GCM")
    wrong = sorted(turns[0], key=lambda turn: turn[0] == "client")
    made = Conversation(*streams(wrong), Knowledge.of(log), provider=real())
    assert [seen.problem for seen in made.messages if seen.problem] == []
    assert [seen.path for seen in made.messages][:2] == ["client.ClientHello", "server.ServerHello"]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_it_does_not_matter_how_the_bytes_were_cut(size):
    conversation = conversations("ECDHE, RSA, ChaCha20")[0]
    chunks = [
        tuple(Chunk(at, stream.data[at : at + size], None, 0) for at in range(0, len(stream.data), size))
        for stream in (conversation.client, conversation.server)
    ]
    made = Conversation(Stream(chunks[0]), Stream(chunks[1]), conversation.knowledge, provider=real())
    assert [seen.raw for seen in made.records if seen.side == "server"] == [
        s.raw for s in conversation.records if s.side == "server"
    ]
    assert made.data("server") == conversation.data("server")


@pytest.mark.rfc("5246", "7.3")
def test_states_of_both_ends_are_told():
    seen = {message.path: message for message in conversations("ECDHE, RSA, GCM")[0].messages}
    assert str(seen["client.ClientHello"].states_before) == "client START, server START"
    assert seen["client.ClientHello"].states_after.client == ("WAIT_SERVER_HELLO",)
    assert seen["server.ServerHelloDone"].states_after.client == ("WAIT_VERDICT",)
    assert seen["client.ClientKeyExchange"].states_before.server == ("WAIT_CLIENT_KEY_EXCHANGE",)
    assert seen["client.Finished"].states_after.server == ("CONNECTED",)
    assert str(seen["server.Finished"].states_after) == "client CONNECTED, server CONNECTED"


@pytest.mark.interop
@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize(
    "cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-SHA384", "AES128-SHA"]
)
def test_openssl_talking_to_itself_is_decoded(cipher, tmp_path):
    turns, log = openssl_turns(tmp_path, cipher)
    made = Conversation(*streams(turns), Knowledge.of(log), provider=real())
    assert [str(seen.problem) for seen in (*made.records, *made.messages) if seen.problem] == []
    assert (made.data("client"), made.data("server")) == (UP, DOWN)
    assert sum(isinstance(seen.message, Finished) for seen in made.messages) == 2


def test_knowledge_shows_counts_and_no_secret():
    _, log = recorded("resumed by id")
    known = Knowledge.of(log)
    assert repr(known) == "Knowledge(2 master secrets)"
    assert master_secrets(log).keys() == known.masters.keys()
    assert next(iter(known.masters.values())).hex() not in repr(conversations("resumed by id")[0])
    assert repr(known | Knowledge.of(psks={b"me": b"key"})) == "Knowledge(2 master secrets, 1 pre-shared keys)"
    assert not Knowledge()


def test_the_programs_of_the_manual_run(root, capsys):
    page = (root / "puretls" / "manual" / "inspect-conversation.md").read_text()
    exec(
        compile("\n".join(re.findall(r"```python\n(.*?)```", page, re.S)), "inspect-conversation.md", "exec"),
        {"__name__": "manual"},
    )
    printed = capsys.readouterr().out
    assert "client.ClientHello client WAIT_SERVER_HELLO" in printed
    assert "b'hello'" in printed
    assert "client.record[4].ciphertext client_write_key, epoch 1, sequence number 1" in printed
