"""encrypt_then_mac (RFC 7366): the MAC over the ciphertext, which ends the padding oracles of CBC."""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import PeerError, Reason
from puretls.extensions.base import Empty, Extension, View
from puretls.iana import ExtensionType
from puretls.values import extensible


@extensible()
class EncryptThenMac(Extension):
    """Offered when any suite has CBC; agreed on only for such a suite (RFC 7366 3)."""

    type: ClassVar[int] = ExtensionType.ENCRYPT_THEN_MAC
    rfc = "RFC 7366 3"
    fixed_offer = True

    def offer(self, view: View) -> Empty | None:
        return Empty() if any(suite.is_cbc for suite in view.suites) else None

    def accept(self, body: Empty, view: View) -> bool:
        return True

    def answer(self, result: bool, view: View) -> Empty | None:
        return Empty() if view.suite is not None and view.suite.is_cbc else None

    def confirm(self, body: Empty, view: View) -> bool:
        if view.suite is not None and not view.suite.is_cbc:
            raise PeerError(Reason.ETM_WITHOUT_CBC, view.suite.name)
        return True
