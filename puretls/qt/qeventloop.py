"""QEventLoop and QCoreApplication: `exec()` runs asyncio, or turns the loop that is running already."""

from __future__ import annotations

import enum
import sys
from typing import ClassVar

from puretls.qt.dispatcher import Dispatcher
from puretls.qt.qobject import QObject
from puretls.qt.signals import Signal


class QEventLoop(QObject):
    """A loop that a program waits in until something calls `quit()`. Loops nest, inside slots and inside coroutines."""

    class ProcessEventsFlag(enum.Flag, boundary=enum.KEEP):
        """Which events to process; the facade has but one kind."""

        AllEvents = 0
        ExcludeUserInputEvents = 1
        ExcludeSocketNotifiers = 2
        WaitForMoreEvents = 4
        X11ExcludeTimers = 8
        EventLoopExec = 32
        DialogExec = 64
        ApplicationExec = 128

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._code: int | None = 0

    def exec(self, flags: ProcessEventsFlag = ProcessEventsFlag.AllEvents) -> int:
        """Processes events until `exit(code)` or `quit()` and returns the code; -1 when the loop runs already."""
        dispatcher = Dispatcher.current()
        if self in dispatcher.loops:
            return -1
        self._code = None
        dispatcher.loops.append(self)
        try:
            dispatcher.spin(lambda: self._code is not None)
        finally:
            dispatcher.loops.remove(self)
        return self._code if self._code is not None else -1

    exec_ = exec

    def exit(self, returnCode: int = 0) -> None:
        """Ends `exec()` with this code. Without effect on a loop that does not run."""
        if self._code is None:
            self._code = returnCode
            self._dispatcher.check_spins()

    def quit(self) -> None:
        """`exit(0)`."""
        self.exit(0)

    def isRunning(self) -> bool:
        return self._code is None

    def processEvents(self, flags: ProcessEventsFlag = ProcessEventsFlag.AllEvents, maximumTime: int | None = None) -> bool:
        """Does what is due now, without waiting. Whether there was anything."""
        return Dispatcher.current().process()

    def wakeUp(self) -> None:
        """Has a waiting loop look again; may be called from any thread."""
        self._dispatcher.post_from_thread(lambda: None)


class QCoreApplication(QObject):
    """The one application object of a program. Sockets work without it."""

    aboutToQuit: Signal = Signal()
    applicationNameChanged: Signal = Signal()
    applicationVersionChanged: Signal = Signal()
    organizationNameChanged: Signal = Signal()
    organizationDomainChanged: Signal = Signal()

    _instance: ClassVar[QCoreApplication | None] = None
    _facts: ClassVar[dict[str, str]] = {}

    def __init__(self, arguments: list[str] | None = None) -> None:
        if QCoreApplication._instance is not None:
            raise RuntimeError("Please destroy the QCoreApplication singleton before creating a new QCoreApplication instance.")
        super().__init__()
        self._arguments = list(sys.argv if arguments is None else arguments)
        QCoreApplication._instance = self

    @staticmethod
    def instance() -> QCoreApplication | None:
        return QCoreApplication._instance

    def shutdown(self) -> None:
        """Makes room for another application: there is one at a time."""
        QCoreApplication._instance = None

    @staticmethod
    def exec() -> int:
        """Runs the event loop until `quit()` or `exit(code)`; emits `aboutToQuit` at the end."""
        code = QEventLoop().exec()
        if QCoreApplication._instance is not None:
            QCoreApplication._instance.aboutToQuit.emit()
        return code

    exec_ = exec

    @staticmethod
    def exit(retcode: int = 0) -> None:
        """Ends all event loops of this thread, the innermost first, with this code."""
        for loop in reversed(Dispatcher.current().loops):
            loop.exit(retcode)

    @staticmethod
    def quit() -> None:
        """`exit(0)`. May be a slot, also of objects in other threads."""
        application = QCoreApplication._instance
        dispatcher = application._dispatcher if application is not None else Dispatcher.current()
        if dispatcher is Dispatcher.current():
            QCoreApplication.exit(0)
        else:
            dispatcher.post_from_thread(QCoreApplication.quit)

    @staticmethod
    def processEvents(
        flags: QEventLoop.ProcessEventsFlag = QEventLoop.ProcessEventsFlag.AllEvents, maxtime: int | None = None
    ) -> None:
        """Does what is due now, without waiting."""
        Dispatcher.current().process()

    @staticmethod
    def sendPostedEvents(receiver: QObject | None = None, event_type: int = 0) -> None:
        """Runs the calls that were posted."""
        Dispatcher.current().process()

    def arguments(self) -> list[str]:
        return list(self._arguments)

    @staticmethod
    def applicationName() -> str:
        return QCoreApplication._facts.get("applicationName", "")

    @staticmethod
    def setApplicationName(name: str) -> None:
        QCoreApplication._facts["applicationName"] = name

    @staticmethod
    def applicationVersion() -> str:
        return QCoreApplication._facts.get("applicationVersion", "")

    @staticmethod
    def setApplicationVersion(version: str) -> None:
        QCoreApplication._facts["applicationVersion"] = version

    @staticmethod
    def organizationName() -> str:
        return QCoreApplication._facts.get("organizationName", "")

    @staticmethod
    def setOrganizationName(name: str) -> None:
        QCoreApplication._facts["organizationName"] = name

    @staticmethod
    def organizationDomain() -> str:
        return QCoreApplication._facts.get("organizationDomain", "")

    @staticmethod
    def setOrganizationDomain(name: str) -> None:
        QCoreApplication._facts["organizationDomain"] = name

    @staticmethod
    def applicationPid() -> int:
        import os

        return os.getpid()
