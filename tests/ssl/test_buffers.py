"""Queues of bytes beside models of them: the C module's MemoryBIO, and a list."""

import ssl as real_ssl

from hypothesis import given
from hypothesis import strategies as st

from puretls.ssl.bio import MemoryBIO
from puretls.ssl.plaintext import Plaintext

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.binary(max_size=40)),
        st.tuples(st.just("read"), st.integers(-3, 60)),
        st.tuples(st.just("write_eof")),
    ),
    max_size=30,
)


@given(STEPS)
def test_a_memory_bio_does_what_that_of_the_c_module_does(steps):
    ours, theirs = MemoryBIO(), real_ssl.MemoryBIO()
    for name, *arguments in steps:
        told = []
        for bio in (ours, theirs):
            try:
                result = getattr(bio, name)(*arguments)
            except OSError as error:
                result = type(error).__name__, str(error)
            told.append((result, bio.pending, bio.eof))
        assert told[0] == told[1]


@given(st.lists(st.one_of(st.binary(max_size=20), st.integers(1, 50)), max_size=30))
def test_plaintext_comes_out_in_order_and_tells_whether_a_whole_record_is_left(steps):
    made, records = Plaintext(), []  # of the model: what is left of each record, and whether all of it
    for step in steps:
        if isinstance(step, bytes):
            made.put(step)
            records += [[step, True]] if step else []
            continue
        taken = b""
        while records and len(taken) < step:
            record = records[0]
            piece, record[0] = record[0][: step - len(taken)], record[0][step - len(taken) :]
            taken += piece
            record[1] = False
            if not record[0]:
                records.pop(0)
        assert made.take(step) == taken
    assert len(made) == sum(len(rest) for rest, _ in records)
    assert made.holds_whole_record == any(whole for _, whole in records)
