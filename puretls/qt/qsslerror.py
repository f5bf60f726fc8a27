"""QSslError: one thing that is wrong with the peer's identity."""

from __future__ import annotations

import enum
from typing import Any

from puretls.qt._names import QtNames
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.text import printable


class QSslError(QtNames):
    """An error and the certificate it is about. `detail()` says what puretls found, with values and the RFC section."""

    class SslError(enum.Enum):
        """What can be wrong."""

        NoError = 0
        UnableToGetIssuerCertificate = 1
        UnableToDecryptCertificateSignature = 2
        UnableToDecodeIssuerPublicKey = 3
        CertificateSignatureFailed = 4
        CertificateNotYetValid = 5
        CertificateExpired = 6
        InvalidNotBeforeField = 7
        InvalidNotAfterField = 8
        SelfSignedCertificate = 9
        SelfSignedCertificateInChain = 10
        UnableToGetLocalIssuerCertificate = 11
        UnableToVerifyFirstCertificate = 12
        CertificateRevoked = 13
        InvalidCaCertificate = 14
        PathLengthExceeded = 15
        InvalidPurpose = 16
        CertificateUntrusted = 17
        CertificateRejected = 18
        SubjectIssuerMismatch = 19
        AuthorityIssuerSerialNumberMismatch = 20
        NoPeerCertificate = 21
        HostNameMismatch = 22
        NoSslSupport = 23
        CertificateBlacklisted = 24
        CertificateStatusUnknown = 25
        OcspNoResponseFound = 26
        OcspMalformedRequest = 27
        OcspMalformedResponse = 28
        OcspInternalError = 29
        OcspTryLater = 30
        OcspSigRequred = 31
        OcspUnauthorized = 32
        OcspResponseCannotBeTrusted = 33
        OcspResponseCertIdUnknown = 34
        OcspResponseExpired = 35
        OcspStatusUnknown = 36
        UnspecifiedError = -1

    def __init__(
        self, error: SslError | QSslError = SslError.NoError, certificate: QSslCertificate | None = None, detail: str = ""
    ) -> None:
        self._error: QSslError.SslError = error._error if isinstance(error, QSslError) else error
        self._detail: str = error._detail if isinstance(error, QSslError) else detail
        given = error._certificate if isinstance(error, QSslError) else certificate
        self._certificate: QSslCertificate = QSslCertificate(given) if given is not None else QSslCertificate()

    def error(self) -> SslError:
        return self._error

    def certificate(self) -> QSslCertificate:
        """The certificate concerned, null if there is none."""
        return QSslCertificate(self._certificate)

    def errorString(self) -> str:
        """Qt's words for the error, and after them what was found."""
        return _TEXTS.get(self._error, "Unknown error") + (f": {printable(self._detail)}" if self._detail else "")

    def detail(self) -> str:
        """What puretls found: the rule, the values and what mends it; empty for an error that a program made."""
        return self._detail

    def swap(self, other: QSslError) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslError) and (self._error, self._certificate) == (other._error, other._certificate)

    def __hash__(self) -> int:
        return hash((self._error, self._certificate))

    def __repr__(self) -> str:
        return f'<"{self.errorString()}">'


_E: Any = QSslError.SslError
_TEXTS = {
    _E.NoError: "No error",
    _E.UnableToGetIssuerCertificate: "The issuer certificate could not be found",
    _E.UnableToDecryptCertificateSignature: "The certificate signature could not be decrypted",
    _E.UnableToDecodeIssuerPublicKey: "The public key in the certificate could not be read",
    _E.CertificateSignatureFailed: "The signature of the certificate is invalid",
    _E.CertificateNotYetValid: "The certificate is not yet valid",
    _E.CertificateExpired: "The certificate has expired",
    _E.InvalidNotBeforeField: "The certificate's notBefore field contains an invalid time",
    _E.InvalidNotAfterField: "The certificate's notAfter field contains an invalid time",
    _E.SelfSignedCertificate: "The certificate is self-signed, and untrusted",
    _E.SelfSignedCertificateInChain: "The root certificate of the certificate chain is self-signed, and untrusted",
    _E.UnableToGetLocalIssuerCertificate: "The issuer certificate of a locally looked up certificate could not be found",
    _E.UnableToVerifyFirstCertificate: "No certificates could be verified",
    _E.CertificateRevoked: "The certificate has been revoked",
    _E.InvalidCaCertificate: "One of the CA certificates is invalid",
    _E.PathLengthExceeded: "The basicConstraints path length parameter has been exceeded",
    _E.InvalidPurpose: "The supplied certificate is unsuitable for this purpose",
    _E.CertificateUntrusted: "The root CA certificate is not trusted for this purpose",
    _E.CertificateRejected: "The root CA certificate is marked to reject the specified purpose",
    _E.SubjectIssuerMismatch: "The issuer's subject is not the issuer named in the certificate",
    _E.AuthorityIssuerSerialNumberMismatch: "Issuer name and serial number are not those of the authority key identifier",
    _E.NoPeerCertificate: "The peer did not present any certificate",
    _E.HostNameMismatch: "The host name did not match any of the valid hosts for this certificate",
    _E.NoSslSupport: "TLS is not supported",
    _E.CertificateBlacklisted: "The peer certificate is blacklisted",
    _E.CertificateStatusUnknown: "The revocation status of the certificate is unknown",
    _E.OcspNoResponseFound: "No OCSP status response found",
    _E.OcspMalformedRequest: "The OCSP status request had invalid syntax",
    _E.OcspMalformedResponse: "The OCSP response is malformed",
    _E.OcspInternalError: "The OCSP responder has an internal error",
    _E.OcspTryLater: "The OCSP responder cannot answer at present",
    _E.OcspSigRequred: "The OCSP responder wants signed requests",
    _E.OcspUnauthorized: "The OCSP responder has no answer for this client",
    _E.OcspResponseCannotBeTrusted: "The identity of the OCSP responder cannot be verified",
    _E.OcspResponseCertIdUnknown: "The OCSP response is about another certificate",
    _E.OcspResponseExpired: "The OCSP response has expired",
    _E.OcspStatusUnknown: "The OCSP responder does not know the certificate's status",
}
