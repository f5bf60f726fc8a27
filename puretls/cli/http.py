"""Enough HTTP/1.1 to answer a browser or curl: one request a connection, GET and HEAD."""

from __future__ import annotations

import errno
import mimetypes
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from puretls.values import frozen

MAX_HEAD = 16384
"""Bytes of request line and headers read at most."""

MAX_LINE = 8192
"""Bytes of the request line (RFC 9112 3 wants 8000 at least)."""

CHUNK = 2**20
"""Bytes of a file read at a time."""

PAGE = 1024
"""Pages are filled up to a multiple of so many bytes: their length tells nothing of what they say."""


class Stream(Protocol):
    """What a request is read from and answered on."""

    def recv(self, size: int, /) -> bytes:
        """Raises `TimeoutError` when it took too long."""

    def sendall(self, data: bytes, /) -> None: ...


class BadRequest(Exception):
    """A request that is refused; `str()` is the text of the status line."""


class Abandoned(BadRequest):
    """The client closed in the middle of its request; TLS lets nobody answer it (RFC 5246 7.2.1)."""


@frozen
class Request:
    """The request line. Headers are read and ignored."""

    method: str
    path: str


def read_request(stream: Stream) -> Request | None:
    """The next request; None when the stream ends before one. Raises `BadRequest`."""
    head = bytearray()
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        try:
            data = stream.recv(4096)
        except TimeoutError:
            raise BadRequest("408 Request Timeout") from None
        if not data and head:
            raise Abandoned("400 Bad Request")
        if not data:
            return None
        head += data
        if len(head.partition(b"\n")[0]) > MAX_LINE:
            raise BadRequest("414 URI Too Long")
        if len(head) > MAX_HEAD:
            raise BadRequest("431 Request Header Fields Too Large")
    words = head.partition(b"\n")[0].decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("400 Bad Request")
    if words[0] not in {"GET", "HEAD"}:
        raise BadRequest("405 Method Not Allowed")
    return Request(words[0], _path(words[1]))


def _path(target: str) -> str:
    """The path of a request target, which is a path or a whole URL (RFC 9112 3.2)."""
    try:
        return unquote(target.partition("?")[0] if target.startswith("/") else urlsplit(target).path)
    except ValueError:  # "http://[::1/"
        raise BadRequest("400 Bad Request") from None


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
    """The file that a path names below `root`; a directory means its index.html. Raises `BadRequest` for a path that is too long.

    Links that lead out are not followed, and what begins with a dot is not there, by its own name or by a link's.
    """
    root = root.resolve()
    try:
        found = (root / path.lstrip("/")).resolve()
        if found.is_dir():
            found = (found / "index.html").resolve()
        served = found.is_relative_to(root) and found.is_file()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise BadRequest("414 URI Too Long") from None
        return None
    except (RuntimeError, ValueError):  # a link that leads to itself; a character that no file name has
        return None
    if not served or _hidden(path.split("/")) or _hidden(found.relative_to(root).parts):
        return None
    return found


def _hidden(parts: Iterable[str]) -> bool:
    return any(part.startswith(".") for part in parts)


def send_file(stream: Stream, file: Path, body: bool = True) -> int:
    """A file; returns its length. Raises `BadRequest` for one that cannot be opened.

    The head travels with the first bytes: records do not tell where it ends.
    """
    try:
        source = file.open("rb")
    except OSError as error:
        raise BadRequest("403 Forbidden" if isinstance(error, PermissionError) else "404 Not Found") from None
    with source:
        length = os.fstat(source.fileno()).st_size
        data = head("200 OK", mimetypes.guess_type(file.name)[0] or "application/octet-stream", length)
        data += source.read(CHUNK) if body else b""
        while data:
            stream.sendall(data)
            data = source.read(CHUNK) if body else b""
    return length
