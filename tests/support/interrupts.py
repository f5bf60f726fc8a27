"""Ctrl-C for children, wherever the tests run."""

import signal
from contextlib import contextmanager


@contextmanager
def interrupts_are_taken():
    """What is started in here ends by an interrupt: a child inherits that it is ignored, as it is in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
