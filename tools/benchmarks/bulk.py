"""Bulk ciphers: seal and open for records of 64 B to 16 KiB and batches of 64, with key set-up apart."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Case, Contender, Options, Row, compare
from puretls.crypto import aead as aeads
from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.backends import tlslite_ng
from puretls.crypto.bulk import kernel_aead, kernel_cbc
from puretls.crypto.cbc import AES_128_CBC, TRIPLE_DES_CBC

SIZES = (64, 1024, 16384)
RECORD = 16384
BATCH = 64
READ_AHEAD_RECORDS = 32
AAD = bytes(13)
ALGORITHMS = (aeads.AES_128_GCM, aeads.AES_256_GCM, aeads.CHACHA20_POLY1305, aeads.AES_128_CCM)
TABLE_FREE = (aeads.AES_128_GCM, aeads.AES_256_GCM)
BUDGET = READ_AHEAD_RECORDS * (RECORD + 128)


def cases(options: Options) -> list[Case]:
    """A case a row."""
    found: list[Callable[[Options], Row]] = [functools.partial(key_setup, algorithm) for algorithm in ALGORITHMS]
    for algorithm in ALGORITHMS:
        for opening in (False, True):
            found += [functools.partial(one_record, algorithm, size, opening, False) for size in SIZES]
            found.append(functools.partial(batch, algorithm, opening, False))
        if algorithm is not aeads.AES_128_CCM:
            found.append(functools.partial(read_ahead, algorithm))
    for algorithm in TABLE_FREE:
        found += [functools.partial(one_record, algorithm, size, False, True) for size in SIZES]
        found.append(functools.partial(batch, algorithm, False, True))
    for opening in (False, True):
        found += [functools.partial(cbc_record, size, opening) for size in SIZES]
        found.append(functools.partial(cbc_batch, opening))
    found.append(triple_des)
    return [_case(measure, options) for measure in found]


def _case(measure: Callable[[Options], Row], options: Options) -> Case:
    return lambda: [measure(options)]


def key_setup(algorithm: AeadAlgorithm, options: Options) -> Row:
    """Making a key and sealing 16 bytes with it: what a Finished costs."""
    makers = {"puretls": kernel_aead, "tlslite_ng": tlslite_ng.aead, "openssl": _openssl_key(algorithm)}

    def seal(make: Callable[..., Any]) -> Contender:
        return Contender(lambda: make(algorithm, bytes(algorithm.key_length)).seal(_nonce(0), bytes(16), AAD))

    contenders = {name: seal(make) for name, make in makers.items() if make}
    return compare("bulk", f"{algorithm.name} key and first record", "16", "us", contenders, options.rounds(15))


def one_record(algorithm: AeadAlgorithm, size: int, opening: bool, table_free: bool, options: Options) -> Row:
    """One record a call, with a key that has seen traffic."""
    contenders = {}
    for name, key in _keys(algorithm, options, table_free=table_free).items():
        body = key.seal(_nonce(0), bytes(size), AAD) if opening else bytes(size)
        call = functools.partial(key.open if opening else key.seal, _nonce(0), body, AAD)
        contenders[name] = Contender(call, size)
    _warm(contenders["puretls"], size)
    return compare("bulk", _name(algorithm, opening, table_free), str(size), "MB/s", contenders, options.rounds(15))


def batch(algorithm: AeadAlgorithm, opening: bool, table_free: bool, options: Options) -> Row:
    """A batch in one call; the others, to whom it makes no difference, seal two records of it."""
    contenders = {}
    for name, key in _keys(algorithm, options, table_free=table_free).items():
        items = [(_nonce(i), bytes(RECORD), AAD) for i in range(BATCH if name == "puretls" else 2)]
        if opening:
            items = [(nonce, key.seal(nonce, body, aad), aad) for nonce, body, aad in items]
        contenders[name] = Contender(functools.partial(key.open_many if opening else key.seal_many, items), len(items) * RECORD)
    size = f"{BATCH}x{RECORD}"
    return compare("bulk", _name(algorithm, opening, table_free), size, "MB/s", contenders, options.rounds(9))


def read_ahead(algorithm: AeadAlgorithm, options: Options) -> Row:
    """One record a call, keystream made ahead for 32 records; the time of making it is counted."""
    keys = _keys(algorithm, options, read_ahead=BUDGET)
    nonces = [_nonce(i) for i in range(READ_AHEAD_RECORDS)]
    body = bytes(RECORD)

    def run(key: Any, count: int) -> None:
        key.prefetch(nonces[:count], RECORD)
        for nonce in nonces[:count]:
            key.seal(nonce, body, AAD)

    contenders = {}
    for name, key in keys.items():
        count = READ_AHEAD_RECORDS if name == "puretls" else 2
        contenders[name] = Contender(functools.partial(run, key, count), count * RECORD)
    return compare("bulk", f"{algorithm.name} seal, read-ahead", str(RECORD), "MB/s", contenders, options.rounds(9))


def cbc_record(size: int, opening: bool, options: Options) -> Row:
    """AES-128-CBC with HMAC-SHA256 over the record, as TLS 1.2 takes it; the MAC is the same code for all."""
    key, iv = bytes(AES_128_CBC.key_length), bytes(16)
    keys = {"puretls": kernel_cbc(AES_128_CBC, key), "tlslite_ng": tlslite_ng.cbc(AES_128_CBC, key), **_openssl_cbc(key)}
    body = bytes(size + 48)  # MAC and padding

    def run(key: Any) -> None:
        (key.decrypt if opening else key.encrypt)(iv, body)
        hmac.digest(b"k" * 32, body[:size], "sha256")

    contenders = {name: Contender(functools.partial(run, key), size) for name, key in keys.items()}
    return compare("bulk", f"AES-128-CBC-SHA256 {_verb(opening)}", str(size), "MB/s", contenders, options.rounds(9))


def cbc_batch(opening: bool, options: Options) -> Row:
    """The same for many records in one call."""
    key, iv = bytes(AES_128_CBC.key_length), bytes(16)
    keys = {"puretls": kernel_cbc(AES_128_CBC, key), "tlslite_ng": tlslite_ng.cbc(AES_128_CBC, key)}
    body = bytes(RECORD + 48)

    def run(key: Any, count: int) -> None:
        (key.decrypt_many if opening else key.encrypt_many)([(iv, body)] * count)
        for _ in range(count):
            hmac.digest(b"k" * 32, body[:RECORD], "sha256")

    counts = {"puretls": BATCH, "tlslite_ng": 2}
    contenders = {name: Contender(functools.partial(run, key, counts[name]), counts[name] * RECORD) for name, key in keys.items()}
    return compare("bulk", f"AES-128-CBC-SHA256 {_verb(opening)}", f"{BATCH}x{RECORD}", "MB/s", contenders, options.rounds(6))


def triple_des(options: Options) -> Row:
    """3DES-CBC, for old peers and old files."""
    key, iv, body = bytes(range(24)), bytes(8), bytes(1024)
    keys = {"puretls": kernel_cbc(TRIPLE_DES_CBC, key), "tlslite_ng": tlslite_ng.cbc(TRIPLE_DES_CBC, key)}
    contenders = {name: Contender(functools.partial(cipher.encrypt, iv, body), len(body)) for name, cipher in keys.items()}
    return compare("bulk", "3DES-CBC encrypt", "1024", "MB/s", contenders, options.rounds(6))


def _keys(algorithm: AeadAlgorithm, options: Options, *, table_free: bool = False, read_ahead: int = 0) -> dict[str, Any]:
    key = bytes(range(algorithm.key_length))
    keys: dict[str, Any] = {
        "puretls": kernel_aead(algorithm, key, table_free=table_free, read_ahead=read_ahead, arrays="numpy" in options.provider),
        "tlslite_ng": tlslite_ng.aead(algorithm, key),
    }
    if "CCM" in algorithm.name:
        keys["tlslite_ng"] = _LibraryCcm(keys["tlslite_ng"])
    openssl = _openssl_key(algorithm)
    if openssl:
        keys["openssl"] = openssl(algorithm, key)
    return keys


def _warm(contender: Contender, size: int) -> None:
    """What a key prepares after some traffic belongs to a long connection, not to each record."""
    for _ in range(24 if size >= RECORD else 80):
        contender.run()


class _LibraryCcm:
    """tlslite-ng's own `open`: the reference provider's does the work twice, to compare tags without a shortcut."""

    def __init__(self, key: Any) -> None:
        self.seal, self.seal_many = key.seal, key.seal_many
        self._cipher = key._cipher._cipher

    def open(self, nonce: bytes, body: bytes, aad: bytes) -> bytes:
        return bytes(self._cipher.open(bytearray(nonce), bytearray(body), bytearray(aad)))

    def open_many(self, items: list[tuple[bytes, bytes, bytes]]) -> list[bytes]:
        return [self.open(*item) for item in items]


class _OpenSsl:
    """OpenSSL's ciphers, by way of the package `cryptography`, with our spelling."""

    def __init__(self, cipher: Any) -> None:
        self.cipher = cipher

    def seal(self, nonce: bytes, body: bytes, aad: bytes) -> bytes:
        return self.cipher.encrypt(nonce, body, aad)

    def open(self, nonce: bytes, body: bytes, aad: bytes) -> bytes:
        return self.cipher.decrypt(nonce, body, aad)

    def seal_many(self, items: list[tuple[bytes, bytes, bytes]]) -> list[bytes]:
        return [self.seal(*item) for item in items]

    def open_many(self, items: list[tuple[bytes, bytes, bytes]]) -> list[bytes]:
        return [self.open(*item) for item in items]

    def prefetch(self, nonces: list[bytes], length: int) -> None:
        pass


def _openssl_key(algorithm: AeadAlgorithm) -> Callable[[AeadAlgorithm, bytes], _OpenSsl] | None:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
    except ImportError:
        return None
    if "CCM" in algorithm.name:
        return lambda algorithm, key: _OpenSsl(AESCCM(key, tag_length=algorithm.tag_length))
    cipher = ChaCha20Poly1305 if algorithm is aeads.CHACHA20_POLY1305 else AESGCM
    return lambda _, key: _OpenSsl(cipher(key))


class _OpenSslCbc:
    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self._cipher = lambda iv: Cipher(algorithms.AES(key), modes.CBC(iv))

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        return self._cipher(iv).encryptor().update(data)

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        return self._cipher(iv).decryptor().update(data)


def _openssl_cbc(key: bytes) -> dict[str, Any]:
    try:
        return {"openssl": _OpenSslCbc(key)}
    except ImportError:
        return {}


def _name(algorithm: AeadAlgorithm, opening: bool, table_free: bool) -> str:
    return f"{algorithm.name} {_verb(opening)}" + (", table_free" if table_free else "")


def _verb(opening: bool) -> str:
    return "open" if opening else "seal"


def _nonce(number: int) -> bytes:
    return number.to_bytes(12)
