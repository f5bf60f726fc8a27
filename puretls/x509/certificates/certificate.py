"""Certificate: an X.509 certificate as a typed value (RFC 5280 4.1), with the bytes it came from."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

from puretls.crypto.keys import PublicKey
from puretls.crypto.signatures import SignatureAlgorithm
from puretls.der import reader as der
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.values import frozen
from puretls.x509.certificates import extensions as ext
from puretls.x509.keys import parse_spki, read_spki
from puretls.x509.keys.algorithms import AlgorithmIdentifier, read_algorithm, signature_algorithm
from puretls.x509.names.names import GeneralName, GeneralNameKind, Name, read_name

MAX_CERTIFICATE = 2**20
"""Bytes of one certificate; real ones have some thousand, and what is a megabyte long is an attack."""
MAX_REMEMBERED = 2**14
"""Bytes of a certificate that is worth remembering once it is parsed."""
MAX_EXTENSIONS = 256

ROOT = "Certificate"
TBS = "tbs_certificate"

T = TypeVar("T")


@frozen
class Extension:
    """RFC 5280 4.2. `value`: one of the classes of `extensions`, None for an unknown identifier; `raw`: the content of extnValue."""

    oid: bytes
    critical: bool
    raw: bytes
    value: object
    path: str
    """Where it is, below `Certificate`: "tbs_certificate.extensions[3]"."""


@frozen
class Validity:
    """RFC 5280 4.1.2.5: seconds since 1970, both inclusive; `tags` tell UTCTime from GeneralizedTime."""

    not_before: int
    not_after: int
    tags: tuple[int, int] = (der.UTC_TIME, der.UTC_TIME)


UNREADABLE = Validity(0, -1)
"""What stands for dates that cannot be read: a period without a moment in it."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """An X.509 certificate. Equal when the bytes are.

    What `parse` makes is sound: every field and known extension is strict DER. What `read` makes may have flaws, which it names; all that
    a handshake needs of a certificate, its key, is there all the same. Whether it can be *trusted* is for `verifier`; whether its key
    is of a kind known here shows in `public_key`.
    """

    raw: bytes
    tbs: bytes
    """DER of TBSCertificate: what is signed."""
    version: int
    """1, 2 or 3."""
    serial_number: int
    is_serial_padded: bool
    """Whether the serial number is written longer than X.690 8.3.2 lets it be."""
    inner_signature: AlgorithmIdentifier
    """TBSCertificate.signature, which must equal `signature_algorithm`."""
    issuer: Name
    validity: Validity
    subject: Name
    spki: bytes
    """DER of SubjectPublicKeyInfo."""
    key: PublicKey | None
    """What `public_key` gives; None where it raises."""
    issuer_unique_id: bytes | None
    subject_unique_id: bytes | None
    extensions: tuple[Extension, ...]
    outer_signature: AlgorithmIdentifier
    signature: bytes
    malformed: tuple[DecodeError, ...] = ()
    """Why fields have no value, or not all of it: a name without attributes, an extension whose `value` is None, an `UNREADABLE` date."""
    lapses: tuple[DecodeError, ...] = ()
    """Where a value is plain, and written as DER or its type does not have it."""

    @classmethod
    def parse(cls, data: bytes, sink: list[Span] | None = None) -> Certificate:
        """The certificate in `data`, which holds nothing else. Raises `DecodeError` for whatever is not strict DER of RFC 5280.

        With a `sink`, spans for every byte are appended to it.
        """
        if len(data) > MAX_CERTIFICATE:
            raise DecodeError(f"certificate of {len(data)} bytes, more than {MAX_CERTIFICATE}", path=ROOT)
        top = Reader(data, name=ROOT, sink=sink)
        body = top.enter()
        top.done()
        tbs_at = body.at
        tbs = body.enter(name=TBS)
        fields = _read_tbs(tbs)
        tbs_der = data[tbs_at : body.at]
        outer = read_algorithm(body, "signature_algorithm")
        signature = body.bit_octets("signature_value")
        body.done()
        return cls(data, tbs_der, *fields, outer, signature)  # type: ignore[call-arg, arg-type]

    @classmethod
    def read(cls, data: bytes, sink: list[Span] | None = None) -> Certificate:
        """As `parse`; but a certificate that is none of strict DER is read too, as far as it can be, if its key can be found.

        `malformed` and `lapses` then say what is wrong. Raises `DecodeError` where not even the key is where it belongs.
        """
        try:
            return cls.parse(data) if sink is None else cls.parse(data, sink)
        except DecodeError as strict:
            from puretls.x509.certificates.flawed import read_flawed

            if sink is not None:
                sink.clear()
            try:
                return read_flawed(data, sink)
            except DecodeError:
                raise strict from None

    @property
    def is_sound(self) -> bool:
        """Whether it is strict DER of RFC 5280 throughout, as far as it is known here."""
        return not (self.malformed or self.lapses)

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, Certificate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"Certificate({self.subject}, issued by {self.issuer}, serial {self.serial_number:x})"

    # Keys and digests

    @property
    def public_key(self) -> PublicKey:
        """The subject's key. Raises `DecodeError` for a kind, curve or size that is not supported."""
        return self.key or parse_spki(self.spki)

    @cached_property
    def signature_algorithm(self) -> SignatureAlgorithm:
        """How the issuer signed. Raises `DecodeError` for what is not known here."""
        return signature_algorithm(self.outer_signature)

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of the whole certificate: the pin of exactly this one."""
        return hashlib.sha256(self.raw).digest()

    @cached_property
    def spki_pin(self) -> bytes:
        """SHA-256 of SubjectPublicKeyInfo: the pin of the key (RFC 7469 2.4)."""
        return hashlib.sha256(self.spki).digest()

    @property
    def spki_pin_text(self) -> str:
        """As RFC 7469 writes it: base64."""
        return b64encode(self.spki_pin).decode()

    # Extensions

    @cached_property
    def _by_oid(self) -> dict[bytes, Extension]:
        return {e.oid: e for e in reversed(self.extensions)}

    @cached_property
    def _values(self) -> dict[type, object]:
        """The values by their classes; what is under a class is of that class."""
        return {type(e.value): e.value for e in reversed(self.extensions) if e.value is not None}

    def get(self, kind: type[T]) -> T | None:
        """The value of the extension of this class (`extensions.SubjectAltName`, ...), None where absent; of duplicates the first."""
        return self._values.get(kind)  # type: ignore[return-value]

    def extension(self, oid: bytes) -> Extension | None:
        """The extension with this identifier, None where absent; of duplicates the first."""
        return self._by_oid.get(oid)

    @cached_property
    def subject_alt_names(self) -> tuple[GeneralName, ...]:
        """All names of subjectAltName; empty where absent."""
        found = self.get(ext.SubjectAltName)
        return found.names if found else ()

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The dNSNames, wildcards included."""
        return tuple(str(n.value) for n in self.subject_alt_names if n.kind is GeneralNameKind.DNS)

    @property
    def ip_addresses(self) -> tuple[bytes, ...]:
        """The iPAddresses, 4 or 16 bytes each."""
        return tuple(n.value for n in self.subject_alt_names if n.kind is GeneralNameKind.IP and isinstance(n.value, bytes))

    @cached_property
    def is_ca(self) -> bool:
        """Whether basicConstraints says so (RFC 5280 4.2.1.9)."""
        constraints = self.get(ext.BasicConstraints)
        return constraints is not None and constraints.ca

    @cached_property
    def is_self_issued(self) -> bool:
        """Issuer and subject are the same name (RFC 5280 6.1); says nothing of the signature."""
        return self.issuer == self.subject

    # For people

    def spans(self) -> tuple[Span, ...]:
        """Spans that tile the certificate: each byte with its path, decoded value, meaning and RFC section."""
        return self._spans

    @cached_property
    def _spans(self) -> tuple[Span, ...]:
        from puretls.x509.certificates.explain import annotate  # explanations are text that a handshake never needs

        return annotate(self.raw)

    def locate(self, path: str) -> tuple[int, int] | None:
        """Start and end in `raw` of the field `path` below `Certificate` ("tbs_certificate.validity"), tag and length included.

        Of a field inside of what cannot be read, that of the whole.
        """
        wanted = f"{ROOT}.{path}"
        while wanted != ROOT:
            inside = [s for s in self._recorded if s.path == wanted or s.path.startswith((wanted + ".", wanted + "["))]
            if inside or self.is_sound:
                return (inside[0].start, inside[-1].end) if inside else None
            wanted = wanted[: max(wanted.rfind("."), wanted.rfind("["))]
        return None

    @cached_property
    def _recorded(self) -> tuple[Span, ...]:
        """As `spans`, without the explanations, which cost more than all the rest."""
        sink: list[Span] = []
        Certificate.read(self.raw, sink)
        return tuple(sink)

    def text(self) -> str:
        """The certificate in words, over many lines."""
        from puretls.x509.reports.text import certificate_text

        return certificate_text(self)


@lru_cache(maxsize=256)
def remembered(data: bytes) -> Certificate:
    """`Certificate.read`; the same certificates are met again and again, and frozen ones can be shared."""
    return Certificate.read(data)


def parse_remembered(data: bytes) -> Certificate:
    """`Certificate.read`, remembered unless it is larger than real ones: huge ones must not fill the memory.

    Raises `DecodeError`.
    """
    return remembered(data) if len(data) <= MAX_REMEMBERED else Certificate.read(data)


def _read_tbs(tbs: Reader) -> tuple[object, ...]:
    """The fields of TBSCertificate (RFC 5280 4.1), in the order of `Certificate`."""
    version = read_version(tbs)
    serial, is_padded = read_serial(tbs)
    inner = read_algorithm(tbs, "signature")
    issuer = read_name(tbs, "issuer")
    validity = read_validity(tbs)
    subject = read_name(tbs, "subject")
    spki, key = read_key(tbs)
    issuer_id = read_unique_id(tbs, 1, "issuer_unique_id")
    subject_id = read_unique_id(tbs, 2, "subject_unique_id")
    extensions = _read_extensions(tbs) if tbs.more else ()
    tbs.done()
    return version, serial, is_padded, inner, issuer, validity, subject, spki, key, issuer_id, subject_id, extensions


def read_version(tbs: Reader) -> int:
    """The version as people count, from 1."""
    if tbs.peek() != der.explicit(0):
        return 1
    field = tbs.enter(der.explicit(0), "version")
    value = field.small("", limit=256)
    field.done()
    if value not in (1, 2):  # v1 is the DEFAULT, which DER leaves out
        raise field.error(f"version field {value}", rfc="RFC 5280 4.1.2.1")
    return value + 1


def read_serial(tbs: Reader) -> tuple[int, bool]:
    """The serial number, and whether it is padded: some are deployed, and the rule "serial-number" has a say."""
    at = tbs.at
    serial = tbs.integer("serial_number", padded=True)
    return serial, tbs.at - at - 2 != (serial if serial >= 0 else ~serial).bit_length() // 8 + 1


def read_validity(tbs: Reader) -> Validity:
    """Both dates."""
    body = tbs.enter(name="validity")
    first = body.peek()
    not_before = body.time("not_before")
    second = body.peek()
    not_after = body.time("not_after")
    body.done()
    return Validity(not_before, not_after, (first, second))


def read_key(tbs: Reader) -> tuple[bytes, PublicKey | None]:
    """SubjectPublicKeyInfo as bytes, and the key if it is one that is known here; others must be sound DER all the same."""
    at, recorded = tbs.at, len(tbs.sink or ())
    try:
        key = read_spki(tbs)
    except DecodeError:
        if tbs.sink is not None:
            del tbs.sink[recorded:]
        tbs.at = at
    else:
        return tbs.data[at : tbs.at], key
    spki = tbs.enter(name="subject_public_key_info")
    algorithm = spki.enter(name="algorithm")
    algorithm.oid("algorithm")
    if algorithm.more:
        algorithm.skip("parameters")
    algorithm.done()
    spki.bits("subject_public_key")
    spki.done()
    return tbs.data[at : tbs.at], None


def read_unique_id(tbs: Reader, number: int, name: str) -> bytes | None:
    """The bits of an issuerUniqueID (1) or subjectUniqueID (2), None where absent."""
    if tbs.peek() != der.context(number):
        return None
    _, start, stop = tbs.bits(name, der.context(number))
    return tbs.data[start:stop]


def _read_extensions(tbs: Reader) -> tuple[Extension, ...]:
    wrapper = tbs.enter(der.explicit(3), "extensions")
    listed = wrapper.enter()
    wrapper.done()
    if not listed.more:
        raise listed.error("empty list of extensions", rfc="RFC 5280 4.1.2.9")
    found: list[Extension] = []
    while listed.more:
        if len(found) == MAX_EXTENSIONS:
            raise listed.error(f"more than {MAX_EXTENSIONS} extensions")
        found.append(read_extension(listed, f"[{len(found)}]", ext.TYPES, f"{TBS}.extensions"))
    return tuple(found)


def read_extension(listed: Reader, name: str, types: dict[bytes, ext.ExtensionType], above: str) -> Extension:
    """One Extension (RFC 5280 4.1), its value read by the row that `types` has for it; CRLs use it with types of their own."""
    body = listed.enter(name=name)
    oid = body.oid("extn_id")
    critical = body.default_false("critical")
    kind = types.get(oid)
    if kind is None:
        raw = body.octets("extn_value")
        value = None
    else:
        start, stop = body.enter_octets("extn_value")
        raw = body.data[start:stop]
        value = kind.parse(body.data, start, stop, body)
    body.done()
    return Extension(oid, critical, raw, value, above + name)
