"""Where both ends are, seen from outside: the tables walked by who sees the messages and nothing of what the applications say.

A message can leave several states possible. What follows rules most of them out, so states are told once the conversation is over: a
pass forwards collects what is possible, a pass backwards keeps what leads on.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from puretls.extensions import SessionTicket, StatusRequest
from puretls.handshake.client import order
from puretls.handshake.states import ClientState, LocalInput, Refused, Renegotiate, ServerState, Start, State, Verdict
from puretls.handshake.table import INDEX, input_key
from puretls.inspect.secrets import Handshake
from puretls.messages.handshake import Certificate, CertificateStatus, ClientHello, ServerHello, ServerHelloDone
from puretls.messages.key_exchange import ClientKeyExchange, ServerKeyExchange
from puretls.messages.records import ChangeCipherSpec

Possible = frozenset[State]
_STATES: dict[str, type[ClientState] | type[ServerState]] = {"client": ClientState, "server": ServerState}
_ANY: Possible = frozenset((*ClientState, *ServerState))
MANY = 7
"""More states than so many tell nothing: they are called "unknown"."""


def _after(state: State, *inputs: type[LocalInput]) -> Possible:
    """Where these inputs of an end's own lead from a state."""
    return frozenset(after for input_ in inputs if (row := INDEX.get((state, input_))) for after in row.next_states)


@cache
def _judged(state: State) -> Possible:
    """Where an end is whose verifier said yes in this state; the state itself where none is asked.

    A no that leads to a full handshake looks from outside like a session that was not known: that is what is told.
    """
    return _after(state, Verdict) or frozenset((state,))


def _with_verdicts(states: Iterable[State]) -> Possible:
    reached = frozenset(states)
    return reached.union(*(_judged(state) for state in reached))


def left_open(side: str, message: Any, handshake: Handshake) -> Possible:
    """Where the receiver of a message that `side` sent can be then, by what was agreed on (see `client.order`)."""
    suite = handshake.suite
    if suite is None:
        return _ANY
    status = handshake.answered(StatusRequest.type)
    match message:
        case ServerHello():
            return frozenset((ClientState.WAIT_RESUMPTION_VERDICT, order.after_hello(suite)))
        case Certificate() if side == "server":
            return frozenset((order.after_certificate(suite, status=status),))
        case Certificate():
            waits = ServerState.WAIT_CLIENT_VERDICT if message.certificate_list else ServerState.WAIT_CLIENT_KEY_EXCHANGE
            return frozenset((waits,))
        case CertificateStatus():
            return frozenset((order.after_certificate(suite, status=False),))
        case ServerKeyExchange():
            return frozenset((order.after_key_exchange(suite),))
    return _ANY


def left_open_to_sender(side: str, message: Any, handshake: Handshake) -> Possible:
    """Where the sender itself can be when it sends this."""
    if isinstance(message, ServerHelloDone):
        waits = ServerState.WAIT_CLIENT_CERTIFICATE if handshake.requested else ServerState.WAIT_CLIENT_KEY_EXCHANGE
        return frozenset((waits,))
    if side == "client" and isinstance(message, Certificate | ClientKeyExchange | ChangeCipherSpec):
        # In a resumption the client comes last: it has the server's ticket already.
        after_all = (ClientState.CONNECTED,) if handshake.resumed else ()
        return frozenset((order.before_finished(ticket=handshake.answered(SessionTicket.type)), *after_all))
    return _ANY


class _Step(NamedTuple):
    """In one turn an end went from one of `links` to one of the states each leads to; `before` is where it may have been."""

    turn: int
    before: Possible
    links: dict[State, Possible]


class Observer:
    """Follows one end. `receive`, `send` and `end` are told in the order in which things happened; `states` then tells where it was."""

    def __init__(self, side: str, *, from_start: bool = True) -> None:
        self._side = _STATES[side]
        self._first: Possible = frozenset((self._side["START"],)) if from_start else frozenset(self._side)
        self._now = self._first
        self._steps: list[_Step] = []

    def receive(self, turn: int, cls: Any, only: Possible = _ANY) -> bool:
        """A message of this class came. Returns whether the table has a row for it; where it has none the end stays where it is.

        `only` are the states that what was agreed on leaves open.
        """
        key = input_key(cls)
        rows = {state: row for state in _with_verdicts(self._now) if (row := INDEX.get((state, key))) and row.next_states}
        self._step(turn, {state: frozenset(row.next_states) for state, row in rows.items()}, only)
        return bool(rows)

    def refused(self, turn: int) -> None:
        """Its wish to renegotiate was refused (RFC 5246 7.2.2)."""
        self._step(turn, {state: _after(state, Refused) or frozenset((state,)) for state in self._now})

    def send(self, turn: int, cls: Any, only: Possible = _ANY) -> None:
        """It sent a message of this class: what it waited for from its own application or verifier has come."""
        begins = (Start, Renegotiate) if cls is ClientHello else ()
        self._step(turn, {state: _after(state, *begins) or _judged(state) for state in self._now}, only)

    def end(self, turn: int, name: str) -> None:
        """It closed or gave up."""
        self._step(turn, dict.fromkeys(_with_verdicts(self._now), frozenset((self._side[name],))))

    def _step(self, turn: int, links: dict[State, Possible], only: Possible = _ANY) -> None:
        links = {state: after & only for state, after in links.items() if after & only} or links
        if any(after != {state} for state, after in links.items()) or (links and links.keys() != self._now):
            self._steps.append(_Step(turn, self._now, links))
            self._now = frozenset().union(*links.values())

    def states(self, turns: int) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Names of the states before and after each of so many turns."""
        narrowed = self._narrowed()
        now = narrowed[0][1] if narrowed else self._first
        told, position = [], 0
        for turn in range(turns):
            before: Possible | None = None
            while position < len(narrowed) and narrowed[position][0] <= turn:
                _, at, after = narrowed[position]
                before, now = before or at, after
                position += 1
            told.append((_names(before or now), _names(now)))
        return told

    def _narrowed(self) -> list[tuple[int, Possible, Possible]]:
        """Turn, where the end was when it acted, and where it was then: of what was possible, what leads on."""
        made: list[tuple[int, Possible, Possible]] = []
        after = self._now
        for turn, before, links in reversed(self._steps):
            at = frozenset(state for state, leads in links.items() if leads & after)
            made.append((turn, at, frozenset().union(*(links[state] & after for state in at))))
            after = frozenset(state for state in before if _with_verdicts((state,)) & at)
        return made[::-1]


def _names(states: Possible) -> tuple[str, ...]:
    return tuple(sorted(state.name for state in states)) if len(states) < MANY else ("unknown",)
