"""What one verification may cost, and what it has cost: an exhausted budget ends the search for good."""

from __future__ import annotations

from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate

SMALL = 2048
"""Bytes of a chain below which all may cost the same."""


class BudgetExceeded(Exception):
    """A budget is used up, and with it the search. `str()` is a sentence; the certificate that did it is named where one did."""

    def __init__(self, sentence: str, certificate: Certificate | None = None, index: int | None = None) -> None:
        super().__init__(sentence)
        self.certificate = certificate
        self.index = index


@frozen
class Budgets:
    """What one verification may cost. Real chains use a handful of each."""

    signatures: int = 128
    """Signatures verified."""
    signature_work: int = 128
    """The same, each counted by what its key costs (`crypto.keys.weight`): up to 4."""
    steps: int = 4096
    """Candidate issuers looked at."""
    paths: int = 512
    """Complete paths examined."""
    name_comparisons: int = 2**20
    """Names times constraints, as if compared pair by pair."""
    work_per_byte: int = 8
    """Steps, paths and look-ups of names, in units of about a microsecond, for each byte of certificates and at least for
    `SMALL` bytes: what a peer can make a search do grows with what it sends."""
    intermediates: int = 16
    """Of a path; self-issued ones count here too, against endless chains."""
    presented: int = 128
    """Certificates from the peer; more than this are refused unread."""
    presented_bytes: int = 2**21


class Meter:
    """What has been spent of `Budgets`, for certificates of `size` bytes."""

    __slots__ = ("budgets", "fetches", "name_comparisons", "paths", "signature_work", "signatures", "size", "steps", "work")

    def __init__(self, budgets: Budgets, size: int = 0) -> None:
        self.budgets: Budgets = budgets
        self.size: int = size
        self.signatures: int = 0
        self.signature_work: int = 0
        self.steps: int = 0
        self.paths: int = 0
        self.name_comparisons: int = 0
        self.fetches: int = 0
        self.work: int = 0

    def spend(self, what: str, amount: int = 1, *, work: int = 0) -> None:
        """Adds to a count, and `work` to what all of them share; raises `BudgetExceeded` beyond a limit."""
        spent = getattr(self, what) + amount
        setattr(self, what, spent)
        limit = getattr(self.budgets, what)
        if spent > limit:
            raise BudgetExceeded(f"more than {limit} {what.replace('_', ' ')}")
        self.work += work
        if self.work > self.budgets.work_per_byte * max(self.size, SMALL):
            raise BudgetExceeded(f"more work than {self.size} bytes of certificates are worth ({spent} {what.replace('_', ' ')})")
