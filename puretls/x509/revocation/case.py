"""One certificate in question, with all that bears on the answer."""

from __future__ import annotations

from puretls.crypto.keys import PublicKey, RsaPublicKey, is_too_large
from puretls.errors import DecodeError
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.keys.algorithms import WEAK_HASHES, AlgorithmIdentifier, signature_algorithm
from puretls.x509.path.status import Verify
from puretls.x509.revocation.policy import RevocationPolicy


@frozen
class SignatureChecker:
    """Verifies CRLs and responses under the rules on algorithms and keys of certificates; `rules`: ids of those that hold."""

    verify: Verify
    rules: frozenset[str]

    def fault(self, signer: Certificate, identifier: AlgorithmIdentifier, tbs: bytes, signature: bytes) -> str:
        """Empty where the signature is right and its algorithm and key are acceptable, else a sentence."""
        try:
            algorithm = signature_algorithm(identifier)
            key = signer.public_key
        except DecodeError as bad:
            return f"cannot be verified: {bad.message}"
        if algorithm.hash in WEAK_HASHES and algorithm.hash in self.rules:
            return f"is signed with {identifier}"
        return self._size_fault(key) or (
            "" if self.verify(algorithm, key, tbs, signature) else "has a signature that does not verify"
        )

    def _size_fault(self, key: PublicKey) -> str:
        if not isinstance(key, RsaPublicKey):
            return ""
        bits = key.n.bit_length()
        if (bits < 2048 and "rsa-size" in self.rules) or is_too_large(key):
            return f"is signed by an RSA key of {bits} bits"
        return ""


@frozen
class Case:
    """One certificate in question. `above`: its issuer and what follows that in the path, up to the anchor."""

    certificate: Certificate
    above: tuple[Certificate, ...]
    policy: RevocationPolicy
    time: float
    checker: SignatureChecker
    depth: int = 2
    """How many times the signer of an answer is itself asked after."""

    @property
    def issuer(self) -> Certificate:
        """Who issued the certificate."""
        return self.above[0]
