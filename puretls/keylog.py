"""The NSS key log format, one line a connection: what Wireshark reads to decrypt a capture.

This module knows the format only; `net.keylog_file` opens the file.
"""

from __future__ import annotations

import re

from puretls.crypto.secret import Secret

CLIENT_RANDOM = "CLIENT_RANDOM"
"""Label of a TLS 1.2 master secret, found by the random of the ClientHello."""

_LINE = rf"^({CLIENT_RANDOM}) ([0-9a-fA-F]{{64}}) ([0-9a-fA-F]{{96}})\s*$"


class KeyLogLine(str):
    """A line with a `repr` that tells its length only. A traceback of the function that writes the line does not show the secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"KeyLogLine({len(self)} characters)"


def key_log_line(label: str, client_random: bytes, secret: bytes) -> KeyLogLine:
    """One line without its end, such as "CLIENT_RANDOM <64 hex digits> <96 hex digits>"."""
    return KeyLogLine(f"{label} {client_random.hex()} {secret.hex()}")


def master_secrets(log: str) -> dict[bytes, Secret]:
    """Reads a key log: master secrets by client random. Comments, other labels and incomplete lines are passed over."""
    return {bytes.fromhex(line[1]): Secret(bytes.fromhex(line[2])) for line in re.findall(_LINE, log, re.MULTILINE)}
