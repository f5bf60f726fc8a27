"""Packets and capture files, made byte by byte and without the library that reads them: what a test wants to have captured."""

import struct
from itertools import count
from typing import NamedTuple

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("10.0.0.1", 49152), ("10.0.0.2", 443)
CLIENT6, SERVER6 = ("2001:db8::1", 49152), ("2001:db8::2", 443)


class Sent(NamedTuple):
    """A segment as an end sends it."""

    source: tuple
    target: tuple
    seq: int
    ack: int | None
    flags: int
    data: bytes = b""


def packed(address):
    from ipaddress import ip_address

    return ip_address(address).packed


def tcp(sent):
    options = b"\x01\x01\x08\x0a" + bytes(8)
    flags = sent.flags | (ACK if sent.ack is not None else 0)
    head = struct.pack(
        ">HHIIHHHH", sent.source[1], sent.target[1], sent.seq % 2**32, (sent.ack or 0) % 2**32, 8 << 12 | flags, 65535, 0, 0
    )
    return head + options + sent.data


def ipv4(source, target, payload, *, identification=0, place=0, options=b"", protocol=6):
    head = struct.pack(
        ">BBHHHBBH4s4s",
        0x40 | 5 + len(options) // 4, 0, 20 + len(options) + len(payload), identification, place, 64, protocol, 0, packed(source), packed(target),
    )  # fmt: skip
    return head + options + payload


def ipv6(source, target, payload, *, extensions=(), protocol=6):
    """`extensions` are kind and body (without the octet for what comes next), in order."""
    kinds = [kind for kind, _ in extensions] + [protocol]
    body = b"".join(bytes([following]) + rest for following, (_, rest) in zip(kinds[1:], extensions, strict=True)) + payload
    return struct.pack(">IHBB16s16s", 6 << 28, len(body), kinds[0], 64, packed(source), packed(target)) + body


def ip(sent):
    make = ipv6 if ":" in sent.source[0] else ipv4
    return make(sent.source[0], sent.target[0], tcp(sent))


def fragments(sent, size, identification):
    """An IPv4 or IPv6 datagram in fragments of `size` bytes, which is a multiple of 8."""
    whole = tcp(sent)
    made = []
    for start in range(0, len(whole), size):
        more, part = start + size < len(whole), whole[start : start + size]
        if ":" in sent.source[0]:
            body = struct.pack(">BHI", 0, start | more, identification)
            made.append(ipv6(sent.source[0], sent.target[0], part, extensions=[(44, body)]))
        else:
            made.append(ipv4(sent.source[0], sent.target[0], part, identification=identification, place=start // 8 | more << 13))
    return made


def ethertype(packet):
    return b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"


def ethernet(packet, *tags):
    return bytes.fromhex("020000000001 020000000002") + b"".join(tags) + ethertype(packet) + packet


def null(order, family6):
    return lambda packet: struct.pack(order + "I", family6 if packet[0] >> 4 == 6 else 2) + packet


LINKS = {
    "Ethernet": (1, ethernet),
    "Ethernet, padded": (1, lambda packet: ethernet(packet) + bytes(7)),
    "VLAN": (1, lambda packet: ethernet(packet, b"\x81\x00\x00\x05")),
    "QinQ": (1, lambda packet: ethernet(packet, b"\x88\xa8\x00\x05", b"\x81\x00\x00\x07")),
    "Linux cooked": (113, lambda packet: bytes(14) + ethertype(packet) + packet),
    "Linux cooked v2": (276, lambda packet: ethertype(packet) + bytes(18) + packet),
    "Linux cooked, VLAN": (113, lambda packet: bytes(14) + b"\x81\x00\x00\x05" + ethertype(packet) + packet),
    "null, little-endian": (0, null("<", 30)),
    "null, big-endian": (0, null(">", 24)),
    "loopback": (108, null(">", 28)),
    "raw": (101, bytes),
    "raw of BSD": (12, bytes),
    "raw of OpenBSD": (14, bytes),
}
"""Name -> LINKTYPE_ number, and what makes a frame of an IP packet."""


def pcap(frames, *, link=1, order="<", nanoseconds=False, snap=2**18):
    """Frames are time in nanoseconds and bytes; `snap` cuts them."""
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    made = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for time, frame in frames:
        cut = frame[:snap]
        made.append(struct.pack(order + "IIII", time // 10**9, time % 10**9 // unit, len(cut), len(frame)) + cut)
    return b"".join(made)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def section(order="<"):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order="<", *, link=1, resolution=None, offset=None, snap=2**18):
    options = b""
    if resolution is not None:
        options += struct.pack(order + "HHB3x", 9, 1, resolution)
    if offset is not None:
        options += struct.pack(order + "HHq", 14, 8, offset)
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options + bytes(4))


def enhanced(order, number, ticks, frame, length=None):
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), length or len(frame))
    return block(order, 6, head + frame)


def secrets(order, text, kind=0x544C534B):
    return block(order, 10, struct.pack(order + "II", kind, len(text)) + text)


def pcapng(frames, *, link=1, order="<", nanoseconds=False):
    unit = 1 if nanoseconds else 1000
    made = [section(order), interface(order, link=link, resolution=9 if nanoseconds else None)]
    return b"".join(made + [enhanced(order, 0, time // unit, frame) for time, frame in frames])


class Talk:
    """A TCP connection: what each end sends in turn, as segments with right numbers and acknowledgements."""

    def __init__(self, turns, *, client=CLIENT, server=SERVER, first=(1000, 2000), size=100, shake=True, close=True):
        self.ends = {"client": client, "server": server}
        self.next = dict(zip(self.ends, first, strict=True))
        self.sent = []
        if shake:
            self.say("client", SYN, acknowledge=False)
            self.say("server", SYN)
            self.say("client", 0)
        else:
            self.next = {side: number + 1 for side, number in self.next.items()}
        for side, data in turns:
            for start in range(0, len(data), size):
                self.say(side, PSH, data[start : start + size])
        if close:
            self.say("client", FIN)
            self.say("server", FIN)
            self.say("client", 0)

    def say(self, side, flags, data=b"", *, acknowledge=True):
        other = "server" if side == "client" else "client"
        ack = self.next[other] if acknowledge else None
        self.sent.append(Sent(self.ends[side], self.ends[other], self.next[side], ack, flags, data))
        self.next[side] += len(data) + bool(flags & (SYN | FIN))


BEGAN = 1_795_000_000_123_456_000


def timed(packets, step=1_000_000):
    return [(BEGAN + number * step, packet) for number, packet in zip(count(), packets)]


def captured(sent, link="Ethernet", write=pcap, **more):
    """A file of these segments."""
    number, frame = LINKS[link]
    return write([(time, frame(packet)) for time, packet in timed(map(ip, sent))], link=number, **more)
