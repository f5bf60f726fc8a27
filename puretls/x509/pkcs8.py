"""Private keys written behind a password: EncryptedPrivateKeyInfo (RFC 5958 3) with PBES2 (RFC 8018 6.2), traditional PEM.

`keys.parse_private_key` reads both.
"""

from __future__ import annotations

from puretls.crypto.cbc import AES_256_CBC, CbcAlgorithm
from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import PrivateKey
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret
from puretls.der import oids, writer
from puretls.errors import UsageError
from puretls.x509.keys import pbkdf
from puretls.x509.keys.encryption import PEM_CIPHERS, as_bytes
from puretls.x509.keys.writing import private_key_der, traditional_key
from puretls.x509.pem import write_pem

ITERATIONS = 600_000
"""What is written: OWASP's advice of 2023 for PBKDF2 with HMAC-SHA256."""


def encrypted_key_der(
    key: PrivateKey, password: str | bytes, random: RandomBytes, provider: Provider, *, iterations: int = ITERATIONS
) -> bytes:
    """EncryptedPrivateKeyInfo with PBES2: PBKDF2 with HMAC-SHA256, AES-256-CBC."""
    salt, iv = random(16), random(16)
    secret = pbkdf.pbkdf2("sha256", as_bytes(password), salt, iterations, AES_256_CBC.key_length)
    prf = writer.sequence(writer.oid(oids.HMAC_SHA256), writer.null())
    function = writer.sequence(
        writer.oid(oids.PBKDF2), writer.sequence(writer.octet_string(salt), writer.integer(iterations), prf)
    )
    scheme = writer.sequence(writer.oid(oids.AES256_CBC), writer.octet_string(iv))
    algorithm = writer.sequence(writer.oid(oids.PBES2), writer.sequence(function, scheme))
    return writer.sequence(algorithm, writer.octet_string(_encrypt(AES_256_CBC, secret, iv, private_key_der(key), provider)))


def encrypted_key_pem(
    key: PrivateKey, password: str | bytes, random: RandomBytes, provider: Provider, *, iterations: int = ITERATIONS
) -> str:
    """The same as an "ENCRYPTED PRIVATE KEY" block."""
    return write_pem("ENCRYPTED PRIVATE KEY", encrypted_key_der(key, password, random, provider, iterations=iterations))


def traditional_key_pem(
    key: PrivateKey, random: RandomBytes, provider: Provider, password: str | bytes | None = None, cipher: str = "AES-256-CBC"
) -> str:
    """The key in its older form ("RSA PRIVATE KEY", "EC PRIVATE KEY"), encrypted with DEK-Info where a password is given.

    One round of MD5 stands between a guess and the key: prefer `encrypted_key_pem`, which others get in any case.
    """
    label, der = traditional_key(key)
    if password is None:
        return write_pem(label, der)
    if label == "PRIVATE KEY":
        return encrypted_key_pem(key, password, random, provider)
    if cipher not in PEM_CIPHERS:
        raise UsageError(f"no cipher for DEK-Info is called {cipher!r}; known: {', '.join(PEM_CIPHERS)}")
    algorithm = PEM_CIPHERS[cipher]
    iv = random(algorithm.block_length)
    secret = pbkdf.openssl_kdf(as_bytes(password), iv[:8], algorithm.key_length)
    headers = (("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", f"{cipher},{iv.hex().upper()}"))
    return write_pem(label, _encrypt(algorithm, secret, iv, der, provider), headers)


def _encrypt(cipher: CbcAlgorithm, key: Secret, iv: bytes, plaintext: bytes, provider: Provider) -> bytes:
    count = cipher.block_length - len(plaintext) % cipher.block_length
    return provider.cbc(cipher, key).encrypt(iv, plaintext + bytes([count]) * count)
