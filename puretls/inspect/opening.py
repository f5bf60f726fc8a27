"""Opening records without taking part: the library's protection, and where everything lies that it takes off."""

from __future__ import annotations

import hmac

from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.cbc import CbcAlgorithm, StreamAlgorithm
from puretls.crypto.provider import Provider, default
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import digest_size
from puretls.record.protect import protect
from puretls.record.protection import Layout, Protection, mac_header
from puretls.schedule import WriteKeys
from puretls.suites import Suite


class Opener:
    """What one side sends under one key: `protection` opens it; the rest tells what is inside besides the content."""

    def __init__(self, suite: Suite, keys: WriteKeys, provider: Provider, *, encrypt_then_mac: bool = False) -> None:
        self.suite = suite
        self.encrypt_then_mac: bool = encrypt_then_mac and suite.is_cbc
        self.protection: Protection = protect(suite, keys, provider, encrypt_then_mac=encrypt_then_mac)
        self._keys = keys
        self._provider = provider
        self._mac_length = digest_size(suite.mac) if suite.mac and not self.encrypt_then_mac else 0
        """Bytes of a MAC that is encrypted along with the content."""

    def __repr__(self) -> str:
        return f"Opener({self.suite.name})"

    @property
    def block_length(self) -> int:
        """Bytes of the cipher's block, 1 where it encrypts byte for byte."""
        return self.suite.bulk.block_length if isinstance(self.suite.bulk, CbcAlgorithm) else 1

    @staticmethod
    def layout_of(suite: Suite, *, encrypt_then_mac: bool) -> Layout:
        """How a fragment under a suite is made up: that can be seen without its keys."""
        return protect(suite, _no_keys(suite), default(), encrypt_then_mac=encrypt_then_mac).layout

    def inner_length(self, fragment: int) -> int:
        """Bytes that are inside a fragment of so many bytes."""
        return sum(size for name, size in self.protection.layout.parts(fragment) if name == "ciphertext")

    def inside(self, sequence: int, type_: int, fragment: bytes, content: bytes) -> bytes:
        """All that is inside an authentic fragment: the content, and the MAC and the padding where these are encrypted as well."""
        if isinstance(self.suite.bulk, CbcAlgorithm):
            block = self.suite.bulk.block_length
            text = fragment[block : block + self.inner_length(len(fragment))]
            return self._provider.cbc(self.suite.bulk, self._keys.key).decrypt(fragment[:block], text)
        if isinstance(self.suite.bulk, StreamAlgorithm):
            header = mac_header(sequence, type_, len(content))
            return content + hmac.digest(self._keys.mac_key, header + content, self.suite.mac)
        return content

    def inner_parts(self, content: int, inner: int) -> tuple[tuple[str, int], ...]:
        """Names and lengths of what stands behind `content` bytes in `inner` bytes (RFC 5246 6.2.3.1 and 6.2.3.2)."""
        padding = inner - content - self._mac_length
        sizes = (("mac", self._mac_length), ("padding", padding - 1), ("padding_length", min(padding, 1)))
        return tuple((name, size) for name, size in sizes if size > 0)


def _no_keys(suite: Suite) -> WriteKeys:
    """Keys of the right lengths that open nothing."""
    iv = suite.bulk.fixed_iv_length if isinstance(suite.bulk, AeadAlgorithm) else 0
    mac = digest_size(suite.mac) if suite.mac else 0
    return WriteKeys(Secret(bytes(mac)), Secret(bytes(suite.bulk.key_length)), Secret(bytes(iv)))
