"""A browser whose user is logged in at a bank, and which a page of the attacker's makes send requests: the victim of several labs."""

from __future__ import annotations

import copy
from typing import Any

from puretls import danger
from puretls.extensions import EncryptThenMac
from puretls.iana import ContentType
from puretls.inspect.conversation import Conversation
from puretls.labs.ends import octets, one_record, text
from puretls.labs.stage import Pair, Seeded, suite
from puretls.record.channel import Channel
from puretls.record.protection import Protection

CBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
BLOCK, MAC = 16, 20
"""Bytes of a block of AES, and of HMAC-SHA1."""
DIGITS = 4


class Browser:
    """A browser and the bank's server after a handshake.

    Every request is sent as the first after it, as if each had its own connection: so none has to wait for a handshake, and one that is
    refused ends nothing. The cookie is a PIN of four digits, which the attacker wants.
    """

    def __init__(self, seeded: Seeded, suite_name: str = CBC) -> None:
        self.pin = f"{seeded.number('pin', 10**DIGITS):0{DIGITS}}"
        shared: dict[str, Any] = {"suites": (suite(suite_name),), "extensions": (EncryptThenMac(enabled=False),)}
        self.pair = Pair(seeded.client(**shared), seeded.server(**shared)).shake()
        self.sends = danger.parts(self.pair.client.connection).outbound.channel
        self._receives = danger.parts(self.pair.server.connection).inbound.channel

    def replace(self, protection: type[Protection]) -> None:
        """Have the server open records by this class, under the same keys."""
        self._receives.protection = recast(self._receives.protection, protection)

    @property
    def protection(self) -> Any:
        """What opens records at the server."""
        return self._receives.protection

    def content(self, path: str, body: bytes = b"") -> bytes:
        """What the browser sends: the attacker chooses path and body, the browser adds the cookie."""
        return f"POST /{text('path', path)} HTTP/1.1\r\nCookie: pin={self.pin}\r\n\r\n".encode() + octets("body", body)

    def request(self, path: str, body: bytes = b"") -> bytes:
        """The record in which a request travels, header included."""
        return _fresh(self.sends).seal(ContentType.APPLICATION_DATA, self.content(path, body)).to_bytes()

    def open(self, record: bytes) -> bytes | None:
        """What the server opens of a record; None when it refuses it."""
        return _fresh(self._receives).open(one_record(record))

    def shown(self) -> Conversation:
        """The handshake and one request, for those who look on."""
        self.pair.say("client", self.content("index"))
        return self.pair.conversation


def recast(protection: Protection, cls: type[Protection]) -> Protection:
    """The same keys under another class."""
    twin: Any = copy.copy(protection)
    twin.__class__ = cls
    return twin  # type: ignore[no-any-return]


def _fresh(channel: Channel) -> Channel:
    """The channel as it is after the handshake."""
    return channel.fork()
