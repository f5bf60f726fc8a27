"""The part of Qt's namespace that sockets need."""

from __future__ import annotations

import enum

from puretls.qt._names import QtNames, export_values


class Qt(QtNames):
    """The part of Qt's namespace that sockets need."""

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
