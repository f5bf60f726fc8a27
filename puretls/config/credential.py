"""A certificate chain with its key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Self

from puretls.arguments import PASSWORD, PATH, Kind, check_fields, described, instance, optional, several
from puretls.crypto.keys import PrivateKey, PublicKey
from puretls.crypto.secret import leaving_no_frames
from puretls.crypto.signatures import SIGNATURE_SCHEMES, SignatureAlgorithm
from puretls.errors import DecodeError, UsageError
from puretls.extensions.signed_certificate_timestamp import SctList
from puretls.values import extensible, field
from puretls.wire.schema import parse

if TYPE_CHECKING:
    from puretls.x509.certificates.certificate import Certificate

_Path = str | os.PathLike[str]


@extensible()
class Credential:
    """A certificate chain with the leaf's private key. Raises `UsageError` where one cannot be parsed, or the key is not the leaf's.

    `from_files` and `from_pem` make one of PEM.

    Attributes:
        chain: Certificates in DER, leaf first.
        key: The leaf's private key, as `x509.keys.parse_private_key` gives it.
        ocsp_response: An OCSP response in DER, stapled on request (RFC 6066 8).
        sct_list: A SignedCertificateTimestampList, sent on request (RFC 6962 3.3).
    """

    chain: tuple[bytes, ...]
    key: PrivateKey = field(repr=False)
    ocsp_response: bytes | None = field(default=None, repr=False)
    sct_list: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_fields(self, _CREDENTIAL)
        if not self.chain:
            raise UsageError("a credential needs a certificate")
        try:
            public = self.public_key
        except DecodeError as error:
            raise UsageError(f"the certificate cannot be used: {error}") from None
        if public != self.key.public:
            raise UsageError("the private key does not belong to the certificate")
        try:
            if self.sct_list is not None:
                parse(SctList, self.sct_list)
        except DecodeError as error:
            raise UsageError(f"sct_list is no list of timestamps (RFC 6962 3.3): {error}") from None

    @classmethod
    @leaving_no_frames
    def from_pem(cls, chain: str | bytes, key: str | bytes | None = None, password: str | bytes | None = None) -> Self:
        """From certificates in PEM, leaf first, and a private key in PEM or DER; without `key` it is beside the certificates.

        `password` opens an encrypted key. Raises `UsageError` for what cannot be read, or does not belong together.
        """
        from puretls.x509.keys import parse_private_key
        from puretls.x509.pem import load_certificates

        for given in (chain, key):
            if not isinstance(given, str | bytes | None):
                raise UsageError(f"PEM is text or bytes, not {described(given)}")
        PASSWORD.taken(password, "password")
        try:
            certificates = load_certificates(chain)
            return cls(certificates, parse_private_key(chain if key is None else key, password))
        except DecodeError as error:
            raise UsageError(f"no credential can be made of this: {error}") from None

    @classmethod
    @leaving_no_frames
    def from_files(cls, chain: _Path, key: _Path | None = None, password: str | bytes | None = None) -> Self:
        """As `from_pem`, from files: the one call here that reads any. Raises `OSError` besides, and `UsageError` with their names."""
        from pathlib import Path

        PATH.taken(chain, "chain")
        certificates = Path(chain).read_bytes()
        private = None if key is None else Path(PATH.taken(key, "key")).read_bytes()
        try:
            return cls.from_pem(certificates, private, password)
        except UsageError as error:
            raise UsageError(f"{chain}{'' if key is None else f', {key}'}: {error}") from None

    @cached_property
    def leaf(self) -> Certificate:
        """The first certificate, parsed."""
        from puretls.x509.certificates.certificate import Certificate

        return Certificate.read(self.chain[0])

    @cached_property
    def public_key(self) -> PublicKey:
        """The leaf's key."""
        return self.leaf.public_key

    @cached_property
    def issuers(self) -> tuple[bytes, ...]:
        """Names (DER) of the issuers along the chain, which a server may ask for (RFC 5246 7.4.4)."""
        from puretls.x509.certificates.certificate import Certificate

        return tuple(Certificate.read(der).issuer.raw for der in self.chain)

    def checkable_with(self, schemes: Sequence[int]) -> bool:
        """Whether all signatures of the chain are made with one of these schemes (RFC 5246 7.4.2)."""
        return all(any(SIGNATURE_SCHEMES.get(scheme) == made for scheme in schemes) for made in self._signatures)

    @cached_property
    def _signatures(self) -> tuple[SignatureAlgorithm | None, ...]:
        from puretls.x509.certificates.certificate import Certificate

        found: list[SignatureAlgorithm | None] = []
        for certificate in map(Certificate.read, self.chain):
            if certificate.is_self_issued:
                continue  # nobody checks the signature of a root
            try:
                found.append(certificate.signature_algorithm)
            except DecodeError:
                found.append(None)
        return tuple(found)

    def serves(self, name: str) -> bool:
        """Whether the leaf is made for this host name, wildcards included."""
        from puretls.x509.hostname import covered, parse_reference

        try:
            return covered(parse_reference(name), self.leaf.subject_alt_names)
        except UsageError:
            return False


_CREDENTIAL: dict[str, Kind] = {
    "chain": several(instance(bytes, "the DER of a certificate, in bytes"), "a tuple of certificates, each the bytes of its DER"),
    "key": instance(PrivateKey, "a private key, as `x509.keys.parse_private_key` makes them"),
    "ocsp_response": optional(instance(bytes, "bytes in DER")),
    "sct_list": optional(instance(bytes, "the bytes of a list")),
}
