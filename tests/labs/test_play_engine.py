"""The engine of the playground: JSON in, JSON out; every request has an answer, and a tape is all that is needed to be there again."""

import base64
import io
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.inspect import Tape, replay
from puretls.inspect.captures.capture import read_capture
from puretls.inspect.edit import OPERATIONS
from puretls.labs.playground import engine, options

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "tapes"
HANDSHAKE = [
    *("ClientHello", "ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone", "ClientKeyExchange"),
    *("ChangeCipherSpec", "Finished", "NewSessionTicket", "ChangeCipherSpec", "Finished"),
]

TEXT = st.text(st.characters(), max_size=8)
"""Surrogates too, which JSON can write."""
JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 2**40) | st.floats(allow_nan=False) | TEXT,
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6)  # fmt: skip
FIELDS = (
    "path",
    "side",
    "value",
    "operation",
    "who",
    "offset",
    "byte",
    "number",
    "text",
    "hex",
    "name",
    "as",
    "show",
    "view",
    "choices",
)
DATA = {"data": st.data()}
BACK = {"steps": st.integers(0, 12), "preset": st.sampled_from([0, 1, 4, 5])}
DOINGS = {"doings": st.lists(st.sampled_from(["step", "run", "back", "send", "close", "resume", "renegotiate"]), max_size=8)}
RUBBISH = {
    "do": st.sampled_from(sorted(engine.REQUESTS)),
    "more": st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5),
    "real": st.booleans(),
    "tape": JSON,
}


def asked(do, tape=None, **more):
    """The answer, through JSON and back."""
    request = {"do": do, **({"tape": tape} if tape is not None else {}), **more}
    return json.loads(json.dumps(engine.answer(json.loads(json.dumps(request)))))


def done(do, tape=None, **more):
    answer = asked(do, tape, **more)
    assert "error" not in answer, answer
    return answer


def refused(do, tape=None, **more):
    answer = asked(do, tape, **more)
    assert set(answer) == {"error"}
    assert "\n" not in answer["error"]
    return answer["error"]


def fresh(tape):
    """The answer of an engine that remembers nothing."""
    engine._runs.clear()
    return done("view", tape)


@cache
def _begun(steps, preset):
    answer = done("new", choices=dict(options.PRESETS[preset][2]))
    for _ in range(steps):
        answer = done("step", answer["tape"])
    return json.dumps(answer)


def begun(steps=0, preset=0):
    return json.loads(_begun(steps, preset))


@cache
def _complete(preset=0):
    return json.dumps(done("run", begun(preset=preset)["tape"]))


def complete(preset=0):
    return json.loads(_complete(preset))


def names(answer):
    return [message["name"] for message in answer["view"]["messages"]]


def way(answer):
    return [message["name"] for message in answer["view"]["messages"] if not message["arrived"]]


def states(answer):
    return [answer["view"]["ends"][side]["state"] for side in ("client", "server")]


# Going on, and back


def test_a_handshake_goes_step_by_step():
    answer, seen = begun(), []
    while answer["view"]["can"]["step"]:
        answer = done("step", answer["tape"])
        seen.append((answer["view"]["shown"], way(answer)))
    assert names(answer) == HANDSHAKE
    assert seen[0] == ("client.ClientHello", ["ClientHello"])
    assert seen[1] == ("client.ClientHello", ["ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"])
    assert seen[-1] == ("server.Finished", [])
    assert states(answer) == ["CONNECTED", "CONNECTED"]
    assert refused("step", answer["tape"]).startswith("nothing is on its way")


@pytest.mark.parametrize("preset", range(len(options.PRESETS)), ids=[title for title, _, _ in options.PRESETS])
def test_every_preset_comes_to_its_end_and_its_choices_are_read_from_its_tape(preset):
    title, _, chosen = options.PRESETS[preset]
    answer = complete(preset)
    assert answer["view"]["complete"] is (title not in {"Wrong name", "No suite in common"})
    assert bool(answer["view"]["why"]) is not answer["view"]["complete"]
    assert done("new", choices=answer["view"]["choices"])["tape"] == begun(preset=preset)["tape"]
    assert {name: answer["view"]["choices"][name] for name in chosen} == chosen


@settings(max_examples=3, deadline=None)
@given(**BACK)
def test_back_after_a_step_is_where_it_was(steps, preset):
    before = done("new", choices=dict(options.PRESETS[preset][2]))
    for _ in range(steps):
        if before["view"]["can"]["step"]:
            before = done("step", before["tape"])
    if not before["view"]["can"]["step"]:
        before = done("send", before["tape"], side="client", text="x")
    shown = before["view"]["shown"]
    after = done("step", before["tape"])
    again = done("back", after["tape"])
    assert again["tape"] == before["tape"]
    assert done("view", again["tape"], show=shown)["view"] == done("view", before["tape"], show=shown)["view"]


@settings(max_examples=2, deadline=None)
@given(**DOINGS)
def test_the_tape_is_all_there_is_to_know(doings):
    answer = begun(9)
    for do in doings:
        more = {"side": "client", "text": "hello"} if do in {"send", "close", "renegotiate"} else {}
        made = asked(do, answer["tape"], **more)
        answer = answer if "error" in made else made
    shown = answer["view"]["shown"]
    known = done("view", answer["tape"], show=shown)
    assert fresh(answer["tape"])["tape"] == answer["tape"]
    engine._runs.clear()
    assert done("view", answer["tape"], show=shown) == known


def test_a_tape_plays_outside_to_the_same_bytes():
    answer = complete()
    answer = done("run", done("send", answer["tape"], side="client", text="hello")["tape"])
    answer = done("run", done("close", answer["tape"], side="server")["tape"])
    answer = done("run", done("resume", answer["tape"])["tape"])
    played = replay(Tape.from_json(answer["tape"]))
    run = engine._runs[Tape.from_json(answer["tape"]).dumps()]
    assert [one.sent(side) for one in played.connections for side in ("client", "server")] == [
        one.sent(side) for one in run.played for side in ("client", "server")
    ]
    assert played.connections[1].outcome == "completed: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, resumed"


def test_to_goes_on_until_a_message_has_arrived():
    answer = done("to", begun()["tape"], path="server.ServerKeyExchange")
    assert way(answer) == ["ServerHelloDone"]
    assert answer["view"]["shown"] == "server.ServerKeyExchange"
    assert refused("to", answer["tape"], path="server.CertificateRequest").startswith("server.CertificateRequest does not come")


def test_data_is_sent_a_connection_closed_and_another_one_resumes():
    answer = done("send", complete()["tape"], side="server", text="ready\u2713")
    assert way(answer) == ["ApplicationData"]
    answer = done("run", answer["tape"])
    assert {"side": "client", "kind": "data", "text": "ready\u2713"} in answer["view"]["told"]
    answer = done("run", done("close", answer["tape"], side="client")["tape"])
    assert states(answer) == ["CLOSED", "CLOSED"]
    assert refused("send", answer["tape"], side="client", text="more").startswith("the client cannot send")
    answer = done("run", done("resume", answer["tape"])["tape"])
    assert answer["view"]["outcome"] == "The handshake is complete: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, resumed."
    assert "Certificate" not in names(answer)


# Changing


def test_a_changed_message_is_on_its_way_again():
    answer = done("change", complete()["tape"], path="server.ServerKeyExchange.signed.signature", operation="flip")
    assert way(answer) == ["ServerKeyExchange", "ServerHelloDone"]
    assert answer["view"]["shown"] == "server.ServerKeyExchange"
    assert [message["name"] for message in answer["view"]["messages"] if message["changed"]] == ["ServerKeyExchange"]
    answer = done("run", answer["tape"])
    assert states(answer) == ["FAILED", "FAILED"]
    assert [message["name"] for message in answer["view"]["messages"] if message["refused"]] == ["ServerKeyExchange (refused)"]
    assert "the signature over the handshake does not verify" in answer["view"]["why"]
    notes = {path: done("message", answer["tape"], path=path)["scene"]["note"] for path in ("server.Certificate", "server.ServerKeyExchange",
                                                                                           "server.ServerHelloDone", "client.Alert")}  # fmt: skip
    assert notes == {
        "server.Certificate": "",
        "server.ServerKeyExchange": "The client was in WAIT_KEY_EXCHANGE when this came, refused it, and gave up.",
        "server.ServerHelloDone": "The client had given up before this came: it was not read.",
        "client.Alert": "The client was in WAIT_KEY_EXCHANGE when it gave up and sent this.",
    }
    picture = answer["view"]["ends"]["client"]["picture"]
    assert "its own decision leads from WAIT_KEY_EXCHANGE to FAILED; it is in FAILED" in picture
    assert 'id="state-client-WAIT_REQUEST_OR_DONE" class="not"' in picture
    assert done("why", answer["tape"])["why"] == answer["view"]["why"]
    answer = done("run", done("unchange", answer["tape"], number=0)["tape"])
    assert answer["view"]["complete"]


@settings(max_examples=3, deadline=None)
@given(**DATA)
def test_any_byte_can_be_changed_and_changed_back(data):
    tape = complete()["tape"]
    run = engine.Run(Tape.from_json(tape))
    side = data.draw(st.sampled_from(["client", "server"]))
    sent = run.conversation().stream(side).data
    offset = data.draw(st.integers(0, len(sent) - 1))
    byte = sent[offset] ^ data.draw(st.integers(1, 255))
    answer = done("change", tape, side=side, view="wire", offset=offset, byte=byte)
    after = engine.Run(Tape.from_json(answer["tape"]))
    changed = after.conversation().stream(side).data
    assert changed[: offset + 1] == sent[:offset] + bytes([byte])
    assert after.arrived(side) <= offset
    assert any(message["changed"] for message in answer["view"]["messages"])
    back = done("unchange", answer["tape"], number=0)["tape"]
    assert back.get("edits") is None
    assert replay(Tape.from_json(done("run", back)["tape"])).sha256 == run.replay.sha256


def test_what_a_change_did_is_told():
    run = engine.Run(Tape.from_json(complete()["tape"]))
    byte_map = run.conversation().byte_map
    random = next(leaf for leaf in byte_map.wire("client") if leaf.path.startswith("client.ClientHello.random"))
    offset, data = random.end - 1, byte_map.bytes_of(random)
    changed = done("change", complete()["tape"], side="client", offset=offset, byte=data[-1] ^ 0xFF)
    assert changed["view"]["changes"][0]["text"] == f"byte {len(data) - 1} of it: {data[-1]:02x} became {data[-1] ^ 0xFF:02x}"
    changed = done("change", complete()["tape"], path="client.ClientHello.session_id", value="hex:0102", who="sender")
    assert changed["view"]["changes"][0]["text"].endswith(" became 0102")


def test_who_makes_a_change_is_told_by_what_is_put_right():
    tape = complete()["tape"]
    change = {"path": "client.ClientHello.random", "value": "hex:" + "07" * 32}
    on_the_way = done("run", done("change", tape, **change)["tape"])
    assert on_the_way["view"]["failed"]
    assert on_the_way["view"]["changes"][0]["who"] == "somebody on the way"
    sender = done("run", done("change", tape, **change, who="sender")["tape"])
    assert sender["view"]["complete"]
    assert sender["view"]["changes"][0]["who"] == "the client"


@pytest.mark.parametrize(
    ("do", "expected", "arrived", "refused"),
    [
        ("drop", "ServerHello ServerKeyExchange", 2, "ServerKeyExchange (refused)"),
        ("repeat", "Certificate Certificate", 3, "Certificate (refused)"),
        ("swap", "ServerKeyExchange Certificate", 2, "ServerKeyExchange (refused)"),
    ],
)
def test_messages_are_dropped_repeated_and_swapped(do, expected, arrived, refused):
    answer = done(do, complete()["tape"], path="server.Certificate")
    assert expected in " ".join(names(answer))
    assert [message["arrived"] for message in answer["view"]["messages"]].count(True) == arrived
    assert not any(message["refused"] for message in answer["view"]["messages"])
    answer = done("run", answer["tape"])
    assert answer["view"]["failed"] == "client"
    assert "unexpected_message" in answer["view"]["why"]
    assert next(message["name"] for message in answer["view"]["messages"] if message["refused"]) == refused


def test_what_is_injected_arrives_in_front_of_what_is_on_its_way():
    answer = done("inject", begun(2)["tape"], side="server", hex="15030300020228")
    assert names(answer)[1] == "Alert: handshake_failure"
    assert way(answer)[:1] == ["ServerHello"]
    assert answer["view"]["failed"] == "client"


def test_two_ends_that_wait_for_each_other_are_explained():
    tape = done("drop", complete()["tape"], path="server.ServerHelloDone")["tape"]
    answer = done("view", tape)
    assert not answer["view"]["failed"]
    assert not answer["view"]["can"]["step"]
    assert "ServerKeyExchange" in answer["view"]["why"]


def test_what_is_changed_is_what_was_looked_at():
    tape = done("run", done("send", complete()["tape"], side="client", text="one")["tape"])["tape"]
    tape = done("drop", tape, path="client.ApplicationData", who="sender")["tape"]
    tape = done("send", tape, side="client", text="two")["tape"]
    assert "first undo" in refused("change", tape, path="client.ApplicationData.data", value="text:six")


# What is shown


def test_a_message_is_shown_with_tables_for_its_bytes():
    answer = done("message", begun(6)["tape"], path="server.ServerKeyExchange")
    assert "ecdsa_sig_value" in answer["scene"]["html"] or "ecdsa_sig_value" in json.dumps(answer["scene"]["data"])
    assert set(answer["scene"]["data"]) == {"strings", "paths", "texts", "contexts", "dumps", "keys"}
    assert refused("message", begun(6)["tape"], path="server.<b>").startswith("no message is called 'server.<b>'")


def test_the_state_of_an_end_is_its_own_and_not_what_is_still_on_its_way():
    view = begun(3)["view"]
    assert states({"view": view}) == ["WAIT_CERTIFICATE", "WAIT_CLIENT_KEY_EXCHANGE"]
    for side, (state, ahead) in {
        "client": ("WAIT_CERTIFICATE", "WAIT_KEY_EXCHANGE"),
        "server": ("WAIT_CLIENT_KEY_EXCHANGE", "WAIT_CCS"),
    }.items():
        picture = view["ends"][side]["picture"]
        assert f'id="state-{side}-{state}" class="been now"' in picture
        assert f'id="state-{side}-{ahead}" class="not"' in picture


def test_keys_are_shown_when_there_are_some():
    assert "master_secret" in done("keys", complete()["tape"])["html"]
    assert "No handshake came far enough" in done("keys", begun()["tape"])["html"]


def test_what_can_be_chosen_is_described():
    described = done("describe")
    assert {one["name"] for one in described["choices"]} == {choice.name for choice in options.CHOICES}
    assert described["operations"] == dict(OPERATIONS)
    suites = next(one for one in described["choices"] if one["name"] == "client_suites")
    assert all(one["text"] for one in suites["values"])


def test_what_stands_in_the_manual_can_be_read_beside_it():
    pages = done("describe")["reading"]
    assert pages
    for page in pages:
        assert page["title"]
        assert len(done("read", name=page["name"])["html"]) > 200
    assert refused("read", name="../../etc/passwd").startswith("nothing to read")


# Files


def test_a_run_is_saved_as_tape_capture_and_page():
    pytest.importorskip("dpkt")
    tape = done("run", done("send", complete()["tape"], side="client", text="hello there")["tape"])["tape"]
    files = {kind: done("save", tape, **{"as": kind}) for kind in ("tape", "pcapng", "page")}
    content = {kind: base64.b64decode(file["base64"]) for kind, file in files.items()}
    assert Tape.loads(content["tape"]).to_json() == tape
    (conversation,) = read_capture(io.BytesIO(content["pcapng"])).conversations()
    assert conversation.data("client") == b"hello there"
    assert content["page"].startswith(b"<!DOCTYPE html>")
    assert done("load", text=content["tape"].decode())["tape"] == tape


def test_without_secrets_files_have_none():
    pytest.importorskip("dpkt")
    tape = done("run", done("send", complete()["tape"], side="client", text="hello there")["tape"])["tape"]
    for kind in ("tape", "pcapng", "page"):
        content = base64.b64decode(done("save", tape, **{"as": kind}, secrets=False)["base64"])
        assert b"hello there" not in content
        assert b"hello there".hex().encode() not in content.replace(b" ", b"")
        assert b"CLIENT_RANDOM" not in content


@pytest.mark.parametrize(
    "file", [one if number in {0, 4, 16} else pytest.param(one, marks=pytest.mark.full) for number, one in enumerate(sorted(VECTORS.glob("*.json")))],
    ids=lambda file: file.name,
)  # fmt: skip
def test_reference_tapes_open_and_come_to_the_same_bytes(file):
    opened = done("load", text=file.read_text())
    played = replay(Tape.load(file))
    run = engine.Run(Tape.from_json(opened["tape"]))
    assert [one.sent(side) for one in run.played for side in ("client", "server")] == [
        one.sent(side) for one in played.connections for side in ("client", "server")
    ]


# Refusals


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (None, "a request is an object"),
        ([], "a request is an object"),
        ({}, "no request is called"),
        ({"do": "dance"}, "no request is called"),
        ({"do": ["new"]}, "no request is called"),
        ({"do": "view"}, "no tape"),
        ({"do": "view", "tape": {"puretls_tape": 9}}, "a tape of version 9: this puretls reads version 1"),
        ({"do": "new", "choices": {"colour": 1}}, "nothing to choose is called 'colour'"),
        ({"do": "new", "choices": {"trust": "everyone"}}, "trust cannot be"),
        ({"do": "new", "choices": {"client_suites": ["TLS_NONE"]}}, "client_suites cannot be"),
        ({"do": "new", "choices": {"certificates": []}}, "a server needs a credential"),
        ({"do": "load", "text": "{"}, "no tape: not JSON"),
        ({"do": "load"}, "text is that of a tape's file"),
        ({"do": "new", "choices": {"server_name": ""}}, "server_name is a text of 1 to 253 characters"),
        ({"do": "new", "choices": {"seed": "\ud800"}}, "seed is a text of 1 to 253 characters"),
    ],
    ids=repr,
)
def test_a_request_that_is_none_has_one_clear_line(request_, error):
    answer = engine.answer(request_)
    assert set(answer) == {"error"}
    assert answer["error"].startswith(error)
    assert "\n" not in answer["error"]


@pytest.mark.parametrize(
    ("do", "more", "error"),
    [
        ("change", {"path": "ClientHello.random", "value": "1"}, "does not say who sends it"),
        ("change", {"path": "client.ClientHello.colour", "value": "1"}, "there is no ClientHello.colour"),
        ("change", {"path": "no path at all", "value": "1"}, "is no path"),
        ("change", {"path": "client.ClientHello.random", "value": "red"}, "is no number"),
        ("change", {"path": "client.ClientHello.random", "operation": "paint"}, "no operation is called"),
        ("change", {"path": "client.ClientHello.random", "value": "1", "who": "nobody"}, "who is"),
        ("change", {"side": "client", "offset": 10**6, "byte": 1}, "there is no byte 1000000"),
        ("change", {"side": "client", "offset": 0, "byte": 256}, "a byte is 0 to 255"),
        ("change", {"side": "client", "offset": 0, "byte": 0x16}, "that byte is 0x16 already"),
        ("change", {"side": "middle", "offset": 0, "byte": 1}, "a side is"),
        ("drop", {"path": "client.ClientHello.random"}, "is a field: name a message or a record"),
        ("unchange", {"number": 0}, "there is no change 0"),
        ("send", {"side": "client", "text": ""}, "there is nothing to send"),
        ("send", {"side": "client", "text": "\ud800"}, "text holds half of a surrogate pair"),
        ("send", {"side": "client", "text": "x" * 10**5}, "text has 100,000 characters: 65,536 are the most"),
        ("inject", {"side": "client", "hex": "0"}, "hex is hexadecimal digits"),
        ("save", {"as": "film"}, "a run is saved as tape, pcapng, page"),
        ("read", {"name": "labs/99"}, "nothing to read"),
        ("to", {"path": 7}, "path is a text"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_cannot_be_done_has_one_clear_line(do, more, error):
    assert error in refused(do, complete()["tape"], **more)


def test_a_tape_that_is_too_large_or_reads_this_machine_is_refused():
    tape = complete()["tape"]
    assert "the roots of the system" in refused("view", tape | {"client": {"verifier": "system"}})
    script = tape["connections"][0]
    assert "connections: the playground takes" in refused("view", tape | {"connections": [script] * 99})
    much = [{"do": "send", "side": "client", "data": {"text": "x", "times": 2**20}}]
    assert "bytes of data: the playground takes" in refused("view", tape | {"connections": [script | {"steps": much}]})


@settings(max_examples=40, deadline=None)
@given(**RUBBISH)
def test_any_request_has_an_answer(do, more, real, tape):
    answer = engine.answer({"do": do, "tape": complete()["tape"] if real else tape, **more})
    assert isinstance(answer, dict)
    assert "\n" not in answer.get("error", "")
    json.dumps(answer)


@settings(max_examples=30, deadline=None)
@given(**DATA)
def test_a_tape_with_one_thing_replaced_has_an_answer(data):
    tape = complete()["tape"]
    node, parent, key = tape, None, None
    while isinstance(node, dict | list) and node and data.draw(st.booleans() if parent else st.just(True)):
        parent, key = node, data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        node = parent[key]
    parent[key] = data.draw(JSON)
    answer = engine.answer({"do": "view", "tape": tape})
    assert "error" in answer or answer["view"]["step"] >= 0
    json.dumps(answer)


FULL = {
    test_back_after_a_step_is_where_it_was: (60, BACK),
    test_the_tape_is_all_there_is_to_know: (30, DOINGS),
    test_any_byte_can_be_changed_and_changed_back: (60, DATA),
    test_any_request_has_an_answer: (200, RUBBISH),
    test_a_tape_with_one_thing_replaced_has_an_answer: (200, DATA),
}
"""The properties above, with how many examples each is tried in full."""


@pytest.mark.full
@pytest.mark.parametrize("test", FULL, ids=lambda test: test.__name__)
def test_in_full(test):
    count, drawn = FULL[test]
    settings(max_examples=count, deadline=None)(given(**drawn)(test.hypothesis.inner_test))()
