"""What sockets and streams share: the client where nothing is said, which trusts the system's roots, and a warning."""

from __future__ import annotations

from functools import lru_cache

from puretls.config import ClientConfig

RAGGED = "suppress_ragged_eofs: whoever sits on the wire can cut what is received, and nobody will know (RFC 5246 7.2.1)"

@lru_cache(maxsize=1)
def client_defaults() -> ClientConfig:
    """The configuration of clients that are given none. Roots are read when the first chain is verified, once a process."""
    from puretls.roots import system_verifier

    return ClientConfig(verifier=system_verifier())
