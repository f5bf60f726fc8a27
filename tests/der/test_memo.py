"""What is read once for the same bytes: bounded, never from bytes that failed, and no shortcut where spans are recorded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.der import writer
from puretls.der.cursor import MAX_SHARED
from puretls.der.memo import Memo
from puretls.der.reader import Reader
from puretls.errors import DecodeError


@given(st.lists(st.tuples(st.integers(0, 9), st.integers()), max_size=40), st.integers(1, 6))
def test_memo_holds_what_was_put_last_and_never_more_than_its_size(entries, size):
    memo = Memo(size)
    for key, value in entries:
        memo.put(key, value)
        assert memo[key] == value
        assert len(memo) <= size


def read_numbers(body, der):
    numbers = []
    while body.more:
        numbers.append(body.integer(f"[{len(numbers)}]"))
    return der, tuple(numbers)


@given(st.lists(st.lists(st.integers(-(2**70), 2**70), max_size=4), max_size=8))
def test_shared_values_are_those_that_reading_each_would_give(lists):
    data = b"".join(writer.sequence(*map(writer.integer, numbers)) for numbers in lists)
    memo, reader = Memo(3), Reader(data)
    for numbers in lists:
        assert reader.shared(memo, read_numbers) == (writer.sequence(*map(writer.integer, numbers)), tuple(numbers))
    reader.done()


def test_same_bytes_give_the_same_object():
    der = writer.sequence(writer.integer(7))
    memo, reader = Memo(3), Reader(der + der)
    assert reader.shared(memo, read_numbers) is reader.shared(memo, read_numbers)


def test_long_values_are_not_kept():
    memo = Memo(3)
    Reader(writer.sequence(*[writer.integer(1)] * MAX_SHARED)).shared(memo, read_numbers)
    assert not memo


def test_what_cannot_be_read_is_refused_each_time_with_its_own_place():
    bad = writer.sequence(writer.octet_string(b"x"))
    memo = Memo(3)
    for before in (b"", writer.integer(5)):
        reader = Reader(before + bad, name="Outer")
        if before:
            reader.integer()
        with pytest.raises(DecodeError) as caught:
            reader.shared(memo, read_numbers, "list")
        assert (caught.value.path, caught.value.offset) == ("Outer.list.[0]".replace(".[", "["), len(before) + 2)
    assert not memo


def test_spans_are_recorded_however_often_the_bytes_came():
    der = writer.sequence(writer.integer(7))
    memo = Memo(3)
    Reader(der).shared(memo, read_numbers)
    spans = []
    Reader(der, sink=spans).shared(memo, read_numbers)
    assert [(span.start, span.end) for span in spans] == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
