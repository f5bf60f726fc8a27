"""Certificates in files."""

import os
import time
from types import SimpleNamespace

import pytest

from puretls.ca import DevelopmentCa


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Paths: ca, cert and key of the server (for localhost), client_cert and client_key, rsa_cert and rsa_key,
    other_ca, garbage and garbage_der."""
    folder = tmp_path_factory.mktemp("pki")
    authority = DevelopmentCa.create(os.urandom, time.time())
    made = SimpleNamespace(folder=folder, authority=authority)

    def keep(name, text):
        path = folder / f"{name}.pem"
        path.write_text(text)
        setattr(made, name, str(path))

    keep("ca", authority.root_pem)
    names = ["localhost", "127.0.0.1", "::1"]
    for prefix, kind, usage in (("", "secp256r1", "server"), ("client_", "secp256r1", "client"), ("rsa_", "rsa2048", "server")):
        issued = authority.issue(names, kind, usage=usage)
        keep(prefix + "cert", issued.chain_pem)
        keep(prefix + "key", issued.key_pem)
    keep("other_ca", DevelopmentCa.create(os.urandom, time.time(), organization="somebody else").root_pem)
    keep("garbage", "-----BEGIN CERTIFICATE-----\nnot base64 at all!\n-----END CERTIFICATE-----\n")
    keep("garbage_der", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    return made
