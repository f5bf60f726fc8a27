"""Whether certificates of a path are revoked: what is asked of CRLs and OCSP responses, and what their answers come to.

Nothing is fetched here: CRLs and responses are arguments. The verifier calls `Revocation.check` for each certificate of a path.
"""

from __future__ import annotations

from collections.abc import Iterator

from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.path.status import StatusContext
from puretls.x509.reports.findings import Fault
from puretls.x509.revocation.policy import OFF, SOFT, RevocationPolicy


@frozen
class Revocation(RevocationPolicy):
    """The verifier's `RevocationChecker`: it asks the CRLs and responses that it was given. `RevocationPolicy` explains the arguments."""

    def check(self, certificate: Certificate, issuer: Certificate, context: StatusContext) -> Iterator[Fault]:
        """Faults of the rules "revoked", "revocation-unknown" and "must-staple" (where a response came, but not a good one)."""
        assert issuer is context.path[context.index + 1]
        stapled = context.ocsp_response if context.index == 0 else None
        if self.mode in {OFF, SOFT} and not (stapled or self.crls or self.ocsp_responses):
            return  # nobody to ask, and silence is accepted
        from puretls.x509.revocation.judgement import revocation_faults  # most chains come without a CRL and a response

        yield from revocation_faults(self, certificate, context, stapled)
