"""A cursor over definite-length DER (X.690 sections 8 and 10): where it is, how it moves, what it records and how it fails.

`reader.Reader` adds what values mean. The two are apart so that each can be taken in: this one knows tags and lengths, that one types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar

from puretls.der.memo import Memo
from puretls.der.tags import BIT_STRING, NULL, OCTET_STRING, SEQUENCE, SET, tag_name
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.text import counted
from puretls.values import replace

T = TypeVar("T")

MAX_DEPTH = 24
"""Constructed values inside each other; a PKCS#12 file, the deepest thing read here, stays below 20."""
MAX_SHARED = 256
"""Bytes of a value that is worth remembering: names in use, and then some."""
MAX_LAPSES = 16
"""Lapses that are kept: each names its place, and a hostile structure can have a hundred thousand."""


def read_header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, start and stop of the content of the value at `at`, which must stop at or before `end`.

    Refuses multi-byte tags, indefinite and non-minimal lengths (X.690 10.1), and lengths of more than four bytes.
    Raises `DecodeError` with `offset` set.
    """
    if at + 2 > end:
        raise DecodeError("truncated: no room for a tag and a length", offset=at, rfc="X.690 8.1")
    tag = data[at]
    if tag & 0x1F == 0x1F:
        raise DecodeError("tag number above 30, which no structure here uses", offset=at, rfc="X.690 8.1.2.4")
    length = data[at + 1]
    start = at + 2
    if length >= 0x80:
        count = length & 0x7F
        start += count
        if not 1 <= count <= 4:
            raise DecodeError("indefinite or oversized length", offset=at + 1, rfc="X.690 10.1")
        if start > end:
            raise DecodeError("truncated length", offset=at + 1, rfc="X.690 8.1.3")
        length = int.from_bytes(data[at + 2 : start])
        if length < 0x80 or length >> (8 * count - 8) == 0:
            raise DecodeError("length not in its shortest form", offset=at + 1, rfc="X.690 10.1")
    if start + length > end:
        raise DecodeError(f"length {length} exceeds the {counted(end - start, 'byte')} left", offset=at + 1, rfc="X.690 8.1.3")
    return tag, start, start + length


class Cursor:
    """A cursor over `data[at:end]`. `name` is the last component of `path`; `depth` counts enclosing constructed values.

    `lapses`, of the outermost reader only: where lapses are kept; None where they are errors.

    Every method that reads raises `DecodeError` naming the path and the offset from the start of `data`.
    """

    __slots__ = ("at", "data", "depth", "end", "lapses", "name", "parent", "sink")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None, *, name: str = "", sink: list[Span] | None = None) -> None:
        self.data: bytes = data
        self.at: int = at
        self.end: int = len(data) if end is None else end
        self.name: str = name
        self.parent: Self | None = None
        self.sink = sink
        self.depth: int = 0
        self.lapses: list[DecodeError] | None = None

    # Where we are

    @property
    def path(self) -> str:
        """The path of this range: "Certificate.tbs_certificate.validity"; components that begin with "[" attach without a dot."""
        above = self.parent.path if self.parent is not None else ""
        return join(above, self.name)

    @property
    def more(self) -> bool:
        """Whether anything is left in this range."""
        return self.at < self.end

    def peek(self) -> int:
        """The tag of the next value, or -1 at the end of the range."""
        return self.data[self.at] if self.at < self.end else -1

    def error(self, message: str, name: str = "", *, offset: int | None = None, rfc: str = "") -> DecodeError:
        """A `DecodeError` that names this place; to be raised by the caller."""
        return DecodeError(message, path=join(self.path, name), offset=self.at if offset is None else offset, rfc=rfc)

    def lapse(self, message: str, name: str = "", *, offset: int | None = None, rfc: str = "") -> None:
        """Something plain is not as DER or its type has it: kept where the outermost reader keeps lapses, else raised."""
        error = self.error(message, name, offset=offset, rfc=rfc)
        kept = self._outermost.lapses
        if kept is None:
            raise error
        if len(kept) < MAX_LAPSES:
            kept.append(error)

    @property
    def _outermost(self) -> Self:
        reader = self
        while reader.parent is not None:
            reader = reader.parent
        return reader

    @property
    def is_strict(self) -> bool:
        """Whether lapses are errors: only then is what was read worth remembering as sound."""
        return self._outermost.lapses is None

    # The three ways to move

    def take(self, tag: int, name: str = "") -> tuple[int, int]:
        """Steps over the next value, which must have this tag; gives start and stop of its content."""
        data, at, end = self.data, self.at, self.end
        if at + 2 <= end and data[at] == tag and (length := data[at + 1]) < 0x80 and (stop := at + 2 + length) <= end and self.sink is None:
            self.at = stop  # the common case, without a call
            return at + 2, stop
        start, stop = self._take_slowly(tag, name)
        if self.sink is not None:
            self._record(at, start, stop, name, leaf=not tag & 0x20)
        self.at = stop
        return start, stop

    def enter(self, tag: int = SEQUENCE, name: str = "") -> Self:
        """A reader for the content of the next value, which must be constructed and have this tag."""
        start, stop = self.take(tag, name)
        return self.within(start, stop, name)

    def done(self) -> None:
        """Raises unless the range has been read to its end."""
        if self.at != self.end:
            raise self.error(f"{self.end - self.at} unexpected bytes ({tag_name(self.peek())}) after the last field")

    def within(self, start: int, stop: int, name: str = "") -> Self:
        """A reader for `start..stop` of the same buffer: DER inside an OCTET STRING or a BIT STRING."""
        inner = object.__new__(self.__class__)  # to call the class took a third of a certificate's time
        inner.data = self.data
        inner.at = start
        inner.end = stop
        inner.name = name
        inner.parent = self
        inner.sink = self.sink
        inner.depth = depth = self.depth + 1
        if depth > MAX_DEPTH:
            raise inner.error(f"nested deeper than {MAX_DEPTH} levels")
        return inner

    def enter_octets(self, name: str = "", tag: int = OCTET_STRING) -> tuple[int, int]:
        """Steps over a string that holds DER, which the caller reads next with `within`; gives start and stop of its content."""
        sink, self.sink = self.sink, None
        at = self.at
        start, stop = self.take(tag, name)
        self.sink = sink
        if sink is not None:
            self._record(at, start, stop, name, leaf=False)
        return start, stop

    def inside_octets(self, name: str, tag: int = OCTET_STRING) -> Self:
        """A reader for the DER inside the OCTET STRING (or other primitive value of this tag) that comes next."""
        return self.within(*self.enter_octets(name, tag), name)

    def inside_bits(self, name: str, tag: int = BIT_STRING) -> Self:
        """A reader for the DER inside the BIT STRING that comes next, which must hold whole octets."""
        start, stop = self.enter_octets(name, tag)
        if start == stop or self.data[start]:
            raise self.error("BIT STRING that is not whole octets", name, offset=start, rfc="X.690 8.6.2")
        inner = self.within(start + 1, stop, name)
        if self.sink is not None:
            self.sink.append(Span(start, start + 1, inner.path + ".unused_bits", 0))
        return inner

    def list_of(self, read: Callable[[Self, str], T], name: str = "", tag: int = SEQUENCE, *, empty: bool = False) -> tuple[T, ...]:
        """SEQUENCE OF or SET OF: `read(reader, "[3]")` for each element; refuses an empty list unless told that it is allowed."""
        body = self.enter(tag, name)
        if not (body.more or empty):
            raise body.error("empty list")
        found: list[T] = []
        while body.more:
            found.append(read(body, f"[{len(found)}]"))
        return tuple(found)

    def set_of(self, read: Callable[[Self, str], T], name: str = "", tag: int = SET) -> tuple[T, ...]:
        """SET SIZE (1..MAX) OF: as `list_of`, and the elements ascend by their encodings (X.690 11.6)."""
        start = self.at
        found = self.list_of(read, name, tag)
        if len(found) > 1:
            self._check_order(start, name)
        return found

    def _check_order(self, at: int, name: str) -> None:
        data = self.data
        _, at, end = read_header(data, at, self.at)
        last = b""
        while at < end:
            _, _, stop = read_header(data, at, end)
            element = data[at:stop]
            if element < last:
                self.lapse("SET OF out of order", name, offset=at, rfc="X.690 11.6")
                return
            last, at = element, stop

    def shared(self, memo: Memo[bytes, T], read: Callable[[Self, bytes], T], name: str = "") -> T:
        """The next value, a SEQUENCE, as `read(its content, its DER)` makes it: once for the same DER, if that is not long.

        For frozen values that come again and again. Where spans are recorded, everything is read.
        """
        at = self.at
        start, stop = self.take(SEQUENCE, name)
        der = self.data[at:stop]
        known = memo.get(der) if self.sink is None else None
        if known is None:
            known = read(self.within(start, stop, name), der)
            if len(der) <= MAX_SHARED and self.is_strict:
                memo.put(der, known)
        return known

    def raw(self, name: str = "", tag: int | None = None) -> bytes:
        """The next value whole, with its header: what is compared, hashed or signed byte for byte."""
        at = self.at
        self.skip(name, tag)
        return self.data[at : self.at]

    def skip(self, name: str = "", tag: int | None = None) -> tuple[int, int]:
        """Steps over the next value; gives start and stop of the whole of it, header included."""
        at = self.at
        found = self.peek()
        if tag is not None and found != tag:
            raise self._unexpected(tag, found, name)
        try:
            _, start, stop = read_header(self.data, at, self.end)
        except DecodeError as bad:
            raise self.error(bad.message, name, offset=bad.offset, rfc=bad.rfc) from None
        if found == NULL and start != stop:
            raise self.error("NULL with content", name, offset=start, rfc="X.690 8.8.2")
        if self.sink is not None:
            self._record(at, start, stop, name, leaf=True)
        self.at = stop
        return at, stop

    # Slow paths and recording

    def _take_slowly(self, tag: int, name: str) -> tuple[int, int]:
        data, at, end = self.data, self.at, self.end
        found = data[at] if at < end else -1
        if found != tag:
            raise self._unexpected(tag, found, name)
        if at + 4 <= end and data[at + 1] == 0x82 and data[at + 2]:  # the next most common one
            start = at + 4
            stop = start + (data[at + 2] << 8 | data[at + 3])
            if stop <= end:
                return start, stop
        try:
            _, start, stop = read_header(data, at, end)
        except DecodeError as bad:
            raise self.error(bad.message, name, offset=bad.offset, rfc=bad.rfc) from None
        return start, stop

    def _unexpected(self, tag: int, found: int, name: str) -> DecodeError:
        return self.error(f"{tag_name(tag)} expected, found {tag_name(found)}", name)

    def _record(self, at: int, start: int, stop: int, name: str, *, leaf: bool) -> None:
        assert self.sink is not None
        path = join(self.path, name)
        if not name and self.sink and self.sink[-1].end == at and self.sink[-1].path == path + ".length":
            # The value has the name of the explicit tag around it, whose own header is told apart (X.690 8.14).
            tag, length = self.sink[-2:]
            self.sink[-2:] = replace(tag, path=path + ".explicit.tag"), replace(length, path=path + ".explicit.length")
        self.sink.append(Span(at, at + 1, path + ".tag", tag_name(self.data[at])))
        self.sink.append(Span(at + 1, start, path + ".length", stop - start))
        if leaf and stop > start:
            self.sink.append(Span(start, stop, path, self.data[start:stop]))


def join(above: str, name: str) -> str:
    """Path components joined by dots, indices ("[3]") without one."""
    if not above or not name:
        return above or name
    return above + name if name[0] == "[" else f"{above}.{name}"
