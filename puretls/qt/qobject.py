"""Signals, slots and QObject.

Slots run in the order of connection, take as many arguments as they can, and may raise: the exception is shown and the next
slot runs. Bound methods are held weakly, other callables strongly, as PySide6 does. A method of a QObject that lives in
another thread is called from that thread's event loop.

An object ends with the last reference to it, as under PySide6: its sockets are closed, its timers stop, its children end, and
`destroyed` is emitted. For that nothing here refers back to an object strongly: not its signals, not its children, not the event
loop. The slots of an object that is at work (a socket that is connected, a timer that runs) are kept for it: `_update_kept`.
"""

from __future__ import annotations

import enum
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any, overload

from puretls.qt._names import QtNames, export_values
from puretls.qt.dispatcher import Dispatcher, call_safely

_UNLIMITED = 1 << 30
_senders = threading.local()
_kept: dict[int, object] = {}
"""The signals of objects at work, by the id of the object: their slots live on, though nobody else may hold them."""


class Qt(QtNames):
    """The little of Qt's namespace that sockets need."""

    class ConnectionType(enum.Enum):
        """When a slot runs: at once, from the receiver's event loop, or as fits the threads."""

        AutoConnection = 0
        DirectConnection = 1
        QueuedConnection = 2
        BlockingQueuedConnection = 3
        UniqueConnection = 128
        SingleShotConnection = 256

    class TimerType(enum.Enum):
        """Accepted and ignored: all timers are as precise as the event loop."""

        PreciseTimer = 0
        CoarseTimer = 1
        VeryCoarseTimer = 2


export_values(Qt, Qt.ConnectionType, Qt.TimerType)


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
        self.wanted = len(slot.types) if isinstance(slot, SignalInstance) else arguments_wanted(target)
        self.slot: Callable[[], Callable[..., object] | None]
        if isinstance(target, types.MethodType) and not isinstance(target.__self__, SignalInstance):
            self.slot = weakref.WeakMethod(target)
        else:
            self.slot = lambda: target
        self.kind = kind
        self.alive: bool = True

    def __bool__(self) -> bool:
        return self.alive

    def end(self) -> None:
        """Takes the connection away; what it held is let go."""
        self.alive = False
        self.slot = _gone

    def is_for(self, slot: Callable[..., object] | SignalInstance) -> bool:
        """Whether this connection leads to `slot`."""
        return self.slot() == (slot.emit if isinstance(slot, SignalInstance) else slot)

    def call(self, sender: QObject, arguments: tuple[object, ...]) -> bool:
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
        dispatcher = receiver._dispatcher if isinstance(receiver, QObject) else None
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

    def __init__(self, sender: QObject, slot: Callable[..., object], arguments: tuple[object, ...]) -> None:
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

    def __init__(self, owner: QObject, name: str, types_: tuple[object, ...], overloads: tuple[tuple[object, ...], ...]) -> None:
        self._owner, self.name, self.types = weakref.ref(owner), name, types_
        self._connections: list[Connection] = []
        self._overloads = {types: self if types == types_ else None for types in overloads}

    @property
    def owner(self) -> QObject | None:
        """The object whose signal this is, None once it is gone."""
        return self._owner()

    def _belongs_to(self, owner: QObject) -> None:
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
        self.name = name or ""
        self.arguments = arguments or []

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    @overload
    def __get__(self, instance: None, owner: type) -> Signal: ...

    @overload
    def __get__(self, instance: QObject, owner: type) -> SignalInstance: ...

    def __get__(self, instance: QObject | None, owner: type) -> Signal | SignalInstance:
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


class QObject(QtNames):
    """Base of everything with signals: a name, a parent and children."""

    staticMetaObject: QMetaObject
    destroyed = Signal(object)
    objectNameChanged = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__()
        self._dispatcher = Dispatcher.current()
        self._signals_blocked = self._is_gone = False
        self._parent: Callable[[], QObject | None] = _gone
        self._children: list[QObject] = []
        self._name = ""
        self._properties: dict[str, object] = {}
        self._timers: dict[int, Any] = {}
        if parent is not None:
            self.setParent(parent)

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls.staticMetaObject = QMetaObject(cls)

    def metaObject(self) -> QMetaObject:
        return type(self).staticMetaObject

    def parent(self) -> QObject | None:
        """The object that keeps this one alive, and with which it ends; or None."""
        return self._parent()

    def setParent(self, parent: QObject | None) -> None:
        """Gives the object to another, which keeps it alive; with None to whoever refers to it."""
        former = self._parent()
        if former is not None and self in former._children:
            former._children.remove(self)
        self._parent = _gone if parent is None else weakref.ref(parent)
        if parent is not None:
            parent._children.append(self)

    def children(self) -> list[QObject]:
        return list(self._children)

    def findChildren(self, kind: type, name: str | None = None) -> list[QObject]:
        """All descendants of a class, and of that name if one is given."""
        return [each for each in self._descendants() if isinstance(each, kind) and name in (None, each._name)]

    def findChild(self, kind: type, name: str | None = None) -> QObject | None:
        """The first of `findChildren`, or None."""
        return next(iter(self.findChildren(kind, name)), None)

    def _descendants(self) -> Iterator[QObject]:
        for child in self._children:
            yield child
            yield from child._descendants()

    def objectName(self) -> str:
        return self._name

    def setObjectName(self, name: str) -> None:
        if name != self._name:
            self._name = name
            self.objectNameChanged.emit(name)

    def blockSignals(self, block: bool) -> bool:
        """Stops (True) or allows (False) all emissions; returns what was set before."""
        former, self._signals_blocked = self._signals_blocked, bool(block)
        return former

    def signalsBlocked(self) -> bool:
        return self._signals_blocked

    def property(self, name: str) -> object:
        return self._properties.get(name)

    def setProperty(self, name: str, value: object) -> bool:
        self._properties[name] = value
        return False  # dynamic, says Qt

    def dynamicPropertyNames(self) -> list[str]:
        return list(self._properties)

    def inherits(self, name: str) -> bool:
        """Whether a class of that name is among the bases."""
        return any(each.__name__ == name for each in type(self).__mro__)

    def sender(self) -> QObject | None:
        """In a slot: the object whose signal called it."""
        return getattr(_senders, "current", None)

    def receivers(self, signal: SignalInstance) -> int:
        return signal.count()

    def isSignalConnected(self, signal: SignalInstance) -> bool:
        return signal.count() > 0

    def deleteLater(self) -> None:
        """Ends the object from the event loop: children first, then `destroyed`."""
        self._dispatcher.post(self._destroy)

    def __del__(self) -> None:
        dispatcher = self.__dict__.get("_dispatcher")
        if dispatcher is None or self._is_gone or sys.is_finalizing():
            return
        if dispatcher.closed or dispatcher is Dispatcher.existing():
            call_safely(self._destroy)
        else:  # the last reference went in another thread: the object ends in its own
            dispatcher.post_from_thread(self._destroy)

    def _destroy(self) -> None:
        if self._is_gone:
            return
        self._is_gone = True
        self._cleanUp()
        for child in self.children():
            child._destroy()
        self._children.clear()
        self.setParent(None)
        for timer in list(self._timers):
            self.killTimer(timer)
        self.destroyed.emit(self)
        for signal in self.__dict__.get("_signals", {}).values():
            signal._disconnect_all()
        _kept.pop(id(self), None)

    def _at_work(self) -> bool:
        """Whether something may happen to this object without a call of the program."""
        return bool(self._timers)

    def _update_kept(self) -> None:
        """Keeps what this object's signals lead to while the object is at work.

        A slot such as `lambda: socket.write(b"x")` may be all that refers to `socket`: while it is connected, nothing may take it away.
        """
        if self._at_work() and not self._is_gone:
            _kept[id(self)] = self.__dict__.setdefault("_signals", {})
        else:
            _kept.pop(id(self), None)

    def _cleanUp(self) -> None:
        """What a class has to let go of when its object is deleted."""

    def moveToThread(self, thread: object) -> bool:
        """Has the object live in the calling thread; call it there, before the object is used."""
        self._dispatcher = Dispatcher.current()
        return True

    def thread(self) -> Dispatcher:
        """What stands for the thread the object lives in; the same for all objects of one thread."""
        return self._dispatcher

    def startTimer(self, interval: int, timerType: Qt.TimerType = Qt.TimerType.CoarseTimer) -> int:
        """Calls `timerEvent` every `interval` milliseconds; returns a number for `killTimer`."""
        number = max(self._timers, default=0) + 1
        self._arm_timer(number, interval / 1000)
        return number

    def _arm_timer(self, number: int, seconds: float) -> None:
        itself = weakref.ref(self)

        def fire() -> None:
            alive = itself()
            if alive is not None:
                alive._arm_timer(number, seconds)
                alive.timerEvent(QTimerEvent(number))

        self._timers[number] = self._dispatcher.call_later(seconds, fire)
        self._update_kept()

    def killTimer(self, number: int) -> None:
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.cancel()
            self._update_kept()

    def timerEvent(self, event: QTimerEvent) -> None:
        """Override point for `startTimer`."""

    @staticmethod
    def tr(text: str, *rest: object) -> str:
        """The text itself: there are no translations."""
        return text

    @staticmethod
    def connect(sender: QObject, signal: SignalInstance, *slot: object) -> Connection:
        """`QObject.connect(sender, sender.signal, callable)`: the same as `sender.signal.connect(callable)`."""
        return signal.connect(slot[-1])  # type: ignore[arg-type]

    @staticmethod
    def disconnect(*what: object) -> bool:
        """Takes a Connection away, or `(sender, signal, callable)`."""
        if len(what) == 1 and isinstance(what[0], Connection):
            was = bool(what[0])
            what[0].end()
            return was
        if len(what) > 1 and isinstance(what[1], SignalInstance):
            return what[1].disconnect(what[-1] if len(what) > 2 else None)  # type: ignore[arg-type]
        return False


class QTimerEvent(QtNames):
    """What `timerEvent` is given."""

    def __init__(self, number: int) -> None:
        self._number = number

    def timerId(self) -> int:
        return self._number


_NO_CONNECTION = Connection(lambda: None, Qt.ConnectionType.AutoConnection)
_NO_CONNECTION.alive = False


class QMetaObject(QtNames):
    """The part of Qt's meta objects that a facade can offer: the class's name and its signals."""

    Connection = Connection

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def className(self) -> str:
        return self._kind.__name__

    def signals(self) -> list[str]:
        """Names of the signals, in order of definition, without their snake_case twins."""
        found: dict[str, None] = {}
        for each in reversed(self._kind.__mro__):
            found.update({name: None for name, value in vars(each).items() if isinstance(value, Signal) and value.name == name})
        return list(found)

    @staticmethod
    def invokeMethod(target: QObject, name: str, type: Qt.ConnectionType = Qt.ConnectionType.AutoConnection) -> bool:
        """Calls a method without arguments by name, at once or (queued) from the event loop."""
        method = getattr(target, name, None)
        if method is None:
            return False
        if type is Qt.ConnectionType.QueuedConnection:
            target._dispatcher.post(method)  # dropped with its target, as in Qt
        else:
            method()
        return True


QObject.staticMetaObject = QMetaObject(QObject)
