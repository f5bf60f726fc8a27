"""What a context trusts."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from puretls.crypto.provider import default
from puretls.errors import DecodeError
from puretls.ssl.errors import failure
from puretls.x509.path.anchors import scan_anchors
from puretls.x509.path.trust import TrustStore
from puretls.x509.reports.report import Report
from puretls.x509.verifier import ChainRequest, chain_verifier


def default_paths() -> tuple[str, str, str, str]:
    """Names of the variables and paths of the file and the directory that are trusted by default."""
    return "SSL_CERT_FILE", "/etc/ssl/cert.pem", "SSL_CERT_DIR", "/etc/ssl/certs"


class Trust:
    """Certificates, lists of revoked ones, and directories, of one context."""

    def __init__(self) -> None:
        self._store = TrustStore()

    def load(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        if cafile is not None:
            with open(cafile, "rb") as file:
                self._take(file.read(), "X509")
        if cadata is not None:
            self._take(cadata if isinstance(cadata, str) else bytes(cadata), "X509")

    def _take(self, data: str | bytes, library: str) -> None:
        before = len(self._store)
        try:
            self._store.take(scan_anchors(data))
        except DecodeError as error:
            raise failure("NO_CERTIFICATE_OR_CRL_FOUND", str(error), library=library) from None
        if len(self._store) == before:
            raise failure("NO_CERTIFICATE_OR_CRL_FOUND", library=library)

    def load_defaults(self) -> None:
        name = os.environ.get("SSL_CERT_FILE")
        if name:
            self.load(name)

    def stats(self) -> dict[str, int]:
        return {"x509": len(self._store), "x509_ca": len(self._store), "crl": 0}

    def authorities(self, binary: bool) -> list[Any]:
        from puretls.ssl.certificates import as_dict

        return [each.raw if binary else as_dict(each) for each in self._store]

    def verify(self, request: ChainRequest, name: str | None, flags: int, host_flags: int) -> Report:
        """`name`: what the certificate must be for, or None. `flags`: VERIFY_..., `host_flags`: HOSTFLAG_..."""
        verifier = chain_verifier([self._store], provider=default())
        return verifier(replace(request, server_name=name))

    def code(self, report: Any, name: str | None) -> tuple[int, str]:
        """X509_V_ERR_... of a report that refuses, and OpenSSL's words."""
        kind = report.findings[0].id
        if kind == "wrong-host":
            return 62, f"Hostname mismatch, certificate is not valid for '{name}'."
        if kind == "self-signed":
            return 18, "self-signed certificate"
        return 20, "unable to get local issuer certificate"
