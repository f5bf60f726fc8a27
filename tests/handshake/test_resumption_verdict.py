"""Resumption is a verdict: the chain of a session goes through the verifier now in force, in both roles, by id and by ticket."""

from dataclasses import replace

import pytest

from puretls import danger
from puretls.ca import DevelopmentCa
from puretls.config import PENDING
from puretls.errors import DecodeError, VerificationError
from puretls.events import VerificationRequired
from puretls.extensions import SessionTicket
from puretls.intercept import Direction
from puretls.messages.handshake import ClientHello
from puretls.messages.registry import parse_handshake
from puretls.session import FORMAT, MemorySessionStore, Session, TicketKeys
from puretls.suites import SUITES
from puretls.x509.verifier import chain_verifier, pinned_verifier
from tests.support.breaks import message
from tests.support.credentials import NAME, NOW, authority, credential
from tests.support.pair import fields_for, pair, real

DAY = 24 * 3600
SCTS = b"\0\6\0\4time"
STATUS = b"\x30\x03\x0a\x01\x00"


def by_id():
    return {"session_cache": MemorySessionStore(clock=lambda: NOW)}


def by_ticket():
    return {"tickets": TicketKeys([b"k" * 48], clock=lambda: NOW)}


def stapling(way):
    return way() | {"credentials": (replace(credential(), ocsp_response=STATUS, sct_list=SCTS),)}


both_ways = pytest.mark.parametrize("way", [by_id, by_ticket])
yes, no = danger.AcceptedUnverified(), danger.AcceptedUnverified(accepted=False)


class Judge:
    """A verifier that gives these answers in turn, the last one for ever, and keeps the questions."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def offered(joined):
    """Whether the client's hello showed a session."""
    sent = joined.client.connection.trace.messages(Direction.OUTBOUND)
    hello = parse_handshake(next(entry.raw for entry in sent if entry.name == "ClientHello"), None)
    tickets = [one.extension_data for one in hello.extensions if one.extension_type == SessionTicket.type]
    return bool(hello.session_id or any(tickets))


# A table of verifiers: what each says in a full handshake it says in a resumption, in either role

OTHER_CA = DevelopmentCa.create(danger.fixed_random(b"another authority"), NOW)
VERIFIERS = {
    "none at all": lambda usage: None,
    "everything": lambda usage: danger.accept_any_chain,
    "the right authority": lambda usage: chain_verifier([authority().root.certificate], provider=real()),
    "another authority": lambda usage: chain_verifier([OTHER_CA.root.certificate], provider=real()),
    "no authority": lambda usage: chain_verifier([], provider=real()),
    "this certificate": lambda usage: pinned_verifier([credential(usage=usage).leaf.fingerprint]),
    "another certificate": lambda usage: pinned_verifier([bytes(32)]),
}
VERIFIERS_TODAY = pytest.mark.parametrize("verifier", VERIFIERS.values(), ids=VERIFIERS)


def outcome(joined, side):
    end, other = (joined.client, joined.server) if side == "client" else (joined.server, joined.client)
    return joined.connected, end.alerts_sent, other.alerts_received, type(end.error)


@VERIFIERS_TODAY
@both_ways
def test_client_says_of_a_session_what_it_says_of_a_chain_that_is_shown(way, verifier):
    far, today = way(), {"verifier": verifier("both")}
    session = pair({}, far).handshake().client.connection.session
    full, again = pair(today, far).handshake(), pair(today, far, session=session).handshake()
    assert outcome(again, "client") == outcome(full, "client")
    assert offered(again) is again.connected
    assert again.client.connection.peer_report.accepted is again.connected
    if again.connected:
        assert again.client.connection.negotiated.resumed
        again.check_secrets()
    else:
        assert isinstance(again.client.error, VerificationError)


@VERIFIERS_TODAY
@both_ways
def test_server_says_of_a_session_what_it_says_of_a_chain_that_is_shown(way, verifier):
    far, today = way() | {"client_authentication": "require"}, {"verifier": verifier("client")}
    near = {"credentials": (credential(usage="client"),)}
    session = pair(near, far).handshake().client.connection.session
    full, again = pair(near, far | today).handshake(), pair(near, far | today, session=session).handshake()
    assert outcome(again, "server") == outcome(full, "server")
    assert again.server.connection.peer_report.accepted is again.connected
    assert again.server.connection.negotiated.resumed is again.connected
    if again.connected:
        again.check_secrets()


# What is asked


@both_ways
@pytest.mark.rfc("6066", "8")
@pytest.mark.rfc("6962", "3.3.1")
def test_question_about_a_session_is_that_of_the_full_handshake_but_for_the_time(way):
    judge, far = Judge(yes), stapling(way)
    session = pair({"verifier": judge}, far).handshake().client.connection.session
    later = lambda: NOW + 60  # noqa: E731
    again = pair({"verifier": judge, "clock": later}, far, session=Session.from_bytes(session.to_bytes())).handshake()
    again.check_secrets()
    assert again.client.connection.negotiated.resumed
    full, offer, resumption = judge.requests
    assert (full.resumed, full.time, full.server_name, full.purpose) == (False, NOW, NAME, "server")
    assert (full.ocsp_response, full.sct_list) == (STATUS, SCTS)
    assert offer == resumption == replace(full, time=NOW + 60, resumed=True)
    assert again.client.connection.ocsp_response == STATUS


def test_what_was_stapled_outlives_a_renewed_ticket():
    judge, far = Judge(yes), stapling(by_ticket)
    session = pair({"verifier": judge}, far).handshake().client.connection.session
    rotated = far | {"tickets": TicketKeys([b"n" * 48, b"k" * 48], clock=lambda: NOW)}
    renewed = pair({"verifier": judge}, rotated, session=session).handshake().client.connection.session
    assert renewed.ticket != session.ticket
    assert (renewed.ocsp_response, renewed.sct_list) == (STATUS, SCTS)


@both_ways
def test_question_about_a_client_says_that_it_is_about_a_session(way):
    judge, near = Judge(yes), {"credentials": (credential(usage="client"),)}
    far = way() | {"client_authentication": "require", "verifier": judge}
    session = pair(near, far).handshake().client.connection.session
    again = pair(near, far | {"clock": lambda: NOW + 60}, session=session).handshake()
    again.check_secrets()
    full, resumption = judge.requests
    assert (full.resumed, full.purpose, full.chain) == (False, "client", credential(usage="client").chain)
    assert resumption == replace(full, time=NOW + 60, resumed=True)
    assert again.server.connection.peer_report is yes


@both_ways
@pytest.mark.parametrize("suite", [suite for suite in SUITES if not suite.has_certificate][::6], ids=lambda suite: suite.name)
def test_nothing_is_asked_about_a_session_without_a_certificate(way, suite):
    judge = Judge(no)
    near, far = fields_for(suite)
    near, far = near | {"verifier": judge}, far | way() | {"verifier": judge}
    session = pair(near, far).handshake().client.connection.session
    again = pair(near, far, session=session).handshake()
    again.check_secrets()
    assert again.client.connection.negotiated.resumed
    assert judge.requests == []


# When it is asked


@both_ways
def test_certificate_that_has_expired_since_ends_the_session_with_it(way):
    verifier = chain_verifier([authority().root.certificate], provider=real())
    leaf = credential().leaf
    session = replace(pair({}, way()).handshake().client.connection.session, created=leaf.validity.not_after - 5, lifetime=DAY)
    joined = pair({"verifier": verifier, "clock": lambda: leaf.validity.not_after + 5}, way(), session=session).handshake()
    assert not offered(joined)
    assert joined.server.alerts_received == ["certificate_expired"]


@both_ways
def test_a_no_after_the_server_hello_fails_as_in_a_full_handshake(way):
    """The first yes lets the session be offered; what counts is said when the server has resumed it."""
    far, judge = way(), Judge(yes, no)
    session = pair({}, far).handshake().client.connection.session
    joined = pair({"verifier": judge}, far, session=session).handshake()
    assert offered(joined)
    full = pair({"verifier": Judge(no)}, far).handshake()
    assert outcome(joined, "client") == outcome(full, "client")
    assert isinstance(joined.client.error, VerificationError)
    assert joined.client.connection.peer_report is joined.client.error.report is no
    assert not joined.client.completed


@both_ways
def test_configuration_that_changes_before_the_server_answers_decides(way):
    far = way()
    session = pair({}, far).handshake().client.connection.session
    joined = pair({}, far, session=session)
    client = joined.client.connection
    client.start()
    client.change_config(replace(client.config, verifier=None))
    joined.run()
    assert isinstance(joined.client.error, VerificationError)
    assert joined.server.alerts_received == ["unknown_ca"]


@both_ways
@pytest.mark.parametrize("report", [yes, no], ids=["yes", "no"])
def test_client_waits_for_a_verdict_on_a_session(way, report):
    far = way()
    session = pair({}, far).handshake().client.connection.session
    joined = pair({"verifier": Judge(PENDING)}, far, session=session).handshake()
    question = joined.client.events[-1]
    assert isinstance(question, VerificationRequired)
    assert question.request.resumed
    assert question.request.chain == credential().chain
    assert joined.client.state == "WAIT_RESUMPTION_VERDICT"
    joined.client.connection.answer(report)
    joined.run()
    if report is yes:
        joined.check_secrets()
        joined.exchange()
        assert joined.client.connection.negotiated.resumed
    else:
        assert joined.client.alerts_sent == joined.server.alerts_received == ["certificate_unknown"]
        assert joined.client.error.report is no


@both_ways
@pytest.mark.parametrize("report", [yes, no], ids=["yes", "no"])
def test_server_waits_for_a_verdict_on_a_session(way, report):
    near = {"credentials": (credential(usage="client"),)}
    far = way() | {"client_authentication": "require"}
    session = pair(near, far).handshake().client.connection.session
    joined = pair(near, far | {"verifier": Judge(PENDING, yes)}, session=session).handshake()
    assert joined.server.events[-1].request.resumed
    assert joined.server.state == "WAIT_RESUMPTION_VERDICT"
    assert joined.server.sent == b""
    joined.server.connection.answer(report)
    joined.run()
    joined.check_secrets()
    joined.exchange()
    assert joined.server.connection.negotiated.resumed is (report is yes)


# What a server does instead


@both_ways
def test_client_that_is_not_trusted_any_more_may_show_another_certificate(way):
    old, new = credential(usage="client"), credential("ed25519", usage="client")
    far = way() | {"client_authentication": "require"}
    session = pair({"credentials": (old,)}, far).handshake().client.connection.session
    today = far | {"verifier": pinned_verifier([new.leaf.fingerprint])}
    joined = pair({"credentials": (new,)}, today, session=session).handshake()
    joined.check_secrets()
    assert not joined.server.connection.negotiated.resumed
    assert joined.server.connection.peer_certificates == new.chain
    again = pair({"credentials": (new,)}, today, session=joined.client.connection.session).handshake()
    assert again.server.connection.negotiated.resumed


def test_ticket_of_a_client_that_is_not_trusted_any_more_is_not_renewed():
    near, far = {"credentials": (credential(usage="client"),)}, by_ticket() | {"client_authentication": "request"}
    session = pair(near, far).handshake().client.connection.session
    rotated = {"tickets": TicketKeys([b"n" * 48, b"k" * 48], clock=lambda: NOW), "verifier": Judge(no)}
    joined = pair({}, far | rotated, session=session).handshake()
    joined.check_secrets()
    kept, _ = rotated["tickets"].open(joined.client.connection.session.ticket)
    assert (kept.peer_chain, joined.server.connection.peer_certificates) == ((), ())
    assert kept.master_secret != session.master_secret


@both_ways
def test_session_shown_in_a_renegotiation_is_judged_like_any_other(way):
    on, near = {"renegotiation": True}, {"credentials": (credential(usage="client"),)}

    def show(hello):
        session = joined.client.connection.session
        kept = [one for one in hello.extensions if one.extension_type != SessionTicket.type]
        ticket = [replace(one, extension_data=session.ticket) for one in hello.extensions if one.extension_type == SessionTicket.type]
        return replace(hello, session_id=session.session_id, extensions=(*kept, *(ticket if session.ticket else ())))

    for judge, state in ((Judge(yes), "WAIT_CCS"), (Judge(no), "WAIT_CLIENT_CERTIFICATE"), (None, "WAIT_CLIENT_CERTIFICATE")):
        tap = message(ClientHello, show, epoch=1)
        joined = pair(on | near | {"interceptors": (tap,)}, on | way() | {"client_authentication": "require"}).handshake()
        client, server = joined.client.connection, joined.server.connection
        server.change_config(replace(server.config, verifier=judge))
        client.renegotiate()
        joined.server.feed(joined.client.take())
        assert joined.server.state == state, joined.story()
        assert judge is None or [request.resumed for request in judge.requests] == [True]


# Configurations that trust differently may share what keeps sessions


def test_stores_may_be_shared_by_clients_that_trust_differently():
    store, far = MemorySessionStore(clock=lambda: NOW), by_ticket()
    assert pair({"session_store": store}, far).handshake().connected
    right = chain_verifier([authority().root.certificate], provider=real())
    assert pair({"session_store": store, "verifier": right}, far).handshake().client.connection.negotiated.resumed
    for verifier in (None, chain_verifier([OTHER_CA.root.certificate], provider=real())):
        joined = pair({"session_store": store, "verifier": verifier}, far).handshake()
        assert not offered(joined)
        assert isinstance(joined.client.error, VerificationError)


def test_caches_may_be_shared_by_servers_that_trust_differently():
    near = {"credentials": (credential(usage="client"),)}
    far = by_id() | {"client_authentication": "require"}
    right = chain_verifier([authority().root.certificate], provider=real())
    for verifier, accepted in ((right, True), (chain_verifier([OTHER_CA.root.certificate], provider=real()), False)):
        session = pair(near, far).handshake().client.connection.session
        joined = pair(near, far | {"verifier": verifier}, session=session).handshake()
        assert joined.connected is accepted
        assert joined.server.connection.negotiated.resumed is accepted


# What was written before


def test_session_of_another_format_is_refused_and_its_ticket_leads_to_a_full_handshake(monkeypatch):
    far = by_ticket()
    with monkeypatch.context() as before:
        before.setattr("puretls.session.FORMAT", FORMAT - 1)
        session = pair({}, far).handshake().client.connection.session
        written = session.to_bytes()
    with pytest.raises(DecodeError, match=f"session format {FORMAT - 1} is unknown"):
        Session.from_bytes(written)
    joined = pair({}, far, session=session).handshake()
    joined.check_secrets()
    assert offered(joined)
    assert not joined.client.connection.negotiated.resumed
