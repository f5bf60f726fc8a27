"""Captures by dumpcap on loopback as its interfaces give them: cooked, IPv6, many connections at once, and what was said before TLS."""

import re
import socket
import threading
from contextlib import suppress

import pytest

from puretls.inspect import Knowledge, read_capture
from tests.inspect.foreign import Capturing, why_not
from tests.interop.certificates import Certificates
from tests.interop.peers import TIMEOUT, Server, run, s_client

pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(why_not()), reason=str(why_not()))]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"), "puretls links")


@pytest.fixture
def server(certificates, tmp_path):
    """`openssl s_server` at the address that is asked for; its secrets go to `keys.log`."""
    made = []

    def start(address="127.0.0.1", version="-tls1_2"):
        leaf = certificates.leaf("rsa")
        command = (
            "openssl",
            "s_server",
            "-accept",
            f"{address}:0",
            version,
            "-rev",
            *leaf.s_server,
            "-keylogfile",
            tmp_path / "keys.log",
        )
        made.append(Server(command, rf"ACCEPT {re.escape(address)}:(\d+)"))
        return made[-1].port

    yield start
    for process in made:
        process.kill()


def opened(file, log):
    capture = read_capture(file)
    assert not capture.notes
    return list(zip(capture.connections, capture.conversations(Knowledge.of(log.read_text())), strict=True))


def complete(conversation):
    assert conversation.data("client") == b"hello\nCLOSE\n"
    assert conversation.data("server") == b"olleh\n"
    assert conversation.outcome.completed == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("interface", "options"), [("any", ()), ("any", ("-y", "LINUX_SLL2")), ("lo", ("-P",)), ("lo", ("-s", "300"))]
)
def test_interfaces(interface, options, server, tmp_path):
    """All interfaces at once are captured cooked; `-P` writes pcap; `-s` cuts packets, which is told and leaves gaps."""
    port = server()
    with Capturing(file := tmp_path / "a", port, interface, *options):
        s_client(port, "-servername", "server.test", text="hello\nCLOSE\n")
    if "-s" in options:
        capture = read_capture(file)
        assert "captured in part only" in capture.notes[0]
        assert capture.connections[0].server.gaps
        assert capture.connections[0].server_name == "server.test"
        return
    for connection, conversation in opened(file, tmp_path / "keys.log"):
        assert connection.server_name == "server.test"
        complete(conversation)


@pytest.mark.slow
def test_ipv6(server, tmp_path):
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        port = server("[::1]")
        with Capturing(file := tmp_path / "a", port):
            run("openssl", "s_client", "-connect", f"[::1]:{port}", "-ign_eof", "-tls1_2", text="hello\nCLOSE\n")
        ((connection, conversation),) = opened(file, tmp_path / "keys.log")
        assert connection.addresses[1] == f"[::1]:{port}"
        complete(conversation)
        return
    pytest.skip("there is no IPv6 on the loopback interface")


@pytest.mark.slow
def test_tls_1_3_is_listed_by_its_version_and_seen_as_far_as_it_shows(server, tmp_path):
    port = server(version="-tls1_3")
    with Capturing(file := tmp_path / "a", port):
        s_client(port, "-servername", "server.test", text="hello\nCLOSE\n", version=("-tls1_3",))
    (connection,) = read_capture(file).connections
    assert (connection.version, connection.suite) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
    conversation = connection.conversation()
    assert conversation.outcome.kind == "not TLS 1.2"
    for side in ("client", "server"):
        leaves = conversation.byte_map.wire(side)
        assert sum(leaf.length for leaf in leaves) == len(conversation.stream(side).data)


# What is said before TLS, by the clients of others


def hear(pattern):
    return re.compile(pattern, re.DOTALL)


DIALOGUES = {
    "smtp": (b"220 mail\r\n", hear(rb"EHLO.*\n"), b"250-mail\r\n250 STARTTLS\r\n", hear(rb"STARTTLS\r\n"), b"220 go\r\n"),
    "pop3": (b"+OK ready\r\n", hear(rb"STLS\r\n"), b"+OK\r\n"),
    "imap": (b"* OK ready\r\n", hear(rb"CAPABILITY\r\n"), b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK\r\n", hear(rb"STARTTLS\r\n"), b". OK\r\n"),
    "ftp": (b"220 ftp\r\n", hear(rb"AUTH TLS\r\n"), b"234 go\r\n"),
    "xmpp": (hear(rb"<stream:stream.*>"), b"<stream:stream/><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
             hear(rb"<starttls.*>"), b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    "postgres": (hear(rb"\0\0\0\x08\x04\xd2\x16\x2f"), b"S"),
    "nntp": (b"200 news\r\n", hear(rb"CAPABILITIES\r\n"), b"101 list\r\nSTARTTLS\r\n.\r\n", hear(rb"STARTTLS\r\n"), b"382 go\r\n"),
    "sieve": (b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK\r\n', hear(rb"STARTTLS\r\n"), b"OK\r\n"),
    "ldap": (hear(rb"1466\.20037"), b"0\x0c\x02\x01\x01x\x07\x0a\x01\0\4\0\4\0"),
    "proxy": (hear(rb"CONNECT .*\r\n\r\n"), b"HTTP/1.1 200 Connection established\r\n\r\n"),
}  # fmt: skip
"""By the name that `s_client -starttls` has for it: what the server says, and what it waits to hear."""
NAMES = {
    "smtp": "SMTP", "pop3": "POP3", "imap": "IMAP", "ftp": "FTP", "xmpp": "XMPP", "postgres": "PostgreSQL", "nntp": "NNTP",
    "sieve": "ManageSieve", "ldap": "LDAP", "proxy": "HTTP CONNECT",
}  # fmt: skip


class Relay:
    """Speaks a dialogue, then passes bytes on to a server of TLS; for one client."""

    def __init__(self, dialogue, port):
        self._dialogue, self._target = dialogue, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with (
            self._listener,
            self._listener.accept()[0] as client,
            socket.create_connection(("127.0.0.1", self._target)) as server,
        ):
            client.settimeout(TIMEOUT)
            for step in self._dialogue:
                if isinstance(step, bytes):
                    client.sendall(step)
                else:
                    heard = b""
                    while not step.search(heard):
                        heard += client.recv(4096)
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join(TIMEOUT)

    @staticmethod
    def _pass(source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def join(self):
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()


@pytest.mark.parametrize(
    "protocol", [pytest.param(name, marks=[pytest.mark.slow] if name not in {"smtp", "proxy"} else []) for name in DIALOGUES]
)
def test_what_openssl_says_before_tls_is_kept_aside(protocol, server, tmp_path):
    relay = Relay(DIALOGUES[protocol], server())
    with Capturing(file := tmp_path / "a", relay.port):
        if protocol == "proxy":
            command = ("-proxy", f"127.0.0.1:{relay.port}", "-connect", "server.test:443")
        else:
            command = ("-connect", f"127.0.0.1:{relay.port}", "-starttls", protocol)
        run("openssl", "s_client", *command, "-ign_eof", "-tls1_2", text="hello\nCLOSE\n")
        relay.join()
    ((connection, conversation),) = opened(file, tmp_path / "keys.log")
    complete(conversation)
    assert connection.prefix.protocol == NAMES[protocol]
    assert connection.prefix.server == b"".join(step for step in DIALOGUES[protocol] if isinstance(step, bytes))
    assert [
        pattern
        for pattern in DIALOGUES[protocol]
        if not isinstance(pattern, bytes) and not pattern.search(connection.prefix.client)
    ] == []


@pytest.mark.slow
def test_several_connections_at_once(server, tmp_path):
    port = server()
    with Capturing(file := tmp_path / "a", port):
        several = [threading.Thread(target=s_client, args=(port,), kwargs={"text": "hello\nCLOSE\n"}) for _ in range(8)]
        for thread in several:
            thread.start()
        for thread in several:
            thread.join()
    found = opened(file, tmp_path / "keys.log")
    assert len(found) == 8
    for _, conversation in found:
        complete(conversation)
