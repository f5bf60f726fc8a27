"""The manual's promises: its programs run, its links lead somewhere."""

import re

import pytest


def blocks(text):
    return re.findall(r"```python\n(.*?)```", text, re.S)


def test_tutorial_runs_from_top_to_bottom(root, capsys):
    source = "\n".join(blocks((root / "puretls" / "manual" / "tutorial.md").read_text()))
    exec(compile(source, "tutorial.md", "exec"), {"__name__": "tutorial"})
    printed = capsys.readouterr().out
    assert "CONNECTED" in printed
    assert "ClientHello" in printed


def test_links_between_pages_lead_somewhere(root):
    folder = root / "puretls" / "manual"
    for page in folder.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not link.startswith("http"):
                assert (folder / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize("name", ["demo", "connect", "serve", "ca", "list"])
def test_commands_named_in_the_readme_exist(root, name):
    from puretls.cli import parser

    assert f"puretls {name}" in (root / "README.md").read_text()
    assert name in parser()._subparsers._group_actions[0].choices
