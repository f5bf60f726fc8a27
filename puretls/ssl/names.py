"""Distinguished names as OpenSSL shows them, compares them and finds files by them."""

from __future__ import annotations

import hashlib

from puretls.der import oids, tags, writer
from puretls.der.cursor import read_header
from puretls.ssl import objects
from puretls.x509.names.distinguished import Attribute, Name

DistinguishedName = tuple[tuple[tuple[str, str | bytes], ...], ...]

_LATIN = (tags.NUMERIC_STRING, tags.PRINTABLE_STRING, tags.TELETEX_STRING, tags.IA5_STRING, tags.VISIBLE_STRING)
_CODECS = {
    tags.UTF8_STRING: "utf-8", tags.BMP_STRING: "utf-16-be", tags.UNIVERSAL_STRING: "utf-32-be", **dict.fromkeys(_LATIN, "latin-1"),
}  # fmt: skip
"""Of strings of one byte a character, OpenSSL takes each byte for one of Latin-1, whatever the type allows."""


def as_tuples(name: Name) -> DistinguishedName:
    """The form of `getpeercert()`: relative names of pairs, the long name of a type and its value."""
    return tuple(tuple((object_name(attribute.type), _shown(attribute)) for attribute in rdn) for rdn in name.rdns)


def object_name(identifier: bytes) -> str:
    """The long name of an identifier, or its dotted text (OBJ_obj2txt)."""
    text = oids.dotted(identifier)
    known = objects.by_oid().get(text)
    return known.long_name if known else text


def _shown(attribute: Attribute) -> str | bytes:
    """ASN1_STRING_to_UTF8; a BIT STRING is given as bytes, and what is no string as RFC 4514 2.4 has it."""
    text = _text(attribute)
    if text is not None:
        return text
    return _content(attribute)[1:] if attribute.tag == tags.BIT_STRING else "#" + _der(attribute).hex()


def _text(attribute: Attribute) -> str | None:
    """The value as text, None for what is no string."""
    if isinstance(attribute.value, str):
        return attribute.value
    return _content(attribute).decode("latin-1") if attribute.tag in _LATIN else None


def _content(attribute: Attribute) -> bytes:
    der = _der(attribute)
    return der[read_header(der, 0, len(der))[1] :]


def _der(attribute: Attribute) -> bytes:
    value = attribute.value
    return value if isinstance(value, bytes) else writer.tlv(attribute.tag, value.encode(_CODECS[attribute.tag]))


# Hashes


def name_hash(name: Name) -> int:
    """32 bits, as `openssl x509 -subject_hash` prints them in hexadecimal: what the files of a hashed directory are called by.

    SHA-1 of the name in its canonical form, of which the first four bytes count (X509_NAME_hash_ex). It finds files; nothing is trusted
    for it.
    """
    return int.from_bytes(hashlib.sha1(canonical(name), usedforsecurity=False).digest()[:4], "little")


def canonical(name: Name) -> bytes:
    """The relative names one after the other; text in UTF-8, in lower case, with single spaces between words (x509_name_canon)."""
    return b"".join(writer.set_of(*map(_canonical_attribute, rdn)) for rdn in name.rdns)


def _canonical_attribute(attribute: Attribute) -> bytes:
    text = _text(attribute) if attribute.tag != tags.NUMERIC_STRING else None
    value = _der(attribute) if text is None else writer.tlv(tags.UTF8_STRING, b" ".join(text.encode().lower().split()))
    return writer.sequence(writer.oid(attribute.type), value)


# Text


def rfc2253(name: Name) -> str:
    """A name in one line of ASCII, the most specific first (X509_NAME_print_ex with XN_FLAG_RFC2253)."""
    return ",".join("+".join(map(_rfc2253_attribute, reversed(rdn))) for rdn in reversed(name.rdns))


def _rfc2253_attribute(attribute: Attribute) -> str:
    identifier = oids.dotted(attribute.type)
    known, text = objects.by_oid().get(identifier), _text(attribute)
    if known is None or text is None:
        return f"{known.short_name if known else identifier}=#{_der(attribute).hex().upper()}"
    return f"{known.short_name}={_escaped(text)}"


def _escaped(text: str) -> str:
    """RFC 2253 2.4; what is not printable ASCII as a backslash and two digits for each byte of its UTF-8."""
    shown = "".join(map(_escaped_byte, text.encode()))
    if shown[:1] in ("#", " "):
        shown = "\\" + shown
    return shown[:-1] + "\\ " if shown.endswith(" ") and len(text) > 1 else shown


def _escaped_byte(byte: int) -> str:
    if byte in b',+"\\<>;':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:02X}"
