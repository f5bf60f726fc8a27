"""What the commands that read or write tapes share: the seed, the file, the address of a live peer."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING

from puretls.cli import ranges
from puretls.cli.output import add_force
from puretls.errors import DangerWarning, DecodeError, UsageError
from puretls.text import printable

if TYPE_CHECKING:
    from puretls.inspect.tape import Tape


def add_seed(parser: argparse.ArgumentParser, what: str = "everything random follows from this number") -> None:
    """The option `--danger-seed`."""
    told = f"{what}: the same bytes each time, and keys that anybody can compute"
    parser.add_argument("--danger-seed", metavar="N", type=ranges.SEED, help=told)


def seed_of(arguments: argparse.Namespace) -> str | None:
    """The seed that was asked for, with a `DangerWarning`; None where none was."""
    if arguments.danger_seed is None:
        return None
    told = "--danger-seed: whoever knows the number knows every key of these connections"
    warnings.warn(told, DangerWarning, stacklevel=2)
    return str(arguments.danger_seed)


def add_tape(parser: argparse.ArgumentParser) -> None:
    """The tape to read, where to write another, and a live peer in place of its server."""
    parser.add_argument(
        "tape", metavar="TAPE", help="file of a tape, such as `puretls demo --tape FILE` writes; - for standard input"
    )
    parser.add_argument(
        "--against", metavar="HOST:PORT", help="a live server in place of the tape's; the tape says what the client does"
    )
    parser.add_argument("--ca", metavar="FILE", help="whom the client trusts (PEM), in place of what the tape says")
    parser.add_argument(
        "--danger-no-verify", action="store_true", help="have the client accept any certificate, an impostor's too"
    )
    parser.add_argument("--servername", metavar="NAME", help="name to ask for and to verify, in place of the tape's")
    patience = "how long to wait for a live server's answer (%(default)s)"
    parser.add_argument("--patience", type=ranges.SECONDS, metavar="SECONDS", default=2.0, help=patience)
    add_seed(parser, "another seed for the tape")
    add_out(parser, "--out", "write the tape as it was played")
    parser.add_argument(
        "--without-secrets", action="store_true", help="write it with other keys, another seed and zeros for data"
    )


def add_out(parser: argparse.ArgumentParser, option: str, what: str) -> None:
    """Where to write a tape."""
    parser.add_argument(option, metavar="FILE", help=f"{what}; readable by you alone, since it may hold secrets")
    add_force(parser)


def load(arguments: argparse.Namespace) -> Tape:
    """The tape that was named, with what was asked for in place of what it says."""
    from dataclasses import replace

    from puretls.inspect.tape import Tape

    made = Tape.loads(sys.stdin.buffer.read()) if arguments.tape == "-" else Tape.load(arguments.tape)
    seed, verifier = seed_of(arguments), _verifier(arguments)
    if seed is not None:
        made = replace(made, seed=seed)
    if verifier is not None:
        made = replace(made, client={**made.client, "verifier": verifier})
    if arguments.servername is not None:
        scripts = tuple(replace(script, server_name=arguments.servername) for script in made.connections)
        made = replace(made, connections=scripts)
    return made


def _verifier(arguments: argparse.Namespace) -> str | list[str] | None:
    """Whom the client trusts, as a tape has it; None where nothing was said."""
    from puretls.inspect.named import ANYBODY

    if arguments.danger_no_verify:
        return ANYBODY
    if arguments.ca is None:
        return None
    from puretls.x509.pem import load_certificates, write_pem

    with open(arguments.ca, "rb") as file:
        try:
            return [write_pem("CERTIFICATE", der) for der in load_certificates(file.read())]
        except DecodeError as error:
            raise UsageError(f"{arguments.ca}: {error}") from None


def save(tape: Tape, path: str | None, *, force: bool, without_secrets: bool = False) -> None:
    """Write a tape where one was asked for, and say on standard error what it may hold."""
    if path is None:
        if without_secrets:
            raise UsageError("--without-secrets goes with --out FILE")
        return
    (tape.without_secrets() if without_secrets else tape).save(path, overwrite=force)
    if not without_secrets:
        print(f"puretls: {printable(path)}: may hold private keys, the seed of all others, and what was said", file=sys.stderr)


def against(arguments: argparse.Namespace) -> tuple[str, int] | None:
    """The address of the live peer."""
    from puretls.cli.address import split_address

    return None if arguments.against is None else split_address(arguments.against)


def width() -> int:
    """Columns for tables: as the terminal has, 120 where it is none."""
    from puretls.cli.output import UNLIMITED, columns

    found = columns()
    return 120 if found == UNLIMITED else found
