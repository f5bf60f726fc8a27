"""Enough HTTP/1.1 to answer a browser or curl: one request a connection, GET and HEAD."""

from __future__ import annotations

import mimetypes
from html import escape
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from puretls.values import frozen

MAX_HEAD = 16384
"""Bytes of request line and headers read at most."""

CHUNK = 2**20
"""Bytes of a file read at a time."""

PAGE = 1024
"""Pages are filled up to a multiple of so many bytes: their length tells nothing of what they say."""


class Stream(Protocol):
    """What a request is read from and answered on."""

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...


class BadRequest(Exception):
    """Not an HTTP request; `str()` is the status line's text."""


@frozen
class Request:
    """The request line; headers mean nothing here."""

    method: str
    path: str


def read_request(stream: Stream) -> Request | None:
    """The next request; None when the stream ends before one. Raises `BadRequest`."""
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        data = stream.recv(4096)
        if not data:
            if head:
                raise BadRequest("400 Bad Request")
            return None
        head += data
        if len(head) > MAX_HEAD:
            raise BadRequest("431 Request Header Fields Too Large")
    words = head.split(b"\n", 1)[0].decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("400 Bad Request")
    if words[0] not in {"GET", "HEAD"}:
        raise BadRequest("405 Method Not Allowed")
    return Request(words[0], unquote(urlsplit(words[1]).path))


def head(status: str, content_type: str, length: int) -> bytes:
    """Status line and headers."""
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {length}", "Connection: close", "", "")
    return "\r\n".join(lines).encode("latin-1")


def send_page(stream: Stream, status: str, lines: list[str], body: bool = True) -> int:
    """A small page; returns the length of its body."""
    text = "\n".join(escape(line) for line in lines)
    page = f"<!doctype html>\n<title>puretls</title>\n<pre>\n{text}\n</pre>\n".encode()
    page += b" " * (-len(page) % PAGE)
    stream.sendall(head(status, "text/html; charset=utf-8", len(page)) + (page if body else b""))
    return len(page)


def find_file(root: Path, path: str) -> Path | None:
    """The file that a path names below `root`; a directory means its index.html. Links that lead out are not followed."""
    found = (root / path.lstrip("/")).resolve() if "\0" not in path else None
    if found is not None and found.is_dir():
        found = (found / "index.html").resolve()
    return found if found is not None and found.is_relative_to(root.resolve()) and found.is_file() else None


def send_file(stream: Stream, file: Path, body: bool = True) -> int:
    """A file; returns its length. The head travels with the first bytes: records do not tell where it ends."""
    with file.open("rb") as source:
        length = file.stat().st_size
        data = head("200 OK", mimetypes.guess_type(file.name)[0] or "application/octet-stream", length)
        data += source.read(CHUNK) if body else b""
        while data:
            stream.sendall(data)
            data = source.read(CHUNK) if body else b""
    return length
