"""Refusals of hello extensions: RFC 5246 7.4.1.4, RFC 6066, 7301, 8449, 7366, 7627, 8422, 5077 and more."""

from __future__ import annotations

from dataclasses import replace

from puretls import extensions as ext
from puretls.iana import ExtensionType as T
from puretls.messages.handshake import ClientHello, ServerHello
from tests.conformance.row import CLIENT, SERVER, Row, data_from
from tests.conformance.rows_handshake import ECDHE, PSK, STAPLED, TICKET, suite
from tests.support.breaks import add_extension, extension, record, twice
from tests.support.credentials import credential

ROWS: list[Row] = []
CBC = suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")
RC4 = suite("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA")
DECODE, ILLEGAL, UNSUPPORTED = "decode_error", "illegal_parameter", "unsupported_extension"


def S(rfc, what, breaks, alert, setup=({}, {}), **more):
    return Row(rfc, what, SERVER, breaks, alert, setup[0], setup[1], **more)


def C(rfc, what, breaks, alert, setup=({}, {}), **more):
    return Row(rfc, what, CLIENT, breaks, alert, setup[0], setup[1], **more)


def on(*extensions):
    return {"extensions": extensions}


ALPN = (on(ext.Alpn("h2", "http/1.1")), on(ext.Alpn("h2", "http/1.1")))
FRAGMENT = (on(ext.MaxFragmentLength(512)), {})
LIMIT = (on(ext.RecordSizeLimit(256)), on(ext.RecordSizeLimit(512)))
SCT = ({}, {"credentials": (replace(credential(), sct_list=b"\0\3\0\1x"),)})
PADDED = (on(ext.Padding(512)), {})
CERT_SCHEMES = (on(ext.SignatureAlgorithmsCert((0x0403,))), {})

# How each extension comes into a hello: type, RFC, setup that makes the client offer it, whether a server answers it then
OFFERED = [
    ("server_name", T.SERVER_NAME, "6066 3", ({}, {}), True),
    ("max_fragment_length", T.MAX_FRAGMENT_LENGTH, "6066 4", FRAGMENT, True),
    ("status_request", T.STATUS_REQUEST, "6066 8", STAPLED, True),
    ("supported_groups", T.SUPPORTED_GROUPS, "8422 5.1.1", ({}, {}), False),
    ("ec_point_formats", T.EC_POINT_FORMATS, "8422 5.1.2", ({}, {}), True),
    ("signature_algorithms", T.SIGNATURE_ALGORITHMS, "5246 7.4.1.4.1", ({}, {}), False),
    ("alpn", T.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, "7301 3.1", ALPN, True),
    ("signed_certificate_timestamp", T.SIGNED_CERTIFICATE_TIMESTAMP, "6962 3.3.1", SCT, True),
    ("padding", T.PADDING, "7685 3", PADDED, False),
    ("encrypt_then_mac", T.ENCRYPT_THEN_MAC, "7366 2", CBC, True),
    ("extended_master_secret", T.EXTENDED_MASTER_SECRET, "7627 5.1", ({}, {}), True),
    ("record_size_limit", T.RECORD_SIZE_LIMIT, "8449 4", LIMIT, True),
    ("session_ticket", T.SESSION_TICKET, "5077 3.2", TICKET, True),
    ("signature_algorithms_cert", T.SIGNATURE_ALGORITHMS_CERT, "8446 4.2.3", CERT_SCHEMES, False),
    ("renegotiation_info", T.RENEGOTIATION_INFO, "5746 3.2", ({}, {}), True),
]
# Bodies of any length are legal here, in a ClientHello.
OPEN_IN_CLIENT_HELLO = {"padding", "session_ticket", "status_request"}
EMPTY_IN_CLIENT_HELLO = {"signed_certificate_timestamp", "encrypt_then_mac", "extended_master_secret"}
EMPTY_IN_SERVER_HELLO = {"server_name", "status_request", "encrypt_then_mac", "extended_master_secret", "session_ticket"}

for name, type_, rfc, setup, answered in OFFERED:
    ROWS.append(S("5246 7.4.1.4", f"{name} twice", twice(ClientHello, type_), DECODE, setup))
    if name not in OPEN_IN_CLIENT_HELLO:
        what = "with a body" if name in EMPTY_IN_CLIENT_HELLO else "a byte too long"
        ROWS.append(S(rfc, f"{name} {what} in ClientHello", extension(ClientHello, type_, lambda b: b + b"\0"), DECODE, setup))
        if name not in EMPTY_IN_CLIENT_HELLO:
            ROWS.append(S(rfc, f"{name} a byte too short in ClientHello", extension(ClientHello, type_, lambda b: b[:-1]), DECODE, setup))
            ROWS.append(S(rfc, f"{name} without a body in ClientHello", extension(ClientHello, type_, lambda b: b""), DECODE, setup))
    if answered:
        ROWS.append(C("5246 7.4.1.4", f"{name} twice", twice(ServerHello, type_), DECODE, setup))
        what = "with a body" if name in EMPTY_IN_SERVER_HELLO else "a byte too long"
        ROWS.append(C(rfc, f"{name} {what} in ServerHello", extension(ServerHello, type_, lambda b: b + b"\0"), DECODE, setup))
        if name not in EMPTY_IN_SERVER_HELLO:
            ROWS.append(C(rfc, f"{name} a byte too short in ServerHello", extension(ServerHello, type_, lambda b: b[:-1]), DECODE, setup))
    elif name != "supported_groups":  # servers that send their list of groups are deployed, and are put up with
        ROWS.append(C(rfc, f"{name} in ServerHello", add_extension(ServerHello, type_, b"\0\2\4\3"), UNSUPPORTED, setup))

# Answers to what was not asked (RFC 5246 7.4.1.4: unsupported_extension)

UNASKED = {
    "server_name": (T.SERVER_NAME, b"", ext.ServerName, "6066 3"),
    "max_fragment_length": (T.MAX_FRAGMENT_LENGTH, b"\1", ext.MaxFragmentLength, "6066 4"),
    "status_request": (T.STATUS_REQUEST, b"", ext.StatusRequest, "6066 8"),
    "supported_groups": (T.SUPPORTED_GROUPS, b"\0\2\0\x17", ext.SupportedGroups, "8422 5.1.1"),
    "ec_point_formats": (T.EC_POINT_FORMATS, b"\1\0", ext.EcPointFormats, "8422 5.2"),
    "signature_algorithms": (T.SIGNATURE_ALGORITHMS, b"\0\2\4\3", ext.SignatureAlgorithms, "5246 7.4.1.4.1"),
    "alpn": (T.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b"\0\3\2h2", ext.Alpn, "7301 3.1"),
    "signed_certificate_timestamp": (T.SIGNED_CERTIFICATE_TIMESTAMP, b"\0\3\0\1x", ext.SignedCertificateTimestamp, "6962 3.3.1"),
    "encrypt_then_mac": (T.ENCRYPT_THEN_MAC, b"", ext.EncryptThenMac, "7366 2"),
    "extended_master_secret": (T.EXTENDED_MASTER_SECRET, b"", ext.ExtendedMasterSecret, "7627 5.1"),
    "record_size_limit": (T.RECORD_SIZE_LIMIT, b"\1\0", ext.RecordSizeLimit, "8449 4"),
    "session_ticket": (T.SESSION_TICKET, b"", ext.SessionTicket, "5077 3.2"),
    "renegotiation_info": (T.RENEGOTIATION_INFO, b"\0", ext.RenegotiationInfo, "5746 3.4"),
}
for name, (type_, data, cls, rfc) in UNASKED.items():
    off = cls(enabled=False)
    with_sha1 = {"signature_schemes": (0x0403, 0x0203)}  # what a client without signature_algorithms is taken to accept
    setup = ({"extensions": (off,), "suites": CBC[0]["suites"]} | with_sha1, {"extensions": (off,)} | with_sha1)
    ROWS.append(C(rfc, f"{name} unasked", add_extension(ServerHello, type_, data), UNSUPPORTED, setup))
for name, type_ in {
    "heartbeat": T.HEARTBEAT, "supported_versions": T.SUPPORTED_VERSIONS, "key_share": T.KEY_SHARE, "pre_shared_key": T.PRE_SHARED_KEY,
    "early_data": T.EARLY_DATA, "cookie": T.COOKIE, "token_binding": 24, "next_protocol_negotiation": 13172, "channel_id": 30032,
    "GREASE": 0x0A0A, "unassigned": 0xFEDC, "status_request_v2": 17, "use_srtp": 14, "trusted_ca_keys": 3, "truncated_hmac": 4,
}.items():  # fmt: skip
    ROWS.append(C("5246 7.4.1.4", f"unknown answer {name}", add_extension(ServerHello, type_), UNSUPPORTED))

# RFC 6066: server_name, max_fragment_length, status_request

NAME, BIG = T.SERVER_NAME, b"x" * 256


def sni(*names, kind=0):
    entries = b"".join(bytes((kind,)) + len(name).to_bytes(2, "big") + name for name in names)
    return extension(ClientHello, NAME, lambda b: len(entries).to_bytes(2, "big") + entries)


ROWS += [
    S("6066 3", "empty list of server names", sni(), DECODE),
    S("6066 3", "empty server name", sni(b""), DECODE),
    S("6066 3", "two host names", sni(b"a.test", b"b.test"), ILLEGAL),
    S("6066 3", "host name of 256 bytes", sni(BIG), ILLEGAL),
    S("6066 3", "host name with a zero byte", sni(b"a.test\0.b"), ILLEGAL),
    S("6066 3", "host name that is not ASCII", sni(b"b\xc3\xbccher.test"), ILLEGAL),
    S("6066 3", "name longer than the list", extension(ClientHello, NAME, lambda b: b"\0\4\0\0\x09a"), DECODE),
    S("6066 3", "unknown server name, where that is to be refused", sni(b"unknown.test"), "unrecognized_name", ({}, {"refuse_unknown_names": True})),
    *[S("6066 4", f"max_fragment_length {code}", extension(ClientHello, T.MAX_FRAGMENT_LENGTH, lambda b, c=code: bytes((c,))), ILLEGAL, FRAGMENT)
      for code in (0, 5, 255)],
    *[C("6066 4", f"max_fragment_length {code} for 1", extension(ServerHello, T.MAX_FRAGMENT_LENGTH, lambda b, c=code: bytes((c,))), ILLEGAL, FRAGMENT)
      for code in (0, 2, 4, 5, 255)],
    C("6066 4", "fragment longer than agreed", record(23, lambda r: replace(r, fragment=bytes(513))), "record_overflow", FRAGMENT, act=data_from("server")),
    S("6066 4", "fragment longer than agreed", record(23, lambda r: replace(r, fragment=bytes(513))), "record_overflow", FRAGMENT, act=data_from("client")),
    S("6066 8", "responders longer than the request", extension(ClientHello, T.STATUS_REQUEST, lambda b: b"\1\0\5\0\0"), DECODE),
    S("6066 8", "empty responder name", extension(ClientHello, T.STATUS_REQUEST, lambda b: b"\1\0\2\0\0\0\0"), DECODE),
    S("6066 8", "no status type", extension(ClientHello, T.STATUS_REQUEST, lambda b: b""), DECODE),
    S("6066 8", "status request a byte too long", extension(ClientHello, T.STATUS_REQUEST, lambda b: b + b"\0"), DECODE),
    S("6066 8", "status request a byte too short", extension(ClientHello, T.STATUS_REQUEST, lambda b: b[:-1]), DECODE),
    C("6066 8", "status_request answered with a suite that has no certificate", add_extension(ServerHello, T.STATUS_REQUEST), UNSUPPORTED, PSK),
]  # fmt: skip

# RFC 7301

A = T.APPLICATION_LAYER_PROTOCOL_NEGOTIATION
ROWS += [
    S("7301 3.2", "no protocol in common", (), "no_application_protocol", (on(ext.Alpn("spdy/3")), on(ext.Alpn("h2")))),
    S("7301 3.1", "empty list of protocols", extension(ClientHello, A, lambda b: b"\0\0"), DECODE, ALPN),
    S("7301 3.1", "empty protocol name", extension(ClientHello, A, lambda b: b"\0\1\0"), DECODE, ALPN),
    S("7301 3.1", "empty protocol name behind another", extension(ClientHello, A, lambda b: b"\0\4\2h2\0"), DECODE, ALPN),
    S("7301 3.1", "name longer than the list", extension(ClientHello, A, lambda b: b"\0\3\7h2"), DECODE, ALPN),
    C("7301 3.1", "answer of two protocols", extension(ServerHello, A, lambda b: b"\0\x0c\2h2\x08http/1.1"), DECODE, ALPN),
    C("7301 3.1", "answer of no protocol", extension(ServerHello, A, lambda b: b"\0\0"), DECODE, ALPN),
    C("7301 3.1", "answer of an empty name", extension(ServerHello, A, lambda b: b"\0\1\0"), DECODE, ALPN),
    C("7301 3.1", "protocol that was not offered", extension(ServerHello, A, lambda b: b"\0\3\2h3"), ILLEGAL, ALPN),
]  # fmt: skip

# RFC 8449

L = T.RECORD_SIZE_LIMIT
ROWS += [
    *[S("8449 4", f"record size limit {value}", extension(ClientHello, L, lambda b, v=value: v.to_bytes(2, "big")), ILLEGAL, LIMIT) for value in (0, 1, 63)],
    *[C("8449 4", f"record size limit {value}", extension(ServerHello, L, lambda b, v=value: v.to_bytes(2, "big")), ILLEGAL, LIMIT) for value in (0, 1, 63)],
    C("8449 4", "record longer than asked for", record(23, lambda r: replace(r, fragment=bytes(257))), "record_overflow", LIMIT, act=data_from("server")),
    S("8449 4", "record longer than asked for", record(23, lambda r: replace(r, fragment=bytes(513))), "record_overflow", LIMIT, act=data_from("client")),
    C("8449 5", "record_size_limit and max_fragment_length together", add_extension(ServerHello, T.MAX_FRAGMENT_LENGTH, b"\1"), ILLEGAL,
      (on(ext.RecordSizeLimit(512), ext.MaxFragmentLength(512)), on(ext.RecordSizeLimit(512)))),
]  # fmt: skip

# RFC 7366, RFC 8422, RFC 5246, RFC 8446 as far as a server of TLS 1.2 is concerned

E = T.ENCRYPT_THEN_MAC
OFFERS_ETM = CBC[0]["suites"]
ROWS += [
    C("7366 3", "encrypt_then_mac with an AEAD suite", add_extension(ServerHello, E), ILLEGAL,
      ({"suites": (*ECDHE[0]["suites"], *OFFERS_ETM)}, ECDHE[1])),
    C("7366 3", "encrypt_then_mac with a stream cipher", add_extension(ServerHello, E), ILLEGAL,
      ({"suites": (*RC4[0]["suites"], *OFFERS_ETM), "danger_suites": True}, RC4[1])),
    S("8422 5.1.2", "no uncompressed points", extension(ClientHello, T.EC_POINT_FORMATS, lambda b: b"\1\1"), ILLEGAL),
    S("8422 5.1.2", "compressed points only", extension(ClientHello, T.EC_POINT_FORMATS, lambda b: b"\2\1\2"), ILLEGAL),
    S("8422 5.1.2", "empty list of point formats", extension(ClientHello, T.EC_POINT_FORMATS, lambda b: b"\0"), DECODE),
    C("8422 5.2", "no uncompressed points", extension(ServerHello, T.EC_POINT_FORMATS, lambda b: b"\1\1"), ILLEGAL),
    C("8422 5.2", "empty list of point formats", extension(ServerHello, T.EC_POINT_FORMATS, lambda b: b"\0"), DECODE),
    S("8422 5.1.1", "empty list of groups", extension(ClientHello, T.SUPPORTED_GROUPS, lambda b: b"\0\0"), DECODE),
    S("8422 5.1.1", "half a group", extension(ClientHello, T.SUPPORTED_GROUPS, lambda b: b"\0\1\0"), DECODE),
    S("5246 7.4.1.4.1", "empty list of signature algorithms", extension(ClientHello, T.SIGNATURE_ALGORITHMS, lambda b: b"\0\0"), DECODE),
    S("5246 7.4.1.4.1", "half a signature algorithm", extension(ClientHello, T.SIGNATURE_ALGORITHMS, lambda b: b"\0\3\4\3\4"), DECODE),
    S("7685 3", "padding that is not zero", extension(ClientHello, T.PADDING, lambda b: b[:-1] + b"\1"), ILLEGAL, PADDED),
    S("8446 4.2.1", "supported_versions without TLS 1.2", add_extension(ClientHello, T.SUPPORTED_VERSIONS, b"\2\3\4"), "protocol_version"),
    S("8446 4.2.1", "supported_versions with older versions only", add_extension(ClientHello, T.SUPPORTED_VERSIONS, b"\4\3\2\3\1"), "protocol_version"),
    S("8446 4.2.1", "empty supported_versions", add_extension(ClientHello, T.SUPPORTED_VERSIONS, b"\0"), DECODE),
    S("6962 3.3.1", "list in a ClientHello", extension(ClientHello, T.SIGNED_CERTIFICATE_TIMESTAMP, lambda b: b"\0\3\0\1x"), DECODE),
    C("6962 3.3", "empty list of timestamps", extension(ServerHello, T.SIGNED_CERTIFICATE_TIMESTAMP, lambda b: b"\0\0"), DECODE, SCT),
    C("6962 3.3", "empty timestamp", extension(ServerHello, T.SIGNED_CERTIFICATE_TIMESTAMP, lambda b: b"\0\2\0\0"), DECODE, SCT),
]  # fmt: skip
