"""Memory in KiB, by `tracemalloc`: what a connection holds when idle, what a batch takes at its peak, what a key keeps."""

from __future__ import annotations

import functools
import gc
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

from benchmarks.ends import Contender, TlsliteSetting, puretls
from benchmarks.ends import Setting as RealSetting
from benchmarks.handshake import shake_hands
from benchmarks.harness import Case, Options, Row
from benchmarks.overhead import Pair, Setting, drain
from puretls.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, AeadAlgorithm
from puretls.crypto.provider import default

_RECORD, _BATCH = 2**14, 64
_KEYS = 100


def cases(options: Options) -> list[Case]:
    """Connections, then ciphers."""
    ciphers = (AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305)
    keys = [functools.partial(_cipher, algorithm) for algorithm in ciphers]
    return [_idle, functools.partial(_idle_clients, options), *keys, _many_keys, _transfer]


def _row(case: str, count: float, size: str = "") -> Row:
    return Row("memory", case, size, "KiB", count / 1024)


def _held(make: Callable[[], object]) -> tuple[object, int, int]:
    """What `make` gives, what it holds afterwards, and the peak on the way."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    made = make()
    gc.collect()
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return made, now - before, peak - before


def _idle() -> list[Row]:
    """Both ends of a connection after a full handshake, averaged over twenty."""
    setting = Setting()
    rows = []
    for level in ("handshake", "off"):
        setting.client, setting.server = (replace(config, trace_level=level) for config in (setting.client, setting.server))
        Pair(setting)  # what is loaded and cached once is not counted
        _, held, _ = _held(lambda: [Pair(setting) for _ in range(20)])
        rows.append(_row(f"an idle connection, trace {level}", held / 40))
    return rows


def _idle_clients(options: Options) -> list[Row]:
    """Clients after a real handshake, whose servers are gone, beside those of tlslite-ng."""
    setting = RealSetting("ECDHE-ECDSA-P256", "x25519", options)
    theirs = _of_one_client(TlsliteSetting(setting).contender())
    rows = []
    for level in ("handshake", "off"):
        setting.client = replace(setting.client, trace_level=level)
        ours = _of_one_client(puretls(setting, validating=True))
        rows.append(Row("memory", f"an idle client, trace {level}", "", "KiB", ours / 1024, theirs / 1024))
    return rows


def _of_one_client(contender: Contender) -> float:
    """Bytes that a client holds, averaged over twenty, once what is kept for all has been made."""
    shake_hands(contender, 40)

    def shake() -> list[object]:
        return [shake_hands(contender, 1)[1] for _ in range(20)]

    return _held(shake)[1] / 20


def _cipher(algorithm: AeadAlgorithm) -> list[Row]:
    """A key that sealed one short record, then one that sealed a hundred batches; the peak of a batch."""
    provider = default(read_ahead=0)
    provider.aead(algorithm, os.urandom(algorithm.key_length)).seal(bytes(12), bytes(16), b"")
    batch = [(index.to_bytes(12, "big"), bytes(_RECORD), bytes(13)) for index in range(_BATCH)]

    def young() -> object:
        aead = provider.aead(algorithm, os.urandom(algorithm.key_length))
        aead.seal(bytes(12), bytes(16), b"")
        return aead

    def old() -> object:
        aead = provider.aead(algorithm, os.urandom(algorithm.key_length))
        for _ in range(5):
            aead.seal_many(batch)
        for nonce, data, aad in batch:
            aead.seal(nonce, data, aad)
        return aead

    old()
    aead = old()
    _, _, peak = _held(lambda: aead.seal_many(batch))
    return [
        _row(f"{algorithm.name} key after its Finished", _held(young)[1]),
        _row(f"{algorithm.name} key after 6 MB", _held(old)[1]),
        _row(f"{algorithm.name} batch at its peak", peak, f"{_BATCH}x{_RECORD}"),
    ]


def _many_keys() -> list[Row]:
    """What a key holds on a server of many connections that all send record by record."""
    provider = default(read_ahead=0)

    def used() -> object:
        keys = [provider.aead(AES_128_GCM, os.urandom(AES_128_GCM.key_length)) for _ in range(_KEYS)]
        for key in keys:
            for index in range(20):
                key.seal(index.to_bytes(12, "big"), bytes(_RECORD), bytes(13))
        return keys

    return [_row("AES-128-GCM key, one of a hundred after 20 records each", _held(used)[1] / _KEYS)]


def _transfer() -> list[Row]:
    """A megabyte through two connections in one call, records and plaintext included; no cryptography."""
    pair, data = Pair(Setting()), bytes(_BATCH * _RECORD)

    def run() -> None:
        pair.client.send(data)
        pair.server.receive_bytes(pair.client.bytes_to_send())
        drain(pair.server)

    run()
    return [_row("a megabyte through both ends at its peak", _held(run)[2], str(len(data)))]
