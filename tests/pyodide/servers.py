"""Real OpenSSL in the process of the tests: an https server, and a small IMAP server over TLS."""

import ssl
import threading
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from socketserver import StreamRequestHandler

BODY = Random(1).randbytes(2**20)


def server_context(folder, leaf, name):
    """TLS 1.2 with this credential."""
    (folder / f"{name}.pem").write_text(leaf.key_pem + leaf.chain_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / f"{name}.pem")
    return context


class Files(BaseHTTPRequestHandler):
    """GET gives BODY, as often as the path tells; POST gives back what was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(BODY * int(self.path[1:] or 1))

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class TlsServer(ThreadingHTTPServer):
    """Shakes hands in the thread of the connection; failures are kept in `problems`."""

    def __init__(self, context, handler=Files):
        super().__init__(("127.0.0.1", 0), handler)
        self._context = context
        self.problems = []

    def finish_request(self, request, client_address):
        try:
            with self._context.wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)
                with suppress(ssl.SSLError, OSError):
                    tls.unwrap()
        except (ssl.SSLError, OSError) as error:
            self.problems.append(getattr(error, "reason", None) or str(error))

    @property
    def port(self):
        return self.server_address[1]


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def digest():
    return sha256(BODY).hexdigest()


class Imap(StreamRequestHandler):
    """As much of IMAP4rev1 (RFC 3501) as a client needs to log in and to read a message."""

    MESSAGE = b"From: a@mail.test\r\nSubject: in a page\r\n\r\nRead over TLS.\r\n"

    def handle(self):
        self._say(b"* OK ready")
        for line in iter(self.rfile.readline, b""):
            tag, command, *arguments = line.split()
            answers, last = self._answer(command.upper(), arguments)
            for answer in answers:
                self._say(answer)
            self._say(tag + b" " + last)
            if command.upper() == b"LOGOUT":
                return

    def _answer(self, command, arguments):
        if command == b"LOGIN" and arguments != [b"me", b'"secret"']:
            return [], b"NO wrong name or password"
        answers = {
            b"CAPABILITY": [b"* CAPABILITY IMAP4REV1"],
            b"SELECT": [b"* 1 EXISTS"],
            b"EXAMINE": [b"* 1 EXISTS"],
            b"FETCH": [b"* 1 FETCH (RFC822 {%d}\r\n%s)" % (len(self.MESSAGE), self.MESSAGE)],
            b"LOGOUT": [b"* BYE"],
        }
        return answers.get(command, []), b"OK done"

    def _say(self, line):
        self.wfile.write(line + b"\r\n")
