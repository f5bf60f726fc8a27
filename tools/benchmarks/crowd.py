"""A server with many connections, as a process of its own: each client sends what it likes and gets it back.

    python -m benchmarks.crowd (asyncio | blocking) CERT KEY

Tells its port; then, for each line on standard input, what it costs: a line of JSON with `open` connections, `resident` bytes of
memory and `seconds` of processor time.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from puretls import Credential, ServerConfig
from puretls.errors import PuretlsError
from puretls.net import TlsSocket, aio

_OPEN: set[object] = set()


def _tell() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    counts = {"open": len(_OPEN), "resident": pages * os.sysconf("SC_PAGE_SIZE"), "seconds": time.process_time()}
    print(json.dumps(counts), flush=True)


async def _asyncio(config: ServerConfig) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _OPEN.add(writer)
        with suppress(PuretlsError, OSError):
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
        _OPEN.discard(writer)
        writer.close()

    server = await aio.start_server(client, "127.0.0.1", 0, config, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        _tell()


def _blocking(config: ServerConfig) -> None:
    def client(sock: socket.socket) -> None:
        with suppress(PuretlsError, OSError), TlsSocket.server(sock, config) as tls:
            _OPEN.add(tls)
            with suppress(PuretlsError, OSError):
                while data := tls.recv(2**16):
                    tls.sendall(data)
            _OPEN.discard(tls)

    def serve(listener: socket.socket) -> None:
        while True:
            threading.Thread(target=client, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        while sys.stdin.readline():
            _tell()


if __name__ == "__main__":
    kind, cert, key = sys.argv[1:]
    made = ServerConfig(credentials=(Credential.from_files(cert, key),))
    if kind == "asyncio":
        asyncio.run(_asyncio(made))
    else:
        _blocking(made)
