"""The one check of key, nonce and data lengths that every bulk cipher makes."""

from __future__ import annotations

from puretls.errors import UsageError


def check_length(what: str, value: bytes, length: int) -> None:
    """Raise `UsageError` unless `value` is `length` bytes long; the text tells lengths only, never content."""
    if len(value) != length:
        raise UsageError(f"{what} takes {length} bytes, not {len(value)}")


def check_blocks(what: str, data: bytes, length: int) -> None:
    """Raise `UsageError` unless `data` is whole blocks of `length` bytes."""
    if len(data) % length:
        raise UsageError(f"{what} takes whole blocks of {length} bytes, not {len(data)} bytes")
