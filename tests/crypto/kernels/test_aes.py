"""AES: published vectors through every way of computing it, and the ways against each other across the thresholds."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.backends import tlslite_ng
from puretls.crypto.cbc import AES_128_CBC, AES_256_CBC
from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.aes import block as aes_block
from puretls.crypto.kernels.aes import counter as aes_counter
from puretls.crypto.kernels.aes import planes as aes_planes
from puretls.crypto.kernels.aes import rows as aes_rows
from puretls.crypto.kernels.aes.batch import from_planes, keystream_planes, to_planes
from puretls.crypto.kernels.aes.cipher import Aes
from puretls.crypto.kernels.aes.key import expand

NIST = Path(__file__).resolve().parents[3] / "vectors" / "nist"
KEYS = st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32)


def vectors(name):
    return json.loads((NIST / name).read_text())


def by_chains(schedule, blocks):
    """Every block a chain of its own."""
    keys = aes_block.round_keys(schedule)
    return b"".join(aes_block.chain(keys, 0, blocks[i : i + 16]) for i in range(0, len(blocks), 16))


def by_rows(schedule, blocks):
    n = len(blocks) // 16
    return aes_rows.from_state(aes_rows.encrypt(aes_rows.to_state(blocks), aes_rows.round_keys(schedule, n), n), n)


def by_circuit(schedule, blocks):
    n = len(blocks) // 16
    state = aes_rows.encrypt_table_free(aes_rows.to_state(blocks), aes_rows.round_keys(schedule, n), n)
    return aes_rows.from_state(state, n)


def by_32_planes(schedule, blocks):
    n = aes_planes.lanes(len(blocks) // 16)
    rows = aes_planes.row_planes(blocks.ljust(16 * n, b"\0"))
    rows = aes_planes.encrypt_rows(rows, aes_planes.row_key_planes(schedule, n), n)
    return aes_planes.from_row_planes(rows, n)[: len(blocks)]


def by_128_planes(schedule, blocks):
    """Every block its own record."""
    records = [blocks[i : i + 16] for i in range(0, len(blocks), 16)]
    padded = records + [bytes(16)] * (-len(records) % 8)
    planes = aes_planes.encrypt_bytes(to_planes(padded), aes_planes.byte_key_planes(schedule, len(padded)))
    return b"".join(from_planes(planes, len(padded), 1)[: len(records)])


WAYS = [by_chains, by_rows, by_circuit, by_32_planes, by_128_planes]


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("vector", vectors("aes_key_expansion.json"), ids=lambda vector: vector["source"])
def test_key_expansion_ends_as_published(vector, table_free):
    assert expand(bytes.fromhex(vector["key"]), table_free=table_free)[-16:].hex() == vector["last_round_key"]


@given(KEYS)
def test_key_expansion_is_the_same_with_and_without_tables(key):
    assert expand(key) == expand(key, table_free=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vector", vectors("aes_block.json"), ids=lambda vector: vector["source"])
def test_one_block_as_published(vector, way):
    assert way(expand(bytes.fromhex(vector["key"])), bytes.fromhex(vector["plaintext"])).hex() == vector["ciphertext"]


@settings(max_examples=60, deadline=None)
@given(KEYS, st.binary(min_size=1, max_size=40), st.integers(1, 40))
def test_all_ways_agree(key, seed, count):
    schedule = expand(key)
    blocks = (seed * (16 * count))[: 16 * count]
    expected = by_chains(schedule, blocks)
    assert [way(schedule, blocks) for way in WAYS] == [expected] * len(WAYS)


@pytest.mark.parametrize("count", range(1, aes_rows.IN_A_TABLE + 2))
def test_each_small_number_of_blocks_has_its_own_way_and_the_same_result(count):
    """Up to `FEW`, up to `IN_A_TABLE`, and above."""
    blocks = bytes(range(251)) * 2
    schedule = expand(bytes(range(16)))
    assert by_rows(schedule, blocks[: 16 * count]) == by_chains(schedule, blocks[: 16 * count])


@settings(max_examples=40, deadline=None)
@given(KEYS, st.binary(min_size=16, max_size=16 * 33))
def test_decryption_undoes_encryption(key, data):
    blocks = data[: len(data) // 16 * 16]
    n = len(blocks) // 16
    schedule = expand(key)
    state = aes_rows.to_state(by_rows(schedule, blocks))
    keys = aes_rows.round_keys(aes_rows.inverse_schedule(schedule), n)
    assert aes_rows.from_state(aes_rows.decrypt(state, keys, n), n) == blocks
    assert aes_rows.from_state(aes_rows.decrypt_table_free(state, keys, n), n) == blocks


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("vector", vectors("aes_ctr.json"), ids=lambda vector: vector["source"])
def test_counter_mode_as_published(vector, table_free):
    counter, plaintext = bytes.fromhex(vector["counter"]), bytes.fromhex(vector["plaintext"])
    aes = Aes(bytes.fromhex(vector["key"]), table_free=table_free)
    stream = aes.keystream(counter[:13], int.from_bytes(counter[13:]), len(plaintext) // 16)
    assert bytes(a ^ b for a, b in zip(stream, plaintext, strict=True)).hex() == vector["ciphertext"]


THRESHOLDS = (1, 16, thresholds.ROWS_MOST_TABLE_FREE, thresholds.ROWS_MOST, 1024, thresholds.LANES_MOST - 8)
AROUND_THRESHOLDS = sorted({max(1, threshold + d) for threshold in THRESHOLDS for d in (-1, 0, 1, 7, 8)})


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("key_length", [16, 32])
def test_keystream_of_any_length_is_the_start_of_a_longer_one(key_length, table_free):
    aes = Aes(bytes(range(key_length)), table_free=table_free)
    prefix = bytes(range(100, 113))
    longest = b"".join(aes.keystream(prefix, start, 40) for start in range(1, AROUND_THRESHOLDS[-1] + 1, 40))
    for blocks in AROUND_THRESHOLDS:
        assert aes.keystream(prefix, 1, blocks) == longest[: 16 * blocks], blocks


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("records", [1, 2, 7, 8, 9, thresholds.STREAM_RECORDS - 1, thresholds.STREAM_RECORDS, 17, 65])
@pytest.mark.parametrize("blocks", [1, 9, 64])
def test_keystreams_of_many_records_are_those_of_each(records, blocks, table_free):
    aes = Aes(bytes(range(16)), table_free=table_free)
    prefixes = [bytes((i, *range(11), 255 - i)) for i in range(records)]
    assert aes.keystreams(prefixes, 1, blocks) == [aes.keystream(prefix, 1, blocks) for prefix in prefixes]


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("messages", [1, 2, 9])
@pytest.mark.parametrize("algorithm", [AES_128_CBC, AES_256_CBC], ids=lambda algorithm: algorithm.name)
def test_chains_are_those_of_the_reference(algorithm, messages, table_free):
    key = bytes(range(algorithm.key_length))
    ivs = [bytes((i,)) * 16 for i in range(messages)]
    data = [bytes((i, i + 1)) * 40 for i in range(messages)]
    reference = tlslite_ng.cbc(algorithm, key)
    assert Aes(key, table_free=table_free).chain(ivs, data) == [reference.encrypt(iv, x) for iv, x in zip(ivs, data, strict=True)]


def test_prepared_round_keys_stay_within_their_bound():
    aes = Aes(bytes(16))
    for n in range(1, thresholds.ROWS_MOST, 5):
        aes.keystream(bytes(13), 1, n)
        assert sum(aes._row_keys._kept) <= thresholds.ROWS_CACHED
        aes.plane_keys(8 * n)
        assert sum(aes.plane_keys._kept) <= thresholds.LANES_CACHED


@pytest.mark.parametrize("key", [bytes(16), b"\xff" * 16, bytes(range(32))])
def test_key_planes_show_no_key_bits_in_their_length(key):
    schedule = expand(key)
    by_row = {plane.bit_length() for rows in aes_planes.row_key_planes(schedule, 16) for row in rows for plane in row}
    by_byte = {plane.bit_length() for block in aes_planes.byte_key_planes(schedule, 24) for planes in block for plane in planes}
    assert (by_row, by_byte) == ({64}, {25})


def test_keystream_planes_hold_the_first_counter_at_the_top():
    aes = Aes(bytes(16))
    prefixes = [bytes((i,)) * 13 for i in range(8)]
    streams = from_planes(keystream_planes(aes.schedule, prefixes, 1, 3), 8, 4)
    assert [stream[-16:] + stream[:-16] for stream in streams] == [aes.keystream(prefix, 1, 4) for prefix in prefixes]


@pytest.mark.parametrize(
    "start", [0, 1, 255, 256, 64000, aes_counter.COUNTERS_MOST - 1031, aes_counter.COUNTERS_MOST - 1032, 2**24 - 1024]
)
@pytest.mark.parametrize("key", [bytes(16), b"\xff" * 32, bytes(range(16))])
def test_first_round_made_once_for_all_lanes_changes_nothing(key, start):
    aes = Aes(key)
    prefix = bytes(range(200, 213))
    expected = b"".join(aes.keystream(prefix, start + i, 8) for i in range(0, 1016, 8))
    assert aes.keystream(prefix, start, 1016) == expected
    assert aes.keystreams([prefix, prefix[::-1]], start, 1016)[0] == expected
