"""Every bulk cipher of the default provider: the contract, the thresholds, and agreement with tlslite-ng."""

import hmac
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.aead import AEAD_ALGORITHMS, AeadAlgorithm
from puretls.crypto.backends import tlslite_ng
from puretls.crypto.bulk import kernel_aead, kernel_cbc, kernel_stream
from puretls.crypto.cbc import CBC_ALGORITHMS, NULL_CIPHER, RC4_128, STREAM_ALGORITHMS, CbcAlgorithm, StreamAlgorithm
from puretls.crypto.kernels import thresholds
from puretls.crypto.lengths import MESSAGE_MOST
from puretls.errors import UsageError

BUDGET = 1 << 20
AES_THRESHOLDS = (thresholds.ROWS_MOST_TABLE_FREE, thresholds.ROWS_MOST, thresholds.GHASH_TABLE_AFTER, thresholds.GHASH_PARITY_BLOCKS)
LENGTHS = sorted({max(0, 16 * blocks + d) for blocks in (0, 1, 16, 96, 128, *AES_THRESHOLDS, 1024) for d in (-17, -1, 0, 1)})
lengths = st.integers(0, 200) | st.sampled_from(LENGTHS)
by_name = pytest.mark.parametrize("algorithm", AEAD_ALGORITHMS, ids=lambda algorithm: algorithm.name)
both_forms = pytest.mark.parametrize("table_free", [False, True], ids=["fastest", "table_free"])


def some_bytes(length, seed=0):
    return random.Random(f"{length} {seed}").randbytes(length)


def items_of(algorithm, sizes):
    return [(some_bytes(algorithm.nonce_length, i), some_bytes(size, i), some_bytes(13, i)) for i, size in enumerate(sizes)]


def sealed_items(items, sealed):
    return [(nonce, body, aad) for (nonce, _, aad), body in zip(items, sealed, strict=True)]


@both_forms
@by_name
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), length=lengths, aad_length=st.sampled_from([0, 1, 13, 16, 17, 40]))
def test_seals_and_opens_as_the_reference(algorithm, table_free, seed, length, aad_length):
    key, nonce = some_bytes(algorithm.key_length, seed), some_bytes(algorithm.nonce_length, seed)
    plaintext, aad = some_bytes(length, seed), some_bytes(aad_length, seed)
    kernel, reference = kernel_aead(algorithm, key, table_free=table_free), tlslite_ng.aead(algorithm, key)
    sealed = reference.seal(nonce, plaintext, aad)
    assert kernel.seal(nonce, plaintext, aad) == sealed
    assert kernel.open(nonce, sealed, aad) == plaintext
    damaged = bytearray(sealed)
    damaged[seed % len(damaged)] ^= 1 << seed % 8
    assert kernel.open(nonce, bytes(damaged), aad) is None


@pytest.mark.full
@both_forms
@by_name
@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(0, 20000))
def test_seals_as_the_reference_at_any_length(algorithm, table_free, seed, length):
    key, nonce = some_bytes(algorithm.key_length, seed), some_bytes(algorithm.nonce_length, seed)
    kernel, reference = kernel_aead(algorithm, key, table_free=table_free), tlslite_ng.aead(algorithm, key)
    assert kernel.seal(nonce, some_bytes(length), b"") == reference.seal(nonce, some_bytes(length), b"")


@by_name
def test_reference_opens_what_it_sealed_and_nothing_else(algorithm):
    reference = tlslite_ng.aead(algorithm, some_bytes(algorithm.key_length))
    items = items_of(algorithm, [0, 1, 40])
    sealed = reference.seal_many(items)
    assert reference.open_many(sealed_items(items, sealed)) == [plaintext for _, plaintext, _ in items]
    for nonce, body, aad in sealed_items(items, sealed):
        assert reference.open(nonce, body[:-1] + bytes((body[-1] ^ 1,)), aad) is None
        assert reference.open(nonce, bytes((body[0] ^ 1,)) + body[1:], aad) is None
        assert reference.open(nonce, body, aad + b"x") is None
        assert reference.open(nonce, body[: algorithm.tag_length - 1], aad) is None


SIZES = [0, 5400, 5400, 5, *[5400] * 15, 17, 17, 17, 16384, *[40] * 9]


@both_forms
@by_name
def test_many_are_one_by_one(algorithm, table_free):
    cipher = kernel_aead(algorithm, some_bytes(algorithm.key_length), table_free=table_free)
    sizes = [size for size in SIZES if size < 1000 or not (table_free and "CCM" in algorithm.name)]
    items = items_of(algorithm, sizes)
    sealed = cipher.seal_many(items)
    assert sealed == [cipher.seal(*item) for item in items]
    records = sealed_items(items, sealed)
    assert cipher.open_many(records) == [plaintext for _, plaintext, _ in items]
    for i in (0, 3, 7, len(items) - 1):
        records[i] = (records[i][0], records[i][1][:-1] + bytes((records[i][1][-1] ^ 1,)), records[i][2])
    records[1] = (records[1][0], bytes(algorithm.tag_length - 1), records[1][2])
    assert cipher.open_many(records) == [cipher.open(*record) for record in records]
    assert [i for i, plaintext in enumerate(cipher.open_many(records)) if plaintext is None] == [0, 1, 3, 7, len(items) - 1]


@by_name
def test_none_and_one_are_many_too(algorithm):
    cipher = kernel_aead(algorithm, bytes(algorithm.key_length))
    item = items_of(algorithm, [9])[0]
    assert cipher.seal_many([]) == []
    assert cipher.open_many([]) == []
    assert cipher.seal_many([item]) == [cipher.seal(*item)]


@both_forms
@by_name
@pytest.mark.parametrize("records", [1, 3, 20])
def test_prefetch_changes_nothing_but_the_time(algorithm, table_free, records):
    key = some_bytes(algorithm.key_length)
    ahead, plain = (kernel_aead(algorithm, key, table_free=table_free, read_ahead=budget) for budget in (BUDGET, 0))
    items = items_of(algorithm, [600] * records)
    nonces = [nonce for nonce, _, _ in items]
    sealed = plain.seal_many(items)
    for repeat in range(3):
        ahead.prefetch(nonces, (600, 599, 1000)[repeat])
        assert [ahead.seal(*item) for item in items] == sealed
        ahead.prefetch(nonces[: records // 2], 600)
        assert ahead.seal_many(items) == sealed
        ahead.prefetch(nonces, 600)
        assert ahead.open_many(sealed_items(items, sealed)) == [plaintext for _, plaintext, _ in items]


@by_name
def test_prefetched_keystream_is_bounded_and_forgotten_when_used(algorithm):
    cipher = kernel_aead(algorithm, bytes(algorithm.key_length), read_ahead=10_000)
    store = cipher._prefetched
    cipher.prefetch([some_bytes(12, i) for i in range(50)], 1000)
    assert 0 < sum(map(len, store._kept.values())) == store._used <= 10_000
    cipher.prefetch([some_bytes(12, i) for i in range(50, 60)], 3000)
    assert 0 < sum(map(len, store._kept.values())) == store._used <= 10_000
    cipher.prefetch([bytes(12)] * 3, 100)
    assert sum(map(len, store._kept.values())) == store._used
    for nonce in list(store._kept):
        cipher.seal(nonce, b"x", b"")
    assert (store._kept, store._used) == ({}, 0)
    cipher.prefetch([some_bytes(12)], 20_000)
    assert store._kept == {}


@by_name
def test_read_ahead_of_zero_keeps_nothing(algorithm):
    cipher = kernel_aead(algorithm, bytes(algorithm.key_length), read_ahead=0)
    cipher.prefetch([bytes(12)], 100)
    assert cipher._prefetched._kept == {}


@by_name
@pytest.mark.parametrize("make", [kernel_aead, tlslite_ng.aead], ids=["kernel", "reference"])
def test_wrong_lengths_are_usage_errors(algorithm, make):
    for length in (0, algorithm.key_length - 1, algorithm.key_length + 1, 24):
        with pytest.raises(UsageError, match="key"):
            make(algorithm, bytes(length))
    cipher = make(algorithm, bytes(algorithm.key_length))
    for length in (0, 8, 11, 13, 16):
        for call in (cipher.seal, cipher.open):
            with pytest.raises(UsageError, match="nonce"):
                call(bytes(length), bytes(40), b"")
        for call in (cipher.seal_many, cipher.open_many):
            with pytest.raises(UsageError, match="nonce"):
                call([(bytes(12), bytes(40), b""), (bytes(length), bytes(40), b"")])


@by_name
def test_messages_no_record_could_hold_are_usage_errors(algorithm):
    cipher = kernel_aead(algorithm, bytes(algorithm.key_length))
    with pytest.raises(UsageError, match="at once"):
        cipher.seal(bytes(12), bytes(MESSAGE_MOST + 1), b"")


@by_name
def test_nothing_secret_in_the_repr(algorithm):
    key = b"0123456789abcdefsecret-key-bytes"[: algorithm.key_length]
    cipher = kernel_aead(algorithm, key)
    cipher.seal(bytes(12), b"plaintext", b"")
    assert key.decode() not in repr(cipher)
    assert key.hex() not in repr(cipher)
    assert not hasattr(cipher, "__dict__")


@by_name
def test_tags_are_compared_without_a_shortcut(algorithm, monkeypatch):
    """`==` stops at the first difference; every way to open must go through `hmac.compare_digest`."""
    seen = []
    original = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: seen.append((a, b)) or original(a, b))
    cipher = kernel_aead(algorithm, bytes(algorithm.key_length))
    items = items_of(algorithm, [8000] * thresholds.BATCH_RECORDS)
    records = sealed_items(items, cipher.seal_many(items))
    assert cipher.open(*records[0]) == items[0][1]
    assert len(seen) == 1
    cipher.open_many(records)
    assert len(seen) == 1 + len(records)


TABLE_FREE_WITHOUT_TABLES = """
import sys
for name in ("aes.tables", "aes.block", "ghash.table"):
    sys.modules["puretls.crypto.kernels." + name] = None  # any import of it fails
from puretls.crypto.aead import AEAD_ALGORITHMS
from puretls.crypto.bulk import kernel_aead, kernel_cbc
from puretls.crypto.cbc import AES_128_CBC, AES_256_CBC
for algorithm in AEAD_ALGORITHMS:
    cipher = kernel_aead(algorithm, bytes(algorithm.key_length), table_free=True)
    for size, count in ((16, 1), (1000, 2), (9000, 1), (9000, 12 if "GCM" in algorithm.name else 1)):
        items = [(bytes(12), bytes(size), bytes(13))] * count
        opened = [(nonce, body, aad) for body, (nonce, _, aad) in zip(cipher.seal_many(items), items)]
        assert cipher.open_many(opened) == [bytes(size)] * count
for algorithm in (AES_128_CBC, AES_256_CBC):
    cipher = kernel_cbc(algorithm, bytes(algorithm.key_length), table_free=True)
    for blocks in (1, 50, 200):
        assert cipher.decrypt(bytes(16), cipher.encrypt(bytes(16), bytes(16 * blocks))) == bytes(16 * blocks)
"""


def test_table_free_ciphers_never_load_a_table(root):
    subprocess.run([sys.executable, "-c", TABLE_FREE_WITHOUT_TABLES], check=True, cwd=root)


def test_unknown_algorithms_are_usage_errors():
    for make in (kernel_aead, tlslite_ng.aead):
        with pytest.raises(UsageError, match="AES-512"):
            make(AeadAlgorithm("AES-512-GCM", 64, 4, 8, 16, ""), bytes(64))
    for make in (kernel_cbc, tlslite_ng.cbc):
        with pytest.raises(UsageError, match="AES-512"):
            make(CbcAlgorithm("AES-512-CBC", 64, 16), bytes(64))
    for make in (kernel_stream, tlslite_ng.stream):
        with pytest.raises(UsageError, match="RC5"):
            make(StreamAlgorithm("RC5", 16), bytes(16))


by_cbc_name = pytest.mark.parametrize("algorithm", CBC_ALGORITHMS, ids=lambda algorithm: algorithm.name)


@both_forms
@by_cbc_name
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), blocks=st.integers(0, 40) | st.sampled_from([159, 160, 161, 499, 500, 501]))
def test_cbc_is_that_of_the_reference(algorithm, table_free, seed, blocks):
    if algorithm.block_length == 8:
        blocks %= 20  # the reference takes half a millisecond a block
    key, iv = some_bytes(algorithm.key_length, seed), some_bytes(algorithm.block_length, seed)
    data = some_bytes(algorithm.block_length * blocks, seed)
    kernel, reference = kernel_cbc(algorithm, key, table_free=table_free), tlslite_ng.cbc(algorithm, key)
    assert kernel.decrypt(iv, data) == reference.decrypt(iv, data)
    if not (table_free and blocks > 100):
        sealed = reference.encrypt(iv, data)
        assert kernel.encrypt(iv, data) == sealed
        assert kernel.decrypt(iv, sealed) == data


@both_forms
@by_cbc_name
def test_many_of_cbc_are_one_by_one(algorithm, table_free):
    cipher = kernel_cbc(algorithm, some_bytes(algorithm.key_length), table_free=table_free)
    sizes = [0, 1, 1, 2, 5, 5, 5, 5, 30, 30, 30, 0]
    items = [(some_bytes(algorithm.block_length, i), some_bytes(algorithm.block_length * n, i)) for i, n in enumerate(sizes)]
    sealed = cipher.encrypt_many(items)
    assert sealed == [cipher.encrypt(*item) for item in items]
    records = [(iv, body) for (iv, _), body in zip(items, sealed, strict=True)]
    assert cipher.decrypt_many(records) == [data for _, data in items]
    assert cipher.encrypt_many([]) == cipher.decrypt_many([]) == []


@by_cbc_name
@pytest.mark.parametrize("make", [kernel_cbc, tlslite_ng.cbc], ids=["kernel", "reference"])
def test_wrong_lengths_of_cbc_are_usage_errors(algorithm, make):
    with pytest.raises(UsageError, match="key"):
        make(algorithm, bytes(algorithm.key_length - 1))
    cipher = make(algorithm, bytes(algorithm.key_length))
    iv = bytes(algorithm.block_length)
    for call in (cipher.encrypt, cipher.decrypt):
        with pytest.raises(UsageError, match="IV"):
            call(iv[:-1], iv)
        with pytest.raises(UsageError, match="whole blocks"):
            call(iv, iv + b"x")
    for call in (cipher.encrypt_many, cipher.decrypt_many):
        with pytest.raises(UsageError, match="whole blocks"):
            call([(iv, iv), (iv, b"x")])


def test_rc4_goes_on_where_it_stopped():
    """The first vector of RFC 6229 for a key of 128 bits."""
    key = bytes(range(1, 17))
    cipher = kernel_stream(RC4_128, key)
    assert (cipher.apply(bytes(5)) + cipher.apply(bytes(11))).hex() == "9ac7cc9a609d1ef7b2932899cde41b97"
    assert kernel_stream(RC4_128, key).apply(bytes.fromhex("9ac7cc9a609d1ef7b2932899cde41b97")) == bytes(16)


def test_null_cipher_changes_nothing():
    assert kernel_stream(NULL_CIPHER, b"").apply(b"as it is") == b"as it is"


@pytest.mark.parametrize("algorithm", STREAM_ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_stream_keys_of_another_length_are_usage_errors(algorithm):
    with pytest.raises(UsageError, match="key"):
        kernel_stream(algorithm, bytes(algorithm.key_length + 1))


@pytest.mark.full
@both_forms
@by_name
def test_any_mix_of_calls_on_one_key_is_that_of_a_fresh_key(algorithm, table_free, monkeypatch):
    """Read-ahead, batches and single records in any order; thresholds lowered so that a key goes through all its ages."""
    for name, value in (("BATCH_BLOCKS", 40), ("BATCH_RECORDS", 3), ("GHASH_PARITY_AFTER", 3000), ("GHASH_PARITY_BLOCKS", 20)):
        monkeypatch.setattr(thresholds, name, value)
    monkeypatch.setattr(thresholds, "ROWS_MOST", 90)
    chance = random.Random(f"{algorithm.name} {table_free}")
    key = chance.randbytes(algorithm.key_length)
    cipher, reference = kernel_aead(algorithm, key, table_free=table_free, read_ahead=50_000), tlslite_ng.aead(algorithm, key)
    most = 300 if table_free and "CCM" in algorithm.name else 3000
    for _ in range(120):
        nonces = [chance.randbytes(1) * 12 for _ in range(chance.randrange(1, 12))]
        length = chance.choice([0, 1, 16, chance.randrange(most)])
        if chance.random() < 0.5:
            cipher.prefetch(chance.sample(nonces, len(nonces) // 2 + 1), max(0, length + chance.randrange(-20, 60)))
        items = [
            (n, chance.randbytes(length if chance.random() < 0.8 else chance.randrange(90)), chance.randbytes(13)) for n in nonces
        ]
        expected = reference.seal_many(items)
        records = sealed_items(items, expected)
        if chance.random() < 0.5:
            assert cipher.seal_many(items) == expected
            assert cipher.open_many(records) == [plaintext for _, plaintext, _ in items]
        else:
            assert [cipher.seal(*item) for item in items] == expected
            assert [cipher.open(*record) for record in records] == [plaintext for _, plaintext, _ in items]
