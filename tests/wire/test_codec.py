"""The presentation language, codec by codec."""

import pytest

from puretls.errors import DecodeError
from puretls.iana import ContentType
from puretls.wire.codec import Converted, Opaque, OpaqueVector, Rest, Tail, Uint, Vector, nothing_after

pytestmark = [pytest.mark.rfc("5246", "4.3"), pytest.mark.rfc("5246", "4.4")]


def _refused(number):
    raise ValueError(f"{number} will not do")


EXAMPLES = [
    (Uint(1), 7, "07"),
    (Uint(2), 0x0102, "0102"),
    (Uint(3), 0x010203, "010203"),
    (Uint(4), 1, "00000001"),
    (Uint(1, ContentType), ContentType.HANDSHAKE, "16"),
    (Uint(1, ContentType), 99, "63"),
    (Opaque(3), b"abc", "616263"),
    (Opaque(0), b"", ""),
    (Rest(), b"xy", "7879"),
    (Rest(), b"", ""),
    (OpaqueVector(0, 255), b"", "00"),
    (OpaqueVector(0, 255), b"ab", "026162"),
    (OpaqueVector(1, 256), b"a", "000161"),
    (OpaqueVector(0, 2**16 - 1), b"a", "000161"),
    (OpaqueVector(0, 2**24 - 1), b"a", "00000161"),
    (Vector(Uint(2), 0, 255), (), "00"),
    (Vector(Uint(2), 2, 254), (1, 2), "0400010002"),
    (Vector(OpaqueVector(1, 255), 0, 2**16 - 1), (b"a", b"bc"), "00050161026263"),
    (Converted(Uint(1), bool, int), True, "01"),
    (Tail(Uint(1)), None, ""),
    (Tail(Uint(1)), 9, "09"),
]


@pytest.mark.parametrize(("codec", "value", "wire"), EXAMPLES)
def test_codec_reads_and_writes_its_example(codec, value, wire):
    data = bytes.fromhex(wire)
    out = bytearray()
    codec.write(value, out)
    assert out == data
    assert codec.read(data, 0, len(data)) == (value, len(data))


@pytest.mark.parametrize(("codec", "value", "wire"), EXAMPLES)
def test_codec_reads_from_the_middle_of_a_buffer(codec, value, wire):
    data = bytes.fromhex(wire)
    assert codec.read(b"\xff\xff" + data + b"\xff", 2, 2 + len(data)) == (value, 2 + len(data))


@pytest.mark.parametrize(("codec", "value", "wire"), EXAMPLES)
def test_spans_of_an_example_tile_it(codec, value, wire):
    data = bytes.fromhex(wire)
    spans = []
    assert codec.read(data, 0, len(data), spans, "x") == codec.read(data, 0, len(data))
    assert b"".join(data[span.start : span.end] for span in spans) == data
    assert all(span.path.startswith("x") for span in spans)


@pytest.mark.parametrize(
    ("codec", "wire", "message", "offset"),
    [
        (Uint(2), "01", "needs 2 bytes, 1 left", 0),
        (Opaque(4), "010203", "needs 4 bytes, 3 left", 0),
        (OpaqueVector(0, 2**16 - 1), "00", "needs 2 bytes, 1 left", 0),
        (OpaqueVector(0, 255), "0261", "length 2, but only 1 byte left", 0),
        (OpaqueVector(1, 255), "00", "length 0 outside 1..255", 0),
        (OpaqueVector(0, 32), "21" + "00" * 33, "length 33 outside 0..32", 0),
        (Vector(Uint(2), 2, 254), "00", "length 0 outside 2..254", 0),
        (Vector(Uint(2), 0, 255), "03000102", "needs 2 bytes, 1 left", 3),
        (Vector(OpaqueVector(1, 255), 0, 255), "020361", "length 3, but only 1 byte left", 1),
        (Converted(Uint(1), _refused, int), "07", "7 will not do", 0),
    ],
)
def test_malformed_field_says_what_is_wrong_and_where(codec, wire, message, offset):
    data = bytes.fromhex(wire)
    for attempt in (lambda: codec.read(data, 0, len(data)), lambda: codec.read(data, 0, len(data), [], "x")):
        with pytest.raises(DecodeError) as caught:
            attempt()
        assert (caught.value.message, caught.value.offset) == (message, offset)


def test_fault_inside_a_vector_names_the_element():
    with pytest.raises(DecodeError) as caught:
        Vector(Uint(2), 0, 255).read(b"\x03\0\1\2", 0, 4)
    assert caught.value.path == "[1]"


@pytest.mark.parametrize(("ceiling", "width"), [(1, 1), (255, 1), (256, 2), (400, 2), (2**16 - 1, 2), (2**16, 3), (2**24 - 1, 3)])
def test_length_prefix_is_as_wide_as_the_ceiling_needs(ceiling, width):
    assert OpaqueVector(0, ceiling).width == Vector(Uint(1), 0, ceiling).width == width


def test_a_field_never_reads_past_its_end():
    data = bytes.fromhex("04") + b"abcd"
    with pytest.raises(DecodeError):
        OpaqueVector(0, 255).read(data, 0, 4)


def test_left_over_bytes_are_a_fault():
    nothing_after(3, 3)
    with pytest.raises(DecodeError, match="2 bytes too many"):
        nothing_after(3, 5)
