"""OCSP responses as typed values (RFC 6960 4.2). What they mean for a certificate is for `revocation`."""

from __future__ import annotations

from dataclasses import dataclass

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.x509.ocsp.fields import OcspFields
from puretls.x509.ocsp.reading import read_basic

ROOT = "OCSPResponse"
MAX_RESPONSE = 1 << 20
"""Bytes of one response; real ones have a few thousand."""
STATUSES = {0: "successful", 1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
"""OCSPResponseStatus (RFC 6960 4.2.1)."""


@dataclass(frozen=True, eq=False, repr=False)
class OcspResponse(OcspFields):
    """A successful response. `parse` makes one; whether it is genuine and current is for `revocation`."""

    @classmethod
    def parse(cls, data: bytes, sink: list[Span] | None = None) -> OcspResponse:
        """The response in `data`. Raises `DecodeError` for bad DER, and for a status other than successful, which it names."""
        if len(data) > MAX_RESPONSE:
            raise DecodeError(f"OCSP response of {len(data)} bytes, more than {MAX_RESPONSE}", path=ROOT)
        top = Reader(data, name=ROOT, sink=sink)
        outer = top.enter()
        top.done()
        status = outer.enumerated("response_status")
        if status not in STATUSES:
            raise outer.error(f"no OCSPResponseStatus {status}", "response_status", rfc="RFC 6960 4.2.1")
        if status:
            outer.done()
            raise outer.error(f"the responder says {STATUSES[status]}", "response_status", rfc="RFC 6960 2.3")
        wrapper = outer.enter(tags.explicit(0), "response_bytes")
        outer.done()
        body = wrapper.enter()
        wrapper.done()
        kind = body.oid("response_type")
        if kind != oids.OCSP_BASIC:
            raise body.error(f"response of type {oids.describe(kind)}", "response_type", rfc="RFC 6960 4.2.1")
        inner = body.within(*body.enter_octets("response"), "response")
        body.done()
        fields = read_basic(inner)
        inner.done()
        return cls(data, *fields)

    def spans(self) -> tuple[Span, ...]:
        """Spans that tile the response: each byte with its path, decoded value and RFC section."""
        from puretls.x509.certificates.explain import annotated  # checking never needs it

        return annotated(self.raw, OcspResponse.parse, "RFC 6960 4.2.1")

    def text(self) -> str:
        """The response in words, over many lines."""
        from puretls.x509.ocsp.text import ocsp_text

        return ocsp_text(self)
