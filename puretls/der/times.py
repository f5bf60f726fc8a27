"""Seconds since 1970 and the proleptic Gregorian calendar, for the years 0 to 9999, which `datetime` does not cover."""

from __future__ import annotations

_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def unix_time(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    """Seconds since 1970-01-01 UTC for years 0..9999, which `datetime` does not cover; None if there is no such moment."""
    if not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return None
    leap = _is_leap(year)
    length = _DAYS_BEFORE_MONTH[month] - _DAYS_BEFORE_MONTH[month - 1] + (leap and month == 2)
    if not 1 <= day <= length:
        return None
    before = year - 1
    days = 365 * before + before // 4 - before // 100 + before // 400 - 719162
    days += _DAYS_BEFORE_MONTH[month - 1] + (leap and month > 2) + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def civil_time(seconds: int) -> tuple[int, int, int, int, int, int]:
    """The inverse of `unix_time`: year, month, day, hour, minute, second."""
    days, rest = divmod(seconds, 86400)
    # Shift to an era that begins on 1 March of year 0, so that the leap day is the last of its year.
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day_of_year - (153 * shifted + 2) // 5 + 1, rest // 3600, rest // 60 % 60, rest % 60


def time_text(seconds: int) -> str:
    """A date as people read it: "2024-04-01 00:00:00 UTC"."""
    return "{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC".format(*civil_time(seconds))
