"""The flip atlas: every bit of a handshake flipped on its way, one at a time, and which check caught it, where, and with which alert.

The conversation is played once. Before each record both ends are forked; each flipped form of the record goes to copies, what follows it as
it was, and then both talk on until they are silent. Who waits in vain is told by its application to give up, as after its time is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path

from puretls.config import ClientConfig, ServerConfig
from puretls.errors import Aborted, FatalAlert, PeerError, PuretlsError
from puretls.inspect.conversation import Conversation
from puretls.inspect.knowledge import Knowledge
from puretls.inspect.peer import MemoryPeer, alert_name
from puretls.inspect.render.markup import Html, element
from puretls.inspect.streams import SIDES, Chunk, Stream, other
from puretls.record.framing import HEADER_LENGTH
from puretls.testing.honest import NAME, client_config, peer, real, server_config, suite_named
from puretls.text import counted
from puretls.values import frozen

SUITE = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
SILENT, NO_ANSWER = "silent completion", "no answer in time"
"""What an outcome is called where nothing caught it; and where the receiver waits for bytes that never come."""
ALLOWED = frozenset((("client", 2), ("server", 2)))
"""The published allowance: side and offset of bytes that nothing checks. They are the minor version of the first record of either side.

Before a version is agreed on, every 3.x is taken (RFC 5246 E.1), and the record's header is no part of the transcript. Records that follow
must say 3.3.
"""


@frozen
class Flip:
    """A bit of what `side` sent, and what came of it. `bit` counts from the highest of the byte at `offset` of the stream, 0 to 7."""

    side: str
    offset: int
    bit: int
    path: str
    """Of the field, in the byte map."""
    rule: str
    """What caught it: the name of the reason, `NO_ANSWER`, or `SILENT`."""
    by: str = ""
    """The end that caught it."""
    state: str = ""
    alert: str = ""
    rfc: str = ""
    at: str = ""
    """The field that the error names."""

    @property
    def is_silent(self) -> bool:
        """Whether both ends completed the handshake."""
        return self.rule == SILENT


@frozen
class Atlas:
    """All flips of a conversation, in the order of their bytes."""

    conversation: Conversation = field(repr=False)
    flips: tuple[Flip, ...] = field(repr=False)

    @property
    def silent(self) -> tuple[Flip, ...]:
        """Flips that nothing caught."""
        return tuple(flip for flip in self.flips if flip.is_silent)

    @property
    def unallowed(self) -> tuple[Flip, ...]:
        """Those of them that are not in the published allowance."""
        return tuple(flip for flip in self.silent if (flip.side, flip.offset) not in ALLOWED)


# Playing


@frozen
class _Moment:
    """Before a record is delivered: both ends, and what each has sent that waits."""

    side: str
    offset: int
    record: bytes
    client: MemoryPeer
    server: MemoryPeer
    waiting: tuple[tuple[str, bytes], ...]


def atlas(
    client: ClientConfig | None = None,
    server: ServerConfig | None = None,
    *,
    bits: Sequence[int] = range(8),
    stride: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Atlas:
    """Flip these bits of every byte of a handshake between the two; an ECDHE-ECDSA one with real cryptography unless told otherwise.

    With a `stride` of n only every n-th byte of each record is flipped. `progress(done, all)` is called after each record.
    """
    lines: list[str] = []
    client = client or client_config(**real("client", suites=(suite_named(SUITE),)))
    server = server or server_config(**real("server", suites=(suite_named(SUITE),)))
    moments, chunks = _play(peer(replace(client, key_log=lines.append), name=NAME), peer(server))
    conversation = _conversation(chunks, lines)
    paths = {side: _paths(conversation, side) for side in SIDES}
    whole, done, flips = sum(len(moment.record) for moment in moments), 0, []
    for moment in moments:
        flips += list(_flips(moment, paths[moment.side], bits, stride))
        done += len(moment.record)
        if progress is not None:
            progress(done, whole)
    order = {side: number for number, side in enumerate(SIDES)}
    return Atlas(conversation, tuple(sorted(flips, key=lambda flip: (order[flip.side], flip.offset, flip.bit))))


def _play(client: MemoryPeer, server: MemoryPeer) -> tuple[list[_Moment], list[tuple[str, bytes]]]:
    ends, offsets = {"client": client, "server": server}, dict.fromkeys(SIDES, 0)
    client.start()
    queue: list[tuple[str, bytes]] = []
    moments: list[_Moment] = []
    chunks: list[tuple[str, bytes]] = []
    while True:
        for side in SIDES:
            queue += [(side, record) for record in _records(ends[side].take())]
        if not queue:
            return moments, chunks
        side, record = queue.pop(0)
        moments.append(_Moment(side, offsets[side], record, client.fork(), server.fork(), tuple(queue)))
        offsets[side] += len(record)
        chunks.append((side, record))
        ends[other(side)].receive(record)


def _records(data: bytes) -> Iterator[bytes]:
    while data:
        end = HEADER_LENGTH + int.from_bytes(data[3:5])
        yield data[:end]
        data = data[end:]


def _conversation(chunks: Iterable[tuple[str, bytes]], key_log: Iterable[str]) -> Conversation:
    made: dict[str, list[Chunk]] = {side: [] for side in SIDES}
    offsets = dict.fromkeys(SIDES, 0)
    for order, (side, data) in enumerate(chunks):
        made[side].append(Chunk(offsets[side], data, order * 10**6, order))
        offsets[side] += len(data)
    streams = [Stream(tuple(made[side])) for side in SIDES]
    return Conversation(streams[0], streams[1], Knowledge.of(key_log=key_log), name="the handshake of the flip atlas")


def _paths(conversation: Conversation, side: str) -> list[str]:
    """The path of each byte of a side."""
    return [leaf.path for leaf in conversation.byte_map.wire(side) for _ in range(leaf.start, leaf.end)]


def _flips(moment: _Moment, paths: Sequence[str], bits: Sequence[int], stride: int) -> Iterator[Flip]:
    for index in range(0, len(moment.record), stride):
        for bit in bits:
            changed = bytearray(moment.record)
            changed[index] ^= 0x80 >> bit
            at = moment.offset + index
            yield _outcome(moment, bytes(changed), Flip(moment.side, at, bit, paths[at], SILENT))


def _outcome(moment: _Moment, record: bytes, flip: Flip) -> Flip:
    ends = {"client": moment.client.fork(), "server": moment.server.fork()}
    waiting: dict[str, bytes] = dict.fromkeys(SIDES, b"")
    for side, data in moment.waiting:
        waiting[side] += data
    receiver = other(moment.side)
    ends[receiver].receive(record + waiting[moment.side])
    waiting[moment.side] = b""
    _talk(ends, waiting)
    failed = next((side for side in (receiver, moment.side) if _is_first(ends[side].error)), None)
    if failed is None:
        if all(end.connection.is_connected for end in ends.values()):
            return flip
        failed = next(side for side in (receiver, moment.side) if not ends[side].connection.is_connected)
        ends[failed].abort()
        ends[failed].take()
    return _caught(flip, failed, ends[failed].error)


def _talk(ends: dict[str, MemoryPeer], waiting: dict[str, bytes]) -> None:
    moved = True
    while moved:
        moved = False
        for side in SIDES:
            data, waiting[side] = waiting[side] + ends[side].take(), b""
            if data:
                moved = True
                ends[other(side)].receive(data)


def _is_first(error: PuretlsError | None) -> bool:
    """Whether an end found something wrong by itself, and was not told of it by an alert."""
    return error is not None and not isinstance(error, FatalAlert)


def _caught(flip: Flip, by: str, error: PuretlsError | None) -> Flip:
    if isinstance(error, PeerError):
        return replace(
            flip,
            rule=error.reason.name.lower(),
            by=by,
            state=error.state,
            alert=alert_name(error.alert),
            rfc=error.rfc,
            at=error.path,
        )
    assert isinstance(error, Aborted), error
    return replace(flip, rule=NO_ANSWER, by=by, state=error.state, alert=alert_name(error.alert), rfc="RFC 5246 7.2")


# Telling


def text(made: Atlas) -> str:
    """How many bits which check caught, and what nothing caught."""
    counts = Counter((flip.rule, flip.by, flip.alert, flip.rfc) for flip in made.flips)
    bits = counted(len(made.flips), "bit")
    lines = [f"{bits} of {counted(len({(f.side, f.offset) for f in made.flips}), 'byte')} flipped, one at a time", ""]
    width = max(len(rule) for rule, *_ in counts)
    for (rule, by, alert, rfc), count in counts.most_common():
        where = f"by the {by}, alert {alert} [{rfc}]" if by else "nothing caught it"
        lines.append(f"{count:7}  {rule.ljust(width)}  {where}")
    silent = sorted({(flip.side, flip.offset, flip.path) for flip in made.silent})
    lines += ["", f"{counted(len(silent), 'byte')} that nothing checks:"] if silent else []
    lines += [
        f"  byte {offset} of the {side}, {path}{'' if (side, offset) in ALLOWED else ': NOT IN THE ALLOWANCE'}"
        for side, offset, path in silent
    ]
    return "\n".join(lines) + "\n"


_STYLE = """
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; }
body { margin: 1.5rem; max-width: 72rem; }
.map { line-height: 1.15rem; overflow-wrap: anywhere; font: 11px ui-monospace, monospace; }
.map a { display: inline-block; width: 1.15rem; height: 1.1rem; margin: 0 1px 1px 0; text-align: center; color: #000; }
.map a { text-decoration: none; }
.map a:focus-visible, .map a:hover { outline: 2px solid currentColor; }
.legend span { display: inline-block; margin: 0 1rem .3rem 0; }
.legend i { display: inline-block; width: .9rem; height: .9rem; margin-right: .35rem; vertical-align: -2px; }
.bad { outline: 2px solid #d00; }
"""
_COLOURS = (
    "#8fd19e",
    "#9ec5f8",
    "#f5d76e",
    "#f2a97e",
    "#c9b1f0",
    "#8edbd6",
    "#e4a0c4",
    "#c8cf8a",
    "#b0bec5",
    "#e0b080",
    "#a3d9a5",
    "#d0d0f0",
)


def html(made: Atlas, page: str) -> str:
    """A heat map: a cell for each byte in the colour of the check that caught it, of two colours where its bits came to different ends.

    `page` is the address of the inspector's page of the same conversation, to whose bytes the cells lead.
    """
    ranked = [rule for rule, _ in Counter(flip.rule for flip in made.flips).most_common()]
    colours = {rule: "#ff5c5c" if rule == SILENT else _COLOURS[rank % len(_COLOURS)] for rank, rule in enumerate(ranked)}
    legend = element("p", *(_key(rule, colours[rule]) for rule in ranked), class_="legend")
    maps = [part for side in SIDES for part in (element("h2", f"What the {side} sent"), _map(made, side, colours, page))]
    counts = (part for line in text(made).splitlines() for part in (line, Html("\n")))
    title = "Flip atlas: every bit of a handshake, and what caught it"
    head = element("head", element("meta", charset="utf-8"), element("title", title), element("style", Html(_STYLE)))
    body = element("body", element("h1", title), legend, *maps, element("h2", "How often each check spoke"), element("pre", *counts))
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _key(rule: str, colour: str) -> Html:
    return element("span", element("i", style=f"background:{colour}"), rule)


def _map(made: Atlas, side: str, colours: dict[str, str], page: str) -> Html:
    by_byte: dict[int, list[Flip]] = {}
    for flip in made.flips:
        if flip.side == side:
            by_byte.setdefault(flip.offset, []).append(flip)
    data = made.conversation.stream(side).chunks
    joined = b"".join(chunk.data for chunk in data)
    return element("div", *(_cell(flips, joined[offset], colours, page) for offset, flips in by_byte.items()), class_="map")


def _cell(flips: Sequence[Flip], byte: int, colours: dict[str, str], page: str) -> Html:
    common = [rule for rule, _ in Counter(flip.rule for flip in flips).most_common()]
    first, last = colours[common[0]], colours[common[-1]]
    paint = f"background:{first}" if first == last else f"background:linear-gradient(135deg,{first} 60%,{last} 60%)"
    told = "; ".join(f"bit {flip.bit}: {_told(flip)}" for flip in flips)
    side, offset = flips[0].side, flips[0].offset
    return element(
        "a",
        f"{byte:02x}",
        href=f"{page}#{side}/wire/{offset}",
        title=f"byte {offset}: {flips[0].path}: {told}",
        style=paint,
        class_="bad" if SILENT in common else None,
    )


def _told(flip: Flip) -> str:
    return flip.rule if flip.is_silent else f"{flip.rule} by the {flip.by} in {flip.state}, alert {flip.alert} [{flip.rfc}]"


def beside(target: Path) -> Path:
    """Where the page of the conversation goes when the heat map goes to `target`."""
    return target.with_name(f"{target.stem}-conversation{target.suffix or '.html'}")


def write(made: Atlas, target: Path) -> Path:
    """Write the heat map, and beside it the inspector's page that it leads to, whose path is returned. Raises `OSError`.

    The page holds the secrets of the conversation, so its owner alone may read it.
    """
    from puretls.inspect.render.page import page
    from puretls.net.secret_files import write_secret

    conversation = beside(target)
    write_secret(conversation, page(made.conversation))
    target.write_text(html(made, conversation.name), encoding="utf-8")
    return conversation
