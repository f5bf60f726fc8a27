"""`puretls inspect`: every byte of a connection explained: of a capture, of a tape, or of a handshake with a server now."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.cli import ranges
from puretls.cli.output import STANDARD, add_force, check_out
from puretls.errors import UsageError
from puretls.text import printable

if TYPE_CHECKING:
    from puretls.cli.sources import Source
    from puretls.config import ClientConfig
    from puretls.inspect import Conversation, Knowledge, Leaf

_EPILOG = (
    "Without an option: what was agreed on, the messages with the states of both ends, and what went wrong. A PATH is that of the byte "
    "map, or a part of it between dots: client.ClientHello.random, Finished, record[3]; * stands for anything: *_suite*. "
    "--offset takes N, client:N or server:N, with :plaintext behind it for what was decrypted."
)


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser(
        "inspect", help="explain every byte of a connection, live or captured", description=__doc__, epilog=_EPILOG
    )
    parser.add_argument(
        "source", metavar="HOST:PORT|FILE", help="a server, a capture (pcap, pcapng), or a tape; - for a file on standard input"
    )
    _add_choice(parser)
    _add_views(parser)
    _add_live(parser)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    several: dict[str, Any] = {"metavar": "FILE", "action": "append", "default": []}
    parser.add_argument("--keylog", help="secrets in NSS format (SSLKEYLOGFILE); repeatable", **several)
    parser.add_argument("--rsa-key", help="a server's private RSA key; opens connections without forward secrecy", **several)
    parser.add_argument("--password", metavar="TEXT", help="of each encrypted --rsa-key")
    parser.add_argument("--list", action="store_true", help="list the connections")
    parser.add_argument(
        "--connection", metavar="N|ADDR|NAME", default="", help="which connection: its number, an address, or the server's name"
    )


def _add_views(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bytes", action="store_true", help="print every byte with its field and value")
    parser.add_argument(
        "--grep", metavar="PATH", action="append", default=[], help="print the fields of a path and what they mean"
    )
    parser.add_argument("--offset", metavar="[SIDE:]N", action="append", default=[], help="tell everything about one byte")
    for name, (what, _) in _FILES.items():
        parser.add_argument(f"--{name}", metavar="FILE", help=what)
    for name, (what, _) in _DIAGRAMS.items():
        parser.add_argument(f"--{name}", action="store_true", help=what)
    add_force(parser, "overwrite files that are there")
    parser.add_argument(
        "--without-secrets", action="store_true", help="write files that can be passed on: what somebody on the wire sees"
    )


def _add_live(parser: argparse.ArgumentParser) -> None:
    live = parser.add_argument_group("for a server")
    live.add_argument("--ca", metavar="FILE", help="certificates to trust (PEM) instead of the system's")
    live.add_argument("--servername", metavar="NAME", help="name to ask for and to verify, instead of HOST")
    live.add_argument("--ciphers", metavar="LIST", help="suites to offer: IANA's or OpenSSL's names")
    live.add_argument("--alpn", metavar="LIST", help="application protocols to offer, such as h2,http/1.1")
    live.add_argument(
        "--timeout", type=ranges.SECONDS, default=20.0, metavar="SECONDS", help="to connect, and to shake hands (%(default)s)"
    )
    live.add_argument("--danger-no-verify", action="store_true", help="accept any certificate, an impostor's too")


def run(arguments: argparse.Namespace) -> int:
    """Shows what was asked for. Exit status 1 where a live handshake failed; 2 where there is no TLS 1.2, or less than there should be."""
    from puretls.cli.sources import open_source

    _check(arguments)
    knowledge = _knowledge(arguments)
    source = open_source(
        arguments.source, lambda: _config(arguments), server_name=arguments.servername, timeout=arguments.timeout
    )
    status = 2 if source.damaged else 0
    if arguments.list or (len(source.connections) > 1 and not arguments.connection and not _wants_one(arguments)):
        _print_list(source, arguments)
        if arguments.pcapng is not None:
            _write("pcapng", arguments.pcapng, source.conversations(knowledge), arguments)
        _say(source.notes)
        return status
    listed, conversation = source.conversation(arguments.connection, knowledge)
    _show(source, conversation, arguments)
    problems = list(_problems(conversation, arguments))
    _say((*source.notes, *listed.notes, *problems))
    if source.error is not None:
        raise source.error
    return 2 if problems else status


def _print_list(source: Source, arguments: argparse.Namespace) -> None:
    from puretls.cli.sources import listing
    from puretls.cli.tapes import width

    print("\n".join(listing(source, width())))
    if not arguments.list and arguments.pcapng is None:
        _say(["several connections: --connection chooses one by its number, address or server name"])


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"puretls: {printable(line)}", file=sys.stderr)


# What is known


def _knowledge(arguments: argparse.Namespace) -> Knowledge:
    from puretls.cli.sources import as_text
    from puretls.inspect import Knowledge

    known = Knowledge.of(rsa_keys=[_rsa_key(path, arguments.password) for path in arguments.rsa_key])
    for path in arguments.keylog:
        log = Knowledge.of(as_text(Path(path).read_bytes()))
        if not log.masters:
            raise UsageError(f"{path}: holds no secret of TLS 1.2: no line begins with CLIENT_RANDOM and is whole")
        known = known | log
    return known


def _rsa_key(path: str, password: str | None) -> Any:
    from puretls.cli.x509 import load
    from puretls.inspect import Knowledge
    from puretls.x509.keys import parse_private_key

    def parse(data: bytes) -> Any:
        key = parse_private_key(data, password)
        Knowledge.of(rsa_keys=[key])
        return key

    return load(path, parse)


def _config(arguments: argparse.Namespace) -> ClientConfig:
    from puretls import algorithm_names
    from puretls.cli.options import server_verifier
    from puretls.config import ClientConfig
    from puretls.extensions import Alpn

    chosen: dict[str, Any] = {"suites": algorithm_names.suites(arguments.ciphers)} if arguments.ciphers else {}
    if arguments.alpn:
        chosen["extensions"] = (Alpn(*algorithm_names.split_list(arguments.alpn)),)
    return ClientConfig(verifier=server_verifier(arguments), **chosen)


def _problems(conversation: Conversation, arguments: argparse.Namespace) -> Iterator[str]:
    """Why there is less to see than was asked for."""
    outcome = conversation.outcome
    if outcome.kind in {"not TLS 1.2", "not TLS", "nothing"}:
        yield outcome.sentence
    elif (arguments.keylog or arguments.rsa_key) and not _is_open(conversation):
        for handshake in conversation.handshakes[:1]:
            yield f"what was given does not open this connection: {handshake.told if handshake.found else handshake.missing}"


def _is_open(conversation: Conversation) -> bool:
    """Whether a secret is known that fits, or nothing was protected."""
    protected = any(record.epoch for record in conversation.records)
    return any(handshake.is_open for handshake in conversation.handshakes) or not protected


# What is shown


def _wants_one(arguments: argparse.Namespace) -> bool:
    """Whether an option is about one connection; a capture can hold them all."""
    files = _named(arguments).keys() - {"pcapng"}
    return bool(arguments.bytes or arguments.grep or arguments.offset or files or _drawn(arguments))


def _drawn(arguments: argparse.Namespace) -> list[str]:
    """The diagrams to print, by option."""
    return [name for name in _DIAGRAMS if getattr(arguments, name)]


def _named(arguments: argparse.Namespace) -> dict[str, str]:
    """The files to write, by option."""
    return {name: path for name in _FILES if (path := getattr(arguments, name)) is not None}


def _show(source: Source, conversation: Conversation, arguments: argparse.Namespace) -> None:
    from puretls.cli.output import palette
    from puretls.cli.tapes import width
    from puretls.inspect.forensics import examine
    from puretls.inspect.render import terminal

    look = width(), palette()
    asked = list(_asked(conversation, arguments, *look))
    if not asked and not _named(arguments):
        found = examine(conversation, source.error, "client" if source.error else "")
        asked = [terminal.overview(conversation, *look, findings=found)]
    for number, lines in enumerate(asked):
        if number:
            print()
        for line in lines:
            print(line)
    for name, path in _named(arguments).items():
        _write(name, path, [conversation], arguments)


def _asked(conversation: Conversation, arguments: argparse.Namespace, *look: Any) -> Iterator[Iterator[str] | list[str]]:
    """What goes to standard output, one part after the other."""
    from puretls.inspect.render import terminal
    from puretls.inspect.streams import SIDES

    if arguments.bytes:
        yield terminal.dump(conversation, [leaf for side in SIDES for leaf in conversation.byte_map.wire(side)], *look)
        opened = [leaf for side in SIDES for leaf in conversation.byte_map.plain(side) if leaf.key]
        if opened:
            yield terminal.dump(conversation, opened, *look)
    for path in arguments.grep:
        yield terminal.dump(conversation, _found(conversation, path), *look, meanings=True)
    for place in arguments.offset:
        for leaf, offset in _at(conversation, place):
            yield terminal.card(conversation, leaf, offset, *look)
    for name in _drawn(arguments):
        yield _DIAGRAMS[name][1](conversation).splitlines()


def _found(conversation: Conversation, path: str) -> list[Leaf]:
    """The leaves of a path, on the wire where they are there, else decrypted. Raises `UsageError` where there is none."""
    from puretls.inspect.streams import SIDES

    byte_map = conversation.byte_map
    every = [leaf for side in SIDES for leaf in (*byte_map.wire(side), *(one for one in byte_map.plain(side) if one.key))]
    below = re.compile(rf"(?:.*\.)?{_pattern(path)}(?:[.\[].*)?", re.IGNORECASE)
    found = [leaf for leaf in every if below.fullmatch(leaf.path)]
    if not found:
        raise UsageError(f"no field is {path!r}{_near(path, [leaf.path for leaf in every])}")
    return found


def _pattern(path: str) -> str:
    return ".*".join(re.escape(part) for part in path.split("*"))


def _near(path: str, paths: list[str]) -> str:
    """The paths that were perhaps meant: those that hold its last name, else those that are spelled nearly so."""
    from difflib import get_close_matches

    last = path.rpartition(".")[2].lower()
    near = [each for each in paths if last and last in each.lower()][:3] or get_close_matches(path, paths, 3)
    return f"; did you mean {' or '.join(near)}?" if near else "; --bytes lists all"


def _at(conversation: Conversation, place: str) -> list[tuple[Leaf, int]]:
    """The leaves at an offset: of the side that was named, or of both. Raises `UsageError` where no byte is."""
    from puretls.inspect.bytemap import PLAINTEXT, WIRE
    from puretls.inspect.streams import SIDES

    found = re.fullmatch(r"(?:(client|server):)?(\d{1,12})(?::(wire|plaintext))?", place)
    if found is None:
        raise UsageError(f"--offset takes N, client:N or server:N, such as server:46 or server:46:plaintext, not {place[:40]!r}")
    sides, offset, view = [found[1]] if found[1] else list(SIDES), int(found[2]), PLAINTEXT if found[3] == PLAINTEXT else WIRE
    leaves = [(leaf, offset) for side in sides if (leaf := conversation.byte_map.at(side, offset, view)) is not None]
    if not leaves:
        ends = [(side, max((leaf.end for leaf in conversation.byte_map.leaves(side, view)), default=0)) for side in sides]
        raise UsageError(f"no byte is at {offset}: " + ", ".join(f"the {side} sent {end}" for side, end in ends))
    return leaves


# Files


def _pcapng(*conversations: Conversation, secrets: bool) -> bytes:
    from io import BytesIO

    from puretls.inspect import write_capture

    out = BytesIO()
    write_capture(out, *conversations, without_secrets=not secrets)
    return out.getvalue()


def _ledger(conversation: Conversation, *, secrets: bool) -> bytes:
    if not secrets:
        raise UsageError("a ledger without secrets holds nothing: leave out --without-secrets")
    return conversation.ledger.script().encode()


def _keys(conversation: Conversation, *, secrets: bool) -> bytes:
    if not secrets:
        raise UsageError("a key log without secrets holds nothing: leave out --without-secrets")
    if not (log := conversation.key_log()):
        raise UsageError("no secret of this connection is known, so there is no key log of it")
    return log.encode()


def _json(conversation: Conversation, *, secrets: bool) -> bytes:
    from puretls.inspect.render import document

    return document.dumps(conversation, secrets=secrets).encode()


def _html(conversation: Conversation, *, secrets: bool) -> bytes:
    from puretls.inspect.render.page import page

    return page(conversation, secrets=secrets).encode()


def _mermaid(conversation: Conversation) -> str:
    from puretls.inspect.render.diagrams import mermaid

    return mermaid(conversation)


def _dot(conversation: Conversation) -> str:
    from puretls.inspect.render.diagrams import dot

    return dot(conversation)


_FILES: dict[str, tuple[str, Callable[..., bytes]]] = {
    "html": ("write one page for a browser, in which every byte can be clicked; it needs no network", _html),
    "json": ("write all of it as JSON, from which this command reads it again", _json),
    "pcapng": ("write a capture that Wireshark opens decrypted; of all connections where none is chosen", _pcapng),
    "keys": ("write the secrets as a key log (NSS format), as Wireshark and --keylog take it", _keys),
    "ledger": ("write a Python program that computes every key and secret again", _ledger),
}
"""Option -> what it writes, and how it is made."""
_DIAGRAMS: dict[str, tuple[str, Callable[[Conversation], str]]] = {
    "mermaid": ("print the messages and states as a sequence diagram of Mermaid", _mermaid),
    "dot": ("print the way of both ends through their states for Graphviz", _dot),
}
"""Option -> what it prints, and how it is made."""


def _check(arguments: argparse.Namespace) -> None:
    """Nothing is overwritten silently, no option is without effect, and that is known before any work is done."""
    from puretls.cli.sources import is_file

    if arguments.list and _wants_one(arguments):
        raise UsageError("--list shows all connections; leave it out where other options show one of them (--pcapng writes all)")
    given = [name for name in ("ca", "servername", "ciphers", "alpn", "danger_no_verify") if getattr(arguments, name)]
    if given and is_file(arguments.source):
        raise UsageError(f"--{given[0].replace('_', '-')} is for a server that is asked now, and {arguments.source} is a file")
    inputs = (arguments.source, *arguments.keylog, *arguments.rsa_key)
    check_out(*_named(arguments).values(), force=arguments.force, inputs=inputs, dash=True)


def _write(name: str, path: str, conversations: Iterable[Conversation], arguments: argparse.Namespace) -> None:
    from puretls.net.secret_files import write_secret

    secrets = not arguments.without_secrets
    data = _FILES[name][1](*conversations, secrets=secrets)
    if path == STANDARD:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    if secrets:
        write_secret(path, data)
        _say([f"{path}: readable by you alone: it may hold keys and what was said (--without-secrets leaves them out)"])
    else:
        Path(path).write_bytes(data)
