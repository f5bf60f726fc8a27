"""QOcspResponse: a stapled answer about the server's certificate."""

from __future__ import annotations

import enum

from puretls.qt._names import QtNames
from puretls.qt.qsslcertificate import QSslCertificate


class QOcspCertificateStatus(enum.Enum):
    """What the responder says."""

    Good = 0
    Revoked = 1
    Unknown = 2


class QOcspRevocationReason(enum.Enum):
    """Why a certificate was revoked."""

    None_ = -1
    Unspecified = 0
    KeyCompromise = 1
    CACompromise = 2
    AffiliationChanged = 3
    Superseded = 4
    CessationOfOperation = 5
    CertificateHold = 6
    RemoveFromCRL = 7


class QOcspResponse(QtNames):
    """Status, reason, and the certificates of subject and responder."""

    def __init__(self, other: QOcspResponse | None = None) -> None:
        self._status = QOcspCertificateStatus.Unknown
        self._reason = QOcspRevocationReason.None_
        self._subject = self._responder = QSslCertificate()
        if other is not None:
            self.__dict__.update(other.__dict__)

    def certificateStatus(self) -> QOcspCertificateStatus:
        return self._status

    def revocationReason(self) -> QOcspRevocationReason:
        """None_ for a certificate that is not revoked."""
        return self._reason

    def subject(self) -> QSslCertificate:
        """The certificate that the answer is about."""
        return QSslCertificate(self._subject)

    def responder(self) -> QSslCertificate:
        """Who signed the answer."""
        return QSslCertificate(self._responder)

    def swap(self, other: QOcspResponse) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QOcspResponse) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self._status, self._subject))
