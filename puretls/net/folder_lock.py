"""One at a time in a folder: commands that would otherwise overwrite what another one of them is writing there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Nobody else who calls this is in `folder` meanwhile. The lock ends with the process; no file is left behind.

    Raises `BlockingIOError` where somebody else is in and `wait` is false, `OSError` where there is no such folder. Where the system
    cannot lock a folder (Windows, some network file systems), everybody is let in.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:
            pass
        yield
    finally:
        os.close(number)
