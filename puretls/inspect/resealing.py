"""Records that were sealed, taken apart and put together again: for edits of what is inside them, such as the padding of CBC."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from puretls import schedule
from puretls.crypto.cbc import CbcAlgorithm
from puretls.crypto.provider import Provider
from puretls.errors import UsageError
from puretls.extensions import EncryptThenMac
from puretls.handshake.context import Negotiated
from puretls.inspect.opening import Opener
from puretls.record.protection import mac_header
from puretls.schedule import WriteKeys
from puretls.spans import Span


class Resealer:
    """What one side writes under one key. It has the key, so that it can do what the side itself could have done."""

    def __init__(self, side: str, agreed: Negotiated, master: bytes, provider: Provider) -> None:
        block = schedule.key_block(provider.prf, agreed.suite, master, agreed.client_random, agreed.server_random)
        self._suite = agreed.suite
        self._keys: WriteKeys = block.client if side == "client" else block.server
        self._provider = provider
        etm = agreed.result(EncryptThenMac) is not None
        self._opener = Opener(agreed.suite, self._keys, provider, encrypt_then_mac=etm)

    def inside(self, sequence: int, type_: int, fragment: bytes, content: bytes) -> bytes:
        """All that a fragment holds: the content, and a MAC and padding that were encrypted with it."""
        return self._opener.inside(sequence, type_, fragment, content)

    def spans(self, number: int, content: int, inner: int) -> Sequence[Span]:
        """Fields inside record `number` behind its content of so many bytes."""
        made, position = [Span(0, content, f"record[{number}].content")], content
        for name, size in self._opener.inner_parts(content, inner):
            made.append(Span(position, position + size, f"record[{number}].{name}"))
            position += size
        return made

    def put(self, sequence: int, type_: int, fragment: bytes, old: bytes, new: bytes, *, mac: bool) -> bytes:
        """The fragment with `new` inside in place of `old`, under the same nonce or IV. `mac`: a MAC over the ciphertext is made anew.

        A tag stays as it was. Raises `UsageError` for what the cipher cannot hold.
        """
        if not isinstance(self._suite.bulk, CbcAlgorithm):
            return self._mixed(fragment, old, new)
        size = self._suite.bulk.block_length
        if not new or len(new) % size:
            raise UsageError(f"a record of this cipher holds blocks of {size} bytes: {len(new)} bytes are no number of them")
        iv = fragment[:size]
        text = iv + self._provider.cbc(self._suite.bulk, self._keys.key).encrypt(iv, new)
        tail = fragment[size + len(old) :]
        if mac and tail:
            tail = hmac.digest(self._keys.mac_key, mac_header(sequence, type_, len(text)) + text, self._suite.mac)
        return text + tail

    def _mixed(self, fragment: bytes, old: bytes, new: bytes) -> bytes:
        """Where each byte of ciphertext stands for one of plaintext, the difference of two plaintexts is that of their ciphertexts."""
        if len(old) != len(new):
            raise UsageError("a sealed record cannot change its length and stay readable: repair the mac")
        start = 0
        for name, size in self._opener.protection.layout.parts(len(fragment)):
            if name == "ciphertext":
                break
            start += size
        stop = start + len(old)
        mixed = bytes(sealed ^ one ^ other for sealed, one, other in zip(fragment[start:stop], old, new, strict=True))
        return fragment[:start] + mixed + fragment[stop:]
