"""`puretls list`: what there is, and what is used unless told otherwise."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

Table = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser("list", help="list suites, groups, signature algorithms or extensions", description=__doc__)
    parser.add_argument("what", choices=list(_TABLES))


def run(arguments: argparse.Namespace) -> int:
    """Print one table."""
    from puretls.cli.output import table

    table(*_TABLES[arguments.what]())
    return 0


def _suites() -> Table:
    from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES, SUITES

    def use(suite: Any) -> str:
        if suite in DEFAULT_SUITES:
            return "default"
        if suite in DEFAULT_PSK_SUITES:
            return "with --psk"
        return "danger" if suite.danger else "when named"

    rows = [(f"{suite.id:04x}", suite.name, suite.openssl_name, use(suite), suite.rfc) for suite in SUITES]
    return ("id", "name", "OpenSSL's name", "used", "source"), rows


def _groups() -> Table:
    from puretls.config import ClientConfig
    from puretls.crypto.provider import default
    from puretls.errors import UsageError
    from puretls.iana import NamedGroup

    provider, used = default(), ClientConfig().groups
    openssl = {"SECP256R1": "P-256, prime256v1", "SECP384R1": "P-384", "SECP521R1": "P-521", "X25519": "X25519", "X448": "X448"}
    rows = []
    for group in NamedGroup:
        try:
            name = provider.group(group.name.lower()).name
        except UsageError:
            continue
        rows.append((f"{group:04x}", name, openssl.get(group.name, name), "default" if group in used else "when named"))
    return ("id", "name", "OpenSSL's name", "used"), rows


def _signature_schemes() -> Table:
    from puretls.config import ClientConfig
    from puretls.crypto.signatures import SIGNATURE_SCHEMES
    from puretls.iana import SignatureScheme

    used = ClientConfig().signature_schemes
    rows = []
    for number, algorithm in SIGNATURE_SCHEMES.items():
        scheme = SignatureScheme(number)
        kind = algorithm.kind.value + (f" with {algorithm.hash.upper()}" if algorithm.hash else "")
        rows.append((f"{scheme:04x}", scheme.name.lower(), kind, "default" if scheme in used else "when named"))
    return ("id", "name", "algorithm", "used"), rows


def _extensions() -> Table:
    from puretls.extensions import ORDER
    from puretls.iana import ExtensionType

    rows = [
        (f"{cls.type:04x}", ExtensionType(cls.type).name.lower(), f"puretls.extensions.{cls.__name__}", cls.rfc) for cls in ORDER
    ]
    return ("id", "name", "class", "source"), rows


_TABLES = {"suites": _suites, "groups": _groups, "sigalgs": _signature_schemes, "extensions": _extensions}
