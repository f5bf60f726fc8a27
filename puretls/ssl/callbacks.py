"""The call-backs of a context, and how what they do wrong is told.

An exception in a call-back reaches nobody who could catch it: it goes to `sys.unraisablehook`, and the handshake fails. Only those of a
message call-back are kept, and raised by the operation during which it was called, as CPython has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from puretls.ssl.errors import failure

Sni = Callable[[Any, "str | None", Any], "int | None"]
Message = Callable[[Any, str, int, int, int, bytes], object]


class Callbacks:
    """What a program has set on a context."""

    def __init__(self) -> None:
        self.sni: Sni | None = None
        self.message: Message | None = None
        self.client_psk: Callable[[str | None], tuple[str | None, bytes]] | None = None
        self.server_psk: Callable[[str | None], bytes] | None = None
        self.psk_hint: bytes | None = None


def callable_or_none(function: Any, words: str) -> Any:
    """`function`, or None. Raises `TypeError` with `words` for what cannot be called."""
    if function is not None and not callable(function):
        raise TypeError(words)
    return function


def psk_hint(hint: str | None) -> bytes | None:
    """Raises `SSLError` where OpenSSL has no room for it."""
    if hint is None:
        return None
    if not isinstance(hint, str):
        raise TypeError(f"set_psk_server_callback() argument 'identity_hint' must be str or None, not {type(hint).__name__}")
    encoded = hint.encode()
    if len(encoded) > 256:
        raise failure("DATA_LENGTH_TOO_LONG")
    return encoded or None


class _Dying:
    """Raises where nobody can catch it: `sys.unraisablehook` takes only what the interpreter itself makes."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __del__(self) -> None:
        raise self._error


def tell_unraisable(error: BaseException) -> None:
    """As `PyErr_WriteUnraisable` does."""
    _Dying(error)
