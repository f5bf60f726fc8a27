"""AlgorithmIdentifiers of signatures (RFC 3279, 4055, 5758, 8410), for certificates, CRLs and OCSP responses alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.der import oids
from puretls.der.memo import Memo
from puretls.der.reader import Reader
from puretls.der.tags import NULL, SEQUENCE, explicit
from puretls.errors import DecodeError
from puretls.values import frozen

T = TypeVar("T")


@frozen
class AlgorithmIdentifier:
    """RFC 5280 4.1.1.2. `raw`: the whole DER, which is what gets compared; `parameters`: their DER, None where absent."""

    algorithm: bytes
    parameters: bytes | None
    raw: bytes

    def __str__(self) -> str:
        return oids.describe(self.algorithm)


def read_algorithm(reader: Reader, name: str) -> AlgorithmIdentifier:
    """The AlgorithmIdentifier at the reader's position."""
    return reader.shared(_IDENTIFIERS, _read_identifier, name)


def read_signed(outer: Reader, name: str, read: Callable[[Reader], T]) -> tuple[bytes, T, AlgorithmIdentifier]:
    """The SEQUENCE `name` that is signed, as bytes and as what `read` makes of it, and the algorithm behind it (RFC 5280 4.1.1).

    The signature follows, at the position of `outer`.
    """
    start = outer.at
    fields = read(outer.enter(name=name))
    return outer.data[start : outer.at], fields, read_algorithm(outer, "signature_algorithm")


_IDENTIFIERS: Memo[bytes, AlgorithmIdentifier] = Memo(64)


def _read_identifier(body: Reader, der: bytes) -> AlgorithmIdentifier:
    algorithm = body.oid("algorithm")
    parameters = body.raw("parameters") if body.more else None
    body.done()
    return AlgorithmIdentifier(algorithm, parameters, der)


_PKCS1, _ECDSA = SignatureKind.RSA_PKCS1, SignatureKind.ECDSA
_NULL = b"\x05\x00"

SIGNATURES: dict[bytes, tuple[SignatureAlgorithm, bool]] = {
    oids.MD5_WITH_RSA: (SignatureAlgorithm(_PKCS1, "md5"), True),
    oids.SHA1_WITH_RSA: (SignatureAlgorithm(_PKCS1, "sha1"), True),
    oids.SHA224_WITH_RSA: (SignatureAlgorithm(_PKCS1, "sha224"), True),
    oids.SHA256_WITH_RSA: (SignatureAlgorithm(_PKCS1, "sha256"), True),
    oids.SHA384_WITH_RSA: (SignatureAlgorithm(_PKCS1, "sha384"), True),
    oids.SHA512_WITH_RSA: (SignatureAlgorithm(_PKCS1, "sha512"), True),
    oids.ECDSA_WITH_SHA1: (SignatureAlgorithm(_ECDSA, "sha1"), False),
    oids.ECDSA_WITH_SHA224: (SignatureAlgorithm(_ECDSA, "sha224"), False),
    oids.ECDSA_WITH_SHA256: (SignatureAlgorithm(_ECDSA, "sha256"), False),
    oids.ECDSA_WITH_SHA384: (SignatureAlgorithm(_ECDSA, "sha384"), False),
    oids.ECDSA_WITH_SHA512: (SignatureAlgorithm(_ECDSA, "sha512"), False),
    oids.ED25519: (SignatureAlgorithm(SignatureKind.ED25519), False),
    oids.ED448: (SignatureAlgorithm(SignatureKind.ED448), False),
}
"""Identifier -> the algorithm, and whether NULL parameters belong to it (RFC 4055 5; none in RFC 5758 3.2 and 8410 3)."""

WEAK_HASHES = frozenset({"md2", "md5", "sha1"})


def signature_algorithm(identifier: AlgorithmIdentifier) -> SignatureAlgorithm:
    """What an identifier means. Raises `DecodeError` for an algorithm not known here or parameters that do not belong to it.

    Absent parameters are taken for NULL with RSA PKCS #1 v1.5: enough deployed certificates leave them out; nothing else is.
    """
    if identifier.algorithm == oids.RSASSA_PSS:
        return _pss(identifier)
    row = SIGNATURES.get(identifier.algorithm)
    if row is None:
        raise DecodeError(f"signatures of type {identifier} are not supported", path="AlgorithmIdentifier.algorithm")
    algorithm, with_null = row
    if identifier.parameters is not None and not (with_null and identifier.parameters == _NULL):
        raise _bad_parameters(f"{identifier} with wrong parameters", "RFC 4055 5, RFC 5758 3")
    return algorithm


def _pss(identifier: AlgorithmIdentifier) -> SignatureAlgorithm:
    if identifier.parameters is None:
        raise _bad_parameters("RSASSA-PSS without parameters", "RFC 4055 3.1")
    reader = Reader(identifier.parameters, name="AlgorithmIdentifier")
    digest, mgf_digest, salt_length = read_pss_parameters(reader)
    reader.done()
    if digest != mgf_digest:
        raise _bad_parameters("RSASSA-PSS whose mask generation uses another hash", "RFC 4055 3.1")
    return SignatureAlgorithm(SignatureKind.RSA_PSS, digest, salt_length, mgf_digest)


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


def _bad_parameters(message: str, rfc: str) -> DecodeError:
    return DecodeError(message, path="AlgorithmIdentifier.parameters", rfc=rfc)


def allows(spki: bytes, algorithm: SignatureAlgorithm) -> bool:
    """Whether the parameters of an id-RSASSA-PSS key let it make such signatures (RFC 4055 3.1, 3.3); other keys have no such limits.

    Raises `DecodeError` for parameters that cannot be read.
    """
    if oids.RSASSA_PSS not in spki:
        return True  # most keys, told without reading
    identifier = read_algorithm(Reader(spki, name="SubjectPublicKeyInfo").enter(), "algorithm")
    if identifier.algorithm != oids.RSASSA_PSS or identifier.parameters is None:
        return True
    limits = _pss(identifier)
    same = algorithm.kind is limits.kind and algorithm.hash == limits.hash and algorithm.mgf_hash == limits.mgf_hash
    return same and algorithm.salt_length >= limits.salt_length
