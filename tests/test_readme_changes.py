"""The page of changes: its form, its version, and that the ways it shows from the old names to the new are open."""

import importlib
import re

import pytest

from puretls._version import __version__

KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""Those of Keep a Changelog, in its order."""


@pytest.fixture(scope="module")
def page(request):
    return (request.config.rootpath / "puretls" / "manual" / "changes.md").read_text()


def test_newest_entry_is_the_version_that_is_there(page):
    newest = re.search(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", page, re.M)
    assert newest.group(1) == __version__


def test_kinds_of_changes_are_the_usual_ones_in_their_order(page):
    for version in re.split(r"^## (?=\d)", page, flags=re.M)[1:]:
        kinds = re.findall(r"^### (.+)$", version, re.M)
        assert kinds == [kind for kind in KINDS if kind in kinds], version.split()[0]


def exists(name):
    """Whether a name with dots is a module, or leads from one to an attribute."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_upgrade_leads_from_names_that_are_gone_to_names_that_are_there(page):
    rows = re.findall(r"^\| (`puretls\..*) \| (.*) \|$", page.split("## Upgrade from 0.1\n")[1], re.M)
    assert len(rows) > 10
    gone, there = ([name for row in rows for name in re.findall(r"`(puretls\.[\w.]+)`", row[column])] for column in (0, 1))
    assert [name for name in gone if exists(name)] == []
    assert [name for name in there if not exists(name)] == []
