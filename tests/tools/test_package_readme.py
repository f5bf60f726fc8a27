"""What an index of packages shows of the README: nothing in it leads nowhere."""

import re

import pytest

pytest.importorskip("hatchling", reason="the hook is one of hatchling, which builds the package")

from tools import package_readme


def test_nothing_is_relative_and_all_else_stays(root):
    readme = (root / "README.md").read_text()
    made = package_readme.of_package(readme)
    assert package_readme.WHERE in made
    assert re.findall(r"\]\((?!https?:)", made) == []
    assert package_readme.RELATIVE.search(readme)  # as it has links to the manual
    code = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    assert code.findall(made) == code.findall(readme)

    def words(text):
        return re.findall(r"[A-Za-z]{4,}", re.sub(r"\]\([^()]*\)", "]", text))

    assert set(words(readme)) - set(words(made)) == set()


def test_links_that_lead_somewhere_stay_and_code_is_no_link():
    made = package_readme.of_package("# x\n\nA [page](manual/a.md#b), [over\nlines](c.md), [there](https://example.org/x).\n\n```py\na[1](b)\n```\n![what it shows](d.svg)\n")
    assert "A page, over\nlines, [there](https://example.org/x)." in made
    assert "a[1](b)" in made
    assert "*(Picture: what it shows.)*" in made
