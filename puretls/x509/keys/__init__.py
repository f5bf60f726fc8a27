"""Keys between bytes and values: SubjectPublicKeyInfo, PKCS#8, PKCS#1, SEC 1; named curves only.

Readers are strict and take a `Reader`, so the same code explains the bytes when the reader has a sink. What is encrypted is
opened in `pkcs8`. No message here shows a byte of a private key.
"""

from __future__ import annotations

from collections.abc import Callable

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
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret, leaving_no_frames
from puretls.der import oids, writer
from puretls.der.reader import BIT_STRING, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Reader, context, explicit
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.x509.keys.derive import ec_private_key, ed_private_key, is_on_curve
from puretls.x509.pem import PemBlock, looks_like_der, read_pem, write_pem

MAX_MODULUS_BITS = 16384
"""Larger RSA keys are refused while parsing: one `pow` on a hostile modulus would hold the process (CVE-2023-29409)."""
MAX_EXPONENT_BITS = 64
CURVES = {oids.SECP256R1: "secp256r1", oids.SECP384R1: "secp384r1", oids.SECP521R1: "secp521r1"}
CURVE_OIDS = {name: oid for oid, name in CURVES.items()}
FIELD_LENGTHS = {"secp256r1": 32, "secp384r1": 48, "secp521r1": 66}
"""Bytes of a coordinate, and of a scalar."""
EDWARDS = {oids.ED25519: "ed25519", oids.ED448: "ed448"}
EDWARDS_OIDS = {name: oid for oid, name in EDWARDS.items()}
EDWARDS_LENGTHS = {"ed25519": 32, "ed448": 57}

# Public keys


def parse_spki(der: bytes, sink: list[Span] | None = None) -> PublicKey:
    """The key of a SubjectPublicKeyInfo (RFC 5280 4.1.2.7; RFC 3279 2.3.1, 4055 3.1, 5480 2.1, 8410 4).

    Raises `DecodeError` for bad DER, an algorithm or curve that is not supported, explicit curve parameters, a compressed point,
    or an RSA key beyond `MAX_MODULUS_BITS`.
    """
    outer = Reader(der, sink=sink)
    key = read_spki(outer, "SubjectPublicKeyInfo")
    outer.done()
    return key


def read_spki(outer: Reader, name: str = "subject_public_key_info") -> PublicKey:
    """The same as the next value of `outer`."""
    spki = outer.enter(SEQUENCE, name)
    algorithm = spki.enter(SEQUENCE, "algorithm")
    oid = algorithm.oid("algorithm")
    key = _read_public(oid, algorithm, spki)
    algorithm.done()
    spki.done()
    return key


def _read_public(oid: bytes, algorithm: Reader, spki: Reader) -> PublicKey:
    if oid in (oids.RSA_ENCRYPTION, oids.RSASSA_PSS):
        pss = oid == oids.RSASSA_PSS
        _rsa_parameters(algorithm, pss)
        return _rsa_public(spki, pss)
    if oid == oids.EC_PUBLIC_KEY:
        curve = _named_curve(algorithm)
        return EcPublicKey(curve, _point(spki, curve, BIT_STRING, "subject_public_key"))
    if oid in EDWARDS:
        curve = EDWARDS[oid]
        return EdPublicKey(curve, _sized(spki, spki.bit_octets("subject_public_key"), EDWARDS_LENGTHS[curve], curve))
    raise spki.error(f"public keys of type {oids.describe(oid)} are not supported", "algorithm")


def _rsa_parameters(algorithm: Reader, pss: bool) -> None:
    if pss and algorithm.peek() in (SEQUENCE, -1):  # RFC 4055 3.1: absent, or RSASSA-PSS-params
        if algorithm.more:
            read_pss_parameters(algorithm)
    else:
        algorithm.null("parameters")  # RFC 3279 2.3.1: NULL, and present


def read_pss_parameters(outer: Reader, name: str = "parameters") -> tuple[str, str, int]:
    """RSASSA-PSS-params (RFC 4055 3.1): the hash, the hash of MGF1, the salt length in bytes."""
    params = outer.enter(SEQUENCE, name)
    hash_name = mgf_hash = "sha1"
    salt = 20
    if params.peek() == explicit(0):
        hash_name = _hash_algorithm(params.enter(explicit(0), "hash_algorithm"))
    if params.peek() == explicit(1):
        mgf_hash = _mgf(params.enter(explicit(1), "mask_gen_algorithm"))
    if params.peek() == explicit(2):
        field = params.enter(explicit(2), "salt_length")
        salt = field.small("", limit=1 << 16)
        field.done()
    if params.peek() == explicit(3):
        field = params.enter(explicit(3), "trailer_field")
        if field.small("", limit=256) != 1:
            raise field.error("trailer field other than 1", rfc="RFC 4055 3.1")
        field.done()
    params.done()
    return hash_name, mgf_hash, salt


def _mgf(field: Reader) -> str:
    algorithm = field.enter(SEQUENCE)
    if algorithm.oid("algorithm") != oids.MGF1:
        raise algorithm.error("mask generation other than MGF1", "algorithm", rfc="RFC 4055 2.2")
    hash_name = _hash_algorithm(algorithm)
    field.done()
    return hash_name


def _hash_algorithm(field: Reader) -> str:
    algorithm = field.enter(SEQUENCE)
    oid = algorithm.oid("algorithm")
    if oid not in oids.HASH_NAMES:
        raise algorithm.error(f"the hash {oids.describe(oid)} is not supported", "algorithm")
    if algorithm.peek() == NULL:
        algorithm.null("parameters")
    algorithm.done()
    field.done()
    return oids.HASH_NAMES[oid]


def _rsa_public(spki: Reader, pss: bool) -> RsaPublicKey:
    key = inside_bits(spki, "subject_public_key")
    public = key.enter(SEQUENCE, "rsa_public_key")
    n, e = _modulus(public), public.integer("public_exponent")
    public.done()
    key.done()
    if not 3 <= e < 1 << MAX_EXPONENT_BITS or not e & 1:
        raise key.error("RSA public exponent that is even, below 3 or too large", "public_exponent", rfc="RFC 8017 3.1")
    return RsaPublicKey(n, e, pss)


def _modulus(public: Reader) -> int:
    at, end = public.at, public.end
    if end - at > MAX_MODULUS_BITS:  # the whole key is longer than the modulus may be in bits: not worth turning into a number
        raise public.error(f"RSA modulus of more than {MAX_MODULUS_BITS} bits", "modulus")
    n = public.integer("modulus")
    if n.bit_length() > MAX_MODULUS_BITS:
        raise public.error(f"RSA modulus of more than {MAX_MODULUS_BITS} bits", "modulus", offset=at)
    if n < 15 or not n & 1:
        raise public.error("RSA modulus that is negative, even or tiny", "modulus", offset=at, rfc="RFC 8017 3.1")
    return n


def _named_curve(algorithm: Reader) -> str:
    if algorithm.peek() != OBJECT_IDENTIFIER:  # explicit parameters: CVE-2020-0601; implicitCurve is as bad
        raise algorithm.error("curves other than named ones are refused", "parameters", rfc="RFC 5480 2.1.1")
    oid = algorithm.oid("parameters")
    if oid not in CURVES:
        raise algorithm.error(f"the curve {oids.describe(oid)} is not supported", "parameters")
    return CURVES[oid]


def _point(outer: Reader, curve: str, tag: int, name: str) -> bytes:
    at = outer.at
    point = outer.bit_octets(name, tag)
    if point[:1] in (b"\x02", b"\x03"):
        raise outer.error("compressed points are refused", name, offset=at, rfc="RFC 5480 2.2")
    if len(point) != 1 + 2 * FIELD_LENGTHS[curve] or point[0] != 4:
        raise outer.error(f"no uncompressed point of {curve}", name, offset=at, rfc="RFC 5480 2.2")
    if not is_on_curve(curve, point):
        raise outer.error(f"the point is not on {curve}", name, offset=at, rfc="SEC 1 3.2.2.1")
    return point


def _sized(where: Reader, data: bytes, length: int, curve: str) -> bytes:
    if len(data) != length:
        raise where.error(f"{curve} keys have {length} bytes, not {len(data)}", rfc="RFC 8410 3")
    return data


def spki_bytes(key: PublicKey) -> bytes:
    """The SubjectPublicKeyInfo of a key in DER."""
    return writer.sequence(_algorithm_identifier(key), writer.bit_string(public_octets(key)))


def _algorithm_identifier(key: PublicKey) -> bytes:
    match key:
        case RsaPublicKey(pss_only=True):
            return writer.sequence(writer.oid(oids.RSASSA_PSS))
        case RsaPublicKey():
            return writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.null())
        case EcPublicKey():
            return writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(CURVE_OIDS[key.curve]))
        case EdPublicKey():
            return writer.sequence(writer.oid(EDWARDS_OIDS[key.curve]))


def public_octets(key: PublicKey) -> bytes:
    """The content of the BIT STRING of a SubjectPublicKeyInfo: what key identifiers hash (RFC 5280 4.2.1.2)."""
    if isinstance(key, RsaPublicKey):
        return writer.sequence(writer.integer(key.n), writer.integer(key.e))
    return key.point


# DER inside strings


def inside_octets(outer: Reader, name: str, tag: int = OCTET_STRING) -> Reader:
    """A reader for the DER inside the OCTET STRING (or other primitive value of this tag) that comes next."""
    return outer.within(*outer.enter_octets(name, tag), name)


def inside_bits(outer: Reader, name: str, tag: int = BIT_STRING) -> Reader:
    """A reader for the DER inside the BIT STRING that comes next, which must hold whole octets."""
    start, stop = outer.enter_octets(name, tag)
    if start == stop or outer.data[start]:
        raise outer.error("BIT STRING that is not whole octets", name, offset=start, rfc="X.690 8.6.2")
    inner = outer.within(start + 1, stop, name)
    if outer.sink is not None:
        outer.sink.append(Span(start, start + 1, inner.path + ".unused_bits", 0))
    return inner


# Private keys


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
        from puretls.x509 import pkcs8

        return _parse_der(pkcs8.open_traditional(block, password, _given(provider)), None, _given(provider), sink)
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
        from puretls.x509 import pkcs8

        return _parse_der(pkcs8.open_encrypted(outer, password, provider), None, provider, sink=None)
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
            _rsa_parameters(algorithm, pss)
        inner = inside_octets(info, "private_key")
        key: PrivateKey = _read_pkcs1(inner, pss)
    elif oid == oids.EC_PUBLIC_KEY:
        curve = _named_curve(algorithm)
        inner = inside_octets(info, "private_key")
        key = _read_sec1(inner, curve)
    elif oid in EDWARDS:
        inner = inside_octets(info, "private_key")
        key = _read_edwards(inner, EDWARDS[oid])
    else:
        raise info.error(f"private keys of type {oids.describe(oid)} are not supported", "algorithm")
    inner.done()
    return key


def _read_pkcs1(outer: Reader, pss: bool = False) -> RsaPrivateKey:
    key = outer.enter(SEQUENCE, "RSAPrivateKey")
    if key.small("version", limit=2) != 0:
        raise key.error("RSA keys of more than two primes are not supported", "version", rfc="RFC 8017 A.1.2")
    n = _modulus(key)
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
        named = _named_curve(parameters)
        parameters.done()
        if curve not in (None, named):
            raise key.error("two different curves for one key", "parameters")
        curve = named
    if curve is None:
        raise key.error("the curve is missing", "parameters", rfc="RFC 5915 3")
    point = None
    if key.peek() == explicit(1):
        public = key.enter(explicit(1), "public_key")
        point = _point(public, curve, BIT_STRING, "")
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
    seed = Secret(_sized(outer, outer.octets("CurvePrivateKey"), EDWARDS_LENGTHS[curve], curve))
    return ed_private_key(curve, seed)


_READERS: dict[str, Callable[[Reader], PrivateKey]] = {
    "PrivateKeyInfo": _read_pkcs8,
    "RSAPrivateKey": _read_pkcs1,
    "ECPrivateKey": _read_sec1,
}

# Writing


def private_key_der(key: PrivateKey) -> bytes:
    """The PKCS#8 PrivateKeyInfo of a key (RFC 5958, version 1, as every reader knows it)."""
    match key:
        case RsaPrivateKey():
            inner = _pkcs1(key)
        case EcPrivateKey():
            inner = _sec1(key, named=False)
        case EdPrivateKey():
            inner = writer.octet_string(key.seed)
    return writer.sequence(writer.integer(0), _algorithm_identifier(key.public), writer.octet_string(inner))


def traditional_key(key: PrivateKey) -> tuple[str, bytes]:
    """PEM label and DER of a key's older form: PKCS#1, SEC 1; Edwards keys and those marked for PSS have none but PKCS#8."""
    if isinstance(key, RsaPrivateKey) and not key.public.pss_only:
        return "RSA PRIVATE KEY", _pkcs1(key)
    if isinstance(key, EcPrivateKey):
        return "EC PRIVATE KEY", _sec1(key, named=True)
    return "PRIVATE KEY", private_key_der(key)


def _pkcs1(key: RsaPrivateKey) -> bytes:
    numbers = (0, key.public.n, key.public.e, key.d, key.p, key.q, key.dp, key.dq, key.qinv)
    return writer.sequence(*(writer.integer(number) for number in numbers))


def _sec1(key: EcPrivateKey, *, named: bool) -> bytes:
    parameters = writer.explicit(0, writer.oid(CURVE_OIDS[key.public.curve])) if named else b""
    public = writer.explicit(1, writer.bit_string(key.public.point))
    return writer.sequence(writer.integer(1), writer.octet_string(key.scalar), parameters, public)


def private_key_pem(key: PrivateKey) -> str:
    """The key as an unencrypted "PRIVATE KEY" block; `pkcs8.encrypted_key_pem` writes encrypted ones."""
    return write_pem("PRIVATE KEY", private_key_der(key))


def public_key_pem(key: PublicKey) -> str:
    """The key as a "PUBLIC KEY" block (RFC 7468 13)."""
    return write_pem("PUBLIC KEY", spki_bytes(key))


def parse_public_key(data: bytes | str) -> PublicKey:
    """The public key in DER or PEM: SubjectPublicKeyInfo, or PKCS#1 under "RSA PUBLIC KEY". Raises `DecodeError`."""
    if looks_like_der(data):
        assert isinstance(data, bytes)
        return parse_spki(data)
    for block in read_pem(data):
        if block.label == "PUBLIC KEY":
            return parse_spki(block.data)
        if block.label == "RSA PUBLIC KEY":
            algorithm = writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.null())
            return parse_spki(writer.sequence(algorithm, writer.bit_string(block.data)))
    raise DecodeError("no public key in the PEM text", path="PEM", rfc="RFC 7468 13")


def key_fits(public: PublicKey, private: PrivateKey) -> bool:
    """Whether `private` belongs to the certificate key `public`; an RSA key fits whether or not either side is marked for PSS."""
    if isinstance(public, RsaPublicKey) and isinstance(private, RsaPrivateKey):
        return (public.n, public.e) == (private.public.n, private.public.e)
    return public == private.public


def key_name(key: PublicKey) -> str:
    """A key's kind for people: "RSA 2048", "RSA-PSS 3072", "secp256r1", "ed25519"."""
    if isinstance(key, RsaPublicKey):
        return f"RSA{'-PSS' if key.pss_only else ''} {key.n.bit_length()}"
    return key.curve
