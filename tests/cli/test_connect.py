"""`puretls connect` carries standard input and output over TLS."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from puretls.config import Credential, ServerConfig
from puretls.net import TlsSocket
from puretls.session import Session
from puretls.x509.keys import parse_private_key
from puretls.x509.pem import load_certificates
from tests.cli.command import ENVIRONMENT, in_process, puretls, serving


@pytest.fixture(scope="module")
def echo(files, tmp_path_factory):
    with serving(
        tmp_path_factory.mktemp("echo"), "--echo", "--cert", files.cert, "--key", files.key, "--alpn", "h2,http/1.1"
    ) as server:
        yield server


def connect(server, files, *arguments, **options):
    return puretls("connect", f"localhost:{server.port}", "--ca", files.ca, "--linger", "0.3", *arguments, **options)


def test_input_goes_to_the_peer_and_its_answer_to_output(echo, files):
    result = connect(echo, files, stdin=b"hello\n")
    assert (result.returncode, result.stdout) == (0, b"hello\n")
    assert "closing with close_notify" in result.stderr
    echo.wait_for("echoed 6 bytes")


def test_large_input_comes_back_whole(echo, files):
    data = os.urandom(500_000)
    assert connect(echo, files, stdin=data).stdout == data


def test_what_was_negotiated_goes_to_stderr(echo, files):
    result = connect(echo, files, "--alpn", "http/1.1", "--groups", "prime256v1", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384")
    assert result.returncode == 0, result.stderr
    for line in (
        r"suite +TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 \(ECDHE-ECDSA-AES256-GCM-SHA384\)",
        r"group +secp256r1",
        r"signature +ecdsa_secp256r1_sha256",
        r"protocol +http/1.1",
        r"handshake +full",
        r"certificate +verified: ",
    ):
        assert re.search(line, result.stderr), line


def test_session_file_resumes_and_is_for_its_owner(echo, files, tmp_path):
    path = tmp_path / "session"
    assert "handshake    full" in connect(echo, files, "--session-file", path).stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "session resumed" in connect(echo, files, "--session-file", path).stderr
    assert "session resumed" in connect(echo, files, "--session-file", path).stderr


def test_resumed_session_is_verified_by_the_authorities_of_today(echo, files, tmp_path):
    path = tmp_path / "session"
    unverified = puretls("connect", f"localhost:{echo.port}", "--danger-no-verify", "--linger", "0.1", "--session-file", path)
    assert unverified.returncode == 0
    refused = puretls("connect", f"localhost:{echo.port}", "--ca", files.other_ca, "--session-file", path)
    assert refused.returncode == 1
    assert "unknown_ca" in refused.stderr
    accepted = connect(echo, files, "--session-file", path)
    assert "session resumed" in accepted.stderr


def test_session_file_of_an_earlier_version_leads_to_a_full_handshake(echo, files, tmp_path):
    path = tmp_path / "session"
    connect(echo, files, "--session-file", path)
    path.write_bytes(b"\2" + path.read_bytes()[1:])
    assert "handshake    full" in connect(echo, files, "--session-file", path).stderr
    assert "session resumed" in connect(echo, files, "--session-file", path).stderr


@pytest.mark.parametrize("authorities", ["another", "the system's"])
def test_session_that_is_not_trusted_is_not_shown_to_the_server(echo, files, tmp_path, authorities):
    path = tmp_path / "session"
    connect(echo, files, "--session-file", path)
    kept = path.read_bytes()
    trusts = ("--ca", files.other_ca) if authorities == "another" else ()
    refused = puretls("connect", f"localhost:{echo.port}", *trusts, "--trace", "--session-file", path)
    assert refused.returncode == 1
    assert "ServerHelloDone" in refused.stderr
    assert path.read_bytes() == kept


def test_session_of_another_name_is_not_offered(echo, files, tmp_path):
    path = tmp_path / "session"
    assert "handshake    full" in connect(echo, files, "--session-file", path).stderr
    assert "handshake    full" in connect(echo, files, "--session-file", path, "--servername", "127.0.0.1").stderr


def test_resume_connects_again(echo, files):
    result = connect(echo, files, "--resume", "2", stdin=b"last\n")
    assert result.stdout == b"last\n"
    assert (result.stderr.count("handshake    full"), result.stderr.count("session resumed")) == (1, 2)


@pytest.mark.parametrize("how", ["option", "variable"])
def test_key_log_is_written_for_its_owner(echo, files, tmp_path, how):
    path = tmp_path / "keys"
    if how == "option":
        connect(echo, files, "--keylog", path)
    else:
        connect(echo, files, env={"SSLKEYLOGFILE": str(path)})
    assert re.fullmatch(r"CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n", path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_exported_key_is_that_of_the_label(echo, files):
    outputs = {
        re.search(r"exporter +([0-9a-f]*)", connect(echo, files, "--exporter", "EXPERIMENTAL x:20").stderr).group(1) for _ in "ab"
    }
    assert {len(output) for output in outputs} == {40}
    assert len(outputs) == 2


@pytest.mark.parametrize("wanted", ["label", "label:x", ":5", "label:0", "label:70000"])
def test_exporter_wants_label_and_length(wanted):
    result = in_process("connect", "localhost:1", "--exporter", wanted)
    assert result.returncode == 2
    assert "LABEL:LEN" in result.stderr


def test_stapled_status_and_timestamps_are_told(files, tmp_path):
    leaf = load_certificates(Path(files.cert).read_bytes())[0]
    (tmp_path / "ocsp").write_bytes(files.authority.ocsp_response(leaf))
    (tmp_path / "sct").write_bytes(b"\0\6\0\4time")
    stapled = ("--ocsp", tmp_path / "ocsp", "--sct", tmp_path / "sct")
    with serving(tmp_path, "--echo", "--cert", files.cert, "--key", files.key, *stapled) as server:
        result = connect(server, files, "--ocsp", "--sct")
        assert result.returncode == 0, result.stderr
        assert re.search(r"OCSP +\d+ bytes stapled", result.stderr)
        assert re.search(r"timestamps +8 bytes", result.stderr)


def test_trace_names_messages_and_fields(echo, files):
    result = connect(echo, files, "--trace", stdin=b"x")
    for word in (
        "ClientHello",
        "ServerHello",
        "ServerKeyExchange",
        "Finished",
        "application_data",
        "cipher_suite",
        "verify_data",
    ):
        assert word in result.stderr, word


def test_nothing_secret_is_traced(echo, files, tmp_path):
    result = connect(echo, files, "--trace", "--keylog", tmp_path / "keys")
    master = (tmp_path / "keys").read_text().split()[-1]
    assert master not in result.stderr.replace(" ", "")


def test_verification_is_skipped_only_by_name(echo, files):
    other = puretls("connect", f"localhost:{echo.port}", "--ca", files.other_ca)
    assert other.returncode == 1
    skipped = puretls("connect", f"localhost:{echo.port}", "--danger-no-verify", "--linger", "0.1")
    assert skipped.returncode == 0
    assert "accepted without any verification" in skipped.stderr


def test_without_authorities_the_development_ca_is_unknown(echo):
    result = puretls("connect", f"localhost:{echo.port}")
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "--ca FILE" in result.stderr


def test_only_an_unknown_issuer_leads_to_the_option_that_names_one(echo, files):
    wrong_name = puretls("connect", f"localhost:{echo.port}", "--ca", files.ca, "--servername", "other.test")
    assert wrong_name.returncode == 1
    assert "--ca FILE" not in wrong_name.stderr


def test_broken_pipe_is_quiet(echo, files):
    command = (
        f"{sys.executable} -m puretls connect localhost:{echo.port} --ca {files.ca} --linger 0.3 2>err | head -c 5; cat err >&2"
    )
    done = subprocess.run(
        ["bash", "-c", command], input=b"0123456789" * 10_000, capture_output=True, env=ENVIRONMENT, cwd=files.folder, check=False
    )
    assert done.stdout == b"01234"
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr


def test_list_into_a_closed_pipe_is_quiet():
    command = f"{sys.executable} -m puretls list suites | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, env=ENVIRONMENT, check=False)
    assert done.stderr == b""


def test_ipv6_address_in_brackets(files, tmp_path):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with serving(tmp_path, "--echo", "--host", "::1", "--cert", files.cert, "--key", files.key) as server:
        result = puretls("connect", f"[::1]:{server.port}", "--ca", files.ca, "--linger", "0.3", stdin=b"six")
        assert (result.returncode, result.stdout) == (0, b"six")


def test_pre_shared_key_without_certificates(files, tmp_path):
    options = ("--psk", "00112233445566778899aabbccddeeff", "--psk-identity", "me", "--ciphers", "ECDHE-PSK-CHACHA20-POLY1305")
    with serving(tmp_path, "--echo", *options, "--psk-hint", "who") as server:
        result = puretls("connect", f"127.0.0.1:{server.port}", *options, "--ca", files.ca, "--linger", "0.3", stdin=b"psk")
        assert (result.returncode, result.stdout) == (0, b"psk"), result.stderr
        assert "PSK identity me" in result.stderr
        wrong = puretls("connect", f"127.0.0.1:{server.port}", *options[2:], "--psk", "ff" * 16, "--ca", files.ca)
        assert wrong.returncode == 1


def test_client_certificate_is_shown(files, tmp_path):
    options = ("--cert", files.cert, "--key", files.key, "--client-ca", files.ca, "--require-client-cert")
    with serving(tmp_path, "--echo", *options) as server:
        shown = connect(server, files, "--cert", files.client_cert, "--key", files.client_key, stdin=b"me")
        assert (shown.returncode, shown.stdout) == (0, b"me"), shown.stderr
        server.wait_for("verified: ")
        assert connect(server, files).returncode == 1
        server.wait_for("failed: .*certificate")


def test_limits_on_records_are_agreed_on(files, tmp_path):
    with serving(tmp_path, "--echo", "--record-size-limit", "2000", "--cert", files.cert, "--key", files.key) as server:
        data = os.urandom(30_000)
        small = connect(server, files, "--record-size-limit", "1000", stdin=data)
        assert small.stdout == data
        assert "at most 2000 bytes" in small.stderr
        assert connect(server, files, "--max-fragment", "512", stdin=data).stdout == data


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-NULL-SHA", "ECDHE-ECDSA-DES-CBC3-SHA", "AECDH-AES128-SHA", "ADH-RC4-MD5"])
def test_dangerous_suites_work_where_they_are_allowed(files, tmp_path, suite):
    options = ("--danger-suites", "--ciphers", suite, "--cert", files.cert, "--key", files.key)
    with serving(tmp_path, "--echo", *options) as server:
        result = connect(server, files, "--danger-suites", "--ciphers", suite, stdin=b"in danger")
        assert (result.returncode, result.stdout) == (0, b"in danger"), result.stderr


def test_closed_input_is_no_input(echo, files):
    command = f"{sys.executable} -m puretls connect localhost:{echo.port} --ca {files.ca} --linger 0.2 <&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, done.stderr
    assert b"closing with close_notify" in done.stderr


needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


@contextmanager
def openssl_server(files, *options):
    """The port of an `openssl s_server`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", files.cert, "-cert_chain", files.cert, "-key", files.key]
    with subprocess.Popen([*command, "-www", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            process.kill()


@pytest.mark.interop
@needs_openssl
def test_openssl_server_is_talked_to(files):
    with openssl_server(files, "-tls1_2") as port:
        result = puretls("connect", f"localhost:{port}", "--ca", files.ca, stdin=b"GET / HTTP/1.0\r\n\r\n")
        assert b"HTTP/1.0 200" in result.stdout, result.stderr
        assert "certificate  verified" in result.stderr


# An answer takes its time


@pytest.fixture
def slow(files):
    """The port of a server that answers a piped request only when `slow.answer` is set, and then closes if it `closes`."""
    listener = socket.create_server(("127.0.0.1", 0))
    state = SimpleNamespace(port=listener.getsockname()[1], answer=threading.Event(), asked=threading.Event(), closes=True)
    chain, key = (Path(path).read_bytes() for path in (files.cert, files.key))
    config = ServerConfig(credentials=(Credential(load_certificates(chain), parse_private_key(key)),))

    def serve():
        sock, _ = listener.accept()
        with TlsSocket.server(sock, config) as tls:
            state.request = tls.recv(1000)
            state.asked.set()
            state.answer.wait(30)
            tls.sendall(b"answer")
            while not state.closes and tls.recv(100):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield state
    state.answer.set()
    thread.join()
    listener.close()


def test_answer_to_a_piped_request_is_waited_for(slow, files):
    """By default as long as the peer keeps the connection open."""
    arguments = ("connect", f"localhost:{slow.port}", "--ca", files.ca)
    command = [sys.executable, "-m", "puretls", *arguments]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, env=ENVIRONMENT, **pipes) as process:
        process.stdin.write(b"question")
        process.stdin.close()
        process.stdin = None
        assert slow.asked.wait(30)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)  # longer than the silence after which a conversation without a question is over
        slow.answer.set()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, b"answer"), err
    assert b"the peer closed the connection" in err


def test_peer_that_neither_answers_nor_closes_is_told_of(slow, files):
    slow.closes = False
    slow.answer.set()
    arguments = ("connect", f"localhost:{slow.port}", "--ca", files.ca, "--idle-timeout", "0.3")
    result = puretls(*arguments, stdin=b"question")
    assert (result.returncode, result.stdout) == (1, b"answer")
    assert result.stderr.splitlines()[-1].startswith("puretls: the peer was silent for 0.3 s, and did not close")


def test_session_is_kept_where_the_peer_falls_silent(slow, files, tmp_path):
    slow.closes = False
    slow.answer.set()
    arguments = ("connect", f"localhost:{slow.port}", "--ca", files.ca, "--idle-timeout", "0.3", "--session-file", tmp_path / "session")
    assert puretls(*arguments, stdin=b"question").returncode == 1
    assert Session.from_bytes((tmp_path / "session").read_bytes()).server_name == "localhost"


def test_without_a_question_no_answer_is_waited_for(echo, files):
    result = puretls("connect", f"localhost:{echo.port}", "--ca", files.ca, stdin=b"")
    assert (result.returncode, result.stdout) == (0, b"")
    assert "silent for 1 s: closing with close_notify" in result.stderr


@pytest.mark.interop
@needs_openssl
def test_server_of_a_newer_version_is_told_of_in_words(files):
    with openssl_server(files, "-tls1_3") as port:
        result = puretls("connect", f"localhost:{port}", "--ca", files.ca)
    assert result.returncode == 1
    assert "puretls speaks TLS 1.2; this server wants newer" in result.stderr
    assert "protocol_version" in result.stderr
