"""puretls itself, with cryptography or without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from puretls import danger
from puretls.inspect.peer import Peer
from puretls.session import Session
from puretls.testing import honest
from puretls.testing.adapters.base import Factory


def puretls(
    role: str,
    *,
    secure: bool = False,
    seed: bytes = b"",
    session: Callable[[], Session | None] | None = None,
    server_name: str | None = honest.NAME,
    **fields: Any,
) -> Factory:
    """Ends of puretls: honest ones but for these fields of `ClientConfig` or `ServerConfig`.

    Not `secure`: on the provider that protects nothing, whose ends talk to each other alone. Each end draws the same "random" bytes from
    `seed`, so that the same input gives the same output. `session` gives what a client offers to resume.
    Raises `UsageError` for a role or field that is none.
    """
    config = honest.config_of(role, seed=seed, **(honest.real(role) if secure else {}) | fields)

    def make() -> Peer:
        fresh = config if "random" in fields else replace(config, random=danger.fixed_random(role.encode() + seed))
        return honest.peer(fresh, session() if session else None, server_name)

    name = "puretls" if secure else "puretls without security"
    return Factory(name, role, make, secure, deterministic="random" not in fields)
