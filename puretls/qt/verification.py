"""From puretls's report on a chain to QSslErrors: which, about which certificate, in which order.

The order is that of OpenSSL, which Qt passes on: what kept the chain from reaching a root, then the extensions from the leaf
up, then signatures and dates from the root down.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

from puretls.crypto import provider as providers
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslerror import QSslError
from puretls.x509.report import Finding, Report
from puretls.x509.trust import TrustStore
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier

_E = QSslError.SslError
_ROOT, _EXTENSIONS, _DATES = 0, 1, 2

# rule -> (where OpenSSL looks at it, error)
_ERRORS = {
    "self-signed": (_ROOT, _E.SelfSignedCertificate),
    "signature": (_DATES, _E.CertificateSignatureFailed),
    "expired": (_DATES, _E.CertificateExpired),
    "not-yet-valid": (_DATES, _E.CertificateNotYetValid),
    "not-a-ca": (_EXTENSIONS, _E.InvalidCaCertificate),
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


@cache
def _verifier_of(anchors: tuple[bytes, ...]) -> Verifier:
    return chain_verifier([_Anchors(anchors)], provider=providers.default(), danger_without=("rsa-size",))


def verifier_for(anchors: tuple[bytes, ...], depth: int = 0) -> Verifier:
    """The verifier for these CA certificates (DER), with at most `depth` certificates between leaf and root; 0: no limit."""
    from dataclasses import replace

    verifier = _verifier_of(anchors)
    return replace(verifier, max_intermediates=depth - 1) if depth else verifier


def faults_of(report: Report, chain: Sequence[QSslCertificate]) -> list[QSslError]:
    """What a report says, as QSslErrors about certificates of `chain`; empty if and only if it accepts."""
    if report.accepted:
        return []
    found: list[tuple[int, int, QSslError]] = []
    for finding in report.findings:
        found += _errors_of(finding, chain)
    found.sort(key=lambda each: each[:2])
    errors = [each[2] for each in found]
    return errors or [QSslError(_E.UnspecifiedError, chain[0] if chain else None, str(report))]


def _errors_of(finding: Finding, chain: Sequence[QSslCertificate]) -> list[tuple[int, int, QSslError]]:
    index = finding.index or 0
    certificate = QSslCertificate._of(finding.certificate) if finding.certificate else (chain[0] if chain else None)
    detail = f"{finding.sentence}; {finding.rule.mend} ({finding.rule.section})"
    root = _root_sent_along(certificate, chain) if finding.id == "unknown-issuer" else None
    if root is not None:
        return [(_ROOT, 0, QSslError(_E.SelfSignedCertificateInChain, root, detail))]
    if finding.id in ("unknown-issuer", "anchors"):
        first = (_ROOT, 0, QSslError(_E.UnableToGetLocalIssuerCertificate, certificate, detail))
        second = (_DATES, -1 << 20, QSslError(_E.UnableToVerifyFirstCertificate, certificate, detail))
        return [first, second] if index == 0 else [first]
    stage, error = _ERRORS.get(finding.id, (_EXTENSIONS, _E.UnspecifiedError))
    if error is _E.SelfSignedCertificate and index > 0:
        error = _E.SelfSignedCertificateInChain
    return [(stage, index if stage != _DATES else -index, QSslError(error, certificate, detail))]


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
    """Whether a certificate is that of a host or address: subjectAltName only (RFC 9525)."""
    from puretls.errors import UsageError
    from puretls.x509.hostname import covered, parse_reference

    parsed = certificate._certificate
    try:
        return parsed is not None and covered(parse_reference(name), parsed.subject_alt_names)
    except UsageError:
        return False


def verify_chain(chain: Sequence[QSslCertificate], host: str) -> list[QSslError]:
    """The work of `QSslCertificate.verify`: the CAs of the default configuration, any purpose, the name first."""
    from puretls.qt.qsslconfiguration import QSslConfiguration

    given = [each for each in chain if not each.isNull()]
    if not given:
        return [QSslError(_E.UnspecifiedError)]
    errors = []
    if host and not name_matches(given[0], host):
        errors.append(QSslError(_E.HostNameMismatch, given[0]))
    ders = tuple(bytes(each.toDer()) for each in given)
    verifier = verifier_for(QSslConfiguration.defaultConfiguration()._anchors())
    report = verifier(ChainRequest(ders, "server", None, time.time()))
    found = faults_of(report, given)
    return errors + [each for each in found if each.error() is not _E.InvalidPurpose]
