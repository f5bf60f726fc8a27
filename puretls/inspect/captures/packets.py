"""From packets to TCP segments: link layers, IPv4 and IPv6, their fragments. The formats of single headers are dpkt's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from puretls.errors import UsageError
from puretls.inspect.captures.files import CaptureError, Packet

FIN, SYN, RST, ACK = 1, 2, 4, 16
"""Flags of a segment (RFC 9293 3.1)."""
_TCP = 6
Endpoint = tuple[bytes, int]
"""Address of 4 or 16 bytes, and port."""


class Segment(NamedTuple):
    """One TCP segment as captured."""

    time: int | None
    source: Endpoint
    destination: Endpoint
    seq: int
    ack: int | None
    flags: int
    data: bytes
    missing: int
    """How many bytes of data the capture left out at its end."""


@cache
def dpkt() -> Any:
    """The library. Raises `UsageError` where it is missing."""
    try:
        import dpkt
    except ImportError as error:
        raise UsageError("captures need dpkt: pip install 'puretls[capture]'") from error
    return dpkt


class Segments:
    """The TCP segments in packets, once, in order. What could not be read is counted; `notes` tells of it."""

    def __init__(self, packets: Iterable[Packet]) -> None:
        self._packets = packets
        self._datagrams: dict[tuple[Any, ...], _Datagram] = {}
        self._unknown_links: Counter[int] = Counter()
        self._unread = self._cut = self._seen = 0

    def __iter__(self) -> Iterator[Segment]:
        unknown = self._unknown_links
        for packet in self._packets:  # the file says whether it is a capture at all, before dpkt is needed
            links = _links(dpkt())
            self._seen += 1
            if packet.link not in links:
                unknown[packet.link] += 1
                continue
            try:
                segment = self._segment(packet, links[packet.link](packet.data))
            except Exception:  # of dpkt, which raises whatever a malformed header leads it to
                self._unread += 1
                continue
            if segment is not None:
                self._cut += segment.missing > 0
                yield segment
        if unknown and sum(unknown.values()) == self._seen:
            raise CaptureError(
                f"the capture is of a link type that is not known here: {_names(unknown)}; known are {KNOWN_LINKS}"
            )

    @property
    def notes(self) -> list[str]:
        broken = sum(datagram.whole is None for datagram in self._datagrams.values())
        links = f"packets of a link type not known here ({_names(self._unknown_links)}), passed over"
        told = (
            (sum(self._unknown_links.values()), links),
            (self._unread, "packets malformed or cut within their headers, passed over"),
            (self._cut, "packets captured in part only (tcpdump -s 0 captures them whole)"),
            (broken, "IP datagrams that lack fragments, passed over"),
        )
        return [f"{text}: {count}" for count, text in told if count]

    def _segment(self, packet: Packet, ip: Any) -> Segment | None:
        lib = dpkt()
        if not isinstance(ip, lib.ip.IP | lib.ip6.IP6):
            return None
        while isinstance(ip.data, lib.ip.IP | lib.ip6.IP6):  # a tunnel
            ip = ip.data
        if fragment := _fragment(lib, ip):
            tcp = self._joined(*fragment)
            missing = 0
        else:
            tcp = ip.data
            missing = 0 if len(packet.data) >= packet.length else _missing(lib, ip, packet)
        if not isinstance(tcp, lib.tcp.TCP):
            return None
        ack = tcp.ack if tcp.flags & ACK else None
        return Segment(packet.time, (ip.src, tcp.sport), (ip.dst, tcp.dport), tcp.seq, ack, tcp.flags, tcp.data, missing)

    def _joined(self, key: tuple[Any, ...], offset: int, more: bool, data: bytes) -> Any:
        """The TCP segment of a datagram that this fragment completes."""
        known = self._datagrams.get(key)
        if known is None or known.differs(offset, data):  # identification numbers come again
            known = self._datagrams[key] = _Datagram()
        whole = known.add(offset, more, data)
        return dpkt().tcp.TCP(whole) if whole is not None else None


class _Datagram:
    """Fragments of one IP datagram (RFC 791 3.2, RFC 8200 4.5); the first copy of each counts."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}
        self._size: int | None = None
        self.whole: bytes | None = None

    def differs(self, offset: int, data: bytes) -> bool:
        return self._parts.get(offset, data) != data

    def add(self, offset: int, more: bool, data: bytes) -> bytes | None:
        """The whole, the first time that it is whole."""
        if self.whole is not None:
            return None
        self._parts.setdefault(offset, data)
        if not more:
            self._size = offset + len(data)
        made = bytearray()
        for start, part in sorted(self._parts.items()):
            if start > len(made):
                return None
            made += part[len(made) - start :]
        if self._size is not None and len(made) >= self._size:
            self.whole = bytes(made[: self._size])
        return self.whole


def _fragment(lib: Any, ip: Any) -> tuple[tuple[Any, ...], int, bool, bytes] | None:
    """What datagram it belongs to, its offset, whether more follow, its data; None for a whole datagram."""
    if isinstance(ip, lib.ip.IP):
        place = ip._flags_offset
        if not place & 0x3FFF or ip.p != _TCP:
            return None
        return (ip.src, ip.dst, ip.id), (place & 0x1FFF) * 8, bool(place & 0x2000), bytes(ip.data)
    header = ip.extension_hdrs.get(lib.ip.IP_PROTO_FRAGMENT)
    if header is None or not (header.frag_off or header.m_flag) or ip.p != _TCP:
        return None
    return (ip.src, ip.dst, header.id), header.frag_off * 8, bool(header.m_flag), bytes(ip.data)


def _missing(lib: Any, ip: Any, packet: Packet) -> int:
    """Bytes of data that a packet was cut by; what the link layer padded it with is none of them."""
    headers = sum(header.length for header in getattr(ip, "all_extension_headers", ()))
    said = ip.len - 4 * ip.hl if isinstance(ip, lib.ip.IP) else ip.plen - headers
    wanted = said - len(bytes(ip.data)) if said > 0 else packet.length - len(packet.data)
    return max(0, min(wanted, packet.length - len(packet.data)))


def _names(links: Iterable[int]) -> str:
    return ", ".join(f"{_LINK_NAMES.get(link, 'number')} {link}" for link in sorted(links))


@cache
def _links(lib: Any) -> dict[int, Callable[[bytes], Any]]:
    """LINKTYPE_ number -> what finds the IP packet in a frame."""
    ethernet = lib.ethernet.Ethernet

    def framed(data: bytes) -> Any:
        return ethernet(data).data

    def cooked(data: bytes) -> Any:  # as Ethernet, so that VLAN tags and the like are read in one place
        return framed(bytes(12) + data[14:])

    def cooked_2(data: bytes) -> Any:
        return framed(bytes(12) + data[:2] + data[20:])

    def loopback(data: bytes) -> Any:
        return lib.loopback.Loopback(data).data

    def raw(data: bytes) -> Any:
        return lib.ip6.IP6(data) if data[0] >> 4 == 6 else lib.ip.IP(data)

    return {0: loopback, 1: framed, 12: raw, 14: raw, 101: raw, 108: loopback, 113: cooked, 228: raw, 229: raw, 276: cooked_2}


KNOWN_LINKS = "Ethernet, Linux cooked (v1, v2), null and loopback, raw IP"
_LINK_NAMES = {
    9: "PPP", 105: "802.11", 127: "802.11 with radiotap", 187: "Bluetooth HCI", 189: "USB", 195: "802.15.4", 249: "USBPcap",
    251: "Bluetooth LE", 252: "exported PDUs", 253: "netlink", 239: "NFLOG", 220: "USB",
}  # fmt: skip
