"""supported_versions (RFC 8446 section 4.2.1): how clients of TLS 1.3 say what else they speak; puretls only reads it."""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import PeerError, Reason
from puretls.extensions.base import Extension, StructClass, View
from puretls.iana import ExtensionType, ProtocolVersion
from puretls.values import extensible
from puretls.wire.codec import Uint
from puretls.wire.schema import Struct, vector, wire


@wire("8446 4.2.1")
class VersionList(Struct):
    """Versions by number, GREASE among them."""

    versions: tuple[ProtocolVersion | int, ...] = vector(Uint(2, ProtocolVersion), 2, 254)


@extensible()
class SupportedVersions(Extension):
    """A client that leaves TLS 1.2 out is refused, whatever client_version says."""

    type: ClassVar[int] = ExtensionType.SUPPORTED_VERSIONS
    rfc = "RFC 8446 4.2.1"
    fixed_offer = True
    client_body: ClassVar[StructClass] = VersionList
    server_body: ClassVar[StructClass | None] = None

    def accept(self, body: VersionList, view: View) -> tuple[int, ...]:
        if ProtocolVersion.TLS_1_2 not in body.versions:
            raise PeerError(Reason.TLS_1_2_NOT_SUPPORTED, path="versions")
        return body.versions
