"""Provider: the record of callables that computes everything cryptographic, chosen explicitly.

Nothing here looks at what happens to be installed; a provider is a value that can be asked what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from puretls.crypto.aead import Aead, AeadAlgorithm
from puretls.crypto.cbc import Cbc, CbcAlgorithm, Stream, StreamAlgorithm
from puretls.crypto.groups import Group, RandomBytes
from puretls.crypto.keys import PrivateKey, PublicKey, RsaPrivateKey
from puretls.crypto.signatures import SignatureAlgorithm


@dataclass(frozen=True, slots=True)
class Provider:
    """All cryptography that a connection or the validator uses. Every field may be replaced with `dataclasses.replace`."""

    name: str
    aead: Callable[[AeadAlgorithm, bytes], Aead]
    cbc: Callable[[CbcAlgorithm, bytes], Cbc]
    stream: Callable[[StreamAlgorithm, bytes], Stream]
    group: Callable[[str], Group]
    """By IANA name ("x25519", "secp256r1", "ffdhe2048", ...); `UsageError` for a name it does not have."""
    finite_field: Callable[[int, int], Group]
    """Group of prime p and generator g that a server named itself (RFC 5246 7.4.3)."""
    sign: Callable[[SignatureAlgorithm, PrivateKey, bytes, RandomBytes], bytes]
    verify: Callable[[SignatureAlgorithm, PublicKey, bytes, bytes], bool]
    """verify(algorithm, key, message, signature); False for anything wrong, also for a key of another kind."""
    rsa_private: Callable[[RsaPrivateKey, int, RandomBytes], int]
    """c^d mod n, blinded and checked against faults; padding is the caller's business."""
    generate: Callable[[str, RandomBytes], PrivateKey]
    """A new key: "rsa2048" (any size), "secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448"."""
    prf: Callable[[str, bytes, bytes, bytes, int], bytes]
    """prf(hash, secret, label, seed, length): RFC 5246 section 5."""
    parts: Mapping[str, str]
    """What computes each part, for people: {"AES-GCM": "puretls kernels, bitsliced", ...}."""

    def describe(self) -> str:
        """One line a part, for bug reports and benchmark headers."""
        return "\n".join([f"provider {self.name}", *(f"  {part}: {what}" for part, what in self.parts.items())])
