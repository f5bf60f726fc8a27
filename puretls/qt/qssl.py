"""The QSsl namespace: enums of the whole family."""

from __future__ import annotations

import enum

from puretls.qt._names import QtNames


class QSsl(QtNames):
    """Enums. `QSsl.TlsV1_2` and `QSsl.SslProtocol.TlsV1_2` are the same."""

    class KeyType(enum.Enum):
        """Which half of a key pair."""

        PrivateKey = 0
        PublicKey = 1

    class EncodingFormat(enum.Enum):
        """Text or binary."""

        Pem = 0
        Der = 1

    class KeyAlgorithm(enum.Enum):
        """Kinds of keys; Opaque is one without a name here (X25519), or none."""

        Opaque = 0
        Rsa = 1
        Dsa = 2
        Ec = 3
        Dh = 4
        MlDsa = 5

    class AlternativeNameEntryType(enum.Enum):
        """Kinds of subjectAltName entries."""

        EmailEntry = 0
        DnsEntry = 1
        IpAddressEntry = 2

    class SslProtocol(enum.Enum):
        """Protocols to ask for. puretls speaks TLS 1.2: what excludes it fails; SslV2, SslV3 and TlsV1SslV3 are of Qt 5."""

        TlsV1_0 = 0
        TlsV1_1 = 1
        TlsV1_2 = 2
        AnyProtocol = 3
        SecureProtocols = 4
        TlsV1_0OrLater = 5
        TlsV1_1OrLater = 6
        TlsV1_2OrLater = 7
        DtlsV1_0 = 8
        DtlsV1_0OrLater = 9
        DtlsV1_2 = 10
        DtlsV1_2OrLater = 11
        TlsV1_3 = 12
        TlsV1_3OrLater = 13
        UnknownProtocol = -1
        SslV3 = -2
        SslV2 = -3
        TlsV1SslV3 = -4

    class SslOption(enum.Flag, boundary=enum.KEEP):
        """What a configuration switches off."""

        SslOptionDisableEmptyFragments = 1
        SslOptionDisableSessionTickets = 2
        SslOptionDisableCompression = 4
        SslOptionDisableServerNameIndication = 8
        SslOptionDisableLegacyRenegotiation = 16
        SslOptionDisableSessionSharing = 32
        SslOptionDisableSessionPersistence = 64
        SslOptionDisableServerCipherPreference = 128

    class AlertLevel(enum.Enum):
        """How grave an alert is."""

        Warning = 0
        Fatal = 1
        Unknown = 2

    class AlertType(enum.Enum):
        """Alert descriptions, with the numbers they have on the wire."""

        CloseNotify = 0
        UnexpectedMessage = 10
        BadRecordMac = 20
        RecordOverflow = 22
        DecompressionFailure = 30
        HandshakeFailure = 40
        NoCertificate = 41
        BadCertificate = 42
        UnsupportedCertificate = 43
        CertificateRevoked = 44
        CertificateExpired = 45
        CertificateUnknown = 46
        IllegalParameter = 47
        UnknownCa = 48
        AccessDenied = 49
        DecodeError = 50
        DecryptError = 51
        ExportRestriction = 60
        ProtocolVersion = 70
        InsufficientSecurity = 71
        InternalError = 80
        InappropriateFallback = 86
        UserCancelled = 90
        NoRenegotiation = 100
        MissingExtension = 109
        UnsupportedExtension = 110
        CertificateUnobtainable = 111
        UnrecognizedName = 112
        BadCertificateStatusResponse = 113
        BadCertificateHashValue = 114
        UnknownPskIdentity = 115
        CertificateRequired = 116
        NoApplicationProtocol = 120
        UnknownAlertMessage = 255

        @classmethod
        def _missing_(cls, value: object) -> QSsl.AlertType:
            """A number without a name gets itself as name, as PySide6 makes of an enum value it does not know."""
            if not isinstance(value, int):
                raise ValueError(f"{value!r} is not an alert")
            member = object.__new__(cls)
            member._name_, member._value_ = str(value), value
            return member

    class ImplementedClass(enum.Enum):
        """Parts of a TLS back end."""

        Key = 0
        Certificate = 1
        Socket = 2
        DiffieHellman = 3
        EllipticCurve = 4
        Dtls = 5
        DtlsCookie = 6

    class SupportedFeature(enum.Enum):
        """What a back end can do."""

        CertificateVerification = 0
        ClientSideAlpn = 1
        ServerSideAlpn = 2
        Ocsp = 3
        Psk = 4
        SessionTicket = 5
        Alerts = 6


PROTOCOLS_WITH_TLS_1_2 = frozenset(
    (
        QSsl.SslProtocol.TlsV1_2,
        QSsl.SslProtocol.AnyProtocol,
        QSsl.SslProtocol.SecureProtocols,
        QSsl.SslProtocol.TlsV1_0OrLater,
        QSsl.SslProtocol.TlsV1_1OrLater,
        QSsl.SslProtocol.TlsV1_2OrLater,
    )
)
