"""Text for terminals: the ladder, the annotated hexdump, one byte in full; whatever the width, whatever the conversation."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.crypto.secret import Secret
from puretls.handshake.states import Role
from puretls.handshake.table import TABLES as STATES
from puretls.inspect import Conversation, Tape, replay
from puretls.inspect.render import terminal
from puretls.inspect.render.hexdump import Field, hexdump, of_spans
from puretls.inspect.render.ladder import Rung, ladder, rungs, state_path
from puretls.inspect.render.palette import ASCII, COLOURED, COLOURS, PLAIN, Palette
from puretls.inspect.render.words import paragraph, value_text
from puretls.inspect.streams import SIDES, Stream
from puretls.spans import Span
from tests.inspect.test_tapes import FOLDER, TAPES
from tests.support.recorded import every_reference

NO_COLOURS = Palette({}, ASCII)
WIDTHS = (60, 80, 120)
DATA = re.compile(r"^(\d+)(?:-(\d+))? +((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:  |$)")


def conversations(name):
    return replay(Tape.load(FOLDER / name)).conversations


def uncoloured(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


# The ladder


def test_arrows_point_and_flights_stand_apart():
    rungs = [Rung(True, "Hello", 5, "A", "B"), Rung(True, "More", 6, "A", "B"), Rung(False, "Reply", 7, "C", "B", protected=True)]
    lines = ladder(rungs, 10_000, NO_COLOURS)
    assert lines[1].startswith("A       -- Hello --")
    assert lines[1].endswith("-- 5 -->  B")
    assert lines[3] == ""
    assert lines[4].startswith("C       <== 7 ==")
    assert {len(line) for line in (lines[1], lines[2], lines[4])} == {len(lines[1])}


def test_states_stand_below_the_arrow_where_there_is_no_room_beside_it():
    rungs = [Rung(True, "Hello", 5, "WAIT_ONE", "WAIT_TWO"), Rung(False, "Reply", 7, "C", "B", protected=True)]
    assert ladder(rungs, 30, NO_COLOURS) == [
        "client      server",
        "-- Hello --- 5 -->",
        "WAIT_ONE  WAIT_TWO",
        "",
        "<== 7 === Reply ==",
        "C                B",
    ]


def test_data_that_follows_each_other_is_one_arrow():
    (conversation,) = conversations(TAPES[22])
    data = [rung for rung in rungs(conversation) if rung.name == "ApplicationData"]
    assert [(rung.from_client, rung.size, rung.count) for rung in data] == [(True, 1600, 1), (False, 3200, 7)]
    assert any("ApplicationData x 7" in line for line in ladder(rungs(conversation), 80))


# The hexdump


def test_long_fields_take_several_rows():
    raw = bytes(range(20))
    spans = [Span(0, 1, "M.a", 1), Span(1, 1, "M.empty"), Span(1, 20, "M.b", raw[1:], "RFC 1")]
    assert list(hexdump(of_spans(raw, spans), 10_000)) == [
        "0      00                                               M.a = 1",
        "1-16   01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10  M.b = 19 bytes [RFC 1]",
        "17-19  11 12 13",
    ]


def test_faults_are_marked():
    (line, why) = hexdump(of_spans(b"\0", [Span(0, 1, "M.fault", b"\0", "cut short", fault=True)]), 10_000)
    assert (line, why.strip()) == ("0  00           M.fault", "FAULT: cut short")


@pytest.mark.parametrize("fault", [False, True])
def test_secrets_are_not_shown(fault):
    data = bytes(range(100, 132))
    lines = list(hexdump(of_spans(data, [Span(0, 32, "private_key", Secret(data), "RFC 5958 2", fault=fault)])))
    assert lines[0].split()[:2] == ["0-31", "(secret)"]
    assert "64 65" not in "".join(lines)
    assert data.hex() not in "".join(lines)


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.text(max_size=30)), max_size=8), st.integers(40, 140))
def test_every_byte_is_shown_once_in_lines_that_fit_and_nothing_of_a_peer_reaches_the_terminal(parts, width):
    fields, start = [], 0
    for data, words in parts:
        fields.append(Field(start, data, f"M.{'field.' * (len(data) % 9)}x", data, words, "RFC 5246 7.4"))
        start += len(data)
    lines = list(hexdump(fields, width))
    assert all(len(line) <= width and line.isprintable() for line in lines)
    shown = [DATA.match(line) for line in lines]
    assert bytes.fromhex("".join(found[3] for found in shown if found)) == b"".join(data for data, _ in parts)
    coloured = list(hexdump(fields, width, COLOURED))
    assert [uncoloured(line).rstrip() for line in coloured] == lines


def test_values_are_told_by_name_and_number():
    from puretls.iana import CipherSuiteId, ContentType

    assert value_text(ContentType.HANDSHAKE) == "handshake (22)"
    assert value_text(CipherSuiteId.TLS_RSA_WITH_AES_128_GCM_SHA256) == "TLS_RSA_WITH_AES_128_GCM_SHA256 (0x009c)"
    assert value_text(b"h2") == "'h2'"
    assert value_text(b"\x1b[2J") == "4 bytes"
    assert value_text("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert value_text(300) == "300 (0x12c)"


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), max_size=200), st.integers(20, 60))
def test_paragraphs_fit_and_lose_no_letter(text, width):
    lines = paragraph(text, width)
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_long_paths_are_broken_at_their_dots():
    lines = paragraph("certificate_list[0].tbs_certificate.extensions[3].extn_value = 4", 36)
    assert lines == ["certificate_list[0].tbs_certificate", ".extensions[3].extn_value = 4"]


# A conversation


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [TAPES[index] for index in (1, 4, 18, 20, 21, 22)])
def test_an_overview_fits_and_names_every_message_and_state(name, width):
    for conversation in conversations(name):
        lines = terminal.overview(conversation, width)
        assert all(len(line) <= width and line.isprintable() for line in lines)
        text = "\n".join(lines)
        for seen in conversation.messages:
            assert seen.name in text
            for state in (*seen.states_after.client, *seen.states_after.server):
                assert state in text
        assert " ".join(conversation.outcome.sentence.split()) in " ".join(text.split())
        assert conversation.suite.name in text


@pytest.mark.parametrize("name", [TAPES[index] for index in (1, 4, 15, 21)])
def test_a_dump_of_all_leaves_shows_all_bytes(name):
    conversation = conversations(name)[0]
    for side in SIDES:
        lines = list(terminal.dump(conversation, conversation.byte_map.wire(side), 80))
        assert all(len(line) <= 80 for line in lines)
        shown = "".join(found[3] for line in lines if (found := DATA.match(line)))
        assert bytes.fromhex(shown) == conversation.stream(side).data


def test_meanings_are_told_where_they_are_asked_for():
    conversation = conversations(TAPES[4])[0]
    leaves = conversation.byte_map.find("client.ClientHello.random")[:1]
    plain, told = ("\n".join(terminal.dump(conversation, leaves, 80, meanings=meanings)) for meanings in (False, True))
    assert "32 random bytes" not in plain
    assert "32 random bytes" in told
    assert "client START to WAIT_SERVER_HELLO" in " ".join(told.split())


def test_a_card_tells_path_states_key_and_where_the_byte_is_decrypted():
    conversation = conversations(TAPES[4])[0]
    finished = conversation.byte_map.find("server.Finished.verify_data")[0]
    offset = conversation.byte_map.linked("server", finished.start, "plaintext")[0]
    card = " ".join("\n".join(terminal.card(conversation, conversation.byte_map.at("server", offset), offset)).split())
    assert "server_write_key, epoch 1, sequence number 0" in card
    assert f"byte {finished.start} of the plaintext view: server.Finished.verify_data" in card
    assert "before: client WAIT_FINISHED, server CONNECTED after: client CONNECTED, server CONNECTED" in card
    assert "server_write_key = cut(key_block)" in card


def test_no_key_is_shown():
    for conversation in conversations(TAPES[4]):
        secrets = [node.value.hex() for node in conversation.ledger if node.secret and node.value]
        assert len(secrets) > 3
        leaves = [leaf for side in SIDES for leaf in conversation.byte_map.wire(side)]
        shown = "\n".join(
            (
                *terminal.overview(conversation),
                *(line for leaf in leaves for line in terminal.card(conversation, leaf, leaf.start)),
            )
        )
        assert not [secret for secret in secrets if secret in shown.replace(" ", "")]


def test_records_that_cannot_be_opened_have_their_rungs():
    """A newcomer without a key log sees that there is more, and what kind it is of."""
    (known,) = conversations(TAPES[4])
    closed = Conversation(known.client, known.server)
    shown = [(rung.from_client, rung.name, rung.count) for rung in rungs(closed)]
    sealed = [record for record in closed.records if record.epoch]
    assert sum(count for _, name, count in shown if name.endswith(", encrypted")) == len(sealed)
    for kind in ("handshake", "application_data", "alert"):
        assert {from_client for from_client, name, _ in shown if name == f"{kind}, encrypted"} == {True, False}
    assert sum(rung.size for rung in rungs(closed) if rung.name.endswith(", encrypted")) == sum(len(record.raw) for record in sealed)
    assert not any(rung.name.endswith(", encrypted") for rung in rungs(known))
    assert [rung.name for rung in rungs(closed)][:5] == [rung.name for rung in rungs(known)][:5]


def test_the_path_of_an_end_is_each_state_once_with_what_led_there():
    conversation = conversations(TAPES[18])[1]
    assert state_path(conversation, "server") == [
        (("START",), ""),
        (("WAIT_RESUMPTION_VERDICT",), "ClientHello"),
        (("WAIT_CCS",), "ServerHello"),
        (("WAIT_FINISHED",), "ChangeCipherSpec"),
        (("CONNECTED",), "Finished"),
        (("CLOSED",), "Alert"),
    ]


def test_the_path_tells_where_the_own_verifier_led():
    conversation = conversations(TAPES[18])[1]
    path = state_path(conversation, "client")
    assert path[2:5] == [(("WAIT_RESUMPTION_VERDICT",), "ServerHello"), (("WAIT_CCS",), ""), (("WAIT_FINISHED",), "ChangeCipherSpec")]
    for one in every_reference():
        for side, role in (("client", Role.CLIENT), ("server", Role.SERVER)):
            legal = {(row.state.name, after.name) for row in STATES[role] for after in row.next_states}
            certain = [states[0] for states, _ in state_path(one, side) if len(states) == 1]
            assert {pair for pair in pairwise(certain) if pair[1] not in {"CLOSED", "FAILED"} and "START" not in pair} <= legal


@pytest.mark.parametrize("streams", [(b"", b""), (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n"), (b"\x16\3\1\0\5abc", b"")])
def test_whatever_the_bytes_there_is_an_overview(streams):
    conversation = Conversation(*map(Stream.of, streams))
    lines = terminal.overview(conversation, 80, PLAIN)
    assert any("outcome:" in line for line in lines)
    for side in SIDES:
        list(terminal.dump(conversation, conversation.byte_map.wire(side), 80, meanings=True))


def test_what_went_wrong_is_told_with_its_bytes():
    (conversation,) = conversations(TAPES[20])
    flipped = bytearray(conversation.server.data)
    flipped[-1] ^= 1
    broken = Conversation(conversation.client, Stream.of(bytes(flipped)), conversation.knowledge)
    text = " ".join("\n".join(terminal.overview(broken, 80)).split())
    assert "bad_record_mac" in text
    assert "try:" in text


def test_every_colour_of_a_role_is_used():
    (conversation,) = conversations(TAPES[20])
    leaves = conversation.byte_map.wire("server")
    text = "\n".join(
        (*terminal.overview(conversation, 80, COLOURED), *terminal.dump(conversation, leaves, 80, COLOURED, meanings=True))
    )
    for role in set(COLOURS) - {"field"}:
        assert f"\x1b[{COLOURS[role]}m" in text, role
