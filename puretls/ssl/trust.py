"""What a context trusts, and how its chains are verified."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from puretls import roots
from puretls.crypto.provider import default
from puretls.der.cursor import read_header
from puretls.errors import DecodeError, UsageError
from puretls.ssl.credentials import fs_path
from puretls.ssl.errors import SSLError, failure, pem_failure
from puretls.ssl.levels import DEFAULT_LEVEL
from puretls.ssl.policy import Policy
from puretls.ssl.store import MAX_LINKS, Store, is_hashed, read_entries
from puretls.ssl.verify_codes import code_of
from puretls.x509.certificates.certificate import parse_remembered
from puretls.x509.crl.lists import Crl
from puretls.x509.path.anchors import Anchor, scan_anchors
from puretls.x509.path.trust import subject_of
from puretls.x509.reports.report import Report
from puretls.x509.verifier import ChainRequest

FILE_VARIABLE, DIRECTORY_VARIABLE = "SSL_CERT_FILE", "SSL_CERT_DIR"


def default_paths() -> tuple[str, str, str, str]:
    """Names of the variables, and paths of the file and the directory that are trusted by default where those are not set."""
    file = next(filter(os.path.isfile, roots.BUNDLES), "/etc/ssl/cert.pem")
    directory = next(filter(os.path.isdir, roots.DIRECTORIES), "/etc/ssl/certs")
    return FILE_VARIABLE, file, DIRECTORY_VARIABLE, directory


class Trust:
    """Certificates, lists of revoked ones, and directories, of one context."""

    def __init__(self) -> None:
        self._store = Store()
        self._policies: dict[tuple[int, int, int], Policy] = {}

    # Loading

    def load(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """`load_verify_locations`: a file in PEM, a directory of hashed names (or several, as in PATH), PEM as text or DER as bytes.

        Raises `SSLError` for what has no certificate, or one that cannot be read, `OSError` of the file, `TypeError` for other types.
        """
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        file = None if cafile is None else fs_path(cafile, "cafile")
        directory = None if capath is None else fs_path(capath, "capath")
        if cadata is not None:
            self._load_data(cadata)
        if file is not None:
            self._load_file(file)
        if directory is not None:
            for path in os.fsdecode(directory).split(os.pathsep):
                self._store.add_directory(path)

    def _load_file(self, path: str | bytes) -> None:
        with open(path, "rb") as file:
            content = file.read()
        try:
            entries = read_entries(content)
        except DecodeError as error:
            raise pem_failure("X509", str(error)) from None
        if not entries:
            raise failure("NO_CERTIFICATE_OR_CRL_FOUND", library="X509")
        self._store.take_all(entries)

    def _load_data(self, data: Any) -> None:
        is_text = isinstance(data, str)
        content = _ascii_or_bytes(data)
        if not content:
            raise ValueError("Empty certificate data")
        found: list[Anchor | Crl] = []
        try:
            for anchor in _of_text(content) if is_text else _of_der(content):
                found.append(anchor)  # noqa: PERF402 - what came before an error is wanted
        except DecodeError as error:
            if found and is_text:
                raise pem_failure("PEM", str(error)) from None
            if found:
                raise failure("NOT_ENOUGH_DATA", str(error), library="ASN1") from None
        if not found:
            missing = "no start line" if is_text else "not enough data"
            raise SSLError(0, f"{missing}: cadata does not contain a certificate")
        self._store.take_all(found)

    def load_defaults(self) -> None:
        """`set_default_verify_paths`: what SSL_CERT_FILE and SSL_CERT_DIR name at the time of the call, else what the system trusts.

        Where the system has a directory of hashed names it is asked for each root that is wanted, else its bundle is read, else
        certifi's. Nothing is raised for what is not there, as OpenSSL has it; verification tells it then.
        """
        try:
            sources = roots.find_sources(os.environ)
        except UsageError as error:
            self._store.faults.append(str(error))
            return
        hashed = None if sources.named else next(filter(is_hashed, roots.DIRECTORIES), None)
        if hashed is not None:
            self._store.add_directory(hashed)
            return
        for path in sources.files:
            self._load_default(path)
        for directory in sources.directories:
            if is_hashed(directory):
                self._store.add_directory(directory)
            else:
                for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
                    self._load_default(os.path.join(directory, name))

    def _load_default(self, path: str) -> None:
        try:
            self._load_file(path)
        except OSError as error:
            self._store.faults.append(f"{path}: {error.strerror}")

    # What is told

    def stats(self) -> dict[str, int]:
        return {"x509": len(self._store), "crl": len(self._store.crls), "x509_ca": len(self._store.authorities)}

    def authorities(self, binary: bool) -> list[Any]:
        from puretls.ssl.certificates import as_dict

        return [each.raw if binary else as_dict(each) for each in self._store.authorities]

    # Chains of one's own

    @property
    def size(self) -> int:
        """Grows with all that is loaded."""
        return len(self._store) + self._store.directories

    def completed(self, chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """A chain of one's own as it is sent: to a certificate without others comes what the store has above it, a root too.

        OpenSSL does so unless SSL_MODE_NO_AUTO_CHAIN is set (SSL_CTX_add1_chain_cert(3)), which CPython never sets.
        """
        if len(chain) > 1:
            return chain
        found = [parse_remembered(chain[0])]
        while not found[-1].is_self_issued and len(found) <= MAX_LINKS:
            issuer = self._store.issuer_of(found[-1])
            if issuer is None:
                break
            found.append(issuer)
        return tuple(certificate.raw for certificate in found)

    # Verifying

    def verify(self, request: ChainRequest, name: str | None, flags: int, host_flags: int, level: int = DEFAULT_LEVEL) -> Report:
        """`name`: what the certificate must be for, or None; the rest as for `policy`."""
        return self.policy(flags, host_flags, level)(replace(request, server_name=name))

    def policy(self, flags: int, host_flags: int, level: int = DEFAULT_LEVEL) -> Policy:
        """`flags`: VERIFY_..., `host_flags`: HOSTFLAG_...

        Of the host flags only HOSTFLAG_NEVER_CHECK_SUBJECT makes a difference: an asterisk stands for a whole first label (RFC 9525 6).
        """
        key = flags, host_flags, level
        policy = self._policies.get(key)
        if policy is None:
            policy = self._policies[key] = Policy(self._store, *key, default())
        return policy

    def code(self, report: Any, name: str | None) -> tuple[int, str]:
        """X509_V_ERR_... of a report that refuses, and OpenSSL's words."""
        return code_of(report, name, tuple(self._store.crls))


def _ascii_or_bytes(data: Any) -> bytes:
    if isinstance(data, str):
        if data.isascii():
            return data.encode()
    else:
        try:
            with memoryview(data) as view:
                return bytes(view)
        except TypeError:
            pass
    raise TypeError("cadata should be an ASCII string or a bytes-like object")


def _of_text(content: bytes) -> Iterator[Anchor]:
    for entry in scan_anchors(content.decode()):
        if isinstance(entry, DecodeError):
            raise entry
        subject_of(entry.certificate)
        yield entry


def _of_der(content: bytes) -> Iterator[Anchor]:
    """Certificates one behind the other."""
    at = 0
    while at < len(content):
        _, _, stop = read_header(content, at, len(content))
        der = content[at:stop]
        subject_of(der)
        yield Anchor("certificate", der)
        at = stop
