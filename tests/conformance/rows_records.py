"""Refusals of the record layer: RFC 5246 sections 6 and 7.2, RFC 7905, RFC 7366 on the wire."""

from __future__ import annotations

from dataclasses import replace

from puretls.config import Limits
from puretls.extensions import EncryptThenMac
from puretls.messages.handshake import Finished
from puretls.messages.records import ApplicationData, ChangeCipherSpec, Record
from tests.conformance.row import CLIENT, SERVER, Row, both, data_from
from tests.support.breaks import Break, message, plain, record, wire
from tests.support.pair import fields_for, real, suite_named

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23


def first(change):
    """Of the records that match, the first only."""
    done = []

    def once(value):
        if done:
            return value
        done.append(1)
        return change(value)

    return once


def _set(**new):
    return lambda value: replace(value, **new)


# In the clear

ROWS = [
    *both("5246 6.2.1", "record of version 2.0", lambda side: wire(HANDSHAKE, lambda raw: raw[:1] + b"\2\0" + raw[3:]), "protocol_version"),
    *both("5246 6.2.1", "record of version 4.0", lambda side: wire(HANDSHAKE, lambda raw: raw[:1] + b"\4\0" + raw[3:]), "protocol_version"),
    *both(
        "5246 6.2.1", "record version 3.1 once 3.3 is agreed on", lambda side: record(DATA, _set(version=0x0301)), "protocol_version",
        act=data_from,
    ),
    *both("5246 6.2.1", "record version 3.4 in application data", lambda side: record(DATA, _set(version=0x0304)), "protocol_version",
          act=data_from),
    *both("5246 6.2.1", "plaintext of 2^14+1 bytes", lambda side: record(HANDSHAKE, first(lambda r: plain(HANDSHAKE, bytes(2**14 + 1)))),
          "record_overflow"),
    *both("5246 6.2.3", "ciphertext of 2^14+2049 bytes", lambda side: wire(DATA, lambda raw: b"\x17\3\3\x48\1" + bytes(2**14 + 2049)),
          "record_overflow", act=data_from),
    *both("5246 6.2.1", "protected plaintext of 2^14+1 bytes", lambda side: record(DATA, _set(fragment=bytes(2**14 + 1))), "record_overflow",
          act=data_from),
    *both("5246 6.2.1", "empty handshake record", lambda side: record(HANDSHAKE, first(lambda r: [plain(HANDSHAKE, b""), r])),
          "unexpected_message"),
    *both("5246 6.2.1", "empty alert record", lambda side: record(HANDSHAKE, first(lambda r: [plain(ALERT, b""), r])), "unexpected_message"),
    *both("5246 6.2.1", "empty ChangeCipherSpec record", lambda side: record(CCS, lambda r: plain(CCS, b"")), "unexpected_message"),
    *both("5246 6", "content type 24 (heartbeat)", lambda side: record(DATA, lambda r: [replace(r, type=24)]), "unexpected_message",
          act=data_from),
    *both("5246 6", "content type 0", lambda side: wire(HANDSHAKE, lambda raw: b"\0" + raw[1:]), "unexpected_message"),
    *both("5246 6", "content type 255", lambda side: wire(DATA, lambda raw: b"\xff" + raw[1:]), "unexpected_message", act=data_from),
    *both("5246 6", "content type 25 (of DTLS connection ids)", lambda side: wire(DATA, lambda raw: b"\x19" + raw[1:]), "unexpected_message",
          act=data_from),
    *both("5246 6.2.1", "application data record before the handshake",
          lambda side: record(HANDSHAKE, first(lambda r: [plain(DATA, b"early"), r])), "unexpected_message"),
    *both("5246 6.2.1", "application data between the fragments of a handshake message",
          lambda side: record(HANDSHAKE, first(lambda r: [plain(HANDSHAKE, r.fragment[:9]), plain(DATA, b"x"), plain(HANDSHAKE, r.fragment[9:])])),
          "unexpected_message"),
    *both("5246 7.3", "application data between ChangeCipherSpec and Finished",
          lambda side: message(Finished, lambda m: [ApplicationData(b"early"), m]), "unexpected_message"),
    *both("5246 7.1", "ChangeCipherSpec with the byte 2", lambda side: record(CCS, _set(fragment=b"\2")), "unexpected_message"),
    *both("5246 7.1", "ChangeCipherSpec with the byte 0", lambda side: record(CCS, _set(fragment=b"\0")), "unexpected_message"),
    *both("5246 7.1", "ChangeCipherSpec of two bytes", lambda side: record(CCS, _set(fragment=b"\1\1")), "unexpected_message"),
    *both("5246 7.1", "ChangeCipherSpec before anything else",
          lambda side: record(HANDSHAKE, first(lambda r: [plain(CCS, b"\1"), r])), "unexpected_message"),
    *both("5246 7.1", "second ChangeCipherSpec", lambda side: message(Finished, lambda m: [ChangeCipherSpec(1), m]), "unexpected_message"),
    *both("5246 6.2.3", "second ChangeCipherSpec, in the clear", lambda side: message(ChangeCipherSpec, lambda m: [m, m]), "bad_record_mac"),
    *both("5246 7.1", "ChangeCipherSpec inside a fragmented message",
          lambda side: record(HANDSHAKE, first(lambda r: [plain(HANDSHAKE, r.fragment[:9]), plain(CCS, b"\1"), plain(HANDSHAKE, r.fragment[9:])])),
          "unexpected_message"),
    *both("5246 7.1", "ChangeCipherSpec once connected", lambda side: record(DATA, lambda r: [plain(CCS, b"\1")]), "unexpected_message",
          act=data_from),
    *both("5246 7.1", "part of a message left over when the keys change",
          lambda side: record(CCS, lambda r: [plain(HANDSHAKE, b"\x14\0"), r]), "unexpected_message"),
    *both("5246 7.2", "alert of one byte", lambda side: record(HANDSHAKE, first(lambda r: [plain(ALERT, b"\1"), r])), "decode_error"),
    *both("5246 7.2", "alert of three bytes", lambda side: record(HANDSHAKE, first(lambda r: [plain(ALERT, b"\1\0\0"), r])), "decode_error"),
    *both("5246 7.2", "alert of level 0", lambda side: record(DATA, lambda r: [plain(ALERT, b"\0\x0a")]), "illegal_parameter", act=data_from),
    *both("5246 7.2", "alert of level 3", lambda side: record(DATA, lambda r: [plain(ALERT, b"\3\x0a")]), "illegal_parameter", act=data_from),
    *both("5246 7.2.2", "flood of warnings", lambda side: record(DATA, lambda r: [plain(ALERT, b"\1\x5a")] * 6), "unexpected_message",
          act=data_from),
    *both("5246 6.2.1", "flood of empty application data", lambda side: record(DATA, lambda r: [plain(DATA, b"")] * 40), "unexpected_message",
          act=data_from),
    *both("5246 6.1", "more records under one key than the limit", lambda side: record(DATA, lambda r: r), "internal_error",
          act=lambda side: data_from(side, times=9)),
    *both("5246 7.4", "message announced longer than the limit",
          lambda side: record(HANDSHAKE, first(lambda r: [plain(HANDSHAKE, r.fragment[:1] + b"\xff\xff\xff")])), "decode_error"),
    Row("5246 E.2", "hello in the format of SSL 2.0", SERVER, wire(HANDSHAKE, lambda raw: bytes.fromhex("802e010303001500000010")),
        "protocol_version"),
    Row("5246 6.2.1", "HTTP instead of TLS", SERVER, wire(HANDSHAKE, lambda raw: b"GET / HTTP/1.1\r\n\r\n"), "unexpected_message"),
    Row("5246 6.2.1", "HTTP instead of TLS", CLIENT, wire(HANDSHAKE, lambda raw: b"HTTP/1.1 400 Bad Request\r\n\r\n"), "unexpected_message"),
    Row("5246 6.2.1", "SMTP greeting instead of TLS", CLIENT, wire(HANDSHAKE, lambda raw: b"220 mail.test ESMTP\r\n"), "unexpected_message"),
]  # fmt: skip
for number, one in enumerate(ROWS):
    if "under one key" in one.what:  # only the refusing end counts so strictly
        ROWS[number] = replace(one, **{one.refuses: {"limits": Limits(records_per_key=8)}})


# Under keys: what is not authentic is bad_record_mac, whatever is wrong with it

ETM, MTE = {"extensions": (EncryptThenMac(),)}, {"extensions": (EncryptThenMac(enabled=False),)}
PROTECTIONS = {
    "GCM": ("5246 6.2.3.3", "TLS_PSK_WITH_AES_128_GCM_SHA256", {}),
    "CCM_8": ("5246 6.2.3.3", "TLS_PSK_WITH_AES_128_CCM_8", {}),
    "ChaCha20": ("7905 2", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", {}),
    "CBC": ("5246 6.2.3.2", "TLS_PSK_WITH_AES_128_CBC_SHA256", MTE),
    "encrypt-then-MAC": ("7366 3", "TLS_PSK_WITH_AES_256_CBC_SHA384", ETM),
    "RC4": ("5246 6.2.3.1", "TLS_PSK_WITH_RC4_128_SHA", {}),
}


def flip(position):
    def change(raw):
        touched = bytearray(raw)
        touched[position] ^= 1
        return bytes(touched)

    return change


def resized(change):
    """The fragment changed, the header's length along with it."""

    def changed(raw):
        new = change(raw[5:])
        return raw[:3] + len(new).to_bytes(2, "big") + new

    return changed


def swapped():
    """Two records in the other order."""
    held = []

    def change(raw):
        if not held:
            held.append(raw)
            return []
        return [raw, held[0]]

    return change


def skipped():
    """The first record never arrives, the second does."""
    return first(lambda raw: [])


TAMPERINGS = {
    "last byte flipped": (lambda: flip(-1), 1),
    "first byte of the fragment flipped": (lambda: flip(5), 1),
    "content type changed": (lambda: lambda raw: b"\x16" + raw[1:], 1),
    "a byte cut off": (lambda: resized(lambda fragment: fragment[:-1]), 1),
    "a byte added": (lambda: resized(lambda fragment: fragment + b"\0"), 1),
    "too short for a tag": (lambda: resized(lambda fragment: fragment[:5]), 1),
    "of no bytes": (lambda: resized(lambda fragment: b""), 1),
    "replayed": (lambda: lambda raw: [raw, raw], 1),
    "in the other order": (swapped, 2),
    "one left out": (skipped, 2),
}


def _tampered():
    for protection, (rfc, suite, more) in PROTECTIONS.items():
        client, server = fields_for(suite_named(suite))
        for what, (change, times) in TAMPERINGS.items():
            yield from both(
                rfc, f"{protection} record {what}", lambda side, change=change: wire(DATA, change()), "bad_record_mac",
                client=client | more | {"provider": real()}, server=server | more | {"provider": real()},
                act=lambda side, times=times: data_from(side, times=times),
            )  # fmt: skip


ROWS += _tampered()


def _finished_in_the_clear(side):
    """The Finished message without protection, after ChangeCipherSpec."""
    return Break("ciphertext", lambda raw, where: raw[0] == HANDSHAKE and where.epoch == 1, lambda raw: Record(22, 0x0303, b"\x14\0\0\x0c" + bytes(12)).to_bytes())


_GCM = fields_for(suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"))
ROWS += both("5246 7.1", "Finished in the clear after ChangeCipherSpec", _finished_in_the_clear, "bad_record_mac",
             client=_GCM[0] | {"provider": real()}, server=_GCM[1] | {"provider": real()})  # fmt: skip
