"""Ends of connections under load, each a process of its own: what they count they write to standard output, a line of JSON a time.

    python -m tests.net.ends crowd FOLDER            an asyncio server that sends back what comes; tells its counts for each line it reads
    python -m tests.net.ends receive FOLDER SIZE     a blocking server that reads SIZE bytes from one client
    python -m tests.net.ends send FOLDER SIZE PORT   a blocking client that sends SIZE bytes to it

FOLDER has server.pem, server.key and ca.pem.
"""

import asyncio
import ctypes
import hashlib
import json
import os
import socket
import sys
from pathlib import Path

from puretls import ClientConfig, Credential, ServerConfig, danger
from puretls.crypto.provider import default
from puretls.errors import PuretlsError
from puretls.net import TlsSocket, aio, connect
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import chain_verifier

CHUNK = 2**20
STEP = 2**27
"""Bytes between two lines of those that send and receive much."""


def resident(process="self"):
    """Bytes of memory that a process has in use."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _Mallinfo2(ctypes.Structure):
    """malloc(3) of glibc 2.33 and later."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"]
    ]


def allocated():
    """Bytes that malloc has given out, in any thread, and blocks of Python's own allocator; holes between them are not counted.

    The first is 0 where the C library cannot tell.
    """
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return 0, sys.getallocatedblocks()
    ask.restype = _Mallinfo2
    info = ask()
    return info.uordblks + info.hblkhd, sys.getallocatedblocks()


def tell(**counts):
    print(json.dumps(counts), flush=True)


def server_config(folder):
    return ServerConfig(credentials=(Credential.from_files(folder / "server.pem", folder / "server.key"),))


async def crowd(folder):
    """Serves until standard input ends."""
    counts = {"accepted": 0, "open": 0, "echoed": 0, "failures": []}

    async def client(reader, writer):
        counts["accepted"] += 1
        counts["open"] += 1
        try:
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
                counts["echoed"] += len(data)
        except (PuretlsError, OSError) as error:
            counts["failures"].append(repr(error))
        finally:
            counts["open"] -= 1
            writer.close()

    server = await aio.start_server(client, "127.0.0.1", 0, server_config(folder), backlog=1024)
    tell(port=server.sockets[0].getsockname()[1])
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        tell(**counts, resident=resident(), allocated=allocated())


def chunks(size):
    """Bytes that differ from chunk to chunk: one that is lost, doubled or out of place changes the hash of the whole."""
    rest = hashlib.shake_128(b"load").digest(CHUNK - 8)
    for start in range(0, size, CHUNK):
        yield (start.to_bytes(8, "big") + rest)[: size - start]


def tell_steps(tls, pieces, channel):
    """Tells, whenever `STEP` bytes more have passed and in the end, what has passed and how `channel` counted it."""
    digest, passed = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        passed += len(piece)
        if passed % STEP == 0:
            tell(passed=passed, digest=digest.hexdigest(), resident=resident())
    tell(passed=passed, digest=digest.hexdigest(), sequence=channel.sequence, epoch=channel.epoch, under_key=channel._bytes)


def receive(folder, size):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tell(port=listener.getsockname()[1])
        sock, _ = listener.accept()
    with TlsSocket.server(sock, server_config(folder)) as tls:

        def pieces():
            """No piece goes beyond the next step."""
            left = size
            while data := tls.recv(min(CHUNK, (left - 1) % STEP + 1)) if left else b"":
                left -= len(data)
                yield data

        tell_steps(tls, pieces(), danger.parts(tls.connection).inbound.channel)
        tell(left=len(tls.recv(1)))


def send(folder, size, port):
    anchors = load_certificates((folder / "ca.pem").read_bytes())
    config = ClientConfig(verifier=chain_verifier(anchors, provider=default()))
    with connect(("127.0.0.1", port), config, server_name="localhost") as tls:

        def pieces():
            for chunk in chunks(size):
                tls.sendall(chunk)
                yield chunk

        tell_steps(tls, pieces(), danger.parts(tls.connection).outbound.channel)
        tell(left=0)


if __name__ == "__main__":
    name, folder, *numbers = sys.argv[1:]
    if name == "crowd":
        asyncio.run(crowd(Path(folder)))
    else:
        {"send": send, "receive": receive}[name](Path(folder), *map(int, numbers))
