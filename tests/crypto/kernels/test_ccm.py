"""AES-CCM: SP 800-38C and CAVP vectors, and RFC 3610 through its parts."""

import json
from pathlib import Path

import pytest

from puretls.crypto.aead import AES_128_CCM, AES_128_CCM_8, AES_256_CCM, AES_256_CCM_8
from puretls.crypto.kernels.aes.cipher import Aes
from puretls.crypto.kernels.modes.ccm import AesCcm
from puretls.errors import UsageError

VECTORS = Path(__file__).resolve().parents[3] / "vectors"
ALGORITHMS = {(a.key_length, a.tag_length): a for a in (AES_128_CCM, AES_128_CCM_8, AES_256_CCM, AES_256_CCM_8)}


def load(name):
    return json.loads((VECTORS / name).read_text())


def decoded(vector):
    return [bytes.fromhex(vector[name]) for name in ("key", "nonce", "aad", "plaintext", "ciphertext", "tag")]


@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("vector", load("nist/aes_ccm.json"), ids=lambda vector: vector["source"])
def test_published_vector(vector, table_free):
    key, nonce, aad, plaintext, ciphertext, tag = decoded(vector)
    cipher = AesCcm(ALGORITHMS[len(key), len(tag)], key, table_free=table_free, read_ahead=0)
    assert cipher.seal(nonce, plaintext, aad) == ciphertext + tag
    assert cipher.open(nonce, ciphertext + tag, aad) == plaintext


@pytest.mark.rfc("3610", "8")
@pytest.mark.parametrize("table_free", [False, True])
@pytest.mark.parametrize("vector", load("rfc/rfc3610.json"), ids=lambda vector: vector["source"])
def test_rfc_3610_vector_through_chain_and_counter_mode(vector, table_free):
    """Its nonces of 13 bytes do not occur in TLS: their last byte is the high byte of our counters of three."""
    key, nonce, aad, plaintext, ciphertext, tag = decoded(vector)
    aes = Aes(key, table_free=table_free)
    head = bytes((64 + 8 * 3 + 1,)) + nonce + len(plaintext).to_bytes(2)
    data = head + (len(aad).to_bytes(2) + aad).ljust(16, b"\0") + plaintext.ljust(32, b"\0")
    mac = aes.chain([bytes(16)], [data])[0][-16:]
    stream = aes.keystream(b"\1" + nonce[:12], nonce[12] << 16, 3)
    assert bytes(a ^ b for a, b in zip(plaintext, stream[16:], strict=False)) == ciphertext
    assert bytes(a ^ b for a, b in zip(mac, stream, strict=False))[:8] == tag


def test_additional_data_beyond_what_tls_has_is_refused():
    cipher = AesCcm(AES_128_CCM, bytes(16), table_free=False, read_ahead=0)
    assert cipher.seal(bytes(12), b"", bytes(0xFEFF))
    with pytest.raises(UsageError, match="additional data"):
        cipher.seal(bytes(12), b"", bytes(0xFF00))
