"""tools/site.py: what a visitor gets, without network and from a disk."""

import filecmp
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.inspect import browser
from tests.support.axe import serious_faults
from tools.website import drawings, links, markdown, playground
from tools.website.errors import SiteError

MOST = 2_000_000
"""Bytes that the site may have, without Pyodide."""
SIZES = [(1400, 900), (380, 800)]


def same(link):
    return link


# Markdown


def test_headings_get_the_anchors_that_repositories_show():
    source = "# The `ssl` module, in C?\n## One_two - three\n## One_two - three\n### Ünï\n"
    assert markdown.anchors(source) == ["the-ssl-module-in-c", "one_two---three", "one_two---three-1", "ünï"]


def test_markup_in_text_is_text():
    html = markdown.render("# <b>\n\n<script>alert(1)</script> `<i>`\n", same).html
    assert "<script" not in html
    assert "<i>" not in html
    assert "<b>" not in html


def test_marks_for_tools_are_not_shown():
    html = markdown.render(
        "# T\n\n<!-- measured -->\n| a |\n|---|\n| 1 |\n<!-- end of what was measured -->\n\nText.\n", same
    ).html
    assert "measured" not in html
    assert "<table>" in html


def test_lines_do_not_break_within_an_option():
    html = markdown.render("# T\n\n`--danger-seed` `a-b` `--html FILE`\n", same).html
    assert "<code class=option>--danger-seed</code> <code>a-b</code> <code>--html FILE</code>" in html


def test_links_and_code_that_names_something_go_where_the_site_says():
    places = {"a.md": "a.html", "`puretls.ca`": "api/puretls.ca.html"}
    html = markdown.render(
        "# T\n\n[x](a.md) `puretls.ca` `other` [`puretls.ca`](a.md)\n", lambda link: places.get(link, link)
    ).html
    assert html.count('href="a.html"') == 2
    assert '<a href="api/puretls.ca.html"><code>puretls.ca</code></a> <code>other</code>' in html
    assert html.count("api/puretls.ca.html") == 1, "no link within a link"


def test_code_is_the_same_text_with_colours():
    source = 'if a < b and c > "<&>":  # <x>\n    return 0x1F\n'
    html = markdown.highlighted(source, "python")
    assert "<span class=k>" in html
    assert text_of(html) == source


def text_of(html):
    from html.parser import HTMLParser

    found = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(html)
    parser.close()
    return "".join(found)


def test_sections_hold_what_stands_below_their_headings():
    first, second = markdown.render(
        "# Top\n\nall *of* `it`\n\n## Below\n\n```python\nx.y = x.y + z\n```\n\n```text\nfigures\n```\n", same
    ).sections
    assert (first.anchor, first.title, first.text) == ("", "Top", "all of it")
    assert (second.anchor, second.title, second.text) == ("below", "Below", "x.y z")


def test_state_diagrams_are_tables_of_their_arrows(root):
    from puretls.handshake.states import Role
    from puretls.handshake.table import TABLES

    page = (root / "puretls" / "manual" / "states.md").read_text()
    for role, diagram in zip(Role, page.split("```mermaid\n")[1:], strict=True):
        arrows = set(drawings.arrows(diagram.partition("```")[0]))
        assert {(start, end) for start, _, end in arrows} == {
            (row.state.name, after.name) for row in TABLES[role] for after in row.next_states
        }
        assert all(label for _, label, _ in arrows)


def test_learned_machines_are_tables_too():
    arrows = drawings.arrows('flowchart TD\n    s0("START")\n    s1("a #35; b")\n    s0 -->|"x / y<br>z"| s1\n')
    assert list(arrows) == [("START", "x / y<br>z", "a #35; b")]
    table = drawings.state_table('flowchart TD\n    s0("START")\n    s1("a #60; b")\n    s0 -->|"x / y<br>z"| s1\n')
    assert "<td><code>START</code></td><td>x / y<br>z</td><td><code>a &lt; b</code></td>" in table


# The check of links


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ('<a href="b.html#x">', None),
        ('<a href="#own"><p id="own">', None),
        ('<a href="https://example.org/">', None),
        ('<a href="absent.html">', "no such file"),
        ('<a href="b.html#absent">', "no such anchor"),
        ('<script src="https://example.org/x.js"></script>', "loaded from elsewhere"),
        ('<img src="absent.png">', "no such file"),
        ('<a href="b.html#read=x">', None),
        ('<p id="x"><p id="x">', "id x twice"),
    ],
)
def test_check_of_links_finds(tmp_path, page, fault):
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "b.html").write_text('<p id="x">')
    found = links.broken(tmp_path)
    assert len(found) == (fault is not None)
    assert fault is None or (found[0].startswith("a.html: ") and fault in found[0])


# The playground's page


def test_page_of_the_playground_asks_a_worker_and_leads_back():
    from puretls.labs.playground.pages import page_files

    html = playground.page(page_files()["index.html"]).decode()
    assert 'data-transport="worker"' in html
    assert '<a href="../index.html">The manual</a>' in html
    with pytest.raises(SiteError, match="the playground's page has"):
        playground.page("<html></html>")


# The command


def made(root, out, *options, status=0):
    command = [sys.executable, str(root / "tools" / "site.py"), str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == status, done.stderr
    return done


def test_folder_that_is_no_site_is_not_emptied(root, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    told = made(root, tmp_path, status=2).stderr
    assert told == f"site: {tmp_path} is there and holds no site: name another folder, or remove it\n"
    assert (tmp_path / "mine.txt").read_text() == "precious"


@pytest.mark.parametrize("name", ["griffe", "markdown_it", "pygments"])
def test_package_that_is_missing_is_named(root, tmp_path, name):
    hide = f"import runpy, sys; sys.modules[{name!r}] = None; sys.argv = ['site.py', 'out']; runpy.run_path({str(root / 'tools' / 'site.py')!r})"
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (1, f"site: {name} is not installed here: pip install 'puretls[site]'\n")


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "out"
    made(root, out)
    return out


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_links_of_the_site_lead_somewhere_and_it_is_light(site):
    assert links.broken(site) == []
    assert sum((site / name).stat().st_size for name in files(site)) < MOST


@pytest.mark.slow
def test_every_page_of_the_manual_is_in_the_site(root, site):
    manual = root / "puretls" / "manual"
    assert {page.relative_to(manual).with_suffix(".html") for page in manual.rglob("*.md")} <= set(files(site))


@pytest.mark.slow
def test_every_promised_name_is_told_and_found_by_the_search(root, site):
    index = json.loads((site / "assets" / "search.js").read_text().partition(" = ")[2].rstrip(";\n"))
    found = {page: {title or anchor for anchor, title, *_ in sections} for page, _, *sections in index}
    rows = re.findall(r"^\| `(puretls[\w.]*)` \| [\d.]+ \| (.*) \|$", (root / "puretls" / "manual" / "api.md").read_text(), re.M)
    assert len(rows) > 50
    told_elsewhere = 0
    for module, names in rows:
        ids = links.Document((site / "api" / f"{module}.html").read_text()).ids
        wanted = set(re.findall(r"`(\w+)`", names))
        assert wanted <= set(ids)
        told_elsewhere += len(wanted - found[f"api/{module}.html"])
    assert told_elsewhere < 80, "a name that several modules offer is told in the first"


@pytest.mark.slow
def test_reference_has_signatures_docstrings_and_what_is_returned(site):
    page = (site / "api" / "puretls.html").read_text()
    assert "<dt id=Connection.client>classmethod <b>client</b>(config: ClientConfig, server_name: str | None = None, " in page
    assert "an international name is mapped once" in page.lower()
    assert "<small>since 0.2</small>" in (site / "api" / "puretls.config.html").read_text()
    same = (site / "api" / "puretls.connection.html").read_text()
    assert 'The same as <a href="puretls.html#Connection"><code>puretls.Connection</code></a>' in same
    assert "<dt id=handshake.context.Negotiated>class <b>Negotiated</b>" in (site / "api" / "returned.html").read_text()


@pytest.mark.slow
def test_reference_shows_values_of_constants_and_not_how_an_attribute_is_set(site):
    assert "connection = connection" not in (site / "api" / "puretls.net.html").read_text()
    assert "handshake_message: int = 2 ** 18" in (site / "api" / "puretls.html").read_text()


def test_same_sources_make_the_same_bytes(root, site, tmp_path):
    made(root, tmp_path / "again")
    assert files(site) == files(tmp_path / "again")
    assert filecmp.cmpfiles(site, tmp_path / "again", files(site), shallow=False)[1:] == ([], [])


# In Chromium, from the disk, without network


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    if (reason := browser.why_not()) is not None:
        pytest.skip(reason)
    with browser.chromium(tmp_path_factory.mktemp("profile")) as made:
        yield made


def opened(driver, site, name):
    driver.get((Path(site) / name).as_uri())


def typed(driver, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver).send_keys(*keys).perform()


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
def test_pages_fit_and_have_no_serious_fault(site, driver, size, dark):
    browser.looks(driver, *size, dark=dark)
    for name in (
        "index.html",
        "tutorial.html",
        "states.html",
        "performance.html",
        "api/index.html",
        "api/puretls.connection.html",
    ):
        opened(driver, site, name)
        assert serious_faults(driver) == [], name
        assert driver.execute_script("return document.documentElement.scrollWidth") <= size[0], name
    assert driver.get_log("browser") == []


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
def test_heading_that_an_address_names_is_not_behind_the_bar(site, driver, size):
    browser.looks(driver, *size)
    driver.get(f"{(Path(site) / 'x509.html').as_uri()}#how-it-is-tested")
    bar, heading = (
        driver.execute_script("return document.querySelector(arguments[0]).getBoundingClientRect()", one)
        for one in ("header", "#how-it-is-tested")
    )
    assert bar["bottom"] <= heading["top"] < size[1] / 2


@pytest.mark.slow
def test_search_by_keyboard_leads_to_a_section(site, driver):
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    browser.looks(driver, 1400, 900)
    opened(driver, site, "api/puretls.ca.html")
    typed(driver, "/", "lucky 13 lab")
    told = "return document.querySelector('#found [role=status]').textContent"
    WebDriverWait(driver, 20).until(lambda _: "place" in driver.execute_script(told))
    assert serious_faults(driver) == []
    typed(driver, Keys.ARROW_DOWN, Keys.ENTER)
    WebDriverWait(driver, 20).until(lambda _: "puretls.ca" not in driver.current_url)
    assert driver.current_url.partition("#")[0].endswith(("attacks.html", "labs/03-lucky-thirteen.html", "side-channels.html"))
    assert driver.get_log("browser") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("chain_verifier", "puretls.x509.verifier.chain_verifier"),
        ("Connection.export", "puretls.Connection.export_keying_material"),
        ("websocket relay", "Pyodide: In a page"),
        ("key schedule", "6. The key schedule"),
    ],
)
def test_search_finds_names_and_texts(site, driver, words, first):
    from selenium.webdriver.support.ui import WebDriverWait

    opened(driver, site, "index.html")
    typed(driver, "/", words)
    WebDriverWait(driver, 20).until(
        lambda _: driver.execute_script("return document.querySelectorAll('#results a, #found a').length")
    )
    found = driver.execute_script("return [...document.querySelectorAll('#found a')].map((link) => link.firstChild && [...link.childNodes]"
                                  ".filter((node) => node.nodeName !== 'SPAN').map((node) => node.textContent).join(''))")  # fmt: skip
    assert first in found[:3], found[:5]


@pytest.mark.slow
def test_search_of_nothing_that_is_there_says_so_and_escape_closes_it(site, driver):
    from selenium.webdriver.common.keys import Keys

    opened(driver, site, "index.html")
    typed(driver, "/", "zzzznothing<b>")
    assert driver.execute_script("return document.querySelector('#found [role=status]').textContent") == "0 places"
    typed(driver, Keys.ESCAPE)
    assert driver.execute_script("return document.getElementById('found').hidden")


@pytest.mark.slow
def test_choice_of_dark_or_light_stays(site, driver):
    browser.looks(driver, 1400, 900)
    opened(driver, site, "index.html")
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = driver.execute_script(paper)
    driver.find_element("xpath", "//button[text()='Dark']").click()
    dark = driver.execute_script(paper)
    opened(driver, site, "tutorial.html")
    assert (driver.execute_script(paper), light != dark) == (dark, True)
    driver.find_element("xpath", "//button[text()='Light']").click()


@pytest.mark.slow
def test_list_of_pages_opens_on_a_phone(site, driver):
    browser.looks(driver, 380, 800)
    opened(driver, site, "tutorial.html")
    pages = driver.find_element("id", "pages")
    assert not pages.is_displayed()
    driver.find_element("id", "menu").click()
    assert pages.is_displayed()
    assert serious_faults(driver) == []
