"""The exceptions of puretls and the catalogue of reasons; the alert follows from the reason, here and nowhere else."""

from __future__ import annotations


class PuretlsError(Exception):
    """Base of every exception that puretls raises on purpose."""


class UsageError(PuretlsError, ValueError):
    """The caller is at fault; nothing was sent. The text says what to do."""


class InternalError(PuretlsError):
    """puretls is at fault; please report it."""


class DecodeError(PuretlsError):
    """Bytes that do not parse.

    `path` names the field ("ServerHello.session_id"), `offset` counts bytes from the start of the parsed buffer, `rfc` is the section
    that was broken.
    """

    def __init__(self, message: str, *, path: str = "", offset: int = 0, rfc: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.offset = offset
        self.rfc = rfc

    def __str__(self) -> str:
        place = f"{self.path} at byte {self.offset}: " if self.path else f"at byte {self.offset}: "
        return place + self.message + (f" ({self.rfc})" if self.rfc else "")


class DangerWarning(UserWarning):
    """Something that weakens security was switched on under a name that a mirrored API prescribes."""
