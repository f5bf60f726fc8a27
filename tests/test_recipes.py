"""The recipes of the manual, run as they stand there."""

import hashlib
import re
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from puretls import ClientConfig, PuretlsError
from puretls.ca import DevelopmentCa
from puretls.net import TlsSocket
from puretls.roots import file_verifier
from puretls.x509.pem import load_certificates

PAGE = b"<html>a page by the recipes</html>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """server.pem and server.key, and the root that issued them in ca.pem."""
    import os
    import time

    made = tmp_path_factory.mktemp("recipes")
    authority = DevelopmentCa.create(os.urandom, time.time())
    for who, leaf in (("server", authority.issue(["localhost"])), ("client", authority.issue(["ann@example.org"], usage="client"))):
        (made / f"{who}.pem").write_text(leaf.chain_pem)
        (made / f"{who}.key").write_text(leaf.key_pem)
    (made / "ca.pem").write_text(authority.root_pem)
    (made / "page.html").write_bytes(PAGE)
    return made


@pytest.fixture
def recipe(root, folder, monkeypatch):
    """`recipe("urllib", ...)` runs the blocks under these headings, one after the other, and gives their names."""
    text = (root / "puretls" / "manual" / "recipes.md").read_text()
    monkeypatch.chdir(folder)

    def run(*headings, config=None):
        names = {"config": config or ClientConfig(verifier=file_verifier(folder / "ca.pem")), "__name__": "recipes"}
        for heading in headings:
            section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
            blocks = re.findall(r"```python\n(.*?)```", section, re.S)
            assert blocks
            for block in blocks:
                exec(compile(block, f"recipes.md, {heading}", "exec"), names)
        return names

    return run


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


@pytest.fixture
def https(recipe):
    """The port of the https server of the recipes."""
    names = recipe("An https server")

    class Quiet(names["http"].server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    class Server(names["HttpsServer"]):
        def handle_error(self, request, client_address):
            pass  # clients that do not trust it hang up

    with running(Server(("127.0.0.1", 0), Quiet)) as port:
        yield port


def test_pem_file_is_trusted(recipe, https):
    names = recipe("Whom to trust, in a PEM file")
    assert names["first_line"](("localhost", https)).split()[1] == b"200"


def test_client_certificate_is_shown_and_proven(recipe, folder):
    names = recipe("Whom to trust, in a PEM file", "A client certificate")

    class Greeter(socketserver.ThreadingTCPServer):
        def finish_request(self, request, client_address):
            names["greet"](request)

        def handle_error(self, request, client_address):
            pass  # who shows no certificate is refused

    der = load_certificates((folder / "client.pem").read_bytes())[0]
    with running(Greeter(("127.0.0.1", 0), None)) as port:
        with names["connect"](("localhost", port), names["config"]) as tls:
            assert tls.recv(100).decode() == hashlib.sha256(der).hexdigest()
        with pytest.raises(PuretlsError), names["connect"](("localhost", port), replace(names["config"], credentials=())) as tls:
            tls.recv(100)


def test_http_client(recipe, https):
    connection = recipe("http.client")["HttpsConnection"]("localhost", https)
    for _ in range(2):
        connection.request("GET", "/page.html")
        assert connection.getresponse().read() == PAGE
    connection.close()


def test_urllib(recipe, https):
    opener = recipe("http.client", "urllib")["opener"]
    with opener.open(f"https://localhost:{https}/page.html") as answer:
        assert answer.read() == PAGE


def test_requests(recipe, https):
    pytest.importorskip("requests")
    with recipe("requests")["session"] as session:
        for _ in range(2):
            assert session.get(f"https://localhost:{https}/page.html").content == PAGE


def test_trio(recipe, https):
    trio = pytest.importorskip("trio")
    names = recipe("trio")

    async def page():
        async with await trio.open_tcp_stream("localhost", https) as stream:
            tls = names["TlsStream"](stream, names["Connection"].client(names["config"], "localhost"))
            await tls.until(names["HandshakeCompleted"])
            await tls.send_all(b"GET /page.html HTTP/1.0\r\n\r\n")
            got = b""
            while isinstance(event := await tls.until(names["DataReceived"]), names["DataReceived"]):
                got += event.data
        assert event.clean
        return got

    assert trio.run(page).endswith(b"\r\n\r\n" + PAGE)


def test_recipes_verify(recipe, https):
    """Whom nobody vouches for is refused: the verifier of the configuration is asked."""
    connection = recipe("http.client", config=ClientConfig())["HttpsConnection"]("localhost", https)
    with pytest.raises(PuretlsError, match="system_verifier"):
        connection.request("GET", "/")
    connection.close()


class Mail(socketserver.StreamRequestHandler):
    """A mail server that knows STARTTLS and takes one message."""

    def handle(self):
        self.say("220 localhost ready")
        encrypted = False
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"EHLO":
                self.say("250-localhost\r\n250 STARTTLS" if not encrypted else "250 localhost")
            elif word == b"STARTTLS":
                self.say("220 go on")
                self.connection = TlsSocket.server(self.request, self.server.config)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                encrypted = True
            elif word == b"DATA":
                self.say("354 go on")
                while (line := self.rfile.readline()) != b".\r\n":
                    self.server.mail.append(line)
                self.say("250 taken")
            else:
                self.say("221 bye" if word == b"QUIT" else "250 fine")
                if word == b"QUIT":
                    break
        assert encrypted
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


def test_smtp(recipe):
    smtp = recipe("SMTP")["Smtp"]
    server = socketserver.TCPServer(("127.0.0.1", 0), Mail)
    server.config, server.mail = recipe("An https server")["server_config"], []
    with running(server) as port, smtp("localhost", port, local_hostname="localhost") as client:
        client.starttls()
        assert isinstance(client.sock, TlsSocket)
        client.sendmail("a@localhost", ["b@localhost"], "Subject: x\r\n\r\nhello\r\n")
        assert client.sock.negotiated is not None
    assert server.mail[-1] == b"hello\r\n"
