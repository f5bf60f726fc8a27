"""The programs of the manual's page about Pyodide, run as they stand there; names of hosts, ports and places alone are replaced."""

import re
import subprocess

import pytest

from tests.pyodide import hosts, servers

pytestmark = [pytest.mark.slow, pytest.mark.interop]

CDN = "https://cdn.jsdelivr.net/pyodide/v314.0.7/full/"


@pytest.fixture(scope="module")
def program(root):
    """`program("html", ...)` is the block of a language that has a text in it."""
    page = (root / "puretls" / "manual" / "pyodide.md").read_text()

    def find(language, text):
        found = [block for block in re.findall(rf"```{language}\n(.*?)```", page, re.S) if text in block]
        assert len(found) == 1
        return found[0]

    return find


def at_home(source, port, relay="", path=""):
    """The program with the server of these tests in place of the one that it names."""
    source = source.replace('pyodide.open("www.example.org", 443', f'pyodide.open("localhost", {port}')
    return source.replace("ws://127.0.0.1:8080/", relay).replace(CDN, "./pyodide/").replace('from "pyodide"', f'from "{path}"')


def test_the_page(program, page, https, relay, folder):
    (folder / "manual.html").write_text(at_home(program("html", "<script"), https.port, relay))
    status = page.visit("manual.html", "window.fetched")
    assert status.startswith("HTTP/1.1 200")


def test_the_script_of_node(program, https, archive, folder):
    path = hosts.NPM / "pyodide" / "pyodide.mjs"
    (folder / "manual.mjs").write_text(at_home(program("js", "loadPyodide"), https.port, path=path))
    done = subprocess.run([hosts.plain_node(), "manual.mjs"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.startswith("HTTP/1.1 200"), done.stderr[-2000:]


MAIL = """
from puretls import ClientConfig
from puretls.roots import file_verifier

async def main(port, relay):
    return newest("localhost", port, ClientConfig(verifier=file_verifier("/test/ca.pem")), relay).decode()
"""


def test_blocking_without_the_module_ssl(program, page, imaps):
    with hosts.websockify(imaps.port) as relay:
        told = page.run(program("python", "RelayedImap") + MAIL, port=imaps.port, relay=relay)
    assert told == servers.Imap.MESSAGE.decode()


STDLIB = """
async def main(web, mail, relay):
    from hashlib import sha256
    from puretls.net import pyodide
    if relay is not None:
        await pyodide.relay_sockets(relay)
    body = page(f"https://localhost:{web}/", "/test/ca.pem")
    return [sha256(body).hexdigest(), messages("localhost", mail, "/test/ca.pem")[0].decode()]
"""


@pytest.mark.parametrize("place", ["suspending", "page"])
def test_the_standard_library(program, request, place, https, imaps, choosing_relay):
    relay = choosing_relay if place == "page" else None
    there = request.getfixturevalue(place)
    told = there.run(program("python", "puretls.ssl.install") + STDLIB, web=https.port, mail=imaps.port, relay=relay)
    assert told == [servers.digest(), servers.Imap.MESSAGE.decode()]


REQUESTS = """
async def main(port):
    import puretls.ssl
    puretls.ssl.install()
    return requests.get(f"https://localhost:{port}/", verify="/test/ca.pem").status_code
"""


def test_requests_is_taken_from_fetch(program, suspending, https):
    assert suspending.run(program("python", "import requests") + REQUESTS, port=https.port) == 200
