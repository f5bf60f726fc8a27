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


MESSAGE_MOST = 1 << 24
"""Bytes that a bulk cipher takes in one call; a TLS record holds 2^14 + 2048 (RFC 5246 6.2.3)."""


def check_message(what: str, message: bytes) -> None:
    """Raise `UsageError` for a message that no record could hold."""
    if len(message) > MESSAGE_MOST:
        raise UsageError(f"{what} takes up to {MESSAGE_MOST} bytes at once, not {len(message)}")
