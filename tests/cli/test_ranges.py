"""Numbers on the command line: absurd ones end in one line and status 2, whichever option they are given to."""

import argparse
import contextlib

import pytest

from puretls.cli import parser, ranges
from tests.cli.command import in_process as puretls

ABSURD = ["-1", "0", "nan", "inf", "-inf", "1e400", "99999999999", "x", "", " ", "0x10", "1e-400", "9" * 5000, "½", "\x1b[31m"]


def sub_commands(command, words=()):
    """Every sub-command with the words that call it."""
    below = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield words, command
    for action in below:
        for word, inner in action.choices.items():
            yield from sub_commands(inner, (*words, word))


def options():
    """(words, the arguments it cannot do without, the option) for each option that takes a value."""
    for words, command in sub_commands(parser()):
        needed = []
        for action in command._actions:
            if action.required or (not action.option_strings and action.nargs not in ("*", "?")):
                value = action.choices[0] if action.choices else "1"
                needed += [*action.option_strings[:1], value]
        for action in command._actions:
            if action.option_strings and action.nargs is None:
                yield words, tuple(needed), action


AT_WORK = ("flip", "fuzz")
"""Need nothing that they could lack, and go to work for a while."""
NUMERIC = [row for row in options() if row[2].type is not None and isinstance(row[2].type, ranges.Range)]


def test_every_number_has_a_range():
    """A bare `int` or `float` lets everything pass."""
    assert len(NUMERIC) >= 10
    for words, _, action in options():
        assert action.type not in (int, float), f"{' '.join(words)} {action.dest}"
        if isinstance(action.default, int | float):
            assert isinstance(action.type, ranges.Range), f"{' '.join(words)} {action.dest}"


@pytest.mark.parametrize(("words", "needed", "action"), NUMERIC, ids=lambda row: getattr(row, "dest", None))
def test_absurd_numbers_are_refused_where_they_are_read(words, needed, action):
    for value in ABSURD:
        if value == "0" and action.type.low == 0:
            continue
        result = puretls(*words, *needed, f"{action.option_strings[-1]}={value}")
        assert result.returncode == 2, (value, result.stderr)
        assert action.option_strings[-1] in result.stderr
        lines = result.stderr.splitlines()
        assert len(lines) == 1
        assert lines[0].isprintable()
        assert len(lines[0]) < 300


@pytest.mark.parametrize(("words", "needed", "action"), list(options()), ids=lambda row: getattr(row, "dest", None))
def test_no_value_of_any_option_ends_in_a_traceback(words, needed, action, tmp_path, monkeypatch):
    """`serve` has no certificate here, `connect` and `learn` no server: none gets far enough to wait for anything."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    for value in ("", "-1", "nan", "x", "☃", "\udcff", "a" * 5000):
        if words == ("serve",) and action.dest == "psk" and value:
            continue  # with a good key it would serve
        needs = needed if words not in {("connect",), ("learn",)} else ("127.0.0.1:1", *needed[1:])
        if words[0] in AT_WORK:
            with contextlib.suppress(SystemExit):
                parser().parse_args([*words, *needs, f"{action.option_strings[-1]}={value}"])
            continue
        result = puretls(*words, *needs, f"{action.option_strings[-1]}={value}")
        assert result.returncode in (0, 1, 2), (value, result.stderr)
        assert all(line.isprintable() for line in result.stderr.splitlines()), result.stderr
