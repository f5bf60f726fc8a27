"""Hello extensions, one module each. `ORDER` fixes their order on the wire; adding one is its module and a line here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from puretls.errors import UsageError
from puretls.extensions.alpn import Alpn
from puretls.extensions.base import Extension, RecordLimits, View, limits_agreed
from puretls.extensions.ec_point_formats import EcPointFormats
from puretls.extensions.encrypt_then_mac import EncryptThenMac
from puretls.extensions.extended_master_secret import ExtendedMasterSecret
from puretls.extensions.max_fragment_length import MaxFragmentLength
from puretls.extensions.padding import Padding
from puretls.extensions.record_size_limit import RecordSizeLimit
from puretls.extensions.renegotiation_info import RenegotiationInfo
from puretls.extensions.server_name import ServerName
from puretls.extensions.session_ticket import SessionTicket
from puretls.extensions.signature_algorithms import SignatureAlgorithms, SignatureAlgorithmsCert
from puretls.extensions.signed_certificate_timestamp import SignedCertificateTimestamp
from puretls.extensions.status_request import StatusRequest
from puretls.extensions.supported_groups import SupportedGroups
from puretls.extensions.supported_versions import SupportedVersions
from puretls.extensions.token_binding import TokenBinding

ORDER: tuple[type[Extension], ...] = (
    SupportedVersions,  # first: it decides whether anything else matters
    ServerName,
    ExtendedMasterSecret,
    RenegotiationInfo,
    SupportedGroups,
    EcPointFormats,
    SessionTicket,
    Alpn,
    StatusRequest,
    SignatureAlgorithms,
    SignatureAlgorithmsCert,
    SignedCertificateTimestamp,
    EncryptThenMac,
    RecordSizeLimit,
    MaxFragmentLength,
    TokenBinding,
    Padding,  # last: it counts the bytes of the others
)


def active(configured: Iterable[Extension]) -> tuple[Extension, ...]:
    """All extensions of a handshake in wire order: the configured ones, and for the rest their defaults.

    Extensions of one's own, not in `ORDER`, come before the padding. Raises `UsageError` when one is configured twice.
    """
    chosen: dict[type[Extension], Extension] = {}
    for extension in configured:
        if type(extension) in chosen:
            raise UsageError(f"{type(extension).__name__} is configured twice")
        chosen[type(extension)] = extension
    known = [chosen.pop(cls) if cls in chosen else cls() for cls in ORDER]
    everything = (*known[:-1], *chosen.values(), known[-1])
    return tuple(extension for extension in everything if extension.enabled)


def concerned(results: Mapping[type[Extension], Any], hook: str) -> list[type[Extension]]:
    """The extensions that override this hook, whether they were agreed on or not; those of the application are included."""
    return [each for each in dict.fromkeys((*ORDER, *results)) if hook in each.hooks]


__all__ = [
    "ORDER",
    "Alpn",
    "EcPointFormats",
    "EncryptThenMac",
    "ExtendedMasterSecret",
    "Extension",
    "MaxFragmentLength",
    "Padding",
    "RecordLimits",
    "RecordSizeLimit",
    "RenegotiationInfo",
    "ServerName",
    "SessionTicket",
    "SignatureAlgorithms",
    "SignatureAlgorithmsCert",
    "SignedCertificateTimestamp",
    "StatusRequest",
    "SupportedGroups",
    "SupportedVersions",
    "TokenBinding",
    "View",
    "active",
    "concerned",
    "limits_agreed",
]
