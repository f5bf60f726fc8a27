"""Ends of other implementations as `puretls.inspect.Peer`, so that a property, a learner or a campaign tests them as it tests puretls.

    from puretls.testing import adapters

    adapters.puretls("server")                          # ours; `secure=True` with cryptography, else without
    adapters.memory_bio("client")                       # OpenSSL, by the standard library's ssl
    adapters.tlslite("server")                          # tlslite-ng
    with adapters.openssl_s_server() as server: ...     # a program on a loopback socket
    adapters.at("127.0.0.1", 4433)                      # whoever listens there
    with adapters.calling(["curl", "https://localhost:{port}"]) as client: ...     # a program that connects to us

Each gives a `Factory`, whose call makes a fresh end. What cannot be started is an `AdapterError` of one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from puretls.testing.adapters.base import Acting, AdapterError, Factory

if TYPE_CHECKING:
    from puretls.testing.adapters.loopback import at, calling, gnutls_serv, openssl_s_server, serving
    from puretls.testing.adapters.openssl import memory_bio
    from puretls.testing.adapters.own import puretls
    from puretls.testing.adapters.tlslite_ng import tlslite

_HOMES = {
    "at": "loopback",
    "calling": "loopback",
    "gnutls_serv": "loopback",
    "memory_bio": "openssl",
    "openssl_s_server": "loopback",
    "puretls": "own",
    "serving": "loopback",
    "tlslite": "tlslite_ng",
}
"""Public name -> module that is loaded when it is first asked for."""

__all__ = [
    "Acting",
    "AdapterError",
    "Factory",
    "at",
    "calling",
    "gnutls_serv",
    "memory_bio",
    "openssl_s_server",
    "puretls",
    "serving",
    "tlslite",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
