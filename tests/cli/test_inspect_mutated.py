"""Files that somebody broke: `inspect`, `replay` and `edit` say in lines what is wrong, and no exception reaches the user."""

import random
import re

import pytest

from puretls.inspect import Tape, replay, write_capture
from puretls.keylog import CLIENT_RANDOM, key_log_line
from tests.cli.command import in_process
from tests.inspect.test_tapes import FOLDER, TAPES

COUNT = 300
VIEWS = [
    [],
    ["--list"],
    ["--bytes"],
    ["--connection", "1"],
    ["--connection", "1", "--bytes"],
    ["--connection", "0", "--grep", "Certificate"],
    ["--connection", "1", "--offset", "300"],
    ["--connection", "1", "--ledger", "made"],
    ["--connection", "1", "--pcapng", "made"],
    ["--connection", "1", "--html", "made", "--without-secrets"],
    ["--connection", "0", "--html", "made"],
    ["--connection", "1", "--json", "made"],
    ["--connection", "1", "--mermaid", "--dot"],
]
EDITS = [["replay"], ["edit", "--flip", "client.ClientHello.random"], ["edit", "--delete", "server.Certificate"]]
WORDS = ["null", "-1", "1e400", "9" * 25, '"x"', "[]", "{}", '""', '"\\ud800"', "true", "1.5", f'"{"A" * 3000}"', "NaN", "[" * 2000]
PATTERN = re.compile(rb'"[^"]*"|-?\d+|true|false|null|[\[\]{}:,]')
BYTES = [b"", b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    pytest.importorskip("dpkt", reason="captures need the extra capture")
    folder = tmp_path_factory.mktemp("broken")
    tapes = [(FOLDER / name).read_bytes() for name in (TAPES[1], TAPES[4], TAPES[18], TAPES[21])]
    both = replay(Tape.loads(tapes[2])).conversations
    write_capture(folder / "opened", *both)
    write_capture(folder / "closed", *both, without_secrets=True)
    known = [handshake for one in both for handshake in one.handshakes]
    log = "".join(key_log_line(CLIENT_RANDOM, one.client_random, one.found.master) + "\n" for one in known)
    captures = [(folder / name).read_bytes() for name in ("opened", "closed")]
    return {"capture": captures, "tape": tapes, "log": [log.encode()]}


def bent(data, source):
    """Some bytes changed, taken out, put in, repeated, or cut off."""
    made = bytearray(data)
    for _ in range(source.choice([1, 1, 2, 5, 30])):
        at = source.randrange(len(made) + 1)
        part = made[source.randrange(len(made) + 1) :][: source.choice([1, 4, 40, 400])]
        made[at : at + source.choice([0, 1, 2, 4, 500])] = source.choice([*BYTES, part, source.randbytes(source.choice([1, 4]))])
        if source.random() < 0.1:
            del made[at:]
    return bytes(made)


def reworded(data, source):
    """A tape in which some words are others."""
    for _ in range(source.choice([1, 1, 2])):
        start, end = source.choice([found.span() for found in PATTERN.finditer(data)])
        data = data[:start] + source.choice(WORDS).encode() + data[end:]
    return data


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed >= 40 else []) for seed in range(COUNT)]
)
def test_broken_files_are_told_in_lines(files, tmp_path, monkeypatch, seed):
    monkeypatch.chdir(tmp_path)
    source = random.Random(seed)
    kind = source.choice(["capture", "tape", "log"])
    sort = "tape" if kind == "tape" else "capture"
    good = source.choice(files[sort])
    change = source.choice([bent, reworded]) if kind == "tape" else bent
    (tmp_path / "file").write_bytes(good if kind == "log" else change(good, source))
    command = ["inspect", *source.choice(VIEWS)]
    if kind == "log":
        (tmp_path / "keys").write_bytes(bent(files["log"][0], source))
        command += ["--keylog", tmp_path / "keys"]
    elif kind == "tape" and source.random() < 0.4:
        command = source.choice(EDITS)
    told = in_process(command[0], tmp_path / "file", *command[1:])
    assert told.returncode in {0, 1, 2}
    lines = told.stderr.splitlines()
    assert told.returncode == 0 or lines
    assert all(line.startswith("puretls: ") and len(line) < 1200 for line in lines), lines
