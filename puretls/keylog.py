"""The NSS key log format, one line a connection: what Wireshark reads to decrypt a capture.

Owns the format only; who opens the file is said in `net.keylog_file`.
"""

from __future__ import annotations

CLIENT_RANDOM = "CLIENT_RANDOM"
"""Label of a TLS 1.2 master secret, found by the random of the ClientHello."""


class KeyLogLine(str):
    """A line whose `repr` shows no more than its length, so that a traceback through whoever writes it does not show the secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"KeyLogLine({len(self)} characters)"


def key_log_line(label: str, client_random: bytes, secret: bytes) -> KeyLogLine:
    """One line without its end, such as "CLIENT_RANDOM <64 hex digits> <96 hex digits>"."""
    return KeyLogLine(f"{label} {client_random.hex()} {secret.hex()}")
