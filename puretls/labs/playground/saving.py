"""A run as a file: its tape, a capture that Wireshark opens, or a page that needs nothing else."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from puretls.errors import UsageError
from puretls.inspect.render.page import page
from puretls.labs.playground.run import Run

Json = Any


def _tape(run: Run, *, secrets: bool) -> bytes:
    return (run.tape if secrets else run.tape.without_secrets()).dumps().encode()


def _capture(run: Run, *, secrets: bool) -> bytes:
    from puretls.inspect.captures.write import write_capture

    target = io.BytesIO()
    write_capture(target, *run.replay.conversations, without_secrets=not secrets)
    return target.getvalue()


def _page(run: Run, *, secrets: bool) -> bytes:
    return page(run.conversation(), secrets=secrets).encode()


FORMATS: Mapping[str, tuple[str, str, Callable[..., bytes]]] = {
    "tape": ("tape.json", "application/json", _tape),
    "pcapng": ("pcapng", "application/octet-stream", _capture),
    "page": ("html", "text/html", _page),
}
"""By name: the ending of the file, its media type, and what makes it."""


def saved(run: Run, kind: str, *, secrets: bool) -> Json:
    """The file: its name, its media type, and its bytes in base64. Raises `UsageError` for a format that there is not."""
    if kind not in FORMATS:
        raise UsageError(f"a run is saved as {', '.join(FORMATS)}: not as {kind[:40]!r}")
    ending, media_type, make = FORMATS[kind]
    stem = re.sub(r"[^a-z0-9]+", "-", run.tape.name.lower()).strip("-")[:40] or "handshake"
    return {"name": f"{stem}.{ending}", "type": media_type, "base64": b64encode(make(run, secrets=secrets)).decode()}
