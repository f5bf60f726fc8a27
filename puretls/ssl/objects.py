"""OpenSSL's numbers and names of object identifiers, as `_ssl.txt2obj` and `_ssl.nid2obj` give them.

The table is read with the first question, and costs some milliseconds.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class Known(NamedTuple):
    """An object that OpenSSL knows: its number, its short and its long name, and its identifier in dotted text where it has one."""

    nid: int
    short_name: str
    long_name: str
    oid: str | None


UNKNOWN = "Unknown object"
_MAX_NID = 2**31 - 1
_OID = re.compile(r"(?:[01]\.[0-3]?[0-9]|2\.[0-9]+)(?:\.[0-9]+)*\Z")


def txt2obj(txt: str, name: bool = False) -> Known:
    """The object with the identifier `txt` ("2.5.4.3"), or, where `name` is true, with that identifier, short name or long name.

    Raises `ValueError` for none, in CPython's words.
    """
    if not isinstance(txt, str):
        raise TypeError(f"txt2obj() argument 'txt' must be str, not {type(txt).__name__}")
    if "\0" in txt:
        raise ValueError("embedded null character")
    found = by_name().get(txt) if name else None
    if found is not None:
        return found
    if not _OID.match(txt):
        raise ValueError(f"unknown object '{txt:.100}'")
    known = by_oid().get(txt)
    if known is None:
        raise ValueError(UNKNOWN)
    return known


def nid2obj(nid: int, /) -> Known:
    """The object with OpenSSL's number `nid`. Raises `ValueError` for none, in CPython's words."""
    number = nid.__index__() if hasattr(nid, "__index__") else None
    if number is None:
        raise TypeError(f"{type(nid).__name__!r} object cannot be interpreted as an integer")
    if not -_MAX_NID - 1 <= number <= _MAX_NID:
        raise OverflowError("Python int too large to convert to C int")
    if number < 0:
        raise ValueError("NID must be positive.")
    if number == 0:
        raise ValueError(UNKNOWN)  # NID_undef is an object, and one that is not known
    known = _objects().get(number)
    if known is None:
        raise ValueError(f"unknown NID {number}")
    return known


@cache
def _objects() -> dict[int, Known]:
    from puretls.ssl.object_table import OBJECTS

    found = {}
    for line in OBJECTS.splitlines():
        nid, short, long, oid, *_ = [*line.split("\t"), "", ""]
        found[int(nid)] = Known(int(nid), short, short if long in ("=", "") else long, oid or None)
    return found


@cache
def by_oid() -> dict[str, Known]:
    """Objects by their identifier in dotted text."""
    return {known.oid: known for known in _last_to_first() if known.oid}


@cache
def by_name() -> dict[str, Known]:
    """Objects by their names. A short name goes before another's long one."""
    known = _last_to_first()
    return {one.long_name: one for one in known} | {one.short_name: one for one in known}


def _last_to_first() -> list[Known]:
    """Two names and one identifier occur twice: the first object of the table has them."""
    return list(reversed(_objects().values()))
