"""AES in CBC mode: SP 800-38A and CAVP vectors, and the thresholds of decryption."""

import json
from pathlib import Path

import pytest

from puretls.crypto.cbc import AES_128_CBC, AES_256_CBC
from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.modes.cbc import AesCbc

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors/nist/aes_cbc.json").read_text())


def keyed(key, table_free):
    return AesCbc({16: AES_128_CBC, 32: AES_256_CBC}[len(key)], key, table_free=table_free)


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
def test_published_vector(vector, table_free):
    key, iv, plaintext, ciphertext = (bytes.fromhex(vector[name]) for name in ("key", "iv", "plaintext", "ciphertext"))
    assert keyed(key, table_free).encrypt(iv, plaintext) == ciphertext
    assert keyed(key, table_free).decrypt(iv, ciphertext) == plaintext


THRESHOLDS = (16, thresholds.DECRYPT_ROWS_MOST_TABLE_FREE, thresholds.DECRYPT_ROWS_MOST, thresholds.LANES_MOST - 8)


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("key_length", [16, 32])
def test_decryption_of_any_length_undoes_encryption(key_length, table_free):
    key, iv = bytes(range(key_length)), bytes(range(16))
    longest = bytes(range(251)) * (16 * (thresholds.LANES_MOST + 16) // 251)
    longest = longest[: len(longest) // 16 * 16]
    sealed = keyed(key, False).encrypt(iv, longest)
    cipher = keyed(key, table_free)
    for length in sorted({16 * (threshold + d) for threshold in THRESHOLDS for d in (-1, 0, 1, 7, 8)} | {0, 16, len(longest)}):
        assert cipher.decrypt(iv, sealed[:length]) == longest[:length], length
