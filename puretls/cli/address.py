"""HOST:PORT, as commands take it."""

from __future__ import annotations

from puretls.errors import UsageError


def split_address(text: str) -> tuple[str, int]:
    """HOST:PORT, [HOST]:PORT or HOST alone. Raises `UsageError`."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        given, port = rest[:1] == ":", rest[1:]
        valid = bool(host and closed) and (given or not rest)
    else:
        host, colon, port = text.partition(":")
        given, valid = bool(colon), bool(host) and ":" not in port
    if not given:
        port = "443"
    if not valid or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{text!r} is not HOST:PORT with a port from 1 to 65535, such as example.org:443 or [::1]:443")
    return host, int(port)
