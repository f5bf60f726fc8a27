"""The playground for a site: its page, and below it Pyodide with puretls, so that a visitor's browser runs both ends of a handshake."""

from __future__ import annotations

import importlib.metadata
import io
import zipfile
from pathlib import Path

from puretls.labs.playground.pages import page_files
from tools import zipapp
from tools.website.errors import SiteError

FOLDER = "playground"
RUNTIME = {
    "pyodide.mjs": "pyodide.js",
    "pyodide.asm.mjs": "pyodide.asm.js",
    "pyodide.asm.wasm": "pyodide.asm.wasm",
    "pyodide-lock.json": "pyodide-lock.json",
    "python_stdlib.zip": "python_stdlib.zip",
    "package.json": "package.json",
    "README.md": "README.md",
}
"""Files of the npm package, what a browser loads and whose it is, and their names here: not every server knows that .mjs is JavaScript."""
DEPENDENCIES = ("tlslite-ng", "ecdsa", "six", "dpkt", "markdown-it-py", "mdurl")
LEFT_OUT = {
    "puretls/cli/": "there is no terminal",
    "puretls/labs/playground/page/": "the page is beside it",
    "puretls/qt/": "there are no sockets",
    "puretls/ssl/": "nobody asks for the module ssl",
    "puretls/testing/": "needs hypothesis",
}
KEPT = ("puretls/manual/labs/", "puretls/manual/lessons/")
"""What the page shows beside it."""


def files(pyodide: Path) -> dict[str, bytes]:
    """Names below `FOLDER` and contents; `pyodide` is the folder of the npm package. Raises `SiteError`."""
    missing = [name for name in RUNTIME if not (pyodide / name).is_file()]
    absent = [name for name in DEPENDENCIES if not _is_installed(name)]
    if absent:
        raise SiteError(f"{', '.join(absent)} is not installed here: pip install 'puretls[site,capture]'")
    if missing:
        raise SiteError(
            f"{pyodide} has no {missing[0]}: npm install --prefix FOLDER pyodide@314, then name FOLDER/node_modules/pyodide"
        )
    found = {name: text.encode() for name, text in page_files().items()}
    found["index.html"] = page(page_files()["index.html"])
    found |= {name: (zipapp.ROOT / "tools" / "web" / name).read_bytes() for name in ("worker.js", "disk.js")}
    found["packages.zip"] = _packages()
    return found | {f"pyodide/{name}": (pyodide / original).read_bytes() for original, name in RUNTIME.items()}


def page(html: str) -> bytes:
    """The page with the transport that asks a worker, a way back to the site, and a word for who opens it from a disk."""
    changes = (
        ('data-transport="fetch"', 'data-transport="worker"'),
        ("</head>", '<script src="disk.js" defer></script>\n</head>'),
        ("</h1>", '</h1>\n  <a href="../index.html">The manual</a>'),
    )
    for old, new in changes:
        if html.count(old) != 1:
            raise SiteError(f"the playground's page has {old!r} {html.count(old)} times: see tools/website/playground.py")
        html = html.replace(old, new)
    return html.encode()


def _packages() -> bytes:
    """puretls and what it needs as one zip."""
    found = {name: text.encode() for name, text in zipapp.WRITTEN.items()} | _own()
    for name in DEPENDENCIES:
        found |= zipapp.distribution_files(name)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(found.items()):
            archive.writestr(zipapp.entry_of(name), content)
    return target.getvalue()


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def is_wanted(name: str) -> bool:
    return name.startswith(KEPT) or not name.startswith((*LEFT_OUT, "puretls/manual/"))


def _own() -> dict[str, bytes]:
    paths = (path for path in (zipapp.ROOT / "puretls").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    names = {path.relative_to(zipapp.ROOT).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if is_wanted(name)}
