"""The client's handlers and builders, in the order of the handshake (RFC 5246 7.3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from puretls.arguments import described
from puretls.config import PENDING, Credential
from puretls.crypto.keys import EcPublicKey, EdPublicKey, RsaPublicKey
from puretls.errors import PeerError, Reason, UsageError, calling
from puretls.events import HandshakeStarted, RenegotiationRefused, TicketReceived
from puretls.extensions import (
    ExtendedMasterSecret,
    Extension,
    RenegotiationInfo,
    SessionTicket,
    SignedCertificateTimestamp,
    StatusRequest,
    concerned,
    limits_agreed,
)
from puretls.handshake.authenticate import (
    choose_scheme,
    consult,
    curve_of,
    is_issued_by,
    key_serves,
    parse_leaf,
    question,
    usage_allows,
    usage_path,
)
from puretls.handshake.context import Context, Negotiated, Offer
from puretls.handshake.effects import Ask, Effect, Emit, KeepSession, Send, Step, Update, Warn
from puretls.handshake.finish import (
    LOG_MASTER_SECRET,
    TELL_CERTIFICATE,
    TELL_PARAMETERS,
    begin,
    check_encrypt_then_mac,
    check_finished,
    check_same_peer,
    complete,
    derive_keys,
    derive_master,
    finish,
    new_session,
    on_change_cipher_spec,
)
from puretls.handshake.hello import extension_name, extension_path, index_extensions, known_suites, parse_body
from puretls.handshake.states import ClientState, LocalInput, Refused, Role, Start, Verdict
from puretls.iana import (
    AlertDescription,
    CertificateStatusType,
    CipherSuiteId,
    ClientCertificateType,
    CompressionMethod,
    ProtocolVersion,
)
from puretls.key_exchange import Sends
from puretls.key_exchange.signature import KEY_PATH, sign
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientHello,
    Finished,
    HelloRequest,
    NewSessionTicket,
    ServerHello,
    ServerHelloDone,
)
from puretls.messages.key_exchange import ServerKeyExchange
from puretls.messages.records import ChangeCipherSpec
from puretls.session import MAX_LIFETIME, Session
from puretls.suites import Authentication, Suite
from puretls.wire.schema import serialise

S = ClientState
LONGEST_TICKET = 2**15
"""Bytes of a ticket that is shown: extensions share 65,535, and a server could make its tickets so long that no hello holds them."""


# ClientHello


def on_start(context: Context, message: Start) -> Step:
    """RFC 5246 7.4.1.2."""
    return Step(context, S.WAIT_SERVER_HELLO, _hello_flight(renegotiation=False))


def on_renegotiate(context: Context, message: LocalInput) -> Step:
    """RFC 5746 3.5; only after a handshake that was secured."""
    return Step(begin(context), S.WAIT_SERVER_HELLO_AGAIN, _hello_flight(renegotiation=True))


def on_hello_request(context: Context, message: HelloRequest) -> Step:
    """RFC 5246 7.4.1.1: answered with a ClientHello where configured and secure, else with no_renegotiation."""
    if context.config.renegotiation and context.negotiated.secure_renegotiation:
        return on_renegotiate(context, Start())
    refused = (Warn(AlertDescription.NO_RENEGOTIATION), Emit(lambda context: RenegotiationRefused(by_peer=False)))
    return Step(context, S.CONNECTED, refused)


def on_refused(context: Context, message: Refused) -> Step:
    """The server answered no_renegotiation: the connection goes on as it was (RFC 5746 4.5)."""
    if context.established is None:
        raise PeerError(Reason.NO_RENEGOTIATION, path="Alert.description")
    back = context.evolve(transcript=b"", peer=context.established.peer, _negotiated=context.established.negotiated)
    return Step(back, S.CONNECTED, (Emit(lambda context: RenegotiationRefused(by_peer=True)),))


@cache
def _hello_flight(*, renegotiation: bool) -> tuple[Effect, ...]:
    return Send(make_client_hello, keep_offer), Emit(lambda context: HandshakeStarted(renegotiation))


def make_client_hello(context: Context) -> ClientHello:
    """What the configuration offers; a ticket to be resumed is shown with a session id to know the answer by (RFC 5077 3.4)."""
    config = context.client_config
    session = _resumable(context)
    session_id = session.session_id if session else b""
    if session and session.ticket:
        session_id = context.random(32)
    suites: list[CipherSuiteId] = [suite.id for suite in config.suites]
    if config.fallback_scsv:
        suites.append(CipherSuiteId.TLS_FALLBACK_SCSV)
    hello = partial(ClientHello, ProtocolVersion.TLS_1_2, context.random(32), session_id, tuple(suites), (CompressionMethod.NULL,))
    return hello(_offer_extensions(context, hello, session) or None)


def _resumable(context: Context) -> Session | None:
    """The session to offer: fresh, one that `_fitting` lets through, and of a chain that the verifier does not refuse."""
    session = _fitting(context)
    if session is None or not session.is_fresh(context.clock()) or _is_refused(context, session):
        return None
    return session


def _is_refused(context: Context, session: Session) -> bool:
    """Whether the verifier says no already. PENDING is no answer: it is asked again, and waited for, once the server resumes."""
    request = question(
        context, "server", session.peer_chain, ocsp_response=session.ocsp_response, sct_list=session.sct_list, resumed=True
    )
    report = None if request is None else consult(context.config, request)
    return report is not None and report is not PENDING and not report.accepted


def _fitting(context: Context) -> Session | None:
    """The session, if its suite and its master secret are still wanted; none in a renegotiation.

    Nor one of another name, or of none: what a server keeps under one name is not looked for under another (RFC 6066 3).
    """
    session, config = context.session, context.client_config
    if session is None or context.established is not None or session.server_name != context.server_name:
        return None
    if (session.ticket and not config.tickets) or len(session.ticket) > LONGEST_TICKET:
        return None
    ems = config.extension(ExtendedMasterSecret)
    if session.extended_master_secret and ems is None:
        return None
    if not session.extended_master_secret and ems is not None and ems.required:
        return None
    return session if session.suite in config.suites_by_id else None


def _offer_extensions(
    context: Context, hello: Callable[[tuple[RawExtension, ...]], ClientHello], session: Session | None
) -> tuple[RawExtension, ...]:
    """`hello` makes the whole message of them: padding must know its length so far."""
    config = context.client_config
    ticket = (session.ticket if session else b"") if config.tickets else None
    view = context.view(suites=config.suites, ticket=ticket)
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


def keep_offer(context: Context, hello: ClientHello) -> Context:
    """Remember the hello as it left, for the checks on the answer."""
    extensions = {int(extension.extension_type): extension for extension in hello.extensions or ()}
    return context.evolve(_offer=Offer(hello, known_suites(hello.cipher_suites), extensions))


# ServerHello


def on_server_hello(context: Context, hello: ServerHello) -> Step:
    """RFC 5246 7.4.1.3."""
    offer = context.offer
    _check_choice(offer, hello, again=context.established is not None)
    suite = context.client_config.suites_by_id.get(hello.cipher_suite)
    if suite is None or hello.cipher_suite not in offer.hello.cipher_suites:
        raise PeerError(Reason.SUITE_NOT_OFFERED, str(hello.cipher_suite), path="ServerHello.cipher_suite")
    session = _fitting(context)  # it was fresh when it was offered, and the server may take its time
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
    return Step(context, _after_hello(context), (TELL_PARAMETERS,))


def _check_choice(offer: Offer, hello: ServerHello, *, again: bool) -> None:
    if hello.server_version != ProtocolVersion.TLS_1_2:
        old = hello.server_version < ProtocolVersion.TLS_1_2
        reason = Reason.VERSION_CHANGED if again else Reason.VERSION_TOO_OLD if old else Reason.VERSION_NOT_OFFERED
        raise PeerError(reason, str(hello.server_version), path="ServerHello.server_version")
    if hello.compression_method not in offer.hello.compression_methods or hello.compression_method != CompressionMethod.NULL:
        raise PeerError(Reason.COMPRESSION_NOT_OFFERED, str(hello.compression_method), path="ServerHello.compression_method")


def _confirm_extensions(context: Context, hello: ServerHello, suite: Suite, *, resumed: bool) -> dict[type[Extension], Any]:
    given = index_extensions(hello.extensions, "ServerHello")
    for number, type_ in enumerate(given):  # each type once, so the order is that of the message
        if type_ not in context.offer.extensions:
            path = f"ServerHello.extensions[{number}].extension_type"
            raise PeerError(Reason.EXTENSION_NOT_OFFERED, extension_name(type_), path=path)
    results: dict[type[Extension], Any] = {}
    # `results` grows as the extensions are read, so that later ones see earlier ones.
    view = context.view(suites=context.offer.suites, suite=suite, resumed=resumed, results=results)
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


def _check_renegotiation(context: Context, hello: ServerHello, negotiated: Negotiated) -> None:
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


def _resume(context: Context, session: Session, hello: ServerHello) -> Step:
    """RFC 5246 7.3 figure 2; the session's suite and its kind of master secret must be back (RFC 7627 5.3)."""
    negotiated = context.negotiated
    if negotiated.suite.id != session.suite:
        raise PeerError(Reason.SESSION_SUITE_MISMATCH, negotiated.suite.name, path="ServerHello.cipher_suite")
    if negotiated.extended_master_secret != session.extended_master_secret:
        path = extension_path("ServerHello", index_extensions(hello.extensions, "ServerHello"), ExtendedMasterSecret.type)
        raise PeerError(Reason.EMS_MISMATCH, path=path)
    context = context.evolve(
        peer=context.peer.evolve(chain=session.peer_chain, ocsp_response=session.ocsp_response),
        _negotiated=negotiated.evolve(
            results={
                **negotiated.results,
                **{
                    extension: extension.resumed(session, negotiated.result(extension))
                    for extension in concerned(negotiated.results, "resumed")
                },
            },
            psk_identity=session.psk_identity or None,
            group=session.group,
            signature_scheme=session.signature_scheme,
            client_signature_scheme=session.client_signature_scheme,
        ),
        secrets=context.secrets.evolve(master=session.master_secret),
    )
    return Step(context, S.WAIT_RESUMPTION_VERDICT, (TELL_PARAMETERS, *_ASK))


def on_resumption_verdict(context: Context, message: Verdict) -> Step:
    """The session's chain was accepted once more: on with its master secret (RFC 5246 7.3 figure 2)."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    return Step(derive_keys(context), _before_finished(context), (LOG_MASTER_SECRET,))


def _before_finished(context: Context) -> ClientState:
    return S.WAIT_TICKET if context.negotiated.result(SessionTicket) else S.WAIT_CCS


def _after_hello(context: Context) -> ClientState:
    suite = context.suite
    if suite.has_certificate:
        return S.WAIT_CERTIFICATE
    return S.WAIT_KEY_EXCHANGE if suite.kx.server_sends is Sends.MUST else S.WAIT_KEY_EXCHANGE_OR_DONE


# The server's certificate and key exchange

_AFTER_CERTIFICATE = {
    # (ServerKeyExchange; CertificateStatus agreed on)
    (Sends.MUST, True): S.WAIT_STATUS_OR_KEY_EXCHANGE,
    (Sends.MUST, False): S.WAIT_KEY_EXCHANGE,
    (Sends.MAY, True): S.WAIT_STATUS_OR_KEY_EXCHANGE_OR_DONE,
    (Sends.MAY, False): S.WAIT_KEY_EXCHANGE_OR_DONE,
    (Sends.NEVER, True): S.WAIT_STATUS_OR_DONE,
    (Sends.NEVER, False): S.WAIT_REQUEST_OR_DONE,
}


def on_certificate(context: Context, message: Certificate) -> Step:
    """RFC 5246 7.4.2."""
    chain = message.certificate_list
    if not chain:
        raise PeerError(Reason.EMPTY_SERVER_CHAIN, path="Certificate.certificate_list.length")
    if len(chain) > context.config.limits.certificates:
        raise PeerError(Reason.CHAIN_TOO_LONG, f"{len(chain)} certificates", path="Certificate.certificate_list.length")
    check_same_peer(context, chain)
    leaf, key = parse_leaf(chain)
    suite = context.suite
    if not key_serves(key, suite):
        raise PeerError(Reason.WRONG_KEY_TYPE, f"{type(key).__name__} for {suite.name}", path=KEY_PATH)
    if isinstance(key, EcPublicKey) and curve_of(key) not in context.config.groups:
        raise PeerError(Reason.WRONG_KEY_TYPE, f"{key.curve} was not offered", path=KEY_PATH, rfc="RFC 8422 5.3")
    if not usage_allows(leaf, signing=suite.is_signed):
        raise PeerError(Reason.WRONG_KEY_USAGE, suite.name, path=usage_path(leaf))
    context = context.evolve(peer=context.peer.evolve(chain=chain, public_key=key))
    return Step(context, _AFTER_CERTIFICATE[suite.kx.server_sends, bool(context.negotiated.result(StatusRequest))])


def on_certificate_status(context: Context, message: CertificateStatus) -> Step:
    """RFC 6066 8; the response is judged with the chain."""
    if message.status_type != CertificateStatusType.OCSP:
        raise PeerError(Reason.BAD_STATUS_RESPONSE, f"type {message.status_type}", path="CertificateStatus.status_type")
    context = context.evolve(peer=context.peer.evolve(ocsp_response=message.response))
    return Step(context, _AFTER_CERTIFICATE[context.suite.kx.server_sends, False])


def on_server_key_exchange(context: Context, message: ServerKeyExchange) -> Step:
    """RFC 5246 7.4.3."""
    context = context.suite.kx.learn(context, message)
    if context.suite.auth is Authentication.NONE:
        return Step(context, S.WAIT_DONE_ANONYMOUS)
    return Step(context, S.WAIT_REQUEST_OR_DONE if context.suite.may_request_certificate else S.WAIT_DONE)


def on_anonymous_request(context: Context, message: CertificateRequest) -> Step:
    """RFC 5246 7.4.4: a fatal handshake_failure."""
    raise PeerError(Reason.ANONYMOUS_REQUEST, path="CertificateRequest.msg_type")


def on_certificate_request(context: Context, message: CertificateRequest) -> Step:
    """RFC 5246 7.4.4."""
    return Step(context.evolve(peer=context.peer.evolve(request=message)), S.WAIT_DONE)


def on_server_hello_done(context: Context, message: ServerHelloDone) -> Step:
    """RFC 5246 7.4.5: the server has shown everything; now its chain is judged, if it has one."""
    return Step(context, S.WAIT_VERDICT, _ASK)


def server_question(context: Context) -> Any:
    """What the verifier is asked; None where the server shows no certificate."""
    peer, negotiated = context.peer, context.negotiated
    stamps = negotiated.result(SignedCertificateTimestamp)
    return question(
        context, "server", peer.chain, ocsp_response=peer.ocsp_response, sct_list=stamps, resumed=negotiated.resumed
    )


_ASK = (Ask(server_question),)


# The second flight

_SEND_KEY_EXCHANGE = Send(lambda context: context.suite.kx.make_client_message(context))


def on_verdict(context: Context, message: Verdict) -> Step:
    """RFC 5246 7.4.6 to 7.4.9: certificate, key exchange, proof, ChangeCipherSpec, Finished."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    context = context.evolve(credential=_choose_credential(context))
    context, premaster = context.suite.kx.respond(context)
    flight: list[Effect] = []
    if message.report is not None:
        flight.append(TELL_CERTIFICATE)
    if context.peer.request is not None:
        flight.append(Send(lambda context: Certificate(context.credential.chain if context.credential else ())))
    flight += _SEND_KEY_EXCHANGE, Update(derive_master(premaster)), LOG_MASTER_SECRET
    if context.credential is not None:
        flight.append(Send(make_certificate_verify, _keep_client_scheme))
    flight += finish(Role.CLIENT)
    return Step(context, _before_finished(context), tuple(flight))


def make_certificate_verify(context: Context) -> CertificateVerify:
    """RFC 5246 7.4.8: a signature over the handshake so far."""
    assert context.credential is not None
    assert context.peer.request is not None
    scheme = _client_scheme(context, context.credential)
    assert scheme is not None
    signed = sign(context, context.credential, scheme, context.transcript)
    return CertificateVerify(signed.algorithm, signed.signature)


def _keep_client_scheme(context: Context, message: CertificateVerify) -> Context:
    return context.evolve(_negotiated=context.negotiated.evolve(client_signature_scheme=message.algorithm))


def _client_scheme(context: Context, credential: Credential) -> int | None:
    request = context.peer.request
    theirs = request.supported_signature_algorithms if request else ()
    return choose_scheme(context.config.signs_with, theirs, credential.public_key)


def _choose_credential(context: Context) -> Credential | None:
    """The first of ours that the server can use; none is an answer too (RFC 5246 7.4.6)."""
    request, config = context.peer.request, context.client_config
    if request is None:
        return None
    if config.client_certificate is not None:
        with calling("client_certificate", config.client_certificate):
            chosen = config.client_certificate(request)
        if not isinstance(chosen, Credential | None):
            raise UsageError(f"client_certificate must give a Credential, or None, not {described(chosen)}")
        return chosen if chosen is not None and _client_scheme(context, chosen) is not None else None
    return next((credential for credential in config.credentials if _wanted(context, request, credential)), None)


def _wanted(context: Context, request: CertificateRequest, credential: Credential) -> bool:
    kind = {
        RsaPublicKey: ClientCertificateType.RSA_SIGN,
        EcPublicKey: ClientCertificateType.ECDSA_SIGN,
        EdPublicKey: ClientCertificateType.ECDSA_SIGN,  # RFC 8422 5.5
    }[type(credential.public_key)]
    if kind not in request.certificate_types or _client_scheme(context, credential) is None:
        return False
    return not request.certificate_authorities or is_issued_by(credential, request.certificate_authorities)


# The end


def on_new_session_ticket(context: Context, message: NewSessionTicket) -> Step:
    """RFC 5077 3.3; an empty ticket says that the server has changed its mind.

    A renewed ticket does not make the verdict on the server's chain any newer: its session is as old as the one resumed.
    """
    if not message.ticket:
        return Step(context, S.WAIT_CCS)
    now, resumed = context.clock(), context.session
    created = now if resumed is None else min(now, resumed.created)
    lifetime = min(int(now - created) + (message.ticket_lifetime_hint or MAX_LIFETIME), MAX_LIFETIME)
    session = new_session(context, created, ticket=message.ticket, lifetime=lifetime, server_name=context.server_name)
    return Step(context.evolve(session=session), S.WAIT_CCS, (Emit(lambda context: TicketReceived(session)),))


def on_server_change_cipher_spec(context: Context, message: ChangeCipherSpec) -> Step:
    """RFC 5246 7.1."""
    return on_change_cipher_spec(context, message, S.WAIT_FINISHED, Role.SERVER)


def on_finished(context: Context, message: Finished) -> Step:
    """RFC 5246 7.4.9; in a resumption the client's own Finished follows."""
    context = check_finished(context, message, Role.SERVER)
    answer = finish(Role.CLIENT) if context.negotiated.resumed else ()
    return Step(context, S.CONNECTED, answer + _COMPLETE)


def _session(context: Context) -> Session | None:
    """The session to resume next time: the ticket's, the one resumed, or a new one by the server's id."""
    if context.session is not None:
        return context.session
    if not context.negotiated.session_id:
        return None
    session_id = context.negotiated.session_id
    return new_session(context, session_id=session_id, lifetime=24 * 3600, server_name=context.server_name)


_COMPLETE = *complete(_session), KeepSession(lambda context: (context.server_name or "").encode())
