"""OpenSSL, by the standard library's `ssl`, behind a loopback socket. Used by tests alone; in memory it is `adapters.openssl`."""

import socket
import ssl
import threading
from contextlib import contextmanager, suppress


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


def resuming(ca):
    """A function that talks with what echoes at the port of a server; it gives the session, and whether it was resumed."""

    def context(options):
        made = ssl.create_default_context(cafile=ca)
        made.maximum_version = ssl.TLSVersion.TLSv1_2
        made.options |= options
        return made

    contexts = {True: context(0), False: context(ssl.OP_NO_TICKET)}

    def talk(server, session=None, *, tickets=True):
        with (
            socket.create_connection(("127.0.0.1", server.port), 20) as sock,
            contexts[tickets].wrap_socket(sock, server_hostname="localhost", session=session) as tls,
        ):
            tls.sendall(b"x")
            assert tls.recv(10) == b"x"
            return tls.session, tls.session_reused

    return talk
