"""Key schedule of TLS 1.2: the uses of the PRF as pure functions, bytes in, bytes out (RFC 5246 5, 6.3, 7.4.9, 8.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import digest_size
from puretls.suites import Suite
from puretls.values import frozen

Prf = Callable[[str, bytes, bytes, bytes, int], bytes]
"""prf(hash, secret, label, seed, length)"""

MASTER_SECRET_LENGTH = 48
VERIFY_DATA_LENGTH = 12
CLIENT_FINISHED, SERVER_FINISHED = b"client finished", b"server finished"


def master_secret(prf: Prf, hash_name: str, premaster: bytes, client_random: bytes, server_random: bytes) -> Secret:
    """The master secret, 48 bytes (RFC 5246 8.1)."""
    return Secret(prf(hash_name, premaster, b"master secret", client_random + server_random, MASTER_SECRET_LENGTH))


def extended_master_secret(prf: Prf, hash_name: str, premaster: bytes, session_hash: bytes) -> Secret:
    """The extended master secret, 48 bytes: from the hash of all messages up to and including ClientKeyExchange (RFC 7627 4)."""
    return Secret(prf(hash_name, premaster, b"extended master secret", session_hash, MASTER_SECRET_LENGTH))


def verify_data(prf: Prf, hash_name: str, master: bytes, label: bytes, handshake_hash: bytes) -> bytes:
    """The content of Finished, 12 bytes (RFC 5246 7.4.9). `label` is CLIENT_FINISHED or SERVER_FINISHED."""
    return prf(hash_name, master, label, handshake_hash, VERIFY_DATA_LENGTH)


def exporter(
    prf: Prf, hash_name: str, master: bytes, randoms: tuple[bytes, bytes], label: bytes, context: bytes | None, length: int
) -> bytes:
    """`length` bytes of exported keying material (RFC 5705 4). No context and an empty context give different bytes."""
    seed = b"".join(randoms)
    if context is not None:
        seed += len(context).to_bytes(2, "big") + context
    return prf(hash_name, master, label, seed, length)


class WriteKeys(NamedTuple):
    """The keys of one direction (RFC 5246 6.3)."""

    mac_key: Secret
    key: Secret
    iv: Secret


@frozen
class KeyBlock:
    """All keys of a connection, in the order of RFC 5246 6.3. Those that a suite does not need are empty."""

    client_mac_key: Secret
    server_mac_key: Secret
    client_key: Secret
    server_key: Secret
    client_iv: Secret
    server_iv: Secret

    @property
    def client(self) -> WriteKeys:
        """The keys for what the client sends."""
        return WriteKeys(self.client_mac_key, self.client_key, self.client_iv)

    @property
    def server(self) -> WriteKeys:
        """The keys for what the server sends."""
        return WriteKeys(self.server_mac_key, self.server_key, self.server_iv)


def key_block(prf: Prf, suite: Suite, master: bytes, client_random: bytes, server_random: bytes) -> KeyBlock:
    """Keys of both directions. Here the server's random comes first, unlike in `master_secret`."""
    mac_length = digest_size(suite.mac) if suite.mac else 0
    iv_length = suite.bulk.fixed_iv_length if isinstance(suite.bulk, AeadAlgorithm) else 0
    lengths = (mac_length, mac_length, suite.bulk.key_length, suite.bulk.key_length, iv_length, iv_length)
    block = prf(suite.prf_hash, master, b"key expansion", server_random + client_random, sum(lengths))
    parts, start = [], 0
    for length in lengths:
        parts.append(Secret(block[start : start + length]))
        start += length
    return KeyBlock(*parts)

