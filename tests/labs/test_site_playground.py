"""The playground of the site: the engine in Pyodide in the visitor's browser, with the server gone once the page is loaded."""

import functools
import http.server
import json
import subprocess
import sys
import threading

import pytest

from tests.inspect import browser
from tests.labs.visitor import Visitor, first_visit
from tests.support.axe import serious_faults
from tests.support.npm import package
from tools.website import links, playground
from tools.website.errors import SiteError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "out"
    command = [sys.executable, str(root / "tools" / "site.py"), str(out), "--pyodide", str(package("pyodide"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def served(site):
    """The site's address, and a function that ends its server."""

    class Files(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()

        def end():
            server.shutdown()
            server.server_close()

        yield f"http://127.0.0.1:{server.server_port}/", end
        server.shutdown()
        thread.join()


@pytest.fixture
def driver(tmp_path):
    if (reason := browser.why_not()) is not None:
        pytest.skip(reason)
    with browser.chromium(tmp_path / "profile", offline=False) as driver:
        yield driver


def test_a_first_visit_from_a_lesson_without_the_server(served, driver):
    address, end = served
    browser.looks(driver, 1400, 900)
    visitor = Visitor(driver)
    driver.get(f"{address}lessons/01-records.html")
    driver.find_element("link text", "Read it beside the playground").click()
    visitor.until("return document.documentElement.classList.contains('ready')", seconds=120)
    end()
    assert driver.find_element("css selector", "#text h1").text == "1. Bytes and records"
    assert serious_faults(driver) == []
    visitor.at("stop-reading").click()
    first_visit(visitor)
    assert serious_faults(driver) == []
    assert visitor.complaints() == []


def test_the_pages_lead_to_the_playground_and_back(site):
    assert links.broken(site) == []
    for page in ("index.html", "tutorial.html", "lessons/index.html"):
        assert 'playground/index.html">Playground</a>' in (site / page).read_text()
    lesson = (site / "lessons" / "01-records.html").read_text()
    assert 'href="../playground/index.html#read=lessons%2F01-records">Read it beside the playground</a>' in lesson
    assert 'href="../index.html"' in (site / "playground" / "index.html").read_text()


def test_page_without_pyodide_is_light(site):
    added = {path for path in (site / "playground").rglob("*") if path.parent.name == "pyodide" or path.name == "packages.zip"}
    assert len(added) > 5
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file() and path not in added) < 2_000_000


def test_a_page_from_a_disk_says_what_it_wants(site, driver):
    driver.get((site / "playground" / "index.html").as_uri())
    assert "python3 -m http.server" in driver.find_element("id", "outcome").text


def test_an_engine_that_cannot_be_loaded_says_why(site, served, driver):
    address, _ = served
    whole = site / "playground" / "packages.zip"
    kept = whole.read_bytes()
    try:
        whole.unlink()
        driver.get(f"{address}playground/index.html")
        visitor = Visitor(driver)
        visitor.until("return document.getElementById('error').textContent !== ''")
        assert visitor.text("error") == "The engine could not be loaded: packages.zip: 404 File not found"
    finally:
        whole.write_bytes(kept)


ALONE = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from puretls.labs.playground.engine import answer
tape = answer({"do": "new"})["tape"]
tape = answer({"do": "run", "tape": tape})["tape"]
said = [answer({"do": "save", "tape": tape, "as": kind}) for kind in ("tape", "pcapng", "page")]
said += [answer({"do": "read", "name": name}) for name in ("lessons/01-records", "labs/01-length-over-read")]
print(json.dumps([one.get("error") or len(one.get("base64") or one["html"]) for one in said]))
"""


def test_the_packages_are_all_that_the_engine_needs(site, tmp_path):
    command = [sys.executable, "-I", "-S", "-c", ALONE, str(site / "playground" / "packages.zip")]
    sizes = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout)
    assert all(type(size) is int and size > 1000 for size in sizes), sizes


def test_the_same_sources_make_the_same_packages(site):
    again = playground.files(package("pyodide"))
    assert {f"playground/{name}" for name in again} == {
        path.relative_to(site).as_posix() for path in (site / "playground").rglob("*") if path.is_file()
    }
    assert all((site / "playground" / name).read_bytes() == content for name, content in again.items())


def test_a_folder_without_pyodide_is_told(tmp_path):
    with pytest.raises(SiteError, match=r"has no pyodide\.mjs: npm install --prefix FOLDER pyodide@314"):
        playground.files(tmp_path)
