"""`puretls run`: a Python program that is to have https where its Python has no OpenSSL."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pkgutil import get_importer

import puretls

USAGE = """puretls run [--force] SCRIPT [ARGUMENT ...]
       puretls run [--force] -m MODULE [ARGUMENT ...]
       puretls run --pth"""
EPILOG = """\
puretls run -m pip install requests
puretls run download.py --quiet
puretls run --pth > $(python -c "import site; print(site.getsitepackages()[0])")/puretls.pth

Pythons that the program starts have https, too (by PYTHONPATH, unless they ignore it). The .pth file gives it to every start."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options."""
    parser = subparsers.add_parser(
        "run",
        help="run a Python program with https, in a Python without OpenSSL",
        description="`puretls run`: runs a script or a module as `python` would, with puretls as its `ssl`.",
        usage=USAGE,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--force", action="store_true", help="replace an ssl that works, too; otherwise the program gets that")
    parser.add_argument("--pth", action="store_true", help="print the line of a .pth file that gives this to every start of a Python")
    parser.add_argument("-m", dest="as_module", action="store_true", help="the program is a module, as for `python -m`")
    parser.add_argument("program", nargs="?", metavar="SCRIPT|MODULE", help="what to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="for the program")


def run(arguments: argparse.Namespace) -> int | Callable[[], int]:
    """Prints the line of a `.pth` file, or makes everything ready and returns the program, to be called when the command is done."""
    from puretls.errors import UsageError
    from puretls.ssl.finder import PTH

    if arguments.pth:
        print(PTH, end="")
        return 0
    if not arguments.program:
        raise UsageError("name a script to run, or -m and a module (puretls run --help tells more)")
    program, rest = arguments.program, arguments.arguments
    if arguments.as_module:
        _set_first(os.getcwd())
        if find_spec(program.partition(".")[0]) is None:
            raise UsageError(f"no module named {program}")
    else:
        if not os.path.exists(program):
            raise UsageError(f"{program}: No such file or directory")
        folder = get_importer(program)  # of a directory or a zip
        if folder is not None and folder.find_spec("__main__") is None:  # else it might be that of the zip that puretls is in
            raise UsageError(f"{program}: there is no __main__.py in it")
        _set_first(program if os.path.isdir(program) else os.path.dirname(os.path.realpath(program)))
    _install(force=arguments.force)
    return partial(_run_module if arguments.as_module else _run_script, program, rest)


def _install(*, force: bool) -> None:
    import puretls.ssl
    from puretls.ssl.children import announce

    if force or puretls.ssl.is_needed():
        puretls.ssl.install(force=force)
    else:
        print("puretls: this Python has an ssl that works, so the program gets that; --force replaces it", file=sys.stderr)
    announce()


def _run_script(path: str, arguments: Sequence[str]) -> int:
    sys.argv = [path, *arguments]
    runpy.run_path(path, run_name="__main__")
    return 0


def _run_module(name: str, arguments: Sequence[str]) -> int:
    sys.argv = [name, *arguments]
    found = find_spec(name)  # imports the packages around it
    if found is not None and found.submodule_search_locations is not None:
        found = find_spec(f"{name}.__main__")
    if found is None:
        print(f"puretls: no module named {name}, or it is a package that cannot be run", file=sys.stderr)
        return 2
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _set_first(folder: str) -> None:
    """Puts the directory where `python` would: first, unless it was told not to. The zip that puretls may be in goes to the end."""
    if sys.flags.safe_path:
        return
    own, sys.path[0] = sys.path[0], folder
    if own and os.path.realpath(own) == os.path.realpath(os.path.dirname(puretls.__path__[0])):
        sys.path.append(own)
