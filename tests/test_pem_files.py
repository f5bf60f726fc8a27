"""From PEM files to trust and credentials; what clients trust where nothing is said."""

import asyncio
import os
import subprocess
import threading
import time
from dataclasses import replace

import pytest

from puretls import ClientConfig, Credential, ServerConfig, UsageError, VerificationError
from puretls.ca import DevelopmentCa
from puretls.crypto.provider import default
from puretls.net import TlsSocket, aio, connect
from puretls.net.defaults import client_defaults
from puretls.roots import file_verifier
from puretls.x509.keys import private_key_pem
from puretls.x509.pkcs8 import encrypted_key_pem
from puretls.x509.verifier import ChainRequest

NAME = "server.test"


@pytest.fixture(scope="module")
def ca():
    return DevelopmentCa.create(os.urandom, time.time())


@pytest.fixture(scope="module")
def files(ca, tmp_path_factory):
    """A directory as a server has it: chain.pem, key.pem, both.pem, locked.pem, ca.pem."""
    folder = tmp_path_factory.mktemp("pem")
    leaf = ca.issue([NAME, "localhost", "127.0.0.1"])
    texts = {
        "chain.pem": leaf.chain_pem,
        "key.pem": private_key_pem(leaf.key),
        "both.pem": private_key_pem(leaf.key) + leaf.chain_pem,
        "locked.pem": encrypted_key_pem(leaf.key, "sesame", os.urandom, default()),
        "ca.pem": ca.root_pem,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def request(chain, name=NAME):
    return ChainRequest(chain, "server", name, time.time())


def test_credential_is_read_from_files(files):
    apart = Credential.from_files(files / "chain.pem", files / "key.pem")
    assert apart == Credential.from_files(str(files / "both.pem"))
    assert apart == Credential.from_files(files / "chain.pem", files / "locked.pem", "sesame")
    assert apart == Credential.from_pem((files / "chain.pem").read_text(), (files / "key.pem").read_bytes())
    assert apart.serves(NAME)


@pytest.mark.parametrize(
    ("names", "password", "says"),
    [
        (("key.pem", "key.pem"), None, "key.pem.*no certificate"),
        (("chain.pem",), None, "chain.pem.*key"),
        (("chain.pem", "locked.pem"), None, "locked.pem.*password"),
        (("chain.pem", "locked.pem"), "wrong", "locked.pem.*password"),
        (("ca.pem", "key.pem"), None, "ca.pem.*does not belong"),
    ],
)
def test_files_of_no_credential_are_named(files, names, password, says):
    with pytest.raises(UsageError, match=says):
        Credential.from_files(*(files / name for name in names), password=password)


def test_file_that_is_not_there_is_an_os_error(files):
    with pytest.raises(FileNotFoundError):
        Credential.from_files(files / "none.pem")


def test_files_made_by_openssl_are_read(tmp_path):
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run(["openssl", *made, "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    credential = Credential.from_files(tmp_path / "cert.pem", tmp_path / "key.pem")
    assert file_verifier(tmp_path / "cert.pem")(request(credential.chain)).accepted
    assert credential.serves(NAME)


def test_verifier_of_files_trusts_these_and_no_others(ca, files, tmp_path):
    chain = Credential.from_files(files / "both.pem").chain
    other = DevelopmentCa.create(os.urandom, time.time())
    (tmp_path / "other.pem").write_text(other.root_pem)
    (tmp_path / "root.der").write_bytes(ca.root.certificate)
    assert file_verifier(files / "ca.pem")(request(chain)).accepted
    assert file_verifier(tmp_path / "root.der")(request(chain)).accepted
    assert file_verifier(tmp_path)(request(chain)).accepted
    assert file_verifier(tmp_path / "other.pem", str(files / "ca.pem"))(request(chain)).accepted
    assert not file_verifier(tmp_path / "other.pem")(request(chain)).accepted
    assert not file_verifier(files / "ca.pem")(request(chain, "elsewhere.test")).accepted


@pytest.mark.parametrize("name", ["none.pem", "key.pem"])
def test_file_without_anything_to_trust_is_named(files, name):
    with pytest.raises(UsageError, match=name) as caught:
        file_verifier(files / name)
    assert "SSL_CERT_FILE names" not in str(caught.value)


def test_file_without_anything_to_trust_is_no_matter_of_variables(files):
    """Who names a file in a call is not told of SSL_CERT_FILE."""
    with pytest.raises(UsageError, match=r"no certificate in .*key\.pem$"):
        file_verifier(files / "key.pem")


@pytest.mark.parametrize("wrong", [None, 7, b"chain.pem", ("chain.pem",)])
def test_what_is_no_path_is_refused(files, wrong):
    for call in (Credential.from_files, file_verifier):
        with pytest.raises(UsageError, match=r"(chain|path) is the path of a file, not"):
            call(wrong)


def test_what_is_in_a_file_is_no_path_and_is_not_repeated(files):
    text = (files / "key.pem").read_text()
    for call in (Credential.from_files, file_verifier, lambda key: Credential.from_files(files / "chain.pem", key)):
        with pytest.raises(UsageError, match="is the path of a file, not a text of several lines") as caught:
            call(text)
        assert text.splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize("key", ["key.pem", "locked.pem"])
def test_what_is_no_password_is_refused(files, key):
    with pytest.raises(UsageError, match="password is text or bytes, or None, not 5"):
        Credential.from_files(files / "chain.pem", files / key, 5)


def test_file_verifier_wants_a_file():
    with pytest.raises(UsageError, match="name a file"):
        file_verifier()


# Where nothing is said


@pytest.fixture
def served(files):
    """The port of a server for one connection."""
    import socket

    config = ServerConfig(credentials=(Credential.from_files(files / "both.pem"),))

    def serve():
        sock, _ = listener.accept()
        try:
            with TlsSocket.server(sock, config) as tls:
                tls.sendall(tls.recv(100).upper())
        except Exception:
            pass  # the client's side of it is what is looked at

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(30)


@pytest.fixture
def system_trusts_us(files, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(files / "ca.pem"))
    client_defaults.cache_clear()
    yield
    client_defaults.cache_clear()


async def over_streams(port, *config):
    reader, writer = await aio.open_connection("localhost", port, *config)
    writer.write(b"hello")
    try:
        return await reader.read(5)
    finally:
        writer.close()


def over_sockets(port, *config):
    with connect(("localhost", port), *config) as tls:
        tls.sendall(b"hello")
        return tls.recv(5)


DIALS = {"sockets": over_sockets, "streams": lambda port, *config: asyncio.run(over_streams(port, *config))}
each_facade = pytest.mark.parametrize("dial", DIALS.values(), ids=DIALS)


@each_facade
@pytest.mark.usefixtures("system_trusts_us")
def test_without_a_configuration_the_systems_roots_are_trusted(served, dial):
    assert dial(served) == b"HELLO"


@each_facade
def test_without_a_configuration_nobody_else_is_trusted(served, dial):
    client_defaults.cache_clear()
    with pytest.raises(VerificationError):
        dial(served)


@each_facade
@pytest.mark.usefixtures("system_trusts_us")
def test_a_configuration_without_a_verifier_refuses_and_says_what_to_give(served, dial):
    with pytest.raises(VerificationError, match=r"system_verifier\(\)"):
        dial(served, ClientConfig())


def test_replace_keeps_what_is_not_said():
    assert replace(client_defaults(), tickets=False).verifier is client_defaults().verifier
