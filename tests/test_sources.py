"""Entropy and time come from `config.random` and `config.clock` and from nowhere else: same seed, clock and schedule, same bytes."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from puretls import danger
from puretls.config import ServerConfig
from puretls.crypto import provider as providers
from puretls.crypto.signatures import SIGNATURE_SCHEMES
from puretls.errors import PuretlsError
from puretls.session import MemorySessionStore, TicketKeys
from tests.support.credentials import NOW, credential
from tests.support.pair import Pair, client_config, real
from tests.support.reference import REFERENCE, play

# The functions are replaced before puretls is loaded, so that no default keeps the real ones; they raise once everything is set up.
PROCESS = """
import functools, os, random, secrets, sys, time
armed = False
def guard(owner, name):
    real = getattr(owner, name)
    def guarded(*arguments, **keywords):
        if armed:
            raise AssertionError(f"{owner.__name__}.{name} was called")
        return real(*arguments, **keywords)
    setattr(owner, name, guarded)
for owner, names in ((os, ("urandom", "getrandom")), (time, ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "process_time")),
                     (random, ("random", "randbytes", "getrandbits", "randrange")), (secrets, ("token_bytes", "randbelow", "randbits")),
                     (random.SystemRandom, ("random", "getrandbits", "randbytes")), (random.Random, ("seed",))):
    for name in names:
        if hasattr(owner, name):
            guard(owner, name)
import hashlib, json
from tests.support.reference import REFERENCE, configurations, play
for row in REFERENCE:
    configurations(row)
armed = True
def digests(rows):
    return {row.name: hashlib.sha256(repr(play(row)).encode()).hexdigest() for row in rows}
passes = digests(REFERENCE), digests(REFERENCE[::-1])
armed = False
print(json.dumps(passes))
"""


def _started(root, hash_seed):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
    return subprocess.Popen([sys.executable, "-c", PROCESS], env=environment, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_the_reference_conversations_are_the_same_bytes_twice_in_two_processes(root):
    processes = [_started(root, hash_seed) for hash_seed in ("1", "2")]
    passes = []
    for process in processes:
        out, error = process.communicate()
        assert process.returncode == 0, error
        passes += json.loads(out)
    assert [len(each) for each in passes] == [24] * 4
    assert passes[0] == passes[1] == passes[2] == passes[3]
    assert len(set(passes[0].values())) == 24


@pytest.mark.parametrize("row", REFERENCE[::6], ids=lambda row: row.name)
def test_another_seed_gives_other_bytes(row):
    assert play(row) != play(row, b"other")


@pytest.mark.parametrize("provider", [providers.default(accelerated=False), providers.reference()], ids=lambda provider: provider.name)
@pytest.mark.parametrize("work", [
    *(pytest.param(lambda p, random, kind=kind, scheme=scheme: p.sign(SIGNATURE_SCHEMES[scheme], credential(kind).key, b"m", random), id=f"{kind} {scheme:x}")
      for kind, scheme in (("rsa2048", 0x0401), ("rsa2048", 0x0804), ("secp256r1", 0x0403), ("secp384r1", 0x0503), ("ed25519", 0x0807))),
    *(pytest.param(lambda p, random, group=group: p.group(group).generate(random), id=group) for group in ("x25519", "x448", "secp256r1", "ffdhe2048")),
    *(pytest.param(lambda p, random, kind=kind: p.generate(kind, random), id=f"new {kind}") for kind in ("rsa1024", "secp521r1", "ed448")),
    pytest.param(lambda p, random: p.rsa_private(credential("rsa2048").key, 5, random), id="rsa_private"),
])  # fmt: skip
def test_providers_draw_from_their_argument_alone(monkeypatch, provider, work):
    work(provider, danger.fixed_random())  # what is imported late may draw
    monkeypatch.setattr(os, "urandom", lambda count: pytest.fail("os.urandom was called"))
    assert work(provider, danger.fixed_random()) == work(provider, danger.fixed_random())


# Stores and ticket keys


def _server(**fields):
    fields = {"provider": real(), "credentials": (credential(),), "clock": lambda: NOW} | fields
    return ServerConfig(**fields)


def _counting(seed):
    inner, drawn = danger.fixed_random(seed), []
    return (lambda count: drawn.append(count) or inner(count)), drawn


def test_ticket_keys_are_made_by_the_configuration_before_any_connection():
    """Processes that are forked after the configuration was made have one key."""
    random, drawn = _counting(b"keys")
    config = _server(random=random)
    assert drawn == [48]
    assert len(config.tickets._keys) == 1
    assert replace(config, session_lifetime=10).tickets is config.tickets
    assert drawn == [48]
    given = TicketKeys()
    assert not given._keys
    assert _server(random=random, tickets=given).tickets._keys
    assert drawn == [48, 48]
    _server(random=random, tickets=TicketKeys([b"k" * 48]))
    assert drawn == [48, 48]


@pytest.mark.rfc("5077", "4")
def test_ticket_keys_are_replaced_by_the_configurations_clock():
    now = [NOW]
    random, drawn = _counting(b"keys")
    config = _server(random=random, clock=lambda: now[0], tickets=TicketKeys(period=100, lifetime=200))
    joined = Pair(client_config(provider=real()), config).handshake()
    first = joined.client.connection.session.ticket
    now[0] += 101
    assert config.tickets.open(first, config)[1] is True  # under an older key now
    assert drawn.count(48) == 2


def test_a_source_given_to_the_keys_themselves_goes_first():
    own, drawn = _counting(b"own")
    keys = TicketKeys(random=own, clock=lambda: 5.0)
    _server(tickets=keys, random=lambda count: pytest.fail("not asked"))
    assert drawn == [48]
    assert keys._keys[0].created == 5.0


def test_a_store_without_a_clock_leaves_age_to_the_connection():
    now, store = [NOW], MemorySessionStore()
    config = _server(tickets=None, session_cache=store, session_lifetime=100, clock=lambda: now[0])
    client = client_config(provider=real(), session_store=MemorySessionStore(), clock=lambda: NOW)

    def resumed():
        return Pair(client, config).handshake().client.connection.negotiated.resumed

    assert (resumed(), resumed()) == (False, True)
    now[0] += 101
    assert resumed() is False


def test_a_random_source_that_fails_under_the_ticket_ends_the_handshake_alone():
    calls = []

    def random(count):
        calls.append(count)
        if count == 12:  # the nonce of the ticket
            raise OSError("no entropy")
        return b"r" * count

    joined = Pair(client_config(provider=real()), _server(random=random)).handshake()
    assert isinstance(joined.server.error, PuretlsError)
    assert isinstance(joined.server.error.__cause__, OSError)
    assert calls[0] == 48
