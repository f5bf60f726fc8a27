"""Key exchange groups: the contract, and what can be wrong with a peer's public value."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from puretls.crypto.secret import Secret

RandomBytes = Callable[[int], bytes]
"""`random(n)` gives n bytes; entropy is always an argument, never taken from the system here."""


class BadPublicValue(Exception):
    """The peer's public value is not one of the group. `str()` is a sentence for the peer's error report."""


class KeyShare(NamedTuple):
    """An ephemeral key pair: `private` as the group likes it, `public` as it travels."""

    private: Secret
    public: bytes


class Group(Protocol):
    """A Diffie-Hellman group, finite-field or elliptic.

    Public values: elliptic curves uncompressed points (RFC 8422 5.4.1), x25519/x448 32/56 bytes (RFC 7748 5), finite fields
    big-endian of the length of p (RFC 7919). Shared secrets: the x coordinate at full length (RFC 8422 5.10), finite fields
    **without leading zero bytes** (RFC 5246 8.1.2): what becomes the premaster secret.
    """

    name: str
    """The IANA name, for example "x25519", or "ffdhe2048", or "dh2048" for an unnamed finite field."""

    def generate(self, random: RandomBytes) -> KeyShare:
        """A fresh key pair."""

    def shared_secret(self, private: Secret, peer: bytes) -> Secret:
        """The shared secret.

        Raises `BadPublicValue` for a wrong length or form, a point off the curve, an all-zero result (RFC 7748 6.1), and for
        finite fields a value outside 2..p-2 (RFC 7919 5.1).
        """

    def answer(self, random: RandomBytes, peer: bytes) -> tuple[KeyShare, Secret]:
        """`generate` and `shared_secret` for a peer that has sent its public value already; some groups save work."""
        share = self.generate(random)
        return share, self.shared_secret(share.private, peer)
