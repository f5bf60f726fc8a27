"""Captures written: pcapng with the TCP packets that could have carried what was seen, and the secrets that open it.

The packets are made up: handshake, segments of at most `MSS` bytes, acknowledgements, the end. Their bytes, times and gaps are not.
Sources: draft-ietf-opsawg-pcapng, RFC 9293, and for the layout of headers dpkt.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from puretls.inspect.captures.files import TLS_KEY_LOG
from puretls.inspect.captures.packets import ACK, FIN, RST, SYN, dpkt
from puretls.inspect.conversation import Conversation
from puretls.inspect.streams import SIDES, Stream, other
from puretls.net.secret_files import write_secret

MSS = 1460
"""Bytes of data in a segment at most: what Ethernet leaves (RFC 9293 3.7.1)."""
_PUSH = 8
_FIRST = {"client": 1000, "server": 2000}
_PLACES = {"client": ("10.0.0.1", 49152), "server": ("10.0.0.2", 443)}
"""Where an end lives that has no address of its own."""
_MACS = {"client": bytes.fromhex("020000000001"), "server": bytes.fromhex("020000000002")}
_STEP = 1000
"""Nanoseconds between packets whose time nobody knows."""


class Connection(Protocol):
    """What is written: a `Conversation`, or a `TcpConnection` that was read."""

    @property
    def client(self) -> Stream: ...
    @property
    def server(self) -> Stream: ...
    @property
    def addresses(self) -> tuple[str, str]: ...
    @property
    def began(self) -> int | None: ...


def write_capture(
    target: str | os.PathLike[str] | BinaryIO, *connections: Connection, key_log: str = "", without_secrets: bool = False
) -> None:
    """Write connections as one pcapng file, with what opens them in a Decryption Secrets Block; a file with secrets is its owner's alone.

    A `Conversation` brings its own secrets; `key_log` is text in the NSS format, for what does not. `without_secrets` leaves all out.
    Raises `OSError`, and `UsageError` where dpkt is not installed.
    """
    secrets = "" if without_secrets else key_log + "".join(map(_own_key_log, connections))
    data = b"".join(blocks(connections, secrets))
    if not isinstance(target, str | os.PathLike):
        target.write(data)
    elif secrets:
        write_secret(target, data)
    else:
        Path(target).write_bytes(data)


def _own_key_log(connection: object) -> str:
    """That of a conversation; what is no conversation has none."""
    return connection.key_log() if isinstance(connection, Conversation) else ""


def blocks(connections: Sequence[Connection], key_log: str = "") -> Iterator[bytes]:
    """The blocks of a pcapng file: section, interface, secrets, and the packets of all connections by their times."""
    formats = dpkt().pcapng
    yield bytes(formats.SectionHeaderBlockLE())
    options = [formats.PcapngOptionLE(code=formats.PCAPNG_OPT_IF_TSRESOL, data=b"\x09"), formats.PcapngOptionLE()]
    yield bytes(formats.InterfaceDescriptionBlockLE(snaplen=2**18, opts=options))
    if key_log:
        yield _secrets_block(key_log.encode())
    packets = [packet for number, connection in enumerate(connections) for packet in _packets(connection, number)]
    packets.sort(key=lambda packet: packet[0])
    for time, frame in packets:
        yield bytes(formats.EnhancedPacketBlockLE(ts_high=time >> 32, ts_low=time & 0xFFFFFFFF, pkt_data=frame))


def _secrets_block(secrets: bytes) -> bytes:
    padded = secrets + bytes(-len(secrets) % 4)
    size = 20 + len(padded)
    return struct.pack("<IIII", 10, size, TLS_KEY_LOG, len(secrets)) + padded + struct.pack("<I", size)


class _End:
    """One end while packets are made: where it lives, and the number of its next byte."""

    def __init__(self, side: str, place: tuple[str, int]) -> None:
        self.address, self.port = ip_address(place[0]).packed, place[1]
        self.mac = _MACS[side]
        self.next = self.first = _FIRST[side]


def _packets(connection: Connection, number: int) -> Iterator[tuple[int, bytes]]:
    """Time in nanoseconds and frame of every packet of a connection."""
    ends = {side: _End(side, place) for side, place in zip(SIDES, _places(connection.addresses, number), strict=True)}
    pieces = list(_pieces(connection))
    time = next((known for known in (connection.began, *(piece[3] for piece in pieces)) if known is not None), 0)
    for side, flags in (("client", SYN), ("server", SYN | ACK), ("client", ACK)):
        yield time, _frame(ends, side, flags)
        ends[side].next += flags & SYN != 0
    for side, offset, data, known in pieces:
        time = time + _STEP if known is None else max(time, known)
        for start in range(0, len(data), MSS):
            part = data[start : start + MSS]
            ends[side].next = ends[side].first + 1 + offset + start
            yield time, _frame(ends, side, ACK | (_PUSH if start + MSS >= len(data) else 0), part)
            ends[side].next += len(part)
        yield time, _frame(ends, other(side), ACK)
    for side in SIDES:
        stream: Stream = getattr(connection, side)
        end = ends[side].first + 1 + len(_prefix(connection, side)) + stream.length
        if end > ends[side].next:  # a gap that nothing follows: that it was received tells of it
            ends[side].next = end
            yield time, _frame(ends, other(side), ACK)
    for side in SIDES:
        if flags := _ENDS[getattr(connection, side).end]:
            yield time, _frame(ends, side, flags)
            ends[side].next += flags & FIN
            if flags & FIN:
                yield time, _frame(ends, other(side), ACK)


_ENDS = {"fin": FIN | ACK, "reset": RST | ACK, "open": 0}


def _pieces(connection: Connection) -> Iterator[tuple[str, int, bytes, int | None]]:
    """Side, offset in the TCP stream, bytes and time of each chunk, in order; first what was said before TLS."""
    before = {side: _prefix(connection, side) for side in SIDES}
    for side in SIDES:
        if before[side]:
            yield side, 0, before[side], connection.began
    chunks = [(chunk.order, side, chunk) for side in SIDES for chunk in getattr(connection, side).chunks]
    for _, side, chunk in sorted(chunks, key=lambda entry: entry[0]):
        yield side, len(before[side]) + chunk.offset, chunk.data, chunk.time


def _prefix(connection: Connection, side: str) -> bytes:
    return getattr(getattr(connection, "prefix", None), side, b"")


def _places(addresses: tuple[str, str], number: int) -> list[tuple[str, int]]:
    """Addresses and ports; where an end has none, or the two are of different families, made up."""
    found = [_place(address) for address in addresses]
    known = [place for place in found if place is not None]
    if len(known) == 2 and len({":" in address for address, _ in known}) == 1:
        return known
    (client, port), server = _PLACES["client"], _PLACES["server"]
    return [(client, port + number % 2**14), server]


def _place(address: str) -> tuple[str, int] | None:
    host, _, port = address.rpartition(":")
    try:
        return str(ip_address(host.strip("[]"))), int(port) & 0xFFFF
    except ValueError:
        return None


def _frame(ends: dict[str, _End], side: str, flags: int, data: bytes = b"") -> bytes:
    """One Ethernet frame from a side to the other, with right checksums."""
    lib, source, target = dpkt(), ends[side], ends[other(side)]
    ack = target.next % 2**32 if flags & ACK else 0
    tcp = lib.tcp.TCP(
        sport=source.port, dport=target.port, seq=source.next % 2**32, ack=ack, flags=flags, off=5, win=65535, data=data
    )
    if len(source.address) == 4:
        ip: Any = lib.ip.IP(src=source.address, dst=target.address, p=lib.ip.IP_PROTO_TCP, ttl=64, data=tcp)
        ip.len = len(ip)
    else:
        ip = lib.ip6.IP6(src=source.address, dst=target.address, nxt=lib.ip.IP_PROTO_TCP, hlim=64, plen=len(tcp), data=tcp)
        ip.extension_hdrs, ip.all_extension_headers = {}, []
    kind = lib.ethernet.ETH_TYPE_IP if len(source.address) == 4 else lib.ethernet.ETH_TYPE_IP6
    return bytes(lib.ethernet.Ethernet(src=source.mac, dst=target.mac, type=kind, data=bytes(ip)))
