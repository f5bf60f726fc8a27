"""Password-based encryption, undone: PBES2 (RFC 8018 6.2), what PKCS#12 adds (RFC 7292 C), and traditional PEM with DEK-Info."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from puretls.crypto.cbc import AES_128_CBC, AES_192_CBC, AES_256_CBC, TRIPLE_DES_CBC, CbcAlgorithm
from puretls.crypto.provider import Provider
from puretls.der import oids
from puretls.der.reader import Reader
from puretls.der.tags import INTEGER, NULL, SEQUENCE
from puretls.errors import DecodeError, UsageError
from puretls.x509.keys import pbkdf, rc2
from puretls.x509.pem import PemBlock

CIPHERS = {
    oids.AES128_CBC: AES_128_CBC,
    oids.AES192_CBC: AES_192_CBC,
    oids.AES256_CBC: AES_256_CBC,
    oids.DES_EDE3_CBC: TRIPLE_DES_CBC,
}
PRF_HASHES = {
    oids.HMAC_SHA1: "sha1",
    oids.HMAC_SHA224: "sha224",
    oids.HMAC_SHA256: "sha256",
    oids.HMAC_SHA384: "sha384",
    oids.HMAC_SHA512: "sha512",
}
PEM_CIPHERS = {
    "AES-128-CBC": AES_128_CBC,
    "AES-192-CBC": AES_192_CBC,
    "AES-256-CBC": AES_256_CBC,
    "DES-EDE3-CBC": TRIPLE_DES_CBC,
}
"""By OpenSSL's names, as DEK-Info spells them."""
WRONG_PASSWORD = "the password is wrong, or the file is damaged"
RC2_40_CBC = CbcAlgorithm("RC2-40-CBC", 5, 8)
"""Only ever decrypted, by `rc2`: no provider has it."""


class Recipe(NamedTuple):
    """How to decrypt: the cipher, from the password its key and IV, and how many rounds of hashing that takes (`pbkdf.rounds`)."""

    cipher: CbcAlgorithm
    derive: Callable[[str | bytes | None], tuple[bytes, bytes]]
    rounds: int = 1


def as_bytes(password: str | bytes | None) -> bytes:
    """A password as PBES2 takes it: UTF-8 (RFC 8018 3); no byte for None."""
    if password is None:
        return b""
    return password.encode("utf-8", "surrogateescape") if isinstance(password, str) else password


def open_encrypted(outer: Reader, password: str | bytes | None, provider: Provider) -> bytes:
    """The PrivateKeyInfo inside the EncryptedPrivateKeyInfo that fills `outer`.

    Raises `UsageError` for a missing or wrong password, `DecodeError` for bad DER or a method that is not supported.
    """
    info = outer.enter(SEQUENCE, "EncryptedPrivateKeyInfo")
    recipe = read_recipe(info)
    ciphertext = info.octets("encrypted_data")
    info.done()
    outer.done()
    if password is None:
        raise UsageError("the private key is encrypted: a password is needed")
    return decrypt(recipe, password, ciphertext, provider)


def decrypt(recipe: Recipe, password: str | bytes | None, ciphertext: bytes, provider: Provider) -> bytes:
    """The plaintext without its padding (RFC 8018 6.1.1), which is a DER SEQUENCE. Raises `UsageError` for a wrong password."""
    block = recipe.cipher.block_length
    if not ciphertext or len(ciphertext) % block:
        raise DecodeError("the encrypted data is not whole blocks", path="encrypted_data", rfc="RFC 8018 6.2.2")
    key, iv = recipe.derive(password)
    if recipe.cipher == RC2_40_CBC:
        padded = rc2.decrypt_cbc(key, iv, ciphertext)
    else:
        padded = provider.cbc(recipe.cipher, key).decrypt(iv, ciphertext)
    count = padded[-1]
    if not 1 <= count <= block or padded[-count:] != bytes([count]) * count:
        raise UsageError(WRONG_PASSWORD)
    plaintext = padded[:-count]
    try:  # the padding fits a wrong password once in 256: what comes out must be one DER value as well
        check = Reader(plaintext)
        check.enter()
        check.done()
    except DecodeError:
        raise UsageError(WRONG_PASSWORD) from None
    return plaintext


def read_recipe(outer: Reader, name: str = "encryption_algorithm") -> Recipe:
    """The AlgorithmIdentifier of password-based encryption that comes next: PBES2, or one of RFC 7292 C that `pkcs12` knows."""
    algorithm = outer.enter(SEQUENCE, name)
    oid = algorithm.oid("algorithm")
    if oid == oids.PBES2:
        recipe = _read_pbes2(algorithm)
    elif oid in PKCS12_CIPHERS:
        recipe = _read_pkcs12_pbe(algorithm, PKCS12_CIPHERS[oid])
    else:
        raise algorithm.error(f"encryption with {oids.describe(oid)} is not supported", "algorithm")
    algorithm.done()
    return recipe


def _read_pbes2(algorithm: Reader) -> Recipe:
    params = algorithm.enter(SEQUENCE, "parameters")
    function = params.enter(SEQUENCE, "key_derivation_function")
    oid = function.oid("algorithm")
    if oid not in _DERIVATIONS:
        raise function.error(f"key derivation with {oids.describe(oid)} is not supported", "algorithm")
    derivation = _DERIVATIONS[oid](function.enter(SEQUENCE, "parameters"))
    function.done()
    scheme = params.enter(SEQUENCE, "encryption_scheme")
    oid = scheme.oid("algorithm")
    if oid not in CIPHERS:
        raise scheme.error(f"encryption with {oids.describe(oid)} is not supported", "algorithm")
    cipher = CIPHERS[oid]
    iv = scheme.octets("iv")
    scheme.done()
    params.done()
    if len(iv) != cipher.block_length or derivation.key_length not in (None, cipher.key_length):
        raise params.error(f"IV or key length does not fit {cipher.name}", rfc="RFC 8018 B.2")

    def derive(password: str | bytes | None) -> tuple[bytes, bytes]:
        return derivation.derive(as_bytes(password), cipher.key_length), iv

    return Recipe(cipher, derive, derivation.rounds(cipher.key_length))


class Derivation(NamedTuple):
    """From a password a key of some length: how, the length where the parameters say it, and what it costs (`pbkdf.rounds`)."""

    derive: Callable[[bytes, int], bytes]
    key_length: int | None
    rounds: Callable[[int], int]


def _read_pbkdf2(params: Reader) -> Derivation:
    """PBKDF2-params (RFC 8018 A.2)."""
    salt = params.octets("salt")
    iterations = pbkdf.check_iterations(params.small("iteration_count"), params.path)
    key_length = _read_key_length(params)
    hash_name = "sha1"
    if params.peek() == SEQUENCE:
        prf = params.enter(SEQUENCE, "prf")
        oid = prf.oid("algorithm")
        if oid not in PRF_HASHES:
            raise prf.error(f"the PRF {oids.describe(oid)} is not supported", "algorithm")
        hash_name = PRF_HASHES[oid]
        if prf.peek() == NULL:
            prf.null("parameters")
        prf.done()
    params.done()
    return Derivation(
        lambda password, length: pbkdf.pbkdf2(hash_name, password, salt, iterations, length),
        key_length,
        lambda length: pbkdf.rounds(hash_name, iterations, length),
    )


def _read_scrypt(params: Reader) -> Derivation:
    """scrypt-params (RFC 7914 7.1)."""
    from puretls.x509.keys import scrypt  # few keys are behind it

    salt = params.octets("salt")
    sizes = params.small("cost_parameter"), params.small("block_size"), params.small("parallelization_parameter")
    key_length = _read_key_length(params)
    params.done()
    scrypt.check_work(*sizes, params.path)
    return Derivation(
        lambda password, length: scrypt.scrypt(password, salt, *sizes, length),
        key_length,
        lambda length: scrypt.rounds(*sizes),
    )


def _read_key_length(params: Reader) -> int | None:
    return params.small("key_length", limit=256) if params.peek() == INTEGER else None


_DERIVATIONS: dict[bytes, Callable[[Reader], Derivation]] = {oids.PBKDF2: _read_pbkdf2, oids.SCRYPT: _read_scrypt}

PKCS12_CIPHERS = {oids.PBE_SHA_3DES: TRIPLE_DES_CBC, oids.PBE_SHA_RC2_40: RC2_40_CBC}
"""RFC 7292 C, of which these two are what files really use."""


def _read_pkcs12_pbe(algorithm: Reader, cipher: CbcAlgorithm) -> Recipe:
    """The pkcs-12PbeParams of RFC 7292 C, with SHA-1."""
    params = algorithm.enter(SEQUENCE, "parameters")
    salt = params.octets("salt")
    iterations = pbkdf.check_iterations(params.small("iterations"), params.path)
    params.done()

    def derive(password: str | bytes | None) -> tuple[bytes, bytes]:
        text = pbkdf.bmp_password(password.decode("utf-8", "replace") if isinstance(password, bytes) else password)
        key = pbkdf.pkcs12_kdf("sha1", text, salt, iterations, cipher.key_length, pbkdf.PKCS12_KEY)
        return key, pbkdf.pkcs12_kdf("sha1", text, salt, iterations, 8, pbkdf.PKCS12_IV)

    return Recipe(cipher, derive, pbkdf.pkcs12_rounds("sha1", iterations, cipher.key_length, 8))


def open_traditional(block: PemBlock, password: str | bytes | None, provider: Provider) -> bytes:
    """The DER inside a PEM block with DEK-Info (RFC 1421 4.6.1.3). Errors as in `open_encrypted`."""
    name, _, parameter = (block.header("DEK-Info") or "").partition(",")
    cipher = PEM_CIPHERS.get(name.strip().upper())
    if cipher is None:
        raise DecodeError(f"DEK-Info names {name!r:.40}, which is not supported", path="PEM", offset=block.offset)
    try:
        iv = bytes.fromhex(parameter)
    except ValueError:
        iv = b""
    if len(iv) != cipher.block_length:
        raise DecodeError(f"the IV in DEK-Info does not fit {cipher.name}", path="PEM", offset=block.offset)
    if password is None:
        raise UsageError("the private key is encrypted: a password is needed")
    recipe = Recipe(cipher, lambda given: (pbkdf.openssl_kdf(as_bytes(given), iv[:8], cipher.key_length), iv))
    return decrypt(recipe, password, block.data, provider)
