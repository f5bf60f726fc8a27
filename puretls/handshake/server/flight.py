"""Negotiation, and the server's first flight (RFC 5246 7.3 figure 1)."""

from __future__ import annotations

from puretls.events import HandshakeStarted
from puretls.extensions import RenegotiationInfo, SessionTicket, StatusRequest, limits_agreed
from puretls.handshake.context import Negotiated, ServerContext
from puretls.handshake.effects import TELL_PARAMETERS, Effect, Emit, Send, Step
from puretls.handshake.renegotiation import check_encrypt_then_mac
from puretls.handshake.server.choice import Results, choose
from puretls.handshake.states import ServerState
from puretls.iana import CertificateStatusType, ClientCertificateType, CompressionMethod, ProtocolVersion
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import Certificate, CertificateRequest, CertificateStatus, ServerHello, ServerHelloDone
from puretls.messages.key_exchange import ServerKeyExchange
from puretls.suites import Suite
from puretls.wire.schema import serialise

S = ServerState


def negotiate(context: ServerContext, results: Results) -> Step:
    """Choose, and send the first flight (RFC 5246 7.3 figure 1)."""
    choice = choose(context, results)
    config = context.config
    ticket_keys = None if results.get(SessionTicket) is None else config.tickets
    session_id = b"" if ticket_keys is not None or config.session_cache is None else context.random(32)
    negotiated = agreement(context, results, choice.suite, session_id=session_id, resumed=False)
    negotiated = negotiated.evolve(signature_scheme=choice.scheme)
    context = context.evolve(_negotiated=negotiated, credential=choice.credential, session=None, ticket_keys=ticket_keys)
    context = choice.suite.kx.prepare(context, choice.groups)
    asks = config.client_authentication != "none" and choice.suite.may_request_certificate
    return Step(context, S.WAIT_CLIENT_CERTIFICATE if asks else S.WAIT_CLIENT_KEY_EXCHANGE, _first_flight(context, asks=asks))


def agreement(context: ServerContext, results: Results, suite: Suite, *, session_id: bytes, resumed: bool) -> Negotiated:
    """What is agreed on with this client, as its ServerHello will say."""
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


def _started(context: ServerContext) -> HandshakeStarted:
    return HandshakeStarted(context.established is not None)


STARTED = Emit(_started), TELL_PARAMETERS


def make_server_hello(context: ServerContext) -> ServerHello:
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


def _answer_extensions(context: ServerContext) -> tuple[RawExtension, ...]:
    negotiated, credential = context.negotiated, context.credential
    view = context.view(
        suite=negotiated.suite,
        resumed=negotiated.resumed,
        results=negotiated.results,
        offered=context.offer.extensions,
        is_own_name=credential.serves if credential else None,
        issues_ticket=context.ticket_keys is not None,
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


def _keep_server_hello(context: ServerContext, hello: ServerHello) -> ServerContext:
    """What really left is what the keys depend on."""
    negotiated = context.negotiated.evolve(server_random=hello.random, session_id=hello.session_id)
    return context.evolve(_negotiated=negotiated)


SEND_HELLO = Send(make_server_hello, _keep_server_hello, ServerHello)


def _first_flight(context: ServerContext, *, asks: bool) -> tuple[Effect, ...]:
    flight: list[Effect] = [SEND_HELLO, *STARTED]
    credential = context.credential
    if credential is not None:
        flight.append(Send(lambda context: Certificate(credential.chain), makes=Certificate))
        if context.negotiated.result(StatusRequest) and credential.ocsp_response is not None:
            response = credential.ocsp_response
            flight.append(
                Send(lambda context: CertificateStatus(CertificateStatusType.OCSP, response), makes=CertificateStatus)
            )
    if context.suite.kx.has_server_message(context):
        flight.append(_SEND_KEY_EXCHANGE)
    if asks:
        flight.append(_SEND_REQUEST)
    flight.append(_SEND_DONE)
    return tuple(flight)


def make_certificate_request(context: ServerContext) -> CertificateRequest:
    """RFC 5246 7.4.4; the CertificateRequest lists what `signature_schemes` says, as a client's hello does."""
    config = context.config
    types = (ClientCertificateType.RSA_SIGN, ClientCertificateType.ECDSA_SIGN)
    return CertificateRequest(types, config.signature_schemes, config.certificate_authorities)


_SEND_KEY_EXCHANGE = Send(lambda context: context.suite.kx.make_server_message(context), makes=ServerKeyExchange)
_SEND_REQUEST = Send(make_certificate_request, makes=CertificateRequest)
_SEND_DONE = Send(lambda context: ServerHelloDone(), makes=ServerHelloDone)
