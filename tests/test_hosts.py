"""One host, three uses: the name that is resolved, the one that is sent and the one that is verified, by every facade."""

import asyncio
import contextlib
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from puretls import UsageError, danger, net
from puretls.ca import DevelopmentCa
from puretls.cli.serve import _listener
from puretls.config import ClientConfig, Credential, ServerConfig
from puretls.connection import Connection
from puretls.crypto.provider import default
from puretls.errors import PuretlsError
from puretls.inspect.peer import SocketPeer
from puretls.net import TlsSocket, aio
from puretls.qt import QSslCertificate, QSslConfiguration, QSslSocket
from puretls.x509.drafts import dns_name
from puretls.x509.hostname import dns_fault, host_to_look_up, parse_reference
from puretls.x509.verifier import chain_verifier
from tests.cli.command import in_process
from tests.qt.conftest import run_until

AUTHORITY = DevelopmentCa.create(os.urandom, time.time())
VERIFIER = chain_verifier([AUTHORITY.root.certificate], provider=default())
CLIENT = ClientConfig(verifier=VERIFIER)


def by_net(host, port, _):
    net.connect((host, port), CLIENT, timeout=20).close()


def by_aio(host, port, _):
    async def main():
        _, writer = await aio.open_connection(host, port, CLIENT)
        writer.close()

    asyncio.run(main())


def by_connection(host, port, _):
    with socket.create_connection((host_to_look_up(host), port), 20) as sock:
        TlsSocket(sock, Connection.client(CLIENT, host)).handshake()


def by_command(host, port, folder):
    path = folder / "root.pem"
    path.write_text(AUTHORITY.root_pem)
    target = f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"
    done = in_process("connect", target, "--ca", path, "--linger", "0.01")
    if done.returncode:
        raise PuretlsError(done.stderr)


def by_qt(host, port, _):
    configuration = QSslConfiguration.defaultConfiguration()
    configuration.setCaCertificates([QSslCertificate(AUTHORITY.root_pem)])
    made = QSslSocket()
    made.setSslConfiguration(configuration)
    encrypted = []  # the peer closes at once
    made.encrypted.connect(lambda: encrypted.append(True))
    made.connectToHostEncrypted(host, port)
    run_until(lambda: encrypted or made.state() is QSslSocket.UnconnectedState)
    if not encrypted:
        raise PuretlsError(made.errorString())
    made.abort()


FACADES = (by_net, by_aio, by_connection, by_command, by_qt)
facade = pytest.mark.parametrize("connect", FACADES, ids=lambda each: each.__name__)


class Server:
    """Takes one client, with a certificate for `names`; `sent` is what that client put into server_name."""

    def __init__(self, names, address="127.0.0.1", family=socket.AF_INET):
        leaf = AUTHORITY.issue(names)
        self.config = ServerConfig(credentials=(Credential(leaf.chain, leaf.key),))
        self.listening = socket.socket(family)
        self.listening.bind((address, 0) if isinstance(address, str) else address)
        self.listening.listen()
        self.listening.settimeout(20)
        self.port = self.listening.getsockname()[1]
        self.sent = "nothing yet"
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        sock, _ = self.listening.accept()
        sock.settimeout(20)
        try:
            tls = TlsSocket.server(sock, self.config)
            self.sent = tls.connection.server_name
            tls.close()
        except (PuretlsError, OSError):
            sock.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listening.close()
        self.thread.join(20)


@pytest.fixture
def looked_up(monkeypatch):
    """The names that reach the resolver, each of which it finds on this machine."""
    names = []
    real = socket.getaddrinfo

    def resolver(host, *arguments, **options):
        names.append(host)
        return real("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return names


SPELLINGS = [
    ("foo\u3002bar.example.org", "foo.bar.example.org"),
    ("foo\uff61bar\uff0eexample.org", "foo.bar.example.org"),
    ("B\u00fccher.Example", "xn--bcher-kva.example"),
    ("fa\u00df.example", "fass.example"),
    ("\u03c3\u03bf\u03c6\u03cc\u03c2.example", "xn--0xahbl4a.example"),  # a final sigma is a sigma
    ("x\u200dy\u200cz.example", "xyz.example"),
    ("\u2167.example", "viii.example"),
]


@facade
@pytest.mark.rfc("9525", "6.2")
@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize(("written", "host"), SPELLINGS)
def test_what_is_resolved_sent_and_verified_is_one_name(connect, written, host, looked_up, tmp_path):
    with Server([host]) as server:
        connect(written, server.port, tmp_path)
    assert set(looked_up) == {host}
    assert server.sent == host


@facade
@pytest.mark.rfc("9525", "6.3")
def test_a_dot_in_another_script_is_a_dot_for_wildcards(connect, looked_up, tmp_path):
    with Server(["*.example.org"]) as server, pytest.raises((PuretlsError, UsageError)):
        connect("foo\u3002bar.example.org", server.port, tmp_path)
    assert set(looked_up) == {"foo.bar.example.org"}


@facade
def test_what_has_no_ascii_form_is_refused_before_it_is_looked_up(connect, looked_up, tmp_path):
    for host in ("a\uff0e\uff0eb.example", "\u00fc" * 64 + ".example", "\ud800.example"):
        with pytest.raises(PuretlsError):
            connect(host, 1, tmp_path)
    assert looked_up == []


@pytest.mark.parametrize("host", ["a..b", ".a", "a" * 64 + ".example", "\u00fc" * 64, "fe80::1%a..b"])
def test_what_the_resolver_takes_for_no_name_is_refused_wherever_the_name_to_verify_is_another(host):
    with pytest.raises(UsageError, match="not a host name"):
        net.connect((host, 1), CLIENT, server_name="server.test")
    with pytest.raises(UsageError, match="not a host name"):
        asyncio.run(aio.open_connection(host, 1, CLIENT, server_name="server.test"))
    with pytest.raises(UsageError, match="not a host name"):
        SocketPeer.connect(host, 1)


@given(st.text(max_size=20))
@settings(max_examples=40)
@example("a" * 64)
@example("\x00")
@example("\ud800")
def test_whatever_is_looked_up_the_resolver_takes_it_for_a_name(text):
    try:
        host = host_to_look_up(text)
    except UsageError:
        return
    with contextlib.suppress(OSError):
        socket.getaddrinfo(host, 1, flags=socket.AI_NUMERICHOST)


def uses(text):
    """What one text is resolved, sent and verified as, and what a certificate for it would say; None where it is refused."""
    found = []
    for use in (
        lambda: host_to_look_up(text) if Connection.client(ClientConfig(), text) else "",
        lambda: parse_reference(text).sni or str(parse_reference(text)),
        lambda: danger.parts(Connection.client(ClientConfig(), text)).progress.context.verified_name,
    ):
        try:
            found.append(use().removesuffix("."))
        except UsageError:
            found.append(None)
    return found


_names = st.text(max_size=40) | st.lists(st.text("abz-\u00df\u03c2\u200d\u3002\uff0e\uff61.\u210b\uff21", min_size=1), max_size=4).map(".".join)


@given(_names)
@example("foo\u3002bar.example.org")
@example("\u2024.\u2025")
@example("x" * 2000)
def test_for_any_text_the_three_are_the_same_or_all_are_refused(text):
    resolved, sent, verified = uses(text)
    assert resolved == sent == verified or (":" in text and resolved.partition("%")[0] in (sent, text.lower()))
    if resolved and ":" not in resolved:
        assert resolved.encode("idna").decode() == resolved  # nothing is left for the resolver to map
        if not parse_reference(text).address:
            assert dns_fault(resolved, underscore=True) == ""
            assert dns_name(text) == resolved  # what the development CA would issue for it


# Addresses with a zone (RFC 4007 11)


def zones():
    """Addresses of this machine that have a zone: `::1` on the link with its number, and a link-local one where there is any."""
    found = [pytest.param("::1", "1", id="loopback")]
    table = Path("/proc/net/if_inet6")
    for line in table.read_text().splitlines() if table.exists() else ():
        digits, _, _, scope, _, name = line.split()
        if scope == "20":
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
            found.append(pytest.param(address, name, id=f"link-local on {name}"))
            break
    return found


@pytest.mark.skipif(not socket.has_ipv6 or not hasattr(socket, "if_nameindex"), reason="no IPv6")
@facade
@pytest.mark.rfc("9525", "6.5")
@pytest.mark.parametrize("brackets", ["{}", "[{}]"])
@pytest.mark.parametrize(("address", "zone"), zones())
def test_connects_with_the_zone_and_verifies_without(connect, address, zone, brackets, tmp_path):
    try:
        number = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
        server = Server([address], (address, 0, 0, number), socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this link")
    with server:
        connect(brackets.format(f"{address}%{zone}"), server.port, tmp_path)
    assert server.sent is None


@pytest.mark.parametrize(("address", "zone"), zones())
def test_the_command_listens_on_an_address_with_a_zone(address, zone):
    with _listener(f"{address}%{zone}", 0) as listening:
        assert listening.getsockname()[0].partition("%")[0] == address
        assert address == "::1" or listening.getsockname()[3] == socket.if_nametoindex(zone)


@facade
def test_a_zone_that_is_none_is_a_plain_error(connect, tmp_path):
    with pytest.raises((PuretlsError, OSError)):
        connect("fe80::1%no such link", 1, tmp_path)


@pytest.mark.parametrize("text", ["192.0.2.1%eth0", "fe80::1%", "fe80::1%a b", "fe80::1%a%b", "example.org%eth0", "fe80::1%" + "x" * 100])
def test_only_an_ipv6_address_has_a_zone(text):
    with pytest.raises(UsageError):
        Connection.client(ClientConfig(), text)


def test_the_verifier_is_asked_for_the_address_alone_and_sessions_are_kept_by_link():
    connection = Connection.client(ClientConfig(), "[FE80::1%eth0]")
    assert connection.server_name == "fe80::1%eth0"
    context = danger.parts(connection).progress.context
    assert context.verified_name == "fe80::1"
    assert context.sni is None
