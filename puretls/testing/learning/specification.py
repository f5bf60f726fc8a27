"""What RFC 5246 wants of a server or a client, as a Mealy machine drawn from the tables of the handshake (`puretls.handshake.table`).

A table says which inputs are legal and where they may lead. Where that depends on what was agreed on, the flows of section 7.3 decide that
are possible under these facts. What is sent in answer is in one table here; whatever has no row is an unexpected message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from puretls.handshake.states import ClientState, LocalInput, Rejection, Role, ServerState, State
from puretls.handshake.table import TABLES, Row, input_key, lookup
from puretls.messages.handshake import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientHello,
    Finished,
    HelloRequest,
    NewSessionTicket,
    ServerHello,
    ServerHelloDone,
)
from puretls.messages.key_exchange import ClientKeyExchange, ServerKeyExchange
from puretls.messages.records import ApplicationData, ChangeCipherSpec
from puretls.testing.learning.model import CLOSED, SILENCE, Model, Word, explored
from puretls.values import frozen
from puretls.wire.schema import Struct

C, S = ClientState, ServerState
INPUTS: Mapping[str, type[Struct]] = {
    "ClientHello": ClientHello,
    "ClientHelloResuming": ClientHello,
    "Certificate": Certificate,
    "EmptyCertificate": Certificate,
    "ClientKeyExchange": ClientKeyExchange,
    "CertificateVerify": CertificateVerify,
    "Finished": Finished,
    "HelloRequest": HelloRequest,
    "NewSessionTicket": NewSessionTicket,
    "ChangeCipherSpec": ChangeCipherSpec,
    "ApplicationData": ApplicationData,
    "ServerHello": ServerHello,
    "CertificateStatus": CertificateStatus,
    "ServerKeyExchange": ServerKeyExchange,
    "CertificateRequest": CertificateRequest,
    "ServerHelloDone": ServerHelloDone,
}
"""Which input of a table a symbol is; alerts are none."""

UNEXPECTED = f"Alert(fatal unexpected_message) {CLOSED}"
CLOSE = f"Alert(close_notify) {CLOSED}"
REFUSED = "Alert(no_renegotiation)"
RESUMES, ECHOES = "resumes", "echoes"
"""Facts besides the names of messages that not every handshake has: sessions are resumed; lines are answered."""
OPTIONAL = frozenset(("CertificateStatus", "CertificateRequest", "NewSessionTicket"))

Flow = Word
_OVER = "over"


def flows(role: Role, facts: frozenset[str]) -> tuple[Flow, ...]:
    """What may come to a peer of this role, in order (RFC 5246 7.3, RFC 5077 3.1, RFC 6066 8): every way to a complete handshake."""
    if role is Role.CLIENT:
        return tuple(
            ("ServerHello", "Certificate", *status, "ServerKeyExchange", *request, "ServerHelloDone",
             *_if(facts, "NewSessionTicket"), "ChangeCipherSpec", "Finished")
            for status in _ways(facts, "CertificateStatus")
            for request in ((), ("CertificateRequest",))
        )  # fmt: skip
    end = ("ChangeCipherSpec", "Finished")
    anonymous = (*(("EmptyCertificate",) if "CertificateRequest" in facts else ()), "ClientKeyExchange", *end)
    known = [("Certificate", "ClientKeyExchange", "CertificateVerify", *end)] if "CertificateRequest" in facts else []
    whole = [anonymous, *known]
    resuming = [end] if RESUMES in facts else whole
    return (*(("ClientHello", *rest) for rest in whole), *(("ClientHelloResuming", *rest) for rest in resuming))


def _if(facts: frozenset[str], name: str) -> Word:
    return (name,) if name in facts else ()


def _ways(facts: frozenset[str], name: str) -> tuple[Word, ...]:
    return ((), (name,)) if name in facts else ((),)


@frozen
class _Node:
    """A state of the table, and the flows that what came so far is the beginning of."""

    state: State
    flows: frozenset[Flow]
    count: int = 0

    @property
    def past(self) -> Word:
        return next(iter(self.flows))[: self.count]

    @property
    def resumed(self) -> bool:
        return all(len(flow) == _RESUMPTION for flow in self.flows)

    def after(self, symbol: str) -> frozenset[Flow]:
        """The flows that this symbol goes on with."""
        return frozenset(flow for flow in self.flows if flow[self.count : self.count + 1] == (symbol,))


_RESUMPTION = 3
"""Messages of an abbreviated handshake (RFC 5246 7.3 figure 2)."""


def specification(role: Role, symbols: Sequence[str], facts: Iterable[str] = ()) -> Model:
    """The machine of a peer of this role; `facts` are names of the optional messages that its handshakes have, `RESUMES`, `ECHOES`."""
    known = frozenset(facts)
    start = C.WAIT_SERVER_HELLO if role is Role.CLIENT else S.START

    def step(node: _Node | str, symbol: str) -> tuple[str, _Node | str]:
        return (CLOSED, _OVER) if isinstance(node, str) else _step(node, symbol, known)

    return explored(_Node(start, frozenset(flows(role, known))), symbols, step, _name)


def _name(node: _Node | str) -> str:
    if isinstance(node, str):
        return CLOSED
    return node.state.name + (" (resumed)" if node.resumed and node.state is not S.CONNECTED else "")


def _step(node: _Node, symbol: str, facts: frozenset[str]) -> tuple[str, _Node | str]:
    if symbol == "CloseNotify":  # RFC 5246 7.2.1
        return CLOSE, _OVER
    if symbol == "NoRenegotiation":  # RFC 5246 7.2.2: a warning that answers nothing
        return SILENCE, node
    row = lookup(node.state, input_key(INPUTS[symbol]))
    connected = node.state in {C.CONNECTED, S.CONNECTED}
    if row is None or (symbol == "ApplicationData" and not connected):  # in a first handshake there are no keys yet
        return UNEXPECTED, _OVER
    onward = node.after(symbol)
    if not onward:
        # Nothing that a handshake goes on with: what is ignored, refused, or no part of one.
        return (_aside(symbol, facts) if connected else SILENCE), node
    after = _Node(_target(row, onward, node.count + 1), onward, node.count + 1)
    return " ".join(_answer(node, after, symbol, facts)) or SILENCE, after


def _aside(symbol: str, facts: frozenset[str]) -> str:
    """What a connected end answers; without leave to renegotiate, a hello or the wish for one is refused (RFC 5246 7.2.2)."""
    if symbol == "ApplicationData":
        return symbol if ECHOES in facts else SILENCE
    return REFUSED


# Where to


def _target(row: Row, onward: frozenset[Flow], count: int) -> State:
    """Of the states that the row allows, that in which all these flows can go on, and which allows the least besides."""
    settled = [state for after in row.next_states for state in _settled(after)]
    fitting = [state for state in settled if all(_follows(state, flow[count:]) for flow in onward)]
    return min(fitting, key=_inputs_of)


def _settled(state: State) -> list[State]:
    """Where a state leads by what the end itself decides: a verdict, which is yes."""
    own = [
        row
        for row in TABLES[Role.CLIENT if isinstance(state, ClientState) else Role.SERVER]
        if row.state is state and issubclass(row.input, LocalInput)
    ]
    if not own or state in {C.CONNECTED, S.CONNECTED}:
        return [state]
    return [settled for row in own if row.input is not Rejection for after in row.next_states for settled in _settled(after)]


def _follows(state: State, rest: Flow) -> bool:
    if not rest:
        return state in {C.CONNECTED, S.CONNECTED}
    row = lookup(state, input_key(INPUTS[rest[0]]))
    return row is not None and any(_follows(settled, rest[1:]) for after in row.next_states for settled in _settled(after))


def _inputs_of(state: State) -> int:
    return sum(row.state is state for rows in TABLES.values() for row in rows)


# Answers


def _answer(before: _Node, after: _Node, symbol: str, facts: frozenset[str]) -> Word:
    """RFC 5246 7.3: the flight that a symbol is answered by."""
    if symbol == "ServerHelloDone":
        asked = "CertificateRequest" in before.past
        return (*(("Certificate",) if asked else ()), "ClientKeyExchange", *(("CertificateVerify",) if asked else ()), *_CHANGE)
    if before.state is S.START:
        if after.resumed:
            return ("ServerHello", *_CHANGE)
        return ("ServerHello", "Certificate", *_if(facts, "CertificateStatus"), "ServerKeyExchange",
                *_if(facts, "CertificateRequest"), "ServerHelloDone")  # fmt: skip
    if after.state is S.CONNECTED and not after.resumed:
        return (*_if(facts, "NewSessionTicket"), *_CHANGE)
    return ()


_CHANGE = ("ChangeCipherSpec", "Finished")
