"""Who signs with what, what a certificate is good for, and what the verifier is asked about it (RFC 5246 7.4.2 to 7.4.8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from puretls.arguments import described
from puretls.config import PENDING
from puretls.crypto.keys import (
    MAX_RSA_BITS,
    MAX_RSA_EXPONENT_BITS,
    EcPublicKey,
    EdPublicKey,
    PublicKey,
    RsaPublicKey,
    is_too_large,
)
from puretls.crypto.signatures import fits
from puretls.errors import DecodeError, PeerError, Reason, UsageError, raise_of_callback
from puretls.extensions import SignedCertificateTimestamp
from puretls.iana import AlertDescription, NamedGroup, SignatureScheme
from puretls.key_exchange.signature import KEY_FIELD
from puretls.suites import Authentication, Suite

if TYPE_CHECKING:
    from puretls.config import Config, Credential
    from puretls.handshake.context import ClientContext, Context, ServerContext
    from puretls.x509.certificates.certificate import Certificate
    from puretls.x509.verifier import ChainRequest

IMPLIED_SCHEMES: tuple[SignatureScheme, ...] = (SignatureScheme.RSA_PKCS1_SHA1, SignatureScheme.ECDSA_SHA1)
"""What a client that sends no signature_algorithms is taken to accept (RFC 5246 7.4.1.4.1)."""


def choose_scheme(ours: Iterable[int], theirs: Sequence[int], key: PublicKey) -> int | None:
    """The first of our schemes that the peer accepts and the key can do."""
    return next((scheme for scheme in ours if scheme in theirs and fits(scheme, key)), None)


def key_serves(key: PublicKey, suite: Suite) -> bool:
    """Whether a certificate with this key can authenticate this suite (RFC 5246 7.4.2, RFC 8422 2)."""
    if suite.auth is Authentication.RSA:
        return isinstance(key, RsaPublicKey) and (suite.is_signed or not key.pss_only)
    return suite.auth is Authentication.ECDSA and isinstance(key, EcPublicKey | EdPublicKey)


def curve_of(key: PublicKey) -> int | None:
    """The group number of a key's curve, for the rule that a certificate's curve must be among the client's (RFC 8422 5.3)."""
    return NamedGroup[key.curve.upper()] if isinstance(key, EcPublicKey) else None


def is_issued_by(credential: Credential, authorities: tuple[bytes, ...]) -> bool:
    """Whether one of these names (DER) issued a certificate of the chain (RFC 5246 7.4.4), compared by RFC 5280 7.1."""
    if not set(credential.issuers).isdisjoint(authorities):
        return True
    return not _comparable(credential.issuers).isdisjoint(_comparable(authorities))


@lru_cache(maxsize=16)
def _comparable(names: tuple[bytes, ...]) -> frozenset[bytes]:
    """The names in the form in which equal ones are the same; what is no name is nobody's."""
    from puretls.x509.names.distinguished import parse_name

    found = set()
    for name in names:
        with suppress(DecodeError):
            found.add(parse_name(name).canonical)
    return frozenset(found)


def usage_allows(leaf: Certificate, *, signing: bool) -> bool:
    """Whether keyUsage, where it is there, lets the key sign, or else encipher other keys (RFC 5246 7.4.2, RFC 5280 4.2.1.3)."""
    from puretls.der import oids
    from puretls.x509.certificates.extensions import KeyUsage, KeyUsageBit

    found = leaf.get(KeyUsage)
    if found is None:
        return leaf.extension(oids.KEY_USAGE) is None  # what cannot be read allows nothing
    return (KeyUsageBit.DIGITAL_SIGNATURE if signing else KeyUsageBit.KEY_ENCIPHERMENT) in found


def usage_path(leaf: Certificate) -> str:
    """The path of keyUsage in the peer's Certificate message."""
    from puretls.x509.certificates.extensions import KeyUsage

    found = next((extension for extension in leaf.extensions if isinstance(extension.value, KeyUsage)), None)
    return leaf_path(f"{found.path}.key_usage" if found else "tbs_certificate.extensions")


def _is_cut_off(der: bytes) -> bool:
    """Whether the outermost element is longer, by what it says itself, than what is there: a wrong length (RFC 5246 7.2.2)."""
    if len(der) < 2:
        return False
    count = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2 : 2 + count], "big") if count else der[1]
    return 2 + count + length > len(der)


def leaf_path(path: str = "") -> str:
    """The path, in the Certificate message, of a field of the leaf: `path` as `Certificate.parse` names it."""
    return certificate_path(0, path)


def certificate_path(index: int, path: str) -> str:
    """The path of a field of the `index`-th certificate of the Certificate message."""
    inner = path.removeprefix("Certificate").removeprefix(".")
    return f"Certificate.certificate_list[{index}]" + (f".{inner}" if inner else "")


def blamed_path(report: Any, chain: Sequence[bytes]) -> str:
    """Where in the Certificate message lies what the verifier found first; the whole list where it is in none of the chain."""
    first = next(iter(getattr(report, "findings", ())), None)
    raw = getattr(getattr(first, "certificate", None), "raw", None)
    return certificate_path(chain.index(raw), str(first.path)) if first and raw in chain else "Certificate.certificate_list"


def parse_leaf(chain: Sequence[bytes]) -> tuple[Certificate, PublicKey]:
    """The leaf and its key; what has none, or one that nothing here can use, is refused before anybody trusts a byte.

    What is wrong with the rest of the leaf is for the verifier to say, and does not matter where nobody verifies.
    """
    from puretls.x509.certificates.certificate import parse_remembered

    reason = Reason.DECODE if _is_cut_off(chain[0]) else Reason.BAD_CERTIFICATE
    try:
        leaf = parse_remembered(chain[0])
        reason = Reason.UNSUPPORTED_KEY
        key = leaf.public_key
    except DecodeError as error:
        path = leaf_path(error.path if reason is not Reason.UNSUPPORTED_KEY else KEY_FIELD)
        raise PeerError(reason, error.message, path=path, rfc=error.rfc) from None
    if isinstance(key, RsaPublicKey) and is_too_large(key):  # its owner signs before anybody has verified the chain
        found = f"{key.n.bit_length()} bits and an exponent of {key.e.bit_length()}"
        most = f"{MAX_RSA_BITS} and {MAX_RSA_EXPONENT_BITS} are the most"
        raise PeerError(Reason.UNSUPPORTED_KEY, f"an RSA key of {found}; {most}", path=leaf_path(KEY_FIELD), rfc="RFC 8017 3.1")
    return leaf, key


# Verdicts


def question(
    context: Context,
    purpose: str,
    chain: tuple[bytes, ...],
    name: str | None = None,
    *,
    ocsp_response: bytes | None = None,
    sct_list: bytes | None = None,
    resumed: bool,
) -> ChainRequest | None:
    """What the verifier is asked about a chain, shown now or kept with a session: the name and the time are of now. None: no chain."""
    from puretls.x509.verifier import ChainRequest

    if not chain:
        return None
    return ChainRequest(chain, purpose, name, context.clock(), ocsp_response, sct_list, resumed=resumed)


def server_question(context: ClientContext) -> ChainRequest | None:
    """What a client's verifier is asked; None where the server shows no certificate."""
    peer, negotiated = context.peer, context.negotiated
    stamps, resumed = negotiated.result(SignedCertificateTimestamp), negotiated.resumed
    name = context.verified_name
    return question(context, "server", peer.chain, name, ocsp_response=peer.ocsp_response, sct_list=stamps, resumed=resumed)


def client_question(context: ServerContext) -> ChainRequest | None:
    """What a server's verifier is asked; None where a resumed session has no certificate of the client's."""
    return question(context, "client", context.peer.chain, resumed=context.negotiated.resumed)


def consult(config: Config, request: ChainRequest) -> Any:
    """What the configured verifier says: a report, or PENDING. Without a verifier nothing is trusted, so everything refused."""
    verifier = config.verifier
    if verifier is None:
        from puretls.x509.verifier import chain_verifier

        verifier = chain_verifier((), provider=config.provider)
    try:
        report = verifier(request)
    except Exception as error:
        raise_of_callback("verifier", verifier, error)
    if report is not PENDING:
        name = getattr(verifier, "__qualname__", type(verifier).__name__)
        check_report(report, f"what the verifier {name} returns")
    return report


def check_report(report: Any, what: str) -> None:
    """Anything shaped like a `Report` will do; None or True must never be taken for a yes, nor for a no. Raises `UsageError`."""
    accepted = getattr(report, "accepted", None)
    if not isinstance(accepted, bool) or not (accepted or isinstance(getattr(report, "alert", None), AlertDescription)):
        raise UsageError(f"{what} is a Report, as the verifiers of x509.verifier make them, or PENDING; not {described(report)}")
