"""Captures are read: every file format and link layer, fragments, and one clear line for what is none."""

import gzip
import io
import json
import random
import shutil
import struct
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.errors import UsageError
from puretls.inspect.captures import CaptureError, packets, read_capture
from tests.support import packets as made
from tests.support.packets import LINKS, Talk, captured, pcap, pcapng
from tests.support.reference import REFERENCE, play

UP, DOWN = play(REFERENCE[0])[0]
TURNS = [("client", UP[:300]), ("server", DOWN), ("client", UP[300:])]
SENT = Talk(TURNS).sent
PEERS6 = {"client": made.CLIENT6, "server": made.SERVER6}
WHOLE = captured(SENT)


def only(file):
    capture = read_capture(file)
    assert not capture.notes
    (connection,) = capture.connections
    assert (connection.client.data, connection.server.data) == (UP, DOWN)
    assert connection.complete
    assert connection.client.end == connection.server.end == "fin"
    return connection


@pytest.mark.parametrize("write", [pcap, pcapng])
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("peers", [{}, PEERS6], ids=["IPv4", "IPv6"])
def test_every_link_layer(link, write, peers):
    connection = only(captured(Talk(TURNS, **peers).sent, link, write))
    assert connection.addresses == (("[2001:db8::1]:49152", "[2001:db8::2]:443") if peers else ("10.0.0.1:49152", "10.0.0.2:443"))
    assert (connection.server_name, connection.suite, connection.version) == (
        "server.test",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS 1.2",
    )
    assert connection.size == len(UP) + len(DOWN)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True], ids=["microseconds", "nanoseconds"])
@pytest.mark.parametrize("write", [pcap, pcapng])
def test_times_are_those_of_the_file_in_either_byte_order(write, nanoseconds, order):
    connection = only(captured(SENT, write=write, order=order, nanoseconds=nanoseconds))
    assert connection.began == made.BEGAN
    assert connection.client.chunks[0].time == made.BEGAN + 3_000_000


def test_nanoseconds_are_not_rounded():
    frames = [(made.BEGAN + 7 * number + 1, made.ethernet(made.ip(sent))) for number, sent in enumerate(SENT)]
    for file in (pcap(frames, nanoseconds=True), pcapng(frames, nanoseconds=True)):
        assert only(file).client.chunks[0].time == made.BEGAN + 22


def test_chunks_are_what_came_together_in_the_order_in_which_it_came():
    connection = only(WHOLE)
    both = sorted([*connection.client.chunks, *connection.server.chunks], key=lambda chunk: chunk.order)
    assert [chunk.data for chunk in both] == [sent.data for sent in SENT if sent.data]
    assert [chunk.order for chunk in both] == list(range(len(both)))


@pytest.mark.parametrize("resolution", [0, 3, 6, 9, 12, 0x80 | 20, None])
def test_a_pcapng_interface_tells_the_unit_of_its_times(resolution):
    divisor = 2**20 if resolution == 0x80 | 20 else 10 ** (6 if resolution is None else resolution)
    blocks = [made.section(), made.interface(resolution=resolution, offset=100)]
    for number, sent in enumerate(SENT):
        blocks.append(made.enhanced("<", 0, (5 + number) * divisor, made.ethernet(made.ip(sent))))
    assert only(b"".join(blocks)).began == 105 * 10**9


def test_a_pcapng_file_may_have_several_sections_and_interfaces():
    """Numbers of interfaces count within their section, whose byte order may be another."""
    frames = [(made.ethernet(made.ip(sent)), made.null("<", 30)(made.ip(sent))) for sent in SENT]
    half = len(frames) // 2
    blocks = [made.section("<"), made.interface("<"), made.interface("<", link=0)]
    blocks += [made.enhanced("<", number % 2, 1, both[number % 2]) for number, both in enumerate(frames[:half])]
    blocks += [made.section(">"), made.interface(">", link=0), made.interface(">")]
    blocks += [made.enhanced(">", number % 2, 1, both[1 - number % 2]) for number, both in enumerate(frames[half:])]
    only(b"".join(blocks))


def test_simple_and_obsolete_packet_blocks():
    frames = [made.ethernet(made.ip(sent)) for sent in SENT]
    simple = [made.block("<", 3, struct.pack("<I", len(frame)) + frame) for frame in frames]
    connection = only(b"".join([made.section(), made.interface(), *simple]))
    assert connection.began is connection.client.chunks[0].time is None
    old = [made.block("<", 2, struct.pack("<HHIIII", 0, 7, 0, 9, len(frame), len(frame)) + frame) for frame in frames]
    assert only(b"".join([made.section(), made.interface(), *old])).began == 9000


def test_packed_files_and_those_of_several_members():
    only(gzip.compress(WHOLE))
    only(gzip.compress(WHOLE[:5000]) + gzip.compress(WHOLE[5000:]))


def test_sources(tmp_path):
    """A path, bytes, a binary file, and one that cannot go back."""
    (tmp_path / "a.pcap").write_bytes(WHOLE)
    only(tmp_path / "a.pcap")
    only(str(tmp_path / "a.pcap"))
    only(io.BytesIO(WHOLE))

    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self._file = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self._file.readinto(memoryview(buffer)[:7])

    for data in (WHOLE, gzip.compress(WHOLE)):
        only(Pipe(data))
    with pytest.raises(OSError, match="nothing"):
        read_capture(tmp_path / "nothing.pcap")


def test_progress_counts_the_bytes_of_the_file():
    counts = []
    for data in (WHOLE, gzip.compress(WHOLE)):
        read_capture(data, counts.append)
        assert counts == sorted(counts)
        assert counts.pop() == len(data)
        counts.clear()


def test_a_repr_is_one_short_line_without_secrets():
    capture = read_capture(WHOLE)
    assert repr(capture) == "<Capture: TLS connections 1, lines of key log 0, notes 0>"
    connection = f"<TcpConnection 1: 10.0.0.1:49152 to 10.0.0.2:443, server.test, {len(UP) + len(DOWN)} bytes>"
    assert repr(capture.connections[0]) == connection


SECRET = "CLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48 + "\n"


@pytest.mark.parametrize("order", "<>")
def test_secrets_that_lie_in_the_file(order):
    frames = [made.enhanced(order, 0, 1, made.ethernet(made.ip(sent))) for sent in SENT]
    blocks = [
        made.section(order),
        made.secrets(order, SECRET.encode()),
        made.interface(order),
        *frames,
        made.secrets(order, b"# more"),
    ]
    capture = read_capture(b"".join(blocks))
    assert capture.key_log.splitlines() == [SECRET.strip(), "", "# more"]
    assert "cdcd" not in repr(capture)
    assert "cdcd" not in repr(capture.key_log)
    capture = read_capture(b"".join([*blocks, made.secrets(order, b"ssh", 0x5353484B)]))
    assert "not a TLS key log" in capture.notes[0]


# IP


@pytest.mark.rfc("791", "3.2")
@pytest.mark.parametrize("peers", [{}, PEERS6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("seed", range(4))
def test_fragments_in_any_order_and_twice(peers, seed):
    rng, frames = random.Random(seed), []
    for number, sent in enumerate(Talk(TURNS, **peers).sent):
        pieces = made.fragments(sent, 40, number)
        pieces += rng.sample(pieces, 1)
        rng.shuffle(pieces)
        frames += map(made.ethernet, pieces)
    only(pcap(made.timed(frames)))


def test_an_identification_that_comes_again_is_of_another_datagram():
    frames = [made.ethernet(piece) for sent in SENT for piece in made.fragments(sent, 64, 7)]
    only(pcap(made.timed(frames)))


def test_a_datagram_without_one_of_its_fragments_is_told():
    frames = [made.ethernet(piece) for number, sent in enumerate(SENT) for piece in made.fragments(sent, 64, number)]
    capture = read_capture(pcap(made.timed(frames[:8] + frames[9:])))
    assert capture.notes == ("IP datagrams that lack fragments, passed over: 1",)
    assert len(capture.connections[0].client.gaps) == 1


def test_options_of_ipv4_and_extension_headers_of_ipv6():
    options = b"\x94\4\0\0"
    frames = [made.ethernet(made.ipv4(sent.source[0], sent.target[0], made.tcp(sent), options=options)) for sent in SENT]
    only(pcap(made.timed(frames)))
    extensions = [(0, b"\0\1\4" + bytes(4)), (60, b"\1\1\x0c" + bytes(12)), (43, b"\0\4\0" + bytes(4))]
    frames = []
    for sent in Talk(TURNS, **PEERS6).sent:
        frames.append(made.ethernet(made.ipv6(sent.source[0], sent.target[0], made.tcp(sent), extensions=extensions)))
    only(pcap(made.timed(frames)))


def test_a_tunnel():
    frames = [made.ethernet(made.ipv4("192.0.2.1", "192.0.2.2", made.ip(sent), protocol=4)) for sent in SENT]
    only(pcap(made.timed(frames)))


def test_what_is_not_tcp_is_passed_over():
    arp = bytes.fromhex("ffffffffffff 020000000001 0806") + bytes(28)
    udp = made.ethernet(made.ipv4("10.0.0.1", "10.0.0.2", struct.pack(">HHHH", 53, 53, 8, 0), protocol=17))
    frames = [made.ethernet(made.ip(sent)) for sent in SENT]
    only(pcap(made.timed([arp, udp, *frames, udp])))


# What is cut or damaged


@pytest.mark.parametrize("write", [pcap, pcapng])
def test_a_file_that_is_cut_off_is_read_up_to_there_and_says_so(write):
    """At every byte: what is whole is there, and only a cut between two packets cannot be seen."""
    frames = [(made.BEGAN, made.ethernet(made.ip(sent))) for sent in SENT[:6]]
    parts = [len(write(frames[:count])) for count in range(len(frames) + 1)]
    whole = write(frames)
    for size in range(parts[4], len(whole) + 1):
        capture = read_capture(whole[:size])
        count = sum(size >= part for part in parts) - 1
        data = b"".join(sent.data for sent in SENT[:count])
        assert sum(len(c.data) for c in capture.connections[0].client.chunks) == len(data)
        assert bool(capture.notes) == (size not in parts)
        assert all("cut off" in note and f"after packet {count}" in note for note in capture.notes)


def test_a_packed_file_that_is_cut_off_or_damaged():
    packed = gzip.compress(WHOLE, 0)
    assert any("gzip file is cut off" in note for note in read_capture(packed[:-2000]).notes)
    damaged = packed[:-8] + bytes(8)
    assert any("gzip file is damaged" in note for note in read_capture(damaged).notes)
    with pytest.raises(CaptureError, match="holds nothing: the gzip file is damaged"):
        read_capture(packed[:3] + b"\xff" * 20)


def test_damage_ends_the_reading_and_is_told():
    start = len(captured(SENT[:6]))
    damaged = WHOLE[:start] + b"\xff" * 16 + WHOLE[start + 16 :]
    capture = read_capture(damaged)
    assert capture.notes == (
        f"the file is damaged at byte {start + 16}: a packet of 4294967295 bytes; what stands before it is used (after packet 6)",
    )
    for broken in (
        made.enhanced("<", 9, 1, b""),
        made.block("<", 6, b"1234"),
        struct.pack("<III", 6, 13, 0),
        b"\x0a\x0d\x0d\x0a" + bytes(20),
    ):
        frames = [made.enhanced("<", 0, 1, made.ethernet(made.ip(sent))) for sent in SENT]
        (note,) = read_capture(b"".join([made.section(), made.interface(), *frames, broken])).notes
        assert "damaged" in note


@pytest.mark.parametrize("snap", [80, 100, 150])
def test_packets_that_were_captured_in_part(snap):
    """What was cut is a gap, and the connection goes on behind it."""
    capture = read_capture(captured(SENT, snap=snap))
    assert capture.notes[0].startswith("packets captured in part only (tcpdump -s 0 captures them whole): ")
    (connection,) = capture.connections
    assert connection.client.length == len(UP)
    assert connection.server.length == len(DOWN)
    for stream, whole in ((connection.client, UP), (connection.server, DOWN)):
        assert stream.gaps
        for chunk in stream.chunks:
            assert chunk.data == whole[chunk.offset : chunk.offset + len(chunk.data)]
        covered = sum(len(chunk.data) for chunk in stream.chunks) + sum(gap.length for gap in stream.gaps)
        assert covered == len(whole)


NOTHING = [
    (b"", "the capture is empty"),
    (b"\x00\x01\x02\x03more", "is not a capture in pcap or pcapng format: its first bytes are 00 01 02 03"),
    (b"ab", "its first bytes are 61 62"),
    (b"snoop\0\0\0", "it is a snoop file, which editcap -F pcapng turns into one"),
    (b"-----BEGIN CERTIFICATE-----", "it looks like PEM"),
    (SECRET.encode(), "it looks like a key log"),
    (b"# SSL/TLS secrets log file, generated by OpenSSL\n", "it looks like a key log"),
    (gzip.compress(b""), "the capture is empty"),
    (pcap([]), "holds no TLS: there is no packet in it"),
    (pcap([])[:10], "holds no TLS: there is no packet in it; the file is cut off at byte 10"),
    (pcapng([]), "holds no TLS: there is no packet in it"),
    (
        pcap(made.timed([made.ethernet(made.ipv4("1.2.3.4", "1.2.3.4", b"", protocol=1))])),
        "holds no TLS: there is no TCP in its packets (1)",
    ),
    (
        captured(Talk([("client", b"GET / HTTP/1.1\r\n\r\n"), ("server", b"HTTP/1.1 200 OK\r\n")]).sent),
        "there is none in its TCP connections (1)",
    ),
    (pcap(made.timed([b"xx"]), link=105), "of a link type that is not known here: 802.11 105; known are Ethernet"),
    (pcap(made.timed([b"xx"]), link=147), "not known here: number 147"),
]


@pytest.mark.parametrize(("file", "said"), NOTHING, ids=[said for _, said in NOTHING])
def test_what_holds_nothing_is_told_in_one_line(file, said):
    with pytest.raises(CaptureError) as raised:
        read_capture(file)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_library_is_told_with_the_command_that_installs_it(monkeypatch):
    packets.dpkt.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "dpkt", None)
    with pytest.raises(UsageError, match=r"pip install 'puretls\[capture\]'"):
        read_capture(WHOLE)
    packets.dpkt.cache_clear()


def refused(file):
    """Either it is read, or the error is one line."""
    try:
        read_capture(file)
    except CaptureError as error:
        return "\n" not in str(error)
    return True


@given(st.binary(max_size=200), st.sampled_from([b"", pcap([]), pcapng([]), b"\x1f\x8b\x08"]))
def test_any_bytes_are_refused_in_one_line_or_read(data, head):
    assert refused(head + data)


@given(st.randoms(use_true_random=False), st.sampled_from(list(LINKS)), st.sampled_from([pcap, pcapng]), st.booleans())
@settings(deadline=None)
def test_a_capture_with_any_changed_bytes_raises_nothing_else(rng, link, write, six):
    file = bytearray(captured(Talk(TURNS[:1], **(PEERS6 if six else {})).sent, link, write))
    for _ in range(rng.randint(1, 30)):
        file[rng.randrange(len(file))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    assert refused(bytes(file))


# Written by others


@pytest.mark.interop
@pytest.mark.skipif(not shutil.which("editcap"), reason="editcap is not installed")
@pytest.mark.parametrize("kind", ["pcap", "nsecpcap", "pcapng", "modpcap", "nokiapcap"])
def test_files_that_editcap_writes(kind, tmp_path):
    (tmp_path / "in").write_bytes(captured(SENT, write=pcapng, nanoseconds=True))
    done = subprocess.run(["editcap", "-F", kind, tmp_path / "in", tmp_path / "out"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this editcap does not write {kind}")
    if kind == "nokiapcap":
        with pytest.raises(CaptureError):
            read_capture(tmp_path / "out")
        return
    assert only(tmp_path / "out").began == made.BEGAN


@pytest.mark.interop
@pytest.mark.skipif(not shutil.which("editcap"), reason="editcap is not installed")
def test_secrets_that_editcap_puts_in(tmp_path):
    (tmp_path / "in").write_bytes(WHOLE)
    (tmp_path / "log").write_text(SECRET)
    subprocess.run(["editcap", "--inject-secrets", f"tls,{tmp_path}/log", tmp_path / "in", tmp_path / "out"], check=True)
    assert read_capture(tmp_path / "out").key_log == SECRET


@pytest.mark.interop
@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize("link", LINKS)
def test_tshark_takes_the_frames_of_these_tests_for_the_same_segments(link, tmp_path):
    """What is made by hand here is what Wireshark knows by these names: else the tests above would prove nothing."""
    (tmp_path / "a.pcap").write_bytes(captured(SENT, link))
    fields = ["-T", "json", "-e", "tcp.payload", "-e", "tcp.seq_raw"]
    told = json.loads(subprocess.run(["tshark", "-r", tmp_path / "a.pcap", *fields], capture_output=True, check=True).stdout)
    layers = [packet["_source"]["layers"] for packet in told]
    assert [layer["tcp.seq_raw"] for layer in layers] == [[str(sent.seq)] for sent in SENT]
    assert [bytes.fromhex(layer.get("tcp.payload", [""])[0]) for layer in layers] == [sent.data for sent in SENT]
