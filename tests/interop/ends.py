"""puretls's end of a conversation over a socket, and a server that serves one client in a thread."""

import socket
import threading
from contextlib import suppress

from puretls import AlertReceived, Connection, ConnectionClosed, DataReceived, HandshakeCompleted, PuretlsError
from tests.support.driven import Driven

TIMEOUT = 20.0


class End(Driven):
    """One end; `received` keeps the data that came."""

    def __init__(self, connection, sock):
        self.connection, self.sock = connection, sock
        self.events = []
        self.received = bytearray()
        sock.settimeout(TIMEOUT)
        connection.start()

    def step(self):
        event = super().step()
        if isinstance(event, DataReceived):
            self.received += event.data
        return event

    def handshake(self):
        return self.until(HandshakeCompleted)

    def line(self):
        """The next line that the peer sends."""
        while b"\n" not in self.received:
            self.until(DataReceived)
        line, _, rest = bytes(self.received).partition(b"\n")
        self.received[:] = rest
        return line

    def close(self):
        """Close well, and wait for the peer to do so."""
        with suppress(OSError, PuretlsError):
            self.connection.close()
            self.flush()
            self.sock.shutdown(socket.SHUT_WR)
            while not isinstance(self.step(), ConnectionClosed):
                pass

    def saw(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def connect(config, port, server_name="server.test", session=None):
    """A client's end, not yet shaken hands."""
    return End(Connection.client(config, server_name, session), socket.create_connection(("127.0.0.1", port), TIMEOUT))


def converse(config, port, server_name="server.test", session=None, text=b"hello"):
    """Shake hands, exchange a line with a peer that sends it back (or back to front), close. Returns the end."""
    end = connect(config, port, server_name, session)
    with end.sock:
        end.handshake()
        end.send(text + b"\n")
        answer = end.line()
        assert answer in {text, text[::-1]}, answer
        end.close()
    return end


def answer_line(end):
    """What a server of ours does by default: send a line back, close."""
    end.handshake()
    line = end.line()
    end.send(b"[" + line + b"]\n")
    end.close()


class Service:
    """Serves `clients` clients on a free port, one after the other; `ends` holds what became of them."""

    def __init__(self, config, script=answer_line, clients=1):
        self._config, self._script, self._clients = config, script, clients
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT / 4)
        self.port = self._listener.getsockname()[1]
        self.ends, self.error = [], None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        for _ in range(self._clients):
            try:
                sock, _ = self._listener.accept()
                with sock:
                    end = End(Connection.server(self._config), sock)
                    self.ends.append(end)
                    self._script(end)
            except Exception as error:
                self.error = error
                return

    @property
    def end(self):
        return self.ends[-1]

    def __enter__(self):
        self._thread.start()
        return self

    def wait(self):
        """Wait until the last client is gone, however it went."""
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive(), "the service hangs"

    def join(self):
        """Wait for the last client; raises what its conversation raised."""
        self.wait()
        if self.error is not None:
            raise self.error

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self._thread.join(TIMEOUT)
        self._listener.close()


__all__ = ["AlertReceived", "End", "Service", "answer_line", "connect", "converse"]
