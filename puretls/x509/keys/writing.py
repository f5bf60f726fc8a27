"""Private keys as bytes: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2) and SEC 1 (RFC 5915); `pkcs8` writes encrypted ones."""

from __future__ import annotations

from puretls.crypto.keys import EcPrivateKey, EdPrivateKey, PrivateKey, RsaPrivateKey
from puretls.der import writer
from puretls.x509.keys.public import CURVE_OIDS, algorithm_identifier
from puretls.x509.pem import write_pem


def private_key_der(key: PrivateKey) -> bytes:
    """The PKCS#8 PrivateKeyInfo of a key (RFC 5958, version 1, as every reader knows it)."""
    match key:
        case RsaPrivateKey():
            inner = _pkcs1(key)
        case EcPrivateKey():
            inner = _sec1(key, named=False)
        case EdPrivateKey():
            inner = writer.octet_string(key.seed)
    return writer.sequence(writer.integer(0), algorithm_identifier(key.public), writer.octet_string(inner))


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
