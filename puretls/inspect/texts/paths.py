"""Explanations by path: of a field in the byte map.

A file's key is a path whose indices are `[*]`, or the end of one behind "*."; "Message" stands for any handshake message. The longest
key that fits counts. A tag, a length and an explicit wrapper are told of together with what they stand in front of.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache

from puretls.inspect.texts.text import Text, entry, sources, table
from puretls.values import frozen

_FILES = ("records", "handshake", "extensions", "x509", "revocation", "keys")
_HEADER = frozenset({"msg_type", "length"})
_IN_FRONT = frozenset({"tag", "length", "explicit"})


@frozen
class _Entry:
    text: Text
    der: bool


@cache
def entries() -> dict[str, _Entry]:
    """Every key of the files about paths; those of DER apart, since they share "*.length" with the vectors of TLS."""
    found = {}
    for name in _FILES:
        rows = dict(table(name))
        der = bool(rows.pop("der", False))
        for key, row in rows.items():
            for each in (key, *row.get("also", ())):
                found[f"der:{each}" if der and each in {"*.length", "*.tag", "*.explicit"} else each] = _Entry(entry(row), der)
    return found


def explain_path(path: str, value: object = None) -> Text | None:
    """What the field at `path` is, and what its `value` means, where that is one of a registry; None for an unknown path.

    The path may have a side and a number ("client.ClientHello#2.random"), or be one of a certificate alone
    ("Certificate.tbs_certificate.validity"). `kind` of the text is "path", `name` the key that was found.
    """
    found = _explained(_general(path))
    if found is None or value is None:
        return found
    more = _of_value(path, value)
    if more is None:
        return found
    return Text(f"{found.meaning} Here {more.meaning}", found.why, sources(found, more), found.mend, found.kind, found.name)


def message(name: str) -> Text | None:
    """A message by the name that paths have for it: "ClientHello"."""
    found = entries().get(name)
    return found.text.about("message", name) if found and re.fullmatch(r"[A-Z][A-Za-z]+", name) else None


def key_of(path: str) -> str:
    """The key of the file that explains this path; "" for an unknown one."""
    return _key(_general(path))


def _general(path: str) -> str:
    """The path without side, number and indices."""
    return re.sub(r"\[\d+\]", "[*]", re.sub(r"^([A-Z]\w*)#\d+", r"\1", re.sub(r"^(client|server)\.", "", path)))


@cache
def _explained(path: str) -> Text | None:
    key = _key(path)
    if not key:
        return None
    text = entries()[key].text
    above, _, last = path.rpartition(".")
    if last in _IN_FRONT and key.rpartition(":")[2] == f"*.{last}" and (what := _explained(above)):
        joint = "The value:" if key.startswith("der:") else "What follows:"
        text = Text(f"{text.meaning} {joint} {what.meaning}", text.why, sources(what, text))
    return text.about("path", key.rpartition(":")[2])


def _key(path: str) -> str:
    """The longest key that fits."""
    known, steps = entries(), path.split(".")
    candidates = [path, *(f"*.{'.'.join(steps[first:])}" for first in range(1, len(steps)))]
    if len(steps) == 2 and steps[1] in _HEADER and steps[0] in known:
        candidates.insert(1, f"Message.{steps[1]}")
    if steps[-1] in _IN_FRONT and len(steps) > 1:
        above = _key(".".join(steps[:-1]))
        candidates[-1] = f"der:*.{steps[-1]}" if above and known[above].der else f"*.{steps[-1]}" if above else ""
    return next((key for key in candidates if key in known), "")


def _of_value(path: str, value: object) -> Text | None:
    """A sentence to follow "Here"."""
    from puretls.inspect.texts import things

    if isinstance(value, IntEnum):
        thing = things.member(value)
        return thing and Text(f"it is {_number(value)}, {thing.name}: {_sentence(thing)}", rfc=thing.rfc)
    if isinstance(value, str) and path.endswith(".tag"):
        row = table("values")["der_tag"].get(re.sub(r"\d+", "*", value) if value[:1] == "[" else value)
        return Text(f"it is {value}: {row['what']}", rfc=row["rfc"]) if row else None
    return None


def _sentence(text: Text) -> str:
    """The meaning, without the thing's own name in front of it."""
    return text.meaning.removeprefix(f"{text.name}: ")


def _number(value: IntEnum) -> str:
    return f"0x{value:04x}" if value > 255 or type(value).__name__ in {"CipherSuiteId", "SignatureScheme"} else str(int(value))
