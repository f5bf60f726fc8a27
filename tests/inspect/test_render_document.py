"""JSON: what the schema says is what is written, and the bytes can be restored from it; diagrams that Graphviz and people can read."""

import json
import re
import shutil
import subprocess
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.errors import UsageError
from puretls.inspect import Conversation, Tape, replay
from puretls.inspect.bytemap import VIEWS
from puretls.inspect.render import document, terminal
from puretls.inspect.render.diagrams import dot, mermaid
from puretls.inspect.render.ladder import rungs, state_path, states_text
from puretls.inspect.streams import SIDES, Chunk, Gap, Stream
from tests.inspect.test_tapes import FOLDER, TAPES

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
ROWS = (1, 4, 14, 18, 20, 21, 22)


def conversations(name):
    return replay(Tape.load(FOLDER / name)).conversations


def check(conversation, **options):
    """The document of a conversation: it follows the schema, and the conversation comes back from it."""
    text = document.dumps(conversation, **options)
    value = json.loads(text)
    jsonschema.Draft202012Validator(document.schema()).validate(value)
    restored = document.loads(text)
    assert (restored.client, restored.server) == (conversation.client, conversation.server)
    assert document.dumps(restored) == text
    return value


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(document.schema())


@pytest.mark.parametrize("name", [TAPES[index] for index in ROWS])
def test_the_bytes_of_both_views_are_restored_and_every_one_is_explained(name):
    for conversation in conversations(name):
        value = check(conversation)
        assert value["suite"] == conversation.suite.name
        for side in SIDES:
            wire = b"".join(bytes.fromhex(chunk["bytes"]) for chunk in value["streams"][side]["chunks"])
            assert wire == conversation.stream(side).data
            plain = bytes.fromhex(value["plaintext"][side])
            assert plain == conversation.byte_map.plain_bytes(side)
            for view, data in zip(VIEWS, (wire, plain), strict=True):
                leaves = value["bytes"][side][view]
                position = 0
                for leaf in leaves:
                    assert leaf["start"] == position
                    position = leaf["end"]
                    assert value["texts"][leaf["text"]]["meaning"]
                assert position == len(data)


@pytest.mark.parametrize("name", [TAPES[index] for index in (4, 18)])
def test_without_secrets_there_is_no_key_and_nothing_that_was_decrypted(name):
    for conversation in conversations(name):
        value = check(conversation, secrets=False)
        text = json.dumps(value)
        secrets = [node.value.hex() for node in conversation.ledger if node.secret and node.value]
        assert len(secrets) > 3
        assert not [secret for secret in secrets if secret in text]
        assert value["key_log"] == []
        assert conversation.data("server")
        assert conversation.data("server")[:16].hex() not in text


times = st.none() | st.integers(0, 2**62)
chunks = st.lists(st.tuples(st.binary(max_size=60), times), max_size=4)


@settings(max_examples=60)
@given(chunks, chunks, st.sampled_from(document.ENDS), st.booleans(), st.text(max_size=10))
def test_whatever_was_sent_comes_back(client, server, end, gap, name):
    streams = []
    for pieces in (client, server):
        offset, made = 0, []
        for order, (data, time) in enumerate(pieces):
            made.append(Chunk(offset, data, time, order))
            offset += len(data)
        gaps = (Gap(offset, 7, "not captured", 2),) if gap else ()
        streams.append(Stream(tuple(made), gaps, end))
    check(Conversation(*streams, name=name, began=5))


def test_what_went_wrong_is_told():
    (conversation,) = conversations(TAPES[20])
    flipped = bytearray(conversation.server.data)
    flipped[-1] ^= 1
    value = check(Conversation(conversation.client, Stream.of(bytes(flipped)), conversation.knowledge))
    assert "bad_record_mac" in [finding["alert"] for finding in value["findings"]]


GOOD = {document.MARK: 1, "streams": {side: {"chunks": []} for side in SIDES}}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        GOOD | {document.MARK: 2},
        GOOD | {"streams": {}},
        GOOD | {"streams": {side: {"chunks": [{"offset": -1, "bytes": ""}]} for side in SIDES}},
        GOOD | {"streams": {side: {"chunks": [{"offset": 0, "bytes": "xy"}]} for side in SIDES}},
        GOOD | {"streams": {side: {"chunks": [{"offset": True, "bytes": ""}]} for side in SIDES}},
        GOOD | {"streams": {side: {"chunks": 3} for side in SIDES}},
        GOOD | {"streams": {side: {"chunks": [], "end": "never"} for side in SIDES}},
        GOOD | {"addresses": ["one"]},
        GOOD | {"addresses": 3},
        GOOD | {"key_log": [3]},
        GOOD | {"began": "today"},
        GOOD | {"name": None},
    ],
)
def test_what_does_not_follow_the_schema_is_refused_in_a_sentence(value):
    with pytest.raises(UsageError, match="conversation"):
        document.loads(json.dumps(value))


def test_what_is_not_json_is_refused():
    for text in (b"", b"{", b"\xff\xfe", "[" * 100_000):
        with pytest.raises(UsageError, match="not JSON"):
            document.loads(text)


@cache
def played(name):
    return conversations(name)[0]


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.sampled_from([TAPES[index] for index in (0, 1, 4, 15)]), st.sampled_from(SIDES), st.data())
def test_every_view_of_a_damaged_conversation_can_be_drawn(name, side, data):
    """Bytes that were changed, cut out, or put in, anywhere: nothing is raised, lines fit, and JSON gives the bytes again."""
    whole = played(name)
    sent = bytearray(whole.stream(side).data)
    start = data.draw(st.integers(0, len(sent) - 1))
    stop = min(len(sent), start + data.draw(st.integers(0, 40)))
    sent[start:stop] = data.draw(st.binary(max_size=40))
    streams = [Stream.of(bytes(sent)) if each == side else whole.stream(each) for each in SIDES]
    broken = Conversation(*streams, whole.knowledge)
    assert all(len(line) <= 80 and line.isprintable() for line in terminal.overview(broken, 80))
    for each in SIDES:
        leaves = broken.byte_map.wire(each)
        assert all(len(line) <= 80 for line in terminal.dump(broken, leaves, 80, meanings=True))
        for leaf in leaves[:: max(1, len(leaves) // 10)]:
            assert all(len(line) <= 80 for line in terminal.card(broken, leaf, leaf.start, 80))
    assert mermaid(broken).startswith("sequenceDiagram")
    assert dot(broken).endswith("}\n")
    check(broken)


# Diagrams


@pytest.mark.parametrize("name", [TAPES[index] for index in ROWS])
def test_mermaid_has_an_arrow_for_each_rung_and_a_note_for_each_state(name):
    for conversation in conversations(name):
        lines = mermaid(conversation).splitlines()
        assert lines[0] == "sequenceDiagram"
        form = r"    (participant (client|server) as \S.*|Note over (client|server): \S+|(client|server)--?>>(client|server): \S.*)"
        assert all(re.fullmatch(form, line) for line in lines[1:])
        arrows = [line.strip().partition(":")[0] for line in lines if ">>" in line]
        wanted = [("client", "server") if rung.from_client else ("server", "client") for rung in rungs(conversation)]
        assert [tuple(re.split("--?>>", arrow)) for arrow in arrows] == wanted
        assert ["--" in arrow for arrow in arrows] == [rung.protected for rung in rungs(conversation)]
        for side in SIDES:
            told = [line.rpartition(": ")[2].replace("#124;", "|") for line in lines if f"over {side}" in line]
            path = state_path(conversation, side)
            assert told == [states_text(states) for index, (states, message) in enumerate(path) if message or not index]


def test_names_of_a_peer_cannot_leave_their_place_in_a_diagram():
    (conversation,) = conversations(TAPES[4])
    evil = 'a"]; x\n  Note over client: evil\\'
    named = Conversation(conversation.client, conversation.server, conversation.knowledge, addresses=(evil, evil))
    assert len(mermaid(named).splitlines()) == len(mermaid(conversation).splitlines())
    assert len(dot(named).splitlines()) == len(dot(conversation).splitlines())
    assert 'label="client a\\"]; x\\\\n' in dot(named)


@pytest.mark.interop
@pytest.mark.parametrize("name", [TAPES[index] for index in (4, 18, 21)])
def test_graphviz_draws_the_states_of_both_ends(name):
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    for conversation in conversations(name):
        done = subprocess.run(["dot", "-Tsvg"], input=dot(conversation), capture_output=True, text=True, check=True)
        assert done.stderr == ""
        for side in SIDES:
            for states, _ in state_path(conversation, side):
                assert f">{states_text(states)}<" in done.stdout


def test_an_empty_conversation_has_diagrams_too():
    nothing = Conversation(Stream(), Stream())
    assert mermaid(nothing).startswith("sequenceDiagram\n    participant client")
    assert dot(nothing).endswith("}\n")
    check(nothing)


