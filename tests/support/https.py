"""An https server on OpenSSL, by the standard library, and an http proxy in front of it. Used by tests alone."""

import http.server
import socket
import threading
from contextlib import contextmanager, suppress
from types import SimpleNamespace


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = self.server.pages.get(self.path.partition("?")[0])
        self.server.asked.append(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 300

    def finish_request(self, request, client_address):
        """The handshake belongs to the connection's own thread."""
        try:
            request.settimeout(60)
            tls = self.context.wrap_socket(request, server_side=True)
        except (OSError, ValueError) as error:
            self.problems.append(getattr(error, "reason", None) or str(error))
            return
        with suppress(OSError, ValueError):
            self.RequestHandlerClass(tls, client_address, self)
            tls.settimeout(2)
            tls.unwrap()
        tls.close()

    def handle_error(self, *_):
        pass


@contextmanager
def https(context, pages):
    """Serves `pages` (path: bytes) and answers a POST with what it got. Gives `port`, the paths `asked` for, and `problems`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.context, server.pages, server.asked, server.problems = context, pages, [], []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield SimpleNamespace(port=server.server_port, asked=server.asked, problems=server.problems)
        server.shutdown()
    thread.join(10)


@contextmanager
def connect_proxy():
    """A proxy that knows CONNECT alone, and connects to this machine whatever the host. Gives `port` and the targets `asked` for."""
    asked = []

    def pump(source, target):
        with suppress(OSError):
            while data := source.recv(2**16):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def converse(client):
        with client, client.makefile("rb") as lines:
            method, target, _ = lines.readline().decode().split()
            while lines.readline().strip():
                pass
            assert method == "CONNECT"
            asked.append(target)
            with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join(10)

    def serve(listener):
        with suppress(OSError):
            while True:
                threading.Thread(target=converse, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield SimpleNamespace(port=listener.getsockname()[1], asked=asked)
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
