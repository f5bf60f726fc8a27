"""The ServerHello: what the server chose of the offer, and whether it resumes (RFC 5246 7.4.1.3)."""

from __future__ import annotations

from typing import Any

from puretls.errors import PeerError, Reason
from puretls.extensions import ExtendedMasterSecret, Extension, RenegotiationInfo, SessionTicket, concerned, limits_agreed
from puretls.handshake.authenticate import server_question
from puretls.handshake.client.hello import fitting_session
from puretls.handshake.client.order import after_hello, before_finished
from puretls.handshake.context import ClientContext, Negotiated, Offer
from puretls.handshake.effects import TELL_PARAMETERS, Ask, Step
from puretls.handshake.hello import extension_name, extension_path, index_extensions, parse_body
from puretls.handshake.keys import LOG_MASTER_SECRET, derive_keys
from puretls.handshake.renegotiation import check_encrypt_then_mac
from puretls.handshake.sessions import resumed as resumed_from
from puretls.handshake.states import ClientState, Verdict
from puretls.iana import CompressionMethod, ProtocolVersion
from puretls.messages.handshake import ServerHello
from puretls.session import Session
from puretls.suites import Suite

S = ClientState


def on_server_hello(context: ClientContext, hello: ServerHello) -> Step:
    """RFC 5246 7.4.1.3."""
    offer = context.offer
    _check_choice(offer, hello, again=context.established is not None)
    suite = context.config.suites_by_id.get(hello.cipher_suite)
    if suite is None or hello.cipher_suite not in offer.hello.cipher_suites:
        raise PeerError(Reason.SUITE_NOT_OFFERED, str(hello.cipher_suite), path="ServerHello.cipher_suite")
    session = fitting_session(context)  # it was fresh when it was offered, and the server may take its time
    resumed = session is not None and bool(offer.hello.session_id) and hello.session_id == offer.hello.session_id
    results = _confirm_extensions(context, hello, suite, resumed=resumed)
    limits, key_limits = limits_agreed(context.config.active_extensions, results)
    negotiated = Negotiated(
        suite=suite,
        client_random=offer.hello.random,
        server_random=hello.random,
        session_id=hello.session_id,
        resumed=resumed,
        secure_renegotiation=bool(results.get(RenegotiationInfo)),
        results=results,
        limits=limits,
        key_limits=key_limits,
    )
    _check_renegotiation(context, hello, negotiated)
    context = context.evolve(_negotiated=negotiated, session=session if resumed else None)
    if session is not None and resumed:
        return _resume(context, session, hello)
    return Step(context, after_hello(context.suite), (TELL_PARAMETERS,))


def _check_choice(offer: Offer, hello: ServerHello, *, again: bool) -> None:
    if hello.server_version != ProtocolVersion.TLS_1_2:
        old = hello.server_version < ProtocolVersion.TLS_1_2
        reason = Reason.VERSION_CHANGED if again else Reason.VERSION_TOO_OLD if old else Reason.VERSION_NOT_OFFERED
        raise PeerError(reason, str(hello.server_version), path="ServerHello.server_version")
    if hello.compression_method not in offer.hello.compression_methods or hello.compression_method != CompressionMethod.NULL:
        raise PeerError(Reason.COMPRESSION_NOT_OFFERED, str(hello.compression_method), path="ServerHello.compression_method")


def _confirm_extensions(context: ClientContext, hello: ServerHello, suite: Suite, *, resumed: bool) -> dict[type[Extension], Any]:
    given = index_extensions(hello.extensions, "ServerHello")
    for number, type_ in enumerate(given):  # each type once, so the order is that of the message
        if type_ not in context.offer.extensions:
            path = f"ServerHello.extensions[{number}].extension_type"
            raise PeerError(Reason.EXTENSION_NOT_OFFERED, extension_name(type_), path=path)
    results: dict[type[Extension], Any] = {}
    # `results` grows as the extensions are read, so that later ones see earlier ones.
    view = context.view(server_name=context.sni, suites=context.offer.suites, suite=suite, resumed=resumed, results=results)
    for extension in context.config.active_extensions:
        raw = given.get(extension.type)
        try:
            if raw is None:
                results[type(extension)] = context.result_without(extension, view)
            elif extension.server_body is None:
                raise PeerError(Reason.EXTENSION_NOT_IN_SERVER_HELLO, extension_name(extension.type))
            else:
                results[type(extension)] = extension.confirm(parse_body(extension.server_body, raw, extension), view)
        except PeerError as error:
            error.path = extension_path("ServerHello", given, extension.type, error.path)
            raise
    return results


def _check_renegotiation(context: ClientContext, hello: ServerHello, negotiated: Negotiated) -> None:
    """RFC 5746 3.4 and 3.5, RFC 7627 5.4: what was secured once stays so."""
    before = context.established
    if before is None:
        if context.config.require_secure_renegotiation and not negotiated.secure_renegotiation:
            raise PeerError(Reason.INSECURE_RENEGOTIATION, path="ServerHello.extensions.length")
        return
    if not negotiated.secure_renegotiation:
        raise PeerError(Reason.RENEGOTIATION_INFO_MISMATCH, "missing in a renegotiation", path="ServerHello.extensions.length")
    if before.negotiated.extended_master_secret != negotiated.extended_master_secret:
        # Added, too: what a first handshake without it secured may be shared with an attacker who relays the second.
        path = extension_path("ServerHello", index_extensions(hello.extensions, "ServerHello"), ExtendedMasterSecret.type)
        raise PeerError(Reason.EMS_MISMATCH, "changed in a renegotiation", path=path, rfc="RFC 7627 5.4")
    check_encrypt_then_mac(before.negotiated, negotiated, "ServerHello")


def _resume(context: ClientContext, session: Session, hello: ServerHello) -> Step:
    """RFC 5246 7.3 figure 2; the session's suite and its kind of master secret must be back (RFC 7627 5.3)."""
    negotiated = context.negotiated
    if negotiated.suite.id != session.suite:
        raise PeerError(Reason.SESSION_SUITE_MISMATCH, negotiated.suite.name, path="ServerHello.cipher_suite")
    if negotiated.extended_master_secret != session.extended_master_secret:
        path = extension_path("ServerHello", index_extensions(hello.extensions, "ServerHello"), ExtendedMasterSecret.type)
        raise PeerError(Reason.EMS_MISMATCH, path=path)
    results = dict(negotiated.results)
    for extension in concerned(negotiated.results, "resumed"):
        results[extension] = extension.resumed(session, negotiated.result(extension))
    context = context.evolve(
        peer=context.peer.evolve(chain=session.peer_chain, ocsp_response=session.ocsp_response),
        _negotiated=resumed_from(negotiated.evolve(results=results), session),
        secrets=context.secrets.evolve(master=session.master_secret),
    )
    return Step(context, S.WAIT_RESUMPTION_VERDICT, (TELL_PARAMETERS, Ask(server_question)))


def on_resumption_verdict(context: ClientContext, message: Verdict) -> Step:
    """The session's chain was accepted once more: on with its master secret (RFC 5246 7.3 figure 2)."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    return Step(
        derive_keys(context), before_finished(ticket=bool(context.negotiated.result(SessionTicket))), (LOG_MASTER_SECRET,)
    )
