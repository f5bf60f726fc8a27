"""The playground in headless Chromium, as a visitor waits for it: milliseconds from the click until the page has been drawn.

The local page is that of `puretls playground`. `--set site=FOLDER` adds the page of a static site that `tools/site.py FOLDER --pyodide DIR`
made, whose engine runs in Pyodide. Goals: a finished handshake 1,000 ms after the click; a step 50; a whole handshake drawn 300; the site
usable 8,000 ms after a cold load.
"""

from __future__ import annotations

import functools
import http.server
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.harness import Case, Options, Row

READY = "return document.documentElement.classList.contains('ready')"
WATCH = """
const [id, done] = [arguments[0], arguments[1]];
const root = document.documentElement;
const began = performance.now();
const drawn = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
new MutationObserver((_, observer) => {
  if (root.classList.contains('asking')) return;
  observer.disconnect();
  drawn();
}).observe(root, { attributes: true, attributeFilter: ['class'] });
document.getElementById(id).click();
"""
"""Clicks a button; tells after how many milliseconds the answer was on the page, and a frame was painted."""
ASK = """
const done = arguments[arguments.length - 1];
import(new URL('transport.js', document.baseURI)).then(async ({ connect }) => {
  const { ask } = await connect(() => {});
  const { tape } = await ask({ do: 'run', tape: (await ask({ do: 'new' })).tape });
  const times = [];
  for (let round = 0; round < arguments[0]; round += 1) {
    let now = (await ask({ do: 'new' })).tape;
    for (let step = 0; step < 12; step += 1) {
      const began = performance.now();
      now = (await ask({ do: 'step', tape: now })).tape;
      times.push(performance.now() - began);
    }
  }
  done(times);
});
"""
"""Asks for handshakes step by step, as main.js does; tells how long each answer took."""


def cases(options: Options) -> list[Case]:
    """The local page, and that of a site where there is one."""
    folder = options.arguments.get("site")
    return [
        functools.partial(_engine, options.rounds(10)),
        functools.partial(_page, "local", _local, options.rounds(10)),
        *([functools.partial(_page, "Pyodide", functools.partial(_site, Path(folder)), options.rounds(10))] if folder else []),
    ]


def _engine(rounds: int) -> list[Row]:
    """Processor time of the engine alone, which does not depend on what else the machine does."""
    from puretls.labs.playground.engine import answer

    def begun() -> Any:
        return answer({"do": "new"})["tape"]

    def took(do: str, tape: Any) -> tuple[float, Any]:
        began = time.process_time()
        tape = answer({"do": do, "tape": tape})["tape"]
        return (time.process_time() - began) * 1e3, tape

    took("run", begun())
    runs, steps = [], []
    for _ in range(rounds):
        runs.append(took("run", begun())[0])
        tape = begun()
        for _ in range(12):
            one, tape = took("step", tape)
            steps.append(one)
    return [
        Row("playground", "engine, processor time: a whole handshake", f"median of {rounds}", "ms", statistics.median(runs)),
        Row("playground", "engine, processor time: a step", f"median of {len(steps)}", "ms", statistics.median(steps)),
        Row("playground", "engine, processor time: a step", "slowest", "ms", max(steps)),
    ]


@contextmanager
def _local() -> Iterator[str]:
    from puretls.cli.playground import Server

    with Server() as server, _running(server):
        yield server.address


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server,
        _running(server),
    ):
        yield f"http://127.0.0.1:{server.server_address[1]}/playground/"


@contextmanager
def _running(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _page(name: str, served: Any, rounds: int) -> list[Row]:
    from tests.inspect import browser

    with tempfile.TemporaryDirectory() as profile, browser.chromium(profile, offline=False) as driver, served() as address:
        browser.looks(driver, 1400, 900)
        began, burnt = time.perf_counter(), _processor_time()
        driver.get(address)
        while not driver.execute_script(READY):
            time.sleep(0.01)
        loaded, burnt = (time.perf_counter() - began) * 1e3, _processor_time() - burnt
        time.sleep(2)  # until somebody has found the button, the page has tried a handshake by itself
        first = _clicked(driver, "run")
        runs, steps = [], []
        for _ in range(rounds):
            _again(driver, address)
            runs.append(_clicked(driver, "run"))
            _again(driver, address)
            steps += [_clicked(driver, "step") for _ in range(12)]
        answers = driver.execute_async_script(ASK, rounds)
    figures = (
        ("usable after a cold load", "once", loaded),
        ("usable after a cold load, processor time of the browser", "once", burnt),
        ("the first click on Run on, 2 s later, handshake drawn", "once", first),
        ("a whole handshake at once, drawn", f"median of {rounds}", statistics.median(runs)),
        ("a step, drawn", f"median of {len(steps)}", statistics.median(steps)),
        ("a step, drawn", "slowest", max(steps)),
        ("a step, the engine's answer", f"median of {len(answers)}", statistics.median(answers)),
        ("a step, the engine's answer", "slowest", max(answers)),
    )
    return [Row("playground", f"{name}: {case}", size, "ms", figure) for case, size, figure in figures]


def _processor_time() -> float:
    """Milliseconds of processor time that the processes below this one have used, which other work on the machine does not change."""
    below: dict[int, list[tuple[int, int]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            below.setdefault(int(fields[1]), []).append((int(path.parent.name), int(fields[11]) + int(fields[12])))
    waiting, ticks = [os.getpid()], 0
    while waiting:
        for process, used in below.get(waiting.pop(), []):
            waiting.append(process)
            ticks += used
    return ticks * 1e3 / os.sysconf("SC_CLK_TCK")


def _again(driver: Any, address: str) -> None:
    """The page anew, with a run that has not begun."""
    driver.execute_script("history.replaceState(null, '', location.pathname); location.hash = ''")
    while driver.execute_script("return document.getElementById('step').textContent") != "Start":
        _clicked(driver, "back")


def _clicked(driver: Any, name: str) -> float:
    took: float = driver.execute_async_script(WATCH, name)
    return took
