"""AES-GCM: CAVP vectors, batches, and what is prepared ahead."""

import json
from pathlib import Path

import pytest

from puretls.crypto.aead import AES_128_GCM, AES_256_GCM
from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.ghash import parity as ghash_parity
from puretls.crypto.kernels.modes.gcm import AesGcm

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors/nist/aes_gcm.json").read_text())


def keyed(key, table_free=False, read_ahead=0):
    algorithm = {16: AES_128_GCM, 32: AES_256_GCM}[len(key)]
    return AesGcm(algorithm, key, table_free=table_free, read_ahead=read_ahead)


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
def test_published_vector(vector, table_free):
    key, nonce, aad, ciphertext, tag = (bytes.fromhex(vector[name]) for name in ("key", "nonce", "aad", "ciphertext", "tag"))
    cipher = keyed(key, table_free)
    if vector["plaintext"] is None:
        assert cipher.open(nonce, ciphertext + tag, aad) is None
    else:
        plaintext = bytes.fromhex(vector["plaintext"])
        assert cipher.seal(nonce, plaintext, aad) == ciphertext + tag
        assert cipher.open(nonce, ciphertext + tag, aad) == plaintext


@pytest.fixture
def early_batches(monkeypatch):
    """Batches of short records, so that the plane path is crossed at many lengths."""
    monkeypatch.setattr(thresholds, "BATCH_BLOCKS", 1)
    monkeypatch.setattr(thresholds, "BATCH_RECORDS", 2)


@pytest.mark.usefixtures("early_batches")
@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("key_length", [16, 32])
@pytest.mark.parametrize("records", [2, 7, 8, 9, 66])
@pytest.mark.parametrize("length", [1, 15, 16, 17, 32, 33, 80, 128, 300])
def test_batch_is_record_by_record(records, length, key_length, table_free):
    cipher = keyed(bytes(range(key_length)), table_free)
    items = [(bytes((i, 7, *range(10))), bytes((i, length % 256)) * length, bytes(i % 50)) for i in range(records)]
    items = [(nonce, plaintext[:length], aad) for nonce, plaintext, aad in items]
    sealed = cipher.seal_many(items)
    assert sealed == [cipher.seal(*item) for item in items]
    records_sealed = [(nonce, body, aad) for body, (nonce, _, aad) in zip(sealed, items, strict=True)]
    assert cipher.open_many(records_sealed) == [plaintext for _, plaintext, _ in items]


@pytest.mark.parametrize("damage", range(0, 16384 + 16, 1821))
def test_one_damaged_record_in_a_batch_fails_alone(damage):
    cipher = keyed(bytes(16))
    items = [(i.to_bytes(12), bytes(16384), bytes(13)) for i in range(16)]
    sealed = cipher.seal_many(items)
    records = [(nonce, body, aad) for body, (nonce, _, aad) in zip(sealed, items, strict=True)]
    nonce, body, aad = records[5]
    records[5] = nonce, body[:damage] + bytes((body[damage] ^ 0x10,)) + body[damage + 1 :], aad
    opened = cipher.open_many(records)
    assert [i for i, plaintext in enumerate(opened) if plaintext is None] == [5]
    assert cipher.open(*records[5]) is None


def test_finished_alone_makes_neither_tables_nor_masks():
    cipher = keyed(bytes(16))
    cipher.seal(bytes(12), bytes(16), bytes(13))
    assert cipher._ghash._tables is None
    assert cipher._ghash._masks is None


AROUND_STEPS = sorted(
    {16 * blocks + d for blocks in ghash_parity.STEPS for d in (-49, -48, -33, -32, -31, -17, -16, -15, 0, 1, 17)}
)


def test_records_around_the_edges_of_the_masks_are_those_of_another_implementation():
    """Lengths at which data or additional data reach into further masks; without tables masks hash all but the shortest."""
    aesgcm = pytest.importorskip("cryptography.hazmat.primitives.ciphers.aead").AESGCM(bytes(16))
    cipher, nonce = keyed(bytes(16), table_free=True), bytes(range(12))
    for length in AROUND_STEPS:
        body = bytes(range(251)) * (length // 251 + 1)
        for aad in (bytes(range(size)) for size in (0, 13, 17, 40)):
            assert cipher.seal(nonce, body[:length], aad) == aesgcm.encrypt(nonce, body[:length], aad), (length, len(aad))
