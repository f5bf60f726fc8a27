"""What the operations that are slowest, beside the libraries', are made of: the steps of a record and of a signature, each alone.

One step by itself finds its own data in the processor's caches, so that the steps come to less than the whole.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping

from benchmarks.harness import Case, Contender, Options, Row, seconds
from puretls.crypto.aead import AES_128_GCM
from puretls.crypto.kernels.aes import block as aes_block
from puretls.crypto.kernels.aes import counter as aes_counter
from puretls.crypto.kernels.aes import planes as aes_planes
from puretls.crypto.kernels.aes.cipher import Aes
from puretls.crypto.kernels.ec import combs, ecdsa
from puretls.crypto.kernels.ec.weierstrass import curve
from puretls.crypto.kernels.generated.aes_rounds import middle_rounds
from puretls.crypto.kernels.generated.p256 import CONSTANTS, accumulate
from puretls.crypto.kernels.ghash.parity import ParityMasks
from puretls.crypto.kernels.modes.gcm import AesGcm

RECORD, BLOCKS = 2**14, 2**10
AAD = 13
"""Bytes of additional data."""
Steps = Mapping[str, tuple[Callable[[], object], float]]
"""Step: what does it, and how often one call does it."""


def cases(options: Options) -> list[Case]:
    """One record by AES-128-GCM, AES in a chain, ECDSA and its two operations."""
    return [functools.partial(_rows, part, options) for part in (_gcm, _chain, _signatures)]


def _rows(part: Callable[[], tuple[str, str, Steps]], options: Options) -> list[Row]:
    name, size, steps = part()
    contenders = {step: Contender(run, amount) for step, (run, amount) in steps.items()}
    taken = seconds(contenders, options.rounds(30))
    return [Row("steps", f"{name}: {step}", size, "us", taken[step] * 1e6) for step in steps]


def _gcm() -> tuple[str, str, Steps]:
    key, body, aad, nonce = os.urandom(16), os.urandom(RECORD), os.urandom(AAD), os.urandom(12)
    cipher = AesGcm(AES_128_GCM, key, table_free=False, read_ahead=0)
    for _ in range(24):
        cipher.seal(nonce, body, aad)  # until it has masks
    aes, lanes = Aes(key), aes_planes.lanes(BLOCKS + 1)
    prefix, keys = nonce + b"\0", aes.plane_keys(lanes)
    second = aes_counter.first_round(aes.schedule, prefix, 1, lanes)
    planes = aes_planes.rounds(second, keys[2:], lanes)
    h = int.from_bytes(aes.encrypt_blocks(bytes(16)))
    masks = ParityMasks(h, cipher._ghash.times_h)
    hashed = aad.ljust(16, b"\0") + body + bytes(16)
    masks.hash(0, hashed)
    steps: Steps = {
        "whole": (lambda: cipher.seal(nonce, body, aad), 1),
        "first round": (lambda: aes_counter.first_round(aes.schedule, prefix, 1, lanes), 1),
        "eight middle rounds": (lambda: middle_rounds(second, keys[2:-1], lanes), 1),
        "middle rounds and last": (lambda: aes_planes.rounds(second, keys[2:], lanes), 1),
        "planes to bytes": (lambda: aes_planes.from_row_planes(planes, lanes), 1),
        "GHASH": (lambda: masks.hash(0, hashed), 1),
    }
    return "AES-128-GCM", str(RECORD), steps


def _chain() -> tuple[str, str, Steps]:
    keys, body = aes_block.round_keys(Aes(os.urandom(16)).schedule), os.urandom(RECORD)
    return "AES-128-CBC, encryption", "16", {"a block": (lambda: aes_block.chain(keys, 0, body), BLOCKS)}


def _signatures() -> tuple[str, str, Steps]:
    on = curve("secp256r1")
    x, y = on.base
    point, entry = (x, 2 * y % on.p, 1), (x, 2 * y % on.p)
    start = accumulate(point, [(5, ())], CONSTANTS)
    signed = []
    for _ in range(3):
        key, message = ecdsa.generate(on.name, os.urandom), os.urandom(64)
        signed.append((key.public, "sha256", message, ecdsa.sign(key, "sha256", message, os.urandom)))

    def together(count: int) -> None:
        combs.clear()
        assert ecdsa.verify_together(signed[:count], os.urandom)

    def alone() -> None:
        combs.clear()
        assert ecdsa.verify(*signed[0])

    steps: Steps = {
        "a doubling": (lambda: accumulate(start, [(256, ())], CONSTANTS), 256),
        "an addition": (lambda: accumulate(start, [(0, [entry] * 64)], CONSTANTS), 64),
        "a signature": (alone, 1),
        "two signatures together": (lambda: together(2), 1),
        "three signatures together": (lambda: together(3), 1),
    }
    return "P-256", "", steps
