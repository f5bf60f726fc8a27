"""Lesson 10: what a server asks for, which certificate a client takes, and what CertificateVerify covers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from puretls.inspect.conversation import Conversation
from puretls.inspect.player import replay
from puretls.inspect.tape import Tape
from puretls.labs.lessons.handshakes import body, tape
from puretls.labs.lessons.lesson import Case, Exercise

RSA, ECDSA = 1, 64
"""ClientCertificateType (RFC 5246 7.4.4, RFC 8422 5.5)."""


def mutual_tape(seed: str = "shop") -> Tape:
    """What makes a connection in which the client shows a certificate as well."""
    ann = {"credentials": [{"kind": "secp256r1", "names": ["ann@shop.test"], "usage": "client"}]}
    return tape(seed, client=ann, server={"client_authentication": "require", "verifier": "authority"})


@lru_cache(maxsize=8)
def mutual(seed: str = "shop") -> Conversation:
    """Such a connection."""
    return replay(mutual_tape(seed)).conversation()


def _vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def _requests(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "three vectors: certificate_types (length of 1 byte, items of 1), supported_signature_algorithms (2, items of 2), "
        "certificate_authorities (2, and each name in it has a length of 2 of its own)"
    )
    raw = body(mutual(), "server.CertificateRequest")
    algorithms = raw[5 : 5 + int.from_bytes(raw[3:5], "big")]
    listed = [int.from_bytes(algorithms[at : at + 2], "big") for at in range(0, len(algorithms), 2)]
    yield Case((raw,), (list(raw[1:3]), listed, []), f"this is the request of the lesson; {hint}")
    for _ in range(8):
        types = random.sample((1, 2, 64, 65, 66), random.randrange(1, 4))
        schemes = random.sample((0x0401, 0x0403, 0x0501, 0x0503, 0x0804, 0x0807), random.randrange(1, 6))
        names = [random.randbytes(random.randrange(1, 60)) for _ in range(random.randrange(4))]
        offered = b"".join(scheme.to_bytes(2, "big") for scheme in schemes)
        made = _vector(bytes(types), 1) + _vector(offered, 2) + _vector(b"".join(_vector(name, 2) for name in names), 2)
        yield Case((made,), (types, schemes, names), hint)


def _choices(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "the first of mine whose kind of key is among the types (1: RSA, 64: ECDSA), and whose issuer is among the authorities; an "
        "empty list of authorities means that any will do; None means an empty Certificate message"
    )
    for number in range(16):
        mine = [(random.choice(("RSA", "ECDSA")), random.choice((b"A", b"B", b"C"))) for _ in range(random.randrange(4))]
        types = random.choice(([RSA], [ECDSA], [RSA, ECDSA], [66]))
        authorities = [] if number % 4 == 0 else random.sample((b"A", b"B", b"C", b"D"), random.randrange(1, 3))
        wanted = {"RSA": RSA, "ECDSA": ECDSA}
        fitting = [
            at for at, (kind, issuer) in enumerate(mine) if wanted[kind] in types and (not authorities or issuer in authorities)
        ]
        yield Case((types, authorities, mine), fitting[0] if fitting else None, hint)


def _covered(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "all handshake messages in front of CertificateVerify (type 15), with their headers, as they were sent, one after the other: "
        "from ClientHello to ClientKeyExchange; not itself, and nothing behind it"
    )
    said = [(one.side, one.raw) for one in mutual(seed).messages if one.content_type == 22]
    expected = bytes(mutual(seed).ledger["client.CertificateVerify.signed_input"].value or b"")
    yield Case((said,), expected, f"this is a connection of the shop; {hint}")
    for _ in range(5):
        kinds = (1, 2, 11, 12, 13, 14, 11, 16, 15, 20, 4, 20)
        made = [
            ("client" if at in {0, 6, 7, 8, 9} else "server", bytes([kind]) + _vector(random.randbytes(random.randrange(30)), 3))
            for at, kind in enumerate(kinds)
        ]
        yield Case((made,), b"".join(raw for _, raw in made[:8]), hint)
    silent = [(side, raw) for side, raw in made if raw[0] != 15]
    yield Case((silent,), None, "who sends no certificate sends no CertificateVerify either: then nothing is covered, None")


EXERCISES = (
    Exercise("read_request", _requests),
    Exercise("choose_certificate", _choices),
    Exercise("covered", _covered),
)
