"""Tags of ASN.1 as one byte: the class, whether the value is constructed, and the number (X.690 8.1.2)."""

from __future__ import annotations

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER, ENUMERATED = 1, 2, 3, 4, 5, 6, 10
UTF8_STRING, NUMERIC_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING = 12, 18, 19, 20, 22
UTC_TIME, GENERALIZED_TIME, VISIBLE_STRING, UNIVERSAL_STRING, BMP_STRING = 23, 24, 26, 28, 30
SEQUENCE, SET = 0x30, 0x31


def context(number: int) -> int:
    """The tag of a primitive context-specific value `[number] IMPLICIT`."""
    return 0x80 | number


def explicit(number: int) -> int:
    """The tag of a constructed context-specific value: `[number] EXPLICIT`, or IMPLICIT around a constructed type."""
    return 0xA0 | number


TAG_NAMES = {
    BOOLEAN: "BOOLEAN", INTEGER: "INTEGER", BIT_STRING: "BIT STRING", OCTET_STRING: "OCTET STRING", NULL: "NULL",
    OBJECT_IDENTIFIER: "OBJECT IDENTIFIER", ENUMERATED: "ENUMERATED", UTF8_STRING: "UTF8String", NUMERIC_STRING: "NumericString",
    PRINTABLE_STRING: "PrintableString", TELETEX_STRING: "TeletexString", IA5_STRING: "IA5String", UTC_TIME: "UTCTime",
    GENERALIZED_TIME: "GeneralizedTime", VISIBLE_STRING: "VisibleString", UNIVERSAL_STRING: "UniversalString",
    BMP_STRING: "BMPString", SEQUENCE: "SEQUENCE", SET: "SET",
}  # fmt: skip


def tag_name(tag: int) -> str:
    """A tag as ASN.1 writes it: "INTEGER", "[0]", "tag 0x5f"; "end of data" for -1."""
    if tag < 0:
        return "end of data"
    if tag & 0xC0 == 0x80:
        return f"[{tag & 0x1F}]"
    return TAG_NAMES.get(tag, f"tag 0x{tag:02x}")
