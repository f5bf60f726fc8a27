"""Bad input to the command: one clear line on stderr, and the exit status that says whose fault it is."""

import os
import socket
import threading
from pathlib import Path

import pytest

from puretls.crypto.provider import default
from puretls.x509.keys import parse_private_key
from puretls.x509.pkcs8 import encrypted_key_pem
from tests.cli.command import in_process as puretls
from tests.cli.command import puretls as process
from tests.cli.command import serving

NAME = "server.test"
TAPE = str(Path(__file__).resolve().parents[2] / "vectors" / "tapes" / "01-rsa-gcm.json")


def check(result, status, *words):
    assert result.returncode == status, result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in lines[0]


@pytest.fixture
def locked(files, tmp_path):
    """The path of the key of `files.cert`, encrypted."""
    key = parse_private_key(Path(files.key).read_bytes())
    path = tmp_path / "locked.key"
    path.write_text(encrypted_key_pem(key, "sesame", os.urandom, default()))
    return str(path)


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def answering():
    """`answering(data)` is the port of a server that sends `data` to whoever connects, and closes."""
    listeners = []

    def start(data):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listeners:
        listener.close()


def test_error_of_a_process_is_one_line_too(files):
    check(process("connect", "localhost:1", "--ca", files.garbage), 2, files.garbage)


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".test", "a-.test", "a b"])
def test_a_name_that_is_none(host):
    check(puretls("connect", f"{host}:1"), 2, "not a host name")


class TestFiles:
    def test_missing_certificate(self, files):
        result = puretls("serve", "--port", 0, "--cert", "/no/such/file", "--key", files.key)
        check(result, 2, "/no/such/file", "No such file")

    def test_missing_key(self, files):
        check(puretls("serve", "--port", 0, "--cert", files.cert, "--key", "/no/key"), 2, "/no/key", "No such file")

    def test_missing_authorities(self):
        check(puretls("connect", "localhost:1", "--ca", "/no/ca"), 2, "/no/ca", "No such file")

    def test_directory_for_a_file(self, files):
        check(puretls("serve", "--port", 0, "--cert", files.folder, "--key", files.key), 2, str(files.folder), "directory")

    def test_key_of_another_certificate(self, files):
        result = puretls("serve", "--port", 0, "--cert", files.cert, "--key", files.rsa_key)
        check(result, 2, files.cert, files.rsa_key, "does not belong")

    @pytest.mark.parametrize("which", ["garbage", "garbage_der", "key"])
    def test_garbage_for_a_certificate(self, files, which):
        check(puretls("serve", "--port", 0, "--cert", getattr(files, which), "--key", files.key), 2, getattr(files, which))

    @pytest.mark.parametrize("which", ["garbage", "cert"])
    def test_garbage_for_a_key(self, files, which):
        check(puretls("serve", "--port", 0, "--cert", files.cert, "--key", getattr(files, which)), 2, getattr(files, which))

    @pytest.mark.parametrize("which", ["garbage", "garbage_der", "key"])
    def test_garbage_for_authorities(self, files, which):
        check(puretls("connect", "localhost:1", "--ca", getattr(files, which)), 2, getattr(files, which))

    def test_garbage_for_a_session(self, files, tmp_path):
        (tmp_path / "session").write_bytes(b"garbage")
        result = puretls("connect", "localhost:1", "--ca", files.ca, "--session-file", tmp_path / "session")
        check(result, 2, "session")

    def test_no_certificate_at_all(self):
        check(puretls("serve", "--port", 0), 2, "credential", "--cert", "--key", "puretls ca", "--psk")

    def test_certificate_without_its_key(self, files):
        check(puretls("serve", "--port", 0, "--cert", files.cert), 2, files.cert, "name its file with --key")

    @pytest.mark.parametrize(("password", "says"), [((), "a password is needed"), (("--password", "guess"), "password is wrong")])
    @pytest.mark.parametrize("command", [("serve", "--port", 0), ("connect", "localhost:1")])
    def test_key_that_stays_locked(self, files, locked, command, password, says):
        check(puretls(*command, "--cert", files.cert, "--key", locked, *password), 2, locked, says)

    def test_locked_key_is_opened_by_its_password(self, files, locked):
        with serving(files.folder, "--cert", files.cert, "--key", locked, "--password", "sesame") as server:
            result = process("connect", f"localhost:{server.port}", "--ca", files.ca, stdin=b"GET / HTTP/1.0\r\n\r\n")
        assert result.returncode == 0, result.stderr

    def test_missing_directory_to_serve(self, files):
        check(puretls("serve", "--port", 0, "--cert", files.cert, "--key", files.key, "--www", "/no/dir"), 2, "/no/dir")


class TestArguments:
    @pytest.mark.parametrize(
        "address", ["", ":443", "host:", "host:0", "host:x", "host:70000", "::1", "[::1", "[::1]443", "[]:1"]
    )
    def test_bad_address(self, address):
        check(puretls("connect", address), 2, "HOST:PORT", "port from 1 to 65535", "[::1]:443")

    @pytest.mark.parametrize(
        ("option", "value", "word"),
        [
            ("--ciphers", "NOSUCH", "unknown suite"),
            ("--ciphers", "RC4-SHA", "--danger-suites"),
            ("--alpn", "☃", "one byte a character"),
            ("--groups", "nosuch", "unknown group"),
            ("--sigalgs", "nosuch", "unknown signature algorithm"),
            ("--alpn", "x" * 256, "255"),
            ("--max-fragment", "1000", "max_fragment_length"),
            ("--record-size-limit", "63", "record_size_limit"),
            ("--psk", "xyz", "hexadecimal"),
            ("--key", "/no", "--cert"),
        ],
    )
    def test_bad_option(self, files, option, value, word):
        check(puretls("connect", "localhost:1", "--ca", files.ca, option, value), 2, word)

    @pytest.mark.parametrize(("option", "listed"), [("--ciphers", "suites"), ("--groups", "groups"), ("--sigalgs", "sigalgs")])
    def test_unknown_name_leads_to_the_list(self, option, listed):
        check(puretls("connect", "localhost:1", option, "nosuch"), 2, f"`puretls list {listed}` tells what there is")

    @pytest.mark.parametrize("arguments", [("nosuch",), ("list", "nosuch"), ("serve",), ("connect", "x", "--linger", "y")])
    def test_bad_usage_is_told_where_help_is(self, arguments):
        check(puretls(*arguments), 2, "--help")

    @pytest.mark.parametrize("arguments", [(), ("x509",)])
    def test_without_a_command_help_says_what_there_is(self, arguments):
        result = puretls(*arguments)
        assert (result.returncode, result.stdout) == (2, "")
        for word in ("usage: puretls", "verify" if arguments else "connect", "options:"):
            assert word in result.stderr

    @pytest.mark.parametrize(("option", "word"), [("--ocsp", "OCSPResponse"), ("--sct", "sct_list")])
    @pytest.mark.parametrize("content", [b"", b"garbage", b"\x30\x03\x0a\x01\x03"])
    def test_garbage_to_staple(self, files, tmp_path, option, word, content):
        path = tmp_path / "stapled"
        path.write_bytes(content)
        check(puretls("serve", "--port", 0, "--cert", files.cert, "--key", files.key, option, path), 2, str(path), word)

    def test_client_certificates_need_authorities(self, files):
        result = puretls("serve", "--port", 0, "--cert", files.cert, "--key", files.key, "--require-client-cert")
        check(result, 2, "--client-ca")


class TestNetwork:
    def test_connection_refused(self, files, free_port):
        check(puretls("connect", f"127.0.0.1:{free_port}", "--ca", files.ca), 2, "Connection refused", str(free_port))

    def test_unknown_host(self, files):
        check(puretls("connect", "no-such-host.invalid:443", "--ca", files.ca), 2, "no-such-host.invalid")

    def test_port_in_use(self, files):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            result = puretls("serve", "--port", port, "--cert", files.cert, "--key", files.key)
        check(result, 2, str(port), "in use")

    def test_foreign_address_to_listen_on(self, files):
        result = puretls("serve", "--port", 0, "--host", "192.0.2.1", "--cert", files.cert, "--key", files.key)
        check(result, 2, "192.0.2.1")

    def test_peer_that_speaks_http(self, files, answering):
        port = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        check(puretls("connect", f"localhost:{port}", "--ca", files.ca), 1, "does not speak TLS", "RFC 5246")

    def test_peer_that_hangs_up(self, files, answering):
        check(puretls("connect", f"localhost:{answering(b'')}", "--ca", files.ca), 1, "WAIT_SERVER_HELLO")

    def test_peer_that_refuses(self, files, answering):
        port = answering(b"\x15\x03\x03\x00\x02\x02\x28")
        check(puretls("connect", f"localhost:{port}", "--ca", files.ca), 1, "handshake_failure", "WAIT_SERVER_HELLO")

    def test_silent_peer(self, files):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            check(puretls("connect", address, "--ca", files.ca, "--timeout", "0.2"), 1, "too long", "WAIT_SERVER_HELLO")

    def test_certificate_for_another_name(self, files, tmp_path):
        with serving(tmp_path, "--cert", files.cert, "--key", files.key) as server:
            result = puretls("connect", f"localhost:{server.port}", "--ca", files.ca, "--servername", "other.test")
            check(result, 1, "other.test", "RFC", "bad_certificate")

    def test_certificate_of_an_unknown_authority(self, files, tmp_path):
        with serving(tmp_path, "--cert", files.cert, "--key", files.key) as server:
            check(puretls("connect", f"localhost:{server.port}", "--ca", files.other_ca), 1, "unknown_ca")
            server.wait_for("failed: the peer sent the fatal alert unknown_ca")


LIVE = [("replay", TAPE, "--against"), ("edit", TAPE, "--flip", "client.ClientHello.random", "--against"), ("learn",)]


@pytest.mark.parametrize("command", LIVE)
def test_a_live_peer_that_is_not_there_is_named(command, free_port):
    check(puretls(*command, f"127.0.0.1:{free_port}"), 2, "Connection refused", f"127.0.0.1 port {free_port}")


@pytest.mark.parametrize("command", [*LIVE, ("inspect", "--servername", NAME), ("connect", "--servername", NAME)])
@pytest.mark.parametrize("host", ["a..b", "\u00fc" * 70])
def test_a_place_that_has_no_name(command, host):
    """The name to verify may be another; what cannot be looked up is said all the same."""
    check(puretls(*command, f"{host}:1"), 2, "not a host name", host[:20])


def test_too_little_memory_is_a_line(monkeypatch, tmp_path):
    """As when a device that never ends is named for a file."""

    def endless(*arguments):
        raise MemoryError

    monkeypatch.setattr(Path, "read_bytes", endless)
    monkeypatch.setattr("builtins.open", endless)
    for command in (("x509", "show", "/dev/zero"), ("replay", "/dev/zero")):
        check(puretls(*command), 2, "memory")
