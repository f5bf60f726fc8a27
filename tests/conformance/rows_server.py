"""What clients do wrong after the hello, and the alert that a server answers with. See `row.Row`."""

from __future__ import annotations

from dataclasses import replace

from puretls import danger
from puretls.config import DEFAULT_SCHEMES, WEAK_SCHEMES
from puretls.crypto.keys import RsaPublicKey
from puretls.extensions import EncryptThenMac as EncryptThenMacExtension
from puretls.iana import NamedGroup, SignatureScheme
from puretls.messages import handshake as hs
from puretls.messages import key_exchange as kx
from puretls.messages.records import ApplicationData, ChangeCipherSpec, Record
from puretls.record.protection import MacThenEncrypt
from tests.conformance.row import SERVER, Row, data_from
from tests.support.breaks import Break, after, before, body, fields, message, record, wire
from tests.support.credentials import credential
from tests.support.pair import fields_for, real, suite_named

DECODE, ILLEGAL, UNEXPECTED, MAC, DECRYPT = (
    "decode_error", "illegal_parameter", "unexpected_message", "bad_record_mac", "decrypt_error",
)  # fmt: skip
REAL = {"provider": real()}
ROWS: list[Row] = []


def row(rfc, what, breaks, alert, setup=({}, {}), **more):
    ROWS.append(Row(rfc, what, SERVER, breaks, alert, setup[0] | REAL, setup[1] | REAL, **more))


def suite(name, **server):
    client, far = fields_for(suite_named(name))
    return client, far | server


CBC = suite("TLS_RSA_WITH_AES_128_CBC_SHA")
OLD_CBC = ({**CBC[0], "extensions": (EncryptThenMacExtension(enabled=False),)}, CBC[1])
ECDHE, DHE = suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), suite("TLS_DHE_RSA_WITH_AES_128_CBC_SHA")


# RSA key exchange: whatever is wrong, all goes on until Finished cannot be read (RFC 5246 7.4.7.1)

PUBLIC = credential("rsa2048").public_key
assert isinstance(PUBLIC, RsaPublicKey)
LENGTH = (PUBLIC.n.bit_length() + 7) // 8


def encrypted(block):
    return pow(int.from_bytes(block, "big"), PUBLIC.e, PUBLIC.n).to_bytes(LENGTH, "big")


def padded(premaster, type_=2, first=0, zero_at=None, separator=0):
    """A block of RSAES-PKCS1-v1_5 with one thing wrong."""
    filler = bytearray(b"\x5a" * (LENGTH - 3 - len(premaster)))
    if zero_at is not None:
        filler[zero_at] = 0
    return bytes((first, type_)) + bytes(filler) + bytes((separator,)) + premaster


GOOD = b"\3\3" + b"\x77" * 46
BAD_PREMASTERS = {
    "all zeros": bytes(LENGTH),
    "zeros of 128 bytes": bytes(128),
    "zeros of 384 bytes": bytes(384),
    "zeros of 512 bytes": bytes(512),
    "of no bytes": b"",
    "the modulus": PUBLIC.n.to_bytes(LENGTH, "big"),
    "the modulus and one": (PUBLIC.n + 1).to_bytes(LENGTH, "big"),
    "one": (1).to_bytes(LENGTH, "big"),
    "padding of type 1": encrypted(padded(GOOD, type_=1)),
    "padding of type 3": encrypted(padded(GOOD, type_=3)),
    "first byte 1": encrypted(padded(GOOD, first=1)),
    "zero at the beginning of the padding": encrypted(padded(GOOD, zero_at=0)),
    "zero early in the padding": encrypted(padded(GOOD, zero_at=2)),
    "zero at the end of the padding": encrypted(padded(GOOD, zero_at=-1)),
    "no separator": encrypted(padded(GOOD, separator=1)),
    "of 47 bytes": encrypted(padded(GOOD[:-1])),
    "of 49 bytes": encrypted(padded(GOOD + b"\1")),
    "of one byte": encrypted(padded(b"\3")),
    "of 124 bytes": encrypted(padded(b"\3\3" + b"\1" * 122)),
    "nothing but padding": encrypted(padded(b"")),
    "of version 3.2": encrypted(padded(b"\3\2" + GOOD[2:])),
    "of version 3.4": encrypted(padded(b"\3\4" + GOOD[2:])),
    "of version 2.3": encrypted(padded(b"\2\3" + GOOD[2:])),
    "of version 0.0": encrypted(padded(b"\0\0" + GOOD[2:])),
    "well-formed, but another": encrypted(padded(GOOD)),
}
for what, value in BAD_PREMASTERS.items():
    row("5246 7.4.7.1", f"premaster secret: {what}", fields(kx.ClientKeyExchangeRsa, encrypted_premaster_secret=value), MAC, CBC)


# Other shares

GROUP_P = real().group("ffdhe2048").p
for what, value, alert in (
    ("0", b"\0", ILLEGAL),
    ("1", b"\1", ILLEGAL),
    ("p-1", (GROUP_P - 1).to_bytes(256, "big"), ILLEGAL),
    ("p", GROUP_P.to_bytes(256, "big"), ILLEGAL),
    ("2^8192", (1 << 8192).to_bytes(1025, "big"), ILLEGAL),
    ("none", b"", DECODE),
    ("another", b"\5", MAC),
):
    row("5246 7.4.7.2", f"public value {what}", fields(kx.ClientKeyExchangeDh, dh_yc=value), alert, DHE)
for group, size in ((NamedGroup.X25519, 32), (NamedGroup.X448, 56)):
    setup = ECDHE[0] | {"groups": (group,)}, ECDHE[1]
    for what, value, alert in (
        ("a byte short", b"7" * (size - 1), ILLEGAL),
        ("a byte long", b"7" * (size + 1), ILLEGAL),
        ("none", b"", DECODE),
        ("0", bytes(size), ILLEGAL),
        ("1", b"\1" + bytes(size - 1), ILLEGAL),
        ("with the highest bit", b"7" * (size - 1) + b"\x80", MAC),
    ):
        row("8422 5.11", f"{group.name.lower()} share: {what}", fields(kx.ClientKeyExchangeEcdh, public=value), alert, setup)
P256 = ECDHE[0] | {"groups": (NamedGroup.SECP256R1,)}, ECDHE[1]
for what, change in {
    "(0, 0)": lambda point: b"\4" + bytes(64),
    "(0, 1)": lambda point: b"\4" + bytes(63) + b"\1",
    "y zero": lambda point: point[:33] + bytes(32),
    "y inverted at its end": lambda point: point[:-1] + bytes((point[-1] ^ 0xFF,)),
    "raw": lambda point: point[1:],
    "hybrid": lambda point: bytes((6 | point[-1] & 1,)) + point[1:],
    "compressed": lambda point: bytes((2 | point[-1] & 1,)) + point[1:33],
    "infinity": lambda point: b"\0",
}.items():
    breaks = message(kx.ClientKeyExchangeEcdh, lambda m, change=change: replace(m, public=change(m.public)))
    row("8422 5.11", f"P-256 share: {what}", breaks, ILLEGAL, P256)


# Finished, and records under keys

for place in (-1, -2, -6, -12):
    for value in (1, 0xFF):
        def changed(raw, place=place, value=value):
            touched = bytearray(raw)
            touched[place] ^= value
            return bytes(touched)

        row("5246 7.4.9", f"Finished, byte {place} xor {value}", Break("handshake", lambda raw, where: raw[0] == 20, changed), DECRYPT, CBC)
for change in (1, 8, 256, -1, -6, -12):
    breaks = body(20, lambda b, change=change: b + bytes(change) if change > 0 else b[:change])
    row("5246 7.4.9", f"Finished of {12 + change} bytes", breaks, DECODE, CBC)


class Crooked(MacThenEncrypt):
    """A protection whose plaintext, MAC and padding included, is `crook`ed before it is encrypted."""

    def __init__(self, straight, crook):
        self.__dict__.update(straight.__dict__)
        self._crook = crook

    def _pad(self, data):
        return self._crook(super()._pad(data))


def crooked(crook, data=b"GET / HTTP/1.0\r\n\r\n"):
    def act(make):
        joined = make().handshake()
        assert joined.connected, joined.story()
        client = joined.client.connection
        channel = danger.parts(client).outbound.channel
        channel.protection = Crooked(channel.protection, crook)
        client.send(data)
        return joined.run()

    return act


def poke(place, value):
    def crook(plain):
        touched = bytearray(plain)
        touched[place] ^= value
        return bytes(touched)

    return crook


def longest(crook):
    """All the padding there can be, then crooked."""

    def change(plain):
        count = plain[-1] + 1
        more = (256 - count) // 16 * 16
        return crook(plain[:-count] + bytes((count + more - 1,)) * (count + more))

    return change


for place in (-1, -2, -6, -12, -20, -240):
    for value in (1, 0xFF):
        row("5246 6.2.3.2", f"padding, byte {place} xor {value}", (), MAC, OLD_CBC, act=crooked(longest(poke(place, value))))
row("5246 6.2.3.2", "padding of zeros", (), MAC, OLD_CBC, act=crooked(lambda plain: plain[:-2] + b"\0" + plain[-1:], b"GET / HTTP"))
for place in (18, 19, 25, 37):
    row("5246 6.2.3.1", f"MAC, byte {place - 18} changed", (), MAC, OLD_CBC, act=crooked(poke(place, 1)))
for size in (16, 32, 48, 256, 2**14):
    for value in (0, 1, 15, 31, 127, 255):
        row("5246 6.2.3.2", f"{size} bytes {value} for plaintext", (), MAC, OLD_CBC,
            act=crooked(lambda plain, size=size, value=value: bytes((value,)) * size))  # fmt: skip
for place in (5, 21, 37, -1):
    def touched(raw, place=place):
        return raw[:place] + bytes((raw[place] ^ 1,)) + (raw[place + 1 :] if place != -1 else b"")

    row("5246 6.2.3.2", f"ciphertext, byte {place} of the record changed", wire(23, touched), MAC, OLD_CBC, act=data_from("client", b"x" * 50))


# Order

AGAIN = hs.ClientHello(0x0303, bytes(32), b"", (0x2F,), (0,), None)
for what, one in {"ClientKeyExchange": kx.ClientKeyExchangeRsa(b"x" * 256), "ClientHello": AGAIN}.items():
    row("5246 7.3", f"{what} between ChangeCipherSpec and Finished", before(hs.Finished, one), UNEXPECTED, CBC)
row("5246 7.3", "ClientHello before ClientKeyExchange", before(kx.ClientKeyExchange, AGAIN), UNEXPECTED, CBC)
row("5246 7.3", "ClientHello before ChangeCipherSpec", before(ChangeCipherSpec, AGAIN), UNEXPECTED, CBC)
row("5246 7.3", "ClientKeyExchange once connected", record(23, lambda r: Record(22, 0x0303, b"\x10\0\0\0")), UNEXPECTED, CBC, act=data_from("client"))
row("5246 7.3", "Finished once connected", record(23, lambda r: Record(22, 0x0303, b"\x14\0\0\x0c" + bytes(12))), UNEXPECTED, CBC, act=data_from("client"))
row("5246 7.3", "HelloRequest once connected", record(23, lambda r: Record(22, 0x0303, bytes(4))), UNEXPECTED, CBC, act=data_from("client"))
row("6520 4", "heartbeat once connected", record(23, lambda r: Record(24, 0x0303, b"\1\0\4test" + bytes(16))), UNEXPECTED, CBC, act=data_from("client"))
row("6520 4", "heartbeat in the handshake", record(20, lambda r: [Record(24, 0x0303, b"\1\x40\0test" + bytes(16)), r]), UNEXPECTED, CBC)
for type_, name in ((kx.ClientKeyExchange, "ClientKeyExchange"), (ChangeCipherSpec, "ChangeCipherSpec"), (hs.Finished, "Finished")):
    row("5246 10", f"application data before {name}", before(type_, ApplicationData(b"hello")), UNEXPECTED, CBC)


# Client certificates

def asked(kind="rsa2048", **server):
    client = {"credentials": (credential(kind, usage="client"),)}
    return ECDHE[0] | client, ECDHE[1] | {"client_authentication": "request"} | server


WEAK = tuple(DEFAULT_SCHEMES) + tuple(sorted(WEAK_SCHEMES))


def at(number, place, value):
    """One byte of a message's body xored."""
    return body(number, lambda b: b[:place] + bytes((b[place] ^ value,)) + b[place + 1 :])


for value in (1, 2, 0x10, 0x7F, 0x80, 0xFF):
    row("5246 7.4.6", f"length of the chain xor {value}", at(11, 1, value), DECODE, asked())
    row("5246 7.4.6", f"length of the certificate xor {value}", at(11, 4, value), DECODE, asked())
    row("5246 7.4.6", f"empty chain said to have {value} bytes", body(11, lambda b, value=value: b"\0\0" + bytes((value,))), DECODE, asked())
    row("5246 7.4.8", f"length of the signature xor {value}", at(15, 2, value), DECODE, asked())
for size in range(1, 6):
    nulls = b"\0\0" + bytes((size + 3,)) + b"\0\0" + bytes((size,)) + bytes(size)
    row("5246 7.4.2", f"certificate of {size} zeros", body(11, lambda b, nulls=nulls: nulls), "bad_certificate", asked())
row("5246 7.4.2", "a certificate of no bytes", body(11, lambda b: b"\0\0\3\0\0\0"), DECODE, asked())
for size in range(4):
    row("5246 7.4.8", f"signature of {size} bytes", fields(hs.CertificateVerify, signature=b"\xac\x96\x22\xdf"[:size]), DECRYPT, asked())
    row("5246 7.4.8", f"CertificateVerify of {size} bytes", body(15, lambda b, size=size: b[:size]), DECODE, asked())


def scheme_row(what, told, alert, kind="rsa2048", **server):
    row("5246 7.4.8", f"{kind}: {what}", fields(hs.CertificateVerify, algorithm=told), alert, asked(kind, **server))


S = SignatureScheme
scheme_row("MD5", 0x0101, ILLEGAL)
scheme_row("SHA-1, which is not asked for", S.RSA_PKCS1_SHA1, ILLEGAL)
scheme_row("SHA-1 told for another hash", S.RSA_PKCS1_SHA1, DECRYPT, signature_schemes=WEAK)
scheme_row("PKCS #1 told for PSS", S.RSA_PKCS1_SHA256, DECRYPT)
scheme_row("scheme of an RSASSA-PSS key", S.RSA_PSS_PSS_SHA256, ILLEGAL)
scheme_row("DSA", 0x0402, ILLEGAL)
scheme_row("Ed25519", S.ED25519, ILLEGAL)
scheme_row("MD5", 0x0103, ILLEGAL, "secp256r1")
scheme_row("another hash", S.ECDSA_SECP521R1_SHA512, DECRYPT, "secp256r1")
scheme_row("SHA-1, which is not asked for", S.ECDSA_SHA1, ILLEGAL, "secp256r1")
scheme_row("Ed448", S.ED448, ILLEGAL, "ed25519")
scheme_row("ECDSA", S.ECDSA_SECP521R1_SHA512, ILLEGAL, "ed25519")
scheme_row("MD5", 0x0103, ILLEGAL, "ed448")
row("5246 7.4.6", "no certificate where one is needed", (), "handshake_failure",
    (ECDHE[0], ECDHE[1] | {"client_authentication": "require"}))  # fmt: skip
row("5246 7.4.6", "the Certificate left out", message(hs.Certificate, lambda m: []), UNEXPECTED, asked())
row("5246 7.4.8", "CertificateVerify twice", after(hs.CertificateVerify, hs.CertificateVerify(S.RSA_PKCS1_SHA256, bytes(256))), UNEXPECTED, asked())


# ChangeCipherSpec

row("5246 7.1", "ChangeCipherSpec between the parts of ClientKeyExchange",
    record(22, lambda r: [Record(22, 0x0303, r.fragment[:2]), Record(20, 0x0303, b"\1")] if r.fragment[0] == 16 else r), UNEXPECTED, ECDHE)  # fmt: skip
row("5246 7.1", "ChangeCipherSpec right after the hello", after(hs.ClientHello, ChangeCipherSpec(1)), UNEXPECTED, ECDHE)
row("5246 7.1", "ten of them", message(ChangeCipherSpec, lambda m: [m] * 10), MAC, ECDHE)

