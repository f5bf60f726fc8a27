"""Measuring side by side: contenders take turns in the same run, medians are compared, load and interpreter are told.

A module of this package offers `cases(options: Options) -> list[Case]`; a `Case` is a function without arguments that measures
and
returns its rows. `tools/bench.py` runs them and prints.
"""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

UNITS_WHERE_MORE_IS_BETTER = frozenset({"MB/s", "1/s"})


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    quick: bool = False
    provider: str = "default"
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Whatever one sub-command alone needs, as NAME=VALUE."""

    def rounds(self, full: int) -> int:
        """How often each contender runs."""
        return max(3, full // 3) if self.quick else full


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. Figures in `unit`; None where a contender does not exist."""

    bench: str
    case: str
    size: str
    unit: str
    puretls: float | None
    tlslite_ng: float | None = None
    openssl: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better puretls is than tlslite-ng."""
        if not self.puretls or not self.tlslite_ng:
            return None
        ratio = self.puretls / self.tlslite_ng
        return ratio if self.unit in UNITS_WHERE_MORE_IS_BETTER else 1 / ratio

    def as_json(self) -> dict[str, object]:
        names = ("bench", "case", "size", "unit", "puretls", "tlslite_ng", "openssl", "ratio")
        return {name: getattr(self, name) for name in names}


Case = Callable[[], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Contender:
    """`run` does the work `amount` times over (records, bytes): contenders need not do the same amount in one call."""

    run: Callable[[], object]
    amount: float = 1


Clock = Callable[[], float]


def seconds(
    contenders: Mapping[str, Contender], rounds: int, *, shortest: float = 0.01, clock: Clock = time.process_time
) -> dict[str, float]:
    """The median time of each contender for an amount of one; processor time of this process, or what `clock` tells.

    They take turns in changing order; one that is done sooner than `shortest` seconds is repeated within its turn.
    """
    names = list(contenders)
    repeats = {name: _repeats(contenders[name].run, shortest, clock) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            times[name].append(_time(contenders[name].run, repeats[name], clock) / contenders[name].amount)
    return {name: statistics.median(times[name]) for name in names}


def _repeats(run: Callable[[], object], shortest: float, clock: Clock) -> int:
    """How many calls fill a turn; also the warm-up."""
    run()
    return max(1, int(shortest / max(_time(run, 1, clock), 1e-7)))


def _time(run: Callable[[], object], repeats: int, clock: Clock) -> float:
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats


def compare(bench: str, case: str, size: str, unit: str, contenders: Mapping[str, Contender], rounds: int) -> Row:
    """Measure contenders named "puretls", "tlslite_ng", "openssl". Amounts are bytes for MB/s, calls for us and ms."""
    figures = {name: _in_unit(time_of_one, unit) for name, time_of_one in seconds(contenders, rounds).items()}
    return Row(bench, case, size, unit, figures["puretls"], figures.get("tlslite_ng"), figures.get("openssl"))


def _in_unit(time_of_one: float, unit: str) -> float:
    return {"MB/s": 1e-6 / time_of_one, "1/s": 1 / time_of_one, "us": time_of_one * 1e6, "ms": time_of_one * 1e3}[unit]


def environment(provider: str) -> dict[str, str]:
    """What a reader must know to judge the figures."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return {
        "measured": f"{time.strftime('%Y-%m-%d')}, {', '.join(_versions())}",
        "python": f"{platform.python_implementation()} {platform.python_version()} {platform.python_compiler()}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {sys.platform}",
        "load": load,
        "provider": provider,
    }


def _versions() -> Iterator[str]:
    """The contenders by name and version, as far as they are there."""
    for name in ("puretls", "tlslite-ng"):
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"
    with suppress(ImportError):
        yield " ".join(importlib.import_module("ssl").OPENSSL_VERSION.split()[:2])


MARKS = ("<!-- measured -->", "<!-- end of what was measured -->")


def put_into(page: Path, text: str, marks: tuple[str, str] = MARKS) -> None:
    """Replace what stands between the two marks of a page."""
    before, _, rest = page.read_text().partition(marks[0])
    after = rest.partition(marks[1])[2]
    page.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{after}")


def table(rows: Sequence[Row]) -> str:
    """Rows as aligned text."""
    lines = [("case", "size", "unit", "puretls", "tlslite-ng", "OpenSSL", "ratio")]
    for row in rows:
        figures = [_figure(value) for value in (row.puretls, row.tlslite_ng, row.openssl, row.ratio)]
        lines.append((row.case, row.size, row.unit, *figures))
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) if i < 3 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths, strict=True))]
    return "  ".join(cells).rstrip()


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.1f}"
