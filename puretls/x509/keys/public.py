"""Public keys between bytes and values: SubjectPublicKeyInfo and PKCS#1; named curves only.

Readers are strict and take a `Reader`, so the same code explains the bytes when the reader has a sink.
"""

from __future__ import annotations

from puretls.crypto.keys import EcPublicKey, EdPublicKey, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey
from puretls.der import oids, writer
from puretls.der.reader import Reader
from puretls.der.tags import BIT_STRING, OBJECT_IDENTIFIER, SEQUENCE
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.x509.keys.algorithms import read_pss_parameters
from puretls.x509.keys.derive import is_on_curve
from puretls.x509.pem import looks_like_der, read_pem, write_pem

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
        read_rsa_parameters(algorithm, pss)
        return _rsa_public(spki, pss)
    if oid == oids.EC_PUBLIC_KEY:
        curve = read_named_curve(algorithm)
        return EcPublicKey(curve, read_point(spki, curve, BIT_STRING, "subject_public_key"))
    if oid in EDWARDS:
        curve = EDWARDS[oid]
        return EdPublicKey(curve, of_length(spki, spki.bit_octets("subject_public_key"), EDWARDS_LENGTHS[curve], curve))
    raise spki.error(f"public keys of type {oids.describe(oid)} are not supported", "algorithm")


def read_rsa_parameters(algorithm: Reader, pss: bool) -> None:
    """Steps over the parameters of an RSA key, which are NULL, or for RSASSA-PSS those of RFC 4055 3.1."""
    if pss and algorithm.peek() in (SEQUENCE, -1):  # RFC 4055 3.1: absent, or RSASSA-PSS-params
        if algorithm.more:
            read_pss_parameters(algorithm)
    else:
        algorithm.null("parameters")  # RFC 3279 2.3.1: NULL, and present


def _rsa_public(spki: Reader, pss: bool) -> RsaPublicKey:
    key = spki.inside_bits("subject_public_key")
    public = key.enter(SEQUENCE, "rsa_public_key")
    n, e = read_modulus(public), public.integer("public_exponent")
    public.done()
    key.done()
    if not 3 <= e < 1 << MAX_EXPONENT_BITS or not e & 1:
        raise key.error("RSA public exponent that is even, below 3 or too large", "public_exponent", rfc="RFC 8017 3.1")
    return RsaPublicKey(n, e, pss)


def read_modulus(public: Reader) -> int:
    """The modulus that comes next: odd, positive, of at most `MAX_MODULUS_BITS`."""
    at, end = public.at, public.end
    if end - at > MAX_MODULUS_BITS:  # the whole key is longer than the modulus may be in bits: not worth turning into a number
        raise public.error(f"RSA modulus of more than {MAX_MODULUS_BITS} bits", "modulus")
    n = public.integer("modulus")
    if n.bit_length() > MAX_MODULUS_BITS:
        raise public.error(f"RSA modulus of more than {MAX_MODULUS_BITS} bits", "modulus", offset=at)
    if n < 15 or not n & 1:
        raise public.error("RSA modulus that is negative, even or tiny", "modulus", offset=at, rfc="RFC 8017 3.1")
    return n


def read_named_curve(algorithm: Reader) -> str:
    """The name of the curve whose identifier comes next. Raises `DecodeError` for any other form of parameters."""
    if algorithm.peek() != OBJECT_IDENTIFIER:  # explicit parameters: CVE-2020-0601; implicitCurve is as bad
        raise algorithm.error("curves other than named ones are refused", "parameters", rfc="RFC 5480 2.1.1")
    oid = algorithm.oid("parameters")
    if oid not in CURVES:
        raise algorithm.error(f"the curve {oids.describe(oid)} is not supported", "parameters")
    return CURVES[oid]


def read_point(outer: Reader, curve: str, tag: int, name: str) -> bytes:
    """The point in the BIT STRING that comes next: uncompressed, and on the curve."""
    at = outer.at
    point = outer.bit_octets(name, tag)
    if point[:1] in (b"\x02", b"\x03"):
        raise outer.error("compressed points are refused", name, offset=at, rfc="RFC 5480 2.2")
    if len(point) != 1 + 2 * FIELD_LENGTHS[curve] or point[0] != 4:
        raise outer.error(f"no uncompressed point of {curve}", name, offset=at, rfc="RFC 5480 2.2")
    if not is_on_curve(curve, point):
        raise outer.error(f"the point is not on {curve}", name, offset=at, rfc="SEC 1 3.2.2.1")
    return point


def of_length(where: Reader, data: bytes, length: int, curve: str) -> bytes:
    """The bytes of an Edwards key, which must have this length."""
    if len(data) != length:
        raise where.error(f"{curve} keys have {length} bytes, not {len(data)}", rfc="RFC 8410 3")
    return data


def spki_bytes(key: PublicKey) -> bytes:
    """The SubjectPublicKeyInfo of a key in DER."""
    return writer.sequence(algorithm_identifier(key), writer.bit_string(public_octets(key)))


def algorithm_identifier(key: PublicKey) -> bytes:
    """The AlgorithmIdentifier of a key in DER."""
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
