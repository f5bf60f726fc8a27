"""The pictures of README and manual show what the commands print."""

import html
import importlib.util
import re
import warnings

import pytest


@pytest.fixture(scope="module")
def pictures(request):
    pytest.importorskip("rich")
    spec = importlib.util.spec_from_file_location("pictures", request.config.rootpath / "tools" / "pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(svg):
    """What can be read in a drawing, whatever version of rich has drawn it."""
    return html.unescape(" ".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg))).replace("\xa0", " ").split()


@pytest.mark.parametrize("name", ["ladder.svg", "bytes.svg"])
def test_terminals_show_what_the_command_prints(pictures, name):
    with warnings.catch_warnings(action="ignore"):
        drawn = pictures.DRAWINGS[name]()
    assert len(words(drawn)) > 100
    assert words((pictures.FOLDER / name).read_text()) == words(drawn), f"run tools/pictures.py {name}"


def test_pictures_are_small_and_fetch_nothing(pictures):
    made = sorted(pictures.FOLDER.iterdir())
    assert {path.name for path in made} >= {*pictures.DRAWINGS, *pictures.SHOTS}
    for path in made:
        assert path.stat().st_size < 200_000, path.name
        if path.suffix == ".svg":
            assert re.findall(r"(?:href|src|url)\W*https?:", path.read_text()) == [], path.name
