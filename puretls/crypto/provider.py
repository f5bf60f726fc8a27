"""Provider: the record of callables that computes everything cryptographic, chosen explicitly.

A provider is a value that can be asked what it is. What happens to be installed changes nothing but the speed, and that only where
the caller leaves it open (gmpy2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Protocol

from puretls.crypto.aead import Aead, AeadAlgorithm
from puretls.crypto.cbc import Cbc, CbcAlgorithm, Stream, StreamAlgorithm
from puretls.crypto.groups import Group, RandomBytes
from puretls.crypto.keys import PrivateKey, PublicKey, RsaPrivateKey
from puretls.crypto.signatures import SignatureAlgorithm
from puretls.errors import UsageError
from puretls.values import frozen


class MakeFiniteField(Protocol):
    """Group of prime p and generator g that a server named itself (RFC 5246 7.4.3).

    Raises `BadPublicValue` where p has fewer bits than `min_bits` or more than 8192, or where p or g cannot be right.
    """

    def __call__(self, p: int, g: int, *, min_bits: int = 2048) -> Group: ...


Signed = tuple[SignatureAlgorithm, PublicKey, bytes, bytes]
"""(algorithm, key, message, signature)"""


@frozen
class BatchVerify:
    """A `Provider.verify` that can also verify several signatures at once, faster than one by one.

    Whoever replaces `verify` in a provider replaces both, and sees every signature.
    """

    one: Callable[[SignatureAlgorithm, PublicKey, bytes, bytes], bool]
    together: Callable[[Sequence[Signed], RandomBytes], list[bool]]
    """together(signatures, random): of each, whether it was found right together with others.

    False says nothing: such a signature is to be verified by itself. A wrong one is found right with a probability of 2^-61 for
    whoever does not know what `random` will give.
    """

    def __call__(self, algorithm: SignatureAlgorithm, key: PublicKey, message: bytes, signature: bytes) -> bool:
        return self.one(algorithm, key, message, signature)


@frozen
class Provider:
    """All cryptography that a connection or the validator uses. Every field may be replaced with `dataclasses.replace`."""

    name: str
    aead: Callable[[AeadAlgorithm, bytes], Aead]
    cbc: Callable[[CbcAlgorithm, bytes], Cbc]
    stream: Callable[[StreamAlgorithm, bytes], Stream]
    group: Callable[[str], Group]
    """By IANA name ("x25519", "secp256r1", "ffdhe2048", ...); `UsageError` for a name it does not have."""
    finite_field: MakeFiniteField
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


def _deferred(module: str, function: str, **options: Any) -> Callable[..., Any]:
    """A function that is imported when it is first called: a connection loads the kernels it needs, and no others."""
    target: Callable[..., Any] | None = None

    def call(*arguments: Any, **keywords: Any) -> Any:
        nonlocal target
        if target is None:
            target = partial(getattr(import_module(module), function), **options)
        return target(*arguments, **keywords)

    return call


_PUBLIC = "puretls.crypto.public"
_BULK = "puretls.crypto.bulk"
_TLSLITE = "puretls.crypto.backends.tlslite_ng"
_ECDSA = "puretls.crypto.backends.python_ecdsa"


@lru_cache(maxsize=16)
def default(*, table_free: bool = False, accelerated: bool | None = None, read_ahead: int | None = None) -> Provider:
    """The provider of puretls's own kernels.

    `table_free` keeps bulk ciphers from looking up tables with secret indices, at a cost that the manual tells. `accelerated`
    makes public-key operations compute with gmpy2: True asks for it (`UsageError` where it is missing), False does without, None
    takes it where it is installed; results are the same. `read_ahead` bounds the bytes of keystream that a cipher prepares
    (0: none; None: `bulk.READ_AHEAD`).
    """
    found = find_spec("gmpy2") is not None if accelerated is not False else False
    if accelerated and not found:
        raise UsageError("gmpy2 is not installed: pip install puretls[fast], or accelerated=False")
    numbers = "gmpy2" if found else "Python integers"
    ahead = {} if read_ahead is None else {"read_ahead": read_ahead}
    forms = "without secret-indexed tables" if table_free else "fastest form for each size"
    return Provider(
        name="puretls" + ("+table-free" if table_free else "") + ("+gmpy2" if found else ""),
        aead=_deferred(_BULK, "kernel_aead", table_free=table_free, **ahead),
        cbc=_deferred(_BULK, "kernel_cbc", table_free=table_free),
        stream=_deferred(_BULK, "kernel_stream"),
        group=_deferred(_PUBLIC, "group", accelerated=found),
        finite_field=_deferred(_PUBLIC, "finite_field", accelerated=found),
        sign=_deferred(_PUBLIC, "sign", accelerated=found),
        verify=BatchVerify(
            _deferred(_PUBLIC, "verify", accelerated=found), _deferred(_PUBLIC, "verify_together", accelerated=found)
        ),
        rsa_private=_deferred(_PUBLIC, "rsa_private", accelerated=found),
        generate=_deferred(_PUBLIC, "generate", accelerated=found),
        prf=_deferred("puretls.crypto.prf", "prf"),
        parts=MappingProxyType(
            {
                "AEAD and CBC": f"puretls kernels, {forms}",
                "3DES, RC4": "tlslite-ng",
                "elliptic curves": f"puretls kernels on {numbers}",
                "RSA, finite fields": f"puretls kernels on {numbers}",
                "hashes": "hashlib",
            }
        ),
    )


@lru_cache(maxsize=1)
def reference() -> Provider:
    """Everything through tlslite-ng and python-ecdsa: slow, with timing that depends on secrets, for comparison and tests.

    RSA and signatures come from them as well; finite fields, the PRF and key generation for RSA are puretls's, in plain Python.
    """
    return Provider(
        name="reference",
        aead=_deferred(_TLSLITE, "aead"),
        cbc=_deferred(_TLSLITE, "cbc"),
        stream=_deferred(_TLSLITE, "stream"),
        group=_deferred(_ECDSA, "group"),
        finite_field=_deferred(_ECDSA, "finite_field"),
        sign=_deferred(_ECDSA, "sign"),
        verify=_deferred(_ECDSA, "verify"),
        rsa_private=_deferred(_ECDSA, "rsa_private"),
        generate=_deferred(_ECDSA, "generate"),
        prf=_deferred("puretls.crypto.prf", "prf"),
        parts=MappingProxyType(
            {
                "AEAD, CBC, streams": "tlslite-ng, pure Python",
                "elliptic curves": "python-ecdsa; x25519 and x448 by tlslite-ng",
                "RSA": "tlslite-ng",
                "finite fields": "Python's pow",
                "hashes": "hashlib",
            }
        ),
    )
