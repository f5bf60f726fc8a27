"""Makes the pictures of README and manual from the real thing: commands in a terminal as SVG, pages in Chromium as WebP.

    python tools/pictures.py [NAME ...]       # all, or those named, into puretls/manual/pictures

What a command prints is the same each time (a test makes those again and compares); screenshots depend on Chromium, and are only looked at.
Needs `pip install rich selenium`, and for screenshots Chromium with its driver.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "puretls" / "manual" / "pictures"
sys.path.insert(0, str(ROOT))

from puretls.cli import main as puretls  # noqa: E402

WIDTH = 100
"""Columns of the terminal."""


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it, colours included."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printed(arguments: list[str]) -> str:
    """What the command prints in a terminal of `WIDTH` columns."""
    terminal, before = Terminal(), dict(os.environ)
    os.environ |= {"COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    os.environ.pop("NO_COLOR", None)
    try:
        with redirect_stdout(terminal):
            puretls(arguments)
    finally:
        os.environ.clear()
        os.environ |= before
    return terminal.getvalue()


@contextmanager
def demo() -> Iterator[str]:
    """The tape of two handshakes that `puretls demo --tape demo.json --danger-seed 1` writes."""
    with tempfile.TemporaryDirectory() as folder:
        tape = str(Path(folder, "demo.json"))
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
            puretls(["demo", "--tape", tape, "--danger-seed", "1"])
        yield tape


def drawing(*options: str, most: int) -> str:
    """The first lines of what `puretls inspect demo.json` with these options prints, as SVG."""
    from rich.console import Console
    from rich.text import Text

    shown = " ".join(["puretls inspect demo.json --connection 1", *options])
    with demo() as tape:
        lines = printed(["inspect", tape, "--connection", "1", *options]).splitlines()[:most]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False)
    console.print(Text.from_ansi("\n".join([f"$ {shown}", *lines])))
    return console.export_svg(title=shown, code_format=_TERMINAL, unique_id="terminal")


_TERMINAL = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: system-ui, sans-serif; font-size: 16px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
"""Of rich's own, without the fonts that it fetches from elsewhere."""

DRAWINGS: dict[str, Callable[[], str]] = {
    "ladder.svg": lambda: drawing(most=34),
    "bytes.svg": lambda: drawing("--grep", "server.ServerKeyExchange", most=31),
}


@contextmanager
def browser(width: int, height: int) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{height}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        )
        yield driver
    finally:
        driver.quit()


def shot(driver: Any) -> bytes:
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "webp", "quality": 32})
    return base64.b64decode(taken["data"])


GROUP = 1144
"""Where the server names its group, in the stream of the demo."""


def page() -> bytes:
    """The inspector's page, a byte of the key exchange chosen."""
    with tempfile.TemporaryDirectory() as folder, demo() as tape, browser(1160, 580) as driver:
        target = Path(folder, "page.html")
        puretls(["inspect", tape, "--connection", "1", "--html", str(target)])
        driver.get(f"{target.as_uri()}#server/wire/{GROUP}")
        return shot(driver)


def atlas() -> bytes:
    """The heat map of the flip atlas."""
    with tempfile.TemporaryDirectory() as folder, browser(1000, 400) as driver:
        target = Path(folder, "atlas.html")
        printed(["flip", "--html", str(target)])
        driver.get(target.as_uri())
        return shot(driver)


def playground() -> bytes:
    """The playground at ServerKeyExchange, one byte of it chosen."""
    from puretls.cli.playground import Server

    with Server(0) as server, browser(1160, 580) as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        driver.get(server.address)
        driver.set_script_timeout(60)
        driver.execute_async_script(_STEP, "server.ServerKeyExchange")
        taken = shot(driver)
        server.shutdown()
        return taken


_STEP = """
const [path, done] = arguments, root = document.documentElement;
const ready = () => root.classList.contains("ready") && !root.classList.contains("asking");
const press = (text) => [...document.querySelectorAll("button")].find((one) => one.innerText === text && one.offsetParent).click();
const there = () => [...document.querySelectorAll("#ladder li:not(.coming) a")].some((link) => link.dataset.path === path);
const go = () => {
  if (!ready()) return setTimeout(go, 20);
  if (there()) { document.querySelectorAll("#scene .hex b")[9].click(); return setTimeout(done, 300); }
  press([...document.querySelectorAll("button")].some((one) => one.innerText === "Start" && one.offsetParent) ? "Start" : "Step");
  setTimeout(go, 20);
};
go();
"""
"""Steps until the message is there, as a visitor would."""

SHOTS: dict[str, Callable[[], bytes]] = {"page.webp": page, "playground.webp": playground, "atlas.webp": atlas}


def main() -> int:
    known = [*DRAWINGS, *SHOTS]
    wanted = sys.argv[1:] or known
    if unknown := [name for name in wanted if name not in known]:
        print(f"pictures: no picture is called {unknown[0]!r}: {', '.join(known)}", file=sys.stderr)
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name in wanted:
        target = FOLDER / name
        if name in DRAWINGS:
            target.write_text(DRAWINGS[name](), encoding="utf-8")
        else:
            target.write_bytes(SHOTS[name]())
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
