"""Sessions and ticket keys that servers on several machines share, through a store such as Redis (`pip install 'puretls[redis]'`).

The store is not trusted with secrets: what lies there is sealed. Nor is it relied upon: while it is away, clients shake hands in full.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

from puretls.crypto import provider as providers
from puretls.crypto.aead import AES_256_GCM
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from puretls.session import TICKET_KEY_LENGTH, TICKET_NONCE_LENGTH, Session, Source, TicketKeys
from puretls.x509.hostname import host_to_look_up

T = TypeVar("T")
logger: logging.Logger = logging.getLogger("puretls.shared")

SECRET_LENGTH = 32
"""Bytes of the secret under which ticket keys lie in the store."""

PAUSE = 5.0
"""Seconds for which a store that did not answer is not asked again."""


class Remote(Protocol):
    """What several machines see: bytes by key, which the store forgets after `seconds`. Each method raises `OSError` if it is away."""

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes, seconds: int) -> None: ...

    def put_first(self, key: bytes, value: bytes, seconds: int) -> bytes:
        """Keeps `value` unless something is kept under `key`; gives what is."""
        ...

    def discard(self, key: bytes) -> None: ...


class Redis:
    """A `Remote` on a Redis server (2.6.12 or later), by a client of the package redis: `Redis(redis.Redis(...))`, or `from_url`.

    The client needs short time-outs, since a handshake waits for it. Raises `UsageError` for one that gives text instead of bytes.
    """

    def __init__(self, client: Any) -> None:
        if client.get_encoder().decode_responses:
            raise UsageError("what is sealed is bytes: the client of Redis needs decode_responses=False")
        self._client = client

    @classmethod
    def from_url(cls, url: str, *, timeout: float = 0.5) -> Redis:
        """For redis://, rediss:// or unix://; `timeout` in seconds, for connecting and for each answer.

        Connects with the first question. Raises `UsageError` where the package redis is missing, and for what is no such URL.
        """
        try:
            from redis import Redis as Client
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise UsageError("sessions in Redis need the package redis: pip install 'puretls[redis]'") from None
        except AttributeError:  # it takes a missing `ssl` for granted, and asks that for names
            raise UsageError("the package redis needs the module ssl: call puretls.ssl.install() before") from None
        again = Retry(NoBackoff(), 1)  # a connection from before the server was restarted
        try:
            client = Client.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=again)
        except ValueError:  # its text may have a part of the password
            raise UsageError("a Redis server is named by redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH") from None
        host_to_look_up(client.connection_pool.connection_kwargs.get("host", ""))
        return cls(client)

    def get(self, key: bytes) -> bytes | None:
        return cast("bytes | None", self._ask(lambda: self._client.get(key)))

    def put(self, key: bytes, value: bytes, seconds: int) -> None:
        self._ask(lambda: self._client.set(key, value, ex=seconds))

    def put_first(self, key: bytes, value: bytes, seconds: int) -> bytes:
        self._ask(lambda: self._client.set(key, value, ex=seconds, nx=True))
        return self.get(key) or value

    def discard(self, key: bytes) -> None:
        self._ask(lambda: self._client.delete(key))

    def _ask(self, question: Callable[[], Any]) -> Any:
        from redis.exceptions import RedisError

        try:
            return question()
        except RedisError as error:
            raise OSError(str(error)) from error


class _Patient:
    """Asks a store that may be away: then the answer is None, and one line tells so until it answers again."""

    def __init__(self) -> None:
        self._away, self._ask_after = False, -math.inf

    def ask(self, question: Callable[[], T]) -> T | None:
        if time.monotonic() < self._ask_after:
            return None
        try:
            answer = question()
        except OSError as error:
            self._ask_after = time.monotonic() + PAUSE
            if not self._away:
                logger.warning("the store of sessions is away, clients shake hands in full meanwhile: %s", error)
            self._away = True
            return None
        if self._away:
            logger.info("the store of sessions answers again")
        self._away = False
        return answer


class SharedTicketKeys(TicketKeys):
    """Ticket keys (RFC 5077 4) that all servers with the same store, `secret` and `prefix` have in common.

    Time is cut into periods of `period` seconds since 1970, each with a key of its own: the first server that needs it makes it, all
    others find it, and the store forgets it when the last of its tickets has expired, after another `lifetime` seconds. In the store keys
    are sealed under `secret` (AES-256-GCM), 32 random bytes that the servers are given in another way. While the store is away the
    keys known so far stay, or one is made that nobody shares.
    """

    def __init__(
        self,
        remote: Remote,
        secret: bytes,
        *,
        prefix: bytes = b"puretls:",
        period: float = 12 * 3600,
        lifetime: float = 24 * 3600,
        provider: Provider | None = None,
        random: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(period=period, lifetime=lifetime, provider=provider, random=random, clock=clock)
        if not isinstance(secret, bytes) or len(secret) != SECRET_LENGTH:
            raise UsageError(f"the secret of shared ticket keys is {SECRET_LENGTH} bytes")
        self.remote: Remote = remote
        self.prefix: bytes = prefix
        self.clock: Callable[[], float] = clock
        self.patient: _Patient = _Patient()
        self._entropy = random
        self._aead = (provider or providers.default()).aead(AES_256_GCM, Secret(secret))
        self._kept_for, self._length = math.ceil(period + lifetime), period
        self._back = math.ceil(lifetime / period)
        self._found: dict[int, Secret | None] = {}
        self._own: tuple[Secret, ...] = ()
        self._in_force: tuple[Secret, ...] = ()
        self._refreshing = Lock()

    def prepare(self, source: Source) -> None:
        """Fetch or make the keys: what a configuration does with the keys it is given. `source` is not asked."""
        self._refresh()

    def seal(self, session: Session, source: Source | None = None) -> bytes:
        """A ticket that holds `session`, under the key of this period."""
        self._refresh()
        return super().seal(session)

    def open(self, ticket: bytes, source: Source | None = None) -> tuple[Session | None, bool]:
        """As of `TicketKeys`."""
        self._refresh()
        return super().open(ticket)

    def _refresh(self) -> None:
        with self._refreshing:
            now = int(self.clock() // self._length)
            wanted = range(now, now - self._back - 1, -1)
            self._found = {number: self._found[number] for number in wanted if number in self._found}
            for number in wanted:
                if number not in self._found:
                    self._look_for(number, make=number == now)
            shared = tuple(key for number in wanted if (key := self._found.get(number)) is not None)
            if not shared and not self._own:
                self._own = (Secret(self._entropy(TICKET_KEY_LENGTH)),)
            keys = (*shared, *self._own)
            if keys != self._in_force:
                self.set(keys)
                self._in_force = keys

    def _look_for(self, number: int, *, make: bool) -> None:
        """The key of a period: what the store has, or what it takes from here. A period that is over gets no key any more."""
        place = self.prefix + b"ticket-key:%d" % number
        found = self.patient.ask(lambda: self._make(place) if make else self.remote.get(place) or b"")
        if found is not None:
            self._found[number] = self._opened(found, place)

    def _make(self, place: bytes) -> bytes:
        nonce = self._entropy(TICKET_NONCE_LENGTH)
        sealed = nonce + self._aead.seal(nonce, Secret(self._entropy(TICKET_KEY_LENGTH)), place)
        return self.remote.put_first(place, sealed, self._kept_for)

    def _opened(self, sealed: bytes, place: bytes) -> Secret | None:
        if not sealed:
            return None
        nonce, rest = sealed[:TICKET_NONCE_LENGTH], sealed[TICKET_NONCE_LENGTH:]
        key = self._aead.open(nonce, rest, place) if len(nonce) == TICKET_NONCE_LENGTH else None
        if key is None or len(key) != TICKET_KEY_LENGTH:
            logger.error(
                "%s in the store of sessions was not sealed under this secret: not used", place.decode("ascii", "replace")
            )
            return None
        return Secret(key)


class SharedSessions:
    """A `SessionStore` in the store of `keys`, sealed by them: sessions by id (RFC 5246 F.1.4) of whichever machine.

    The store forgets a session when its lifetime is over.
    """

    def __init__(self, keys: SharedTicketKeys) -> None:
        self._keys = keys

    def get(self, key: bytes) -> Session | None:
        """The session under `key`; None, too, while the store is away."""
        keys = self._keys
        sealed = keys.patient.ask(lambda: keys.remote.get(self._place(key)))
        return keys.open(sealed)[0] if sealed else None

    def put(self, key: bytes, session: Session) -> None:
        """Keep `session` for the rest of its lifetime."""
        keys, left = self._keys, int(session.created + session.lifetime - self._keys.clock())
        if left > 0:
            sealed = keys.seal(session)
            keys.patient.ask(lambda: keys.remote.put(self._place(key), sealed, left))

    def discard(self, key: bytes) -> None:
        """Forget the session under `key`, as after a fatal alert (RFC 5246 7.2)."""
        self._keys.patient.ask(lambda: self._keys.remote.discard(self._place(key)))

    def _place(self, key: bytes) -> bytes:
        return self._keys.prefix + b"session:" + key.hex().encode()
