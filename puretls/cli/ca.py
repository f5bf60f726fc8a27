"""`puretls ca`: a development certificate authority in a directory, and certificates from it."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.cli import ranges
from puretls.errors import DecodeError, UsageError

if TYPE_CHECKING:
    from puretls.ca import Authority, DevelopmentCa

ROOT, INTERMEDIATE = "ca", "intermediate"
ALIASES = {"p-256": "secp256r1", "p-384": "secp384r1", "p-521": "secp521r1", "rsa": "rsa2048"}


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser(
        "ca",
        help="make a development CA and certificates for names, addresses and people",
        description="Make a root and an intermediate CA in a directory, or go on with those that are there, and issue a certificate "
        "for the names given: DNS names, wildcards too, IP addresses, mail addresses. For development only: keys are not encrypted.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of one certificate; without any only the CA is made")
    parser.add_argument("--out", metavar="DIR", default="ca", help="directory of the CA and what it issues (%(default)s)")
    parser.add_argument(
        "--key", metavar="KIND", default="P-256", help="P-256, P-384, P-521, Ed25519, Ed448, RSA2048, ... (%(default)s)"
    )
    parser.add_argument(
        "--usage", choices=("server", "client", "both", "ocsp"), help="purpose (server; client for mail addresses)"
    )
    parser.add_argument("--days", metavar="N", type=ranges.DAYS, help="how long the certificate is valid (397)")
    parser.add_argument("--no-intermediate", action="store_true", help="let a new root issue certificates itself")
    parser.add_argument("--must-staple", action="store_true", help="demand a stapled OCSP response (RFC 7633)")


def run(arguments: argparse.Namespace) -> int:
    """Make the CA where there is none, and the certificate."""
    from puretls.net.folder_lock import alone

    folder = Path(arguments.out)
    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with alone(folder):  # else two of them make two authorities in one folder
            return _issue(folder, arguments)
    finally:
        if fresh:
            with suppress(OSError):
                folder.rmdir()  # nothing was put into it


def _issue(folder: Path, arguments: argparse.Namespace) -> int:
    from puretls.ca import LEAF_DAYS
    from puretls.net.secret_files import write_secret
    from puretls.x509 import drafts

    kind = ALIASES.get(arguments.key.lower(), arguments.key.lower())
    days = LEAF_DAYS if arguments.days is None else arguments.days
    authority, fresh = _authority(folder, kind, intermediate=not arguments.no_intermediate)
    if not arguments.names:
        _keep(folder, authority, fresh=fresh)
        return 0
    usage = arguments.usage or ("client" if "@" in arguments.names[0] else "server")
    extensions = (drafts.must_staple(),) if arguments.must_staple else ()
    stem = file_stem(arguments.names[0])
    if stem in (ROOT, INTERMEDIATE):
        raise UsageError(f"a certificate called {stem!r} would replace that of the authority: put another name first")
    issued = authority.issue(arguments.names, kind, usage=usage, days=days, extensions=extensions)
    _keep(folder, authority, fresh=fresh)
    certificate, key = folder / f"{stem}.pem", folder / f"{stem}.key"
    write_secret(key, issued.key_pem)
    certificate.write_text(issued.chain_pem)
    print(f"{certificate}  certificate for {', '.join(arguments.names)}, with its chain")
    print(f"{key}  its private key")
    _hint(usage, folder, certificate, key, arguments.names[0])
    return 0


def _authority(folder: Path, kind: str, *, intermediate: bool) -> tuple[DevelopmentCa, bool]:
    """The CA in the directory, or a new one where there is none; and whether it is new. Nothing is written yet."""
    from puretls.ca import DevelopmentCa

    if (folder / f"{ROOT}.pem").exists():
        root, below = _load(folder, ROOT), None
        if (folder / f"{INTERMEDIATE}.pem").exists():
            below = _load(folder, INTERMEDIATE)
        return DevelopmentCa.load(root, below, os.urandom, time.time()), False
    return DevelopmentCa.create(os.urandom, time.time(), kind, intermediate=intermediate), True


def _keep(folder: Path, made: DevelopmentCa, *, fresh: bool) -> None:
    """Write a CA that is new; only after everything that was asked for could be made."""
    if not fresh:
        return
    from puretls.net.secret_files import write_secret

    for name, one in ((ROOT, made.root), (INTERMEDIATE, made.intermediate)):
        if one is not None:
            write_secret(folder / f"{name}.key", one.key_pem)
            (folder / f"{name}.pem").write_text(one.pem)
    print(f"{folder / ROOT}.pem  root certificate: what clients trust")


def _load(folder: Path, name: str) -> Authority:
    from puretls.ca import Authority
    from puretls.x509.keys import parse_private_key
    from puretls.x509.pem import load_certificates

    path = folder / f"{name}.pem"
    try:
        certificate = load_certificates(path.read_bytes())[0]
        path = folder / f"{name}.key"
        return Authority.load(certificate, parse_private_key(path.read_bytes()))
    except (DecodeError, UsageError) as error:
        raise UsageError(f"{path}: {error}") from None


def file_stem(name: str) -> str:
    """A name as part of a file's name: whatever is not plain becomes "_"."""
    return "".join(c if c.isalnum() or c in "-.@" else "_" for c in name).lstrip(".") or "_"


def _hint(usage: str, folder: Path, certificate: Path, key: Path, name: str) -> None:
    if usage == "server":
        print(f"\nserve with it:  puretls serve --port 8443 --cert {certificate} --key {key} --http")
        print(f"connect to it:  puretls connect 127.0.0.1:8443 --ca {folder / ROOT}.pem --servername {name.replace('*', 'www')}")
    elif usage == "client":
        print(f"\nask for it:     puretls serve ... --client-ca {folder / ROOT}.pem --require-client-cert")
        print(f"present it:     puretls connect HOST:PORT ... --cert {certificate} --key {key}")
