"""`puretls serve` answers clients of any make, and survives all of them."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import threading
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from puretls.cli.serve import Server, echo
from puretls.config import ClientConfig, ServerConfig
from puretls.crypto.provider import default
from puretls.net import connect as connect_to
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import chain_verifier
from tests.cli.command import in_process, puretls, serving
from tests.support.interrupts import interrupts_are_taken


@pytest.fixture(scope="module")
def options(files):
    return "--cert", files.cert, "--key", files.key, "--cert", files.rsa_cert, "--key", files.rsa_key


@pytest.fixture(scope="module")
def web(files, options, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("web"), "--http", *options) as server:
        yield server


def fetch(server, files, path="/", *arguments):
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    return puretls("connect", f"localhost:{server.port}", "--ca", files.ca, *arguments, stdin=request)


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def test_page_tells_what_was_negotiated(web, files):
    result = fetch(web, files)
    assert b"HTTP/1.1 200 OK" in result.stdout
    assert b"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" in result.stdout
    assert "the peer closed the connection" in result.stderr
    web.wait_for(r"127.0.0.1:\d+ TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 x25519 \S+ full .*GET / 200")


@pytest.mark.parametrize(
    "garbage",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", os.urandom(5000), b"\x80\x2e\x01\x00\x02" + bytes(50)],
)
def test_whatever_a_client_sends_the_next_one_is_served(web, files, garbage):
    with socket.create_connection(("127.0.0.1", web.port)) as sock:
        sock.sendall(garbage)
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(10)
        try:
            while sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
    assert b"200 OK" in fetch(web, files).stdout
    assert "Traceback" not in web.log


def test_no_more_threads_cost_the_next_client_its_connection_and_nobody_else(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    told, stop = socket.socketpair()
    answers = iter([RuntimeError("can't start new thread")])  # what a system says that has come to its limit
    start = threading.Thread.start

    def start_or_not(thread):
        for error in answers:
            raise error
        start(thread)

    server = Server(lambda: ServerConfig(psk=lambda identity: bytes(16)), echo, Namespace(idle_timeout=20, handshake_timeout=20, danger_seed=None, trace=False))
    with socket.create_server(("127.0.0.1", 0)) as listener, told, stop:
        address, serving = listener.getsockname(), threading.Thread(target=server.serve, args=(listener, (told.fileno(),)), daemon=True)
        serving.start()
        monkeypatch.setattr(threading.Thread, "start", start_or_not)
        with socket.create_connection(address, 20) as refused:
            assert refused.recv(1) == b""
        with connect_to(("localhost", address[1]), ClientConfig(psk=lambda hint: (b"me", bytes(16)))) as tls:
            tls.sendall(b"x")
            assert tls.recv(1) == b"x"
        stop.send(b".")
        serving.join(20)
        assert server.drain(20)
    assert caplog.text.count("accept: can't start new thread") == 1


def test_defect_while_files_are_read_again_ends_no_server(caplog):
    configurations = iter([ServerConfig(psk=lambda identity: None)])
    server = Server(lambda: next(configurations), None, None)
    server.reload()
    assert "StopIteration" in caplog.text
    assert "reloaded" in caplog.text


def test_concurrent_clients_are_served(web, files):
    ssl = pytest.importorskip("ssl")
    context = ssl.create_default_context(cafile=files.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def one(_):
        with (
            socket.create_connection(("127.0.0.1", web.port)) as sock,
            context.wrap_socket(sock, server_hostname="localhost") as tls,
        ):
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return tls.recv(100)

    with ThreadPoolExecutor(12) as pool:
        assert all(answer.startswith(b"HTTP/1.1 200") for answer in pool.map(one, range(24)))


def test_silent_clients_are_dropped(files, options, tmp_path):
    with (
        serving(tmp_path, *options, "--handshake-timeout", "0.3") as server,
        socket.create_connection(("127.0.0.1", server.port)) as sock,
    ):
        sock.settimeout(10)
        assert sock.recv(100) == b""
        server.wait_for("failed: the handshake took too long")


def test_idle_clients_are_dropped(files, options, tmp_path):
    with serving(tmp_path, "--echo", *options, "--idle-timeout", "0.3") as server:
        result = puretls("connect", f"localhost:{server.port}", "--ca", files.ca, "--linger", "5", stdin=b"x")
        assert result.stdout == b"x"
        assert "the peer closed the connection" in result.stderr
        server.wait_for("failed: timed out")


def test_hangup_reads_the_certificates_again(files, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(files.cert, cert)
    shutil.copy(files.key, key)
    with serving(tmp_path, "--cert", cert, "--key", key) as server:
        assert b"ECDHE_ECDSA" in fetch(server, files).stdout
        shutil.copy(files.rsa_cert, cert)
        server.send(signal.SIGHUP)
        server.wait_for("not reloaded: .*does not belong")
        assert b"ECDHE_ECDSA" in fetch(server, files).stdout
        shutil.copy(files.rsa_key, key)
        server.send(signal.SIGHUP)
        server.wait_for("\nreloaded")
        assert b"ECDHE_RSA" in fetch(server, files).stdout


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are looked up in /proc")
@pytest.mark.parametrize("more", [(), pytest.param(("--workers", "1"), marks=pytest.mark.slow)], ids=["alone", "workers"])
def test_key_log_is_opened_once_and_reloading_keeps_it(files, tmp_path, more):
    path, moved = tmp_path / "keys", tmp_path / "moved"
    with serving(tmp_path, "--cert", files.cert, "--key", files.key, "--keylog", path, *more) as server:
        path.rename(moved)
        for count in (1, 2, 3):
            server.send(signal.SIGHUP)
            server.wait_for(rf"(?s)(reloaded.*){{{count}}}")
        trust = chain_verifier(load_certificates(Path(files.ca).read_bytes()), provider=default())
        connect_to(("127.0.0.1", server.port), ClientConfig(verifier=trust), server_name="localhost").close()
        server.wait_for("no request")
        files_open = [os.readlink(one) for one in Path(f"/proc/{server.process.pid}/fd").iterdir()]
        assert files_open.count(str(moved)) == 1
        assert moved.read_text().startswith("CLIENT_RANDOM ")
        assert not path.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_is_a_clean_end(files, options, tmp_path, number):
    with interrupts_are_taken(), serving(tmp_path, *options) as server:
        server.send(number)
        assert server.process.wait(10) == 0
        assert "stopped" in server.log


def test_files_are_served_and_nothing_else(files, options, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("index")
    (tmp_path / "secret").write_text("secret")
    with serving(tmp_path, "--www", tmp_path / "www", *options) as server:
        assert fetch(server, files).stdout.endswith(b"\r\n\r\nindex")
        assert b"404" in fetch(server, files, "/../secret").stdout


def test_unknown_names_are_refused_where_that_is_wanted(files, options, tmp_path):
    with serving(tmp_path, "--refuse-unknown-names", *options) as server:
        refused = puretls("connect", f"localhost:{server.port}", "--ca", files.ca, "--servername", "other.test")
        assert refused.returncode != 0
        assert "unrecognized_name" in refused.stderr
        assert b"200 OK" in fetch(server, files).stdout


def test_client_decides_among_ciphers_in_brackets(files, options, tmp_path):
    gcm, chacha = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"
    with serving(tmp_path, "--ciphers", f"[{gcm}|{chacha}]", *options) as server:
        for first, second in ((gcm, chacha), (chacha, gcm)):
            assert f"({first})" in fetch(server, files, "/", "--ciphers", f"{first}:{second}").stderr


@pytest.mark.interop
@needs("curl")
def test_curl_fetches_a_megabyte(files, options, tmp_path):
    data = os.urandom(2**20)
    (tmp_path / "file.bin").write_bytes(data)
    with serving(tmp_path, "--www", tmp_path, *options) as server:
        url = f"https://localhost:{server.port}/file.bin"
        done = subprocess.run(["curl", "-sS", "--cacert", files.ca, url], capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout == data


@pytest.mark.interop
@needs("openssl")
def test_openssl_client_is_served_and_resumes(web, files, tmp_path):
    def run(*arguments):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{web.port}", "-CAfile", files.ca, "-verify_return_error"]
        command += ["-servername", "localhost", "-tls1_2", "-ign_eof", *arguments]
        return subprocess.run(command, input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True, timeout=30, check=False).stdout

    first = run("-sess_out", tmp_path / "session")
    assert b"Verify return code: 0 (ok)" in first
    assert b"HTTP/1.1 200 OK" in first
    assert b"Reused, TLSv1.2" in run("-sess_in", tmp_path / "session")


def test_client_whose_authority_is_not_trusted_any_more_does_not_get_in_by_its_session(files, options, tmp_path):
    trusted, session = tmp_path / "trusted.pem", tmp_path / "session"
    trusted.write_bytes(Path(files.ca).read_bytes())
    who = ("--cert", files.client_cert, "--key", files.client_key, "--session-file", session)
    with serving(tmp_path, "--client-ca", trusted, "--require-client-cert", *options) as server:
        assert b"200 OK" in fetch(server, files, "/", *who).stdout
        assert "session resumed" in fetch(server, files, "/", *who).stderr
        trusted.write_bytes(Path(files.other_ca).read_bytes())
        server.send(signal.SIGHUP)
        server.wait_for("reloaded")
        refused = fetch(server, files, "/", *who)
        assert refused.returncode == 1
        assert "fatal alert handshake_failure" in refused.stderr  # asked for a certificate of the new authority, it has none


@pytest.mark.interop
@needs("gnutls-cli")
def test_gnutls_client_is_served(web, files):
    command = [
        "gnutls-cli",
        "--x509cafile",
        files.ca,
        "-p",
        str(web.port),
        "localhost",
        "--priority",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert any(b"Handshake was completed" in line for line in process.stdout)
        output, _ = process.communicate(b"GET / HTTP/1.0\r\n\r\n", timeout=30)
    assert b"HTTP/1.1 200 OK" in output


def openssl_client(server, files):
    ssl = pytest.importorskip("ssl")
    context = ssl.create_default_context(cafile=files.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), server_hostname="localhost")


def test_request_that_trickles_is_ended(files, options, tmp_path):
    """Not the silence counts but the whole time, else a few hundred clients that trickle lock out everybody."""
    times = ("--idle-timeout", "60", "--request-timeout", "0.5")
    with serving(tmp_path, *options, *times) as server, openssl_client(server, files) as tls:
        tls.settimeout(0.05)
        tls.sendall(b"GET /")
        for _ in range(400):
            try:
                answer = tls.recv(1000)
                break
            except TimeoutError:
                tls.sendall(b"x")
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
        server.wait_for("408 Request Timeout")


def test_client_that_leaves_in_the_middle_of_its_request_is_no_failure(web, files):
    before = web.log.count("before its request was whole")
    result = puretls("connect", f"localhost:{web.port}", "--ca", files.ca, "--linger", "0.01", stdin=b"hello\n")
    assert result.returncode == 0, result.stderr
    web.wait_for("(?s)" + "before its request was whole.*" * (before + 1))
    assert "closed for sending" not in web.log


@pytest.mark.parametrize("path", ["/a%1b%5b31mred%0a127.0.0.1:1%20forged", "/%e2%80%ae", "/%c2%9b31m%c2%85", "//[", "/\x1b[31m"])
def test_what_clients_write_reaches_the_log_escaped(web, files, path):
    fetch(web, files, path)
    web.wait_for("GET .* 200")
    for line in web.log.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not line.startswith("127.0.0.1:1 forged")


# A certificate is asked for once the request was read


@pytest.fixture(scope="module")
def asking(files, options, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("asking"), "--ask-later", "/private", "--client-ca", files.ca, *options) as server:
        yield server


@pytest.fixture
def identity(files):
    return "--cert", files.client_cert, "--key", files.client_key


@pytest.mark.rfc("5246", "7.4.1.1")
def test_client_is_asked_who_it_is_once_it_has_asked_for_the_path(asking, files, identity):
    public = fetch(asking, files, "/public", *identity, "--renegotiation", "--trace")
    assert b"200 OK" in public.stdout
    assert "CertificateRequest" not in public.stderr
    private = fetch(asking, files, "/private", *identity, "--renegotiation", "--trace")
    assert b"200 OK" in private.stdout
    leaf = Certificate.parse(load_certificates(Path(files.client_cert).read_bytes())[0])
    assert f"fingerprint  {leaf.fingerprint.hex()}".encode() in private.stdout
    assert b"client       " in private.stdout
    for message in ("HelloRequest", "CertificateRequest", "CertificateVerify"):
        assert message in private.stderr


@pytest.mark.rfc("5246", "7.2.2")
@pytest.mark.parametrize(
    ("more", "told"),
    [((), b"403 Renegotiation Refused"), (("--renegotiation",), b"403 No Client Certificate")],
    ids=["no renegotiation", "no certificate"],
)
def test_client_that_does_not_say_who_it_is_is_told_so(asking, files, more, told):
    assert told in fetch(asking, files, "/private", *more).stdout


def test_client_that_must_say_who_it_is_and_does_not_is_refused(files, options, tmp_path):
    later = ("--ask-later", "/private", "--client-ca", files.ca, "--require-client-cert")
    with serving(tmp_path, *later, *options) as server:
        assert b"200 OK" in fetch(server, files, "/public").stdout
        refused = fetch(server, files, "/private", "--renegotiation")
        assert refused.returncode == 1
        assert "handshake_failure" in refused.stderr


def test_client_of_another_authority_is_refused_when_it_is_asked(files, options, identity, tmp_path):
    with serving(tmp_path, "--ask-later", "/private", "--client-ca", files.other_ca, *options) as server:
        assert b"403 No Client Certificate" in fetch(server, files, "/private", *identity, "--renegotiation").stdout


def test_nobody_else_may_renegotiate_with_a_server_that_asks_later(asking, files):
    """Only what the server itself asks for is granted."""
    trust = chain_verifier(load_certificates(Path(files.ca).read_bytes()), provider=default())
    with connect_to(("127.0.0.1", asking.port), ClientConfig(verifier=trust, renegotiation=True), server_name="localhost") as tls:
        assert tls.renegotiate() is False
        tls.sendall(b"GET /public HTTP/1.1\r\n\r\n")
        assert tls.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_session_made_with_a_certificate_asked_for_later_does_not_open_the_path_by_itself(asking, files, identity, tmp_path):
    kept = ("--session-file", tmp_path / "session", "--renegotiation")
    assert b"200 OK" in fetch(asking, files, "/private", *identity, *kept).stdout
    again = fetch(asking, files, "/private", *kept)
    assert b"403 No Client Certificate" in again.stdout


@pytest.mark.interop
@needs("openssl")
@pytest.mark.parametrize("shows", [True, False])
def test_openssl_client_is_asked_later(asking, files, shows):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{asking.port}", "-CAfile", files.ca, "-servername", "localhost"]
    command += ["-tls1_2", "-ign_eof", "-quiet"]
    if shows:
        command += ["-cert", files.client_cert, "-key", files.client_key, "-cert_chain", files.client_cert]
    done = subprocess.run(command, input=b"GET /private HTTP/1.1\r\n\r\n", capture_output=True, timeout=30, check=False)
    assert (b"HTTP/1.1 200 OK" if shows else b"403 No Client Certificate") in done.stdout, done.stderr


@pytest.mark.interop
@needs("curl")
def test_curl_is_asked_later(asking, files):
    url = f"https://localhost:{asking.port}/private"
    shown = ["--cert", files.client_cert, "--key", files.client_key]
    done = subprocess.run(
        ["curl", "-sS", "--tls-max", "1.2", "--cacert", files.ca, *shown, url], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert b"fingerprint" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--ask-later", "/x"), "--client-ca"),
        (("--ask-later", "x", "--client-ca", "CA"), "path"),
        (("--ask-later", "/x", "--client-ca", "CA", "--echo"), "HTTP"),
    ],
)
def test_asking_later_needs_a_path_and_whom_to_trust(files, options, arguments, told):
    given = [files.ca if one == "CA" else one for one in arguments]
    result = in_process("serve", "--port", "0", *options, *given)
    assert result.returncode == 2
    assert told in result.stderr
