"""A capture as a value: its TLS connections, its key log, and what is to be said of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from puretls.errors import PuretlsError
from puretls.extensions.server_name import HOST_NAME, ServerNameList
from puretls.iana import ExtensionType, ProtocolVersion
from puretls.inspect.captures import beginning
from puretls.inspect.captures.assemble import directions, streams
from puretls.inspect.captures.beginning import Prefix
from puretls.inspect.captures.files import CaptureError, CaptureFile
from puretls.inspect.captures.packets import Endpoint, Segments
from puretls.inspect.captures.tcp import Flow, flows
from puretls.inspect.knowledge import CAPTURE, NOTHING, Knowledge
from puretls.inspect.streams import Stream
from puretls.keylog import KeyLogLine
from puretls.messages.handshake import ClientHello, ServerHello
from puretls.text import printable
from puretls.values import frozen
from puretls.wire.schema import parse

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation


@frozen
class TcpConnection:
    """A TCP connection with TLS in it. `number` counts from 1 among those of its capture; `began` is in nanoseconds since the epoch.

    `client` and `server` are the streams from the first byte of TLS on; `prefix` is what was said before.
    """

    number: int
    addresses: tuple[str, str]
    """The client's and the server's: "192.0.2.1:49152", "[2001:db8::1]:443"."""
    client: Stream
    server: Stream
    began: int | None = None
    prefix: Prefix = Prefix()
    notes: tuple[str, ...] = ()
    knowledge: Knowledge = NOTHING
    """What the capture's own key log tells."""

    def __repr__(self) -> str:
        name = f", {self.server_name}" if self.server_name else ""
        return f"<TcpConnection {self.number}: {self.addresses[0]} to {self.addresses[1]}{name}, {self.size} bytes>"

    @property
    def server_name(self) -> str:
        """The name that the client asked for (RFC 6066 3), "" where it asked for none."""
        hello = _client_hello(self.client)
        for extension in (hello.extensions if hello else None) or ():
            if extension.extension_type == ExtensionType.SERVER_NAME:
                return _host_name(extension.extension_data)
        return ""

    @property
    def suite(self) -> str:
        """The name of the cipher suite that the server chose, its number where it has no name, "" where no ServerHello was seen."""
        hello = _server_hello(self.server)
        return getattr(hello.cipher_suite, "name", f"{hello.cipher_suite:#06x}") if hello else ""

    @property
    def version(self) -> str:
        """The version that the server chose, such as "TLS 1.2"; "" where no ServerHello was seen."""
        hello = _server_hello(self.server)
        if hello is None:
            return ""
        said = [e.extension_data for e in hello.extensions or () if e.extension_type == ExtensionType.SUPPORTED_VERSIONS]
        number = int.from_bytes(said[0], "big") if said else int(hello.server_version)
        return _VERSIONS.get(number, f"version {number:#06x}")

    @property
    def size(self) -> int:
        """Bytes of TLS that were captured of both directions."""
        return sum(len(chunk.data) for stream in (self.client, self.server) for chunk in stream.chunks)

    @property
    def complete(self) -> bool:
        """Whether no byte between the first and the last is missing."""
        return not self.client.gaps and not self.server.gaps

    def conversation(self, knowledge: Knowledge = NOTHING) -> Conversation:
        """It decoded with what is known, and with the key log of its capture."""
        from puretls.inspect.conversation import Conversation

        name = self.server_name or self.addresses[1]
        return Conversation(
            self.client,
            self.server,
            self.knowledge | knowledge,
            name=name,
            addresses=self.addresses,
            began=self.began,
            prefix=self.prefix,
        )


@frozen
class Capture:
    """What a capture file holds: its TLS connections in the order in which they began, the text of its key log, what is to be said."""

    connections: tuple[TcpConnection, ...]
    key_log: str = ""
    notes: tuple[str, ...] = ()
    damaged: bool = False
    """Whether the file was cut off or broken somewhere: what stands before that is here."""

    def __repr__(self) -> str:
        lines = len(self.key_log.splitlines())
        return f"<Capture: TLS connections {len(self.connections)}, lines of key log {lines}, notes {len(self.notes)}>"

    def choose(self, which: str | int = "") -> TcpConnection:
        """The connection of this number, address (of either side, with or without port) or server name; the only one where none is told.

        Raises `CaptureError` where there is none, or several; its text tells how to choose.
        """
        wanted = str(which)
        found = [connection for connection in self.connections if _is(connection, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(connection.number) for connection in found[:_FEW]) + (", ..." if len(found) > _FEW else "")
            of = f"are of {wanted}" if wanted else "are in the capture"
            raise CaptureError(f"{len(found)} connections {of}: choose one by its number ({numbers})")
        raise CaptureError(
            f"no connection is of {wanted}: choose by number (1 to {len(self.connections)}), address or server name"
        )

    def conversations(self, knowledge: Knowledge = NOTHING) -> Iterator[Conversation]:
        """All connections decoded one after the other; what one tells of a session helps with those that resume it."""
        for connection in self.connections:
            conversation = connection.conversation(knowledge)
            knowledge = knowledge | conversation.learned
            yield conversation


def read_capture(source: str | os.PathLike[str] | bytes | BinaryIO, progress: Callable[[int], object] | None = None) -> Capture:
    """A capture in pcap or pcapng format, packed with gzip or not: of a path, the bytes themselves, or a binary file from where it stands.

    `progress` is called now and then with the number of bytes read of the file. What is damaged or cut off is left out, and is said in
    the notes of the capture. Raises `CaptureError` where it is no capture, is of an unknown link type, or has no TLS in it; `UsageError`
    where dpkt is not installed; `OSError` where the file cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _read(BytesIO(source), "the capture", progress)
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            return _read(file, printable(os.fspath(source)), progress)
    return _read(source, "the capture", progress)


def _read(file: BinaryIO, name: str, progress: Callable[[int], object] | None) -> Capture:
    packets = CaptureFile(file, name, progress)
    segments = Segments(packets)
    found = flows(segments)
    key_log = KeyLogLine("\n".join(packets.key_log))
    known = Knowledge.of(key_log, source=CAPTURE)
    seen = [made for flow in found if (made := _connection(flow, known)) is not None]
    connections = tuple(replace(connection, number=number) for number, connection in enumerate(seen, 1))
    notes = [*packets.notes, *segments.notes]
    if len(found) > len(seen):
        notes.append(f"{_WITHOUT_TLS}: {len(found) - len(seen)}")
    if not connections:
        raise CaptureError(_no_tls(name, packets.count, len(found), notes))
    return Capture(connections, key_log, tuple(notes), packets.damaged)


def _connection(flow: Flow, knowledge: Knowledge) -> TcpConnection | None:
    """None where there is no TLS in it. Connections are numbered later."""
    made = directions(*(flow.sides[end] for end in flow.ends))
    both = streams(*made)
    opener = flow.ends.index(flow.opener) if flow.opener else None
    begins = beginning.find(both, opener, [port for _, port in flow.ends])
    if begins is None:
        return None
    of_client, of_server = begins.client, 1 - begins.client
    client, before = beginning.without_prefix(both[of_client], begins.starts[of_client], begins.certain[of_client])
    server, answered = beginning.without_prefix(both[of_server], begins.starts[of_server], begins.certain[of_server])
    notes = [f"{side}: {note}" for side, which in (("client", of_client), ("server", of_server)) for note in made[which].notes]
    addresses = _address(flow.ends[of_client]), _address(flow.ends[of_server])
    prefix = Prefix(before, answered, beginning.protocol(before, answered))
    return TcpConnection(0, addresses, client, server, flow.began, prefix, tuple(notes), knowledge)


def _address(end: Endpoint) -> str:
    address, port = ip_address(end[0]), end[1]
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _client_hello(stream: Stream) -> ClientHello | None:
    found = beginning.hello(stream)
    return found if isinstance(found, ClientHello) else None


def _server_hello(stream: Stream) -> ServerHello | None:
    found = beginning.hello(stream)
    return found if isinstance(found, ServerHello) else None


def _host_name(data: bytes) -> str:
    try:
        names = parse(ServerNameList, data).names
    except PuretlsError:
        return ""
    return next((printable(entry.name) for entry in names if entry.name_type == HOST_NAME), "")


def _is(connection: TcpConnection, wanted: str) -> bool:
    if not wanted or wanted == str(connection.number):
        return True
    if not wanted.isdigit() and wanted.lower() == connection.server_name.lower():
        return True
    return any(wanted in {address, host.strip("[]")} for address in connection.addresses for host in [address.rpartition(":")[0]])


def _no_tls(name: str, packets: int, connections: int, notes: Sequence[str]) -> str:
    if not packets:
        what = "there is no packet in it"
    elif not connections:
        what = f"there is no TCP in its packets ({packets})"
    else:
        what = f"there is none in its TCP connections ({connections})"
    return f"{name} holds no TLS: {what}" + "".join(f"; {note}" for note in notes if not note.startswith(_WITHOUT_TLS))


_FEW = 8
_WITHOUT_TLS = "TCP connections without TLS, passed over"
_VERSIONS = {int(version): version.name.replace("_", " ", 1).replace("_", ".") for version in ProtocolVersion}
