"""Batches of a campaign against somebody else's end: one property after the other, and what is found in a form that shows it again."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from puretls.inspect.named import Side, described_side, write_bytes
from puretls.inspect.peer import Peer, SocketPeer
from puretls.inspect.streams import other
from puretls.inspect.tape import SIDES, Script, Step, Tape
from puretls.session import TicketKeys
from puretls.suites import Suite
from puretls.testing import honest
from puretls.testing.adapters import AdapterError, Factory
from puretls.testing.finds import Find, found
from puretls.testing.needs import need
from puretls.testing.properties import PROPERTIES, Property, Violated
from puretls.testing.properties.playing import Meeting, meetings
from puretls.testing.targets import PATIENCE, target
from puretls.x509.pem import write_pem

_OF_PARSERS = frozenset(("parsing_undoes_serialising", "only_own_errors_of_parser"))
_INSIDE = frozenset(("determinism", "bounded", "secrets_are_never_shown"))
"""Properties of what goes on in a process of Python."""
_APPLICATION = frozenset(("truncation_is_reported",))
"""Properties of what an end tells its application."""
ALIVE = "a peer goes on answering, whatever came before"
"""The rule that is broken by a peer that is no longer there."""
SECOND_LOOK = 20.0
"""How many times as long a peer at a socket is listened to before it is believed to be silent."""
SHRINKING = 20.0
"""Seconds after the first violation in which a smaller one is looked for."""


def fitting(factory: Factory) -> list[str]:
    """The names of the properties that can be asked of such an end."""
    out = _OF_PARSERS | _INSIDE | (frozenset() if factory.acts else _APPLICATION)
    return [name for name in PROPERTIES if name not in out]


def batch(text: str, settings: Any, seed: int, *, patience: float = PATIENCE, server_name: str | None = None) -> list[Find]:
    """Try one of the properties, the next for each seed, with hypothesis's `settings`.

    Raises `UsageError` for what is no target, and `AdapterError` where it cannot be reached.
    """
    with target(text, patience=patience, server_name=server_name) as factory:
        names = fitting(factory)
        trial = Trial(factory, PROPERTIES[names[seed % len(names)]])
        violated = trial.run(settings, seed)
        return [trial.find(text, violated)] if violated is not None else []


class Trial:
    """A property that is tried on a factory. An end at a socket is closed when another is made, and after the case."""

    def __init__(self, factory: Factory, row: Property) -> None:
        self.row: Property = row
        self.factory: Factory = replace(factory, make=self._make)
        self.case: Any = None
        """The last case for which the property did not hold."""
        self.meetings: list[Meeting] = []
        """The meetings of that case, which was tried."""
        self._fresh: Callable[[], Peer] = factory.make
        self._ends: list[Peer] = []
        self._listening = 1.0
        self._violated: list[Any] = []
        self._until = 0.0
        self._before: tuple[Any, list[Meeting]] = (None, [])
        self._gone: Violated | None = None

    def _make(self) -> Peer:
        self._close()  # many a server serves one connection at a time
        end = self._fresh()
        if isinstance(end, SocketPeer):
            end.patience *= self._listening
        self._ends.append(end)
        return end

    def run(self, settings: Any, seed: int) -> Violated | None:
        """What the least case shows for which it does not hold, if there is one."""
        hypothesis = need("hypothesis")

        def holds(case: Any) -> None:
            self._try(case)

        holds.__name__ = re.sub(r"\W", "_", f"{self.row.name}_of_{self.factory.name}")  # the example database knows tests by name
        try:
            hypothesis.seed(seed)(hypothesis.given(case=self.row.cases(self.factory))(settings(holds)))()
        except Violated as violated:
            return violated
        except hypothesis.errors.Flaky:
            return None  # it was seen once, and not again: a peer that was slow
        finally:
            self._close()
        return None

    def _try(self, case: Any) -> None:
        if self._gone is not None:
            raise self._gone
        if self._violated and time.monotonic() > self._until and case not in self._violated:
            return
        try:
            self._check(case)
        except Violated:
            if not self.factory.acts and not self._violated:
                self._look_again(case)
            self._until = self._until if self._violated else time.monotonic() + SHRINKING
            self._violated.append(case)
            raise

    def _look_again(self, case: Any) -> None:
        """Raises `Violated` as before, unless it was only slow: then the case is no case."""
        self._listening = SECOND_LOOK
        try:
            self._check(case)
        finally:
            self._listening = 1.0
        raise need("hypothesis").errors.UnsatisfiedAssumption

    def _check(self, case: Any) -> None:
        with meetings() as met:
            try:
                self.row.check(self.factory, case)
                self._before = case, met
            except Violated:
                self.case, self.meetings = case, met
                raise
            except AdapterError as error:
                self.case, self.meetings = self._before
                if self.case is None:
                    raise
                self._gone = Violated(f"{ALIVE}: {error}")
                raise self._gone from None
            finally:
                self._close()

    def _close(self) -> None:
        for end in self._ends:
            if isinstance(end, SocketPeer):
                end.close()
        self._ends.clear()

    def find(self, text: str, violated: Violated) -> Find:
        """What is written of it: the tape is of the last conversation, or of the bytes that came."""
        rule = ALIVE if self._gone is not None else f"{self.row.name}: {self.row.sentence}"
        scripted = [meeting for meeting in self.meetings if meeting.ours.steps]
        note = str(violated)
        tape = tape_of(scripted[-1], note) if scripted else tape_of_bytes(self.factory, getattr(self.case, "data", b""), note)
        test, name = test_of(text, self.row, self.case, note), f"{text.partition(' ')[0]} {rule.partition(':')[0]}"
        return found(rule, note, name, tape, test, [one.conversation() for one in scripted[-1:]])


# Tapes


def tape_of(meeting: Meeting, note: str = "") -> Tape:
    """A tape of our end: what the tested one sent is injected, and the edits are made again.

    Against a live server (`replay`) the edits are made in a new conversation with it.
    """
    ours = meeting.our_side
    sides = {ours: _described(meeting), meeting.side: _stranger(meeting.side)}
    script = Script((*meeting.ours.steps, Step("deliver", ours)), meeting.factory.server_name, meeting.session)
    return Tape(sides["client"], sides["server"], (script,), meeting.seed.decode(), honest.NOW, meeting.edits, "a find", note)


def tape_of_bytes(factory: Factory, data: bytes, note: str = "") -> Tape:
    """A tape of bytes that come to an end from the beginning, and of the end of their stream."""
    steps = (Step("inject", other(factory.role), data), Step("end", other(factory.role)))
    client, server = map(_stranger, SIDES)
    return Tape(client, server, (Script(steps, factory.server_name),), clock=honest.NOW, name="a find", note=note)


def _described(meeting: Meeting) -> Side:
    config: Any = meeting.ours.connection.config
    said: dict[str, Any] = {}
    if config.provider is honest.no_security():
        said["provider"] = "danger: no security"
    trusts = meeting.factory.secure and meeting.factory.known and meeting.our_side == "client"
    said["verifier"] = [write_pem("CERTIFICATE", honest.authority().root.certificate)] if trusts else "danger: anybody"
    if isinstance(config.tickets, TicketKeys):
        said["tickets"] = [write_bytes(bytes(key)) for key in config.tickets.export()]
    return described_side(replace(config, interceptors=()), **said)


def _stranger(side: str) -> Side:
    """An end of puretls where another stack was: it is there for its name."""
    own: Side = {"credentials": [{"kind": "secp256r1", "names": [honest.NAME]}]} if side == "server" else {}
    return {"verifier": "nobody", **own}


# Tests


def test_of(text: str, row: Property, case: Any, note: str) -> str:
    """A test to paste: it fails while the property does not hold for this case."""
    modules: dict[str, set[str]] = {"puretls.testing.properties": {"PROPERTIES"}, "puretls.testing.targets": {"target"}}
    source = _source(case, modules)
    imports = "".join(f"from {module} import {', '.join(sorted(names))}\n" for module, names in sorted(modules.items()))
    comment = "".join(f"# {line}\n" for line in note.splitlines())
    return (
        f"{comment}{imports}\n\ndef test_{row.name}():\n    case = {source}\n"
        f"    with target({text!r}) as factory:\n        PROPERTIES[{row.name!r}].check(factory, case)\n"
    )


def _source(value: Any, modules: dict[str, set[str]]) -> str:
    """Python that makes the value again; what it needs is added to `modules`."""
    if isinstance(value, Suite):
        modules.setdefault("puretls.testing.honest", set()).add("suite_named")
        return f"suite_named({value.name!r})"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        cls = type(value)
        modules.setdefault(cls.__module__, set()).add(cls.__qualname__)
        return f"{cls.__qualname__}({', '.join(_arguments(value, modules))})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_source(one, modules)}" for key, one in value.items()) + "}"
    if isinstance(value, frozenset):
        return f"frozenset({_source(sorted(value), modules)})"
    if isinstance(value, tuple | list):
        inner = ", ".join(_source(one, modules) for one in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    return repr(int(value)) if isinstance(value, int) and not isinstance(value, bool) else repr(value)


def _arguments(value: Any, modules: dict[str, set[str]]) -> Iterator[str]:
    """Those that are not as usual."""
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if field.default is dataclasses.MISSING or given != field.default:
            yield f"{field.name}={_source(given, modules)}"
