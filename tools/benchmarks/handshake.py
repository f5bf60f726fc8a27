"""Processor time of handshakes, client and server, each library against itself in memory.

Puretls, tlslite-ng and OpenSSL (by Python's `ssl` on memory BIOs) take turns. All speak ECDHE with ChaCha20-Poly1305 and present a
chain of leaf and intermediate. tlslite-ng never validates chains, so its client stands beside ours both without validation and with.
"First contact" forgets what was kept of earlier connections (combs of public keys, checked signatures), "issuer known" all but what
another server's chain of the same issuer left; "again" forgets nothing.

A turn is several handshakes in step: all clients do their part, then all servers. So each side is measured at its own work, as in a
process that does nothing else. What a client costs whose code the processor has lost for other work meanwhile, the server's not
least, is in the rows "one at a time".
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

from benchmarks.ends import GROUPS, KEYS, Contender, End, OpenSslSetting, Setting, TlsliteSetting, first_contact, puretls
from benchmarks.harness import Case, Options, Row

IN_STEP = 16
"""Handshakes in a turn."""
Seconds = dict[str, float]


def cases(options: Options) -> list[Case]:
    """Each kind of key with each group, then resumption."""
    found = [functools.partial(full, key, group, options) for key in KEYS for group in GROUPS]
    return [*found, functools.partial(resumed, options)]


def timed(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Processor seconds, and what came of it."""
    start = time.process_time()
    result = work(*arguments)
    return time.process_time() - start, result


def shake_hands(contender: Contender, count: int) -> tuple[list[Seconds], End]:
    """`count` handshakes in step: the seconds of each side in each, and a client for its session."""
    made = {side: [timed(make) for _ in range(count)] for side, make in (("client", contender.client), ("server", contender.server))}
    spent = [{side: ends[i][0] for side, ends in made.items()} for i in range(count)]
    data = [b""] * count
    for side in cycle(made):
        for i, (_, end) in enumerate(made[side]):
            if side == "client":
                contender.before_client()
            seconds, data[i] = timed(end, data[i])
            spent[i][side] += seconds
        if not any(data):
            break
    return spent, made["client"][0][1]


def medians(contenders: dict[str, Contender], rounds: int, *, in_step: int = IN_STEP, resumed: bool = False) -> dict[str, Seconds]:
    """Milliseconds of each side, over all handshakes; contenders take turns after one warm-up each."""
    found: dict[str, list[Seconds]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            spent, client = shake_hands(contenders[name], in_step)
            assert client.resumed == resumed
            if number:
                found[name] += spent
    return {
        name: {side: statistics.median(seconds[side] for seconds in spent) * 1e3 for side in ("client", "server")}
        for name, spent in found.items()
    }


def full(key: str, group: str, options: Options) -> list[Row]:
    """A full handshake: the server, then the client with more and more to do."""
    setting = Setting(key, group, options)
    contenders = {
        "first": first_contact(setting, validating=False),
        "verified": first_contact(setting, validating=True),
        "known": first_contact(setting, validating=True, issuer_known=True),
        "again": puretls(setting, validating=True),
        "tlslite_ng": TlsliteSetting(setting).contender(),
        "openssl": OpenSslSetting(setting).contender(),
    }
    case, figures = f"{key} {group}", medians(contenders, options.rounds(9))
    alone = medians({name: contenders[name] for name in ("again", "tlslite_ng", "openssl")}, options.rounds(24), in_step=1)

    def row(what: str, side: str, name: str, found: dict[str, Seconds] = figures) -> Row:
        best = found["openssl"][side] if name != "first" else None  # OpenSSL always validates
        return Row("handshake", f"{case} {what}", "", "ms", found[name][side], found["tlslite_ng"][side], best)

    return [
        row("server", "server", "verified"),
        row("client, chain not validated", "client", "first"),
        row("client, chain validated, first contact", "client", "verified"),
        row("client, chain validated, first contact, issuer known", "client", "known"),
        row("client, chain validated, again", "client", "again"),
        row("client, chain validated, again, one at a time", "client", "again", alone),
    ]


def resumed(options: Options) -> list[Row]:
    """Resumption by ticket, where no public-key operation remains."""
    setting = Setting("ECDHE-ECDSA-P256", "x25519", options)
    tlslite, openssl = TlsliteSetting(setting), OpenSslSetting(setting)
    makers: dict[str, Callable[..., Contender]] = {
        "puretls": functools.partial(puretls, setting),
        "tlslite_ng": tlslite.contender,
        "openssl": openssl.contender,
    }
    contenders = {name: make(shake_hands(make(), 1)[1].session) for name, make in makers.items()}
    rows = []
    for count, note in ((IN_STEP, ""), (1, ", one at a time")):
        figures = medians(contenders, options.rounds(24), in_step=count, resumed=True)
        for side in ("client", "server", "client plus server"):
            values = [figures[name].get(side, sum(figures[name].values())) for name in contenders]
            rows.append(Row("handshake", f"ticket resumption {side}{note}", "", "ms", *values))
    return rows
