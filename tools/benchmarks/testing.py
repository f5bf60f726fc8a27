"""What `puretls.testing` does in a second of processor time, on the provider that protects nothing.

Goals: 600 hypothesis examples of a hello through a server, 60 whole conversations with hypothesis, 300 without it, each on one core.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.harness import Case, Options, Row
from puretls.testing import adapters, honest, properties
from puretls.testing import strategies as tls
from puretls.testing.properties.conversations import tls_record
from puretls.testing.properties.playing import Meeting


def cases(options: Options) -> list[Case]:
    """Hellos through a server, whole conversations with and without hypothesis, chains and their verdicts."""
    return [
        functools.partial(_drawn, "a hello through a server", tls.client_hellos(), _hello(), options.rounds(3000)),
        functools.partial(_drawn, "a mutated hello through a server", tls.almost(tls.client_hellos()), _mutated(), options.rounds(1500)),
        functools.partial(_drawn, "a whole conversation over a network", tls.wires(), _conversation(), options.rounds(600)),
        functools.partial(_drawn, "a whole conversation with an edit", _edits(), _edited(), options.rounds(600)),
        functools.partial(_drawn, "a chain and its verdict", tls.chains(), lambda chain: chain.verify(), options.rounds(300)),
        functools.partial(_plain, options.rounds(600)),
    ]


def _hello() -> Callable[[Any], object]:
    config = honest.server_config(seed=b"bench")

    def through(hello: Any) -> None:
        peer = honest.peer(config)
        peer.receive(tls_record(hello))
        peer.take()

    return through


def _mutated() -> Callable[[Any], object]:
    config = honest.server_config(seed=b"bench")

    def through(mutated: Any) -> None:
        peer = honest.peer(config)
        peer.receive(mutated.records())
        peer.take()

    return through


def _conversation() -> Callable[[Any], object]:
    server = adapters.puretls("server")
    return lambda wire: Meeting(server, wire=wire).converse()


def _edits() -> Any:
    return properties.tampering_never_completes.cases(adapters.puretls("server"))


def _edited() -> Callable[[Any], object]:
    server = adapters.puretls("server")
    return lambda edit: Meeting(server, edits=(edit,)).converse()


def _drawn(name: str, strategy: Any, work: Callable[[Any], object], count: int) -> list[Row]:
    """Examples a second of processor time, all that hypothesis does included."""

    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def tried(value: Any) -> None:
        work(value)

    start = time.process_time()
    tried()
    return [Row("testing", name, "", "1/s", count / (time.process_time() - start))]


def _plain(count: int) -> list[Row]:
    """Both ends, without hypothesis: handshake, words of both sides, close_notify."""
    configs = honest.client_config(seed=b"bench"), honest.server_config(seed=b"bench")
    start = time.process_time()
    for _ in range(count):
        client, server = map(honest.peer, configs)
        honest.converse(client, server)
        for peer in (client, server):
            peer.send(b"words")
        honest.converse(client, server, begins=False)
        client.close()
        honest.converse(client, server, begins=False)
        assert server.connection.is_closed
    return [Row("testing", "a whole conversation, without hypothesis", "", "1/s", count / (time.process_time() - start))]
