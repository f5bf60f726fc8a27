"""Refusals in renegotiation: RFC 5746, and what RFC 7627 and RFC 7366 say of it."""

from __future__ import annotations

from dataclasses import replace

from puretls.extensions import ExtendedMasterSecret, RenegotiationInfo
from puretls.iana import CipherSuiteId
from puretls.iana import ExtensionType as T
from puretls.messages.handshake import Certificate, ClientHello, Finished, ServerHello
from puretls.messages.records import ApplicationData
from tests.conformance.row import CLIENT, SERVER, Row, handshake, renegotiated_by
from tests.conformance.rows_handshake import suite
from tests.support.breaks import extension, fields, message
from tests.support.credentials import credential

RI, EMS, ETM = T.RENEGOTIATION_INFO, T.EXTENDED_MASTER_SECRET, T.ENCRYPT_THEN_MAC
SCSV = CipherSuiteId.TLS_EMPTY_RENEGOTIATION_INFO_SCSV
ON = {"renegotiation": True}
FAILURE, ILLEGAL, UNEXPECTED = "handshake_failure", "illegal_parameter", "unexpected_message"
CBC = suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")

BY_CLIENT = renegotiated_by(CLIENT)


def S(rfc, what, breaks, alert, client=ON, server=ON, act=BY_CLIENT):
    return Row(rfc, what, SERVER, breaks, alert, client, server, act)


def C(rfc, what, breaks, alert, client=ON, server=ON, act=BY_CLIENT):
    return Row(rfc, what, CLIENT, breaks, alert, client, server, act)


def with_scsv(hello):
    return replace(hello, cipher_suites=(*hello.cipher_suites, SCSV))


FINISHED = Finished(bytes(12))
OFF = {"extensions": (RenegotiationInfo(enabled=False),)}
ROWS: list[Row] = [
    # First handshake
    C("5746 3.4", "renegotiation_info that is not empty in a first handshake", extension(ServerHello, RI, lambda b: b"\x0c" + bytes(12)), FAILURE, act=handshake),
    S("5746 3.6", "renegotiation_info that is not empty in a first handshake", extension(ClientHello, RI, lambda b: b"\x0c" + bytes(12)), FAILURE, act=handshake),
    S("5746 3.6", "renegotiation_info of one byte in a first handshake", extension(ClientHello, RI, lambda b: b"\1\0"), FAILURE, act=handshake),
    C("5746 4.1", "no secure renegotiation where it is required", (), FAILURE, {"require_secure_renegotiation": True}, OFF, act=handshake),
    S("5746 4.3", "no secure renegotiation where it is required", (), FAILURE, OFF, {"require_secure_renegotiation": True}, act=handshake),
    # Renegotiation, asked for by either side
    *[row for side in (CLIENT, SERVER) for row in (
        S("5746 3.7", f"renegotiation_info missing, {side} began", extension(ClientHello, RI, lambda b: None, epoch=1), FAILURE, act=renegotiated_by(side)),
        S("5746 3.7", f"renegotiation_info empty, {side} began", extension(ClientHello, RI, lambda b: b"\0", epoch=1), FAILURE, act=renegotiated_by(side)),
        S("5746 3.7", f"wrong client verify_data, {side} began", extension(ClientHello, RI, lambda b: b"\x0c" + bytes(12), epoch=1), FAILURE,
          act=renegotiated_by(side)),
        S("5746 3.7", f"verify_data cut short, {side} began", extension(ClientHello, RI, lambda b: b"\x0b" + b[1:12], epoch=1), FAILURE, act=renegotiated_by(side)),
        S("5746 3.7", f"SCSV in a renegotiation, {side} began", message(ClientHello, with_scsv, epoch=1), FAILURE, act=renegotiated_by(side)),
        C("5746 3.5", f"renegotiation_info missing, {side} began", extension(ServerHello, RI, lambda b: None, epoch=1), FAILURE, act=renegotiated_by(side)),
        C("5746 3.5", f"renegotiation_info empty, {side} began", extension(ServerHello, RI, lambda b: b"\0", epoch=1), FAILURE, act=renegotiated_by(side)),
        C("5746 3.5", f"only the client's verify_data, {side} began", extension(ServerHello, RI, lambda b: b"\x0c" + b[1:13], epoch=1), FAILURE,
          act=renegotiated_by(side)),
        C("5746 3.5", f"wrong client verify_data, {side} began", extension(ServerHello, RI, lambda b: b[:1] + bytes(12) + b[13:], epoch=1), FAILURE,
          act=renegotiated_by(side)),
        C("5746 3.5", f"wrong server verify_data, {side} began", extension(ServerHello, RI, lambda b: b[:13] + bytes(12), epoch=1), FAILURE,
          act=renegotiated_by(side)),
        C("7627 5.4", f"extended_master_secret dropped, {side} began", extension(ServerHello, EMS, lambda b: None, epoch=1), FAILURE, act=renegotiated_by(side)),
        S("7627 5.4", f"extended_master_secret dropped, {side} began", extension(ClientHello, EMS, lambda b: None, epoch=1), FAILURE, act=renegotiated_by(side)),
        C("7366 3.1", f"encrypt_then_mac dropped, {side} began", extension(ServerHello, ETM, lambda b: None, epoch=1), FAILURE, CBC[0] | ON, CBC[1] | ON,
          renegotiated_by(side)),
        S("7366 3.1", f"encrypt_then_mac dropped, {side} began", extension(ClientHello, ETM, lambda b: None, epoch=1), FAILURE, CBC[0] | ON, CBC[1] | ON,
          renegotiated_by(side)),
        C("5246 7.4.1.3", f"another version, {side} began", fields(ServerHello, epoch=1, server_version=0x0302), "protocol_version", act=renegotiated_by(side)),
        S("5246 7.4.1.2", f"another version, {side} began", fields(ClientHello, epoch=1, client_version=0x0302), "protocol_version", act=renegotiated_by(side)),
        C("5246 7.4.1.3", f"suite that was not offered, {side} began", fields(ServerHello, epoch=1, cipher_suite=0x1301), ILLEGAL, act=renegotiated_by(side)),
        C("7627 1", f"certificate changed without extended_master_secret, {side} began",
          fields(Certificate, epoch=1, certificate_list=credential(name="*.test").chain), ILLEGAL,
          ON | {"extensions": (ExtendedMasterSecret(enabled=False),)}, ON | {"extensions": (ExtendedMasterSecret(enabled=False),)}, renegotiated_by(side)),
    )],
    C("5746 3.5", "ServerHello of another connection's verify_data", extension(ServerHello, RI, lambda b: b"\x18" + b"z" * 24, epoch=1), FAILURE),
    C("5246 7.3", "Finished instead of ServerHello in a renegotiation", message(ServerHello, lambda m: [ApplicationData(b"still fine"), FINISHED], epoch=1),
      UNEXPECTED),
]  # fmt: skip
