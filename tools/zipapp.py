"""Makes puretls.pyz: puretls and all that it needs in one file, for machines without pip and without network.

python tools/zipapp.py [FILE]            FILE is puretls.pyz unless given

It is a command (`python puretls.pyz connect example.org:443`) and a place to import from (`sys.path.append("puretls.pyz")`).
The dependencies come from the environment that runs this tool: puretls[roots] must be installed there. The same sources make the
same bytes, wherever zlib is the same.
"""

from __future__ import annotations

import importlib.metadata
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST = 1_400_000
"""Bytes that the file may have."""
DEPENDENCIES = ("tlslite-ng", "ecdsa", "six", "certifi")
LEFT_OUT = {
    "puretls/manual/": "for readers, who have a browser and the repository",
    "puretls/qt/": "programs on Qt are installed with Qt, by pip",
    "puretls/labs/": "a course, whose pages are in the manual",
    "puretls/testing/": "needs hypothesis, which comes by pip",
    "tlslite/": "another TLS stack, which puretls does not use; its ciphers below tlslite/utils stay",
}
KEPT = ("tlslite/utils/", "tlslite/errors.py", "tlslite/constants.py")
"""In spite of `LEFT_OUT`: the ciphers, and what they import."""
WRITTEN = {
    "tlslite/__init__.py": '"""The ciphers of tlslite-ng, in tlslite.utils. Its protocol is not in this file: pip install tlslite-ng"""\n',
}
_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can hold."""
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("puretls: needs Python 3.11 or newer, this is %d.%d" % sys.version_info[:2])

from puretls.cli import main

sys.exit(main())
"""


def main() -> None:
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "puretls.pyz")
    size = write(target)
    print(f"{target}: {size:,} bytes")
    if size > MOST:
        sys.exit(f"{target}: more than {MOST:,} bytes; see LEFT_OUT in tools/zipapp.py")


def write(target: Path) -> int:
    """Writes the file; returns its size in bytes."""
    with target.open("wb") as file:
        file.write(_SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in sorted(contents().items()):
                archive.writestr(entry_of(name), content)
    target.chmod(0o755)
    return target.stat().st_size


def contents() -> dict[str, bytes]:
    """What the file holds: names and bytes."""
    found = {"__main__.py": _MAIN.encode(), "licenses/puretls/LICENSE": (ROOT / "LICENSE").read_bytes()}
    found |= {name: text.encode() for name, text in WRITTEN.items()}
    found |= {name: (ROOT / name).read_bytes() for name in _own_files()}
    for name in DEPENDENCIES:
        found |= distribution_files(name)
    return found


def _is_wanted(name: str) -> bool:
    return name.startswith(KEPT) or not name.startswith(tuple(LEFT_OUT))


def _own_files() -> Iterator[str]:
    for path in (ROOT / "puretls").rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and "__pycache__" not in path.parts and _is_wanted(name):
            yield name


def distribution_files(name: str) -> dict[str, bytes]:
    """The modules and data of an installed distribution, without its tests, and its licences."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"{name} is not installed here: pip install 'puretls[roots]'")
    found = {}
    for path in distribution.files or ():
        content = Path(str(path.locate())).read_bytes
        if path.parts[0].endswith(".dist-info"):
            if path.name.startswith(("LICENSE", "COPYING", "NOTICE")):
                found[f"licenses/{name}-{distribution.version}/{path.name}"] = content()
        elif _is_wanted(path.as_posix()) and not _is_needless(path):
            found[path.as_posix()] = content()
    return found


def _is_needless(path: importlib.metadata.PackagePath) -> bool:
    """Compiled files, scripts (their names begin with `..`) and tests."""
    return path.suffix == ".pyc" or path.parts[0] == ".." or "tests" in path.parts or path.name.startswith("test_")


def entry_of(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system = 3  # Unix, wherever this runs
    entry.external_attr = 0o100644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


if __name__ == "__main__":
    main()
