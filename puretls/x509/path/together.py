"""Signatures of a path of which nothing is known yet, for whoever verifies several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from puretls.crypto.provider import Provider, Signed
from puretls.der.memo import Memo
from puretls.errors import DecodeError
from puretls.x509.certificates.certificate import Certificate, parse_remembered
from puretls.x509.keys.algorithms import allows
from puretls.x509.path.trust import TrustStore

LONGEST = 8
"""Certificates of a chain that are looked at: more than real ones have."""
Link = tuple[str, bytes, bytes]
KnownSignatures = Memo[Link, bool]


class Unknown(NamedTuple):
    """A signature that nobody has verified yet: what it will be remembered by, and all that verifying takes."""

    link: Link
    signed: Signed


def link(provider: Provider, child: Certificate, issuer: Certificate) -> Link:
    """What a remembered signature is found by; what one provider has verified says nothing of another."""
    return provider.name, child.fingerprint, issuer.spki_pin


def unknown_signatures(path: Sequence[Certificate], provider: Provider, known: KnownSignatures) -> Iterator[Unknown]:
    """Those of a path, the leaf's first; what cannot be verified at all is left out."""
    for child, issuer in pairwise(path):
        found = link(provider, child, issuer)
        with suppress(DecodeError):
            algorithm = child.signature_algorithm
            if known.get(found) is None and allows(issuer.spki, algorithm):
                yield Unknown(found, (algorithm, issuer.public_key, child.tbs, child.signature))


def presented_path(chain: Sequence[bytes], store: TrustStore) -> tuple[Certificate, ...]:
    """The path that a chain in the order of RFC 5246 7.4.2, each certificate signed by the next, makes up to an anchor; empty if none.

    Only names are compared. Raises `DecodeError` for what is no certificate.
    """
    path: list[Certificate] = []
    for der in chain[:LONGEST]:
        certificate = parse_remembered(der)
        if path and certificate.subject.raw != path[-1].issuer.raw:
            break
        path.append(certificate)
        anchor = next(store.by_subject(certificate.issuer), None)
        if anchor is not None:
            return (*path, anchor)
    return ()
