"""AES-GCM of many equally long records in one pass of 128 planes: encrypted, and hashed from the same planes. No tables."""

from __future__ import annotations

from puretls.crypto.aead import Sealing
from puretls.crypto.kernels.aes.batch import blocks_from_planes, blocks_to_planes, from_planes, keystream_planes, to_planes
from puretls.crypto.kernels.aes.planes import Block, add
from puretls.crypto.kernels.ghash.ghash import Ghash
from puretls.crypto.kernels.ghash.tree import multiply_planes
from puretls.crypto.kernels.modes.gcm_lengths import length_block, padding


def crypt(schedule: bytes, ghash: Ghash, items: list[Sealing], *, sealing: bool) -> list[tuple[bytes, bytes]]:
    """(output, tag) of each (nonce, body without tag, additional data); all bodies equally long and not empty."""
    length = len(items[0][1])
    blocks = -(-length // 16)
    padded = [*items, *items[-1:] * (-len(items) % 8)]
    r = len(padded)
    keystream = keystream_planes(schedule, [nonce + b"\0" for nonce, _, _ in padded], 1, blocks)
    bodies = to_planes([body + padding(length) for _, body, _ in padded])
    output = _add(keystream, bodies, blocks * r, length % 16, r)
    tag_masks: Block = [tuple([plane >> blocks * r for plane in planes]) for planes in keystream]
    hashes = _hashes(ghash, output if sealing else bodies, [aad for _, _, aad in padded], blocks)
    tags = blocks_from_planes(add(hashes, tag_masks), r)
    outputs = from_planes(output, r, blocks)
    lengths = {len(aad): ghash.times_h(length_block(len(aad), length)) for _, _, aad in items}
    return [
        (out[:length], (int.from_bytes(tag) ^ lengths[len(aad)]).to_bytes(16))
        for out, tag, (_, _, aad) in zip(outputs, tags, items, strict=False)
    ]


def _add(keystream: Block, bodies: Block, lanes: int, tail: int, r: int) -> Block:
    """Their sum, zero from byte `tail` of the last block (0: the block is full) and above the lanes."""
    full, short = (1 << lanes) - 1, (1 << lanes - r) - 1
    output: Block = []
    for p in range(16):
        mask = short if 0 < tail <= p else full
        output.append(tuple([(k ^ x) & mask for k, x in zip(keystream[p], bodies[p], strict=True)]))
    return output


def _hashes(ghash: Ghash, cipher: Block, aads: list[bytes], blocks: int) -> Block:
    """(additional data and ciphertext) times h^2: what is left of GHASH but the length block."""
    r = len(aads)
    size = 1 << (blocks - 1).bit_length()
    shift = (size - blocks) * r
    last_of_aads = blocks_to_planes([_aad_state(ghash, aad).to_bytes(16) for aad in aads])
    heads = multiply_planes(_coefficients(last_of_aads), ghash.tree.level(0), r)
    planes = [plane ^ head for plane, head in zip(_coefficients(cipher), heads, strict=True)]
    if shift:
        planes = [plane << shift for plane in planes]
    result = multiply_planes(ghash.tree.reduce(planes, r, size), ghash.tree.level(1), r)
    return [tuple(result[8 * p : 8 * p + 8][::-1]) for p in range(16)]


def _aad_state(ghash: Ghash, aad: bytes) -> int:
    """GHASH of the additional data but for the last multiplication."""
    data = aad + padding(len(aad))
    state = ghash.hash(0, data[:-16]) if len(data) > 16 else 0
    return state ^ int.from_bytes(data[-16:])


def _coefficients(block: Block) -> list[int]:
    """Planes in the order of GHASH: the most significant bit of each byte first (SP 800-38D 6.3)."""
    return [plane for planes in block for plane in reversed(planes)]
