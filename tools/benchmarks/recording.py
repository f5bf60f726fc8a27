"""What it costs to record a live connection.

Goals: a handshake is at most 5 % dearer, a transfer of 50 MB at most 10 %. Both ends are in memory and use real cryptography.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.harness import Case, Contender, Options, Row, seconds
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
    contenders = {name: Contender(functools.partial(run, recorded=name == "recorded")) for name in ("bare", "recorded")}
    times = seconds(contenders, rounds)
    more = 100 * (times["recorded"] / times["bare"] - 1)
    rows = [Row("recording", f"{case}, {name}", size, "ms", times[name] * 1e3) for name in times]
    return [*rows, Row("recording", f"{case}, recording costs more", size, "%", more)]
