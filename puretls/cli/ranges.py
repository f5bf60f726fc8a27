"""Numbers in options. Their ranges are checked while the options are read, so that no other module sees an absurd number."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

from puretls.values import frozen


@frozen
class Range:
    """A type for argparse: a number from `low` to `high`, in what `unit` says."""

    kind: Callable[[str], float]
    low: float
    high: float
    unit: str

    def __call__(self, text: str) -> float:
        try:
            number = self.kind(text)
        except (ValueError, OverflowError):
            number = math.nan
        if not self.low <= number <= self.high:  # nan is in no range
            raise ArgumentTypeError(f"{text[:40]!r} is not {self.unit} from {self.low:g} to {self.high:g}")
        return number


SECONDS = Range(float, 0.001, 1_000_000, "a number of seconds")
PORT = Range(int, 0, 65535, "a port")
TIMES = Range(int, 0, 10_000, "a number of times")
NUMBER = Range(int, 1, 10_000, "a number that counts")
WORKERS = Range(int, 1, 1024, "a number of processes")
DAYS = Range(int, 1, 36_500, "a number of days")
FRAGMENT = Range(int, 512, 4096, "a max_fragment_length")
RECORD_SIZE = Range(int, 64, 16_384, "a record_size_limit")
SEED = Range(int, 0, 10**9, "a seed")
BATCHES = Range(int, 1, 10**9, "a number of batches")
BITS = Range(int, 1, 8, "a number of bits")
