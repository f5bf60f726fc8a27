"""OCSP responses as a person reads them: in words, and what each byte means."""

from __future__ import annotations

from collections.abc import Iterator

from puretls.der.times import time_text
from puretls.text import counted, printable_lines
from puretls.x509.certificates import explain
from puretls.x509.certificates.text import hex_text
from puretls.x509.ocsp.fields import OcspFields, Status

NOTES = explain.NOTES | {
    "OCSPResponse": ("status, and where that is successful the response", "RFC 6960 4.2.1"),
    "response_status": ("0 means successful", "RFC 6960 4.2.1"),
    "response_bytes": ("type and bytes of the response", "RFC 6960 4.2.1"),
    "response_type": ("which kind of response", "RFC 6960 4.2.1"),
    "response": ("DER of the response itself", "RFC 6960 4.2.1"),
    "BasicOCSPResponse": ("what is signed, how, the signature, certificates", "RFC 6960 4.2.1"),
    "tbs_response_data": ("the part that the signature covers", "RFC 6960 4.2.1"),
    "responder_id": ("who signed", "RFC 6960 4.2.1"),
    "by_name": ("its name", "RFC 6960 4.2.1"),
    "by_key": ("SHA-1 of its key", "RFC 6960 4.2.1"),
    "produced_at": ("when it was signed", "RFC 6960 2.4"),
    "responses": ("one for each certificate asked about", "RFC 6960 4.2.1"),
    "cert_id": ("which certificate this is about", "RFC 6960 4.1.1"),
    "hash_algorithm": ("how the two hashes that follow are made", "RFC 6960 4.1.1"),
    "issuer_name_hash": ("hash of the issuer's name", "RFC 6960 4.1.1"),
    "issuer_key_hash": ("hash of the issuer's key", "RFC 6960 4.1.1"),
    "serial_number": ("the certificate's serial number", "RFC 6960 4.1.1"),
    "cert_status": ("[0] good, [1] revoked, [2] unknown", "RFC 6960 4.2.1"),
    "revocation_time": ("since when it is revoked", "RFC 6960 4.2.1"),
    "revocation_reason": ("why it was revoked", "RFC 5280 5.3.1"),
    "this_update": ("when this was known to be right", "RFC 6960 2.4"),
    "next_update": ("when newer information will be available", "RFC 6960 2.4"),
    "single_extensions": ("more about this certificate's status", "RFC 6960 4.4"),
    "response_extensions": ("more about the whole response", "RFC 6960 4.4"),
    "nonce": ("copied from the request, against replay", "RFC 8954 2.1"),
    "signature_algorithm": ("how the responder signed", "RFC 6960 4.2.1"),
    "signature": ("signature of tbs_response_data", "RFC 6960 4.2.1"),
    "certs": ("certificates that help to verify the signature", "RFC 6960 4.2.1"),
}
"""As `explain.NOTES`, for OCSP responses."""


def ocsp_text(response: OcspFields) -> str:
    """An OCSP response in words."""
    return printable_lines(_ocsp_lines(response))


def _ocsp_lines(response: OcspFields) -> Iterator[str]:
    yield f"OCSP response, successful, {len(response.raw)} bytes"
    yield f"  Responder:    {response.responder_text}"
    yield f"  Signed:       {time_text(response.produced_at)}"
    yield f"  Signature:    {response.signature_algorithm}, {counted(len(response.signature), 'byte')}"
    yield f"  Certificates: {len(response.certificates) or 'none'}"
    for single in response.responses:
        yield f"  Certificate {hex_text(single.cert_id.serial_number)}: {single.status.value}"
        if single.status is Status.REVOKED and single.revocation_time is not None:
            yield f"    revoked on {time_text(single.revocation_time)}"
        yield f"    known on   {time_text(single.this_update)}"
        yield f"    next due   {'not said' if single.next_update is None else time_text(single.next_update)}"
