"""The DER reader takes DER and nothing else (X.690 sections 8 to 11)."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.der import writer
from puretls.der.cursor import MAX_DEPTH
from puretls.der.reader import Reader
from puretls.der.times import civil_time
from puretls.errors import DecodeError


@given(st.integers(-(2**600), 2**600))
def test_integers_of_any_size_survive(value):
    assert Reader(writer.integer(value)).integer() == value


@given(st.binary(max_size=70_000))
def test_lengths_of_every_form_survive(content):
    reader = Reader(writer.octet_string(content))
    assert reader.octets() == content
    reader.done()


@given(st.frozensets(st.integers(0, 63)))
def test_named_bits_survive(bits):
    assert Reader(writer.named_bits(bits)).named_bits() == bits


@given(st.integers(-62167219200, 253402300799))
def test_times_of_years_0_to_9999_survive(seconds):
    assert Reader(writer.time(seconds)).time() == seconds


@given(st.datetimes(min_value=datetime.datetime(1, 1, 1)))
def test_times_agree_with_datetime(moment):
    moment = moment.replace(microsecond=0)
    seconds = int((moment - datetime.datetime(1970, 1, 1)).total_seconds())
    assert civil_time(seconds) == moment.timetuple()[:6]


@pytest.mark.parametrize(
    ("call", "data"),
    [
        (Reader.integer, "0200"),  # empty
        (Reader.integer, "02020001"),  # padded
        (Reader.integer, "0202ff80"),  # padded, negative
        (Reader.integer, "0281 01 05"),  # long form of a short length, X.690 10.1
        (Reader.integer, "028200 01 05"),
        (Reader.integer, "0280 05 0000"),  # indefinite
        (Reader.integer, "0285 0000000001 05"),  # five length bytes
        (Reader.integer, "02ff"),  # reserved length
        (Reader.integer, "0202 05"),  # truncated
        (Reader.integer, "02"),
        (Reader.integer, ""),
        (Reader.integer, "0401 05"),  # other tag
        (Reader.boolean, "010101"),  # neither 00 nor ff, X.690 11.1
        (Reader.boolean, "0100"),
        (Reader.boolean, "0102ffff"),
        (Reader.default_false, "010100"),  # DEFAULT written out, X.690 11.5
        (Reader.null, "050100"),
        (Reader.oid, "0600"),
        (Reader.oid, "0601 80"),  # unfinished
        (Reader.oid, "0603 2a8001"),  # padded arc
        (Reader.oid, "0602 8001"),
        (Reader.oid, "0641" + "2a" * 65),  # longer than MAX_OID
        (Reader.bits, "0300"),
        (Reader.bits, "030208ff"),
        (Reader.bits, "03020101"),  # unused bit set, X.690 11.2.1
        (Reader.bits, "030101"),
        (Reader.named_bits, "03020000"),  # trailing zeros, X.690 11.2.2
        (Reader.named_bits, "030a00" + "ff" * 9),
        (Reader.bit_octets, "03020180"),
        (Reader.time, "170b323430313031303030305a"),  # no seconds
        (Reader.time, "170d3234303130313030303030302b"),
        (Reader.time, "170d3234303233303030303030305a"),  # 30 February
        (Reader.time, "170d3233303232393030303030305a"),  # 29 February of a common year
        (Reader.time, "170d3234303130313234303030305a"),  # hour 24
        (Reader.time, "180d3234303130313030303030305a"),
        (Reader.time, "0c0d3234303130313030303030305a"),
        (lambda r: r.skip(), "1f8101 00"),  # multi-byte tag
    ],
)
def test_what_is_not_der_is_refused(call, data):
    with pytest.raises(DecodeError):
        call(Reader(bytes.fromhex(data)))


def test_leap_days_exist():
    assert Reader(b"\x17\x0d240229000000Z").time() == 1709164800
    assert Reader(b"\x18\x0f20000229000000Z").time() == 951782400


def test_depth_is_bounded_without_recursion():
    data = b""
    for _ in range(MAX_DEPTH + 2):
        data = writer.sequence(data)

    def descend():
        reader = Reader(data)
        while reader.more:
            reader = reader.enter()

    with pytest.raises(DecodeError, match="nested deeper"):
        descend()


def test_errors_name_path_and_offset():
    data = writer.sequence(writer.sequence(writer.integer(5)))
    inner = Reader(data, name="Outer").enter().enter(name="inner")
    with pytest.raises(DecodeError) as caught:
        inner.oid("id")
    assert (caught.value.path, caught.value.offset) == ("Outer.inner.id", 4)
    assert str(caught.value) == "Outer.inner.id at byte 4: OBJECT IDENTIFIER expected, found INTEGER"


def test_bytes_left_over_are_refused():
    reader = Reader(writer.sequence(writer.null(), writer.null())).enter()
    reader.null()
    with pytest.raises(DecodeError, match="2 unexpected bytes"):
        reader.done()


def test_spans_recorded_while_reading_tile_the_input():
    data = writer.sequence(writer.integer(70000), writer.sequence(writer.oid("1.2.3")), writer.octet_string(b"x" * 200))
    spans = []
    outer = Reader(data, name="Thing", sink=spans).enter()
    outer.integer("number")
    outer.enter(name="algorithm").oid("id")
    outer.octets("value")
    outer.done()
    at = 0
    for span in spans:
        assert span.start == at
        at = span.end
    assert at == len(data)
    assert [s.path for s in spans][:5] == ["Thing.tag", "Thing.length", "Thing.number.tag", "Thing.number.length", "Thing.number"]


@given(st.binary(max_size=40))
def test_any_bytes_raise_nothing_but_decode_error(data):
    for call in (
        Reader.integer, Reader.small, Reader.boolean, Reader.null, Reader.oid, Reader.octets, Reader.bits, Reader.bit_octets,
        Reader.named_bits, Reader.time, Reader.enumerated, Reader.enter, Reader.skip,
    ):  # fmt: skip
        try:
            call(Reader(data))
        except DecodeError as error:
            assert 0 <= error.offset <= len(data)  # noqa: PT017
