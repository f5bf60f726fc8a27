"""The page about testing: its programs run, its tables name what there is."""

import re

import pytest

from puretls.testing import pki, plugin
from puretls.testing.properties import PROPERTIES
from tests.test_manual import blocks


@pytest.fixture
def page(root):
    return (root / "puretls" / "manual" / "testing.md").read_text()


def test_every_program_of_the_page_runs_and_has_twenty_lines_or_little_more(page, capsys):
    pytest.importorskip("ssl")
    programs = blocks(page)
    assert len(programs) == 4
    for source in programs:
        if "openssl" in source and __import__("shutil").which("openssl") is None:
            pytest.skip("openssl is not installed")
        assert len([line for line in source.splitlines() if line.strip()]) <= 26
        exec(compile(source, "testing.md", "exec"), {"__name__": "page"})
    assert "negotiation_is_sound does not hold for OpenSSL" in capsys.readouterr().out


def test_every_property_and_every_fixture_is_in_a_table(page):
    rows = set(re.findall(r"`(\w+)`", page))
    assert set(PROPERTIES) <= rows
    fixtures = {name for name, value in vars(plugin).items() if type(value).__name__ == "FixtureFunctionDefinition"}
    assert fixtures <= rows
    assert f"{len(pki.DEFECTS)} in all" in page
