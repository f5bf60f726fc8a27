"""Paths: one language for what the byte map prints, what an error names, and what a patch takes.

The grammar, in the notation of RFC 5234:

path    = [ side "." ] thing *( "." field )
side    = "client" | "server"                   who sent it; errors and the spans of one message leave it out
thing   = Message [ "#" n ] | "record[" i "]"   the n-th of that name from that side, from 1 (absent: the first); records count from 0
Message = ClientHello, ServerKeyExchange, Alert ... the general name, whatever the key exchange
field   = the RFC's name in snake_case, with "[" i "]" for each list; inside a certificate the names of RFC 5280
"""

from __future__ import annotations

import re

from puretls.errors import UsageError
from puretls.nearest import enclosing
from puretls.values import frozen

__all__ = ["GRAMMAR", "RECORD", "Path", "enclosing", "parse_path"]

RECORD = "record"
_INDEX = r"\[(?:0|[1-9][0-9]*)\]"
GRAMMAR = (
    rf"(?:(?P<side>client|server)\.)?(?:(?P<message>[A-Z][A-Za-z0-9]*)(?:#(?P<nth>[1-9][0-9]*))?|record\[(?P<record>0|[1-9][0-9]*)\])"
    rf"(?P<fields>(?:\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?:{_INDEX})*)*)"
)
"""As a regular expression; compiled when the first path is taken apart."""


@frozen
class Path:
    """A path taken apart; `str` puts it together again.

    `thing` is the name of a message, or "record"; `number` is which of them: messages count from 1, records from 0.
    """

    thing: str
    number: int = 1
    fields: tuple[str, ...] = ()
    """With their indices: ("extensions[3]", "server_name")."""
    side: str = ""

    def __str__(self) -> str:
        which = f"[{self.number}]" if self.thing == RECORD else f"#{self.number}" if self.number != 1 else ""
        return ".".join((*([self.side] if self.side else []), self.thing + which, *self.fields))


def parse_path(text: str) -> Path:
    """A path of the grammar above. Raises `UsageError` for anything else."""
    found = re.fullmatch(GRAMMAR, text)
    if found is None:
        raise UsageError(f"{text!r} is no path: write for example client.ClientHello#2.extensions[3].server_name or record[0].length")
    fields = tuple(found["fields"].split(".")[1:])
    if found["record"] is not None:
        return Path(RECORD, int(found["record"]), fields, found["side"] or "")
    return Path(found["message"], int(found["nth"] or 1), fields, found["side"] or "")
