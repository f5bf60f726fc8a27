"""The extensions of CRLs and of their entries (RFC 5280 5.2 and 5.3)."""

from __future__ import annotations

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.values import frozen
from puretls.x509.certificates.extension_types import TYPES, ExtensionType, read_distribution_point_name
from puretls.x509.certificates.extensions import DistributionPointName
from puretls.x509.names.general import GeneralName, read_general_names

REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
"""CRLReason (RFC 5280 5.3.1)."""
REMOVE_FROM_CRL = 8
ALL_REASONS = frozenset(range(1, 9))
"""The bits of ReasonFlags (RFC 5280 4.2.1.13) that together say everything; bit 0 is unused, and bits are not CRLReasons."""


@frozen
class CrlNumber:
    """RFC 5280 5.2.3."""

    number: int


@frozen
class DeltaCrlIndicator:
    """RFC 5280 5.2.4: the number of the complete CRL that this one adds to."""

    base_number: int


@frozen
class IssuingDistributionPoint:
    """RFC 5280 5.2.5. `reasons`: bits of ReasonFlags, None where the CRL covers all of them."""

    name: DistributionPointName | None
    only_user: bool = False
    only_ca: bool = False
    reasons: frozenset[int] | None = None
    indirect: bool = False
    only_attribute: bool = False


@frozen
class CrlReason:
    """RFC 5280 5.3.1."""

    reason: int


@frozen
class InvalidityDate:
    """RFC 5280 5.3.2: since when the key was not to be trusted, seconds since 1970."""

    time: int


@frozen
class CertificateIssuer:
    """RFC 5280 5.3.3: who issued the certificate of this entry and of those that follow."""

    names: tuple[GeneralName, ...]


@frozen
class HoldInstruction:
    """RFC 3280 5.3.2, obsolete; read to be shown."""

    code: bytes


def _idp(reader: Reader) -> IssuingDistributionPoint:
    body = reader.enter()
    if not body.more:
        raise body.error("empty issuingDistributionPoint", rfc="RFC 5280 5.2.5")
    where = read_distribution_point_name(body, "distribution_point") if body.peek() == tags.explicit(0) else None
    user = body.default_false("only_contains_user_certs", tags.context(1))
    ca = body.default_false("only_contains_ca_certs", tags.context(2))
    reasons = body.named_bits("only_some_reasons", tags.context(3)) if body.peek() == tags.context(3) else None
    indirect = body.default_false("indirect_crl", tags.context(4))
    attribute = body.default_false("only_contains_attribute_certs", tags.context(5))
    body.done()
    if user + ca + attribute > 1:
        raise body.error("a CRL for only users, only CAs and only attributes at once", rfc="RFC 5280 5.2.5")
    return IssuingDistributionPoint(where, user, ca, reasons, indirect, attribute)


def _number(reader: Reader) -> int:
    at = reader.at
    value = reader.integer()
    if value < 0 or reader.at - at > 23:
        raise reader.error("CRL number that is negative or of more than 20 octets", offset=at, rfc="RFC 5280 5.2.3")
    return value


def _reason(reader: Reader) -> CrlReason:
    reason = reader.enumerated()
    if reason not in REASONS:
        raise reader.error(f"no CRLReason {reason}", rfc="RFC 5280 5.3.1")
    return CrlReason(reason)


def _invalidity(reader: Reader) -> InvalidityDate:
    if reader.peek() != tags.GENERALIZED_TIME:
        raise reader.error("invalidityDate is a GeneralizedTime", rfc="RFC 5280 5.3.2")
    return InvalidityDate(reader.time())


def _types(*rows: tuple[bytes, str, type, object, str]) -> dict[bytes, ExtensionType]:
    return {oid: ExtensionType(name, cls, read, where) for oid, name, cls, read, where in rows}  # type: ignore[arg-type]


_SHARED = (oids.AUTHORITY_KEY_IDENTIFIER, oids.ISSUER_ALT_NAME, oids.FRESHEST_CRL, oids.AUTHORITY_INFO_ACCESS)
CRL_TYPES = {oid: TYPES[oid] for oid in _SHARED} | _types(
    (oids.CRL_NUMBER, "crl_number", CrlNumber, lambda r: CrlNumber(_number(r)), "RFC 5280 5.2.3"),
    (oids.DELTA_CRL_INDICATOR, "delta_crl_indicator", DeltaCrlIndicator,
     lambda r: DeltaCrlIndicator(_number(r)), "RFC 5280 5.2.4"),
    (oids.ISSUING_DISTRIBUTION_POINT, "issuing_distribution_point", IssuingDistributionPoint, _idp, "RFC 5280 5.2.5"),
)  # fmt: skip
"""The extensions of a CRL that are known here."""
ENTRY_TYPES = _types(
    (oids.CRL_REASON, "crl_reason", CrlReason, _reason, "RFC 5280 5.3.1"),
    (oids.INVALIDITY_DATE, "invalidity_date", InvalidityDate, _invalidity, "RFC 5280 5.3.2"),
    (oids.CERTIFICATE_ISSUER, "certificate_issuer", CertificateIssuer,
     lambda r: CertificateIssuer(read_general_names(r, "")), "RFC 5280 5.3.3"),
    (oids.HOLD_INSTRUCTION_CODE, "hold_instruction_code", HoldInstruction, lambda r: HoldInstruction(r.oid()), "RFC 3280 5.3.2"),
)  # fmt: skip
"""Those of an entry."""
