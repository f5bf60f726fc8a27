"""`puretls serve`: a server for experiments. Each client has a thread, and nothing that a client does harms another connection.

With --workers several processes serve. SIGHUP reads certificates and keys again; SIGTERM or an interrupt stops when open connections
have ended or at a second one.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import math
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from puretls.cli import ranges
from puretls.errors import TlsError, UsageError
from puretls.text import counted, printable, printable_lines
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.cli.http import Request
    from puretls.config import ServerConfig
    from puretls.net import TlsSocket
    from puretls.net.workers import Stopping

T = TypeVar("T")
logger: logging.Logger = logging.getLogger("puretls.serve")

MAX_CLIENTS = 256
"""Connections served at a time; more wait in the kernel's queue."""

FULL = 0.2
"""Seconds after which a server that has no place for one more client looks whether it is to stop."""

SLOWEST = 1024
"""Bytes a second that a client must read of an answer; a slower one loses its place."""


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    from puretls.cli import options

    parser = subparsers.add_parser("serve", help="serve clients by TLS 1.2", description=__doc__)
    parser.add_argument("--port", type=ranges.PORT, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s; all: 0.0.0.0 or ::)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--http", action="store_true", help="answer every GET with a small page (default)")
    what.add_argument("--echo", action="store_true", help="send back what comes")
    what.add_argument("--www", metavar="DIR", type=Path, help="serve the files below DIR")
    later = (
        "ask a client for a certificate when it wants this path (by a renegotiation), and tell it who it is; needs --client-ca"
    )
    parser.add_argument("--ask-later", metavar="PATH", help=later)
    seconds: dict[str, Any] = {"type": ranges.SECONDS, "metavar": "SECONDS"}
    parser.add_argument("--handshake-timeout", default=20.0, help="for the whole handshake (%(default)s)", **seconds)
    parser.add_argument("--idle-timeout", default=60.0, help="without a byte from the client (%(default)s)", **seconds)
    parser.add_argument("--request-timeout", default=20.0, help="for a whole request (%(default)s)", **seconds)
    several = "serve by N processes, which share ticket keys (without N: one for each core); without this option by one"
    parser.add_argument("--workers", type=ranges.WORKERS, nargs="?", const=0, metavar="N", help=several)
    parser.add_argument(
        "--drain-timeout", default=30.0, help="for open connections after SIGTERM or an interrupt (%(default)s)", **seconds
    )
    options.add_server_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if arguments.www is not None and not arguments.www.is_dir():
        raise UsageError(f"{arguments.www}: not a directory")
    if arguments.ask_later is not None:
        _check_ask_later(arguments)
    if arguments.workers is None:
        _serve_alone(arguments)
    else:
        _serve_together(arguments)
    return 0


def _serve_alone(arguments: argparse.Namespace) -> None:
    from puretls.cli import options
    from puretls.net import workers

    _log_to_stderr()
    server = Server(options.server_configurations(arguments), _application(arguments), arguments)
    with _listener(arguments.host, arguments.port) as listener:
        host, port = listener.getsockname()[:2]
        ending = Ending()
        try:
            _on_signal("SIGHUP", server.reload)
            for name in ("SIGTERM", "SIGINT"):
                _on_signal(name, ending.ask)
            logger.info("listening on %s port %d", host, port)  # from here on, who waits for this line may send signals
            server.serve(listener, ending.stopping)
            logger.info(workers.DRAINING, arguments.drain_timeout)
            drained = server.drain(arguments.drain_timeout)
        except KeyboardInterrupt:
            drained = False
        if not drained:
            logger.info(workers.CUT_OFF)
        logger.info("stopped")


class Ending:
    """Somebody asks for the end: the first time `stopping` becomes readable, the second time `KeyboardInterrupt` is raised."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._asked = False
        self.stopping: tuple[int, ...] = (self._reading.fileno(),)

    def ask(self) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._writing.send(b".")


def _serve_together(arguments: argparse.Namespace) -> None:
    """By several processes: each has a `Server` of its own, and a log line begins with the process that wrote it."""
    from puretls.cli import options
    from puretls.net import workers

    if arguments.danger_seed is not None:
        raise UsageError("--danger-seed is for one process: with --workers several would draw the same")
    _log_to_stderr("%(process)d %(message)s")
    application = _application(arguments)
    shared = workers.Configurations(options.server_configurations(arguments))

    def work(listener: socket.socket, config: ServerConfig, stopping: workers.Stopping) -> None:
        server = Server(lambda: config, application, arguments)
        server.serve(listener, stopping)
        server.drain(math.inf)  # who forked this process sets the limit

    with _listener(arguments.host, arguments.port) as listener:
        count, drain = arguments.workers or None, arguments.drain_timeout
        workers.run(listener, work, shared.reload, renew=shared.renew, count=count, drain=drain)


def _check_ask_later(arguments: argparse.Namespace) -> None:
    if not arguments.ask_later.startswith("/") or arguments.echo:
        raise UsageError("--ask-later takes the path of an HTTP request, such as /private")
    if not arguments.client_ca:
        raise UsageError("--ask-later needs --client-ca: whom to trust")


class LogFormatter(logging.Formatter):
    """Escapes every message, because a client may have written parts of it: no line breaks, no codes for a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return printable_lines(super().formatException(ei).split("\n"))


def _log_to_stderr(line: str = "%(message)s") -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(line))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class Line:
    """A client's socket below TLS, with a deadline: `allow` sets how long the next step may take, however many bytes trickle in."""

    def __init__(self, sock: socket.socket, idle: float) -> None:
        self._sock = sock
        self._deadline = math.inf
        sock.settimeout(idle)

    def allow(self, seconds: float) -> None:
        """Allows `seconds` from now on, for everything together. Time left from before does not count."""
        self._deadline = time.monotonic() + seconds

    def recv(self, size: int) -> bytes:
        return self._limited(partial(self._sock.recv, size))

    def send(self, data: memoryview) -> int:
        return self._limited(partial(self._sock.send, data))

    def _limited(self, action: Callable[[], T]) -> T:
        """Runs `action` within the socket's time-out and the time that is left, whichever ends sooner."""
        own, left = self._sock.gettimeout(), self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client took too long")
        self._sock.settimeout(left if own is None else min(own, left))
        try:
            return action()
        finally:
            self._sock.settimeout(own)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Server:
    """Accepts clients. Gives each of them a thread and the configuration that is current when it connects."""

    def __init__(self, configure: Callable[[], ServerConfig], application: Application, arguments: argparse.Namespace) -> None:
        self._configure = configure
        self._config = configure()
        self._application = application
        self._arguments = arguments
        self._places = threading.Semaphore(MAX_CLIENTS)
        self._numbers = itertools.count()

    def reload(self) -> None:
        """Reads the files again; sessions and tickets stay valid. A mistake in a file is logged, and nothing changes."""
        from puretls.net import workers

        old = self._config
        with workers.reloading(logger):
            self._config = replace(self._configure(), session_cache=old.session_cache, tickets=old.tickets)
            logger.info("reloaded")

    def serve(self, listener: socket.socket, stopping: Stopping) -> None:
        """Accepts clients until one of `stopping` is readable; then closes the listener."""
        from puretls.net import workers

        listener.setblocking(False)
        while self._has_place(stopping):
            try:
                accepted = workers.accept(listener, stopping)
                if accepted is None:
                    self._places.release()
                    break
                self._begin(*accepted)
            except OSError as error:  # out of file descriptors or threads, or the client has left: nothing of it ends the server
                self._places.release()
                logger.error("accept: %s", error)
                time.sleep(0.1)
        listener.close()

    def _begin(self, client: socket.socket, address: Any) -> None:
        """Gives the client its thread. Raises `OSError` where the system grants no more of them."""
        thread = threading.Thread(target=self._client, args=(client, address, next(self._numbers)), daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            client.close()
            raise OSError(str(error)) from error

    def _has_place(self, stopping: Stopping) -> bool:
        """Takes a place for one more client, as soon as there is one. False if the server is to stop before that."""
        from puretls.net import workers

        while not self._places.acquire(timeout=FULL):
            if workers.is_told_to_stop(stopping):
                return False
        return True

    def drain(self, seconds: float) -> bool:
        """Waits until all clients have left, which is when every place is free. False if some are there after `seconds`."""
        end = time.monotonic() + seconds
        longest = threading.TIMEOUT_MAX
        return all(self._places.acquire(timeout=min(max(end - time.monotonic(), 0), longest)) for _ in range(MAX_CLIENTS))

    def _client(self, sock: socket.socket, address: Any, number: int) -> None:
        from puretls.cli import LocalFault, NobodyReads

        name = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
        try:
            logger.info("%s %s", name, self._converse(sock, number))
        except (TlsError, UsageError, LocalFault, NobodyReads, OSError) as error:
            logger.info("%s failed: %s", name, error)
        except Exception:
            logger.exception("%s: an error in puretls; please report it", name)
        finally:
            with suppress(OSError):
                sock.close()
            self._places.release()

    def _configured(self, number: int) -> ServerConfig:
        """For the client of this number. With a seed each has entropy of its own, whatever the others do meanwhile."""
        if self._arguments.danger_seed is None:
            return self._config
        from puretls.danger import fixed_random

        return replace(self._config, random=fixed_random(f"{self._arguments.danger_seed} {number}".encode()))

    def _converse(self, sock: socket.socket, number: int) -> str:
        from puretls.cli.report import one_line, tracer
        from puretls.connection import Connection
        from puretls.net import TlsSocket

        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(sock, self._arguments.idle_timeout)
        connection = Connection.server(self._configured(number))
        limit = self._arguments.handshake_timeout
        with (
            tracer(connection, self._arguments.trace) as seen,
            TlsSocket(line, connection, handshake_timeout=limit, on_event=seen) as tls,
        ):
            tls.handshake()
            return f"{one_line(connection)} {self._application(tls, line)}"


Application = Callable[["TlsSocket", Line], str]
"""A function that serves a connection and returns a line for the log."""


def _application(arguments: argparse.Namespace) -> Application:
    if arguments.echo:
        return echo
    asking = Asking(arguments.ask_later, "require" if arguments.require_client_cert else "request")
    return partial(serve_http, root=arguments.www, seconds=arguments.request_timeout, asking=asking)


def echo(tls: TlsSocket, _line: Line) -> str:
    """Send back what comes until the client closes."""
    total = 0
    while data := tls.recv(65536):
        tls.sendall(data)
        total += len(data)
    return f"echoed {counted(total, 'byte')}"


@frozen
class Asking:
    """The path that needs a client's certificate (None: no path does), and the value for `ServerConfig.client_authentication`."""

    path: str | None = None
    authentication: str = "request"


@frozen
class Exchange:
    """A request and its answer. Each may take `seconds`; sending an answer may take as long as the slowest allowed client needs."""

    tls: TlsSocket
    line: Line
    seconds: float

    def recv(self, size: int) -> bytes:
        return self.tls.recv(size)

    def sendall(self, data: bytes) -> None:
        self.line.allow(self.seconds + len(data) / SLOWEST)
        self.tls.sendall(data)


def serve_http(tls: TlsSocket, line: Line, *, root: Path | None, seconds: float, asking: Asking = Asking()) -> str:  # noqa: B008  (a value)
    """Answer one request: from the files below `root`, or with a page that tells what was negotiated."""
    from puretls.cli import http

    stream, told, body = Exchange(tls, line, seconds), "", True
    line.allow(seconds)
    try:
        request = http.read_request(stream)
        if request is None:
            return "no request"
        told, body = f"{request.method} {request.path} ", request.method == "GET"
        return f"{told}200 {counted(_answer(stream, request, root, asking), 'byte')}"
    except http.Abandoned:
        return "the client closed before its request was whole"
    except http.BadRequest as error:
        http.send_page(stream, str(error), [str(error)], body)
        return f"{told}{error}"


def _answer(stream: Exchange, request: Request, root: Path | None, asking: Asking) -> int:
    """Send what was asked for; returns the length of its body. Raises `BadRequest`."""
    from puretls.cli import http, who
    from puretls.cli.report import negotiated_lines

    body = request.method == "GET"
    if request.path == asking.path:
        stream.line.allow(stream.seconds)
        told = who.ask(stream.tls, asking.authentication)
        return http.send_page(stream, "200 OK", [*told, *negotiated_lines(stream.tls.connection)], body)
    if root is None:
        return http.send_page(stream, "200 OK", ["puretls speaks", *negotiated_lines(stream.tls.connection)], body)
    file = http.find_file(root, request.path)
    if file is None:
        raise http.BadRequest("404 Not Found")
    return http.send_file(stream, file, body)


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `UsageError` for a port that is taken or not ours to use."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        address = (found[4][0], port, *found[4][2:])  # with the number of a zone, which `bind` would not look up
        return socket.create_server(address, family=found[0], backlog=128)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]  # Python names the address again there
        raise UsageError(f"cannot listen on {host} port {port}: {reason}") from error


def _on_signal(name: str, action: Callable[[], None]) -> None:
    """Calls `action` at a signal. Interrupts that are ignored stay so: a shell wants that of its background jobs."""
    number = getattr(signal, name, None)  # Windows has no SIGHUP
    if number is None or threading.current_thread() is not threading.main_thread():
        return
    if number != signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, lambda _number, _frame: action())
