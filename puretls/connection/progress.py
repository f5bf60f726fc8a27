"""How far a connection has come: the data that its parts share. Nothing here decides anything."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from puretls.errors import PeerError, Reason, calling
from puretls.events import Event
from puretls.handshake.context import Context
from puretls.handshake.states import State
from puretls.handshake.table import Row, expected, lookup
from puretls.intercept import Direction, Where, through
from puretls.queues import Queue
from puretls.trace import Trace
from puretls.watch import Watcher

_NO_ROWS: Mapping[tuple[State, Any], Row] = MappingProxyType({})
_IDLE = frozenset(("START", "CONNECTED", "CLOSED", "FAILED"))


class Progress:
    """State and context of a connection, the events not taken yet, and who watches what passes: taps and trace."""

    def __init__(self, context: Context, state: State) -> None:
        config = context.config
        self.context = context
        self.state = state
        self.events: Queue[Event] = Queue()
        self.taps: tuple[Any, ...] = config.interceptors
        self.trace: Trace = Trace(config.trace_level, config.trace_limit)
        with calling("watcher", config.watcher):
            self.watcher: Watcher | None = config.watcher(context.role) if config.watcher is not None else None
        self.tell_watcher("begins", config)
        self.more_rows = _NO_ROWS
        """What `danger.add_rows` let this connection take beyond the table."""
        self.looks_ahead = False
        """Whether this belongs to a fork that must not seal under keys in force, nor touch the session store."""

    def fork(self) -> Progress:
        """A copy that goes on by itself, for looking ahead."""
        twin = copy.copy(self)
        twin.events, twin.trace, twin.looks_ahead = self.events.copy(), self.trace.fork(), True
        twin.watcher = None  # what a copy does is no part of the connection that is watched
        return twin

    def row(self, key: Any) -> Row | None:
        """The row for an input in the present state, by `input_key`; None where the input is not legal."""
        more = self.more_rows.get((self.state, key)) if self.more_rows else None
        return more or lookup(self.state, key)

    @property
    def is_handshaking(self) -> bool:
        """Whether a handshake is under way."""
        return self.state.name not in _IDLE

    def where(self, direction: Direction, epoch: int) -> Where:
        """What an interceptor is told about a value that passes."""
        return Where(direction, self.context.role, self.state, epoch)

    def through(self, tap: str, value: Any, direction: Direction, epoch: int) -> Sequence[Any]:
        """Lead a value through the tap of this name of all interceptors."""
        return through(self.taps, tap, value, self.where(direction, epoch)) if self.taps else (value,)

    def tell_watcher(self, what: str, *values: Any) -> None:
        """Tell the watcher, if there is one: "begins", "received", "sent" or "secret"."""
        if self.watcher is not None:
            call = getattr(self.watcher, what)
            with calling(f"{type(self.watcher).__name__}.{what}", call):
                call(*values)

    def trace_content(self, direction: Direction, content_type: int, raw: bytes) -> None:
        """Write a message, or the content of another record, into the trace."""
        self.trace.message(direction, content_type, raw, self.state, self.context.key_exchange)

    def unexpected(self, got: str, path: str) -> PeerError:
        """The error for an input that has no row in the table."""
        wanted = ", ".join(expected(self.context.role, self.state)) or "nothing"
        return PeerError(Reason.UNEXPECTED_MESSAGE, f"got {got}, expected {wanted}", path=path)
