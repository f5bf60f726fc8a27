"""The standard library's `ssl.py` on `puretls.ssl`, beside the real one in the same process: each is the other's peer."""

from __future__ import annotations

import atexit
import os
import shutil
import ssl as real_ssl
import sys
import time
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType
from typing import Any

from puretls.ca import DevelopmentCa
from puretls.ssl.module import build
from puretls.x509.pem import write_pem
from tests.support.credentials import NAME

NAME_OF_COPY = "ssl_on_puretls"


@lru_cache
def pure_ssl() -> Any:
    """A second `ssl`, whose `_ssl` is ours."""
    before = sys.modules["_ssl"]
    spec = spec_from_file_location(NAME_OF_COPY, real_ssl.__file__)
    module = module_from_spec(spec)
    sys.modules[NAME_OF_COPY] = module
    sys.modules["_ssl"] = build()
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules["_ssl"] = before
    return module


@lru_cache
def files() -> Path:
    """A folder with `ca.pem`; `server.pem` and `client.pem`, chains and keys for NAME; `stranger.pem` of another authority; and
    `alone.pem`, a leaf without the intermediate that is in `above.pem`."""
    folder = Path(mkdtemp(prefix="puretls-ssl-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ca = DevelopmentCa.create(os.urandom, time.time())  # the clock of `ssl` is the system's
    (folder / "ca.pem").write_text(ca.root_pem)
    leaf = ca.issue([NAME], usage="both")
    (folder / "alone.pem").write_text(write_pem("CERTIFICATE", leaf.certificate) + leaf.key_pem)
    (folder / "above.pem").write_text(ca.root_pem + write_pem("CERTIFICATE", leaf.chain[1]))
    stranger = DevelopmentCa.create(os.urandom, time.time(), organization="strangers")
    for name, authority in (("server", ca), ("client", ca), ("stranger", stranger)):
        made = authority.issue([NAME, "127.0.0.1"], usage="both")
        (folder / f"{name}.pem").write_text(made.chain_pem + made.key_pem)
    return folder


def server_context(ssl: ModuleType | Any, **settings: Any) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files() / "server.pem")
    return _with(ssl, context, settings)


def client_context(ssl: ModuleType | Any, **settings: Any) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(files() / "ca.pem")
    return _with(ssl, context, settings)


def _with(ssl: Any, context: Any, settings: dict[str, Any]) -> Any:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for name, value in settings.items():
        setattr(context, name, value)
    return context


class Pair:
    """A client and a server, joined by memory BIOs. `client` and `server` are SSLObjects."""

    def __init__(self, client: Any, server: Any, name: str | None = NAME, **options: Any) -> None:
        """The contexts are each of either `ssl`."""
        self.bios = [_Bio() for _ in range(2)]
        to_client, to_server = self.bios
        self.client = client.wrap_bio(*_wired(client, to_client, to_server), server_hostname=name, **options)
        self.server = server.wrap_bio(*_wired(server, to_server, to_client), server_side=True)
        self.ends = (self.client, self.server)

    def shake(self) -> Pair:
        """Shakes hands; raises what the first of both ends raises that it cannot go on after."""
        waiting = list(self.ends)
        for _ in range(10):
            for end in list(waiting):
                if self.step(end.do_handshake):
                    waiting.remove(end)
            if not waiting:
                return self
        raise AssertionError("the handshake makes no progress")

    def step(self, operation: Any) -> bool:
        """One try; whether it succeeded."""
        try:
            operation()
        except OSError as error:
            if type(error).__name__ != "SSLWantReadError":
                raise
            return False
        finally:
            self.move()
        return True

    def move(self) -> None:
        for bio in self.bios:
            bio.move()


class _Bio:
    """One direction. Each end has a BIO of its own kind; `move` carries the bytes over."""

    def __init__(self) -> None:
        self.sides: list[Any] = []

    def move(self) -> None:
        source, target = self.sides
        data = source.read()
        if data:
            target.write(data)


def _wired(context: Any, incoming: _Bio, outgoing: _Bio) -> tuple[Any, Any]:
    kind = pure_ssl().MemoryBIO if isinstance(context, pure_ssl().SSLContext) else real_ssl.MemoryBIO
    ours = kind(), kind()
    incoming.sides.append(ours[0])
    outgoing.sides.insert(0, ours[1])
    return ours


def failures(pair: Pair) -> dict[str, OSError]:
    """What each end raises, by "client" and "server"."""
    found: dict[str, OSError] = {}
    for _ in range(6):
        for name, end in (("client", pair.client), ("server", pair.server)):
            if name not in found:
                try:
                    pair.step(end.do_handshake)
                except OSError as error:
                    found[name] = error
    return found
