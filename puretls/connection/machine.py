"""The state machine at work: an input goes to its handler, and the effects that the handler asks for are done in order."""

from __future__ import annotations

import copy
from typing import Any

from puretls.config import PENDING
from puretls.connection import stores
from puretls.connection.ending import Ending
from puretls.connection.outbox import Outbox
from puretls.connection.progress import Progress
from puretls.connection.transfer import Inbound, Outbound
from puretls.crypto.cbc import CbcAlgorithm
from puretls.errors import InternalError, PuretlsError, UsageError, VerificationError, calling
from puretls.events import VerificationRequired
from puretls.handshake import effects as fx
from puretls.handshake.authenticate import blamed_path, consult
from puretls.handshake.states import LocalInput, Rejection, Verdict, Write
from puretls.handshake.table import input_key
from puretls.iana import AlertDescription, AlertLevel
from puretls.intercept import Direction, given
from puretls.keylog import key_log_line
from puretls.record.channel import Channel
from puretls.record.protection import Protection


class Machine:
    """Feeds the table of the connection's role and executes effects. Whatever goes wrong is raised."""

    def __init__(self, progress: Progress, inbound: Inbound, outbound: Outbound, outbox: Outbox, ending: Ending) -> None:
        self.paused: bool = False
        """Whether the verifier's verdict is waited for."""
        self._progress = progress
        self._inbound = inbound
        self._outbound = outbound
        self._outbox = outbox
        self._ending = ending
        self._waiting: list[bytes] = []

    def fork(self, progress: Progress, inbound: Inbound, outbound: Outbound, outbox: Outbox, ending: Ending) -> Machine:
        """A copy that goes on by itself."""
        twin = copy.copy(self)
        twin._progress, twin._inbound, twin._outbound, twin._outbox, twin._ending = progress, inbound, outbound, outbox, ending
        twin._waiting = self._waiting.copy()
        return twin

    def clear(self) -> None:
        """Nothing is waited for any more, and what waited to be sent is dropped."""
        self.paused = False
        self._waiting.clear()

    # Inputs

    def feed(self, message: Any, for_transcript: bytes = b"") -> None:
        """One cell of the table: handler, transcript, state, flight."""
        progress = self._progress
        before = progress.state
        row = progress.row(input_key(type(message)))
        if row is None:
            raise self._not_legal(message)
        context, state, flight = row.handler(progress.context, message)
        if state not in row.next_states:
            raise InternalError(f"{before} x {type(message).__name__} led to {state}")
        progress.context = context.evolve(transcript=context.transcript + for_transcript) if for_transcript else context
        progress.state = state
        progress.trace.led_to(state)
        for effect in self._tapped(flight) if progress.taps else flight:
            self._do(effect)
        if self._waiting and before is not progress.state and progress.row(Write) is not None:
            self._send_waiting()

    def _not_legal(self, message: Any) -> PuretlsError:
        """An input of our own that is not legal now is the caller's fault, any other the peer's."""
        name, progress = type(message).__name__, self._progress
        if isinstance(message, LocalInput):
            return UsageError(f"{name} is not possible in state {progress.state.name}")
        return progress.unexpected(name, getattr(message, "path_name", ""))

    def write(self, data: bytes) -> None:
        """Send application data; while a renegotiation is under way it waits."""
        if self._progress.row(Write) is None:
            self._waiting.append(data)
        else:
            self.feed(Write(data))

    def close(self) -> None:
        """Send close_notify, after the data that waits."""
        self._ending.closing = True
        if not self._waiting:
            self._ending.send_close_notify()

    def judge(self, report: Any) -> None:
        """Go on with the verifier's report. Its no ends the connection, unless the table has a row for a `Rejection`."""
        progress = self._progress
        self.paused = False
        if report.accepted:
            self.feed(Verdict(report))
        elif progress.row(Rejection) is not None:
            self.feed(Rejection(report))
        else:
            peer = progress.context.peer.evolve(report=report)
            progress.context = progress.context.evolve(peer=peer)
            raise VerificationError(report, report.alert, state=progress.state.name, path=blamed_path(report, peer.chain))

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.feed(Write(data))
        if self._ending.closing:
            self._ending.send_close_notify()

    # Effects

    def _tapped(self, flight: fx.Flight) -> fx.Flight:
        where = self._progress.where(Direction.OUTBOUND, self._outbound.channel.epoch)
        for interceptor in self._progress.taps:
            with calling(f"{type(interceptor).__name__}.flight", interceptor.flight):
                flight = tuple(given(interceptor, "flight", interceptor.flight(flight, where)))
        return flight

    def _do(self, effect: fx.Effect) -> None:
        """The executor of effects, one case each."""
        progress = self._progress
        context = progress.context
        match effect:
            case fx.Send(build, sent):
                self._outbox.send_message(build(context), sent)
            case fx.Emit(make):
                progress.events.append(make(context))
            case fx.Update(change):
                progress.context = change(context)
            case fx.ChangeWriteKeys(make):
                self._change_keys(self._outbound.channel, make(context), context.negotiated.key_limits.send)
            case fx.ChangeReadKeys(make):
                self._change_keys(self._inbound.channel, make(context), context.negotiated.key_limits.receive)
            case fx.Ask(request):
                self._ask(request(context))
            case fx.LogSecret(label, get):
                self._log_secret(label, *get(context))
            case fx.KeepSession(key):
                self._keep_session(key(context))
            case fx.Warn(description):
                self._outbox.send_alert(AlertLevel.WARNING, AlertDescription(description))
            case _:
                raise InternalError(f"no executor for {effect}")

    def _change_keys(self, channel: Channel, protection: Protection, record_size: int) -> None:
        bulk = self._progress.context.suite.bulk
        small_blocks = isinstance(bulk, CbcAlgorithm) and bulk.block_length == 8
        most = self._progress.context.config.limits.bytes_per_key_64 if small_blocks else 2**64
        channel.change(protection, bytes_per_key=most, record_size=record_size)

    def _log_secret(self, label: str, client_random: bytes, secret: bytes) -> None:
        self._progress.tell_watcher("secret", client_random, secret)
        key_log = self._progress.context.config.key_log
        if key_log is not None:
            with calling("key_log", key_log):
                key_log(key_log_line(label, client_random, secret))

    def _keep_session(self, key: bytes) -> None:
        if not self._progress.looks_ahead:
            stores.keep(self._progress.context, key)

    def _ask(self, request: Any) -> None:
        if request is None:
            self.feed(Verdict(None))
            return
        report = consult(self._progress.context.config, request)
        if report is PENDING:
            self.paused = True
            self._progress.events.append(VerificationRequired(request))
        else:
            self.judge(report)
