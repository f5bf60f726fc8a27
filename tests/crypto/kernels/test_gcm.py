"""AES-GCM: CAVP vectors, batches, and what is prepared ahead."""

import json
from itertools import accumulate
from pathlib import Path

import pytest

from puretls.crypto.aead import AES_128_GCM, AES_256_GCM
from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.aes.cipher import Aes
from puretls.crypto.kernels.ghash import field as ghash_field
from puretls.crypto.kernels.ghash import parity as ghash_parity
from puretls.crypto.kernels.modes import gcm_record
from puretls.crypto.kernels.modes.gcm import AesGcm
from puretls.crypto.kernels.modes.gcm_lengths import length_block

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


_MOST = 16 * (sum(ghash_parity.CHUNKS) - 1)
AAD_SIZES = (0, 1, 13, 16, 17, 40)
AROUND_EDGES = sorted(
    {16 * blocks + d for blocks in accumulate(ghash_parity.CHUNKS) for d in (-65, -33, -32, -31, -17, -16, -15, -1, 0, 1, 17)}
)


def test_xored_and_hashed_integers_are_the_same_at_every_edge_of_the_masks():
    """Bodies around the ends of the chunks: those that `gcm_record` takes come out as by xor and GHASH one after the other."""
    aes, h = Aes(bytes(16)), int.from_bytes(Aes(bytes(16)).encrypt_blocks(bytes(16)))
    masks = ghash_parity.ParityMasks(h, lambda power: ghash_field.multiply(power, h))
    stream = aes.keystream(bytes(13), 1, 1030)
    taken = 0
    for length in AROUND_EDGES:
        for aad in (bytes(range(size)) for size in AAD_SIZES):
            if gcm_record.fits(length, len(aad)):
                taken += 1
                body = stream[9 : 9 + length]
                xored = bytes(a ^ b for a, b in zip(body, stream[16:], strict=False))
                for sealing, ciphertext in ((True, xored), (False, body)):
                    data = b"".join(
                        [aad, bytes(-len(aad) % 16), ciphertext, bytes(-length % 16), length_block(len(aad), length).to_bytes(16)]
                    )
                    assert gcm_record.crypt(masks, stream, body, aad, sealing=sealing) == (xored, masks.hash(0, data)), (
                        length,
                        len(aad),
                    )
    assert taken > len(AROUND_EDGES)


def test_a_full_record_is_xored_and_hashed_at_once():
    assert gcm_record.fits(16384, 13)
    assert gcm_record.fits(_MOST, 0)
    assert not gcm_record.fits(_MOST + 1, 0)
