"""puretls's sockets in a running Qt event loop, for Qt programs on machines without OpenSSL. Needs PySide6, or what looks like it.

    from PySide6.QtCore import QCoreApplication
    from puretls.qt import QSslSocket, pyside

    app = QCoreApplication([])
    pyside.install()          # from here on, sockets made in this thread are served by Qt's event loop

Signals of these sockets are `puretls.qt` signals: connect Python callables to them. `app.exec()` is Qt's.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from puretls.qt.calls import Call
from puretls.qt.dispatcher import Dispatcher


class _Later:
    """A call of Qt's timer that can be taken back."""

    def __init__(self, core: Any, seconds: float, call: Call) -> None:
        self._timer = core.QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(call)
        self._timer.start(int(seconds * 1000))

    def cancel(self) -> None:
        self._timer.stop()


class QtHost:
    """The part of an asyncio loop that a dispatcher uses, on Qt's event loop."""

    def __init__(self, core: Any) -> None:
        self._core = core
        self._notifiers: dict[int, Any] = {}

    def is_closed(self) -> bool:
        return False

    def call_soon(self, call: Call) -> None:
        self._core.QTimer.singleShot(0, call)

    def call_later(self, seconds: float, call: Call) -> _Later:
        return _Later(self._core, seconds, call)

    def add_reader(self, fd: int, call: Call) -> None:
        notifier = self._core.QSocketNotifier(fd, self._core.QSocketNotifier.Type.Read)
        notifier.activated.connect(lambda *_: call())
        self._notifiers[fd] = notifier

    def remove_reader(self, fd: int) -> None:
        notifier = self._notifiers.pop(fd, None)
        if notifier is not None:
            notifier.setEnabled(False)

    def spin(self, done: Callable[[], bool]) -> None:
        """Processes Qt's events until `done()`: how a QEventLoop of the facade nests in Qt."""
        flag = self._core.QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        loop = self._core.QEventLoop()
        while not done():
            loop.processEvents(flag)


def install(core: Any = None) -> None:
    """Has Qt's event loop serve this thread's sockets. `core`: the QtCore module, PySide6's unless given."""
    Dispatcher.current().attach(QtHost(core or import_module("PySide6.QtCore")))
