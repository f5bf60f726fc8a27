"""Tape: what makes a conversation happen again, byte for byte, in any process: configurations by name, seed, clock, schedule, edits.

A tape is a small JSON file (`Tape.load`, `Tape.save`). It may hold what only its owner may know: private keys, pre-shared keys, the seed
that all keys of its conversations follow from, what was said. `Tape.without_secrets` gives one that can be passed on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Self

from puretls.arguments import described
from puretls.config import ClientConfig, ServerConfig
from puretls.errors import DecodeError, UsageError
from puretls.inspect.edit import Edit
from puretls.inspect.named import Json, Side, Source, configuration, read_bytes, standing, without_secrets, write_bytes
from puretls.session import Session
from puretls.text import counted, has_utf8
from puretls.values import frozen

VERSION = 1
MARK = "puretls_tape"
MAX_SIZE = 2**26
"""Bytes of a tape's file."""
END_OF_TIME = 253_402_300_800
"""Seconds from 1970 to the year 10000, for which certificates have no dates (RFC 5280 4.1.2.5)."""
SIDES = ("client", "server")
_KINDS: Mapping[str, Any] = {"name": str, "note": str, "seed": str, "clock": int | float, "client": dict, "server": dict}
"""What the values of a tape are in JSON, besides the lists."""

STEPS: Mapping[str, str] = {
    "start": "the client begins",
    "carry": "bytes are carried both ways until neither end has anything to say",
    "inject": "`data` arrives as if `side` had sent it",
    "deliver": "the next `count` bytes that `side` sent arrive; what follows them waits",
    "send": "the application at `side` sends `data`",
    "close": "the application at `side` closes",
    "abort": "the application at `side` gives up",
    "renegotiate": "the application at `side` asks for a new handshake",
    "end": "the transport from `side` ends: the other one learns that nothing more comes",
    "tick": "`count` seconds pass, for this connection and those after it",
}
"""What a step may be, and what it says."""
_WITHOUT_SIDE = ("start", "carry", "tick")


@frozen
class Step:
    """One thing that happens; `STEPS` tells what `do` may be.

    `sizes` are for "carry": the bytes come in pieces of so many, one after the other and again from the first, in each direction.
    """

    do: str
    side: str = ""
    data: bytes = field(default=b"", repr=False)
    count: int = 0
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.do, str) or self.do not in STEPS:
            raise UsageError(f"no step is called {self.do!r}; there are {', '.join(STEPS)}")
        if self.side not in (("",) if self.do in _WITHOUT_SIDE else SIDES):
            raise UsageError(
                f"the step {self.do!r} {'has no side' if self.do in _WITHOUT_SIDE else 'needs a side: client or server'}"
            )
        if any(type(size) is not int or size < 1 for size in self.sizes) or type(self.count) is not int or self.count < 0:
            what = "seconds: 0 or more" if self.do == "tick" else "bytes: sizes are 1 or more"
            raise UsageError(f"the step {self.do!r} counts {what}")

    def to_json(self) -> Json:
        """As a tape's file has it; what has its usual value is left out."""
        made: dict[str, Json] = {"do": self.do}
        made |= {name: value for name in ("side", "count") if (value := getattr(self, name))}
        made |= {"data": write_bytes(self.data)} if self.data else {}
        return made | ({"sizes": list(self.sizes)} if self.sizes else {})

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Raises `UsageError`."""
        _check_keys(value, ("do", "side", "data", "count", "sizes"), "a step")
        data = read_bytes(value["data"], "data") if "data" in value else b""
        return cls(value.get("do", ""), value.get("side", ""), data, value.get("count", 0), tuple(_list(value, "sizes")))


@frozen
class Script:
    """One connection: the name that the client asks for and verifies, and what happens in order.

    `session` is what the client offers to resume; without one, what its configuration keeps of the connections before.
    """

    steps: tuple[Step, ...]
    server_name: str | None = None
    session: Session | None = field(default=None, repr=False)

    def to_json(self) -> Json:
        """As a tape's file has it; a session holds its secret."""
        session = {} if self.session is None else {"session": write_bytes(self.session.to_bytes())}
        return {"server_name": self.server_name, **session, "steps": [step.to_json() for step in self.steps]}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Raises `UsageError`."""
        _check_keys(value, ("server_name", "session", "steps"), "a connection")
        name = value.get("server_name")
        if not isinstance(name, str | None):
            raise UsageError(f"server_name is text or null, not {described(name)}")
        session = _session(read_bytes(value["session"], "session")) if "session" in value else None
        return cls(tuple(Step.from_json(step) for step in _list(value, "steps")), name, session)


def _session(data: bytes) -> Session:
    try:
        return Session.from_bytes(data)
    except DecodeError as error:
        raise UsageError(f"session: {error}") from None


@frozen
class Tape:
    """Both ends of one or several connections that share their configurations, as a client that resumes needs them.

    `client` and `server` are configurations by name (`named.described_side` writes them). Everything random follows from `seed`. The
    time is `clock` (seconds since 1970), which stands but for steps that say otherwise. `edits` are made on what is sent. `name` and
    `note` are for people: what it is, how it was made.
    """

    client: Side = field(repr=False)
    server: Side = field(repr=False)
    connections: tuple[Script, ...]
    seed: str = field(default="puretls", repr=False)
    clock: float = 0.0
    edits: tuple[Edit, ...] = ()
    name: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.clock < END_OF_TIME:
            raise UsageError(f"clock is seconds since 1970, before the year 10000: not {self.clock}")
        if not has_utf8(self.seed):
            raise UsageError("seed holds half of a surrogate pair, which is no character")

    @property
    def source(self) -> Source:
        """Where everything random, the time and the tape's own certificates come from."""
        return Source(self.seed, self.clock)

    @property
    def numbered(self) -> str:
        """How many connections it has, and how they count, for messages."""
        return f"the tape has {counted(len(self.connections), 'connection')}, numbered from 1"

    def configurations(self, elapsed: Callable[[], float] = standing, **more: Any) -> tuple[ClientConfig, ServerConfig]:
        """Fresh configurations of both ends, for which `elapsed()` seconds have passed; `more` are fields of both that no tape has.

        Raises `UsageError` for what no name stands for.
        """
        source = Source(self.seed, self.clock, elapsed)
        return (
            configuration(ClientConfig, self.client, source, **more),
            configuration(ServerConfig, self.server, source, **more),
        )

    # The file

    def to_json(self) -> Json:
        """The content of its file; it may hold secrets."""
        return {
            MARK: VERSION,
            **({"name": self.name} if self.name else {}),
            **({"note": self.note} if self.note else {}),
            "seed": self.seed,
            "clock": self.clock,
            "client": dict(self.client),
            "server": dict(self.server),
            "connections": [script.to_json() for script in self.connections],
            **({"edits": [edit.to_json() for edit in self.edits]} if self.edits else {}),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """The tape of such content. Raises `UsageError`, which says what is wrong."""
        if not isinstance(value, dict) or MARK not in value:
            raise UsageError(f'no tape: a JSON object with "{MARK}" is wanted')
        if value[MARK] != VERSION:
            raise UsageError(f"a tape of version {str(value[MARK])[:20]}: this puretls reads version {VERSION}")
        _check_keys(value, (MARK, *_KINDS, "connections", "edits"), "a tape")
        for key, kind in _KINDS.items():
            if key in value and (not isinstance(value[key], kind) or isinstance(value[key], bool)):
                raise UsageError(f"{key} cannot be {described(value[key])}")
        scripts = tuple(Script.from_json(one) for one in _list(value, "connections"))
        if not scripts or "client" not in value or "server" not in value:
            raise UsageError("a tape needs client, server and at least one of connections")
        edits = tuple(Edit.from_json(one) for one in _list(value, "edits"))
        texts = {key: value[key] for key in ("seed", "clock", "name", "note") if key in value}
        made = cls(value["client"], value["server"], scripts, edits=edits, **texts)
        made.configurations()
        return made

    def dumps(self) -> str:
        """The text of its file."""
        return json.dumps(self.to_json(), indent=1, ensure_ascii=True) + "\n"

    @classmethod
    def loads(cls, text: str | bytes) -> Self:
        """The tape in this text. Raises `UsageError` for text that is none."""
        if len(text) > MAX_SIZE:
            raise UsageError(f"longer than {MAX_SIZE} bytes: no tape")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"no tape: not JSON ({type(error).__name__})") from None
        return cls.from_json(value)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The tape in a file. Raises `OSError`, and `UsageError` with the file's name."""
        with open(path, "rb") as file:
            text = file.read(MAX_SIZE + 1)
        try:
            return cls.loads(text)
        except UsageError as error:
            raise UsageError(f"{os.fspath(path)}: {error}") from None

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write it where its owner alone may read it (mode 0600). Raises `OSError`; `FileExistsError` unless `overwrite`."""
        from puretls.net.secret_files import write_secret

        if not overwrite and os.path.lexists(path):
            raise FileExistsError(17, "exists already", os.fspath(path))
        write_secret(Path(path), self.dumps())

    # Secrets

    def without_secrets(self) -> Self:
        """A tape of the same shape that can be passed on: other keys of the same kinds, another seed, zeros for what was said, no sessions.

        It replays to a conversation of the same messages, whose bytes differ.
        """
        scripts = tuple(replace(script, steps=tuple(map(_silenced, script.steps)), session=None) for script in self.connections)
        client, server = without_secrets(self.client), without_secrets(self.server)
        return replace(self, connections=scripts, seed="without secrets", client=client, server=server)


def _silenced(step: Step) -> Step:
    return replace(step, data=bytes(len(step.data))) if step.data else step


def _list(value: Mapping[str, Json], key: str) -> Iterator[Json]:
    found = value.get(key, [])
    if not isinstance(found, list):
        raise UsageError(f"{key} is a list, not {described(found)}")
    return iter(found)


def _check_keys(value: Json, known: tuple[str, ...], what: str) -> None:
    if not isinstance(value, dict):
        raise UsageError(f"{what} is an object, not {described(value)}")
    strange = [str(key) for key in value if key not in known]
    if strange:
        raise UsageError(f"{what} has no {strange[0]!r}; there are {', '.join(known)}")
