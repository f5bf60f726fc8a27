"""Reading OCSP responses: strict DER of RFC 6960 4.2.1."""

from __future__ import annotations

from puretls.der import tags
from puretls.der.reader import Reader
from puretls.text import counted
from puretls.x509.certificates.extension_types import ExtensionType
from puretls.x509.certificates.fields import Extension
from puretls.x509.certificates.reading import read_extension
from puretls.x509.crl.extensions import REASONS
from puretls.x509.keys.algorithms import AlgorithmIdentifier, read_algorithm, read_signed
from puretls.x509.names.distinguished import Name, read_name
from puretls.x509.ocsp.extensions import RESPONSE_TYPES, SINGLE_TYPES
from puretls.x509.ocsp.fields import CertId, SingleResponse, Status

MAX_SINGLES = 256

_Data = tuple[Name | bytes, int, tuple[SingleResponse, ...], tuple[Extension, ...]]
_Basic = tuple[
    bytes, Name | bytes, int, tuple[SingleResponse, ...], tuple[Extension, ...], AlgorithmIdentifier, bytes, tuple[bytes, ...]
]


def read_basic(inner: Reader) -> _Basic:
    """BasicOCSPResponse (RFC 6960 4.2.1), in the order of `OcspFields`."""
    basic = inner.enter(name="BasicOCSPResponse")
    data, fields, algorithm = read_signed(basic, "tbs_response_data", _read_tbs)
    signature = basic.bit_octets("signature")
    certificates: tuple[bytes, ...] = ()
    if basic.more:
        wrapper = basic.enter(tags.explicit(0), "certs")
        certificates = wrapper.list_of(lambda listed, name: listed.raw(name, tags.SEQUENCE), empty=True)
        wrapper.done()
    basic.done()
    return data, *fields, algorithm, signature, certificates


def _read_tbs(tbs: Reader) -> _Data:
    """ResponseData."""
    if tbs.peek() == tags.explicit(0):
        version = tbs.enter(tags.explicit(0), "version")
        if version.small("", limit=256) != 0:  # v1 written out is against DER, yet responders do it
            raise version.error("version other than v1", rfc="RFC 6960 4.2.1")
        version.done()
    responder = _read_responder(tbs)
    produced_at = _generalized(tbs, "produced_at")
    responses = tbs.list_of(_read_single, "responses", empty=True)
    extensions = _read_extensions(tbs, "response_extensions", RESPONSE_TYPES)
    tbs.done()
    return responder, produced_at, responses, extensions


def _read_responder(tbs: Reader) -> Name | bytes:
    if tbs.peek() == tags.explicit(1):
        by_name = tbs.enter(tags.explicit(1), "responder_id")
        name = read_name(by_name, "by_name")
        by_name.done()
        return name
    by_key = tbs.enter(tags.explicit(2), "responder_id")
    digest = by_key.octets("by_key")
    by_key.done()
    if len(digest) != 20:
        raise by_key.error(f"key hash of {counted(len(digest), 'byte')}, not the 20 of SHA-1", rfc="RFC 6960 4.2.1")
    return digest


def _generalized(reader: Reader, name: str) -> int:
    if reader.peek() != tags.GENERALIZED_TIME:
        raise reader.error("GeneralizedTime expected", name, rfc="RFC 6960 4.2.1")
    return reader.time(name)


def _read_extensions(outer: Reader, name: str, types: dict[bytes, ExtensionType]) -> tuple[Extension, ...]:
    """`[1] EXPLICIT Extensions OPTIONAL`."""
    if outer.peek() != tags.explicit(1):
        return ()
    wrapper = outer.enter(tags.explicit(1), name)
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
    if single.peek() == tags.explicit(0):
        wrapper = single.enter(tags.explicit(0), "next_update")
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
    if tag != tags.explicit(1):
        status = {tags.context(0): Status.GOOD, tags.context(2): Status.UNKNOWN}.get(tag)
        if status is None:
            raise single.error(f"no CertStatus has {tags.tag_name(tag)}", "cert_status", rfc="RFC 6960 4.2.1")
        start, stop = single.take(tag, "cert_status")
        if start != stop:
            raise single.error("CertStatus with content", "cert_status", offset=start, rfc="RFC 6960 4.2.1")
        return status, None, None
    info = single.enter(tag, "cert_status")
    when = _generalized(info, "revocation_time")
    reason = None
    if info.more:
        wrapper = info.enter(tags.explicit(0), "revocation_reason")
        reason = wrapper.enumerated()
        wrapper.done()
        if reason not in REASONS:
            raise wrapper.error(f"no CRLReason {reason}", rfc="RFC 5280 5.3.1")
    info.done()
    return Status.REVOKED, when, reason
