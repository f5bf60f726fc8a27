"""What a stapled OCSP response means for QSslSocket: the responses to show, and the errors in Qt's terms."""

from __future__ import annotations

import time
from collections.abc import Sequence

from puretls.crypto import provider as providers
from puretls.errors import DecodeError
from puretls.qt.qocspresponse import QOcspCertificateStatus, QOcspResponse, QOcspRevocationReason
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslerror import QSslError
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.ocsp import OcspResponse, SingleResponse
from puretls.x509.ocsp.fields import Status
from puretls.x509.reports.rules import DEFAULT, profile
from puretls.x509.revocation import Revocation
from puretls.x509.revocation.answers import Answer
from puretls.x509.revocation.case import Case, SignatureChecker
from puretls.x509.revocation.responses import ocsp_status

_E = QSslError.SslError
_STATUS = {
    Status.GOOD: QOcspCertificateStatus.Good,
    Status.REVOKED: QOcspCertificateStatus.Revoked,
    Status.UNKNOWN: QOcspCertificateStatus.Unknown,
}
_REASONS = {  # CRLReason (RFC 5280 5.3.1)
    0: QOcspRevocationReason.Unspecified,
    1: QOcspRevocationReason.KeyCompromise,
    2: QOcspRevocationReason.CACompromise,
    3: QOcspRevocationReason.AffiliationChanged,
    4: QOcspRevocationReason.Superseded,
    5: QOcspRevocationReason.CessationOfOperation,
    6: QOcspRevocationReason.CertificateHold,
    8: QOcspRevocationReason.RemoveFromCRL,
}


def judge_staple(
    stapled: bytes | None, path: Sequence[Certificate], leaf: QSslCertificate
) -> tuple[list[QOcspResponse], list[QSslError]]:
    """The responses about the server's certificate, and what is wrong with them. `path`: the verified path, leaf first."""
    if stapled is None:
        return [], [QSslError(_E.OcspNoResponseFound, leaf)]
    if len(path) < 2:
        return [], [QSslError(_E.OcspResponseCannotBeTrusted, leaf, "the issuer of the certificate is not known")]
    try:
        response = OcspResponse.parse(stapled)
    except DecodeError as bad:
        return [], [QSslError(_E.OcspMalformedResponse, leaf, str(bad))]
    matching = [each for each in response.responses if each.cert_id.is_of(path[0], path[1])]
    checker = SignatureChecker(providers.default().verify, profile(DEFAULT))
    answer = ocsp_status(Case(path[0], tuple(path[1:]), Revocation(), time.time(), checker), stapled)
    shown = [_shown(each, response, answer, path, leaf) for each in matching]
    if answer.status is Status.GOOD:
        return shown, []
    return shown, [QSslError(_error_of(answer, matching), leaf, answer.sentence)]


def _shown(
    single: SingleResponse, response: OcspResponse, answer: Answer, path: Sequence[Certificate], leaf: QSslCertificate
) -> QOcspResponse:
    made = QOcspResponse()
    made._status = _STATUS[single.status]
    if single.status is Status.REVOKED:
        made._reason = _REASONS.get(single.reason or 0, QOcspRevocationReason.Unspecified)
    made._subject = leaf
    signers = [QSslCertificate._of(der) for der in response.certificates]
    made._responder = signers[0] if signers else QSslCertificate._of(path[1])
    return made


def _error_of(answer: Answer, matching: Sequence[SingleResponse]) -> QSslError.SslError:
    if answer.status is Status.REVOKED:
        return _E.CertificateRevoked
    if not matching:
        return _E.OcspResponseCertIdUnknown
    if any(each.next_update is not None and each.next_update < time.time() for each in matching):
        return _E.OcspResponseExpired
    if any(each.status is Status.UNKNOWN for each in matching):
        return _E.OcspStatusUnknown
    return _E.OcspResponseCannotBeTrusted
