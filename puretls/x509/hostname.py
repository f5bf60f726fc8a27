"""Whose certificate is it? Host names and IP addresses after RFC 9525: subjectAltName only, wildcards as a whole leftmost label.

The name to look for is turned into a `Reference` once; each presented name is then compared label by label, without regular
expressions and without any decoding that could be slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from puretls.errors import UsageError
from puretls.values import frozen
from puretls.x509.names.general import GeneralName, GeneralNameKind, ip_text

MAX_NAME, MAX_LABEL = 253, 63
"""RFC 1034 3.1, in text form without the final dot."""
_LDH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


MAX_TEXT = 1024
"""Characters of a name as a caller gives it: mapping it costs more than its length."""
_ZONE = re.compile(r"[!-$&-.0-Z^-~]{1,64}")


@frozen
class Reference:
    """The name a client wants to reach: the labels of a host in lower-case A-label form, or an address of 4 or 16 bytes.

    `str()` is what is verified, `host` what the connection is made for, `sni` what is sent: one string, but that an address is sent
    to nobody, and that the `zone` of an IPv6 address (RFC 4007 11) names a link of this machine and stands in no certificate.
    """

    labels: tuple[str, ...] = ()
    address: bytes = b""
    zone: str = ""

    def __str__(self) -> str:
        return ip_text(self.address) if self.address else ".".join(self.labels)

    @property
    def host(self) -> str:
        """The name or address with its zone: "fe80::1%eth0"."""
        return f"{self}%{self.zone}" if self.zone else str(self)

    @property
    def sni(self) -> str | None:
        """The name for server_name; None for an address (RFC 6066 3)."""
        return None if self.address else str(self)


@lru_cache(maxsize=256)
def parse_reference(text: str) -> Reference:
    """The reference for a host name or an address as a person gives it: "bücher.example", "192.0.2.1", "[2001:db8::1]", "fe80::1%eth0".

    One final dot is dropped; the name is mapped by `ascii_name`. Raises `UsageError` for what is neither name nor address.
    """
    host, percent, zone = _without_brackets(text).partition("%")
    name = ascii_name(host).removesuffix(".")
    address = parse_ip(name)
    if address:
        if percent and (len(address) == 4 or not _ZONE.fullmatch(zone)):
            raise UsageError(f"not an IPv6 address with a zone (RFC 4007 11): {text[:80]!r}")
        return Reference(address=address, zone=zone)
    fault = "'%' in a label" if percent else dns_fault(name, underscore=True)
    if fault:
        raise UsageError(f"not a host name ({fault}): {text[:80]!r}")
    return Reference(labels=tuple(name.split(".")))


def host_to_look_up(text: str) -> str:
    """What to give to the resolver for a host that a person wrote: mapped by `ascii_name`, without brackets, with zone and final dot.

    So the name that is resolved is the one that `parse_reference` verifies. Raises `UsageError` for what cannot be mapped, and for what
    `socket.getaddrinfo` takes for no name at all (an empty label, or one of more than 63 characters); the rest it will not find.
    """
    host, percent, zone = _without_brackets(text).partition("%")
    mapped = ascii_name(host) + percent + zone
    try:
        mapped.encode("idna")
    except UnicodeError as error:
        raise UsageError(f"not a host name: {text[:80]!r}") from error
    return mapped


def _without_brackets(text: str) -> str:
    return text[1:-1] if text[:1] == "[" and text[-1:] == "]" and ":" in text else text


def ascii_name(text: str) -> str:
    """A host name in lower-case ASCII: IDNA 2003 (RFC 3490 4.1, RFC 3491), which is what `socket.getaddrinfo` would do itself.

    Every use of a name begins here, so that no two can take it for different hosts. U+3002, U+FF0E and U+FF61 are dots; letters that
    IDNA 2008 treats in another way are mapped too ("ß" to "ss", joiners to nothing): who means another host gives its A-label.
    Raises `UsageError` for what has no such form.
    """
    if len(text) > MAX_TEXT:
        raise UsageError(f"a host name of {len(text)} characters")
    if text.isascii():
        return text.lower()
    try:
        return text.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise UsageError(f"not a host name (no form in IDNA; its A-label can be given instead): {text[:80]!r}") from error


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
