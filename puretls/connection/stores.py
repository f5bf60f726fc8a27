"""What a connection does with the session store of its configuration: look up, keep, forget.

Only this module knows that a client has a `session_store` and files by host name, a server a `session_cache` and files by session id.
"""

from __future__ import annotations

from contextlib import suppress

from puretls.errors import calling
from puretls.handshake.context import ClientContext, Context, ServerContext
from puretls.session import Session, SessionStore


def look_up(context: ClientContext) -> Session | None:
    """What a client has kept of an earlier connection to this host. Raises `CallbackError` for a store that raises."""
    store, key = _place(context)
    if store is None or not key:
        return None
    with calling("session_store.get", store.get):
        return store.get(key)


def keep(context: Context, key: bytes) -> None:
    """File the session of this handshake. Raises `CallbackError` for a store that raises."""
    (store, _), session = _place(context), context.session
    if store is not None and session is not None and key:
        with calling("session_store.put" if isinstance(context, ClientContext) else "session_cache.put", store.put):
            store.put(key, session)


def forget(context: Context) -> None:
    """RFC 5246 7.2.2: a session that ended in a fatal alert is not resumed."""
    store, key = _place(context)
    if store is not None and key:
        with suppress(Exception):  # the connection has failed already, and stays failed for its own reason
            store.discard(key)


def _place(context: Context) -> tuple[SessionStore | None, bytes]:
    """The store, and the key under which the session of this connection lies in it; b"" for a session that has none yet."""
    if isinstance(context, ClientContext):
        return context.config.session_store, (context.server_name or "").encode()
    if isinstance(context, ServerContext):
        return context.config.session_cache, context.agreed.session_id if context.agreed is not None else b""
    return None, b""
