"""Provider: the record of callables that computes everything cryptographic, chosen explicitly.

A provider is a value that can be asked what it is. What happens to be installed changes nothing but the speed, and that only where
the caller leaves it open (gmpy2, numpy); a library of the system is taken only where it is asked for (libgmp).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Literal, Protocol

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


Numbers = Literal["python", "gmpy2", "libgmp"]
"""What public-key operations compute with: Python's integers; numbers of gmpy2; integers but for powers of secrets, by libgmp."""
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


VARIABLE = "PURETLS_PROVIDER"
"""The environment variable by which `default()` is another provider: see `named`."""


@lru_cache(maxsize=16)
def default(*, table_free: bool = False, accelerated: bool | None = None, read_ahead: int | None = None) -> Provider:
    """The provider of puretls's own kernels; without any argument what the environment variable PURETLS_PROVIDER names.

    `table_free` keeps bulk ciphers from looking up tables with secret indices, at a cost that the manual tells. `accelerated`: True
    takes what there is from outside, gmpy2 or else libgmp for public-key operations, and numpy for long records of ChaCha20-Poly1305
    (`UsageError` where there is neither gmpy2 nor libgmp); False takes nothing; None takes gmpy2 where it is installed, and numpy where the
    program has imported it already. Results are the same. `read_ahead` bounds the bytes of keystream that a cipher prepares (0: none;
    None: `bulk.READ_AHEAD`).
    """
    name = os.environ.get(VARIABLE)
    if name and (table_free, accelerated, read_ahead) == (False, None, None):
        return named(name)
    return _made(_numbers(accelerated), accelerated and find_spec("numpy") is not None, table_free, read_ahead)


def named(name: str) -> Provider:
    """A provider by the names of its parts, joined by "+", as PURETLS_PROVIDER holds them.

    "default"; "puretls" (nothing from outside), "gmpy2", "libgmp", "numpy", "table-free"; "reference", which stands alone. Raises
    `UsageError` for another name, and where what it names is missing.
    """
    if name == "reference":
        return reference()
    parts = frozenset(name.split("+"))
    unknown = sorted(parts - {"default", "puretls", "gmpy2", "libgmp", "numpy", "table-free"})
    if unknown or {"gmpy2", "libgmp"} <= parts:
        what = unknown[0] if unknown and unknown != ["reference"] else name
        raise UsageError(
            f"no provider is called {what!r:.100}: {VARIABLE} is reference, or names joined by + of default, puretls, gmpy2 or libgmp,"
            " numpy, table-free"
        )
    numbers: Numbers = "gmpy2" if "gmpy2" in parts else "libgmp" if "libgmp" in parts else _numbers(False if "puretls" in parts else None)
    for part, module in (("gmpy2", "gmp"), ("libgmp", "libgmp"), ("numpy", "arrays")):
        if part in parts:
            import_module(f"puretls.crypto.backends.{module}")  # tells now, and in one line, that it is missing
    return _made(numbers, True if "numpy" in parts else False if "puretls" in parts else None, "table-free" in parts, None)


def _numbers(accelerated: bool | None) -> Numbers:
    if accelerated is not False and find_spec("gmpy2") is not None:
        return "gmpy2"
    if not accelerated:
        return "python"
    try:
        import_module("puretls.crypto.backends.libgmp")
    except UsageError as missing:
        raise UsageError("neither gmpy2 nor libgmp is here: pip install 'puretls[fast]', or accelerated=False") from missing
    return "libgmp"


@lru_cache(maxsize=16)
def _made(numbers: Numbers, arrays: bool | None, table_free: bool, read_ahead: int | None) -> Provider:
    names = ["puretls", *["table-free"] * table_free, *[numbers] * (numbers != "python"), *["numpy"] * bool(arrays)]
    ahead = {} if read_ahead is None else {"read_ahead": read_ahead}
    kernels = "puretls kernels, " + ("without secret-indexed tables" if table_free else "fastest form for each size")
    chacha = {True: "numpy for long records, else the same", None: "numpy for long records where the program uses it, else the same"}
    powers = {"libgmp": "puretls kernels on Python integers, powers of secrets by libgmp"}
    curves = f"puretls kernels on {'gmpy2' if numbers == 'gmpy2' else 'Python integers'}"
    return Provider(
        name="+".join(names),
        aead=_deferred(_BULK, "kernel_aead", table_free=table_free, arrays=arrays, **ahead),
        cbc=_deferred(_BULK, "kernel_cbc", table_free=table_free),
        stream=_deferred(_BULK, "kernel_stream"),
        group=_deferred(_PUBLIC, "group", numbers=numbers),
        finite_field=_deferred(_PUBLIC, "finite_field", numbers=numbers),
        sign=_deferred(_PUBLIC, "sign", numbers=numbers),
        verify=BatchVerify(_deferred(_PUBLIC, "verify", numbers=numbers), _deferred(_PUBLIC, "verify_together", numbers=numbers)),
        rsa_private=_deferred(_PUBLIC, "rsa_private", numbers=numbers),
        generate=_deferred(_PUBLIC, "generate", numbers=numbers),
        prf=_deferred("puretls.crypto.prf", "prf"),
        parts=MappingProxyType(
            {
                "AEAD and CBC": kernels,
                **({"ChaCha20-Poly1305": chacha[arrays]} if arrays in chacha else {}),
                "3DES": "puretls kernel, by tables",
                "RC4": "tlslite-ng",
                "elliptic curves": curves,
                "RSA, finite fields": powers.get(numbers, curves),
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
