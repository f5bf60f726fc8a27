"""Write `puretls/crypto/kernels/generated/chacha20_rounds.py`: the ten double rounds of ChaCha20 as straight-line code.

python tools/gen_chacha20.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from written import written

TARGET = Path(__file__).resolve().parent.parent / "puretls/crypto/kernels/generated/chacha20_rounds.py"

HEADER = '''"""The rounds of ChaCha20 (RFC 8439 2.3) over many blocks, one word of a block a lane of 40 bits.

Written by tools/gen_chacha20.py; change it there.

Words b and d of a quarter round always come from a masked rotation, so they are clean (below 2^32) when they are added. Words a
and c may therefore gather all forty additions without a mask: they stay below 2^38, and what lies above bit 31 falls to the
masks of the next rotation. The caller takes the low 32 bits of each lane.
"""


from __future__ import annotations

Masks = tuple[int, ...]
"""In every lane the low 16, 20, 12, 24, 8, 25 and 7 bits."""
'''

LANES = '''

def double_rounds(x: list[int], masks: Masks) -> list[int]:
    """All rounds on sixteen words, each with a lane for every block."""
    m16, m20, m12, m24, m8, m25, m7 = masks
    {names} = x
    for _ in range(10):
{body}
    return [{names}]
'''

ROWS = '''

def double_rounds_of_rows(rows: list[int], masks: Masks, word: int) -> list[int]:
    """All rounds on four rows of four words, each word of `word` bits with a lane for every block."""
    m16, m20, m12, m24, m8, m25, m7 = masks
    word2, word3 = 2 * word, 3 * word
    mask1, mask2, mask3 = (1 << word) - 1, (1 << word2) - 1, (1 << word3) - 1
    a, b, c, d = rows
    for _ in range(10):
{column}
        # Diagonals become columns and go back (RFC 8439 2.3): row r turns by r words.
        b = b >> word | (b & mask1) << word3
        c = c >> word2 | (c & mask2) << word2
        d = d >> word3 | (d & mask3) << word
{column}
        b = b >> word3 | (b & mask3) << word
        c = c >> word2 | (c & mask2) << word2
        d = d >> word | (d & mask1) << word3
    return [a, b, c, d]
'''

COLUMNS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
DIAGONALS = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
ROTATIONS = [("a", "b", "d", 16), ("c", "d", "b", 12), ("a", "b", "d", 8), ("c", "d", "b", 7)]


def quarter_round(**names: str) -> str:
    """RFC 8439 2.1 on the named words."""
    lines = []
    for target, addend, turned, by in ROTATIONS:
        t, x, r = names[target], names[addend], names[turned]
        lines += [f"{t} += {x}", f"{r} ^= {t}", f"{r} = ({r} & m{32 - by}) << {by} | {r} >> {32 - by} & m{by}"]
    return "\n".join("        " + line for line in lines)


def main() -> int:
    quarters = [quarter_round(a=f"x{a}", b=f"x{b}", c=f"x{c}", d=f"x{d}") for a, b, c, d in COLUMNS + DIAGONALS]
    names = ", ".join(f"x{i}" for i in range(16))
    source = HEADER + LANES.format(names=names, body="\n".join(quarters))
    source += ROWS.format(column=quarter_round(a="a", b="b", c="c", d="d"))
    return written(TARGET, source)


if __name__ == "__main__":
    sys.exit(main())
