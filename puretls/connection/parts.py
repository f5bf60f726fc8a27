"""The parts of a connection, how they are joined, and how they are copied."""

from __future__ import annotations

from typing import NamedTuple

from puretls.connection.ending import Ending
from puretls.connection.inbox import Inbox
from puretls.connection.machine import Machine
from puretls.connection.outbox import Outbox
from puretls.connection.progress import Progress
from puretls.connection.transfer import Inbound, Outbound
from puretls.handshake.context import Context
from puretls.handshake.states import State
from puretls.record.channel import Channel


class Parts(NamedTuple):
    """Each part knows those in front of it, and none behind it."""

    progress: Progress
    inbound: Inbound
    outbound: Outbound
    outbox: Outbox
    ending: Ending
    machine: Machine
    inbox: Inbox

    @classmethod
    def join(cls, context: Context, state: State) -> Parts:
        """The parts of a connection that begins here."""
        records_per_key = context.config.limits.records_per_key
        progress = Progress(context, state)
        inbound, outbound = Inbound(progress, Channel(records_per_key)), Outbound(progress, Channel(records_per_key))
        outbox = Outbox(progress, outbound)
        ending = Ending(progress, outbox)
        machine = Machine(progress, inbound, outbound, outbox, ending)
        return cls(progress, inbound, outbound, outbox, ending, machine, Inbox(progress, inbound, machine, ending))

    def fork(self) -> Parts:
        """Copies that go on by themselves and look ahead."""
        progress = self.progress.fork()
        inbound, outbound = self.inbound.fork(progress), self.outbound.fork(progress)
        outbox = self.outbox.fork(progress, outbound)
        ending = self.ending.fork(progress, outbox)
        machine = self.machine.fork(progress, inbound, outbound, outbox, ending)
        return Parts(progress, inbound, outbound, outbox, ending, machine, self.inbox.fork(progress, inbound, machine, ending))
