"""The command `puretls`: one module a sub-command, each with `add_parser(subparsers)` and `run(arguments) -> exit status`.

Exit status 0: well. 1: TLS failed, the reason is one line on stderr. 2: usage, a file, or the network below TLS.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from puretls._version import __version__
from puretls.errors import DecodeError, PuretlsError, TlsError, UsageError

COMMANDS = ("demo", "connect", "serve", "ca", "x509", "listing")


class TransportFailure(PuretlsError):
    """The connection below TLS broke after it had been made."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    _open_standard_streams()
    try:
        arguments = parser().parse_args(argv)
        status: int = arguments.module.run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except KeyboardInterrupt:
        return 130
    except (TlsError, TransportFailure) as error:
        return _complain(str(error), 1)
    except (UsageError, DecodeError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(describe(error), 2)


class Parser(argparse.ArgumentParser):
    """Complains as the rest of the command does: in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help tells more)\n")


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="puretls", description="TLS 1.2 in pure Python. Begin with: puretls demo")
    top.add_argument("--version", action="version", version=f"puretls {__version__}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"puretls.cli.{name}")
        module.add_parser(subparsers)
        for command in subparsers.choices.values():
            if command.get_default("module") is None:
                command.set_defaults(module=module)
    return top


def describe(error: OSError) -> str:
    """An operating system error as one line, with the file's name in front."""
    text = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {text}" if error.filename else text


def _open_standard_streams() -> None:
    """A standard stream that is closed would lend its number to the next socket: data would go where no one expects it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115  (lives as long as we do)


def _complain(text: str, status: int) -> int:
    print("puretls: " + " ".join(text.split()), file=sys.stderr)
    return status


def _silence_stdout() -> None:
    """Whoever read our output has gone; Python would complain about it once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
