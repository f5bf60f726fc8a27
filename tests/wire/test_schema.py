# ruff: noqa: PT017  (either outcome is legal; both are checked)
"""Structs by declaration: every struct of puretls parses what it serialises, and its spans tile any bytes."""

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.errors import DecodeError, UsageError
from puretls.messages.extension import RawExtension
from puretls.spans import check_tiling, patch
from puretls.testing.strategies import all_structs, strategy_for
from puretls.wire.codec import Uint
from puretls.wire.schema import Struct, annotate, opaque_vector, parse, serialise, tail, u8, vector, wire

STRUCTS = all_structs()
every_struct = pytest.mark.parametrize("cls", STRUCTS, ids=lambda cls: f"{cls.__module__.removeprefix('puretls.')}.{cls.__name__}")
few = settings(max_examples=15, deadline=None)


@wire("5246 4.6")
class Sample(Struct):
    kind: int = u8()
    name: bytes = opaque_vector(1, 255)
    numbers: tuple[int, ...] = vector(Uint(2), 2, 254)
    last: int | None = tail(Uint(2))


_BODY = re.compile(r"\.extensions\[\d+\]\.(?!extension_)")


def is_in_a_body(span):
    """In the body of an extension, which the message frames but does not read."""
    return _BODY.search(span.path) is not None


def test_there_are_structs_to_test():
    assert len(STRUCTS) > 50


@every_struct
@given(data=st.data())
@few
def test_struct_parses_what_it_serialises(cls, data):
    value = data.draw(strategy_for(cls))
    wire_form = serialise(value)
    assert parse(cls, wire_form) == value
    assert serialise(parse(cls, wire_form)) == wire_form


@every_struct
@given(data=st.data())
@few
def test_spans_of_a_valid_struct_tile_it_without_fault(cls, data):
    wire_form = serialise(data.draw(strategy_for(cls)))
    spans = annotate(cls, wire_form)
    assert check_tiling(spans, len(wire_form)) == ""
    # Bodies of extensions are drawn as any bytes: they alone may be faulty.
    assert not [span for span in spans if span.fault and not is_in_a_body(span)]


@every_struct
@given(data=st.data())
@few
def test_any_bytes_parse_or_raise_decode_error_and_always_tile(cls, data):
    raw = data.draw(st.binary(max_size=80))
    spans = annotate(cls, raw)
    assert check_tiling(spans, len(raw)) == ""
    faults = [span for span in spans if span.fault and not is_in_a_body(span)]
    try:
        value = parse(cls, raw)
    except DecodeError as error:
        assert 0 <= error.offset <= len(raw)
        assert error.path.startswith(cls.path_name)
        # The byte map says the same: there, at that field.
        assert [fault.path for fault in faults] == [error.path]
        assert faults[0].start <= error.offset <= faults[0].end
    else:
        assert serialise(value) == raw
        assert not faults


@every_struct
@given(data=st.data())
@few
def test_patched_field_parses_or_raises_decode_error(cls, data):
    raw = serialise(data.draw(strategy_for(cls)))
    spans = annotate(cls, raw)
    if not spans:
        return
    span = data.draw(st.sampled_from(spans))
    patched = patch(raw, spans, span.path, data.draw(st.binary(max_size=8)))
    assert check_tiling(annotate(cls, patched), len(patched)) == ""
    try:
        assert serialise(parse(cls, patched)) == patched
    except DecodeError as error:
        assert 0 <= error.offset <= len(patched)


@every_struct
def test_struct_names_its_section(cls):
    assert cls.rfc.startswith("RFC ")


@every_struct
def test_struct_is_frozen_and_slotted(cls):
    with pytest.raises(dataclasses.FrozenInstanceError):
        object.__new__(cls).anything = 1
    assert not hasattr(cls, "__dict__") or "__slots__" in cls.__dict__


@pytest.mark.rfc("5246", "4.6")
def test_fields_are_found_by_path():
    raw = serialise(Sample(1, b"ab", (5, 6), 7))
    assert raw.hex() == "01" + "026162" + "0400050006" + "0007"
    assert [(span.path, span.start, span.end) for span in annotate(Sample, raw)] == [
        ("Sample.kind", 0, 1),
        ("Sample.name.length", 1, 2),
        ("Sample.name", 2, 4),
        ("Sample.numbers.length", 4, 5),
        ("Sample.numbers[0]", 5, 7),
        ("Sample.numbers[1]", 7, 9),
        ("Sample.last", 9, 11),
    ]


def test_fault_has_path_and_offset():
    with pytest.raises(DecodeError) as caught:
        parse(Sample, bytes.fromhex("01" + "026162" + "03000500"))
    assert (caught.value.path, caught.value.offset) == ("Sample.numbers[1]", 7)
    assert str(caught.value) == "Sample.numbers[1] at byte 7: needs 2 bytes, 1 left (RFC 5246 4)"


def test_fault_is_marked_where_it_begins():
    raw = bytes.fromhex("01" + "026162" + "03000500")
    last = annotate(Sample, raw)[-1]
    assert (last.path, last.start, last.end, last.fault) == ("Sample.numbers[1]", 7, 8, True)
    assert "needs 2 bytes" in last.note


def test_trailing_bytes_are_a_fault():
    with pytest.raises(DecodeError, match="1 byte too many"):
        parse(Sample, bytes.fromhex("01" + "0161" + "020005" + "0007" + "00"))


def test_absent_tail_is_none():
    assert parse(Sample, bytes.fromhex("01" + "0161" + "020005")).last is None


def test_lengths_are_computed_and_never_checked():
    assert serialise(Sample(1, b"", (), None)).hex() == "01" + "00" + "00"


def test_replace_makes_a_well_formed_variant():
    changed = dataclasses.replace(Sample(1, b"ab", (5,), None), name=b"longer")
    assert parse(Sample, serialise(changed)) == changed


def test_patch_of_an_unknown_field_is_the_callers_fault():
    with pytest.raises(UsageError):
        patch(b"", [], "Sample.nothing", b"")


def test_enum_without_a_name_stays_a_number():
    assert parse(RawExtension, bytes.fromhex("fafa0000")).extension_type == 0xFAFA
