"""A CPython that is really built without OpenSSL, for tests of what must work there. Prints the path of its interpreter.

python tools/python_without_openssl.py [--limit SECONDS]

The source is the distribution's source package (apt; no root is needed, and the system's own lists of packages stay as they are).
Building takes a minute or two on two cores. What was built is kept in $XDG_CACHE_HOME/puretls (~/.cache/puretls) for the next time.
Where it cannot be had, the reason is one line, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13")
"""The first that the distribution has is built."""
NEEDED = ("apt-get", "tar", "make", "gcc")
CONFIGURE = ("-q", "--with-openssl=/nowhere", "--disable-test-modules", "--without-doc-strings", "CFLAGS=-O1 -g0")
CHECK = """
import importlib.util as u
found = [name for name in ("ssl", "hashlib") if u.find_spec("_" + name)]
assert not found, f"it has _{found[0]}"
assert u.find_spec("zlib"), "it has no zlib: install its headers (zlib1g-dev)"
"""


class Unavailable(Exception):
    """Why there is none; one line."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="for all of it (900)")
    arguments = parser.parse_args()
    try:
        print(find() or build(time.monotonic() + arguments.limit))
    except Unavailable as reason:
        sys.exit(f"no Python without OpenSSL: {reason}")


def cache() -> Path:
    """The directory that what was built is kept in."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "puretls" / "python-without-openssl"


def find() -> Path | None:
    """The interpreter, if it was built before."""
    python = cache() / "bin" / "python3"
    return python if python.exists() else None


def build(deadline: float) -> Path:
    """Fetches, builds and keeps it. Raises `Unavailable`."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise Unavailable(f"{missing[0]} is not installed")
    with tempfile.TemporaryDirectory(prefix="puretls-python-") as name:
        work = Work(Path(name), deadline)
        work.unpack(work.fetch())
        work.run("configure", "./configure", f"--prefix={cache()}", *CONFIGURE)
        work.run("make", "make", "-s", f"-j{os.cpu_count() or 1}")
        work.run("make install", "make", "-s", "install", f"DESTDIR={work.root / 'installed'}")
        made = work.root / "installed" / cache().relative_to("/")
        work.run("the check of what was built", str(made / "bin" / "python3"), "-c", CHECK)
        cache().parent.mkdir(parents=True, exist_ok=True)
        _move(made, cache())
    return cache() / "bin" / "python3"


class Work:
    """A directory to build in, until the deadline."""

    def __init__(self, root: Path, deadline: float) -> None:
        self.root = root
        self.source = root / "source"
        self.source.mkdir()
        self._deadline = deadline

    def fetch(self) -> Path:
        """The archive with the source as its authors released it. The packager's own changes are not needed."""
        sources = self.root / "apt"
        _write_sources(sources)
        options = [
            f"-o=Dir::Etc::SourceList={os.devnull}",
            f"-o=Dir::Etc::SourceParts={sources}",
            f"-o=Dir::State::lists={self.root / 'lists'}",
            f"-o=Dir::Cache={self.root / 'cache'}",
            f"-o=APT::Sandbox::User={'root' if os.getuid() == 0 else ''}",
        ]
        (self.root / "lists" / "partial").mkdir(parents=True)
        (self.root / "cache" / "archives" / "partial").mkdir(parents=True)
        self.run("apt-get update", "apt-get", "-q", *options, "update")
        for version in VERSIONS:  # a mirror may lack the packager's files: apt-get then fails, and has the archive all the same
            self.run("", "apt-get", "-q", *options, "source", "--download-only", f"python{version}")
            if found := sorted(self.source.glob("*.orig.tar.*z")):
                return found[-1]
        raise Unavailable("the distribution's source package cannot be fetched")

    def unpack(self, archive: Path) -> None:
        self.run("tar", "tar", "-xf", str(archive), "--strip-components=1")

    def run(self, what: str, *command: str) -> None:
        """Runs it in the source's directory. Raises `Unavailable` with the last line it printed; never where it has no name."""
        left = self._deadline - time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=self.source,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=max(left, 0.1),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{what or command[0]}: out of time") from None
        if what and done.returncode:
            raise Unavailable(f"{what}: {(done.stdout.strip().splitlines() or ['failed'])[-1]}")


def _write_sources(folder: Path) -> None:
    """The system's package sources, as those of source packages."""
    folder.mkdir()
    system = Path("/etc/apt")
    for path in (system / "sources.list", *sorted((system / "sources.list.d").glob("*"))):
        if path.suffix in (".list", ".sources") and path.is_file():
            lines = path.read_text().replace("Types: deb\n", "Types: deb-src\n").splitlines()
            text = "\n".join("deb-src" + line[3:] if line.startswith("deb ") else line for line in lines)
            (folder / path.name).write_text(text + "\n")


def _move(made: Path, target: Path) -> None:
    """Puts it in place at once, for whoever looks for it meanwhile; the cache may be on another file system."""
    beside = Path(tempfile.mkdtemp(dir=target.parent)) / "built"
    shutil.copytree(made, beside, symlinks=True)
    try:
        beside.rename(target)
    except OSError:
        if not target.exists():  # another process was faster
            raise
    shutil.rmtree(beside.parent)


if __name__ == "__main__":
    main()
