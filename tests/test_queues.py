"""A queue is a deque to whoever uses it, and nothing at all while it is empty."""

import sys
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.queues import Queue

STEPS = st.lists(st.one_of(
    st.tuples(st.just("append"), st.integers()), st.tuples(st.just("extend"), st.lists(st.integers(), max_size=3)),
    st.just(("popleft",)), st.just(("clear",)), st.just(("copy",)), st.tuples(st.just("set"), st.integers()),
))  # fmt: skip


@given(STEPS)
def test_a_queue_is_a_deque(steps):
    ours, theirs = Queue(), deque()
    for name, *arguments in steps:
        if name == "copy":
            ours, theirs = ours.copy(), theirs.copy()
        elif name == "set" and theirs:
            ours[-1] = theirs[-1] = arguments[0]
        elif name == "popleft" and not theirs:
            with pytest.raises(IndexError):
                ours.popleft()
        elif name != "set":
            assert getattr(ours, name)(*arguments) == getattr(theirs, name)(*arguments)
        assert (list(ours), len(ours), bool(ours)) == (list(theirs), len(theirs), bool(theirs))
        for index in range(-len(theirs), len(theirs)):
            assert ours[index] == theirs[index]
        with pytest.raises(IndexError):
            ours[len(theirs)]


def test_an_empty_queue_has_no_deque():
    queue = Queue()
    assert queue._items is None
    queue.append(1)
    queue.popleft()
    queue.extend([])
    assert queue._items is None
    assert sys.getsizeof(queue) < 100


def test_a_copy_goes_on_by_itself():
    queue = Queue([1, 2])
    twin = queue.copy()
    queue.popleft()
    twin.append(3)
    assert (list(queue), list(twin)) == ([2], [1, 2, 3])
