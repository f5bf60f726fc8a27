"""`puretls flip`: every bit of a handshake flipped on its way, one at a time, and what caught it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from puretls.cli import ranges
from puretls.cli.output import add_force, check_out


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser(
        "flip",
        help="flip every bit of a handshake, and see what catches it",
        description=__doc__ + " Exit status 1 where something completes silently that is not in the published allowance.",
    )
    parser.add_argument("--html", metavar="FILE", help="write a heat map, and beside it the page of the conversation")
    parser.add_argument(
        "--bits", type=ranges.BITS, default=8, metavar="N", help="bits of each byte, the highest first (8)"
    )
    add_force(parser, "overwrite files that are there")


def run(arguments: argparse.Namespace) -> int:
    """Flip, tell, write."""
    from puretls.testing.atlas import atlas, beside, text, write

    target = Path(arguments.html) if arguments.html else None
    check_out(arguments.html, target and beside(target), force=arguments.force)
    began = [time.monotonic()]

    def progress(done: int, whole: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - began[0] > 1:
            print(f"\r{done} of {whole} bytes", end="\n" if done == whole else "", file=sys.stderr, flush=True)

    made = atlas(bits=range(arguments.bits), progress=progress)
    sys.stdout.write(text(made))
    if target is not None:
        page = write(made, target)
        print(f"{target} leads to {page}, which holds the secrets of this conversation")
    return 1 if made.unallowed else 0
