"""`puretls list`: what there is, and what is used unless told otherwise."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from puretls.errors import UsageError

Table = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser("list", help="list suites, groups, signature algorithms or extensions", description=__doc__)
    parser.add_argument("what", choices=list(_TABLES))
    parser.add_argument(
        "--ciphers",
        metavar="LIST",
        help="of the suites, those that this list means, in its order; it is read as OpenSSL reads cipher strings (ciphers(1))",
    )
    parser.add_argument(
        "--danger-suites",
        action="store_true",
        help="read the list as connect and serve do with this switch: words such as kRSA or ALL then mean suites with RC4 and NULL, too",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print one table."""
    from puretls.cli.output import table

    if arguments.what == "suites":
        table(*_suites(arguments.ciphers, danger=arguments.danger_suites))
        return 0
    if arguments.ciphers is not None or arguments.danger_suites:
        raise UsageError(f"--ciphers and --danger-suites say which suites to list, not which {arguments.what}")
    table(*_TABLES[arguments.what]())
    return 0


def _suites(ciphers: str | None = None, *, danger: bool = False) -> Table:
    from puretls import algorithm_names
    from puretls.cli import hint
    from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES, SUITES

    def use(suite: Any) -> str:
        if suite in DEFAULT_SUITES:
            return "default"
        if suite in DEFAULT_PSK_SUITES:
            return "with --psk"
        return "danger" if suite.danger else "when named"

    with hint("without --ciphers, this command lists all there are", algorithm_names.UnknownName):
        listed = SUITES if ciphers is None else algorithm_names.suites(ciphers, danger=danger)
    rows = [(f"{suite.id:04x}", suite.name, suite.openssl_name, use(suite), suite.rfc) for suite in listed]
    return ("id", "name", "OpenSSL's name", "used", "source"), rows


def _groups() -> Table:
    from puretls.config import ClientConfig
    from puretls.crypto.provider import default
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


_TABLES: dict[str, Callable[[], Table]] = {
    "suites": _suites,
    "groups": _groups,
    "sigalgs": _signature_schemes,
    "extensions": _extensions,
}
