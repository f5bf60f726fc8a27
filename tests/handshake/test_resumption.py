"""Resumption by session id (RFC 5246 7.3) and by ticket (RFC 5077)."""

from dataclasses import replace

import pytest

from puretls.extensions import Alpn, ExtendedMasterSecret, MaxFragmentLength, ServerName
from puretls.session import MemorySessionStore, Session, TicketKeys
from puretls.suites import SUITES
from tests.support.credentials import NOW, credential
from tests.support.pair import fields_for, pair, suite_named


def cache():
    return MemorySessionStore(clock=lambda: NOW)


def keys(**options):
    return TicketKeys([b"k" * 48], clock=lambda: NOW, **options)


def by_id():
    return {"session_cache": cache()}


def by_ticket():
    return {"tickets": keys()}


both_ways = pytest.mark.parametrize("way", [by_id, by_ticket])


@pytest.mark.rfc("5246", "F.1.4")
@pytest.mark.rfc("5077", "3.1")
@both_ways
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_suite_resumes(suite, way):
    near, far = fields_for(suite)
    far |= way()
    first = pair(near, far).handshake()
    first.check_secrets()
    session = first.client.connection.session
    assert bool(session.ticket) is (way is by_ticket)
    again = pair(near, far, session=session).handshake()
    again.check_secrets()
    again.exchange()
    for end in again.ends():
        assert end.connection.negotiated.resumed
        assert end.connection.negotiated.suite is suite
    assert first.client.connection.export_keying_material(b"EXPORTER-x", 8) != again.client.connection.export_keying_material(b"EXPORTER-x", 8)


@both_ways
def test_resumption_is_shorter_and_shows_no_certificate(way):
    far = way()
    first = pair({}, far).handshake()
    again = pair({}, far, session=first.client.connection.session).handshake()
    assert len(again.server.sent) < 300 < len(first.server.sent)
    assert "CertificateReceived" not in again.client.kinds()
    assert again.client.connection.peer_certificates == credential().chain


@both_ways
def test_session_survives_being_written_down(way):
    far = way()
    session = pair({}, far).handshake().client.connection.session
    again = pair({}, far, session=Session.from_bytes(session.to_bytes())).handshake()
    assert again.client.connection.negotiated.resumed


@both_ways
def test_client_store_resumes_by_server_name(way):
    far, store = way(), cache()
    for resumed in (False, True, True):
        joined = pair({"session_store": store}, far).handshake()
        joined.check_secrets()
        assert joined.client.connection.negotiated.resumed is resumed
    assert not pair({"session_store": store}, far, name="other.test").handshake().client.connection.negotiated.resumed


@both_ways
def test_expired_session_is_not_resumed(way):
    far = way() | {"session_lifetime": 100}
    session = pair({}, far).handshake().client.connection.session
    late = lambda: NOW + 101  # noqa: E731
    joined = pair({}, far | {"clock": late}, session=session).handshake()
    joined.check_secrets()
    assert not joined.client.connection.negotiated.resumed
    assert not pair({"clock": late}, far, session=replace(session, lifetime=100)).handshake().client.connection.negotiated.resumed


CHANGES = {
    "another suite at the client": ({"suites": (suite_named("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),)}, {}, {}),
    "another suite at the server": ({}, {"suites": (suite_named("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),)}, {}),
    "another server name": ({}, {}, {"name": "other.test"}),
    "no server name": ({}, {}, {"name": None}),
    "another fragment length": ({"extensions": (MaxFragmentLength(512),)}, {}, {}),
    "client no longer wants EMS": ({"extensions": (ExtendedMasterSecret(enabled=False),)}, {}, {}),
    "a client certificate is required now": ({"credentials": (credential(),)}, {"client_authentication": "require"}, {}),
}


@both_ways
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_session_that_does_not_fit_any_more_leads_to_a_full_handshake(way, change):
    far = way()
    session = pair({}, far).handshake().client.connection.session
    client, server, options = change
    joined = pair(client, far | server, session=session, **options).handshake()
    joined.check_secrets()
    assert not joined.client.connection.negotiated.resumed


@both_ways
def test_lost_keys_or_cache_lead_to_a_full_handshake(way):
    session = pair({}, way()).handshake().client.connection.session
    other = {"session_cache": cache()} if way is by_id else {"tickets": TicketKeys([b"z" * 48], clock=lambda: NOW)}
    joined = pair({}, other, session=session).handshake()
    joined.check_secrets()
    assert not joined.client.connection.negotiated.resumed


@pytest.mark.rfc("5077", "3.4")
def test_ticket_is_preferred_to_the_session_id():
    far = {"tickets": keys(), "session_cache": cache()}
    first = pair({}, far).handshake()
    assert first.client.connection.session.ticket
    assert first.client.connection.negotiated.session_id == b""
    assert "TicketReceived" in first.client.kinds()


@pytest.mark.rfc("5077", "3.2")
def test_without_tickets_wanted_none_is_sent():
    joined = pair({"tickets": False}, {"tickets": keys(), "session_cache": cache()}).handshake()
    assert "TicketReceived" not in joined.client.kinds()
    assert joined.client.connection.session.session_id


@pytest.mark.rfc("5077", "3.3")
def test_old_key_renews_the_ticket():
    session = pair({}, {"tickets": keys()}).handshake().client.connection.session
    rotated = TicketKeys([b"n" * 48, b"k" * 48], clock=lambda: NOW)
    joined = pair({}, {"tickets": rotated}, session=session).handshake()
    joined.check_secrets()
    assert joined.client.connection.negotiated.resumed
    renewed = joined.client.connection.session
    assert renewed.ticket != session.ticket
    assert pair({}, {"tickets": TicketKeys([b"n" * 48], clock=lambda: NOW)}, session=renewed).handshake().client.connection.negotiated.resumed


def test_ticket_that_is_half_over_is_renewed_but_lives_no_longer():
    far = {"tickets": keys(), "session_lifetime": 1000}
    session = pair({}, far).handshake().client.connection.session
    later = lambda: NOW + 600  # noqa: E731
    joined = pair({"clock": later}, far | {"clock": later}, session=session).handshake()
    assert joined.client.connection.negotiated.resumed
    assert joined.client.connection.session.ticket != session.ticket
    after = lambda: NOW + 1001  # noqa: E731
    last = pair({"clock": after}, far | {"clock": after}, session=joined.client.connection.session).handshake()
    assert not last.client.connection.negotiated.resumed


def test_no_cache_and_no_tickets_leave_nothing_to_resume():
    joined = pair({"tickets": False}).handshake()
    joined.check_secrets()
    assert joined.client.connection.session is None


@both_ways
def test_alpn_is_negotiated_anew(way):
    far = way() | {"extensions": (Alpn("h2", "http/1.1"),)}
    session = pair({"extensions": (Alpn("h2"),)}, far).handshake().client.connection.session
    joined = pair({"extensions": (Alpn("http/1.1"),)}, far, session=session).handshake()
    joined.check_secrets()
    assert joined.client.connection.negotiated.resumed
    assert joined.client.connection.negotiated.alpn == "http/1.1"


@both_ways
def test_clients_chain_is_kept_with_the_session(way):
    near = {"credentials": (credential("ed25519", usage="client"),)}
    far = way() | {"client_authentication": "require"}
    session = pair(near, far).handshake().client.connection.session
    again = pair(near, far, session=session).handshake()
    again.check_secrets()
    assert again.server.connection.negotiated.resumed
    assert again.server.connection.peer_certificates == credential("ed25519", usage="client").chain


@pytest.mark.rfc("5246", "7.2.2")
@pytest.mark.parametrize("failing", ["client", "server"])
def test_session_that_ended_in_a_fatal_alert_is_forgotten(failing):
    store, server_store = cache(), cache()
    joined = pair({"session_store": store, "tickets": False}, {"session_cache": server_store}).handshake()
    assert (len(store), len(server_store)) == (1, 1)
    getattr(joined, failing).connection.abort()
    joined.run()
    assert (len(store), len(server_store)) == (0, 0)


@both_ways
def test_session_whose_certificate_was_verified_for_no_name_is_not_offered_for_one(way):
    far = way()
    session = pair({}, far, name=None).handshake().client.connection.session
    assert pair({}, far, name=None, session=session).handshake().client.connection.negotiated.resumed
    joined = pair({}, far | {"extensions": (ServerName(enabled=False),)}, session=session).handshake()
    joined.check_secrets()
    assert not joined.client.connection.negotiated.resumed
    assert joined.client.connection.peer_report is not None


def test_renewed_ticket_does_not_make_the_verdict_on_the_chain_any_newer():
    """Else a server could renew for ever, and its certificate would never be looked at again."""
    day, session = 24 * 3600, None
    for days in range(0, 12, 2):
        now = NOW + days * day
        tickets = TicketKeys([b"k" * 48], clock=lambda now=now: now)
        seal, renew = tickets.seal, tickets.open
        tickets.seal = lambda made, source, seal=seal, now=now: seal(replace(made, created=now), source)
        tickets.open = lambda ticket, source, renew=renew: (renew(ticket, source)[0], True)
        fields = {"tickets": tickets, "session_lifetime": 7 * day, "clock": lambda now=now: now}
        joined = pair({"clock": lambda now=now: now}, fields, session=session).handshake()
        joined.check_secrets()
        assert joined.client.connection.negotiated.resumed is (0 < days < 7 or days > 8)
        session = joined.client.connection.session


@pytest.mark.rfc("5077", "3.3")
def test_session_too_long_for_a_ticket_gives_an_empty_one():
    long = credential(usage="client")
    near = {"credentials": (replace(long, chain=long.chain[:1] + (b"x" * 40_000,) * 2),)}
    joined = pair(near, {"client_authentication": "require"} | by_ticket()).handshake()
    joined.check_secrets()
    assert joined.client.connection.session is None


def test_ticket_too_long_to_be_shown_is_not_offered():
    session = pair({}, by_ticket()).handshake().client.connection.session
    joined = pair({}, by_ticket(), session=replace(session, ticket=bytes(65_500))).handshake()
    joined.check_secrets()


def test_session_that_expires_while_the_server_answers_is_still_resumed():
    far = by_id()
    session = pair({}, far).handshake().client.connection.session
    now = [NOW]
    joined = pair({"clock": lambda: now[0]}, far, session=replace(session, lifetime=10))
    joined.client.connection.start()
    now[0] += 11
    joined.run()
    joined.check_secrets()
    assert joined.client.connection.negotiated.resumed
