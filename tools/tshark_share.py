"""Count the bytes that tshark gives a name to, beside puretls, on the same captures.

    python tools/tshark_share.py [TAPE ...]

Without arguments: the reference conversations in vectors/tapes. Each is written as a capture with its secrets, and tshark dissects that
capture without options. How is counted:

- A byte is named where a field without fields below it covers it: the tag and the length of a certificate's part are not named by the
  frame of that part.
- On the wire, what is said of ciphertext as a whole ("Encrypted Application Data") is no name of its bytes.
- "In the clear" leaves ciphertext out of the count, with its nonces, tags and MACs; "decrypted" counts what tshark opened, with
  application data as named.
- In doubt the byte counts as named: these figures are tshark's at its best.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from puretls.inspect import Conversation, Tape, replay, write_capture  # noqa: E402

SIDES = ("client", "server")
OPAQUE = {"tls.app_data", "tls.segment", "tls.segment.data", "data.data", "tls.handshake", "tls.handshake.fragment"}
"""Fields that say of many bytes that they are there, and no more."""


class Share(NamedTuple):
    """Bytes that there are, and bytes that were named."""

    there: int
    named: int

    def __add__(self, more: Share) -> Share:  # type: ignore[override]
        return Share(self.there + more.there, self.named + more.named)

    def __str__(self) -> str:
        return f"{100 * self.named / self.there:.1f} %" if self.there else "-"


class Shares(NamedTuple):
    """What is counted of a conversation."""

    wire: Share
    clear: Share
    decrypted: Share

    def __add__(self, more: Shares) -> Shares:  # type: ignore[override]
        return Shares(*(one + other for one, other in zip(self, more, strict=True)))


NOTHING = Shares(Share(0, 0), Share(0, 0), Share(0, 0))


# puretls


def of_puretls(conversation: Conversation) -> Shares:
    """Leaves with a meaning, of all leaves."""
    shares = NOTHING
    for side in SIDES:
        for leaf in conversation.byte_map.wire(side):
            one = Share(leaf.length, leaf.length if leaf.meaning and not leaf.note.startswith("unparsed") else 0)
            shares += Shares(one, Share(0, 0) if leaf.key else one, Share(0, 0))
        for leaf in conversation.byte_map.plain(side):
            if leaf.key:
                one = Share(leaf.length, leaf.length if leaf.meaning and not leaf.note.startswith("unparsed") else 0)
                shares += Shares(Share(0, 0), Share(0, 0), one)
    return shares


# tshark


def of_tshark(conversation: Conversation) -> Shares:
    """What tshark names of a capture of the conversation. Raises `CalledProcessError` where tshark fails."""
    packets = dissected(conversation)
    streams = [conversation.client.data, conversation.server.data]
    named: list[set[int]] = [set(), set()]
    opened = 0
    for packet in packets:
        payload = packet.find("proto[@name='tcp']/field[@name='tcp.payload']")
        if payload is None:
            continue
        port = packet.find("proto[@name='tcp']/field[@name='tcp.srcport']")
        assert port is not None
        side = int(port.get("show") == "443")
        bytes_of_packet = list(buffers(packet, payload, conversation, SIDES[side]))
        for proto in packet.findall("proto"):
            if proto.get("name") not in {"geninfo", "frame", "eth", "ip", "tcp", "fake-field-wrapper"}:
                opened += count(proto, bytes_of_packet, named[side])
    encrypted = [
        {at for leaf in conversation.byte_map.wire(side) if leaf.key for at in range(leaf.start, leaf.end)} for side in SIDES
    ]
    there = sum(map(len, streams))
    plain = sum(leaf.length for side in SIDES for leaf in conversation.byte_map.plain(side) if leaf.key)
    clear = sum(len(one - other) for one, other in zip(named, encrypted, strict=True))
    return Shares(Share(there, sum(map(len, named))), Share(there - sum(map(len, encrypted)), clear), Share(plain, opened))


def dissected(conversation: Conversation) -> list[ElementTree.Element]:
    """The packets of the capture as tshark describes them."""
    with tempfile.TemporaryDirectory() as folder:
        write_capture(Path(folder) / "capture.pcapng", conversation)
        command = ["tshark", "-r", str(Path(folder) / "capture.pcapng"), "-T", "pdml"]
        return list(ElementTree.fromstring(subprocess.run(command, check=True, capture_output=True).stdout))


class Buffer(NamedTuple):
    """Bytes that positions of fields refer to: `data` starts at `position`; `offsets` tell where each byte is in the TCP stream."""

    position: int
    data: bytes
    offsets: Sequence[int]

    def places(self, position: int, value: bytes, size: int) -> Sequence[int]:
        """Where in the stream the field is; nothing where it is not of this buffer."""
        start = position - self.position
        if start < 0 or start + size > len(self.data) or (value and self.data[start : start + size] != value):
            return ()
        return self.offsets[start : start + size]


def buffers(packet: ElementTree.Element, payload: ElementTree.Element, conversation: Conversation, side: str) -> Iterator[Buffer]:
    """The packet's own bytes; those that were put together of several packets and end with it; and messages of several records."""
    sequence = packet.find("proto[@name='tcp']/field[@name='tcp.seq']")
    assert sequence is not None
    first, data = int(sequence.get("show", "")) - 1, value_of(payload)
    yield Buffer(number(payload, "pos"), data, range(first, first + len(data)))
    for joined in packet.iter("field"):
        if joined.get("name") == "tcp.reassembled.data":
            first, data = conversation.stream(side).data.index(value_of(joined)), value_of(joined)
            yield Buffer(0, data, range(first, first + len(data)))
        elif joined.get("name") == "tls.handshake.fragments":
            yield from in_the_clear(b"".join(map(value_of, joined.findall("field"))), conversation, side)


def in_the_clear(message: bytes, conversation: Conversation, side: str) -> Iterator[Buffer]:
    """A message that several records hold, unless they are encrypted."""
    records = [one for one in conversation.records if one.side == side]
    plain = b"".join(one.plaintext or b"" for one in records)
    clear = [one.start + 5 + i for one in records if one.epoch == 0 for i in range(len(one.plaintext or b""))]
    start = plain.index(message)
    if start + len(message) <= len(clear):
        yield Buffer(0, message, clear[start : start + len(message)])


def count(proto: ElementTree.Element, buffers: Sequence[Buffer], named: set[int]) -> int:
    """Add the bytes of the stream that are named below this element; give the number of named bytes that are not of the stream."""
    opened: set[tuple[str, int]] = set()
    for record, field in leaves(proto):
        size, position = number(field, "size"), number(field, "pos")
        name = field.get("name", "")
        found = next(filter(None, (buffer.places(position, value_of(field), size) for buffer in buffers)), ())
        if not found:
            opened |= {(record, position + i) for i in range(size)}
        elif name not in OPAQUE:
            named |= set(found)
    return len(opened)


def leaves(element: ElementTree.Element, record: str = "") -> Iterator[tuple[str, ElementTree.Element]]:
    """Fields that stand for bytes and have no such field below them, each with the record that it is in."""
    for child in element:
        below = f"{record}{id(child)}" if child.get("name") == "tls.record" else record
        inner = list(leaves(child, below))
        yield from inner
        if not inner and number(child, "size"):
            yield below, child


def number(element: ElementTree.Element, name: str) -> int:
    return int(element.get(name) or 0)


def value_of(element: ElementTree.Element) -> bytes:
    """The bytes that the field was read from; none where they are not told, as of single bits."""
    told = element.get("unmaskedvalue") or element.get("value") or ""
    return bytes.fromhex(told) if len(told) == 2 * number(element, "size") else b""


# The table


def main(arguments: Sequence[str]) -> int:
    paths = [Path(name) for name in arguments] or sorted((ROOT / "vectors" / "tapes").glob("*.json"))
    version = subprocess.run(["tshark", "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[0]
    print(f"{version}\n{'':52}{'bytes':>7}{'wire':>9}{'in the clear':>14}{'decrypted':>11}")
    totals = {"puretls": NOTHING, "tshark": NOTHING}
    for path in paths:
        for conversation in replay(Tape.load(path)).conversations:
            theirs = of_tshark(conversation)
            totals["puretls"] += of_puretls(conversation)
            totals["tshark"] += theirs
            print(line(path.stem, theirs))
    for name, shares in totals.items():
        print(line(f"all, {name}", shares))
    return 0


def line(name: str, shares: Shares) -> str:
    return f"{name:52}{shares.wire.there:7}{shares.wire!s:>9}{shares.clear!s:>14}{shares.decrypted!s:>11}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
