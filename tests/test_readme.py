"""What the README promises: its commands are those that are run by `.ci/run`, its links lead somewhere."""

import re


def test_test_command_is_the_one_that_ci_runs(root):
    readme = (root / "README.md").read_text()
    command = next(line for line in re.findall(r"```sh\n(.*?)\n```", readme, re.S) if line.endswith("-m pytest"))
    assert f"    {command}\n" in (root / ".ci" / "run").read_text()


def test_links_lead_to_files(root):
    for link in re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text()):
        assert link.startswith("http") or (root / link).exists(), link


FIGURE = re.compile(r"\d[\d.,]*\s?(?:%|[kMG]?B/s|ms\b|µs|seconds|times\b)")


def test_figures_stand_in_the_table_that_a_command_writes(root):
    """Between the markers, whose lines tools/readme_table.py writes; the text in front of them names the commands."""
    readme = (root / "README.md").read_text()
    before, table, after = re.split("<!-- measured -->|<!-- end of what was measured -->", readme)
    assert len(FIGURE.findall(table)) > 20
    assert FIGURE.findall(before + after) == []
    assert "tools/bench.py all" in before
