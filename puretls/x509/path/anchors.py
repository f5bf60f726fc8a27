"""Files of trust anchors: what is sound in them is used, and each block that is not is named by its number.

OpenSSL's TRUSTED CERTIFICATE is a certificate followed by X509_AUX, what it is trusted for; that is heeded.
"""

from __future__ import annotations

from collections.abc import Iterator

from puretls.der import tags
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.values import frozen
from puretls.x509.path.trust import Limits, TrustStore
from puretls.x509.pem import CERTIFICATE_LABELS, TRUSTED_LABEL, PemBlock, looks_like_der, scan_pem


@frozen
class Anchor:
    """One certificate of a file: `label` for people, DER, what it is trusted for."""

    label: str
    certificate: bytes
    limits: Limits | None = None


def scan_anchors(data: str | bytes) -> Iterator[Anchor | DecodeError]:
    """The certificates in PEM text, or in DER of one, and an error for each block that cannot be read. Other blocks are passed over.

    Raises `DecodeError` for text in UTF-16 or UTF-32.
    """
    if looks_like_der(data):
        assert isinstance(data, bytes)
        yield Anchor("certificate", data)
        return
    for block in scan_pem(data):
        if isinstance(block, DecodeError):
            yield block
        elif block.label in CERTIFICATE_LABELS:
            yield Anchor(f"block {block.number} ({block.label})", block.data)
        elif block.label == TRUSTED_LABEL:
            yield _trusted(block)


def _trusted(block: PemBlock) -> Anchor | DecodeError:
    label = f"block {block.number} ({block.label})"
    try:
        reader = Reader(block.data, name="X509_AUX")
        certificate = reader.raw("certificate", tags.SEQUENCE)
        limits = _limits(reader) if reader.more else None
        reader.done()
    except DecodeError as bad:
        return DecodeError(f"{label}: {bad}", path="PEM", offset=block.offset)
    return Anchor(label, certificate, limits)


def _limits(reader: Reader) -> Limits:
    """X509_AUX ::= SEQUENCE { trust SEQUENCE OF OID OPTIONAL, reject [0] OPTIONAL, alias, keyid, other [1], all optional }."""
    aux = reader.enter(name="aux")
    trusted = frozenset(aux.list_of(Reader.oid, "trust", empty=True)) if aux.peek() == tags.SEQUENCE else None
    tag = tags.explicit(0)
    rejected = frozenset(aux.list_of(Reader.oid, "reject", tag, empty=True)) if aux.peek() == tag else frozenset()
    while aux.more:
        aux.skip("other")
    return Limits(trusted, rejected)


def read_anchors(data: str | bytes, origin: str = "") -> TrustStore:
    """The anchors in a file. `TrustStore.faults` names what is not used, with `origin` before it.

    Raises `DecodeError` where nothing can be used, for the first reason.
    """
    store = TrustStore()
    store.take(scan_anchors(data), origin)
    if not len(store):
        raise DecodeError(store.faults[0] if store.faults else "no certificate in the PEM text", path="PEM", rfc="RFC 7468 5")
    return store
