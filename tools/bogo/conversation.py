"""A connection to the runner: the handshake, the checks on it, the exchange, the end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bogo.configs import Shared, client_config, server_config
from bogo.flags import Unmet, expect, expect_listed
from puretls import (
    AlertSent,
    Connection,
    ConnectionClosed,
    DataReceived,
    Direction,
    FatalAlert,
    HandshakeCompleted,
    PeerError,
    PuretlsError,
    Reason,
    RenegotiationRefused,
    ServerConfig,
    TicketReceived,
    Truncated,
    UsageError,
    drive,
)
from puretls.extensions import SignatureAlgorithms, SignedCertificateTimestamp
from puretls.iana import AlertDescription, AlertLevel, ContentType
from puretls.trace import Layer
from puretls.x509.pem import load_certificates

TIMEOUT = 30.0
BORINGSSL_TEXTS = {
    Reason.RENEGOTIATION_INFO_MISMATCH: ":RENEGOTIATION_MISMATCH:",
    Reason.INAPPROPRIATE_FALLBACK: ":INAPPROPRIATE_FALLBACK:",
    Reason.IDENTITY_CHANGED: ":SERVER_CERT_CHANGED:",
    Reason.VERSION_CHANGED: ":WRONG_SSL_VERSION:",
}
"""What the runner expects of refusals that an alert alone does not tell apart, where puretls has a reason for exactly that."""


class Peer:
    """One connection to the runner: its transport and its events."""

    def __init__(self, connection: Connection, sock: socket.socket) -> None:
        self.connection = connection
        self._sock = sock
        self.events: list[Any] = []
        self.before_read: Callable[[], None] = lambda: None

    def receive(self, size: int) -> bytes:
        self.before_read()
        try:
            return self._sock.recv(size)
        except ConnectionResetError:
            return b""

    def flush(self, drain: drive.Drain) -> None:
        data = drain()
        if data:
            with suppress(BrokenPipeError, ConnectionResetError):  # why it has left is still to be read
                self._sock.sendall(data)

    def step(self) -> Any:
        """One event, after the reading and writing that leads to it."""
        event = drive.run(self.connection, self, until=lambda event: True)
        self.events.append(event)
        return event

    def send(self, data: bytes) -> None:
        self.connection.send(data)
        self.flush(self.connection.bytes_to_send)

    def saw(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def leave(self) -> None:
        """Half-close and drain, so that what was sent arrives."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self._sock.settimeout(5)
            while self._sock.recv(65536):
                pass
        self._sock.close()


def reach(port: int, addresses: Sequence[str]) -> socket.socket:
    """A connection to the first address that takes one: some runners listen at ::1 without saying so."""
    *others, last = addresses
    for address in others:
        with suppress(ConnectionRefusedError):
            return socket.create_connection((address, port), TIMEOUT)
    return socket.create_connection((last, port), TIMEOUT)


def dial(flags: SimpleNamespace) -> socket.socket:
    """Connect to the runner and say which shim this is."""
    sock = reach(flags.port, ("::1",) if flags.ipv6 else ("127.0.0.1", "::1"))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if flags.shim_id is not None:  # runners up to 2023 do not ask for it
        sock.sendall(flags.shim_id.to_bytes(8, "little"))
    return sock


def hold(flags: SimpleNamespace, shared: Shared, session: Any, *, resumes: bool) -> Any:
    """One connection from start to end; gives the session to offer next."""
    config = server_config(flags, shared) if flags.server else client_config(flags, shared)
    served = isinstance(config, ServerConfig)
    connection = Connection.server(config) if served else Connection.client(config, flags.host_name, session)
    peer = Peer(connection, dial(flags))
    try:
        connection.start()
        return Conversation(peer, flags, config).run(resumes=resumes) or session
    except PuretlsError as error:
        raise Unmet(_told(error, peer)) from error
    finally:
        with suppress(PuretlsError):
            peer.flush(connection.bytes_to_send)
        peer.leave()


def _told(error: PuretlsError, peer: Peer) -> str:
    """What the runner looks for."""
    with suppress(PuretlsError):  # the alert was queued; its event comes before the error
        peer.events += drive.events(peer.connection)
    if isinstance(error.__cause__, Unmet):  # raised in a call-back
        return str(error.__cause__)
    if isinstance(error, Truncated) or (isinstance(error, FatalAlert) and error.description == AlertDescription.CLOSE_NOTIFY):
        return "CLOSED: the peer left in the handshake"
    lines = [f"ALERT_SENT:{_name(event.description)}" for event in peer.saw(AlertSent) if event.level == AlertLevel.FATAL]
    if not lines and isinstance(error, PeerError):
        # After our close_notify no alert may follow (RFC 5246 7.2.1): the one that belongs to the error stands in its place.
        lines = [f"ALERT_SENT:{_name(error.alert)}"]
    if isinstance(error, FatalAlert):
        lines = [f"ALERT_RECEIVED:{_name(error.description)}"]
    if isinstance(error, PeerError):
        lines.append(_boringssl_text(error))
    return "\n".join([*filter(None, lines), str(error)])


def _boringssl_text(error: PeerError) -> str:
    """Texts that tell more than an alert does, where puretls knows as much."""
    if error.reason is Reason.EMS_MISMATCH and "renegotiation" in error.detail:
        return ":RENEGOTIATION_EMS_MISMATCH:"
    if error.reason is Reason.UNEXPECTED_MESSAGE and "ApplicationData in the clear" in error.detail:
        return ":APPLICATION_DATA_INSTEAD_OF_HANDSHAKE:"
    if error.state == "CONNECTED" and error.reason in {Reason.DECODE, Reason.UNEXPECTED_MESSAGE}:
        return ":BAD_HELLO_REQUEST:"
    return BORINGSSL_TEXTS.get(error.reason, "")


def _name(description: int) -> str:
    return description.name.lower() if isinstance(description, AlertDescription) else str(description)


def _messages(connection: Connection) -> str:
    """All messages but application data, as the runner notes them; our own close_notify is not expected there."""
    lines = []
    for entry in connection.trace:
        if entry.layer is Layer.RECORD or entry.content_type == ContentType.APPLICATION_DATA:
            continue
        what = {ContentType.HANDSHAKE: "hs {0}", ContentType.CHANGE_CIPHER_SPEC: "ccs", ContentType.ALERT: "alert {0} {1}"}
        if entry.direction is Direction.OUTBOUND and entry.content_type == ContentType.ALERT:
            continue
        told = "write" if entry.direction is Direction.OUTBOUND else "read"
        lines.append(f"{told} {what[ContentType(entry.content_type)].format(*entry.raw)}\n")
    return "".join(lines)


class Conversation:
    """The handshake, the checks on it, the exchange, the end."""

    def __init__(self, peer: Peer, flags: SimpleNamespace, config: Any) -> None:
        self.peer, self.flags, self.config = peer, flags, config
        self.connection = peer.connection
        self._pending = bytearray()

    def run(self, *, resumes: bool) -> Any:
        """Gives the session that was made, if one was."""
        self._handshake()
        self._check(resumes=resumes)
        made = self._new_session()
        if self.flags.forbid_renegotiation_after_handshake:
            self.connection.change_config(replace(self.config, renegotiation=False))
        self._say_first()
        if self.flags.send_alert:
            self.connection.abort(AlertDescription.DECOMPRESSION_FAILURE)
            self.peer.flush(self.connection.bytes_to_send)
            return made
        self._exchange()
        expect(self._renegotiations() == (self.flags.expect_total_renegotiations or 0), "number of renegotiations")
        if self.flags.expect_msg_callback is not None:
            expect(_messages(self.connection) == self.flags.expect_msg_callback, "messages")
        return made

    def _handshake(self) -> None:
        while not isinstance(self.peer.step(), HandshakeCompleted):
            pass
        if self.flags.handshake_never_done:
            raise Unmet("the handshake was completed")

    def _renegotiations(self) -> int:
        return len(self.peer.saw(HandshakeCompleted)) - 1

    # Checks

    def _check(self, *, resumes: bool) -> None:
        self._check_session(resumes=resumes)
        self._check_negotiated()
        self._check_peer()

    def _new_session(self) -> Any:
        made = self.peer.saw(TicketReceived) or not self.connection.negotiated.resumed
        return self.connection.session if made else None

    def _check_session(self, *, resumes: bool) -> None:
        flags, resumed = self.flags, self.connection.negotiated.resumed
        expect(resumed == (resumes and not flags.expect_session_miss), f"resumption ({'was' if resumed else 'was not'} resumed)")
        if flags.server:
            if not resumes:
                cached = bool(self.connection.negotiated.session_id)
                expect(cached or not flags.expect_session_id, "session kept by id")
                expect(not (cached and flags.expect_no_session_id), "no session kept by id")
            return
        wanted = not flags.expect_no_session and (not resumed or bool(flags.expect_ticket_renewal))
        expect((self._new_session() is not None) == wanted, "new session")

    def _check_negotiated(self) -> None:
        flags, negotiated = self.flags, self.connection.negotiated
        scheme = negotiated.client_signature_scheme if flags.server else negotiated.signature_scheme
        for wanted, got, what in (
            (flags.expect_cipher, int(negotiated.suite.id), "suite"),
            (flags.expect_curve_id, negotiated.group, "group"),
            (flags.expect_peer_signature_algorithm, scheme, "signature algorithm"),
            (flags.expect_server_name, self.connection.server_name, "server name"),
        ):
            expect(wanted is None or wanted == got, f"{what}: {got}")
        if flags.server:
            expect_listed(negotiated.result(SignatureAlgorithms) or (), flags.expect_peer_verify_pref, "peer verify preferences")
        expect(not (flags.expect_no_server_name and self.connection.server_name), "no server name")
        expect(negotiated.extended_master_secret or not flags.expect_extended_master_secret, "extended_master_secret")
        expect(negotiated.secure_renegotiation or not flags.expect_secure_renegotiation, "secure renegotiation")
        expect(not (negotiated.secure_renegotiation and flags.expect_no_secure_renegotiation), "no secure renegotiation")
        expected = flags.select_alpn if flags.server else flags.expect_alpn
        expect((negotiated.alpn or "") == os.fsencode(expected or "").decode("latin-1"), f"ALPN: {negotiated.alpn}")

    def _check_peer(self) -> None:
        flags, connection = self.flags, self.connection
        chain = connection.peer_certificates
        if flags.expect_no_peer_cert or flags.psk:
            expect(not chain, "no certificate of the peer")
        elif not flags.server or flags.require_any_client_certificate:
            expect(chain, "a certificate of the peer")
        if flags.expect_peer_cert_file:
            expect(chain == load_certificates(Path(flags.expect_peer_cert_file).read_bytes()), "the peer's chain")
        self._check_stapled()

    def _check_stapled(self) -> None:
        connection, flags = self.connection, self.flags
        for wanted, got, what in (
            (flags.expect_ocsp_response, connection.ocsp_response, "OCSP response"),
            (flags.expect_signed_cert_timestamps, connection.negotiated.result(SignedCertificateTimestamp), "certificate timestamps"),
        ):
            expect(wanted is None or wanted == got, what)

    # Data

    def _say_first(self) -> None:
        flags = self.flags
        if flags.export_keying_material:
            context = os.fsencode(flags.export_context or "") if flags.use_export_context else None
            label = os.fsencode(flags.export_label or "")
            self.peer.send(self.connection.export_keying_material(label, flags.export_keying_material, context))
        if flags.tls_unique:
            try:
                self.peer.send(self.connection.channel_binding("tls-unique"))
            except UsageError as error:
                raise Unmet(f"tls-unique: {error}") from error

    def _exchange(self) -> None:
        if self.flags.write_different_record_sizes:
            for size in (1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769):
                self.peer.send(b"\x42" * size)
        elif self.flags.shim_writes_first or self.flags.read_with_unfinished_write:
            self.peer.send(b"hello")
        if self.flags.shim_shuts_down:
            self._shut_down()
        else:
            self._echo()

    def _echo(self) -> None:
        size = self.flags.read_size or 512
        if self.flags.use_exporter_between_reads:
            self.peer.before_read = self._export
        while True:
            event = self.peer.step()
            if isinstance(event, DataReceived):
                for start in range(0, len(event.data), size):
                    self.peer.send(bytes(byte ^ 0xFF for byte in event.data[start : start + size]))
            elif isinstance(event, ConnectionClosed):
                if self.flags.check_close_notify and not event.clean:
                    raise Unmet("UNCLEAN_SHUTDOWN")
                self.connection.close()
                self.peer.flush(self.connection.bytes_to_send)
                return
            else:
                self._on_renegotiation(event)

    def _export(self) -> None:
        try:
            self.connection.export_keying_material(b"some label", 1)
        except UsageError as error:
            raise Unmet("failed to export keying material") from error

    def _on_renegotiation(self, event: Any) -> None:
        """Grant as many as the flags say; where none is wanted, a request is the end (the runner waits for no warning)."""
        if isinstance(event, HandshakeCompleted) and self.flags.renegotiate_once:
            self.connection.change_config(replace(self.config, renegotiation=False))
        if isinstance(event, RenegotiationRefused) and not self.flags.renegotiate_ignore:
            self.connection.abort(AlertDescription.NO_RENEGOTIATION)

    def _shut_down(self) -> None:
        self.connection.close()
        self.peer.flush(self.connection.bytes_to_send)
        if not self.flags.check_close_notify:
            return
        while not isinstance(event := self.peer.step(), ConnectionClosed):
            if isinstance(event, DataReceived):
                raise Unmet("APPLICATION_DATA_ON_SHUTDOWN")
            self._on_renegotiation(event)
        if not event.clean:
            raise Unmet("UNCLEAN_SHUTDOWN")
