"""The inspector on captures: a thousand connections listed, 50 MB of application data explained. Seconds, and MiB at the peak.

Each case is a process of its own, so that its peak of memory is its own. The conversations are those of the standard library's OpenSSL.
"""

from __future__ import annotations

import functools
import ssl
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import Case, Options, Row
from puretls.ca import DevelopmentCa
from puretls.inspect import Chunk, Stream, write_capture

ROOT = Path(__file__).resolve().parents[2]
CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"
MEGABYTE = 10**6
WORK = {
    "listed": "[(c.number, c.addresses, c.server_name, c.suite, c.size) for c in capture.connections]",
    "read": "capture.connections[0].client.length",
    "opened": "assert len(next(capture.conversations()).data('server')) == int(sys.argv[2])",
    "page": "from puretls.inspect.render.page import page; assert page(next(capture.conversations()))",
    "explained": "[(leaf.path, leaf.value) for view in views(next(capture.conversations())) for leaf in view]",
}
PROGRAM = r"""
import re, sys, time
from pathlib import Path
from puretls.inspect import read_capture

def views(conversation):
    for side in ("client", "server"):
        yield conversation.byte_map.wire(side)
        yield conversation.byte_map.plain(side)

start = time.perf_counter()
capture = read_capture(sys.argv[1])
{work}
took = time.perf_counter() - start
print(took, int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""
"""The peak is the kernel's: what `getrusage` tells of a process is at least what its parent held when it forked."""


def cases(options: Options) -> list[Case]:
    """Many connections, then a long one."""
    megabytes, count = (5, 100) if options.quick else (50, 1000)
    return [
        functools.partial(_case, count, 0, "listed"),
        *(functools.partial(_case, 1, megabytes, work) for work in ("read", "opened", "page", "explained")),
    ]


class Recorded(NamedTuple):
    """What is written."""

    client: Stream
    server: Stream
    addresses: tuple[str, str]
    began: int


def _case(count: int, megabytes: int, work: str) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        made, log = _conversation(Path(folder), megabytes * MEGABYTE)
        several = [made._replace(addresses=(f"10.0.0.1:{1024 + number}", "10.0.0.2:443")) for number in range(count)]
        write_capture(Path(folder) / "capture.pcapng", *several, key_log=log)
        command = [
            sys.executable,
            "-c",
            PROGRAM.format(work=WORK[work]),
            Path(folder) / "capture.pcapng",
            str(megabytes * MEGABYTE),
        ]
        told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    size = f"{megabytes} MB" if megabytes else f"{count} connections"
    return [Row("inspect", work, size, unit, float(figure)) for unit, figure in zip(("s", "MiB"), told, strict=True)]


def _conversation(folder: Path, size: int) -> tuple[Recorded, str]:
    """A handshake, then `size` bytes from the server, of two OpenSSLs; and the text of their key log."""
    leaf = DevelopmentCa.create(lambda count: bytes(range(count)), 1_795_000_000).issue(["server.test"])
    (folder / "chain.pem").write_text(leaf.chain_pem)
    (folder / "key.pem").write_text(leaf.key_pem)
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for context in (client, server):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(CIPHER)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.keylog_filename = str(folder / "keys.log")
    server.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = {
        "client": (client.wrap_bio(down, upward := ssl.MemoryBIO(), server_hostname="server.test"), upward, up),
        "server": (server.wrap_bio(up, downward := ssl.MemoryBIO(), server_side=True), downward, down),
    }
    chunks: dict[str, list[Chunk]] = {"client": [], "server": []}
    began = 1_795_000_000 * 10**9

    def move(side: str) -> None:
        """Pass on what one end has to say."""
        end, out, into = ends[side]
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
        if data := out.read():
            order = len(chunks["client"]) + len(chunks["server"])
            offset = chunks[side][-1].offset + len(chunks[side][-1].data) if chunks[side] else 0
            chunks[side].append(Chunk(offset, data, began + order * 1000, order))
            into.write(data)

    for side in ("client", "server") * 3:
        move(side)
    for start in range(0, size, 2**20):
        ends["server"][0].write(bytes(min(2**20, size - start)))
        move("server")
        down.read()
    streams = [Stream(tuple(chunks[side]), end="fin") for side in ("client", "server")]
    return Recorded(streams[0], streams[1], ("client", "server"), began), (folder / "keys.log").read_text()
