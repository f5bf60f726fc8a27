"""`puretls completion SHELL`: what a shell needs to complete this command: eval "$(puretls completion bash)"."""

from __future__ import annotations

import argparse
import sys
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")


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

    sys.stdout.write(need("shtab", "cli").complete(parser(), arguments.shell) + "\n")
    return 0
