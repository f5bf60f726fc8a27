"""`puretls x509`: show certificates and what else is DER, byte by byte if wanted; verify chains; run suites of chains."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from puretls.errors import DecodeError, UsageError

if TYPE_CHECKING:
    from puretls.spans import Span
    from puretls.x509.revocation import Revocation

T = TypeVar("T")


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser("x509", help="show and verify certificates", description=__doc__)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_show(actions)
    _add_verify(actions)
    limbo = actions.add_parser("limbo", help="run a document of test cases in the format of x509-limbo, print its results")
    limbo.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="JSON, also compressed (.gz); standard input if left out"
    )
    limbo.add_argument(
        "--profile", choices=("default", "strict", "webpki"), help="instead of webpki for webpki::*, strict for others"
    )
    limbo.set_defaults(action=_limbo)
    rules = actions.add_parser(
        "rules", help="list the rules of verification, by the names that --without and --danger-without take"
    )
    rules.set_defaults(action=_rules)


def _add_show(actions: Any) -> None:
    show = actions.add_parser("show", help="explain certificates, CRLs, OCSP responses, keys, PKCS#12 files")
    show.add_argument("file", metavar="FILE", help="PEM or DER; - for standard input")
    show.add_argument("--bytes", action="store_true", help="explain every byte")
    show.add_argument("--password", metavar="TEXT", help="of an encrypted key or a PKCS#12 file")
    show.set_defaults(action=_show)


def _add_verify(actions: Any) -> None:
    verify = actions.add_parser("verify", help="verify a chain: the first certificate, helped by the others in the files")
    verify.add_argument("files", nargs="+", metavar="FILE", help="PEM or DER; the first certificate is the one in question")
    verify.add_argument("--host", metavar="NAME", help="DNS name or IP address that the certificate must have")
    verify.add_argument(
        "--ca", metavar="FILE", action="append", default=[], help="trust these instead of the system's; repeatable"
    )
    verify.add_argument("--at", metavar="TIME", help="as 2026-01-31, 2026-01-31T12:00:00Z or seconds since 1970; now if left out")
    verify.add_argument(
        "--purpose", choices=("server", "client"), default="server", help="what the certificate is for (%(default)s)"
    )
    verify.add_argument(
        "--profile", choices=("default", "strict", "webpki"), default="default", help="set of rules (%(default)s)"
    )
    verify.add_argument(
        "--without", metavar="RULE", action="append", default=[], help="drop a rule that only stricter profiles have; repeatable"
    )
    verify.add_argument(
        "--danger-without",
        metavar="RULE",
        action="append",
        default=[],
        help="drop a rule that keeps connections safe; repeatable",
    )
    verify.add_argument(
        "--crl", metavar="FILE", action="append", default=[], help="CRL; the certificate must be known to be good"
    )
    verify.add_argument("--ocsp", metavar="FILE", help="OCSP response (DER) for the certificate, as if stapled; likewise")
    verify.add_argument("--explain", action="store_true", help="tell everything: path, findings, bytes, what mends them")
    verify.set_defaults(action=_verify)


def run(arguments: argparse.Namespace) -> int:
    """Runs the sub-command of `puretls x509`."""
    status: int = arguments.action(arguments)
    return status


def read_file(path: str) -> bytes:
    """A file, or standard input for "-"."""
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def load(path: str, parse: Callable[[bytes], T]) -> T:
    """The parsed content of a file; errors name the file."""
    data = read_file(path)
    try:
        return parse(data)
    except (DecodeError, UsageError) as error:
        raise UsageError(f"{path}: {error}") from None


def parse_time(text: str | None) -> float:
    """Seconds since 1970 of a date, a date and time (UTC where no zone is given), or such a number; now for None."""
    from datetime import UTC, datetime

    if text is None:
        return time.time()
    if text.isascii() and text.isdigit() and len(text) > 4:
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at takes a time such as 2026-01-31T12:00:00Z, not {text!r:.50}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _verify(arguments: argparse.Namespace) -> int:
    from puretls.cli.options import load_anchors
    from puretls.crypto.provider import default
    from puretls.roots import system_store
    from puretls.x509.pem import load_certificates
    from puretls.x509.verifier import ChainRequest, chain_verifier

    chain = tuple(der for path in arguments.files for der in load(path, load_certificates))
    anchors = [load_anchors(path) for path in arguments.ca] or [system_store()]
    verifier = chain_verifier(
        anchors,
        provider=default(),
        profile=arguments.profile,
        without=_harmless(_known(arguments.without)),
        danger_without=_known(arguments.danger_without),
        revocation=_revocation(arguments),
    )
    stapled = read_file(arguments.ocsp) if arguments.ocsp else None
    report = verifier(ChainRequest(chain, arguments.purpose, arguments.host, parse_time(arguments.at), ocsp_response=stapled))
    if arguments.explain:
        print(report.explain())
    elif report.accepted:
        print(report)
    if not report.accepted:
        print(f"puretls: {report}", file=sys.stderr)
    return 0 if report.accepted else 1


def _known(names: list[str]) -> list[str]:
    """Names of rules. Raises `UsageError` for an unknown one, with the name that was perhaps meant."""
    from difflib import get_close_matches

    from puretls.x509.reports.rules import RULES

    for name in names:
        if name not in RULES:
            near = get_close_matches(name, RULES, 1)
            raise UsageError(f"no rule is called {name!r:.60}{f', but {near[0]!r} is' if near else ''}; see: puretls x509 rules")
    return names


def _harmless(names: list[str]) -> list[str]:
    from puretls.x509.reports.rules import DEFAULT, profile

    for name in names:
        if name in profile(DEFAULT):
            raise UsageError(f"the rule {name!r} keeps connections safe: --danger-without switches it off")
    return names


def _revocation(arguments: argparse.Namespace) -> Revocation | None:
    from puretls.x509.crl import Crl
    from puretls.x509.pem import load_blocks
    from puretls.x509.revocation import LEAF, Revocation

    def crls(data: bytes) -> list[Crl]:
        return [Crl.parse(der) for der in load_blocks(data, "X509 CRL")]

    if not arguments.crl and not arguments.ocsp:
        return None
    return Revocation(LEAF, crls=tuple(crl for path in arguments.crl for crl in load(path, crls)))


def _show(arguments: argparse.Namespace) -> int:
    from puretls.x509.show import show

    print(load(arguments.file, lambda data: show(data, arguments.password, every_byte=_dump if arguments.bytes else None)))
    return 0


def _dump(data: bytes, spans: tuple[Span, ...]) -> Iterable[str]:
    """The annotated hexdump, with what each field is."""
    from puretls.cli.output import columns, palette
    from puretls.inspect.render.hexdump import hexdump, of_spans

    return hexdump(of_spans(data, spans, _words), columns(), palette())


def _words(span: Span) -> str:
    """A field by what it is, a tag by what it stands in front of; a length needs no words."""
    from puretls.inspect.texts import explain_path

    above, _, last = span.path.rpartition(".")
    if last == "length":
        return ""
    text = explain_path(_in_message(above if last == "tag" else span.path))
    return f"{text.meaning} ({text.rfc})" if text else f"({span.note})"


def _in_message(path: str) -> str:
    """The path that a field of a certificate has in a Certificate message."""
    root, dot, below = path.partition(".")
    return f"{root}.certificate_list[0].{below or 'certificate'}" if root == "Certificate" else f"{root}{dot}{below}"


def _rules(_arguments: argparse.Namespace) -> int:
    from puretls.cli.output import table
    from puretls.x509.reports.rules import TABLE

    order = ("default", "strict", "webpki")
    rows = [(rule.id, ", ".join(name for name in order if name in rule.profiles), rule.section, rule.sentence) for rule in TABLE]
    table(("rule", "profiles", "source", "what it demands"), rows)
    return 0


def _limbo(arguments: argparse.Namespace) -> int:
    import gzip
    import json

    from puretls.cli import limbo
    from puretls.crypto.provider import default

    data = read_file(arguments.file)
    try:
        document = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
        results = limbo.run(document, default(), time.time(), arguments.profile)
    except (ValueError, KeyError, TypeError, EOFError, OSError) as error:
        raise UsageError(f"{arguments.file}: not a document in the format of x509-limbo ({type(error).__name__})") from None
    json.dump(results, sys.stdout, indent=1)
    print()
    return 0
