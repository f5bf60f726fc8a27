"""supported_groups (RFC 8422 section 5.1.1, RFC 7919 section 3): the groups a client can use, its favourite first."""

from __future__ import annotations

from typing import ClassVar

from puretls.extensions.base import Extension, StructClass, View
from puretls.iana import ExtensionType, NamedGroup
from puretls.key_exchange.share import FINITE_FIELD
from puretls.values import extensible
from puretls.wire.codec import Uint
from puretls.wire.schema import Struct, vector, wire


@wire("8422 5.1.1")
class NamedGroupList(Struct):
    """Groups by number."""

    named_groups: tuple[NamedGroup | int, ...] = vector(Uint(2, NamedGroup), 2, 2**16 - 1)


@extensible()
class SupportedGroups(Extension):
    """Sends the configured groups that the offered suites can use; the server's result is the client's list."""

    type: ClassVar[int] = ExtensionType.SUPPORTED_GROUPS
    rfc = "RFC 8422 5.1.1"
    fixed_offer = True
    client_body: ClassVar[StructClass] = NamedGroupList
    # RFC 8422 5.1.1 gives no answer, yet servers that send their list in a ServerHello are deployed: it is parsed and ignored.
    server_body: ClassVar[StructClass | None] = NamedGroupList

    def offer(self, view: View) -> NamedGroupList | None:
        finite_field = any(suite.is_finite_field for suite in view.suites)
        elliptic = view.elliptic
        groups = [group for group in view.groups if (finite_field if group in FINITE_FIELD else elliptic)]
        return NamedGroupList(tuple(groups)) if groups else None

    def accept(self, body: NamedGroupList, view: View) -> tuple[int, ...]:
        return body.named_groups
