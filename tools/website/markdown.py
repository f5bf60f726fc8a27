"""Markdown to HTML: headings with anchors as repositories show them, highlighted code, links that stay within the site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_OUTPUT = frozenset({"mermaid", "text", "console"})
"""Languages of code blocks that hold figures and what programs print: nobody searches there."""
_ENDS = re.compile(r"</(?:p|li|td|th|tr|thead|tbody)>")
"""Ends that HTML lets one leave out (HTML Living Standard 13.1.2.4), a thirtieth of a page."""
_REMARK = re.compile(r"^<!--.*-->$", re.M)
"""A line for who writes the page, such as the marks between which a tool puts what it measured."""
_OPTION = re.compile(r"-\S{1,30}")
"""Code that no line may break at its hyphens."""
Link = Callable[[str], str]
"""Gives the address within the site for a link of the source, or the link itself."""


@dataclass(frozen=True)
class Section:
    """A part of a page: what a search finds, and where. The first has the page's title and no anchor."""

    anchor: str
    title: str
    level: int
    text: str


@dataclass(frozen=True)
class Rendered:
    """A page's HTML, and its sections in order."""

    html: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        return self.sections[0].title


class Anchors:
    """The anchors of a page as they are made where repositories show Markdown: lower case, no punctuation, hyphens, numbered when taken."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def make(self, title: str) -> str:
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        count = self._taken.get(slug, 0)
        self._taken[slug] = count + 1
        return f"{slug}-{count}" if count else slug


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def anchors(source: str) -> list[str]:
    """The anchors of a page's headings."""
    return [anchor for _, anchor in _headings(parser().parse(source))]


def links(source: str) -> Iterator[tuple[int, str]]:
    """Line and target of each link and each picture of a page; code is none."""
    line = 0
    for token in parser().parse(source):
        line = token.map[0] + 1 if token.map else line
        for child in token.children or ():
            target = (
                child.attrGet("href") if child.type == "link_open" else child.attrGet("src") if child.type == "image" else None
            )
            if target is not None:
                yield line, str(target)


def render(source: str, link: Link, drawings: dict[str, Callable[[str], str]] | None = None) -> Rendered:
    """A page. `drawings` turns the content of code blocks in these languages into HTML."""
    markdown = parser()
    tokens = markdown.parse(_REMARK.sub("", source))
    for heading, anchor in _headings(tokens):
        heading.attrSet("id", anchor)
    for token in tokens:
        for child in token.children or ():
            for kind, attribute in (("link_open", "href"), ("image", "src")):
                if child.type == kind:
                    child.attrSet(attribute, link(str(child.attrGet(attribute))))
    environment = {"link": link, "drawings": drawings or {}}
    for name, rule in _RULES.items():
        markdown.add_render_rule(name, rule)
    html = _ENDS.sub("", markdown.renderer.render(tokens, markdown.options, environment))
    return Rendered(html, tuple(_sections(tokens)))


def inline(source: str, link: Link) -> str:
    """A piece of text with marks, such as a docstring, without headings."""
    return render(source, link).html


def _headings(tokens: Sequence[Token]) -> list[tuple[Token, str]]:
    made = Anchors()
    return [
        (token, made.make(_plain(tokens[index + 1].children or ())))
        for index, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(" " if token.type in {"softbreak", "hardbreak"} else token.content for token in tokens)


def _sections(tokens: Sequence[Token]) -> Iterator[Section]:
    anchor, title, level, text = "", "", 1, list[str]()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            if title:
                yield Section(anchor, title, level, " ".join(text))
            level, text = int(token.tag[1]), []
            anchor = str(token.attrGet("id")) if title else ""
            title = _plain(tokens[index + 1].children or ())
        elif token.type == "inline" and tokens[index - 1].type != "heading_open":
            text.append(_plain(token.children or ()))
        elif token.type == "fence" and token.info.strip() not in _OUTPUT:
            text.append(" ".join(dict.fromkeys(re.findall(r"[^\W\d][\w.-]*", token.content))))
    yield Section(anchor, title, level, " ".join(text))


# Rules of the renderer: a method of markdown-it's renderer each


def _code_inline(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    text = tokens[index].content
    target = None if _within_link(tokens, index) else env["link"](f"`{text}`")
    code = f"<code{' class=option' if _OPTION.fullmatch(text) else ''}>{escape(text)}</code>"
    return code if target in {None, f"`{text}`"} else f'<a href="{escape(str(target))}">{code}</a>'


def _within_link(tokens: Sequence[Token], index: int) -> bool:
    before = [token.type for token in tokens[:index]]
    return before.count("link_open") > before.count("link_close")


def _fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: dict[str, Any]) -> str:
    language, content = tokens[index].info.strip().partition(" ")[0], tokens[index].content
    if language in env["drawings"]:
        return str(env["drawings"][language](content))
    return f"<pre><code>{highlighted(content, language)}</code></pre>\n"


def highlighted(content: str, language: str) -> str:
    """Code with a span around each token of a known language."""
    try:
        lexer = get_lexer_by_name(
            {"sh": "bash", "shell": "bash", "console": "text"}.get(language, language or "text"), stripnl=False
        )
    except ClassNotFound:
        return escape(content)
    return _fewer_spans(str(highlight(content, lexer, HtmlFormatter(nowrap=True))))


_KEPT = {"k": "k", "s": "s", "c": "c", "m": "m"}
"""Classes that the style sheet has, by the first letter of Pygments' own: keywords, strings, comments, numbers."""


def _fewer_spans(html: str) -> str:
    """Only what has a colour of its own: less than half of the bytes."""

    def one(found: re.Match[str]) -> str:
        kept = _KEPT.get(found[1][0])
        return f"<span class={kept}>{found[2]}</span>" if kept else found[2]

    return re.sub(r'<span class="(\w+)">([^<]*)</span>', one, html)


def _table_open(self: RendererHTML, *_: Any) -> str:
    return '<div class="wide"><table>\n'


def _table_close(self: RendererHTML, *_: Any) -> str:
    return "</table></div>\n"


_RULES: dict[str, Callable[..., str]] = {
    "code_inline": _code_inline,
    "fence": _fence,
    "code_block": _fence,
    "table_open": _table_open,
    "table_close": _table_close,
}
