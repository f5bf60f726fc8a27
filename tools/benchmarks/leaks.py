"""How far the time of secret operations depends on the shape of the secret.

    python tools/benchmarks/leaks.py [--rounds N]

Each operation runs with scalars of several shapes in turn. Told are the time of the slowest shape over that of the fastest, in
percent, and as control the same figure for groups of runs with one and the same random scalar: what exceeds the control depends on
the secret. This finds gross differences alone; that it finds none is no promise (see the manual, side channels).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE.parents[1]), *(place for place in sys.path if place != str(HERE))]  # `inspect` there is not Python's

from puretls.crypto.backends import python_ecdsa  # noqa: E402
from puretls.crypto.kernels.ec import montgomery  # noqa: E402
from puretls.crypto.kernels.ec.edwards import edwards  # noqa: E402
from puretls.crypto.kernels.ec.weierstrass import curve  # noqa: E402
from puretls.crypto.kernels.modular import ffdhe, rsa  # noqa: E402
from puretls.crypto.secret import Secret  # noqa: E402

Operation = Callable[[int], object]


def shapes(bits: int) -> dict[str, int]:
    """Scalars of `bits` bits at most, by what is peculiar to them."""
    full = (1 << bits) - 1
    random = int.from_bytes(hashlib.shake_256(b"scalar").digest(bits // 8), "big")
    return {
        "random": random,
        "16 bits short": random >> 16,
        "64 bits short": random >> 64,
        "half as long": random >> bits // 2,
        "one bit": 1 << (bits - 2),
        "all ones": full >> 1,
        "alternating": full // 3,
    }


def quartiles(run: Callable[[int], object], scalars: Mapping[str, int], rounds: int) -> dict[str, float]:
    """Processor time for each scalar in microseconds, in turns; the lower quartile, which other load disturbs least."""
    times: dict[str, list[float]] = {name: [] for name in scalars}
    for turn in range(rounds + 2):
        for name, scalar in scalars.items():
            start = time.process_time()
            run(scalar)
            if turn >= 2:
                times[name].append(time.process_time() - start)
    return {name: statistics.quantiles(values, n=4)[0] * 1e6 for name, values in times.items()}


def spread(figures: Mapping[str, float]) -> float:
    """Slowest over fastest, in percent above 1."""
    return 100 * (max(figures.values()) / min(figures.values()) - 1)


def operations() -> dict[str, tuple[int, Operation, int]]:
    """Name: (bits of the scalar, the operation, how many rounds for one of the default)."""
    p256, ed25519, x25519 = curve("secp256r1"), edwards("edwards25519"), montgomery.group("x25519")
    reference, old = python_ecdsa.EC_CURVES["secp256r1"].generator, python_ecdsa.group("x25519")
    peer = p256.multiply_base(12345, 1)
    assert peer is not None
    library = python_ecdsa.ellipticcurve
    peer_point = library.PointJacobi.from_affine(library.Point(python_ecdsa.EC_CURVES["secp256r1"].curve, *peer))
    peer_u = x25519.public_value(bytes(32), os.urandom)
    field = ffdhe.named("ffdhe2048")
    key = rsa.generate(2048, os.urandom)

    def blind() -> int:
        return int.from_bytes(os.urandom(32), "big") % p256.p or 1

    def rsa_with(exponent: int) -> object:
        return pow(3, exponent, key.p)

    def rsa_with_message(message: int) -> object:
        return rsa.private_operation(key, message % key.public.n, os.urandom)

    def little(scalar: int) -> Secret:
        return Secret(scalar.to_bytes(32, "little"))

    return {
        "P-256 base (key, ECDSA nonce), comb": (256, lambda k: p256.multiply_base(k % p256.n, blind()), 2),
        "  the same by python-ecdsa": (256, lambda k: reference * (k % p256.n), 2),
        "P-256 shared, fixed window": (256, lambda k: p256.multiply(k % p256.n, peer, blind()), 1),
        "  the same (shared) by python-ecdsa": (256, lambda k: peer_point * (k % p256.n), 1),
        "edwards25519 base (Ed25519, X25519 key), comb": (252, lambda k: ed25519.multiply_base(k, blind()), 2),
        "X25519 shared, ladder": (255, lambda k: x25519.multiply(little(k), peer_u), 1),
        "  the same by tlslite-ng": (255, lambda k: old.shared_secret(little(k), peer_u), 1),
        "RSA-2048 private, by message": (2048, rsa_with_message, 0),
        "RSA-2048 half, pow by exponent": (1024, rsa_with, 1),
        "ffdhe2048, pow by exponent": (225, lambda k: pow(7, k | 1 << 224, field.p), 1),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="runs for each shape (default 200)")
    rounds = parser.parse_args(arguments).rounds
    print(f"Python {sys.version.split()[0]}, {rounds} rounds, load {os.getloadavg()[0]:.1f}; spread in percent, figures in us\n")
    print(f"{'operation':46} {'spread':>7} {'control':>8}  fastest, slowest shape")
    for name, (bits, run, weight) in operations().items():
        turns = max(5, rounds * weight if weight else rounds // 4)
        by_shape = shapes(bits)
        figures = quartiles(run, by_shape, turns)
        control = quartiles(run, dict.fromkeys(map(str, by_shape), by_shape["random"]), turns)
        fastest, slowest = min(figures, key=figures.__getitem__), max(figures, key=figures.__getitem__)
        ends = f"{fastest} {figures[fastest]:.0f}, {slowest} {figures[slowest]:.0f}"
        print(f"{name:46} {spread(figures):6.1f}% {spread(control):7.1f}%  {ends}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
