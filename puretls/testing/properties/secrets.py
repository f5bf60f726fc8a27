"""Properties of secrets and nonces."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from puretls.crypto.aead import AeadAlgorithm
from puretls.testing.adapters.base import Factory
from puretls.testing.honest import suite_named
from puretls.testing.properties.playing import DOWN, UP, Meeting
from puretls.testing.properties.property import Property, unless
from puretls.testing.wire import Wire
from puretls.values import frozen

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SUITES = ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")
"""Suites whose nonce or IV is in the record, for all to see."""


@frozen
class Talk:
    """How much an end says, in which suite."""

    suite: str
    sizes: tuple[int, ...]
    close: bool = True


def _talks(subject: Factory) -> SearchStrategy[Talk]:
    from hypothesis import strategies as st

    sizes = st.lists(st.sampled_from((0, 1, 15, 16, 2**14, 2**14 + 1, 2**16)), max_size=4).map(tuple)
    return st.builds(Talk, st.sampled_from(SUITES), sizes, st.booleans())


def _talk(subject: Factory, case: Talk) -> None:
    meeting = Meeting(subject, suites=(suite_named(case.suite),)).shake_hands()
    if not meeting.completed:
        return  # it does not have the suite
    tested: Any = meeting.tested
    for size in case.sizes if subject.acts else ():
        tested.send(bytes(size))
        meeting.carry()
    if case.close and subject.acts:
        tested.close()
    meeting.carry()
    seen = list(_nonces(meeting))
    unless(bool(seen), subject, nonces_never_repeat, "no sealed record was sent")
    twice = {nonce for nonce in seen if seen.count(nonce) > 1}
    unless(
        not twice, subject, nonces_never_repeat, lambda: f"nonce {min(twice).hex()} was used for {seen.count(min(twice))} records"
    )


def _nonces(meeting: Meeting) -> Iterator[bytes]:
    """Explicit nonces or IVs of what the tested end sealed (RFC 5288 3, RFC 5246 6.2.3.2)."""
    agreed = meeting.ours.connection.negotiated
    assert agreed is not None
    bulk = agreed.suite.bulk
    size = 8 if isinstance(bulk, AeadAlgorithm) else 16
    for record in meeting.conversation().records:
        if record.side == meeting.side and record.epoch == 1:
            yield record.raw[5 : 5 + size]


nonces_never_repeat: Property = Property(
    "nonces_never_repeat",
    "no two records under one key have the same nonce, or IV",
    "RFC 5288 3",
    _talks,
    _talk,
)


# What is shown


class _Heard(logging.Handler):
    """Everything that is logged."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _wires(subject: Factory) -> SearchStrategy[Wire]:
    from puretls.testing import strategies

    return strategies.wires()


def _listen(subject: Factory, wire: Wire) -> None:
    heard, root = _Heard(), logging.getLogger()
    before = root.level
    root.addHandler(heard)
    root.setLevel(logging.NOTSET)
    try:
        meeting = Meeting(subject, wire=wire).converse()
    finally:
        root.removeHandler(heard)
        root.setLevel(before)
    secrets = _secrets(meeting)
    for where, text in (
        *_shown(meeting.tested),
        *(("a line of the log", line) for line in heard.lines),
        ("what was told", repr(meeting.told)),
    ):
        found = next((name for name, secret in secrets if _is_in(secret, text)), "")
        unless(not found, subject, secrets_are_never_shown, f"{where} shows {found}")


def _secrets(meeting: Meeting) -> list[tuple[str, bytes]]:
    """What only the two ends may know: master secrets, and what was said."""
    masters = [("the master secret", bytes.fromhex(line.rpartition(" ")[2])) for line in meeting.key_log]
    return [*masters, ("what was said", UP), ("what was said", DOWN)]


def _shown(peer: Any) -> Iterator[tuple[str, str]]:
    """What people come to see of an end: its repr, that of its parts, its error with the traceback."""
    yield "its repr", repr(peer)
    for name in (one for one in dir(peer) if not one.startswith("_")):
        value = getattr(peer, name, None)
        if not callable(value):
            yield f"the repr of its {name}", repr(value)
    error = getattr(peer, "error", None)
    if isinstance(error, BaseException):
        yield "its traceback", "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def _is_in(secret: bytes, text: str) -> bool:
    if not secret:
        return False
    plain = re.escape(repr(secret)[2:-1])
    return secret.hex() in text.lower().replace(" ", "").replace(":", "") or re.search(plain, text) is not None


secrets_are_never_shown: Property = Property(
    "secrets_are_never_shown",
    "no repr, log line or exception holds a key or what was said",
    "RFC 5246 F.1",
    _wires,
    _listen,
)
