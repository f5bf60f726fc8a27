"""QObject.

An object ends with the last reference to it, as under PySide6: its sockets are closed, its timers stop, its children end, and
`destroyed` is emitted. For that nothing here refers back to an object strongly: not its signals, not its children, not the event
loop. The slots of an object that is at work (a socket that is connected, a timer that runs) are kept for it: `_update_kept`.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from puretls.qt._names import QtNames
from puretls.qt.calls import call_safely
from puretls.qt.dispatcher import Dispatcher
from puretls.qt.qnamespace import Qt
from puretls.qt.signals import Connection, Emitter, Signal, SignalInstance, current_sender

_kept: dict[int, object] = {}
"""The signals of objects at work, by the id of the object: their slots live on, though nobody else may hold them."""


def _no_parent() -> None:
    """What stands for the parent of an object that has none."""


class QObject(Emitter, QtNames):
    """Base of everything with signals: a name, a parent and children."""

    staticMetaObject: QMetaObject
    destroyed: Signal = Signal(object)
    objectNameChanged: Signal = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__()
        self._dispatcher = Dispatcher.current()
        self._signals_blocked = self._is_gone = False
        self._parent: Callable[[], QObject | None] = _no_parent
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
        self._parent = _no_parent if parent is None else weakref.ref(parent)
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
        return current_sender()  # type: ignore[return-value]

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
