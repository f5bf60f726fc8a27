"""ec_point_formats (RFC 8422 section 5.1.2): only the uncompressed form is left."""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import Reason
from puretls.extensions.base import Extension, StructClass, View
from puretls.iana import ECPointFormat, ExtensionType
from puretls.values import extensible
from puretls.wire.codec import Uint
from puretls.wire.schema import Struct, vector, wire


@wire("8422 5.1.2")
class EcPointFormatList(Struct):
    """Point formats by number."""

    formats: tuple[ECPointFormat | int, ...] = vector(Uint(1, ECPointFormat), 1, 2**8 - 1)


_UNCOMPRESSED = EcPointFormatList((ECPointFormat.UNCOMPRESSED,))


@extensible()
class EcPointFormats(Extension):
    """Says that points are uncompressed, and insists that the peer can do that."""

    type: ClassVar[int] = ExtensionType.EC_POINT_FORMATS
    rfc = "RFC 8422 5.1.2"
    fixed_offer = True
    client_body: ClassVar[StructClass] = EcPointFormatList
    server_body: ClassVar[StructClass | None] = EcPointFormatList

    def offer(self, view: View) -> EcPointFormatList | None:
        return _UNCOMPRESSED if view.elliptic else None

    def accept(self, body: EcPointFormatList, view: View) -> bool:
        return self._check(body)

    def answer(self, result: bool, view: View) -> EcPointFormatList | None:
        return _UNCOMPRESSED if view.suite is not None and view.suite.is_elliptic and not view.resumed else None

    def confirm(self, body: EcPointFormatList, view: View) -> bool:
        return self._check(body)

    def _check(self, body: EcPointFormatList) -> bool:
        if ECPointFormat.UNCOMPRESSED not in body.formats:
            raise self.illegal("", "formats", Reason.NO_UNCOMPRESSED_POINTS)
        return True
