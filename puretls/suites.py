"""Cipher suites: one row each. Everything else about a suite is read from its descriptors, never from its name."""

from __future__ import annotations

from functools import cached_property

from puretls import key_exchange as kx
from puretls.crypto.aead import (
    AES_128_CCM,
    AES_128_CCM_8,
    AES_128_GCM,
    AES_256_CCM,
    AES_256_CCM_8,
    AES_256_GCM,
    CHACHA20_POLY1305,
    AeadAlgorithm,
)
from puretls.crypto.cbc import AES_128_CBC, AES_256_CBC, NULL_CIPHER, RC4_128, TRIPLE_DES_CBC, CbcAlgorithm, StreamAlgorithm
from puretls.iana import CipherSuiteId
from puretls.key_exchange import KeyExchange
from puretls.values import NamedEnum, extensible

Bulk = AeadAlgorithm | CbcAlgorithm | StreamAlgorithm


class Authentication(NamedEnum):
    """How the server proves who it is."""

    RSA = "RSA"
    ECDSA = "ECDSA"
    PSK = "PSK"
    NONE = "anon"


_CERTIFIED = {Authentication.RSA, Authentication.ECDSA}


@extensible(eq=False)
class Suite:
    """One cipher suite. `mac` and `prf_hash` are hash names for `hashlib.new`; `mac` is empty for AEADs.

    `danger` marks suites for teaching only: 3DES, RC4, no encryption, or no authentication.
    """

    id: CipherSuiteId
    kx: KeyExchange
    auth: Authentication
    bulk: Bulk
    mac: str
    prf_hash: str
    rfc: str
    danger: bool = False

    @property
    def name(self) -> str:
        """The registered name."""
        return self.id.name

    @property
    def is_aead(self) -> bool:
        return isinstance(self.bulk, AeadAlgorithm)

    @property
    def is_cbc(self) -> bool:
        return isinstance(self.bulk, CbcAlgorithm)

    @property
    def is_ephemeral(self) -> bool:
        """Whether the keys of the connection outlive nothing (forward secrecy)."""
        return self.kx.is_ephemeral

    @property
    def is_elliptic(self) -> bool:
        """Whether an elliptic curve group is agreed on (RFC 8422 4)."""
        return self.kx.is_elliptic

    @property
    def is_finite_field(self) -> bool:
        """Whether a finite-field group is agreed on (RFC 7919 4)."""
        return self.kx.is_finite_field

    @property
    def is_psk(self) -> bool:
        return self.kx.is_psk

    @property
    def is_signed(self) -> bool:
        """Whether the server signs its key exchange parameters."""
        return self.kx.is_signed

    @property
    def has_certificate(self) -> bool:
        """Whether the server sends a certificate (RFC 5246 7.4.2, RFC 4279 4)."""
        return self.auth in _CERTIFIED

    @property
    def may_request_certificate(self) -> bool:
        """Whether the client may be asked for a certificate: not when the server is anonymous or shares a key (RFC 5246 7.4.4)."""
        return self.has_certificate and not self.is_psk

    @property
    def strength(self) -> int:
        """Bits of the bulk cipher's key, as OpenSSL counts them."""
        return {24: 112}.get(self.bulk.key_length, self.bulk.key_length * 8)

    @cached_property
    def openssl_name(self) -> str:
        """OpenSSL's name of the suite."""
        return "-".join(part for part in (_openssl_prefix(self), _openssl_bulk(self), _openssl_suffix(self)) if part)

    def __repr__(self) -> str:
        return f"<Suite {self.name}>"


_OPENSSL_BULK = {
    AES_128_GCM: "AES128-GCM",
    AES_256_GCM: "AES256-GCM",
    AES_128_CCM: "AES128-CCM",
    AES_256_CCM: "AES256-CCM",
    AES_128_CCM_8: "AES128-CCM8",
    AES_256_CCM_8: "AES256-CCM8",
    CHACHA20_POLY1305: "CHACHA20-POLY1305",
    AES_128_CBC: "AES128",
    AES_256_CBC: "AES256",
    TRIPLE_DES_CBC: "DES-CBC3",
    RC4_128: "RC4",
    NULL_CIPHER: "NULL",
}
_OPENSSL_HASH = {"md5": "MD5", "sha1": "SHA", "sha256": "SHA256", "sha384": "SHA384"}


def _openssl_prefix(suite: Suite) -> str:
    return "-".join((suite.kx.openssl_prefix, suite.auth.value) if suite.is_signed else (suite.kx.openssl_prefix,))


def _openssl_bulk(suite: Suite) -> str:
    if suite.is_psk and suite.bulk is TRIPLE_DES_CBC:
        return "3DES-EDE-CBC"
    if suite.is_psk and suite.is_cbc:
        return _OPENSSL_BULK[suite.bulk] + "-CBC"
    return _OPENSSL_BULK[suite.bulk]


def _openssl_suffix(suite: Suite) -> str:
    if not suite.is_aead:
        return _OPENSSL_HASH[suite.mac]
    return _OPENSSL_HASH[suite.prf_hash] if suite.bulk in {AES_128_GCM, AES_256_GCM} else ""


_I, _A = CipherSuiteId, Authentication
_RSA, _ECDSA, _PSK, _ANON = _A.RSA, _A.ECDSA, _A.PSK, _A.NONE
_GCM128, _GCM256, _CHACHA = AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305
_CBC128, _CBC256, _3DES = AES_128_CBC, AES_256_CBC, TRIPLE_DES_CBC

# The order is the default order of preference: forward secrecy before none, AEAD before CBC, and what is dangerous last.
# fmt: off
SUITES: tuple[Suite, ...] = (
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, kx.ECDHE, _ECDSA, _GCM128, "", "sha256", "RFC 5289 3.2"),
    Suite(_I.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, kx.ECDHE, _RSA, _GCM128, "", "sha256", "RFC 5289 3.2"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, kx.ECDHE, _ECDSA, _CHACHA, "", "sha256", "RFC 7905 3"),
    Suite(_I.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, kx.ECDHE, _RSA, _CHACHA, "", "sha256", "RFC 7905 3"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, kx.ECDHE, _ECDSA, _GCM256, "", "sha384", "RFC 5289 3.2"),
    Suite(_I.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, kx.ECDHE, _RSA, _GCM256, "", "sha384", "RFC 5289 3.2"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, kx.ECDHE, _ECDSA, AES_128_CCM, "", "sha256", "RFC 7251 2"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_256_CCM, kx.ECDHE, _ECDSA, AES_256_CCM, "", "sha256", "RFC 7251 2"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, kx.ECDHE, _ECDSA, AES_128_CCM_8, "", "sha256", "RFC 7251 2"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8, kx.ECDHE, _ECDSA, AES_256_CCM_8, "", "sha256", "RFC 7251 2"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, kx.DHE, _RSA, _GCM128, "", "sha256", "RFC 5288 3"),
    Suite(_I.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256, kx.DHE, _RSA, _CHACHA, "", "sha256", "RFC 7905 3"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, kx.DHE, _RSA, _GCM256, "", "sha384", "RFC 5288 3"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_128_CCM, kx.DHE, _RSA, AES_128_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_256_CCM, kx.DHE, _RSA, AES_256_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_128_CCM_8, kx.DHE, _RSA, AES_128_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_256_CCM_8, kx.DHE, _RSA, AES_256_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, kx.ECDHE, _ECDSA, _CBC128, "sha256", "sha256", "RFC 5289 3.1"),
    Suite(_I.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, kx.ECDHE, _RSA, _CBC128, "sha256", "sha256", "RFC 5289 3.1"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, kx.ECDHE, _ECDSA, _CBC128, "sha1", "sha256", "RFC 8422 6"),
    Suite(_I.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, kx.ECDHE, _RSA, _CBC128, "sha1", "sha256", "RFC 8422 6"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, kx.ECDHE, _ECDSA, _CBC256, "sha384", "sha384", "RFC 5289 3.1"),
    Suite(_I.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, kx.ECDHE, _RSA, _CBC256, "sha384", "sha384", "RFC 5289 3.1"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, kx.ECDHE, _ECDSA, _CBC256, "sha1", "sha256", "RFC 8422 6"),
    Suite(_I.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, kx.ECDHE, _RSA, _CBC256, "sha1", "sha256", "RFC 8422 6"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256, kx.DHE, _RSA, _CBC128, "sha256", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256, kx.DHE, _RSA, _CBC256, "sha256", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_128_CBC_SHA, kx.DHE, _RSA, _CBC128, "sha1", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_DHE_RSA_WITH_AES_256_CBC_SHA, kx.DHE, _RSA, _CBC256, "sha1", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, kx.ECDHE_PSK, _PSK, _GCM128, "", "sha256", "RFC 8442 3"),
    Suite(_I.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, kx.ECDHE_PSK, _PSK, _CHACHA, "", "sha256", "RFC 7905 3"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384, kx.ECDHE_PSK, _PSK, _GCM256, "", "sha384", "RFC 8442 3"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256, kx.ECDHE_PSK, _PSK, AES_128_CCM, "", "sha256", "RFC 8442 3"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256, kx.ECDHE_PSK, _PSK, AES_128_CCM_8, "", "sha256", "RFC 8442 3"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, kx.DHE_PSK, _PSK, _GCM128, "", "sha256", "RFC 5487 2"),
    Suite(_I.TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256, kx.DHE_PSK, _PSK, _CHACHA, "", "sha256", "RFC 7905 3"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_256_GCM_SHA384, kx.DHE_PSK, _PSK, _GCM256, "", "sha384", "RFC 5487 2"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_128_CCM, kx.DHE_PSK, _PSK, AES_128_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_256_CCM, kx.DHE_PSK, _PSK, AES_256_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_PSK_DHE_WITH_AES_128_CCM_8, kx.DHE_PSK, _PSK, AES_128_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_PSK_DHE_WITH_AES_256_CCM_8, kx.DHE_PSK, _PSK, AES_256_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256, kx.ECDHE_PSK, _PSK, _CBC128, "sha256", "sha256", "RFC 5489 3.2"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384, kx.ECDHE_PSK, _PSK, _CBC256, "sha384", "sha384", "RFC 5489 3.2"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA, kx.ECDHE_PSK, _PSK, _CBC128, "sha1", "sha256", "RFC 5489 3.1"),
    Suite(_I.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA, kx.ECDHE_PSK, _PSK, _CBC256, "sha1", "sha256", "RFC 5489 3.1"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_128_CBC_SHA256, kx.DHE_PSK, _PSK, _CBC128, "sha256", "sha256", "RFC 5487 3.1"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_256_CBC_SHA384, kx.DHE_PSK, _PSK, _CBC256, "sha384", "sha384", "RFC 5487 3.1"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_128_CBC_SHA, kx.DHE_PSK, _PSK, _CBC128, "sha1", "sha256", "RFC 4279 3"),
    Suite(_I.TLS_DHE_PSK_WITH_AES_256_CBC_SHA, kx.DHE_PSK, _PSK, _CBC256, "sha1", "sha256", "RFC 4279 3"),
    Suite(_I.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256, kx.RSA_PSK, _RSA, _GCM128, "", "sha256", "RFC 5487 2"),
    Suite(_I.TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256, kx.RSA_PSK, _RSA, _CHACHA, "", "sha256", "RFC 7905 3"),
    Suite(_I.TLS_RSA_PSK_WITH_AES_256_GCM_SHA384, kx.RSA_PSK, _RSA, _GCM256, "", "sha384", "RFC 5487 2"),
    Suite(_I.TLS_PSK_WITH_AES_128_GCM_SHA256, kx.PSK, _PSK, _GCM128, "", "sha256", "RFC 5487 2"),
    Suite(_I.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, kx.PSK, _PSK, _CHACHA, "", "sha256", "RFC 7905 3"),
    Suite(_I.TLS_PSK_WITH_AES_256_GCM_SHA384, kx.PSK, _PSK, _GCM256, "", "sha384", "RFC 5487 2"),
    Suite(_I.TLS_PSK_WITH_AES_128_CCM, kx.PSK, _PSK, AES_128_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_PSK_WITH_AES_256_CCM, kx.PSK, _PSK, AES_256_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_PSK_WITH_AES_128_CCM_8, kx.PSK, _PSK, AES_128_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_PSK_WITH_AES_256_CCM_8, kx.PSK, _PSK, AES_256_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_RSA_WITH_AES_128_GCM_SHA256, kx.RSA, _RSA, _GCM128, "", "sha256", "RFC 5288 3"),
    Suite(_I.TLS_RSA_WITH_AES_256_GCM_SHA384, kx.RSA, _RSA, _GCM256, "", "sha384", "RFC 5288 3"),
    Suite(_I.TLS_RSA_WITH_AES_128_CCM, kx.RSA, _RSA, AES_128_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_RSA_WITH_AES_256_CCM, kx.RSA, _RSA, AES_256_CCM, "", "sha256", "RFC 6655 3"),
    Suite(_I.TLS_RSA_WITH_AES_128_CCM_8, kx.RSA, _RSA, AES_128_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_RSA_WITH_AES_256_CCM_8, kx.RSA, _RSA, AES_256_CCM_8, "", "sha256", "RFC 6655 4"),
    Suite(_I.TLS_RSA_PSK_WITH_AES_128_CBC_SHA256, kx.RSA_PSK, _RSA, _CBC128, "sha256", "sha256", "RFC 5487 3.2"),
    Suite(_I.TLS_RSA_PSK_WITH_AES_256_CBC_SHA384, kx.RSA_PSK, _RSA, _CBC256, "sha384", "sha384", "RFC 5487 3.2"),
    Suite(_I.TLS_RSA_PSK_WITH_AES_128_CBC_SHA, kx.RSA_PSK, _RSA, _CBC128, "sha1", "sha256", "RFC 4279 4"),
    Suite(_I.TLS_RSA_PSK_WITH_AES_256_CBC_SHA, kx.RSA_PSK, _RSA, _CBC256, "sha1", "sha256", "RFC 4279 4"),
    Suite(_I.TLS_PSK_WITH_AES_128_CBC_SHA256, kx.PSK, _PSK, _CBC128, "sha256", "sha256", "RFC 5487 3"),
    Suite(_I.TLS_PSK_WITH_AES_256_CBC_SHA384, kx.PSK, _PSK, _CBC256, "sha384", "sha384", "RFC 5487 3"),
    Suite(_I.TLS_PSK_WITH_AES_128_CBC_SHA, kx.PSK, _PSK, _CBC128, "sha1", "sha256", "RFC 4279 2"),
    Suite(_I.TLS_PSK_WITH_AES_256_CBC_SHA, kx.PSK, _PSK, _CBC256, "sha1", "sha256", "RFC 4279 2"),
    Suite(_I.TLS_RSA_WITH_AES_128_CBC_SHA256, kx.RSA, _RSA, _CBC128, "sha256", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_RSA_WITH_AES_256_CBC_SHA256, kx.RSA, _RSA, _CBC256, "sha256", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_RSA_WITH_AES_128_CBC_SHA, kx.RSA, _RSA, _CBC128, "sha1", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_RSA_WITH_AES_256_CBC_SHA, kx.RSA, _RSA, _CBC256, "sha1", "sha256", "RFC 5246 A.5"),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA, kx.ECDHE, _ECDSA, _3DES, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, kx.ECDHE, _RSA, _3DES, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA, kx.DHE, _RSA, _3DES, "sha1", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_RSA_WITH_3DES_EDE_CBC_SHA, kx.RSA, _RSA, _3DES, "sha1", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_ECDHE_PSK_WITH_3DES_EDE_CBC_SHA, kx.ECDHE_PSK, _PSK, _3DES, "sha1", "sha256", "RFC 5489 3.1", danger=True),
    Suite(_I.TLS_DHE_PSK_WITH_3DES_EDE_CBC_SHA, kx.DHE_PSK, _PSK, _3DES, "sha1", "sha256", "RFC 4279 3", danger=True),
    Suite(_I.TLS_RSA_PSK_WITH_3DES_EDE_CBC_SHA, kx.RSA_PSK, _RSA, _3DES, "sha1", "sha256", "RFC 4279 4", danger=True),
    Suite(_I.TLS_PSK_WITH_3DES_EDE_CBC_SHA, kx.PSK, _PSK, _3DES, "sha1", "sha256", "RFC 4279 2", danger=True),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, kx.ECDHE, _ECDSA, RC4_128, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_ECDHE_RSA_WITH_RC4_128_SHA, kx.ECDHE, _RSA, RC4_128, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_RSA_WITH_RC4_128_SHA, kx.RSA, _RSA, RC4_128, "sha1", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_RSA_WITH_RC4_128_MD5, kx.RSA, _RSA, RC4_128, "md5", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_PSK_WITH_RC4_128_SHA, kx.PSK, _PSK, RC4_128, "sha1", "sha256", "RFC 4279 2", danger=True),
    Suite(_I.TLS_DHE_PSK_WITH_RC4_128_SHA, kx.DHE_PSK, _PSK, RC4_128, "sha1", "sha256", "RFC 4279 3", danger=True),
    Suite(_I.TLS_RSA_PSK_WITH_RC4_128_SHA, kx.RSA_PSK, _RSA, RC4_128, "sha1", "sha256", "RFC 4279 4", danger=True),
    Suite(_I.TLS_ECDHE_PSK_WITH_RC4_128_SHA, kx.ECDHE_PSK, _PSK, RC4_128, "sha1", "sha256", "RFC 5489 3.1", danger=True),
    Suite(_I.TLS_ECDHE_ECDSA_WITH_NULL_SHA, kx.ECDHE, _ECDSA, NULL_CIPHER, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_ECDHE_RSA_WITH_NULL_SHA, kx.ECDHE, _RSA, NULL_CIPHER, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_RSA_WITH_NULL_SHA256, kx.RSA, _RSA, NULL_CIPHER, "sha256", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_RSA_WITH_NULL_SHA, kx.RSA, _RSA, NULL_CIPHER, "sha1", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_RSA_WITH_NULL_MD5, kx.RSA, _RSA, NULL_CIPHER, "md5", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_ECDHE_PSK_WITH_NULL_SHA256, kx.ECDHE_PSK, _PSK, NULL_CIPHER, "sha256", "sha256", "RFC 5489 3.2", danger=True),
    Suite(_I.TLS_ECDHE_PSK_WITH_NULL_SHA384, kx.ECDHE_PSK, _PSK, NULL_CIPHER, "sha384", "sha384", "RFC 5489 3.2", danger=True),
    Suite(_I.TLS_ECDHE_PSK_WITH_NULL_SHA, kx.ECDHE_PSK, _PSK, NULL_CIPHER, "sha1", "sha256", "RFC 5489 3.1", danger=True),
    Suite(_I.TLS_DHE_PSK_WITH_NULL_SHA256, kx.DHE_PSK, _PSK, NULL_CIPHER, "sha256", "sha256", "RFC 5487 3.1", danger=True),
    Suite(_I.TLS_DHE_PSK_WITH_NULL_SHA384, kx.DHE_PSK, _PSK, NULL_CIPHER, "sha384", "sha384", "RFC 5487 3.1", danger=True),
    Suite(_I.TLS_DHE_PSK_WITH_NULL_SHA, kx.DHE_PSK, _PSK, NULL_CIPHER, "sha1", "sha256", "RFC 4785 3", danger=True),
    Suite(_I.TLS_RSA_PSK_WITH_NULL_SHA256, kx.RSA_PSK, _RSA, NULL_CIPHER, "sha256", "sha256", "RFC 5487 3.2", danger=True),
    Suite(_I.TLS_RSA_PSK_WITH_NULL_SHA384, kx.RSA_PSK, _RSA, NULL_CIPHER, "sha384", "sha384", "RFC 5487 3.2", danger=True),
    Suite(_I.TLS_RSA_PSK_WITH_NULL_SHA, kx.RSA_PSK, _RSA, NULL_CIPHER, "sha1", "sha256", "RFC 4785 4", danger=True),
    Suite(_I.TLS_PSK_WITH_NULL_SHA256, kx.PSK, _PSK, NULL_CIPHER, "sha256", "sha256", "RFC 5487 3", danger=True),
    Suite(_I.TLS_PSK_WITH_NULL_SHA384, kx.PSK, _PSK, NULL_CIPHER, "sha384", "sha384", "RFC 5487 3", danger=True),
    Suite(_I.TLS_PSK_WITH_NULL_SHA, kx.PSK, _PSK, NULL_CIPHER, "sha1", "sha256", "RFC 4785 2", danger=True),
    Suite(_I.TLS_DH_anon_WITH_AES_128_GCM_SHA256, kx.DH_ANON, _ANON, _GCM128, "", "sha256", "RFC 5288 3", danger=True),
    Suite(_I.TLS_DH_anon_WITH_AES_256_GCM_SHA384, kx.DH_ANON, _ANON, _GCM256, "", "sha384", "RFC 5288 3", danger=True),
    Suite(_I.TLS_DH_anon_WITH_AES_128_CBC_SHA256, kx.DH_ANON, _ANON, _CBC128, "sha256", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_DH_anon_WITH_AES_256_CBC_SHA256, kx.DH_ANON, _ANON, _CBC256, "sha256", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_DH_anon_WITH_AES_128_CBC_SHA, kx.DH_ANON, _ANON, _CBC128, "sha1", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_DH_anon_WITH_AES_256_CBC_SHA, kx.DH_ANON, _ANON, _CBC256, "sha1", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_DH_anon_WITH_3DES_EDE_CBC_SHA, kx.DH_ANON, _ANON, _3DES, "sha1", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_DH_anon_WITH_RC4_128_MD5, kx.DH_ANON, _ANON, RC4_128, "md5", "sha256", "RFC 5246 A.5", danger=True),
    Suite(_I.TLS_ECDH_anon_WITH_AES_128_CBC_SHA, kx.ECDH_ANON, _ANON, _CBC128, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_ECDH_anon_WITH_AES_256_CBC_SHA, kx.ECDH_ANON, _ANON, _CBC256, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA, kx.ECDH_ANON, _ANON, _3DES, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_ECDH_anon_WITH_RC4_128_SHA, kx.ECDH_ANON, _ANON, RC4_128, "sha1", "sha256", "RFC 8422 6", danger=True),
    Suite(_I.TLS_ECDH_anon_WITH_NULL_SHA, kx.ECDH_ANON, _ANON, NULL_CIPHER, "sha1", "sha256", "RFC 8422 6", danger=True),
)
# fmt: on

BY_ID: dict[int, Suite] = {int(suite.id): suite for suite in SUITES}
DEFAULT_SUITES: tuple[Suite, ...] = tuple(suite for suite in SUITES if not suite.danger and suite.is_signed)
"""What a configuration offers unless told otherwise: no RSA key exchange, no PSK, nothing dangerous."""
DEFAULT_PSK_SUITES: tuple[Suite, ...] = tuple(
    suite for suite in SUITES if not suite.danger and suite.is_psk and suite.is_ephemeral
)
"""What a configuration with a pre-shared key offers in addition."""
