"""The server's flight after its hello, the verdict on its chain, and the client's flight in return (RFC 5246 7.4.2 to 7.4.8)."""

from __future__ import annotations

from collections.abc import Iterable

from puretls.arguments import described
from puretls.config import Credential
from puretls.crypto.keys import EcPublicKey, EdPublicKey, RsaPublicKey
from puretls.errors import PeerError, Reason, UsageError, calling
from puretls.extensions import SessionTicket, StatusRequest
from puretls.handshake.authenticate import (
    choose_scheme,
    curve_of,
    is_issued_by,
    key_serves,
    parse_leaf,
    server_question,
    usage_allows,
    usage_path,
)
from puretls.handshake.client.order import after_certificate, after_key_exchange, before_finished
from puretls.handshake.context import ClientContext
from puretls.handshake.effects import TELL_CERTIFICATE, Ask, Effect, Send, Step, Update
from puretls.handshake.finished import send_finished
from puretls.handshake.keys import LOG_MASTER_SECRET, derive_master
from puretls.handshake.renegotiation import check_same_peer
from puretls.handshake.states import ClientState, Role, Verdict
from puretls.iana import CertificateStatusType, ClientCertificateType
from puretls.key_exchange.signature import KEY_PATH, sign
from puretls.messages.handshake import Certificate, CertificateRequest, CertificateStatus, CertificateVerify, ServerHelloDone
from puretls.messages.key_exchange import ClientKeyExchange, ServerKeyExchange

S = ClientState


# The server's certificate and key exchange


def on_certificate(context: ClientContext, message: Certificate) -> Step:
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
    return Step(context, after_certificate(suite, status=bool(context.negotiated.result(StatusRequest))))


def on_certificate_status(context: ClientContext, message: CertificateStatus) -> Step:
    """RFC 6066 8; the response is judged with the chain."""
    if message.status_type != CertificateStatusType.OCSP:
        raise PeerError(Reason.BAD_STATUS_RESPONSE, f"type {message.status_type}", path="CertificateStatus.status_type")
    context = context.evolve(peer=context.peer.evolve(ocsp_response=message.response))
    return Step(context, after_certificate(context.suite, status=False))


def on_server_key_exchange(context: ClientContext, message: ServerKeyExchange) -> Step:
    """RFC 5246 7.4.3."""
    context = context.suite.kx.learn(context, message)
    return Step(context, after_key_exchange(context.suite))


def on_anonymous_request(context: ClientContext, message: CertificateRequest) -> Step:
    """RFC 5246 7.4.4: a fatal handshake_failure."""
    raise PeerError(Reason.ANONYMOUS_REQUEST, path="CertificateRequest.msg_type")


def on_certificate_request(context: ClientContext, message: CertificateRequest) -> Step:
    """RFC 5246 7.4.4."""
    return Step(context.evolve(peer=context.peer.evolve(request=message)), S.WAIT_DONE)


def on_server_hello_done(context: ClientContext, message: ServerHelloDone) -> Step:
    """RFC 5246 7.4.5: the server has shown everything; now its chain is judged, if it has one."""
    return Step(context, S.WAIT_VERDICT, (Ask(server_question),))


# The second flight

_SEND_KEY_EXCHANGE = Send(lambda context: context.suite.kx.make_client_message(context), makes=ClientKeyExchange)


def on_verdict(context: ClientContext, message: Verdict) -> Step:
    """RFC 5246 7.4.6 to 7.4.9: certificate, key exchange, proof, ChangeCipherSpec, Finished."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    credential, scheme = _choose_credential(context)
    context = context.evolve(credential=credential)
    context, premaster = context.suite.kx.respond(context)
    flight: list[Effect] = []
    if message.report is not None:
        flight.append(TELL_CERTIFICATE)
    if context.peer.request is not None:
        chain = credential.chain if credential is not None else ()
        flight.append(Send(lambda context: Certificate(chain), makes=Certificate))
    flight += _SEND_KEY_EXCHANGE, Update(derive_master(premaster)), LOG_MASTER_SECRET
    if credential is not None and scheme is not None:
        flight.append(_prove(credential, scheme))
    flight += send_finished(Role.CLIENT)
    return Step(context, before_finished(ticket=bool(context.negotiated.result(SessionTicket))), tuple(flight))


def _prove(credential: Credential, scheme: int) -> Send:
    """RFC 5246 7.4.8: a signature over the handshake so far."""

    def build(context: ClientContext) -> CertificateVerify:
        signed = sign(context, credential, scheme, context.transcript)
        return CertificateVerify(signed.algorithm, signed.signature)

    def keep(context: ClientContext, message: CertificateVerify) -> ClientContext:
        return context.evolve(_negotiated=context.negotiated.evolve(client_signature_scheme=message.algorithm))

    return Send(build, keep, CertificateVerify)


def _choose_credential(context: ClientContext) -> tuple[Credential | None, int | None]:
    """The first of ours that the server can use, and the scheme to prove it with; none is an answer too (RFC 5246 7.4.6)."""
    request, config = context.peer.request, context.config
    if request is None:
        return None, None
    if config.client_certificate is None:
        candidates: Iterable[Credential] = (credential for credential in config.credentials if _is_wanted(request, credential))
    else:
        with calling("client_certificate", config.client_certificate):
            chosen = config.client_certificate(request)
        if not isinstance(chosen, Credential | None):
            raise UsageError(f"client_certificate must give a Credential, or None, not {described(chosen)}")
        candidates = () if chosen is None else (chosen,)
    for credential in candidates:
        scheme = choose_scheme(config.signs_with, request.supported_signature_algorithms, credential.public_key)
        if scheme is not None:
            return credential, scheme
    return None, None


def _is_wanted(request: CertificateRequest, credential: Credential) -> bool:
    """Whether its key is of a kind that the server asks for, and its issuer one that the server names, if it names any."""
    kind = {
        RsaPublicKey: ClientCertificateType.RSA_SIGN,
        EcPublicKey: ClientCertificateType.ECDSA_SIGN,
        EdPublicKey: ClientCertificateType.ECDSA_SIGN,  # RFC 8422 5.5
    }[type(credential.public_key)]
    if kind not in request.certificate_types:
        return False
    return not request.certificate_authorities or is_issued_by(credential, request.certificate_authorities)
