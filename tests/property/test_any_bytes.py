"""Any bytes, any time: whatever arrives in whatever state ends in our own exceptions, one alert, a dead connection, bounded memory.

Each case is made from its number alone, so a failure is repeated by `check(case)` with the number that the message tells.
"""

import random
from functools import lru_cache

import pytest

from puretls import danger, drive
from puretls.config import Limits
from puretls.connection import Connection
from puretls.errors import FatalAlert, InternalError, PeerError, PuretlsError
from puretls.events import AlertSent
from puretls.iana import AlertLevel
from puretls.messages.registry import annotate_handshake
from puretls.record.framing import Framer
from puretls.spans import patch
from tests.support.conversations import flows, resumptions
from tests.support.pair import no_security, pair

LIMITS = Limits(buffered=2**17, handshake_message=2**14)
BOUND = 2**17 + 2**16 + 2**14
SMALL = 600


@lru_cache
def scenes():
    """Every moment of many conversations, in both roles: a connection that waits, and what its peer was about to send."""
    found = []
    on = {"limits": LIMITS, "renegotiation": True}
    for conversation in [*flows(no_security), *resumptions(no_security)]:
        joined = conversation.make(client=on, server=on)
        found += _moments(joined, conversation.name)
    found += _moments(pair(on, on), "renegotiation", again=True)
    return found


def _moments(joined, name, again=False):
    moments = []
    joined.client.connection.start()
    for round_ in range(2 if again else 1):
        if round_:
            joined.client.connection.renegotiate()
        moved = True
        while moved:
            moved = False
            for near, far in ((joined.client, joined.server), (joined.server, joined.client)):
                out = near.take()
                if out:
                    moved = True
                    for record in split_records(out):
                        moments.append((f"{name}, {far.connection.role.value} {far.state}", danger.fork(far.connection), record))
                        far.feed(record)
    assert joined.connected, joined.story()
    joined.client.connection.send(b"application data")
    joined.server.connection.send(b"application data")
    for near, far in ((joined.client, joined.server), (joined.server, joined.client)):
        moments.append((f"{name}, {far.connection.role.value} connected", danger.fork(far.connection), near.take()))
    return moments


def split_records(stream):
    framer = Framer()
    framer.feed(stream)
    while (record := framer.next(limit=2**15, version=None)) is not None:
        yield record.to_bytes()


# Mutations: of bytes, of records, of fields with every length kept right


def flip(rng, data):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def overwrite(rng, data):
    out = bytearray(data)
    at = rng.randrange(len(out))
    out[at : at + rng.randrange(1, 5)] = rng.choice((b"\0", b"\xff", b"\x7f\xff", b"\0\0\0", rng.randbytes(3)))
    return bytes(out)


def cut(rng, data):
    return data[: rng.randrange(len(data))]


def remove(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randrange(1, 9) :]


def insert(rng, data):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]


def double(rng, data):
    return data + data


def noise(rng, data):
    return rng.randbytes(rng.randrange(1, 300))


def noise_in_a_record(rng, data):
    body = rng.randbytes(rng.randrange(0, 300))
    return bytes((rng.choice((20, 21, 22, 23)), 3, 3)) + len(body).to_bytes(2, "big") + body


def noise_in_a_message(rng, data):
    body = rng.randbytes(rng.randrange(0, 100))
    message = bytes((rng.randrange(26),)) + len(body).to_bytes(3, "big") + body
    return b"\x16\3\3" + len(message).to_bytes(2, "big") + message


def another_type(rng, data):
    return bytes((rng.choice((20, 21, 22, 23, 24)),)) + data[1:]


def another_message(rng, data):
    return data[:5] + bytes((rng.randrange(26),)) + data[6:]


def resized(rng, data):
    body = rng.choice((cut, remove, insert, flip))(rng, data[5:]) if len(data) > 5 else b""
    return data[:3] + len(body).to_bytes(2, "big") + body


def field(rng, data, key_exchange=None):
    """One field of a message in the clear replaced; message and record lengths follow."""
    raw = data[5:]
    if data[0] != 22 or len(raw) < 5 or int.from_bytes(raw[1:4], "big") != len(raw) - 4:
        return resized(rng, data)
    spans = [span for span in annotate_handshake(raw, key_exchange) if span.start >= 4]
    if not spans:
        return resized(rng, data)
    span = rng.choice(spans)
    old = raw[span.start : span.end]
    new = rng.choice((b"", bytes(len(old)), b"\xff" * len(old), old + old, old[:-1], rng.randbytes(len(old)), rng.randbytes(rng.randrange(40))))
    made = patch(raw, [span], span.path, new)
    made = made[:1] + (len(made) - 4).to_bytes(3, "big") + made[4:]
    return data[:3] + len(made).to_bytes(2, "big") + made


MUTATIONS = (flip, overwrite, cut, remove, insert, double, noise, noise_in_a_record, noise_in_a_message, another_type, another_message, resized)


def key_exchange(connection):
    return connection.negotiated.suite.kx if connection.negotiated else None


def mutated(rng, connection, data):
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not data:
            break
        change = rng.choice((*MUTATIONS, field, field, field, field))
        data = change(rng, data, key_exchange(connection)) if change is field else change(rng, data)
    return data


def drain(connection):
    """Events until there are none; the error that ended it."""
    events = []
    try:
        events.extend(drive.events(connection))
    except PuretlsError as error:
        return events, error
    return events, None


def held(connection):
    return connection.bytes_buffered + sum(map(len, connection.fork().segments_to_send()))


def check(case):
    """One case: some moment, some mutation of what was to come, then more of the same and the end of the stream."""
    rng = random.Random(case)
    name, waiting, data = rng.choice(scenes())
    connection = danger.fork(waiting)
    connection.bytes_to_send()
    sent = []
    error = None
    data = mutated(rng, connection, data)
    for piece in (data, data if rng.random() < 0.3 else b"", rng.randbytes(40) if rng.random() < 0.3 else b""):
        if piece and connection.bytes_buffered <= connection.transport_limit:
            connection.receive_bytes(piece)
            events, error = drain(connection)
            sent += [event for event in events if isinstance(event, AlertSent)]
            assert held(connection) < BOUND, name
    fatal = [event for event in sent if event.level == AlertLevel.FATAL]
    if error is None:
        assert not fatal
        connection.receive_bytes(b"")
        _, error = drain(connection)
        assert error is None
        assert connection.state.name == "CLOSED"
        return name
    assert isinstance(error, PeerError | FatalAlert), f"{name}: {error!r} from {error.__cause__!r}"
    assert not isinstance(error, InternalError)
    assert "\n" not in str(error)
    assert len(fatal) == (1 if isinstance(error, PeerError) else 0)
    check_dead(connection, error)
    return name


def check_dead(connection, error):
    connection.bytes_to_send()
    connection.receive_bytes(b"\x16\3\3\0\4\0\0\0\0")
    assert connection.state.name == "FAILED"
    assert drain(connection) == ([], error)
    assert connection.bytes_to_send() == b""
    assert held(connection) == 0


def run(cases):
    names = set()
    for case in cases:
        try:
            names.add(check(case))
        except Exception as error:
            raise AssertionError(f"case {case}: {error!r}") from error
    return names


def test_mutated_flights_end_in_our_own_exceptions():
    assert len(run(range(SMALL))) > 150


@pytest.mark.full
@pytest.mark.parametrize("part", range(10))
def test_mutated_flights_end_in_our_own_exceptions_20000_times(part):
    run(range(1000 + 2000 * part, 3000 + 2000 * part))


def test_every_state_of_both_roles_is_among_the_scenes():
    from puretls.handshake.states import ClientState, ServerState

    states = {connection.state for _, connection, _ in scenes()}
    passive = {"START", "WAIT_VERDICT", "WAIT_CLIENT_VERDICT", "WAIT_RESUMPTION_VERDICT", "CLOSED", "FAILED"}
    assert states >= {state for state in ClientState if state.name not in passive}
    assert states >= {state for state in ServerState if state.name not in passive - {"START"}}


@pytest.mark.parametrize("role", ["client", "server"])
def test_random_bytes_from_the_start(role):
    for case in range(200):
        rng = random.Random(f"{role} {case}")
        fresh = pair({"limits": LIMITS}, {"limits": LIMITS})
        connection: Connection = getattr(fresh, role).connection
        connection.start()
        connection.receive_bytes(rng.randbytes(rng.randrange(1, 100)))
        _, error = drain(connection)
        assert error is None or isinstance(error, PeerError | FatalAlert), case
