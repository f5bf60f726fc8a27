"""Where Pyodide runs: node of two versions, and a page in Chromium. Each takes Python source and gives what its `main` returns.

The npm packages `pyodide` and `node` (and `axe-core`, for pages) are expected below ~/.cache/puretls, where `.ci/run` installs them, or below $PURETLS_NPM:
npm install --prefix ~/.cache/puretls pyodide@314 node@24 axe-core@4
"""

import json
import shutil
import socket
import subprocess
import textwrap
import threading
import time
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.support.npm import INSTALL, NPM

PYTHON_PACKAGES = ("tlslite-ng", "ecdsa", "six", "certifi", "requests", "urllib3", "idna", "charset-normalizer")
"""What puretls needs, and requests."""
HTTPX = ("httpx", "httpcore", "h11", "anyio", "sniffio", "typing-extensions")
"""Put in where they are installed."""
RUNNER = Path(__file__).with_name("runner.mjs")


class FailedThereError(Exception):
    """What the program raised, as Pyodide tells it: a traceback."""


class Host:
    """A Pyodide; `run` gives what the coroutine `main` of a program returns."""

    def run(self, source, **values):
        program = f"{textwrap.dedent(source)}\nimport json\njson.dumps(await main(**json.loads({json.dumps(values)!r})))"
        answer = self.evaluate(program)
        if "error" in answer:
            raise FailedThereError(answer["error"])
        return json.loads(answer["result"])

    def evaluate(self, program):
        raise NotImplementedError


class NodeHost(Host):
    """A node that stays, and one Pyodide in it."""

    def __init__(self, node, archive, folder):
        command = [node, "--no-warnings", RUNNER, NPM, archive, folder]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._process.stdout.readline() != "ready\n":
            raise FailedThereError("node did not start")

    def evaluate(self, program):
        self._process.stdin.write(json.dumps(program) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise FailedThereError(f"node ended with status {self._process.wait(20)}")
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(20)


class PageHost(Host):
    """A page in Chromium, served from this machine."""

    def __init__(self, driver, url):
        self._driver, self._url = driver, url
        self._open("page.html", "window.evaluate")

    def _open(self, name, expression):
        self._driver.get(f"{self._url}{name}")
        wait = "const tell = arguments[0]; const look = () => {} ? tell(true) : setTimeout(look, 50); look()"
        self._driver.execute_async_script(wait.replace("{}", expression))

    def visit(self, name, promise):
        """What a promise of another page comes to, in a tab of its own."""
        own = self._driver.current_window_handle
        self._driver.switch_to.new_window("tab")
        try:
            self._open(name, promise)
            script = f"const tell = arguments[0]; {promise}.then(tell, (error) => tell(`failed: ${{error.message}}`))"
            return self._driver.execute_async_script(script)
        finally:
            self._driver.close()
            self._driver.switch_to.window(own)

    def evaluate(self, program):
        return self._driver.execute_async_script("const tell = arguments[1]; window.evaluate(arguments[0]).then(tell)", program)


class PageFiles(SimpleHTTPRequestHandler):
    """The page, Pyodide below /pyodide/, and the files of the tests' folder."""

    def translate_path(self, path):
        name = path.partition("?")[0].lstrip("/")
        if name == "page.html":
            return str(RUNNER.with_name("page.html"))
        below = NPM if name.startswith("pyodide/") else Path(self.directory)
        return str(below / name)

    def log_message(self, *_):
        pass


@contextmanager
def page_server(folder):
    """Serves what a page needs; gives the folder's URL."""
    PageFiles.extensions_map[".mjs"] = "text/javascript"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(PageFiles, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join(10)


@contextmanager
def websockify(port, *options):
    """A relay to a port of this machine, or to what the options say; gives its URL."""
    program = shutil.which("websockify")
    if program is None:
        pytest.skip("websockify is not installed: apt-get install websockify")
    own = free_port()
    command = [program, *options, f"127.0.0.1:{own}", *([f"127.0.0.1:{port}"] if port else [])]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(own, process)
        yield f"ws://127.0.0.1:{own}/"
    finally:
        process.terminate()
        process.wait(20)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for_port(port, process, limit=20):
    """Waits until somebody listens there."""
    end = time.monotonic() + limit
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise FailedThereError("the relay did not start")


def archive(target):
    """A zip of puretls and of what it needs, as a page would fetch it."""
    root = Path(__file__).resolve().parents[2]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as made:
        for file in sorted((root / "puretls").rglob("*.py")):
            made.write(file, file.relative_to(root))
        for name in (*PYTHON_PACKAGES, *HTTPX):
            try:
                found = distribution(name)
            except PackageNotFoundError:
                if name in HTTPX:
                    continue
                raise
            for file in found.files:
                if (file.suffix in {".py", ".pem"} or file.name == "METADATA") and ".." not in file.parts:
                    made.write(found.locate_file(file), file)
    return target


def need_pyodide():
    if not (NPM / "pyodide" / "pyodide.mjs").exists():
        pytest.skip(f"no Pyodide: {INSTALL}")


def plain_node():
    """The node of this machine."""
    need_pyodide()
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    return node


def suspending_node():
    """A node that can suspend WebAssembly (JSPI)."""
    need_pyodide()
    node = NPM / "node" / "bin" / "node"
    if not node.exists():
        pytest.skip(f"no node 24: {INSTALL}")
    return str(node)
