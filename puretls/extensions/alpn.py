"""application_layer_protocol_negotiation (RFC 7301)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from puretls.arguments import described
from puretls.errors import PeerError, Reason, UsageError
from puretls.extensions.base import Extension, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.codec import OpaqueVector
from puretls.wire.schema import Struct, vector, wire

Select = Callable[[tuple[str, ...]], str | None]


@wire("7301 3.1")
class ProtocolNameList(Struct):
    """Names in the client's order; the server answers with exactly one."""

    names: tuple[bytes, ...] = vector(OpaqueVector(1, 2**8 - 1), 2, 2**16 - 1)


@extensible(init=False)
class Alpn(Extension):
    """`Alpn("h2", "http/1.1")`: what the client offers, or what the server takes, its favourite first.

    `select(offered)` chooses for a server instead of the order: it returns a name, or None to go on without. `required=False` lets
    a server without a protocol in common go on without one, instead of refusing with no_application_protocol (RFC 7301 3.2).
    `danger_any_answer=True` lets a client take a protocol that it did not offer: against RFC 7301 3.1, and only for those who look at
    what was agreed on before they speak.
    """

    type: ClassVar[int] = ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION
    rfc = "RFC 7301 3.1"
    fixed_offer = True
    of_connection = True  # RFC 7301 3.2; an application would not expect its protocol to change under its feet
    client_body: ClassVar[StructClass] = ProtocolNameList
    server_body: ClassVar[StructClass | None] = ProtocolNameList

    protocols: tuple[str, ...] = ()
    required: bool = True
    select: Select | None = None
    danger_any_answer: bool = False

    def __init__(
        self,
        *protocols: str,
        required: bool = True,
        select: Select | None = None,
        danger_any_answer: bool = False,
        enabled: bool = True,
    ) -> None:
        for name in protocols:
            if not 1 <= len(_encoded(name)) <= 255:
                raise UsageError(f"an application protocol name has 1 to 255 bytes: {name!r}")
        object.__setattr__(self, "protocols", protocols)
        object.__setattr__(self, "required", required)
        object.__setattr__(self, "select", select)
        object.__setattr__(self, "danger_any_answer", danger_any_answer)
        object.__setattr__(self, "enabled", enabled)

    def offer(self, view: View) -> ProtocolNameList | None:
        return ProtocolNameList(tuple(map(_encoded, self.protocols))) if self.protocols else None

    def accept(self, body: ProtocolNameList, view: View) -> str | None:
        offered = tuple(name.decode("latin-1") for name in body.names)
        if self.select is not None:
            return self._selected(offered)
        if not self.protocols:
            return None
        chosen = next((name for name in self.protocols if name in offered), None)
        if chosen is None and self.required:
            raise PeerError(Reason.NO_APPLICATION_PROTOCOL, f"offered {', '.join(offered)[:200]}", path="names")
        return chosen

    def _selected(self, offered: tuple[str, ...]) -> str | None:
        chosen = self.select(offered) if self.select is not None else None
        if chosen is not None and chosen not in offered:
            raise UsageError(f"select must return a protocol that is on offer, or None: not {chosen!r}")
        return chosen

    def answer(self, result: str | None, view: View) -> ProtocolNameList | None:
        return None if result is None else ProtocolNameList((result.encode("latin-1"),))

    @classmethod
    def kept(cls, result: str) -> dict[str, str]:
        return {"alpn": result}

    def confirm(self, body: ProtocolNameList, view: View) -> str:
        if len(body.names) != 1:
            raise self.illegal("the answer must hold exactly one protocol", "names", Reason.MALFORMED_EXTENSION)
        name = body.names[0].decode("latin-1")
        if name not in self.protocols and not self.danger_any_answer:
            raise PeerError(Reason.ALPN_NOT_OFFERED, repr(name), path="names[0]")
        return name


def _encoded(name: str) -> bytes:
    """The name in bytes, one per character (Latin-1). Names are bytes (RFC 7301 3.1), and so each of them can be written as text."""
    if not isinstance(name, str):
        raise UsageError(f"an application protocol name is text, such as \"h2\", not {described(name)}")
    try:
        return name.encode("latin-1")
    except UnicodeEncodeError:
        raise UsageError(f"an application protocol name has one byte a character, \\x00 to \\xff: {name!r}") from None
