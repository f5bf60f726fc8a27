"""Which CRLs and responses are asked about revocation, how old an answer may be, and what follows from silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puretls.der.times import time_text
from puretls.errors import UsageError
from puretls.values import frozen

if TYPE_CHECKING:  # a policy without CRLs needs no parser for them
    from puretls.x509.certificates.certificate import Certificate
    from puretls.x509.crl.lists import Crl

OFF, SOFT, LEAF, HARD = MODES = ("off", "soft", "leaf", "hard")
DEFAULT_MAX_AGE = 7 * 86_400
"""Seconds for which an answer without nextUpdate is believed."""


@frozen
class RevocationPolicy:
    """Which CRLs and responses are asked, and what follows when they say nothing. Times in seconds.

    `mode`: "off"; "soft", where silence is accepted; "leaf", where it is not for the leaf; "hard", where it is for none but the
    anchor. A certificate that is known to be revoked is refused in all modes but "off".
    `certificates` may hold signers of CRLs that are not in the path; they are trusted only as far as the path vouches for them.
    `max_age` counts from thisUpdate and applies besides nextUpdate (None: only where that is missing, and then
    `DEFAULT_MAX_AGE`); `skew` is how far in the future an answer may be made, by clocks that differ.
    """

    mode: str = SOFT
    crls: tuple[Crl, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    max_age: int | None = None
    skew: int = 300

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"no revocation mode {self.mode!r}: there are {', '.join(MODES)}")

    def date_fault(self, this_update: int, next_update: int | None, now: float) -> str:
        """Empty where an answer of these dates counts now (RFC 5280 6.3.3, RFC 6960 4.2.2.1), else a sentence."""
        if this_update > now + self.skew:
            return f"is of the future: it was made on {time_text(this_update)}"
        if next_update is not None and next_update < now:
            return f"is out of date: the next was due on {time_text(next_update)}"
        oldest = self.max_age if self.max_age is not None or next_update is not None else DEFAULT_MAX_AGE
        if oldest is not None and now - this_update > oldest:
            return f"is too old: it was made on {time_text(this_update)}"
        return ""
