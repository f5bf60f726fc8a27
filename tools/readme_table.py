"""The README's table of speed from what `tools/bench.py all --json FILE` measured: python tools/readme_table.py FILE."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.harness import put_into

README = Path(__file__).resolve().parent.parent / "README.md"
SHOWN = (
    ("AES-128-GCM seal", "16384", "AES-128-GCM, one record of 16 KiB"),
    ("AES-128-GCM seal", "64x16384", "AES-128-GCM, 64 records in one call"),
    ("ChaCha20-Poly1305 seal", "16384", "ChaCha20-Poly1305, one record of 16 KiB"),
    ("ChaCha20-Poly1305 seal", "64x16384", "ChaCha20-Poly1305, 64 records in one call"),
    ("AES-128-CBC-SHA256 open", "16384", "AES-128-CBC with HMAC-SHA256, opening 16 KiB"),
    ("AES-128-GCM download", "", "download from OpenSSL, AES-128-GCM"),
    ("AES-128-GCM upload", "", "upload to OpenSSL, AES-128-GCM"),
    ("ECDHE-ECDSA-P256 x25519 server", "", "handshake ECDHE-ECDSA x25519, server"),
    ("ECDHE-ECDSA-P256 x25519 client, chain validated, first contact", "", "the same, client, chain validated"),
    ("ECDHE-ECDSA-P256 x25519 client, chain validated, again", "", "the same, client, chain known"),
    ("ECDHE-RSA-2048 x25519 server", "", "handshake ECDHE-RSA-2048 x25519, server"),
    ("ECDHE-RSA-2048 x25519 client, chain validated, first contact", "", "the same, client, chain validated"),
    ("ECDHE-RSA-2048 x25519 client, chain validated, again", "", "the same, client, chain known"),
    ("ticket resumption client plus server", "", "resumption by ticket, both sides"),
    ("over a bare interpreter", "", "import, over a bare interpreter"),
)
"""Case and size (empty: any) as measured, and how the README calls it."""


def line(rows: list[dict[str, Any]], case: str, size: str, name: str) -> str:
    row = next(row for row in rows if row["case"] == case and size in {"", row["size"]})
    figures = [f"{figure(row[who])} {row['unit']}" for who in ("puretls", "tlslite_ng", "openssl")]
    return f"| {name} | {' | '.join(figures)} | {figure(row['ratio'])} |"


def figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.3g}"


def main(source: str) -> None:
    document = json.loads(Path(source).read_text())
    lines = ["| | puretls | tlslite-ng | OpenSSL | ratio |", "|---|---|---|---|---|"]
    lines += [line(document["rows"], *shown) for shown in SHOWN]
    about = f"{document['measured']}; {document['python']}, {document['machine']}"
    put_into(README, "\n".join(lines) + f"\n\n({about}.)")


if __name__ == "__main__":
    main(sys.argv[1])
