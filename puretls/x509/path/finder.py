"""Path building (RFC 4158): candidate paths from a leaf to an anchor, best first, within budgets that end the search for good.

Depth first and without recursion. Anchors come before presented certificates, matching key identifiers before others. A certificate
is not used twice in a path, nor is another with the same name, key and alternative names: cross-signs cannot make a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum, IntEnum

from puretls.der import oids
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import AuthorityKeyIdentifier, SubjectKeyIdentifier
from puretls.x509.names.distinguished import Name
from puretls.x509.path.budgets import Meter
from puretls.x509.path.trust import TrustStore

Path = tuple[Certificate, ...]


STEP_WORK = 16
"""Of a candidate issuer. A path, and a certificate whose names are looked up in constraints, count one for each 4 bytes."""


class Pool:
    """Certificates from the peer or fetched: no trust in any of them."""

    def __init__(self) -> None:
        self._all: dict[Certificate, None] = {}
        self._by_subject: dict[bytes, list[Certificate]] = {}

    def add(self, certificate: Certificate) -> bool:
        """Takes one in; tells whether it was new."""
        known = certificate in self._all
        self._all[certificate] = None
        self._by_subject.clear()
        return not known

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self._all)

    def by_subject(self, name: Name) -> list[Certificate]:
        """Those with this subject, by RFC 5280 7.1, in the order they came."""
        found = self._by_subject.get(name.raw)
        if found is None:
            found = self._by_subject[name.raw] = [certificate for certificate in self._all if certificate.subject == name]
        return found


def identity(certificate: Certificate) -> tuple[bytes, bytes, bytes]:
    """What makes two certificates the same entity: name, key, alternative names."""
    alternative = certificate.extension(oids.SUBJECT_ALT_NAME)
    return certificate.subject.raw, certificate.spki, alternative.raw if alternative else b""


class KeyMatch(IntEnum):
    """How the key identifiers of a certificate and a possible issuer compare, in the order in which issuers are tried."""

    SAME = 0
    UNKNOWN = 1
    OTHER = 2


def key_match(child: Certificate, issuer: Certificate) -> KeyMatch:
    """A hint for the order, nothing to rely on: identifiers are written by whoever likes."""
    wanted = child.get(AuthorityKeyIdentifier)
    own = issuer.get(SubjectKeyIdentifier)
    if wanted is None or wanted.key_identifier is None or own is None:
        return KeyMatch.UNKNOWN
    return KeyMatch.SAME if wanted.key_identifier == own.key_identifier else KeyMatch.OTHER


class End(Enum):
    """How a path ends."""

    ANCHOR = "at a trust anchor"
    NOBODY = "where no certificate of the issuer's name is known"
    TOO_LONG = "at the limit of its length"


@frozen
class Candidate:
    """A possible issuer, and whether it is an anchor."""

    certificate: Certificate
    anchor: bool


class PathFinder:
    """Enumerates paths. `usable(path, candidate)` prunes: a candidate it refuses is not followed."""

    def __init__(self, store: TrustStore, pool: Pool, meter: Meter, usable: Callable[[Path, Candidate], bool]) -> None:
        self.store = store
        self.pool = pool
        self.meter = meter
        self.usable = usable

    def paths(self, leaf: Certificate) -> Iterator[tuple[Path, End]]:
        """Paths from the leaf on, and how each ends; with `End.ANCHOR` the last certificate is an anchor.

        Raises `BudgetExceeded`.
        """
        path = [leaf]
        stack = [self._issuers(path)]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                path.pop()
            elif isinstance(step, End):
                yield tuple(path), step
            elif step.anchor:
                complete = (*path, step.certificate)
                self.meter.spend("paths", work=sum(len(certificate.raw) for certificate in complete) // 4)
                yield complete, End.ANCHOR
            else:
                path.append(step.certificate)
                stack.append(self._issuers(path))

    def _issuers(self, path: list[Certificate]) -> Iterator[Candidate | End]:
        """Issuers of the last certificate that may follow; why there is none where there is nothing to look at."""
        child = path[-1]
        so_far = tuple(path)
        seen = {identity(c) for c in path}
        nobody = True
        for candidate in self._named(child):
            self.meter.spend("steps", work=STEP_WORK)
            if identity(candidate.certificate) in seen:
                continue
            nobody = False
            if len(path) > self.meter.budgets.intermediates and not candidate.anchor:
                yield End.TOO_LONG
                return
            if self.usable(so_far, candidate):
                yield candidate
        if nobody:
            yield End.NOBODY

    def _named(self, child: Certificate) -> Iterator[Candidate]:
        """Certificates with the name of the child's issuer, anchors first, those with the right key identifier before others.

        Anchors whose names are written in another way come last: to compare them all is the dearest look-up.
        """
        for certificate in self._ranked(child, self.store.by_subject(child.issuer)):
            yield Candidate(certificate, anchor=True)
        for certificate in self._ranked(child, self.pool.by_subject(child.issuer)):
            if certificate not in self.store:
                yield Candidate(certificate, anchor=False)
        for certificate in self._ranked(child, self.store.by_equal_subject(child.issuer)):
            yield Candidate(certificate, anchor=True)

    def _ranked(self, child: Certificate, found: Iterable[Certificate]) -> list[Certificate]:
        return sorted(found, key=lambda certificate: key_match(child, certificate))
