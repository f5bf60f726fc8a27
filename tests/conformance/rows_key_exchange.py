"""Refusals in the key exchange: groups, public values, signatures (RFC 5246 7.4.3 to 7.4.8, RFC 8422, RFC 7919)."""

from __future__ import annotations

from dataclasses import replace

from puretls.iana import ECCurveType, NamedGroup
from puretls.messages import handshake as hs
from puretls.messages import key_exchange as kx
from puretls.messages.registry import parse_handshake
from tests.conformance.row import CLIENT, SERVER, Row
from tests.conformance.rows_handshake import AUTH, CHACHA, DH_ANON, DHE, ECDH_ANON, ECDHE, PSK, RSA_PSK, suite
from tests.support.breaks import bad_group, extension, fields, message
from tests.support.credentials import credential
from tests.support.pair import PSK as KEY
from tests.support.pair import pair, real

ROWS: list[Row] = []
ILLEGAL = "illegal_parameter"

TELLING_PSK, TELLING_RSA_PSK = ((client, server | {"refuse_unknown_identities": True}) for client, server in (PSK, RSA_PSK))
REAL_PSK = tuple(side | {"provider": real()} for side in PSK)


def S(rfc, what, breaks, alert, setup=({}, {}), **more):
    return Row(rfc, what, SERVER, breaks, alert, setup[0], setup[1], **more)


def C(rfc, what, breaks, alert, setup=({}, {}), **more):
    return Row(rfc, what, CLIENT, breaks, alert, setup[0], setup[1], **more)


# Public values, sent by either side. The end that misbehaves computes with a group that lies.


def _public_rows(rfc, what, public, setup, group, alert=ILLEGAL):
    for refuses in (CLIENT, SERVER):
        client, server = ({"groups": (group,), "provider": real()} | part for part in setup)
        (server if refuses == CLIENT else client)["provider"] = bad_group(real(), public)
        yield Row(rfc, f"{NamedGroup(group).name.lower()}: {what}", refuses, (), alert, client, server)


def _sizes(curve):
    return {"SECP256R1": 32, "SECP384R1": 48, "SECP521R1": 66}[curve.name]


CURVES = (NamedGroup.SECP256R1, NamedGroup.SECP384R1, NamedGroup.SECP521R1)
ANON = suite("TLS_ECDH_anon_WITH_AES_128_CBC_SHA")
for curve in CURVES:
    size = _sizes(curve)
    for what, public in {
        "point off the curve": b"\4" + b"\1" * 2 * size,
        "point of the right length with coordinates beyond the field": b"\4" + b"\xff" * 2 * size,
        "compressed point": b"\2" + b"\1" * size,
        "hybrid point": b"\6" + b"\1" * 2 * size,
        "point at infinity": b"\0",
        "point a byte too short": b"\4" + b"\1" * (2 * size - 1),
        "point a byte too long": b"\4" + b"\1" * (2 * size + 1),
        "zero point": b"\4" + bytes(2 * size),
    }.items():
        ROWS += _public_rows("8422 5.11", what, public, ANON, curve)
for curve, size in ((NamedGroup.X25519, 32), (NamedGroup.X448, 56)):
    for what, public in {
        "point of small order (0)": bytes(size),
        "point of small order (1)": b"\1" + bytes(size - 1),
        "point a byte too short": b"\5" * (size - 1),
        "point a byte too long": b"\5" * (size + 1),
    }.items():
        ROWS += _public_rows("8422 5.11", what, public, ANON, curve)


def _encoded(value):
    return lambda group: value(group.p).to_bytes((group.p.bit_length() + 7) // 8 + 1, "big").lstrip(b"\0") or b"\0"


for what, value in {
    "public value 0": lambda p: 0,
    "public value 1": lambda p: 1,
    "public value p-1": lambda p: p - 1,
    "public value p": lambda p: p,
    "public value p+1": lambda p: p + 1,
}.items():
    ROWS += _public_rows("7919 5.1", what, _encoded(value), DH_ANON, NamedGroup.FFDHE2048)


# The server's finite field

P2048 = real().group("ffdhe2048").p


def _field(what, rfc, alert, **parameters):
    client, server = (dict(part) for part in DH_ANON)
    client |= {"provider": real()}
    server |= {"provider": bad_group(real(), b"\5", **parameters)}
    return Row(rfc, what, CLIENT, (), alert, client, server)


ROWS += [
    _field("prime of 512 bits", "7919 3", "insufficient_security", p=2**511 + 111),
    _field("prime of 1024 bits", "7919 3", "insufficient_security", p=2**1023 + 1155),
    _field("prime of 2047 bits", "7919 3", "insufficient_security", p=2**2046 + 1),
    _field("prime of 16384 bits", "7919 3", "insufficient_security", p=2**16383 + 1),
    _field("even prime", "5246 F.1.1.3", ILLEGAL, p=P2048 & ~1),
    _field("generator 0", "5246 F.1.1.3", ILLEGAL, g=0x10000 << 4096),
    _field("generator 1", "5246 F.1.1.3", ILLEGAL, g=1),
    _field("generator p-1", "5246 F.1.1.3", ILLEGAL, p=P2048, g=P2048 - 1),
    S("7919 4", "finite-field suites only, and no group in common", extension(hs.ClientHello, 10, lambda b: b"\0\2\1\4"),
      "insufficient_security", (DHE[0], DHE[1] | {"groups": (NamedGroup.FFDHE2048,)})),
]  # fmt: skip
# Curves

def _curve(cls, **new):
    return message(cls, lambda m: replace(m, params=replace(m.params, **new)))


_ANON_MESSAGE = kx.ServerKeyExchangeEcdhAnon
ROWS += [
    C("8422 5.4", "explicit prime curve", _curve(_ANON_MESSAGE, curve_type=ECCurveType.EXPLICIT_PRIME), ILLEGAL, ECDH_ANON),
    C("8422 5.4", "explicit binary curve", _curve(_ANON_MESSAGE, curve_type=ECCurveType.EXPLICIT_CHAR2), ILLEGAL, ECDH_ANON),
    C("8422 5.4", "unknown curve type", _curve(_ANON_MESSAGE, curve_type=9), ILLEGAL, ECDH_ANON),
    C("8422 5.4", "curve type 0", _curve(_ANON_MESSAGE, curve_type=0), ILLEGAL, ECDH_ANON),
    C("8422 5.4", "curve that was not offered", _curve(_ANON_MESSAGE, named_curve=NamedGroup.SECP384R1), ILLEGAL,
      (ECDH_ANON[0] | {"groups": (NamedGroup.X25519,)}, ECDH_ANON[1])),
    C("8422 5.4", "finite-field group for a curve", _curve(_ANON_MESSAGE, named_curve=NamedGroup.FFDHE2048), ILLEGAL, ECDH_ANON),
    C("8422 5.4", "withdrawn curve (sect163k1)", _curve(_ANON_MESSAGE, named_curve=1), ILLEGAL, ECDH_ANON),
    C("8422 5.4", "unknown curve", _curve(_ANON_MESSAGE, named_curve=0xFEFF), ILLEGAL, ECDH_ANON),
    C("8422 5.4", "GREASE for a curve", _curve(_ANON_MESSAGE, named_curve=0x0A0A), ILLEGAL, ECDH_ANON),
    S("8422 5.1.1", "no curve in common", extension(hs.ClientHello, 10, lambda b: b"\0\2\0\1"), "handshake_failure", ECDHE),
    S("8422 5.1.1", "unknown curves only", extension(hs.ClientHello, 10, lambda b: b"\0\4\xfe\xff\x0a\x0a"), "handshake_failure", ECDHE),
    S("8422 5.3", "certificate on a curve the client does not list", extension(hs.ClientHello, 10, lambda b: b"\0\2\0\x1d"), "handshake_failure",
      CHACHA),
    C("8422 5.3", "certificate on a curve that was not offered", fields(hs.Certificate, certificate_list=credential("secp384r1").chain), "unsupported_certificate",
      ({"groups": (NamedGroup.X25519, NamedGroup.SECP256R1)}, {})),
]  # fmt: skip


# Signatures over the key exchange and the handshake

_SKE, _CV = kx.ServerKeyExchangeEcdhe, hs.CertificateVerify


def _signed(**new):
    return message(_SKE, lambda m: replace(m, signed=replace(m.signed, **new)))


def _flipped(signature):
    return signature[:-1] + bytes((signature[-1] ^ 1,))


def _recorded(message_now):
    """A ServerKeyExchange of another handshake with the same server."""
    joined = pair({"provider": real()}, {"provider": real()}).handshake()
    entry = next(entry for entry in joined.client.connection.trace.messages() if entry.name == "ServerKeyExchange")
    return parse_handshake(entry.raw, entry.key_exchange)


SCHEMES = {"SHA-1": 0x0203, "MD5": 0x0103, "unknown": 0xFEFE, "GREASE": 0x0A0A, "none (0)": 0, "anonymous": 0x0400, "DSA": 0x0402}
for what, scheme in SCHEMES.items():
    ROWS.append(C("5246 7.4.3", f"signature scheme {what}", _signed(algorithm=scheme), ILLEGAL))
    ROWS.append(S("5246 7.4.8", f"signature scheme {what}", fields(_CV, algorithm=scheme), ILLEGAL, AUTH))
for what, scheme in {"RSA": 0x0401, "RSA-PSS": 0x0804, "Ed25519": 0x0807, "Ed448": 0x0808}.items():
    ROWS.append(C("5246 7.4.3", f"{what} signature with an ECDSA key", _signed(algorithm=scheme), ILLEGAL))
    ROWS.append(S("5246 7.4.8", f"{what} signature with an ECDSA key", fields(_CV, algorithm=scheme), ILLEGAL, AUTH))
for what, scheme in {"ECDSA": 0x0403, "rsa_pss_pss": 0x0809}.items():
    ROWS.append(C("5246 7.4.3", f"{what} signature with an RSA key", _signed(algorithm=scheme), ILLEGAL, ECDHE))
    rsa = (AUTH[0] | {"credentials": (credential("rsa2048", usage="client"),)}, AUTH[1])
    ROWS.append(S("5246 7.4.8", f"{what} signature with an RSA key", fields(_CV, algorithm=scheme), ILLEGAL, rsa))
REAL = ({"provider": real()}, {"provider": real()})
REAL_AUTH = (AUTH[0] | REAL[0], AUTH[1] | REAL[1])
for what, change in {
    "with a flipped bit": _flipped,
    "of no bytes": lambda signature: b"",
    "of zeros": lambda signature: bytes(len(signature)),
    "a byte too long": lambda signature: signature + b"\0",
    "a byte too short": lambda signature: signature[:-1],
}.items():
    for kind in ("secp256r1", "ed25519", "rsa2048"):
        breaks = message(_SKE, lambda m, change=change: replace(m, signed=replace(m.signed, signature=change(m.signed.signature))))
        setup = REAL[0], REAL[1] | {"credentials": (credential(kind),)}
        ROWS.append(C("5246 7.4.3", f"{kind} signature {what}", breaks, "decrypt_error", setup))
        breaks = message(_CV, lambda m, change=change: replace(m, signature=change(m.signature)))
        setup = REAL_AUTH[0] | {"credentials": (credential(kind, usage="client"),)}, REAL_AUTH[1]
        ROWS.append(S("5246 7.4.8", f"{kind} signature {what}", breaks, "decrypt_error", setup))
ROWS += [
    C("5246 7.4.3", "parameters other than those signed", message(_SKE, lambda m: replace(m, params=replace(m.params, public=b"\4" * 32))),
      "decrypt_error", REAL),
    C("5246 7.4.3", "parameters other than those signed (DHE)",
      message(kx.ServerKeyExchangeDhe, lambda m: replace(m, params=replace(m.params, dh_ys=b"\5"))), "decrypt_error",
      (DHE[0] | REAL[0], DHE[1] | REAL[1])),
    C("5246 7.4.3", "parameters signed for another connection", message(_SKE, _recorded), "decrypt_error", REAL),
]  # fmt: skip


# Pre-shared keys

ROWS += [
    S("4279 2", "unknown identity, as a wrong key", fields(kx.ClientKeyExchangePsk, psk_identity=b"nobody"), "bad_record_mac", REAL_PSK),
    S("4279 2", "empty identity, as a wrong key", fields(kx.ClientKeyExchangePsk, psk_identity=b""), "bad_record_mac", REAL_PSK),
    S("4279 2", "unknown identity", fields(kx.ClientKeyExchangePsk, psk_identity=b"nobody"), "unknown_psk_identity", TELLING_PSK),
    S("4279 2", "empty identity", fields(kx.ClientKeyExchangePsk, psk_identity=b""), "unknown_psk_identity", TELLING_PSK),
    S("4279 4", "unknown identity (RSA_PSK)", fields(kx.ClientKeyExchangeRsaPsk, psk_identity=b"nobody"), "unknown_psk_identity", TELLING_RSA_PSK),
    S("4279 2", "wrong key", (), "bad_record_mac", (PSK[0] | {"psk": lambda hint: (b"somebody", KEY[:-1] + b"x"), "provider": real()},
                                                   PSK[1] | {"provider": real()})),
    S("5246 7.4.7.1", "premaster secret of another key", fields(kx.ClientKeyExchangeRsa, encrypted_premaster_secret=b"\1" * 256), "bad_record_mac",
      tuple(part | {"provider": real()} for part in suite("TLS_RSA_WITH_AES_128_GCM_SHA256"))),
    S("5246 7.4.7.1", "premaster secret that is too short", fields(kx.ClientKeyExchangeRsa, encrypted_premaster_secret=b"\1" * 20), "bad_record_mac",
      tuple(part | {"provider": real()} for part in suite("TLS_RSA_WITH_AES_128_GCM_SHA256"))),
    S("5246 7.4.7.1", "empty premaster secret", fields(kx.ClientKeyExchangeRsa, encrypted_premaster_secret=b""), "bad_record_mac",
      tuple(part | {"provider": real()} for part in suite("TLS_RSA_WITH_AES_128_GCM_SHA256"))),
]  # fmt: skip
