"""What a client is where nothing is said: one that trusts the system's roots."""

from __future__ import annotations

from functools import lru_cache

from puretls.config import ClientConfig


@lru_cache(maxsize=1)
def client_defaults() -> ClientConfig:
    """The configuration of clients that are given none. Roots are read when the first chain is verified, once a process."""
    from puretls.roots import system_verifier

    return ClientConfig(verifier=system_verifier())
