"""The judge of a bout: he knows what was said, and so what may come of it."""

from __future__ import annotations

import re

from puretls import danger
from puretls.connection import Connection
from puretls.errors import InternalError, PeerError
from puretls.handshake.states import Role
from puretls.inspect.peer import MemoryPeer, Told
from puretls.session import Session
from puretls.testing.bout.course import Course
from puretls.testing.bout.variants import Variant
from puretls.testing.bout.world import LIFETIME, LIMITS, SUITES, World
from puretls.testing.learning.mapper import LINE, RESUMING, Mapper
from puretls.testing.properties.bounds import CALLS, MEMORY, Cost


class Violation(AssertionError):
    """The connection did what it must not do, or failed to do what it must: the rule, and the conversation that shows it."""

    def __init__(self, rule: str, detail: str, moves: list[str]) -> None:
        story = "".join(f"\n    {move}" for move in moves)
        super().__init__(f"{rule}: {detail}{story}")
        self.rule: str = rule
        self.detail: str = detail
        self.moves: tuple[str, ...] = tuple(moves)


_AGREED = (
    "suite",
    "client_random",
    "server_random",
    "resumed",
    "extended_master_secret",
    "secure_renegotiation",
    "version",
)
"""Attributes of what was negotiated that must be the same at both ends."""


_OPENED = 3
"""How much more than in the clear a record may cost that has to be opened, and noted."""


class Judge:
    """Judges the peer of a course by what was meant, what is heard and what is told. `moves` is the conversation, for people."""

    def __init__(self, world: World, course: Course, moves: list[str]) -> None:
        self.world: World = world
        self.course: Course = course
        self.moves: list[str] = moves
        self.peer: MemoryPeer = course.peer
        self.mapper: Mapper = course.mapper
        self.is_over: bool = False
        """Whether the connection has ended."""
        self.closing = False
        """Whether its application closed it."""
        self._tainted = self._refused = ""
        """Why no handshake may be completed: something was changed on its way; a chain has a defect."""
        self._in_full = ""
        """Why no session may be resumed."""
        self._age = 0.0
        """Of the session that was to be resumed, when it was offered; in seconds."""
        self._data_sent = self._data_got = self._written = b""
        self._closed_by_mapper = False

    def demand(self, holds: object, rule: str, detail: str) -> None:
        """Raises `Violation` unless it holds."""
        if not holds:
            raise Violation(rule, detail, self.moves)

    def raised(self, error: Exception) -> Violation:
        """What it is that a connection raised something."""
        rule = "a connection tells of a failure in its own words, and raises nothing (RFC 5246 7.2.2)"
        return Violation(rule, f"{type(error).__name__}: {error}", self.moves)

    # What was meant

    def meant(self, symbol: str, variant: Variant | None, *, flipped: bool, protected: bool) -> None:
        """A symbol is about to be said: what follows from it for what may come."""
        if symbol == "ApplicationData" and self.course.completed and not flipped:
            self._data_sent += LINE
        if symbol == "CloseNotify" and not flipped:
            self._closed_by_mapper = True
        if variant is not None and variant.outcome == "never complete":
            self._tainted = self._tainted or f"{symbol} {variant.name}"
        if variant is not None and variant.outcome == "refused":
            self._refused = variant.name
        if symbol in {"ClientHello", RESUMING}:
            self._in_full = variant.name if variant is not None and variant.outcome == "in full" else ""
            self._age = self.world.now - self.world.shaken
        if flipped and not protected and symbol not in {"CloseNotify", "NoRenegotiation"}:
            self._tainted = self._tainted or f"{symbol} was changed on the way"

    def wrote(self, data: bytes) -> None:
        """The application sent."""
        if self.course.completed and not self.closing and not self.is_over:
            self._written += data

    # What must have come of it

    def said(self, symbol: str, legal: str, variant: Variant | None) -> None:
        """A symbol was said that was `legal` (`Course.legality`), as it is or in another way."""
        if self._tainted:
            return
        outcome = variant.outcome if variant else "go on"
        if legal == "no":
            self.ended("what may not come ends the connection (RFC 5246 7.4)", f"after {symbol}")
        elif legal == "close":
            self.ended("close_notify ends the connection (RFC 5246 7.2.1)")
        elif outcome == "end":
            self.ended("what breaks a rule ends the connection", f"after {symbol} {variant.name if variant else ''}")
        elif self._refused and symbol == "ServerHelloDone":
            self.ended("a chain with a defect is refused (RFC 5280 6)", f"({self._refused})")
        elif legal in {"next", "aside"} and not self.closing:
            end = self.peer.error or "closed"
            self.demand(not self.is_over, "an honest peer is understood", f"it ended at {symbol}: {end}")
            told = legal == "aside" or not self.course.is_whole
            self.demand(told, "a handshake that is complete is told", "the connection does not say so")

    def ended(self, rule: str, after: str = "") -> None:
        """The connection must be over."""
        self.demand(self.is_over, rule, f"it goes on {after}".rstrip())

    def injected(self, name: str) -> None:
        """A record came that breaks a rule by itself."""
        self.demand(
            self.is_over or self._tainted,
            "a record that breaks a rule ends the connection (RFC 5246 6.2.1)",
            f"it goes on after {name}",
        )

    def flooded(self, name: str, pieces: int, counted: Cost) -> None:
        """What leads nowhere came, in so many pieces."""
        borne = self.is_over or self._tainted or self.closing
        self.demand(borne, "what leads nowhere is not borne for ever", f"it goes on after {name}")
        cheap = counted.calls <= _OPENED * CALLS * pieces + 5000
        self.demand(cheap, "work is in proportion to what comes", f"{counted.calls} calls for {name} in {pieces} pieces")
        self.demand(counted.held <= MEMORY, "memory is bounded", f"{counted.held} bytes are held after {name}")

    # What is heard and told

    def hears(self, out: bytes, told: list[Told]) -> None:
        """What the connection sent and told since it was heard last."""
        was_over = self.is_over
        self.is_over = was_over or any(one.kind in {"closed", "failed"} for one in told)
        self.demand(not (was_over and out), "nothing is sent after the end (RFC 5246 7.2.1)", f"{len(out)} bytes")
        heard = self.mapper.hear(out)
        if heard:
            self.moves[-1] += f"  ->  {' '.join(heard)}"
        self._heard(heard)
        over = was_over
        for one in told:
            late = over and one.kind in {"data", "handshake"}
            self.demand(not late, "nothing is told after the end (RFC 5246 7.2.1)", one.kind)
            over = over or one.kind in {"closed", "failed"}
            self._told(one)
        if self.is_over and not was_over:
            self._says_why(heard)
        self._always()

    def _says_why(self, heard: list[str]) -> None:
        """Of a connection that has just ended; after its close_notify it can say nothing."""
        error = self.peer.error
        if isinstance(error, PeerError) and not (self.closing or self._tainted):
            said = bool(heard) and heard[-1].startswith("Alert(fatal ")
            self.demand(said, "an end that fails says so by a fatal alert (RFC 5246 7.2.2)", str(error))

    def _heard(self, heard: list[str]) -> None:
        broken = [name for name in heard if re.match(r"\(|\w+\((?!fatal|[a-z_]+\)$)|(?!Alert)\w+\(", name)]
        self.demand(self._tainted or not broken, "what a connection says can be read and is right", " ".join(broken))
        arrives = self._written.startswith(self.mapper.received)
        self.demand(arrives or self._tainted, "what is written arrives, in order", "it does not")
        if "ClientHello" in heard:
            self._age = self.world.now - self.world.shaken
        if "ServerHello" in heard:
            self._best_suite()
        if "NewSessionTicket" in heard and self.course.role is Role.SERVER:
            self._remember(self.mapper.context.session)

    def _best_suite(self) -> None:
        """Of a server that has just chosen."""
        agreed = self.mapper.context.agreed
        offered = self.mapper.context.offer.hello.cipher_suites
        best = next(suite for suite in SUITES if suite.id in offered)
        right = agreed is not None and agreed.suite.id in offered and (agreed.resumed or agreed.suite is best)
        self.demand(right or self._tainted, "the best suite that both have is chosen", agreed.suite.name if agreed else "none")

    def _remember(self, session: Session | None) -> None:
        if session is None or self._tainted:
            return
        agreed = self.mapper.context.agreed
        if agreed is not None and not agreed.resumed:
            self.world.shaken = self.world.now
        self.world.session = session

    def _told(self, told: Told) -> None:
        if told.kind == "handshake":
            self._complete()
        elif told.kind == "data":
            self._data_got += told.data
            self.demand(self.course.completed, "no data before Finished (RFC 5246 7.4.9)", repr(told.data))
            self.demand(self._data_sent.startswith(self._data_got), "data arrives as it was sent", repr(told.data))
        elif told.kind == "closed":
            clean = told.detail == "by close_notify"
            rule = "an end without close_notify is told as what it is (RFC 5246 7.2.1)"
            self.demand(clean == self._closed_by_mapper, rule, told.detail)

    def _complete(self) -> None:
        course, connection = self.course, self.peer.connection
        spoiled = self._tainted or self._refused
        self.demand(not spoiled, "no completion after what must not be completed", spoiled)
        self.demand(course.is_whole, "no completion without all messages, in order (RFC 5246 7.3)", ", ".join(course.said))
        self._agreement(connection)
        course.completed += 1
        course.said.clear()
        if course.role is Role.CLIENT:
            self._remember(connection.session)

    def _agreement(self, connection: Connection) -> None:
        ours, theirs = connection.negotiated, self.mapper.context.agreed
        assert ours is not None
        if theirs is None:
            self.demand(False, "both ends agree", "the peer has agreed on nothing")
            return
        for name in _AGREED:
            self.demand(getattr(ours, name) == getattr(theirs, name), "both ends agree", name)
        random = ours.client_random if self.course.role is Role.CLIENT else ours.server_random
        self.demand(random not in self.world.randoms, "a random is new in every handshake (RFC 5246 7.4.1.2)", random.hex())
        self.world.randoms.add(random)
        secret = danger.parts(connection).progress.context.secrets.master
        self.demand(bytes(secret) == bytes(self.mapper.context.secrets.master), "both ends agree", "master secret")
        session = self.world.session
        if ours.resumed and session is not None:
            same = session.suite == ours.suite.id
            self.demand(same, "a session is resumed with its suite (RFC 5246 7.4.1.2)", ours.suite.name)
            same = session.extended_master_secret == ours.extended_master_secret
            rule = "a session is resumed with its kind of master secret (RFC 7627 5.3)"
            self.demand(same, rule, str(ours.extended_master_secret))
            rule = "a session is not resumed when its time is over (RFC 5246 F.1.4)"
            self.demand(self._age < LIFETIME, rule, f"after {self._age:.0f} seconds")
            rule = "a session is resumed for whom it was made, and as it was made (RFC 5077 4, RFC 6066 3)"
            self.demand(not self._in_full, rule, f"{RESUMING} {self._in_full}")

    # Invariants

    def _always(self) -> None:
        error, connection = self.peer.error, self.peer.connection
        self.demand(not isinstance(error, InternalError), "no internal error", str(error))
        self.demand(not self.world.repeated, "no nonce is used twice under a key (RFC 5288 3)", "one was")
        waits = connection.bytes_buffered
        self.demand(waits <= LIMITS.buffered, "what waits is bounded", str(waits))
        master = bytes(danger.parts(connection).progress.context.secrets.master)
        if master and error is not None:
            self.demand(master.hex() not in f"{error}{error!r}{connection!r}", "no secret is told", "the master secret is")
