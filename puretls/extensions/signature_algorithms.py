"""signature_algorithms and signature_algorithms_cert (RFC 5246 section 7.4.1.4.1, RFC 8446 section 4.2.3)."""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import Reason
from puretls.extensions.base import Extension, StructClass, View
from puretls.iana import ExtensionType, SignatureScheme
from puretls.values import extensible
from puretls.wire.codec import Uint
from puretls.wire.schema import Struct, vector, wire


@wire("5246 7.4.1.4.1")
class SignatureSchemeList(Struct):
    """Hash and signature pairs, the sender's favourite first."""

    schemes: tuple[SignatureScheme | int, ...] = vector(Uint(2, SignatureScheme), 2, 2**16 - 2)


@extensible()
class SignatureAlgorithms(Extension):
    """Sends the configured schemes; the server's result is the client's list, or the defaults of RFC 5246 where it has none."""

    type: ClassVar[int] = ExtensionType.SIGNATURE_ALGORITHMS
    rfc = "RFC 5246 7.4.1.4.1"
    fixed_offer = True
    client_body: ClassVar[StructClass] = SignatureSchemeList
    # A server must not send it, and a client ignores nothing it did not ask for; an answer is refused as illegal.
    server_body: ClassVar[StructClass | None] = None

    def offer(self, view: View) -> SignatureSchemeList | None:
        return SignatureSchemeList(view.signature_schemes) if view.signature_schemes else None

    def accept(self, body: SignatureSchemeList, view: View) -> tuple[int, ...]:
        return body.schemes

    def confirm(self, body: SignatureSchemeList, view: View) -> None:
        raise self.illegal("", reason=Reason.EXTENSION_NOT_IN_SERVER_HELLO)


@extensible()
class SignatureAlgorithmsCert(Extension):
    """Schemes wanted in certificates, where they differ from those wanted in the handshake."""

    type: ClassVar[int] = ExtensionType.SIGNATURE_ALGORITHMS_CERT
    rfc = "RFC 8446 4.2.3"
    fixed_offer = True
    client_body: ClassVar[StructClass] = SignatureSchemeList
    server_body: ClassVar[StructClass | None] = None

    schemes: tuple[int, ...] = ()

    def offer(self, view: View) -> SignatureSchemeList | None:
        return SignatureSchemeList(self.schemes) if self.schemes else None

    def accept(self, body: SignatureSchemeList, view: View) -> tuple[int, ...]:
        return body.schemes
