"""`puretls inspect`: captures, tapes, servers and standard input; one clear line for each thing that is wrong."""

import gzip
import os
import re
import stat
import struct
import subprocess
import sys
from contextlib import suppress

import pytest

from puretls.cli import sources
from puretls.inspect import Conversation, Stream, Tape, TcpConnection, read_capture, replay, write_capture
from puretls.inspect.captures import Prefix, packets
from puretls.inspect.render import document
from puretls.keylog import CLIENT_RANDOM, key_log_line
from tests.cli.command import ENVIRONMENT, in_process, puretls, serving
from tests.inspect.test_tapes import FOLDER, TAPES

pytest.importorskip("dpkt", reason="captures need the extra capture")
SECRET_FILE = "readable by you alone: it may hold keys and what was said (--without-secrets leaves them out)"
ECDHE, RESUMED = FOLDER / TAPES[4], FOLDER / TAPES[18]


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspect")
    (one,), both = replay(Tape.load(ECDHE)).conversations, replay(Tape.load(RESUMED)).conversations
    write_capture(folder / "one.pcapng", one)
    write_capture(folder / "closed.pcapng", one, without_secrets=True)
    write_capture(folder / "both.pcapng", *both)
    write_capture(folder / "both-closed.pcapng", *both, without_secrets=True)
    (folder / "keys").write_text(lines_of(one))
    (folder / "first-key").write_text(lines_of(both[0]))
    (folder / "other-keys").write_text(key_log_line(CLIENT_RANDOM, b"x" * 32, b"y" * 48) + "\n")
    (folder / "empty").write_bytes(b"")
    (folder / "rubbish").write_bytes(b"rubbish rubbish")
    (folder / "cut.pcapng").write_bytes((folder / "one.pcapng").read_bytes()[:-901])
    return folder


def lines_of(conversation):
    known = [handshake for handshake in conversation.handshakes if handshake.found]
    return "".join(key_log_line(CLIENT_RANDOM, one.client_random, one.found.master) + "\n" for one in known)


def inspect(*arguments, status=0):
    told = in_process("inspect", *arguments)
    assert told.returncode == status, told
    assert "Traceback" not in told.stderr
    return told


def test_a_tape_is_shown_with_its_messages_states_and_outcome():
    told = inspect(ECDHE)
    assert told.stderr == ""
    for words in ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ClientKeyExchange", "WAIT_FINISHED", "both sides said close_notify"):
        assert words in told.stdout


def test_a_capture_says_the_same_as_the_tape_it_is_of(captures):
    told = inspect(captures / "one.pcapng")
    mine, theirs = (out[out.index("version:") :] for out in (told.stdout, inspect(ECDHE).stdout))
    assert mine.replace("the capture's own key log", "the tape") == theirs


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_a_capture_or_a_tape(captures, packed):
    capture = (captures / "one.pcapng").read_bytes()
    for data in (gzip.compress(capture) if packed else capture, ECDHE.read_bytes()):
        told = puretls("inspect", "-", "--list", stdin=data)
        assert (told.returncode, told.stderr) == (0, "")
        assert "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in told.stdout.decode()


def test_several_connections_are_listed_and_chosen(captures):
    told = inspect(captures / "both.pcapng")
    assert len(told.stdout.splitlines()) == 3
    assert "--connection" in told.stderr
    assert "full" in inspect(captures / "both.pcapng", "--connection", "1").stdout
    assert "session resumed" in inspect(captures / "both.pcapng", "--connection", "2").stdout
    assert "session resumed" in inspect(RESUMED, "--connection", "2").stdout
    for arguments in ((captures / "both.pcapng", "--connection", "server.test"), (captures / "both.pcapng", "--bytes")):
        assert "choose one by its number (1, 2)" in inspect(*arguments, status=2).stderr
    assert "1, 2" in inspect(RESUMED, "--grep", "Finished", status=2).stderr
    assert "3" in inspect(RESUMED, "--connection", "3", status=2).stderr


def test_what_an_earlier_connection_tells_opens_the_one_that_resumes_it(captures):
    told = inspect(captures / "both-closed.pcapng", "--connection", "2", "--keylog", captures / "first-key")
    assert "known from the session that is resumed" in told.stdout


def test_several_key_logs_open_a_capture(captures):
    closed = inspect(captures / "closed.pcapng")
    assert "give a key log" in " ".join(closed.stdout.split())
    opened = inspect(captures / "closed.pcapng", "--keylog", captures / "other-keys", "--keylog", captures / "keys")
    assert "secrets:      known from the key log" in opened.stdout


def test_an_rsa_key_opens_a_connection_without_forward_secrecy(tmp_path):
    from puretls.x509.keys.writing import private_key_pem
    from tests.support.credentials import credential
    from tests.support.reference import REFERENCE, play

    ((client, server),) = play(REFERENCE[0])
    write_capture(tmp_path / "rsa.pcapng", Conversation(Stream.of(client), Stream.of(server)))
    (tmp_path / "key.pem").write_text(private_key_pem(credential("rsa2048").key))
    told = inspect(tmp_path / "rsa.pcapng", "--rsa-key", tmp_path / "key.pem")
    assert "known from the server's RSA key" in told.stdout
    (tmp_path / "ec.pem").write_text(private_key_pem(credential("secp256r1").key))
    assert "only an RSA key opens" in inspect(tmp_path / "rsa.pcapng", "--rsa-key", tmp_path / "ec.pem", status=2).stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty", "is empty"),
        ("rubbish", "is not a capture in pcap or pcapng format"),
        ("nothing-here", "no such file"),
        ("cut.pcapng", "after packet"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(captures, name, words):
    told = inspect(captures / name, status=2)
    assert words in told.stderr
    assert str(captures / name) in told.stderr or name == "cut.pcapng"
    assert len(told.stderr.splitlines()) == 1
    assert ("ClientHello" in told.stdout) == (name == "cut.pcapng")


def test_a_capture_without_tls_and_one_of_an_unknown_link_say_so(tmp_path):
    (tmp_path / "wifi.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 105))
    (tmp_path / "none.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    packet = struct.pack("<IIII", 0, 0, 20, 20) + bytes(20)
    (tmp_path / "wifi.pcap").write_bytes((tmp_path / "wifi.pcap").read_bytes() + packet)
    assert re.search(r"link type.*105", inspect(tmp_path / "wifi.pcap", status=2).stderr)
    assert "holds no TLS" in inspect(tmp_path / "none.pcap", status=2).stderr


def test_what_was_said_before_tls_is_told(tmp_path):
    (one,) = replay(Tape.load(ECDHE)).conversations
    mail = Prefix(b"EHLO me\r\nSTARTTLS\r\n", b"220 here\r\n250 STARTTLS\r\n220 go on\r\n")
    write_capture(tmp_path / "mail.pcapng", TcpConnection(1, ("10.0.0.1:1024", "10.0.0.2:25"), one.client, one.server, prefix=mail))
    told = inspect(tmp_path / "mail.pcapng")
    assert "before TLS, SMTP was spoken: 19 bytes from the client, 35 from the server" in told.stderr
    assert "ServerHello" in told.stdout
    inspect(tmp_path / "mail.pcapng", "--pcapng", tmp_path / "again.pcapng")
    (again,) = read_capture(tmp_path / "again.pcapng").connections
    assert (again.prefix.client, again.prefix.server, again.prefix.protocol) == (mail.client, mail.server, "SMTP")
    assert again.client.data == one.client.data


def test_progress_is_shown_to_whoever_watches_a_long_capture_being_read(captures, monkeypatch, capsys):
    monkeypatch.setattr(sources, "_CHUNK", 256)
    for watched in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda watched=watched: watched)
        sources.open_source(str(captures / "one.pcapng"), dict, server_name=None, timeout=1)
        told = capsys.readouterr().err
        assert ("reading: " in told) == watched
        assert told.rpartition("\r")[2] == ""


def test_a_key_log_of_another_connection_is_told(captures):
    told = inspect(captures / "closed.pcapng", "--keylog", captures / "other-keys", status=2)
    assert "the key log given has 1 other connection" in told.stderr
    assert "ClientHello" in told.stdout
    assert "holds no secret of TLS 1.2" in inspect(ECDHE, "--keylog", captures / "rubbish", status=2).stderr


def test_another_version_is_explained_as_far_as_it_can_be_seen(tmp_path):

    (conversation,) = replay(Tape.load(ECDHE)).conversations
    server = bytearray(conversation.server.data)
    server[9:11] = b"\3\1"  # the version in the ServerHello
    write_capture(tmp_path / "old.pcapng", Conversation(conversation.client, Stream.of(bytes(server))))
    told = inspect(tmp_path / "old.pcapng", status=2)
    assert "the server chose TLS 1.0" in told.stderr
    assert "ServerHello" in told.stdout
    assert "cipher_suite" in inspect(tmp_path / "old.pcapng", "--grep", "server.ServerHello.cipher_suite", status=2).stdout


def test_fields_are_found_by_path_and_explained(captures):
    told = inspect(captures / "one.pcapng", "--grep", "ClientHello.random", "--grep", "*verify_data")
    assert "32 random bytes" in told.stdout
    assert told.stdout.count("verify_data = 12 bytes") == 2
    parts = inspect(ECDHE, "--grep", "certificate_list[0].tbs_certificate.validity.not_after").stdout
    assert "= 2027-10-23" in " ".join(parts.split())
    missed = inspect(ECDHE, "--grep", "ClientHello.randum", status=2)
    assert "ClientHello.random" in missed.stderr


def test_one_byte_is_told_in_full(captures):
    told = inspect(ECDHE, "--offset", "server:44")
    assert "server.ServerHello.cipher_suite" in told.stdout
    assert told.stdout.count("path:") == 1
    assert inspect(ECDHE, "--offset", "46").stdout.count("path:") == 2
    assert "decrypted" in inspect(ECDHE, "--offset", "client:220:plaintext").stdout
    assert "the client sent" in inspect(ECDHE, "--offset", "client:99999", status=2).stderr
    assert "such as server:46" in inspect(ECDHE, "--offset", "middle:3", status=2).stderr


def test_all_bytes_are_listed_on_the_wire_and_decrypted(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    (conversation,) = replay(Tape.load(ECDHE)).conversations
    told = inspect(ECDHE, "--bytes")
    assert all(len(line) <= 80 for line in told.stdout.splitlines())
    shown = re.findall(r"^\d[-\d]* +((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:  |$)", told.stdout, re.M)
    wire = conversation.client.data + conversation.server.data
    assert bytes.fromhex("".join(shown)).startswith(wire)
    assert len(bytes.fromhex("".join(shown))) > len(wire)


@pytest.mark.parametrize(("setting", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_a_terminal_gets_colours_in_lines_that_fit_unless_they_are_not_wanted(setting, coloured):
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    kept = {name: value for name, value in ENVIRONMENT.items() if name not in {"COLUMNS", "NO_COLOR", "TERM"}}
    command = [sys.executable, "-m", "puretls", "inspect", ECDHE, "--grep", "ServerHello"]
    process = subprocess.Popen(command, stdout=theirs, env=kept | {"TERM": "xterm"} | setting)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux tells the end of a terminal so
        while data := os.read(ours, 65536):
            shown += data
    os.close(ours)
    assert process.wait(30) == 0
    text = shown.decode().replace("\r", "")
    assert ("\x1b[" in text) == coloured
    assert all(len(line) <= 80 for line in re.sub(r"\x1b\[[\d;]*m", "", text).splitlines())


def test_files_with_secrets_are_their_owners_alone_and_nothing_is_overwritten(captures, tmp_path):
    out = tmp_path / "out.pcapng"
    told = inspect(ECDHE, "--pcapng", out)
    assert (told.stdout, "readable by you alone" in told.stderr) == ("", True)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "exists already" in inspect(ECDHE, "--pcapng", out, status=2).stderr
    inspect(ECDHE, "--pcapng", out, "--force", "--without-secrets")
    assert out.read_bytes() == (captures / "closed.pcapng").read_bytes()


def test_a_secret_that_is_wrong_is_one_line(captures, tmp_path):
    """The right random with another secret: as bad as a key log of another connection."""
    line = (captures / "keys").read_text().split()
    (tmp_path / "wrong").write_text(f"{line[0]} {line[1]} {line[2][::-1]}\n")
    told = inspect(captures / "closed.pcapng", "--keylog", tmp_path / "wrong", status=2)
    assert told.stderr == (
        "puretls: what was given does not open this connection: "
        "the master secret from the key log opens no record: it belongs to another connection\n"
    )
    assert "the master secret from the key log opens no record" in " ".join(told.stdout.split())
    nowhere = inspect(ECDHE, "--html", tmp_path / "none" / "page.html", status=2)
    assert nowhere.stderr == f"puretls: {tmp_path}/none/page.html: No such file or directory\n"


def test_a_key_log_is_not_missed_where_nothing_is_protected(captures, tmp_path):
    (one,) = replay(Tape.load(ECDHE)).conversations
    refused = Conversation(Stream.of(one.client.data[:200]), Stream.of(b"\x15\x03\x03\x00\x02\x02\x28"))
    write_capture(tmp_path / "refused.pcapng", refused)
    told = inspect(tmp_path / "refused.pcapng", "--keylog", captures / "other-keys")
    assert "handshake_failure" in told.stdout


def test_where_secrets_are_from_is_told(captures, tmp_path):
    inspect(ECDHE, "--json", tmp_path / "one.json")
    for source, told in (
        ((captures / "one.pcapng",), "the capture's own key log"),
        ((captures / "closed.pcapng", "--keylog", captures / "keys"), "the key log"),
        ((tmp_path / "one.json",), "the file's own key log"),
        ((ECDHE,), "the tape"),
    ):
        assert f"known from {told}\n" in inspect(*source).stdout


def test_a_capture_holds_all_connections_where_none_is_chosen(tmp_path):
    out = tmp_path / "all.pcapng"
    told = inspect(RESUMED, "--pcapng", out)
    assert len(told.stdout.splitlines()) == 3
    assert told.stderr.splitlines() == [f"puretls: {out}: {SECRET_FILE}"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    written = read_capture(out)
    assert [one.client.data for one in written.connections] == [one.client.data for one in replay(Tape.load(RESUMED)).conversations]
    for again in written.conversations():
        assert again.data("client") == b"from the client " * 100
    inspect(out, "--pcapng", tmp_path / "closed.pcapng", "--without-secrets")
    assert [one.data("client") for one in read_capture(tmp_path / "closed.pcapng").conversations()] == [b"", b""]
    inspect(RESUMED, "--connection", "2", "--pcapng", tmp_path / "second.pcapng")
    assert len(read_capture(tmp_path / "second.pcapng").connections) == 1


def test_json_is_read_again(tmp_path):
    out = tmp_path / "out.json"
    inspect(RESUMED, "--connection", "1", "--json", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again, before = inspect(out), inspect(RESUMED, "--connection", "1")
    assert again.stdout.replace("the file's own key log", "the tape") == before.stdout
    assert puretls("inspect", "-", stdin=out.read_bytes()).returncode == 0
    inspect(out, "--json", tmp_path / "closed.json", "--without-secrets")
    assert "give a key log" in " ".join(inspect(tmp_path / "closed.json").stdout.split())
    out.write_text('{"puretls_conversation": 1}')
    assert f"{out}: no conversation" in inspect(out, status=2).stderr


def test_the_page_is_one_file_that_has_keys_only_where_they_are_wanted(tmp_path):
    (conversation,) = replay(Tape.load(ECDHE)).conversations
    secrets = [node.value.hex() for node in conversation.ledger if node.secret and node.value]
    told = inspect(ECDHE, "--html", tmp_path / "page.html")
    assert (told.stdout, "readable by you alone" in told.stderr) == ("", True)
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o600
    page = (tmp_path / "page.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert len(page.encode()) <= 500_000
    assert any(secret in page.replace(" ", "") for secret in secrets)
    inspect(ECDHE, "--html", tmp_path / "shared.html", "--without-secrets")
    shared = (tmp_path / "shared.html").read_text().replace(" ", "")
    assert not [secret for secret in secrets if secret in shared]
    assert conversation.data("server")[:16].hex() not in shared


def test_diagrams_and_files_go_to_standard_output():
    assert inspect(ECDHE, "--mermaid").stdout.startswith("sequenceDiagram\n")
    assert inspect(ECDHE, "--dot").stdout.startswith("digraph conversation {\n")
    written = puretls("inspect", ECDHE, "--json", "-").stdout
    assert document.loads(written).suite.name == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"


def test_the_ledger_is_a_program_that_runs(tmp_path):
    inspect(ECDHE, "--ledger", tmp_path / "ledger.py")
    done = subprocess.run([sys.executable, "-I", tmp_path / "ledger.py"], capture_output=True, text=True, check=True)
    assert "master_secret" in done.stdout
    assert "--without-secrets" in inspect(ECDHE, "--ledger", "-", "--without-secrets", status=2).stderr


def test_secrets_go_from_a_capture_into_a_key_log_and_back(tmp_path):
    """The key log that `--keys` writes opens a capture that was written without secrets."""
    log, shared = tmp_path / "keys.log", tmp_path / "shared.pcapng"
    inspect(ECDHE, "--keys", log, "--pcapng", tmp_path / "own.pcapng")
    inspect(ECDHE, "--pcapng", shared, "--without-secrets")
    assert re.fullmatch(r"CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n", log.read_text())
    assert "handshake, encrypted" in inspect(shared).stdout
    opened = inspect(shared, "--keylog", log).stdout
    assert "both sides said close_notify" in opened
    inspect(tmp_path / "own.pcapng", "--keys", tmp_path / "again.log")
    assert (tmp_path / "again.log").read_text() == log.read_text()
    assert (tmp_path / "again.log").stat().st_mode & 0o077 == 0
    assert "no secret of this connection is known" in inspect(shared, "--keys", "-", status=2).stderr
    assert "--without-secrets" in inspect(ECDHE, "--keys", "-", "--without-secrets", status=2).stderr


def test_a_server_is_asked_now_and_its_handshake_explained(files, tmp_path):
    with serving(tmp_path, "--cert", files.cert, "--key", files.key) as server:
        address = f"localhost:{server.port}"
        told = inspect(address, "--ca", files.ca, "--alpn", "h2")
        assert "both sides said close_notify" in told.stdout
        assert "secrets:      known from" in told.stdout
        assert "server_write_key" in inspect(address, "--danger-no-verify", "--grep", "server.Finished").stdout
        refused = inspect(address, "--ca", files.other_ca, status=1)
        assert "ClientHello" in refused.stdout
        assert re.search(r"what: .*server\.Certificate", " ".join(refused.stdout.split()))
    assert "refused" in inspect(address, status=2).stderr.lower()


def test_a_server_that_is_none_of_tls_is_shown_as_far_as_it_goes(tmp_path):
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            sock, _ = listener.accept()
            with sock:
                sock.recv(4096)
                sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        told = in_process("inspect", f"127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert told.returncode in {1, 2}
    assert "ClientHello" in told.stdout
    assert len(told.stderr.splitlines()) <= 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_may_have_any_encoding_that_editors_give_it(tmp_path, encoding):
    """RFC 8259 8.1 asks for UTF-8; editors and shells of Windows write a mark in front, or UTF-16."""
    (one,) = replay(Tape.load(ECDHE)).conversations
    for text in (ECDHE.read_text(), document.dumps(one)):
        (tmp_path / "text").write_text(text.replace("\n", "\r\n"), encoding=encoding)
        assert "ServerHello" in inspect(tmp_path / "text").stdout


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_key_log_may_have_the_encoding_of_an_editor(captures, tmp_path, encoding):
    (tmp_path / "keys").write_text((captures / "keys").read_text().replace("\n", "\r\n"), encoding=encoding)
    assert "Finished" in inspect(captures / "closed.pcapng", "--keylog", tmp_path / "keys").stdout


@pytest.mark.parametrize(("name", "words"), [("empty", "is empty"), ("rubbish", "is not a capture"), ("one.pcapng", "pip install 'puretls[capture]'")])
def test_a_file_that_is_no_capture_needs_no_dpkt(captures, name, words, monkeypatch):
    packets.dpkt.cache_clear()
    monkeypatch.setitem(sys.modules, "dpkt", None)
    told = inspect(captures / name, status=2)
    assert words in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--list", "--html", "page.html"), "--list shows all connections"),
        (("--list", "--grep", "Finished"), "--list shows all connections"),
        (("--list", "--mermaid"), "--list shows all connections"),
        (("--ca", "ca.pem"), "--ca is for a server"),
        (("--danger-no-verify",), "--danger-no-verify is for a server"),
        (("--alpn", "h2"), "--alpn is for a server"),
    ],
)
def test_no_option_is_without_effect(options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = inspect(RESUMED, *options, status=2)
    assert words in told.stderr
    assert told.stdout == ""
    assert list(tmp_path.iterdir()) == []
