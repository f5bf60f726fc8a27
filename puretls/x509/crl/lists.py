"""Certificate revocation lists as typed values (RFC 5280 5). What they mean for a certificate is for `revocation`."""

from __future__ import annotations

from dataclasses import dataclass

from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.x509.crl.fields import CrlFields
from puretls.x509.crl.reading import TBS, read_tbs
from puretls.x509.keys.algorithms import read_signed

ROOT = "CertificateList"
MAX_CRL = 1 << 26
"""Bytes of one CRL; the largest of public authorities have some 10 MB."""


@dataclass(frozen=True, eq=False, repr=False)
class Crl(CrlFields):
    """A CRL. `parse` makes one; whether it is genuine and current is for `revocation`."""

    @classmethod
    def parse(cls, data: bytes, sink: list[Span] | None = None) -> Crl:
        """The CRL in `data`, which holds nothing else. Raises `DecodeError` for whatever is not strict DER of RFC 5280 5.1.

        With a `sink`, spans for every byte are appended to it.
        """
        if len(data) > MAX_CRL:
            raise DecodeError(f"CRL of {len(data)} bytes, more than {MAX_CRL}", path=ROOT)
        top = Reader(data, name=ROOT, sink=sink)
        body = top.enter()
        top.done()
        tbs, fields, outer = read_signed(body, TBS, read_tbs)
        if outer.raw != fields[1].raw:
            raise body.error("two different signature algorithms", "signature_algorithm", rfc="RFC 5280 5.1.1.2")
        signature = body.bit_octets("signature_value")
        body.done()
        return cls(data, tbs, *fields, outer, signature)

    def spans(self) -> tuple[Span, ...]:
        """Spans that tile the CRL: each byte with its path, decoded value and RFC section."""
        from puretls.x509.certificates.explain import annotated  # checking never needs it

        return annotated(self.raw, Crl.parse, "RFC 5280 5.1")

    def text(self) -> str:
        """The CRL in words, over many lines."""
        from puretls.x509.crl.text import crl_text

        return crl_text(self)
