"""Processor time of handshakes, client and server, each library against itself in memory.

Puretls, tlslite-ng and OpenSSL (by Python's `ssl` on memory BIOs) take turns. All speak ECDHE with ChaCha20-Poly1305 and present a
chain of leaf and intermediate. tlslite-ng never validates chains, so its client stands beside ours both without validation and with.
"First contact" forgets what was kept of earlier connections (combs of public keys, checked signatures); "again" does not.
"""

from __future__ import annotations

import errno
import functools
import os
import ssl
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness import Case, Options, Row
from puretls import NEED_DATA, ClientConfig, Connection, Credential, ServerConfig, danger
from puretls.ca import DevelopmentCa
from puretls.crypto.kernels import combs
from puretls.crypto.provider import default, reference
from puretls.iana import NamedGroup
from puretls.suites import SUITES
from puretls.x509.certificate import remembered
from puretls.x509.keys import private_key_pem
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import chain_verifier

NAME = "bench.test"
KEYS = {"ECDHE-RSA-2048": ("rsa2048", "rsa"), "ECDHE-ECDSA-P256": ("secp256r1", "ecdsa")}
GROUPS = {"x25519": ("x25519", "X25519"), "P-256": ("secp256r1", "prime256v1")}
Seconds = dict[str, float]


def cases(options: Options) -> list[Case]:
    """Each kind of key with each group, then resumption."""
    found = [functools.partial(full, key, group, options) for key in KEYS for group in GROUPS]
    return [*found, functools.partial(resumed, options)]


class Setting:
    """A chain and its key, as values and as files."""

    def __init__(self, key: str, group: str, options: Options) -> None:
        kind, self.authentication = KEYS[key]
        self.group = group
        self.groups = list(dict.fromkeys([GROUPS[group][0], "secp256r1"]))  # P-256 always, for the certificate's curve
        ca = DevelopmentCa.create(os.urandom, time.time(), kind)
        issued = ca.issue([NAME], kind)
        self.root, self.chain, self.key = ca.root_pem, issued.chain_pem, private_key_pem(issued.key)
        provider = reference() if options.provider == "reference" else default(table_free=options.provider == "table-free")
        suite = f"TLS_ECDHE_{self.authentication.upper()}_WITH_CHACHA20_POLY1305_SHA256"
        shared = {
            "provider": provider,
            "suites": tuple(row for row in SUITES if row.name == suite),
            "groups": tuple(NamedGroup[name.upper()] for name in self.groups),
        }
        self.verifier = chain_verifier(load_certificates(ca.root_pem), provider=provider)
        self.client = ClientConfig(verifier=danger.accept_any_chain, **shared)
        self.server = ServerConfig(credentials=(Credential(issued.chain, issued.key),), **shared)


class Clock:
    """Processor seconds of each side."""

    def __init__(self) -> None:
        self.seconds: Seconds = {"client": 0.0, "server": 0.0}

    def run(self, side: str, work: Callable[..., Any], *arguments: Any) -> Any:
        start = time.process_time()
        result = work(*arguments)
        self.seconds[side] += time.process_time() - start
        return result


# --- puretls


def puretls(client_config: ClientConfig, server_config: ServerConfig, session: Any = None) -> tuple[Seconds, Connection]:
    """One handshake; the client's connection for its session."""
    clock = Clock()
    client = clock.run("client", start_client, client_config, session)
    server = clock.run("server", Connection.server, server_config)
    data = clock.run("client", client.bytes_to_send)
    for side, connection in ((("server", server), ("client", client)) * 3)[:4]:
        data = clock.run(side, turn, connection, data)
    assert client.negotiated.resumed == (session is not None)
    return clock.seconds, client


def start_client(config: ClientConfig, session: Any) -> Connection:
    client = Connection.client(config, NAME, session)
    client.start()
    return client


def turn(connection: Connection, data: bytes) -> bytes:
    """Take what came, with all its events, and give the answer."""
    if data:
        connection.receive_bytes(data)
        while connection.next_event() is not NEED_DATA:
            pass
    return connection.bytes_to_send()


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
    """Both roles of tlslite-ng under one setting."""

    def __init__(self, setting: Setting) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
        self.make = TLSConnection
        self.settings = settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 3)
        settings.cipherNames = ["chacha20-poly1305"]
        settings.keyExchangeNames = [f"ecdhe_{setting.authentication}"]
        settings.eccCurves = setting.groups
        settings.keyShares = []
        settings.ticketKeys = [bytearray(os.urandom(32))]
        self.chain = X509CertChain()
        self.chain.parsePemList(setting.chain)
        self.key = parsePEMKey(setting.key, private=True, implementations=["python"])

    def run(self, session: Any = None) -> tuple[Seconds, Any]:
        clock = Clock()
        ends = {"client": MemorySocket(), "server": MemorySocket()}
        client, server = clock.run("client", self.make, ends["client"]), clock.run("server", self.make, ends["server"])
        steps: dict[str, Iterator[int]] = {
            "client": client.handshakeClientCert(session=session, settings=self.settings, serverName=NAME, async_=True),
            "server": server.handshakeServerAsync(certChain=self.chain, privateKey=self.key, settings=self.settings),
        }
        while steps:
            for side in list(steps):
                if clock.run(side, advance, steps[side]):
                    del steps[side]
                other = ends["server" if side == "client" else "client"]
                other.inbound += ends[side].outbound
                ends[side].outbound.clear()
        assert client.resumed == (session is not None)
        return clock.seconds, client.session


def advance(steps: Iterator[int]) -> bool:
    """Run until data is wanted; whether the handshake is over."""
    return next(steps, None) is None


# --- OpenSSL


class OpenSsl:
    """Both roles of Python's `ssl`."""

    def __init__(self, setting: Setting) -> None:
        self.client, self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_text(setting.chain)
            key.write_text(setting.key)
            self.server.load_cert_chain(chain, key)
        self.client.load_verify_locations(cadata=setting.root)
        self.server.set_ecdh_curve(GROUPS[setting.group][1])
        for context in (self.client, self.server):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(f"ECDHE-{setting.authentication.upper()}-CHACHA20-POLY1305")

    def run(self, session: Any = None) -> tuple[Seconds, Any]:
        clock = Clock()
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = clock.run("client", lambda: self.client.wrap_bio(to_client, to_server, server_hostname=NAME, session=session))
        server = clock.run("server", lambda: self.server.wrap_bio(to_server, to_client, server_side=True))
        open_sides = {"client": client, "server": server}
        while open_sides:
            for side in list(open_sides):
                if clock.run(side, handshaken, open_sides[side]):
                    del open_sides[side]
        assert client.session_reused == (session is not None)
        return clock.seconds, client.session


def handshaken(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


# --- measuring


def medians(runs: dict[str, Callable[[], Seconds]], rounds: int) -> dict[str, Seconds]:
    """Milliseconds of each side, contenders in turns after one warm-up each."""
    found: dict[str, list[Seconds]] = {name: [] for name in runs}
    names = list(runs)
    for turn_number in range(rounds + 1):
        for name in names[turn_number % len(names) :] + names[: turn_number % len(names)]:
            seconds = runs[name]()
            if turn_number:
                found[name].append(seconds)
    return {
        name: {side: statistics.median(run[side] for run in runs_of) * 1e3 for side in ("client", "server")}
        for name, runs_of in found.items()
    }


def full(key: str, group: str, options: Options) -> list[Row]:
    """A full handshake: the server, then the client with more and more to do."""
    setting = Setting(key, group, options)
    tlslite, openssl = Tlslite(setting), OpenSsl(setting)
    verifying = replace(setting.client, verifier=setting.verifier)

    def first(verified: bool) -> Seconds:
        combs.clear()
        if verified:
            remembered.cache_clear()
        fresh = (
            chain_verifier([setting.verifier.store], provider=setting.client.provider) if verified else danger.accept_any_chain
        )
        return puretls(replace(setting.client, verifier=fresh), setting.server)[0]

    figures = medians(
        {
            "first": lambda: first(verified=False),
            "verified": lambda: first(verified=True),
            "again": lambda: puretls(verifying, setting.server)[0],
            "tlslite_ng": lambda: tlslite.run()[0],
            "openssl": lambda: openssl.run()[0],
        },
        options.rounds(30),
    )
    case, other, best = f"{key} {group}", figures["tlslite_ng"], figures["openssl"]

    def row(what: str, side: str, name: str, openssl_figure: float | None) -> Row:
        return Row("handshake", f"{case} {what}", "", "ms", figures[name][side], other[side], openssl_figure)

    return [
        row("server", "server", "verified", best["server"]),
        row("client, chain not validated", "client", "first", None),
        row("client, chain validated, first contact", "client", "verified", best["client"]),
        row("client, chain validated, again", "client", "again", best["client"]),
    ]


def resumed(options: Options) -> list[Row]:
    """Resumption by ticket, where no public-key operation remains."""
    setting = Setting("ECDHE-ECDSA-P256", "x25519", options)
    tlslite, openssl = Tlslite(setting), OpenSsl(setting)
    session, their_session, best_session = puretls(setting.client, setting.server)[1].session, tlslite.run()[1], openssl.run()[1]
    figures = medians(
        {
            "puretls": lambda: puretls(setting.client, setting.server, session)[0],
            "tlslite_ng": lambda: tlslite.run(their_session)[0],
            "openssl": lambda: openssl.run(best_session)[0],
        },
        options.rounds(60),
    )
    total = {
        name: {"client": f["client"], "server": f["server"], "client plus server": sum(f.values())} for name, f in figures.items()
    }
    return [
        Row(
            "handshake",
            f"ticket resumption {side}",
            "",
            "ms",
            *(total[name][side] for name in ("puretls", "tlslite_ng", "openssl")),
        )
        for side in ("client", "server", "client plus server")
    ]
