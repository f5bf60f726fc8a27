"""The course of a connection's handshakes, by what was said to it: what an honest peer says next, and what may come at all.

What is legal is known from RFC 5246 7.3 (`specification.flows`). The connection under test is asked for its state only to find what its
table expects next.
"""

from __future__ import annotations

from puretls.handshake.states import LocalInput, Role
from puretls.handshake.table import TABLES, input_key
from puretls.inspect.peer import MemoryPeer
from puretls.testing.learning.mapper import RESUMING, Mapper
from puretls.testing.learning.specification import INPUTS, RESUMES, flows


class Course:
    """Where the handshakes between `peer`, the connection under test, and the mapper stand. `asks`: its server wants a certificate."""

    def __init__(self, peer: MemoryPeer, mapper: Mapper, *, asks: bool) -> None:
        self.peer: MemoryPeer = peer
        self.mapper: Mapper = mapper
        self.asks: bool = asks
        self.role: Role = mapper.context.role.other
        """Of the connection under test."""
        self.said: list[str] = []
        """Symbols of the handshake under way."""
        self.completed = 0
        """How many handshakes it told of."""

    @property
    def handshaking(self) -> bool:
        """Whether a handshake is under way."""
        return bool(self.said) or not self.completed or self.hello_is_out

    @property
    def hello_is_out(self) -> bool:
        """Whether a client has begun a handshake again."""
        return self.peer.connection.state.name == "WAIT_SERVER_HELLO_AGAIN"

    # What is said next

    def expected(self) -> list[str]:
        """The symbols that the table has a row for in this state, those that lead on first."""
        state = self.peer.connection.state
        keys = {input_key(row.input) for row in TABLES[self.role] if row.state is state and not issubclass(row.input, LocalInput)}
        return [symbol for symbol in self._symbols() if input_key(INPUTS[symbol]) in keys] if keys else []

    def _symbols(self) -> list[str]:
        """Those of the tables: alerts are none. A hello that resumes comes first, where there is a session."""
        names = [name for name in self.mapper.symbols if name in INPUTS]
        order = {"HelloRequest": 2, "ApplicationData": 0 if self.completed else 2, RESUMING: -1}
        return sorted(names, key=lambda name: order.get(name, 1))

    def next(self) -> str | None:
        """What an honest peer says next; where it may say several things, the first. None where it has nothing more to say."""
        if not self.handshaking:
            return "ApplicationData" if "ApplicationData" in self.expected() else None
        ahead = self.ahead()
        return next((symbol for symbol in self.expected() if symbol == ahead[0]), None) if ahead else None

    def possible(self) -> list[str]:
        """All that a handshake may go on with, or begin with where that may be; what an honest peer says first is in front."""
        others = [flow[len(self.said)] for flow in self._flows() if len(flow) > len(self.said)]
        first = self.next()
        return [symbol for symbol in dict.fromkeys([*([first] if first else []), *others]) if symbol in self.expected()]

    def ahead(self) -> tuple[str, ...]:
        """What is left of a handshake that what was said is the beginning of; one that resumes where that can be.

        Where certificates of clients are asked for it is the longest, with one; else the shortest.
        """
        hello = RESUMING if RESUMING in self.mapper.symbols else "ClientHello"
        begun = hello if self.role is Role.SERVER and not self.said else None
        left = [flow[len(self.said) :] for flow in self._flows() if begun is None or flow[0] == begun]
        return (max if self.asks else min)((rest for rest in left if rest), key=len, default=())

    def deviations(self) -> list[str]:
        """What an honest peer does not say next: first, and three times as often as all others, what comes later or came before.

        On a connection that is established, what begins another handshake is among the first.
        """
        ahead = self.ahead()
        begin = "HelloRequest" if self.role is Role.CLIENT else ahead[0]
        near = [*([] if self.handshaking else [begin] * 3), *ahead[1:4], *self.said[-1:], "ApplicationData"]
        others = list(self.mapper.symbols)
        return near + others + near * (3 * len(others) // len(near))

    # What may come

    def legality(self, symbol: str, *, closing: bool) -> str:
        """Next: the handshake goes on with it; aside: it may come, and is no part of one; may: either way is right; no; close."""
        if symbol == "CloseNotify":
            return "close"
        if symbol == "NoRenegotiation":
            return "aside"
        if symbol == "HelloRequest":
            return "aside" if self.role is Role.CLIENT else "no"
        if symbol == "ApplicationData":
            return "no" if not self.completed else "may" if self.handshaking or closing else "aside"
        if not self.goes_on_with(symbol):
            return "no"
        return "may" if closing else "next"

    def goes_on_with(self, symbol: str) -> bool:
        """Whether it is next in a handshake, or begins one where that may be."""
        if not self.said and self.completed and self.role is Role.CLIENT and not self.hello_is_out:
            return False
        if not self.said and self.role is Role.SERVER:
            return symbol in {"ClientHello", RESUMING}
        return any(len(flow) > len(self.said) and flow[len(self.said)] == symbol for flow in self._flows())

    @property
    def is_whole(self) -> bool:
        """Whether all messages of a handshake were said, in order."""
        return tuple(self.said) in self._possible()

    def _flows(self) -> list[tuple[str, ...]]:
        """The handshakes that what was said is the beginning of."""
        count = len(self.said)
        return [flow for flow in self._possible() if flow[:count] == tuple(self.said)]

    def _possible(self) -> tuple[tuple[str, ...], ...]:
        context = self.mapper.context
        negotiated = context.agreed
        resumed = negotiated is not None and negotiated.resumed
        if self.role is Role.SERVER:
            facts = {"CertificateRequest"} if self.asks else set()
            return flows(Role.SERVER, frozenset(facts | ({RESUMES} if resumed or not self.said else set())))
        ticket = ("NewSessionTicket",) if getattr(context, "ticket_keys", None) is not None else ()
        if resumed:
            return (("ServerHello", *ticket, "ChangeCipherSpec", "Finished"),)
        return flows(Role.CLIENT, frozenset(ticket))
