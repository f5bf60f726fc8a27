"""What a connection does with the session store of its configuration: look up, keep, forget.

Only this module knows that a client has a `session_store` and files by host name, a server a `session_cache` and files by session id.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from puretls.config import ClientConfig
from puretls.errors import calling
from puretls.handshake.context import Context
from puretls.handshake.states import Role
from puretls.session import Session


def look_up(config: ClientConfig, host: str | None) -> Session | None:
    """What a client has kept of an earlier connection to this host. Raises `CallbackError` for a store that raises."""
    if config.session_store is None or not host:
        return None
    with calling("session_store.get", config.session_store.get):
        return config.session_store.get(host.encode())


def keep(context: Context, key: bytes) -> None:
    """File the session of this handshake. Raises `CallbackError` for a store that raises."""
    store, session = _store(context), context.session
    if store is not None and session is not None and key:
        with calling("session_store.put" if context.role is Role.CLIENT else "session_cache.put", store.put):
            store.put(key, session)


def forget(context: Context) -> None:
    """RFC 5246 7.2.2: a session that ended in a fatal alert is not resumed."""
    store, key = _store(context), _key(context)
    if store is not None and key:
        with suppress(Exception):  # the connection has failed already, and stays failed for its own reason
            store.discard(key)


def _store(context: Context) -> Any:
    return context.client_config.session_store if context.role is Role.CLIENT else context.server_config.session_cache


def _key(context: Context) -> bytes:
    if context.role is Role.CLIENT:
        return (context.server_name or "").encode()
    return context.agreed.session_id if context.agreed is not None else b""
