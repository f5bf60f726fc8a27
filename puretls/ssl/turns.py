"""Turns of threads: the C module computes without the interpreter's lock, so that other threads go on with each call of it."""

from __future__ import annotations

import select
from time import sleep


def let_others_run() -> None:
    """A thread that waits for the lock gets it.

    Without it, one that was woken by our bytes would wait for `sys.getswitchinterval()`, 5 ms, while a handshake is computed. Costs one
    microsecond where nobody waits (`sleep(0)` takes a hundred on Linux).
    """
    if _HAS_POLL:
        select.select((), (), (), 0)
    else:
        sleep(0)


_HAS_POLL = hasattr(select, "poll")
"""Windows has none, and refuses to select nothing."""
