"""OpenSSL, by the standard library's `ssl`, as a peer in memory and behind a loopback socket. Used by tests alone."""

import socket
import ssl
import threading
from contextlib import contextmanager, suppress

from puretls.errors import UsageError
from puretls.inspect.peer import Told


class SslPeer:
    """An `ssl.MemoryBIO` end as a `puretls.inspect.peer.Peer`."""

    def __init__(self, context, *, server_side, server_name=None):
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=server_side, server_hostname=server_name)
        self._told, self._shaken, self._over = [], False, False
        self._go_on()

    def receive(self, data):
        self._in.write(data)
        self._go_on()

    def take(self):
        return self._out.read()

    def eof(self):
        self._in.write_eof()
        self._go_on()

    def events(self):
        told, self._told = self._told, []
        return told

    def fork(self):
        raise UsageError("OpenSSL's state cannot be copied")

    def send(self, data):
        self._tls.write(data)

    def close(self):
        with suppress(ssl.SSLWantReadError, ssl.SSLError):
            self._tls.unwrap()

    def _go_on(self):
        with suppress(ssl.SSLWantReadError):
            try:
                if not self._shaken:
                    self._tls.do_handshake()
                    self._shaken = True
                    self._told.append(Told("handshake", self._tls.cipher()[0]))
                while not self._over:
                    data = self._tls.read(2**14)
                    self._told.append(Told("data", data=data) if data else Told("closed", "by close_notify"))
                    self._over = not data
            except ssl.SSLZeroReturnError:
                self._over = True
                self._told.append(Told("closed", "by close_notify"))
            except ssl.SSLWantReadError:
                raise
            except ssl.SSLError as error:
                if not self._over:
                    self._told.append(Told("failed", error.reason or str(error)))
                self._over = self._shaken = True


def server_context(leaf, folder):
    """TLS 1.2 only, with this credential."""
    (folder / "chain.pem").write_text(leaf.chain_pem)
    (folder / "key.pem").write_text(leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    return context


@contextmanager
def answering(context):
    """A loopback server that answers what it reads in capitals, connection by connection; gives its port, and what went wrong."""
    problems = []

    def converse(sock):
        try:
            with context.wrap_socket(sock, server_side=True) as tls:
                while data := tls.recv(2**14):
                    tls.sendall(data.upper())
        except (ssl.SSLError, OSError) as error:
            problems.append(getattr(error, "reason", None) or str(error))
        finally:
            sock.close()

    def serve(listener):
        with suppress(OSError):
            while True:
                converse(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1], problems
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
