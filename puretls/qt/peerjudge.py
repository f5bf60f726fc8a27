"""What a QSslSocket finds wrong with its peer, in Qt's errors. Pure functions of the configuration and of what the peer has shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from puretls.config import PENDING
from puretls.connection import Connection
from puretls.qt.qocspresponse import QOcspResponse
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslconfiguration import QSslConfiguration
from puretls.qt.qsslerror import QSslError
from puretls.qt.sslvalues import PeerVerifyMode, SslMode
from puretls.qt.stapling import judge_staple
from puretls.qt.verification import examine, faults_of, name_matches
from puretls.x509.reports.report import Report
from puretls.x509.verifier import ChainRequest

_E = QSslError.SslError


@dataclasses.dataclass
class Verdict:
    """What was found so far. `report` and `faults` are about the chain, `errors` is everything that `sslErrors` tells."""

    report: Report | None = None
    faults: list[QSslError] = dataclasses.field(default_factory=list)
    errors: list[QSslError] = dataclasses.field(default_factory=list)
    ocsp: list[QOcspResponse] = dataclasses.field(default_factory=list)


def accepted(report: Report) -> Report:
    """The same report for a handshake that goes on: Qt completes it and passes its verdict afterwards."""
    return dataclasses.replace(report, accepted=True, findings=())


def verify(request: ChainRequest, config: QSslConfiguration, verdict: Verdict) -> Any:
    """The verifier of the handshake. It keeps what it finds in `verdict` and accepts, or postpones if the program is to be asked."""
    trust = config._trust()
    report = examine(request, trust, config.peerVerifyDepth())
    if config.peerVerifyMode() is not PeerVerifyMode.VerifyNone:
        verdict.report = report
        verdict.faults = faults_of(report, certificates(request.chain), trust)
        if verdict.faults and config.handshakeMustInterruptOnError():
            return PENDING
    return accepted(report)


def certificates(chain: Sequence[bytes]) -> tuple[QSslCertificate, ...]:
    """A chain of DER in the facade's class."""
    return tuple(QSslCertificate._of(der) for der in chain)


def demands_peer(config: QSslConfiguration, mode: SslMode) -> bool:
    """Whether a peer with faults is refused."""
    asked = config.peerVerifyMode()
    return asked is PeerVerifyMode.VerifyPeer or (asked is PeerVerifyMode.AutoVerifyPeer and mode is SslMode.SslClientMode)


def identity_faults(connection: Connection, config: QSslConfiguration, mode: SslMode, name: str) -> list[QSslError]:
    """What is wrong with who the peer is, whatever its chain may be worth. `name`: the one a server must have."""
    found: list[QSslError] = []
    peer = config.peerCertificate()
    if any(each.isBlacklisted() for each in certificates(connection.peer_certificates)):
        found.append(QSslError(_E.CertificateBlacklisted, peer))
    if not peer.isNull() and mode is SslMode.SslClientMode:
        if not name_matches(peer, name):
            found.append(QSslError(_E.HostNameMismatch, peer, _names_of(peer, name)))
    elif peer.isNull() and demands_peer(config, mode):  # with a pre-shared key too, as in Qt
        found.append(QSslError(_E.NoPeerCertificate))
    return found


def _names_of(certificate: QSslCertificate, wanted: str) -> str:
    names = [name for group in certificate.subjectAlternativeNames().values() for name in group]
    return f"{wanted!r} is not among {', '.join(names[:8]) or 'no names at all (the common name does not count, RFC 9525)'}"


def staple_faults(connection: Connection, config: QSslConfiguration, mode: SslMode, verdict: Verdict) -> list[QSslError]:
    """What is wrong with the stapled OCSP response, where one is insisted on; the responses go into `verdict`."""
    negotiated = connection.negotiated
    if not config.ocspStaplingEnabled() or mode is not SslMode.SslClientMode or not demands_peer(config, mode):
        return []
    if negotiated is None or not negotiated.suite.has_certificate:
        return []
    path = verdict.report.path if verdict.report is not None else ()
    verdict.ocsp, faults = judge_staple(connection.ocsp_response, path, config.peerCertificate())
    known = {each.error() for each in verdict.faults}
    return [each for each in faults if each.error() not in known]
