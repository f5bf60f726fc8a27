"""Lesson 3: what the name of a suite says, which one a server chooses, and versions that somebody made lower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from puretls.inspect.tape import Step
from puretls.labs.lessons.handshakes import shop
from puretls.labs.lessons.lesson import Case, Exercise
from puretls.suites import SUITES

FALLBACK_SCSV = 0x5600
_CERTIFIED = [suite for suite in SUITES if suite.has_certificate and not suite.danger]
_REAL = [suite for suite in _CERTIFIED if suite.name.startswith("TLS_ECDHE_ECDSA")]


def _hashes(seed: str) -> Iterator[Case]:
    for suite in Random(seed).sample(SUITES, 24):
        hint = (
            "where the name ends in SHA256 or SHA384, that is the hash of the PRF; all others use SHA-256, even if the name ends in "
            "SHA: that is the hash of their MAC (RFC 5246 section 5)"
        )
        yield Case((suite.name,), suite.prf_hash, hint)


def _choices(seed: str) -> Iterator[Case]:
    random = Random(seed)
    for number in range(20):
        offered = random.sample(_CERTIFIED, 6)
        preferred = [*random.sample(_CERTIFIED, 12), offered[3]]
        key = random.choice(("RSA", "ECDSA"))
        groups = number % 3 > 0
        order = list(dict.fromkeys(suite.id for suite in preferred))
        offer = [int(suite.id) for suite in offered] + [0xFAFA, 0x00FF]
        told = {suite.id: (suite.is_elliptic, suite.auth.value) for suite in _CERTIFIED if suite.id in order}
        fitting = [one for one in order if one in offer and told[one][1] == key and (groups or not told[one][0])]
        rows = [(int(one), *told[one]) for one in order]
        hint = "go through the server's suites in its order; take the first that was offered, fits the key, and has a group if it needs one"
        yield Case((offer, rows, key, groups), int(fitting[0]) if fitting else None, hint)
    yield from _real_choices(random)


def _real_choices(random: Random) -> Iterator[Case]:
    """What a server of puretls chooses."""
    start = (Step("start"), Step("carry"))
    for _ in range(2):
        offered, preferred = random.sample(_REAL, 3), random.sample(_REAL, 4)
        connection = shop("choice", suites=_names(offered), server={"suites": _names(preferred)}, steps=start)
        rows = [(int(suite.id), True, "ECDSA") for suite in preferred]
        chosen = int(connection.suite.id) if connection.suite else None
        hint = "this is what a server of puretls chose; the order of the server decides, not that of the client"
        yield Case(([int(suite.id) for suite in offered], rows, "ECDSA", True), chosen, hint)


def _names(suites: Sequence[object]) -> list[str]:
    return [suite.name for suite in suites]  # type: ignore[attr-defined]


def _fallbacks(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "it is a downgrade if TLS_FALLBACK_SCSV, 0x5600, is among the suites and the client's version is lower than the server's "
        "highest; neither alone is wrong (RFC 7507 section 3)"
    )
    for _ in range(16):
        offered = random.sample(range(0xC000, 0xC0FF), 4) + random.choice(([], [FALLBACK_SCSV]))
        random.shuffle(offered)
        version, highest = random.choice((0x0301, 0x0302, 0x0303)), random.choice((0x0302, 0x0303, 0x0303))
        yield Case((offered, version, highest), FALLBACK_SCSV in offered and version < highest, hint)


EXERCISES = (
    Exercise("prf_hash", _hashes),
    Exercise("choose_suite", _choices),
    Exercise("is_downgrade", _fallbacks),
)
