"""OCSP responses (RFC 6960 4.2): typed values, and what one says of a certificate.

A response counts when the issuer itself signed it, or a responder to whom the issuer gave a certificate for just that (4.2.2.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from puretls.der import oids
from puretls.der import reader as der
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate, Extension, read_extension
from puretls.x509.certificates.extensions import ExtendedKeyUsage, ExtensionType, OcspNoCheck
from puretls.x509.crl import CRL_TYPES, ENTRY_TYPES, REASONS
from puretls.x509.keys.algorithms import AlgorithmIdentifier, read_algorithm
from puretls.x509.names.names import Name, read_name
from puretls.x509.path.checks import time_text
from puretls.x509.revocation import Answer, Case, Status, revoked_sentence

ROOT = "OCSPResponse"
MAX_RESPONSE = 1 << 20
"""Bytes of one response; real ones have a few thousand."""
MAX_SINGLES, MAX_CERTIFICATES = 256, 8

STATUSES = {0: "successful", 1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
"""OCSPResponseStatus (RFC 6960 4.2.1)."""


@frozen
class Nonce:
    """RFC 8954 2.1."""

    value: bytes


@frozen
class ArchiveCutoff:
    """RFC 6960 4.4.4: seconds since 1970."""

    time: int


@frozen
class OcspTimestamps:
    """RFC 6962 3.3; kept as it is, for those who check transparency."""

    raw: bytes


def _nonce(reader: Reader) -> Nonce:
    """An OCTET STRING by RFC 8954 2.1; older responders put their bytes bare, which may begin like one by chance."""
    length = reader.end - reader.at - 2
    wrapped = reader.peek() == der.OCTET_STRING and length >= 0 and reader.data[reader.at + 1] == length
    return Nonce(reader.octets() if wrapped else _rest(reader))


def _rest(reader: Reader) -> bytes:
    at, reader.at = reader.at, reader.end
    if reader.sink is not None:
        reader.sink.append(Span(at, reader.end, reader.path, reader.data[at : reader.end]))
    return reader.data[at : reader.end]


OCSP_SCTS = oids.encode_oid("1.3.6.1.4.1.11129.2.4.5")
RESPONSE_TYPES = {oids.OCSP_NONCE: ExtensionType("nonce", Nonce, _nonce, "RFC 8954 2.1")}
"""Extensions of a response that are known here."""
SINGLE_TYPES = {
    oids.OCSP_ARCHIVE_CUTOFF: ExtensionType(
        "archive_cutoff", ArchiveCutoff, lambda reader: ArchiveCutoff(reader.time()), "RFC 6960 4.4.4"
    ),
    OCSP_SCTS: ExtensionType("sct_list", OcspTimestamps, lambda reader: OcspTimestamps(_rest(reader)), "RFC 6962 3.3"),
    oids.CRL_REASON: ENTRY_TYPES[oids.CRL_REASON],
    oids.INVALIDITY_DATE: ENTRY_TYPES[oids.INVALIDITY_DATE],
    oids.CRL_NUMBER: CRL_TYPES[oids.CRL_NUMBER],
}
"""Those of a single response (RFC 6960 4.4.5 allows what CRL entries have)."""


@frozen
class CertId:
    """RFC 6960 4.1.1. `hash_oid` as content bytes; the hashes are of the issuer's name and of its key."""

    hash_oid: bytes
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int

    def is_of(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether it means this certificate of this issuer; False for a hash that is not known here."""
        name = oids.HASH_NAMES.get(self.hash_oid)
        if name is None or self.serial_number != certificate.serial_number:
            return False

        def digest(data: bytes) -> bytes:
            return hashlib.new(name, data, usedforsecurity=False).digest()

        names = {digest(certificate.issuer.raw), digest(issuer.subject.raw)}  # the same name, perhaps in two encodings
        return self.issuer_name_hash in names and self.issuer_key_hash == digest(key_octets(issuer.spki))


@frozen
class SingleResponse:
    """RFC 6960 4.2.1. Times in seconds since 1970; `reason` a CRLReason."""

    cert_id: CertId
    status: Status
    revocation_time: int | None
    reason: int | None
    this_update: int
    next_update: int | None
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, eq=False)
class OcspResponse:
    """A successful response with its BasicOCSPResponse. `ocsp_status` tells whether it is genuine and current."""

    raw: bytes
    tbs: bytes
    """DER of ResponseData: what is signed."""
    responder: Name | bytes
    """Its name, or the SHA-1 of its key."""
    produced_at: int
    responses: tuple[SingleResponse, ...]
    extensions: tuple[Extension, ...]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    certificates: tuple[bytes, ...]
    """DER, as they came: none of them is trusted for being here."""

    @classmethod
    def parse(cls, data: bytes, sink: list[Span] | None = None) -> OcspResponse:
        """The response in `data`. Raises `DecodeError` for bad DER, and for a status other than successful, which it names."""
        if len(data) > MAX_RESPONSE:
            raise DecodeError(f"OCSP response of {len(data)} bytes, more than {MAX_RESPONSE}", path=ROOT)
        top = Reader(data, name=ROOT, sink=sink)
        outer = top.enter()
        top.done()
        status = outer.enumerated("response_status")
        if status not in STATUSES:
            raise outer.error(f"no OCSPResponseStatus {status}", "response_status", rfc="RFC 6960 4.2.1")
        if status:
            outer.done()
            raise outer.error(f"the responder says {STATUSES[status]}", "response_status", rfc="RFC 6960 2.3")
        wrapper = outer.enter(der.explicit(0), "response_bytes")
        outer.done()
        body = wrapper.enter()
        wrapper.done()
        kind = body.oid("response_type")
        if kind != oids.OCSP_BASIC:
            raise body.error(f"response of type {oids.describe(kind)}", "response_type", rfc="RFC 6960 4.2.1")
        inner = body.within(*body.enter_octets("response"), "response")
        body.done()
        fields = _read_basic(inner)
        inner.done()
        return cls(data, *fields)

    def spans(self) -> tuple[Span, ...]:
        """Spans that tile the response: each byte with its path, decoded value, meaning and RFC section."""
        from puretls.x509 import show  # text that checking never needs
        from puretls.x509.certificates import explain

        return explain.annotated(self.raw, OcspResponse.parse, show.OCSP_NOTES)

    def text(self) -> str:
        """The response in words, over many lines."""
        from puretls.x509.show import ocsp_text

        return ocsp_text(self)

    @property
    def responder_text(self) -> str:
        """The responder for people."""
        return str(self.responder) if isinstance(self.responder, Name) else f"the key with the SHA-1 {self.responder.hex()}"


_Basic = tuple[
    bytes, Name | bytes, int, tuple[SingleResponse, ...], tuple[Extension, ...], AlgorithmIdentifier, bytes, tuple[bytes, ...]
]


def _read_basic(inner: Reader) -> _Basic:
    """BasicOCSPResponse (RFC 6960 4.2.1), in the order of `OcspResponse`."""
    basic = inner.enter(name="BasicOCSPResponse")
    at = basic.at
    tbs = basic.enter(name="tbs_response_data")
    data = inner.data[at : basic.at]
    if tbs.peek() == der.explicit(0):
        version = tbs.enter(der.explicit(0), "version")
        if version.small("", limit=256) != 0:  # v1 written out is against DER, yet responders do it
            raise version.error("version other than v1", rfc="RFC 6960 4.2.1")
        version.done()
    responder = _read_responder(tbs)
    produced_at = _generalized(tbs, "produced_at")
    responses = tbs.list_of(_read_single, "responses", empty=True)
    extensions = _read_extensions(tbs, "response_extensions", RESPONSE_TYPES)
    tbs.done()
    algorithm = read_algorithm(basic, "signature_algorithm")
    signature = basic.bit_octets("signature")
    certificates: tuple[bytes, ...] = ()
    if basic.more:
        wrapper = basic.enter(der.explicit(0), "certs")
        certificates = wrapper.list_of(lambda listed, name: listed.raw(name, der.SEQUENCE), empty=True)
        wrapper.done()
    basic.done()
    return data, responder, produced_at, responses, extensions, algorithm, signature, certificates


def _read_responder(tbs: Reader) -> Name | bytes:
    if tbs.peek() == der.explicit(1):
        by_name = tbs.enter(der.explicit(1), "responder_id")
        name = read_name(by_name, "by_name")
        by_name.done()
        return name
    by_key = tbs.enter(der.explicit(2), "responder_id")
    digest = by_key.octets("by_key")
    by_key.done()
    if len(digest) != 20:
        raise by_key.error(f"key hash of {len(digest)} bytes, not the 20 of SHA-1", rfc="RFC 6960 4.2.1")
    return digest


def _generalized(reader: Reader, name: str) -> int:
    if reader.peek() != der.GENERALIZED_TIME:
        raise reader.error("GeneralizedTime expected", name, rfc="RFC 6960 4.2.1")
    return reader.time(name)


def _read_extensions(outer: Reader, name: str, types: dict[bytes, ExtensionType]) -> tuple[Extension, ...]:
    """`[1] EXPLICIT Extensions OPTIONAL`."""
    if outer.peek() != der.explicit(1):
        return ()
    wrapper = outer.enter(der.explicit(1), name)
    found = wrapper.list_of(lambda listed, index: read_extension(listed, index, types, name))
    wrapper.done()
    if len({one.oid for one in found}) != len(found):
        raise wrapper.error("an extension twice", rfc="RFC 5280 4.2")
    return found


def _read_single(listed: Reader, name: str) -> SingleResponse:
    if name == f"[{MAX_SINGLES}]":
        raise listed.error(f"more than {MAX_SINGLES} responses in one")
    single = listed.enter(name=name)
    cert_id = _read_cert_id(single)
    status, when, reason = _read_status(single)
    this_update = _generalized(single, "this_update")
    next_update = None
    if single.peek() == der.explicit(0):
        wrapper = single.enter(der.explicit(0), "next_update")
        next_update = _generalized(wrapper, "")
        wrapper.done()
    extensions = _read_extensions(single, "single_extensions", SINGLE_TYPES)
    single.done()
    return SingleResponse(cert_id, status, when, reason, this_update, next_update, extensions)


def _read_cert_id(single: Reader) -> CertId:
    body = single.enter(name="cert_id")
    algorithm = read_algorithm(body, "hash_algorithm")
    value = CertId(
        algorithm.algorithm,
        body.octets("issuer_name_hash"),
        body.octets("issuer_key_hash"),
        body.integer("serial_number", padded=True),
    )
    body.done()
    return value


def _read_status(single: Reader) -> tuple[Status, int | None, int | None]:
    """CertStatus: [0] good, [1] RevokedInfo, [2] unknown."""
    tag = single.peek()
    if tag != der.explicit(1):
        status = {der.context(0): Status.GOOD, der.context(2): Status.UNKNOWN}.get(tag)
        if status is None:
            raise single.error(f"no CertStatus has {der.tag_name(tag)}", "cert_status", rfc="RFC 6960 4.2.1")
        start, stop = single.take(tag, "cert_status")
        if start != stop:
            raise single.error("CertStatus with content", "cert_status", offset=start, rfc="RFC 6960 4.2.1")
        return status, None, None
    info = single.enter(tag, "cert_status")
    when = _generalized(info, "revocation_time")
    reason = None
    if info.more:
        wrapper = info.enter(der.explicit(0), "revocation_reason")
        reason = wrapper.enumerated()
        wrapper.done()
        if reason not in REASONS:
            raise wrapper.error(f"no CRLReason {reason}", rfc="RFC 5280 5.3.1")
    info.done()
    return Status.REVOKED, when, reason


def key_octets(spki: bytes) -> bytes:
    """The bits of the key in a SubjectPublicKeyInfo, without tag, length and unused bits (RFC 6960 4.1.1)."""
    body = Reader(spki, name="SubjectPublicKeyInfo").enter()
    body.skip("algorithm", der.SEQUENCE)
    return body.bit_octets("subject_public_key")


# What it says


def ocsp_status(case: Case, data: bytes) -> Answer:
    """What one response says of the certificate; UNKNOWN, with the cause, for whatever is amiss. Never raises for `data`."""
    try:
        response = OcspResponse.parse(data)
        matching = [one for one in response.responses if one.cert_id.is_of(case.certificate, case.issuer)]
    except DecodeError as bad:
        return _unknown(f"is unusable: {bad}")
    if not matching:
        return _unknown("is about other certificates")
    fault = _response_fault(response, matching, case)
    if fault:
        return _unknown(fault)
    order = (Status.REVOKED, Status.UNKNOWN, Status.GOOD)
    return _answer(min(matching, key=lambda one: order.index(one.status)), response)


def _unknown(what: str) -> Answer:
    return Answer(Status.UNKNOWN, f"the OCSP response {what}")


def _answer(single: SingleResponse, response: OcspResponse) -> Answer:
    who = f"the OCSP response by {response.responder_text}"
    if single.status is Status.GOOD:
        return Answer(Status.GOOD, f"good, says {who} of {time_text(single.this_update)}")
    if single.status is Status.UNKNOWN:
        return Answer(Status.UNKNOWN, f"{who} does not know the certificate")
    when = single.revocation_time or 0
    return Answer(Status.REVOKED, revoked_sentence(who, when, REASONS[single.reason or 0]), when, single.reason)


def _response_fault(response: OcspResponse, matching: list[SingleResponse], case: Case) -> str:
    """Empty where the response is understood, current and genuine."""
    listed = [*response.extensions, *(one for single in matching for one in single.extensions)]
    unknown = next((one for one in listed if one.critical and one.value is None), None)
    if unknown is not None:
        return f"has the unknown critical extension {oids.describe(unknown.oid)}"
    validity = case.certificate.validity
    skew = case.policy.skew
    if not validity.not_before - skew <= response.produced_at <= min(validity.not_after, case.time) + skew:
        return f"was made on {time_text(response.produced_at)}, outside of the certificate's life or in the future"
    for single in matching:
        fault = case.policy.date_fault(single.this_update, single.next_update, case.time)
        if fault:
            return fault
    return _signer_fault(response, case)


def _signer_fault(response: OcspResponse, case: Case) -> str:
    """RFC 6960 4.2.2.2: the issuer, or a certificate that the issuer gave out with the purpose OCSPSigning."""
    if _is_responder(response, case.issuer):
        return case.checker.fault(case.issuer, response.signature_algorithm, response.tbs, response.signature)
    fault = f"is by {response.responder_text}, whose certificate is missing"
    for data in response.certificates[:MAX_CERTIFICATES]:
        try:
            delegate = Certificate.parse(data)
        except DecodeError:
            continue
        if not _is_responder(response, delegate):
            continue
        fault = _delegate_fault(delegate, case) or case.checker.fault(
            delegate, response.signature_algorithm, response.tbs, response.signature
        )
        if not fault:
            return ""
    return fault


def _is_responder(response: OcspResponse, certificate: Certificate) -> bool:
    if isinstance(response.responder, Name):
        return response.responder == certificate.subject
    return response.responder == hashlib.new("sha1", key_octets(certificate.spki), usedforsecurity=False).digest()


def _delegate_fault(delegate: Certificate, case: Case) -> str:
    """Empty for a certificate that the issuer in question made for signing responses, and that is valid now."""
    usage = delegate.get(ExtendedKeyUsage)
    if usage is None or oids.OCSP_SIGNING not in usage.purposes:
        return f"is signed by {delegate.subject}, which is not for OCSP signing"
    if not delegate.validity.not_before <= case.time <= delegate.validity.not_after:
        return f"is signed by {delegate.subject}, which is not valid now"
    if delegate.issuer != case.issuer.subject:
        return f"is signed by {delegate.subject}, which {case.issuer.subject} did not issue"
    if case.checker.fault(case.issuer, delegate.outer_signature, delegate.tbs, delegate.signature):
        return f"is signed by {delegate.subject}, whose own signature does not verify"
    return _delegate_revoked(delegate, case)


def _delegate_revoked(delegate: Certificate, case: Case) -> str:
    """RFC 6960 4.2.2.2.1: unless nocheck says that nobody need ask, CRLs may know that the responder is revoked."""
    if delegate.get(OcspNoCheck) is not None or not case.policy.crls or case.depth == 0:
        return ""
    from puretls.x509.revocation.crls import crl_status

    answer = crl_status(replace(case, certificate=delegate, depth=case.depth - 1))
    return f"is signed by {delegate.subject}, which is revoked" if answer.status is Status.REVOKED else ""
