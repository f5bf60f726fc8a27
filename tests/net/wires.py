"""Connected sockets for tests."""

import os
import socket

NAME = "server.test"


def wires():
    """Two connected TCP sockets: unlike a socket pair they have addresses, and buffers of a known size."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    for sock in (client, server):
        sock.settimeout(20)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server


def below(tls):
    """The socket below a `TlsSocket`, by another descriptor of it: close it, and the connection goes on."""
    return socket.socket(fileno=os.dup(tls.fileno()))
