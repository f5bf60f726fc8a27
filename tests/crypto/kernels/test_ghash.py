"""GHASH: the product by definition, and tables, parity masks and tree against it."""

import gc
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.ghash import field as ghash_field
from puretls.crypto.kernels.ghash import ghash as ghash_keys
from puretls.crypto.kernels.ghash import parity as ghash_parity
from puretls.crypto.kernels.ghash import table as ghash_table
from puretls.crypto.kernels.ghash import tree as ghash_tree
from puretls.crypto.kernels.ghash.ghash import Ghash

ELEMENTS = st.integers(0, 2**128 - 1)
H = 0x66E94BD4EF8A2C3B884CFA59CA342B2E
AROUND_STEPS = [step + d for step in ghash_parity.STEPS for d in (-1, 0, 1)]


def product(x, y):
    """SP 800-38D 6.3, algorithm 1."""
    z, v = 0, y
    for i in range(128):
        if x >> 127 - i & 1:
            z ^= v
        v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return z


def by_definition(h, y, data):
    for i in range(0, len(data), 16):
        y = product(y ^ int.from_bytes(data[i : i + 16]), h)
    return y


def some_bytes(length):
    return random.Random(length).randbytes(length)


@given(ELEMENTS, ELEMENTS)
def test_product_is_that_of_the_standard(a, b):
    assert ghash_field.multiply(a, b) == product(a, b)


def test_product_holds_the_most_carries():
    ones = 2**128 - 1
    assert ghash_field.multiply(ones, ones) == product(ones, ones)


@settings(max_examples=30, deadline=None)
@given(ELEMENTS, ELEMENTS, st.integers(0, 20))
def test_ways_agree_on_short_messages(h, y, blocks):
    data = some_bytes(16 * blocks)
    expected = by_definition(h, y, data)
    assert ghash_field.update_spread(ghash_field.spread(h), y, data) == expected
    assert ghash_table.update(ghash_table.tables(h), y, data) == expected
    if blocks:
        assert masks_of(h).hash(y, data) == expected


def masks_of(h):
    return ghash_parity.ParityMasks(h, lambda power: ghash_field.multiply(power, h))


@pytest.mark.parametrize("order", [1, -1])
def test_masks_agree_with_tables_across_all_steps(order):
    masks, tables = masks_of(H), ghash_table.tables(H)
    for blocks in [*AROUND_STEPS, 2 * ghash_parity.MAX_BLOCKS + 5][::order]:
        data = some_bytes(16 * blocks)
        assert masks.hash(H ^ 5, data) == ghash_table.update(tables, H ^ 5, data), blocks


@pytest.mark.parametrize("block", [0, 1, 17, 18, 512, 513, 1025])
def test_masks_hold_every_bit_of_a_block(block):
    """The hash is linear, so that the bits of a block, each alone, say all of what its masks do."""
    masks = masks_of(H)
    power = by_definition(H, 0, (1 << 127).to_bytes(16) + bytes(16 * block))
    for bit in range(128):
        assert masks.hash(0, (1 << bit).to_bytes(16) + bytes(16 * block)) == product(1 << bit, power), bit


@settings(max_examples=10, deadline=None)
@given(ELEMENTS, st.sampled_from([1, 2, 8, 16]), st.sampled_from([1, 2, 4, 16]))
def test_tree_adds_blocks_times_powers(h, messages, blocks):
    elements = [[random.Random(f"{h}{k}{n}").getrandbits(128) for n in range(blocks)] for k in range(messages)]
    planes = [
        sum((elements[k][n] >> 127 - i & 1) << n * messages + k for n in range(blocks) for k in range(messages))
        for i in range(128)
    ]
    result = ghash_tree.HashTree(h).reduce(planes, messages, blocks)
    for k in range(messages):
        expected = 0
        for element in elements[k]:
            expected = product(expected, h) ^ element
        assert sum((result[i] >> k & 1) << 127 - i for i in range(128)) == expected


@pytest.mark.parametrize("table_free", [False, True])
def test_key_gives_the_same_at_every_age(table_free, monkeypatch):
    monkeypatch.setattr(thresholds, "GHASH_PARITY_AFTER", 1500)
    ghash, tables = Ghash(H, table_free=table_free), ghash_table.tables(H)
    for blocks in (1, 12, 13, 50, 1, 100, 199, 200, 700, 1026, 3, 201, 1027):
        data = some_bytes(16 * blocks)
        assert ghash.hash(0, data) == ghash_table.update(tables, 0, data), blocks
    assert ghash._masks is not None
    assert (ghash._tables is None) == table_free


def test_key_that_protects_only_a_finished_prepares_nothing():
    ghash = Ghash(H)
    ghash.hash(0, bytes(16 * 3))
    assert (ghash._tables, ghash._masks, ghash._tree) == (None, None, None)


@pytest.fixture
def early_masks(monkeypatch):
    """Masks after a thousand blocks, for three keys at once; what other tests left does not count."""
    monkeypatch.setattr(thresholds, "GHASH_PARITY_AFTER", 1000)
    monkeypatch.setattr(thresholds, "MASK_SETS_MOST", 3)
    monkeypatch.setattr(ghash_keys, "_WITH_MASKS", {})


BULK = bytes(range(16)) * 700


@pytest.mark.usefixtures("early_masks")
def test_masks_of_many_keys_are_bounded_and_stay_with_those_used_last():
    keys = [Ghash(H + i) for i in range(6)]
    expected = [ghash_table.update(ghash_table.tables(key.h), 0, BULK) for key in keys]
    for _ in range(2):
        assert [key.hash(0, BULK) for key in keys] == expected
    assert [key._masks is not None for key in keys] == [False] * 3 + [True] * 3
    keys[3].hash(0, BULK)
    for _ in range(2):
        assert keys[0].hash(0, BULK) == expected[0]
    assert [key._masks is not None for key in keys] == [True, False, False, True, False, True]
    gc.disable()  # no cycles: masks go with their key, not with the next collection
    try:
        del keys
    finally:
        gc.enable()
    assert ghash_keys._WITH_MASKS == {}


@pytest.mark.usefixtures("early_masks")
def test_keys_that_take_turns_do_not_make_masks_each_time(monkeypatch):
    """A key that lost its masks hashes as much as they cost by tables before it makes them again."""
    made = []
    monkeypatch.setattr(ghash_keys, "ParityMasks", lambda h, times_h: made.append(h) or ghash_parity.ParityMasks(h, times_h))
    keys = [Ghash(H + i) for i in range(4)]
    for _ in range(12):
        for key in keys:
            key.hash(0, BULK)
    assert 4 <= len(made) <= 12 * 4 * 700 // 1000


@pytest.mark.usefixtures("early_masks")
def test_table_free_keys_keep_their_masks():
    keys = [Ghash(H + i, table_free=True) for i in range(5)]
    for key in keys:
        key.hash(0, BULK[:320])
    assert all(key._masks is not None for key in keys)


def test_sums_of_the_tree_show_no_key_bits_in_their_length():
    planes = [0b1011, 0, 0b0001, 0b1000]
    assert {x.bit_length() for x in ghash_tree._sums(planes, 1 << 4)} == {5}
    assert ghash_tree.multiply_planes([1] * 128, ghash_tree.matrix(1 << 127), 4) == [1] * 128
