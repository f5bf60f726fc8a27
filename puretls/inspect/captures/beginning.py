"""Where TLS begins in a TCP connection, who is its client, and what was said before (STARTTLS and the like)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from puretls.errors import PuretlsError
from puretls.inspect.captures.assemble import BEFORE
from puretls.inspect.streams import Stream
from puretls.messages.records import HEADER
from puretls.messages.registry import parse_handshake
from puretls.record.fragment import Joiner
from puretls.record.framing import HEADER_LENGTH
from puretls.values import frozen

T = TypeVar("T")
FAR = 2**16
"""Within so many bytes of each direction TLS must begin."""
_VERSION = rb"\x03[\x00-\x04]"
_CLIENT_HELLO = re.compile(rb"\x16" + _VERSION + rb"..\x01\x00..\x03[\x00-\x04]", re.DOTALL)
_SERVER_HELLO = re.compile(rb"\x16" + _VERSION + rb"..\x02\x00..\x03[\x00-\x04]", re.DOTALL)
_ALERT = re.compile(rb"\x15" + _VERSION + rb"\x00\x02[\x01\x02].", re.DOTALL)
_RECORD = re.compile(rb"[\x14-\x18]" + _VERSION + rb"[\x00-\x48].", re.DOTALL)
_CHAINED = 3
"""So many records, one behind the other, are no coincidence."""


@frozen
class Prefix:
    """What both sides said before TLS; empty where TLS came first. `protocol` is what it looks like, "" where that is not known."""

    client: bytes = b""
    server: bytes = b""
    protocol: str = ""


@frozen
class Beginning:
    """Where TLS begins in the two directions of a connection; `client` is 0 or 1, the direction of the ClientHello's sender."""

    client: int
    starts: tuple[int, int]
    certain: tuple[bool, bool]
    """Of each direction, whether this is where its TLS began: not of one that was captured from its middle on."""


def find(both: Sequence[Stream], opener: int | None, ports: Sequence[int]) -> Beginning | None:
    """Where TLS begins; None where there is none.

    Without hellos, as in the middle of a connection, the client is who opened it, or has the higher port.
    """
    heads = [_head(stream) for stream in both]
    hellos = [_position(_CLIENT_HELLO, head) for head in heads]
    answers = [_position(_SERVER_HELLO, head) for head in heads]
    if hellos != [None, None]:
        client = 0 if hellos[1] is None or (hellos[0] is not None and opener != 1) else 1
        server = 1 - client
        start = hellos[client]
        assert start is not None
        answer = _answer(both, heads, client, start, answers[server])
        answered = not heads[server] or bool(_RECORD.match(heads[server], answer))
        return Beginning(client, _pair(client, start, answer), _pair(client, True, answered))
    if answers != [None, None]:
        server = 0 if answers[0] is not None else 1
        return Beginning(1 - server, _pair(server, answers[server] or 0, 0), _pair(server, True, False))
    if any(map(_chained, heads)):
        return Beginning(opener if opener is not None else int(ports[0] < ports[1]), (0, 0), (False, False))
    return None


def _pair(first: int, value: T, other: T) -> tuple[T, T]:
    """Two values by direction: `value` at 0 or 1, `other` at the other place."""
    return (value, other) if first == 0 else (other, value)


def _head(stream: Stream) -> bytes:
    """The first bytes up to a gap."""
    made, position = bytearray(), 0
    for chunk in stream.chunks:
        if chunk.offset != position or len(made) >= FAR:
            break
        made += chunk.data
        position += len(chunk.data)
    return bytes(made[:FAR])


def _position(pattern: re.Pattern[bytes], head: bytes) -> int | None:
    found = pattern.search(head)
    return found.start() if found else None


def _answer(both: Sequence[Stream], heads: Sequence[bytes], client: int, start: int, hello: int | None) -> int:
    """Where the server's TLS begins: at its hello or its alert, else behind all that came before the ClientHello."""
    server = 1 - client
    if start == 0 and _RECORD.match(heads[server]):
        return 0
    if hello is None:
        hello = _position(_ALERT, heads[server])
    if hello is not None:
        return hello
    order = next((chunk.order for chunk in reversed(both[client].chunks) if chunk.offset <= start), 0)
    before = [chunk.offset + len(chunk.data) for chunk in both[server].chunks if chunk.order < order]
    return max(before, default=0) if start else 0


def _chained(head: bytes) -> bool:
    """Whether records stand here one behind the other: at the first byte up to the end, or anywhere if there are several."""
    return _chain(head, 0) > 0 or any(_chain(head, found.start()) >= _CHAINED for found in _RECORD.finditer(head))


def _chain(head: bytes, position: int) -> int:
    """How many records stand here, one behind the other, counted up to `_CHAINED`; 0 for fewer that something else follows."""
    count = 0
    while count < _CHAINED and _RECORD.match(head, position):
        count += 1
        position += HEADER_LENGTH + HEADER.unpack_from(head, position)[2]
    return count if count == _CHAINED or len(head) - position < HEADER_LENGTH else 0


def without_prefix(stream: Stream, start: int, certain: bool) -> tuple[Stream, bytes]:
    """The stream from `start` on, counted from 0, and the bytes before."""
    if not start:
        gaps = tuple(gap for gap in stream.gaps if not (certain and gap.why == BEFORE))
        return (stream if len(gaps) == len(stream.gaps) else replace(stream, gaps=gaps)), b""
    before = b"".join(chunk.data[: max(0, start - chunk.offset)] for chunk in stream.chunks if chunk.offset < start)
    chunks = []
    for chunk in stream.chunks:
        skip = max(0, start - chunk.offset)
        if skip < len(chunk.data):
            chunks.append(replace(chunk, offset=chunk.offset + skip - start, data=chunk.data[skip:]))
    gaps = tuple(replace(gap, offset=gap.offset - start) for gap in stream.gaps if gap.offset >= start)
    return Stream(tuple(chunks), gaps, stream.end), before


def protocol(client: bytes, server: bytes) -> str:
    """What was spoken before TLS, by what the client asked for it with; "" where that is not known."""
    both = {"client": client, "server": server}
    return next((name for name, side, pattern in _PROTOCOLS if pattern.search(both[side])), "") if client or server else ""


def _row(name: str, side: str, pattern: bytes) -> tuple[str, str, re.Pattern[bytes]]:
    return name, side, re.compile(pattern, re.IGNORECASE | re.DOTALL)


_PROTOCOLS = (
    _row("HTTP CONNECT", "client", rb"^CONNECT \S+ HTTP/1"),
    _row("SOCKS 5", "client", rb"^\x05[\x01-\x09]"),
    _row("PROXY protocol", "client", rb"^(PROXY |\r\n\r\n\0\r\nQUIT\n)"),
    _row("PostgreSQL", "client", rb"^\0\0\0\x08\x04\xd2\x16\x2f"),
    _row("LDAP", "client", rb"1\.3\.6\.1\.4\.1\.1466\.20037"),
    _row("XMPP", "client", rb"<starttls"),
    _row("POP3", "client", rb"(^|\n)STLS\r?\n$"),
    _row("FTP", "client", rb"(^|\n)AUTH (TLS|SSL)(-C|-P)?\r?\n"),
    _row("SMTP", "server", rb"^220[ -].*(\n250[ -])"),
    _row("NNTP", "server", rb"^20[01] .*\n382 "),
    _row("ManageSieve", "server", rb'^"IMPLEMENTATION"'),
    _row("IMAP", "client", rb"(^|\n)[^ \n]+ STARTTLS\r?\n$"),
    _row("MySQL", "server", rb"^...\0\x0a[0-9]"),
)
"""Name, who says what tells it, what is said.

Sources: RFC 9110 9.3.6, 1928, 4511 4.14, 6120 5, 2595, 4217, 3207, 4642, 5804, 9051 6.2.1, and the manuals of the others.
"""


def hello(stream: Stream) -> object:
    """The message that a stream begins with; None where that is no handshake message, or is cut off or malformed."""
    head, position, joiner = _head(stream), 0, Joiner(FAR)
    try:
        while head[position : position + 1] == b"\x16" and len(head) - position >= HEADER_LENGTH:
            end = position + HEADER_LENGTH + HEADER.unpack_from(head, position)[2]
            joiner.feed(head[position + HEADER_LENGTH : end])
            if (raw := joiner.next()) is not None:
                return parse_handshake(raw, None)
            position = end
    except PuretlsError:
        return None
    return None
