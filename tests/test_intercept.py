"""Interceptors: change, drop, repeat, reorder and inject at each of the five taps; the transcript line."""

from dataclasses import replace

import pytest

from puretls.errors import FatalAlert, PeerError, Reason
from puretls.events import HandshakeStarted
from puretls.handshake.effects import ChangeWriteKeys, Emit, Send
from puretls.intercept import Direction, Interceptor, Where, through
from puretls.messages import handshake as hs
from puretls.messages.extension import RawExtension
from puretls.messages.key_exchange import ServerKeyExchange
from puretls.messages.records import ApplicationData, ChangeCipherSpec, Record
from tests.support.breaks import Break, add_extension, before, drop, message, plain, record, repeat
from tests.support.pair import pair

IN, OUT = Direction.INBOUND, Direction.OUTBOUND
GREASE = RawExtension(0x1A1A, b"")
either_side = pytest.mark.parametrize("side", ["client", "server"])


def joined_with(side, *interceptors, **options):
    client, server = ({"interceptors": interceptors}, {}) if side == "client" else ({}, {"interceptors": interceptors})
    return pair(client, server, **options)


class Watch(Interceptor):
    """Notes what passes where."""

    def __init__(self):
        self.seen = []

    def _note(self, tap, value, where):
        self.seen.append((tap, where.direction, value, where))
        return value if tap == "flight" else (value,)

    def flight(self, effects, where):
        return self._note("flight", effects, where)

    def message(self, message, where):
        return self._note("message", message, where)

    def handshake(self, raw, where):
        return self._note("handshake", raw, where)

    def plaintext(self, record, where):
        return self._note("plaintext", record, where)

    def ciphertext(self, raw, where):
        return self._note("ciphertext", raw, where)


def inbound(tap, wanted, change):
    """As `Break`, for what comes in."""

    class Inbound(Interceptor):
        pass

    def method(self, value, where):
        if where.direction is not IN or not wanted(value):
            return (value,)
        changed = change(value)
        return changed if isinstance(changed, list) else (changed,)

    setattr(Inbound, tap, method)
    return Inbound()


# What passes


@either_side
def test_interceptor_that_keeps_everything_changes_nothing(side):
    watch = Watch()
    joined = joined_with(side, watch, Interceptor()).handshake()
    joined.check_secrets()
    joined.exchange()
    taps = {(tap, direction) for tap, direction, *_ in watch.seen}
    assert taps == {(tap, direction) for tap in ("message", "handshake", "plaintext", "ciphertext") for direction in Direction} | {("flight", OUT)}


def test_order_of_the_taps_is_mirrored_inbound():
    watch = Watch()
    joined = joined_with("client", watch)
    joined.client.connection.start()
    assert [tap for tap, direction, *_ in watch.seen if direction is OUT] == ["flight", "message", "handshake", "plaintext", "ciphertext"]
    watch.seen.clear()
    joined.server.feed(joined.client.take())
    joined.client.feed(joined.server.take())
    assert [tap for tap, direction, *_ in watch.seen if direction is IN][:4] == ["ciphertext", "plaintext", "handshake", "message"]


def test_where_tells_role_state_and_epoch():
    watch = Watch()
    joined = joined_with("client", watch).handshake()
    joined.exchange()
    wheres = [(where.role.value, where.state.name, where.epoch) for tap, direction, value, where in watch.seen if tap == "ciphertext"]
    assert wheres[0] == ("client", "WAIT_SERVER_HELLO", 0)
    assert wheres[-1][1:] == ("CONNECTED", 1)
    assert {epoch for *_, epoch in wheres} == {0, 1}


def test_values_pass_all_interceptors_one_after_the_other():
    class Double(Interceptor):
        def handshake(self, raw, where):
            return (raw, raw)

    class Tag(Interceptor):
        def handshake(self, raw, where):
            return (raw + b"!",)

    where = Where(OUT, None, None, 0)
    assert through((Double(), Tag(), Double()), "handshake", b"x", where) == [b"x!"] * 4
    assert through((), "handshake", b"x", where) == [b"x"]


# message: semantic changes, above the transcript line


@pytest.mark.rfc("8446", "4.2.1")
def test_changed_message_above_the_line_completes():
    joined = joined_with("client", add_extension(hs.ClientHello, 0x1A1A)).handshake()
    joined.check_secrets()
    joined.exchange()


@either_side
def test_changed_random_reaches_the_key_schedule(side):
    cls = hs.ClientHello if side == "client" else hs.ServerHello
    joined = joined_with(side, message(cls, lambda hello: replace(hello, random=b"r" * 32))).handshake()
    joined.check_secrets()
    assert getattr(joined.server.connection.negotiated, f"{side}_random") == b"r" * 32


def test_dropped_message_is_missed_by_the_peer():
    joined = joined_with("server", drop(ServerKeyExchange)).handshake()
    assert joined.client.error.reason is Reason.UNEXPECTED_MESSAGE
    assert "expected ServerKeyExchange" in str(joined.client.error)


def test_repeated_message_is_unexpected_in_the_named_state():
    # The record of a first ClientHello says 3.1 (RFC 5246 E.1), which in a second one would already be wrong.
    joined = joined_with("client", repeat(hs.ClientHello), record(22, lambda r: replace(r, version=0x0303))).handshake()
    assert joined.server.error.reason is Reason.UNEXPECTED_MESSAGE
    assert "got ClientHello" in str(joined.server.error)
    assert joined.server.error.state == "WAIT_CLIENT_KEY_EXCHANGE"


def test_injected_message_is_part_of_the_handshake_both_hash():
    joined = joined_with("server", before(hs.ServerHelloDone, hs.HelloRequest())).handshake()
    joined.check_secrets()


def test_injected_application_data_leaves_as_its_own_record():
    joined = joined_with("client", message(ApplicationData, lambda m: [ApplicationData(b"before"), m, ApplicationData(b"after")])).handshake()
    joined.client.connection.send(b"-")
    joined.run()
    assert joined.server.data == b"before-after"


# handshake: bytes of a message, above the line


def _grease(raw):
    """The same extension, added by hand to the bytes of a ClientHello: all lengths kept right."""
    hello = raw[4:]
    at = 34
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at]
    extensions = hello[at + 2 :] + b"\x1a\x1a\0\0"
    made = hello[:at] + len(extensions).to_bytes(2, "big") + extensions
    return raw[:1] + len(made).to_bytes(3, "big") + made


def test_changed_bytes_above_the_line_complete():
    watch = Watch()
    joined = joined_with("client", Break("handshake", lambda raw, where: raw[0] == 1, _grease), watch).handshake()
    joined.check_secrets()
    sent = next(value for tap, direction, value, _ in watch.seen if tap == "plaintext" and direction is OUT)
    assert b"\x1a\x1a\0\0" in sent.fragment


def test_the_same_change_below_the_line_fails_at_finished():
    def change(value):
        made = _grease(value.fragment)
        return replace(value, fragment=made)

    joined = joined_with("client", Break("plaintext", lambda r, where: r.type == 22 and r.fragment[:1] == b"\1", change)).handshake()
    assert joined.server.error.reason is Reason.BAD_FINISHED
    assert joined.server.error.state == "WAIT_FINISHED"
    assert joined.server.alerts_sent == ["decrypt_error"]
    assert isinstance(joined.client.error, FatalAlert)


def test_the_same_change_on_the_wire_fails_at_finished():
    def change(raw):
        made = _grease(raw[5:])
        return raw[:3] + len(made).to_bytes(2, "big") + made

    joined = joined_with("client", Break("ciphertext", lambda raw, where: raw[5] == 1 and raw[0] == 22, change)).handshake()
    assert joined.server.error.reason is Reason.BAD_FINISHED


def test_dropped_and_repeated_handshake_bytes():
    joined = joined_with("server", Break("handshake", lambda raw, where: raw[0] == 11, lambda raw: [])).handshake()
    assert joined.client.error.reason is Reason.UNEXPECTED_MESSAGE
    joined = joined_with("server", Break("handshake", lambda raw, where: raw[0] == 11, lambda raw: [raw, raw])).handshake()
    assert joined.client.error.reason is Reason.UNEXPECTED_MESSAGE
    joined = joined_with("server", Break("handshake", lambda raw, where: raw[0] == 14, lambda raw: [b"\0\0\0\0", raw])).handshake()
    # The injected HelloRequest went through the line as the connection's own; the client leaves it out of its hash (RFC 5246 7.4.1.1).
    assert not joined.connected


# plaintext and ciphertext: below the line


@either_side
def test_odd_fragmentation_is_no_change_of_the_handshake(side):
    def crumbs(value):
        return [replace(value, fragment=value.fragment[index : index + 3]) for index in range(0, len(value.fragment), 3)]

    joined = joined_with(side, record(22, crumbs)).handshake()
    joined.check_secrets()
    joined.exchange()


@either_side
def test_dropped_record_is_missed(side):
    joined = joined_with(side, record(20, lambda r: [])).handshake()
    assert not joined.connected
    assert isinstance((joined.server if side == "client" else joined.client).error, PeerError)


@either_side
def test_injected_record_takes_part_in_the_count(side):
    joined = joined_with(side, record(23, lambda r: [plain(23, b""), r])).handshake()
    joined.exchange()


@either_side
def test_repeated_wire_record_is_refused_as_not_authentic(side):
    from tests.support.pair import real

    client, server = {"provider": real()}, {"provider": real()}
    (client if side == "client" else server)["interceptors"] = (Break("ciphertext", lambda raw, where: raw[0] == 23, lambda raw: [raw, raw]),)
    joined = pair(client, server).handshake()
    getattr(joined, side).connection.send(b"once")
    joined.run()
    other = joined.server if side == "client" else joined.client
    assert other.data == b"once"
    assert other.error.reason is Reason.BAD_RECORD_MAC


@either_side
def test_reordered_wire_records_are_refused(side):
    from tests.support.pair import real

    held = []

    def swap(raw):
        if not held:
            held.append(raw)
            return []
        return [raw, held.pop()]

    client, server = {"provider": real()}, {"provider": real()}
    (client if side == "client" else server)["interceptors"] = (Break("ciphertext", lambda raw, where: raw[0] == 23, swap),)
    joined = pair(client, server).handshake()
    getattr(joined, side).connection.send(b"first")
    getattr(joined, side).connection.send(b"second")
    joined.run()
    assert (joined.server if side == "client" else joined.client).error.reason is Reason.BAD_RECORD_MAC


def test_wire_segments_are_handed_out_as_cut():
    cut = Break("ciphertext", lambda raw, where: raw[0] == 22, lambda raw: [raw[:7], raw[7:]])
    joined = joined_with("client", cut)
    joined.client.connection.start()
    segments = joined.client.connection.segments_to_send()
    assert [len(segment) for segment in segments][:1] == [7]
    assert len(segments) == 2
    joined.server.feed(b"".join(segments))
    joined.run()
    joined.check_secrets()


def test_record_type_and_version_can_be_anything():
    joined = joined_with("client", record(22, lambda r: replace(r, version=0x0301)))
    joined.client.connection.start()
    assert joined.client.connection.bytes_to_send()[:3] == b"\x16\3\1"
    joined = joined_with("client", record(22, lambda r: replace(r, type=99)))
    joined.client.connection.start()
    assert joined.client.connection.bytes_to_send()[0] == 99


# flight: effects


def _is_send(cls):
    def found(effect):
        if not isinstance(effect, Send):
            return False
        try:
            return isinstance(effect.build(None), cls)
        except Exception:
            return False

    return found


class Flight(Interceptor):
    def __init__(self, change):
        self.change = change

    def flight(self, effects, where):
        return self.change(effects)


def test_dropped_effect_is_not_done():
    joined = joined_with("client", Flight(lambda effects: tuple(effect for effect in effects if not isinstance(effect, Emit)))).handshake()
    assert joined.client.kinds() == []
    assert joined.connected


def test_repeated_and_injected_effects_are_done():
    started = Emit(lambda context: HandshakeStarted(renegotiation=True))
    joined = joined_with("server", Flight(lambda effects: (started, *effects) if effects else effects)).handshake()
    joined.check_secrets()
    assert HandshakeStarted(renegotiation=True) in joined.server.events


def test_early_change_cipher_spec_by_reordering_the_flight():
    def early(effects):
        spec = [effect for effect in effects if _is_send(ChangeCipherSpec)(effect)]
        return (*spec, *(effect for effect in effects if effect not in spec)) if spec else effects

    joined = joined_with("client", Flight(early)).handshake()
    assert joined.server.error.reason is Reason.UNEXPECTED_MESSAGE
    assert "got ChangeCipherSpec, expected" in str(joined.server.error)


def test_protection_can_be_wrapped():
    class Broken:
        def __init__(self, inner):
            self.inner = inner

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def seal(self, sequence, type_, data):
            return self.inner.seal(sequence + 1, type_, data)

    def wrap(effects):
        return tuple(
            ChangeWriteKeys(lambda context, make=effect.make: Broken(make(context))) if isinstance(effect, ChangeWriteKeys) else effect
            for effect in effects
        )

    from tests.support.pair import fields_for, real, suite_named

    client, server = fields_for(suite_named("TLS_PSK_WITH_CHACHA20_POLY1305_SHA256"))
    joined = pair(client | {"interceptors": (Flight(wrap),), "provider": real()}, server | {"provider": real()}).handshake()
    assert joined.server.error.reason is Reason.BAD_RECORD_MAC


# Inbound: the mirror image


def test_inbound_change_above_the_line_completes():
    change = inbound("message", lambda m: isinstance(m, hs.ClientHello), lambda m: replace(m, extensions=(*m.extensions, GREASE)))
    joined_with("server", change).handshake().check_secrets()


def test_inbound_change_below_the_line_fails_at_finished():
    change = inbound("plaintext", lambda r: r.type == 22 and r.fragment[:1] == b"\1", lambda r: replace(r, fragment=_grease(r.fragment)))
    joined = joined_with("server", change).handshake()
    assert joined.server.error.reason is Reason.BAD_FINISHED


@either_side
def test_inbound_message_can_be_dropped_and_injected(side):
    extra = inbound("message", lambda m: isinstance(m, ApplicationData), lambda m: [ApplicationData(b"made up "), m])
    joined = joined_with(side, extra).handshake()
    other = joined.server if side == "client" else joined.client
    other.connection.send(b"real")
    joined.run()
    assert getattr(joined, side).data == b"made up real"
    gone = inbound("message", lambda m: isinstance(m, ApplicationData), lambda m: [])
    joined = joined_with(side, gone).handshake()
    (joined.server if side == "client" else joined.client).connection.send(b"real")
    joined.run()
    assert getattr(joined, side).data == b""
    assert joined.connected


def test_inbound_records_can_be_dropped_and_changed_on_the_wire():
    gone = inbound("ciphertext", lambda raw: raw[0] == 21, lambda raw: [])
    joined = joined_with("client", gone).handshake()
    joined.server.connection.close()
    joined.run()
    assert joined.client.state == "CONNECTED"
    assert Record(21, 0x0303, b"").header()[0] == 21


def test_record_dropped_on_the_wire_does_not_hold_up_those_behind_it():
    joined = pair({"interceptors": (inbound("ciphertext", lambda raw: raw[0] == 23, lambda raw: []),)}).handshake()
    joined.server.connection.send(b"dropped")
    joined.server.connection.close()
    joined.client.feed(joined.server.take())
    joined.client.feed(b"")
    assert joined.client.alerts_received == ["close_notify"]


def test_records_that_a_tap_kept_back_are_opened_one_by_one():
    kept = []

    def keep(raw):
        if raw[0] == 20:
            kept.append(raw)
            return []
        released = [*kept, raw]
        kept.clear()
        return released

    joined = pair({"interceptors": (inbound("ciphertext", lambda raw: True, keep),)}).handshake()
    joined.check_secrets()
    joined.exchange()
