"""Write `puretls/crypto/kernels/generated/poly1305_steps.py`: many blocks of Poly1305 a step, as straight-line code.

python tools/gen_poly1305.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from written import written

TARGET = Path(__file__).resolve().parent.parent / "puretls/crypto/kernels/generated/poly1305_steps.py"
SIZES = (8, 16)
PER_LINE = 4

HEADER = '''"""The polynomial of Poly1305 (RFC 8439 2.5) over many blocks a step, with the powers of r made for the message.

Written by tools/gen_poly1305.py; change it there.

A block m = l + 2^64 h + 2^128 gives l r^i + h (2^64 r^i mod p) + 2^128 r^i.
"""

# ruff: noqa: E501

from __future__ import annotations

from struct import iter_unpack

P = (1 << 130) - 5
'''

STEPS = '''

def by_{n}(r: int, data: bytes) -> int:
    """The value after messages of {n} k blocks."""
    powers = [r]
    for _ in range({last}):
        powers.append(powers[-1] * r % P)
    {rs} = reversed(powers)
    {ss} = [(power << 64) % P for power in reversed(powers)]
    ones = (sum(powers) << 128) % P
    a = 0
    for {names} in iter_unpack("<{words}Q", data):
        a = a * r{n} + {first}
{middle}
        a = (a + {end} + ones) % P
    return a
'''


def steps(n: int) -> str:
    blocks = range(n, 0, -1)
    terms = [f"l{i} * r{i} + h{i} * s{i}" for i in blocks]
    lines = [" + ".join(terms[i : i + PER_LINE]) for i in range(0, n, PER_LINE)]
    return STEPS.format(
        n=n,
        last=n - 1,
        words=2 * n,
        rs=", ".join(f"r{i}" for i in blocks),
        ss=", ".join(f"s{i}" for i in blocks),
        names=", ".join(f"l{i}, h{i}" for i in blocks),
        first=lines[0],
        middle="\n".join(f"        a += {line}" for line in lines[1:-1]),
        end=lines[-1],
    ).replace("\n\n        a = (a", "\n        a = (a")


def main() -> int:
    source = HEADER + "".join(map(steps, SIZES))
    return written(TARGET, source)


if __name__ == "__main__":
    sys.exit(main())
