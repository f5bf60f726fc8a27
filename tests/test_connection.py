"""Connection: what the application sees. Chunking, batches, closing, limits, misuse."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import danger
from puretls.config import PENDING, Limits
from puretls.connection import Connection
from puretls.errors import Aborted, CallbackError, FatalAlert, KeyLimitReached, PeerError, Reason, UsageError
from puretls.events import NEED_DATA, PAUSED, ConnectionClosed, DataReceived
from puretls.extensions import ExtendedMasterSecret, MaxFragmentLength, RecordSizeLimit
from puretls.iana import AlertDescription
from puretls.intercept import Direction
from puretls.session import MemorySessionStore
from tests.support.credentials import NAME, NOW, credential
from tests.support.pair import (
    End,
    client_config,
    fields_for,
    no_security,
    pair,
    psk_client,
    psk_server,
    real,
    server_config,
    suite_named,
)

# Chunking: any split or coalescing gives the same events and the same output


def transcript(cut, *, provider, close=True):
    """Events and bytes of a conversation whose bytes arrive in the pieces that `cut` makes."""
    fields = {"provider": provider}
    joined = pair(
        fields | {"random": danger.fixed_random(b"c"), "credentials": (credential(usage="client"),)},
        fields | {"random": danger.fixed_random(b"s"), "client_authentication": "require"},
    )
    joined.client.connection.start()
    joined.run(cut)
    joined.client.connection.send(b"q" * 700)
    joined.server.connection.send(b"a" * 3000)
    joined.run(cut)
    if close:
        joined.client.connection.close()
        joined.run(cut)
    return [(bytes(end.sent), [repr(event) for event in end.events], end.state) for end in joined.ends()]


def byte_by_byte(data):
    return [data[index : index + 1] for index in range(len(data))]


def test_one_byte_at_a_time_gives_the_same():
    for provider in (no_security(), real()):
        assert transcript(byte_by_byte, provider=provider) == transcript(None, provider=provider)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_split_gives_the_same_events_and_output(data):
    def cut(stream):
        cuts = sorted(data.draw(st.lists(st.integers(1, max(1, len(stream) - 1)), max_size=6)))
        return [piece for piece in (stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)) if piece]

    assert transcript(cut, provider=no_security()) == transcript(None, provider=no_security())


@pytest.mark.full
@given(data=st.data())
@settings(max_examples=1000, deadline=None)
def test_any_split_gives_the_same_events_and_output_many_times(data):
    sizes = data.draw(st.lists(st.integers(1, 400), min_size=1, max_size=8))

    def cut(stream):
        pieces, position, turn = [], 0, 0
        while position < len(stream):
            pieces.append(stream[position : position + sizes[turn % len(sizes)]])
            position += sizes[turn % len(sizes)]
            turn += 1
        return pieces

    assert transcript(cut, provider=no_security()) == transcript(None, provider=no_security())


BATCHED = ("TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", "TLS_PSK_WITH_AES_256_CBC_SHA384",
           "TLS_PSK_WITH_AES_128_CCM_8", "TLS_PSK_WITH_RC4_128_SHA")  # fmt: skip


class Nothing:
    """An interceptor that changes nothing, but makes the connection go record by record."""

    def __getattr__(self, name):
        return lambda value, where: value if name == "flight" else (value,)


def _bulk(name, sizes, interceptors, touch=None):
    """Data of these sizes, fed at once: events, bytes, trace of the receiving end."""
    client, server = fields_for(suite_named(name))
    common = {"provider": real(), "interceptors": interceptors, "trace_level": "full"}
    joined = pair(client | common | {"random": danger.fixed_random(b"c")}, server | common | {"random": danger.fixed_random(b"s")})
    joined.handshake()
    for size in sizes:
        joined.client.connection.send(b"%d" % (size % 10) * size)
    wire = bytearray(joined.client.take())
    if touch is not None and wire:
        wire[touch % len(wire)] ^= 1
    joined.server.feed(bytes(wire))
    trace = [(entry.layer, entry.content_type, entry.raw, entry.offset, entry.state_before) for entry in joined.server.connection.trace]
    error = joined.server.error
    return bytes(wire), [repr(e) for e in joined.server.events], str(error), joined.server.take(), trace, joined.server.state


@pytest.mark.parametrize("name", BATCHED)
@given(sizes=st.lists(st.sampled_from((0, 1, 17, 300, 1000)), min_size=1, max_size=7))
@settings(max_examples=6, deadline=None)
def test_batches_give_what_record_by_record_gives(name, sizes):
    assert _bulk(name, sizes, ()) == _bulk(name, sizes, (Nothing(),))


@pytest.mark.parametrize("name", BATCHED)
@given(sizes=st.lists(st.sampled_from((1, 17, 300)), min_size=2, max_size=7), touch=st.integers(0, 5000))
@settings(max_examples=6, deadline=None)
def test_bad_record_in_a_run_fails_at_its_own_place(name, sizes, touch):
    assert _bulk(name, sizes, (), touch) == _bulk(name, sizes, (Nothing(),), touch)


def test_large_buffer_becomes_many_records_and_arrives_whole():
    joined = pair().handshake()
    joined.exchange(b"u" * 100_000, b"d" * 200_000)
    sizes = [len(event.data) for event in joined.client.events if isinstance(event, DataReceived)]
    assert sizes == [2**14] * 12 + [200_000 - 12 * 2**14]


# Fragment sizes


@pytest.mark.rfc("6066", "4")
@pytest.mark.parametrize("length", [512, 1024, 2048, 4096])
def test_max_fragment_length_bounds_both_directions(length):
    joined = pair({"extensions": (MaxFragmentLength(length),)}).handshake()
    joined.check_secrets()
    joined.exchange(b"u" * 10_000, b"d" * 10_000)
    for end in joined.ends():
        assert max(len(event.data) for event in end.events if isinstance(event, DataReceived)) == length
        assert end.connection.negotiated.result(MaxFragmentLength) == length


@pytest.mark.rfc("8449", "4")
@pytest.mark.parametrize(("client", "server"), [(64, 2**14), (300, 700), (2**14, 64)])
def test_record_size_limit_bounds_each_direction_by_itself(client, server):
    joined = pair({"extensions": (RecordSizeLimit(client),)}, {"extensions": (RecordSizeLimit(server),)}).handshake()
    joined.check_secrets()
    joined.exchange(b"u" * 20_000, b"d" * 20_000)
    for end, limit in zip(joined.ends(), (client, server), strict=True):
        assert max(len(event.data) for event in end.events if isinstance(event, DataReceived)) == limit


@pytest.mark.rfc("8449", "5")
def test_record_size_limit_goes_before_max_fragment_length():
    near = {"extensions": (RecordSizeLimit(700), MaxFragmentLength(512))}
    joined = pair(near, {"extensions": (RecordSizeLimit(900),)}).handshake()
    joined.check_secrets()
    joined.exchange(b"u" * 2000, b"d" * 2000)
    assert max(len(event.data) for event in joined.client.events if isinstance(event, DataReceived)) == 700


def test_own_fragments_may_be_smaller():
    joined = pair({"max_send_fragment": 100}).handshake()
    joined.check_secrets()
    joined.exchange(b"u" * 250, b"")
    assert [len(event.data) for event in joined.server.events if isinstance(event, DataReceived)] == [100, 100, 50]


# Closing


@pytest.mark.rfc("5246", "7.2.1")
@pytest.mark.parametrize("side", ["client", "server"])
def test_close_notify_is_answered_and_both_ends_close_cleanly(side):
    joined = pair().handshake()
    getattr(joined, side).connection.close()
    joined.run()
    for end in joined.ends():
        assert end.events[-1] == ConnectionClosed(clean=True)
        assert end.state == "CLOSED"
        assert end.alerts_sent == ["close_notify"]
        assert end.connection.is_closed


@pytest.mark.rfc("5246", "7.2.1")
def test_after_closing_what_the_peer_still_sends_is_received():
    joined = pair().handshake()
    joined.server.connection.send(b"already on its way")
    late = joined.server.take()
    joined.client.connection.close()
    with pytest.raises(UsageError):
        joined.client.connection.send(b"too late")
    joined.client.feed(late)
    assert joined.client.data == b"already on its way"


@pytest.mark.rfc("5246", "7.2.1")
@pytest.mark.parametrize("when", ["before", "handshake", "connected", "in a record"])
def test_end_of_stream_without_close_notify_is_told(when):
    joined = pair()
    if when != "before":
        joined.client.connection.start()
        joined.server.feed(joined.client.take())
    if when in {"connected", "in a record"}:
        joined.run()
    if when == "in a record":
        joined.server.feed(b"\x17\3\3\0\x50half")
    joined.server.feed(b"")
    assert joined.server.events[-1] == ConnectionClosed(clean=False)
    assert joined.server.state == "CLOSED"
    assert joined.server.connection.next_event() is NEED_DATA


def test_bytes_after_close_notify_are_kept_for_who_goes_on_in_the_clear():
    joined = pair().handshake()
    joined.client.connection.close()
    joined.server.feed(joined.client.take() + b"plain text")
    assert joined.server.connection.trailing_data == b"plain text"


@pytest.mark.rfc("5246", "7.2.2")
@pytest.mark.parametrize("description", [d for d in AlertDescription if d is not AlertDescription.CLOSE_NOTIFY], ids=lambda d: d.name)
def test_fatal_alert_ends_the_connection_at_both_ends(description):
    joined = pair().handshake()
    joined.client.connection.abort(description)
    joined.run()
    assert isinstance(joined.server.error, FatalAlert)
    assert joined.server.error.description == description
    assert joined.server.alerts_sent == []
    assert joined.server.connection.bytes_to_send() == b""
    assert isinstance(joined.client.error, Aborted)
    assert f"alert {description.name.lower()}" in str(joined.client.error)
    assert joined.client.alerts_sent == [description.name.lower()]


@pytest.mark.rfc("5246", "7.2")
@pytest.mark.parametrize("said", [b"\3\0", b"\3\1", b"\3\3"])
@pytest.mark.parametrize("role", ["client", "server"])
def test_fatal_alert_that_can_be_read_is_reported_whatever_version_its_record_says(role, said):
    """A peer that gave up on the hello may not speak our version: its reason must not be lost behind a quarrel over the version."""
    joined = pair()
    joined.client.connection.start()
    joined.server.feed(joined.client.take())
    flight = joined.server.take()
    joined.client.feed(flight[: 5 + int.from_bytes(flight[3:5], "big")])
    end = getattr(joined, role)
    assert end.connection.negotiated is not None
    end.feed(b"\x15" + said + b"\0\2\2\x28")
    assert isinstance(end.error, FatalAlert)
    assert end.error.description == AlertDescription.HANDSHAKE_FAILURE
    assert end.alerts_sent == []


@pytest.mark.rfc("5246", "6.2.3.1")
def test_alert_under_keys_is_authenticated_whatever_version_its_record_says():
    joined = pair({"provider": real()}, {"provider": real()}).handshake()
    joined.client.feed(b"\x15\3\1\0\2\2\x28")
    assert joined.client.error.reason is Reason.BAD_RECORD_MAC


@pytest.mark.rfc("5246", "7.2.1")
def test_abort_after_close_tells_of_no_alert_that_was_not_sent():
    joined = pair().handshake()
    joined.client.connection.close()
    joined.client.connection.abort(AlertDescription.USER_CANCELED)
    joined.run()
    assert joined.client.alerts_sent == ["close_notify"]
    assert joined.server.alerts_received == ["close_notify"]
    assert isinstance(joined.client.error, Aborted)
    assert not joined.client.error.alert_sent
    assert "no alert was sent" in str(joined.client.error)


def test_refusal_after_close_tells_of_no_alert_that_was_not_sent():
    joined = pair({"provider": real()}, {"provider": real()}).handshake()
    joined.client.connection.close()
    joined.client.feed(b"\x17\3\3\0\x40" + bytes(64))
    assert joined.client.alerts_sent == ["close_notify"]
    assert joined.client.error.reason is Reason.BAD_RECORD_MAC
    assert "(not sent)" in str(joined.client.error)


@pytest.mark.rfc("5246", "6.1")
@pytest.mark.parametrize("action", ["send", "abort", "close", "receive"])
def test_key_that_is_used_up_is_not_the_peers_fault(action):
    """What seals nothing more seals no alert either, and none is told of; who receives too much can still say so."""
    joined = pair({"limits": Limits(records_per_key=1 if action != "receive" else 2**20)}, {"limits": Limits(records_per_key=1)}).handshake()
    client, server = joined.ends()
    if action == "receive":
        client.connection.send(b"x")
        server.feed(client.take())
        assert isinstance(server.error, KeyLimitReached)
        assert server.alerts_sent == []  # its own key is used up by the Finished as well
        return
    calls = {"send": lambda: client.connection.send(b"x"), "close": client.connection.close, "abort": client.connection.abort}
    if action == "abort":
        client.connection.abort()
        client.drain()
        assert isinstance(client.error, Aborted)
        assert not client.error.alert_sent
    else:
        with pytest.raises(KeyLimitReached, match="connect anew"):
            calls[action]()
    client.drain()
    assert client.state == "FAILED"
    assert client.alerts_sent == []
    assert client.take() == b""


@pytest.mark.rfc("5246", "7.2.2")
def test_warnings_are_told_and_do_no_harm():
    from puretls.messages.records import Record

    joined = pair().handshake()
    for number in (90, 100, 112, 200):
        danger.parts(joined.server.connection).outbound.send(21, bytes((1, number)), 2**14)
        joined.run()
        joined.exchange()
    assert len(joined.client.alerts_received) == 4
    assert Record(21, 0x0303, b"").type == 21


# Misuse, call-backs, order of calls


def test_sending_before_the_handshake_is_refused():
    joined = pair()
    for end in joined.ends():
        with pytest.raises(UsageError):
            end.connection.send(b"x")
    joined.client.connection.start()
    with pytest.raises(UsageError, match="HandshakeCompleted"):
        joined.client.connection.send(b"x")


def test_starting_twice_is_refused():
    joined = pair()
    joined.client.connection.start()
    with pytest.raises(UsageError):
        joined.client.connection.start()
    joined.run()
    joined.check_secrets()


def test_names_are_checked():
    for name in ("two words", "a..b", "\0", "x" * 300):
        with pytest.raises(UsageError):
            Connection.client(client_config(), name)


@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_addresses_are_verified_but_not_sent(address):
    joined = pair({}, {"credentials": (credential(),)}, name=address).handshake()
    joined.check_secrets()
    assert joined.server.connection.server_name is None
    assert joined.client.connection.server_name == address


class Broken(Exception):
    pass


def _breaking(*args, **keywords):
    raise Broken("secret words")


@pytest.mark.parametrize(
    ("side", "fields"),
    [("client", {"verifier": _breaking}), ("client", {"random": _breaking}), ("client", {"clock": _breaking}), ("client", {"key_log": _breaking}),
     ("server", {"random": _breaking}), ("server", {"key_log": _breaking}), ("server", {"clock": _breaking, "session_cache": MemorySessionStore()})],
)  # fmt: skip
def test_call_back_that_fails_gives_internal_error_and_tells_the_peer(side, fields):
    joined = pair(fields if side == "client" else {}, fields if side == "server" else {})
    end = getattr(joined, side)
    try:
        joined.handshake()
    except CallbackError as error:  # raised by start() itself
        end.error = error
    assert isinstance(end.error, CallbackError)
    assert end.error.name == next(iter(fields))
    assert str(end.error).startswith(f"{end.error.name} raised Broken")
    assert "secret words" not in str(end.error)
    assert isinstance(end.error.__cause__, Broken)
    assert b"\x02\x50" in bytes(end.sent) + end.connection.bytes_to_send()


class _Unkept(MemorySessionStore):
    def __init__(self, method):
        super().__init__()
        self._fails = method

    def get(self, key):
        return _breaking() if self._fails == "get" else super().get(key)

    def put(self, key, session):
        return _breaking() if self._fails == "put" else super().put(key, session)


def _tap(name):
    return type("Tapping", (Nothing,), {name: lambda self, value, where: _breaking()})()


PSK_SUITE = suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256")
# What the application may have called, besides those above: whose fields, the configuration's fields, the name in the error
FAILING = {
    "psk": ("client", {"psk": _breaking, "suites": (PSK_SUITE,)}, "psk"),
    "psk of a server": ("server", {"psk": _breaking}, "psk"),
    "client_certificate": ("client", {"client_certificate": _breaking}, "client_certificate"),
    "store, put": ("client", {"session_store": _Unkept("put")}, "session_store.put"),
    "cache, put": ("server", {"session_cache": _Unkept("put")}, "session_cache.put"),
    **{f"tap {name}": ("client", {"interceptors": (_tap(name),)}, f"Tapping.{name}") for name in
       ("flight", "message", "handshake", "plaintext", "ciphertext")},
    "random that gives too little": ("client", {"random": lambda count: b"r"}, "random must give"),
    "random that gives text": ("server", {"random": lambda count: "r" * count}, "random must give"),
    "clock that gives text": ("client", {"clock": lambda: "noon"}, "clock must give seconds since 1970, not str"),
    "clock that gives nothing": ("server", {"clock": lambda: None}, "clock must give seconds since 1970, not None"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAILING)
def test_call_back_that_fails_is_named(what):
    side, fields, name = FAILING[what]
    both = {"suites": (PSK_SUITE,), "psk": psk_client}, {"suites": (PSK_SUITE,), "psk": psk_server, "credentials": ()}
    client, server = both if "psk" in what else ({}, {"client_authentication": "request", "session_cache": MemorySessionStore()})
    joined = pair(client | (fields if side == "client" else {}), server | (fields if side == "server" else {}))
    end = getattr(joined, side)
    try:
        joined.handshake()
    except UsageError as error:
        end.error = error
    assert isinstance(end.error, UsageError)
    assert name in str(end.error)
    assert "secret words" not in str(end.error)
    assert end.state == "FAILED"


def test_session_store_that_fails_while_a_client_is_made_is_named():
    with pytest.raises(CallbackError, match=r"session_store\.get raised Broken"):
        pair({"session_store": _Unkept("get")})


class _Forgetful(MemorySessionStore):
    def discard(self, key):
        raise Broken("secret words")


def _silent_alerts():
    class Taps(Nothing):
        def plaintext(self, record, where):
            if record.type == 21 and where.direction is Direction.OUTBOUND:
                raise Broken("secret words")
            return (record,)

    return Taps()


@pytest.mark.parametrize("fields", [{"session_store": _Forgetful()}, {"interceptors": (_silent_alerts(),)}], ids=["store", "tap"])
@pytest.mark.parametrize("wire", [b"\x15\3\3\0\2\2\x28", b"\x18\3\3\0\1x"], ids=["alert received", "alert to be sent"])
def test_call_back_that_fails_while_the_connection_fails_does_not_keep_it_alive(fields, wire):
    joined = pair(fields)
    joined.client.connection.start()
    joined.client.feed(wire)  # anything but a PuretlsError would leave here
    assert joined.client.state == "FAILED"
    assert isinstance(joined.client.error, FatalAlert if wire[0] == 21 else PeerError)
    with pytest.raises(type(joined.client.error)):
        joined.client.connection.next_event()


def test_closing_fails_as_any_other_step_does():
    joined = pair({"interceptors": (_silent_alerts(),)}).handshake()
    with pytest.raises(CallbackError, match=r"Taps\.plaintext raised Broken"):
        joined.client.connection.close()
    assert joined.client.state == "FAILED"


@pytest.mark.parametrize("verdict", [None, PENDING, "yes", 1], ids=str)
def test_verdict_that_is_none_leaves_the_question_open(verdict):
    joined = pair({"verifier": lambda request: PENDING}).handshake()
    with pytest.raises(UsageError, match="verdict"):
        joined.client.connection.answer(verdict)
    assert joined.client.connection.next_event() is PAUSED
    joined.client.connection.answer(danger.AcceptedUnverified())
    joined.run()
    joined.check_secrets()


@pytest.mark.parametrize("verdict", [None, "yes", object()], ids=["None", "a string", "an object"])
def test_verifier_that_gives_no_report_refuses(verdict):
    joined = pair({"verifier": lambda request: verdict}).handshake()
    assert isinstance(joined.client.error, UsageError)
    assert joined.server.alerts_received == ["internal_error"]


def test_late_answer_to_a_connection_that_was_given_up_is_refused():
    joined = pair({"verifier": lambda request: PENDING}).handshake()
    joined.client.connection.abort()
    with pytest.raises(UsageError):
        joined.client.connection.answer(danger.AcceptedUnverified())
    assert joined.client.connection.peer_report is None


# Nothing is sent after close_notify (RFC 5246 7.2.1)


def _types(wire):
    """Content types of the records in `wire`."""
    found, position = [], 0
    while position < len(wire):
        found.append(wire[position])
        position += 5 + int.from_bytes(wire[position + 3 : position + 5], "big")
    return found


@pytest.mark.rfc("5246", "7.2.1")
def test_handshake_ends_with_our_close_notify():
    joined = pair()
    joined.client.connection.start()
    joined.server.feed(joined.client.take())
    joined.client.connection.close()
    joined.client.feed(joined.server.take())
    assert _types(joined.client.take()) == [21]
    joined = pair({"verifier": lambda request: PENDING}).handshake()
    joined.client.connection.close()
    joined.client.connection.answer(danger.AcceptedUnverified())
    assert _types(joined.client.take()) == [21]
    joined = pair()
    joined.client.connection.close()
    with pytest.raises(UsageError, match="closed"):
        joined.client.connection.start()
    assert _types(joined.client.take()) == [21]


@pytest.mark.rfc("5246", "7.2.1")
def test_data_that_waits_for_a_renegotiation_goes_out_before_close_notify():
    joined = pair({"renegotiation": True}, {"renegotiation": True}).handshake()
    joined.client.connection.renegotiate()
    joined.client.connection.send(b"waits")
    joined.client.connection.close()
    with pytest.raises(UsageError):
        joined.client.connection.send(b"too late")
    assert not joined.client.connection.is_connected
    joined.client.connection.close()
    joined.run()
    assert joined.server.data == b"waits"
    assert joined.client.events[-1] == joined.server.events[-1] == ConnectionClosed(clean=True)
    assert joined.client.alerts_sent == ["close_notify"]


@pytest.mark.rfc("5246", "7.2.1")
def test_no_alert_follows_close_notify():
    joined = pair().handshake()
    joined.client.connection.close()
    joined.client.connection.abort()
    assert joined.client.connection.config.session_store is None
    out = joined.client.take()
    joined.server.feed(out)
    assert joined.server.alerts_received == ["close_notify"]
    assert _types(out) == [21]


def test_more_input_than_is_held_is_the_callers_fault():
    connection = Connection.server(server_config(limits=Limits(buffered=1000)))
    connection.receive_bytes(b"\x16\3\3\x40\0" + bytes(2000))
    with pytest.raises(UsageError, match="next_event"):
        connection.receive_bytes(b"x")


def test_events_come_before_the_failure():
    joined = pair().handshake()
    joined.client.connection.send(b"first")
    joined.server.feed(joined.client.take() + b"\x18\3\3\0\1x")
    assert joined.server.data == b"first"
    assert isinstance(joined.server.error, PeerError)


def test_failed_connection_raises_the_same_again():
    joined = pair({"verifier": None}).handshake()
    for _ in range(3):
        with pytest.raises(PeerError) as caught:
            joined.client.connection.next_event()
        assert caught.value is joined.client.error
    assert joined.client.connection.step() is False


def test_events_of_a_handshake_in_order():
    joined = pair({"credentials": (credential(usage="client"),)}, {"client_authentication": "require"}).handshake()
    assert joined.client.kinds() == ["HandshakeStarted", "ParametersNegotiated", "CertificateReceived", "HandshakeCompleted"]
    assert joined.server.kinds() == ["HandshakeStarted", "ParametersNegotiated", "CertificateReceived", "HandshakeCompleted"]


def test_stepping_does_one_thing_at_a_time():
    joined = pair()
    joined.client.connection.start()
    server = joined.server.connection
    server.receive_bytes(joined.client.take())
    states = [server.state.name]
    while server.step():
        states.append(server.state.name)
    assert states[0] == "START"
    assert states[-1] == "WAIT_CLIENT_KEY_EXCHANGE"
    assert len(states) == 3  # the record, then the message


@pytest.mark.parametrize("name", ["TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_PSK_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_RC4_128_SHA"])
def test_fork_goes_on_from_the_same_place(name):
    client, server = fields_for(suite_named(name))
    joined = pair(client | {"provider": real()}, server | {"provider": real()}).handshake()
    joined.exchange()
    twins = [End(danger.fork(end.connection)) for end in joined.ends()]
    joined.exchange(b"one way", b"")
    twins[0].connection.send(b"another way")
    twins[1].feed(twins[0].take())
    assert twins[1].data == b"another way"
    assert joined.server.data.endswith(b"one way")
    joined.exchange()


def test_fork_in_the_middle_of_a_handshake():
    joined = pair()
    joined.client.connection.start()
    joined.server.feed(joined.client.take())
    flight = joined.server.take()
    joined.client.feed(flight[:400])
    twin = End(danger.fork(joined.client.connection))
    for end in (joined.client, twin):
        end.feed(flight[400:])
        assert end.take()
        assert end.state == "WAIT_CCS"


# Exporters, bindings, key log


@pytest.mark.rfc("5705", "4")
def test_exporter_refuses_labels_of_tls_itself_and_unfinished_handshakes():
    with pytest.raises(UsageError):
        pair().client.connection.export_keying_material(b"EXPORTER-x", 16)
    connection = pair().handshake().client.connection
    for label in (b"client finished", b"server finished", b"master secret", b"key expansion", b"extended master secret"):
        with pytest.raises(UsageError):
            connection.export_keying_material(label, 16)
    with pytest.raises(UsageError):
        connection.export_keying_material(b"EXPORTER-x", 16, bytes(2**16))
    values = {connection.export_keying_material(b"EXPORTER-x", 16, context) for context in (None, b"", b"a")}
    assert len(values) == 3
    assert len(connection.export_keying_material(b"EXPORTER-x", 1000)) == 1000
    assert len(connection.export_keying_material(b"EXPORTER-x", 2**16 - 1)) == 2**16 - 1


@pytest.mark.parametrize("length", [0, -1, 2**16, 2.5, "8"])
def test_exporter_gives_a_byte_at_least_and_65535_at_most(length):
    joined = pair().handshake()
    with pytest.raises(UsageError, match="length"):
        joined.client.connection.export_keying_material(b"EXPORTER-x", length)


@pytest.mark.parametrize("data", [3, "text", [1, 2]], ids=str)
def test_only_bytes_are_sent(data):
    joined = pair().handshake()
    with pytest.raises(UsageError, match="bytes"):
        joined.client.connection.send(data)
    joined.exchange()


@pytest.mark.rfc("5929", "3")
def test_tls_unique_is_the_first_finished():
    joined = pair().handshake()
    finished = [entry for entry in joined.client.connection.trace.messages() if entry.name == "Finished"]
    for end in joined.ends():
        assert end.connection.channel_binding("tls-unique") == finished[0].raw[4:]


@pytest.mark.rfc("5929", "3")
def test_tls_unique_of_a_resumption_is_the_servers_finished():
    far = {"session_cache": MemorySessionStore(clock=lambda: NOW)}
    session = pair({}, far).handshake().client.connection.session
    joined = pair({}, far, session=session).handshake()
    finished = [entry for entry in joined.client.connection.trace.messages() if entry.name == "Finished"]
    assert joined.client.connection.channel_binding("tls-unique") == finished[0].raw[4:] == joined.server.connection.channel_binding("tls-unique")
    off = {"extensions": (ExtendedMasterSecret(enabled=False),)}
    session = pair(off, far).handshake().client.connection.session
    joined = pair(off, far, session=session).handshake()
    with pytest.raises(UsageError, match="not unique"):
        joined.client.connection.channel_binding("tls-unique")


@pytest.mark.rfc("5929", "4")
@pytest.mark.parametrize("kind", ["secp256r1", "rsa2048", "secp521r1"])
def test_tls_server_end_point_is_the_hash_of_the_certificate(kind):
    import hashlib

    joined = pair({}, {"credentials": (credential(kind),)}).handshake()
    expected = hashlib.sha256(credential(kind).chain[0]).digest()  # the test CA signs with ECDSA and SHA-256
    for end in joined.ends():
        assert end.connection.channel_binding("tls-server-end-point") == expected


@pytest.mark.rfc("9266", "4.2")
def test_tls_exporter_needs_extended_master_secrets():
    joined = pair().handshake()
    assert joined.client.connection.channel_binding("tls-exporter") == joined.server.connection.channel_binding("tls-exporter")
    without = pair({"extensions": (ExtendedMasterSecret(enabled=False),)}).handshake()
    with pytest.raises(UsageError, match="extended_master_secret"):
        without.client.connection.channel_binding("tls-exporter")
    with pytest.raises(UsageError, match="unknown"):
        joined.client.connection.channel_binding("tls-nothing")
    client, server = fields_for(suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"))
    with pytest.raises(UsageError, match="no server certificate"):
        pair(client, server).handshake().client.connection.channel_binding("tls-server-end-point")


def test_key_log_gets_one_line_a_connection_from_each_side():
    lines = {"client": [], "server": []}
    joined = pair({"key_log": lines["client"].append}, {"key_log": lines["server"].append}).handshake()
    assert lines["client"] == lines["server"]
    (line,) = lines["client"]
    label, client_random, master = line.split(" ")
    assert label == "CLIENT_RANDOM"
    assert client_random == joined.client.connection.negotiated.client_random.hex()
    assert len(bytes.fromhex(master)) == 48


def test_properties_along_the_way():
    joined = pair()
    client, server = joined.client.connection, joined.server.connection
    assert (client.negotiated, client.session, client.is_connected, client.is_handshaking, client.server_name) == (None, None, False, False, NAME)
    client.start()
    assert client.is_handshaking
    joined.run()
    assert client.is_connected
    assert server.is_connected
    assert not client.is_handshaking
    assert client.config.suites
    assert client.negotiated.version == 0x0303
    assert client.certificate_request is None
    assert client.ocsp_response is None


def test_nothing_secret_is_in_reprs_and_errors():
    joined = pair({"provider": real()}, {"provider": real()}).handshake()
    for end in joined.ends():
        context = danger.parts(end.connection).progress.context
        master = bytes(context.secrets.master)
        for text in (repr(context), repr(end.connection.negotiated), repr(end.connection.session), repr(end.events)):
            assert master.hex() not in text
            assert repr(master)[2:-1] not in text
