"""Sessions and ticket keys that servers on several machines share, through a store such as Redis (`pip install 'puretls[redis]'`).

The store is not trusted with secrets: what lies there is sealed. Nor is it relied upon: while it is away, clients shake hands in full.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, NoReturn, ParamSpec, Protocol, TypeVar

from puretls.crypto import provider as providers
from puretls.crypto.aead import AES_256_GCM
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from puretls.session import TICKET_KEY_LENGTH, TICKET_NONCE_LENGTH, Session, Source, TicketKeys
from puretls.values import frozen, replace
from puretls.x509.hostname import host_to_look_up

T = TypeVar("T")
P = ParamSpec("P")
logger: logging.Logger = logging.getLogger("puretls.shared")

SECRET_LENGTH = 32
"""Bytes of the secret under which ticket keys lie in the store."""

PAUSE = 5.0
"""Seconds for which a store that did not answer is not asked again."""

CONFIRM = 60.0
"""Seconds after which the store is asked again for the key of this period, and is given it where it has lost it."""

LONGEST = 2**20
"""Bytes of a sealed session at most, with room to spare: one has the client's certificate chain."""

NO_URL = "a Redis server is named by redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH"
"""What is said of a URL that is none; never the URL, which may hold a password."""


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

    The client needs short time-outs and few retries, since a handshake waits for it. Of what is longer than `LONGEST` no more is read: it
    is none of ours. Raises `UsageError` for a client that gives text instead of bytes.
    """

    def __init__(self, client: Any) -> None:
        if client.get_encoder().decode_responses:
            raise UsageError("what is sealed is bytes: the client of Redis needs decode_responses=False")
        self._client = client

    @classmethod
    def from_url(cls, url: str, *, timeout: float = 0.5) -> Redis:
        """For redis://, rediss:// or unix://; `timeout` in seconds, for connecting and for each answer.

        Each is a wait for the network: looking up a name takes what the system takes for it. Connects with the first question. Raises
        `UsageError` where the package redis is missing, and for what is no such URL or has parameters that no client takes.
        """
        try:
            from redis import Redis as Client
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise UsageError("sessions in Redis need the package redis: pip install 'puretls[redis]'") from None
        except AttributeError:  # it takes a missing `ssl` for granted, and asks that for names
            how = "call puretls.ssl.install() before; of the command the start is: puretls run -m puretls"
            raise UsageError(f"the package redis needs the module ssl: {how}") from None
        again = Retry(NoBackoff(), 1)  # a connection from before the server was restarted
        try:
            client = Client.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=again)
        except ValueError:  # its text may have a part of the password
            raise UsageError(NO_URL) from None
        pool = client.connection_pool
        host_to_look_up(pool.connection_kwargs.get("host", ""))
        try:
            pool.connection_class(**pool.connection_kwargs)
        except Exception as error:  # of many classes, by what is wrong with the URL's parameters
            raise UsageError(f"the parameters in the URL of the Redis server: {error}") from None
        return cls(client)

    def get(self, key: bytes) -> bytes | None:
        found = self._ask(lambda: self._client.getrange(key, 0, LONGEST))
        if not isinstance(found, bytes):
            raise OSError("the answer is none to this question")
        return found or None

    def put(self, key: bytes, value: bytes, seconds: int) -> None:
        self._ask(lambda: self._client.set(key, value, ex=seconds))

    def put_first(self, key: bytes, value: bytes, seconds: int) -> bytes:
        found = self.get(key)  # asked first, since a replica or a Redis that is full takes nothing and gives what it has
        if found is None:
            self._ask(lambda: self._client.set(key, value, ex=seconds, nx=True))
            found = self.get(key)
        return found or value

    def discard(self, key: bytes) -> None:
        self._ask(lambda: self._client.delete(key))

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except Exception as error:  # a `RedisError`, or what the client lets pass that could not read the answer
            raise OSError(str(error) or type(error).__name__) from error


class _Patient:
    """Asks a store that may be away: then the answer is None, and one line tells so until all answers again that did not."""

    def __init__(self) -> None:
        self._unanswered: set[str] = set()
        self._ask_after = -math.inf

    def ask(self, question: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T | None:
        """What a method of a `Remote` gives."""
        name = getattr(question, "__name__", "")
        if time.monotonic() < self._ask_after:
            return None
        try:
            answer = question(*arguments, **keywords)
        except OSError as error:
            self._ask_after = time.monotonic() + PAUSE
            if not self._unanswered:
                logger.warning("the store of sessions is away, clients shake hands in full meanwhile: %s", error)
            self._unanswered.add(name)
            return None
        if name in self._unanswered:
            self._unanswered.discard(name)
            if not self._unanswered:
                logger.info("the store of sessions answers again")
        return answer


@frozen
class _Found:
    """What the store has for a period, and the keys that are known of it: the one to seal with, then those that it had before."""

    sealed: bytes = b""
    keys: tuple[Secret, ...] = ()


class SharedTicketKeys(TicketKeys):
    """Ticket keys (RFC 5077 4) that all servers with the same store, `secret` and `prefix` have in common.

    Time is cut into periods of `period` seconds since 1970, each with a key of its own: the first server that needs it makes it, all
    others find it, and the store forgets it when the last of its tickets has expired, after another `lifetime` seconds. In the store keys
    are sealed under `secret` (AES-256-GCM), 32 random bytes that the servers are given in another way. While the store is away the
    keys known so far stay, or one is made that nobody shares. A store that has lost the key of this period is given it again within
    a minute.
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
        if not isinstance(prefix, bytes) or math.inf in (period, lifetime):
            raise UsageError("of shared ticket keys prefix is bytes, and period and lifetime have an end")
        self.remote: Remote = remote
        self.prefix: bytes = prefix
        self.clock: Callable[[], float] = clock
        self.patient: _Patient = _Patient()
        self._entropy = random
        self._aead = (provider or providers.default()).aead(AES_256_GCM, Secret(secret))
        self._back = math.ceil(lifetime / period)
        self._found: dict[int, _Found] = {}
        self._confirmed = -math.inf
        self._own: tuple[Secret, ...] = ()
        self._in_force: tuple[Secret, ...] = ()
        self._refreshing = Lock()

    def prepare(self, source: Source) -> None:
        """Fetch or make the keys: what a configuration does with the keys it is given. `source` is not asked."""
        self._refresh()

    def set(self, keys: Iterable[bytes]) -> NoReturn:
        """Raises `UsageError`: the keys follow from the time and the store, for all servers at once."""
        raise UsageError("shared ticket keys are not set: they change by the clock, for all servers at once")

    def rotate(self, source: Source | None = None) -> NoReturn:
        """Raises `UsageError`, as `set` does."""
        self.set(())

    def seal(self, session: Session, source: Source | None = None) -> bytes:
        """A ticket that holds `session`, under the key of this period."""
        self._refresh()
        return super().seal(session)

    def open(self, ticket: bytes, source: Source | None = None) -> tuple[Session | None, bool]:
        """As of `TicketKeys`."""
        self._refresh()
        return super().open(ticket)

    def _refresh(self) -> None:
        """Who comes while another asks the store goes on with the keys in force, if there are any."""
        if self._refreshing.acquire(blocking=not self._in_force):
            try:
                self._ask_and_set()
            finally:
                self._refreshing.release()

    def _ask_and_set(self) -> None:
        now = int(self.clock() // self._period)
        wanted = range(now, now - self._back - 1, -1)
        self._found = {number: self._found[number] for number in wanted if number in self._found}
        late = time.monotonic() - self._confirmed >= CONFIRM
        for number in wanted:
            if number not in self._found or (number == now and late):
                self._look_for(number, make=number == now)
        keys = tuple(key for number in wanted if number in self._found for key in self._found[number].keys)
        if not keys and not self._own:
            self._own = (Secret(self._entropy(TICKET_KEY_LENGTH)),)
        keys = (*keys, *self._own)
        if keys != self._in_force:
            super().set(keys)
            self._in_force = keys

    def _look_for(self, number: int, *, make: bool) -> None:
        """The key of a period: what the store has, or what it takes from here. A period that is over gets no key any more."""
        place = self.prefix + b"ticket-key:%d" % number
        before = self._found.get(number, _Found())
        found = self._offer(number, place, before.keys) if make else self.patient.ask(self._kept, place)
        if found is not None and (number not in self._found or found != before.sealed):
            self._found[number] = _Found(found, tuple(dict.fromkeys(self._opened(found, place) + before.keys)))

    def _offer(self, number: int, place: bytes, known: tuple[Secret, ...]) -> bytes | None:
        """What the store has, or keeps from now on: the key that is known here, or a new one."""
        self._confirmed = time.monotonic()
        key, nonce = known[0] if known else Secret(self._entropy(TICKET_KEY_LENGTH)), self._entropy(TICKET_NONCE_LENGTH)
        of_use = math.ceil((number + 1) * self._period + self._lifetime - self.clock())
        return self.patient.ask(self.remote.put_first, place, nonce + self._aead.seal(nonce, key, place), max(of_use, 1))

    def _kept(self, place: bytes) -> bytes:
        return self.remote.get(place) or b""

    def _opened(self, sealed: bytes, place: bytes) -> tuple[Secret, ...]:
        """The key, or none."""
        if not sealed:
            return ()
        nonce, rest = sealed[:TICKET_NONCE_LENGTH], sealed[TICKET_NONCE_LENGTH:]
        key = self._aead.open(nonce, rest, place) if len(nonce) == TICKET_NONCE_LENGTH else None
        if key is None or len(key) != TICKET_KEY_LENGTH:
            name = place.decode("ascii", "replace")
            logger.error("%s in the store of sessions was not sealed under this secret: not used. %s", name, _ANOTHER)
            return ()
        return (Secret(key),)


_ANOTHER = "Servers with another secret take another database (redis://HOST/1) or `prefix`"


class SharedSessions:
    """A `SessionStore` in the store of `keys`, sealed by them: sessions by id (RFC 5246 F.1.4) of whichever machine.

    The store forgets a session when its lifetime is over.
    """

    def __init__(self, keys: SharedTicketKeys) -> None:
        self._keys = keys

    def get(self, key: bytes) -> Session | None:
        """The session under `key`; None, too, while the store is away, and for the session of another."""
        keys = self._keys
        sealed = keys.patient.ask(keys.remote.get, self._place(key))
        session = keys.open(sealed)[0] if sealed else None
        return session if session is not None and session.session_id == key else None

    def put(self, key: bytes, session: Session) -> None:
        """Keep `session` for the rest of its lifetime. `key` is its session id, which is sealed with it: it counts in no other place."""
        keys, left = self._keys, int(session.created + session.lifetime - self._keys.clock())
        if left > 0:
            sealed = keys.seal(replace(session, session_id=key))
            keys.patient.ask(keys.remote.put, self._place(key), sealed, left)

    def discard(self, key: bytes) -> None:
        """Forget the session under `key`, as after a fatal alert (RFC 5246 7.2)."""
        self._keys.patient.ask(self._keys.remote.discard, self._place(key))

    def _place(self, key: bytes) -> bytes:
        return self._keys.prefix + b"session:" + key.hex().encode()
