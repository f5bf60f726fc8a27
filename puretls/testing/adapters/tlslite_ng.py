"""tlslite-ng in memory: its generators, on a socket that is two buffers."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import cache
from typing import Any

from puretls.errors import UsageError
from puretls.inspect.peer import Peer, Told
from puretls.testing import honest
from puretls.testing.adapters.base import Factory
from puretls.testing.needs import need

READ_SIZE = 2**14


class _MemorySocket:
    """What tlslite-ng needs of a socket that does not block."""

    def __init__(self) -> None:
        self.incoming, self.outgoing = bytearray(), bytearray()
        self.ended = False

    def recv(self, size: int) -> bytes:
        if not self.incoming:
            if self.ended:
                return b""
            raise BlockingIOError(errno.EWOULDBLOCK, "nothing has come")
        data = bytes(self.incoming[:size])
        del self.incoming[:size]
        return data

    def send(self, data: bytes) -> int:
        self.outgoing += data
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.outgoing += data

    def close(self) -> None:
        pass

    def shutdown(self, how: int) -> None:
        pass

    def setsockopt(self, *options: Any) -> None:
        pass

    def gettimeout(self) -> float:
        return 0.0

    def settimeout(self, value: float | None) -> None:
        pass


class TlslitePeer:
    """An end of tlslite-ng. What it raises beside its own exceptions leaves `receive`: that is a finding."""

    def __init__(self, role: str, arguments: dict[str, Any]) -> None:
        api = need("tlslite.api", package="tlslite-ng")
        self._errors = need("tlslite.errors", package="tlslite-ng")
        self._socket = _MemorySocket()
        self.tls = api.TLSConnection(self._socket)
        self._told: list[Told] = []
        self._over = self._shaken = False
        client = role == "client"
        begin = self.tls.handshakeClientCert if client else self.tls.handshakeServerAsync
        self._steps = self._life(begin(**arguments))
        self._begun = not client

    def start(self) -> None:
        self._begun = True
        self._go_on()

    def receive(self, data: bytes) -> None:
        self._socket.incoming += data
        self._go_on()

    def take(self) -> bytes:
        data = bytes(self._socket.outgoing)
        self._socket.outgoing.clear()
        return data

    def eof(self) -> None:
        self._socket.ended = True
        self._go_on()

    def events(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def fork(self) -> Peer:
        raise UsageError("tlslite-ng's generators cannot be copied: make another end and replay the tape up to here")

    def send(self, data: bytes) -> None:
        self._call("send", self.tls.writeAsync, data)

    def close(self) -> None:
        self._call("close", self.tls.closeAsync)

    def _call(self, what: str, call: Any, *arguments: bytes) -> None:
        """What tlslite-ng does not do in this state is told, and changes nothing."""
        if not self._shaken or self._over:
            self._told.append(Told("not possible", f"{what}: the handshake is not complete, or the connection is over"))
            return
        try:
            for wants in call(*arguments):
                if wants == 0:  # it would read
                    break
        except self._errors.BaseTLSException as error:
            self._told.append(Told("not possible", f"{what}: {_reason(error)}"))

    def _life(self, handshake: Iterator[int]) -> Iterator[int]:
        yield from handshake
        self._shaken = True
        self._told.append(Told("handshake", f"{self.tls.session.getCipherName()}{', resumed' if self.tls.resumed else ''}"))
        while not self._over:
            for data in self.tls.readAsync(READ_SIZE):
                if isinstance(data, int):
                    yield data
                elif data:
                    self._told.append(Told("data", data=bytes(data)))
                else:
                    self._end(Told("closed", "by close_notify"))

    def _go_on(self) -> None:
        if not self._begun or self._over:
            return
        try:
            for wants in self._steps:
                if wants == 0 and not self._socket.incoming and not self._socket.ended:
                    return
        except self._errors.TLSAbruptCloseError:
            self._end(Told("closed", "without close_notify"))
        except self._errors.BaseTLSException as error:
            self._end(Told("failed", _reason(error)))

    def _end(self, told: Told) -> None:
        self._over = True
        self._told.append(told)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def tlslite(role: str, **arguments: Any) -> Factory:
    """Ends of tlslite-ng with TLS 1.2 alone; `arguments` are those of its `handshakeServerAsync` or `handshakeClientCert`.

    The usual server has an honest credential; tlslite-ng's client trusts everybody. Raises `UsageError` where it is not installed.
    """
    need("tlslite.api", package="tlslite-ng")
    usual = _server() if role == "server" else {"async_": True, "serverName": honest.NAME}

    def make() -> Peer:
        return TlslitePeer(role, {"settings": _settings()} | usual | arguments)

    return Factory("tlslite-ng", role, make)


@cache
def _settings() -> Any:
    settings = need("tlslite.api", package="tlslite-ng").HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 3)
    return settings


@cache
def _server() -> dict[str, Any]:
    api = need("tlslite.api", package="tlslite-ng")
    leaf = honest.issued()
    chain = api.X509CertChain()
    chain.parsePemList(leaf.chain_pem)
    return {"certChain": chain, "privateKey": api.parsePEMKey(leaf.key_pem, private=True)}
