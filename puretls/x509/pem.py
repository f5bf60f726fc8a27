"""PEM: textual encoding of DER (RFC 7468), with the headers of RFC 1421 that encrypted traditional keys carry.

Text around the blocks is ignored, as certificate bundles have comments, and so are byte order marks of UTF-8. Inside a block the reading
is strict: matching labels, the base64 alphabet, right padding. No block vanishes: an END line without its BEGIN is an error, too.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

from puretls.errors import DecodeError
from puretls.values import frozen

BEGIN, END, DASHES = "-----BEGIN ", "-----END ", "-----"
CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE")  # RFC 7468 5.1 names the old ones too
TRUSTED_LABEL = "TRUSTED CERTIFICATE"  # OpenSSL's own: a certificate, and what it is trusted for
BYTE_ORDER_MARKS = ("\ufeff", "\xef\xbb\xbf")  # in text, and in the bytes of UTF-8 as Latin-1 shows them
MAX_HEADER_LINES = 64
LINE_LENGTH = 64  # RFC 7468 2: generators wrap at 64 characters


@frozen
class PemBlock:
    """One block: `label` as in "CERTIFICATE", RFC 1421 `headers` in order, `data` decoded; `offset` of its BEGIN line; `number` from 1."""

    label: str
    data: bytes
    headers: tuple[tuple[str, str], ...] = ()
    offset: int = 0
    number: int = 0

    def __repr__(self) -> str:
        return f"PemBlock({self.label!r}, {len(self.data)} bytes)"  # the data may be a private key

    def header(self, name: str) -> str | None:
        """The value of the header `name`, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def looks_like_der(data: str | bytes) -> bool:
    """Whether `data` starts as a DER SEQUENCE does, which no PEM text can: its second byte is a length of some size."""
    return isinstance(data, bytes) and len(data) > 2 and data[0] == 0x30 and (data[1] >= 0x80 or len(data) == data[1] + 2)


def read_pem(text: str | bytes) -> tuple[PemBlock, ...]:
    """Every block of `text` in order; none gives an empty tuple.

    Raises `DecodeError` for a block without its end, another end label, characters outside base64, or wrong padding (RFC 7468 3).
    """
    found = []
    for block in scan_pem(text):
        if isinstance(block, DecodeError):
            raise block
        found.append(block)
    return tuple(found)


def scan_pem(text: str | bytes) -> Iterator[PemBlock | DecodeError]:
    """Every block of `text` in order, and an error, which names the number of the block, in place of each that cannot be read.

    Raises `DecodeError` for text in UTF-16 or UTF-32.
    """
    return _blocks(_as_text(text))


def write_pem(label: str, data: bytes, headers: Sequence[tuple[str, str]] = ()) -> str:
    """`data` as one block, wrapped at 64 characters, with a final newline."""
    body = base64.b64encode(data).decode("ascii")
    lines = [f"{BEGIN}{label}{DASHES}", *(f"{name}: {value}" for name, value in headers), *([""] if headers else [])]
    lines += [body[at : at + LINE_LENGTH] for at in range(0, len(body), LINE_LENGTH)]
    return "\n".join([*lines, f"{END}{label}{DASHES}", ""])


def load_certificates(data: str | bytes) -> tuple[bytes, ...]:
    """The DER of every certificate in PEM text, in order; `data` that is itself the DER of a certificate is taken as one.

    Raises `DecodeError` where there is none, or for a block of OpenSSL's own "TRUSTED CERTIFICATE" form, whose trust settings
    would be lost silently.
    """
    if looks_like_der(data):
        assert isinstance(data, bytes)
        return (data,)
    found = []
    for block in read_pem(data):
        if block.label == TRUSTED_LABEL:
            raise DecodeError("OpenSSL's TRUSTED CERTIFICATE form is not read; convert it with `openssl x509 -in F -out G`",
                              path="PEM", offset=block.offset)  # fmt: skip
        if block.label in CERTIFICATE_LABELS:
            found.append(block.data)
    if not found:
        raise DecodeError("no certificate in the PEM text", path="PEM", rfc="RFC 7468 5")
    return tuple(found)


def load_blocks(data: str | bytes, label: str) -> tuple[bytes, ...]:
    """The DER of every block labelled `label` ("X509 CRL"), or `data` itself where it is DER. Raises `DecodeError` for none."""
    if looks_like_der(data):
        assert isinstance(data, bytes)
        return (data,)
    found = tuple(block.data for block in read_pem(data) if block.label == label)
    if not found:
        raise DecodeError(f"no {label} in the PEM text", path="PEM", rfc="RFC 7468 2")
    return found


def _as_text(text: str | bytes) -> str:
    if isinstance(text, bytes | bytearray) and (text[:2] in _UTF16_MARKS or b"-\0-\0" in text[:MAX_WIDE] or b"-\0\0\0-" in text[:MAX_WIDE]):
        raise DecodeError("the text is UTF-16 or UTF-32: save it as UTF-8 or ASCII", path="PEM", rfc="RFC 7468 2")
    # Latin-1 keeps one character a byte, so offsets count bytes and comments in any encoding pass; base64 is checked on its own.
    return text if isinstance(text, str) else bytes(text).decode("latin-1")


_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
MAX_WIDE = 4096
"""Bytes in which the first BEGIN line of a file without a mark is looked for."""


def _blocks(text: str) -> Iterator[PemBlock | DecodeError]:
    """Goes on behind a block that cannot be read; at the next BEGIN line where one has no end."""
    lines = _Lines(text)
    number = 0
    for offset, line in lines:
        if is_begin(line):
            number += 1
            label = line[len(BEGIN) : -len(DASHES)]
            try:
                yield _block(label, number, offset, lines)
            except DecodeError as bad:
                yield DecodeError(f"block {number} ({label:.60}): {bad.message}", path="PEM", offset=bad.offset, rfc=bad.rfc)
        elif line.startswith(END):
            number += 1
            yield DecodeError(f"block {number} ends ({line:.60}) and has no BEGIN line", path="PEM", offset=offset, rfc="RFC 7468 2")


def is_begin(line: str) -> bool:
    """Whether a line opens a block."""
    return line.startswith(BEGIN) and line.endswith(DASHES) and len(line) > len(BEGIN) + len(DASHES)


class _Lines:
    """The lines of a text with their offsets, of which the last can be given back."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._at = self._offset = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> tuple[int, str]:
        if self._at == len(self._lines):
            raise StopIteration
        line, offset = self._lines[self._at], self._offset
        self._at += 1
        self._offset += len(line)
        for mark in BYTE_ORDER_MARKS:
            line = line.removeprefix(mark)
        return offset, line.strip()

    def back(self) -> None:
        self._at -= 1
        self._offset -= len(self._lines[self._at])


def _block(label: str, number: int, offset: int, lines: _Lines) -> PemBlock:
    content: list[str] = []
    for at, line in lines:
        if line.startswith(END):
            if line != f"{END}{label}{DASHES}":
                raise DecodeError(f"ends as {line[len(END) : -len(DASHES)]!r:.60}", offset=at, rfc="RFC 7468 2")
            headers, body = _split_headers(content)
            return PemBlock(label, _decode(body, offset), headers, offset, number)
        if line.startswith(BEGIN):
            lines.back()
            break
        content.append(line)
    raise DecodeError("has no END line", offset=offset, rfc="RFC 7468 2")


def _split_headers(content: list[str]) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """RFC 1421 4.4: headers up to an empty line, and a line that starts with a space goes on (here: one without a colon)."""
    if not content or ":" not in content[0]:
        return (), content
    end = content.index("") if "" in content else len(content)
    if end > MAX_HEADER_LINES:
        raise DecodeError(f"a block with more than {MAX_HEADER_LINES} lines of headers", path="PEM", rfc="RFC 1421 4.4")
    headers: list[tuple[str, str]] = []
    for line in content[:end]:
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.strip(), value.strip()))
        else:
            headers[-1] = (headers[-1][0], headers[-1][1] + line)
    return tuple(headers), content[end:]


def _decode(lines: list[str], offset: int) -> bytes:
    body = "".join(lines)
    try:
        data = base64.b64decode(body.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise DecodeError("is not base64", offset=offset, rfc="RFC 7468 3") from None
    if base64.b64encode(data).decode("ascii") != body:
        raise DecodeError("has stray bits in its base64", offset=offset, rfc="RFC 4648 3.5")
    return data
