"""Pages of the manual as lines of text for a terminal."""

from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.cli import markdown
from puretls.inspect.render.palette import COLOURED, PLAIN

PAGE = """# A title

Some *words*, **strong** ones, `code` and [a link](elsewhere.md#there), which
go on in the next line: 2 * 3 * 4.

- first item, which is long enough that it does not fit into one line of forty columns
- second
  goes on
1. numbered

> What somebody
> said.

| a | b |
|---|---|

```python
def f():

    return "*kept*"
```
After the fence.
"""
SHOWN = """\
A title

Some words, strong ones, code and a
link, which go on in the next line: 2 *
3 * 4.

  - first item, which is long enough
    that it does not fit into one line
    of forty columns
  - second goes on
  1. numbered

  > What somebody said.

| a | b |
|---|---|

    def f():

        return "*kept*"

After the fence.
"""


def test_a_page_is_shown_in_lines_of_the_width():
    assert list(markdown.lines(PAGE, 40, PLAIN)) == [*SHOWN.splitlines(), ""]


def test_headings_are_painted():
    assert next(markdown.lines("## Below", 40, COLOURED)) == "\x1b[1mBelow\x1b[0m"


@settings(max_examples=60)
@given(st.text(alphabet="#*`>|[]()-1. \n\tab", max_size=200), st.integers(20, 120))
def test_any_text_gives_lines(text, width):
    assert not any("\n" in line for line in markdown.lines(text, width, PLAIN))


@settings(max_examples=40)
@given(st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=12), min_size=1, max_size=60), st.integers(30, 120))
def test_prose_keeps_its_words_and_the_width(words, width):
    shown = list(markdown.lines(" ".join(words), width, PLAIN))
    assert " ".join(shown).split() == words
    assert max(map(len, shown)) <= width
