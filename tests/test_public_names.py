"""The page of what is promised, held against the modules, the command and the examples of the manual."""

import ast
import importlib.util
import re

import pytest

from puretls.cli import parser

ROW = re.compile(r"^\| `(puretls[\w.]*)` \| (\d+\.\d+) \| (.*) \|$", re.M)
NAME = re.compile(r"`([\w.]+)`")


@pytest.fixture(scope="module")
def page(request):
    return (request.config.rootpath / "puretls" / "manual" / "api.md").read_text()


@pytest.fixture(scope="module")
def promised(page):
    found = {}
    for module, _, names in ROW.findall(page):
        found.setdefault(module, []).extend(NAME.findall(names))
    return found


def test_promised_names_are_there_and_named_once(promised):
    assert len(promised) > 50
    for module, names in promised.items():
        there = importlib.import_module(module)
        assert [name for name in names if not hasattr(there, name)] == [], module
        assert len(set(names)) == len(names), module


def test_what_a_module_offers_to_all_is_promised(promised):
    for module, names in promised.items():
        offered = set(getattr(importlib.import_module(module), "__all__", names)) - {"__version__"}
        assert offered == set(names), module


def imports(source):
    """(module, name) of each import from puretls in a program; a module alone with no name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "puretls":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.split(".")[0] == "puretls")


def taken(source):
    """(module, name) of what a program takes from modules of puretls that it imports by `from`."""
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "puretls"
        for alias in node.names
        if is_module(node.module, alias.name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def is_module(package, name):
    return hasattr(importlib.import_module(package), "__path__") and importlib.util.find_spec(f"{package}.{name}") is not None


def is_promised(promised, module, name):
    full = f"{module}.{name}"
    return name in promised.get(module, ()) or (module if name is None else full) in promised or any(one.startswith(f"{full}.") for one in promised)


EXPLAINS_THE_INSIDE = {"design.md", "tutorial.md"}
"""Pages about how puretls is made: their programs look into it."""


def test_examples_of_the_manual_import_what_is_promised(root, promised):
    found = []
    for path in [root / "README.md", *(root / "puretls" / "manual").glob("*.md")]:
        if path.name in EXPLAINS_THE_INSIDE:
            continue
        for block in re.findall(r"```python\n(.*?)```", path.read_text(), re.S):
            names = {*imports(block), *taken(block)}
            found += [(path.name, module, name) for module, name in names if not is_promised(promised, module, name)]
    assert found == []


def test_commands_are_promised(page):
    rows = re.findall(r"^\| ((?:`[\w -]+`(?:, | of | and )?)+) \| \d", page, re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    there = parser()._subparsers._group_actions[0].choices
    assert named - {"puretls"} == set(there)
