"""AES in CBC mode (SP 800-38A 6.2): decryption of all blocks at once, encryption of records side by side."""

from __future__ import annotations

from collections.abc import Sequence

from puretls.crypto.cbc import Blocks, CbcAlgorithm
from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.aes import planes as aes_planes
from puretls.crypto.kernels.aes import rows as aes_rows
from puretls.crypto.kernels.aes.cipher import Aes, PreparedKeys
from puretls.crypto.lengths import check_blocks, check_length, check_message

BLOCK = 16


class AesCbc:
    """An AES key for CBC mode."""

    __slots__ = ("_aes", "_algorithm", "_plane_keys", "_row_keys")

    def __init__(self, algorithm: CbcAlgorithm, key: bytes, *, table_free: bool) -> None:
        check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
        self._algorithm = algorithm
        self._aes = Aes(key, table_free=table_free)
        inverse = aes_rows.inverse_schedule(self._aes.schedule)
        self._row_keys = PreparedKeys(inverse, aes_rows.round_keys, thresholds.ROWS_CACHED)
        self._plane_keys = PreparedKeys(inverse, aes_planes.row_key_planes, thresholds.LANES_CACHED)

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        self._check(iv, data)
        return self._aes.chain((iv,), (data,))[0] if data else b""

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        self._check(iv, data)
        return _xor(self._decrypt_blocks(data), iv + data[:-BLOCK]) if data else b""

    def encrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        groups: dict[int, list[int]] = {}
        for i, (iv, data) in enumerate(items):
            self._check(iv, data)
            groups.setdefault(len(data), []).append(i)
        results = [b""] * len(items)
        for length, indices in groups.items():
            if length:
                for i, output in zip(indices, self._aes.chain(*zip(*[items[i] for i in indices], strict=True)), strict=True):
                    results[i] = output
        return results

    def decrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        for iv, data in items:
            self._check(iv, data)
        joined = self._decrypt_blocks(b"".join([data for _, data in items]))
        plain = _xor(joined, b"".join([(iv + data)[: len(data)] for iv, data in items]))
        results, start = [], 0
        for _, data in items:
            results.append(plain[start : start + len(data)])
            start += len(data)
        return results

    def _check(self, iv: bytes, data: bytes) -> None:
        check_length(f"the IV of {self._algorithm.name}", iv, BLOCK)
        check_blocks(self._algorithm.name, data, BLOCK)
        check_message(self._algorithm.name, data)

    def _decrypt_blocks(self, blocks: bytes) -> bytes:
        """Each block decrypted for itself."""
        most = BLOCK * (thresholds.LANES_MOST - 8)
        return b"".join([self._decrypt_pass(blocks[i : i + most]) for i in range(0, len(blocks), most)])

    def _decrypt_pass(self, blocks: bytes) -> bytes:
        count = len(blocks) // BLOCK
        if count <= (thresholds.DECRYPT_ROWS_MOST_TABLE_FREE if self._aes.table_free else thresholds.DECRYPT_ROWS_MOST):
            n = count if count <= 16 else -(-count // thresholds.ROW_STEP) * thresholds.ROW_STEP
            state = aes_rows.to_state(blocks.ljust(BLOCK * n, b"\0"))
            decrypt = aes_rows.decrypt_table_free if self._aes.table_free else aes_rows.decrypt
            return aes_rows.from_state(decrypt(state, self._row_keys(n), n), n)[: len(blocks)]
        n = aes_planes.lanes(count)
        rows = aes_planes.row_planes(blocks.ljust(BLOCK * n, b"\0"))
        return aes_planes.from_row_planes(aes_planes.decrypt_rows(rows, self._plane_keys(n), n), n)[: len(blocks)]


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a) ^ int.from_bytes(b)).to_bytes(len(a))
