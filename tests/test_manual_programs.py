"""Every Python block of README and manual runs. Where a page's blocks run is said in one place: `ELSEWHERE`, or a test here."""

import os
import re
import socket
import time
from pathlib import Path

import pytest

from puretls import NEED_DATA, Connection, Credential, HandshakeCompleted, Limits, ServerConfig
from puretls.ca import DevelopmentCa
from tests.support.https import https
from tests.support.openssl import server_context
from tests.test_manual import blocks

ELSEWHERE = {
    "inspect-captures.md": "inspect/test_captures_write.py",
    "inspect-conversation.md": "inspect/test_conversation.py",
    "inspect-forensics.md": "inspect/test_forensics.py",
    "inspect-tapes.md": "inspect/test_tapes.py",
    "inspect.md": "inspect/test_questions.py",
    "pyodide.md": "pyodide/test_manual_page.py",
    "qt.md": "qt/test_manual_page.py",
    "recipes.md": "test_recipes.py",
    "ssl.md": "ssl/test_programs.py",
    "testing.md": "testing/test_testing_page.py",
    "tutorial.md": "test_manual.py",
}
"""Pages whose blocks are all run by a test of their subject."""
FOLDERS = {"labs": "labs", "lessons": "labs"}
"""Folders of the manual, and the folder of the tests that run what stands in all of their pages."""


def program(root, page):
    """The blocks of a page, as many as it has."""
    place = root / page if page == "README.md" else root / "puretls" / "manual" / page
    return blocks(place.read_text())


def run(source, names, page="block"):
    exec(compile(source, page, "exec"), names)
    return names


def test_no_page_with_python_is_forgotten(root):
    manual = root / "puretls" / "manual"
    here = set(re.findall(r'program\(root, "([\w.-]+)"\)', Path(__file__).read_text()))
    for path in sorted(manual.rglob("*.md")):
        page = path.relative_to(manual)
        if not blocks(path.read_text()):
            continue
        if len(page.parts) > 1:
            assert list((root / "tests" / FOLDERS[page.parts[0]]).glob("test_*.py")), page
        elif page.name in ELSEWHERE:
            assert page.name in (root / "tests" / ELSEWHERE[page.name]).read_text()
        else:
            assert page.name in here, f"{page}: no test runs its Python blocks"
    assert not here & set(ELSEWHERE)


# Certificates and their validation


@pytest.fixture(scope="module")
def authority():
    return DevelopmentCa.create(os.urandom, time.time())


@pytest.fixture
def folder(authority, tmp_path, monkeypatch):
    """The folder in which the blocks run, with the files that they name."""
    monkeypatch.chdir(tmp_path)
    issued = authority.issue(["example.test"])
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.pem").write_text(authority.root_pem)
    (tmp_path / "pki" / "example.test.pem").write_text(issued.chain_pem)
    (tmp_path / "pki" / "example.test.key").write_text(issued.key_pem)
    return tmp_path


def test_blocks_about_certificates(root, folder, authority):
    make, expire, trust, revoke, credentials, keys = program(root, "certificates.md")
    names = run(make, {})
    run(expire, names)
    assert names["expired"].draft.not_after < time.time()
    names |= {"my_root_der": names["ca"].root.certificate, "sha256_of_certificate_or_key": bytes(32)}
    run(trust, names)
    leaf = names["server"].certificate
    run(revoke, names | {"der": names["ca"].crl([leaf]), "anchors": [names["ca"].root.certificate]})
    run(credentials, {"text_of_certificates": names["server"].chain_pem, "text_of_key": names["server"].key_pem})
    run(keys, {"pem_or_der": names["server"].key_pem, "data": pkcs12_file()})


def pkcs12_file():
    """A file with the password "...", as another implementation makes it."""
    pkcs12 = pytest.importorskip("cryptography.hazmat.primitives.serialization.pkcs12")
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

    key = ec.generate_private_key(ec.SECP256R1())
    return pkcs12.serialize_key_and_certificates(b"name", key, None, None, BestAvailableEncryption(b"..."))


def test_block_about_validation(root, authority):
    (validate,) = program(root, "x509.md")
    issued = authority.issue(["www.example.org"])
    names = run(validate, {"anchors": [authority.root.certificate], "chain": issued.chain, "time": time})
    assert names["report"].accepted


# Inspecting


@pytest.fixture(scope="module")
def conversation(root):
    from puretls.inspect import Tape, replay

    return replay(Tape.load(min((root / "vectors" / "tapes").glob("*.json")))).conversations[0]


def test_block_about_the_ledger(root, conversation, capsys):
    from puretls.keylog import CLIENT_RANDOM, key_log_line

    (ledger,) = program(root, "inspect-ledger.md")
    handshake = conversation.handshakes[0]
    line = key_log_line(CLIENT_RANDOM, handshake.client_random, handshake.found.master)
    found = run(ledger, {})["ledger_of"](*(getattr(conversation, side).data for side in ("client", "server")), line)
    assert found["client.Finished.verify_data"].formula in capsys.readouterr().out


def test_block_about_the_page(root, conversation, tmp_path):
    (page,) = program(root, "inspect-page.md")
    save = run(page, {})["save"]
    save(conversation, tmp_path / "with.html")
    save(conversation, tmp_path / "without.html", secrets=False)
    assert [master_secret_told(conversation, tmp_path / name) for name in ("with.html", "without.html")] == [True, False]


def master_secret_told(conversation, page):
    return conversation.ledger["master_secret"].value[:8].hex() in re.sub(r"<[^>]*>|\s", "", page.read_text())


def test_block_about_the_playground(root, capsys):
    (engine,) = program(root, "playground.md")
    run(engine, {})
    assert capsys.readouterr().out.splitlines() == [
        "WAIT_DONE",
        "The server gave up: client sent no certificate, and one is required.",
        "a tape of version 9: this puretls reads version 1",
    ]


def test_block_about_texts(root, capsys):
    (texts,) = program(root, "inspect-texts.md")
    run(texts, {})
    assert "RFC 5246" in capsys.readouterr().out


def test_blocks_about_a_first_extension(root, capsys):
    names = {"__name__": "contributing"}
    for block in program(root, "contributing.md"):
        run(block, names)
    assert capsys.readouterr().out == "b'good day' b'hello'\n"


# Testing


def test_blocks_about_learning(root, capsys):
    pytest.importorskip("aalpy")
    from puretls.testing.adapters import own

    openssl, learn = program(root, "learning.md")
    run(learn, {"MyPeer": own.puretls("server", secure=True, limits=Limits(hello_requests=2**20, warning_alerts=2**20))})
    assert "it is the machine of the specification" in capsys.readouterr().out
    run(openssl, {})
    states, conversations = re.search(r": (\d+) states.*\n.* in (\d+) conversations", capsys.readouterr().out).groups()
    assert f"finds {states} states in {conversations} conversations" in (root / "puretls" / "manual" / "learning.md").read_text()


@pytest.mark.parametrize("full", [False, pytest.param(True, marks=pytest.mark.full)], ids=["usual", "full"])
@pytest.mark.parametrize("role", ["server", "client"])
def test_figures_of_learning_are_what_the_command_says(root, capsys, role, full):
    pytest.importorskip("aalpy")
    from puretls.cli import main

    command = ["learn", f"self-{role}", *(["--full"] if full else [])]
    assert main(command) == 0
    figures = re.findall(r"(\d+) (?:states|symbols,|symbols$|conversations)", capsys.readouterr().out, re.M)
    row = f"| `puretls {' '.join(command)}` | {' | '.join(figures[:3])} |\n"
    assert row in (root / "puretls" / "manual" / "learning.md").read_text()


def test_block_about_the_machine(root):
    from hypothesis import settings

    (machine,) = program(root, "machine.md")
    case = run(machine, {})["TestConnection"]
    case.settings = settings(max_examples=1, stateful_step_count=5, database=None, deadline=None)
    case("runTest").runTest()


@pytest.mark.slow
def test_block_about_campaigns(root, folder, capsys):
    (campaign,) = program(root, "campaigns.md")
    run(campaign, {})
    assert capsys.readouterr().out.endswith("{}\n")


# Servers that share sessions


def test_block_about_shared_sessions(root, authority):
    pytest.importorskip("redis")
    _, shared = program(root, "serve.md")  # the first is run by net/test_workers.py
    issued = authority.issue(["localhost"])
    names = run(
        shared, {"ServerConfig": ServerConfig, "secret": bytes(32), "credentials": (Credential(issued.chain, issued.key),)}
    )
    assert names["config"].tickets is names["keys"]


# The README: servers that are elsewhere are on this machine


@pytest.fixture
def nearby(authority, tmp_path, monkeypatch):
    """An https server of OpenSSL's on this machine is example.org, and its root is what the system trusts."""
    (tmp_path / "ca.pem").write_text(authority.root_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with https(server_context(authority.issue(["example.org"]), tmp_path), {"/": b"a page"}) as server:
        find = socket.getaddrinfo

        def found(host, service, *arguments, **options):
            return find("127.0.0.1", server.port if host == "example.org" else service, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", found)
        yield


def test_blocks_of_the_readme_about_the_library(root, authority, nearby):
    """Those above them, for its three people, are run by test_readme_people.py."""
    *_, blocking, in_memory = program(root, "README.md")
    assert run(blocking, {})["page"].endswith(b"\r\n\r\na page")
    with pytest.raises(ServerIsConnected):
        run(in_memory, {"transport": Transport(authority)})


class ServerIsConnected(Exception):
    """The end of a program that would go on."""


class Transport:
    """A server in memory, until it is connected."""

    def __init__(self, authority):
        issued = authority.issue(["example.org"])
        self._server = Connection.server(ServerConfig(credentials=(Credential(issued.chain, issued.key),)))
        self._server.start()

    def send(self, data):
        if data:
            self._server.receive_bytes(data)
        while (event := self._server.next_event()) is not NEED_DATA:
            if isinstance(event, HandshakeCompleted):
                raise ServerIsConnected

    def receive(self):
        return self._server.bytes_to_send()
