"""QTimer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from puretls.qt.dispatcher import Dispatcher, Timer
from puretls.qt.qnamespace import Qt
from puretls.qt.qobject import QObject
from puretls.qt.signals import Signal, SignalInstance


class _SingleShot:
    """`singleShot` of a class calls at once later; of an object it asks or sets, as under PySide6's true_property."""

    def __get__(self, instance: object, owner: type) -> Callable[..., None]:
        return _single_shot


def _single_shot(msec: int, *rest: object) -> None:
    slot: Any = rest[-1]

    def call() -> None:  # a function of its own, which keeps the slot's object: nobody else may
        (slot.emit if isinstance(slot, SignalInstance) else slot)()

    Dispatcher.current().call_later(msec / 1000, call)


class QTimer(QObject):
    """Emits `timeout` every `interval()` milliseconds, or once."""

    timeout: Signal = Signal()
    singleShot: _SingleShot = _SingleShot()  # QTimer.singleShot(msec, [timerType,] [context,] callable)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._interval = 0
        self._single = False
        self._timer: Timer | None = None
        self._timer_type = Qt.TimerType.CoarseTimer

    def start(self, msec: int | None = None) -> None:
        """Starts, or starts again from now, with a new interval if one is given."""
        if msec is not None:
            self._interval = int(msec)
        self.stop()
        self._timer = self._dispatcher.call_later(self._interval / 1000, self._fire)
        self._update_kept()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._update_kept()

    def _fire(self) -> None:
        self._timer = None
        if not self._single:
            self.start()
        self.timeout.emit()
        self._update_kept()

    def _cleanUp(self) -> None:
        self.stop()

    def _at_work(self) -> bool:
        return self._timer is not None or super()._at_work()

    def isActive(self) -> bool:
        return self._timer is not None

    def timerId(self) -> int:
        """A number, -1 when the timer does not run."""
        return self._timer.order if self._timer is not None else -1

    def interval(self) -> int:
        return self._interval

    def setInterval(self, msec: int) -> None:
        """Sets the interval; a timer that runs starts again with it."""
        self._interval = int(msec)
        if self._timer is not None:
            self.start()

    def isSingleShot(self) -> bool:
        return self._single

    def setSingleShot(self, singleShot: bool) -> None:
        self._single = bool(singleShot)

    def remainingTime(self) -> int:
        """Milliseconds until the next timeout; -1 when the timer does not run."""
        return -1 if self._timer is None else max(0, int((self._timer.due - time.monotonic()) * 1000))

    def timerType(self) -> Qt.TimerType:
        return self._timer_type

    def setTimerType(self, kind: Qt.TimerType) -> None:
        self._timer_type = kind
