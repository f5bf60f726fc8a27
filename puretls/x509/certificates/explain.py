"""Every byte of a certificate in words: the spans that parsing records, each with its meaning and where that is specified."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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

NOTES: dict[str, tuple[str, str]] = {
    "Certificate": ("what is signed, how, and the signature", "RFC 5280 4.1"),
    "tbs_certificate": ("the part that the signature covers", "RFC 5280 4.1.2"),
    "version": ("2 means version 3, with extensions", "RFC 5280 4.1.2.1"),
    "serial_number": ("unique among the issuer's certificates", "RFC 5280 4.1.2.2"),
    "signature": ("the signature algorithm once more, so that it is signed too", "RFC 5280 4.1.2.3"),
    "issuer": ("who signed", "RFC 5280 4.1.2.4"),
    "validity": ("from when to when the issuer vouches for it", "RFC 5280 4.1.2.5"),
    "not_before": ("first second of validity", "RFC 5280 4.1.2.5"),
    "not_after": ("last second of validity", "RFC 5280 4.1.2.5"),
    "subject": ("whose key this is", "RFC 5280 4.1.2.6"),
    "subject_public_key_info": ("the key, and what kind it is", "RFC 5280 4.1.2.7"),
    "subject_public_key": ("the key itself", "RFC 5280 4.1.2.7"),
    "modulus": ("RSA modulus n", "RFC 8017 A.1.1"),
    "public_exponent": ("RSA exponent e", "RFC 8017 A.1.1"),
    "rsa_public_key": ("an RSA key", "RFC 8017 A.1.1"),
    "issuer_unique_id": ("tells apart issuers of the same name; obsolete", "RFC 5280 4.1.2.8"),
    "subject_unique_id": ("tells apart subjects of the same name; obsolete", "RFC 5280 4.1.2.8"),
    "extensions": ("the extensions of version 3", "RFC 5280 4.1.2.9"),
    "extn_id": ("which extension", "RFC 5280 4.2"),
    "critical": ("who does not understand it must refuse the certificate", "RFC 5280 4.2"),
    "extn_value": ("DER of the extension's value", "RFC 5280 4.2"),
    "signature_algorithm": ("how the issuer signed", "RFC 5280 4.1.1.2"),
    "signature_value": ("signature of tbs_certificate", "RFC 5280 4.1.1.3"),
    "algorithm": ("which algorithm", "RFC 5280 4.1.1.2"),
    "parameters": ("its parameters", "RFC 5280 4.1.1.2"),
    "named_curve": ("the elliptic curve, by name", "RFC 5480 2.1.1"),
    "type": ("which attribute", "RFC 5280 4.1.2.4"),
    "value": ("its value", "RFC 5280 4.1.2.4"),
    "ca": ("whether it may issue certificates", "RFC 5280 4.2.1.9"),
    "path_len_constraint": ("how many CAs may follow below it", "RFC 5280 4.2.1.9"),
    "permitted_subtrees": ("only names within these", "RFC 5280 4.2.1.10"),
    "excluded_subtrees": ("no names within these", "RFC 5280 4.2.1.10"),
    "base": ("a name, standing for all below it", "RFC 5280 4.2.1.10"),
    "key_identifier": ("names the authority's key among several", "RFC 5280 4.2.1.1"),
    "authority_cert_issuer": ("the issuer of the authority's certificate", "RFC 5280 4.2.1.1"),
    "authority_cert_serial_number": ("the serial number of the authority's certificate", "RFC 5280 4.2.1.1"),
    "policy_identifier": ("a policy under which it was issued", "RFC 5280 4.2.1.4"),
    "policy_qualifiers": ("where the policy is written", "RFC 5280 4.2.1.4"),
    "policy_qualifier_id": ("which kind of pointer", "RFC 5280 4.2.1.4"),
    "qualifier": ("a URI, or a notice", "RFC 5280 4.2.1.4"),
    "issuer_domain_policy": ("a policy of the issuer", "RFC 5280 4.2.1.5"),
    "subject_domain_policy": ("what the subject calls the same", "RFC 5280 4.2.1.5"),
    "require_explicit_policy": ("after how many certificates a policy is required", "RFC 5280 4.2.1.11"),
    "inhibit_policy_mapping": ("after how many certificates mapping ends", "RFC 5280 4.2.1.11"),
    "skip_certs": ("after how many certificates anyPolicy counts no more", "RFC 5280 4.2.1.14"),
    "distribution_point": ("where the CRL is", "RFC 5280 4.2.1.13"),
    "full_name": ("names of one place", "RFC 5280 4.2.1.13"),
    "reasons": ("for which reasons of revocation", "RFC 5280 4.2.1.13"),
    "crl_issuer": ("who signs the CRL, if not the issuer", "RFC 5280 4.2.1.13"),
    "access_method": ("what is there", "RFC 5280 4.2.2.1"),
    "access_location": ("where", "RFC 5280 4.2.2.1"),
    "directory_name": ("a distinguished name", "RFC 5280 4.2.1.6"),
    "type_id": ("what kind of name", "RFC 5280 4.2.1.6"),
    "sct_list": ("promises of certificate transparency logs", "RFC 6962 3.3"),
}
"""Last component of a path -> meaning and section. Extensions have their section in `extensions.TYPES`."""

_SECTIONS = {kind.name: kind.section for kind in TYPES.values()}
_INDEX = re.compile(r"\[\d+\]")


def annotated(
    data: bytes, parse: Callable[[bytes, list[Span]], object], notes: Mapping[str, tuple[str, str]]
) -> tuple[Span, ...]:  # fmt: skip
    """Spans that `parse` records, with `notes`; CRLs and OCSP responses are explained by the same function."""
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
        spans.append(_explained(span, tag, notes))
    end = spans[-1].end if spans else 0
    if fault is not None or end < len(data):
        mark_fault(spans, data, 0, len(data), fault.path if fault and fault.path else "rest", str(fault or "not parsed"))
    return tuple(spans)


def _explained(span: Span, tag: str, notes: Mapping[str, tuple[str, str]]) -> Span:
    """A recorded span with its value decoded, by the `tag` before it, and its note written."""
    if span.fault:
        return span
    path, _, last = span.path.rpartition(".")
    if last not in {"tag", "length"}:
        meaning, section = _meaning(span.path, notes)
        return replace(span, value=_decoded(span, tag), note=(meaning or _component(span.path)) + section)
    meaning, section = _meaning(path, notes)
    what = f"{last} of {_component(path)}: {span.value}"
    if last == "length":
        return replace(span, note=f"{what} byte{'' if span.value == 1 else 's'}{section}")
    return replace(span, note=what + (f"; {meaning}" if meaning else "") + section)


def _component(path: str) -> str:
    """The last component that has a name; "element 3 of subject_alt_name"."""
    above, _, last = path.rpartition(".")
    if last == "explicit":
        return f"explicit {_component(above)}"
    bare = _INDEX.sub("", last)
    index = _INDEX.findall(last)
    return f"element {index[-1][1:-1]} of {bare}" if index else bare or "value"


def _meaning(path: str, notes: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Meaning and section of a path; an element without a row of its own takes the section of what it is part of."""
    components = [_INDEX.sub("", c) for c in path.split(".")]
    last = components[-1]
    meaning = notes[last][0] if last in notes and not path.endswith("]") else ""
    for component in reversed(components):
        section = notes[component][1] if component in notes else _SECTIONS.get(component, "")
        if section:
            return meaning, f" ({section})"
    return meaning, ""


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
