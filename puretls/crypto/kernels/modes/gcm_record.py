"""AES-GCM of one long record: the integers that are xored are those that the parity masks hash."""

from __future__ import annotations

from itertools import accumulate, pairwise

from puretls.crypto.kernels.ghash.parity import CHUNKS, ParityMasks
from puretls.crypto.kernels.modes.gcm_lengths import length_block, padding

_EDGES = tuple([16 * (blocks - 1) for blocks in accumulate(CHUNKS)])
"""Where the chunks of the masks end, in bytes before the length block."""
LEAST = _EDGES[0]
"""Bytes of the body in the first chunk: as many are too few."""


def fits(length: int, aad: int) -> bool:
    """Whether `crypt` takes a body and additional data of so many bytes.

    The body must reach into the second chunk, and the additional data find room in the chunk where the body begins.
    """
    body = length + -length % 16
    return LEAST < body <= _EDGES[-1] and aad <= next(edge for edge in _EDGES if body <= edge) - body


def crypt(masks: ParityMasks, stream: bytes, body: bytes, aad: bytes, *, sealing: bool) -> tuple[bytes, int]:
    """The body under the keystream that follows the mask of the tag; and the GHASH of additional data, ciphertext and lengths."""
    length = len(body)
    end = length + -length % 16
    edges = [0, *(edge for edge in _EDGES if edge < end), end]
    hashed, output = [], []
    for near, far in pairwise(edges):
        start, stop = end - far, min(end - near, length)
        read = int.from_bytes(body[start:stop])
        written = read ^ int.from_bytes(stream[16 + start : 16 + stop])
        hashed.append(written if sealing else read)
        output.append(written.to_bytes(stop - start))
    hashed[0] = hashed[0] << 8 * (end - length) + 128 | length_block(len(aad), length)
    hashed[-1] |= int.from_bytes(aad + padding(len(aad))) << 8 * (end - edges[-2])
    output.reverse()
    return b"".join(output), masks.hash_chunks(hashed)
