"""What the tools that write one module have in common."""

from __future__ import annotations

import sys
from pathlib import Path


def written(target: Path, source: str) -> int:
    """Write the module; with --check on the command line write nothing. The exit status: 1 where --check finds a difference."""
    if "--check" in sys.argv[1:]:
        return int(target.read_text() != source)
    target.write_text(source)
    return 0
