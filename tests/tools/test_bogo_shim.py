"""tools/bogo_shim.py, driven by a stand-in for the runner: puretls at the other end of a socket."""

import base64
import contextlib
import importlib.util
import io
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from puretls import (
    AlertReceived,
    Alpn,
    ClientConfig,
    Connection,
    ConnectionClosed,
    Credential,
    DataReceived,
    HandshakeCompleted,
    Interceptor,
    MemorySessionStore,
    RenegotiationRefused,
    ServerConfig,
    TicketKeys,
)
from puretls.algorithm_names import suites
from puretls.ca import DevelopmentCa
from puretls.danger import accept_any_chain
from puretls.extensions import ExtendedMasterSecret, SignedCertificateTimestamp
from puretls.iana import AlertDescription, NamedGroup, SignatureScheme
from puretls.messages.handshake import ClientHello, ServerHello
from tests.support.breaks import extension
from tests.support.driven import Driven

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bogo_shim.py"
SHIM_ID = 0x0102030405060708
b64 = lambda data: base64.b64encode(data).decode()  # noqa: E731


@pytest.fixture(scope="module")
def shim():
    spec = importlib.util.spec_from_file_location("bogo_shim", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["bogo_shim"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bogo_shim"]


class Files:
    """Certificates as the runner leaves them in files."""

    def __init__(self, folder):
        self.ca = DevelopmentCa.create(os.urandom, time.time())
        self.issued = {
            name: self.ca.issue(["test"], kind, usage="both") for name, kind in (("server", "secp256r1"), ("peer", "ed25519"))
        }
        self.issued["rsa"] = self.ca.issue(["test"], "rsa2048", usage="both")
        for name, issued in self.issued.items():
            (folder / f"{name}.pem").write_text(issued.chain_pem)
            (folder / f"{name}.key").write_text(issued.key_pem)
        self.folder = folder

    def flags(self, name="server"):
        return ("-cert-file", self.folder / f"{name}.pem", "-key-file", self.folder / f"{name}.key")

    def credential(self, name="server", **more):
        return Credential(self.issued[name].chain, self.issued[name].key, **more)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("bogo"))


class Runner(Driven):
    """The runner's end: accepts the shim's connections and holds a conversation on each."""

    def __init__(self, config, talk=None, name=None, resume=True):
        self._configs = config if isinstance(config, list) else [config]
        self._over = False
        self._talk, self._name, self._resume = talk or echo, name, resume
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self.error, self.connections, self.received, self.events, self.results = None, [], b"", [], []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._listener.close()

    def _run(self):
        session = None
        for config in self._configs:
            if not self._accept():
                return
            with self.sock:
                self.sock.settimeout(20)
                try:
                    assert int.from_bytes(self.sock.recv(8, socket.MSG_WAITALL), "little") == SHIM_ID
                    served = isinstance(config, ServerConfig)
                    self.connection = Connection.server(config) if served else Connection.client(config, self._name, session)
                    self.connections.append(self.connection)
                    self.connection.start()
                    self.received = b""
                    self._talk(self)
                    session = self.connection.session if self._resume else None
                except Exception as error:
                    self.error = error

    def _accept(self):
        """Whether the shim has come; it may give up before."""
        while True:
            try:
                self.sock, _ = self._listener.accept()
                return True
            except TimeoutError:
                if self._over:
                    return False

    def read(self, count):
        """So many bytes of what the shim says."""
        while len(self.received) < count:
            self.received += self.until(DataReceived).data
        data, self.received = self.received[:count], self.received[count:]
        return data

    def close(self):
        self.connection.close()
        self.flush()
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass

    @property
    def alerts(self):
        return [event.description for event in self.events if isinstance(event, AlertReceived)]


def echo(runner):
    """What most tests of the runner do: shake hands, have something echoed, close."""
    runner.until(HandshakeCompleted)
    runner.send(b"\x00\x01hello" * 200)
    assert runner.read(1400) == bytes(byte ^ 0xFF for byte in b"\x00\x01hello" * 200)
    runner.close()


def drain(runner):
    """Go on until one side gives up."""
    while not isinstance(runner.step(), ConnectionClosed):
        pass


def run(shim, runner, *flags):
    """Run the shim in this process against the runner; its exit status and what it wrote on standard error."""
    with runner, contextlib.redirect_stderr(io.StringIO()) as told:
        arguments = ["-port", str(runner.port), "-shim-id", str(SHIM_ID), *map(str, flags)]
        status = shim.main(arguments)
    return status, told.getvalue()


def passes(shim, runner, *flags):
    assert run(shim, runner, *flags) == (0, "")
    assert runner.error is None
    return runner


def fails(shim, runner, expected, *flags):
    """A failure whose text the runner would look for."""
    status, told = run(shim, runner, *flags)
    assert status == 1, told
    assert expected in told
    return runner


def client(**more):
    """The runner as a client of a shim that is a server."""
    return ClientConfig(verifier=accept_any_chain, danger_suites=True, **more)


def server(files, name="server", **more):
    """The runner as a server of a shim that is a client."""
    more.setdefault("credentials", (files.credential(name),))
    return ServerConfig(verifier=accept_any_chain, danger_suites=True, **more)


# The program


def test_as_a_process_it_says_no_to_the_handshaker():
    done = subprocess.run(
        [sys.executable, TOOL, "-is-handshaker-supported"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "No\n", "")


def test_as_a_process_it_holds_a_conversation(files):
    with Runner(server(files)) as runner:
        arguments = ["-port", str(runner.port), "-shim-id", str(SHIM_ID)]
        done = subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert runner.error is None


@pytest.mark.parametrize(
    "flag", ["-dtls", "-quic", "-enable-channel-id", "-advertise-npn", "-on-resume-key-update", "-no-such-flag"]
)
def test_unknown_flag_is_unimplemented(shim, flag):
    with contextlib.redirect_stderr(io.StringIO()) as told:
        assert shim.main(["-port", "1", flag]) == 89
    assert flag in told.getvalue()


@pytest.mark.parametrize("flags", [("-min-version", "772"), ("-max-version", "770"), ("-no-tls12",), ("-expect-version", "769")])
def test_other_versions_are_unimplemented(shim, flags):
    with contextlib.redirect_stderr(io.StringIO()):
        assert shim.main(["-port", "1", *flags]) == 89


def test_no_version_at_all(shim):
    with contextlib.redirect_stderr(io.StringIO()) as told:
        assert shim.main(["-port", "1", "-no-tls1", "-no-tls11", "-no-tls12", "-no-tls13"]) == 1
    assert "NO_SUPPORTED_VERSIONS" in told.getvalue()


def test_value_missing(shim):
    with contextlib.redirect_stderr(io.StringIO()) as told:
        assert shim.main(["-port"]) == 1
    assert "-port" in told.getvalue()


# Flags without effect on a conversation


_IGNORED = (
    "-async -implicit-handshake -use-early-callback -install-ddos-callback -partial-write -cbc-record-splitting -peek-then-read "
    "-handshake-twice -no-op-extra-handshake -use-ticket-callback -use-ticket-aead-callback -no-tls1 -no-tls11 -no-tls13 "
    "-use-exporter-between-reads -use-custom-verify-callback -use-old-client-cert-callback -expect-verify-result"
)


@pytest.mark.parametrize("role", ["client", "server"])
def test_variants_and_versions(shim, files, role):
    flags = [*_IGNORED.split(), "-min-version", "769", "-max-version", "771", "-expect-version", "771", "-read-size", "100"]
    flags += ["-write-settings", "/nowhere", "-on-handshaker-max-version", "772", "-on-shim-max-version", "771"]
    if role == "client":
        passes(shim, Runner(server(files)), *flags, "-trust-cert", "/nowhere")
    else:
        passes(shim, Runner(client()), "-server", *files.flags(), *flags)


def test_ipv6(shim, files, monkeypatch):
    asked = []
    real = socket.create_connection

    def dial(address, *rest):
        asked.append(address[0])
        return real(("127.0.0.1", address[1]), *rest)

    monkeypatch.setattr(socket, "create_connection", dial)
    passes(shim, Runner(server(files)), "-ipv6")
    assert asked == ["::1"]


@pytest.mark.parametrize("refuses", [["127.0.0.1"], []], ids=["at ::1 alone", "at 127.0.0.1"])
def test_runner_is_found_where_it_listens(shim, files, monkeypatch, refuses):
    """Of 2023 there are runners that listen at ::1 and do not say `-ipv6`."""
    asked = []
    real = socket.create_connection

    def dial(address, *rest):
        asked.append(address[0])
        if address[0] in refuses:
            raise ConnectionRefusedError
        return real(("127.0.0.1", address[1]), *rest)

    monkeypatch.setattr(socket, "create_connection", dial)
    passes(shim, Runner(server(files)))
    assert asked == (["127.0.0.1", "::1"] if refuses else ["127.0.0.1"])


# The exchange


@pytest.mark.parametrize("flag", ["-shim-writes-first", "-read-with-unfinished-write"])
def test_shim_writes_first(shim, files, flag):
    def talk(runner):
        runner.until(HandshakeCompleted)
        assert runner.read(5) == b"hello"
        runner.close()

    passes(shim, Runner(server(files), talk), flag)


def test_different_record_sizes(shim, files):
    total = 1 + 255 + 256 + 257 + 16383 + 16384 + 16385 + 32767 + 32768 + 32769

    def talk(runner):
        runner.until(HandshakeCompleted)
        assert runner.read(total) == b"\x42" * total
        runner.close()

    passes(shim, Runner(server(files), talk), "-write-different-record-sizes")


def test_max_send_fragment(shim, files):
    def talk(runner):
        runner.until(HandshakeCompleted)
        assert runner.until(DataReceived).data == b"he"
        runner.read(3)
        runner.close()

    passes(shim, Runner(server(files), talk), "-shim-writes-first", "-max-send-fragment", "2")


def test_shim_shuts_down(shim, files):
    passes(shim, Runner(server(files), drain), "-shim-shuts-down")


def end_silently(runner):
    """End the stream without close_notify, and wait for the shim to end its own."""
    runner.sock.shutdown(socket.SHUT_WR)
    while runner.sock.recv(4096):
        pass


def _end_without_close_notify(runner):
    runner.until(HandshakeCompleted)
    end_silently(runner)


def test_end_of_stream_counts_as_an_end(shim, files):
    passes(shim, Runner(server(files), _end_without_close_notify))


@pytest.mark.parametrize("flags", [("-check-close-notify",), ("-check-close-notify", "-shim-shuts-down")])
def test_unclean_shutdown(shim, files, flags):
    fails(shim, Runner(server(files), _end_without_close_notify), "UNCLEAN_SHUTDOWN", *flags)


@pytest.mark.parametrize("flags", [("-check-close-notify",), ("-check-close-notify", "-shim-shuts-down")])
def test_clean_shutdown(shim, files, flags):
    def talk(runner):
        runner.until(HandshakeCompleted)
        if "-shim-shuts-down" in flags:
            drain(runner)
        else:
            runner.close()

    passes(shim, Runner(server(files), talk), *flags)


def test_application_data_on_shutdown(shim, files):
    def talk(runner):
        runner.until(HandshakeCompleted)
        runner.send(b"too late")
        drain(runner)

    runner = Runner(server(files), talk)
    fails(shim, runner, "APPLICATION_DATA_ON_SHUTDOWN", "-check-close-notify", "-shim-shuts-down")


def test_alert_sent_on_demand(shim, files):
    runner = Runner(server(files), drain)
    assert run(shim, runner, "-send-alert") == (0, "")
    assert runner.error.description == AlertDescription.DECOMPRESSION_FAILURE


def test_alert_received(shim, files):
    def talk(runner):
        runner.until(HandshakeCompleted)
        runner.connection.abort(AlertDescription.RECORD_OVERFLOW)
        runner.flush(runner.connection.bytes_to_send)

    fails(shim, Runner(server(files), talk), "ALERT_RECEIVED:record_overflow")


def test_alert_sent(shim, files):
    class Flip(Interceptor):
        def ciphertext(self, raw, where):
            return (raw[:-1] + bytes((raw[-1] ^ 1,)) if where.direction.value == "outbound" and where.epoch else raw,)

    fails(shim, Runner(server(files, interceptors=(Flip(),)), drain), "ALERT_SENT:bad_record_mac")


def test_peer_that_is_silent(shim, files):
    fails(shim, Runner(server(files), end_silently), "CLOSED")


@pytest.mark.parametrize("role", ["client", "server"])
def test_handshake_never_done(shim, files, role):
    runner, flags = (Runner(server(files)), ()) if role == "client" else (Runner(client()), ("-server", *files.flags()))
    fails(shim, runner, "completed", *flags, "-handshake-never-done")


# Exporters


@pytest.mark.parametrize("context", [None, "", "context"])
def test_exporter(shim, files, context):
    def talk(runner):
        runner.until(HandshakeCompleted)
        wanted = runner.connection.export_keying_material(b"label", 24, None if context is None else context.encode())
        assert runner.read(24) == wanted
        runner.close()

    flags = ("-export-keying-material", 24, "-export-label", "label")
    more = () if context is None else ("-use-export-context", "-export-context", context)
    passes(shim, Runner(server(files), talk), *flags, *more)


def test_tls_unique(shim, files):
    def talk(runner):
        runner.until(HandshakeCompleted)
        assert runner.read(12) == runner.connection.channel_binding("tls-unique")
        runner.close()

    passes(shim, Runner(server(files), talk), "-tls-unique")


def test_no_tls_unique_on_a_resumed_session_without_ems(shim, files):
    def talk(runner):
        runner.until(HandshakeCompleted)
        if not runner.connection.negotiated.resumed:
            runner.read(12)
        runner.close()

    config = server(files, extensions=(ExtendedMasterSecret(enabled=False),))
    fails(shim, Runner([config] * 2, talk), "tls-unique", "-tls-unique", "-resume-count", 1)


# Suites, groups, signatures


@pytest.mark.parametrize("role", ["client", "server"])
def test_cipher_curve_and_signature(shim, files, role):
    flags = ["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA", "-curves", 24, "-curves", 23, "-expect-curve-id", 23]
    flags += ["-expect-cipher", 0xC02C, "-expect-extended-master-secret", "-expect-secure-renegotiation"]
    if role == "client":
        scheme = SignatureScheme.ECDSA_SECP384R1_SHA384
        peer = server(files, groups=(NamedGroup.SECP256R1,))
        flags += ["-verify-prefs", int(scheme), "-expect-peer-signature-algorithm", int(scheme)]
        passes(shim, Runner(peer), *flags)
    else:
        flags += ["-signing-prefs", int(SignatureScheme.ECDSA_SECP256R1_SHA256)]
        passes(shim, Runner(client(groups=(NamedGroup.SECP256R1,))), "-server", *files.flags(), *flags)


@pytest.mark.parametrize(
    "flags", [("-expect-curve-id", "24"), ("-expect-cipher", "1"), ("-expect-peer-signature-algorithm", "2057")], ids=str
)
def test_what_is_not_as_expected(shim, files, flags):
    fails(shim, Runner(server(files)), "not as expected", *flags)


def test_unknown_curves_only(shim, files):
    assert run(shim, Runner(server(files)), "-curves", 4588)[0] == 89


def test_server_preference(shim, files):
    order = suites("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    for flags, cipher in (((), 0xC02C), (("-server-preference",), 0xC02B)):
        passes(shim, Runner(client(suites=order)), "-server", *files.flags(), *flags, "-expect-cipher", cipher)


def test_no_shared_cipher(shim, files):
    peer = client(suites=suites("ECDHE-RSA-AES128-GCM-SHA256"))
    fails(shim, Runner(peer, drain), "ALERT_SENT:handshake_failure", "-server", *files.flags())


def test_fallback_scsv(shim, files):
    seen = []

    class Look(Interceptor):
        def message(self, message, where):
            seen.extend(message.cipher_suites if isinstance(message, ClientHello) else ())
            return (message,)

    passes(shim, Runner(server(files, interceptors=(Look(),))), "-fallback-scsv")
    assert 0x5600 in seen


# Resumption


@pytest.mark.parametrize("ticket", [True, False])
def test_client_resumes(shim, files, ticket):
    flags = () if ticket else ("-no-ticket",)
    passes(shim, runner := Runner([server(files)] * 3), "-resume-count", 2, *flags)
    assert [bool(one.negotiated.resumed) for one in runner.connections] == [False, True, True]


@pytest.mark.parametrize("ticket", [True, False])
def test_server_resumes(shim, files, ticket):
    flags = () if ticket else ("-no-ticket", "-expect-session-id")
    passes(shim, Runner([client()] * 2), "-server", *files.flags(), "-resume-count", 1, *flags)


def test_server_whose_ticket_callback_declines(shim, files):
    passes(shim, runner := Runner(client()), "-server", *files.flags(), "-use-ticket-callback", "-skip-ticket")
    assert not runner.connection.session.ticket


def test_session_miss(shim, files):
    peers = [server(files), replace(server(files), session_cache=MemorySessionStore(), tickets=TicketKeys())]
    passes(shim, Runner(peers), "-resume-count", 1, "-expect-session-miss")
    fails(shim, Runner(peers), "resumption", "-resume-count", 1)


def test_flags_for_one_connection_only(shim, files):
    first, then = server(files, groups=(NamedGroup.SECP256R1,)), server(files, suites=suites("ECDHE-ECDSA-AES256-GCM-SHA384"))
    flags = ("-on-initial-expect-curve-id", 23, "-on-resume-expect-cipher", 0xC02C, "-on-retry-expect-cipher", 1)
    passes(shim, Runner([first, then]), *flags, "-resume-count", 1, "-expect-session-miss")


def test_renewed_ticket(shim, files):
    passes(shim, Runner([client()] * 2), "-server", *files.flags(), "-resume-count", 1, "-renew-ticket")
    keys = TicketKeys([b"a" * 48])
    peers = [server(files, tickets=keys), server(files, tickets=TicketKeys([b"b" * 48, b"a" * 48]))]
    passes(shim, Runner(peers), "-resume-count", 1, "-expect-ticket-renewal")


def test_no_session(shim, files):
    peer = server(files, tickets=None, session_cache=None)
    passes(shim, Runner(peer), "-expect-no-session")
    fails(shim, Runner(peer), "new session")
    passes(shim, Runner(client()), "-server", *files.flags(), "-expect-no-session-id")


def test_ticket_key_seals_the_tickets(shim, files):
    key, other = b"n" * 16 + bytes(32), b"o" * 16 + bytes(32)
    runner = Runner([client()] * 2)
    passes(shim, runner, "-server", *files.flags(), "-resume-count", 1, "-ticket-key", b64(key))
    session, renew = TicketKeys([key]).open(runner.connections[0].session.ticket)
    assert session.master_secret == runner.connections[1].session.master_secret
    assert not renew
    replaced = ("-on-initial-ticket-key", b64(key), "-on-resume-ticket-key", b64(other), "-expect-session-miss")
    passes(shim, Runner([client()] * 2), "-server", *files.flags(), "-resume-count", 1, *replaced)


@pytest.mark.parametrize("custom", [(), ("-use-custom-verify-callback",)], ids=["callback", "custom callback"])
def test_verification_again_on_resumption(shim, files, custom):
    asking = ("-resume-count", 1, "-verify-peer", *custom)
    tickets = TicketKeys()
    peers = [server(files, tickets=tickets), server(files, tickets=tickets)]
    passes(shim, Runner(peers), *asking, "-on-resume-verify-fail")
    passes(shim, Runner(peers), *asking, "-reverify-on-resume")
    alert = "certificate_unknown" if custom else "handshake_failure"
    again = ("-reverify-on-resume", "-on-resume-verify-fail")
    in_the_end = lambda runner: (drain if len(runner.connections) > 1 else echo)(runner)  # noqa: E731
    fails(shim, Runner(peers, in_the_end), f"ALERT_SENT:{alert}", *asking, *again)


EQUAL = "[ECDHE-ECDSA-CHACHA20-POLY1305|ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-AES128-SHA]:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305", 0xC02B),
        ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", 0xCCA9),
        ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-CHACHA20-POLY1305", 0xC009),
        ("AES128-SHA:ECDHE-ECDSA-AES256-GCM-SHA384", 0xC02C),
    ],
)
def test_suites_of_equal_preference(shim, files, offered, chosen):
    runner = Runner(client(suites=suites(offered)))
    passes(shim, runner, "-server", *files.flags(), "-cipher", EQUAL, "-expect-cipher", chosen)
    passes(shim, Runner(server(files, suites=suites(offered))), "-cipher", EQUAL)


@pytest.mark.parametrize("flags", [(), ("-no-server-name-ack",)], ids=["", "not acknowledged"])
def test_server_name_is_acknowledged_or_not(shim, files, flags):
    runner = Runner(client(), name="test")
    passes(shim, runner, "-server", *files.flags(), "-expect-server-name", "test", *flags)
    assert (runner.connection.negotiated.server_name is None) is bool(flags)


def test_unknown_protocol_is_accepted_where_allowed(shim, files):
    flags = ("-advertise-alpn", "\3foo\3bar")
    foo = {"extensions": (Alpn("foo"),)}
    passes(shim, Runner(server(files, **foo)), *flags, "-expect-alpn", "foo", "-allow-unknown-alpn-protos")
    other = extension(ServerHello, Alpn.type, lambda body: body.replace(b"foo", b"baz"))
    baz = server(files, **foo, interceptors=(other,))
    passes(shim, Runner(baz), *flags, "-expect-alpn", "baz", "-allow-unknown-alpn-protos")
    fails(shim, Runner(baz, drain), "ALERT_SENT:illegal_parameter", *flags)


def test_resumption_after_a_delay(shim, files):
    flags = ("-server", *files.flags(), "-resume-count", 1, "-resumption-delay")
    passes(shim, Runner([client()] * 2), *flags, 7000)
    passes(shim, Runner([client()] * 2), *flags, 7300, "-expect-session-miss")


# Names and protocols


def test_host_name(shim, files):
    passes(shim, runner := Runner(server(files)), "-host-name", "example.com")
    assert runner.connection.server_name == "example.com"


def test_expected_server_name(shim, files):
    flags = ("-server", *files.flags())
    passes(shim, Runner(client(), name="example.com"), *flags, "-expect-server-name", "example.com")
    fails(shim, Runner(client(), name="example.com"), "server name", *flags, "-expect-server-name", "other.com")
    passes(shim, Runner(client()), *flags, "-expect-no-server-name")
    fails(shim, Runner(client(), name="example.com"), "server name", *flags, "-expect-no-server-name")


def test_alpn_client(shim, files):
    flags = ("-advertise-alpn", "\x03foo\x03bar", "-expect-alpn", "bar")
    passes(shim, Runner(server(files, extensions=(Alpn("bar"),))), *flags)
    fails(shim, Runner(server(files, extensions=(Alpn("foo"),))), "ALPN", *flags)


def test_alpn_server(shim, files):
    peer, flags = client(extensions=(Alpn("foo", "bar"),)), ("-server", *files.flags())
    passes(shim, runner := Runner(peer), *flags, "-select-alpn", "bar", "-expect-advertised-alpn", "\x03foo\x03bar")
    assert runner.connection.negotiated.alpn == "bar"
    passes(shim, runner := Runner(peer), *flags, "-decline-alpn")
    assert runner.connection.negotiated.alpn is None
    fails(shim, Runner(peer, drain), "ALERT_SENT:no_application_protocol", *flags, "-reject-alpn")
    fails(shim, Runner(peer, drain), "ALERT_SENT:internal_error", *flags, "-select-empty-alpn")
    fails(shim, Runner(peer, drain), "protocols on offer", *flags, "-select-alpn", "bar", "-expect-advertised-alpn", "\x03baz")


# Certificates


def test_client_certificate(shim, files):
    types, prefs = bytes((1, 64)), [0x0807, 0x0403]
    peer = server(
        files, client_authentication="require", certificate_authorities=(files.ca.root.name,), signature_schemes=(0x0807, 0x0403)
    )
    flags = [*files.flags("peer"), "-expect-certificate-types", b64(types), "-expect-client-ca-list", files.ca.root.name.hex()]
    flags += [word for pref in prefs for word in ("-expect-peer-verify-pref", pref)]
    passes(shim, runner := Runner(peer), *flags, "-expect-peer-cert-file", files.folder / "server.pem")
    assert runner.connection.peer_certificates == files.issued["peer"].chain


def test_client_certificate_that_cannot_be_used(shim, files):
    peer = server(files, client_authentication="require", signature_schemes=(0x0403,))
    fails(shim, Runner(peer, drain), "ALERT_SENT:handshake_failure", *files.flags("peer"))


@pytest.mark.parametrize("flag", ["-verify-peer", "-require-any-client-certificate"])
def test_client_is_asked(shim, files, flag):
    flags = ("-server", *files.flags(), flag, "-use-client-ca-list", files.ca.root.name.hex(), "-verify-prefs", 0x0807)
    peer = client(credentials=(files.credential("peer"),))
    passes(
        shim,
        runner := Runner(peer),
        *flags,
        "-expect-peer-cert-file",
        files.folder / "peer.pem",
        "-expect-peer-signature-algorithm",
        0x0807,
    )
    assert runner.connection.certificate_request.certificate_authorities == (files.ca.root.name,)
    if flag == "-verify-peer":
        passes(shim, Runner(client()), *flags, "-expect-no-peer-cert")
    else:
        fails(shim, Runner(client(), drain), "ALERT_SENT:handshake_failure", *flags)


@pytest.mark.parametrize("names", ["<NULL>", "<EMPTY>"])
def test_no_authorities(shim, files, names):
    flags = ("-server", *files.flags(), "-verify-peer", "-use-client-ca-list", names)
    passes(shim, runner := Runner(client()), *flags)
    assert runner.connection.certificate_request.certificate_authorities == ()


def test_verify_fail(shim, files):
    fails(shim, Runner(server(files), drain), "ALERT_SENT:handshake_failure", "-verify-peer", "-verify-fail")
    custom = ("-verify-peer", "-verify-fail", "-use-custom-verify-callback")
    fails(shim, Runner(server(files), drain), "ALERT_SENT:certificate_unknown", *custom)
    passes(shim, Runner(server(files)), "-verify-fail")  # nobody asked for verification
    asking = ("-server", *files.flags(), "-require-any-client-certificate", "-verify-fail")
    fails(
        shim,
        Runner(client(credentials=(files.credential("peer"),)), drain),
        "ALERT_SENT:handshake_failure",
        *asking,
        "-verify-prefs",
        0x0807,
    )


def test_max_cert_list(shim, files):
    class Inflate(Interceptor):
        def message(self, message, where):
            if type(message).__name__ == "Certificate" and where.direction.value == "outbound":
                return (replace(message, certificate_list=(*message.certificate_list, bytes(20_000))),)
            return (message,)

    peer = server(files, interceptors=(Inflate(),))
    fails(shim, Runner(peer, drain), "ALERT_SENT:decode_error", "-max-cert-list", 16384)
    passes(shim, Runner(peer))


# Stapling


@pytest.mark.parametrize("role", ["client", "server"])
def test_ocsp(shim, files, role):
    response = files.ca.ocsp_response(files.issued["server"].certificate)
    if role == "client":
        peer = server(files, credentials=(files.credential(ocsp_response=response),))
        passes(shim, Runner([peer] * 2), "-enable-ocsp-stapling", "-expect-ocsp-response", b64(response), "-resume-count", 1)
        fails(shim, Runner(peer), "OCSP", "-expect-ocsp-response", b64(response))
        return
    flags = ("-server", *files.flags(), "-ocsp-response", b64(response), "-use-ocsp-callback", "-set-ocsp-in-callback")
    passes(shim, runner := Runner(client()), *flags)
    assert runner.connection.ocsp_response == response
    passes(shim, runner := Runner(client()), *flags, "-decline-ocsp-callback")
    assert runner.connection.ocsp_response is None


@pytest.mark.parametrize("role", ["client", "server"])
def test_certificate_timestamps(shim, files, role):
    timestamps = b"\0\x07\0\x05hello"
    if role == "client":
        peer = server(files, credentials=(files.credential(sct_list=timestamps),))
        flags = ("-enable-signed-cert-timestamps", "-expect-signed-cert-timestamps", b64(timestamps))
        passes(shim, Runner([peer] * 2), *flags, "-resume-count", 1)
        fails(shim, Runner(peer), "timestamps", "-expect-signed-cert-timestamps", b64(timestamps))
        return
    passes(shim, runner := Runner(client()), "-server", *files.flags(), "-signed-cert-timestamps", b64(timestamps))
    assert runner.connection.negotiated.result(SignedCertificateTimestamp) == timestamps
    fails(shim, Runner(client()), ":INVALID_SCT_LIST:", "-server", *files.flags(), "-signed-cert-timestamps", b64(b"\0\0"))


# Pre-shared keys


@pytest.mark.parametrize("role", ["client", "server"])
def test_psk(shim, files, role):
    chosen = suites("ECDHE-PSK-AES128-CBC-SHA:PSK-AES128-CBC-SHA")
    flags = ("-psk", "12345", "-psk-identity", "luggage combo", "-cipher", "ECDHE-PSK-AES128-CBC-SHA:PSK-AES128-CBC-SHA")
    if role == "client":
        peer = ServerConfig(suites=chosen, psk={b"luggage combo": b"12345"}.get, psk_hint=b"luggage combo")
        passes(shim, Runner(peer), *flags)
        fails(shim, Runner(replace(peer, psk_hint=b"other"), drain), "ALERT_SENT:handshake_failure", *flags)
        fails(shim, Runner(replace(peer, psk={b"luggage combo": b"1"}.get), drain), "ALERT_RECEIVED:bad_record_mac", *flags)
        return
    peer = ClientConfig(suites=chosen, psk=lambda hint: (hint, b"12345"))
    passes(shim, Runner(peer), "-server", *flags)
    stranger = ClientConfig(suites=chosen, psk=lambda hint: (b"nobody", b"12345"))
    fails(shim, Runner(stranger, drain), "ALERT_SENT:unknown_psk_identity", "-server", *flags)


# Renegotiation


def _renegotiate(count):
    def talk(runner):
        runner.until(HandshakeCompleted)
        for _ in range(count):
            runner.connection.renegotiate()
            runner.flush(runner.connection.bytes_to_send)
            runner.until(HandshakeCompleted)
        runner.send(b"after")
        runner.read(5)
        runner.close()

    return talk


@pytest.mark.parametrize("flag", ["-renegotiate-freely", "-renegotiate-explicit"])
def test_renegotiation_granted(shim, files, flag):
    peer = server(files, renegotiation=True)
    passes(shim, Runner(peer, _renegotiate(2)), flag, "-expect-total-renegotiations", 2)
    fails(shim, Runner(peer, _renegotiate(1)), "number of renegotiations", flag)


def test_renegotiation_granted_once(shim, files):
    peer = server(files, renegotiation=True)
    passes(shim, Runner(peer, _renegotiate(1)), "-renegotiate-once", "-expect-total-renegotiations", 1)
    fails(shim, Runner(peer, _renegotiate(2)), "ALERT_SENT:no_renegotiation", "-renegotiate-once")


def test_no_exporter_within_a_renegotiation(shim, files):
    peer = server(files, renegotiation=True)
    fails(
        shim,
        Runner(peer, _renegotiate(1)),
        "failed to export keying material",
        "-renegotiate-freely",
        "-use-exporter-between-reads",
    )


@pytest.mark.parametrize("flags", [(), ("-forbid-renegotiation-after-handshake",)], ids=str)
def test_renegotiation_refused(shim, files, flags):
    fails(shim, Runner(server(files, renegotiation=True), _renegotiate(1)), "ALERT_SENT:no_renegotiation", *flags)


def test_renegotiation_ignored(shim, files):
    def talk(runner):
        runner.until(HandshakeCompleted)
        for _ in range(6):
            runner.connection.renegotiate()
            runner.send(b"data")
            runner.read(4)
        runner.close()

    passes(shim, Runner(server(files, renegotiation=True), talk), "-renegotiate-ignore")


def test_renegotiation_of_a_client_refused(shim, files):
    def talk(runner):
        runner.until(HandshakeCompleted)
        runner.connection.renegotiate()
        runner.flush(runner.connection.bytes_to_send)
        runner.until(RenegotiationRefused)
        drain(runner)

    fails(shim, Runner(client(renegotiation=True), talk), "ALERT_SENT:no_renegotiation", "-server", *files.flags())


def test_no_secure_renegotiation(shim, files):
    class Strip(Interceptor):
        def message(self, message, where):
            if isinstance(message, ServerHello):
                kept = tuple(extension for extension in message.extensions if extension.extension_type != 0xFF01)
                return (replace(message, extensions=kept),)
            return (message,)

    peer = server(files, interceptors=(Strip(),))
    passes(shim, Runner(peer), "-expect-no-secure-renegotiation")
    fails(shim, Runner(peer), "secure renegotiation", "-expect-secure-renegotiation")
    fails(shim, Runner(server(files)), "no secure renegotiation", "-expect-no-secure-renegotiation")


@pytest.mark.parametrize("flags", [(), ("-renegotiate-freely",)], ids=str)
def test_no_renegotiation_after_our_close(shim, files, flags):
    def talk(runner):
        runner.until(HandshakeCompleted)
        runner.connection.renegotiate()
        runner.flush(runner.connection.bytes_to_send)
        drain(runner)

    runner = Runner(server(files, renegotiation=True), talk)
    fails(shim, runner, "ALERT_SENT:no_renegotiation", "-check-close-notify", "-shim-shuts-down", *flags)


def test_renegotiation_info_that_does_not_match(shim, files):
    class Empty(Interceptor):
        def message(self, message, where):
            if isinstance(message, ServerHello) and where.epoch:
                return (replace(message, extensions=tuple(_emptied(extension) for extension in message.extensions)),)
            return (message,)

    def _emptied(extension):
        return replace(extension, extension_data=b"\0") if extension.extension_type == 0xFF01 else extension

    runner = Runner(server(files, renegotiation=True, interceptors=(Empty(),)), _renegotiate(1))
    fails(shim, runner, ":RENEGOTIATION_MISMATCH:", "-renegotiate-freely")


# Messages


def test_trace_of_messages(shim, files):
    wanted = "write hs 1\nread hs 2\nread hs 11\nread hs 12\nread hs 14\nwrite hs 16\nwrite ccs\nwrite hs 20\nread hs 4\nread ccs\nread hs 20\n"
    passes(shim, Runner(server(files)), "-expect-msg-callback", wanted + "read alert 1 0\n", "-expect-no-hrr")
    fails(shim, Runner(server(files)), "messages", "-expect-msg-callback", wanted)
    with contextlib.redirect_stderr(io.StringIO()):
        assert shim.main(["-port", "1", "-expect-msg-callback", "read v2clienthello\n"]) == 89


def test_certificate_of_a_type_not_asked_for(shim, files):
    class Ask(Interceptor):
        def message(self, message, where):
            if type(message).__name__ == "CertificateRequest":
                return (replace(message, certificate_types=(1,)),)
            return (message,)

    peer = server(files, client_authentication="request", interceptors=(Ask(),))
    fails(shim, Runner(peer, drain), "ALERT_SENT:unsupported_certificate", *files.flags("peer"))


def test_alert_of_no_known_level(shim, files):
    class Bogus(Interceptor):
        def plaintext(self, record, where):
            if record.type == 21 and where.direction.value == "outbound":
                return (replace(record, fragment=b"\x2a" + record.fragment[1:]),)
            return (record,)

    fails(shim, Runner(server(files, interceptors=(Bogus(),))), "ALERT_SENT:illegal_parameter")


def test_resumed_connection_tells_group_and_signature(shim, files):
    flags = ("-expect-curve-id", 23, "-expect-peer-signature-algorithm", 0x0403, "-resume-count", 1)
    passes(shim, Runner([server(files, groups=(NamedGroup.SECP256R1,))] * 2), *flags)
    own = client(credentials=(files.credential("peer"),), groups=(NamedGroup.SECP256R1,))
    asking = ("-require-any-client-certificate", "-verify-prefs", 0x0807, "-expect-peer-signature-algorithm", 0x0807)
    passes(shim, Runner([own] * 2), "-server", *files.flags(), *asking, "-expect-curve-id", 23, "-resume-count", 1)


def test_preferences_of_a_client(shim, files):
    prefs = (0x0403, 0x0807)
    flags = [word for pref in prefs for word in ("-expect-peer-verify-pref", pref)]
    passes(shim, Runner(client(signature_schemes=prefs)), "-server", *files.flags(), *flags)
    fails(shim, Runner(client(signature_schemes=prefs)), "verify preferences", "-server", *files.flags(), *flags[:2])


def test_p_224_is_unimplemented(shim, files):
    assert run(shim, Runner(server(files)), "-curves", 21)[0] == 89


def test_first_record_says_tls_1_0(shim, files):
    versions = []

    class Look(Interceptor):
        def ciphertext(self, raw, where):
            if where.direction.value == "inbound":
                versions.append(raw[1:3])
            return (raw,)

    passes(shim, Runner(server(files, interceptors=(Look(),))))
    assert versions[0] == b"\3\1"
    assert set(versions[1:]) == {b"\3\3"}
