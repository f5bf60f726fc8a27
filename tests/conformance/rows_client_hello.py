"""ClientHellos written by hand, and what a server makes of each: rows of (RFC and section, what, bytes, expected).

Expected is the name of an alert, or an `Answer`: the suite chosen and the extensions answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from puretls.iana import ExtensionType as T

RSA, ECDHE, DHE, ECDSA = 0x002F, 0xC013, 0x0033, 0xC009
GCM, SCSV, FALLBACK = 0xC02F, 0x00FF, 0x5600
SHA256_RSA, SHA1_RSA, MD5_RSA = b"\4\1", b"\2\1", b"\1\1"
DECODE, ILLEGAL, FAILURE = "decode_error", "illegal_parameter", "handshake_failure"


@dataclass(frozen=True)
class Answer:
    """A ServerHello. None: not looked at."""

    suite: int | None = None
    extensions: frozenset | None = None


def answer(suite=None, *extensions):
    return Answer(suite, frozenset(extensions))


ANY = Answer()
SECURE = T.RENEGOTIATION_INFO


def u16(number):
    return number.to_bytes(2, "big")


def ext(type_, data=b""):
    return u16(type_) + u16(len(data)) + data


def vector(data, length=2):
    """`data` behind its length of so many bytes."""
    return len(data).to_bytes(length, "big") + data


def numbers(*items):
    return vector(b"".join(map(u16, items)))


def hello(*extensions, version=b"\3\3", session=b"", suites=(RSA, SCSV), compression=b"\0", block=None, type_=1):
    """A ClientHello, header included; without extensions there is no block of them, unless `block` gives one."""
    body = version + bytes(range(32)) + vector(session, 1) + numbers(*suites) + vector(compression, 1)
    if extensions:
        block = vector(b"".join(extensions))
    body += block or b""
    return bytes((type_,)) + len(body).to_bytes(3, "big") + body


def records(message, version=b"\3\1", size=2**14):
    """A message in handshake records of at most `size` bytes."""
    return b"".join(b"\x16" + version + vector(message[at : at + size]) for at in range(0, len(message), size))


def schemes(*pairs):
    return ext(T.SIGNATURE_ALGORITHMS, vector(b"".join(pairs)))


def groups(*items):
    return ext(T.SUPPORTED_GROUPS, numbers(*items))


SIGN = schemes(SHA256_RSA, b"\4\3")
P256 = groups(0x17)
ROWS = []


def row(rfc, what, message, expected, **more):
    ROWS.append((rfc, what, records(message, **more), expected))


# Versions

for version in (b"\3\3", b"\3\4", b"\4\1", b"\6\3", b"\xfe\xfe"):
    row("5246 E.1", f"client_version {version.hex('.')}", hello(version=version), answer(RSA, SECURE))
for version in (b"\0\0", b"\0\1", b"\0\2", b"\1\0", b"\1\3", b"\2\0", b"\3\0", b"\3\1", b"\3\2"):
    row("5246 E.1", f"client_version {version.hex('.')}", hello(version=version), "protocol_version")
for version in (b"\3\0", b"\3\1", b"\3\3", b"\3\4", b"\3\xfe"):
    row("5246 E.1", f"record version {version.hex('.')}", hello(), answer(RSA, SECURE), version=version)
for version in (b"\0\2", b"\2\0", b"\4\0"):
    row("5246 6.2.1", f"record version {version.hex('.')}", hello(), "protocol_version", version=version)
row("5246 E.1", "high versions everywhere", hello(version=b"\xfe\xfe"), ANY, version=b"\3\xfe")
for place in range(3):
    suites = [RSA, SCSV]
    suites.insert(place, FALLBACK)
    row("7507 3", f"fallback at {place}, nothing newer here", hello(suites=suites), answer(RSA, SECURE))
    row("7507 3", f"fallback at {place}, from a later version", hello(suites=suites, version=b"\3\4"), answer(RSA, SECURE))
    row("7507 3", f"fallback at {place}, to TLS 1.1", hello(suites=suites, version=b"\3\2"), "inappropriate_fallback")
row("8446 4.2.1", "supported_versions with TLS 1.3 first", hello(ext(T.SUPPORTED_VERSIONS, b"\4\3\4\3\3")), answer(RSA, SECURE))
row("8446 4.2.1", "supported_versions without TLS 1.2", hello(ext(T.SUPPORTED_VERSIONS, b"\2\3\4")), "protocol_version")
for type_ in (0, *range(2, 256)):
    row("5246 7.3", f"message of type {type_} for a hello", hello(type_=type_), "unexpected_message")


# Lengths inside

for length in (1, 16, 31, 32):
    row("5246 7.4.1.2", f"unknown session id of {length} bytes", hello(session=b"\3" * length), answer(RSA, SECURE))
for length in (33, 64, 255):
    row("5246 7.4.1.2", f"session id of {length} bytes", hello(session=b"\3" * length), DECODE)


def poked(message, **places):
    """Bytes at places of the message set, its own length left alone."""
    changed = bytearray(message)
    for place, value in places.items():
        changed[int(place[1:])] = value
    return bytes(changed)


PLAIN, WITH = hello(), hello(ext(SECURE, b"\0"), suites=(RSA,))
for value in range(1, 256):
    row("5246 7.4.1.2", f"session id said to have {value} bytes", poked(PLAIN, _38=value), DECODE)
    row("5246 7.4.1.2", f"session id said to have {value} bytes, extensions", poked(WITH, _38=value), DECODE)
    row("5246 7.4.1.2", f"suites said to have {4 ^ value} bytes", poked(PLAIN, _40=4 ^ value), DECODE)
    row("5246 7.4.1.2", f"suites said to have {2 ^ value} bytes, extensions", poked(WITH, _40=2 ^ value), DECODE)
    row("5246 7.4.1.2", f"compression said to have {1 ^ value} bytes", poked(PLAIN, _45=1 ^ value), DECODE)
    if 1 ^ value != 8:  # which makes compression methods of the extensions
        row("5246 7.4.1.2", f"compression said to have {1 ^ value} bytes, extensions", poked(WITH, _43=1 ^ value), DECODE)
    row("5246 7.4.1.4", f"extensions said to have {5 ^ value} bytes", poked(WITH, _46=5 ^ value), DECODE)
for high in (1, 2, 16, 128, 254, 255):
    for low in (0, 1, 2, 4, 5, 255):
        row("5246 7.4.1.2", f"suites said to have {high << 8 | low} bytes", poked(PLAIN, _39=high, _40=low), DECODE)
        row("5246 7.4.1.4", f"extensions said to have {high << 8 | low} bytes", poked(WITH, _45=high, _46=low), DECODE)


def resized(message, change):
    """More or fewer bytes at the end, the header's length along with them."""
    body = message[4:] + bytes(change) if change > 0 else message[4:][: len(message) - 4 + change]
    return message[:1] + len(body).to_bytes(3, "big") + body


for change in (1, 2, 3, 256, 4096, 2**16, 2**17 + 512, -1, -2, -3, -4, -5, -6, -8, -9, -10, -13, -32, -39, -47, -48):
    row("5246 7.4.1.2", f"{change:+} bytes at the end", resized(WITH, change), DECODE)
for length in (2**18 + 1, 2**24 - 1):
    row("5246 7.4", f"hello announced with {length} bytes", b"\1" + length.to_bytes(3, "big") + bytes(100), DECODE)
row("5246 7.4.1.4", "extension behind the block", hello(block=b"\0\0" + ext(SECURE, b"\0")), DECODE)
row("5246 7.4.1.4", "empty block of extensions", hello(block=b"\0\0"), answer(RSA, SECURE))


# Suites and compression

row("5246 7.4.1.2", "compression 1 alone", hello(compression=b"\1"), ILLEGAL)
row("5246 7.4.1.2", "all compressions but none", hello(compression=bytes(range(1, 256))), ILLEGAL)
row("5246 7.4.1.2", "no compression last", hello(compression=bytes(range(255, -1, -1))[1:]), ANY)
for what, suites in {
    "the SCSV alone": (SCSV,),
    "suites of TLS 1.3": (0x1301, 0x1302, 0x1303, SCSV),
    "export suites": (3, 6, 8, 0x14, 0x17, 0x62, 0x64),
    "suites without encryption": (0, 1, 2, 0x3B),
    "anonymous suites": (0x18, 0x34, 0xC018),
    "GREASE": (0x0A0A, 0xFAFA),
    "4,097 unknown suites": range(0x2000, 0x3001),
}.items():
    row("5246 7.4.1.3", what, hello(suites=suites), FAILURE)
row("5246 7.4.1.2", "32,767 suites", hello(suites=(*range(0x100, 0x100 + 22015), *range(0x5601, 0x5601 + 10750), RSA, SCSV)), answer(RSA, SECURE))
row("5246 7.4.1.2", "a suite many times", hello(suites=(RSA,) * 1000), answer(RSA))


# Signature algorithms

T_SIGN = T.SIGNATURE_ALGORITHMS
for what, pairs in {
    "of unknown hashes and signatures": (b"\4\x18", b"\x18\1", b"\x0a\x0a", b"\xff\xff"),
    "MD5": (MD5_RSA,),
    "SHA-1": (SHA1_RSA,),
    "for other keys": (b"\4\2",),
    "for RSASSA-PSS keys": (b"\x08\x09", b"\x08\x0a", b"\x08\x0b"),
}.items():
    row("5246 7.4.1.4.1", f"only algorithms {what}", hello(schemes(*pairs), P256, suites=(ECDHE, DHE, SCSV)), FAILURE)
    row("5246 7.4.1.4.1", f"only algorithms {what}, nothing to sign", hello(schemes(*pairs), suites=(RSA,)), answer(RSA))
row("9155 2", "no signature_algorithms, which stands for SHA-1", hello(P256, suites=(ECDHE, DHE)), FAILURE)
for what, data in {
    "empty": b"",
    "empty list": b"\0\0",
    "odd list": b"\0\3\4\1\4",
    "list longer than the extension": b"\0\4\4\1",
    "list shorter than the extension": b"\0\2\4\1\2\1",
    "half a length": b"\0",
}.items():
    for type_ in (T_SIGN, T.SIGNATURE_ALGORITHMS_CERT, T.SUPPORTED_GROUPS):
        row("5246 7.4.1.4.1", f"{type_.name.lower()}: {what}", hello(ext(type_, data)), DECODE)
MANY = [bytes((a, b)) for a in range(10, 224) for b in range(10, 163)]
row("5246 7.4.1.4.1", "32,743 algorithms", hello(schemes(*MANY, SHA256_RSA), suites=(ECDHE, SCSV)), answer(ECDHE, SECURE))
row("5246 7.4.1.4.1", "an unknown algorithm first", hello(schemes(b"\0\1", MD5_RSA, SHA256_RSA), suites=(ECDHE, SCSV)), answer(ECDHE, SECURE))
row("5246 7.4.1.4.1", "an algorithm 8,000 times", hello(schemes(*[b"\2\2"] * 8000, SHA256_RSA), suites=(ECDHE, SCSV)), answer(ECDHE, SECURE))


# Groups and points

row("8422 5.1.1", "unknown groups: back to DHE", hello(SIGN, groups(11200, 1), suites=(ECDHE, DHE)), answer(DHE))
row("8422 5.1.1", "unknown groups, curves only", hello(SIGN, groups(11200, 1), suites=(ECDHE,)), FAILURE)
row("8422 5.1.1", "groups of ML-KEM only", hello(SIGN, groups(0x11EC, 0x11EB, 25497), suites=(ECDHE, ECDSA)), FAILURE)
row("8422 5.1.1", "no list of groups", hello(SIGN, suites=(ECDHE,)), answer(ECDHE))
row("7919 4", "unknown finite field and no other way", hello(SIGN, groups(0x01FF), suites=(DHE, 0x3B)), "insufficient_security")
row("7919 4", "unknown finite field: back to RSA", hello(SIGN, groups(0x01FF), suites=(DHE, RSA)), answer(RSA))
for group in (0x0100, 0x0101, 0x0102):
    row("7919 4", f"unknown finite field beside {group:#x}", hello(SIGN, groups(0x01FF, group), suites=(DHE,)), answer(DHE))
POINTS = T.EC_POINT_FORMATS
row("8422 5.1.2", "all forms of points", hello(SIGN, P256, ext(POINTS, b"\3\0\1\2"), suites=(ECDHE,)), answer(ECDHE, POINTS))
row("8422 5.1.2", "uncompressed form last", hello(SIGN, P256, ext(POINTS, b"\3\1\2\0"), suites=(ECDHE,)), answer(ECDHE, POINTS))
row("8422 5.1.2", "no curves agreed on", hello(SIGN, P256, ext(POINTS, b"\1\0"), suites=(RSA,)), answer(RSA))
row("8422 5.1.2", "forms of points missing", hello(SIGN, P256, suites=(ECDHE,)), answer(ECDHE))
row("8422 5.1.2", "compressed points only", hello(SIGN, P256, ext(POINTS, b"\2\1\2"), suites=(ECDHE,)), ILLEGAL)
for what, data in {"empty": b"", "empty list": b"\0", "too long": b"\2\0", "too short": b"\1\0\0"}.items():
    row("8422 5.1.2", f"points: {what}", hello(SIGN, P256, ext(POINTS, data), suites=(ECDHE,)), DECODE)


# Flags: extensions of no bytes, and what is answered

for type_, rfc in ((T.EXTENDED_MASTER_SECRET, "7627 5.1"), (T.ENCRYPT_THEN_MAC, "7366 3")):
    row(rfc, f"{type_.name.lower()} with a byte", hello(ext(type_, b"\0")), DECODE)
    row(rfc, f"{type_.name.lower()}", hello(ext(type_)), answer(RSA, SECURE, type_))
row("7366 3", "encrypt_then_mac and a suite without CBC", hello(SIGN, P256, ext(T.ENCRYPT_THEN_MAC), suites=(GCM,)), answer(GCM))
row("5746 3.6", "extension and SCSV", hello(ext(SECURE, b"\0")), answer(RSA, SECURE))
row("5746 3.6", "neither extension nor SCSV", hello(suites=(RSA,)), answer(RSA))
row("5746 3.6", "verify_data in a first hello", hello(ext(SECURE, b"\x0c" + bytes(12))), FAILURE)
for what, data in {"empty": b"", "too long": b"\1", "too short": b"\0\0"}.items():
    row("5746 3.2", f"renegotiation_info: {what}", hello(ext(SECURE, data)), DECODE)
for type_, data, what in (
    (15, b"\1", "heartbeat"),
    (15, b"\0", "heartbeat in a mode there is not"),
    (13172, b"", "next_protocol_negotiation"),
    (30032, b"", "channel id"),
    (49, b"", "post_handshake_auth"),
    (51, b"\0\0", "key_share"),
    (45, b"\1\1", "psk_key_exchange_modes"),
    (0x0A0A, b"\0", "GREASE"),
    (80, bytes(2**16 - 5), "unknown extension of 65,531 bytes"),
    (21, bytes(2**16 - 5), "padding of 65,531 bytes"),
    (18, b"", "signed_certificate_timestamp, and there are none"),
    (5, b"\1\0\0\0\0", "status_request, and there is none"),
):
    row("5246 7.4.1.4", f"{what} is passed over", hello(ext(type_, data)), answer(RSA, SECURE))
for count in (31, 64, 1024, 4096, 16382):
    row("5246 7.4.1.4", f"{count} unknown extensions, then ours", hello(*map(ext, range(90, 89 + count)), ext(SECURE, b"\0"), suites=(RSA,)), answer(RSA, SECURE))
row("5246 7.4.1.4", "unknown extension twice", hello(ext(80), ext(81), ext(80)), DECODE)
row("5246 7.4.1.4", "renegotiation_info twice", hello(ext(SECURE, b"\0"), ext(SECURE, b"\0")), DECODE)


# server_name (the server's certificate is for server.test)

def names(*entries):
    return ext(T.SERVER_NAME, vector(b"".join(bytes((kind,)) + vector(name) for kind, name in entries)))


SNI = T.SERVER_NAME
row("6066 3", "the name of the certificate", hello(names((0, b"server.test"))), answer(RSA, SECURE, SNI))
row("6066 3", "another name", hello(names((0, b"other.test"))), answer(RSA, SECURE))
row("6066 3", "a name of an unknown type first", hello(names((1, bytes(24)), (0, b"server.test"))), answer(RSA, SECURE, SNI))
row("6066 3", "a name of an unknown type last", hello(names((0, b"server.test"), (1, bytes(24)))), answer(RSA, SECURE, SNI))
row("6066 3", "two names", hello(names((0, b"server.test"), (0, b"www.server.test"))), ILLEGAL)
for what, name in {"NUL": b"server.tes\0t", "BEL": b"server.tes\7t", "UTF-8": b"server.tes\xc4\x85t", "ESC": b"server.test\x1b[31m"}.items():
    row("6066 3", f"a name with {what}", hello(names((0, name))), ILLEGAL)
for what, data in {
    "empty": b"",
    "empty list": b"\0\0",
    "empty name": vector(b"\0\0\0"),
    "bytes behind the list": vector(b"\0\0\1e") + b"x",
    "list too long": b"\xff\xff\xff\xff",
}.items():
    row("6066 3", f"server_name: {what}", hello(ext(SNI, data)), DECODE)


# ALPN (the server has h2 and http/1.1)

ALPN = T.APPLICATION_LAYER_PROTOCOL_NEGOTIATION


def protocols(*items):
    return ext(ALPN, vector(b"".join(vector(item, 1) for item in items)))


row("7301 3.2", "a protocol of ours", hello(protocols(b"http/1.1")), answer(RSA, SECURE, ALPN))
row("7301 3.2", "its beginning first", hello(protocols(b"http/1.", b"http/1.1")), answer(RSA, SECURE, ALPN))
row("7301 3.2", "its beginning only", hello(protocols(b"http/1.")), "no_application_protocol")
row("7301 3.2", "one like it", hello(protocols(b"http/1.X")), "no_application_protocol")
row("7301 3.1", "256 protocols", hello(protocols(*[b"A" * 255] * 255, b"http/1.1")), answer(RSA, SECURE, ALPN))
for what, data in {
    "empty": b"",
    "empty list": b"\0\0",
    "empty name": b"\0\1\0",
    "list too short": b"\0\x09\x08http/1.1\6http/2",
    "list too long": b"\0\x12\x08http/1.1\6http/2",
    "name too long": b"\0\x10\x08http/1.1\x08http/2",
}.items():
    row("7301 3.1", f"ALPN: {what}", hello(ext(ALPN, data)), DECODE)


# Lengths of records (the server has record_size_limit)

LIMIT, FRAGMENT = T.RECORD_SIZE_LIMIT, T.MAX_FRAGMENT_LENGTH
for size in (64, 2**14, 2**14 + 1, 2**16 - 1):
    row("8449 4", f"limit of {size} bytes", hello(ext(LIMIT, u16(size))), answer(RSA, SECURE, LIMIT))
for size in (0, 63):
    row("8449 4", f"limit of {size} bytes", hello(ext(LIMIT, u16(size))), ILLEGAL)
row("8449 5", "limit and fragment length", hello(ext(FRAGMENT, b"\1"), ext(LIMIT, b"\x40\1")), answer(RSA, SECURE, LIMIT))
for code in (1, 2, 3, 4):
    row("6066 4", f"fragment length {code}", hello(ext(FRAGMENT, bytes((code,)))), answer(RSA, SECURE, FRAGMENT))
for code in (0, 5, 255):
    row("6066 4", f"fragment length {code}", hello(ext(FRAGMENT, bytes((code,)))), ILLEGAL)
for what, data in {"empty": b"", "too long": b"\0\x40\0"}.items():
    row("8449 4", f"limit: {what}", hello(ext(LIMIT, data)), DECODE)
    row("6066 4", f"fragment length: {what}", hello(ext(FRAGMENT, data)), DECODE)


# Tickets

row("5077 3.2", "no ticket yet", hello(ext(T.SESSION_TICKET)), answer(RSA, SECURE, T.SESSION_TICKET))
for what, ticket in {"of garbage": bytes(200), "of one byte": b"x", "of our key's name": b"k" * 16, "as long as can be": bytes(65000)}.items():
    row("5077 3.4", f"ticket {what}", hello(ext(T.SESSION_TICKET, ticket)), answer(RSA, SECURE, T.SESSION_TICKET))


# status_request

STATUS = T.STATUS_REQUEST
IDS = vector(b"".join(vector(b"\xa2\x16\4\x14" + bytes(20)) for _ in range(626)))
row("6066 8", "626 responders", hello(ext(STATUS, b"\1" + IDS + b"\0\0")), answer(RSA, SECURE))
row("6066 8", "status of an unknown type", hello(ext(STATUS, b"\x09garbage")), answer(RSA, SECURE))
for what, data in {"empty": b"", "type alone": b"\1", "too short": b"\1\0\0\0", "too long": b"\1\0\0\0\0\0", "empty responder": b"\1\0\2\0\0\0\0"}.items():
    row("6066 8", f"status_request: {what}", hello(ext(STATUS, data)), DECODE)
