"""Qt's warnings: what a program did wrong, told to the installed handler or to the standard error stream."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable

from puretls.values import frozen


class QtMsgType(enum.Enum):
    """How grave a message is."""

    QtDebugMsg = 0
    QtWarningMsg = 1
    QtCriticalMsg = 2
    QtFatalMsg = 3
    QtInfoMsg = 4


@frozen
class QMessageLogContext:
    """Where a message comes from; the facade fills in the category alone."""

    category: str = "qt.network.ssl"
    file: str | None = None
    function: str | None = None
    line: int = 0


Handler = Callable[[QtMsgType, QMessageLogContext, str], object]
_handler: Handler | None = None


def qInstallMessageHandler(handler: Handler | None) -> Handler | None:
    """Sends all messages to `handler(type, context, text)`; None restores the default. Returns the former handler."""
    global _handler
    former, _handler = _handler, handler
    return former


def report(kind: QtMsgType, text: str) -> None:
    """Hands one message to the handler, or writes it to stderr."""
    if _handler is not None:
        _handler(kind, QMessageLogContext(), text)
    else:
        sys.stderr.write(text + "\n")


def qWarning(text: str) -> None:
    """Tells that a call could not do what it was asked."""
    report(QtMsgType.QtWarningMsg, text)


def qDebug(*values: object) -> None:
    """Writes values, separated by spaces."""
    report(QtMsgType.QtDebugMsg, " ".join(str(value) for value in values))
