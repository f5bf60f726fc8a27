"""`puretls fuzz`: search for conversations that go wrong, for as long as you like, on the cores of this machine or a Dask cluster."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.cli import ranges
from puretls.errors import UsageError

if TYPE_CHECKING:
    from puretls.testing.campaign import Campaign

_UNITS = {"s": 1, "m": 60, "h": 3600}


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser(
        "fuzz",
        help="search for conversations in which a TLS end breaks a rule",
        description=__doc__
        + " Exit status 1 where something was found. Ctrl-C stops it; the same command goes on. Needs hypothesis.",
    )
    parser.add_argument(
        "target",
        help="connection, server or client: those of puretls; openssl-server, openssl-client, tlslite-server, tlslite-client; "
        "HOST:PORT of a server, to which many connections are made; a command with {port} in it, which starts a client; MODULE:NAME of "
        "an adapter",
    )
    parser.add_argument("--name", help="server name to ask for at HOST:PORT (HOST)")
    parser.add_argument(
        "--patience", type=ranges.SECONDS, default=0.05, metavar="SECONDS", help="how long a silent peer is listened to (0.05)"
    )
    parser.add_argument("--for", dest="time", metavar="TIME", help="such as 90s, 10m, 8h (10m unless --batches is given)")
    parser.add_argument("--batches", type=ranges.BATCHES, metavar="N", help="so many batches and no more")
    parser.add_argument("--profile", choices=("dev", "ci", "nightly"), default="dev", help="size of a batch (dev)")
    parser.add_argument(
        "--workers", type=ranges.WORKERS, metavar="N", help="processes (one for each core; one for a peer at a socket)"
    )
    parser.add_argument("--dask", metavar="ADDRESS", help="scheduler of a Dask cluster in place of processes (tcp://HOST:8786)")
    parser.add_argument(
        "--finds", type=Path, default=Path("puretls-finds"), metavar="DIR", help="where finds go (./puretls-finds)"
    )
    parser.add_argument(
        "--database", metavar="URL", help="example database: redis://HOST:PORT, shared by machines (a folder among the finds)"
    )
    parser.add_argument(
        "--coverage", action="store_true", help="let the code that is reached tell where to go on (needs atheris: puretls[guided])"
    )
    parser.add_argument(
        "--machine", default="puretls.testing.machine:ConnectionMachine", metavar="MODULE:CLASS", help="a subclass of yours"
    )


def run(arguments: argparse.Namespace) -> int:
    """Fuzz, and tell."""
    from functools import partial

    from puretls.testing.campaign import PROFILES, Campaign, Job, check_database, check_target, dask, processes

    sys.path.append(os.getcwd())  # where MODULE is likely to be; workers get the path from here
    workers = arguments.workers or _workers(arguments.target)
    seconds = _seconds(arguments.time or ("10m" if arguments.batches is None else "8760h"))
    database = arguments.database or str((arguments.finds / "examples").absolute())
    profile = PROFILES[arguments.profile]
    corpus = str((arguments.finds / "corpus").absolute()) if arguments.coverage else ""
    job = Job(arguments.target, profile, arguments.machine, database, arguments.patience, arguments.name, corpus)
    check_database(database)
    check_target(job)
    campaign = Campaign(job, arguments.finds)
    executors = partial(dask, arguments.dask) if arguments.dask else partial(processes, workers)
    try:
        campaign.run(executors, seconds=seconds, batches=arguments.batches or float("inf"), width=2 * workers, progress=_progress)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
    examples = len(campaign.done) * PROFILES[arguments.profile].examples
    print(f"{len(campaign.done)} batches, some {examples} examples, {len(campaign.finds)} rules broken")
    for rule, name in campaign.finds.items():
        print(f"  {rule}: {arguments.finds / name}")
    return 1 if campaign.finds else 0


def _workers(target: str) -> int:
    """One for each core; one for a peer at a socket, which may serve one connection at a time."""
    from puretls.testing.campaign import TARGETS
    from puretls.testing.targets import IN_MEMORY

    return os.cpu_count() or 1 if target in (*TARGETS, *IN_MEMORY) else 1


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)([smh])", text)
    if found is None or not int(found[1]):
        raise UsageError(f"{text!r} is no time: write 90s, 10m or 8h")
    return int(found[1]) * _UNITS[found[2]]


def _progress(campaign: Campaign) -> None:
    if sys.stderr.isatty():
        print(f"\r{len(campaign.done)} batches, {len(campaign.finds)} rules broken ", end="", file=sys.stderr, flush=True)
