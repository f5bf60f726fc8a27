"""What the protocol costs apart from cryptography: both ends use the provider that protects nothing (`danger`).

Goals: at most 1.0 ms a side for a full handshake, 0.25 ms for a resumed one, 0.1 ms for a record of application data.
"""

from __future__ import annotations

import functools
import os
import statistics
import time

from benchmarks.harness import Case, Options, Row
from puretls import NEED_DATA, ClientConfig, Connection, Credential, ServerConfig, TicketKeys, danger
from puretls.ca import DevelopmentCa

_NAME = "bench.test"


def cases(options: Options) -> list[Case]:
    """Full and resumed handshakes, records of two sizes."""
    setting = Setting()
    rounds = options.rounds(300)
    return [
        functools.partial(_handshakes, setting, rounds, "full"),
        functools.partial(_handshakes, setting, rounds, "resumed by ticket"),
        functools.partial(_records, setting, rounds, 64),
        functools.partial(_records, setting, rounds, 16384),
    ]


class Setting:
    """Two configurations that fit."""

    def __init__(self) -> None:
        provider = danger.no_security_provider()
        issued = DevelopmentCa.create(os.urandom, time.time()).issue([_NAME])
        self.client = ClientConfig(provider=provider, verifier=danger.accept_any_chain)
        self.server = ServerConfig(
            provider=provider, credentials=(Credential(issued.chain, issued.key),), tickets=TicketKeys(provider=provider)
        )


class Pair:
    """A handshake between two connections, with the processor seconds of each side."""

    def __init__(self, setting: Setting, session: object = None) -> None:
        self.seconds = {"client": 0.0, "server": 0.0}
        start = time.process_time()
        self.client = Connection.client(setting.client, _NAME, session)
        self.client.start()
        hello = self.client.bytes_to_send()
        self.seconds["client"] += time.process_time() - start
        start = time.process_time()
        self.server = Connection.server(setting.server)
        self.seconds["server"] += time.process_time() - start
        answer = self._turn("server", self.server, hello)
        answer = self._turn("client", self.client, answer)
        answer = self._turn("server", self.server, answer)
        self._turn("client", self.client, answer)

    def _turn(self, side: str, connection: Connection, data: bytes) -> bytes:
        start = time.process_time()
        if data:
            connection.receive_bytes(data)
            drain(connection)
        out = connection.bytes_to_send()
        self.seconds[side] += time.process_time() - start
        return out


def drain(connection: Connection) -> None:
    """Take all events."""
    while connection.next_event() is not NEED_DATA:
        pass


def _handshakes(setting: Setting, rounds: int, kind: str) -> list[Row]:
    session = Pair(setting).client.session if kind != "full" else None
    runs = [Pair(setting, session) for _ in range(rounds)]
    assert all(run.client.negotiated.resumed == (kind != "full") for run in runs)
    return [
        Row("overhead", f"{kind} handshake, {side}", "", "ms", statistics.median(run.seconds[side] for run in runs) * 1e3)
        for side in ("client", "server")
    ]


def _records(setting: Setting, rounds: int, size: int) -> list[Row]:
    pair, data = Pair(setting), bytes(size)
    sent, received = [], []
    for _ in range(rounds):
        start = time.process_time()
        pair.client.send(data)
        wire = pair.client.bytes_to_send()
        middle = time.process_time()
        pair.server.receive_bytes(wire)
        drain(pair.server)
        sent.append(middle - start)
        received.append(time.process_time() - middle)
    return [
        Row("overhead", f"record {verb}", str(size), "ms", statistics.median(times) * 1e3)
        for verb, times in (("sent", sent), ("received", received))
    ]
