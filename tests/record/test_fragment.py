"""Handshake messages across records."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.errors import PeerError, Reason
from puretls.record.fragment import Joiner, split

messages = st.lists(
    st.builds(lambda kind, body: bytes((kind,)) + len(body).to_bytes(3, "big") + body, st.integers(0, 255), st.binary(max_size=50)),
    min_size=1,
    max_size=5,
)


@pytest.mark.rfc("5246", "6.2.1")
@given(expected=messages, data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_fragmentation_gives_the_same_messages(expected, data):
    stream = b"".join(expected)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    joiner, found = Joiner(1000), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        joiner.feed(stream[start:end])
        while (message := joiner.next()) is not None:
            found.append(message)
    assert found == expected
    assert not joiner.pending


@pytest.mark.rfc("5246", "7.4")
def test_length_is_judged_before_the_body_comes():
    joiner = Joiner(100)
    joiner.feed(b"\1" + (100).to_bytes(3, "big"))
    assert joiner.next() is None
    assert joiner.pending
    joiner = Joiner(100)
    joiner.feed(b"\1" + (101).to_bytes(3, "big"))
    with pytest.raises(PeerError) as caught:
        joiner.next()
    assert caught.value.reason is Reason.MESSAGE_TOO_LONG


@given(data=st.binary(max_size=300), size=st.integers(1, 100))
@settings(max_examples=60, deadline=None)
def test_pieces_are_as_long_as_allowed_and_give_the_data_back(data, size):
    pieces = split(data, size)
    assert b"".join(pieces) == data
    assert all(len(piece) == size for piece in pieces[:-1])
    assert len(pieces[-1]) <= size
    assert pieces == [b""] if not data else all(pieces)
