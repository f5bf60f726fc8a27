"""Wycheproof: AES-GCM, AES-CCM, ChaCha20-Poly1305, AES-CBC and HMAC.

Groups whose key, nonce and tag sizes occur in TLS must all come out right; all others must be refused with `UsageError`. None of these
files has a test called "acceptable".
"""

import hmac
import json

import pytest

from puretls.crypto import aead as aeads
from puretls.crypto import cbc as cbcs
from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.bulk import kernel_aead, kernel_cbc
from puretls.errors import UsageError

BY_FILE = {
    "aes_gcm": (aeads.AES_128_GCM, aeads.AES_256_GCM),
    "aes_ccm": (aeads.AES_128_CCM, aeads.AES_256_CCM, aeads.AES_128_CCM_8, aeads.AES_256_CCM_8),
    "chacha20_poly1305": (aeads.CHACHA20_POLY1305,),
}
COUNTS = {"aes_gcm": (99, 120), "aes_ccm": (128, 274), "chacha20_poly1305": (224, 5)}
"""Tests right, tests refused."""


def groups(shared, name):
    return json.loads((shared / "wycheproof" / f"{name}_test.json").read_text())["testGroups"]


def algorithm_for(name, key_bits, tag_bits):
    """The algorithm a caller would choose for this group; where there is none, one whose sizes it does not have."""
    fitting = [a for a in BY_FILE[name] if (8 * a.key_length, 8 * a.tag_length) == (key_bits, tag_bits)]
    return fitting[0] if fitting else None


def right(cipher, test):
    """Whether one test comes out as it should, sealed, opened, alone and in a batch."""
    nonce, aad, plaintext = (bytes.fromhex(test[name]) for name in ("iv", "aad", "msg"))
    sealed = bytes.fromhex(test["ct"] + test["tag"])
    valid = test["result"] == "valid"
    opened = cipher.open(nonce, sealed, aad)
    batch = cipher.open_many([(nonce, sealed, aad)] * 3)
    expected = plaintext if valid else None
    return opened == expected and batch == [expected] * 3 and (cipher.seal(nonce, plaintext, aad) == sealed) == valid


def is_refused(name, group):
    """Whether a group of sizes that TLS does not have ends in `UsageError` for every test."""
    key_length, nonce_length, tag_length = (group[size] // 8 for size in ("keySize", "ivSize", "tagSize"))
    algorithm = algorithm_for(name, group["keySize"], group["tagSize"])
    if algorithm is None:
        algorithm = AeadAlgorithm(name, key_length, 4, nonce_length - 4, tag_length, "")
        if key_length not in {a.key_length for a in BY_FILE[name]}:
            with pytest.raises(UsageError):
                kernel_aead(BY_FILE[name][0], bytes(key_length))
    for test in group["tests"]:
        with pytest.raises(UsageError):
            kernel_aead(algorithm, bytes.fromhex(test["key"])).open(bytes.fromhex(test["iv"]), bytes(40), b"")
    return True


@pytest.mark.parametrize("table_free", [False, True], ids=["fastest", "table_free"])
@pytest.mark.parametrize("name", BY_FILE)
def test_aead_file(shared, name, table_free):
    counts = {"right": 0, "wrong": 0, "refused": 0}
    for group in groups(shared, name):
        algorithm = algorithm_for(name, group["keySize"], group["tagSize"])
        if algorithm is None or group["ivSize"] != 96:
            counts["refused"] += len(group["tests"]) * is_refused(name, group)
            continue
        for test in group["tests"]:
            cipher = kernel_aead(algorithm, bytes.fromhex(test["key"]), table_free=table_free)
            counts["right" if right(cipher, test) else "wrong"] += 1
    print(name, counts)
    assert (counts["wrong"], (counts["right"], counts["refused"])) == (0, COUNTS[name])


@pytest.mark.parametrize("table_free", [False, True], ids=["fastest", "table_free"])
def test_cbc_file(shared, table_free):
    """PKCS #5 padding is not TLS padding: valid vectors fix the blocks, invalid ones a padding that the decrypted blocks show."""
    algorithms = {8 * a.key_length: a for a in (cbcs.AES_128_CBC, cbcs.AES_256_CBC)}
    counts = {"right": 0, "wrong": 0, "refused": 0}
    for group in groups(shared, "aes_cbc_pkcs5"):
        for test in group["tests"]:
            key, iv, plaintext, ciphertext = (bytes.fromhex(test[name]) for name in ("key", "iv", "msg", "ct"))
            if group["keySize"] not in algorithms:
                with pytest.raises(UsageError):
                    kernel_cbc(cbcs.AES_128_CBC, key)
                counts["refused"] += 1
                continue
            cipher = kernel_cbc(algorithms[group["keySize"]], key, table_free=table_free)
            counts["right" if cbc_right(cipher, iv, plaintext, ciphertext, test["result"]) else "wrong"] += 1
    print("aes_cbc_pkcs5", counts)
    assert counts == {"right": 114, "wrong": 0, "refused": 51}


def cbc_right(cipher, iv, plaintext, ciphertext, result):
    if not ciphertext or len(ciphertext) % 16:
        try:
            return cipher.decrypt(iv, ciphertext) == b""  # no block at all is no error of the mode, but holds no padding
        except UsageError:
            return result == "invalid"
    padded = cipher.decrypt(iv, ciphertext)
    count = padded[-1]
    unpadded = padded[:-count] if 1 <= count <= 16 and padded.endswith(bytes((count,)) * count) else None
    return cipher.encrypt(iv, padded) == ciphertext and unpadded == (plaintext if result == "valid" else None)


@pytest.mark.parametrize(("hash_name", "tests"), [("sha1", 127), ("sha256", 122), ("sha384", 132), ("sha512", 121)])
def test_hmac_file(shared, hash_name, tests):
    """HMAC is the standard library's; TLS uses whole tags (RFC 5246 6.2.3.1), the truncated ones are compared as far as they go."""
    counts = {"right": 0, "wrong": 0}
    for group in groups(shared, f"hmac_{hash_name}"):
        for test in group["tests"]:
            tag = bytes.fromhex(test["tag"])
            computed = hmac.digest(bytes.fromhex(test["key"]), bytes.fromhex(test["msg"]), hash_name)[: len(tag)]
            counts["right" if hmac.compare_digest(computed, tag) == (test["result"] == "valid") else "wrong"] += 1
    print(f"hmac_{hash_name}", counts)
    assert counts == {"right": tests, "wrong": 0}
