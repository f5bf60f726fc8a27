"""Every byte of DER structures: the spans that parsing records, each with its value decoded and the section it is from."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.der.times import time_text
from puretls.errors import DecodeError
from puretls.spans import Span, mark_fault
from puretls.x509.certificates.extension_types import TYPES
from puretls.x509.certificates.extensions import KeyUsage
from puretls.x509.names.distinguished import escape
from puretls.x509.names.general import ip_text

_SECTIONS = {kind.name: kind.section for kind in TYPES.values()}
"""Of an extension's fields, by its name in paths."""
_INDEX = re.compile(r"\[\d+\]")


def annotated(data: bytes, parse: Callable[[bytes, list[Span]], object], rfc: str) -> tuple[Span, ...]:
    """Spans that `parse` records, with their values decoded; `rfc` is the section that the structure is from.

    As with the structs of TLS, the note of a span is a section: what a field is and why it is there are texts for people, which stand
    in `inspect.texts`. Where the data cannot be parsed, the last span holds the rest and says why.
    """
    sink: list[Span] = []
    fault: DecodeError | None = None
    try:
        parse(data, sink)
    except DecodeError as error:
        fault = error
    spans: list[Span] = []
    tag = ""
    for span in sink:
        if span.path.endswith(".tag"):
            tag = str(span.value)
        spans.append(span if span.fault else replace(span, value=_value(span, tag), note=_section(span.path) or rfc))
    end = spans[-1].end if spans else 0
    if fault is not None or end < len(data):
        mark_fault(spans, data, 0, len(data), fault.path if fault and fault.path else "rest", str(fault or "not parsed"))
    return tuple(spans)


def _section(path: str) -> str:
    """The section of the extension that a field is in; "" outside of those that are known."""
    return next((_SECTIONS[part] for part in _INDEX.sub("", path).split(".") if part in _SECTIONS), "")


def _value(span: Span, tag: str) -> object:
    """What the content under this tag means; tags and lengths as they were recorded."""
    return span.value if span.path.endswith((".tag", ".length")) else _decoded(span, tag)


def _decoded(span: Span, tag: str) -> object:
    """The content of a leaf as a value for people; bytes where they have no better form."""
    content = span.value
    if not isinstance(content, bytes):
        return content
    decode = _BY_TAG.get(tag) or _BY_NAME.get(_INDEX.sub("", span.path.rpartition(".")[2]))
    try:
        return decode(content) if decode else content
    except (DecodeError, UnicodeDecodeError):
        return content


def _integer(content: bytes) -> int | str:
    """Small ones as numbers; large ones are labels or key material, in hexadecimal."""
    return int.from_bytes(content, signed=True) if len(content) <= 8 else content.hex()


def _time(content: bytes) -> str:
    tag = tags.UTC_TIME if len(content) == 13 else tags.GENERALIZED_TIME
    return time_text(Reader(bytes((tag, len(content))) + content).time())


def _text(codec: str) -> Callable[[bytes], str]:
    return lambda content: escape(content.decode(codec))


def _general_name(content: bytes) -> str | bytes:
    """A name under a context tag: text, or an address."""
    text = content.decode("ascii", "replace")
    if text.isascii() and text.isprintable():
        return escape(text)
    return ip_text(content) if len(content) in {4, 8, 16, 32} else content


def _key_usage(content: bytes) -> str:
    bits = Reader(bytes((tags.BIT_STRING, len(content))) + content).named_bits(padded=True)
    return str(KeyUsage(bits))


_BY_TAG: dict[str, Callable[[bytes], object]] = {
    "OBJECT IDENTIFIER": oids.describe,
    "INTEGER": _integer,
    "ENUMERATED": _integer,
    "BOOLEAN": lambda content: content != b"\x00",
    "UTCTime": _time,
    "GeneralizedTime": _time,
    "UTF8String": _text("utf-8"),
    "PrintableString": _text("ascii"),
    "NumericString": _text("ascii"),
    "IA5String": _text("ascii"),
    "VisibleString": _text("ascii"),
    "TeletexString": _text("latin-1"),
    "BMPString": _text("utf-16-be"),
}
_BY_NAME: dict[str, Callable[[bytes], object]] = {
    "key_usage": _key_usage,
    **dict.fromkeys(("subject_alt_name", "issuer_alt_name", "access_location", "full_name", "base"), _general_name),
    **dict.fromkeys(("require_explicit_policy", "inhibit_policy_mapping", "authority_cert_serial_number"), _integer),
}
"""For implicitly tagged values, whose tag does not tell the type."""
