"""Spans: patching, tiling, looking up."""

import pytest

from puretls.errors import UsageError
from puretls.spans import Span, at, check_tiling, patch

SPANS = [Span(0, 1, "a"), Span(1, 3, "b"), Span(3, 3, "c"), Span(3, 4, "d")]


def test_patch_replaces_one_field_and_nothing_else():
    assert patch(b"0123", SPANS, "b", b"long") == b"0long3"
    assert patch(b"0123", SPANS, "c", b"+") == b"012+3"


def test_patch_of_an_unknown_field_is_refused():
    with pytest.raises(UsageError, match="no field 'x'"):
        patch(b"0123", SPANS, "x", b"")


def test_tiling_is_checked():
    assert check_tiling(SPANS, 4) == ""
    assert check_tiling([], 0) == ""
    assert "end at 4" in check_tiling(SPANS, 5)
    assert "expected to begin at 1" in check_tiling([SPANS[0], SPANS[3]], 4)
    assert "covers 1..0" in check_tiling([SPANS[0], Span(1, 0, "z")], 1)


def test_a_byte_belongs_to_the_span_that_holds_it():
    assert [at(SPANS, offset).path for offset in range(4)] == ["a", "b", "b", "d"]
    assert at(SPANS, 4) is None


def test_shifted_span_keeps_what_it_means():
    assert Span(1, 2, "x", 5, "note", True).shifted(10, "y.") == Span(11, 12, "y.x", 5, "note", True)
