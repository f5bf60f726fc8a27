"""Builds what is released, sdist, wheel and puretls.pyz, and checks it.

    python tools/release.py OUT

Everything is built twice, in two copies of the tree whose files have other times, and must have the same bytes; the package index's checks
pass (`twine check`, `check-wheel-contents`); nothing is missing and nothing is in it that git does not know.
Needs `pip install build twine check-wheel-contents '.[roots]'`, and git.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            first, second = build(Path(folder, "one"), 0), build(Path(folder, "another-name"), 86_400 * 400)
            differ = [one for one, other in zip(first, second, strict=True) if one.read_bytes() != other.read_bytes()]
            made = [Path(shutil.copy(one, out)) for one in first]
    except subprocess.CalledProcessError as error:
        print(f"release: {error}\n{error.stdout or ''}{error.stderr or ''}", file=sys.stderr)
        return 1
    for path in made:
        print(f"{path}: {path.stat().st_size:,} bytes")
    faults = [*(f"{one.name} is not reproducible" for one in differ), *contents(made), *index_checks(made)]
    for fault in faults:
        print(f"release: {fault}", file=sys.stderr)
    return 1 if faults else 0


def build(folder: Path, moved: int) -> list[Path]:
    """Builds in a copy of what git knows, whose files are `moved` seconds older; returns the files made, sdist, wheel, pyz."""
    for name in known():
        target = folder / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
        os.utime(target, (target.stat().st_mtime - moved,) * 2)
    python(folder / "tree", "-m", "build", "--outdir", str(folder / "out"), ".")
    python(folder / "tree", "tools/zipapp.py", str(folder / "out" / "puretls.pyz"))
    return sorted((folder / "out").iterdir(), key=lambda path: (path.suffix != ".gz", path.suffix != ".whl"))


def python(folder: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True)


def known() -> list[str]:
    """Files of the tree that git knows and that are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def contents(made: list[Path]) -> Iterator[str]:
    """What is missing in sdist or wheel, or should not be there."""
    sdist, wheel, _ = made
    with tarfile.open(sdist) as archive:
        there = {member.name.partition("/")[2] for member in archive if member.isfile()}
    expected = set(known())
    yield from (f"{sdist.name} lacks {name}" for name in sorted(expected - there))
    yield from (f"{sdist.name} has {name}, which git does not know" for name in sorted(there - expected - {"PKG-INFO"}))
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        dead = re.findall(r"\]\((?![a-z]+:)[^()\s]+\)", archive.read(metadata).decode())
        yield from (f"{wheel.name}: its description has the link {link[1:]}, which leads nowhere in an index" for link in dead)
        there = {name for name in archive.namelist() if name.startswith("puretls/")}
    expected = {name for name in expected if name.startswith("puretls/")}
    yield from (f"{wheel.name} lacks {name}" for name in sorted(expected - there))
    yield from (f"{wheel.name} has {name}, which git does not know" for name in sorted(there - expected))


def index_checks(made: list[Path]) -> Iterator[str]:
    sdist, wheel, _ = made
    for command in (["twine", "check", "--strict", str(sdist), str(wheel)], ["check_wheel_contents", str(wheel)]):
        done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"{command[0]}: {done.stdout}{done.stderr}"


if __name__ == "__main__":
    sys.exit(main())
