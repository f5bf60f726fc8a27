"""Private keys read: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2), SEC 1 (RFC 5915); named curves only.

Readers are strict and take a `Reader`, so the same code explains the bytes when the reader has a sink. No message shows a byte
of a private key.
"""

from __future__ import annotations

from collections.abc import Callable

from puretls.crypto.keys import EcPrivateKey, EdPrivateKey, PrivateKey, RsaPrivateKey, RsaPublicKey
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret, leaving_no_frames
from puretls.der import oids
from puretls.der.reader import Reader
from puretls.der.tags import BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, context, explicit
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.x509.keys.derive import ec_private_key, ed_private_key
from puretls.x509.keys.public import (
    EDWARDS,
    EDWARDS_LENGTHS,
    FIELD_LENGTHS,
    MAX_EXPONENT_BITS,
    of_length,
    public_octets,
    read_modulus,
    read_named_curve,
    read_point,
    read_rsa_parameters,
)  # fmt: skip
from puretls.x509.pem import PemBlock, looks_like_der, read_pem


@leaving_no_frames
def parse_private_key(
    data: bytes | str, password: str | bytes | None = None, provider: Provider | None = None, *, sink: list[Span] | None = None
) -> PrivateKey:
    """The private key in `data`: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2) or SEC 1 (RFC 5915), as DER or PEM.

    `password` opens an encrypted PKCS#8 or a traditional PEM with DEK-Info; `provider` (the default one where None) decrypts
    them. Raises `DecodeError` for bytes that are no key or one whose parts disagree, and `UsageError` for a
    missing or wrong password.
    """
    if looks_like_der(data):
        assert isinstance(data, bytes)
        return _parse_der(data, password, _given(provider), sink)
    block = _key_block(data)
    if block.header("DEK-Info") is not None:
        from puretls.x509.keys.encryption import open_traditional  # most keys are not encrypted

        return _parse_der(open_traditional(block, password, _given(provider)), None, _given(provider), sink)
    return _parse_der(block.data, password, _given(provider), sink)


def _given(provider: Provider | None) -> Provider:
    if provider is not None:
        return provider
    from puretls.crypto.provider import default

    return default()


KEY_LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")


def _key_block(text: bytes | str) -> PemBlock:
    blocks = read_pem(text)
    for block in blocks:
        if block.label in KEY_LABELS:
            return block
    others = [block.label for block in blocks if block.label.endswith("PRIVATE KEY")]
    what = f"{others[0]!r:.60} is not supported" if others else "no private key in the PEM text"
    raise DecodeError(what, path="PEM", rfc="RFC 7468 10")


def _parse_der(der: bytes, password: str | bytes | None, provider: Provider, sink: list[Span] | None) -> PrivateKey:
    outer = Reader(der, sink=sink)
    kind = _kind_of(der)
    if kind == "EncryptedPrivateKeyInfo":
        from puretls.x509.keys.encryption import open_encrypted

        return _parse_der(open_encrypted(outer, password, provider), None, provider, sink=None)
    key = _READERS[kind](outer)
    outer.done()
    return key


def _kind_of(der: bytes) -> str:
    """Which structure this is, by its first two fields."""
    key = Reader(der, name="PrivateKey").enter()
    if key.peek() == SEQUENCE:
        return "EncryptedPrivateKeyInfo"
    key.small("version", limit=4)
    kinds = {SEQUENCE: "PrivateKeyInfo", INTEGER: "RSAPrivateKey", OCTET_STRING: "ECPrivateKey"}
    if key.peek() not in kinds:
        raise key.error("neither PKCS#8 nor PKCS#1 nor SEC 1")
    return kinds[key.peek()]


def _read_pkcs8(outer: Reader) -> PrivateKey:
    """OneAsymmetricKey (RFC 5958 2), version 1 or 2."""
    info = outer.enter(SEQUENCE, "PrivateKeyInfo")
    version = info.small("version", limit=2)
    algorithm = info.enter(SEQUENCE, "algorithm")
    oid = algorithm.oid("algorithm")
    key = _read_private(oid, algorithm, info)
    algorithm.done()
    if info.peek() == explicit(0):
        info.skip("attributes")
    if version == 1 and info.peek() == context(1):
        public = info.bit_octets("public_key", context(1))
        if public != public_octets(key.public):
            raise info.error("the public key is not that of the private key", "public_key", rfc="RFC 5958 2")
    info.done()
    return key


def _read_private(oid: bytes, algorithm: Reader, info: Reader) -> PrivateKey:
    if oid in (oids.RSA_ENCRYPTION, oids.RSASSA_PSS):
        pss = oid == oids.RSASSA_PSS
        if algorithm.more:  # some writers of private keys leave the NULL out
            read_rsa_parameters(algorithm, pss)
        inner = info.inside_octets("private_key")
        key: PrivateKey = _read_pkcs1(inner, pss)
    elif oid == oids.EC_PUBLIC_KEY:
        curve = read_named_curve(algorithm)
        inner = info.inside_octets("private_key")
        key = _read_sec1(inner, curve)
    elif oid in EDWARDS:
        inner = info.inside_octets("private_key")
        key = _read_edwards(inner, EDWARDS[oid])
    else:
        raise info.error(f"private keys of type {oids.describe(oid)} are not supported", "algorithm")
    inner.done()
    return key


def _read_pkcs1(outer: Reader, pss: bool = False) -> RsaPrivateKey:
    key = outer.enter(SEQUENCE, "RSAPrivateKey")
    if key.small("version", limit=2) != 0:
        raise key.error("RSA keys of more than two primes are not supported", "version", rfc="RFC 8017 A.1.2")
    n = read_modulus(key)
    names = ("public_exponent", "private_exponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient")
    e, d, p, q, dp, dq, qinv = numbers = tuple(key.integer(name) for name in names)
    key.done()
    fits = max(numbers) < n and (  # before products of huge numbers are made
        p > 1 and q > 1 and p * q == n and 3 <= e < 1 << MAX_EXPONENT_BITS and 1 < d < n
        and (e * d) % (p - 1) == 1 and (e * d) % (q - 1) == 1 and dp == d % (p - 1) and dq == d % (q - 1) and q * qinv % p == 1
    )  # fmt: skip
    if not fits:
        raise key.error("the numbers of the RSA key do not fit each other", rfc="RFC 8017 3.2")
    return RsaPrivateKey(RsaPublicKey(n, e, pss), d, p, q, dp, dq, qinv)


def _read_sec1(outer: Reader, curve: str | None = None) -> EcPrivateKey:
    """ECPrivateKey (RFC 5915 3). `curve` is the one PKCS#8 named; parameters inside must then agree."""
    key = outer.enter(SEQUENCE, "ECPrivateKey")
    if key.small("version", limit=2) != 1:
        raise key.error("version other than 1", "version", rfc="RFC 5915 3")
    scalar = Secret(key.octets("private_key"))
    if key.peek() == explicit(0):
        parameters = key.enter(explicit(0), "parameters")
        named = read_named_curve(parameters)
        parameters.done()
        if curve not in (None, named):
            raise key.error("two different curves for one key", "parameters")
        curve = named
    if curve is None:
        raise key.error("the curve is missing", "parameters", rfc="RFC 5915 3")
    point = None
    if key.peek() == explicit(1):
        public = key.enter(explicit(1), "public_key")
        point = read_point(public, curve, BIT_STRING, "")
        public.done()
    key.done()
    return _ec_key(key, curve, scalar, point)


def _ec_key(where: Reader, curve: str, scalar: Secret, point: bytes | None) -> EcPrivateKey:
    length = FIELD_LENGTHS[curve]
    if len(scalar) > length and not any(scalar[:-length]):
        scalar = Secret(scalar[-length:])
    scalar = Secret(scalar.rjust(length, b"\0"))  # RFC 5915 wants the full length; older writers drop leading zeros
    key = ec_private_key(curve, scalar) if len(scalar) == length else None
    if key is None or point not in (None, key.public.point):
        raise where.error(f"the private key is none of {curve}, or not that of the public key beside it", rfc="SEC 1 3.2.1")
    return key


def _read_edwards(outer: Reader, curve: str) -> EdPrivateKey:
    seed = Secret(of_length(outer, outer.octets("CurvePrivateKey"), EDWARDS_LENGTHS[curve], curve))
    return ed_private_key(curve, seed)


_READERS: dict[str, Callable[[Reader], PrivateKey]] = {
    "PrivateKeyInfo": _read_pkcs8,
    "RSAPrivateKey": _read_pkcs1,
    "ECPrivateKey": _read_sec1,
}
