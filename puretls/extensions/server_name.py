"""server_name (RFC 6066 section 3): which of a server's names the client wants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from puretls.errors import DecodeError
from puretls.extensions.base import Empty, Extension, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.schema import Struct, opaque_vector, parse, u8, vector, wire

if TYPE_CHECKING:
    from puretls.messages.handshake import ClientHello
    from puretls.session import Session

HOST_NAME = 0
_HOST_NAME = re.compile(rb"[A-Za-z0-9_.-]{1,255}")


def _is_address(name: bytes) -> bool:
    """Whether this is an address in text form, which RFC 6066 3 does not permit here; clients send it, and servers pass over it."""
    if b":" not in name and not name[-1:].isdigit():
        return False
    from ipaddress import ip_address

    try:
        ip_address(name.decode("ascii").removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


@wire("6066 3")
class ServerNameEntry(Struct):
    """One name; all types that may come are promised to begin with a 16-bit length."""

    name_type: int = u8()
    name: bytes = opaque_vector(1, 2**16 - 1)


@wire("6066 3")
class ServerNameList(Struct):
    """What the client sends."""

    names: tuple[ServerNameEntry, ...] = vector(ServerNameEntry, 1, 2**16 - 1)


@extensible()
class ServerName(Extension):
    """Sends the name the connection was made for, or `name` instead; the server's result is the name as text.

    `acknowledge` is a server's: whether it says in its ServerHello that it went by the name (RFC 6066 3). None, the default: where the
    name is one of the certificate's; else always, or never.
    """

    type: ClassVar[int] = ExtensionType.SERVER_NAME
    rfc = "RFC 6066 3"
    client_body: ClassVar[StructClass] = ServerNameList
    server_body: ClassVar[StructClass | None] = Empty

    name: str | None = None
    acknowledge: bool | None = None

    def offer(self, view: View) -> ServerNameList | None:
        name = self.name or view.server_name
        return ServerNameList((ServerNameEntry(HOST_NAME, name.encode("ascii")),)) if name else None

    def accept(self, body: ServerNameList, view: View) -> str | None:
        names = [entry.name for entry in body.names if entry.name_type == HOST_NAME]
        if len(names) > 1:
            raise self.illegal("more than one host name", "names")
        if not names or _is_address(names[0]):
            return None
        if not _HOST_NAME.fullmatch(names[0]):
            raise self.illegal("the host name is not one", "names")
        return names[0].decode("ascii").lower()

    def may_answer(self, result: str, view: View) -> bool:
        """Answers only if the name decided which certificate is shown (RFC 6066 3)."""
        if self.acknowledge is not None:
            return self.acknowledge
        return view.is_own_name is not None and view.is_own_name(result)

    @classmethod
    def kept(cls, result: str) -> dict[str, str]:
        return {"server_name": result}

    @classmethod
    def may_resume(cls, session: Session, result: str | None) -> bool:
        return session.server_name == result  # RFC 6066 3

    def answer(self, result: str | None, view: View) -> Empty | None:
        # RFC 6066 3: not on resumption; and empty, since it only says that the name was used.
        return Empty() if result is not None and not view.resumed else None

    def confirm(self, body: Empty, view: View) -> str | None:
        return self.name or view.server_name


def asked_name(hello: ClientHello) -> str | None:
    """The host name that a ClientHello asks for, as it stands there; None where there is none, or one that cannot be read."""
    for extension in hello.extensions or ():
        if extension.extension_type == ExtensionType.SERVER_NAME:
            try:
                names = parse(ServerNameList, extension.extension_data).names
            except DecodeError:
                return None
            name = next((entry.name for entry in names if entry.name_type == HOST_NAME), b"")
            return name.decode("ascii", "replace") or None
    return None
