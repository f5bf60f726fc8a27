"""What a campaign can be pointed at besides puretls's own connections, by name.

| target | what is tested |
|---|---|
| openssl-server, openssl-client, tlslite-server, tlslite-client | OpenSSL (by `ssl.MemoryBIO`) and tlslite-ng, in memory |
| HOST:PORT | the server there, to which many connections are made |
| a command with {port} in it | a client that connects to that port of 127.0.0.1, started each time; {ca} is the file of whom to trust |
| MODULE:NAME | a `Factory` of yours |
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module

from puretls.errors import UsageError
from puretls.inspect.peer import SocketPeer
from puretls.testing import adapters
from puretls.testing.adapters import AdapterError, Factory
from puretls.testing.properties.playing import Meeting

IN_MEMORY: Mapping[str, Callable[[], Factory]] = {
    "openssl-server": lambda: adapters.memory_bio("server"),
    "openssl-client": lambda: adapters.memory_bio("client"),
    "tlslite-server": lambda: adapters.tlslite("server"),
    "tlslite-client": lambda: adapters.tlslite("client"),
}
PATIENCE = 0.05
"""Seconds for which a peer at the end of a socket is listened to, unless told otherwise."""


@contextmanager
def target(text: str, *, patience: float = PATIENCE, server_name: str | None = None) -> Iterator[Factory]:
    """The factory of a target, while the block runs. A server is asked for `server_name`, or for the host.

    Raises `UsageError` for what is none; `AdapterError`, which is one, for what cannot be reached, does not start or speaks no TLS.
    """
    if text in IN_MEMORY:
        yield IN_MEMORY[text]()
    elif "{port}" in text:
        with adapters.calling(_words(text), patience=patience) as factory:
            yield factory
    elif (named := text.rpartition(":"))[0] and named[2].isidentifier():
        yield _imported(named[0], named[2])
    else:
        host, port = _address(text)
        yield adapters.at(host, port, patience=patience, server_name=server_name or host, known=False)


def check(factory: Factory) -> None:
    """Have an honest handshake. Raises `AdapterError` where there is none: nothing that is asked of such a peer would say anything."""
    meeting = Meeting(factory).shake_hands()
    if isinstance(meeting.tested, SocketPeer):
        meeting.tested.close()
    told = [str(one) for one in (*meeting.ours_told, *meeting.told)]
    if not meeting.completed:
        why = "; ".join(told) or f"it does not answer within {getattr(meeting.tested, 'patience', 0.0):g} s, or speaks no TLS"
        raise AdapterError(f"no handshake with {factory} can be completed: {why}")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no command: {error}") from None


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(
            f"{text!r} is no target: connection, server, client, {', '.join(IN_MEMORY)}, HOST:PORT, a command with {{port}}, or MODULE:NAME"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _imported(module: str, name: str) -> Factory:
    try:
        factory = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"no factory is called {module}:{name}: {error}") from None
    if not isinstance(factory, Factory):
        raise UsageError(f"{module}:{name} is no puretls.testing.adapters.Factory")
    return factory
