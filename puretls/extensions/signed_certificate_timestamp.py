"""signed_certificate_timestamp (RFC 6962 section 3.3.1): proofs that the certificate was logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from puretls.extensions.base import Empty, Extension, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.codec import OpaqueVector
from puretls.wire.schema import Struct, parse, serialise, vector, wire

if TYPE_CHECKING:
    from puretls.session import Session


@wire("6962 3.3")
class SctList(Struct):
    """Serialised timestamps; each opaque here."""

    scts: tuple[bytes, ...] = vector(OpaqueVector(1, 2**16 - 1), 1, 2**16 - 1)


@extensible()
class SignedCertificateTimestamp(Extension):
    """The client's result is the list as sent (with its length), for the verifier; sent by a server whose credential has one."""

    type: ClassVar[int] = ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP
    rfc = "RFC 6962 3.3.1"
    fixed_offer = True
    server_body: ClassVar[StructClass | None] = SctList

    def offer(self, view: View) -> Empty:
        return Empty()

    def accept(self, body: Empty, view: View) -> bool:
        return True

    def answer(self, result: bool, view: View) -> SctList | None:
        return parse(SctList, view.sct_list) if view.sct_list is not None and not view.resumed else None

    @classmethod
    def kept(cls, result: bytes | bool) -> dict[str, bytes | None]:
        return {"sct_list": result if isinstance(result, bytes) else None}  # a server's result is no list

    @classmethod
    def resumed(cls, session: Session, result: bytes | None) -> bytes | None:
        return session.sct_list  # RFC 6962 3.3.1: the timestamps belong to the session, whatever a resumption shows

    def confirm(self, body: SctList, view: View) -> bytes:
        return serialise(body)
