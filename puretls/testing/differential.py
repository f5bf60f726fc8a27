"""The differential bench: the same mutated hello to several servers, the same mutated chain to several validators.

Verdicts are normalised: a server "goes on" (its ServerHello comes), "refuses", "waits" for more, or "crashes" by an exception that is none
of its own; a validator "accepts" or "refuses". Where they differ, the mutation is shrunk to one edit, and looked up in a table of what is
known.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from random import Random

from puretls import danger
from puretls.errors import InternalError, PuretlsError, UsageError
from puretls.inspect.deeper import spans_of
from puretls.inspect.edit import Edit, edited
from puretls.spans import Span
from puretls.testing import adapters
from puretls.testing.adapters import Factory
from puretls.testing.needs import need
from puretls.testing.pki import DEFECTS, Chain, plan
from puretls.testing.pki.plans import Layer, Plan, provider_of_signers
from puretls.values import frozen
from puretls.x509.certificates.certificate import annotate
from puretls.x509.drafts import Signer
from puretls.x509.pem import write_pem

GOES_ON, REFUSES, WAITS, CRASHES, ACCEPTS = "goes on", "refuses", "waits", "crashes", "accepts"


@frozen
class Disagreement:
    """What was done, and what each said of it: name -> verdict. `field` is the path with `*` for every index."""

    edits: tuple[Edit, ...]
    verdicts: Mapping[str, str]
    what: str = ""
    """What was mutated, where that is not only the edits."""

    @property
    def field(self) -> str:
        """Of the only edit; where several are needed, of all."""
        return " and ".join(dict.fromkeys(re.sub(r"\[\d+\]", "[*]", edit.inside) for edit in self.edits)) or self.what

    @property
    def line(self) -> str:
        """As the table has it: verdicts, then the field."""
        return f"{', '.join(f'{name} {verdict}' for name, verdict in self.verdicts.items())} | {self.field}"

    def __str__(self) -> str:
        return f"{self.line} | {'; '.join(map(str, self.edits))} {self.what}".rstrip()


@frozen
class Known:
    """A row of the table: patterns (`*` for anything) of verdicts and field, and why it is so."""

    verdicts: str
    field: str
    why: str

    def covers(self, found: Disagreement) -> bool:
        """Whether it is about this disagreement; where several edits are needed for one, about a field of any of them."""
        told, _, field = found.line.partition(" | ")
        escaped = [re.sub(r"\[", "[[]", pattern) for pattern in (self.verdicts, self.field)]
        return fnmatchcase(told, escaped[0]) and any(fnmatchcase(one, escaped[1]) for one in field.split(" and "))


def table(text: str) -> tuple[Known, ...]:
    """The rows of a table: lines of `verdicts | field | why`; those that begin with # are for people. Raises `UsageError`."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3:
            raise UsageError(f"line {number} of the table is not verdicts | field | why")
        rows.append(Known(*parts))
    return tuple(rows)


@frozen
class Outcome:
    """What a bench came to: how many were asked about, and what they disagreed on, shrunk."""

    asked: int
    found: tuple[Disagreement, ...]

    def unclassified(self, known: Iterable[Known]) -> list[Disagreement]:
        """One disagreement for each line that no row of the table covers, the shortest."""
        rows = tuple(known)
        left: dict[str, Disagreement] = {}
        for one in sorted(self.found, key=lambda one: len(one.edits)):
            if not any(row.covers(one) for row in rows):
                left.setdefault(one.line, one)
        return list(left.values())


# Mutations

_OPERATIONS = ("set", "set", "flip", "flip", "delete", "duplicate", "lie", "truncate")
_EDGES = (b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff")


def drawn(random: Random, side: str, spans: Sequence[Span], repair: frozenset[str]) -> Edit:
    """One edit of a field among these spans, at the edges of what it can hold more often than not."""
    span = random.choice([span for span in spans if span.end > span.start])
    operation = random.choice(_OPERATIONS)
    path, width = f"{side}.{span.path}", span.end - span.start
    if operation == "set":
        edge = random.choice(_EDGES)
        value = edge * width if random.random() < 0.6 else random.randbytes(random.choice((width, width, 1, width + 1)))
        return Edit(path, "set", f"hex:{value.hex()}", repair)
    if operation == "flip":
        return Edit(path, "flip", f"hex:{(1 << random.randrange(8 * width)).to_bytes(width).hex()}", repair)
    if operation == "lie":
        return Edit(path, "lie", random.choice(("+1", "-1", "0", "255")), repair)
    return Edit(path, operation, "", repair)


def made(raw: bytes, spans: Callable[[bytes], Sequence[Span]], edits: Iterable[Edit]) -> tuple[bytes, tuple[Edit, ...]]:
    """The bytes after all edits that can be made, and these."""
    done: list[Edit] = []
    for edit in edits:
        try:
            raw = edited(raw, spans(raw), edit)
        except UsageError:
            continue
        done.append(edit)
    return raw, tuple(done)


def _shrunk(edits: tuple[Edit, ...], verdicts: Callable[[tuple[Edit, ...]], Mapping[str, str]]) -> Disagreement:
    """One edit that is enough for a disagreement; all of them where none is."""
    for edit in edits:
        alone = verdicts((edit,))
        if len(set(alone.values())) > 1:
            return Disagreement((edit,), alone)
    return Disagreement(edits, verdicts(edits))


# Flights

LENGTHS = frozenset(("lengths",))


def servers() -> dict[str, Factory]:
    """The three, with cryptography. Raises `UsageError` where one is missing."""
    return {
        "puretls": adapters.puretls("server", secure=True),
        "openssl": adapters.memory_bio("server"),
        "tlslite-ng": adapters.tlslite("server"),
    }


@cache
def _hellos() -> tuple[bytes, ...]:
    """Handshake messages of two clients."""
    made_by = []
    for factory in (adapters.puretls("client", secure=True, seed=b"bench"), adapters.memory_bio("client")):
        client = factory()
        client.start()  # type: ignore[attr-defined]
        made_by.append(client.take()[5:])
    return tuple(made_by)


def flight_verdict(factory: Factory, hello: bytes) -> str:
    """What a server says to this handshake message, alone in a record."""
    try:
        server = factory()
        server.receive(b"\x16\x03\x01" + len(hello).to_bytes(2) + hello)
        answer, told = server.take(), server.events()
    except InternalError:
        return CRASHES
    except (PuretlsError, OSError):
        return REFUSES
    except Exception:
        return CRASHES
    if answer[:1] == b"\x16" and answer[5:6] == b"\x02":
        return GOES_ON
    if answer[:1] == b"\x15" or any(one.kind in {"failed", "closed"} for one in told):
        return REFUSES
    return WAITS


def flights(count: int, seed: int = 0, chosen: Mapping[str, Factory] | None = None) -> Outcome:
    """Ask about so many mutated hellos, of one to three edits each."""
    random, ends, found = Random(seed), chosen or servers(), []
    for _ in range(count):
        raw = random.choice(_hellos())
        repair = LENGTHS if random.random() < 0.8 else frozenset[str]()
        edits = tuple(drawn(random, "client", _hello_spans(raw), repair) for _ in range(random.choice((1, 1, 2, 3))))

        def verdicts(edits: tuple[Edit, ...], raw: bytes = raw) -> Mapping[str, str]:
            hello, _ = made(raw, _hello_spans, edits)
            return {name: flight_verdict(factory, hello) for name, factory in ends.items()} if len(hello) < 2**14 else {}

        _, done = made(raw, _hello_spans, edits)
        if len(set(verdicts(done).values())) > 1:
            found.append(_shrunk(done, verdicts))
    return Outcome(count, tuple(found))


def _hello_spans(raw: bytes) -> Sequence[Span]:
    return spans_of(22, raw, None)


# Chains


def puretls_chain(chain: Chain) -> str:
    """The verdict of puretls's verifier."""
    return ACCEPTS if chain.verify().accepted else REFUSES


def openssl_chain(chain: Chain) -> str:
    """The verdict of `openssl verify`. Raises `UsageError` where it is not installed."""
    program = shutil.which("openssl")
    if program is None:
        raise UsageError("openssl is not installed")
    with tempfile.TemporaryDirectory() as folder:
        for name, ders in (("leaf", chain.certificates[:1]), ("more", chain.certificates[1:]), ("root", chain.anchors)):
            Path(folder, name).write_text("".join(write_pem("CERTIFICATE", der) for der in ders))
        command = [program, "verify", "-attime", str(int(chain.time)), "-purpose", "sslserver", "-verify_hostname", chain.server_name]
        command += ["-x509_strict", "-CAfile", "root", *(("-untrusted", "more") if chain.certificates[1:] else ()), "leaf"]
        return ACCEPTS if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0 else REFUSES


def cryptography_chain(chain: Chain) -> str:
    """The verdict of pyca/cryptography's verifier of servers."""
    x509, verification = (
        need("cryptography.x509", package="cryptography"),
        need("cryptography.x509.verification", package="cryptography"),
    )
    try:
        leaf, *more = map(x509.load_der_x509_certificate, chain.certificates)
        store = verification.Store([x509.load_der_x509_certificate(chain.anchors[0])])
        builder = verification.PolicyBuilder().store(store).time(datetime.fromtimestamp(chain.time, UTC))
        builder.build_server_verifier(x509.DNSName(chain.server_name)).verify(leaf, more)
    except (
        ValueError,
        verification.VerificationError,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ):
        return REFUSES
    return ACCEPTS


VALIDATORS: Mapping[str, Callable[[Chain], str]] = {
    "puretls": puretls_chain,
    "openssl": openssl_chain,
    "cryptography": cryptography_chain,
}


def chains(count: int, seed: int = 0, chosen: Mapping[str, Callable[[Chain], str]] = VALIDATORS) -> Outcome:
    """Ask about so many chains: a defect in one of them in three, else a field of a certificate edited and signed anew."""
    random, found = Random(seed), []
    for _ in range(count):
        base = plan(random.randrange(3))
        if random.random() < 0.34:
            defect = random.choice([row for row in DEFECTS.values() if row.places(base)])
            chain = defect.in_plan(base, random.choice(defect.places(base)))
            told = {name: ask(chain) for name, ask in chosen.items()}
            if len(set(told.values())) > 1:
                found.append(Disagreement((), told, defect.name))
            continue
        place = random.randrange(1, base.leaf + 1)
        tbs = [span for span in annotate(base.layers[place].signed()) if ".tbs_certificate." in span.path]
        edits = tuple(drawn(random, "server", tbs, LENGTHS) for _ in range(random.choice((1, 1, 2))))

        def verdicts(edits: tuple[Edit, ...], base: Plan = base, place: int = place) -> Mapping[str, str]:
            chain = base.changed(place, lambda layer: _resigned(layer, edits)).chain()
            return {name: ask(chain) for name, ask in chosen.items()}

        _, done = made(base.layers[place].signed(), _certificate_spans, edits)
        if len(set(verdicts(done).values())) > 1:
            found.append(_shrunk(done, verdicts))
    return Outcome(count, tuple(found))


def _certificate_spans(der: bytes) -> Sequence[Span]:
    return annotate(der)


def _resigned(layer: Layer, edits: tuple[Edit, ...]) -> Layer:
    """The layer with its certificate edited, and signed by whom it was signed before."""

    def finish(der: bytes) -> bytes:
        changed, _ = made(der, _certificate_spans, edits)
        random = danger.fixed_random(b"differential bench")
        return Signer(layer.signer, random, provider_of_signers(), layer.algorithm).seal(_first_element(_content(changed)))

    return replace(layer, finish=finish)


def _content(der: bytes) -> bytes:
    """What is in an element of DER, whatever its length says."""
    count = der[1] & 0x7F if der[1] & 0x80 else 0
    return der[2 + count :]


def _first_element(data: bytes) -> bytes:
    count = data[1] & 0x7F if data[1] & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + count]) if count else data[1]
    return data[: 2 + count + length]


def lines(outcome: Outcome, known: Iterable[Known] = ()) -> Iterator[str]:
    """What a bench came to, for people."""
    left = outcome.unclassified(known)
    yield f"{outcome.asked} asked about, {len(outcome.found)} disagreements, {len(left)} kinds of them not in the table"
    yield from map(str, left)
