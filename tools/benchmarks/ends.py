"""The ends whose handshakes are measured: of puretls, of tlslite-ng, and of OpenSSL by Python's `ssl` on memory BIOs."""

from __future__ import annotations

import errno
import os
import ssl
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from benchmarks.harness import Options
from puretls import NEED_DATA, ClientConfig, Connection, Credential, ServerConfig, danger
from puretls.ca import DevelopmentCa
from puretls.crypto.kernels.ec import combs
from puretls.crypto.provider import named
from puretls.iana import NamedGroup
from puretls.suites import SUITES
from puretls.x509.certificates.certificate import remembered
from puretls.x509.keys import private_key_pem
from puretls.x509.names.distinguished import NAMES
from puretls.x509.path.examine import Caches
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import ChainRequest, chain_verifier

NAME, OTHER_NAME = "bench.test", "other.test"
KEYS = {"ECDHE-RSA-2048": ("rsa2048", "rsa"), "ECDHE-ECDSA-P256": ("secp256r1", "ecdsa")}
GROUPS = {"x25519": ("x25519", "X25519"), "P-256": ("secp256r1", "prime256v1")}


class Setting:
    """A chain and its key, as values and as files."""

    def __init__(self, key: str, group: str, options: Options) -> None:
        kind, self.authentication = KEYS[key]
        self.group = group
        self.groups = list(dict.fromkeys([GROUPS[group][0], "secp256r1"]))  # P-256 always, for the certificate's curve
        ca = DevelopmentCa.create(os.urandom, time.time(), kind)
        issued = ca.issue([NAME], kind)
        self.other_chain = ca.issue([OTHER_NAME], kind).chain
        self.root, self.chain, self.key = ca.root_pem, issued.chain_pem, private_key_pem(issued.key)
        provider = named(options.provider)
        suite = f"TLS_ECDHE_{self.authentication.upper()}_WITH_CHACHA20_POLY1305_SHA256"
        shared = {
            "provider": provider,
            "suites": tuple(row for row in SUITES if row.name == suite),
            "groups": tuple(NamedGroup[name.upper()] for name in self.groups),
        }
        self.verifier = chain_verifier(load_certificates(ca.root_pem), provider=provider, random=os.urandom)
        self.client = ClientConfig(verifier=danger.accept_any_chain, **shared)
        self.server = ServerConfig(credentials=(Credential(issued.chain, issued.key),), **shared)


class End(Protocol):
    """One end of a handshake: takes what came and gives its answer. A client's first call has nothing to take."""

    session: Any
    resumed: bool

    def __call__(self, data: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Contender:
    """How the ends are made. `before_client` is done before each step of a client, and not counted."""

    client: Callable[[], End]
    server: Callable[[], End]
    before_client: Callable[[], object] = bool


# --- puretls


class Puretls:
    """An end of ours; all events are taken."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.start()

    def __call__(self, data: bytes) -> bytes:
        connection = self._connection
        if data:
            connection.receive_bytes(data)
            while connection.next_event() is not NEED_DATA:
                pass
        return connection.bytes_to_send()

    @property
    def session(self) -> Any:
        return self._connection.session

    @property
    def resumed(self) -> bool:
        assert self._connection.negotiated is not None
        return self._connection.negotiated.resumed


def puretls(setting: Setting, session: Any = None, *, validating: bool = False) -> Contender:
    config = replace(setting.client, verifier=setting.verifier) if validating else setting.client
    return Contender(lambda: Puretls(Connection.client(config, NAME, session)), lambda: Puretls(Connection.server(setting.server)))


def first_contact(setting: Setting, *, validating: bool, issuer_known: bool = False) -> Contender:
    """Clients that know nothing of the server, under a configuration in use; of its issuer from another server's chain, or nothing."""
    caches = Caches()
    verifier = replace(setting.verifier, caches=caches)
    config = replace(setting.client, verifier=verifier) if validating else setting.client

    def forget() -> None:
        combs.clear()
        if validating:
            remembered.cache_clear()
            NAMES.clear()
            for memo in (caches.faults, caches.signatures, caches.statuses):
                memo.clear()
        if issuer_known:
            assert verifier(ChainRequest(setting.other_chain, "server", OTHER_NAME, time.time())).accepted

    return Contender(lambda: Puretls(Connection.client(config, NAME)), lambda: Puretls(Connection.server(setting.server)), forget)


# --- tlslite-ng


class MemorySocket:
    """One end of a connection in memory, which never blocks."""

    def __init__(self) -> None:
        self.inbound, self.outbound = bytearray(), bytearray()

    def send(self, data: bytes) -> int:
        self.outbound += data
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.outbound += data

    def recv(self, size: int) -> bytes:
        if not self.inbound:
            raise OSError(errno.EWOULDBLOCK, "nothing there yet")
        data = bytes(self.inbound[:size])
        del self.inbound[:size]
        return data

    def setsockopt(self, *arguments: Any) -> None:
        pass


class Tlslite:
    """An end of tlslite-ng; `shake` begins its handshake."""

    def __init__(self, connection: Any, socket: MemorySocket, shake: Callable[[Any], Iterator[int]]) -> None:
        self._connection = connection
        self._socket = socket
        self._steps = shake(connection)

    def __call__(self, data: bytes) -> bytes:
        self._socket.inbound += data
        next(self._steps, None)  # until more is wanted, or the end
        answer = bytes(self._socket.outbound)
        self._socket.outbound.clear()
        return answer

    @property
    def session(self) -> Any:
        return self._connection.session

    @property
    def resumed(self) -> bool:
        return bool(self._connection.resumed)


class TlsliteSetting:
    """The same setting for tlslite-ng."""

    def __init__(self, setting: Setting) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
        self._make = TLSConnection
        self._settings = settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 3)
        settings.cipherNames = ["chacha20-poly1305"]
        settings.keyExchangeNames = [f"ecdhe_{setting.authentication}"]
        settings.eccCurves = setting.groups
        settings.keyShares = []
        settings.ticketKeys = [bytearray(os.urandom(32))]
        self._chain = X509CertChain()
        self._chain.parsePemList(setting.chain)
        self._key = parsePEMKey(setting.key, private=True, implementations=["python"])

    def contender(self, session: Any = None) -> Contender:
        settings = self._settings
        return Contender(
            lambda: self._end(
                lambda c: c.handshakeClientCert(session=session, settings=settings, serverName=NAME, async_=True)
            ),
            lambda: self._end(
                lambda c: c.handshakeServerAsync(certChain=self._chain, privateKey=self._key, settings=settings)
            ),
        )

    def _end(self, shake: Callable[[Any], Iterator[int]]) -> End:
        socket = MemorySocket()
        return Tlslite(self._make(socket), socket, shake)


# --- OpenSSL


class OpenSsl:
    """An end of Python's `ssl`."""

    def __init__(self, context: ssl.SSLContext, **arguments: Any) -> None:
        self._inbound, self._outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._end = context.wrap_bio(self._inbound, self._outbound, **arguments)

    def __call__(self, data: bytes) -> bytes:
        self._inbound.write(data)
        with suppress(ssl.SSLWantReadError):
            self._end.do_handshake()
        return self._outbound.read()

    @property
    def session(self) -> Any:
        return self._end.session

    @property
    def resumed(self) -> bool:
        return bool(self._end.session_reused)


class OpenSslSetting:
    """The same setting for OpenSSL."""

    def __init__(self, setting: Setting) -> None:
        self._client, self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_text(setting.chain)
            key.write_text(setting.key)
            self._server.load_cert_chain(chain, key)
        self._client.load_verify_locations(cadata=setting.root)
        self._server.set_ecdh_curve(GROUPS[setting.group][1])
        for context in (self._client, self._server):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(f"ECDHE-{setting.authentication.upper()}-CHACHA20-POLY1305")

    def contender(self, session: Any = None) -> Contender:
        return Contender(
            lambda: OpenSsl(self._client, server_hostname=NAME, session=session), lambda: OpenSsl(self._server, server_side=True)
        )
