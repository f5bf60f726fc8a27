"""PEM: textual encoding of DER (RFC 7468), with the headers of RFC 1421 that encrypted traditional keys carry.

Text around the blocks is ignored, as certificate bundles have comments. Inside a block the reading is strict: matching labels,
the base64 alphabet, right padding.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

from puretls.errors import DecodeError
from puretls.values import frozen

BEGIN, END, DASHES = "-----BEGIN ", "-----END ", "-----"
CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE")  # RFC 7468 5.1 names the old ones too
MAX_HEADER_LINES = 64
LINE_LENGTH = 64  # RFC 7468 2: generators wrap at 64 characters


@frozen
class PemBlock:
    """One block: `label` as in "CERTIFICATE", RFC 1421 `headers` in order, `data` decoded; `offset` of its BEGIN line."""

    label: str
    data: bytes
    headers: tuple[tuple[str, str], ...] = ()
    offset: int = 0

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
    return tuple(_blocks(_as_text(text)))


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
        if block.label == "TRUSTED CERTIFICATE":
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
    # Latin-1 keeps one character a byte, so offsets count bytes and comments in any encoding pass; base64 is checked on its own.
    return text if isinstance(text, str) else bytes(text).decode("latin-1")


def _blocks(text: str) -> Iterator[PemBlock]:
    lines = iter(_lines(text))
    for offset, line in lines:
        if line.startswith(BEGIN) and line.endswith(DASHES) and len(line) > len(BEGIN) + len(DASHES):
            yield _block(line[len(BEGIN) : -len(DASHES)], offset, lines)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    offset = 0
    for line in text.splitlines(keepends=True):
        yield offset, line.strip()
        offset += len(line)


def _block(label: str, offset: int, lines: Iterator[tuple[int, str]]) -> PemBlock:
    content: list[str] = []
    for at, line in lines:
        if line.startswith(END):
            if line != f"{END}{label}{DASHES}":
                raise DecodeError(f"the block {label!r:.60} ends as {line[len(END) : -len(DASHES)]!r:.60}", path="PEM", offset=at,
                                  rfc="RFC 7468 2")  # fmt: skip
            headers, body = _split_headers(content)
            return PemBlock(label, _decode(body, label, offset), headers, offset)
        if line.startswith(BEGIN):
            break
        content.append(line)
    raise DecodeError(f"the block {label!r:.60} has no END line", path="PEM", offset=offset, rfc="RFC 7468 2")


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


def _decode(lines: list[str], label: str, offset: int) -> bytes:
    body = "".join(lines)
    try:
        data = base64.b64decode(body.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise DecodeError(f"the block {label!r:.60} is not base64", path="PEM", offset=offset, rfc="RFC 7468 3") from None
    if base64.b64encode(data).decode("ascii") != body:
        raise DecodeError(f"the block {label!r:.60} has stray bits in its base64", path="PEM", offset=offset, rfc="RFC 4648 3.5")
    return data
