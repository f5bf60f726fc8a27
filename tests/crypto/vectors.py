"""Vector files of `vectors/` as lists of rows, with byte strings as bytes and numbers as ints."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
TEXT = ("source", "hash", "curve", "group")
NUMBERS = ("r", "s", "nonce", "n", "e", "p")


def rows(name: str) -> list[dict[str, Any]]:
    return [{key: _value(key, value) for key, value in row.items()} for row in json.loads((VECTORS / name).read_text())]


def _value(key: str, value: Any) -> Any:
    if key in NUMBERS:
        return int(value, 16)
    if key in TEXT or not isinstance(value, str) or not re.fullmatch(r"([0-9a-f]{2})*", value):
        return value
    return bytes.fromhex(value)
