"""`puretls completion SHELL`: what a shell needs to complete this command: eval "$(puretls completion bash)"."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")
_VALUES = {"FILE": "FILE", "TAPE": "FILE", "SCRIPT": "FILE", "DIR": "DIRECTORY", "FOLDER": "DIRECTORY"}
"""What a value is called -> what shtab completes it with."""


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser(
        "completion",
        help="print what a shell needs to complete this command",
        description=__doc__ + " Needs shtab: pip install 'puretls[cli]'.",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or tcsh")


def run(arguments: argparse.Namespace) -> int:
    """Print it; it is made from the options as they are."""
    from puretls.cli import parser
    from puretls.testing.needs import need

    shtab, made = need("shtab", "cli"), parser()
    for action in _actions(made):
        for name in _VALUES.keys() & str(action.metavar).split("|"):
            action.complete = getattr(shtab, _VALUES[name])
    sys.stdout.write(shtab.complete(made, arguments.shell) + "\n")
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Every option and argument with a value, of all commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
        elif action.nargs != 0 and action.choices is None:
            yield action
