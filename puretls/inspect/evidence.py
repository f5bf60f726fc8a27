"""What a conversation tells about why it failed: hellos, certificates, names, times, and the records that could not be read."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from puretls.errors import DecodeError, Reason
from puretls.iana import ExtensionType
from puretls.inspect.conversation import Conversation
from puretls.inspect.seen import MessageSeen
from puretls.inspect.streams import other
from puretls.messages.handshake import Certificate, CertificateRequest, ClientHello
from puretls.suites import BY_ID, Suite

if TYPE_CHECKING:
    from puretls.x509.certificates.certificate import Certificate as X509

CLOCKS_SET = 10**18
"""Nanoseconds since the epoch: what is before 2001 is no time of day."""


class FailedRecord(NamedTuple):
    """A record that its receiver could not read; whether it is the first under its keys, and whether it opens under the keys known here."""

    path: str
    first: bool
    opens: bool


class Evidence:
    """What a conversation tells about why it failed; everything is looked up when a test asks for it."""

    def __init__(self, conversation: Conversation, alert: str, by: str) -> None:
        self.conversation: Conversation = conversation
        self.alert: str = alert
        self.by: str = by

    def message(self, side: str, name: str) -> MessageSeen | None:
        """The newest message of this name that could be read."""
        found = (seen for seen in reversed(self.conversation.messages) if (seen.side, seen.name) == (side, name) and seen.message)
        return next(found, None)

    @cached_property
    def hello(self) -> ClientHello | None:
        seen = self.message("client", "ClientHello")
        return seen.message if seen and isinstance(seen.message, ClientHello) else None

    @property
    def hello_path(self) -> str:
        """The path of the newest ClientHello."""
        seen = self.message("client", "ClientHello")
        return seen.path if seen else "client.ClientHello"

    @property
    def at_hello(self) -> bool:
        """Whether the server gave up on the ClientHello alone: no ServerHello came after it."""
        hello, answer = self.message("client", "ClientHello"), self.message("server", "ServerHello")
        return self.by == "server" and hello is not None and (answer is None or answer.order < hello.order)

    @cached_property
    def suites(self) -> tuple[Suite, ...]:
        """Those offered that are known here."""
        return tuple(BY_ID[number] for number in self.hello.cipher_suites if number in BY_ID) if self.hello else ()

    def value(self, kind: ExtensionType, field: str) -> Any:
        """A field of an extension of the ClientHello; None without it."""
        path = self.extension_path(kind, field)
        leaves = self.conversation.byte_map.find(path) if path else ()
        return next((leaf.value for leaf in leaves if leaf.path == path), None)

    def extension_path(self, kind: ExtensionType, field: str = "") -> str:
        """The path of an extension of the newest ClientHello; "" without it."""
        seen = self.message("client", "ClientHello")
        for index, extension in enumerate((self.hello.extensions or ()) if self.hello else ()):
            if extension.extension_type == kind and seen:
                return f"{seen.path}.extensions[{index}].{kind.name.lower()}{field}"
        return ""

    def values(self, kind: ExtensionType, field: str) -> list[Any] | None:
        """The items of a list in an extension of the ClientHello; None without it."""
        path = self.extension_path(kind, field)
        if not path:
            return None
        leaves = self.conversation.byte_map.find(path)
        return [leaf.value for leaf in leaves if leaf.view == "wire" and leaf.path.endswith("]")]

    @cached_property
    def server_name(self) -> str:
        name = self.value(ExtensionType.SERVER_NAME, ".names[0].name")
        return name.decode("ascii", "replace") if isinstance(name, bytes) else ""

    def chain(self, side: str) -> list[X509]:
        """The certificates of a side that can be read."""
        from puretls.x509.certificates.certificate import Certificate as X509

        seen = self.message(side, "Certificate")
        found = []
        for der in seen.message.certificate_list if seen and isinstance(seen.message, Certificate) else ():
            try:
                found.append(X509.read(der))
            except DecodeError:
                break
        return found

    @property
    def accused(self) -> str:
        """Whose certificates the alert is about: the other side's."""
        return other(self.by)

    @cached_property
    def request(self) -> CertificateRequest | None:
        seen = self.message("server", "CertificateRequest")
        return seen.message if seen and isinstance(seen.message, CertificateRequest) else None

    @property
    def seconds(self) -> float | None:
        """When it happened, in seconds since the epoch; None where nobody noted it."""
        times = [self.conversation.began, *(seen.time for seen in self.conversation.messages)]
        known = [time for time in times if time is not None and time > CLOCKS_SET]
        return known[-1] / 1e9 if known else None

    @cached_property
    def failed_record(self) -> FailedRecord | None:
        """The first protected record that `by` could not have read, or the last it got."""
        records = [record for record in self.conversation.records if record.side == self.accused and record.epoch]
        bad = next((record for record in records if record.problem and record.problem.reason is Reason.BAD_RECORD_MAC), None)
        chosen = bad or (records[-1] if records else None)
        return FailedRecord(chosen.path, chosen.sequence in {0, None}, chosen.plaintext is not None) if chosen else None
