"""Many connections on one process, and much through one connection: nothing is lost, and memory does not grow."""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from puretls.ca import DevelopmentCa
from tests.cli.command import ENVIRONMENT, ROOT

resource = pytest.importorskip("resource")  # Windows has none
ssl = pytest.importorskip("ssl")
pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory in use is read from /proc")

SECONDS = float(os.environ.get("PURETLS_LOAD_SECONDS", "300"))
GIGABYTES = float(os.environ.get("PURETLS_LOAD_GB", "10"))
BLOCK = 2**16
WARM = 1400
LONG = 60.0
"""Seconds that are enough to tell whether memory grows."""
AT_ONCE = 50
"""Clients that shake hands at a time."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("load")
    authority = DevelopmentCa.create(os.urandom, time.time())
    issued = authority.issue(["localhost"])
    for name, text in (("server.pem", issued.chain_pem), ("server.key", issued.key_pem), ("ca.pem", authority.root_pem)):
        (made / name).write_text(text)
    return made


class End:
    """A program of `tests.net.ends`, and what it tells."""

    def __init__(self, process):
        self.process = process

    def told(self):
        return json.loads(self.process.stdout.readline())

    def ask(self):
        print(file=self.process.stdin, flush=True)
        return self.told()


@contextmanager
def end(*arguments):
    command = [sys.executable, "-m", "tests.net.ends", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield End(process)
        finally:
            process.kill()


def assert_flat(samples, share=0.02, slack=2**22):
    """From the second fifth of the time to the last one they grew by no more than this share, and this slack."""
    fifth = max(1, len(samples) // 5)
    before, after = statistics.mean(samples[fifth : 2 * fifth]), statistics.mean(samples[-fifth:])
    assert after <= before * (1 + share) + slack, f"{before:.0f}, then {after:.0f}"


@pytest.mark.parametrize("growth", [0, 1])
def test_growth_is_noticed(growth):
    samples = [2**30 * (1 if step < 10 else 1.1) + growth * step * 2**20 for step in range(20, 120)]
    if growth:
        with pytest.raises(AssertionError, match=", then "):
            assert_flat(samples)
    else:
        assert_flat(samples)


class Crowd:
    """Clients of OpenSSL, in asyncio: `idle` and `active` are their streams."""

    def __init__(self, server, port, folder):
        self.server, self.port = server, port
        self.context = ssl.create_default_context(cafile=folder / "ca.pem")
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.opening = asyncio.Semaphore(AT_ONCE)
        self.sent = self.exchanges = 0

    async def opened(self, count):
        async def one():
            async with self.opening:
                return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context, server_hostname="localhost")

        return await asyncio.gather(*(one() for _ in range(count)))

    async def exchange(self, reader, writer, data):
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        self.sent += len(data)
        self.exchanges += 1

    async def warm_up(self, reader, writer, records):
        """As many records as the trace of a connection holds entries, and large ones enough for keys to make their tables."""
        for _ in range(records):  # of more than 256 bytes: Python keeps smaller numbers once for all
            writer.write(bytes(300))
        assert await reader.readexactly(300 * records) == bytes(300 * records)
        self.sent += 300 * records
        for _ in range(8):
            await self.exchange(reader, writer, bytes(BLOCK))

    async def work(self, number, streams, until):
        """Sends blocks of any size, and has each back before the next."""
        choice = random.Random(number)
        content = choice.randbytes(2 * BLOCK)
        while time.monotonic() < until:
            start, size = choice.randrange(BLOCK), choice.randrange(1, BLOCK)
            await self.exchange(*streams, content[start : start + size])

    async def watch(self, until, pause):
        """The memory of the server, as often as it has time to tell."""
        samples = []
        while time.monotonic() < until:
            samples.append(await asyncio.to_thread(self.server.ask))
            await asyncio.sleep(pause)
        return samples


async def a_crowd(server, port, folder, idle, active, seconds):
    """What the clients have counted, and the memory of the server meanwhile."""
    crowd = Crowd(server, port, folder)

    def tell(what):
        print(f"{what}: {server.ask()['resident'] / 2**20:.0f} MiB, {time.monotonic() - began:.0f} s", flush=True)

    began = time.monotonic()
    tell("\nnobody there")
    quiet = await crowd.opened(idle)
    tell(f"{idle} idle connections")
    busy = await crowd.opened(active)
    await asyncio.gather(*(crowd.warm_up(*one, WARM if seconds >= LONG else 10) for one in busy))
    tell(f"{active} active ones, warm")
    assert server.ask()["open"] == idle + active
    until = time.monotonic() + seconds
    *_, samples = await asyncio.gather(*(crowd.work(*one, until) for one in enumerate(busy)), crowd.watch(until, seconds / 100))
    for streams in quiet:
        await crowd.exchange(*streams, b"still here")
    tell("in the end")
    for _, writer in (*quiet, *busy):
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in (*quiet, *busy)))
    return crowd, samples


@pytest.mark.interop
@pytest.mark.parametrize(
    ("idle", "active", "seconds"),
    [pytest.param(20, 4, 0.3, id="few"), pytest.param(5000, 200, SECONDS, id="5000 idle", marks=pytest.mark.long)],
)
@pytest.mark.timeout(max(600, 4 * SECONDS))
def test_connections_that_are_idle_and_active_on_one_process_lose_nothing(folder, idle, active, seconds):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < idle + active + 100:
        pytest.skip(f"{idle + active + 100} files cannot be open at a time: ulimit -n")
    with end("crowd", folder) as server:
        crowd, samples = asyncio.run(a_crowd(server, server.told()["port"], folder, idle, active, seconds))
        deadline = time.monotonic() + 20
        while (counts := server.ask())["open"] and time.monotonic() < deadline:
            time.sleep(0.05)
    given, blocks, seen = zip(*((*one["allocated"], one["resident"]) for one in samples), strict=True)
    print(f"{crowd.exchanges} exchanges, {crowd.sent / 1e6:.0f} MB each way")
    for what, series, unit in (("MiB of malloc", given, 2**20), ("thousand blocks", blocks, 1000), ("MiB resident", seen, 2**20)):
        print(f"{what}: {[round(one / unit) for one in series[::10]]}")
    assert counts["failures"] == []
    assert (counts["accepted"], counts["open"], counts["echoed"]) == (idle + active, 0, crowd.sent)
    assert crowd.exchanges >= idle + active
    if seconds >= LONG:
        assert_flat(given, 0.02, active * BLOCK)  # what is under way
        assert_flat(blocks, 0.02, 2**15)
        assert_flat(seen, 0.1)  # with the holes that buffers of any size leave


def steps(side):
    """What an end tells, to its last line, which says that nothing is left."""
    told = []
    while "left" not in (line := side.told()):
        told.append(line)
        if "resident" in line and line["passed"] % (8 * 2**27) == 0:
            print(f"{line['passed'] / 1e9:.1f} GB, {line['resident'] / 2**20:.0f} MiB", flush=True)
    assert line["left"] == 0
    return told


@pytest.mark.rfc("5246", "6.1")
@pytest.mark.parametrize(
    "size", [pytest.param(2**20 + 1, id="1 MiB"), pytest.param(int(GIGABYTES * 1e9), id="10 GB", marks=pytest.mark.long)]
)
@pytest.mark.timeout(max(600, 1000 * GIGABYTES))
def test_all_bytes_of_one_connection_arrive_and_both_ends_count_the_same_records(folder, size):
    began = time.monotonic()
    with (
        end("receive", folder, size) as receiver,
        end("send", folder, size, receiver.told()["port"]) as sender,
        ThreadPoolExecutor(2) as pool,
    ):
        sent, received = pool.map(steps, (sender, receiver))
        assert receiver.process.wait(20) == sender.process.wait(20) == 0
    print(f"{size} bytes in {time.monotonic() - began:.0f} s")
    records, finished, explicit = -(-size // 2**14), 16, 8 + 16
    assert [(one["passed"], one["digest"]) for one in sent] == [(one["passed"], one["digest"]) for one in received]
    assert sent[-1]["passed"] == size
    assert sent[-1]["sequence"] == received[-1]["sequence"] == records + 1, "a record for each 16 KiB, and Finished"
    assert sent[-1]["epoch"] == received[-1]["epoch"] == 1
    assert sent[-1]["under_key"] == size + finished
    assert received[-1]["under_key"] == size + finished + explicit * (records + 1)
    for side in (sent, received):
        if samples := [one["resident"] for one in side[:-1]]:
            assert_flat(samples)
