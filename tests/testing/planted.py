"""Machines over a puretls with a fault, for workers of campaigns: the fault is planted in the process that makes one, and stays."""

import os
import signal
from pathlib import Path

import pytest

from puretls.testing.machine import ConnectionMachine
from tests.testing.faults import FAULTS


class Downgrade(ConnectionMachine):
    patch = None

    def __init__(self):
        if Downgrade.patch is None:
            Downgrade.patch = pytest.MonkeyPatch()
            next(fault for fault in FAULTS if fault.name == "downgrade of the suite").plant(Downgrade.patch)
        super().__init__()


class DiesOnce(Downgrade):
    """Kills its worker, the first of all that comes by."""

    def __init__(self):
        mark = Path(os.environ["PURETLS_TEST_MARK"])
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            super().__init__()
        else:
            os.kill(os.getpid(), signal.SIGKILL)
