"""The system's trusted roots, found where OpenSSL and Qt look for them on Unix; nothing is read before it is needed.

`SSL_CERT_FILE` and `SSL_CERT_DIR` come first, and where one of them is set, nothing else is trusted. Then the usual bundle files,
the usual directories, and the package certifi where it is installed. The stores of Windows and macOS are not read: no maintained
library in pure Python does it; install `puretls[roots]`, or name a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISREG
from typing import Any

from puretls.arguments import PATH
from puretls.crypto.provider import Provider, Signed, default
from puretls.der import oids
from puretls.errors import DecodeError, UsageError
from puretls.values import frozen
from puretls.x509.path.anchors import scan_anchors
from puretls.x509.path.trust import TrustStore
from puretls.x509.reports.report import Report
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",  # older Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, OpenBSD, FreeBSD, macOS
    "/usr/local/share/certs/ca-root-nss.crt",  # FreeBSD's port
    "/usr/local/etc/openssl/cert.pem",
    "/usr/local/etc/openssl@3/cert.pem",  # Homebrew
    "/opt/homebrew/etc/openssl@3/cert.pem",
    "/etc/openssl/certs/ca-certificates.crt",  # NetBSD
    "/etc/certs/ca-certificates.crt",  # Solaris
)
"""The first that exists is taken."""
DIRECTORIES = (
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    "/usr/local/share/certs",
    "/etc/openssl/certs",
    "/system/etc/security/cacerts",  # Android
)
"""If there is no bundle, all certificates of the first directory that is not empty."""
MAX_REASONS = 3
"""How many faults of one file an error names."""
MAX_FILE = 1 << 24
"""Most bytes that a file may have; a larger one is not read."""
HELP = "name a file of trusted certificates with SSL_CERT_FILE, or pip install 'puretls[roots]' for those that Mozilla trusts"


@frozen
class Sources:
    """Where roots are read: `files`, and every file in `directories`. `named`: the user chose them, so they must exist.

    `origin` says where the names are from, in words that follow the name of a file.
    """

    files: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    named: bool = False
    origin: str = ""


def find_sources(environ: Mapping[str, str]) -> Sources:
    """Where the roots of this system are. Raises `UsageError` where there are none."""
    file, directories = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if file or directories:
        inside = tuple(directories.split(os.pathsep)) if directories else ()
        return Sources((file,) if file else (), inside, True, ", which SSL_CERT_FILE names")
    for bundle in BUNDLES:
        if os.path.isfile(bundle):
            return Sources((bundle,))
    for directory in DIRECTORIES:
        if os.path.isdir(directory) and os.listdir(directory):
            return Sources(directories=(directory,))
    if find_spec("certifi") is not None:
        import certifi

        return Sources((certifi.where(),))
    raise UsageError(f"no trusted roots were found on this system: {HELP}")


def read_sources(sources: Sources) -> tuple[bytes, ...]:
    """The DER of every certificate there that is trusted for servers, without repetitions.

    Raises `UsageError` for a source the user named that has none.
    """
    return load_store(sources).encoded(oids.SERVER_AUTH)


def load_store(sources: Sources) -> TrustStore:
    """Reads the anchors. What cannot be used is left out, and named by file and number in `TrustStore.faults`.

    Raises `UsageError` for a source the user named that has none.
    """
    store = TrustStore()
    for path in _paths(sources):
        before, known = len(store), store.skipped
        error = ""
        try:
            store.take(scan_anchors(_content(path)), f"{path}: ")
        except OSError as failed:
            error = str(failed.strerror)
        except DecodeError as bad:
            error = str(bad)
            store.faults.append(f"{path}: {bad}")
        if sources.named and str(path) in sources.files and len(store) == before:
            reasons = error or "; ".join(fault.removeprefix(f"{path}: ") for fault in store.faults[known:][:MAX_REASONS])
            if reasons:
                raise UsageError(f"{path}{sources.origin}: {reasons}")
    if not len(store):
        advice = "" if sources.named and not sources.origin else f": {HELP}"  # who names a file in a call needs no variable
        raise UsageError(f"no certificate in {', '.join(sources.files + sources.directories)}{advice}")
    return store


def _paths(sources: Sources) -> Iterator[Path]:
    """Each file once. Directories often contain a second link to each file, named by its hash, and the bundle as well."""
    seen: set[tuple[int, int]] = set()
    for path in sources.files:
        _is_new(path, seen)
        yield Path(path)
    for directory in sources.directories:
        try:
            inside = sorted(os.listdir(directory))
        except OSError:
            continue
        yield from (Path(path) for name in inside if _is_new(path := os.path.join(directory, name), seen))


def _is_new(path: str, seen: set[tuple[int, int]]) -> bool:
    """Whether it is a regular file, or a link to one, not seen before."""
    try:
        found = os.stat(path)
    except OSError:  # a link to nowhere, for example
        return False
    key = (found.st_dev, found.st_ino)
    if not S_ISREG(found.st_mode) or key in seen:
        return False
    seen.add(key)
    return True


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise DecodeError(f"larger than {MAX_FILE} bytes", path="PEM")
    return path.read_bytes()


@lru_cache(maxsize=4)
def _store(sources: Sources) -> TrustStore:
    return load_store(sources)


def system_store(environ: Mapping[str, str] | None = None) -> TrustStore:
    """The system's roots as anchors: read once a process, parsed when asked for. `environ`: `os.environ` unless given."""
    return _store(find_sources(os.environ if environ is None else environ))


def system_roots(environ: Mapping[str, str] | None = None) -> tuple[bytes, ...]:
    """The DER of the system's roots. Raises `UsageError` where there are none."""
    return read_sources(find_sources(os.environ if environ is None else environ))


class SystemVerifier:
    """Verifies against the system's roots, which the first call loads. `options` are those of `chain_verifier`."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._verifier: Verifier | None = None

    def __call__(self, request: ChainRequest) -> Report:
        """Validates the chain. Raises `UsageError` if the system has no roots."""
        return self.verifier(request)

    def verify_ahead(self, chain: Sequence[bytes], signed: Signed, provider: Provider) -> bool:
        """As `Verifier.verify_ahead`; False if the system has no roots, which the chain's judgement tells."""
        with suppress(UsageError):
            return self.verifier.verify_ahead(chain, signed, provider)
        return False

    def __repr__(self) -> str:
        return "SystemVerifier()"

    @property
    def verifier(self) -> Verifier:
        """The verifier with the roots in it."""
        if self._verifier is None:
            self._verifier = chain_verifier([system_store()], **{"provider": default(), "random": os.urandom, **self._options})
        return self._verifier


def system_verifier(**options: Any) -> SystemVerifier:
    """The verifier of clients by default: the system's roots, loaded by the first chain. `options` as for `chain_verifier`."""
    return SystemVerifier(**options)


def file_verifier(*paths: str | os.PathLike[str], **options: Any) -> Verifier:
    """A verifier that trusts the certificates in these files, in PEM or DER, and no others; of a directory, all its files.

    `options` as for `chain_verifier`. Raises `UsageError` for a file that cannot be read or has no certificate.
    """
    if not paths:
        raise UsageError("name a file of certificates to trust")
    anchors: list[TrustStore] = []
    for path in (os.fspath(PATH.taken(path, "path")) for path in paths):
        sources = Sources(directories=(path,), named=True) if os.path.isdir(path) else Sources((path,), named=True)
        anchors.append(load_store(sources))
    return chain_verifier(anchors, **{"provider": default(), "random": os.urandom, **options})
