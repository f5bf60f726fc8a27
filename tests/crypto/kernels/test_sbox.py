"""The S-box circuits, on all 256 inputs at once."""

import subprocess
import sys

import pytest

from puretls.crypto.kernels.aes.tables import DOUBLE, SBOX, inverse_tables
from puretls.crypto.kernels.generated import aes_sbox as sbox

LANES = range(256)


def in_lanes(circuit, constant):
    """The circuit's value for every byte."""
    planes = [sum((x >> bit & 1) << x for x in LANES) for bit in range(8)]
    result = circuit(*planes)
    return [sum((result[bit] >> x & 1) << bit for bit in range(8)) ^ constant for x in LANES]


def multiple(x, factor):
    """FIPS 197 4.2."""
    product = 0
    while factor:
        product ^= x if factor & 1 else 0
        x, factor = x << 1 ^ (0x11B if x & 0x80 else 0), factor >> 1
    return product


def test_tables_hold_multiples_and_the_inverse():
    assert list(DOUBLE) == [multiple(x, 2) for x in LANES]
    inverse, *tables = inverse_tables()
    assert [SBOX[y] for y in inverse] == list(LANES)
    for factor, after_inverse in zip((14, 11, 13, 9), tables, strict=True):
        assert list(after_inverse) == [multiple(inverse[x], factor) for x in LANES]


def s_box_by_definition(x):
    """FIPS 197 5.1.1: the inverse in GF(2^8), then the affine map."""
    inverse = next((y for y in LANES if multiple(x, y) == 1), 0)
    rotations = [(inverse << k | inverse >> 8 - k) & 0xFF for k in range(5)]
    return rotations[0] ^ rotations[1] ^ rotations[2] ^ rotations[3] ^ rotations[4] ^ 0x63


def test_table_is_the_inverse_and_the_affine_map():
    assert list(SBOX) == [s_box_by_definition(x) for x in LANES]


def test_circuit_gives_the_s_box_but_for_its_constant():
    assert in_lanes(sbox.sub, 0x63) == list(SBOX)


def test_inverse_circuit_undoes_the_circuit():
    values = in_lanes(sbox.inverse_sub, 0)
    assert [values[SBOX[x] ^ 0x63] for x in LANES] == list(LANES)


@pytest.mark.parametrize("tool", ["gen_sbox.py", "gen_chacha20.py"])
def test_generated_module_is_what_its_tool_writes(root, tool):
    assert subprocess.run([sys.executable, str(root / "tools" / tool), "--check"], check=False).returncode == 0
