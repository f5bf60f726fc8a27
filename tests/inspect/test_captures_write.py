"""Captures are written: what is read back is what was written, and tshark opens it decrypted without being told anything."""

import json
import os
import random
import re
import shutil
import subprocess
from dataclasses import replace
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.inspect import Conversation, Knowledge
from puretls.inspect.captures import read_capture, write_capture
from puretls.inspect.captures.write import MSS
from puretls.inspect.streams import Chunk, Gap, Stream
from tests.support import packets as made
from tests.support import reference
from tests.support.pair import Pair
from tests.support.reference import REFERENCE, play

BEGAN = made.BEGAN + 789
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


class Recorded(NamedTuple):
    """What a connection is to the writer."""

    client: Stream
    server: Stream
    addresses: tuple = ("client", "server")
    began: int | None = BEGAN


class Recording(Pair):
    """A pair of which is noted who sent what, in order."""

    made: ClassVar[list] = []

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.chunks = {"client": [], "server": []}
        self.count = 0
        self.made.append(self)
        for side, end in (("client", self.client), ("server", self.server)):
            end.take = self.noting(side, end.take)

    def noting(self, side, take):
        def taking():
            if out := take():
                self.count += 1
                offset = sum(len(chunk.data) for chunk in self.chunks[side])
                self.chunks[side].append(Chunk(offset, out, BEGAN + self.count * 1_000_001, self.count))
            return out

        return taking

    def recorded(self):
        return Recorded(*(Stream(tuple(self.chunks[side]), end="fin") for side in ("client", "server")))


@pytest.fixture
def played(monkeypatch):
    """Plays a row; gives its connections as recorded, the text of its key log, and what the applications received."""

    def playing(row):
        lines = []
        monkeypatch.setattr(reference, "Pair", Recording)
        monkeypatch.setattr(Recording, "made", [])
        play(row, change=lambda client, server: (replace(client, key_log=lines.append), server))
        data = [(joined.server.data, joined.client.data) for joined in Recording.made]
        return [joined.recorded() for joined in Recording.made], "".join(line + "\n" for line in lines), data

    return playing


def followed(file, number):
    """What tshark says that client and server sent in the TLS of this TCP connection."""
    done = subprocess.run(
        ["tshark", "-r", file, "-q", "-z", f"follow,tls,raw,{number}"], capture_output=True, text=True, check=True
    )
    lines = re.findall(r"^(\t?)([0-9a-f]+)$", done.stdout, re.MULTILINE)
    said = tuple(b"".join(bytes.fromhex(line) for tab, line in lines if bool(tab) == second) for second in (False, True))
    return said[::-1] if re.search(r"^Node 0: .*:443$", done.stdout, re.MULTILINE) else said


@pytest.mark.slow
@pytest.mark.interop
@needs_tshark
@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row.name)
def test_tshark_opens_every_reference_conversation_without_options(row, played, tmp_path):
    connections, log, data = played(row)
    write_capture(file := tmp_path / "a.pcapng", *connections, key_log=log)
    assert [followed(file, number) for number in range(len(data))] == data
    assert any(up and down for up, down in data)
    shown = subprocess.run(["tshark", "-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-V"],
                           capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert "Encrypted Handshake Message" not in shown
    assert "Handshake Protocol: Finished" in shown
    assert not re.search(r"Malformed|\[incorrect|Status: Bad|Retransmission|not captured|Out-Of-Order", shown)


@pytest.mark.interop
@needs_tshark
def test_without_secrets_nobody_opens_it(played, tmp_path):
    (connection,), log, _ = played(REFERENCE[0])
    write_capture(file := tmp_path / "a.pcapng", connection, key_log=log, without_secrets=True)
    assert log.split()[2].encode() not in file.read_bytes()
    assert read_capture(file).key_log == ""
    assert followed(file, 0) == (b"", b"")


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row.name)
def test_a_conversation_brings_its_own_secrets_and_no_others(row, played, tmp_path):
    """The secrets of a renegotiation lie behind the first handshake's; those of a key log that has more stay where they are."""
    connections, log, data = played(row)
    foreign = "CLIENT_RANDOM " + "11" * 32 + " " + "22" * 48 + "\n"
    known = Knowledge.of(log + foreign)
    conversations = [Conversation(each.client, each.server, known, began=each.began) for each in connections]
    write_capture(tmp_path / "a", *conversations)
    capture = read_capture(tmp_path / "a")
    assert sorted(capture.key_log.splitlines()) == sorted(log.splitlines())
    assert [(each.data("client"), each.data("server")) for each in capture.conversations()] == data
    write_capture(tmp_path / "b", *conversations, without_secrets=True)
    assert read_capture(tmp_path / "b").key_log == ""


@pytest.mark.parametrize("row", REFERENCE[::5], ids=lambda row: row.name)
def test_what_is_written_is_read_back(row, played, tmp_path):
    connections, log, _ = played(row)
    write_capture(file := tmp_path / "a.pcapng", *connections, key_log=log)
    capture = read_capture(file)
    assert not capture.notes
    assert capture.key_log == log
    assert os.stat(file).st_mode & 0o77 == 0
    for wrote, read in zip(connections, capture.connections, strict=True):
        assert (read.client.data, read.server.data) == (wrote.client.data, wrote.server.data)
        assert read.client.end == read.server.end == "fin"
        assert read.began == wrote.began
        assert {chunk.time for chunk in read.client.chunks} == {chunk.time for chunk in wrote.client.chunks}
        assert all(len(chunk.data) <= MSS for chunk in read.server.chunks)


def test_a_file_without_secrets_is_nobodys_secret_and_a_binary_file_will_do(tmp_path):
    up, down = play(REFERENCE[0])[0]
    connection = Recorded(Stream.of(up), Stream.of(down))
    write_capture(tmp_path / "a", connection)
    with (tmp_path / "b").open("wb") as file:
        write_capture(file, connection)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    os.umask(mask := os.umask(0))
    assert os.stat(tmp_path / "a").st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        (("192.0.2.7:4711", "198.51.100.1:8443"), ("192.0.2.7:4711", "198.51.100.1:8443")),
        (("[2001:db8::7]:4711", "[2001:db8::1]:443"), ("[2001:db8::7]:4711", "[2001:db8::1]:443")),
        (("client", "server"), ("10.0.0.1:49152", "10.0.0.2:443")),
        (("192.0.2.7:4711", "[2001:db8::1]:443"), ("10.0.0.1:49152", "10.0.0.2:443")),
        (("localhost:80", "192.0.2.7:443"), ("10.0.0.1:49152", "10.0.0.2:443")),
    ],
)
def test_addresses(given_, read, tmp_path):
    up, down = play(REFERENCE[0])[0]
    write_capture(tmp_path / "a", Recorded(Stream.of(up), Stream.of(down), given_))
    assert read_capture(tmp_path / "a").connections[0].addresses == read


def test_connections_without_addresses_get_different_ports(tmp_path):
    up, down = play(REFERENCE[0])[0]
    write_capture(tmp_path / "a", *[Recorded(Stream.of(up), Stream.of(down))] * 3)
    assert [found.client.data for found in read_capture(tmp_path / "a").connections] == [up] * 3


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(["fin", "reset", "open"]), st.sampled_from(["fin", "reset", "open"]), st.booleans())
def test_any_streams_are_read_back_with_their_gaps_and_ends(tmp_path_factory, seed, client_end, server_end, timed):
    rng = random.Random(seed)
    file = tmp_path_factory.mktemp("any") / "a"
    wrote = Recorded(stream(rng, 0, client_end, timed), stream(rng, 1, server_end, timed), began=BEGAN if timed else None)
    write_capture(file, wrote)
    (read,) = read_capture(file).connections
    for before, after in ((wrote.client, read.client), (wrote.server, read.server)):
        assert after.data == before.data
        assert after.end == before.end
        assert [(gap.offset, gap.length) for gap in after.gaps] == [(gap.offset, gap.length) for gap in before.gaps]


def stream(rng, which, end, timed):
    """One side of a conversation in chunks, of which some are missing but for the first."""
    data = play(REFERENCE[4])[0][which]
    chunks, gaps, position = [], [], 0
    while position < len(data):
        size = min(rng.choice([1, 50, 300, 3000]) if chunks else 900, len(data) - position)
        if chunks and not (gaps and gaps[-1].offset + gaps[-1].length == position) and rng.random() < 0.2:
            gaps.append(Gap(position, size, "not captured"))
        else:
            order = 2 * len(chunks) + which
            chunks.append(Chunk(position, data[position : position + size], BEGAN + order if timed else None, order))
        position += size
    return Stream(tuple(chunks), tuple(gaps), end)


def test_what_was_said_before_tls_is_written_too(tmp_path):
    up, down = play(REFERENCE[0])[0]
    turns = [("server", b"220 hi\r\n"), ("client", b"STARTTLS\r\n"), ("server", b"220 go\r\n"), ("client", up), ("server", down)]
    (tmp_path / "a").write_bytes(made.captured(made.Talk(turns).sent))
    (read,) = read_capture(tmp_path / "a").connections
    write_capture(tmp_path / "b", read)
    (again,) = read_capture(tmp_path / "b").connections
    assert (again.prefix.client, again.prefix.server) == (read.prefix.client, read.prefix.server)
    assert (again.client.data, again.server.data) == (up, down)


@pytest.mark.interop
@needs_tshark
def test_tshark_sees_a_gap_as_a_gap(tmp_path):
    up, down = play(REFERENCE[0])[0]
    gapped = Stream((Chunk(0, down[:100], None, 1), Chunk(200, down[200:], None, 2)), (Gap(100, 100, "not captured"),))
    write_capture(tmp_path / "a", Recorded(Stream((Chunk(0, up, None, 0),)), gapped))
    shown = subprocess.run(["tshark", "-r", tmp_path / "a"], capture_output=True, text=True, check=True).stdout
    assert "Previous segment not captured" in shown
    fields = subprocess.run(
        ["tshark", "-r", tmp_path / "a", "-T", "json", "-e", "tcp.len"], capture_output=True, check=True
    ).stdout
    lengths = [int(packet["_source"]["layers"]["tcp.len"][0]) for packet in json.loads(fields)]
    assert sum(lengths) == len(up) + len(down) - 100
    assert max(lengths) <= MSS


def test_a_shuffled_copy_is_the_same_connection(played, tmp_path):
    """Frames of a file that was written, in another order."""
    from puretls.inspect.captures.files import CaptureFile

    (connection,), _, _ = played(REFERENCE[6])
    write_capture(tmp_path / "a", connection)
    with (tmp_path / "a").open("rb") as file:
        frames = [(packet.time, packet.data) for packet in CaptureFile(file, "a")]
    random.Random(3).shuffle(frames)
    (read,) = read_capture(made.pcap(frames)).connections
    assert (read.client.data, read.server.data) == (connection.client.data, connection.server.data)


def test_the_programs_of_the_manual_run(root, played, tmp_path, monkeypatch, capsys):
    (connection,), log, _ = played(REFERENCE[4])
    monkeypatch.chdir(tmp_path)
    write_capture("handshake.pcapng", connection, key_log=log)
    page = (root / "puretls" / "manual" / "inspect-captures.md").read_text()
    exec(compile("\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), "inspect-captures.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "1 10.0.0.1:49152 10.0.0.2:443 server.test TLS 1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in printed
    assert "server.Finished" in printed
    assert "from the server" in printed
    assert read_capture("opened.pcapng").key_log == log
    assert read_capture("closed.pcapng").key_log == ""
