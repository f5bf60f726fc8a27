"""The certificates and CRLs of a context, as OpenSSL's X509_STORE keeps them: those that were loaded, and directories to look in.

A directory is asked for a name when one is wanted (`openssl rehash` names its files by the hash of the name), so that a context with a
thousand roots reads the two that it needs.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator

from puretls.errors import DecodeError
from puretls.ssl.names import name_hash
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import BasicConstraints, KeyUsage, KeyUsageBit
from puretls.x509.crl.lists import Crl
from puretls.x509.names.distinguished import Name
from puretls.x509.path.anchors import Anchor, scan_anchors
from puretls.x509.path.finder import KeyMatch, key_match
from puretls.x509.path.trust import TrustStore, subject_of
from puretls.x509.pem import PemBlock, scan_pem

CRL_LABEL = "X509 CRL"
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+\Z")
MAX_NUMBER = 1000
"""Files of one hash that are looked at in a directory."""
MAX_LINKS = 8
"""Certificates of a store that a chain is completed with, one above the other."""
MAX_FILE = 2**24
"""Bytes of a file in a directory; a larger one is not read."""


def is_hashed(directory: str) -> bool:
    """Whether a directory has a file that is named by a hash."""
    try:
        return any(map(_HASHED.match, os.listdir(directory)))
    except OSError:
        return False


class Store(TrustStore):
    """What was loaded. `take_all` adds the content of a file."""

    def __init__(self) -> None:
        super().__init__()
        self.crls: list[Crl] = []
        self._directories: dict[str, None] = {}
        self._read: set[str] = set()
        self._filling = threading.RLock()  # who finds a file read finds what was in it

    # Taking in

    def take_all(self, entries: list[Anchor | Crl]) -> None:
        """Certificates and CRLs, each once."""
        with self._filling:
            self.take(entry for entry in entries if isinstance(entry, Anchor))
            self.crls += [entry for entry in entries if isinstance(entry, Crl) and entry not in self.crls]
            self.__dict__.pop("_canonical", None)  # the index of names that were known before

    def add_directory(self, path: str) -> None:
        self._directories[path] = None

    @property
    def directories(self) -> int:
        """How many there are to look in."""
        return len(self._directories)

    # Looking up

    def look_up(self, name: Name) -> None:
        """Takes in what the directories have of certificates of this name."""
        self._take_files(name, "")

    def crls_of(self, name: Name) -> tuple[Crl, ...]:
        """The CRLs of this issuer, those of the directories among them."""
        self._take_files(name, "r")
        return tuple(crl for crl in self.crls if crl.issuer == name)

    def _take_files(self, name: Name, prefix: str) -> None:
        wanted = f"{name_hash(name):08x}.{prefix}" if self._directories else ""
        with self._filling:
            for directory in list(self._directories):
                self._take_numbered(os.path.join(directory, wanted))

    def _take_numbered(self, start: str) -> None:
        """The files whose names go on with 0, 1, ... as far as there are."""
        for path in (f"{start}{number}" for number in range(MAX_NUMBER)):
            if path in self._read:
                continue
            if not os.path.lexists(path):
                break
            content = _content(path)
            if content is None:
                continue  # it may become a file
            self._read.add(path)
            try:
                self.take_all(read_entries(content))
            except DecodeError as bad:
                self.faults.append(f"{path}: {bad}")

    def issuer_of(self, certificate: Certificate) -> Certificate | None:
        """The first certificate by whose name and key identifier this one may have been issued."""
        self.look_up(certificate.issuer)
        named = self.by_subject(certificate.issuer)
        return next((issuer for issuer in named if key_match(certificate, issuer) is not KeyMatch.OTHER), None)

    # What is told of it

    @property
    def authorities(self) -> list[Certificate]:
        """Those that may issue others."""
        return [certificate for certificate in self if is_authority(certificate)]

    def is_trusted(self, certificate: Certificate) -> bool:
        """Whether trust may end there without VERIFY_X509_PARTIAL_CHAIN: a root, or what its file says is trusted for something."""
        limits = self._limits.get(certificate.raw)
        own = certificate.is_self_issued and key_match(certificate, certificate) is not KeyMatch.OTHER
        return own or (limits is not None and bool(limits.trusted))


def read_entries(data: bytes | str) -> list[Anchor | Crl]:
    """The certificates and CRLs of a file, in PEM or in DER of one certificate. Raises `DecodeError` for one that cannot be read."""
    found: list[Anchor | Crl] = []
    for entry in scan_anchors(data):
        if isinstance(entry, DecodeError):
            raise entry
        found.append(entry)
    if CRL_LABEL in (data if isinstance(data, str) else data.decode("latin-1")):
        blocks = (block for block in scan_pem(data) if isinstance(block, PemBlock))
        found += [Crl.parse(block.data) for block in blocks if block.label == CRL_LABEL]
    for one in found:
        if isinstance(one, Anchor):
            subject_of(one.certificate)  # the rest is read when it is wanted
    return found


def _content(path: str) -> bytes | None:
    """Of a regular file: nobody is to wait for who never writes into a pipe."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            return file.read(MAX_FILE)
    except OSError:
        return None


def is_authority(certificate: Certificate) -> bool:
    """X509_check_ca: basicConstraints say so, or, where there are none, an old root's self-signature or keyUsage."""
    usage = certificate.get(KeyUsage)
    if usage is not None and KeyUsageBit.KEY_CERT_SIGN not in usage:
        return False
    constraints = certificate.get(BasicConstraints)
    if constraints is not None:
        return constraints.ca
    return usage is not None or (certificate.version == 1 and certificate.is_self_issued)


class Anchors(TrustStore):
    """Those certificates of a store at which trust ends: its roots, or with `partial` all of them. Directories are asked on the way."""

    def __init__(self, store: Store, *, partial: bool) -> None:
        super().__init__()
        self._store = store
        self._partial = partial
        self.faults: list[str] = store.faults

    def is_anchor(self, certificate: Certificate) -> bool:
        """Whether trust ends at this certificate of the store."""
        return self._partial or self._store.is_trusted(certificate)

    def by_subject(self, name: Name) -> Iterator[Certificate]:
        self._store.look_up(name)
        return filter(self.is_anchor, self._store.by_subject(name))

    def by_equal_subject(self, name: Name) -> Iterator[Certificate]:
        return filter(self.is_anchor, self._store.by_equal_subject(name))

    def refused_purpose(self, certificate: Certificate, purposes: object) -> bytes | None:
        return self._store.refused_purpose(certificate, purposes)  # type: ignore[arg-type]

    def links(self, certificate: Certificate) -> Iterator[bytes]:
        """The store's certificates, in DER, that are no anchors and may stand above this one in a chain."""
        for _ in range(MAX_LINKS):
            self._store.look_up(certificate.issuer)
            found = [issuer for issuer in self._store.by_subject(certificate.issuer) if not self.is_anchor(issuer)]
            yield from (issuer.raw for issuer in found)
            if not found:
                return
            certificate = found[0]

    def __contains__(self, certificate: Certificate) -> bool:
        self._store.look_up(certificate.subject)
        return certificate in self._store and self.is_anchor(certificate)

    def __iter__(self) -> Iterator[Certificate]:
        return filter(self.is_anchor, self._store)

    def __len__(self) -> int:
        """A directory counts as one: it may have the certificate that is wanted."""
        return len(self._store) + self._store.directories
