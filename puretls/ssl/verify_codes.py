"""OpenSSL's numbers and words for what the validator finds: X509_V_ERR_... and X509_verify_cert_error_string.

OpenSSL stops at the first error on its way, which goes from the path over its extensions and keys to names, revocation, signatures and
dates. Of several findings the one that it would have met first is told.
"""

from __future__ import annotations

from puretls.der import oids
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.crl.lists import Crl
from puretls.x509.hostname import parse_ip
from puretls.x509.reports.findings import Finding
from puretls.x509.reports.report import Report

MESSAGES = {
    1: "unspecified certificate verification error",
    2: "unable to get issuer certificate",
    3: "unable to get certificate CRL",
    6: "unable to decode issuer public key",
    7: "certificate signature failure",
    8: "CRL signature failure",
    9: "certificate is not yet valid",
    10: "certificate has expired",
    11: "CRL is not yet valid",
    12: "CRL has expired",
    18: "self-signed certificate",
    19: "self-signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    22: "certificate chain too long",
    23: "certificate revoked",
    25: "path length constraint exceeded",
    26: "unsuitable certificate purpose",
    28: "certificate rejected",
    34: "unhandled critical extension",
    41: "invalid or inconsistent certificate extension",
    43: "no explicit policy",
    47: "permitted subtree violation",
    48: "excluded subtree violation",
    51: "unsupported name constraint type",
    62: "hostname mismatch",
    64: "IP address mismatch",
    66: "EE certificate key too weak",
    67: "CA certificate key too weak",
    68: "CA signature digest algorithm too weak",
    73: "OCSP verification needed",
    76: "Cannot find certificate signature algorithm",
    78: "cert info signature and signature algorithm mismatch",
    79: "invalid CA certificate",
    80: "Path length invalid for non-CA cert",
    82: "Key usage keyCertSign invalid for non-CA cert",
    83: "Issuer name empty",
    84: "Subject name empty",
    85: "Missing Authority Key Identifier",
    86: "Missing Subject Key Identifier",
    87: "Empty Subject Alternative Name extension",
    88: "Subject empty and Subject Alt Name extension not critical",
    89: "Basic Constraints of CA cert not marked critical",
    90: "Authority Key Identifier marked critical",
    91: "Subject Key Identifier marked critical",
    92: "CA cert does not include key usage extension",
    93: "Using cert extension requires at least X509v3",
}
"""The words for each number that is told here."""

CODES = {
    # The path
    "anchors": 20, "unknown-issuer": 20, "self-signed": 18, "chain-length": 22, "budget": 1, "presented": 1, "malformed": 1,
    "anchor-purpose": 28,
    # Extensions
    "unknown-critical-extension": 34, "not-a-ca": 79, "root-basic-constraints": 79, "key-cert-sign": 79, "path-length": 25,
    "path-length-field": 80, "leaf-key-cert-sign": 82, "empty-issuer": 83, "empty-subject": 84, "empty-subject-ca": 84,
    "authority-key-identifier": 85, "subject-key-identifier": 86, "san-critical": 88, "basic-constraints-critical": 89,
    "must-not-be-critical": 90, "ca-key-usage": 92, "extensions-need-version-3": 93, "duplicate-extension": 41, "strict-der": 41,
    "extended-key-usage": 26, "ca-extended-key-usage": 26, "explicit-extended-key-usage": 26, "algorithm-mismatch": 78,
    # Keys and algorithms
    "public-key": 6, "rsa-size": 66, "rsa-breakable": 66, "rsa-too-large": 66, "sha1": 68, "md5": 68, "signature-algorithm": 76,
    # Names, revocation, signatures, dates, constraints
    "wrong-host": 62, "san-malformed": 41, "must-staple": 73, "revoked": 23, "revocation-unknown": 3, "crl-number": 3, "signature": 7,
    "not-yet-valid": 9, "expired": 10, "name-constraints": 47, "name-constraints-unprocessable": 51, "policy": 43,
}  # fmt: skip
"""The number for each rule of the validator. A rule that is not here is one of no OpenSSL: 1."""
_ORDER = {rule: number for number, rule in enumerate(CODES)}


def code_of(report: Report, name: str | None, crls: tuple[Crl, ...] = ()) -> tuple[int, str]:
    """Number and words for a report that refuses. `name`: what the certificate was to be for. `crls`: those that were at hand."""
    finding = min(report.findings, key=lambda finding: _ORDER.get(_rule(finding, report), len(_ORDER)))
    code = _code(finding, report, name, crls)
    if code in (62, 64):
        kind = "Hostname" if code == 62 else "IP address"
        return code, f"{kind} mismatch, certificate is not valid for '{name}'."  # CPython's words
    return code, MESSAGES[code]


def _rule(finding: Finding, report: Report) -> str:
    """Its rule. OpenSSL takes nobody for an issuer whose key is not the one that is named, and sees that before it compares names."""
    return "unknown-issuer" if report.names_another_key(finding) else finding.id


def _code(finding: Finding, report: Report, name: str | None, crls: tuple[Crl, ...]) -> int:
    rule = _rule(finding, report)
    code, refined = CODES.get(rule, 1), _REFINED.get(rule)
    if refined is not None:
        return refined(code, finding, report)
    if finding.id == "wrong-host":
        return 64 if parse_ip(name or "") else 62
    if finding.id == "revocation-unknown" and finding.certificate is not None:
        return _crl_code(finding.certificate, crls, finding.sentence)
    return code


def _of_the_path(code: int, finding: Finding, report: Report) -> int:
    """Where no root was found: what the last certificate is."""
    path = report.path[: (finding.index or 0) + 1] if finding.id == "signature" else report.path
    if path and path[-1].is_self_issued:
        return 18 if len(path) == 1 else 19
    return 20


def _of_the_key(code: int, finding: Finding, report: Report) -> int:
    return 67 if finding.index else 66


def _of_an_unknown_key(code: int, finding: Finding, report: Report) -> int:
    return 6 if finding.index else 66


def _of_identifiers(code: int, finding: Finding, report: Report) -> int:
    extension = finding.certificate.extension(oids.SUBJECT_KEY_IDENTIFIER) if finding.certificate else None
    return 91 if extension is not None and extension.path == finding.path else 90


def _of_the_encoding(code: int, finding: Finding, report: Report) -> int:
    return 87 if finding.path.endswith("subject_alt_name") else code


def _of_constraints(code: int, finding: Finding, report: Report) -> int:
    return 48 if "is excluded" in finding.sentence else 47


_REFINED = {
    "anchors": _of_the_path, "unknown-issuer": _of_the_path, "self-signed": _of_the_path, "rsa-size": _of_the_key,
    "rsa-breakable": _of_the_key, "rsa-too-large": _of_the_key, "public-key": _of_an_unknown_key, "must-not-be-critical": _of_identifiers,
    "name-constraints": _of_constraints, "strict-der": _of_the_encoding,
}  # fmt: skip


def _crl_code(certificate: Certificate, crls: tuple[Crl, ...], sentence: str) -> int:
    """Why the CRLs of the issuer did not count."""
    if not any(crl.issuer == certificate.issuer for crl in crls):
        return 3
    return next((code for words, code in _CRL_FAULTS.items() if words in sentence), 3)


_CRL_FAULTS = {"is of the future": 11, "is out of date": 12, "does not verify": 8}
