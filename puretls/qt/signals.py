"""Signals and slots.

Slots run in the order of connection, take as many arguments as they can, and may raise: the exception is shown and the next
slot runs. Bound methods are held weakly, other callables strongly, as PySide6 does. A method of an object that lives in
another thread is called from that thread's event loop.

A signal refers to its object weakly, so that an object ends with the last reference that a program holds.
"""

from __future__ import annotations

import threading
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any, overload

from puretls.qt.calls import call_safely
from puretls.qt.dispatcher import Dispatcher
from puretls.qt.qnamespace import Qt

_UNLIMITED = 1 << 30
_senders = threading.local()


class Emitter:
    """What has signals and lives in a thread: every QObject."""

    _dispatcher: Dispatcher
    _signals_blocked: bool


def current_sender() -> Emitter | None:
    """In a slot: the object whose signal called it."""
    return getattr(_senders, "current", None)


def arguments_wanted(slot: Callable[..., object]) -> int:
    """How many positional arguments a callable takes at most."""
    function = getattr(slot, "__func__", slot)
    code = getattr(function, "__code__", None)
    if code is None:
        return _arguments_by_signature(slot)
    if code.co_flags & 0x04:  # *args
        return _UNLIMITED
    return int(code.co_argcount) - (1 if function is not slot else 0)


def _arguments_by_signature(slot: Callable[..., object]) -> int:
    import inspect

    try:
        parameters = inspect.signature(slot).parameters.values()
    except (TypeError, ValueError):
        return _UNLIMITED
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return _UNLIMITED
    return sum(parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) for parameter in parameters)


class Connection:
    """One slot of one signal; true while it is connected."""

    __slots__ = ("__weakref__", "alive", "kind", "slot", "wanted")

    def __init__(self, slot: Callable[..., object] | SignalInstance, kind: Qt.ConnectionType) -> None:
        target = slot.emit if isinstance(slot, SignalInstance) else slot
        self.wanted: int = len(slot.types) if isinstance(slot, SignalInstance) else arguments_wanted(target)
        self.slot: Callable[[], Callable[..., object] | None]
        if isinstance(target, types.MethodType) and not isinstance(target.__self__, SignalInstance):
            self.slot = weakref.WeakMethod(target)
        else:
            self.slot = lambda: target
        self.kind: Qt.ConnectionType = kind
        self.alive: bool = True

    def __bool__(self) -> bool:
        return self.alive

    def end(self) -> None:
        """Takes the connection away and lets go of its slot."""
        self.alive = False
        self.slot = _gone

    def is_for(self, slot: Callable[..., object] | SignalInstance) -> bool:
        """Whether this connection leads to `slot`."""
        return self.slot() == (slot.emit if isinstance(slot, SignalInstance) else slot)

    def call(self, sender: Emitter, arguments: tuple[object, ...]) -> bool:
        """Runs or posts the slot; False when the receiver is gone."""
        slot = self.slot()
        if slot is None:
            return False
        if self.kind is Qt.ConnectionType.SingleShotConnection:
            self.end()
        receiver = getattr(slot, "__self__", None)
        if isinstance(receiver, SignalInstance):
            receiver = receiver.owner
            if receiver is None:
                return False
        dispatcher = receiver._dispatcher if isinstance(receiver, Emitter) else None
        here = Dispatcher.current()
        run = _Run(sender, slot, arguments[: self.wanted])
        if self.kind is Qt.ConnectionType.DirectConnection or (
            dispatcher in (None, here) and self.kind is not Qt.ConnectionType.QueuedConnection
        ):
            call_safely(run)
        elif dispatcher is None or dispatcher is here:
            here.post(run)
        else:
            dispatcher.post_from_thread(run)
        return True


def _gone() -> None:
    """The slot of a connection that was taken away."""


class _Run:
    """A slot with its arguments, knowing who sends."""

    __slots__ = ("arguments", "sender", "slot")

    def __init__(self, sender: Emitter, slot: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self.sender, self.slot, self.arguments = sender, slot, arguments

    def __call__(self) -> None:
        former = getattr(_senders, "current", None)
        _senders.current = self.sender
        try:
            self.slot(*self.arguments)
        finally:
            _senders.current = former


class SignalInstance:
    """The signal of one object: `connect`, `disconnect`, `emit`."""

    __slots__ = ("__weakref__", "_connections", "_overloads", "_owner", "name", "types")

    def __init__(self, owner: Emitter, name: str, types_: tuple[object, ...], overloads: tuple[tuple[object, ...], ...]) -> None:
        self._owner = weakref.ref(owner)
        self.name: str = name
        self.types: tuple[object, ...] = types_
        self._connections: list[Connection] = []
        self._overloads = {types: self if types == types_ else None for types in overloads}

    @property
    def owner(self) -> Emitter | None:
        """The object whose signal this is, None once it is gone."""
        return self._owner()

    def _belongs_to(self, owner: Emitter) -> None:
        self._owner = weakref.ref(owner)

    def __getitem__(self, types: object) -> SignalInstance:
        """The overload of these types (Qt 5 spelling: `socket.error[QAbstractSocket.SocketError]`)."""
        key = types if isinstance(types, tuple) else (types,)
        if key not in self._overloads:
            raise IndexError(f"signal {self.name} has no overload for {types!r}")
        found = self._overloads[key]
        if found is None:
            owner = self._owner()
            if owner is None:
                raise RuntimeError(f"the object of signal {self.name} is gone")
            found = self._overloads[key] = SignalInstance(owner, self.name, key, (key,))
        return found

    def connect(
        self,
        slot: Callable[..., object] | SignalInstance,
        type: Qt.ConnectionType = Qt.ConnectionType.AutoConnection,
    ) -> Connection:
        """Calls `slot` at each emission from now on. A signal may be a slot. Raises TypeError for what cannot be called."""
        if not isinstance(slot, SignalInstance) and not callable(slot):
            raise TypeError(f'Expected signal or callable, got "{slot.__class__.__name__}"')
        if type is Qt.ConnectionType.UniqueConnection and any(each.is_for(slot) for each in self._connections):
            return _NO_CONNECTION
        connection = Connection(slot, type)
        self._connections.append(connection)
        return connection

    def disconnect(self, slot: Callable[..., object] | SignalInstance | Connection | None = None) -> bool:
        """Takes away the connections to `slot`, or all of them. Warns and returns False if there was none."""
        if slot is None:
            gone = list(self._connections)
        elif isinstance(slot, Connection):
            gone = [each for each in self._connections if each is slot]
        else:
            gone = [each for each in self._connections if each.is_for(slot)]
        if not gone:
            warnings.warn(f'Failed to disconnect ({slot}) from signal "{self.name}".', RuntimeWarning, stacklevel=2)
            return False
        for each in gone:
            each.end()
        self._connections = [each for each in self._connections if each.alive]
        return True

    def _disconnect_all(self) -> None:
        for each in self._connections:
            each.end()
        self._connections = []

    def emit(self, *arguments: object) -> bool:
        """Runs the slots. Raises TypeError when the number of arguments is not the signal's."""
        if len(arguments) != len(self.types):
            raise TypeError(f"{self.name} needs {len(self.types)} argument(s), {len(arguments)} given!")
        owner = self._owner()
        if self._connections and owner is not None and not owner._signals_blocked:
            for connection in tuple(self._connections):
                if connection.alive and not connection.call(owner, arguments):
                    connection.end()
            if not all(each.alive for each in self._connections):
                self._connections = [each for each in self._connections if each.alive]
        return True

    def __call__(self, *arguments: object) -> bool:
        return self.emit(*arguments)

    def count(self) -> int:
        """How many slots are connected."""
        return len(self._connections)

    def __repr__(self) -> str:
        return f"<SignalInstance {self.name} of {self.owner.__class__.__name__}>"


class Signal:
    """Declares a signal in a QObject class: `finished = Signal(str, int)`, or overloads `Signal((int,), (str,))`."""

    def __init__(self, *types: object, name: str | None = None, arguments: list[str] | None = None) -> None:
        self._overloads = tuple(types) if types and all(isinstance(each, tuple) for each in types) else (types,)
        self.name: str = name or ""
        self.arguments: list[str] = arguments or []

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    @overload
    def __get__(self, instance: None, owner: type) -> Signal: ...

    @overload
    def __get__(self, instance: Emitter, owner: type) -> SignalInstance: ...

    def __get__(self, instance: Emitter | None, owner: type) -> Signal | SignalInstance:
        if instance is None:
            return self
        signals = instance.__dict__.setdefault("_signals", {})
        found = signals.get(self)
        if found is None:
            found = signals[self] = SignalInstance(instance, self.name, self._overloads[0], self._overloads)  # type: ignore[arg-type]
        elif found._owner() is None:
            found._belongs_to(instance)  # the collector clears weak references before it ends the object
        return found  # type: ignore[no-any-return]


def Slot(*types: object, name: str | None = None, result: object = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks a method as a slot; any callable is one, so nothing is changed."""
    return lambda function: function


_NO_CONNECTION = Connection(lambda: None, Qt.ConnectionType.AutoConnection)
_NO_CONNECTION.alive = False
