"""The reference conversations as tapes: `python tools/reference_tapes.py` writes vectors/tapes, `--check` says what would change.

Each tape is made from its row in tests/support/reference.py: the configurations with their credentials in PEM, the seed, the clock, the
steps. SHA256SUMS has beside each name the hash of the whole transcript, both directions in order, as `puretls replay` prints it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from puretls.config import Config  # noqa: E402
from puretls.inspect.named import described_side, write_bytes  # noqa: E402
from puretls.inspect.player import replay  # noqa: E402
from puretls.inspect.tape import Script, Step, Tape  # noqa: E402
from tests.support.credentials import NAME, NOW, authority  # noqa: E402
from tests.support.pair import IDENTITY, PSK, real  # noqa: E402
from tests.support.reference import REFERENCE, Reference, configurations  # noqa: E402

FOLDER = ROOT / "vectors" / "tapes"
NOTE = "One of the reference conversations of tests/support/reference.py, written by tools/reference_tapes.py. Its keys protect nothing."
SUMS = "SHA256SUMS"
STEPS = {
    "handshake": (Step("start"), Step("carry")),
    "stranger": (Step("start"), Step("carry")),
    "data": (
        Step("send", "client", b"from the client " * 100),
        Step("send", "server", b"from the server " * 200),
        Step("carry"),
    ),
    "renegotiate": (Step("renegotiate", "server"), Step("carry")),
    "close": (Step("close", "client"), Step("carry")),
    "abort": (Step("abort", "client"), Step("carry")),
}


def side(config: Config) -> dict:
    """What the tape says of one end; what a configuration of a reference conversation does by call-backs is known here."""
    said = {"verifier": [authority().root.pem]}
    if config.provider == real():
        said["provider"] = None
    if config.psk is not None:
        said["psk"] = {"identity": write_bytes(IDENTITY), "key": write_bytes(PSK)}
    return {key: value for key, value in described_side(config, **said).items() if value is not None}


def scripts(row: Reference) -> tuple[Script, ...]:
    """A connection for each step that begins one."""
    made: list[tuple[str, list[Step]]] = []
    for step in row.steps:
        if step in {"handshake", "stranger"}:
            made.append((NAME if step == "handshake" else "stranger.test", []))
        made[-1][1].extend(STEPS[step])
    return tuple(Script(tuple(steps), name) for name, steps in made)


def tape(row: Reference) -> Tape:
    """The row as a tape."""
    client, server = configurations(row)
    return Tape(side(client), side(server), scripts(row), row.name, NOW, name=row.name, note=NOTE)


def file_name(number: int, row: Reference) -> str:
    return f"{number:02}-{re.sub('[^a-z0-9]+', '-', row.name.lower())}.json"


def files() -> dict[str, str]:
    """Names and contents of all files of the folder."""
    made, sums = {}, []
    for number, row in enumerate(REFERENCE, 1):
        one = tape(row)
        made[file_name(number, row)] = one.dumps()
        sums.append(f"{replay(one).sha256}  {file_name(number, row)}\n")
    return made | {SUMS: "".join(sums)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where a file would change")
    arguments = parser.parse_args()
    wanted = files()
    there = {path.name: path.read_text() for path in FOLDER.glob("*")}
    different = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    if arguments.check:
        print("\n".join(f"would change: {name}" for name in different) or "all as they are")
        return 1 if different else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in different:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name])
        else:
            (FOLDER / name).unlink()
    print(f"{len(different)} files written, {len(wanted) - len(different)} left as they were")
    return 0


if __name__ == "__main__":
    sys.exit(main())
