"""What looking costs: recording a live connection, and explaining what was recorded.

Goals: recording makes a handshake at most 5 % dearer and a transfer of 50 MB at most 10 %; 50 MB of application data are explained in
under 60 s and 400 MB. Both ends are in memory and use real cryptography; contenders take turns.
"""

from __future__ import annotations

import functools
import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.harness import Case, Contender, Options, Row, seconds
from puretls import ClientConfig, Connection, Credential, ServerConfig
from puretls.ca import DevelopmentCa
from puretls.crypto.provider import default
from puretls.inspect import Recorder, record
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import chain_verifier

_NAME = "bench.test"
_PIECE = bytes(2**20)


def cases(options: Options) -> list[Case]:
    """Handshakes, transfers, explanations."""
    setting = Setting()
    size = 10 if options.quick else 50
    return [
        functools.partial(_handshakes, setting, options.rounds(30)),
        functools.partial(_transfers, setting, size, options.rounds(9)),
        functools.partial(_explanation, setting, 0),
        functools.partial(_explanation, setting, size),
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
    rows = [Row("inspect", f"{case}, {name}", size, "ms", times[name] * 1e3) for name in times]
    return [*rows, Row("inspect", f"{case}, recording costs more", size, "%", more)]


def _explanation(setting: Setting, megabytes: int) -> list[Row]:
    """Records and messages, then every leaf of both sides in both views."""
    joined = Joined(setting.client, setting.server)
    recorder = record(joined.client, limit=2**40)
    joined.handshake().download(megabytes)
    seen = recorder.conversation()
    size = f"{megabytes} MB" if megabytes else "a handshake"
    start = time.process_time()
    assert seen.records
    decoded = time.process_time()
    leaves = sum(len(seen.byte_map.leaves(side, view)) for side in ("client", "server") for view in ("wire", "plaintext"))
    mapped = time.process_time()
    return [
        Row("inspect", "conversation decoded", size, "ms", (decoded - start) * 1e3),
        Row("inspect", f"byte map of {leaves} leaves", size, "ms", (mapped - decoded) * 1e3),
        Row("inspect", "peak of the process", size, "MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    ]
