"""The small HTTP answers of `puretls serve`."""

import pytest

from puretls.cli import http


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
    (tmp_path / "secret").write_text("secret")
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
