"""Signatures over the handshake, made and verified (RFC 5246 7.4.3 and 7.4.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from puretls.crypto.keys import EcPublicKey, PublicKey
from puretls.crypto.signatures import SIGNATURE_SCHEMES, fits
from puretls.errors import PeerError, Reason
from puretls.iana import SignatureScheme
from puretls.messages.key_exchange import DigitallySigned

if TYPE_CHECKING:
    from puretls.config import Config, Credential
    from puretls.crypto.provider import Signed
    from puretls.handshake.context import Context

KEY_FIELD = "tbs_certificate.subject_public_key_info"
KEY_PATH = f"Certificate.certificate_list[0].{KEY_FIELD}"
"""The path of the peer's public key in its Certificate message."""


def sign(context: Context, credential: Credential, scheme: int, data: bytes) -> DigitallySigned:
    """Sign with our own key."""
    config = context.config
    signature = config.provider.sign(SIGNATURE_SCHEMES[scheme], credential.key, data, context.random)
    return DigitallySigned(scheme, signature)


def verify(
    context: Context, key: PublicKey, signed: DigitallySigned, data: bytes, path: str, chain: Sequence[bytes] = ()
) -> None:
    """Check the peer's signature; raises for a scheme that was not offered or does not fit, and for a wrong signature.

    `path` is that of the struct that holds algorithm and signature; `chain` is the peer's, where it is still to be judged: signatures
    that are verified together cost less.
    """
    scheme = signed.algorithm
    if scheme not in context.config.signature_schemes:
        raise PeerError(Reason.SCHEME_NOT_OFFERED, scheme_name(scheme), path=f"{path}.algorithm")
    if not fits(scheme, key):
        raise PeerError(Reason.SCHEME_DOES_NOT_FIT, scheme_name(scheme), path=f"{path}.algorithm")
    signature = SIGNATURE_SCHEMES[scheme], key, data, signed.signature
    if not (_verified_ahead(context.config, chain, signature) or context.config.provider.verify(*signature)):
        raise PeerError(Reason.BAD_SIGNATURE, scheme_name(scheme), path=f"{path}.signature")


def _verified_ahead(config: Config, chain: Sequence[bytes], signature: Signed) -> bool:
    """Whether a verifier that can verify more than it is asked for has found the signature right with those of the chain."""
    verify_ahead = getattr(config.verifier, "verify_ahead", None) if chain and isinstance(signature[1], EcPublicKey) else None
    return verify_ahead is not None and verify_ahead(chain, signature, config.provider) is True


def scheme_name(scheme: int) -> str:
    """For people: the registered name, or the number."""
    return scheme.name.lower() if isinstance(scheme, SignatureScheme) else f"0x{scheme:04x}"
