"""Whatever a peer sends, nothing but an SSLError leaves, and it has a library and a reason, or says that the stream has ended."""

import ssl as real_ssl
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pure_ssl import Pair, client_context, pure_ssl, server_context

ours = pure_ssl()
CONTEXTS = {
    "client": (client_context(ours), server_context(real_ssl)),
    "server": (client_context(real_ssl), server_context(ours)),
}
CHANGES = st.tuples(
    st.integers(0, 3),  # which flight, of data the last
    st.floats(0, 1, exclude_max=True),  # where in it
    st.one_of(st.just(b""), st.binary(min_size=1, max_size=5)),  # what stands there instead of one byte
    st.booleans(),  # whether the stream ends there
)


@pytest.mark.parametrize("end", CONTEXTS)
@settings(max_examples=30)
@given(CHANGES)
def test_only_ssl_errors_leave(end, change):
    flight, place, bytes_instead, ends = change
    pair = Pair(*CONTEXTS[end])
    victim, peer = pair.ends if end == "client" else pair.ends[::-1]
    to_victim = pair.bios[0] if end == "client" else pair.bios[1]
    count = 0

    def move():
        nonlocal count
        source, target = to_victim.sides
        data = source.read()
        if data:
            at = int(place * len(data))
            spoilt = data[:at] + bytes_instead + (b"" if ends else data[at + 1 :])
            target.write(spoilt if count == flight else data)
            if count == flight and ends:
                target.write_eof()
            count += 1

    to_victim.move = move
    for _ in range(4):
        for each in (victim, peer):
            attempt(pair, each, each.do_handshake)
    attempt(pair, peer, lambda: peer.write(b"data" * 1000))
    for operation in (lambda: victim.read(100), lambda: victim.write(b"x"), victim.unwrap, lambda: victim.read(100)):
        attempt(pair, victim, operation)


def attempt(pair, end, operation):
    """One operation. Of ours only an SSLError may leave."""
    told = None
    try:
        operation()
    except (ours.SSLError, real_ssl.SSLError) as error:
        told = error
    with suppress(OSError):  # the stream was ended: nothing can be added
        pair.move()
    if isinstance(told, ours.SSLError):
        assert told.reason is not None or isinstance(told, ours.SSLEOFError | ours.SSLWantReadError | ours.SSLZeroReturnError)
