"""From puretls's report on a chain to QSslErrors: which, about which certificate, in which order.

The order is that of OpenSSL, which Qt passes on: what kept the chain from reaching a root, then the extensions from the leaf
up, then signatures and dates from the root down. An error is about the certificate that the peer sent in that place, a null one
where it sent none. As with OpenSSL, a path ends at a self-signed certificate: another CA certificate only fills a gap.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from puretls.crypto import provider as providers
from puretls.crypto.keys import RsaPublicKey
from puretls.crypto.provider import Provider, Signed
from puretls.errors import DangerWarning, UsageError
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslerror import QSslError
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.hostname import covered, parse_reference
from puretls.x509.path.trust import TrustStore
from puretls.x509.reports.findings import Finding
from puretls.x509.reports.report import Report
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier

_E = QSslError.SslError
_ROOT, _EXTENSIONS, _DATES = 0, 1, 2
_BEFORE_ALL = -1 << 20
_SOUND_RSA_BITS = 2048

# rule -> (where OpenSSL looks at it, error)
_ERRORS = {
    "self-signed": (_ROOT, _E.SelfSignedCertificate),
    "signature": (_DATES, _E.CertificateSignatureFailed),
    "expired": (_DATES, _E.CertificateExpired),
    "not-yet-valid": (_DATES, _E.CertificateNotYetValid),
    "path-length": (_EXTENSIONS, _E.PathLengthExceeded),
    "extended-key-usage": (_EXTENSIONS, _E.InvalidPurpose),
    "key-usage": (_EXTENSIONS, _E.InvalidPurpose),
    "revoked": (_DATES, _E.CertificateRevoked),
    "revocation-unknown": (_DATES, _E.CertificateStatusUnknown),
    "public-key": (_DATES, _E.UnableToDecodeIssuerPublicKey),
}


class _Anchors(TrustStore):
    """A store that is searched even when it is empty: Qt then tells what is wrong with the chain, not with the store."""

    def __len__(self) -> int:
        return super().__len__() or 1


@dataclass(frozen=True)
class Trust:
    """The CA certificates of a configuration, as DER: `roots` end a path, `others` fill gaps in what the peer sends."""

    roots: tuple[bytes, ...]
    others: tuple[bytes, ...] = ()


@lru_cache(maxsize=64)
def _verifier_of(roots: tuple[bytes, ...]) -> Verifier:
    return chain_verifier([_Anchors(roots)], provider=providers.default(), random=os.urandom, danger_without=("rsa-size",))


def examine(request: ChainRequest, trust: Trust, depth: int = 0) -> Report:
    """Validates a chain; at most `depth` certificates may stand between leaf and root, 0 is no limit."""
    verifier = _verifier_of(trust.roots)
    if depth:
        verifier = replace(verifier, max_intermediates=depth)
    report = verifier(replace(request, chain=request.chain + trust.others, server_name=None))
    if report.accepted and any(_is_short(each) for each in report.path):
        warnings.warn(
            "a chain with an RSA key of less than 2048 bits was accepted, as Qt accepts it", DangerWarning, stacklevel=2
        )
    return report


def verify_ahead(chain: Sequence[bytes], signed: Signed, provider: Provider, trust: Trust) -> bool:
    """`Verifier.verify_ahead` of what examines the chain afterwards."""
    return _verifier_of(trust.roots).verify_ahead((*chain, *trust.others), signed, provider)


def _is_short(certificate: Certificate) -> bool:
    key = certificate.public_key
    return isinstance(key, RsaPublicKey) and key.n.bit_length() < _SOUND_RSA_BITS


def faults_of(report: Report, chain: Sequence[QSslCertificate], trust: Trust) -> list[QSslError]:
    """What a report says, as QSslErrors about certificates of `chain`; empty if and only if it accepts."""
    if report.accepted:
        return []
    found: list[tuple[int, int, QSslError]] = []
    for finding in report.findings:
        missing = finding.id == "unknown-issuer" or report.names_another_key(finding)
        found += _errors_of(finding, chain, trust, missing_issuer=missing)
    found.sort(key=lambda each: each[:2])
    errors = [each[2] for each in found]
    return errors or [QSslError(_E.UnspecifiedError, chain[0] if chain else None, str(report))]


def _errors_of(
    finding: Finding, chain: Sequence[QSslCertificate], trust: Trust, *, missing_issuer: bool
) -> list[tuple[int, int, QSslError]]:
    index = finding.index or 0
    if finding.id == "path-length":
        index += 1  # OpenSSL names the authority that sets the limit, not the one beyond it
    sent = chain[index] if index < len(chain) else None
    detail = f"{finding.sentence}; {finding.rule.mend} ({finding.rule.section})"

    def error(kind: QSslError.SslError, certificate: QSslCertificate | None = sent) -> QSslError:
        return QSslError(kind, certificate, detail)

    if missing_issuer:
        root = _root_sent_along(sent, chain)
        if root is not None:
            return [(_ROOT, 0, error(_E.SelfSignedCertificateInChain, root))]
        if index > 0 and finding.certificate is not None and finding.certificate.raw in trust.others:
            return [(_ROOT, 0, error(_E.UnableToGetIssuerCertificate))]
    if missing_issuer or finding.id == "anchors":
        alone = [(_DATES, _BEFORE_ALL, error(_E.UnableToVerifyFirstCertificate))] if index == 0 else []
        return [(_ROOT, 0, error(_E.UnableToGetLocalIssuerCertificate)), *alone]
    if finding.id == "self-signed" and index > 0:
        return [(_ROOT, 0, error(_E.SelfSignedCertificateInChain))]
    if finding.id == "not-a-ca":
        return [(_EXTENSIONS, index, error(_E.InvalidCaCertificate)), (_EXTENSIONS, index, error(_E.InvalidPurpose))]
    stage, kind = _ERRORS.get(finding.id, (_EXTENSIONS, _E.UnspecifiedError))
    return [(stage, -index if stage == _DATES else index, error(kind))]


def _root_sent_along(certificate: QSslCertificate | None, chain: Sequence[QSslCertificate]) -> QSslCertificate | None:
    """The self-signed certificate that the peer sent as the end of its chain, if the issuer that is missing leads there."""
    for _ in chain:
        if certificate is None or certificate.isNull():
            return None
        parsed = certificate._certificate
        certificate = next((each for each in chain if each._certificate.subject == parsed.issuer), None)  # type: ignore[union-attr]
        if certificate is not None and certificate.isSelfSigned():
            return certificate
    return None


def name_matches(certificate: QSslCertificate, name: str) -> bool:
    """Whether a certificate is that of a host or address: subjectAltName only (RFC 9525), and no final dot, as in Qt."""
    parsed = certificate._certificate
    try:
        return parsed is not None and not name.endswith(".") and covered(parse_reference(name), parsed.subject_alt_names)
    except UsageError:
        return False
