"""Two runs side by side: the first byte that differs, its field, both outcomes, in 120 columns and in 80."""

import re
from dataclasses import replace

import pytest

from puretls.inspect.compare import compared, side_by_side, units
from puretls.inspect.edit import Edit, parse_repair
from puretls.inspect.player import replay
from puretls.paths import parse_path
from tests.inspect.test_edits import run, tape, unedited

WIDTHS = [80, 100, 120, 200]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("path", "operation", "value", "repair"),
    [
        ("client.ClientHello.cipher_suites[0]", "set", "0x0000", "all"),
        ("server.Certificate.certificate_list[0].signature_value", "flip", "", "none"),
        ("client.Finished", "duplicate", "", "mac"),
        ("client.Finished.verify_data", "flip", "", "none"),
        ("client.record[0].length", "lie", "", "none"),
        ("server.ServerHelloDone", "delete", "", "all"),
    ],
)
def test_no_line_is_longer_than_the_columns_there_are(width, path, operation, value, repair):
    after = run(path, operation, value, repair)
    lines = compared(unedited(), after, width=width)
    assert max(map(len, lines)) <= width
    text = re.sub(r"\s+", " ", " ".join(lines))
    assert "as it was" in text
    assert ("bad_record_mac" if "verify_data" in path else after.connections[0].outcome.split(":")[0]) in text


def test_the_first_byte_that_differs_is_found_in_the_streams_themselves():
    for path in ("client.ClientHello.random", "server.ServerHello.random", "client.ClientKeyExchange.public", "client.record[5].tag"):
        after = run(path, "flip", "", "none")
        side = path.split(".", 1)[0]
        ours, theirs = unedited().connections[0].sent(side), after.connections[0].sent(side)
        first = next(at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
        lines = compared(unedited(), after)
        assert f"byte {first} of what the {side} sends" in lines[0]
        assert any(line.strip().startswith(f"{path}: ") for line in lines), lines[:5]


def test_a_message_that_only_one_run_has_is_one_line():
    lines = compared(unedited(), run("server.Certificate", "delete", "", "all"), width=200)
    told = [line.strip() for line in lines[: lines.index("")] if "server.Certificate" in line]
    assert len(told) == 1
    assert re.fullmatch(r"server\.Certificate: 0b[0-9a-f]+\.\.\. \(\d+ bytes\) became nothing", told[0])


@pytest.mark.parametrize("path", ["client.ClientKeyExchange", "server.Certificate"])
def test_what_differs_is_named_by_paths(path):
    """Also of a message that is there twice."""
    lines = compared(unedited(), run(path, "duplicate", "", "all"), width=400)
    names = [line.split(": ")[0].strip() for line in lines[1 : lines.index("")]]
    assert names
    for name in names:
        assert str(parse_path(name)) == name


def test_two_runs_that_are_the_same_are_said_to_be():
    assert compared(unedited(), replay(tape()))[0] == "Both runs are the same, byte for byte."


def test_a_run_that_ends_early_is_told():
    short = replay(replace(tape(), connections=(replace(tape().connections[0], steps=tape().connections[0].steps[:2]),)))
    assert "until the second one ends" in compared(unedited(), short)[0]


def test_what_is_not_framed_is_a_unit_too():
    made = replay(replace(tape(), edits=(Edit("client.record[0].length", "lie", "", parse_repair("none")),)))
    assert any(unit.what.startswith("no record") for unit in units(made.conversation()))


def test_columns_stand_side_by_side_where_there_is_room():
    rows = [("left " * 20, "right"), ("", "more")]
    wide, narrow = side_by_side("a", "b", rows, 120), side_by_side("a", "b", rows, 80)
    assert wide[2].split(" | ")[1] == "right"
    assert narrow.index("b") > narrow.index("a")
    assert "  more" in narrow
