"""Lesson 6: the PRF, the master secret, and the keys that it becomes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from puretls import schedule
from puretls.crypto.prf import prf
from puretls.labs.lessons.handshakes import seen
from puretls.labs.lessons.lesson import Case, Exercise
from puretls.labs.lessons.tools import prf as with_sha256
from puretls.suites import SUITES

_LENGTHS = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": (0, 16, 4),
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": (0, 32, 12),
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": (20, 16, 0),
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": (32, 16, 0),
}
"""Suites of SHA-256, and the lengths of their MAC keys, cipher keys and fixed IVs (RFC 5246 6.3, RFC 5288 3, RFC 7905 2)."""


def _prfs(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "A(0) is label + seed, A(i) is HMAC(secret, A(i-1)); the output is HMAC(secret, A(1) + label + seed), then the same with "
        "A(2), and so on, cut to the length"
    )
    for length in (32, 12, 48, 0, 64, 65, 104, 1):
        secret, label, data = random.randbytes(random.choice((48, 70))), b"test label", random.randbytes(random.randrange(70))
        yield Case((secret, label, data, length), with_sha256(secret, label, data, length), hint)


def _masters(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        'without a session hash the label is "master secret" and the seed client_random + server_random; with one the label is '
        '"extended master secret" and the seed the hash alone (RFC 7627 section 4); 48 bytes'
    )
    for number in range(8):
        premaster, one, two = random.randbytes(random.choice((31, 32, 48))), random.randbytes(32), random.randbytes(32)
        session_hash = random.randbytes(32) if number % 2 else None
        master = (
            schedule.master_secret(prf, "sha256", premaster, one, two)
            if session_hash is None
            else schedule.extended_master_secret(prf, "sha256", premaster, session_hash)
        )
        yield Case((premaster, one, two, session_hash), bytes(master), hint)


def _blocks(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        'label "key expansion", seed server_random + client_random: here the server\'s comes first; then cut: both MAC keys, both '
        "cipher keys, both IVs, the client's before the server's each time"
    )
    for suite in SUITES:
        if suite.name in _LENGTHS:
            master, one, two = random.randbytes(48), random.randbytes(32), random.randbytes(32)
            block = schedule.key_block(prf, suite, master, one, two)
            keys = tuple(
                bytes(getattr(block, f"{side}_{kind}")) for kind in ("mac_key", "key", "iv") for side in ("client", "server")
            )
            yield Case((master, one, two, *_LENGTHS[suite.name]), keys, hint)
    ledger = seen("shop").ledger
    master, one, two = (ledger[name].value or b"" for name in _INPUTS)
    keys = tuple(ledger[f"{side}_write_{kind}"].value or b"" for kind in ("key", "IV") for side in ("client", "server"))
    yield Case((bytes(master), one, two, 0, 16, 4), (b"", b"", *map(bytes, keys)), f"these are the values of the lesson; {hint}")


_INPUTS = ("master_secret", "client_random", "server_random")

EXERCISES = (
    Exercise("prf", _prfs),
    Exercise("master_secret", _masters),
    Exercise("key_block", _blocks),
)
