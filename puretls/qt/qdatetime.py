"""QDateTime, as far as certificates need it: a moment in UTC, or an invalid one."""

from __future__ import annotations

import datetime
import re
from functools import total_ordering

from puretls.qt._names import QtNames

_PATTERN = re.compile(r"'([^']*)'|yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|hh|h|HH|H|mm|m|ss|s|zzz|z|AP|ap|t")
_FORMATS = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dddd": "%A", "ddd": "%a", "dd": "%d",
    "HH": "%H", "mm": "%M", "ss": "%S", "AP": "%p", "t": "UTC",
}  # fmt: skip


@total_ordering
class QDateTime(QtNames):
    """A moment with a resolution of milliseconds. `toPython()` gives a `datetime`."""

    def __init__(self, moment: datetime.datetime | QDateTime | int | None = None, *rest: int) -> None:
        given = moment._moment if isinstance(moment, QDateTime) else moment
        if isinstance(given, int):
            given = datetime.datetime(given, *rest)  # type: ignore[arg-type]
        if given is not None and given.tzinfo is None:
            given = given.replace(tzinfo=datetime.UTC)
        self._moment: datetime.datetime | None = given

    def isNull(self) -> bool:
        return self._moment is None

    def isValid(self) -> bool:
        return self._moment is not None

    def toSecsSinceEpoch(self) -> int:
        return 0 if self._moment is None else int(self._moment.timestamp())

    def toMSecsSinceEpoch(self) -> int:
        return 0 if self._moment is None else round(self._moment.timestamp() * 1000)

    @staticmethod
    def fromSecsSinceEpoch(seconds: int, *_: object) -> QDateTime:
        """The moment; an invalid one outside of the years 1 to 9999."""
        return QDateTime.fromMSecsSinceEpoch(1000 * seconds)

    @staticmethod
    def fromMSecsSinceEpoch(milliseconds: int, *_: object) -> QDateTime:
        try:
            return QDateTime(datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC))
        except (ValueError, OverflowError, OSError):
            return QDateTime()

    @staticmethod
    def currentDateTimeUtc() -> QDateTime:
        return QDateTime(datetime.datetime.now(datetime.UTC))

    currentDateTime = currentDateTimeUtc

    def toUTC(self) -> QDateTime:
        return QDateTime(self)

    def toLocalTime(self) -> QDateTime:
        return QDateTime(None if self._moment is None else self._moment.astimezone())

    def toPython(self) -> datetime.datetime:
        """The moment without a time zone, as PySide6 gives it. Raises ValueError when invalid."""
        if self._moment is None:
            raise ValueError("the date is not valid")
        return self._moment.replace(tzinfo=None)

    toPyDateTime = toPython

    def date(self) -> datetime.date:
        return self.toPython().date()

    def time(self) -> datetime.time:
        return self.toPython().time()

    def addSecs(self, seconds: float) -> QDateTime:
        return QDateTime(None if self._moment is None else self._moment + datetime.timedelta(seconds=seconds))

    def addMSecs(self, milliseconds: int) -> QDateTime:
        return self.addSecs(milliseconds / 1000)

    def addDays(self, days: int) -> QDateTime:
        return self.addSecs(days * 86400)

    def secsTo(self, other: QDateTime) -> int:
        return other.toSecsSinceEpoch() - self.toSecsSinceEpoch()

    def daysTo(self, other: QDateTime) -> int:
        return 0 if self._moment is None or other._moment is None else (other.date() - self.date()).days

    def toString(self, format: object = "yyyy-MM-ddTHH:mm:ssZ") -> str:
        """Text in Qt's format letters (`yyyy-MM-dd HH:mm:ss.zzz`); anything but a str means ISO 8601."""
        if self._moment is None:
            return ""
        if not isinstance(format, str):
            format = "yyyy-MM-dd'T'HH:mm:ss'Z'"
        return _PATTERN.sub(self._field, format)

    def _field(self, match: re.Match[str]) -> str:
        token, moment = match[0], self.toPython()
        twelve = moment.hour % 12 or 12
        plain = {"M": moment.month, "d": moment.day, "H": moment.hour, "m": moment.minute, "s": moment.second}
        if token.startswith("'"):
            return match[1] or "'"
        if token in _FORMATS:
            return moment.strftime(_FORMATS[token])
        if token in ("hh", "h"):
            hour = twelve if re.search("ap|AP", match.string) else moment.hour
            return f"{hour:02}" if token == "hh" else str(hour)
        if token in ("zzz", "z"):
            return f"{moment.microsecond // 1000:03}" if token == "zzz" else str(moment.microsecond // 1000)
        return str(plain[token]) if token in plain else moment.strftime("%p").lower()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QDateTime) and self._moment == other._moment

    def __lt__(self, other: QDateTime) -> bool:
        return self.toMSecsSinceEpoch() < other.toMSecsSinceEpoch()

    def __hash__(self) -> int:
        return hash(self._moment)

    def __repr__(self) -> str:
        return f"QDateTime({self.toString('yyyy-MM-dd HH:mm:ss')!r})"
