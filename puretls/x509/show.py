"""What is in a file: certificates, CRLs, OCSP responses, keys, PKCS#12; in words or byte by byte.

Private keys are described, never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from puretls.crypto.secret import Secret
from puretls.der import oids
from puretls.errors import DecodeError, UsageError
from puretls.spans import Span
from puretls.text import printable, printable_lines
from puretls.values import frozen
from puretls.x509.certificates import explain
from puretls.x509.certificates.certificate import Certificate, Extension
from puretls.x509.crl import CRL_TYPES, Crl, CrlNumber, DeltaCrlIndicator, IssuingDistributionPoint, RevokedCertificate
from puretls.x509.keys import key_name, parse_private_key, parse_public_key, parse_spki, spki_bytes
from puretls.x509.ocsp import OcspResponse
from puretls.x509.path.checks import time_text
from puretls.x509.pem import PemBlock, looks_like_der, read_pem
from puretls.x509.reports.text import certificate_text, extension_value, hex_text
from puretls.x509.revocation import Status

MAX_ENTRIES = 50
"""Entries of a CRL that are listed."""

CRL_NOTES = explain.NOTES | {
    "CertificateList": ("what is signed, how, and the signature", "RFC 5280 5.1"),
    "tbs_cert_list": ("the part that the signature covers", "RFC 5280 5.1.2"),
    "version": ("1 means version 2, with extensions", "RFC 5280 5.1.2.1"),
    "signature": ("the signature algorithm once more, so that it is signed too", "RFC 5280 5.1.2.2"),
    "issuer": ("who signed", "RFC 5280 5.1.2.3"),
    "this_update": ("when it was made", "RFC 5280 5.1.2.4"),
    "next_update": ("when there will be a newer one at the latest", "RFC 5280 5.1.2.5"),
    "revoked_certificates": ("the certificates that must not be used any more", "RFC 5280 5.1.2.6"),
    "user_certificate": ("the serial number of a revoked certificate", "RFC 5280 5.1.2.6"),
    "revocation_date": ("since when it is revoked", "RFC 5280 5.1.2.6"),
    "crl_entry_extensions": ("more about this entry", "RFC 5280 5.3"),
    "crl_extensions": ("more about the whole list", "RFC 5280 5.2"),
    "signature_algorithm": ("how the issuer signed", "RFC 5280 5.1.1.2"),
    "signature_value": ("signature of tbs_cert_list", "RFC 5280 5.1.1.3"),
    "crl_number": ("grows with every CRL of this issuer", "RFC 5280 5.2.3"),
    "delta_crl_indicator": ("only what changed since the CRL of this number", "RFC 5280 5.2.4"),
    "issuing_distribution_point": ("what this CRL covers", "RFC 5280 5.2.5"),
    "only_contains_user_certs": ("covers no CAs", "RFC 5280 5.2.5"),
    "only_contains_ca_certs": ("covers CAs alone", "RFC 5280 5.2.5"),
    "only_some_reasons": ("covers only these reasons of revocation", "RFC 5280 5.2.5"),
    "indirect_crl": ("covers certificates of other issuers too", "RFC 5280 5.2.5"),
    "crl_reason": ("why it was revoked", "RFC 5280 5.3.1"),
    "invalidity_date": ("since when the key was not to be trusted", "RFC 5280 5.3.2"),
    "certificate_issuer": ("who issued this certificate and those that follow", "RFC 5280 5.3.3"),
}
"""As `explain.NOTES`, for CRLs."""
OCSP_NOTES = explain.NOTES | {
    "OCSPResponse": ("status, and where that is successful the response", "RFC 6960 4.2.1"),
    "response_status": ("0 means successful", "RFC 6960 4.2.1"),
    "response_bytes": ("type and bytes of the response", "RFC 6960 4.2.1"),
    "response_type": ("which kind of response", "RFC 6960 4.2.1"),
    "response": ("DER of the response itself", "RFC 6960 4.2.1"),
    "BasicOCSPResponse": ("what is signed, how, the signature, certificates", "RFC 6960 4.2.1"),
    "tbs_response_data": ("the part that the signature covers", "RFC 6960 4.2.1"),
    "responder_id": ("who signed", "RFC 6960 4.2.1"),
    "by_name": ("its name", "RFC 6960 4.2.1"),
    "by_key": ("SHA-1 of its key", "RFC 6960 4.2.1"),
    "produced_at": ("when it was signed", "RFC 6960 2.4"),
    "responses": ("one for each certificate asked about", "RFC 6960 4.2.1"),
    "cert_id": ("which certificate this is about", "RFC 6960 4.1.1"),
    "hash_algorithm": ("how the two hashes that follow are made", "RFC 6960 4.1.1"),
    "issuer_name_hash": ("hash of the issuer's name", "RFC 6960 4.1.1"),
    "issuer_key_hash": ("hash of the issuer's key", "RFC 6960 4.1.1"),
    "serial_number": ("the certificate's serial number", "RFC 6960 4.1.1"),
    "cert_status": ("[0] good, [1] revoked, [2] unknown", "RFC 6960 4.2.1"),
    "revocation_time": ("since when it is revoked", "RFC 6960 4.2.1"),
    "revocation_reason": ("why it was revoked", "RFC 5280 5.3.1"),
    "this_update": ("when this was known to be right", "RFC 6960 2.4"),
    "next_update": ("when newer information will be available", "RFC 6960 2.4"),
    "single_extensions": ("more about this certificate's status", "RFC 6960 4.4"),
    "response_extensions": ("more about the whole response", "RFC 6960 4.4"),
    "nonce": ("copied from the request, against replay", "RFC 8954 2.1"),
    "signature_algorithm": ("how the responder signed", "RFC 6960 4.2.1"),
    "signature": ("signature of tbs_response_data", "RFC 6960 4.2.1"),
    "certs": ("certificates that help to verify the signature", "RFC 6960 4.2.1"),
}
"""As `explain.NOTES`, for OCSP responses."""
KEY_NOTES = explain.NOTES | {
    "SubjectPublicKeyInfo": ("a public key, and what kind it is", "RFC 5280 4.1.2.7"),
    "PrivateKeyInfo": ("a private key, and what kind it is", "RFC 5958 2"),
    "version": ("of the format", "RFC 5958 2"),
    "private_key": ("the private key itself", "RFC 5958 2"),
    "RSAPrivateKey": ("the numbers of an RSA key", "RFC 8017 A.1.2"),
    "private_exponent": ("RSA private exponent d", "RFC 8017 A.1.2"),
    "prime1": ("p, a factor of n", "RFC 8017 A.1.2"),
    "prime2": ("q, the other factor", "RFC 8017 A.1.2"),
    "exponent1": ("d mod (p - 1)", "RFC 8017 A.1.2"),
    "exponent2": ("d mod (q - 1)", "RFC 8017 A.1.2"),
    "coefficient": ("the inverse of q mod p", "RFC 8017 A.1.2"),
    "ECPrivateKey": ("an elliptic curve key", "RFC 5915 3"),
    "CurvePrivateKey": ("the seed of an Edwards key", "RFC 8410 7"),
    "public_key": ("the public key that belongs to it", "RFC 5958 2"),
    "EncryptedPrivateKeyInfo": ("a private key behind a password", "RFC 5958 3"),
    "encryption_algorithm": ("how the key follows from the password, and the cipher", "RFC 8018 6.2"),
    "key_derivation_function": ("how the key follows from the password", "RFC 8018 5.2"),
    "salt": ("makes equal passwords give different keys", "RFC 8018 4.1"),
    "iteration_count": ("how often the hash is repeated, to slow guessing down", "RFC 8018 4.2"),
    "encryption_scheme": ("the cipher", "RFC 8018 6.2"),
    "encrypted_data": ("the private key, encrypted", "RFC 5958 3"),
}
"""As `explain.NOTES`, for keys."""
PKCS12_NOTES = KEY_NOTES | {
    "PFX": ("keys and certificates behind a password", "RFC 7292 4"),
    "version": ("of the format", "RFC 7292 4"),
    "auth_safe": ("the content that the MAC covers", "RFC 7292 4"),
    "content_type": ("in the clear or encrypted", "RFC 7292 4.1"),
    "content": ("the content itself", "RFC 5652 3"),
    "AuthenticatedSafe": ("a list of contents, each in the clear or encrypted", "RFC 7292 4.1"),
    "ContentInfo": ("one content", "RFC 5652 3"),
    "SafeContents": ("a list of bags", "RFC 7292 4.2"),
    "SafeBag": ("a bag: a key, a certificate or a CRL, with attributes", "RFC 7292 4.2"),
    "bag_id": ("what is in the bag", "RFC 7292 4.2"),
    "bag_value": ("the content of the bag", "RFC 7292 4.2"),
    "bag_attributes": ("name and identifier of the bag", "RFC 7292 4.2"),
    "EncryptedData": ("encrypted under a key from the password", "RFC 5652 8"),
    "encrypted_content": ("bags, encrypted", "RFC 5652 6.1"),
    "content_encryption_algorithm": ("how the key follows from the password, and the cipher", "RFC 8018 6.2"),
    "mac_data": ("tells whether password and content are right", "RFC 7292 4"),
    "mac_salt": ("makes equal passwords give different keys", "RFC 7292 4"),
    "iterations": ("how often the hash is repeated, to slow guessing down", "RFC 7292 4"),
    "digest": ("the MAC", "RFC 7292 4"),
}
"""As `explain.NOTES`, for PKCS#12."""
SECRETS = frozenset(
    {
        "private_key",
        "private_exponent",
        "prime1",
        "prime2",
        "exponent1",
        "exponent2",
        "coefficient",
        "CurvePrivateKey",
        "attributes",
    }
)
"""Fields of which byte tables show no byte."""


@frozen
class Kind:
    """One kind of thing that can be shown: how it is parsed, how it reads, how its bytes are explained (None: they are not)."""

    name: str
    labels: tuple[str, ...]
    parse: Callable[..., Any]
    text: Callable[[Any], str]
    notes: dict[str, tuple[str, str]] | None = None
    secret: bool = False
    """Takes a password, and holds what must not be shown."""


def show(data: bytes, password: str | None = None, *, every_byte: bool = False) -> str:
    """Everything in `data`, PEM or DER, over many lines.

    Raises `DecodeError` for what cannot be understood and, where a password is needed, `UsageError`. With `every_byte`, bytes that
    cannot be parsed are shown with the fault instead.
    """
    if looks_like_der(data):
        return _shown(data, _kind_of(data, password), password, every_byte=every_byte)
    blocks = read_pem(data)
    if not blocks:
        raise DecodeError("neither DER nor PEM", path="file")
    return "\n\n".join(_shown_block(block, password, every_byte=every_byte) for block in blocks)


def _shown_block(block: PemBlock, password: str | None, *, every_byte: bool) -> str:
    kind = next((kind for kind in KINDS if block.label in kind.labels), None)
    if kind is None:
        return f"{printable(block.label)}: {len(block.data)} bytes of a kind that is not known here"
    if block.header("DEK-Info") is None:
        return _shown(block.data, kind, password, every_byte=every_byte)
    from puretls.crypto.provider import default
    from puretls.x509.pkcs8 import open_traditional

    return _shown(open_traditional(block, password, default()), kind, None, every_byte=every_byte)


def _kind_of(der: bytes, password: str | None) -> Kind:
    """The kind whose parser accepts the bytes, or which gets furthest."""
    furthest, best = -1, KINDS[0]
    for kind in KINDS:
        try:
            _parse(kind, der, password)
        except DecodeError as bad:
            if bad.offset > furthest:
                furthest, best = bad.offset, kind
        except UsageError:  # a password is missing or wrong: then it is this kind
            return kind
        else:
            return kind
    return best


def _parse(kind: Kind, der: bytes, password: str | None) -> Any:
    return kind.parse(der, password) if kind.secret else kind.parse(der)


def _shown(der: bytes, kind: Kind, password: str | None, *, every_byte: bool) -> str:
    if not every_byte or kind.notes is None:
        return kind.text(_parse(kind, der, password))

    def parse(data: bytes, sink: list[Span]) -> object:
        return kind.parse(data, password, sink=sink) if kind.secret else kind.parse(data, sink)

    spans = explain.annotated(der, parse, kind.notes)
    if kind.secret:
        spans = tuple(map(redacted, spans))
    return printable_lines([f"{kind.name}, {len(der)} bytes", *byte_lines(der, spans)])


def redacted(span: Span) -> Span:
    """The span without its value where that is part of a private key; what follows a fault may be one as well."""
    secret = span.path.rpartition(".")[2].partition("[")[0] in SECRETS
    return replace(span, value=Secret(b"\0" * (span.end - span.start))) if secret or span.fault else span


def byte_lines(data: bytes, spans: tuple[Span, ...]) -> Iterator[str]:
    """A line for each span: offset, first bytes, path, value, meaning."""
    for span in spans:
        if span.start == span.end:
            continue
        if isinstance(span.value, Secret):
            shown, value = "(secret)", ""
        else:
            shown = data[span.start : min(span.end, span.start + 8)].hex(" ") + (" .." if span.end - span.start > 8 else "")
            value = (
                f" = {span.value}" if not isinstance(span.value, bytes) and not span.path.endswith((".tag", ".length")) else ""
            )
        fault = "FAULT: " if span.fault else ""
        yield f"{span.start:6}  {shown:<26}  {span.path}{value}  {fault}{span.note}"


# In words


def crl_text(crl: Crl) -> str:
    """A CRL in words."""
    return printable_lines(_crl_lines(crl))


def _crl_lines(crl: Crl) -> Iterator[str]:
    yield f"Certificate revocation list, version {crl.version}, {len(crl.raw)} bytes"
    yield f"  Issuer:       {crl.issuer}"
    yield f"  Made:         {time_text(crl.this_update)}"
    yield f"  Next due:     {'not said' if crl.next_update is None else time_text(crl.next_update)}"
    yield f"  Signature:    {crl.outer_signature}, {len(crl.signature)} bytes"
    if crl.extensions:
        yield "  Extensions:"
    for extension in crl.extensions:
        yield from _extension_lines(extension)
    yield f"  Revoked:      {len(crl.entries) or 'no certificate'}"
    for entry in crl.entries[:MAX_ENTRIES]:
        yield f"    {_entry_text(entry, crl)}"
    if len(crl.entries) > MAX_ENTRIES:
        yield f"    and {len(crl.entries) - MAX_ENTRIES} more"


def _entry_text(entry: RevokedCertificate, crl: Crl) -> str:
    issuer = "" if entry.issuer == crl.issuer else f", issued by {entry.issuer}"
    return f"{hex_text(entry.serial_number)}{issuer}, on {time_text(entry.revocation_date)}: {entry.reason_text}"


def _extension_lines(extension: Extension) -> Iterator[str]:
    kind = CRL_TYPES.get(extension.oid)
    section = f" ({kind.section})" if kind else ""
    yield f"    {oids.describe(extension.oid)}{section}{', critical' if extension.critical else ''}"
    describe = _CRL_WORDS.get(type(extension.value))
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


_CRL_WORDS: dict[type, Callable[[Any], Iterator[str]]] = {
    CrlNumber: lambda value: iter([hex_text(value.number)]),
    DeltaCrlIndicator: lambda value: iter([f"a delta: only what changed since the CRL {hex_text(value.base_number)}"]),
    IssuingDistributionPoint: _scope,
}


def ocsp_text(response: OcspResponse) -> str:
    """An OCSP response in words."""
    return printable_lines(_ocsp_lines(response))


def _ocsp_lines(response: OcspResponse) -> Iterator[str]:
    yield f"OCSP response, successful, {len(response.raw)} bytes"
    yield f"  Responder:    {response.responder_text}"
    yield f"  Signed:       {time_text(response.produced_at)}"
    yield f"  Signature:    {response.signature_algorithm}, {len(response.signature)} bytes"
    yield f"  Certificates: {len(response.certificates) or 'none'}"
    for single in response.responses:
        yield f"  Certificate {hex_text(single.cert_id.serial_number)}: {single.status.value}"
        if single.status is Status.REVOKED and single.revocation_time is not None:
            yield f"    revoked on {time_text(single.revocation_time)}"
        yield f"    known on   {time_text(single.this_update)}"
        yield f"    next due   {'not said' if single.next_update is None else time_text(single.next_update)}"


def public_key_text(key: Any) -> str:
    """A public key in words, with its pin."""
    import hashlib
    from base64 import b64encode

    pin = b64encode(hashlib.sha256(spki_bytes(key)).digest()).decode()
    return f"Public key: {key_name(key)}\n  Key pin:      {pin}  (SHA-256 of SubjectPublicKeyInfo)"


def private_key_text(key: Any) -> str:
    """A private key by its public half."""
    return "Private key (not shown). " + public_key_text(key.public)


def _pkcs12_text(content: Any) -> str:
    parts = [f"PKCS#12{'' if content.friendly_name is None else f' ({printable(content.friendly_name)})'}"]
    parts.append("no private key" if content.key is None else private_key_text(content.key))
    parts += [certificate_text(Certificate.read(der)) for der in content.chain]
    return "\n\n".join(parts)


def _parse_pkcs12(der: bytes, password: str | None, *, sink: list[Span] | None = None) -> Any:
    from puretls.x509.pkcs12 import parse_pkcs12

    return parse_pkcs12(der, password, sink=sink)


KINDS = (
    Kind("certificate", ("CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"), Certificate.read, certificate_text, explain.NOTES),
    Kind("CRL", ("X509 CRL",), Crl.parse, crl_text, CRL_NOTES),
    Kind("OCSP response", ("OCSP RESPONSE",), OcspResponse.parse, ocsp_text, OCSP_NOTES),
    Kind("public key", ("PUBLIC KEY",), parse_spki, public_key_text, KEY_NOTES),
    Kind("public key", ("RSA PUBLIC KEY",), parse_public_key, public_key_text),
    Kind("PKCS#12", ("PKCS12",), _parse_pkcs12, _pkcs12_text, PKCS12_NOTES, secret=True),
    Kind(
        "private key", ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"), parse_private_key,
        private_key_text, KEY_NOTES, secret=True,
    ),
)  # fmt: skip
"""In the order in which DER is tried."""
