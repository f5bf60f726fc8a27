"""The small HTTP answers of `puretls serve`."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.cli import http
from puretls.cli.serve import Line, serve_http
from tests.support.pair import Pair


class Wire:
    """A request cut into pieces, and what was answered."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.answer = b""
        self.sent = 0

    def recv(self, size):
        return self.pieces.pop(0) if self.pieces else b""

    def sendall(self, data):
        self.answer += data
        self.sent += 1


@pytest.mark.parametrize(
    "pieces",
    [[b"GET /a%20b?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"], [b"GET /a%20b HT", b"TP/1.0\r\n\r", b"\n"], [b"GET /a%20b HTTP/1.1\n\n"]],
)
def test_request_line_is_read_however_it_arrives(pieces):
    assert http.read_request(Wire(*pieces)) == http.Request("GET", "/a b")


def test_no_request_is_none():
    assert http.read_request(Wire()) is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /\r\n\r\n", "400"),
        (b"GET / SPDY/3\r\n\r\n", "400"),
        (b"half a reque", "400"),
        (b"\x16\x03\x01\x00\xff\n\n", "400"),
        (b"POST / HTTP/1.1\r\n\r\n", "405"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 20000, "431"),
    ],
)
def test_bad_requests_get_their_status(data, status):
    with pytest.raises(http.BadRequest, match=status):
        http.read_request(Wire(data))


def test_file_is_sent_with_its_type_and_length(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 300_000)
    wire = Wire()
    assert http.send_file(wire, tmp_path / "a.txt") == 300_000
    head, _, body = wire.answer.partition(b"\r\n\r\n")
    assert b"HTTP/1.1 200 OK" in head
    assert b"Content-Type: text/plain" in head
    assert b"Content-Length: 300000" in head
    assert body == b"x" * 300_000


def test_head_sends_no_body(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 10)
    wire = Wire()
    http.send_file(wire, tmp_path / "a.txt", body=False)
    assert wire.answer.endswith(b"\r\n\r\n")


def test_page_escapes_what_it_shows():
    wire = Wire()
    http.send_page(wire, "200 OK", ["<script>"])
    assert b"&lt;script&gt;" in wire.answer


def test_only_files_below_the_root_are_found(tmp_path):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "index.html").write_text("index")
    (tmp_path / "secret").write_text("hush!")
    (root / "link").symlink_to(tmp_path / "secret")
    assert http.find_file(root, "/sub/index.html") == root / "sub" / "index.html"
    assert http.find_file(root, "/sub") == root / "sub" / "index.html"
    for path in ("/", "/../secret", "/sub/../../secret", "//etc/passwd", "/link", "/no", "/\0", "../secret"):
        assert http.find_file(root, path) is None


def test_small_answer_leaves_in_one_piece(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 1000)
    wire = Wire()
    http.send_file(wire, tmp_path / "a.txt")
    assert wire.sent == 1


def test_pages_have_one_length_whatever_they_say():
    lengths = set()
    for lines in ([], ["short"], ["long" * 50, "longer" * 40]):
        wire = Wire()
        http.send_page(wire, "200 OK", lines)
        lengths.add(len(wire.answer))
    assert len(lengths) == 1


# Whatever is asked, there is an answer


class Client(Wire):
    """As a connection: pieces of a request, then silence or the end."""

    def __init__(self, pieces, ends, connection):
        super().__init__(*pieces)
        self.ends = ends
        self.connection = connection

    def recv(self, size):
        if not self.pieces and not self.ends:
            raise TimeoutError("timed out")
        return super().recv(size)


class Unhurried:
    """In place of the line: allows any time."""

    def allow(self, seconds):
        assert seconds > 0


@pytest.fixture(scope="module")
def connection():
    made = Pair().handshake()
    made.check_secrets()
    return made.server.connection


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("www")
    (root / "loop").symlink_to("loop")
    (root / "round").symlink_to("about")
    (root / "about").symlink_to("round")
    (root / "gone").symlink_to("nowhere")
    (root / "sub").mkdir()
    (root / "sub" / "index.html").write_text("index")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("hush!")
    (root / ".htpasswd").write_text("hush!")
    (root / "alias").symlink_to(".htpasswd")
    (root / "sub" / ".env").write_text("hush!")
    (root / "a.txt").write_text("text")
    os.mkfifo(root / "pipe")
    return root


def answer(pieces, ends, connection, root):
    client = Client(pieces, ends, connection)
    told = serve_http(client, Unhurried(), root=root, seconds=1.0)
    return told, client.answer


TARGETS = [
    "/", "//[", "http://[::1/", "http://[", "//", "http://x/a.txt", "/loop", "/round/x", "/gone", "/pipe", "/sub", "/sub/", "/a.txt/x", "*", "",
    "/" + "a" * 300, "/" + "a/" * 3000, "/%00", "/%", "/%zz", "/%ff%fe", "/\xff\xfe", "/a\x85b", "/%ed%b2%80", "/..%2f..%2fetc/passwd", "/~",
    "/" + "../" * 50, "/" + "%2e%2e/" * 50, "\\\\x\\y", "http://[::1]:99999999/", "http://a:b:c@:/", "/a%1b%5b31mred%0a127.0.0.1:1%20forged",
]  # fmt: skip
requests = st.builds(
    lambda target, method, rest: f"{method} {target}{rest}".encode("latin-1"),
    st.sampled_from(TARGETS) | st.text(st.characters(max_codepoint=255)),
    st.sampled_from(["GET", "HEAD", "POST", "", "GET\t", "\x1b"]),
    st.sampled_from([" HTTP/1.1\r\n\r\n", " HTTP/1.0\n\n", "\r\n\r\n", " HTTP/1.1", " HTTP/1.1\n\r\n\n"]),
)
ANSWER = re.compile(rb"HTTP/1\.1 (200 OK|[45]\d\d [A-Z][A-Za-z -]+)\r\n(?:[A-Za-z-]+: [^\r\n]+\r\n){3}\r\n")


@given(requests | st.binary(max_size=400), st.integers(1, 100), st.booleans(), st.booleans())
def test_every_request_is_answered_or_abandoned(connection, root, data, size, ends, files):
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    told, answered = answer(pieces, ends, connection, root if files else None)
    if told in {"no request", "the client closed before its request was whole"}:
        assert ends
        assert answered == b""
    else:
        assert ANSWER.match(answered), answered
    assert b"hush!" not in answered


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/a.txt", "200 "),
        ("/sub", "200 "),
        ("http://x/a.txt", "200 "),
        ("//[", "404 "),
        ("http://[::1/", "400 "),
        ("http://[", "400 "),
        ("/loop", "404 "),
        ("/round", "404 "),
        ("/gone", "404 "),
        ("/pipe", "404 "),
        ("/" + "a" * 300, "414 "),
        ("/" + "a" * 20_000, "414 "),
        ("/%00", "404 "),
        ("/.htpasswd", "404 "),
        ("/.git/config", "404 "),
        ("/sub/.env", "404 "),
        ("/%2egit/config", "404 "),
        ("/sub/../.htpasswd", "404 "),
        ("/alias", "404 "),
        ("/./a.txt", "404 "),
    ],
)
def test_status_says_what_was_wrong_with_a_path(connection, root, target, status):
    """RFC 9110 15.5."""
    told, answered = answer([f"GET {target} HTTP/1.1\r\n\r\n".encode()], False, connection, root)
    assert answered.startswith(b"HTTP/1.1 " + status.encode())
    assert status in told


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_unreadable_file_is_forbidden(connection, tmp_path):
    (tmp_path / "a").write_text("hush!")
    (tmp_path / "a").chmod(0)
    assert answer([b"GET /a HTTP/1.1\r\n\r\n"], False, connection, tmp_path)[1].startswith(b"HTTP/1.1 403 Forbidden")


def test_silence_in_a_request_is_a_timeout(connection):
    assert answer([b"GET /"], False, connection, None)[1].startswith(b"HTTP/1.1 408 Request Timeout")


class FakeSocket:
    """A socket on which every wait takes as long as it may, or `step` seconds of the clock in `monkeypatch`."""

    def __init__(self, clock, step):
        self.clock, self.step, self.timeout = clock, step, None

    def settimeout(self, seconds):
        self.timeout = seconds

    def gettimeout(self):
        return self.timeout

    def recv(self, size):
        if self.timeout < self.step:
            self.clock[0] += self.timeout
            raise TimeoutError
        self.clock[0] += self.step
        return b"x"


def test_time_of_a_request_is_for_all_of_it(monkeypatch):
    """However a client trickles: the idle time-out alone would let it go on for ever."""
    clock = [1000.0]
    monkeypatch.setattr("puretls.cli.serve.time.monotonic", lambda: clock[0])
    line = Line(FakeSocket(clock, 50.0), 60.0)
    for _ in range(20):  # no limit yet: that of the handshake is not the line's
        line.recv(1)
    line.allow(120.0)
    assert [line.recv(1), line.recv(1)] == [b"x", b"x"]
    started = clock[0]
    with pytest.raises(TimeoutError):
        line.recv(1)
    assert clock[0] - started == 20.0
    with pytest.raises(TimeoutError, match="too long"):
        line.recv(1)
    assert line.gettimeout() == 60.0
