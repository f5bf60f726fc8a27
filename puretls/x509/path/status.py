"""What path validation asks of whoever knows about revocation (RFC 5280 6.3, RFC 6960)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from puretls.crypto.keys import PublicKey
from puretls.crypto.signatures import SignatureAlgorithm
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.reports.findings import Fault

Verify = Callable[[SignatureAlgorithm, PublicKey, bytes, bytes], bool]


@frozen
class StatusContext:
    """Around a question: `verify` counts against the budget of signatures of this verification and may raise `BudgetExceeded`."""

    path: tuple[Certificate, ...]
    """The whole path, leaf first, anchor last; its signatures are verified."""
    index: int
    """Which certificate of the path is asked about; its issuer is `path[index + 1]`."""
    time: float
    verify: Verify
    rules: frozenset[str]
    """The rules that are switched on, by id."""
    ocsp_response: bytes | None = None
    """Stapled; for the leaf only."""
    presented: tuple[Certificate, ...] = ()
    """What else the peer sent: signers of CRLs, perhaps. No trust in any of them."""


class RevocationChecker(Protocol):
    """Supplied by `x509.revocation`."""

    def check(self, certificate: Certificate, issuer: Certificate, context: StatusContext) -> Iterable[Fault]:
        """Faults under rules such as "revoked" and "revocation-unknown"; none if the certificate may be used."""
