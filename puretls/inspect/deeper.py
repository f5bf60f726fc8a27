"""The fields of a message down to the last tag of DER: certificates, stapled OCSP responses, names of authorities, ECDSA signatures."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum

from puretls.certificate_spans import deepened
from puretls.der.reader import Reader
from puretls.key_exchange import KeyExchange
from puretls.messages.handshake import HEADER_LENGTH, HandshakeHeader
from puretls.messages.registry import annotate_content
from puretls.spans import Span
from puretls.wire.schema import annotate
from puretls.x509.certificates import explain
from puretls.x509.names.distinguished import read_name

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def spans_of(content_type: int, raw: bytes, key_exchange: KeyExchange | None) -> list[Span]:
    """Spans that tile what a record of this type carries, whatever its bytes, as deep as anything is known about them."""
    made: list[Span] = []
    scheme: object = None
    for span in deepened(annotate_content(content_type, raw, key_exchange), raw):
        if span.path.endswith(".algorithm"):
            scheme = span.value
        below = _below(span, raw[span.start : span.end], scheme)
        made += below if below else (span,)
    return made


def opaque_spans(raw: bytes, name: str) -> list[Span]:
    """Spans of a handshake message whose body is not looked into."""
    header = annotate(HandshakeHeader, raw, 0, min(len(raw), HEADER_LENGTH), name)
    return [*header, Span(HEADER_LENGTH, len(raw), f"{name}.body", raw[HEADER_LENGTH:])]


def _below(span: Span, der: bytes, scheme: object) -> list[Span]:
    """The spans of the DER in a field that holds some; none where it holds none."""
    if span.fault or not der:
        return []
    for pattern, explained in _HOLDERS:
        if re.fullmatch(pattern, span.path):
            return _prefixed(span, explained(der))
    is_ecdsa = isinstance(scheme, IntEnum) and scheme.name.startswith("ECDSA")
    if is_ecdsa and re.fullmatch(r"(ServerKeyExchange\.signed|CertificateVerify)\.signature", span.path):
        return _prefixed(span, explain.annotated(der, _ecdsa, "RFC 3279 2.2.3"))
    return []


def _prefixed(span: Span, inner: tuple[Span, ...] | list[Span]) -> list[Span]:
    return [replace(below.shifted(span.start), path=f"{span.path}.{snake_case(below.path)}") for below in inner]


def snake_case(path: str) -> str:
    """A path whose components are all written as the fields of the grammar are: "OCSPResponse.x" is "ocsp_response.x"."""
    return _WORDS.sub("_", path).lower()


def _ocsp(der: bytes) -> tuple[Span, ...]:
    from puretls.x509.ocsp import OcspResponse

    return explain.annotated(der, OcspResponse.parse, "RFC 6960 4.2.1")


def _name(der: bytes) -> tuple[Span, ...]:
    def parse(data: bytes, sink: list[Span]) -> None:
        reader = Reader(data, sink=sink)
        reader.lapses = []
        read_name(reader, "name")
        reader.done()

    return explain.annotated(der, parse, "RFC 5280 4.1.2.4")


def _ecdsa(data: bytes, sink: list[Span]) -> None:
    """Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 2.2.3)."""
    outer = Reader(data, sink=sink)
    value = outer.enter(name="ecdsa_sig_value")
    outer.done()
    value.integer("r")
    value.integer("s")
    value.done()


_HOLDERS: tuple[tuple[str, Callable[[bytes], tuple[Span, ...]]], ...] = (
    (r"CertificateStatus\.response", _ocsp),
    (r"CertificateRequest\.certificate_authorities\[\d+\]", _name),
)
"""Fields that hold DER, and what explains it."""
