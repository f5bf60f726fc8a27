"""OpenSSL in memory: an `ssl.SSLObject` on two `ssl.MemoryBIO`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.errors import UsageError
from puretls.inspect.peer import Peer, Told
from puretls.testing import honest
from puretls.testing.adapters.base import AdapterError, Factory

if TYPE_CHECKING:
    import ssl

READ_SIZE = 2**14


class MemoryBioPeer:
    """An end of OpenSSL. Alerts pass unseen by its user, so it tells of handshakes, data, ends and failures alone."""

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, server_name: str | None = None) -> None:
        import ssl

        self._ssl = ssl
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls: ssl.SSLObject = context.wrap_bio(self._in, self._out, server_side=server_side, server_hostname=server_name)
        self._told: list[Told] = []
        self._shaken = self._over = False

    def start(self) -> None:
        self._go_on()

    def receive(self, data: bytes) -> None:
        self._in.write(data)
        self._go_on()

    def take(self) -> bytes:
        return self._out.read()

    def eof(self) -> None:
        self._in.write_eof()
        self._go_on()

    def events(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def fork(self) -> Peer:
        raise UsageError("OpenSSL's state cannot be copied: make another end and replay the tape up to here")

    def send(self, data: bytes) -> None:
        self._try("send", self.tls.write, data)

    def close(self) -> None:
        self._try("close", self.tls.unwrap)

    def _try(self, what: str, call: Any, *arguments: bytes) -> None:
        """What OpenSSL does not do in this state is told, and changes nothing."""
        if not self._shaken or (self._over and what != "close"):
            self._told.append(Told("not possible", f"{what}: the handshake is not complete, or the connection is over"))
            return
        try:
            call(*arguments)
        except (self._ssl.SSLWantReadError, self._ssl.SSLZeroReturnError):
            pass
        except self._ssl.SSLError as error:
            self._told.append(Told("not possible", f"{what}: {error.reason or error}"))

    def _go_on(self) -> None:
        if self._over:
            return
        try:
            if not self._shaken:
                self.tls.do_handshake()
                self._shaken = True
                self._told.append(Told("handshake", (self.tls.cipher() or ("",))[0]))
            while data := self.tls.read(READ_SIZE):
                self._told.append(Told("data", data=data))
            self._end(Told("closed", "by close_notify"))
        except self._ssl.SSLWantReadError:
            pass
        except self._ssl.SSLZeroReturnError:
            self._end(Told("closed", "by close_notify"))
        except self._ssl.SSLEOFError:
            self._end(Told("closed", "without close_notify"))
        except self._ssl.SSLError as error:
            ragged = error.reason == "UNEXPECTED_EOF_WHILE_READING"
            self._end(Told("closed", "without close_notify") if ragged else Told("failed", error.reason or str(error)))

    def _end(self, told: Told) -> None:
        self._over = True
        self._told.append(told)


def memory_bio(role: str, context: ssl.SSLContext | None = None, server_name: str | None = honest.NAME) -> Factory:
    """Ends of the OpenSSL that this Python was built with, TLS 1.2 only unless `context` says otherwise.

    The usual server has an honest credential, the usual client trusts its authority. Raises `AdapterError` where Python has no ssl.
    """
    try:
        import ssl
    except ImportError:
        raise AdapterError("this Python has no OpenSSL: its module ssl is missing") from None
    chosen = context or context_for(role)

    def make() -> Peer:
        return MemoryBioPeer(chosen, server_side=role == "server", server_name=server_name if role == "client" else None)

    return Factory(ssl.OPENSSL_VERSION.rsplit(" ", 3)[0], role, make)


def context_for(role: str) -> ssl.SSLContext:
    """A context of TLS 1.2 alone with an honest credential, or one that trusts the honest authority.

    Dates of certificates do not count, since they are those of `honest.NOW`.
    """
    import ssl

    if role == "client":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=honest.authority().root_pem)
        context.verify_flags |= _NO_CHECK_TIME
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = honest.issued()
        with tempfile.TemporaryDirectory() as folder:
            chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_text(leaf.chain_pem)
            key.write_text(leaf.key_pem)
            context.load_cert_chain(chain, key)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which `ssl` has no name."""
