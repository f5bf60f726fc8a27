"""Unsigned certificates, CRLs and OCSP responses as values, and the signing of them.

A draft writes whatever it is given: `dataclasses.replace` makes the broken variants that tests need. Times in seconds since 1970.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import EcPrivateKey, EdPrivateKey, PrivateKey, PublicKey
from puretls.crypto.provider import Provider
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.der import oids, writer
from puretls.errors import UsageError
from puretls.values import frozen
from puretls.x509.hostname import ascii_name
from puretls.x509.keys.public import CURVES, public_octets

# Signatures

CURVE_HASHES = dict(zip(CURVES.values(), ("sha256", "sha384", "sha512"), strict=True))
_PKCS1 = {
    "md5": oids.MD5_WITH_RSA,
    "sha1": oids.SHA1_WITH_RSA,
    "sha224": oids.SHA224_WITH_RSA,
    "sha256": oids.SHA256_WITH_RSA,
    "sha384": oids.SHA384_WITH_RSA,
    "sha512": oids.SHA512_WITH_RSA,
}
_ECDSA = {
    "sha1": oids.ECDSA_WITH_SHA1,
    "sha224": oids.ECDSA_WITH_SHA224,
    "sha256": oids.ECDSA_WITH_SHA256,
    "sha384": oids.ECDSA_WITH_SHA384,
    "sha512": oids.ECDSA_WITH_SHA512,
}
_HASH_OIDS = {name: oid for oid, name in oids.HASH_NAMES.items()}


def natural_algorithm(key: PrivateKey) -> SignatureAlgorithm:
    """How a key of this kind signs unless told otherwise: RSA by PKCS#1 v1.5 (PSS where marked), curves with their own hash."""
    if isinstance(key, EdPrivateKey):
        return SignatureAlgorithm(SignatureKind[key.public.curve.upper()])
    if isinstance(key, EcPrivateKey):
        return SignatureAlgorithm(SignatureKind.ECDSA, CURVE_HASHES[key.public.curve])
    if key.public.pss_only:
        return SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", 32, "sha256")
    return SignatureAlgorithm(SignatureKind.RSA_PKCS1, "sha256")


def algorithm_identifier(algorithm: SignatureAlgorithm) -> bytes:
    """The AlgorithmIdentifier of a signature (RFC 4055 3.1 and 5, 5758 3.2, 8410 3)."""
    match algorithm.kind:
        case SignatureKind.RSA_PKCS1:
            return writer.sequence(writer.oid(_PKCS1[algorithm.hash]), writer.null())
        case SignatureKind.ECDSA:
            return writer.sequence(writer.oid(_ECDSA[algorithm.hash]))
        case SignatureKind.RSA_PSS:
            return writer.sequence(writer.oid(oids.RSASSA_PSS), _pss_parameters(algorithm))
        case SignatureKind.ED25519:
            return writer.sequence(writer.oid(oids.ED25519))
        case SignatureKind.ED448:
            return writer.sequence(writer.oid(oids.ED448))


def _hash_identifier(name: str) -> bytes:
    return writer.sequence(writer.oid(_HASH_OIDS[name]), writer.null())


def _pss_parameters(algorithm: SignatureAlgorithm) -> bytes:
    mgf = writer.sequence(writer.oid(oids.MGF1), _hash_identifier(algorithm.mgf_hash))
    parts = [] if algorithm.hash == "sha1" else [writer.explicit(0, _hash_identifier(algorithm.hash))]
    parts += [] if algorithm.mgf_hash == "sha1" else [writer.explicit(1, mgf)]
    parts += [] if algorithm.salt_length == 20 else [writer.explicit(2, writer.integer(algorithm.salt_length))]
    return writer.sequence(*parts)


@frozen
class Signer:
    """A key with what it needs to sign; `algorithm` None means the natural one of the key."""

    key: PrivateKey
    random: RandomBytes
    provider: Provider
    algorithm: SignatureAlgorithm | None = None

    @property
    def identifier(self) -> bytes:
        return algorithm_identifier(self.algorithm or natural_algorithm(self.key))

    def sign(self, message: bytes) -> bytes:
        return self.provider.sign(self.algorithm or natural_algorithm(self.key), self.key, message, self.random)

    def seal(self, tbs: bytes, *outer: bytes) -> bytes:
        """SEQUENCE of `tbs`, AlgorithmIdentifier, signature, and what else is to follow: the frame of all three structures."""
        return writer.sequence(tbs, self.identifier, writer.bit_string(self.sign(tbs)), *outer)


# Names


def name(*attributes: tuple[bytes, str]) -> bytes:
    """A Name with one attribute an RDN: `name((oids.ORGANIZATION, "puretls"), (oids.COMMON_NAME, "root"))`."""
    return writer.sequence(*(writer.set_of(writer.sequence(writer.oid(kind), _text(kind, value))) for kind, value in attributes))


def _text(kind: bytes, value: str) -> bytes:
    if kind == oids.COUNTRY:
        return writer.printable_string(value)
    return writer.ia5_string(value) if kind in (oids.DOMAIN_COMPONENT, oids.EMAIL_ADDRESS) else writer.utf8_string(value)


def general_name(text: str) -> bytes:
    """A GeneralName (RFC 5280 4.2.1.6) from text: an IP address, a mail address, a URI, or a DNS name.

    Raises `UsageError` for text that is none of these.
    """
    import ipaddress

    try:
        return writer.implicit(7, ipaddress.ip_address(text).packed)
    except ValueError:
        pass
    number, value = _name_form(text)
    if not value.isascii() or not value.isprintable() or " " in value or not value:
        raise UsageError(f"{text!r:.100} is no DNS name, IP address, mail address or URI")
    return writer.implicit(number, value.encode())


def _name_form(text: str) -> tuple[int, str]:
    if "://" in text:
        return 6, text
    if "@" in text:
        return 1, text
    return 2, dns_name(text)


def dns_name(text: str) -> str:
    """A DNS name as certificates hold it: lower case, A-labels, no final dot, "*" only as first label. Raises `UsageError`."""
    wildcard, rest = text[:2] == "*.", text.removeprefix("*.")
    ascii_form = ascii_name(rest).removesuffix(".")
    labels = ascii_form.split(".")
    if len(ascii_form) > 253 or not all(_is_label(label) for label in labels):
        raise UsageError(f"{text!r:.100} is no DNS name")
    return ("*." if wildcard else "") + ".".join(labels)


def _is_label(label: str) -> bool:
    plain = label.replace("-", "").replace("_", "")
    return 0 < len(label) < 64 and plain.isalnum() and plain.isascii() and label[0] != "-" and label[-1] != "-"


# Extensions (RFC 5280 4.2)


def extension(kind: bytes, value: bytes, *, critical: bool = False) -> bytes:
    """One Extension around the DER of its value."""
    return writer.sequence(writer.oid(kind), writer.boolean(True) if critical else b"", writer.octet_string(value))


def basic_constraints(ca: bool, path_length: int | None = None) -> bytes:
    """basicConstraints, critical (4.2.1.9)."""
    length = b"" if path_length is None else writer.integer(path_length)
    return extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.boolean(True) if ca else b"", length), critical=True)


DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_CERT_SIGN, CRL_SIGN = 0, 2, 5, 6
"""Bits of KeyUsage (RFC 5280 4.2.1.3)."""


def key_usage(*bits: int) -> bytes:
    """keyUsage, critical (4.2.1.3)."""
    return extension(oids.KEY_USAGE, writer.named_bits(bits), critical=True)


def extended_key_usage(*purposes: bytes) -> bytes:
    """The extKeyUsage (4.2.1.12)."""
    return extension(oids.EXTENDED_KEY_USAGE, writer.sequence(*(writer.oid(purpose) for purpose in purposes)))


def subject_alt_name(names: Iterable[str], *, critical: bool = False) -> bytes:
    """The subjectAltName from texts as `general_name` takes them; critical where the subject is empty (4.2.1.6)."""
    return extension(oids.SUBJECT_ALT_NAME, writer.sequence(*(general_name(text) for text in names)), critical=critical)


def key_identifier(key: PublicKey) -> bytes:
    """20 bytes (RFC 7093 2, method 1: the SHA-256 of the key, cut)."""
    return hashlib.sha256(public_octets(key)).digest()[:20]


def subject_key_identifier(key: PublicKey) -> bytes:
    """The subjectKeyIdentifier of a key (4.2.1.2)."""
    return extension(oids.SUBJECT_KEY_IDENTIFIER, writer.octet_string(key_identifier(key)))


def authority_key_identifier(issuer_key: PublicKey) -> bytes:
    """The authorityKeyIdentifier naming the issuer's key (4.2.1.1)."""
    return extension(oids.AUTHORITY_KEY_IDENTIFIER, writer.sequence(writer.implicit(0, key_identifier(issuer_key))))


def crl_distribution_points(*uris: str) -> bytes:
    """cRLDistributionPoints, one for each URI (4.2.1.13)."""
    points = (writer.sequence(writer.explicit(0, writer.explicit(0, general_name(uri)))) for uri in uris)
    return extension(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(*points))


def authority_info_access(*, ocsp: Iterable[str] = (), issuers: Iterable[str] = ()) -> bytes:
    """authorityInfoAccess: URIs of OCSP responders and of issuers' certificates (4.2.2.1)."""
    rows = [(oids.ACCESS_OCSP, uri) for uri in ocsp] + [(oids.ACCESS_CA_ISSUERS, uri) for uri in issuers]
    return extension(
        oids.AUTHORITY_INFO_ACCESS, writer.sequence(*(writer.sequence(writer.oid(kind), general_name(uri)) for kind, uri in rows))
    )


def must_staple() -> bytes:
    """tls-feature with status_request: the server has to staple an OCSP response (RFC 7633)."""
    return extension(oids.TLS_FEATURE, writer.sequence(writer.integer(5)))


# The three structures


@frozen
class CertificateDraft:
    """TBSCertificate (RFC 5280 4.1.2). Names and `spki` are DER, `extensions` one Extension each; `version` 0 is v1, 2 is v3."""

    subject: bytes
    issuer: bytes
    serial: int
    not_before: int
    not_after: int
    spki: bytes
    extensions: tuple[bytes, ...] = ()
    version: int = 2

    def tbs(self, algorithm: bytes) -> bytes:
        """TBSCertificate with this AlgorithmIdentifier."""
        return writer.sequence(
            writer.explicit(0, writer.integer(self.version)) if self.version else b"",
            writer.integer(self.serial),
            algorithm,
            self.issuer,
            writer.sequence(writer.time(self.not_before), writer.time(self.not_after)),
            self.subject,
            self.spki,
            writer.explicit(3, writer.sequence(*self.extensions)) if self.extensions else b"",
        )

    def signed(self, signer: Signer) -> bytes:
        """The certificate."""
        return signer.seal(self.tbs(signer.identifier))


@frozen
class RevokedEntry:
    """One line of a CRL (RFC 5280 5.3). `reason` a CRLReason or None; `extensions` more of them."""

    serial: int
    time: int
    reason: int | None = None
    extensions: tuple[bytes, ...] = ()

    def encoded(self) -> bytes:
        reason = () if self.reason is None else (extension(oids.CRL_REASON, writer.enumerated(self.reason)),)
        extensions = (*reason, *self.extensions)
        return writer.sequence(
            writer.integer(self.serial), writer.time(self.time), writer.sequence(*extensions) if extensions else b""
        )


@frozen
class CrlDraft:
    """TBSCertList (RFC 5280 5.1.2). `next_update` may be None; `version` 1 is v2, None leaves it out (v1)."""

    issuer: bytes
    this_update: int
    next_update: int | None
    revoked: tuple[RevokedEntry, ...] = ()
    extensions: tuple[bytes, ...] = ()
    version: int | None = 1

    def tbs(self, algorithm: bytes) -> bytes:
        """TBSCertList with this AlgorithmIdentifier."""
        return writer.sequence(
            b"" if self.version is None else writer.integer(self.version),
            algorithm,
            self.issuer,
            writer.time(self.this_update),
            b"" if self.next_update is None else writer.time(self.next_update),
            writer.sequence(*(entry.encoded() for entry in self.revoked)) if self.revoked else b"",
            writer.explicit(0, writer.sequence(*self.extensions)) if self.extensions else b"",
        )

    def signed(self, signer: Signer) -> bytes:
        """The CRL."""
        return signer.seal(self.tbs(signer.identifier))


def crl_number(number: int) -> bytes:
    """The cRLNumber (RFC 5280 5.2.3)."""
    return extension(oids.CRL_NUMBER, writer.integer(number))


def delta_crl_indicator(base: int) -> bytes:
    """deltaCRLIndicator, critical (RFC 5280 5.2.4)."""
    return extension(oids.DELTA_CRL_INDICATOR, writer.integer(base), critical=True)


def issuing_distribution_point(*uris: str, user: bool = False, ca: bool = False, indirect: bool = False) -> bytes:
    """IssuingDistributionPoint (RFC 5280 5.2.5) with a full name and the three commonest flags."""
    point = writer.explicit(0, writer.explicit(0, *(general_name(uri) for uri in uris))) if uris else b""
    flags = [writer.implicit(number, b"\xff") for number, on in ((1, user), (2, ca), (4, indirect)) if on]
    return extension(oids.ISSUING_DISTRIBUTION_POINT, writer.sequence(point, *flags), critical=True)


def cert_id(issuer_name: bytes, issuer_key: PublicKey, serial: int, hash_name: str = "sha1") -> bytes:
    """CertID (RFC 6960 4.1.1): SHA-1 here is a look-up key, not a signature."""
    digests = (hashlib.new(hash_name, data, usedforsecurity=False).digest() for data in (issuer_name, public_octets(issuer_key)))
    return writer.sequence(
        _hash_identifier(hash_name), *(writer.octet_string(digest) for digest in digests), writer.integer(serial)
    )


@frozen
class SingleDraft:
    """SingleResponse (RFC 6960 4.2.1). `status` "good", "revoked" or "unknown"; `revoked_at` and `reason` for the second."""

    cert_id: bytes
    this_update: int
    next_update: int | None
    status: str = "good"
    revoked_at: int = 0
    reason: int | None = None
    extensions: tuple[bytes, ...] = ()

    def encoded(self) -> bytes:
        return writer.sequence(
            self.cert_id,
            self._status(),
            writer.generalized_time(self.this_update),
            b"" if self.next_update is None else writer.explicit(0, writer.generalized_time(self.next_update)),
            writer.explicit(1, writer.sequence(*self.extensions)) if self.extensions else b"",
        )

    def _status(self) -> bytes:
        if self.status == "revoked":
            reason = b"" if self.reason is None else writer.explicit(0, writer.enumerated(self.reason))
            return writer.explicit(1, writer.generalized_time(self.revoked_at), reason)
        return writer.implicit(0 if self.status == "good" else 2, b"")


@frozen
class OcspDraft:
    """BasicOCSPResponse (RFC 6960 4.2.1). `responder` is a Name in DER, or a public key for the form by key hash."""

    responder: bytes | PublicKey
    produced_at: int
    responses: tuple[SingleDraft, ...]
    certificates: tuple[bytes, ...] = ()
    extensions: tuple[bytes, ...] = ()

    def tbs(self) -> bytes:
        """ResponseData."""
        if isinstance(self.responder, bytes):
            responder = writer.explicit(1, self.responder)
        else:
            digest = hashlib.new("sha1", public_octets(self.responder), usedforsecurity=False).digest()
            responder = writer.explicit(2, writer.octet_string(digest))
        return writer.sequence(
            responder,
            writer.generalized_time(self.produced_at),
            writer.sequence(*(single.encoded() for single in self.responses)),
            writer.explicit(1, writer.sequence(*self.extensions)) if self.extensions else b"",
        )

    def signed(self, signer: Signer) -> bytes:
        """The OCSPResponse around it, status successful."""
        certificates = (writer.explicit(0, writer.sequence(*self.certificates)),) if self.certificates else ()
        return ocsp_response(signer.seal(self.tbs(), *certificates))


def ocsp_response(basic: bytes, status: int = 0, kind: bytes = oids.OCSP_BASIC) -> bytes:
    """OCSPResponse around the DER of a BasicOCSPResponse; empty `basic` leaves the bytes out, as errors do."""
    body = writer.explicit(0, writer.sequence(writer.oid(kind), writer.octet_string(basic))) if basic else b""
    return writer.sequence(writer.enumerated(status), body)
