"""The command `puretls`: one module a sub-command, each with `add_parser(subparsers)` and `run(arguments) -> exit status`.

Exit status 0: well. 1: TLS failed, the reason is one line on stderr. 2: usage, a file, this machine, or the network below TLS.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

from puretls._version import __version__
from puretls.errors import DangerWarning, DecodeError, InternalError, PuretlsError, TlsError, UsageError
from puretls.text import describe, printable

_Status = int | Callable[[], int]
"""An exit status, or a program of others that is still to be run and has one."""
_LONGEST = 1000
"""Characters of an error at most."""
COMMANDS = (
    "demo", "connect", "serve", "run", "ca", "x509", "listing", "explain",
    "inspect", "replay", "edit", "learn", "flip", "fuzz", "lab", "lesson", "grade",
    "playground", "completion",
)  # fmt: skip


class TransportFailure(PuretlsError):
    """The connection below TLS broke after it had been made."""


class LocalFault(PuretlsError):
    """Something on this machine failed while a connection was open: the peer is not to blame."""


class NobodyReads(Exception):
    """The reader of our standard output has gone. A class of its own, so that it is not taken for a broken socket."""


@contextmanager
def local(what: str) -> Iterator[None]:
    """Wraps the reading or writing of a file while a connection is open: an `OSError` there is a `LocalFault`. `what` names the file."""
    try:
        yield
    except BrokenPipeError:
        raise NobodyReads from None
    except OSError as error:
        raise LocalFault(f"{what}: {describe(error)}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status.

    A program that it is asked to run finds the interpreter as it was, and its errors are its own.
    """
    restore = _prepare_standard_streams()
    status = _guarded(argv)
    if isinstance(status, int):
        return status
    restore()
    return status()


def _guarded(argv: Sequence[str] | None) -> _Status:
    try:
        with _warnings_in_a_line():
            return _run(argv)
    except (BrokenPipeError, NobodyReads):
        _silence(sys.stdout)
        return 0
    except KeyboardInterrupt:
        return 130
    except (TlsError, TransportFailure) as error:
        return _complain(_with_hints(error), 1)
    except (UsageError, DecodeError, LocalFault) as error:
        return _complain(_with_hints(error), 2)
    except InternalError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        return _complain(f"{error}: {describe(error.__cause__)}", 2)  # a key log on a full disk
    except (OSError, MemoryError) as error:
        return _complain(describe(error) if isinstance(error, OSError) else "this machine has not enough memory for that", 2)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("puretls."):
            raise
        return _complain(f"{error.name} is not in this file: pip install puretls has it", 2)  # puretls.pyz leaves floors out


def _run(argv: Sequence[str] | None) -> _Status:
    """Runs the sub-command. Flushes the output here, because `main` still reports its errors."""
    try:
        arguments = parser().parse_args(argv)
        _check_provider()
        status: _Status = arguments.module.run(arguments)
        return status
    except SystemExit as end:  # argparse has said what there is to say
        return int(end.code or 0)
    finally:
        sys.stdout.flush()


def _check_provider() -> None:
    """A name in the environment that no provider has is told before anything else, and no file is blamed for it."""
    if "PURETLS_PROVIDER" in os.environ:
        from puretls.crypto.provider import default

        default()


class Parser(argparse.ArgumentParser):
    """Reports an error in one line, as the whole command does. Without any argument it prints the help."""

    given: Sequence[str] = ()
    """What is being parsed."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, printable(f"{self.prog}: {message} ({self.prog} --help tells more)") + "\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        given = self.given = sys.argv[1:] if args is None else list(args)
        if not given and self._subparsers is not None:
            self.print_help(sys.stderr)
            self.exit(2)
        return super().parse_known_args(given, namespace)

    def _print_message(self, message: str, file: Any = None) -> None:
        """The base class ignores errors while it writes; here they are raised, since a help text that cannot be written is a failure."""
        if message:
            (file or sys.stderr).write(message)


class _Version(argparse.Action):
    """Shows the version; with -v for a bug report, what runs here and what computes what."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        lines = [f"puretls {__version__}"]
        if isinstance(parser, Parser) and not {"-v", "--verbose"}.isdisjoint(parser.given):
            import platform

            from puretls.crypto.provider import default

            lines += [f"{platform.python_implementation()} {platform.python_version()}, {sys.platform}", default().describe()]
        sys.stdout.write("\n".join(lines) + "\n")
        parser.exit()


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="puretls", description="TLS 1.2 in pure Python. Begin with: puretls demo")
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit; with -v also what computes what")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"puretls.cli.{name}")
        module.add_parser(subparsers)
        for command in subparsers.choices.values():
            if command.get_default("module") is None:
                command.set_defaults(module=module)
    return top


@contextmanager
def hint(text: str, error: type[PuretlsError] = UsageError) -> Iterator[None]:
    """Adds a note to errors of this class: what the user of the command can do. The library does not know that there is a command."""
    try:
        yield
    except error as passing:
        passing.add_note(text)
        raise


def _with_hints(error: PuretlsError) -> str:
    return "; ".join((str(error), *getattr(error, "__notes__", ())))


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Warnings of ours are for whoever typed the command: without the place in the code."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        print("puretls: " + printable(f"{category.__name__}: {message}"), file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", DangerWarning)
        warnings.showwarning = show
        yield


def _prepare_standard_streams() -> Callable[[], None]:
    """Opens streams that are closed, and escapes characters that an encoding lacks, so that no text of a peer ends the command.

    A standard stream that is closed would lend its number to the next socket: data would go where no one expects it.
    Returns what makes the streams raise errors again as they did.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115  (lives as long as we do)
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
    before = [stream.errors for stream in streams]

    def restore() -> None:
        for stream, errors in zip(streams, before, strict=True):
            stream.reconfigure(errors=errors)

    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    return restore


def _line(text: str) -> str:
    """One line that is safe to show, without the middle of what nobody would read to its end: a file may hold words of any length."""
    line = printable(" ".join(text.split()))
    if len(line) <= _LONGEST:
        return line
    part = _LONGEST // 2
    return f"{line[:part]} [{len(line) - 2 * part} characters left out] {line[-part:]}"


def _complain(text: str, status: int) -> int:
    """Prints one line on stderr and returns the status. Drops output that cannot be written: Python would fail on it again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)
    try:
        print("puretls: " + _line(text), file=sys.stderr)
    except OSError:
        _silence(sys.stderr)
    return status


def _silence(stream: TextIO) -> None:
    """Sends the rest of a stream to nowhere: nobody reads it, and Python would complain when it flushes the stream at exit."""
    with suppress(OSError):  # a stream without a number is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
