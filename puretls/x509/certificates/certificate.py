"""Certificate: an X.509 certificate as a typed value (RFC 5280 4.1), with the bytes it came from."""

from __future__ import annotations

from functools import cached_property, lru_cache

from puretls.display import in_notebooks
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.values import extensible
from puretls.x509.certificates.fields import CertificateFields
from puretls.x509.certificates.reading import ROOT, read_sound

MAX_REMEMBERED = 2**14
"""Bytes of a certificate that is worth remembering once it is parsed."""


@extensible(eq=False)
class Certificate(CertificateFields):
    """An X.509 certificate: its fields (`CertificateFields`), and what each of its bytes means.

    What `parse` makes is sound: every field and known extension is strict DER. What `read` makes may have flaws, which it names; all that
    a handshake needs of a certificate, its key, is there all the same. Whether it can be *trusted* is for `verifier`; whether its key
    is of a kind known here shows in `public_key`.
    """

    @classmethod
    def parse(cls, data: bytes, sink: list[Span] | None = None) -> Certificate:
        """The certificate in `data`, which holds nothing else. Raises `DecodeError` for whatever is not strict DER of RFC 5280.

        With a `sink`, spans for every byte are appended to it.
        """
        return read_sound(cls, data, sink)

    @classmethod
    def read(cls, data: bytes, sink: list[Span] | None = None) -> Certificate:
        """As `parse`, but it also reads a certificate that is not strict DER, as far as it can be read, if its key can be found.

        `malformed` and `lapses` then say what is wrong. Raises `DecodeError` where not even the key is where it belongs.
        """
        try:
            return cls.parse(data) if sink is None else cls.parse(data, sink)
        except DecodeError as strict:
            from puretls.x509.certificates.flawed import read_flawed  # few certificates are

            if sink is not None:
                sink.clear()
            try:
                return read_flawed(cls, data, sink)
            except DecodeError:
                raise strict from None

    def __repr__(self) -> str:
        return CertificateFields.__repr__(self)

    _repr_html_ = in_notebooks

    def spans(self) -> tuple[Span, ...]:
        """Spans that tile the certificate: each byte with its path, decoded value, meaning and RFC section."""
        return self._spans

    @cached_property
    def _spans(self) -> tuple[Span, ...]:
        return annotate(self.raw)

    def locate(self, path: str) -> tuple[int, int] | None:
        """Start and end in `raw` of the field `path` below `Certificate` ("tbs_certificate.validity"), tag and length included.

        Of a field inside of what cannot be read, that of the whole.
        """
        wanted = f"{ROOT}.{path}"
        while wanted != ROOT:
            inside = [s for s in self._recorded if s.path == wanted or s.path.startswith((wanted + ".", wanted + "["))]
            if inside or self.is_sound:
                return (inside[0].start, inside[-1].end) if inside else None
            wanted = wanted[: max(wanted.rfind("."), wanted.rfind("["))]
        return None

    @cached_property
    def _recorded(self) -> tuple[Span, ...]:
        """As `spans`, without the explanations, which cost more than all the rest."""
        sink: list[Span] = []
        Certificate.read(self.raw, sink)
        return tuple(sink)

    def text(self) -> str:
        """The certificate in words, over many lines."""
        from puretls.x509.certificates.text import certificate_text

        return certificate_text(self)


@lru_cache(maxsize=256)
def remembered(data: bytes) -> Certificate:
    """`Certificate.read`; the same certificates are met again and again, and frozen ones can be shared."""
    return Certificate.read(data)


def parse_remembered(data: bytes) -> Certificate:
    """`Certificate.read`, remembered unless it is larger than real ones: huge ones must not fill the memory.

    Raises `DecodeError`.
    """
    return remembered(data) if len(data) <= MAX_REMEMBERED else Certificate.read(data)


def annotate(data: bytes) -> tuple[Span, ...]:
    """Spans that tile a certificate. Where it cannot be parsed, the last span holds the rest and says why."""
    from puretls.x509.certificates import explain  # a handshake never needs it

    return explain.annotated(data, Certificate.parse, "RFC 5280 4.1")
