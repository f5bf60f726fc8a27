"""Decoding without taking part: what two sides sent, a key log, and no `Connection`.

Framing, joiner, parsers, key schedule, protections and both tables are used as they are. The recordings are one's own and OpenSSL's.
"""

import hashlib
from dataclasses import replace

import pytest

from puretls import schedule
from puretls.errors import UsageError
from puretls.extensions import EncryptThenMac
from puretls.handshake.states import ClientState, Role, ServerState
from puretls.handshake.table import led_to
from puretls.iana import CipherSuiteId, ContentType
from puretls.keylog import key_log_line, master_secrets
from puretls.messages.handshake import ClientHello, Finished, HandshakeMessage, HelloRequest, ServerHello
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec
from puretls.messages.registry import parse_content
from puretls.record.channel import Channel
from puretls.record.fragment import Joiner
from puretls.record.framing import Framer
from puretls.record.protect import protect
from puretls.suites import BY_ID
from tests.support import reference
from tests.support.pair import real
from tests.support.recorded import DOWN, UP, Recording, openssl_turns
from tests.support.reference import REFERENCE, play

C, S = Role.CLIENT, Role.SERVER
LABELS = {C: schedule.CLIENT_FINISHED, S: schedule.SERVER_FINISHED}
START = {C: {ServerState.START}, S: {ClientState.START}}
"""Where who receives what a side sends is at first."""
HANDSHAKE = ContentType.HANDSHAKE


def decoded(turns, log, provider):
    """Messages, application data, and where each side's receiver may be. `turns` are "client" or "server" and bytes, in the order of their going out."""
    framers, joiners, channels = ({side: make() for side in Role} for make in (Framer, Joiner, Channel))
    receivers, seen, data, hellos, transcript, suite = START.copy(), [], {C: b"", S: b""}, {}, b"", None
    for side, arrived in turns:
        sender = Role(side)
        framers[sender].feed(arrived)
        while record := framers[sender].next():
            content = channels[sender].open(record)
            assert content is not None, "the record is not authentic"
            joiners[sender].feed(content if record.type == HANDSHAKE else b"")
            for raw in iter(joiners[sender].next, None) if record.type == HANDSHAKE else [content]:
                seen.append((sender, message := parse_content(record.type, raw, suite and suite.kx)))
                if isinstance(message, ClientHello | ServerHello):
                    hellos[sender], transcript = message, b"" if sender is C else transcript
                    suite = BY_ID[message.cipher_suite] if sender is S else None
                elif isinstance(message, Finished):
                    assert message.verify_data == verify_data(provider, suite, log[hellos[C].random], sender, transcript)
                elif isinstance(message, ChangeCipherSpec):
                    channels[sender].change(protection(provider, suite, log[hellos[C].random], sender, hellos))
                data[sender] += message.data if isinstance(message, ApplicationData) else b""
                transcript += raw if record.type == HANDSHAKE and not isinstance(message, HelloRequest) else b""
                receivers[sender] = receivers[sender] if isinstance(message, Alert) else led_to(receivers[sender], type(message))
                assert receivers[sender], f"{message} is not legal here"
    return seen, data, receivers


def verify_data(provider, suite, master, sender, transcript):
    digest = hashlib.new(suite.prf_hash, transcript).digest()
    return schedule.verify_data(provider.prf, suite.prf_hash, master, LABELS[sender], digest)


def protection(provider, suite, master, sender, hellos):
    keys = schedule.key_block(provider.prf, suite, master, hellos[C].random, hellos[S].random)
    etm = any(extension.extension_type == EncryptThenMac.type for extension in hellos[S].extensions or ())
    return protect(suite, keys.client if sender is C else keys.server, provider, encrypt_then_mac=etm)


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row.name)
def test_our_own_conversations_are_decoded_from_their_bytes_and_a_key_log(row, monkeypatch):
    """Every Finished fits, every record opens, the data is there, and each step is legal for its receiver."""
    lines = []
    monkeypatch.setattr(reference, "Pair", Recording)
    monkeypatch.setattr(Recording, "made", [])
    play(row, change=lambda client, server: (replace(client, key_log=lines.append), server))
    for joined in Recording.made:
        found, data, receivers = decoded(joined.turns, master_secrets("\n".join(lines)), real())
        assert data == {C: joined.server.data, S: joined.client.data}
        assert [type(message) for _, message in found].count(Finished) == 2 * joined.client.completed
        if joined.client.completed:
            assert receivers[S] >= {ClientState.CONNECTED}
            assert receivers[C] >= {ServerState.CONNECTED}
    assert Recording.made[0].server.data


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize("cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-SHA384", "AES128-SHA"])
def test_openssl_talking_to_itself_is_decoded_from_its_bytes_and_its_key_log(cipher, tmp_path):
    turns, log = openssl_turns(tmp_path, cipher)
    found, data, receivers = decoded(turns, master_secrets(log), real())
    assert data == {C: UP, S: DOWN}
    assert [type(message).path_name for _, message in found if isinstance(message, HandshakeMessage | Alert)] == [
        "ClientHello", "ServerHello", "Certificate", *(["ServerKeyExchange"] if "ECDHE" in cipher else []), "ServerHelloDone",
        "ClientKeyExchange", "Finished", "NewSessionTicket", "Finished", "Alert",
    ]  # fmt: skip
    assert receivers[S] >= {ClientState.CONNECTED}


def test_a_message_that_is_left_out_is_not_legal_for_an_observer_either():
    after_hello = led_to({ClientState.START}, ServerHello)
    assert led_to(after_hello, Finished) == set()
    assert led_to({ServerState.START}, Finished) == set()


def test_a_key_log_is_read_as_it_is_written():
    line = key_log_line("CLIENT_RANDOM", b"r" * 32, b"m" * 48)
    log = f"# a comment\r\n{line}\r\nSERVER_TRAFFIC_SECRET_0 {'00' * 32} {'11' * 32}\n{line[:-2]}\nCLIENT_RANDOM zz\n"
    assert master_secrets(log) == {b"r" * 32: b"m" * 48}
    assert (b"m" * 48).hex() not in repr(master_secrets(log))


def test_a_protection_made_to_open_seals_nothing_where_that_needs_entropy():
    suite = BY_ID[CipherSuiteId.TLS_RSA_WITH_AES_128_CBC_SHA]
    keys = schedule.key_block(real().prf, suite, b"m" * 48, b"c" * 32, b"s" * 32)
    made = protect(suite, keys.client, real())
    with pytest.raises(UsageError, match="random"):
        made.seal(0, ContentType.APPLICATION_DATA, b"data")
    assert made.open(0, ContentType.APPLICATION_DATA, protect(suite, keys.client, real(), bytes).seal(0, ContentType.APPLICATION_DATA, b"data")) == b"data"
