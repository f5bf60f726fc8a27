"""What an OCSP response says of one certificate (RFC 6960).

A response counts when the issuer itself signed it, or a responder to whom the issuer gave a certificate for just that (4.2.2.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from puretls.der import oids
from puretls.der.times import time_text
from puretls.errors import DecodeError
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import ExtendedKeyUsage, OcspNoCheck
from puretls.x509.crl.extensions import REASONS
from puretls.x509.names.distinguished import Name
from puretls.x509.ocsp.fields import SingleResponse, Status, key_octets
from puretls.x509.ocsp.responses import OcspResponse
from puretls.x509.revocation.answers import Answer, revoked_sentence
from puretls.x509.revocation.case import Case
from puretls.x509.revocation.crls import crl_status

MAX_CERTIFICATES = 8
"""Certificates of a response that are tried as its signer."""


def ocsp_status(case: Case, data: bytes) -> Answer:
    """What one response says of the certificate; UNKNOWN, with the cause, for whatever is amiss. Never raises for `data`."""
    try:
        response = OcspResponse.parse(data)
        matching = [one for one in response.responses if one.cert_id.is_of(case.certificate, case.issuer)]
    except DecodeError as bad:
        return _unknown(f"is unusable: {bad}")
    if not matching:
        return _unknown("is about other certificates")
    fault = _response_fault(response, matching, case)
    if fault:
        return _unknown(fault)
    order = (Status.REVOKED, Status.UNKNOWN, Status.GOOD)
    return _answer(min(matching, key=lambda one: order.index(one.status)), response)


def _unknown(what: str) -> Answer:
    return Answer(Status.UNKNOWN, f"the OCSP response {what}")


def _answer(single: SingleResponse, response: OcspResponse) -> Answer:
    who = f"the OCSP response by {response.responder_text}"
    if single.status is Status.GOOD:
        return Answer(Status.GOOD, f"good, says {who} of {time_text(single.this_update)}")
    if single.status is Status.UNKNOWN:
        return Answer(Status.UNKNOWN, f"{who} does not know the certificate")
    when = single.revocation_time or 0
    return Answer(Status.REVOKED, revoked_sentence(who, when, REASONS[single.reason or 0]), when, single.reason)


def _response_fault(response: OcspResponse, matching: list[SingleResponse], case: Case) -> str:
    """Empty where the response is understood, current and genuine."""
    listed = [*response.extensions, *(one for single in matching for one in single.extensions)]
    unknown = next((one for one in listed if one.critical and one.value is None), None)
    if unknown is not None:
        return f"has the unknown critical extension {oids.describe(unknown.oid)}"
    validity = case.certificate.validity
    skew = case.policy.skew
    if not validity.not_before - skew <= response.produced_at <= min(validity.not_after, case.time) + skew:
        return f"was made on {time_text(response.produced_at)}, outside of the certificate's life or in the future"
    for single in matching:
        fault = case.policy.date_fault(single.this_update, single.next_update, case.time)
        if fault:
            return fault
    return _signer_fault(response, case)


def _signer_fault(response: OcspResponse, case: Case) -> str:
    """RFC 6960 4.2.2.2: the issuer, or a certificate that the issuer gave out with the purpose OCSPSigning."""
    if _is_responder(response, case.issuer):
        return case.checker.fault(case.issuer, response.signature_algorithm, response.tbs, response.signature)
    fault = f"is by {response.responder_text}, whose certificate is missing"
    for data in response.certificates[:MAX_CERTIFICATES]:
        try:
            delegate = Certificate.parse(data)
        except DecodeError:
            continue
        if not _is_responder(response, delegate):
            continue
        fault = _delegate_fault(delegate, case) or case.checker.fault(
            delegate, response.signature_algorithm, response.tbs, response.signature
        )
        if not fault:
            return ""
    return fault


def _is_responder(response: OcspResponse, certificate: Certificate) -> bool:
    if isinstance(response.responder, Name):
        return response.responder == certificate.subject
    return response.responder == hashlib.new("sha1", key_octets(certificate.spki), usedforsecurity=False).digest()


def _delegate_fault(delegate: Certificate, case: Case) -> str:
    """Empty for a certificate that the issuer in question made for signing responses, and that is valid now."""
    usage = delegate.get(ExtendedKeyUsage)
    if usage is None or oids.OCSP_SIGNING not in usage.purposes:
        return f"is signed by {delegate.subject}, which is not for OCSP signing"
    if not delegate.validity.not_before <= case.time <= delegate.validity.not_after:
        return f"is signed by {delegate.subject}, which is not valid now"
    if delegate.issuer != case.issuer.subject:
        return f"is signed by {delegate.subject}, which {case.issuer.subject} did not issue"
    if case.checker.fault(case.issuer, delegate.outer_signature, delegate.tbs, delegate.signature):
        return f"is signed by {delegate.subject}, whose own signature does not verify"
    return _delegate_revoked(delegate, case)


def _delegate_revoked(delegate: Certificate, case: Case) -> str:
    """RFC 6960 4.2.2.2.1: unless nocheck says that nobody need ask, CRLs may know that the responder is revoked."""
    if delegate.get(OcspNoCheck) is not None or not case.policy.crls or case.depth == 0:
        return ""
    answer = crl_status(replace(case, certificate=delegate, depth=case.depth - 1))
    return f"is signed by {delegate.subject}, which is revoked" if answer.status is Status.REVOKED else ""
