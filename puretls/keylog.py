"""The NSS key log format, one line a connection: what Wireshark reads to decrypt a capture.

Owns the format only; who opens the file is said in `net.keylog_file`.
"""

from __future__ import annotations

import re

from puretls.crypto.secret import Secret

CLIENT_RANDOM = "CLIENT_RANDOM"
"""Label of a TLS 1.2 master secret, found by the random of the ClientHello."""

_LINE = rf"^({CLIENT_RANDOM}) ([0-9a-fA-F]{{64}}) ([0-9a-fA-F]{{96}})\s*$"


class KeyLogLine(str):
    """A line whose `repr` shows no more than its length, so that a traceback through whoever writes it does not show the secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"KeyLogLine({len(self)} characters)"


def key_log_line(label: str, client_random: bytes, secret: bytes) -> KeyLogLine:
    """One line without its end, such as "CLIENT_RANDOM <64 hex digits> <96 hex digits>"."""
    return KeyLogLine(f"{label} {client_random.hex()} {secret.hex()}")


def master_secrets(log: str) -> dict[bytes, Secret]:
    """Master secrets by client random, of the lines of a key log; comments, other labels and lines cut short are passed over."""
    return {bytes.fromhex(line[1]): Secret(bytes.fromhex(line[2])) for line in re.findall(_LINE, log, re.MULTILINE)}
