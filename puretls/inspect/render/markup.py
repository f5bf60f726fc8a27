"""HTML from values: one function makes elements, and nothing reaches a page unescaped except what it made.

A page shows names that a peer chose. Text is escaped here and nowhere else, so it cannot be forgotten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any

from puretls.text import printable


class Html(str):
    """Markup that is safe to put into a page as it is."""

    __slots__ = ()


Child = str | int | None | Iterable[Any]
_VOID = frozenset({"meta", "br", "input"})
"""Elements of HTML that have no end."""
_EMPTY = frozenset({"path", "rect"})
"""Elements of SVG without content."""
_SECTION = re.compile(r"^RFC (\d+)(?: (?:(\d+(?:\.\d+)*)|([A-Z](?:\.\d+)*)))?$")


def text(value: str) -> Html:
    """Text of anybody, escaped: for markup, and for characters that show nothing or turn the direction of writing."""
    return value if isinstance(value, Html) else Html(escape(printable(value)))


def children(*parts: Child) -> Html:
    """Parts one after the other: text is escaped, markup is not; None is nothing."""
    return Html("".join(_child(part) for part in parts))


def _child(part: Child) -> str:
    if part is None:
        return ""
    if isinstance(part, str):
        return text(part)
    return str(part) if isinstance(part, int) else children(*part)


def element(name: str, /, *content: Child, **attributes: str | int | bool | None) -> Html:
    """`<name attribute="...">content</name>`.

    Attributes that are None or False are left out, those that are True stand without a value. `class_` is "class", "_" within a name "-".
    """
    made = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None and value is not False)
    if name in _VOID or name in _EMPTY:
        return Html(f"<{name}{made}{'/' if name in _EMPTY else ''}>")
    return Html(f"<{name}{made}>{children(*content)}</{name}>")


def _attribute(key: str, value: str | int | bool | None) -> str:
    key = key.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(printable(str(value)))}"'


def json_text(value: Any) -> Html:
    """JSON that can stand in a script element: no `<`, whatever is in it."""
    made = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Html(made.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def sections(rfc: str) -> Html:
    """Sections of RFCs ("RFC 5246 7.4.1.2; X.690 8.1.2"), those of RFCs as links."""
    return Html("; ".join(_section(part) for part in rfc.split("; ") if part))


def _section(name: str) -> Html:
    address = section_address(name)
    return element("a", name, href=address, rel="noreferrer", class_="rfc") if address else text(name)


def section_address(name: str) -> str:
    """Where a section of an RFC can be read; "" for other documents. Nothing is loaded from there unless somebody follows the link."""
    found = _SECTION.match(name)
    if found is None:
        return ""
    number, section, appendix = found.groups()
    anchor = f"#section-{section}" if section else f"#appendix-{appendix}" if appendix else ""
    return f"https://www.rfc-editor.org/rfc/rfc{number}{anchor}"
