"""Strategies for DER (X.690), for whoever parses ASN.1: any values, and structures that are almost right, by the paths of their fields.

    from puretls.testing import der

    @given(der.almost(certificate))
    def test_my_parser(mutated):
        try: parse(mutated.data)
        except MyDecodeError: pass

Paths of a structure that nothing is known about: `Der.tag`, `Der.length`, then `Der.item[0]`, `Der.item[0][2].tag` and so on downwards.
Needs hypothesis: `pip install 'puretls[testing]'`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from puretls.testing.needs import need

need("hypothesis")

from hypothesis import strategies as st  # noqa: E402

from puretls.der import tags, writer  # noqa: E402
from puretls.spans import Span  # noqa: E402
from puretls.testing.mapped import Annotate, Mapped  # noqa: E402
from puretls.testing.mutated import Mutated  # noqa: E402
from puretls.testing.strategies import almost as _almost  # noqa: E402
from puretls.testing.strategies.fields import either  # noqa: E402

NAME = "Der"
MAX_DEPTH = 24
"""Constructed values inside each other that are looked into; what is deeper is one field."""
_CONSTRUCTED = 0x20


# Paths


def annotate(data: bytes) -> list[Span]:
    """Spans that tile any bytes: tag, length and content of each value, as far as they are DER. What is not is marked as fault."""
    spans: list[Span] = []
    end = _walk(data, 0, len(data), NAME, spans, 0)
    if end < len(data):
        spans.append(Span(end, len(data), f"{NAME}.rest", data[end:], "no DER", fault=True))
    return spans


def _walk(data: bytes, start: int, stop: int, path: str, spans: list[Span], depth: int) -> int:
    """One value; the position behind it, or `start` where there is none."""
    head = _head(data, start, stop)
    if head is None:
        return start
    content, end = head
    tag = data[start]
    spans.append(Span(start, start + 1, f"{path}.tag", tags.TAG_NAMES.get(tag, f"{tag:#04x}")))
    spans.append(Span(start + 1, content, f"{path}.length", end - content))
    if tag & _CONSTRUCTED and depth < MAX_DEPTH and _items(data, content, end, path, spans, depth):
        return end
    if content < end:
        spans.append(Span(content, end, path if path != NAME else f"{NAME}.content", data[content:end]))
    return end


def _items(data: bytes, start: int, stop: int, path: str, spans: list[Span], depth: int) -> bool:
    """What is in a constructed value. False, and nothing is recorded, where that is not a list of values."""
    before, number, position = len(spans), 0, start
    while position < stop:
        inner = f"{path}.item[{number}]" if path == NAME else f"{path}[{number}]"
        after = _walk(data, position, stop, inner, spans, depth + 1)
        if after == position:
            del spans[before:]
            return False
        number, position = number + 1, after
    return start < stop


def _head(data: bytes, start: int, stop: int) -> tuple[int, int] | None:
    """Where the content of a value begins and ends; None where no value fits there."""
    if stop - start < 2 or data[start] & 0x1F == 0x1F:
        return None
    first = data[start + 1]
    size = first & 0x7F if first & 0x80 else 0
    content = start + 2 + size
    if first == 0x80 or size > 4 or content > stop:
        return None
    length = int.from_bytes(data[start + 2 : content]) if size else first
    return (content, content + length) if content + length <= stop else None


# Strategies


def almost(
    structure: bytes | st.SearchStrategy[bytes],
    repair: str | Iterable[str] = "lengths",
    *,
    annotate: Annotate | None = None,
    most: int = 3,
) -> st.SearchStrategy[Mutated]:
    """DER with up to `most` edits (see `strategies.almost`), a `Mutated` whose bytes are `.data`.

    `repair` is "lengths", or "none". `annotate` gives the fields that the structure has, such as those of
    `puretls.x509.certificates.certificate.annotate`; without it fields are counted. Shrinks to no edit, then to the earliest field, then to
    one bit. Raises `UsageError` for a repair that is none.
    """
    explain = annotate or _annotate
    if isinstance(structure, st.SearchStrategy):
        return _almost(structure.map(lambda data: Mapped(data, explain)), repair, most=most)
    return _almost(Mapped(structure, explain), repair, most=most)


_annotate = annotate  # which the argument of `almost` hides


@cache
def values(depth: int = 3) -> st.SearchStrategy[bytes]:
    """DER of any universal type, nested up to `depth` times: numbers at the edges of their sizes, times, strings, names of things."""
    leaves = either(
        st.integers(-(2**17), 2**17).map(writer.integer),
        st.sampled_from([2**power + step for power in (7, 8, 15, 16, 31, 63, 127, 1024) for step in (-1, 0)]).map(writer.integer),
        st.booleans().map(writer.boolean),
        st.just(writer.null()),
        st.binary(max_size=40).map(writer.octet_string),
        st.sampled_from((0, 127, 128, 255, 256)).map(lambda size: writer.octet_string(bytes(size))),
        st.binary(max_size=20).map(writer.bit_string),
        st.frozensets(st.integers(0, 16), max_size=4).map(writer.named_bits),
        _identifiers().map(writer.oid),
        st.text(max_size=12).map(writer.utf8_string),
        st.integers(-(2**31), 2**32).map(writer.time),
        st.integers(0, 3).map(writer.enumerated),
    )
    if depth == 0:
        return leaves
    inner = st.lists(values(depth - 1), max_size=3)
    nested = either(
        inner.map(lambda parts: writer.sequence(*parts)),
        inner.map(lambda parts: writer.set_of(*parts)),
        _tagged(values(depth - 1)),
    )
    return either(leaves, nested, nested)


def _identifiers() -> st.SearchStrategy[str]:
    arcs = st.lists(st.sampled_from((0, 1, 39, 127, 128, 16383, 2**32)), max_size=4)
    return st.builds(
        lambda first, second, rest: ".".join(map(str, (first, second, *rest))), st.integers(0, 2), st.integers(0, 39), arcs
    )


@st.composite
def _tagged(draw: Any, inner: st.SearchStrategy[bytes]) -> bytes:
    return writer.explicit(draw(st.integers(0, 30)), draw(inner))
