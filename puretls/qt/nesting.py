"""Running asyncio's loop inside itself, which asyncio refuses and Qt programs do all the time.

1. The current task is left and entered again (`_leave_task`, `_enter_task`: documented for loops of others).
2. The running loop is made to do single turns (`_run_once`).
3. The turn that called us counted its ready callbacks before it began. Those that our turns have taken are replaced by
   cancelled handles, which it passes over.

`_run_once` and `_ready` are private: where a loop lacks them (uvloop), it stands still meanwhile.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable
from typing import Any


def can_nest(loop: Any) -> bool:
    """Whether a loop has the parts that nesting needs."""
    return hasattr(loop, "_run_once") and isinstance(getattr(loop, "_ready", None), collections.deque)


def run_inside(loop: Any, done: Callable[[], bool]) -> None:
    """Turns the loop that is running, from inside one of its callbacks or tasks, until `done()`."""
    task, owed = asyncio.current_task(loop), len(loop._ready)
    if task is not None:
        asyncio.tasks._leave_task(loop, task)
    try:
        while not done():
            loop._run_once()
    finally:
        if task is not None:
            asyncio.tasks._enter_task(loop, task)
        while len(loop._ready) < owed:
            passed_over = asyncio.Handle(lambda: None, (), loop)
            passed_over.cancel()
            loop._ready.append(passed_over)
