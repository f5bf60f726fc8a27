"""`puretls playground`: a local page on which a handshake runs step by step, and any byte of it can be changed.

The page is served on 127.0.0.1 alone, to whoever has the address with its token. It ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from puretls.cli import ranges
from puretls.errors import UsageError

HOST = "127.0.0.1"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MOST = 2**24
"""Bytes of a request."""
TIMEOUT = 30.0
"""Seconds that a connection may be silent."""


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser(
        "playground", help="open a page on which a handshake runs step by step", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument("--port", metavar="PORT", type=ranges.PORT, default=0, help="listen there (any free port)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    with Server(arguments.port) as server, suppress(KeyboardInterrupt):
        print(f"The playground is at {server.address}\nIt is for you alone, and ends with Ctrl-C.", flush=True)
        if not arguments.no_browser:
            threading.Thread(target=_browse, args=(server.address,), daemon=True).start()
        server.serve_forever()
    return 0


def _browse(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        print("No browser could be opened: open the address yourself.", flush=True)


class Server(ThreadingHTTPServer):
    """The page and its engine on 127.0.0.1, for those who know the token. Raises `UsageError` where the port is taken."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int = 0) -> None:
        from puretls.labs.playground.engine import answer
        from puretls.labs.playground.pages import MEDIA_TYPES, page_files

        self.token: str = secrets.token_urlsafe(24)
        self.files: dict[str, tuple[str, bytes]]
        self.files = {name: (MEDIA_TYPES[name.rpartition(".")[2]], text.encode()) for name, text in page_files().items()}
        self._answer, self._lock = answer, threading.Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise UsageError(f"port {port} of {HOST} cannot be had: {error.strerror}; name another one by --port") from None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What a browser opens; it holds the token."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names under which a browser may come: any other is that of a site which has its name lead here."""
        return (f"{HOST}:{self.port}", f"localhost:{self.port}")

    def ask(self, request: Any) -> Any:
        """The engine's answer; one at a time."""
        with self._lock:
            return self._answer(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that breaks its connection is no fault."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait for the first's acknowledgement, 40 ms
    server_version, sys_version = "puretls", ""

    def do_GET(self) -> None:
        """A file of the page."""
        if (name := self._name()) is None:
            return
        found = self.server.files.get(name or "index.html")
        if found is None:
            self._send(404, "text/plain", b"nothing is here\n")
        else:
            self._send(200, *found)

    def do_POST(self) -> None:
        """A request to the engine."""
        if (name := self._name()) is None:
            return
        length = self.headers.get("Content-Length", "")
        if name != "ask" or self.headers.get_content_type() != "application/json" or not length.isascii() or not length.isdigit():
            self.close_connection = True
            self._send(400, "text/plain", b"JSON with its length goes to ask\n")
        elif len(length) > len(str(MOST)) or int(length) > MOST:
            self.close_connection = True
            self._json({"error": f"a request has {MOST:,} bytes at most"})
        else:
            self._json(self._asked(self.rfile.read(int(length))))

    def _asked(self, body: bytes) -> Any:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            return {"error": "the request is no JSON"}
        return self.server.ask(request)

    def _json(self, value: Any) -> None:
        self._send(200, "application/json", json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode())

    def _name(self) -> str | None:
        """What is asked for, behind the token; None where the request was refused."""
        token, _, name = self.path.partition("?")[0].removeprefix("/").partition("/")
        origin = self.headers.get("Origin")
        ours = self.headers.get("Host") in self.server.hosts and origin in {
            None,
            *(f"http://{host}" for host in self.server.hosts),
        }
        if ours and compare_digest(token.encode("utf-8", "surrogateescape"), self.server.token.encode()):
            return name
        self.close_connection = True
        self._send(403, "text/plain", b"the address of the playground has a token: `puretls playground` prints it\n")
        return None

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        charset = "" if media_type == "application/json" else "; charset=utf-8"
        for name, value in {"Content-Type": media_type + charset, "Content-Length": str(len(body)), **HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: the address holds the token."""
