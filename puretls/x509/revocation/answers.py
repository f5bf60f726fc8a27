"""Answers to the question whether a certificate is revoked."""

from __future__ import annotations

from puretls.der.times import time_text
from puretls.values import frozen
from puretls.x509.ocsp.fields import Status


@frozen
class Answer:
    """What is known of one certificate. `sentence` says why; `reason` is a CRLReason, `time` that of revocation."""

    status: Status
    sentence: str
    time: int | None = None
    reason: int | None = None


def revoked_sentence(source: str, time: int, reason: str) -> str:
    """The sentence that says when and why a certificate was revoked, and who says so."""
    return f"revoked on {time_text(time)} ({reason}), says {source}"
