"""What Pythons find first on their path that a program under `puretls run` starts: see `sitecustomize`."""

from __future__ import annotations

import os


def announce() -> None:
    """Gives the processes that this one starts https, too, by PYTHONPATH. Those whose own `ssl` works do not notice."""
    place = os.path.abspath(__path__[0])
    before = os.environ.get("PYTHONPATH")
    if place not in (before or "").split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join([place, before] if before else [place])
