"""An end of puretls that notes what happens to it, so that a tape can tell it."""

from __future__ import annotations

from puretls.connection import Connection
from puretls.inspect.peer import MemoryPeer
from puretls.inspect.streams import other
from puretls.inspect.tape import Step


class Noted(MemoryPeer):
    """Notes `steps` as a tape has them: what the other end sent is injected, what this one said is taken at once."""

    def __init__(self, connection: Connection, side: str) -> None:
        super().__init__(connection)
        self.side: str = side
        self.steps: list[Step] = []

    def receive(self, data: bytes) -> None:
        self.steps.append(Step("inject", other(self.side), data))
        super().receive(data)

    def take(self) -> bytes:
        data = super().take()
        if data:
            self.steps.append(Step("deliver", self.side))
        return data

    def eof(self) -> None:
        self.steps.append(Step("end", other(self.side)))
        super().eof()

    def start(self) -> None:
        self.steps.append(Step("start"))
        super().start()

    def send(self, data: bytes) -> None:
        self.steps.append(Step("send", self.side, data))
        super().send(data)

    def close(self) -> None:
        self.steps.append(Step("close", self.side))
        super().close()

    def abort(self) -> None:
        self.steps.append(Step("abort", self.side))
        super().abort()
