"""Where one way to compute AES and GHASH becomes faster than another: every threshold, measured on CPython 3.11.

Counts are blocks of 16 bytes where nothing else is said.
"""

from __future__ import annotations

ROWS_MOST = 560
"""CTR: byte rows up to here, 32 planes above."""
ROWS_MOST_TABLE_FREE = 160
"""The same where the S-box is a circuit."""
DECRYPT_ROWS_MOST = 500
"""CBC decryption: byte rows up to here, 32 planes above."""
DECRYPT_ROWS_MOST_TABLE_FREE = 160
"""The same where the S-box is a circuit."""
ROW_STEP = 4
"""Byte rows above 16 blocks are made for multiples of this, so that prepared round keys fit more often."""
ROWS_CACHED = 1024
"""Blocks for which round keys are kept prepared, all sizes of one key together: 190 bytes each (AES-256: 260)."""
LANES_CACHED = 16640
"""Lanes for which round keys of 32 planes are kept prepared, all sizes together: some 3 KiB a size, they share their integers."""
LANES_MOST = 8256
"""Counter blocks in one pass of 32 planes; temporaries leave the cache above."""
CHAINS_AS_LANES = 2
"""CBC encryption and CBC-MAC: from this many equally long messages they go side by side as byte rows."""
STREAM_RECORDS = 16
"""Equally long records from which their keystream comes from 128 planes."""

BATCH_RECORDS = 12
"""GCM: equally long records from which a batch, with its tree for GHASH, is worth it."""
BATCH_BLOCKS = 5000
"""GCM: blocks from which a batch is worth it."""
BATCH_MOST = 64
"""Records in one batch: 6 MiB at the peak for full records."""
BATCH_RECORD_MOST = 2048
"""GCM: longer records stay out of batches, they gain nothing and take memory."""

GHASH_TABLE_AFTER = 64
"""Blocks hashed under one key before tables are made (190 us); until then every product is made for itself (3 us)."""
GHASH_PARITY_AFTER = 10000
"""Blocks hashed under one key before parity masks are made (3.5 ms), where tables may be used."""
GHASH_PARITY_BLOCKS = 200
"""Messages from this length go to the masks where tables may be used."""
MASK_SETS_MOST = 8
"""Keys of the process that may hold parity masks (1.3 MiB each) where tables (0.2 MiB) may be used instead: those used last."""
GHASH_SINGLE_MOST = 12
"""Table-free: up to here products block by block, then the masks."""
