"""CRLs as a person reads them, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from puretls.der import oids
from puretls.der.times import time_text
from puretls.text import counted, printable_lines
from puretls.x509.certificates.fields import Extension
from puretls.x509.certificates.text import extension_value, hex_text
from puretls.x509.crl.extensions import CRL_TYPES, CrlNumber, DeltaCrlIndicator, IssuingDistributionPoint
from puretls.x509.crl.fields import CrlFields, RevokedCertificate

MAX_ENTRIES = 50
"""Entries of a CRL that are listed."""


def crl_text(crl: CrlFields) -> str:
    """A CRL in words."""
    return printable_lines(_crl_lines(crl))


def _crl_lines(crl: CrlFields) -> Iterator[str]:
    yield f"Certificate revocation list, version {crl.version}, {len(crl.raw)} bytes"
    yield f"  Issuer:       {crl.issuer}"
    yield f"  Made:         {time_text(crl.this_update)}"
    yield f"  Next due:     {'not said' if crl.next_update is None else time_text(crl.next_update)}"
    yield f"  Signature:    {crl.outer_signature}, {counted(len(crl.signature), 'byte')}"
    if crl.extensions:
        yield "  Extensions:"
    for extension in crl.extensions:
        yield from _extension_lines(extension)
    yield f"  Revoked:      {len(crl.entries) or 'no certificate'}"
    for entry in crl.entries[:MAX_ENTRIES]:
        yield f"    {_entry_text(entry, crl)}"
    if len(crl.entries) > MAX_ENTRIES:
        yield f"    and {len(crl.entries) - MAX_ENTRIES} more"


def _entry_text(entry: RevokedCertificate, crl: CrlFields) -> str:
    issuer = "" if entry.issuer == crl.issuer else f", issued by {entry.issuer}"
    return f"{hex_text(entry.serial_number)}{issuer}, on {time_text(entry.revocation_date)}: {entry.reason_text}"


def _extension_lines(extension: Extension) -> Iterator[str]:
    kind = CRL_TYPES.get(extension.oid)
    section = f" ({kind.section})" if kind else ""
    yield f"    {oids.describe(extension.oid)}{section}{', critical' if extension.critical else ''}"
    describe = _WORDS.get(type(extension.value))
    for line in describe(extension.value) if describe else extension_value(extension):
        yield f"      {line}"


def _scope(value: IssuingDistributionPoint) -> Iterator[str]:
    for name in (value.name.full_name or ())[:MAX_ENTRIES] if value.name else ():
        yield f"for the distribution point {name}"
    flags = {
        "for end-entity certificates only": value.only_user,
        "for CA certificates only": value.only_ca,
        "for attribute certificates only": value.only_attribute,
        "indirect: certificates of other issuers too": value.indirect,
    }
    yield from (text for text, on in flags.items() if on)
    if value.reasons is not None:
        yield f"for some reasons of revocation only: bits {', '.join(map(str, sorted(value.reasons)))} of ReasonFlags"


_WORDS: dict[type, Callable[[Any], Iterator[str]]] = {
    CrlNumber: lambda value: iter([hex_text(value.number)]),
    DeltaCrlIndicator: lambda value: iter([f"a delta: only what changed since the CRL {hex_text(value.base_number)}"]),
    IssuingDistributionPoint: _scope,
}
