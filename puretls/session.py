"""Sessions that can be resumed: what is kept of one, stores for them, and the keys that seal tickets (RFC 5246 F.1.4, RFC 5077)."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock as Lock  # `threading` would take a millisecond of a client's first hello
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Protocol

from puretls.arguments import described
from puretls.crypto import provider as providers
from puretls.crypto.aead import AES_256_GCM, Aead
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret, leaving_no_frames
from puretls.errors import DecodeError, UsageError
from puretls.iana import NamedGroup, SignatureScheme
from puretls.values import frozen, replace
from puretls.wire.codec import Converted, Opaque, OpaqueVector, Uint, Vector
from puretls.wire.schema import HeaderCodec, Struct, nested, parse, serialise, u8, u16, u32, wire

FORMAT = 3
MAX_LIFETIME = 7 * 24 * 3600


@wire("5077 4", HeaderCodec)
class _Format(Struct):
    """What stands in front of a session's bytes."""

    path_name = "Session"
    format: int = u8()


def _flag(number: int) -> bool:
    if number > 1:
        raise ValueError(f"{number} is neither 0 nor 1")
    return bool(number)


def _seconds(number: int) -> float:
    if number >= 2**53:
        raise ValueError(f"{number} seconds are more than a clock tells")
    return float(number)


def _utf_8(data: bytes) -> str | None:
    try:
        return data.decode() or None
    except UnicodeDecodeError:
        raise ValueError("the server name is not UTF-8") from None


def _or_none(value: Any) -> Any:
    return value or None


_NUMBER_OR_NONE = Converted(Uint(2), _or_none, lambda value: value or 0)
_GROUP_OR_NONE = Converted(Uint(2, NamedGroup), _or_none, lambda value: value or 0)
_SCHEME_OR_NONE = Converted(Uint(2, SignatureScheme), _or_none, lambda value: value or 0)
_BYTES_OR_NONE = Converted(OpaqueVector(0, 2**24 - 1), _or_none, lambda value: value or b"")
_NAME_OR_NONE = Converted(OpaqueVector(0, 255), _utf_8, lambda value: (value or "").encode())
_PROTOCOL_OR_NONE = Converted(
    OpaqueVector(0, 255), lambda data: data.decode("latin-1") or None, lambda text: (text or "").encode("latin-1")
)


@wire("5077 4")
class Session(Struct):
    """What two peers need to resume. `created` in seconds since 1970, `lifetime` in seconds.

    A client's session has a `ticket` or a `session_id` to show; a server's `peer_chain` is the client's. The chain, with what was stapled
    to it, goes through the verifier again each time the session is about to be resumed. `group` and the schemes tell how its keys
    came about. The fields are those of `to_bytes`, in this order: in tickets, and in a client's session file.
    """

    suite: int = u16()
    master_secret: Secret = nested(Converted(Opaque(48), Secret, lambda secret: secret))
    created: float = nested(Converted(Uint(8), _seconds, int))
    lifetime: int = u32()
    extended_master_secret: bool = nested(Converted(Uint(1), _flag, int))
    max_fragment_length: int | None = nested(_NUMBER_OR_NONE, default=None)
    group: int | None = nested(_GROUP_OR_NONE, default=None)
    signature_scheme: int | None = nested(_SCHEME_OR_NONE, default=None)
    client_signature_scheme: int | None = nested(_SCHEME_OR_NONE, default=None)
    session_id: bytes = nested(OpaqueVector(0, 32), default=b"")
    ticket: bytes = nested(OpaqueVector(0, 2**16 - 1), default=b"", shown=False)
    server_name: str | None = nested(_NAME_OR_NONE, default=None)
    alpn: str | None = nested(_PROTOCOL_OR_NONE, default=None)
    psk_identity: bytes = nested(OpaqueVector(0, 2**16 - 1), default=b"")
    peer_chain: tuple[bytes, ...] = nested(Vector(OpaqueVector(1, 2**24 - 1), 0, 2**24 - 1), default=(), shown=False)
    ocsp_response: bytes | None = nested(_BYTES_OR_NONE, default=None, shown=False)
    sct_list: bytes | None = nested(_BYTES_OR_NONE, default=None, shown=False)

    def is_fresh(self, now: float) -> bool:
        """Whether its lifetime is not over, and it was not made in the future."""
        return now - self.created + 60 >= 0 and now - self.created < self.lifetime

    def to_bytes(self) -> bytes:
        """A compact form, secret included: keep it as safe as the connection."""
        return serialise(_Format(FORMAT)) + serialise(self)

    @classmethod
    @leaving_no_frames
    def from_bytes(cls, data: bytes) -> Session:
        """The inverse of `to_bytes`; raises `DecodeError`, also for what another version of puretls wrote in another format."""
        found = parse(_Format, data[:1]).format
        if found != FORMAT:
            raise DecodeError(f"session format {found} is unknown", path="Session.format")
        return parse(cls, data, 1)


class SessionStore(Protocol):
    """Where sessions are kept: by session id on a server, by server name on a client. May be called from several threads."""

    def get(self, key: bytes) -> Session | None: ...

    def put(self, key: bytes, session: Session) -> None: ...

    def discard(self, key: bytes) -> None: ...


class MemorySessionStore:
    """Keeps the last `capacity` sessions. With a `clock` (seconds since 1970) those whose lifetime is over are not given out.

    Without one it reads no time: a connection asks its configuration's clock whether a session is still fresh.
    """

    def __init__(self, capacity: int = 1000, clock: Callable[[], float] | None = None) -> None:
        if not isinstance(capacity, int) or capacity < 1:
            raise UsageError("a session store needs room for at least one session")
        self._capacity = capacity
        self._clock = clock
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, key: bytes) -> Session | None:
        """The session under `key`, unless it is too old."""
        with self._lock:
            session = self._sessions.get(key)
            if session is not None and self._clock is not None and not session.is_fresh(self._clock()):
                del self._sessions[key]
                return None
            return session

    def put(self, key: bytes, session: Session) -> None:
        """Keep `session`; the one longest unused makes room."""
        with self._lock:
            self._sessions[key] = session
            self._sessions.move_to_end(key)
            if len(self._sessions) > self._capacity:
                self._sessions.popitem(last=False)

    def discard(self, key: bytes) -> None:
        """Forget the session under `key`, as after a fatal alert (RFC 5246 7.2)."""
        with self._lock:
            self._sessions.pop(key, None)


TICKET_KEY_LENGTH = 48
TICKET_NAME_LENGTH, TICKET_NONCE_LENGTH = 16, 12
"""What stands in front of the sealed session in a ticket: the name of its key, then the nonce."""


class Source(Protocol):
    """Where entropy and time come from: a configuration is one. `random(n)` gives n bytes, `clock()` seconds since 1970."""

    @property
    def random(self) -> Callable[[int], bytes]: ...

    @property
    def clock(self) -> Callable[[], float]: ...


@frozen
class _System:
    """The source of keys that are used apart from any configuration."""

    random: Callable[[int], bytes] = os.urandom
    clock: Callable[[], float] = time.time


_SYSTEM = _System()


def _hidden(key: object) -> Secret:
    """Bytes of a ticket key. Raises `UsageError` for what are none."""
    if not isinstance(key, bytes | bytearray | memoryview):
        raise UsageError(f"a ticket key is bytes, not {described(key)}")
    return Secret(key)


class _TicketKey:
    """One key: 16 bytes of name, which travels in the ticket, and 32 bytes for AES-256-GCM.

    `created` is None for a key that was given: nobody knows how old it is.
    """

    def __init__(self, material: bytes, created: float | None, provider: Provider) -> None:
        if len(material) != TICKET_KEY_LENGTH:
            raise UsageError(f"a ticket key has {TICKET_KEY_LENGTH} bytes: 16 of name, 32 of key")
        self.name = material[:TICKET_NAME_LENGTH]
        self.created = created
        self._secret = Secret(material[TICKET_NAME_LENGTH:])
        self._provider = provider

    @property
    def material(self) -> Secret:
        """Name and key, as they were given."""
        return Secret(self.name + self._secret)

    @cached_property
    def aead(self) -> Aead:
        """Set up when first used: not every server ever issues a ticket."""
        return self._provider.aead(AES_256_GCM, self._secret)


class TicketKeys:
    """Keys that seal session tickets (RFC 5077 4): the newest seals, older ones still open.

    Without `keys` they are random and replaced every `period` seconds, the old ones kept as long as tickets may live. With `keys`
    (48 bytes each, the first seals) several processes or machines accept each other's tickets, and changing them is up to the
    caller: `set`.

    `random` and `clock` are those of the configuration that uses the keys, unless they are given here; apart from a configuration
    they are the system's. The configuration that has the keys first makes the first random one, so that processes forked later
    share it; configurations made by `replace` go on with it.
    """

    def __init__(
        self,
        keys: Iterable[bytes] = (),
        *,
        period: float = 12 * 3600,
        lifetime: float = 24 * 3600,
        provider: Provider | None = None,
        random: Callable[[int], bytes] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if not all(isinstance(seconds, int | float) and seconds > 0 for seconds in (period, lifetime)):
            raise UsageError("period and lifetime of ticket keys are numbers of seconds above 0")
        self._provider = provider or providers.default()
        self._period, self._lifetime = period, lifetime
        self._random, self._clock = random, clock
        self._lock = Lock()
        self._keys: tuple[_TicketKey, ...] = ()
        keys = tuple(map(_hidden, keys))
        self._automatic = not keys
        if keys:
            self.set(keys)

    def __repr__(self) -> str:
        return f"TicketKeys({len(self._keys)} keys)"

    @property
    def automatic(self) -> bool:
        """Whether the keys are random and replaced by themselves, rather than given."""
        return self._automatic

    def set(self, keys: Iterable[bytes]) -> None:
        """Replace all keys; the first one seals."""
        keys = tuple(map(_hidden, keys))
        made = tuple(_TicketKey(key, None, self._provider) for key in keys)
        if not made:
            raise UsageError("at least one ticket key is needed")
        with self._lock:
            self._automatic = False
            self._keys = made

    def prepare(self, source: Source) -> None:
        """Make the first random key, unless there is one: what a configuration does with the keys it is given."""
        if not self._keys:
            self.rotate(source)

    def rotate(self, source: Source = _SYSTEM) -> None:
        """Seal with a new random key from now on; keys whose tickets have all expired are dropped."""
        with self._lock:
            self._rotate(source, self._now(source))

    def _now(self, source: Source) -> float:
        return (self._clock or source.clock)()

    def _rotate(self, source: Source, now: float) -> None:
        new = _TicketKey(_hidden((self._random or source.random)(TICKET_KEY_LENGTH)), now, self._provider)
        for key in self._keys:
            key.created = now if key.created is None else key.created
        kept_for = self._period + self._lifetime
        keep = tuple(key for key in self._keys if key.created is not None and abs(now - key.created) < kept_for)
        self._keys = (new, *keep)

    def _current(self, source: Source) -> tuple[_TicketKey, ...]:
        with self._lock:
            if self._automatic:
                now = self._now(source)
                newest = self._keys[0].created if self._keys else None
                if newest is None or not 0 <= now - newest < self._period:  # a clock set back must not keep a key for longer
                    self._rotate(source, now)
            return self._keys

    def export(self) -> tuple[Secret, ...]:
        """The keys, 48 bytes each, the one that seals first: what `set` takes, for another process that is to accept the same tickets.

        Who has them reads every connection that resumes a session by such a ticket.
        """
        return tuple(key.material for key in self._keys)

    def seal(self, session: Session, source: Source = _SYSTEM) -> bytes:
        """A ticket that holds `session`."""
        key = self._current(source)[0]
        nonce = (self._random or source.random)(TICKET_NONCE_LENGTH)
        return key.name + nonce + key.aead.seal(nonce, replace(session, ticket=b"").to_bytes(), key.name)

    def open(self, ticket: bytes, source: Source = _SYSTEM) -> tuple[Session | None, bool]:
        """The session in `ticket` and whether the ticket should be renewed; (None, False) for whatever is not ours."""
        for index, key in enumerate(self._current(source)):
            if ticket.startswith(key.name):
                nonce = ticket[TICKET_NAME_LENGTH : TICKET_NAME_LENGTH + TICKET_NONCE_LENGTH]
                sealed = ticket[TICKET_NAME_LENGTH + TICKET_NONCE_LENGTH :]
                state = key.aead.open(nonce, sealed, key.name) if len(nonce) == TICKET_NONCE_LENGTH else None
                if state is None:
                    return None, False
                try:
                    return Session.from_bytes(state), index > 0
                except DecodeError:
                    return None, False
        return None, False
