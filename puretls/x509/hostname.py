"""Whose certificate is it? Host names and IP addresses after RFC 9525: subjectAltName only, wildcards as a whole leftmost label.

The name to look for is turned into a `Reference` once; each presented name is then compared label by label, without regular
expressions and without any decoding that could be slow.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from puretls.errors import UsageError
from puretls.values import frozen
from puretls.x509.names import GeneralName, GeneralNameKind, ip_text

MAX_NAME, MAX_LABEL = 253, 63
"""RFC 1034 3.1, in text form without the final dot."""
_LDH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


@frozen
class Reference:
    """The name a client wants to reach: the labels of a host in lower-case A-label form, or an address of 4 or 16 bytes."""

    labels: tuple[str, ...] = ()
    address: bytes = b""

    def __str__(self) -> str:
        return ip_text(self.address) if self.address else ".".join(self.labels)


@lru_cache(maxsize=256)
def parse_reference(text: str) -> Reference:
    """The reference for a host name or an address as a person or a URL gives it: "bücher.example", "192.0.2.1", "[2001:db8::1]".

    One final dot is dropped; U-labels become A-labels. Raises `UsageError` for what is neither name nor address.
    """
    if len(text) > 1024:
        raise UsageError(f"a server name of {len(text)} characters")
    address = parse_ip(text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text)
    if address:
        return Reference(address=address)
    labels = tuple(_a_label(label) for label in text.removesuffix(".").split("."))
    fault = dns_fault(".".join(labels), underscore=True)
    if fault:
        raise UsageError(f"not a host name ({fault}): {text[:80]!r}")
    return Reference(labels=labels)


def _a_label(label: str) -> str:
    if label.isascii():
        return label.lower()
    if len(label) > MAX_LABEL:  # punycode is quadratic
        raise UsageError(f"a label of {len(label)} characters in the server name")
    return "xn--" + unicodedata.normalize("NFKC", label.lower()).encode("punycode").decode()


def parse_ip(text: str) -> bytes:
    """4 or 16 bytes of an address in text form; empty for anything else. Zone identifiers (RFC 6874) name no certificate."""
    if not text.isascii() or len(text) > 45:
        return b""
    parts = text.split(".")
    if len(parts) == 4 and all(p.isdigit() and len(p) <= 3 and (p == "0" or p[0] != "0") and int(p) < 256 for p in parts):
        return bytes(int(p) for p in parts)
    if ":" not in text or "%" in text:
        return b""
    from ipaddress import AddressValueError, IPv6Address

    try:
        return IPv6Address(text).packed
    except AddressValueError:
        return b""


def dns_fault(name: str, *, wildcard: bool = False, underscore: bool = False) -> str:
    """What keeps `name` from being a host name in preferred syntax (RFC 1034 3.5, RFC 1123 2.1); empty if nothing does.

    `wildcard` allows "*" as the whole first label; `underscore` what DNS allows beyond host names and deployed certificates use.
    """
    if not name or len(name) > MAX_NAME:
        return f"{len(name)} characters"
    labels = name.lower().split(".")
    if wildcard and labels[0] == "*" and len(labels) > 1:
        del labels[0]
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL:
            return "an empty label" if not label else "a label of more than 63 characters"
        if not (label.isascii() and label.replace("-", "").isalnum()):  # else there is no need to look at each character
            odd = set(label) - _LDH
            if odd - {"_"} or (odd and not underscore):
                return f"{min(odd)!r} in a label"
        if label[0] == "-" or label[-1] == "-":
            return "a label that begins or ends with a hyphen"
    return ""


def matches(reference: Reference, name: GeneralName) -> bool:
    """Whether one presented name covers the reference (RFC 9525 6.3, 6.4)."""
    value = name.value
    if reference.address:
        return name.kind is GeneralNameKind.IP and value == reference.address
    if name.kind is not GeneralNameKind.DNS or not isinstance(value, str) or len(value) > MAX_NAME:
        return False
    presented = value.lower().split(".")
    wanted = reference.labels
    if len(presented) != len(wanted):
        return False
    if presented[0] != "*":
        return tuple(presented) == wanted
    # "*.com" would cover a whole registry: at least two labels must follow (RFC 9525 7.1)
    return len(presented) > 2 and tuple(presented[1:]) == wanted[1:]


def covered(reference: Reference, names: Iterable[GeneralName]) -> bool:
    """Whether any presented name covers the reference."""
    return any(matches(reference, name) for name in names)
