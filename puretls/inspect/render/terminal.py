"""A conversation as lines of text: what was agreed on, the ladder, the states, what went wrong; its bytes; one byte in full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from puretls.inspect.bytemap import VIEWS, WIRE
from puretls.inspect.deeper import spans_of
from puretls.inspect.forensics import Finding, examine
from puretls.inspect.render.hexdump import Columns, Field, hexdump, of_leaves
from puretls.inspect.render.ladder import ladder, rungs, state_path, states_text
from puretls.inspect.render.palette import PLAIN, Palette
from puretls.inspect.render.words import paragraph, value_text
from puretls.inspect.streams import SIDES
from puretls.text import counted, printable

if TYPE_CHECKING:
    from puretls.inspect.bytemap import Leaf
    from puretls.inspect.conversation import Conversation

_LABEL = 14
_THING = re.compile(r"(?:client|server)\.(?:record\[\d+\]|[A-Z]\w*(?:#\d+)?)")
_AGREED = (
    ("server name", "client", "ClientHello", r"\.server_name\.names\[0\]\.name$"),
    ("protocol", "server", "ServerHello", r"\.application_layer_protocol_negotiation\.names\[0\]$"),
    ("group", "server", "ServerKeyExchange", r"\.named_curve$"),
    ("signature", "server", "ServerKeyExchange", r"\.signed\.algorithm$"),
)
"""Label, and where the value stands: side, message, end of its path."""


# The whole


def overview(
    conversation: Conversation, width: int = 80, palette: Palette = PLAIN, *, findings: Sequence[Finding] | None = None
) -> list[str]:
    """What there is to know before one looks at bytes. `findings` are what went wrong, where somebody has examined it already."""
    title = f"{conversation.addresses[0]} to {conversation.addresses[1]}" + (
        f" ({conversation.name})" if conversation.name else ""
    )
    lines = [palette.paint("title", line) for line in paragraph(printable(title), width)]
    for label, value in facts(conversation):
        lines += paragraph(printable(value), width, f"{label}:", _LABEL)
    lines += ["", *ladder(rungs(conversation), width, palette)]
    lines += ["", *(line for side in SIDES for line in _path_lines(conversation, side, width, palette))]
    for finding in examine(conversation) if findings is None else findings:
        lines += ["", *_finding_lines(finding, width, palette)]
    return lines


def facts(conversation: Conversation) -> Iterator[tuple[str, str]]:
    """Labels and what was agreed on, as far as it can be seen."""
    from puretls.inspect.decoder import version_name

    if conversation.began is not None:
        yield "began", datetime.fromtimestamp(conversation.began / 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    if conversation.version is not None:
        yield "version", version_name(conversation.version)
    if (suite := conversation.suite) is not None:
        yield "suite", f"{suite.name} ({suite.openssl_name})"
    for label, side, name, end in _AGREED:
        if value := _agreed(conversation, side, name, end):
            yield label, value
    for handshake in conversation.handshakes:
        if handshake.server_hello is not None:
            yield "handshake", ", ".join(filter(None, (
                "abbreviated, session resumed" if handshake.resumed else "full",
                "extended master secret" if handshake.extended_master_secret else "",
                "encrypt_then_mac" if handshake.encrypt_then_mac else "",
            )))  # fmt: skip
            yield "secrets", handshake.told
    for side in SIDES:
        yield side, ", ".join(_amounts(conversation, side))
    yield "outcome", conversation.outcome.sentence


def _agreed(conversation: Conversation, side: str, name: str, end: str) -> str:
    for seen in conversation.messages:
        if (seen.side, seen.name) == (side, name) and seen.message is not None:
            spans = spans_of(seen.content_type, seen.raw, seen.key_exchange)
            values = [span.value for span in spans if re.search(end, span.path) and span.start < span.end]
            return value_text(values[0]) if values else ""
    return ""


def _amounts(conversation: Conversation, side: str) -> Iterator[str]:
    """How much a side sent, and what is missing of it."""
    records = [record for record in conversation.records if record.side == side]
    yield f"{counted(conversation.stream(side).length, 'byte')} in {counted(len(records), 'record')}"
    data = len(conversation.data(side))
    if data:
        yield f"{counted(data, 'byte')} of application data"
    closed = sum(record.plaintext is None for record in records)
    if closed:
        yield f"{counted(closed, 'record')} could not be opened"
    for gap in conversation.gaps(side):
        yield f"{counted(gap.length, 'byte') if gap.length else 'bytes'} from {gap.offset} on: {gap.why}"


def _path_lines(conversation: Conversation, side: str, width: int, palette: Palette) -> list[str]:
    path = f" {palette.marks.leads_to} ".join(states_text(states) for states, _ in state_path(conversation, side))
    return [palette.paint("state", line) for line in paragraph(path or "nothing seen", width, f"{side}:", 8)]


def _finding_lines(finding: Finding, width: int, palette: Palette) -> list[str]:
    lines = []
    for label, text in finding.lines():
        role = "fault" if label == "what" else "field"
        lines += [palette.paint(role, line) for line in paragraph(printable(text), width, f"{label}:", _LABEL)]
    return lines


# Its bytes


def dump(
    conversation: Conversation, leaves: Iterable[Leaf], width: int = 80, palette: Palette = PLAIN, *, meanings: bool = False
) -> Iterator[str]:
    """The annotated hexdump of leaves. Each record or message has a heading; below it, paths are told from there on."""
    shown = list(leaves)
    fields = of_leaves(shown, conversation.byte_map, meanings=meanings)
    columns = Columns.of(fields, width)
    pairs = zip(shown, fields, strict=True)
    for number, ((thing, view), group) in enumerate(groupby(pairs, key=lambda pair: (_thing(pair[0]), pair[0].view))):
        members = list(group)
        if number:
            yield ""
        for line in paragraph(printable(_heading(thing, [leaf for leaf, _ in members], view)), width, indent=2):
            yield palette.paint("title", line)
        yield from hexdump([_below(field, thing) for _, field in members], width, palette, columns)


def _thing(leaf: Leaf) -> str:
    found = _THING.match(leaf.path)
    return found[0] if found else leaf.path


def _below(field: Field, thing: str) -> Field:
    return replace(field, path=field.path[len(thing) :].lstrip(".") or thing)


def _heading(thing: str, leaves: Sequence[Leaf], view: str) -> str:
    keys = " and ".join(dict.fromkeys(leaf.key for leaf in leaves if leaf.key))
    told = (thing, "" if view == WIRE else "decrypted", f"protected by {keys}" if keys else "", _moved(leaves[0]))
    return ", ".join(filter(None, told))


def _moved(leaf: Leaf) -> str:
    """How the message moves both ends; nothing of a record, whose messages tell."""
    if not leaf.message:
        return ""
    parts = []
    for side in SIDES:
        before, after = (states_text(getattr(at, side)) for at in (leaf.states_before, leaf.states_after))
        parts += [f"{side} {before} to {after}"] if before != after else []
    return ", ".join(parts)


# One byte


def card(conversation: Conversation, leaf: Leaf, offset: int, width: int = 80, palette: Palette = PLAIN) -> list[str]:
    """All there is to say of one byte."""
    title = f"byte {offset} of what the {leaf.side} sends" + ("" if leaf.view == WIRE else ", decrypted")
    lines = [palette.paint("title", line) for line in paragraph(title, width)]
    for label, text in _card(conversation, leaf, offset):
        lines += paragraph(printable(text), width, f"{label}:", _LABEL) if text else []
    return lines


def _card(conversation: Conversation, leaf: Leaf, offset: int) -> Iterator[tuple[str, str]]:
    byte = conversation.byte_map.bytes_of(leaf)[offset - leaf.start]
    yield "path", leaf.path
    place = f"byte {offset - leaf.start} of {leaf.length}, bytes {leaf.start} to {leaf.end - 1}" if leaf.length > 1 else ""
    yield "byte", f"{byte:02x}" + (f", {place}" if place else "")
    yield "value", value_text(leaf.value) if not leaf.fault else ""
    yield "note", leaf.note
    yield "meaning", leaf.meaning
    yield "why", leaf.why
    yield "source", leaf.rfc
    if leaf.message:
        yield "message", leaf.message
    if leaf.record is not None:
        yield "record", f"{leaf.side}.record[{leaf.record}]"
    yield "before", str(leaf.states_before)
    yield "after", str(leaf.states_after)
    yield "key", leaf.key or "none: this travels in the clear"
    yield "linked", _linked(conversation, leaf, offset)
    for node in conversation.ledger.of(leaf):
        inputs = ", ".join(node.inputs)
        yield (
            "ledger",
            f"{node.name} = {node.formula}({inputs}): {node.meaning} [{node.rfc}]" if inputs else f"{node.name}: {node.meaning}",
        )


def _linked(conversation: Conversation, leaf: Leaf, offset: int) -> str:
    """Where the byte is in the other view, and what it is there."""
    place = conversation.byte_map.linked(leaf.side, offset, leaf.view)
    if place is None:
        return ""
    view = next(name for name in VIEWS if name != leaf.view)
    there = conversation.byte_map.at(leaf.side, place[0], view)
    where = f"byte {place[0]}" if place[1] - place[0] == 1 else f"bytes {place[0]} to {place[1] - 1}"
    return f"{where} of the {view} view" + (f": {there.path}" if there is not None and there.path != leaf.path else "")
