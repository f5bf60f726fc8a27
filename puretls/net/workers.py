"""Several processes that serve one listening socket: forked before the first client comes, kept at their number, changed all at once.

The process that calls `run` serves nobody: it supervises. Whatever concerns all workers is done by a new generation of them, which
inherits what was made before the fork: `run` retires the old generation, whose open connections go on to their end. So a new
certificate and new ticket keys come into force everywhere at once, or nowhere.
"""

from __future__ import annotations

import logging
import math
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Generic, NoReturn, TypeVar

from puretls.arguments import Kind, optional, whole
from puretls.config import ServerConfig
from puretls.errors import PuretlsError, UsageError
from puretls.session import TicketKeys
from puretls.text import describe
from puretls.values import frozen

T = TypeVar("T")
logger: logging.Logger = logging.getLogger("puretls.workers")

PAUSE = 1.0
"""Seconds from the start of a worker to the start of the one that takes its place, at least: who cannot live is not forked in a loop."""

_DAY = 24 * 3600.0
"""The timer is set for no longer: a system's `time_t` has its limits."""

DRAINING = "stopping: open connections have %g s to end"
CUT_OFF = "connections that are still open are cut off"
"""What the log says of an end, with one process as with several."""

Stopping = tuple[int, ...]
"""File descriptors of a worker. One of them becomes readable, and stays so, when the worker is to accept no more clients."""


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    listener: socket.socket,
    work: Callable[[socket.socket, T, Stopping], None],
    prepare: Callable[[], T],
    *,
    count: int | None = None,
    renew: Callable[[], T] | None = None,
    period: float = 12 * 3600,
    drain: float = 30.0,
) -> None:
    """Serve `listener` by `count` processes (None: one a core) until SIGTERM or SIGINT. To be called in the main and only thread.

    Each worker calls `work(listener, value, stopping)`, where `value` is what `prepare()` gave, before the fork. `work` takes clients
    by `accept` until that gives None, closes the listener, finishes what it has begun, and returns. A worker that ends otherwise,
    or is killed, is replaced; its connections alone are lost.

    - SIGHUP calls `prepare` again, and a new generation of workers serves what it gives. A `PuretlsError` or `OSError` is logged in one
      line, any other exception with its traceback, and the old workers stay.
    - Every `period` seconds the same happens with `renew`, such as for ticket keys: `Configurations` has both functions.
    - SIGTERM or SIGINT closes the listener and lets open connections go on for at most `drain` seconds; a second one ends them.
    - SIGTERM to a worker has that one end when its connections have ended. If this process is killed, all workers do that.

    Raises `UsageError` where there is no `os.fork` and for arguments that cannot be right, and what the first `prepare` raises. Logs to
    `puretls.workers`.
    """
    for name, kind, value in (
        ("listener", _LISTENER, listener),
        ("count", _COUNT, count),
        ("period", _PERIOD, period),
        ("drain", _DRAIN, drain),
    ):
        kind.taken(value, name)
    if not hasattr(os, "fork"):
        raise UsageError("several workers need os.fork, which this system does not have: serve with one process")
    if threading.current_thread() is not threading.main_thread() or threading.active_count() > 1:
        raise UsageError("workers are forked from the main thread, before others are started")
    plan = _Plan(work, prepare, renew or prepare, period if renew else math.inf, count or cores(), drain)
    _Supervisor(listener, plan).run()


def _listens(value: object) -> bool:
    try:
        return isinstance(value, socket.socket) and value.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) != 0
    except OSError:  # it has been closed
        return False


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and value >= 0


_LISTENER = Kind("a socket that listens", _listens)
_COUNT = optional(whole(1, 10_000, "a number of processes, at least one worker"))
_PERIOD = Kind("a number of seconds above 0", lambda value: _is_time(value) and value > 0)
_DRAIN = Kind("a number of seconds, 0 or more", _is_time)


def accept(listener: socket.socket, stopping: Stopping) -> tuple[socket.socket, Any] | None:
    """For `work`: the next client and its address, as `socket.accept` gives them; None once the worker is to accept no more.

    Raises `OSError` as `socket.accept` does.
    """
    while True:
        ready = _readable((listener.fileno(), *stopping), None)
        if not ready.isdisjoint(stopping):
            return None
        with suppress(BlockingIOError):  # another worker was faster
            client, address = listener.accept()
            client.setblocking(True)
            return client, address


def is_told_to_stop(stopping: Stopping) -> bool:
    """For `work`: whether it is to accept no more clients."""
    return bool(_readable(stopping, 0))


def _readable(descriptors: Iterable[int], timeout: float | None) -> set[int]:
    """Which of them have something to read, after `timeout` seconds at most; None waits for one that has."""
    with getattr(selectors, "PollSelector", selectors.SelectSelector)() as waiting:  # Windows has `select` alone
        for one in descriptors:
            waiting.register(one, selectors.EVENT_READ)
        return {key.fd for key, _ in waiting.select(timeout)}


@contextmanager
def reloading(log: logging.Logger) -> Iterator[None]:
    """What fails in here is logged, and ends nobody who serves: mistakes in one line, a defect of the caller's with its traceback."""
    try:
        yield
    except PuretlsError as error:
        log.error("not reloaded: %s", error)
    except OSError as error:
        log.error("not reloaded: %s", describe(error))
    except Exception:
        log.exception("not reloaded")


class Configurations:
    """Configurations that processes share: `configure()` makes one (from files, say), and all have the ticket keys of the first.

    Random ticket keys become fixed ones in what is given out, so that no worker changes them by itself: `renew` does that for all.
    Keys that were given to `TicketKeys` stay as they are.
    """

    def __init__(self, configure: Callable[[], ServerConfig]) -> None:
        self._configure = configure
        self._config: ServerConfig | None = None
        self._keys: TicketKeys | None = None

    def reload(self) -> ServerConfig:
        """A configuration that is made anew. Raises what `configure` raises, and then the one before stays."""
        fresh = self._configure()
        if self._config is None:
            self._keys = fresh.tickets
        self._config = fresh
        return self._shared(fresh)

    def renew(self) -> ServerConfig:
        """The configuration as it is, with a new key for tickets; the old ones open those that they sealed."""
        if self._config is None:
            return self.reload()
        if self._keys is not None and self._keys.automatic:
            self._keys.rotate(self._config)
        return self._shared(self._config)

    def _shared(self, config: ServerConfig) -> ServerConfig:
        keys = self._keys
        return replace(config, tickets=TicketKeys(keys.export()) if keys is not None and keys.automatic else keys)


@frozen
class _Plan(Generic[T]):
    """What `run` was given."""

    work: Callable[[socket.socket, T, Stopping], None]
    prepare: Callable[[], T]
    renew: Callable[[], T]
    period: float
    count: int
    drain: float


class _Supervisor(Generic[T]):
    """The process that forks. It waits for a signal, obeys it, and tends its workers; times are those of `time.monotonic`."""

    def __init__(self, listener: socket.socket, plan: _Plan[T]) -> None:
        self._listener, self._plan = listener, plan
        self._current: dict[int, float] = {}  # process ids of this generation, and when each started
        self._retired: set[int] = set()  # those that only finish what they have begun
        self._vacancies: list[float] = []  # when to fork another
        self._renewal = time.monotonic() + plan.period  # reloading does not put it off
        self._end = math.inf  # when what is still open is cut off
        self._stopped = False

    def run(self) -> None:
        """Returns when every worker has ended."""
        value = self._plan.prepare()
        self._listener.setblocking(False)
        with _held(_ORDERS) as before:
            self._before = before
            self._begin(value, os.pipe())
            logger.info("listening on %s", _name(self._listener))  # from here on, who waits for this line may send signals
            while self._tend():
                _alarm(min(self._renewal, self._end, *self._vacancies))
                _ORDERS[signal.sigwait(before.handlers)](self)
        logger.info("stopped")

    # Orders

    def _reload(self) -> None:
        if not self._stopped and self._change(self._plan.prepare):
            logger.info("reloaded")

    def _stop(self) -> None:
        """The first time gives the workers time to finish; the second time none."""
        self._end = time.monotonic()
        if not self._stopped:
            self._stopped = True
            self._end += self._plan.drain
            self._renewal = math.inf
            self._listener.close()
            self._retire()
            logger.info(DRAINING, self._plan.drain)

    def _look(self) -> None:
        """A worker has ended or a time has come: `_tend` sees to both."""

    # Generations

    def _begin(self, value: T, pipe: tuple[int, int]) -> None:
        """A new generation. Its workers hold the reading end of the pipe, which is at its end when this process closes it, or dies."""
        self._value = value
        self._reading, self._writing = pipe
        self._vacancies = [time.monotonic()] * self._plan.count

    def _retire(self) -> None:
        os.close(self._reading)
        os.close(self._writing)
        self._retired |= self._current.keys()
        self._current, self._vacancies = {}, []

    def _change(self, make: Callable[[], T]) -> bool:
        """Whether a new generation takes over, with what `make` gives. Who connects in between waits in the kernel's queue."""
        with reloading(logger):
            value, pipe = make(), os.pipe()
            self._retire()
            self._begin(value, pipe)
            return True
        return False

    # Workers

    def _tend(self) -> bool:
        """Does what is due. Whether there is anybody to wait for."""
        now = time.monotonic()
        for process in (*self._current, *self._retired):
            self._bury(process)
        if now >= self._end:
            self._cut_off()
        if now >= self._renewal:
            self._renewal = now + self._plan.period
            self._change(self._plan.renew)
        due = [when for when in self._vacancies if when <= now]
        self._vacancies = [when for when in self._vacancies if when > now]
        for _ in due:
            self._hire()
        return bool(self._current or self._retired or self._vacancies)

    def _bury(self, process: int) -> None:
        """If the worker has ended, leaves no zombie, and a vacancy if it should be serving."""
        ended, status = os.waitpid(process, os.WNOHANG)
        if not ended:
            return
        self._retired.discard(process)
        started = self._current.pop(process, None)
        if started is not None:
            code = os.waitstatus_to_exitcode(status)
            how = f"was killed by {_SIGNAL_NAMES.get(-code, -code)}" if code < 0 else f"ended with status {code}"
            logger.error("worker %d %s; another takes its place", process, how)
            self._vacancies.append(max(started + PAUSE, time.monotonic()))

    def _cut_off(self) -> None:
        self._end = math.inf
        logger.info(CUT_OFF)
        for process in self._retired:
            os.kill(process, signal.SIGKILL)

    def _hire(self) -> None:
        now = time.monotonic()
        _flush()
        try:
            process = os.fork()
        except OSError as error:
            logger.error("no worker: %s", error)
            self._vacancies.append(now + PAUSE)
            return
        if not process:
            self._serve()
        self._current[process] = now
        logger.info("worker %d started", process)

    def _serve(self) -> NoReturn:
        """The life of a worker, which returns to nothing of what its parent had begun."""
        status = 1
        try:
            os.close(self._writing)
            stopping = (self._reading, _ended_by_signal(self._before))
            self._plan.work(self._listener, self._value, stopping)
            status = 0
        except BaseException:
            logger.exception("worker %d failed", os.getpid())
        finally:
            _flush()
            os._exit(status)


_ORDERS: Mapping[int, Callable[[_Supervisor[Any]], None]] = (
    {
        signal.SIGHUP: _Supervisor._reload,
        signal.SIGTERM: _Supervisor._stop,
        signal.SIGINT: _Supervisor._stop,
        signal.SIGCHLD: _Supervisor._look,
        signal.SIGALRM: _Supervisor._look,
    }
    if hasattr(os, "fork")
    else {}
)
"""What each signal has the supervisor do."""

_SIGNAL_NAMES: dict[int, str] = {number.value: number.name for number in signal.Signals}


@frozen
class _Before:
    """How signals were handled before: the mask of the thread, and the handlers by their numbers."""

    mask: set[int]
    handlers: dict[int, Any]

    def restore(self, but: Mapping[int, Any] = MappingProxyType({})) -> None:
        """As it was, but with these handlers. One that is None was not set from Python: nobody can set it again."""
        for number, handler in {**self.handlers, **but}.items():
            if handler is not None:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)


@contextmanager
def _held(numbers: Iterable[int]) -> Iterator[_Before]:
    """Holds these signals back until `sigwait` asks for them, so that none interrupts anything and none is lost.

    Interrupts that are ignored stay so: a shell wants that of its background jobs.
    """
    handlers = {number: signal.getsignal(number) for number in numbers}
    if handlers.get(signal.SIGINT) == signal.SIG_IGN:
        del handlers[signal.SIGINT]
    before = _Before(signal.pthread_sigmask(signal.SIG_BLOCK, handlers), handlers)
    for number in handlers:
        signal.signal(number, lambda _number, _frame: None)  # systems may drop what has no handler, such as a child's end
    try:
        yield before
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        while waiting := signal.sigpending() & handlers.keys():
            signal.sigwait(waiting)
        before.restore()


def _name(listener: socket.socket) -> str:
    address = listener.getsockname()
    return f"{address[0]} port {address[1]}" if isinstance(address, tuple) else str(address)


def _alarm(when: float) -> None:
    """Has SIGALRM come at this time, or a day from now where that is sooner; at none for infinity."""
    signal.setitimer(signal.ITIMER_REAL, 0 if when == math.inf else min(max(when - time.monotonic(), 0.001), _DAY))


def _ended_by_signal(before: _Before) -> int:
    """A file descriptor of a worker, readable from its first SIGTERM on; a second one ends the process.

    SIGINT and SIGHUP, which a terminal sends to every process, are for the supervisor. Other signals, and the file descriptor that
    `signal.set_wakeup_fd` takes, are left to the program: asyncio has its own there.
    """
    reading, writing = os.pipe()

    def drain(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.write(writing, b".")

    before.restore({signal.SIGTERM: drain, signal.SIGINT: signal.SIG_IGN, signal.SIGHUP: signal.SIG_IGN})
    return reading


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
