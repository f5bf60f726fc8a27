"""Secret bytes and numbers that do not show themselves in a repr, a log, an exception or a pickle.

Arithmetic and slicing give plain values, as for every subclass of `bytes` and `int`: wrap the result again where it stays secret. What
computes with plain values calls nothing of the application's, so that no traceback with locals finds them: entropy is drawn before.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, Self, TypeVar

from puretls.errors import PuretlsError, UsageError

P = ParamSpec("P")
T = TypeVar("T")


class _Hidden:
    """What both kinds share: no text, no pickle; a copy is the value itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise UsageError(
            "secrets are not pickled: write a session with Session.to_bytes, a private key with x509.keys.private_key_der"
            " or x509.pkcs8.encrypted_key_pem, and hand the bytes over yourself"
        )


class Secret(_Hidden, bytes):
    """Bytes whose `repr` and `str` tell only their length; compared by `hmac.compare_digest`. Pickling raises `UsageError`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret({len(self)} bytes)"

    def __eq__(self, other: object) -> bool:
        return hmac.compare_digest(self, other) if isinstance(other, bytes | bytearray | memoryview) else NotImplemented

    if not TYPE_CHECKING:  # as they are in C: tables are found by secrets
        __ne__ = object.__ne__
        __hash__ = bytes.__hash__


class SecretNumber(_Hidden, int):
    """A number of which `repr` and `str` tell nothing; otherwise as `Secret`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "SecretNumber()"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int):
            return NotImplemented
        length = max(self.bit_length(), other.bit_length()) // 8 + 1
        return hmac.compare_digest(*(number.to_bytes(length, "big", signed=True) for number in (self, other)))

    if not TYPE_CHECKING:
        __ne__ = object.__ne__
        __hash__ = int.__hash__


def leaving_no_frames(function: Callable[P, T]) -> Callable[P, T]:
    """For what reads secrets from bytes: its errors leave without the frames that held them, and without its arguments.

    So do the errors that they came of. Frames of the program stay: of a call-back, and of what the caller was about.
    """

    @wraps(function)
    def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        try:
            return function(*arguments, **keywords)
        except Exception as error:
            del arguments, keywords
            _drop_frames(error)
            raise

    return call


def _drop_frames(error: BaseException | None) -> None:
    while error is not None:
        traceback = error.__traceback__
        if traceback is not None and not _is_ours(traceback):
            return  # the caller was handling it
        while traceback is not None and (_is_ours(traceback) or isinstance(error, PuretlsError | OSError)):
            traceback = traceback.tb_next
        error.__traceback__ = traceback
        error = error.__cause__ or error.__context__


def _is_ours(traceback: TracebackType) -> bool:
    return str(traceback.tb_frame.f_globals.get("__name__")).partition(".")[0] == "puretls"
