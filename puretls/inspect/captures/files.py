"""Capture files, pcap and pcapng, gzip or not: the packets that lie in them, and what lies beside the packets.

Written here rather than taken from dpkt, whose readers lose what an inspector needs: a packet's length before it was cut, where a file
was cut, all interfaces but the first, nanoseconds, and the secrets. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from puretls.errors import UsageError
from puretls.text import printable
from puretls.values import frozen

NANOSECONDS = 10**9
MAX_BLOCK = 2**28
"""A packet or block that says it is longer is taken for damage."""


class CaptureError(UsageError):
    """A file is not a capture, or holds nothing to inspect. The text says why, and what to do."""


class Packet(NamedTuple):
    """What was captured of one packet."""

    time: int | None
    """Nanoseconds since the epoch; None where the file has no time for it."""
    link: int
    """What kind of link it was captured on (LINKTYPE_ numbers)."""
    data: bytes
    length: int
    """Its length on the wire, which is more than that of `data` where it was cut."""


class CaptureFile:
    """The packets of a file, once, in order; `key_log` and `notes` are complete when all were taken.

    Raises `CaptureError` where the file is not a capture. What is damaged or cut off ends the packets, and is said in `notes`.
    """

    def __init__(self, file: BinaryIO, name: str, progress: Callable[[int], object] | None = None) -> None:
        self._bytes = _Bytes(file, progress)
        self._name = name
        self.key_log: list[str] = []
        self.notes: list[str] = []
        self.damaged: bool = False
        self.count: int = 0

    def __iter__(self) -> Iterator[Packet]:
        head = self._bytes.peek(4)
        if not head:
            raise CaptureError(
                f"{self._name} holds nothing: {self._bytes.damage}" if self._bytes.damage else f"{self._name} is empty"
            )
        for magics, packets in ((_PCAP, self._pcap), (_PCAPNG, self._pcapng)):
            if head in magics:
                yield from self._counted(packets())
                return
        what = _OTHERS.get(head, f"its first bytes are {head.hex(' ')}")
        raise CaptureError(f"{self._name} is not a capture in pcap or pcapng format: {what}")

    def _counted(self, packets: Iterator[Packet]) -> Iterator[Packet]:
        try:
            for packet in packets:
                self.count += 1
                yield packet
        except _Damaged as damage:
            self.damaged = True
            self._note(f"{damage}; what stands before it is used")
        if self._bytes.damage:
            self.damaged = True
            self._note(self._bytes.damage)

    def _note(self, text: str) -> None:
        self.notes.append(f"{printable(text)} (after packet {self.count})")

    def _take(self, size: int, what: str) -> bytes:
        """Exactly so many bytes."""
        at = self._bytes.position
        if size > MAX_BLOCK:
            raise _Damaged(f"the file is damaged at byte {at}: {what} of {size} bytes")
        data = self._bytes.take(size)
        if len(data) < size:
            raise _Damaged(f"the file is cut off at byte {at + len(data)}, in {what} that needs {size - len(data)} bytes more")
        return data

    def _pcap(self) -> Iterator[Packet]:
        order, unit, extra = _PCAP[self._bytes.peek(4)]
        link = struct.unpack(order + "16xI", self._take(24, "the file's header")[4:])[0] & 0xFFFF
        header = struct.Struct(f"{order}IIII{extra}x")
        while self._bytes.peek(1):
            seconds, fraction, size, length = header.unpack(self._take(header.size, "a packet's header"))
            yield Packet(seconds * NANOSECONDS + fraction * unit, link, self._take(size, "a packet"), length)

    def _pcapng(self) -> Iterator[Packet]:
        order, interfaces = "<", list[_Interface]()
        while self._bytes.peek(1):
            head = self._take(8, "a block's header")
            if head[:4] in _PCAPNG:
                order, interfaces = self._section(), []
            kind, size = struct.unpack(order + "II", head)
            if size % 4 or size < 12:
                raise _Damaged(f"the file is damaged at byte {self._bytes.position - 4}: a block of {size} bytes")
            body = self._take(size - 8, "a block")[:-4]
            try:
                if kind == _INTERFACE:
                    interfaces.append(_interface(order, body))
                elif kind == _SECRETS:
                    self._secrets(order, body)
                elif kind in _PACKET_BLOCKS:
                    yield _PACKET_BLOCKS[kind](order, body, interfaces)
            except (struct.error, IndexError) as error:
                raise _Damaged(
                    f"the file is damaged before byte {self._bytes.position}: a block of type {kind} is malformed"
                ) from error

    def _section(self) -> str:
        """The byte order of the section that begins; its header stays to be taken as a block."""
        magic = self._bytes.peek(4)
        if magic not in _ORDERS:
            raise _Damaged(f"the file is damaged at byte {self._bytes.position}: a section's byte order is {magic.hex(' ')}")
        return _ORDERS[magic]

    def _secrets(self, order: str, body: bytes) -> None:
        """A Decryption Secrets Block (draft-ietf-opsawg-pcapng 4.7)."""
        kind, size = struct.unpack_from(order + "II", body)
        if kind == TLS_KEY_LOG:
            self.key_log.append(body[8 : 8 + size].decode("latin-1"))
        else:
            self._note(f"secrets of type {kind:#010x}, which is not a TLS key log, are passed over")


class _Damaged(Exception):
    """No more can be read; the text says where and why."""


@frozen
class _Interface:
    """What an interface's description says of its packets."""

    link: int
    snap_length: int
    divisor: int = 10**6
    offset: int = 0

    def time(self, high: int, low: int) -> int:
        return (high << 32 | low) * NANOSECONDS // self.divisor + self.offset * NANOSECONDS


def _interface(order: str, body: bytes) -> _Interface:
    link, snap_length = struct.unpack_from(order + "HxxI", body)
    options = dict(_options(order, body[8:]))
    resolution = options.get(_TIME_RESOLUTION, b"\6")[0]
    divisor = 1 << (resolution & 0x7F) if resolution & 0x80 else 10 ** (resolution & 0x7F)
    (offset,) = struct.unpack(order + "q", options.get(_TIME_OFFSET, bytes(8)))
    return _Interface(link, snap_length, divisor, offset)


def _options(order: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, position)
        if code == 0:
            return
        yield code, data[position + 4 : position + 4 + size]
        position += 4 + (size + 3 & ~3)


def _enhanced(order: str, body: bytes, interfaces: list[_Interface], head: str = "I") -> Packet:
    number, high, low, size, length = struct.unpack_from(f"{order}{head}IIII", body)
    interface = interfaces[number]
    return Packet(interface.time(high, low), interface.link, body[20 : 20 + size], length)


def _obsolete(order: str, body: bytes, interfaces: list[_Interface]) -> Packet:
    """A Packet Block, as old Wiresharks wrote; the second half of its first word counts drops."""
    return _enhanced(order, body, interfaces, "Hxx")


def _simple(order: str, body: bytes, interfaces: list[_Interface]) -> Packet:
    (length,) = struct.unpack_from(order + "I", body)
    size = min(length, interfaces[0].snap_length or length)
    return Packet(None, interfaces[0].link, body[4 : 4 + size], length)


class _Bytes:
    """The bytes of a file, unpacked where it is packed with gzip; the file need not be seekable."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], object] | None) -> None:
        self.damage = ""
        self._file, self._progress, self._count = file, progress, 0
        self._buffer, self._at, self._before = b"", 0, 0
        self._source = self._plain()
        if self.peek(2) == b"\x1f\x8b":
            self._source, self._buffer = self._unpacked(self._buffer), b""

    @property
    def position(self) -> int:
        return self._before + self._at

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer where the file ends; they stay."""
        if len(self._buffer) - self._at < size:
            pieces = [self._buffer[self._at :]]
            self._before += self._at
            self._at = 0
            missing = size - len(pieces[0])
            while missing > 0 and (more := next(self._source, b"")):
                pieces.append(more)
                missing -= len(more)
            self._buffer = b"".join(pieces)
        return self._buffer[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        data = self.peek(size)
        self._at += len(data)
        return data

    def _read(self) -> bytes:
        data = self._file.read(2**16)
        self._count += len(data)
        if self._progress is not None:
            self._progress(self._count)
        return data

    def _plain(self) -> Iterator[bytes]:
        while data := self._read():
            yield data

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        """Of all members; what is cut off or damaged ends it, and is told in `damage`. Small pieces, since one with damage is lost."""
        member, inside = zlib.decompressobj(wbits=31), True
        try:
            while data or (data := self._read()):
                if not inside:
                    member, inside = zlib.decompressobj(wbits=31), True
                piece, data = data[:_PIECE], data[_PIECE:]
                if unpacked := member.decompress(piece):
                    yield unpacked
                data = member.unused_data + data
                inside = not member.eof
            if inside:
                self.damage = "the gzip file is cut off"
        except zlib.error:
            self.damage = "the gzip file is damaged"


_PIECE = 256
TLS_KEY_LOG = 0x544C534B
_INTERFACE, _SECRETS = 1, 10
_TIME_RESOLUTION, _TIME_OFFSET = 9, 14
_PACKET_BLOCKS = {6: _enhanced, 2: _obsolete, 3: _simple}
_PCAPNG = {b"\x0a\x0d\x0d\x0a"}
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_PCAP = {
    bytes.fromhex(magic)[:: -1 if order == "<" else 1]: (order, unit, extra)
    for magic, unit, extra in (("a1b2c3d4", 1000, 0), ("a1b23c4d", 1, 0), ("a1b2cd34", 1000, 8))
    for order in "<>"
}
"""A pcap file's first bytes -> byte order, nanoseconds in the unit of its fractions, what a packet's header has beyond the usual."""
_OTHERS = {
    b"snoo": "it is a snoop file, which editcap -F pcapng turns into one",
    b"----": "it looks like PEM",
    b"CLIE": "it looks like a key log",
    b"# SS": "it looks like a key log",
    b"PK\3\4": "it is a zip archive",
}
