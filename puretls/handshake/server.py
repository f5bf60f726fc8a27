"""The server's handlers and builders, in the order of the handshake (RFC 5246 7.3)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from puretls.errors import PeerError, Reason, calling, raise_of_callback
from puretls.events import HandshakeStarted, RenegotiationRefused
from puretls.extensions import (
    ExtendedMasterSecret,
    Extension,
    RenegotiationInfo,
    SessionTicket,
    StatusRequest,
    concerned,
    limits_agreed,
)
from puretls.handshake.authenticate import (
    parse_leaf,
    question,
    usage_allows,
    usage_path,
)
from puretls.handshake.choice import choose
from puretls.handshake.context import Context, Negotiated, Offer, Peer, Secrets
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
from puretls.handshake.hello import extension_path, index_extensions, known_suites, parse_body
from puretls.handshake.states import Refused, Rejection, Renegotiate, Role, ServerState, Verdict
from puretls.iana import (
    AlertDescription,
    CertificateStatusType,
    CipherSuiteId,
    ClientCertificateType,
    CompressionMethod,
    ExtensionType,
    ProtocolVersion,
)
from puretls.key_exchange.signature import verify
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import (
    UINT16_MAX,
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
from puretls.messages.key_exchange import ClientKeyExchange, DigitallySigned
from puretls.messages.records import ChangeCipherSpec
from puretls.session import Session
from puretls.suites import Suite
from puretls.wire.schema import serialise

S = ServerState
Results = dict[type[Extension], Any]


# ClientHello


def on_client_hello(context: Context, hello: ClientHello) -> Step:
    """RFC 5246 7.4.1.2: resume the session that is shown, or agree on new parameters."""
    given = index_extensions(hello.extensions, "ClientHello")
    _check_version(hello, given)
    context = begin(context).evolve(_offer=Offer(hello, known_suites(hello.cipher_suites), given))
    results = _accept_extensions(context)
    results[RenegotiationInfo] = _check_renegotiation(context, results)
    session, renew = _find_session(context, results)
    if session is not None:
        return _resume(context, results, session, renew=renew)
    return _negotiate(context, results)


def on_client_hello_again(context: Context, hello: ClientHello) -> Step:
    """A renegotiation: granted where configured and secure, else refused with a warning (RFC 5246 7.2.2, RFC 5746 4.4)."""
    if context.config.renegotiation and context.negotiated.secure_renegotiation:
        return on_client_hello(context, hello)
    refused = (Warn(AlertDescription.NO_RENEGOTIATION), Emit(lambda context: RenegotiationRefused(by_peer=False)))
    return Step(context, S.CONNECTED, refused)


def _check_version(hello: ClientHello, given: Mapping[int, RawExtension]) -> None:
    """RFC 5246 E.1; where supported_versions is there, it alone counts (RFC 8446 4.2.1), and its extension checks it."""
    fallback = CipherSuiteId.TLS_FALLBACK_SCSV in hello.cipher_suites
    if hello.client_version < ProtocolVersion.TLS_1_2 and ExtensionType.SUPPORTED_VERSIONS not in given:
        # RFC 7507 3: a client that fell back below what we speak is told so.
        reason = Reason.INAPPROPRIATE_FALLBACK if fallback else Reason.VERSION_TOO_OLD
        raise PeerError(reason, str(hello.client_version), path="ClientHello.client_version")
    if CompressionMethod.NULL not in hello.compression_methods:
        raise PeerError(Reason.NO_NULL_COMPRESSION, path="ClientHello.compression_methods")


def _accept_extensions(context: Context) -> Results:
    given = context.offer.extensions
    results: Results = {}
    view = context.view(suites=context.offer.suites, results=results)  # grows, so that later ones see earlier ones
    for extension in context.config.active_extensions:
        raw = given.get(extension.type)
        try:
            if raw is None:
                results[type(extension)] = context.result_without(extension, view)
            else:
                body = parse_body(extension.client_body, raw, extension)
                results[type(extension)] = extension.accept(body, view)
        except PeerError as error:
            error.path = extension_path("ClientHello", given, extension.type, error.path)
            raise
    return results


def _check_renegotiation(context: Context, results: Results) -> bool:
    """RFC 5746 3.6 and 3.7, RFC 7627 5.4: whether renegotiation is secure; the SCSV says so in a first hello only."""
    scsv = CipherSuiteId.TLS_EMPTY_RENEGOTIATION_INFO_SCSV in context.offer.hello.cipher_suites
    extension = bool(results.get(RenegotiationInfo))
    before = context.established
    if before is None:
        if context.config.require_secure_renegotiation and not (scsv or extension):
            raise PeerError(Reason.INSECURE_RENEGOTIATION, path="ClientHello.extensions.length")
        return scsv or extension
    if scsv or not extension:
        what = "the SCSV in a renegotiation" if scsv else "missing in a renegotiation"
        path = "ClientHello.cipher_suites" if scsv else "ClientHello.extensions.length"
        raise PeerError(Reason.RENEGOTIATION_INFO_MISMATCH, what, path=path)
    if before.negotiated.extended_master_secret and not results.get(ExtendedMasterSecret):
        raise PeerError(Reason.EMS_MISMATCH, "dropped in a renegotiation", path="ClientHello.extensions.length", rfc="RFC 7627 5.4")
    return True


# Resumption


def _find_session(context: Context, results: Results) -> tuple[Session | None, bool]:
    """The session that the client shows, if it may be resumed, and whether its ticket should be renewed."""
    config, hello = context.server_config, context.offer.hello
    session, renew = None, False
    ticket = results.get(SessionTicket)
    if ticket and config.tickets is not None:
        try:
            session, renew = config.tickets.open(ticket, context)
        except Exception as error:
            raise_of_callback("tickets.open", config.tickets.open, error)
    elif hello.session_id and config.session_cache is not None:
        with calling("session_cache.get", config.session_cache.get):
            session = config.session_cache.get(hello.session_id)
        if session is not None and session.suite not in hello.cipher_suites:
            raise PeerError(Reason.SESSION_SUITE_NOT_OFFERED, path="ClientHello.cipher_suites")
    if session is None or not _may_resume(context, results, session):
        return None, False
    half_over = context.clock() - session.created > session.lifetime / 2
    return session, bool(ticket) and (renew or half_over)


def _may_resume(context: Context, results: Results, session: Session) -> bool:
    """Whether what the client offers now is what the session was made for; else a full handshake follows."""
    config = context.server_config
    if session.extended_master_secret and not results.get(ExtendedMasterSecret):
        raise PeerError(Reason.EMS_MISMATCH, path="ClientHello.extensions.length")  # RFC 7627 5.3: the server MUST abort
    return (
        _may_resume_again(context, session)
        and session.is_fresh(context.clock())
        and session.suite in config.suites_by_id
        and session.suite in context.offer.hello.cipher_suites
        and session.extended_master_secret == bool(results.get(ExtendedMasterSecret))
        and all(extension.may_resume(session, results.get(extension)) for extension in concerned(results, "may_resume"))
        and not (config.client_authentication == "require" and not session.peer_chain)
        and not (config.client_authentication == "none" and session.peer_chain)
    )


def _may_resume_again(context: Context, session: Session) -> bool:
    """In a renegotiation: fresh keys under the session that the connection has (RFC 5246 7.4.1.2), and under no other.

    A client that is to be asked for a certificate now has to shake hands in full.
    """
    before = context.established
    if before is None:
        return True
    asks = context.server_config.client_authentication != "none"
    return hmac.compare_digest(session.master_secret, before.master) and not (asks and not session.peer_chain)


def _resume(context: Context, results: Results, session: Session, *, renew: bool) -> Step:
    """RFC 5246 7.3 figure 2, as far as it goes before the verifier has judged the session's chain again."""
    suite = context.server_config.suites_by_id[session.suite]
    negotiated = _negotiated(context, results, suite, session_id=context.offer.hello.session_id, resumed=True)
    context = context.evolve(
        _negotiated=negotiated.evolve(
            psk_identity=session.psk_identity or None,
            group=session.group,
            signature_scheme=session.signature_scheme,
            client_signature_scheme=session.client_signature_scheme,
        ),
        session=session,
        renew_ticket=renew,
        peer=Peer(chain=session.peer_chain),
        secrets=context.secrets.evolve(master=session.master_secret),
    )
    return Step(context, S.WAIT_RESUMPTION_VERDICT, _ASK)


def on_resumption_verdict(context: Context, message: Verdict) -> Step:
    """The client's chain was accepted once more, or there is none: the abbreviated handshake."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    ticket = (Send(_make_renewed_ticket),) if context.renew_ticket else ()
    flight = (_SEND_HELLO, *_STARTED, Update(derive_keys), LOG_MASTER_SECRET, *ticket, *finish(Role.SERVER))
    return Step(context, S.WAIT_CCS, flight)


def on_resumption_rejected(context: Context, message: Rejection) -> Step:
    """The client's chain is not accepted any more: it may show another in a full handshake."""
    results = dict(context.negotiated.results)
    return _negotiate(context.evolve(_negotiated=None, peer=Peer(), secrets=Secrets()), results)


def _make_renewed_ticket(context: Context) -> NewSessionTicket:
    assert context.session is not None
    return _ticket_for(context, context.session)


# Negotiation


def _negotiate(context: Context, results: Results) -> Step:
    """Choose, and send the first flight (RFC 5246 7.3 figure 1)."""
    choice = choose(context, results)
    config = context.server_config
    issues_ticket = _issues_ticket(context, results)
    session_id = b"" if issues_ticket or config.session_cache is None else context.random(32)
    negotiated = _negotiated(context, results, choice.suite, session_id=session_id, resumed=False)
    negotiated = negotiated.evolve(signature_scheme=choice.scheme)
    context = context.evolve(_negotiated=negotiated, credential=choice.credential, session=None, renew_ticket=issues_ticket)
    context = choice.suite.kx.prepare(context, choice.groups)
    asks = config.client_authentication != "none" and choice.suite.may_request_certificate
    return Step(context, S.WAIT_CLIENT_CERTIFICATE if asks else S.WAIT_CLIENT_KEY_EXCHANGE, _first_flight(context, asks=asks))


def _issues_ticket(context: Context, results: Results) -> bool:
    return context.server_config.tickets is not None and results.get(SessionTicket) is not None


def _negotiated(context: Context, results: Results, suite: Suite, *, session_id: bytes, resumed: bool) -> Negotiated:
    limits, key_limits = limits_agreed(context.config.active_extensions, results)
    negotiated = Negotiated(
        suite=suite,
        client_random=context.offer.hello.random,
        server_random=context.random(32),
        session_id=session_id,
        resumed=resumed,
        secure_renegotiation=bool(results[RenegotiationInfo]),
        results=results,
        limits=limits,
        key_limits=key_limits,
    )
    if context.established is not None:
        check_encrypt_then_mac(context.established.negotiated, negotiated, "ClientHello")
    return negotiated


# The first flight


def _started(context: Context) -> HandshakeStarted:
    return HandshakeStarted(context.established is not None)


_STARTED = Emit(_started), TELL_PARAMETERS


def make_server_hello(context: Context) -> ServerHello:
    """RFC 5246 7.4.1.3."""
    negotiated = context.negotiated
    return ServerHello(
        ProtocolVersion.TLS_1_2,
        negotiated.server_random,
        negotiated.session_id,
        negotiated.suite.id,
        CompressionMethod.NULL,
        _answer_extensions(context) or None,
    )


def _answer_extensions(context: Context) -> tuple[RawExtension, ...]:
    negotiated, credential = context.negotiated, context.credential
    view = context.view(
        suite=negotiated.suite,
        resumed=negotiated.resumed,
        results=negotiated.results,
        offered=context.offer.extensions,
        is_own_name=credential.serves if credential else None,
        issues_ticket=context.renew_ticket,
        ocsp_response=credential.ocsp_response if credential else None,
        sct_list=credential.sct_list if credential else None,
    )
    answers = []
    for extension in context.config.active_extensions:
        result = negotiated.results.get(type(extension))
        if result is not None and extension.may_answer(result, view):
            body = extension.answer(result, view)
            if body is not None:
                answers.append(RawExtension(extension.type, serialise(body)))
    return tuple(answers)


def _keep_server_hello(context: Context, hello: ServerHello) -> Context:
    """What really left is what the keys depend on."""
    negotiated = context.negotiated.evolve(server_random=hello.random, session_id=hello.session_id)
    return context.evolve(_negotiated=negotiated)


_SEND_HELLO = Send(make_server_hello, _keep_server_hello)


def _first_flight(context: Context, *, asks: bool) -> tuple[Effect, ...]:
    flight: list[Effect] = [_SEND_HELLO, *_STARTED]
    credential = context.credential
    if credential is not None:
        flight.append(Send(lambda context: Certificate(credential.chain)))
        if context.negotiated.result(StatusRequest) and credential.ocsp_response is not None:
            response = credential.ocsp_response
            flight.append(Send(lambda context: CertificateStatus(CertificateStatusType.OCSP, response)))
    if context.suite.kx.has_server_message(context):
        flight.append(_SEND_KEY_EXCHANGE)
    if asks:
        flight.append(_SEND_REQUEST)
    flight.append(_SEND_DONE)
    return tuple(flight)


def make_certificate_request(context: Context) -> CertificateRequest:
    """RFC 5246 7.4.4; the CertificateRequest lists what `signature_schemes` says, as a client's hello does."""
    config = context.server_config
    types = (ClientCertificateType.RSA_SIGN, ClientCertificateType.ECDSA_SIGN)
    return CertificateRequest(types, config.signature_schemes, config.certificate_authorities)


_SEND_KEY_EXCHANGE = Send(lambda context: context.suite.kx.make_server_message(context))
_SEND_REQUEST = Send(make_certificate_request)
_SEND_DONE = Send(lambda context: ServerHelloDone())


# The client's flight


def on_client_certificate(context: Context, message: Certificate) -> Step:
    """RFC 5246 7.4.6."""
    chain = message.certificate_list
    if not chain:
        if context.server_config.client_authentication == "require":
            raise PeerError(Reason.CLIENT_CERTIFICATE_REQUIRED, path="Certificate.certificate_list.length")
        return Step(context, S.WAIT_CLIENT_KEY_EXCHANGE)
    if len(chain) > context.config.limits.certificates:
        raise PeerError(Reason.CHAIN_TOO_LONG, f"{len(chain)} certificates", path="Certificate.certificate_list.length")
    check_same_peer(context, chain)
    leaf, key = parse_leaf(chain)
    if not usage_allows(leaf, signing=True):
        raise PeerError(Reason.WRONG_KEY_USAGE, "client certificate", path=usage_path(leaf))
    context = context.evolve(peer=context.peer.evolve(chain=chain, public_key=key))
    return Step(context, S.WAIT_CLIENT_VERDICT, _ASK)


def client_question(context: Context) -> Any:
    """What the verifier is asked; None where a resumed session has no certificate of the client's."""
    return question(context, "client", context.peer.chain, resumed=context.negotiated.resumed)


_ASK = (Ask(client_question),)


def on_client_verdict(context: Context, message: Verdict) -> Step:
    """The chain was accepted; the client has yet to prove that the key is its own."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    return Step(context, S.WAIT_CLIENT_KEY_EXCHANGE_THEN_VERIFY, (TELL_CERTIFICATE,))


def on_client_key_exchange(context: Context, message: ClientKeyExchange) -> Step:
    """RFC 5246 7.4.7, from a client without a certificate."""
    return _exchange_keys(context, message, S.WAIT_CCS)


def on_client_key_exchange_then_verify(context: Context, message: ClientKeyExchange) -> Step:
    """RFC 5246 7.4.7, from a client that must prove its certificate."""
    return _exchange_keys(context, message, S.WAIT_CERTIFICATE_VERIFY)


def _exchange_keys(context: Context, message: ClientKeyExchange, waiting: ServerState) -> Step:
    context, premaster = context.suite.kx.receive(context, message)
    return Step(context, waiting, (Update(derive_master(premaster)), LOG_MASTER_SECRET))


def on_certificate_verify(context: Context, message: CertificateVerify) -> Step:
    """RFC 5246 7.4.8."""
    assert context.peer.public_key is not None
    verify(context, context.peer.public_key, DigitallySigned(message.algorithm, message.signature), context.transcript, "CertificateVerify")
    negotiated = context.negotiated.evolve(client_signature_scheme=message.algorithm)
    return Step(context.evolve(_negotiated=negotiated), S.WAIT_CCS)


def on_client_change_cipher_spec(context: Context, message: ChangeCipherSpec) -> Step:
    """RFC 5246 7.1."""
    return on_change_cipher_spec(context, message, S.WAIT_FINISHED, Role.CLIENT)


def on_client_finished(context: Context, message: Finished) -> Step:
    """RFC 5246 7.4.9; in a full handshake ticket and Finished answer it."""
    context = check_finished(context, message, Role.CLIENT)
    if context.negotiated.resumed:
        return Step(context, S.CONNECTED, _COMPLETE_RESUMED)
    if context.renew_ticket:
        return Step(context, S.CONNECTED, (_SEND_TICKET, *finish(Role.SERVER), *_COMPLETE))
    keep = _KEEP_SESSION if context.negotiated.session_id else ()
    return Step(context, S.CONNECTED, (*finish(Role.SERVER), *_COMPLETE, *keep))


def _session(context: Context) -> Session:
    negotiated = context.negotiated
    lifetime = context.server_config.session_lifetime
    return new_session(context, session_id=negotiated.session_id, lifetime=lifetime)


def _make_ticket(context: Context) -> NewSessionTicket:
    return _ticket_for(context, _session(context))


def _ticket_for(context: Context, session: Session) -> NewSessionTicket:
    """RFC 5077 3.3: the hint says what is left of the session's lifetime. Empty where a long client chain does not fit."""
    config = context.server_config
    assert config.tickets is not None
    left = max(1, int(session.created + session.lifetime - context.clock()))
    try:
        ticket = config.tickets.seal(session, context)
    except Exception as error:
        raise_of_callback("tickets.seal", config.tickets.seal, error)
    return NewSessionTicket(left, ticket) if len(ticket) <= UINT16_MAX else NewSessionTicket(0, b"")


_SEND_TICKET = Send(_make_ticket)
_COMPLETE, _COMPLETE_RESUMED = complete(_session), complete(lambda context: context.session)
_KEEP_SESSION = (KeepSession(lambda context: context.negotiated.session_id),)


# Once connected


def on_renegotiate(context: Context, message: Renegotiate) -> Step:
    """RFC 5246 7.4.1.1: ask the client for a new handshake; it may decline."""
    return Step(context, S.CONNECTED, (Send(lambda context: HelloRequest()),))


def on_refused(context: Context, message: Refused) -> Step:
    """The client answered no_renegotiation to our HelloRequest (RFC 5246 7.2.2)."""
    return Step(context, S.CONNECTED, (Emit(lambda context: RenegotiationRefused(by_peer=True)),))
