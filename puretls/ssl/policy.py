"""VERIFY flags and the security level, as rules of puretls's validator.

Without flags a chain is accepted that OpenSSL accepts, where that is safe: no MD5, no RSA key below 1024 bits at any level.
VERIFY_X509_STRICT adds the rules that OpenSSL checks under it, and no others: `ssl.create_default_context` sets it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from puretls.crypto.provider import Provider, Signed
from puretls.der import oids
from puretls.errors import DecodeError, UsageError
from puretls.ssl.constants import (
    HOSTFLAG_NEVER_CHECK_SUBJECT,
    VERIFY_CRL_CHECK_CHAIN,
    VERIFY_CRL_CHECK_LEAF,
    VERIFY_X509_PARTIAL_CHAIN,
    VERIFY_X509_STRICT,
)
from puretls.ssl.levels import digest_bits, minimum_bits, strength
from puretls.ssl.store import Anchors, Store
from puretls.x509.certificates.certificate import Certificate, parse_remembered
from puretls.x509.certificates.extensions import AuthorityKeyIdentifier, KeyUsage, SubjectAltName
from puretls.x509.hostname import covered, parse_reference
from puretls.x509.names.general import GeneralName, GeneralNameKind
from puretls.x509.path.examine import Caches
from puretls.x509.path.status import StatusContext
from puretls.x509.reports.findings import Fault, Finding
from puretls.x509.reports.report import Report
from puretls.x509.reports.rules import RULES
from puretls.x509.revocation import Revocation
from puretls.x509.revocation.policy import HARD, LEAF, SOFT
from puretls.x509.verifier import ChainRequest, chain_verifier

STRICT = (
    "path-length-field", "leaf-key-cert-sign", "empty-subject-ca", "san-critical", "basic-constraints-critical", "ca-key-usage",
    "subject-key-identifier", "must-not-be-critical",
)  # fmt: skip
"""What OpenSSL checks under X509_V_FLAG_X509_STRICT beyond what puretls checks in any case (check_extensions in x509_vfy.c).

Authority key identifiers are looked at by `_strict_findings`.
"""
WITHOUT = {0: ("rsa-size", "sha1"), 1: ("rsa-size",)}
"""Rules that do not hold at the lower security levels (SSL_CTX_set_security_level(3))."""
PLAIN = ("explicit-extended-key-usage",)
"""What OpenSSL checks in any case: a certificate for anyExtendedKeyUsage alone is for no purpose (xku_reject in v3_purp.c)."""
LENIENT = ("strict-der",)
"""What OpenSSL bears without VERIFY_X509_STRICT: values that are plain, and not written as DER has them. They are signed as they are."""
MAX_SHOWN = 16
"""Certificates of a chain for which no path was looked for."""
RULED_BITS = 112
"""The strength that the validator's own rules ask for."""


_CACHES = Caches()
"""Of all contexts: many programs make one for each connection, and the signatures of authorities are the same."""


class Policy:
    """Verifies chains against a store under one combination of flags and level."""

    def __init__(self, store: Store, flags: int, host_flags: int, level: int, provider: Provider) -> None:
        self._checks_subject = not host_flags & HOSTFLAG_NEVER_CHECK_SUBJECT
        self._strict = bool(flags & VERIFY_X509_STRICT)
        self._bits = minimum_bits(level)
        self._anchors = Anchors(store, partial=bool(flags & VERIFY_X509_PARTIAL_CHAIN))
        make = partial(
            chain_verifier, [self._anchors], provider=provider, random=os.urandom, revocation=StoreRevocation(store, _mode(flags))
        )
        self._verifier = replace(make(danger_without=(*WITHOUT.get(level, ()), *LENIENT), extra=PLAIN), caches=_CACHES)
        self._strict_verifier = replace(make(danger_without=WITHOUT.get(level, ()), extra=(*PLAIN, *STRICT)), caches=_CACHES)

    def __call__(self, request: ChainRequest) -> Report:
        """The verdict on a chain. `server_name` is compared with subjectAltName, and see `is_common_name`."""
        request = replace(request, chain=self._completed(request.chain))
        leaf = next(iter(_presented(request.chain[:1])), None)
        by_subject = leaf is not None and self._checks_subject and is_common_name(leaf, request.server_name)
        report = self._verified(replace(request, server_name=None) if by_subject else request, leaf)
        if not report.path:
            return replace(report, path=_presented(request.chain))
        findings = tuple(self._more(report.path, by_subject)) if report.accepted else ()
        return replace(report, accepted=False, findings=findings) if findings else report

    def verify_ahead(self, chain: Sequence[bytes], signed: Signed, provider: Provider) -> bool:
        """As `Verifier.verify_ahead`."""
        return self._verifier.verify_ahead(self._completed(tuple(chain)), signed, provider)

    def _verified(self, request: ChainRequest, leaf: Certificate | None) -> Report:
        """VERIFY_X509_STRICT asks nothing of a leaf that is trusted by itself: who trusts one needs no authority."""
        if not self._strict or (leaf is not None and leaf in self._anchors):
            report = self._verifier(request)
            if not self._strict or (report.accepted and len(report.path) == 1):
                return report
        return self._strict_verifier(request)

    def _completed(self, chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """The chain, and behind it the links that the peer left out and the store has."""
        found = dict.fromkeys(chain)
        for certificate in _presented(chain):
            found |= dict.fromkeys(self._anchors.links(certificate))
        return tuple(found)

    def _more(self, path: tuple[Certificate, ...], by_subject: bool) -> Iterator[Finding]:
        """What the validator has no rules for, of an accepted path."""
        if self._bits > RULED_BITS:
            yield from self._weak(path)
        if by_subject and any(above.extension(oids.NAME_CONSTRAINTS) for above in path):
            yield Finding(RULES["name-constraints-unprocessable"], "name constraints do not concern a commonName", path[0], 0)
        if self._strict and len(path) > 1:
            yield from _strict_findings(path)

    def _weak(self, path: tuple[Certificate, ...]) -> Iterator[Finding]:
        """Keys and digests below the strength that higher levels ask for."""
        for index, certificate in enumerate(path):
            bits = strength(certificate.public_key)
            if bits < self._bits:
                sentence = f"a key of {bits} bits of security, where {self._bits} are asked for"
                yield Finding(RULES["rsa-size"], sentence, certificate, index)
            if index < len(path) - 1 and digest_bits(certificate) < self._bits:
                yield Finding(RULES["sha1"], f"signed with {certificate.outer_signature}", certificate, index)


def _strict_findings(path: tuple[Certificate, ...]) -> Iterator[Finding]:
    """Where OpenSSL and RFC 5280 differ as to the last certificate of a path.

    It needs no authority key identifier, whatever it is, for there is nobody above it; but keyUsage, a root as well.
    """
    for index, certificate in enumerate(path[:-1]):
        identifier = certificate.get(AuthorityKeyIdentifier)
        if certificate.version == 3 and (identifier is None or identifier.key_identifier is None):
            yield Finding(RULES["authority-key-identifier"], "no keyIdentifier of the authority's key", certificate, index)
    if path[-1].is_ca and path[-1].get(KeyUsage) is None:
        yield Finding(RULES["ca-key-usage"], "a root without keyUsage", path[-1], len(path) - 1)


def is_common_name(leaf: Certificate, name: str | None) -> bool:
    """Whether a leaf has no other names than a commonName, and that is `name`.

    OpenSSL accepts such certificates as long as `hostname_checks_common_name` is true. Here the leaf must have no subjectAltName at
    all, or an empty one, and no CA above it name constraints (RFC 6125 6.4.4).
    """
    alternative = leaf.extension(oids.SUBJECT_ALT_NAME)
    if name is None or (alternative is not None and alternative.value != SubjectAltName(())):
        return False
    try:
        reference = parse_reference(name)
    except UsageError:
        return False
    values = (attribute.value for attribute in leaf.subject.attributes(oids.COMMON_NAME))
    return covered(reference, [GeneralName(GeneralNameKind.DNS, value) for value in values if isinstance(value, str)])


def _presented(chain: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    """What the peer sent, as far as it can be read: where there is nothing to trust, no path is looked for."""
    try:
        return tuple(parse_remembered(der) for der in chain[:MAX_SHOWN])
    except DecodeError:
        return ()


def _mode(flags: int) -> str:
    if flags & VERIFY_CRL_CHECK_CHAIN == VERIFY_CRL_CHECK_CHAIN:
        return HARD
    return LEAF if flags & VERIFY_CRL_CHECK_LEAF else SOFT


@dataclass(frozen=True)
class StoreRevocation:
    """Asks the CRLs of a store, where the flags want it; a stapled OCSP response is heeded in any case."""

    store: Store
    mode: str

    def check(self, certificate: Certificate, issuer: Certificate, context: StatusContext) -> Iterator[Fault]:
        """See `RevocationChecker`."""
        crls = () if self.mode == SOFT else self.store.crls_of(certificate.issuer)
        yield from Revocation(self.mode, crls).check(certificate, issuer, context)
