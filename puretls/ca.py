"""A certificate authority for development, tests and demos, in pure Python: root, intermediate, leaves, CRLs, OCSP responses.

Time and randomness are arguments, files are the caller's business (`puretls ca` writes them). Not for production: the keys lie
beside the certificates and nothing records what was issued.

    ca = DevelopmentCa.create(os.urandom, time.time())
    server = ca.issue(["example.test", "127.0.0.1"])
    config = ServerConfig(credentials=(Credential(server.chain, server.key),))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace

from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import PrivateKey, PublicKey, RsaPrivateKey
from puretls.crypto.provider import Provider, default
from puretls.der import oids
from puretls.der.times import time_text
from puretls.errors import UsageError
from puretls.values import frozen
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.drafts import CertificateDraft, CrlDraft, OcspDraft, RevokedEntry, Signer, SingleDraft
from puretls.x509.keys import key_fits, private_key_pem, spki_bytes
from puretls.x509.pem import write_pem

KINDS = ("secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448", "rsa2048", "rsa3072", "rsa4096")
"""Kinds of keys, as `Provider.generate` names them."""
DAY = 86_400
ROOT_DAYS, INTERMEDIATE_DAYS, LEAF_DAYS = 3650, 1825, 397
"""Default lifetimes; 398 days are the most the CA/Browser rules grant a server."""
BACKDATE = 3600
"""Seconds by which validity begins before now: the clocks of peers differ."""
USAGES = {
    "server": (oids.SERVER_AUTH,),
    "client": (oids.CLIENT_AUTH,),
    "both": (oids.SERVER_AUTH, oids.CLIENT_AUTH),
    "ocsp": (oids.OCSP_SIGNING,),
}


@frozen
class Issued:
    """A leaf with its key. `chain`: DER, leaf first, without the root, as a TLS server sends it."""

    chain: tuple[bytes, ...]
    key: PrivateKey
    draft: CertificateDraft = field(repr=False)
    """The content that was signed; `ca.sign(replace(issued.draft, ...))` issues a variant."""

    @property
    def certificate(self) -> bytes:
        """The leaf, DER."""
        return self.chain[0]

    @property
    def chain_pem(self) -> str:
        """The chain as PEM, leaf first."""
        return "".join(write_pem("CERTIFICATE", der) for der in self.chain)

    @property
    def key_pem(self) -> str:
        """The private key as unencrypted PKCS#8 PEM: a secret."""
        return private_key_pem(self.key)


@frozen
class Authority:
    """A CA certificate with its key."""

    certificate: bytes
    key: PrivateKey
    name: bytes
    """The subject of the certificate, DER."""
    not_after: int

    @property
    def pem(self) -> str:
        """The certificate as PEM."""
        return write_pem("CERTIFICATE", self.certificate)

    @property
    def key_pem(self) -> str:
        """The private key as unencrypted PKCS#8 PEM: a secret."""
        return private_key_pem(self.key)

    @classmethod
    def load(cls, certificate: bytes, key: PrivateKey) -> Authority:
        """From a certificate (DER) and its key. Raises `DecodeError`, and `UsageError` where they do not belong together."""
        parsed = Certificate.parse(certificate)
        if not parsed.is_ca or not key_fits(parsed.public_key, key):
            raise UsageError(f"the key is not that of a CA certificate: {parsed.subject}")
        return cls(certificate, key, parsed.subject.raw, parsed.validity.not_after)


@frozen
class DevelopmentCa:
    """Root and intermediate. `create` makes fresh ones, `load` takes earlier ones; without an intermediate the root issues."""

    root: Authority
    intermediate: Authority | None
    random: RandomBytes
    now: int
    provider: Provider

    @classmethod
    def create(
        cls,
        random: RandomBytes,
        now: float,
        kind: str = "secp256r1",
        *,
        intermediate: bool = True,
        organization: str = "puretls development CA",
        provider: Provider | None = None,
    ) -> DevelopmentCa:
        """A fresh root and, unless told otherwise, an intermediate, with keys of this kind (see `KINDS`).

        `now` in seconds since 1970; validity begins an hour earlier. RSA keys take a second or two each, the others milliseconds.
        """
        made = cls._root(random, int(now), kind, organization, provider or default())
        return replace(made, intermediate=made.issue_authority("intermediate", kind)) if intermediate else made

    @classmethod
    def _root(cls, random: RandomBytes, now: int, kind: str, organization: str, provider: Provider) -> DevelopmentCa:
        key = provider.generate(_checked(kind), random)
        name = drafts.name((oids.ORGANIZATION, organization), (oids.COMMON_NAME, f"{organization} root"))
        extensions = _authority_extensions(key.public, key.public, path_length=None)
        draft = CertificateDraft(
            name, name, _serial(random), now - BACKDATE, now + ROOT_DAYS * DAY, spki_bytes(key.public), extensions
        )
        root = Authority(draft.signed(Signer(key, random, provider)), key, name, draft.not_after)
        return cls(root, None, random, now, provider)

    @classmethod
    def load(
        cls, root: Authority, intermediate: Authority | None, random: RandomBytes, now: float, provider: Provider | None = None
    ) -> DevelopmentCa:
        """A CA made earlier; see `Authority.load`."""
        return cls(root, intermediate, random, int(now), provider or default())

    # Its certificates and keys

    @property
    def issuer(self) -> Authority:
        """The authority that signs leaves."""
        return self.intermediate or self.root

    @property
    def root_pem(self) -> str:
        """The root certificate: what clients trust."""
        return self.root.pem

    # Issuing

    def issue_authority(
        self, label: str, kind: str = "secp256r1", *, path_length: int | None = 0, days: int = INTERMEDIATE_DAYS
    ) -> Authority:
        """A CA certificate under `issuer`, called after the root with `label` at the end."""
        key = self.provider.generate(_checked(kind), self.random)
        organization = str(next(Certificate.parse(self.root.certificate).subject.attributes(oids.ORGANIZATION)).value)
        name = drafts.name((oids.ORGANIZATION, organization), (oids.COMMON_NAME, f"{organization} {label}"))
        extensions = (
            *_authority_extensions(key.public, self.issuer.key.public, path_length),
            drafts.extended_key_usage(*USAGES["both"]),
        )
        draft = self._draft(name, key, days, extensions)
        return Authority(self.sign(draft), key, name, draft.not_after)

    def issue(
        self,
        names: Iterable[str],
        kind: str = "secp256r1",
        *,
        usage: str = "server",
        days: int = LEAF_DAYS,
        extensions: tuple[bytes, ...] = (),
    ) -> Issued:
        """A leaf for these names: DNS names (wildcards too), IP addresses, mail addresses, URIs; the first is the common name.

        `usage` is "server", "client", "both" or "ocsp" (a delegated responder); `extensions` are more of them, in DER (see
        `x509.drafts`). Raises `UsageError` for a name or kind that is none.
        """
        listed = tuple(names)
        if not listed or usage not in USAGES:
            raise UsageError("a leaf needs a name" if not listed else f"no usage is called {usage!r}: {', '.join(USAGES)}")
        key = self.provider.generate(_checked(kind), self.random)
        subject = _subject(listed[0])
        draft = self._draft(subject, key, days, (*_leaf_extensions(listed, key, self.issuer.key.public, usage), *extensions))
        return self.issued(draft, key)

    def issued(self, draft: CertificateDraft, key: PrivateKey) -> Issued:
        """The draft signed, with its chain."""
        below = () if self.intermediate is None else (self.intermediate.certificate,)
        return Issued((self.sign(draft), *below), key, draft)

    def _draft(self, subject: bytes, key: PrivateKey, days: int, extensions: tuple[bytes, ...]) -> CertificateDraft:
        if self.issuer.not_after <= self.now:
            raise UsageError(f"the authority expired on {time_text(self.issuer.not_after)}: make a new one")
        start, end = self.now - BACKDATE, min(self.now + days * DAY - BACKDATE, self.issuer.not_after)
        return CertificateDraft(subject, self.issuer.name, _serial(self.random), start, end, spki_bytes(key.public), extensions)

    @property
    def signer(self) -> Signer:
        """The key of `issuer`, ready to sign drafts."""
        return Signer(self.issuer.key, self.random, self.provider)

    def sign(self, draft: CertificateDraft) -> bytes:
        """Signs a draft as `issuer`, without any check of its content."""
        return draft.signed(self.signer)

    # Revocation

    def crl(self, revoked: Iterable[bytes] = (), *, reason: int | None = None, days: int = 7, number: int = 1) -> bytes:
        """A CRL of `issuer`, DER, that lists these certificates (DER); valid from now on for `days`."""
        entries = tuple(RevokedEntry(Certificate.parse(der).serial_number, self.now, reason) for der in revoked)
        extensions = (drafts.authority_key_identifier(self.issuer.key.public), drafts.crl_number(number))
        return CrlDraft(self.issuer.name, self.now, self.now + days * DAY, entries, extensions).signed(self.signer)

    def single(self, certificate: bytes, status: str = "good", *, reason: int | None = None, days: int = 7) -> SingleDraft:
        """What an OCSP response says of one certificate (DER): "good", "revoked" or "unknown"."""
        serial = Certificate.parse(certificate).serial_number
        identifier = drafts.cert_id(self.issuer.name, self.issuer.key.public, serial)
        return SingleDraft(identifier, self.now, self.now + days * DAY, status, self.now, reason)

    def ocsp_response(
        self,
        certificate: bytes,
        status: str = "good",
        *,
        reason: int | None = None,
        days: int = 7,
        responder: Issued | None = None,
    ) -> bytes:
        """An OCSP response, DER, ready to staple; by `issuer` itself, or by a responder issued with usage "ocsp"."""
        singles = (self.single(certificate, status, reason=reason, days=days),)
        if responder is None:
            return OcspDraft(self.issuer.key.public, self.now, singles).signed(self.signer)
        signer = Signer(responder.key, self.random, self.provider)
        return OcspDraft(responder.key.public, self.now, singles, (responder.certificate,)).signed(signer)


def _checked(kind: str) -> str:
    if kind not in KINDS:
        raise UsageError(f"no kind of key is called {kind!r}; known: {', '.join(KINDS)}")
    return kind


def _serial(random: RandomBytes) -> int:
    """127 random bits with the highest set: positive, unguessable, 16 octets (RFC 5280 4.1.2.2)."""
    return int.from_bytes(random(16)) >> 1 | 1 << 126


def _subject(first: str) -> bytes:
    """The first name as commonName where it fits its 64 characters, else none (RFC 5280 A.1, ub-common-name)."""
    text = first if "@" in first or "://" in first or ":" in first else drafts.dns_name(first)
    return drafts.name((oids.COMMON_NAME, text)) if len(text) <= 64 else drafts.name()


def _authority_extensions(key: PublicKey, issuer_key: PublicKey, path_length: int | None) -> tuple[bytes, ...]:
    return (
        drafts.basic_constraints(True, path_length),
        drafts.key_usage(drafts.KEY_CERT_SIGN, drafts.CRL_SIGN, drafts.DIGITAL_SIGNATURE),
        drafts.subject_key_identifier(key),
        drafts.authority_key_identifier(issuer_key),
    )


def _leaf_extensions(names: tuple[str, ...], key: PrivateKey, issuer_key: PublicKey, usage: str) -> tuple[bytes, ...]:
    bits = [drafts.DIGITAL_SIGNATURE] + ([drafts.KEY_ENCIPHERMENT] if isinstance(key, RsaPrivateKey) and usage != "ocsp" else [])
    return (
        drafts.key_usage(*bits),
        drafts.extended_key_usage(*USAGES[usage]),
        drafts.subject_alt_name(names, critical=_subject(names[0]) == drafts.name()),
        drafts.subject_key_identifier(key.public),
        drafts.authority_key_identifier(issuer_key),
        *((drafts.extension(oids.OCSP_NO_CHECK, b"\x05\x00"),) if usage == "ocsp" else ()),
    )
