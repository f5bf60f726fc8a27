"""What blocking sockets and asyncio streams share: a size, a warning, and the configuration of a client that is given none."""

from __future__ import annotations

from functools import lru_cache

from puretls.config import ClientConfig

CHUNK = 2**20
"""Bytes of plaintext that are encrypted at a time: enough for the ciphers' batches to pay, and few enough to bound the memory."""

RAGGED = "suppress_ragged_eofs: whoever sits on the wire can cut what is received, and nobody will know (RFC 5246 7.2.1)"

@lru_cache(maxsize=1)
def client_defaults() -> ClientConfig:
    """The configuration of a client that is given none: it trusts the system's roots, read once a process with the first chain."""
    from puretls.roots import system_verifier

    return ClientConfig(verifier=system_verifier())
