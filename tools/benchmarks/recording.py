"""What it costs to record a live connection.

Goals: a handshake is at most 5 % dearer, a transfer of 50 MB at most 10 %. Both ends are in memory and use real cryptography.
"""

from __future__ import annotations

import functools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.harness import Case, Options, Row
from puretls import ClientConfig, Connection, Credential, ServerConfig
from puretls.ca import DevelopmentCa
from puretls.crypto.provider import default
from puretls.inspect import Recorder
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import chain_verifier

_NAME = "bench.test"
_PIECE = bytes(2**20)


def cases(options: Options) -> list[Case]:
    """Handshakes and transfers, bare and recorded."""
    setting = Setting()
    size = 10 if options.quick else 50
    return [
        functools.partial(_handshakes, setting, options.rounds(300)),
        functools.partial(_transfers, setting, size, options.rounds(9)),
    ]


class Setting:
    """Two configurations that fit."""

    def __init__(self) -> None:
        ca = DevelopmentCa.create(os.urandom, time.time())
        issued = ca.issue([_NAME])
        self.client = ClientConfig(verifier=chain_verifier(load_certificates(ca.root_pem), provider=default()))
        self.recorded = replace(self.client, watcher=Recorder)
        self.server = ServerConfig(credentials=(Credential(issued.chain, issued.key),))


class Joined:
    """A handshake in memory."""

    def __init__(self, client: ClientConfig, server: ServerConfig) -> None:
        self.client, self.server = Connection.client(client, _NAME), Connection.server(server)

    def handshake(self) -> Joined:
        self.client.start()
        while self._turn(self.client, self.server) | self._turn(self.server, self.client):
            pass
        return self

    def _turn(self, near: Connection, far: Connection) -> bool:
        data = near.bytes_to_send()
        if data:
            far.receive_bytes(data)
        while far.next_event().__class__.__name__ != "Sentinel":
            pass
        return bool(data)

    def download(self, megabytes: int) -> None:
        for _ in range(megabytes):
            self.server.send(_PIECE)
            self._turn(self.server, self.client)


def _handshakes(setting: Setting, rounds: int) -> list[Row]:
    def run(*, recorded: bool) -> None:
        Joined(setting.recorded if recorded else setting.client, setting.server).handshake()

    return _compared("handshake, both sides", "", rounds, run)


def _transfers(setting: Setting, megabytes: int, rounds: int) -> list[Row]:
    def run(*, recorded: bool) -> None:
        Joined(setting.recorded if recorded else setting.client, setting.server).handshake().download(megabytes)

    return _compared("download, both sides", f"{megabytes} MB", rounds, run)


def _compared(case: str, size: str, rounds: int, run: Callable[..., None]) -> list[Row]:
    """Medians, and the median of how much more each recorded run costs than its neighbour: the load of a machine changes more slowly."""
    run(recorded=True)
    pairs = [_pair(run, recorded_first=bool(turn % 2)) for turn in range(rounds)]
    medians = [statistics.median(times) for times in zip(*pairs, strict=True)]
    more = 100 * (statistics.median(recorded / bare for bare, recorded in pairs) - 1)
    rows = [Row("recording", f"{case}, {name}", size, "ms", took * 1e3) for name, took in zip(("bare", "recorded"), medians, strict=True)]
    return [*rows, Row("recording", f"{case}, recording costs more", size, "%", more)]


def _pair(run: Callable[..., None], *, recorded_first: bool) -> tuple[float, float]:
    """Processor time of a bare run and of a recorded one, one right after the other."""
    times = {}
    for recorded in (recorded_first, not recorded_first):
        start = time.process_time()
        run(recorded=recorded)
        times[recorded] = time.process_time() - start
    return times[False], times[True]
