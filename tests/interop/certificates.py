"""Certificates of every type, made once a run, as credentials for puretls and as files for the others."""

import os
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from puretls import Credential
from puretls.ca import DevelopmentCa
from puretls.crypto.provider import default
from puretls.x509.keys import spki_bytes
from puretls.x509.pem import write_pem
from puretls.x509.verifier import chain_verifier

KINDS = ("rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448")
_CA_KIND = {"p256": "secp256r1", "p384": "secp384r1", "p521": "secp521r1", "rsa": "rsa2048"}
SERVER, CLIENT = "server.test", "client.test"


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key: `credential` for puretls, `chain` and `key` (paths) for the others."""

    issued: object
    folder: Path
    name: str

    @cached_property
    def credential(self):
        return Credential(self.issued.chain, self.issued.key)

    @cached_property
    def chain(self):
        return self._write("pem", self.issued.chain_pem)

    @cached_property
    def above(self):
        """The chain without the leaf."""
        return self._write("above.pem", "".join(write_pem("CERTIFICATE", der) for der in self.issued.chain[1:]))

    @cached_property
    def key(self):
        return self._write("key", self.issued.key_pem)

    def _write(self, suffix, text):
        path = self.folder / f"{self.name}.{suffix}"
        path.write_text(text)
        return path

    @property
    def s_server(self):
        """Options for `openssl s_server` or `s_client`."""
        return ("-cert", self.chain, "-key", self.key, "-cert_chain", self.above)

    @property
    def gnutls(self):
        """Options for `gnutls-serv` or `gnutls-cli`."""
        return (f"--x509certfile={self.chain}", f"--x509keyfile={self.key}")


class Certificates:
    """A CA and its leaves; keys are made when first asked for."""

    def __init__(self, folder, organization="puretls interop"):
        self.folder = folder
        self.ca = DevelopmentCa.create(os.urandom, time.time(), organization=organization)
        self.root = folder / "root.pem"
        self.root.write_text(self.ca.root.pem)
        self._leaves = {}

    @cached_property
    def verifier(self):
        """Trusts this CA and nothing else."""
        return chain_verifier([self.ca.root.certificate], provider=default())

    @cached_property
    def _rsa(self):
        return self.ca.issue([SERVER, "127.0.0.1", "localhost"], "rsa2048", usage="both")

    def leaf(self, kind, name=SERVER):
        """The leaf of this kind; server and client use the same RSA key, which takes a second to make."""
        if (kind, name) not in self._leaves:
            self._leaves[kind, name] = Leaf(self._issue(kind, name), self.folder, f"{kind}-{name}")
        return self._leaves[kind, name]

    def _issue(self, kind, name):
        names = [name, "127.0.0.1", "localhost"]
        if kind not in {"rsa", "pss"}:
            return self.ca.issue(names, _CA_KIND.get(kind, kind), usage="both")
        key, draft = self._rsa.key, self.ca.issue(names, usage="both").draft
        if kind == "pss":
            key = replace(key, public=replace(key.public, pss_only=True))
        template = replace(self._rsa.draft, subject=draft.subject, serial=draft.serial, spki=spki_bytes(key.public))
        return self.ca.issued(template, key)
