"""Sessions, their stores, the keys that seal tickets."""

import os
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import danger
from puretls.crypto.secret import Secret
from puretls.errors import DecodeError, UsageError
from puretls.session import TICKET_KEY_LENGTH, MemorySessionStore, Session, TicketKeys
from puretls.spans import Span, check_tiling
from puretls.wire.schema import annotate

sessions = st.builds(
    Session,
    suite=st.integers(0, 65535),
    master_secret=st.binary(min_size=48, max_size=48).map(Secret),
    created=st.integers(0, 2**40).map(float),
    lifetime=st.integers(0, 2**32 - 1),
    extended_master_secret=st.booleans(),
    max_fragment_length=st.none() | st.sampled_from((512, 4096)),
    session_id=st.binary(max_size=32),
    ticket=st.binary(max_size=40),
    server_name=st.none() | st.sampled_from(("a.test", "xn--bcher-kva.test")),
    alpn=st.none() | st.sampled_from(("h2", "\xff")),
    psk_identity=st.binary(max_size=20),
    peer_chain=st.lists(st.binary(min_size=1, max_size=20), max_size=3).map(tuple),
    signature_scheme=st.none() | st.sampled_from((0x0403, 0x0804)),
    client_signature_scheme=st.none() | st.sampled_from((0x0403, 0x0804)),
    ocsp_response=st.none() | st.binary(min_size=1, max_size=20),
    sct_list=st.none() | st.binary(min_size=3, max_size=20),
)
SESSION = Session(0xC02F, Secret(b"m" * 48), 1000.0, 3600, True)


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


@given(session=sessions)
@settings(max_examples=60, deadline=None)
def test_session_comes_back_from_its_bytes(session):
    assert Session.from_bytes(session.to_bytes()) == session


@given(data=st.binary(max_size=120))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_no_session(data):
    with pytest.raises(DecodeError):
        Session.from_bytes(data)


def test_sessions_of_another_format_are_refused():
    data = bytearray(SESSION.to_bytes())
    data[0] += 1
    with pytest.raises(DecodeError, match="format"):
        Session.from_bytes(bytes(data))


def test_byte_map_of_a_session_names_every_field_and_shows_no_secret():
    data = replace(SESSION, ticket=b"ticket", server_name="a.test").to_bytes()
    spans = annotate(Session, data, start=1)
    assert check_tiling([Span(0, 1, "Session.format"), *spans], len(data)) == ""
    by_path = {span.path: span.value for span in spans}
    assert (by_path["Session.created"], by_path["Session.extended_master_secret"], by_path["Session.server_name"]) == (1000.0, True, "a.test")
    assert "mmmm" not in repr(spans)


@pytest.mark.parametrize(("field", "offset", "wrong"), [("created", 51, b"\xff" * 8), ("extended_master_secret", 63, b"\2"), ("server_name", 76, b"\xff")])
def test_what_to_bytes_never_writes_is_refused_by_field(field, offset, wrong):
    data = bytearray(replace(SESSION, server_name="a.test").to_bytes())
    data[offset : offset + len(wrong)] = wrong
    with pytest.raises(DecodeError) as caught:
        Session.from_bytes(bytes(data))
    assert caught.value.path == f"Session.{field}"
    assert offset - 1 <= caught.value.offset <= offset


def test_secret_is_not_shown():
    assert (b"m" * 48).hex() not in repr(SESSION)
    assert "mmmm" not in repr(SESSION)


@pytest.mark.parametrize(("now", "fresh"), [(1000, True), (4599, True), (4600, False), (939, False), (941, True)])
def test_lifetime_is_bounded_on_both_sides(now, fresh):
    assert SESSION.is_fresh(now) is fresh


def test_store_keeps_what_was_put_until_it_expires():
    clock = Clock()
    store = MemorySessionStore(clock=clock)
    store.put(b"id", SESSION)
    assert store.get(b"id") == SESSION
    clock.now = 5000
    assert store.get(b"id") is None
    assert len(store) == 0


def test_store_is_bounded_and_drops_the_oldest():
    store = MemorySessionStore(capacity=2, clock=Clock())
    for key in (b"a", b"b", b"c"):
        store.put(key, SESSION)
    assert (len(store), store.get(b"a"), store.get(b"c")) == (2, None, SESSION)
    store.discard(b"c")
    store.discard(b"never there")
    assert store.get(b"c") is None
    with pytest.raises(UsageError):
        MemorySessionStore(capacity=0)


def test_store_may_be_used_by_several_threads():
    store, failures = MemorySessionStore(capacity=50, clock=Clock()), []

    def work(seed):
        try:
            for number in range(300):
                key = b"%d" % ((number * seed) % 80)
                store.put(key, SESSION)
                store.get(key)
                store.discard(b"%d" % (number % 7))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(store) <= 50


@pytest.mark.rfc("5077", "4")
@given(session=sessions)
@settings(max_examples=25, deadline=None)
def test_ticket_gives_the_session_back(session):
    keys = TicketKeys([b"k" * 48], clock=Clock())
    opened, renew = keys.open(keys.seal(session))
    assert opened == replace(session, ticket=b"")
    assert not renew


@pytest.mark.rfc("5077", "4")
def test_touched_ticket_gives_nothing():
    keys = TicketKeys([b"k" * 48], clock=Clock())
    ticket = keys.seal(SESSION)
    for position in range(len(ticket)):
        touched = bytearray(ticket)
        touched[position] ^= 1
        assert keys.open(bytes(touched)) == (None, False)
    for end in range(len(ticket)):
        assert keys.open(ticket[:end]) == (None, False)


@given(ticket=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_behind_the_key_name_give_nothing(ticket):
    keys = TicketKeys([b"k" * 48], clock=Clock())
    assert keys.open(ticket) == keys.open(b"k" * 16 + ticket) == (None, False)


def test_machines_with_the_same_keys_accept_each_others_tickets():
    ticket = TicketKeys([b"k" * 48], clock=Clock()).seal(SESSION)
    assert TicketKeys([b"k" * 48], clock=Clock()).open(ticket) == (SESSION, False)
    assert TicketKeys([b"n" * 48, b"k" * 48], clock=Clock()).open(ticket) == (SESSION, True)
    assert TicketKeys([b"n" * 48], clock=Clock()).open(ticket) == (None, False)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "1", None], ids=str)
def test_ticket_keys_without_a_time_to_live_are_refused(seconds):
    for name in ("period", "lifetime"):
        with pytest.raises(UsageError, match="numbers of seconds above 0"):
            TicketKeys(**{name: seconds})


def test_random_keys_are_rotated_and_old_ones_still_open_for_a_while():
    clock = Clock()
    keys = TicketKeys(period=100, lifetime=200, clock=clock, random=danger.fixed_random())
    first = keys.seal(SESSION)
    clock.now += 100
    second = keys.seal(SESSION)
    assert first[:16] != second[:16]
    assert keys.open(first) == (SESSION, True)
    assert keys.open(second) == (SESSION, False)
    for _ in range(4):
        clock.now += 100
        keys.seal(SESSION)
    assert keys.open(first) == (None, False)
    assert len(keys._keys) <= 4


def test_set_and_rotate():
    keys = TicketKeys([b"a" * 48], clock=Clock())
    old = keys.seal(SESSION)
    keys.rotate()
    assert keys.open(old) == (SESSION, True)
    keys.set([b"b" * 48])
    assert keys.open(old) == (None, False)
    with pytest.raises(UsageError):
        keys.set([])
    with pytest.raises(UsageError):
        keys.set([b"short"])


def test_keys_are_not_shown():
    assert "k" * 8 not in repr(TicketKeys([b"k" * 48])).replace("keys", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_ticket_keys_survive_a_fork():
    keys = TicketKeys([b"k" * TICKET_KEY_LENGTH], clock=Clock())
    ticket = keys.seal(SESSION)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"y" if keys.open(ticket)[0] == SESSION else b"n")
        os._exit(0)
    os.waitpid(child, 0)
    answer = os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    assert answer == b"y"


def test_clock_that_goes_back_does_not_keep_a_key_for_ever():
    clock = Clock(10**9)
    keys = TicketKeys(period=100, lifetime=200, clock=clock, random=danger.fixed_random())
    ahead = keys.seal(SESSION)
    clock.now = 1000.0
    assert keys.seal(SESSION)[:16] != ahead[:16]
    for _ in range(5):
        clock.now += 100
        keys.seal(SESSION)
    assert keys.open(ahead) == (None, False)
    assert len(keys._keys) <= 4


def test_keys_that_were_set_are_not_replaced_by_a_rotation_that_had_begun():
    clock = Clock()
    keys = TicketKeys(period=100, clock=clock)
    ours, setters = b"n" * 48, []

    def clock_during_which_keys_are_set():
        keys._clock = clock
        setters.append(setter := threading.Thread(target=keys.set, args=([ours],)))
        setter.start()
        setter.join(0.2)
        clock.now += 1000
        return clock.now

    keys._clock = clock_during_which_keys_are_set
    keys.seal(SESSION)
    setters[0].join(5)
    assert keys.seal(SESSION).startswith(ours[:16])


def test_exported_ticket_keys_open_what_was_sealed_elsewhere():
    ours = TicketKeys()
    old = ours.seal(SESSION)
    ours.rotate()
    theirs = TicketKeys(ours.export())
    assert [theirs.open(ticket) for ticket in (ours.seal(SESSION), old)] == [(SESSION, False), (SESSION, True)]
    assert [repr(key) for key in ours.export()] == ["Secret(48 bytes)"] * 2
