"""The reference for public-key operations: python-ecdsa and tlslite-ng, for comparison and for tests.

Their time depends on secret scalars (CVE-2024-23342, which python-ecdsa will not fix), so connections should not use this.
tlslite-ng would take the system's entropy for RSA blinding and PSS salts: it is given both.
"""

from __future__ import annotations

import hashlib
from typing import Any

import ecdsa
from ecdsa import ellipticcurve
from ecdsa.util import sigdecode_der, sigencode_der

from puretls.crypto.backends.tlslite_modules import tlslite_module
from puretls.crypto.groups import BadPublicValue, Group, KeyShare, RandomBytes
from puretls.crypto.kernels.arithmetic import PYTHON
from puretls.crypto.kernels.modular import ffdhe, rsa
from puretls.crypto.keys import (
    EcPrivateKey,
    EcPublicKey,
    EdPrivateKey,
    EdPublicKey,
    PrivateKey,
    PublicKey,
    RsaPrivateKey,
    RsaPublicKey,
)
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.errors import UsageError

EC_CURVES = {"secp256r1": ecdsa.NIST256p, "secp384r1": ecdsa.NIST384p, "secp521r1": ecdsa.NIST521p}
ED_CURVES = {"ed25519": ecdsa.Ed25519, "ed448": ecdsa.Ed448}


def _power(base: int, exponent: int, modulus: int) -> int:
    return pow(base, exponent, modulus)


_POW = PYTHON._replace(name="Python's pow", secret_power=_power)
"""Another function than `pow` itself, for which finite fields would make a comb: here is what to compare it with."""


class EcGroup(Group):
    """ECDH on a Weierstrass curve of python-ecdsa."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._curve = EC_CURVES[name]

    def generate(self, random: RandomBytes) -> KeyShare:
        key = ecdsa.SigningKey.generate(self._curve, entropy=random)
        return KeyShare(Secret(key.to_string()), key.verifying_key.to_string("uncompressed"))

    def shared_secret(self, private: Secret, peer: bytes) -> Secret:
        if len(peer) != 1 + 2 * self._curve.verifying_key_length // 2 or peer[0] != 4:
            raise BadPublicValue(f"the {self.name} public value is no uncompressed point")
        try:
            point = ecdsa.VerifyingKey.from_string(peer, self._curve, valid_encodings=["uncompressed"]).pubkey.point
        except (ecdsa.keys.MalformedPointError, ValueError) as error:
            raise BadPublicValue(f"the {self.name} public value is not on the curve") from error
        shared = point * int.from_bytes(private, "big")
        if shared == ellipticcurve.INFINITY:
            raise BadPublicValue(f"the {self.name} shared secret is the point at infinity")
        return Secret(int(shared.x()).to_bytes(self._curve.verifying_key_length // 2, "big"))


class MontgomeryGroup(Group):
    """x25519 or x448 of tlslite-ng (RFC 7748)."""

    def __init__(self, name: str) -> None:
        self.name = name
        library = tlslite_module("x25519")
        self._length, self._base = {"x25519": (32, library.X25519_G), "x448": (56, library.X448_G)}[name]
        self._multiply = getattr(library, name)

    def generate(self, random: RandomBytes) -> KeyShare:
        private = random(self._length)
        return KeyShare(Secret(private), bytes(self._multiply(bytearray(private), bytearray(self._base))))

    def shared_secret(self, private: Secret, peer: bytes) -> Secret:
        if len(peer) != self._length:
            raise BadPublicValue(f"the {self.name} public value has {len(peer)} bytes, not {self._length}")
        shared = Secret(self._multiply(bytearray(private), bytearray(peer)))
        if not any(shared):
            raise BadPublicValue(f"the {self.name} shared secret is all zero")
        return shared


def group(name: str) -> Group:
    """The group of that IANA name. `UsageError` for a name it does not have."""
    if name in EC_CURVES:
        return EcGroup(name)
    if name in ("x25519", "x448"):
        return MontgomeryGroup(name)
    return ffdhe.named(name, _POW)


def finite_field(p: int, g: int, *, min_bits: int = 2048) -> Group:
    """See `ffdhe.unnamed`."""
    return ffdhe.unnamed(p, g, min_bits=min_bits, arithmetic=_POW)


def _rsa(key: RsaPublicKey | RsaPrivateKey) -> Any:
    make = tlslite_module("python_rsakey").Python_RSAKey
    if isinstance(key, RsaPublicKey):
        return make(key.n, key.e, key_type="rsa-pss" if key.pss_only else "rsa")
    return make(key.public.n, key.public.e, key.d, key.p, key.q, key.dp, key.dq, key.qinv)


def _blinded(key: RsaPrivateKey, random: RandomBytes) -> Any:
    pair = rsa.blinding_pair(key.public, random)
    made = _rsa(key)
    made.blinder, made.unblinder = map(int, pair)
    return made


def _sign_rsa(algorithm: SignatureAlgorithm, key: RsaPrivateKey, message: bytes, random: RandomBytes) -> bytes:
    if algorithm.kind is SignatureKind.RSA_PKCS1:
        digest = hashlib.new(algorithm.hash, message).digest()
        return bytes(_blinded(key, random).sign(bytearray(digest), "pkcs1", algorithm.hash))
    if algorithm.mgf_hash != algorithm.hash:
        raise UsageError("tlslite-ng has one hash for PSS and its mask")
    bits = key.public.n.bit_length()
    encoded = rsa.pss_encode(algorithm, message, random(algorithm.salt_length), bits - 1)
    if encoded is None:
        raise UsageError(f"an RSA key of {bits} bits is too short for {algorithm.kind.value} with {algorithm.hash}")
    return int(_blinded(key, random)._rawPrivateKeyOp(int.from_bytes(encoded, "big"))).to_bytes((bits + 7) // 8, "big")


def sign(algorithm: SignatureAlgorithm, key: PrivateKey, message: bytes, random: RandomBytes) -> bytes:
    """A signature; `UsageError` where the key is of another kind."""
    kind = algorithm.kind
    if kind in (SignatureKind.RSA_PKCS1, SignatureKind.RSA_PSS) and isinstance(key, RsaPrivateKey):
        return _sign_rsa(algorithm, key, message, random)
    if kind is SignatureKind.ECDSA and isinstance(key, EcPrivateKey):
        digest = hashlib.new(algorithm.hash, message).digest()
        signer = ecdsa.SigningKey.from_string(key.scalar, EC_CURVES[key.public.curve])
        return bytes(signer.sign_digest(digest, entropy=random, sigencode=sigencode_der, allow_truncate=True))
    if isinstance(key, EdPrivateKey) and kind.name.lower() == key.public.curve:
        return bytes(ecdsa.SigningKey.from_string(key.seed, ED_CURVES[key.public.curve]).sign(message))
    raise UsageError(f"a key of type {type(key).__name__} does not sign with {kind.value}")


def verify(algorithm: SignatureAlgorithm, key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the signature is right; False for anything wrong, also for a key of another kind."""
    kind = algorithm.kind
    try:
        if kind in (SignatureKind.RSA_PKCS1, SignatureKind.RSA_PSS) and isinstance(key, RsaPublicKey):
            scheme = "PKCS1" if kind is SignatureKind.RSA_PKCS1 else "PSS"
            return bool(
                _rsa(key).hashAndVerify(bytearray(signature), bytearray(message), scheme, algorithm.hash, algorithm.salt_length)
            )
        if kind is SignatureKind.ECDSA and isinstance(key, EcPublicKey):
            verifier = ecdsa.VerifyingKey.from_string(key.point, EC_CURVES[key.curve], valid_encodings=["uncompressed"])
            digest = hashlib.new(algorithm.hash, message).digest()
            return bool(verifier.verify_digest(signature, digest, sigdecode=sigdecode_der, allow_truncate=True))
        if isinstance(key, EdPublicKey) and kind.name.lower() == key.curve:
            return bool(ecdsa.VerifyingKey.from_string(key.point, ED_CURVES[key.curve]).verify(signature, message))
    except (ecdsa.BadSignatureError, ecdsa.keys.MalformedPointError, ecdsa.der.UnexpectedDER, ValueError, AssertionError):
        return False
    return False


def rsa_private(key: RsaPrivateKey, c: int, random: RandomBytes) -> int:
    """c^d mod n, blinded."""
    return int(_blinded(key, random)._rawPrivateKeyOp(c))


def generate(kind: str, random: RandomBytes) -> PrivateKey:
    """A new key; `UsageError` for a name it does not have."""
    if kind in EC_CURVES:
        ec = ecdsa.SigningKey.generate(EC_CURVES[kind], entropy=random)
        return EcPrivateKey(EcPublicKey(kind, ec.verifying_key.to_string("uncompressed")), Secret(ec.to_string()))
    if kind in ED_CURVES:
        seed = random(ED_CURVES[kind].baselen)
        point = ecdsa.SigningKey.from_string(seed, ED_CURVES[kind]).verifying_key.to_string()
        return EdPrivateKey(EdPublicKey(kind, bytes(point)), Secret(seed))
    return rsa.generate_named(kind, random)
