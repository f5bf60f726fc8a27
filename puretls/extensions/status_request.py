"""status_request (RFC 6066 section 8): the server staples the OCSP response for its certificate."""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import DecodeError, PeerError, Reason
from puretls.extensions.base import Empty, Extension, StructClass, View
from puretls.iana import CertificateStatusType, ExtensionType
from puretls.values import extensible
from puretls.wire.codec import OpaqueVector
from puretls.wire.schema import Struct, opaque_vector, parse, rest, u8, vector, wire


@wire("6066 8")
class OcspStatusRequest(Struct):
    """Responders the client trusts (none: the server knows better) and OCSP extensions."""

    responder_id_list: tuple[bytes, ...] = vector(OpaqueVector(1, 2**16 - 1), 0, 2**16 - 1)
    request_extensions: bytes = opaque_vector(0, 2**16 - 1)


@wire("6066 8")
class CertificateStatusRequest(Struct):
    """Only the type says what the request looks like."""

    status_type: CertificateStatusType | int = u8(CertificateStatusType)
    request: bytes = rest()


@extensible()
class StatusRequest(Extension):
    """Asks for a stapled OCSP response by default; the client's result says that one may come, the server's that one is wanted."""

    type: ClassVar[int] = ExtensionType.STATUS_REQUEST
    rfc = "RFC 6066 8"
    fixed_offer = True
    client_body: ClassVar[StructClass] = CertificateStatusRequest
    server_body: ClassVar[StructClass | None] = Empty

    def offer(self, view: View) -> CertificateStatusRequest:
        return CertificateStatusRequest(CertificateStatusType.OCSP, bytes(4))

    def accept(self, body: CertificateStatusRequest, view: View) -> bool:
        if body.status_type != CertificateStatusType.OCSP:
            return False
        try:
            parse(OcspStatusRequest, body.request)
        except DecodeError as error:
            raise PeerError(Reason.MALFORMED_EXTENSION, str(error), path="request", rfc=self.rfc) from None
        return True

    def answer(self, result: bool, view: View) -> Empty | None:
        return Empty() if result and view.ocsp_response is not None and not view.resumed else None

    def confirm(self, body: Empty, view: View) -> bool:
        if view.suite is not None and not view.suite.has_certificate:
            raise self.illegal("with a suite that has no certificate", reason=Reason.EXTENSION_NOT_OFFERED)
        return True
