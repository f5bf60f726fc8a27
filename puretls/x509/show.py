"""What is in a file: certificates, CRLs, OCSP responses, keys, PKCS#12; in words or byte by byte.

Private keys are described, never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from puretls.crypto.secret import Secret
from puretls.errors import DecodeError, UsageError
from puretls.spans import Span
from puretls.text import counted, printable
from puretls.values import frozen
from puretls.x509.certificates import explain
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.text import certificate_text
from puretls.x509.crl.lists import Crl
from puretls.x509.crl.text import crl_text
from puretls.x509.keys import key_name, parse_private_key, parse_public_key, parse_spki, spki_bytes
from puretls.x509.ocsp.responses import OcspResponse
from puretls.x509.ocsp.text import ocsp_text
from puretls.x509.pem import PemBlock, looks_like_der, read_pem

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
    """One kind of thing that can be shown: how it is parsed, how it reads, the section its bytes are from ("": they are not shown)."""

    name: str
    labels: tuple[str, ...]
    parse: Callable[..., Any]
    text: Callable[[Any], str]
    rfc: str = ""
    secret: bool = False
    """Takes a password, and holds what must not be shown."""


Lines = Callable[[bytes, tuple[Span, ...]], Iterable[str]]
"""How the bytes of something and its fields are shown."""


def show(data: bytes, password: str | None = None, *, every_byte: Lines | None = None) -> str:
    """Everything in `data`, PEM or DER, over many lines.

    Raises `DecodeError` for what cannot be understood and, where a password is needed, `UsageError`. With `every_byte`, which makes lines
    of bytes and fields, bytes that cannot be parsed are shown with the fault instead. Fields of private keys have a `Secret` as value.
    """
    if looks_like_der(data):
        return _shown(data, _kind_of(data, password), password, every_byte)
    blocks = read_pem(data)
    if not blocks:
        raise DecodeError("neither DER nor PEM", path="file")
    return "\n\n".join(_shown_block(block, password, every_byte) for block in blocks)


def _shown_block(block: PemBlock, password: str | None, every_byte: Lines | None) -> str:
    kind = next((kind for kind in KINDS if block.label in kind.labels), None)
    if kind is None:
        return f"{printable(block.label)}: {counted(len(block.data), 'byte')} of a kind that is not known here"
    if block.header("DEK-Info") is None:
        return _shown(block.data, kind, password, every_byte)
    from puretls.crypto.provider import default
    from puretls.x509.keys.encryption import open_traditional

    return _shown(open_traditional(block, password, default()), kind, None, every_byte)


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


def _shown(der: bytes, kind: Kind, password: str | None, every_byte: Lines | None) -> str:
    if every_byte is None or not kind.rfc:
        return kind.text(_parse(kind, der, password))

    def parse(data: bytes, sink: list[Span]) -> object:
        return kind.parse(data, password, sink=sink) if kind.secret else kind.parse(data, sink)

    spans = explain.annotated(der, parse, kind.rfc)
    if kind.secret:
        spans = tuple(map(redacted, spans))
    return "\n".join((f"{kind.name}, {counted(len(der), 'byte')}", *every_byte(der, spans)))


def redacted(span: Span) -> Span:
    """The span without its value where that is part of a private key; what follows a fault may be one as well."""
    secret = span.path.rpartition(".")[2].partition("[")[0] in SECRETS
    return replace(span, value=Secret(b"\0" * (span.end - span.start))) if secret or span.fault else span


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
    Kind("certificate", ("CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"), Certificate.read, certificate_text, "RFC 5280 4.1"),
    Kind("CRL", ("X509 CRL",), Crl.parse, crl_text, "RFC 5280 5.1"),
    Kind("OCSP response", ("OCSP RESPONSE",), OcspResponse.parse, ocsp_text, "RFC 6960 4.2.1"),
    Kind("public key", ("PUBLIC KEY",), parse_spki, public_key_text, "RFC 5280 4.1.2.7"),
    Kind("public key", ("RSA PUBLIC KEY",), parse_public_key, public_key_text),
    Kind("PKCS#12", ("PKCS12",), _parse_pkcs12, _pkcs12_text, "RFC 7292 4", secret=True),
    Kind(
        "private key", ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"), parse_private_key,
        private_key_text, "RFC 5958 2", secret=True,
    ),
)  # fmt: skip
"""In the order in which DER is tried."""
