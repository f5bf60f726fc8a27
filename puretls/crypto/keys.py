"""Public and private keys as plain values. Parsing and writing them is the work of `x509.keys`."""

from __future__ import annotations

from puretls.crypto.secret import Secret, SecretNumber
from puretls.values import field, frozen


@frozen
class RsaPublicKey:
    """RFC 8017 3.1. `pss_only` marks a key whose SubjectPublicKeyInfo says id-RSASSA-PSS (RFC 4055 3.1)."""

    n: int
    e: int
    pss_only: bool = False


@frozen
class EcPublicKey:
    """A point on a named curve: "secp256r1", "secp384r1" or "secp521r1"; `point` uncompressed (SEC 1 2.3.3)."""

    curve: str
    point: bytes


@frozen
class EdPublicKey:
    """RFC 8032. `curve` is "ed25519" or "ed448"; `point` is the 32 or 57 byte encoding."""

    curve: str
    point: bytes


@frozen
class RsaPrivateKey:
    """RFC 8017 3.2, with the CRT parameters. The private numbers, given as any ints, are kept as `SecretNumber`."""

    public: RsaPublicKey
    d: int = field(repr=False)
    p: int = field(repr=False)
    q: int = field(repr=False)
    dp: int = field(repr=False)
    dq: int = field(repr=False)
    qinv: int = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("d", "p", "q", "dp", "dq", "qinv"):
            object.__setattr__(self, name, SecretNumber(getattr(self, name)))


@frozen
class EcPrivateKey:
    """`scalar`: big-endian, as long as the curve's order."""

    public: EcPublicKey
    scalar: Secret


@frozen
class EdPrivateKey:
    """`seed`: the 32 or 57 byte private key of RFC 8032."""

    public: EdPublicKey
    seed: Secret


PublicKey = RsaPublicKey | EcPublicKey | EdPublicKey
PrivateKey = RsaPrivateKey | EcPrivateKey | EdPrivateKey


MAX_RSA_BITS, MAX_RSA_EXPONENT_BITS = 8192, 32
"""Of keys that signatures are verified with: longer ones let a peer dictate what a verification costs."""
_WEIGHTS = {"secp384r1": 2, "secp521r1": 4, "ed448": 4}


def is_too_large(key: PublicKey) -> bool:
    """Whether a verification with this key costs more than any honest one: RSA over `MAX_RSA_BITS`, or with a long exponent."""
    return isinstance(key, RsaPublicKey) and (
        key.n.bit_length() > MAX_RSA_BITS or key.e.bit_length() > MAX_RSA_EXPONENT_BITS
    )


def weight(key: PublicKey) -> int:
    """What a verification with this key costs, 1 for the most common keys."""
    if isinstance(key, RsaPublicKey):
        return 1 if key.n.bit_length() <= MAX_RSA_BITS // 2 else 4
    return _WEIGHTS.get(key.curve, 1)
