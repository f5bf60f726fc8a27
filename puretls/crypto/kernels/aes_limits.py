"""Where one way to compute AES and GHASH becomes faster than another: every threshold, measured on CPython 3.11.

Counts are blocks of 16 bytes where nothing else is said.
"""

from __future__ import annotations

ROWS_MOST = 520
"""CTR: byte rows up to here, bit planes above."""
ROWS_MOST_TABLE_FREE = 128
"""The same where the S-box is a circuit."""
DECRYPT_ROWS_MOST = 440
"""CBC decryption: byte rows up to here, bit planes above."""
DECRYPT_ROWS_MOST_TABLE_FREE = 112
ROW_STEP = 4
"""Byte rows above 16 blocks are made for multiples of this, so that prepared round keys fit more often."""
ROWS_CACHED = 1024
"""Blocks for which round keys are kept prepared, all sizes of one key together."""
LANES_MOST = 8256
"""Counter blocks in one pass of 32 planes; temporaries leave the cache above."""
CHAINS_AS_LANES = 3
"""CBC encryption and CBC-MAC: this many equally long messages go side by side as byte rows."""

BATCH_RECORDS = 16
"""Equally long records from which keystream comes from 128 planes, and GHASH of a batch from the tree."""
BATCH_MOST = 64
"""Records in one batch: some 16 MiB of temporaries for full records."""
BATCH_BLOCKS = 192
"""Blocks a record from which the tree is worth it."""

GHASH_TABLE_AFTER = 64
"""Blocks hashed under one key before tables are made (190 us); until then every product is made for itself (3 us)."""
GHASH_PARITY_AFTER = 12000
"""Blocks hashed under one key before parity masks are made (5 ms), where tables may be used."""
GHASH_PARITY_BLOCKS = 400
"""Messages from this length go to the masks where tables may be used."""
GHASH_SINGLE_MOST = 5
"""Table-free: up to here products block by block, then the masks."""
BATCH_BLOCKS_MOST = 2048
"""Blocks a record up to which a batch is made: longer records gain nothing and take memory."""
