"""Every switch that weakens security, in one place and under this name. Nothing here belongs into a product.

`accept_any_chain` skips verification; `fork` gives a second connection under the same keys; `parts` opens a connection up;
`add_rows` lets one connection take what no end may take;
`no_security_provider` computes nothing secret, for fuzzing the protocol at speed; `no_secrecy_provider` at least depends on keys.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from puretls.crypto import provider as providers
from puretls.crypto.aead import Sealing
from puretls.crypto.cbc import Blocks
from puretls.crypto.groups import Group, KeyShare, RandomBytes
from puretls.crypto.keys import PrivateKey, PublicKey, RsaPrivateKey
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import SignatureAlgorithm
from puretls.iana import AlertDescription
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.connection import Connection
    from puretls.connection.parts import Parts
    from puretls.handshake.table import Row
    from puretls.x509.verifier import ChainRequest


@frozen
class AcceptedUnverified:
    """The report that `accept_any_chain` gives: nothing was verified."""

    accepted: bool = True
    alert: AlertDescription = AlertDescription.CERTIFICATE_UNKNOWN
    findings: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return "accepted without any verification"


def accept_any_chain(request: ChainRequest) -> AcceptedUnverified:
    """A verifier that accepts every chain: whoever sits on the wire can read and change everything."""
    return AcceptedUnverified()


def fixed_random(seed: bytes = b"puretls") -> RandomBytes:
    """The same "random" bytes on every run, for reproducible tests."""
    counter = 0

    def random(count: int) -> bytes:
        nonlocal counter
        counter += 1
        return hashlib.shake_256(seed + counter.to_bytes(8, "big")).digest(count)

    return random


def fork(connection: Connection) -> Connection:
    """A copy of a connection that can send as the original can: for tests, which play one moment in several ways.

    Where both send under one key, two records have one nonce: with GCM whoever sees them can forge, and read what was sent
    (RFC 5288 3). `Connection.fork` is for looking ahead.
    """
    twin = connection.fork()
    parts(twin).progress.looks_ahead = False
    return twin


def parts(connection: Connection) -> Parts:
    """What a connection is made of, for tests and laboratories that look inside, or break rules.

    `progress.context` holds the secrets; `outbound.send(23, b"x", 2**14)` seals any content in any state; `inbound.channel` and
    `outbound.channel` have the keys in force, with their sequence numbers.
    """
    return connection._parts


def add_rows(connection: Connection, *rows: Row) -> None:
    """Give one connection more rows in its table (`handshake.table.row`), or others in their place, to show what a missing check costs.

    Its forks have them too. Every other connection keeps to the table.
    """
    from puretls.handshake.table import input_key

    progress = parts(connection).progress
    more = {(row.state, input_key(row.input)): row for row in rows}
    progress.more_rows = MappingProxyType({**progress.more_rows, **more})


# A provider without security


class _OneByOne(ABC):
    """A cipher to which many records are as many times one."""

    @abstractmethod
    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes: ...

    @abstractmethod
    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None: ...

    def seal_many(self, items: Sequence[Sealing]) -> list[bytes]:
        return [self.seal(*item) for item in items]

    def open_many(self, items: Sequence[Sealing]) -> list[bytes | None]:
        return [self.open(*item) for item in items]

    def prefetch(self, nonces: Sequence[bytes], length: int) -> None:  # noqa: B027  # nothing can be prepared, so nobody has to
        pass


class _Clear(_OneByOne):
    """A cipher that encrypts nothing. Its tag is zeros, and it accepts no other tag."""

    def __init__(self, tag_length: int) -> None:
        self._tag = bytes(tag_length)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return plaintext + self._tag

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        if not ciphertext.endswith(self._tag):
            return None
        return ciphertext[: len(ciphertext) - len(self._tag)]


class _ClearCbc:
    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        return data

    decrypt = encrypt

    def encrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        return [data for _, data in items]

    decrypt_many = encrypt_many


class _ClearStream:
    def apply(self, data: bytes) -> bytes:
        return data


_PUBLIC_LENGTHS = {"x25519": 32, "x448": 56, "secp256r1": 65, "secp384r1": 97, "secp521r1": 133}


class _ClearGroup(Group):
    """Public values are random bytes of the right length; the shared secret is the same for everybody."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self.name = group.name
        self.p, self.g = getattr(group, "p", 0), getattr(group, "g", 0)

    def generate(self, random: RandomBytes) -> KeyShare:
        length = _PUBLIC_LENGTHS.get(self.name) or (self.p.bit_length() + 7) // 8
        return KeyShare(Secret(b"-"), b"\4" + random(length - 1))

    def shared_secret(self, private: Secret, peer: bytes) -> Secret:
        return Secret(b"no secret at all")


def _sign(algorithm: SignatureAlgorithm, key: PrivateKey, message: bytes, random: RandomBytes) -> bytes:
    return hashlib.sha256(message).digest()


def _verify(algorithm: SignatureAlgorithm, key: PublicKey, message: bytes, signature: bytes) -> bool:
    return signature == hashlib.sha256(message).digest()


def _rsa_private(key: RsaPrivateKey, c: int, random: RandomBytes) -> int:
    return pow(c, key.d, key.public.n)


def _prf(hash_name: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    return hashlib.shake_128(secret + label + seed).digest(length)


def no_security_provider() -> Provider:
    """A provider that protects nothing and costs next to nothing: what remains is the protocol, to be fuzzed or measured.

    Both peers must use it. Signatures are a hash that anybody can make, ciphers do nothing, the PRF is one call of SHAKE.
    """
    real = providers.default()
    return replace(
        real,
        name="no security",
        aead=lambda algorithm, key: _Clear(algorithm.tag_length),
        cbc=lambda algorithm, key: _ClearCbc(),
        stream=lambda algorithm, key: _ClearStream(),
        group=lru_cache(maxsize=None)(lambda name: _ClearGroup(real.group(name))),
        finite_field=lambda p, g, **options: _ClearGroup(real.finite_field(p, g, **options)),
        sign=_sign,
        verify=_verify,
        rsa_private=_rsa_private,
        prf=_prf,
        parts={"everything": "nothing is protected; for tests and fuzzing only"},
    )


class _Sealed(_OneByOne):
    """A cipher that encrypts nothing. Its tag depends on key, nonce, what is authenticated, and content."""

    def __init__(self, tag_length: int, key: bytes) -> None:
        self._length, self._key = tag_length, bytes(key)

    def _tag(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        parts = len(nonce).to_bytes(2) + nonce + len(aad).to_bytes(2) + aad + plaintext
        return hashlib.blake2b(parts, key=self._key, digest_size=self._length).digest()

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return plaintext + self._tag(nonce, plaintext, aad)

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        plaintext = ciphertext[: -self._length]
        return plaintext if ciphertext[len(plaintext) :] == self._tag(nonce, plaintext, aad) else None


def no_secrecy_provider() -> Provider:
    """As `no_security_provider`, but what its AEAD ciphers seal, which anyone can read, opens under its key and nonce alone.

    So ends that derive other keys, or count records otherwise, do not understand each other, as with cryptography.
    """
    return replace(
        no_security_provider(),
        name="no secrecy",
        aead=lambda algorithm, key: _Sealed(algorithm.tag_length, key),
        parts={"everything": "nothing is secret; for tests and fuzzing only"},
    )
