"""The twelve wishes of learners: each command of the page runs as it stands, and shows what was wished for."""

import base64
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from types import SimpleNamespace

import pytest

from puretls.inspect import Conversation, Tape, replay
from puretls.labs import lab
from puretls.labs.playground import engine
from tests.cli.command import ENVIRONMENT, in_process, puretls, serving

pytest.importorskip("dpkt", reason="captures need dpkt")

PAGE = Path(__file__).resolve().parents[2] / "puretls" / "manual" / "wishes.md"
SHOWN = {
    1: ("<< CertificateRequest", ">> CertificateVerify"),
    2: ("session_hash = ", "client_handshake_hash = ", "server_handshake_hash = "),
    3: ("outcome: completed",),
    4: ("The task", "lab 13: not passed", "is for mallory.example, not for bank.example"),
    5: ("you read the cookie out of an encrypted connection", "Against its fixed twin: it finds nothing out"),
    6: (
        "field ServerKeyExchange.signed.signature",
        "state WAIT_KEY_EXCHANGE; alert decrypt_error [RFC 5246 7.2.2]",
        "server.ServerKeyExchange, bytes 1139 to 1252",
    ),
    7: ("secrets: known from the key log", "══ ApplicationData ═"),
    8: ("field ClientHello.client_version at byte 4", "alert protocol_version", "field Finished.verify_data"),
    9: ("got ClientKeyExchange, expected ChangeCipherSpec", "bad_record_mac"),
    10: ("sequenceDiagram", "digraph conversation {", "WAIT_CLIENT_KEY_EXCHANGE"),
    11: ("Certificate.tbs_certificate.validity.not_after", "bank.example", "(RFC 5280 4.1.2)"),
    12: ("signed.signature.ecdsa_sig_value.s", "decrypt_error (51)"),
}
"""What the commands of a wish print, among other things."""
STATUS = {"puretls lab grade 13 attack.py": 1}


def _commands():
    """The commands by the number of the wish; 0 is what all begin with."""
    before, *parts = re.split(r"^## (\d+)\. .*$", PAGE.read_text(), flags=re.M)
    numbered = {0: before} | dict(zip(map(int, parts[::2]), parts[1::2], strict=True))
    return {number: "".join(re.findall(r"```shell\n(.*?)```", part, re.S)).splitlines() for number, part in numbered.items()}


def _run(line):
    """One line of a shell, without one: of what a shell can do, the page uses a pipe from printf, and quotes."""
    fed, _, command = line.rpartition(" | ")
    words = shlex.split(command)
    if fed:
        given = shlex.split(fed)[1].encode().decode("unicode_escape").encode()
        done = puretls(*words[1:], stdin=given)
        return SimpleNamespace(returncode=done.returncode, stdout=done.stdout.decode(), stderr=done.stderr)
    if words[0] == "python":
        return subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert words[0] == "puretls"
    return in_process(*words[1:])


def _of_a_wish(lines, folder):
    """What its commands print. A server runs in the background of those behind it, on a free port."""
    printed = []
    for number, line in enumerate(lines):
        if line.endswith(" &"):
            words = shlex.split(line[:-2])
            assert words[:4] == ["puretls", "serve", "--port", "8443"]
            with serving(folder, *words[4:]) as server:
                rest = [each.replace(":8443", f":{server.port}") for each in lines[number + 1 :]]
                return "".join(printed) + _of_a_wish(rest, folder)
        done = _run(line)
        assert done.returncode == STATUS.get(line, 0), (line, done.stdout, done.stderr)
        printed.append(done.stdout + done.stderr)
    return "".join(printed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("wishes")
    beginning = re.findall(r"```python\n(.*?)```", lab.page(lab.load(13)), re.S)[0]
    (made / "attack.py").write_text(beginning)
    return made


@pytest.fixture(scope="module")
def printed(folder):
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "COLUMNS", "200")
        return {number: _of_a_wish(lines, folder) for number, lines in _commands().items()}


def test_there_are_twelve():
    assert list(_commands()) == list(range(13))
    assert PAGE.read_text().count("On the page: ") == 12


@pytest.mark.parametrize("number", SHOWN)
def test_the_commands_of_a_wish_show_it(printed, number):
    text = re.sub(r"[\s|]+", " ", printed[number])  # two columns, and lines that are folded
    assert not [wanted for wanted in SHOWN[number] if wanted not in text], printed[number][-3000:]


def test_the_hashes_are_those_of_the_messages(printed, folder):
    """Wish 2: the program has the messages, and what it prints is the SHA-256 of them (RFC 5246 7.4.9, RFC 7627 3)."""
    told = dict(line.split(" = ") for line in printed[2].splitlines() if line.count(" = ") == 1)
    names = [name for name in told if re.fullmatch(r"(client|server)\.[A-Z]\w+", name)]
    upto = names.index("client.ClientKeyExchange") + 1
    messages = b"".join(bytes.fromhex(told[name]) for name in names[:upto])
    assert told["session_hash"] == told["client_handshake_hash"] == hashlib.sha256(messages).hexdigest()


def test_the_same_run_is_played_each_time(printed, folder):
    """Wish 3: the tape is all there is to share."""
    tape = Tape.loads((folder / "demo.json").read_text())
    first, second = (replay(tape).conversations[0] for _ in range(2))
    assert isinstance(first, Conversation)
    assert [first.stream(side).runs() for side in ("client", "server")] == [
        second.stream(side).runs() for side in ("client", "server")
    ]
    with chdir(folder):
        assert in_process("replay", "demo.json").stdout.splitlines()[-1] in printed[3]


def test_what_can_be_passed_on_holds_no_secret(printed, folder):
    """Wish 7: the key log opens the second capture, and nothing in it does."""
    (_, _, master), *_ = (line.split() for line in (folder / "demo.log").read_text().splitlines())
    assert master.encode() in (folder / "demo.pcapng").read_bytes()
    assert master.encode() not in (folder / "wire.pcapng").read_bytes()


def test_the_page_of_a_failed_handshake_needs_no_network(printed, folder):
    """Wish 12."""
    text = (folder / "failed.html").read_text()
    assert "decrypt_error" in text
    assert not re.findall(r"""src=["']?https?:|<link|@import|url\((?!data:|#)""", text)


# Clicks: the page asks the engine, and what it shows is the engine's answer.


def test_what_is_to_be_clicked_is_on_the_page(root):
    """By its label."""
    folder = root / "puretls" / "labs" / "playground" / "page"
    shown = (folder / "index.html").read_text() + " ".join(
        preset["title"] for preset in engine.answer({"do": "describe"})["presets"]
    )
    labels = {
        label
        for line in re.findall(r"^On the page: .*(?:\n.+)*", PAGE.read_text(), re.M)
        for label in re.findall(r"\*\*(.+?)\*\*", line)
    }
    assert len(labels) > 12
    assert not [label for label in labels if label not in shown]


def _asked(do, before=None, **more):
    answer = engine.answer({"do": do, **({"tape": before["tape"]} if before else {}), **more})
    assert "error" not in answer, answer
    return answer


@pytest.fixture(scope="module")
def begun():
    """A run of which the server's first flight is on its way."""
    return _asked("step", _asked("new"))


@pytest.fixture(scope="module")
def complete(begun):
    return _asked("run", begun)


@pytest.fixture(scope="module")
def changed(begun):
    """The last byte of the signature changed on the way, and run on."""
    scene = "server.ServerKeyExchange"
    return _asked("run", _asked("change", begun, path=f"{scene}.signed.signature", operation="flip", value="1"))


def _names(answer):
    return [message["name"] for message in answer["view"]["messages"]]


def test_click_for_mutual_authentication():
    preset = next(each for each in engine.answer({"do": "describe"})["presets"] if each["title"] == "Client certificate")
    done = _asked("run", _asked("new", choices=preset["choices"]))
    assert {"CertificateRequest", "CertificateVerify"} <= set(_names(done))
    assert done["view"]["complete"]


def test_click_for_the_handshake_hash(complete):
    text = _asked("keys", complete)["html"]
    assert "session_hash" in text
    assert "client_handshake_hash" in text


def test_click_for_a_link(changed):
    """The tape is all that the link holds; loaded elsewhere it shows the same."""
    again = _asked("load", text=json.dumps(changed["tape"]))
    assert again == changed


@pytest.mark.parametrize("number", [11, 13])
def test_click_for_a_lab(number):
    """Wishes 4 and 5: its text is there to be read beside the run."""
    name = next(
        each["name"] for each in _flat(engine.answer({"do": "describe"})["reading"]) if each["name"].startswith(f"labs/{number}")
    )
    assert lab.load(number).title.split()[0] in json.dumps(_asked("read", name=name))


def _flat(titles):
    for each in titles:
        yield from _flat(each["pages"]) if isinstance(each, dict) and "pages" in each else [each]


def test_click_for_the_bytes_at_fault(changed):
    assert changed["view"]["failed"] == "client"
    assert "signature" in changed["view"]["why"]
    assert "server.ServerKeyExchange" in changed["view"]["why"]


def test_click_for_a_capture(complete, tmp_path):
    made = _asked("save", complete, **{"as": "pcapng"})
    assert base64.b64decode(made["base64"]).count(b"CLIENT_RANDOM ") == 1
    open_to_all = _asked("save", complete, **{"as": "pcapng"}, secrets=False)
    assert b"CLIENT_RANDOM" not in base64.b64decode(open_to_all["base64"])


def test_click_for_one_field(begun):
    done = _asked("run", _asked("change", _asked("new"), path="client.ClientHello.client_version", value="0x0301", who="sender"))
    assert "protocol_version" in json.dumps(done["view"]["told"])


def test_click_for_a_message_again(begun):
    done = _asked("run", _asked("repeat", begun, path="server.Certificate", who="sender"))
    assert "Certificate (refused)" in _names(done)
    assert "unexpected_message" in json.dumps(done["view"]["told"])


def test_click_for_the_picture_of_the_states(complete):
    for side in ("client", "server"):
        assert complete["view"]["ends"][side]["picture"].startswith("<svg")
        assert "CONNECTED" in complete["view"]["ends"][side]["picture"]


def test_click_for_the_certificate(complete):
    scene = _asked("message", complete, path="server.Certificate")["scene"]
    assert "not_after" in json.dumps(scene)


def test_click_for_a_failed_handshake(changed):
    """Every message up to the alert has its bytes."""
    assert _names(changed)[-1].startswith("Alert")
    for message in changed["view"]["messages"]:
        assert _asked("message", changed, path=message["path"])["scene"]["html"]
