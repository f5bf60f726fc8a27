"""One dispatcher a thread: readiness of descriptors, timers and posted calls, on a selector of its own.

asyncio is the event loop; it sees of a dispatcher one descriptor (the selector's), one timer and posted calls, through
`add_reader`, `call_at` and `call_soon`. So sockets move from one asyncio loop to the next, work before any loop runs, and the
blocking calls of sockets need no loop at all: they poll their own descriptor.

asyncio refuses to run a loop inside itself, Qt programs do it all the time: see `spin` and `nesting`.
Not thread-safe but for `post_from_thread`.
"""

from __future__ import annotations

import asyncio
import collections
import heapq
import itertools
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from puretls.qt.calls import Call, call_safely, weakly
from puretls.qt.nesting import can_nest, run_inside

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_POLL_SECONDS = 0.005  # how often a loop that cannot watch a selector looks after it (Proactor of Windows)
_thread = threading.local()


@dataclass(slots=True, eq=False)
class Watch:
    """The callbacks of one descriptor."""

    fd: int
    reader: Call | None = None
    writer: Call | None = None
    registered: int = 0
    """What the selector looks for."""

    @property
    def mask(self) -> int:
        return (READ if self.reader else 0) | (WRITE if self.writer else 0)


@dataclass(slots=True, order=True)
class Timer:
    """A call that is due at a moment of the monotonic clock."""

    due: float
    order: int
    call: Call | None = field(compare=False)

    def cancel(self) -> None:
        self.call = None


class Cancellable(Protocol):
    """A call that can be taken back."""

    def cancel(self) -> object: ...


class Host(Protocol):
    """What a dispatcher needs of the loop that serves its thread; asyncio's loops have it."""

    def is_closed(self) -> bool: ...

    def call_soon(self, callback: Callable[[], object], /) -> object: ...

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Cancellable: ...

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> object: ...

    def remove_reader(self, fd: int, /) -> object: ...


class _Owner:
    """What a thread holds: outside of every cycle, so that it goes with the thread and closes the dispatcher."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher

    def __del__(self) -> None:
        self.dispatcher.close()


class Dispatcher:
    """The event machinery of one thread. Get it with `Dispatcher.current()`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._watches: dict[int, Watch] = {}
        self._changed: dict[int, Watch] = {}  # those that the selector may not know as they are
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._posted: collections.deque[Call] = collections.deque()
        self._active: collections.deque[tuple[Watch, int]] = collections.deque()
        self._host: Host | None = None
        self._own: asyncio.SelectorEventLoop | None = None
        self._host_timer: Cancellable | None = None
        self._awake = False  # a call of _turn is on its way through the host loop
        self._spins: list[Callable[[], bool]] = []
        self.loops: list[Any] = []  # the QEventLoops that are running, outermost first
        self.closed: bool = False
        self._wake_receive, self._wake_send = socket.socketpair()
        self._wake_receive.setblocking(False)
        self._selector.register(self._wake_receive, READ, Watch(self._wake_receive.fileno(), reader=self._drain_wake))

    @classmethod
    def current(cls) -> Dispatcher:
        """The dispatcher of the calling thread, made on first use."""
        try:
            return _thread.owner.dispatcher  # type: ignore[no-any-return]
        except AttributeError:
            _thread.owner = _Owner(cls())
            return _thread.owner.dispatcher  # type: ignore[no-any-return]

    @classmethod
    def existing(cls) -> Dispatcher | None:
        """The dispatcher of the calling thread, None where nothing has needed one yet."""
        owner = getattr(_thread, "owner", None)
        return None if owner is None else owner.dispatcher

    def close(self) -> None:
        """Closes all descriptors; called when the thread ends."""
        self.closed = True
        self._detach()
        if self._own is not None and not self._own.is_running():
            self._own.close()
        self._wake_receive.close()
        self._wake_send.close()
        self._selector.close()

    # what sockets and timers ask for

    def watch(self, fd: int, *, reader: Call | None, writer: Call | None) -> None:
        """Sets who is called when `fd` can be read or written; without callbacks the descriptor is forgotten at once.

        The selector learns of other changes in the next turn: a socket that has written everything at once has changed its mind by then.
        """
        if self.closed:
            return
        watch = self._watches.get(fd)
        if reader is None and writer is None:
            if watch is not None:
                del self._watches[fd]
                if watch.registered:
                    self._selector.unregister(fd)
            self._follow_running_loop()
            return
        if watch is None:
            watch = self._watches[fd] = Watch(fd)
        watch.reader, watch.writer = reader, writer
        self._changed[fd] = watch
        self._wake()

    def _tell_selector(self) -> None:
        while self._changed:
            fd, watch = self._changed.popitem()
            if self._watches.get(fd) is not watch or watch.mask == watch.registered:
                continue
            if watch.registered:
                self._selector.modify(fd, watch.mask, watch)
            else:
                self._selector.register(fd, watch.mask, watch)
            watch.registered = watch.mask

    def call_later(self, seconds: float, call: Call) -> Timer:
        """Calls once after `seconds`, if the object of a bound method is still there; the result can be cancelled."""
        timer = Timer(time.monotonic() + max(0.0, seconds), next(self._order), weakly(call))
        heapq.heappush(self._timers, timer)
        self._wake()
        return timer

    def post(self, call: Call) -> None:
        """Calls from the event loop, after what is being done now, if the object of a bound method is still there."""
        self._posted.append(weakly(call))
        self._wake()

    def post_from_thread(self, call: Call) -> None:
        """The same from any thread. Unlike `post`, it keeps the object of a bound method until then."""
        self._posted.append(call)
        with suppress(BlockingIOError):  # the pipe is full of wake-ups already
            self._wake_send.send(b"\0")

    def _drain_wake(self) -> None:
        with suppress(BlockingIOError):
            self._wake_receive.recv(4096)

    # doing what is due

    def process(self) -> bool:
        """Does everything that is due now and returns whether there was anything. May be called from inside itself."""
        before = len(self._posted)
        did = bool(before)
        for _ in range(before):
            if not self._posted:
                break  # a nested call was faster
            call_safely(self._posted.popleft())
        self._tell_selector()
        for key, mask in self._selector.select(0):
            self._active.append((key.data, mask))
        while self._active:
            did = True
            self._notify(*self._active.popleft())
        return self._fire_timers() or did

    def _notify(self, watch: Watch, mask: int) -> None:
        for bit in (READ, WRITE):
            if not mask & bit or self._watches.get(watch.fd, watch) is not watch:
                continue  # closed meanwhile, and its number perhaps given to another socket
            call = watch.reader if bit == READ else watch.writer
            if call is not None:
                call_safely(call)

    def _fire_timers(self) -> bool:
        now, due = time.monotonic(), []
        while self._timers and (self._timers[0].call is None or self._timers[0].due <= now):
            due.append(heapq.heappop(self._timers))
        fired = False
        for timer in due:
            if timer.call is not None:
                fired = True
                call, timer.call = timer.call, None
                call_safely(call)
        return fired

    # asyncio

    def _follow_running_loop(self) -> None:
        """Attaches to the asyncio loop that is running, if it is another than before."""
        running = asyncio._get_running_loop()
        if running is not None and running is not self._host:
            self.attach(running)

    def attach(self, loop: Host) -> None:
        """Lets another loop serve this thread: asyncio's come by themselves, Qt's through `pyside`."""
        self._detach()
        self._host = loop
        self._awake = False
        try:
            loop.add_reader(self._selector.fileno(), self._wake)
        except (AttributeError, NotImplementedError):
            loop.call_later(_POLL_SECONDS, lambda: self._poll(loop))
        self._wake()

    def _detach(self) -> None:
        host, self._host = self._host, None
        if host is not None and not host.is_closed():
            with suppress(AttributeError, NotImplementedError):  # a loop that polls stops by itself
                host.remove_reader(self._selector.fileno())
        if self._host_timer is not None:
            self._host_timer.cancel()
            self._host_timer = None

    def _poll(self, loop: Host) -> None:
        if loop is self._host:
            self._wake()
            loop.call_later(_POLL_SECONDS, lambda: self._poll(loop))

    def _wake(self) -> None:
        """Has the host loop call `_turn` soon: by a new handle each time, for a nested turn cannot enter the context of an outer one."""
        self._follow_running_loop()
        if self._host is not None and not self._awake and not self._host.is_closed():
            self._awake = True
            self._host.call_soon(self._turn)

    def _turn(self) -> None:
        self._awake = False
        self.process()
        host = self._host
        if host is None or host.is_closed():
            return
        if self._posted:
            self._wake()
        if self._host_timer is not None:
            self._host_timer.cancel()
            self._host_timer = None
        if self._timers:
            delay = max(0.0, self._timers[0].due - time.monotonic())
            self._host_timer = host.call_later(delay, self._wake)

    def spin(self, done: Callable[[], bool]) -> None:
        """Runs events until `done()`; `check_spins` must be called when that may have changed.

        Where no asyncio loop is running one is run; inside a running one, however deep, that one is turned (`nesting`). A loop that
        cannot be nested stands still meanwhile, and our own events go on.
        """
        loop = asyncio._get_running_loop()
        self._spins.append(done)
        try:
            foreign = getattr(self._host, "spin", None) if loop is None else None
            if foreign is not None:
                foreign(done)
            elif loop is None:
                self._run_own_loop(done)
            elif can_nest(loop):
                self._follow_running_loop()
                run_inside(loop, done)
            else:
                while not done():
                    self._tell_selector()
                    self._selector.select(max(0.0, min(1.0, self._timers[0].due - time.monotonic())) if self._timers else 1.0)
                    self.process()
        finally:
            self._spins.pop()
            self.check_spins()

    def check_spins(self) -> None:
        """Ends the innermost `spin` whose condition has become true."""
        if not self._spins:
            return
        if len(self._spins) == 1 and self._own is not None and self._own.is_running():
            if self._spins[0]():
                self._own.stop()
        else:
            self._wake()

    def _run_own_loop(self, done: Callable[[], bool]) -> None:
        if self._own is None or self._own.is_closed():
            self._own = asyncio.SelectorEventLoop()
        own: asyncio.AbstractEventLoop = self._own
        if self._host is not own:
            self.attach(own)
        if not done():
            own.run_forever()
