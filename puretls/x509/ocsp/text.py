"""OCSP responses as a person reads them, in words."""

from __future__ import annotations

from collections.abc import Iterator

from puretls.der.times import time_text
from puretls.text import counted, printable_lines
from puretls.x509.certificates.text import hex_text
from puretls.x509.ocsp.fields import OcspFields, Status


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
