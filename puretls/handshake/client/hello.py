"""The ClientHello: what a client offers, and when (RFC 5246 7.4.1.2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from puretls.config import PENDING
from puretls.errors import PeerError, Reason
from puretls.events import HandshakeStarted, RenegotiationRefused
from puretls.extensions import ExtendedMasterSecret
from puretls.handshake.authenticate import consult, question
from puretls.handshake.context import ClientContext, Offer
from puretls.handshake.effects import Effect, Emit, Send, Step, Warn
from puretls.handshake.hello import known_suites
from puretls.handshake.renegotiation import begin
from puretls.handshake.states import ClientState, LocalInput, Refused, Start
from puretls.iana import AlertDescription, CipherSuiteId, CompressionMethod, ProtocolVersion
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import ClientHello, HelloRequest
from puretls.session import Session
from puretls.wire.schema import serialise

S = ClientState
LONGEST_TICKET = 2**15
"""Bytes of a ticket that is shown: extensions share 65,535, and a server could make its tickets so long that no hello holds them."""


def on_start(context: ClientContext, message: Start) -> Step:
    """RFC 5246 7.4.1.2."""
    return Step(context, S.WAIT_SERVER_HELLO, _hello_flight(renegotiation=False))


def on_renegotiate(context: ClientContext, message: LocalInput) -> Step:
    """RFC 5746 3.5; only after a handshake that was secured."""
    return Step(begin(context), S.WAIT_SERVER_HELLO_AGAIN, _hello_flight(renegotiation=True))


def on_hello_request(context: ClientContext, message: HelloRequest) -> Step:
    """RFC 5246 7.4.1.1: answered with a ClientHello where configured and secure, else with no_renegotiation."""
    if context.config.renegotiation and context.negotiated.secure_renegotiation:
        return on_renegotiate(context, Start())
    refused = (Warn(AlertDescription.NO_RENEGOTIATION), Emit(lambda context: RenegotiationRefused(by_peer=False)))
    return Step(context, S.CONNECTED, refused)


def on_refused(context: ClientContext, message: Refused) -> Step:
    """The server answered no_renegotiation: the connection goes on as it was (RFC 5746 4.5)."""
    if context.established is None:
        raise PeerError(Reason.NO_RENEGOTIATION, path="Alert.description")
    back = context.evolve(transcript=b"", peer=context.established.peer, _negotiated=context.established.negotiated)
    return Step(back, S.CONNECTED, (Emit(lambda context: RenegotiationRefused(by_peer=True)),))


@cache
def _hello_flight(*, renegotiation: bool) -> tuple[Effect, ...]:
    return Send(make_client_hello, keep_offer, ClientHello), Emit(lambda context: HandshakeStarted(renegotiation))


def make_client_hello(context: ClientContext) -> ClientHello:
    """What the configuration offers; a ticket to be resumed is shown with a session id to know the answer by (RFC 5077 3.4)."""
    config = context.config
    session = _resumable(context)
    session_id = session.session_id if session else b""
    if session and session.ticket:
        session_id = context.random(32)
    suites: list[CipherSuiteId] = [suite.id for suite in config.offered_suites]
    if config.fallback_scsv:
        suites.append(CipherSuiteId.TLS_FALLBACK_SCSV)
    hello = partial(ClientHello, ProtocolVersion.TLS_1_2, context.random(32), session_id, tuple(suites), (CompressionMethod.NULL,))
    return hello(_offer_extensions(context, hello, session) or None)


def _resumable(context: ClientContext) -> Session | None:
    """The session to offer: fresh, one that `fitting_session` lets through, and of a chain that the verifier does not refuse."""
    session = fitting_session(context)
    if session is None or not session.is_fresh(context.clock()) or _is_refused(context, session):
        return None
    return session


def _is_refused(context: ClientContext, session: Session) -> bool:
    """Whether the verifier says no already. PENDING is no answer: it is asked again, and waited for, once the server resumes."""
    chain, name, response = session.peer_chain, context.verified_name, session.ocsp_response
    request = question(context, "server", chain, name, ocsp_response=response, sct_list=session.sct_list, resumed=True)
    report = None if request is None else consult(context.config, request)
    return report is not None and report is not PENDING and not report.accepted


def fitting_session(context: ClientContext) -> Session | None:
    """The session, if its suite and its master secret are still wanted; none in a renegotiation.

    Nor one of another name, or of none: what a server keeps under one name is not looked for under another (RFC 6066 3).
    """
    session, config = context.session, context.config
    if session is None or context.established is not None or session.server_name != context.server_name:
        return None
    if (session.ticket and not config.tickets) or len(session.ticket) > LONGEST_TICKET:
        return None
    ems = config.extension(ExtendedMasterSecret)
    if session.extended_master_secret and ems is None:
        return None
    if not session.extended_master_secret and ems is not None and ems.required:
        return None
    return session if any(session.suite == suite.id for suite in config.offered_suites) else None


def _offer_extensions(
    context: ClientContext, hello: Callable[[tuple[RawExtension, ...]], ClientHello], session: Session | None
) -> tuple[RawExtension, ...]:
    """`hello` makes the whole message of them: padding must know its length so far."""
    config = context.config
    ticket = (session.ticket if session else b"") if config.tickets else None
    view = context.view(server_name=context.sni, suites=config.offered_suites, ticket=ticket)
    fixed = config.fixed_offers
    offered: list[RawExtension] = []
    for extension in config.active_extensions:
        if extension.of_connection and context.established is not None:
            continue
        if type(extension) in fixed:
            raw = fixed[type(extension)]
        else:
            length = 4 + len(serialise(hello(tuple(offered)))) if extension.needs_hello_length else 0
            body = extension.offer(view._replace(hello_length=length) if length else view)
            raw = None if body is None else RawExtension(extension.type, serialise(body))
        if raw is not None:
            offered.append(raw)
    return _ending_in_bytes(offered)


def _ending_in_bytes(offered: list[RawExtension]) -> tuple[RawExtension, ...]:
    """The extensions, the last one not empty where any is not: some old servers (WebSphere, Java 6) read on behind an empty one."""
    for index in reversed(range(len(offered))):
        if offered[index].extension_data:
            offered.append(offered.pop(index))
            break
    return tuple(offered)


def keep_offer(context: ClientContext, hello: ClientHello) -> ClientContext:
    """Remember the hello as it left, for the checks on the answer."""
    extensions = {int(extension.extension_type): extension for extension in hello.extensions or ()}
    return context.evolve(_offer=Offer(hello, known_suites(hello.cipher_suites), extensions))
