"""The worst inputs known, and what they cost: processor time for each kilobyte, beside an honest input of the same kind.

The first row of each kind is the honest one. `ratio` says how many times that a hostile kilobyte costs; it shall not be above five.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.forge import NAME, NOW, YEAR, Forge, hostile_chains
from benchmarks.harness import Case, Contender, Options, Row, seconds
from benchmarks.overhead import drain
from puretls import Connection, Credential, Limits, ServerConfig, danger
from puretls.ca import DevelopmentCa
from puretls.config import ClientConfig
from puretls.crypto.kernels.ec import combs
from puretls.crypto.provider import default
from puretls.der import oids, writer
from puretls.errors import PuretlsError
from puretls.iana import NamedGroup
from puretls.messages.records import Record
from puretls.suites import SUITES
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import remembered
from puretls.x509.crl import Crl
from puretls.x509.drafts import CrlDraft, RevokedEntry
from puretls.x509.keys import parse_private_key, pbkdf
from puretls.x509.names.distinguished import NAMES
from puretls.x509.ocsp import OcspResponse
from puretls.x509.path.examine import Caches
from puretls.x509.pkcs8 import encrypted_key_der
from puretls.x509.pkcs12 import most_rounds, parse_pkcs12
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier

WORST = 5
"""How many times an honest kilobyte a hostile one may cost."""


@dataclass(frozen=True, slots=True)
class Against(Row):
    """A row whose ratio is to what an honest input costs."""

    honest: float = 0

    @property
    def ratio(self) -> float | None:
        return self.puretls / self.honest if self.puretls and self.honest else None


Input = tuple[int, Callable[[], object]]
"""Bytes of an input, and what takes it in."""
HEADERS = 40
"""Bytes of IP and TCP around each piece that comes through a network."""


def cases(options: Options) -> list[Case]:
    """One a kind: chains of servers and clients, CRLs, OCSP responses, files under a password, records, key exchanges."""
    return [functools.partial(_kind, options, kind) for kind in KINDS]


def _kind(options: Options, kind: str) -> list[Row]:
    rows: list[Row] = []
    honest = 0.0
    for case, (size, run) in KINDS[kind]().items():
        figure = seconds({"": Contender(run)}, options.rounds(5))[""] * 1e3 / (size / 1024)
        honest = honest or figure
        rows.append(Against("hostile", f"{kind}: {case}", str(size), "ms/kB", figure, honest=honest))
    return rows


# Chains


def cold(verifier: Verifier, request: ChainRequest) -> object:
    """Verifies as if nothing had been seen before."""
    combs.clear()
    remembered.cache_clear()
    NAMES.clear()
    return replace(verifier, caches=Caches())(request)


def _chains(purpose: str) -> dict[str, Input]:
    forge = Forge()
    verifier = chain_verifier([forge.ca.root.certificate], provider=default(), random=os.urandom)
    host = NAME if purpose == "server" else None

    def one(chain: Iterable[bytes]) -> Input:
        request = ChainRequest(tuple(chain), purpose, host, NOW)
        return sum(map(len, request.chain)), lambda: cold(verifier, request)

    honest = {"an honest chain of 3, P-256": forge.issued.chain}
    return {name: one(chain) for name, chain in {**honest, **hostile_chains(forge)}.items()}


# What says that certificates are revoked


def _crls() -> dict[str, Input]:
    ca = DevelopmentCa.create(os.urandom, NOW)
    extensions = (drafts.authority_key_identifier(ca.issuer.key.public), drafts.crl_number(1))

    def crl(entries: Iterator[RevokedEntry]) -> Input:
        data = CrlDraft(ca.issuer.name, NOW, NOW + YEAR, tuple(entries), extensions).signed(ca.signer)
        return len(data), lambda: _searched(data)

    return {
        "an honest one, 2,000 entries with serial numbers of 16 bytes": crl(RevokedEntry(1 << 120 | n, NOW, 1) for n in range(2000)),
        "20,000 entries with serial numbers of 2 bytes": crl(RevokedEntry(n + 1, NOW) for n in range(20_000)),
        "2,000 entries with eight extensions": crl(
            RevokedEntry(n + 1, NOW, extensions=tuple(drafts.extension(writer.oid(f"1.2.{i}")[2:], b"") for i in range(8)))
            for n in range(2000)
        ),
    }


def _searched(data: bytes) -> object:
    return Crl.parse(data)


def _ocsp() -> dict[str, Input]:
    ca = DevelopmentCa.create(os.urandom, NOW)
    single = ca.single(ca.issue([NAME]).certificate)

    def response(count: int) -> Input:
        data = drafts.OcspDraft(ca.issuer.key.public, NOW, (single,) * count).signed(ca.signer)
        return len(data), lambda: _parsed(data)

    return {"an honest response": response(1), "a response about 500 certificates": response(500)}


def _parsed(data: bytes) -> object:
    try:
        return OcspResponse.parse(data)
    except PuretlsError as error:
        return error


# Files under a password


def _files() -> dict[str, Input]:
    ca = DevelopmentCa.create(os.urandom, NOW)
    key = ca.issue([NAME]).key
    provider = default()

    def pkcs8(rounds: int) -> Input:
        data = encrypted_key_der(key, "secret", os.urandom, provider, iterations=rounds)
        return len(data), lambda: parse_private_key(data, "secret")

    old = pkcs12_file(most_rounds(160) // pbkdf.pkcs12_rounds("sha1", 1, 24, 8))
    return {
        "an honest PKCS#8 key, 600,000 rounds": pkcs8(600_000),
        "PKCS#8, as many rounds as are let through": pkcs8(pbkdf.MAX_ITERATIONS),
        "PKCS#12 with 3DES, as many rounds as are let through": (len(old), lambda: opened(old)),
    }


def pkcs12_file(rounds: int) -> bytes:
    """A file with one bag under pbeWithSHAAnd3-KeyTripleDES-CBC, and a MAC."""
    parameters = writer.sequence(writer.octet_string(bytes(8)), writer.integer(rounds))
    algorithm = writer.sequence(writer.oid(oids.PBE_SHA_3DES), parameters)
    inside = writer.sequence(writer.oid(oids.PKCS7_DATA), algorithm, writer.implicit(0, bytes(64)))
    encrypted = writer.sequence(writer.integer(0), inside)
    info = writer.sequence(writer.oid(oids.PKCS7_ENCRYPTED_DATA), writer.explicit(0, encrypted))
    safe = writer.sequence(writer.oid(oids.PKCS7_DATA), writer.explicit(0, writer.octet_string(writer.sequence(info))))
    return writer.sequence(writer.integer(3), safe)


def opened(data: bytes) -> object:
    try:
        return parse_pkcs12(data, "secret")
    except PuretlsError as error:
        return error


# Connections


class Ends:
    """A server after its handshake with a client, under the provider that protects nothing."""

    def __init__(self) -> None:
        provider = danger.no_security_provider()
        issued = DevelopmentCa.create(os.urandom, NOW).issue([NAME])
        self.server_config = ServerConfig(provider=provider, credentials=(Credential(issued.chain, issued.key),))
        self.client_config = ClientConfig(provider=provider, verifier=danger.accept_any_chain)

    def connected(self) -> tuple[Connection, Connection]:
        client, server = Connection.client(self.client_config, NAME), Connection.server(self.server_config)
        client.start()
        for _ in range(3):
            for here, there in ((client, server), (server, client)):
                data = here.bytes_to_send()
                if data:
                    there.receive_bytes(data)
                    drain(there)
        return client, server


def _taken(connection: Connection, pieces: Iterable[bytes]) -> object:
    try:
        for piece in pieces:
            connection.receive_bytes(piece)
            drain(connection)
    except PuretlsError as error:
        return error
    return None


def _records() -> dict[str, Input]:
    ends = Ends()

    def data(length: int, count: int, cut: int) -> Input:
        client, server = ends.connected()
        for _ in range(count):
            client.send(bytes(length))
        wire = client.bytes_to_send()
        pieces = [wire[at : at + cut] for at in range(0, len(wire), cut)]
        fork = danger.fork if hasattr(danger, "fork") else Connection.fork
        return len(wire) + HEADERS * len(pieces), lambda: _taken(fork(server), pieces)

    return {
        "honest ones of 64 bytes, each as it comes": data(64, 1000, 93),
        "of one byte": data(1, 4000, 2**16),
        "of one byte, each as it comes": data(1, 4000, 30),
        "of 64 bytes, a byte a time": data(64, 100, 1),
        "of 16 KiB, in pieces of 64 bytes": data(16384, 10, 64),
    }


def _handshakes() -> dict[str, Input]:
    ends = Ends()
    client = Connection.client(ends.client_config, NAME)
    client.start()
    hello = client.bytes_to_send()

    def fed(pieces: Iterable[bytes]) -> Input:
        wires = list(pieces)
        return sum(map(len, wires)) + HEADERS * len(wires), lambda: _taken(Connection.server(ends.server_config), wires)

    body = hello[5:]
    by_byte = b"".join(Record(22, 0x0303, body[at : at + 1]).to_bytes() for at in range(len(body)))
    endless = b"".join(Record(22, 0x0303, bytes((1, 1, 0x80, 0)) if at == 0 else b"x").to_bytes() for at in range(16_000))
    return {
        "an honest ClientHello": fed([hello]),
        "a ClientHello in records of one byte": fed([by_byte]),
        "the same, a byte a time": fed(by_byte[at : at + 1] for at in range(len(by_byte))),
        "a ClientHello that does not end, in records of one byte": fed([endless]),
        "empty records": fed([Record(22, 0x0303, b"").to_bytes() * 1000]),
        "warnings": fed([Record(21, 0x0303, b"\1\x5a").to_bytes() * 1000]),
    }


def _key_exchange() -> dict[str, Input]:
    """The client's work on the server's flight with DHE, under the provider that computes."""
    ca = DevelopmentCa.create(os.urandom, NOW, "rsa2048")
    issued = ca.issue([NAME], "rsa2048")
    suites = tuple(suite for suite in SUITES if suite.name == "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")

    def answered(near: dict[str, Any], **fields: Any) -> Input:
        client = Connection.client(ClientConfig(verifier=danger.accept_any_chain, suites=suites, **near), NAME)
        limits = Limits(largest_dh_prime=8192)
        credentials = (Credential(issued.chain, issued.key),)
        server = Connection.server(ServerConfig(suites=suites, credentials=credentials, limits=limits, **fields))
        client.start()
        server.receive_bytes(client.bytes_to_send())
        drain(server)
        flight = server.bytes_to_send()
        fork = danger.fork if hasattr(danger, "fork") else Connection.fork
        return len(flight) + HEADERS, lambda: _taken(fork(client), [flight])

    odd = ((1 << 8191) + (1 << 4000) + n for n in range(1, 10_000, 2))
    unnamed = next(n for n in odd if all(n % small for small in range(3, 1000, 2)))
    largest = (NamedGroup.FFDHE8192,)
    return {
        "an honest server's flight of the same size, ffdhe8192": answered({"groups": largest}, groups=largest),
        "an honest server's flight, ffdhe2048": answered({}),
        "an unnamed prime of 8,192 bits": answered({"groups": (NamedGroup.X25519,)}, dh_parameters=(unnamed, 2)),
    }


KINDS: dict[str, Callable[[], dict[str, Input]]] = {
    "chain of a server": functools.partial(_chains, "server"),
    "chain of a client": functools.partial(_chains, "client"),
    "CRL": _crls,
    "OCSP": _ocsp,
    "file": _files,
    "records": _records,
    "handshake": _handshakes,
    "key exchange": _key_exchange,
}
