"""padding (RFC 7685): makes a ClientHello as long as one likes."""

from __future__ import annotations

from typing import ClassVar

from puretls.extensions.base import Extension, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.schema import Struct, rest, wire


@wire("7685 3")
class PaddingBody(Struct):
    """Zero bytes."""

    zeros: bytes = rest()


@extensible()
class Padding(Extension):
    """`Padding(512)` fills a ClientHello up to that many bytes, handshake header included; off by default."""

    type: ClassVar[int] = ExtensionType.PADDING
    rfc = "RFC 7685 3"
    client_body: ClassVar[StructClass] = PaddingBody
    server_body: ClassVar[StructClass | None] = None

    length: int = 0

    @property
    def needs_hello_length(self) -> bool:
        return self.length > 0

    def offer(self, view: View) -> PaddingBody | None:
        missing = self.length - view.hello_length
        # Four bytes are this extension's own header.
        return PaddingBody(bytes(max(0, missing - 4))) if missing > 0 else None

    def accept(self, body: PaddingBody, view: View) -> bool:
        if body.zeros.strip(b"\0"):
            raise self.illegal("padding that is not zero", "zeros")
        return True
