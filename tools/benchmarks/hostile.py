"""The worst inputs known, and what they cost: processor time for each kilobyte, beside an honest input of the same kind.

The first row of each kind is the honest one. `ratio` says how many times that a hostile kilobyte costs; it shall not be above five.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from benchmarks.harness import Case, Contender, Options, Row, seconds
from benchmarks.overhead import drain
from puretls import Connection, Credential, Limits, ServerConfig, danger
from puretls.ca import DevelopmentCa
from puretls.config import ClientConfig
from puretls.crypto.kernels.ec import combs
from puretls.crypto.keys import RsaPublicKey
from puretls.crypto.provider import default
from puretls.der import oids, writer
from puretls.errors import PuretlsError
from puretls.iana import NamedGroup
from puretls.messages.records import Record
from puretls.suites import SUITES
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import remembered
from puretls.x509.crl import Crl
from puretls.x509.drafts import CertificateDraft, CrlDraft, RevokedEntry
from puretls.x509.keys import parse_private_key, pbkdf, spki_bytes
from puretls.x509.names.distinguished import NAMES
from puretls.x509.ocsp import OcspResponse
from puretls.x509.path.examine import Caches
from puretls.x509.pkcs8 import encrypted_key_der
from puretls.x509.pkcs12 import most_rounds, parse_pkcs12
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier

NOW = 1_790_000_000
NAME = "www.example.test"
YEAR = 365 * 86_400
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


class Forge:
    """Certificates that nobody has signed, around one authority that is trusted."""

    def __init__(self) -> None:
        self.ca = DevelopmentCa.create(os.urandom, NOW)
        self.issued = self.ca.issue([NAME], usage="both")
        self.spkis = [spki_bytes(self.ca.provider.generate("secp256r1", os.urandom).public) for _ in range(8)]
        self.serial = 0

    def certificate(self, subject: bytes, issuer: bytes, *more: bytes, key: int = 0, is_ca: bool = True, rsa: int = 0) -> bytes:
        """`rsa`: bytes of an RSA signature instead of one by ECDSA."""
        basic = drafts.basic_constraints(True) if is_ca else drafts.subject_alt_name([NAME])
        self.serial += 1
        draft = CertificateDraft(
            subject, issuer, 1 << 64 | self.serial, NOW - YEAR, NOW + YEAR, self.spkis[key % 8], (basic, *more)
        )
        signature = writer.sequence(writer.integer(1 << 255), writer.integer(self.serial))
        identifier = writer.sequence(writer.oid(oids.ECDSA_WITH_SHA256))
        if rsa:
            signature, identifier = bytes((1,)) * rsa, writer.sequence(writer.oid(oids.SHA256_WITH_RSA), writer.null())
        return writer.sequence(draft.tbs(identifier), identifier, writer.bit_string(signature))

    def leaf(self, issuer: bytes) -> bytes:
        return self.certificate(text_name("leaf"), issuer, key=7, is_ca=False)

    def mesh(self, names: list[bytes], *more: bytes, trusted: bool = False) -> list[bytes]:
        """A leaf below CAs that have all signed each other, or have all one name; with `trusted`, all below the anchor too."""
        made = [self.certificate(name, above, *more, key=i) for (i, name), above in product(enumerate(names), names) if above != name]
        above = [self.certificate(name, self.ca.root.name, *more, key=i) for i, name in enumerate(names) if trusted]
        return [self.leaf(names[0]), *made[: 127 - len(above)], *above]

    def line(self, subjects: list[bytes], more: Callable[[int], tuple[bytes, ...]]) -> list[bytes]:
        """A leaf below these CAs, the last of which says that it is issued by the anchor."""
        above = [*subjects[1:], self.ca.root.name]
        path = [self.certificate(s, a, *more(i), key=i) for i, (s, a) in enumerate(zip(subjects, above, strict=True))]
        return [self.leaf(subjects[0]), *path]


def text_name(*values: str) -> bytes:
    return drafts.name(*((oids.ORGANIZATION, value) for value in values))


def marks(length: int, salt: int) -> str:
    """Combining marks in descending classes, which are the dearest to put into order."""
    return chr(0x61 + salt) + "".join(c * (length // 5) for c in ("\u0345", "\u0301", "\u0323", "\u0327", "\u0334"))


def named_constraints(*bases: bytes) -> bytes:
    subtrees = writer.explicit(1, *(writer.sequence(base) for base in bases))
    return drafts.extension(oids.NAME_CONSTRAINTS, writer.sequence(subtrees), critical=True)


def policies(count: int) -> bytes:
    listed = writer.sequence(*(writer.sequence(writer.oid(f"1.3.6.1.4.1.5.{n}")) for n in range(count)))
    return drafts.extension(oids.CERTIFICATE_POLICIES, listed)


def hostile_chains(forge: Forge) -> dict[str, list[bytes]]:
    """The worst chains, by what makes them so."""
    small = [text_name(f"mesh {n}") for n in range(8)]
    wide = [text_name(*("x" * 8,) * 400, str(n)) for n in range(8)]
    marked = [text_name(*(marks(250, n) for _ in range(16))) for n in range(8)]
    rdns = [text_name(*(f"{n}.{i}" for i in range(500))) for n in range(15)]
    lined = [text_name(f"line {n}") for n in range(15)]
    labels = "a." * 120 + "test"
    return {
        "a leaf and eight CAs with names of 4,000 combining marks": [
            forge.leaf(text_name(marks(4000, 0))),
            *(forge.certificate(text_name(marks(4000, n)), text_name(marks(4000, n))) for n in range(8)),
        ],
        "the same in values as long as are prepared": [forge.leaf(marked[0]), *(forge.certificate(n, n) for n in marked)],
        "eight small CAs that sign each other": forge.mesh(small),
        "eight small CAs that sign each other, and say that the anchor signs them": forge.mesh(small, trusted=True),
        "eight CAs with 400 relative names each": forge.mesh(wide)[:20],
        "126 CAs of one name": [forge.leaf(small[0]), *(forge.certificate(small[0], small[0], key=n) for n in range(126))],
        "126 CAs that say that the anchor signs them": [
            forge.leaf(small[0]),
            *(forge.certificate(small[0], forge.ca.root.name, key=n) for n in range(126)),
        ],
        "fifteen CAs that constrain names of 500 relative names": forge.line(
            rdns, lambda i: (named_constraints(writer.explicit(4, text_name(*(f"{i}.{n}" for n in range(499)), "no"))),)
        ),
        "fifteen CAs that constrain hosts, with hosts of 120 labels": forge.line(
            lined,
            lambda i: (
                named_constraints(*(writer.implicit(2, f"x{n}.test".encode()) for n in range(20))),
                drafts.extension(oids.SUBJECT_ALT_NAME, writer.sequence(*(writer.implicit(2, labels.encode()),) * 20)),
            ),
        ),
        "small CAs in many paths, with 100 policies each": forge.mesh(small[:5], policies(100), trusted=True),
        "an RSA key of 8,192 bits with an exponent of 32": _large_key(forge),
    }


def _large_key(forge: Forge) -> list[bytes]:
    """A CA that is signed, with the dearest key that is let through."""
    key = RsaPublicKey((1 << 8191) + 1, (1 << 32) - 1)
    subject = text_name("large")
    draft = replace(forge.ca.issue([NAME]).draft, subject=subject, spki=spki_bytes(key), extensions=(drafts.basic_constraints(True),))
    return [forge.certificate(text_name("leaf"), subject, is_ca=False, rsa=1024), forge.ca.sign(draft), *forge.issued.chain[1:]]


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
