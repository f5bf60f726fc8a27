"""Refusals of handshake messages: malformed, out of order, with values they must not have (RFC 5246 7.4, RFC 5077, RFC 7627)."""

from __future__ import annotations

from dataclasses import replace

from puretls import danger
from puretls.der import oids
from puretls.extensions import ExtendedMasterSecret
from puretls.iana import CipherSuiteId, ClientCertificateType, HandshakeType
from puretls.messages import handshake as hs
from puretls.messages import key_exchange as kx
from puretls.messages.records import ApplicationData, ChangeCipherSpec
from puretls.session import MemorySessionStore, TicketKeys
from tests.conformance.row import CLIENT, SERVER, Row, both, data_from
from tests.support.breaks import (
    Break,
    after,
    before,
    body,
    drop,
    extension,
    fields,
    instead,
    late,
    message,
    patched,
    raw,
    record,
    repeat,
)
from tests.support.credentials import NOW, authority, credential, issued
from tests.support.pair import fields_for, suite_named

DEFAULT: tuple[dict, dict] = ({}, {})
AUTH = ({"credentials": (credential(usage="client"),)}, {"client_authentication": "require"})
TICKET = ({}, {"tickets": TicketKeys([b"k" * 48], clock=lambda: NOW)})
STAPLED = ({}, {"credentials": (replace(credential(), ocsp_response=b"\x30\0"),)})


def suite(name, **server):
    client, other = fields_for(suite_named(name))
    return client, other | server


HINT = {"psk_hint": b"hint"}
DHE, ECDHE = suite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"), suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
DH_ANON, ECDH_ANON = suite("TLS_DH_anon_WITH_AES_128_GCM_SHA256"), suite("TLS_ECDH_anon_WITH_AES_128_CBC_SHA")
PSK, DHE_PSK = suite("TLS_PSK_WITH_AES_128_GCM_SHA256", **HINT), suite("TLS_DHE_PSK_WITH_AES_128_GCM_SHA256")
ECDHE_PSK, RSA_PSK = suite("TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"), suite("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", **HINT)
RSA = suite("TLS_RSA_WITH_AES_128_GCM_SHA256")
ON_P192 = credential().chain[0].replace(oids.SECP256R1, oids.SECP192R1)
CHACHA = suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")


def refused_by_server(rfc, what, breaks, alert, setup=DEFAULT, **more):
    return Row(rfc, what, SERVER, breaks, alert, setup[0], setup[1], **more)


def refused_by_client(rfc, what, breaks, alert, setup=DEFAULT, **more):
    return Row(rfc, what, CLIENT, breaks, alert, setup[0], setup[1], **more)


# Every message, a byte too short and a byte too long (RFC 5246 7.2.2, decode_error)

FROM_CLIENT = [
    ("7.4.1.2", "ClientHello", 1, DEFAULT),
    ("7.4.6", "Certificate", 11, AUTH),
    ("7.4.7.1", "ClientKeyExchange (RSA)", 16, RSA),
    ("7.4.7.2", "ClientKeyExchange (DHE)", 16, DHE),
    ("7.4.7", "ClientKeyExchange (ECDHE)", 16, ECDHE),
    ("7.4.7", "ClientKeyExchange (PSK)", 16, PSK),
    ("7.4.7", "ClientKeyExchange (DHE_PSK)", 16, DHE_PSK),
    ("7.4.7", "ClientKeyExchange (ECDHE_PSK)", 16, ECDHE_PSK),
    ("7.4.7", "ClientKeyExchange (RSA_PSK)", 16, RSA_PSK),
    ("7.4.8", "CertificateVerify", 15, AUTH),
    ("7.4.9", "Finished", 20, DEFAULT),
]
FROM_SERVER = [
    ("5246 7.4.1.3", "ServerHello", 2, DEFAULT),
    ("5246 7.4.2", "Certificate", 11, DEFAULT),
    ("6066 8", "CertificateStatus", 22, STAPLED),
    ("5246 7.4.3", "ServerKeyExchange (DHE)", 12, DHE),
    ("8422 5.4", "ServerKeyExchange (ECDHE)", 12, ECDHE),
    ("5246 7.4.3", "ServerKeyExchange (DH_anon)", 12, DH_ANON),
    ("8422 5.4", "ServerKeyExchange (ECDH_anon)", 12, ECDH_ANON),
    ("4279 2", "ServerKeyExchange (PSK)", 12, PSK),
    ("4279 3", "ServerKeyExchange (DHE_PSK)", 12, DHE_PSK),
    ("5489 2", "ServerKeyExchange (ECDHE_PSK)", 12, ECDHE_PSK),
    ("4279 4", "ServerKeyExchange (RSA_PSK)", 12, RSA_PSK),
    ("5246 7.4.4", "CertificateRequest", 13, AUTH),
    ("5246 7.4.5", "ServerHelloDone", 14, DEFAULT),
    ("5077 3.3", "NewSessionTicket", 4, TICKET),
    ("5246 7.4.9", "Finished", 20, DEFAULT),
]
ROWS: list[Row] = []
for rfc, name, type_, setup in FROM_CLIENT:
    section = "8422 5.7" if "ECDHE)" in name else f"5246 {rfc}"
    ROWS.append(refused_by_server(section, f"{name} a byte too short", body(type_, lambda b: b[:-1]), "decode_error", setup))
    ROWS.append(refused_by_server(section, f"{name} a byte too long", body(type_, lambda b: b + b"\0"), "decode_error", setup))
for rfc, name, type_, setup in FROM_SERVER:
    if name != "ServerHelloDone":
        ROWS.append(refused_by_client(rfc, f"{name} a byte too short", body(type_, lambda b: b[:-1]), "decode_error", setup))
    ROWS.append(refused_by_client(rfc, f"{name} a byte too long", body(type_, lambda b: b + b"\0"), "decode_error", setup))


# Vectors outside their bounds

S, C = refused_by_server, refused_by_client
ROWS += [
    S("5246 7.4.1.2", "session id of 33 bytes", fields(hs.ClientHello, session_id=bytes(33)), "decode_error"),
    S("5246 7.4.1.2", "no cipher suites", fields(hs.ClientHello, cipher_suites=()), "decode_error"),
    S("5246 7.4.1.2", "odd number of bytes of cipher suites",
      patched(1, "ClientHello.cipher_suites.length", b"\0\3"), "decode_error"),
    S("5246 7.4.1.2", "no compression methods", fields(hs.ClientHello, compression_methods=()), "decode_error"),
    S("5246 7.4.1.4", "extensions block longer than the message", patched(1, "ClientHello.extensions.length", b"\xff\xff"), "decode_error"),
    S("5246 7.4.1.4", "extensions block shorter than the message", patched(1, "ClientHello.extensions.length", b"\0\0"), "decode_error"),
    S("5246 7.4.1.4", "extension longer than the block", patched(1, "ClientHello.extensions[0].extension_data.length", b"\xff\xff"),
      "decode_error"),
    S("5246 7.4.1.2", "one stray byte after the compression methods",
      body(1, lambda b: b[: 35 + b[34] + 2 + int.from_bytes(b[35 + b[34] : 37 + b[34]], "big") + 2] + b"\0"), "decode_error"),
    C("5246 7.4.1.3", "session id of 33 bytes", fields(hs.ServerHello, session_id=bytes(33)), "decode_error"),
    C("5246 7.4.1.4", "ServerHello with an extensions block that is too long", patched(2, "ServerHello.extensions.length", b"\xff\xff"), "decode_error"),
    C("5246 7.4.1.4", "ServerHello with an extensions block that is too short", patched(2, "ServerHello.extensions.length", b"\0\1"), "decode_error"),
    C("5246 7.4.2", "certificate of no bytes", fields(hs.Certificate, certificate_list=(b"",)), "decode_error"),
    C("5246 7.4.2", "certificate list longer than the message", patched(11, "Certificate.certificate_list.length", b"\xff\xff\xff"), "decode_error"),
    S("5246 7.4.6", "certificate of no bytes", fields(hs.Certificate, certificate_list=(b"",)), "decode_error", AUTH),
    S("5246 7.4.6", "certificate list longer than the message", patched(11, "Certificate.certificate_list.length", b"\xff\xff\xff"),
      "decode_error", AUTH),
    C("5246 7.4.4", "no certificate types", fields(hs.CertificateRequest, certificate_types=()), "decode_error", AUTH),
    C("5246 7.4.4", "no signature algorithms", fields(hs.CertificateRequest, supported_signature_algorithms=()), "decode_error", AUTH),
    C("5246 7.4.4", "half a signature algorithm",
      patched(13, "CertificateRequest.supported_signature_algorithms.length", b"\0\3"), "decode_error", AUTH),
    C("5246 7.4.4", "authority without a name", fields(hs.CertificateRequest, certificate_authorities=(b"",)), "decode_error", AUTH),
    C("6066 8", "empty OCSP response", fields(hs.CertificateStatus, response=b""), "decode_error", STAPLED),
    C("5246 7.4.3", "empty prime", message(kx.ServerKeyExchangeDhAnon, lambda m: replace(m, params=replace(m.params, dh_p=b""))), "decode_error", DH_ANON),
    C("5246 7.4.3", "empty generator", message(kx.ServerKeyExchangeDhAnon, lambda m: replace(m, params=replace(m.params, dh_g=b""))), "decode_error", DH_ANON),
    C("5246 7.4.3", "empty public value", message(kx.ServerKeyExchangeDhAnon, lambda m: replace(m, params=replace(m.params, dh_ys=b""))), "decode_error",
      DH_ANON),
    C("8422 5.4", "empty point", message(kx.ServerKeyExchangeEcdhAnon, lambda m: replace(m, params=replace(m.params, public=b""))), "decode_error",
      ECDH_ANON),
    S("5246 7.4.7.2", "empty public value", fields(kx.ClientKeyExchangeDh, dh_yc=b""), "decode_error", DHE),
    S("8422 5.7", "empty point", fields(kx.ClientKeyExchangeEcdh, public=b""), "decode_error", ECDHE),
    *both("5246 7.4.9", "verify_data of 36 bytes", lambda side: body(20, lambda b: b * 3), "decode_error"),
]  # fmt: skip


# Order: a message left out, sent twice, sent late, or of the other role (RFC 5246 7.3, unexpected_message)

ORDER_CLIENT = [
    ("Certificate", hs.Certificate, AUTH, "7.4.6"),
    ("ClientKeyExchange", kx.ClientKeyExchange, CHACHA, "7.4.7"),
    ("CertificateVerify", hs.CertificateVerify, AUTH, "7.4.8"),
    ("ChangeCipherSpec", ChangeCipherSpec, CHACHA, "7.1"),
]
ORDER_SERVER = [
    ("ServerHello", hs.ServerHello, DEFAULT, "7.4.1.3"),
    ("Certificate", hs.Certificate, DEFAULT, "7.4.2"),
    ("ServerKeyExchange", kx.ServerKeyExchange, DEFAULT, "7.4.3"),
    ("NewSessionTicket", hs.NewSessionTicket, TICKET, "5077 3.3"),
    ("ChangeCipherSpec", ChangeCipherSpec, CHACHA, "7.1"),
]
UNEXPECTED = "unexpected_message"


def _section(text):
    return text if " " in text else f"5246 {text}"


for name, cls, setup, section in ORDER_CLIENT:
    ROWS.append(S(_section(section), f"{name} left out", drop(cls), UNEXPECTED, setup))
for name, cls, setup, section in ORDER_SERVER:
    ROWS.append(C(_section(section), f"{name} left out", drop(cls), UNEXPECTED, setup))
for name, cls, setup, section in [("ClientHello", hs.ClientHello, DEFAULT, "7.4.1.2"), *ORDER_CLIENT[:3], ("Finished", hs.Finished, DEFAULT, "7.4.9")]:
    # A first ClientHello may come in records of version 3.1, a second one may not.
    same_version = record(22, lambda r: replace(r, version=0x0303))
    ROWS.append(S(_section(section), f"{name} twice", (repeat(cls), same_version), UNEXPECTED, setup))
for name, cls, setup, section in [
    *ORDER_SERVER[:4],
    ("CertificateStatus", hs.CertificateStatus, STAPLED, "6066 8"),
    ("CertificateRequest", hs.CertificateRequest, AUTH, "7.4.4"),
    ("ServerHelloDone", hs.ServerHelloDone, DEFAULT, "7.4.5"),
    ("Finished", hs.Finished, DEFAULT, "7.4.9"),
]:
    ROWS.append(C(_section(section), f"{name} twice", repeat(cls), UNEXPECTED, setup))
for name, cls, setup, section in [("Certificate", hs.Certificate, AUTH, "7.4.6"), ("ClientKeyExchange", kx.ClientKeyExchange, AUTH, "7.4.7"),
                                  ("CertificateVerify", hs.CertificateVerify, (CHACHA[0] | AUTH[0], CHACHA[1] | AUTH[1]), "7.4.8")]:  # fmt: skip
    ROWS.append(S(_section(section), f"{name} after what should follow it", late(cls), UNEXPECTED, setup))
for name, cls, setup, section in [
    ("ServerHello", hs.ServerHello, DEFAULT, "7.4.1.3"),
    ("Certificate", hs.Certificate, DEFAULT, "7.4.2"),
    ("CertificateStatus", hs.CertificateStatus, STAPLED, "6066 8"),
    ("ServerKeyExchange", kx.ServerKeyExchange, AUTH, "7.4.3"),
    ("CertificateRequest", hs.CertificateRequest, AUTH, "7.4.4"),
    ("NewSessionTicket", hs.NewSessionTicket, (CHACHA[0], CHACHA[1] | TICKET[1]), "5077 3.3"),
]:
    ROWS.append(C(_section(section), f"{name} after what should follow it", late(cls), UNEXPECTED, setup))

def _asked(make):
    joined = make().handshake()
    joined.server.connection.renegotiate()
    return joined.run()


_HELLO = hs.ServerHello(0x0303, bytes(32), b"", 0xC02B, 0, None)
_CLIENT_HELLO = hs.ClientHello(0x0303, bytes(32), b"", (0xC02B,), (0,), None)
_REQUEST = hs.CertificateRequest((ClientCertificateType.ECDSA_SIGN,), (0x0403,), ())
_TICKET = hs.NewSessionTicket(0, b"ticket")
_STATUS = hs.CertificateStatus(1, b"\x30\0")
_CHAIN = hs.Certificate(credential().chain)
_VERIFY = hs.CertificateVerify(0x0403, b"signature")
_FINISHED = hs.Finished(bytes(12))
ROWS += [
    C("5246 7.4.1.2", "ClientHello from a server", instead(hs.ServerHello, _CLIENT_HELLO), UNEXPECTED),
    S("5246 7.4.1.3", "ServerHello from a client", instead(kx.ClientKeyExchange, _HELLO), UNEXPECTED),
    S("5246 7.4.1.1", "HelloRequest from a client", before(kx.ClientKeyExchange, hs.HelloRequest()), UNEXPECTED),
    S("5246 7.4.3", "ServerKeyExchange from a client", before(kx.ClientKeyExchange, kx.ServerKeyExchangePsk(b"")), UNEXPECTED),
    S("5246 7.4.4", "CertificateRequest from a client", before(kx.ClientKeyExchange, _REQUEST), UNEXPECTED),
    S("5246 7.4.5", "ServerHelloDone from a client", before(kx.ClientKeyExchange, hs.ServerHelloDone()), UNEXPECTED),
    S("5077 3.3", "NewSessionTicket from a client", before(ChangeCipherSpec, _TICKET), UNEXPECTED),
    S("6066 8", "CertificateStatus from a client", before(kx.ClientKeyExchange, _STATUS), UNEXPECTED),
    C("5246 7.4.7", "ClientKeyExchange from a server", before(hs.ServerHelloDone, kx.ClientKeyExchangeEcdh(b"x")), UNEXPECTED),
    C("5246 7.4.8", "CertificateVerify from a server", before(hs.ServerHelloDone, _VERIFY), UNEXPECTED),
    S("5246 7.4.6", "Certificate that was not asked for", before(kx.ClientKeyExchange, _CHAIN), UNEXPECTED),
    S("5246 7.4.8", "CertificateVerify without a certificate", after(kx.ClientKeyExchange, _VERIFY), UNEXPECTED),
    S("5246 7.4.8", "CertificateVerify after an empty Certificate", after(kx.ClientKeyExchange, _VERIFY), UNEXPECTED,
      ({}, {"client_authentication": "request"})),
    S("5246 7.4.8", "CertificateVerify before ClientKeyExchange", before(kx.ClientKeyExchange, _VERIFY), UNEXPECTED, AUTH),
    C("5246 7.4.3", "ServerKeyExchange with RSA key exchange", before(hs.ServerHelloDone, kx.ServerKeyExchangePsk(b"")), UNEXPECTED, RSA),
    C("5246 7.4.2", "Certificate from an anonymous server", before(kx.ServerKeyExchange, _CHAIN), UNEXPECTED, DH_ANON),
    C("5246 7.4.4", "CertificateRequest from an anonymous server", before(hs.ServerHelloDone, _REQUEST), "handshake_failure", DH_ANON),
    C("5246 7.4.4", "CertificateRequest from an anonymous server (ECDH)", before(hs.ServerHelloDone, _REQUEST), "handshake_failure", ECDH_ANON),
    C("4279 2", "Certificate with a pre-shared key alone", before(kx.ServerKeyExchange, _CHAIN), UNEXPECTED, PSK),
    C("4279 2", "CertificateRequest with a pre-shared key", before(hs.ServerHelloDone, _REQUEST), UNEXPECTED, PSK),
    C("6066 8", "CertificateStatus that was not agreed on", before(kx.ServerKeyExchange, _STATUS), UNEXPECTED),
    C("5077 3.3", "NewSessionTicket that was not agreed on", before(ChangeCipherSpec, _TICKET), UNEXPECTED),
    C("5077 3.3", "NewSessionTicket under the new keys", before(hs.Finished, _TICKET), UNEXPECTED),
    C("5246 7.4.4", "CertificateRequest before ServerKeyExchange", before(kx.ServerKeyExchange, _REQUEST), UNEXPECTED),
    C("5246 7.4.9", "Finished before ChangeCipherSpec", before(ChangeCipherSpec, _FINISHED), UNEXPECTED),
    S("5246 7.4.9", "Finished before ChangeCipherSpec", before(ChangeCipherSpec, _FINISHED), UNEXPECTED),
    S("5246 7.4.9", "Finished before ClientKeyExchange", before(kx.ClientKeyExchange, _FINISHED), UNEXPECTED),
    C("5246 7.4.1.1", "flood of HelloRequests in the handshake", before(hs.ServerHelloDone, *[hs.HelloRequest()] * 40), UNEXPECTED),
    C("5246 7.4.1.1", "flood of HelloRequests once connected", message(ApplicationData, lambda m: [hs.HelloRequest()] * 40), UNEXPECTED,
      act=data_from("server")),
    C("5246 7.4.1.1", "HelloRequest with a body", raw(0, lambda r: b"\0\0\0\1x"), "decode_error",
      ({}, {"renegotiation": True}), act=_asked),
    C("5246 7.4", "two messages of one flight end in one record: more after ServerHelloDone",
      Break("plaintext", lambda r, where: r.type == 22 and r.fragment[:1] == b"\x0e", lambda r: replace(r, fragment=r.fragment + b"\x14\0\0\x0c")), UNEXPECTED),
    S("5246 7.4", "more handshake data after ClientHello in one record",
      Break("plaintext", lambda r, where: r.type == 22 and where.epoch == 0 and r.fragment[:1] == b"\1", lambda r: replace(r, fragment=r.fragment + b"\x10\0\0\x0c")),
      UNEXPECTED),
    *both("5246 7.4.9", "more handshake data after Finished in one record",
          lambda side: Break("plaintext", lambda r, where: r.type == 22 and where.epoch == 1, lambda r: replace(r, fragment=r.fragment + b"\0\0\0\0")), UNEXPECTED),
]  # fmt: skip


for type_ in (3, 5, 6, 8, 9, 24, 67, 254, 255):  # of DTLS, TLS 1.3, NPN, and none at all
    name = getattr(HandshakeType._value2member_map_.get(type_), "name", "unassigned").lower()
    ROWS += both(
        "5246 7.4", f"handshake message of type {type_} ({name})",
        lambda side, type_=type_: Break("plaintext", lambda r, where: r.type == 22 and where.epoch == 0 and r.fragment[0] in (11, 16),
                                        lambda r: replace(r, fragment=bytes((type_,)) + r.fragment[1:])), UNEXPECTED,
    )  # fmt: skip
for name, extra in {
    "ServerHello": _HELLO, "Certificate": _CHAIN, "ServerHelloDone": hs.ServerHelloDone(), "Finished": _FINISHED, "ClientHello": _CLIENT_HELLO,
    "NewSessionTicket": _TICKET, "CertificateRequest": _REQUEST,
}.items():  # fmt: skip
    ROWS.append(C("5246 7.3", f"{name} once connected", message(ApplicationData, lambda m, e=extra: [e]), UNEXPECTED, act=data_from("server")))
for name, extra in {
    "ServerHello": _HELLO, "Certificate": _CHAIN, "ClientKeyExchange": kx.ClientKeyExchangeEcdh(b"x"), "CertificateVerify": _VERIFY,
    "Finished": _FINISHED, "HelloRequest": hs.HelloRequest(),
}.items():  # fmt: skip
    ROWS.append(S("5246 7.3", f"{name} once connected", message(ApplicationData, lambda m, e=extra: [e]), UNEXPECTED, act=data_from("client")))


# Values

VERSIONS = {"SSL 2.0": 0x0002, "SSL 3.0": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "DTLS 1.2": 0xFEFD}
for name, version in VERSIONS.items():
    if version < 0x0303:
        ROWS.append(S("5246 E.1", f"ClientHello of {name}", fields(hs.ClientHello, client_version=version), "protocol_version"))
    ROWS.append(C("5246 7.4.1.3", f"ServerHello of {name}", fields(hs.ServerHello, server_version=version), "protocol_version"))
for version in (0x0304, 0x0305, 0x0403, 0xFFFF):
    ROWS.append(C("5246 7.4.1.3", f"ServerHello of version {version:#06x}", fields(hs.ServerHello, server_version=version), "protocol_version"))
SCSV, FALLBACK = CipherSuiteId.TLS_EMPTY_RENEGOTIATION_INFO_SCSV, CipherSuiteId.TLS_FALLBACK_SCSV
for name, number in {
    "that was not offered": 0xC030, "of TLS 1.3": 0x1301, "NULL_WITH_NULL_NULL": 0, "the SCSV of RFC 5746": SCSV, "the fallback SCSV": FALLBACK,
    "GREASE": 0x0A0A, "unassigned": 0xFEFE, "dangerous": 0xC012, "RSA key exchange": 0x009C,
}.items():  # fmt: skip
    ROWS.append(
        C("5246 7.4.1.3", f"cipher suite {name}", fields(hs.ServerHello, cipher_suite=number), "illegal_parameter",
          ({"suites": (suite_named("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),)}, {}))
    )  # fmt: skip
ROWS += [
    S("7507 3", "fallback to TLS 1.1 that was not needed", (fields(hs.ClientHello, client_version=0x0302),), "inappropriate_fallback",
      ({"fallback_scsv": True}, {})),
    S("5246 7.4.1.2", "no null compression", fields(hs.ClientHello, compression_methods=(1,)), "illegal_parameter"),
    C("5246 7.4.1.3", "compression DEFLATE", fields(hs.ServerHello, compression_method=1), "illegal_parameter"),
    C("5246 7.4.1.3", "compression 64 (LZS)", fields(hs.ServerHello, compression_method=64), "illegal_parameter"),
    S("5246 7.4.1.3", "no cipher suite in common", fields(hs.ClientHello, cipher_suites=(0x0001, 0x0A0A)), "handshake_failure"),
    S("5246 7.4.1.3", "suites of TLS 1.3 only", fields(hs.ClientHello, cipher_suites=(0x1301, 0x1302)), "handshake_failure"),
    S("5246 7.4.1.3", "signalling suites only", fields(hs.ClientHello, cipher_suites=(SCSV,)), "handshake_failure"),
    S("5246 7.4.1.4.1", "no signature algorithm in common", extension(hs.ClientHello, 13, lambda b: b"\0\2\2\3"), "handshake_failure"),
    S("5246 7.4.1.4.1", "unknown signature algorithms only", extension(hs.ClientHello, 13, lambda b: b"\0\4\x0a\x0a\xfe\xfe"), "handshake_failure"),
    S("5246 7.4.1.4.1", "no signature_algorithms, and SHA-1 is not enabled", extension(hs.ClientHello, 13, lambda b: None), "handshake_failure"),
    *both("5246 7.4.9", "wrong verify_data", lambda side: fields(hs.Finished, verify_data=bytes(12)), "decrypt_error"),
    *both("5246 7.4.9", "verify_data with one wrong bit",
          lambda side: message(hs.Finished, lambda m: replace(m, verify_data=m.verify_data[:11] + bytes((m.verify_data[11] ^ 1,)))), "decrypt_error"),
    C("5246 7.4.2", "no certificates", fields(hs.Certificate, certificate_list=()), "decode_error"),
    C("5246 7.4.2", "certificate that is no certificate", fields(hs.Certificate, certificate_list=(b"\x30\3\2\1\1",)), "bad_certificate"),
    C("5246 7.4.2", "certificate said to be longer than what is there", fields(hs.Certificate, certificate_list=(b"GARBAGE",)), "decode_error"),
    C("5246 7.4.2", "certificate cut off", fields(hs.Certificate, certificate_list=(credential().chain[0][:-1],)), "decode_error"),
    C("5246 7.4.2", "certificate with a byte after it", fields(hs.Certificate, certificate_list=(credential().chain[0] + b"\0",)), "bad_certificate"),
    C("5246 7.4.2", "more certificates than the limit", fields(hs.Certificate, certificate_list=credential().chain * 20), "bad_certificate"),
    C("5246 7.4.2", "certificate of another key type", fields(hs.Certificate, certificate_list=credential("rsa2048").chain), "unsupported_certificate"),
    C("5246 7.4.2", "certificate with a key on a curve unknown here", fields(hs.Certificate, certificate_list=(ON_P192,)), "unsupported_certificate"),
    C("5246 7.4.2", "RSA suite with an ECDSA certificate", fields(hs.Certificate, certificate_list=credential().chain), "unsupported_certificate", RSA),
    C("5246 7.4.2", "RSA key exchange with a PSS-only key", fields(hs.Certificate, certificate_list=credential("rsa_pss").chain),
      "unsupported_certificate", RSA),
    S("5246 7.4.6", "no certificate where one is required", fields(hs.Certificate, certificate_list=()), "handshake_failure", AUTH),
    S("5246 7.4.6", "certificate that is no certificate", fields(hs.Certificate, certificate_list=(b"\x30\3\2\1\1",)), "bad_certificate", AUTH),
    S("5246 7.4.6", "more certificates than the limit", fields(hs.Certificate, certificate_list=credential().chain * 20), "bad_certificate", AUTH),
    S("5246 7.4.6", "certificate with a key on a curve unknown here", fields(hs.Certificate, certificate_list=(ON_P192,)),
      "unsupported_certificate", AUTH),
    C("6066 8", "certificate status of an unknown type", fields(hs.CertificateStatus, status_type=2), "bad_certificate_status_response", STAPLED),
]  # fmt: skip


# Key usage and verification


def _with_usage(kind, bits):
    """A certificate of the test CA whose keyUsage is exactly these bits."""
    from puretls.x509 import drafts

    made = issued(kind)
    return authority().issued(replace(made.draft, extensions=(drafts.key_usage(*bits), *made.draft.extensions[1:])), made.key)


def _refuses(request):
    return danger.AcceptedUnverified(accepted=False)


def _key_usage_rows():
    from puretls.x509 import drafts

    signing = _with_usage("secp256r1", (drafts.KEY_CERT_SIGN,))
    enciphering = _with_usage("rsa2048", (drafts.DIGITAL_SIGNATURE,))
    yield C("5246 7.4.2", "key usage without digitalSignature", fields(hs.Certificate, certificate_list=signing.chain), "unsupported_certificate")
    yield C("5246 7.4.2", "key usage without keyEncipherment", fields(hs.Certificate, certificate_list=enciphering.chain), "unsupported_certificate", RSA)
    yield S("5246 7.4.6", "key usage without digitalSignature", fields(hs.Certificate, certificate_list=signing.chain), "unsupported_certificate", AUTH)


ROWS += _key_usage_rows()
ROWS += [
    C("5246 7.4.2", "chain that the verifier refuses", (), "certificate_unknown", ({"verifier": _refuses}, {})),
    S("5246 7.4.6", "chain that the verifier refuses", (), "certificate_unknown", (AUTH[0], AUTH[1] | {"verifier": _refuses})),
    C("5246 7.4.2", "any chain where nothing is trusted", (), "unknown_ca", ({"verifier": None}, {})),
    S("5246 7.4.6", "any chain where nothing is trusted", (), "unknown_ca", (AUTH[0], AUTH[1] | {"verifier": None})),
]


# Resumption: RFC 5246 7.4.1.3, RFC 7627 5.3, RFC 5077


def resumed(store_fields, *, second_client=None, second_server=None, first_break=False):
    """A handshake without breaks, then another that offers its session."""

    def act(make):
        joined = make()
        client, server = joined.client.connection.config, joined.server.connection.config
        honest = {"interceptors": ()}
        from tests.support.pair import Pair

        first = Pair(replace(client, **honest), replace(server, **honest)).handshake()
        assert first.connected, first.story()
        session = first.client.connection.session
        return Pair(replace(client, **second_client or {}), replace(server, **second_server or {}), session=session).handshake()

    return act


def _cached():
    return ({}, {"session_cache": MemorySessionStore(clock=lambda: NOW)})


_SESSION_SUITE = fields(hs.ServerHello, cipher_suite=0xC02C)
ROWS += [
    C("5246 7.4.1.3", "session resumed under another suite", _SESSION_SUITE, "illegal_parameter", _cached(), act=resumed(None)),
    S("5246 7.4.1.2", "session resumed without its suite", fields(hs.ClientHello, cipher_suites=(0xC02C, 0xC02F)), "illegal_parameter", _cached(),
      act=resumed(None)),
    C("7627 5.3", "resumption drops extended_master_secret", extension(hs.ServerHello, 23, lambda b: None), "handshake_failure", _cached(),
      act=resumed(None)),
    S("7627 5.3", "resumption drops extended_master_secret", extension(hs.ClientHello, 23, lambda b: None), "handshake_failure", _cached(),
      act=resumed(None)),
    S("7627 5.3", "resumption by ticket drops extended_master_secret", extension(hs.ClientHello, 23, lambda b: None), "handshake_failure", TICKET,
      act=resumed(None)),
    *both("5246 7.4.9", "wrong verify_data in a resumption", lambda side: fields(hs.Finished, verify_data=bytes(12)), "decrypt_error",
          client={}, server=_cached()[1], act=lambda side: resumed(None)),
    C("5246 7.3", "Certificate in a resumption", before(ChangeCipherSpec, _CHAIN), UNEXPECTED, _cached(), act=resumed(None)),
    C("5246 7.3", "ServerHelloDone in a resumption", before(ChangeCipherSpec, hs.ServerHelloDone()), UNEXPECTED, _cached(), act=resumed(None)),
    S("5246 7.3", "ClientKeyExchange in a resumption", before(ChangeCipherSpec, kx.ClientKeyExchangeEcdh(b"x")), UNEXPECTED, _cached(),
      act=resumed(None)),
    C("5077 3.4", "NewSessionTicket in a resumption without the extension", before(ChangeCipherSpec, _TICKET), UNEXPECTED, TICKET, act=resumed(None)),
    S("7627 5.2", "extended_master_secret is required", extension(hs.ClientHello, 23, lambda b: None), "handshake_failure",
      ({}, {"extensions": (ExtendedMasterSecret(required=True),)})),
    C("7627 5.2", "extended_master_secret is required", extension(hs.ServerHello, 23, lambda b: None), "handshake_failure",
      ({"extensions": (ExtendedMasterSecret(required=True),)}, {})),
]  # fmt: skip
