"""`puretls x509 limbo`: reads a document of cases in the format of x509-limbo, gives a document of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from puretls._version import __version__
from puretls.crypto.provider import Provider
from puretls.der import oids
from puretls.errors import DecodeError
from puretls.x509.certificates.extensions import KeyUsageBit
from puretls.x509.crl import Crl
from puretls.x509.hostname import parse_ip
from puretls.x509.names.general import GeneralName, GeneralNameKind
from puretls.x509.path.budgets import Budgets
from puretls.x509.pem import read_pem
from puretls.x509.reports.findings import Finding
from puretls.x509.reports.report import Report
from puretls.x509.reports.rules import RULES
from puretls.x509.revocation import HARD, Revocation
from puretls.x509.verifier import ChainRequest, chain_verifier

_PURPOSES = {
    "serverAuth": oids.SERVER_AUTH, "clientAuth": oids.CLIENT_AUTH, "codeSigning": oids.CODE_SIGNING,
    "emailProtection": oids.EMAIL_PROTECTION, "timeStamping": oids.TIME_STAMPING, "OCSPSigning": oids.OCSP_SIGNING,
    "anyExtendedKeyUsage": oids.ANY_EXTENDED_KEY_USAGE,
}  # fmt: skip
_USAGES = {
    "digitalSignature": KeyUsageBit.DIGITAL_SIGNATURE, "contentCommitment": KeyUsageBit.NON_REPUDIATION,
    "nonRepudiation": KeyUsageBit.NON_REPUDIATION, "keyEncipherment": KeyUsageBit.KEY_ENCIPHERMENT,
    "dataEncipherment": KeyUsageBit.DATA_ENCIPHERMENT, "keyAgreement": KeyUsageBit.KEY_AGREEMENT,
    "keyCertSign": KeyUsageBit.KEY_CERT_SIGN, "cRLSign": KeyUsageBit.CRL_SIGN, "encipherOnly": KeyUsageBit.ENCIPHER_ONLY,
    "decipherOnly": KeyUsageBit.DECIPHER_ONLY,
}  # fmt: skip
_KINDS = {"DNS": GeneralNameKind.DNS, "IP": GeneralNameKind.IP, "RFC822": GeneralNameKind.RFC822, "URI": GeneralNameKind.URI}

VERDICTS = Budgets(signatures=0, steps=64, paths=4)
"""The suites ask for verdicts: why a case fails is told as far as it costs next to nothing."""
Case = Mapping[str, Any]


def run(document: Mapping[str, Any], provider: Provider, now: float, profile: str | None = None) -> dict[str, object]:
    """All cases of a document. `profile`: None takes "webpki" for ids that begin with `webpki::` and "strict" for all others.

    `now` is for cases without a time of their own. Never raises for what is in a case.
    """
    results = [_result(case, provider, now, profile) for case in document["testcases"]]
    return {"version": 1, "harness": f"puretls-{__version__}", "results": results}


def _result(case: Case, provider: Provider, now: float, profile: str | None) -> dict[str, object]:
    try:
        report = evaluate(case, provider, now, profile)
    except DecodeError as bad:  # armour or base64 that cannot be read: a certificate that cannot be had is none that can be trusted
        return {"id": case["id"], "actual_result": "FAILURE", "context": f"unreadable: {bad}"}
    if report.accepted:
        return {"id": case["id"], "actual_result": "SUCCESS", "context": None}
    return {"id": case["id"], "actual_result": "FAILURE", "context": f"{report.findings[0].id}: {report}"}


def evaluate(case: Case, provider: Provider, now: float, profile: str | None = None) -> Report:
    """One case."""
    chosen = profile or ("webpki" if case["id"].startswith("webpki::") else "strict")
    try:
        revocation = Revocation(HARD, crls=tuple(Crl.parse(der) for der in _blocks(case["crls"]))) if case["crls"] else None
    except DecodeError as bad:
        return Report(False, (), (Finding(RULES["revocation-unknown"], str(bad)),), profile=chosen)
    verifier = chain_verifier(_blocks(case["trusted_certs"]), provider=provider, profile=chosen, revocation=revocation)
    purposes = tuple(_PURPOSES[name] for name in case["extended_key_usage"])
    verifier = replace(
        verifier,
        settings=replace(verifier.settings, explanation=VERDICTS),
        names=tuple(_name(name) for name in case["expected_peer_names"] or ()),
        purposes=purposes or None,
        key_usage=frozenset(_USAGES[name] for name in case["key_usage"]),
        max_intermediates=case["max_chain_depth"],
    )
    expected = case["expected_peer_name"]
    return verifier(
        ChainRequest(
            chain=tuple(_blocks([case["peer_certificate"], *case["untrusted_intermediates"]])),
            purpose=case["validation_kind"].lower(),
            server_name=expected["value"] if expected and case["validation_kind"] == "SERVER" else None,
            time=datetime.fromisoformat(case["validation_time"]).timestamp() if case["validation_time"] else now,
        )
    )


def _blocks(texts: list[str]) -> Iterator[bytes]:
    for text in texts:
        yield from (block.data for block in read_pem(text.encode()))


def _name(peer: Mapping[str, str]) -> GeneralName:
    kind = _KINDS[peer["kind"]]
    return GeneralName(kind, parse_ip(peer["value"]) if kind is GeneralNameKind.IP else peer["value"])
