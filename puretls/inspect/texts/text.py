"""What an explanation is, and the files that explanations are read from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from puretls.values import frozen


@frozen
class Text:
    """An explanation. Each part is one or a few plain sentences.

    `meaning`: what it is. `why`: why it is there, or what follows from it. `rfc`: where it is specified, as "RFC 5246 7.4.1.2"; several
    are separated by "; ". `mend`: what to try where it tells of something that went wrong. `kind` and `name` say what it is about
    ("alert", "handshake_failure"); `facts` are further lines of a label and a value, such as the messages that it stands in.
    """

    meaning: str
    why: str = ""
    rfc: str = ""
    mend: str = ""
    kind: str = ""
    name: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """Kind and name in one line."""
        return f"{self.kind} {self.name}".strip()

    def about(self, kind: str, name: str, *facts: tuple[str, str]) -> Text:
        """The same explanation, as that of this thing. Facts without a value are left out."""
        return replace(self, kind=kind, name=name, facts=self.facts + tuple(fact for fact in facts if fact[1]))


@cache
def table(name: str) -> Mapping[str, Any]:
    """A file of explanations."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def entry(row: Mapping[str, Any]) -> Text:
    """One explanation of a file."""
    return Text(row.get("what", ""), row.get("why", ""), row.get("rfc", ""), row.get("mend", ""))


def by_pattern(rows: Mapping[str, Any], name: str) -> Text | None:
    """The first row whose name fits, where `*` stands for any letters."""
    return next((entry(row) for pattern, row in rows.items() if fnmatchcase(name, pattern)), None)


def sources(*texts: Text) -> str:
    """The sections that these name, each once."""
    return "; ".join(dict.fromkeys(part for text in texts for part in text.rfc.split("; ") if part))
