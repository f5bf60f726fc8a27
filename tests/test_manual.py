"""The manual's promises: its programs run, its links lead somewhere."""

import re

import pytest

from tools.website import markdown


def blocks(text):
    return re.findall(r"```python\n(.*?)```", text, re.S)


def test_tutorial_runs_from_top_to_bottom(root, capsys):
    source = "\n".join(blocks((root / "puretls" / "manual" / "tutorial.md").read_text()))
    exec(compile(source, "tutorial.md", "exec"), {"__name__": "tutorial"})
    printed = capsys.readouterr().out
    assert "CONNECTED" in printed
    assert "ClientHello" in printed


def pages(root):
    """The README, the manual, lessons and labs: what is read as Markdown."""
    return [root / "README.md", *sorted((root / "puretls" / "manual").rglob("*.md"))]


def test_links_of_pages_lead_to_files_and_headings(root):
    anchors = {page: set(markdown.anchors(page.read_text())) for page in pages(root)}
    broken = [
        f"{page.relative_to(root)}, line {line}: {link}"
        for page in anchors
        for line, link in markdown.links(page.read_text())
        if not leads_somewhere(page, link, anchors)
    ]
    assert broken == []


def leads_somewhere(page, link, anchors):
    """Whether a file, and in a page a heading, is where a link leads; other sites are not asked."""
    if re.match(r"[a-z]+:", link):
        return True
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or anchor in anchors.get(target, ()))


@pytest.mark.parametrize("link", ["absent.md", "tutorial.md#absent", "#absent", "../absent.py"])
def test_broken_link_is_noticed(root, link):
    page = root / "puretls" / "manual" / "index.md"
    assert not leads_somewhere(page, link, {page: {"learn"}, page.with_name("tutorial.md"): {"tutorial"}})


NAMED = re.compile(r"(?<![\w/.-])(?:tests|tools|vectors)/[\w./-]*\w(?:::\w+)?")


def absent(root, text):
    """The files and tests of the repository that a page names and that are not there."""
    for named in NAMED.findall(text):
        path, _, test = named.partition("::")
        if not (root / path).exists() or (test and f"def {test}(" not in (root / path).read_text()):
            yield named


def test_files_and_tests_that_pages_name_are_there(root):
    assert [(page.name, named) for page in pages(root) for named in absent(root, page.read_text())] == []
    missing = "`tests/test_absent.py` and `tests/test_manual.py::test_absent`, tools/absent.py."
    assert list(absent(root, missing)) == ["tests/test_absent.py", "tests/test_manual.py::test_absent", "tools/absent.py"]


def test_every_page_of_the_manual_is_named_by_its_index(root):
    index = root / "puretls" / "manual" / "index.md"
    named = {link for _, link in markdown.links(index.read_text())}
    assert {page.name for page in index.parent.glob("*.md")} - named == {"index.md"}


@pytest.mark.parametrize("name", ["demo", "connect", "serve", "ca", "list"])
def test_commands_named_in_the_readme_exist(root, name):
    from puretls.cli import parser

    assert f"puretls {name}" in (root / "README.md").read_text()
    assert name in parser()._subparsers._group_actions[0].choices


def test_questions_are_answered_within_two_clicks(root):
    """From the first page to the questions, and from each question to the page that answers it; that links hold is tested above."""
    manual = root / "puretls" / "manual"
    for page, link in ((manual / "index.md", "questions.md"), (root / "README.md", "puretls/manual/questions.md")):
        assert link in [found for _, found in markdown.links(page.read_text())]
    asked = re.findall(r"^- \*\*(.+?)\*\*((?:.|\n(?!- |\n))*)", (manual / "questions.md").read_text(), re.M)
    assert len(asked) >= 40
    for question, answer in asked:
        assert question.endswith("?"), question
        assert markdown.links(answer), question


MEASURED = re.compile(
    r"\d[\d.,]*\s?(?:%(?!\w)|per cent\b|[kMG]i?B/s|ms\b|us\b|µs|CPU seconds|seconds of CPU)"
    r"|(?:half|third|quarter|fifth|tenth|twentieth|hundredth) of a (?:milli)?second\b"
)
"""A share, a speed or a time: what somebody has measured. Limits and sizes that the code sets are no such figures."""
COMMAND = re.compile(r"^    (?:\S+ )?(?:python|puretls|pytest|go|time) |`(?:time )?(?:python|puretls|pytest) [^`]+`", re.M)
SET_BY_THE_CODE = {
    "qt.md": "every 5 ms",
    "playground.md": "1,000 ms after the click",
    "compare.md": "[86 %](inspect.md#how-much-has-a-name)",
}
"""By page: what looks like a figure and was chosen, or leads to the place that has the command."""


def sections(page):
    """The text of each section, without programs and what they print."""
    return re.split(r"^#+ ", re.sub(r"^```.*?^```$", shown, page, flags=re.M | re.S), flags=re.M)


def shown(block):
    """Commands of a block stay, as an indented one would show them; programs and what was printed go."""
    lines = block.group().splitlines()
    return "".join(f"    {line}\n" for line in lines[1:-1]) if lines[0] in {"```sh", "```shell", "```"} else ""


def without_command(page, name=""):
    """The first figure of each section in which no command stands that would measure it."""
    for section in sections(page.replace(SET_BY_THE_CODE.get(name, "\0"), "")):
        found = MEASURED.search(section)
        if found and not COMMAND.search(section):
            yield found.group()


def test_measured_figures_stand_beside_a_command(root):
    alone = {str(page.relative_to(root)): list(without_command(page.read_text(), page.name)) for page in pages(root)}
    assert {page: figures for page, figures in alone.items() if figures} == {}


@pytest.mark.parametrize(
    ("page", "figures"),
    [
        ("# A\nIt takes 3 ms.\n", ["3 ms"]),
        ("# A\nIt takes 3 ms (`python tools/bench.py x`).\n", []),
        ("# A\n```sh\npuretls flip\n```\nIt takes 3 ms.\n", []),
        ("# A\n    python x.py\n\n99 % of them.\n## B\nand half of a second.\n", ["half of a second"]),
        ("# A\n```python\nsleep(3)  # 3 ms\n```\n", []),
        ("# A\nRecords of 16 KiB.\n", []),
    ],
)
def test_figure_without_a_command_is_noticed(page, figures):
    assert list(without_command(page)) == figures
