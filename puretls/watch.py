"""Who watches a connection: told of every byte that goes in and out, and of its master secrets; changes nothing.

This is for recorders. It costs a call for each `receive_bytes` and `bytes_to_send`, where an `Interceptor` costs one for each record,
and keeps records from being sealed and opened in batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from puretls.crypto.secret import Secret

if TYPE_CHECKING:
    from puretls.config import Config


class Watcher(Protocol):
    """What a connection calls. Exceptions leave through the call that the application made, as `CallbackError`."""

    def begins(self, config: Config) -> None:
        """A connection is watched from here on, which has this configuration."""

    def received(self, data: bytes) -> None:
        """Bytes came from the peer; b"" is the end of its stream."""

    def sent(self, data: bytes) -> None:
        """Bytes were handed to the transport."""

    def secret(self, client_random: bytes, master: Secret) -> None:
        """A master secret was agreed on (RFC 5246 8.1), or taken from the session that is resumed."""
