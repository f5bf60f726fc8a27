"""renegotiation_info (RFC 5746): binds a renegotiation to the connection it happens on."""

from __future__ import annotations

import hmac
from typing import ClassVar

from puretls.errors import PeerError, Reason
from puretls.extensions.base import Extension, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.schema import Struct, opaque_vector, wire


@wire("5746 3.2")
class RenegotiatedConnection(Struct):
    """Empty in a first handshake, then the verify_data of the last Finished: the client's, or the client's and the server's."""

    renegotiated_connection: bytes = opaque_vector(0, 2**8 - 1)


@extensible()
class RenegotiationInfo(Extension):
    """Always sent. What to do with a peer that leaves it out is the handshake's business, which also knows the SCSV."""

    type: ClassVar[int] = ExtensionType.RENEGOTIATION_INFO
    rfc = "RFC 5746 3.2"
    client_body: ClassVar[StructClass] = RenegotiatedConnection
    server_body: ClassVar[StructClass | None] = RenegotiatedConnection

    def offer(self, view: View) -> RenegotiatedConnection:
        return RenegotiatedConnection(view.verify_data[0] if view.verify_data else b"")

    def accept(self, body: RenegotiatedConnection, view: View) -> bool:
        return self._compare(body, view.verify_data[0] if view.verify_data else b"")

    def may_answer(self, result: bool, view: View) -> bool:
        return result or super().may_answer(result, view)  # the client's SCSV counts as this extension (RFC 5746 3.6)

    def answer(self, result: bool, view: View) -> RenegotiatedConnection:
        return RenegotiatedConnection(b"".join(view.verify_data) if view.verify_data else b"")

    def confirm(self, body: RenegotiatedConnection, view: View) -> bool:
        return self._compare(body, b"".join(view.verify_data) if view.verify_data else b"")

    def _compare(self, body: RenegotiatedConnection, expected: bytes) -> bool:
        if not hmac.compare_digest(body.renegotiated_connection, expected):
            raise PeerError(Reason.RENEGOTIATION_INFO_MISMATCH, path="renegotiated_connection")
        return True
