"""What grows costs what it should: operations are counted, not seconds. The curves are drawn by `tools/bench.py growth`."""

import os
import sys
from dataclasses import replace

import pytest

from puretls import danger
from puretls.ca import DevelopmentCa
from puretls.connection import Connection
from puretls.crypto.provider import default
from puretls.events import NEED_DATA
from puretls.session import MemorySessionStore, TicketKeys
from puretls.testing.pki import plan
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import remembered
from puretls.x509.crl import Crl
from puretls.x509.drafts import CrlDraft, RevokedEntry
from puretls.x509.path.examine import Caches
from puretls.x509.revocation import HARD, Revocation
from puretls.x509.verifier import ChainRequest, chain_verifier
from tests.support.pair import client_config, no_security, server_config

NOW, NAME, YEAR = 1_790_000_000, "server.test", 365 * 86_400


def operations(run):
    """Calls of functions, Python's and C's, that `run()` makes."""
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def assert_linear(cost, few, many):
    """Each of `many` costs no more than each of `few`, but for a twentieth."""
    assert cost(many) / many <= 1.05 * cost(few) / few


def assert_constant(cost, few, many):
    assert cost(many) <= 1.05 * cost(few)


def test_what_grows_faster_than_its_work_is_noticed():
    with pytest.raises(AssertionError):
        assert_linear(lambda n: n**1.1, 100, 400)
    with pytest.raises(AssertionError):
        assert_constant(lambda n: 1000 + n, 10, 400)


def test_chain_costs_by_its_certificates():
    provider = danger.no_security_provider()

    def cold(length):
        chain = plan(length - 1).chain()
        verifier = chain_verifier(chain.anchors, provider=provider)
        remembered.cache_clear()
        return operations(lambda: replace(verifier, caches=Caches())(chain.request))

    cold(12)  # modules are loaded, names prepared
    assert_linear(cold, 4, 12)


AUTHORITY = DevelopmentCa.create(os.urandom, NOW)


def crl(count):
    extensions = (drafts.authority_key_identifier(AUTHORITY.issuer.key.public), drafts.crl_number(1))
    entries = tuple(RevokedEntry(1 << 120 | number, NOW, 1) for number in range(count))
    return CrlDraft(AUTHORITY.issuer.name, NOW, NOW + YEAR, entries, extensions).signed(AUTHORITY.signer)


def test_reading_a_crl_costs_by_its_entries():
    lists = {count: crl(count) for count in (100, 400)}
    assert_linear(lambda count: operations(lambda: Crl.parse(lists[count])), 100, 400)


class Counting:
    """A provider's `verify` that counts the bytes it is asked about."""

    def __init__(self):
        self.calls = []

    def __call__(self, algorithm, key, message, signature):
        self.calls.append(len(message))
        return default().verify(algorithm, key, message, signature)


def with_crl(data):
    """A verifier with this CRL, its count, and a question that it says yes to."""
    issued = AUTHORITY.issue([NAME])
    counting = Counting()
    root_crl = Crl.parse(replace(AUTHORITY, intermediate=None).crl())
    verifier = chain_verifier(
        [AUTHORITY.root.certificate],
        provider=replace(default(), verify=counting),
        revocation=Revocation(HARD, crls=(Crl.parse(data), root_crl)),
    )
    return verifier, counting, ChainRequest(issued.chain, "server", NAME, NOW)


@pytest.mark.rfc("5280", "6.3.3")
def test_signature_of_a_crl_is_verified_once_and_looking_into_it_costs_nothing_more_for_its_size():
    costs = {}
    for count in (10, 500):
        verifier, counting, request = with_crl(crl(count))
        assert verifier(request).accepted
        assert len(counting.calls) == 4, "two certificates and two CRLs"
        costs[count] = operations(lambda: verifier(request))  # noqa: B023  (called at once)
        assert verifier(request).accepted
        assert len(counting.calls) == 4
    assert_constant(costs.__getitem__, 10, 500)


@pytest.mark.rfc("5280", "6.3.3")
def test_wrong_signature_of_a_crl_is_never_remembered_as_right():
    data = crl(100)
    verifier, counting, request = with_crl(data[:-1] + bytes((data[-1] ^ 1,)))
    signed = len(Crl.parse(data).tbs)
    for _ in range(3):
        counting.calls.clear()
        assert not verifier(request).accepted
        assert signed in counting.calls


def joined(client, server):
    """Both shake hands in memory."""
    client.start()
    while client.state.name != "CONNECTED" or server.state.name != "CONNECTED":
        for one, other in ((client, server), (server, client)):
            if data := one.bytes_to_send():
                other.receive_bytes(data)
                taken(other)
    return client, server


def taken(connection):
    while connection.next_event() is not NEED_DATA:
        pass


@pytest.mark.parametrize("tickets", [True, False], ids=["tickets", "session ids"])
def test_one_more_handshake_costs_the_same_however_many_connections_there_are(tickets):
    config = server_config(tickets=TicketKeys(provider=no_security()), session_cache=MemorySessionStore())
    mine = client_config(tickets=tickets)
    there = []

    def pair():
        there.append(joined(Connection.client(mine, NAME), Connection.server(config)))

    def cost(count):
        while len(there) < count:
            pair()
        return operations(pair)

    pair()
    assert_constant(cost, 5, 150)


@pytest.mark.rfc("5246", "6.2.1")
@pytest.mark.parametrize("piece", [2**20, 50], ids=["at once", "in pieces"])
def test_records_cost_by_their_number(piece):
    def cost(count):
        client, server = joined(Connection.client(client_config(), NAME), Connection.server(server_config()))
        for _ in range(count):
            client.send(bytes(100))
        wire = client.bytes_to_send()

        def receive():
            for start in range(0, len(wire), piece):
                server.receive_bytes(wire[start : start + piece])
                taken(server)

        return operations(receive)

    assert_linear(cost, 400, 1200)
