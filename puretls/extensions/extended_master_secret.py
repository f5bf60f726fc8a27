"""extended_master_secret (RFC 7627): binds the master secret to the whole handshake, against the triple handshake attack."""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import PeerError, Reason
from puretls.extensions.base import Empty, Extension, View
from puretls.iana import ExtensionType
from puretls.values import extensible


@extensible()
class ExtendedMasterSecret(Extension):
    """On by default; `required=True` refuses peers without it (RFC 7627 5.2)."""

    type: ClassVar[int] = ExtensionType.EXTENDED_MASTER_SECRET
    rfc = "RFC 7627 5.1"
    fixed_offer = True

    required: bool = False

    def offer(self, view: View) -> Empty:
        return Empty()

    def accept(self, body: Empty, view: View) -> bool:
        return True

    def answer(self, result: bool, view: View) -> Empty:
        return Empty()

    def confirm(self, body: Empty, view: View) -> bool:
        return True

    def if_missing(self, view: View) -> bool:
        if self.required:
            raise PeerError(Reason.EMS_REQUIRED)
        return False
