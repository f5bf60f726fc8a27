"""Conversations and what is in them as pieces of HTML, for notebooks: the `_repr_html_` of their classes.

Each is less than 200 kB, whatever it shows, and says what it leaves out. No bytes of a secret are shown: `Node.value` is the way to those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch
from itertools import islice
from typing import NamedTuple

from puretls.inspect import texts
from puretls.inspect.compare import Comparison, compared
from puretls.inspect.conversation import Conversation
from puretls.inspect.deeper import opaque_spans, spans_of
from puretls.inspect.ledger import Ledger
from puretls.inspect.render import keys
from puretls.inspect.render.ladder import message_label
from puretls.inspect.render.markup import Child, Html, children, element, sections
from puretls.inspect.render.words import value_text
from puretls.inspect.seen import MessageSeen, RecordSeen
from puretls.record.framing import HEADER_LENGTH
from puretls.spans import Span
from puretls.text import counted
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.text import certificate_text

MOST_ROWS, MOST_BYTES = 500, 4096
"""Rows of a table, and bytes of a dump, that are shown."""
_MONO = "font-family: ui-monospace, monospace; font-size: 0.9em; overflow-wrap: anywhere"
_TABLE = f"{_MONO}; text-align: left"
_SHADES = ("rgba(128, 128, 128, 0.12)", "rgba(128, 128, 128, 0.28)")
"""Behind the bytes of fields by turns: they can be told apart on paper of any colour."""


class _Part(NamedTuple):
    """Bytes with a name, and what they mean."""

    name: str
    data: bytes
    value: str
    rfc: str = ""


@singledispatch
def html(value: object) -> str:
    """The view of a value; raises `TypeError` for one that has none."""
    raise TypeError(f"there is no view of {type(value).__name__}")


@html.register
def _conversation(seen: Conversation) -> str:
    head = ("", "message", "bytes", "client", "server")
    rows = (
        (
            "→" if each.side == "client" else "←",
            message_label(each),
            len(each.raw),
            _names(each.states_after.client),
            _names(each.states_after.server),
        )
        for each in seen.messages
    )
    suite = f", {seen.suite.name}" if seen.suite else ""
    sizes = f"{seen.client.length:,} bytes from the client, {seen.server.length:,} from the server{suite}"
    return _box(
        seen.name or "TLS conversation", element("p", f"{seen.outcome}. {sizes}."), _table(head, rows, len(seen.messages))
    )


@html.register
def _record(seen: RecordSeen) -> str:
    told = [f"{seen.name}, {counted(len(seen.raw), 'byte')} from offset {seen.start} on"]
    told += [f"under {seen.key}" if seen.key else "in the clear"]
    told += [str(seen.problem)] if seen.problem else []
    return _box(seen.path, element("p", f"{'; '.join(told)}."), *_parts(list(_pieces(seen))))


def _pieces(seen: RecordSeen) -> Iterator[_Part]:
    """The header, and the parts of the fragment as far as they are there."""
    at, sizes = 0, [("type", 1), ("version", 2), ("length", HEADER_LENGTH - 3), *seen.parts]
    for name, size in sizes:
        text = texts.explain_path(f"{seen.path}.{name}")
        if seen.raw[at : at + size]:
            yield _Part(name, seen.raw[at : at + size], text.meaning if text else "", text.rfc if text else "")
        at += size
    if seen.raw[at:]:
        yield _Part("", seen.raw[at:], "no part of the record is known here")


@html.register
def _message(seen: MessageSeen) -> str:
    text = texts.explain_path(seen.path)
    spans = (opaque_spans(seen.raw, seen.name) if seen.opaque else None) or spans_of(
        seen.content_type, seen.raw, seen.key_exchange
    )
    words = element("p", text.meaning, " ", text.why, " ", sections(text.rfc)) if text else None
    states = element("p", f"From {seen.states_before} to {seen.states_after}.")
    problem = element("p", element("b", str(seen.problem))) if seen.problem else None
    return _box(seen.path, words, states, problem, *_parts(_of_spans(seen.raw, spans, seen.name)))


@html.register
def _certificate(certificate: Certificate) -> str:
    words = element("pre", Html("\n").join(map(children, certificate_text(certificate).splitlines())))
    bytes_ = element(
        "details", element("summary", "Byte by byte"), *_parts(_of_spans(certificate.raw, certificate.spans(), "Certificate"))
    )
    return _box(f"Certificate of {certificate.subject}", Html(words), bytes_)


@html.register
def _ledger(ledger: Ledger) -> str:
    rows = (
        (element("b", node.name), keys.formula(node), keys.value(node, secrets=False, most=64), node.rfc) for node in ledger.nodes
    )
    return _box(f"Key ledger: {counted(len(ledger), 'value')}", _table(("name", "made of", "value", "source"), rows, len(ledger)))


@html.register
def _comparison(both: Comparison) -> str:
    lines = compared(both.before, both.after, both.number)
    shown = Html("\n").join(children(line) for line in lines[:MOST_ROWS])
    return _box("Two runs", element("pre", Html(shown)), _left(len(lines) - MOST_ROWS, "line"))


# Pieces


def _box(title: str, *content: Child) -> str:
    return str(element("div", element("h4", title), *content, class_="puretls"))


def _names(states: Iterable[str]) -> str:
    return " or ".join(states)


def _of_spans(data: bytes, spans: Iterable[Span], above: str) -> list[_Part]:
    return [
        _Part(span.path.removeprefix(above).removeprefix("."), data[span.start : span.end], value_text(span.value), span.note)
        for span in spans
    ]


def _parts(parts: list[_Part]) -> Iterator[Html | None]:
    """The bytes one after the other, and a table of them."""
    shown, size = [], 0
    for number, part in enumerate(parts[:MOST_ROWS]):
        data = part.data[: max(0, MOST_BYTES - size)]
        size += len(data)
        if data:
            shown.append(
                element("span", data.hex(" "), title=f"{part.name}: {part.value}", style=f"background: {_SHADES[number % 2]}")
            )
    yield element("p", *(children(each, " ") for each in shown), style=_MONO)
    yield _left(sum(len(part.data) for part in parts) - size, "byte")
    rows = ((part.name, _first(part.data), part.value, part.rfc) for part in parts if part.data)
    yield _table(("field", "bytes", "value", "source"), rows, len(parts))


def _first(data: bytes, most: int = 16) -> str:
    return data[:most].hex(" ") + (f" ... {counted(len(data), 'byte')}" if len(data) > most else "")


def _table(head: Iterable[str], rows: Iterable[Iterable[Child]], count: int) -> Html:
    body = [element("tr", *(element("td", cell) for cell in row)) for row in islice(rows, MOST_ROWS)]
    titles = element("tr", *(element("th", name, scope="col") for name in head))
    return children(
        element("table", element("thead", titles), element("tbody", *body), style=_TABLE), _left(count - MOST_ROWS, "row")
    )


def _left(count: int, what: str) -> Html | None:
    return element("p", f"{counted(count, f'more {what}')}, not shown here.") if count > 0 else None
