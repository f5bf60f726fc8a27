"""The ClientHello as a server reads it (RFC 5246 7.4.1.2): resume, negotiate, or refuse."""

from __future__ import annotations

from collections.abc import Mapping

from puretls.errors import PeerError, Reason, calling
from puretls.events import RenegotiationRefused
from puretls.extensions import ExtendedMasterSecret, RenegotiationInfo
from puretls.handshake.context import Offer, ServerContext
from puretls.handshake.effects import Emit, Step, Warn
from puretls.handshake.hello import extension_path, index_extensions, known_suites, parse_body
from puretls.handshake.renegotiation import begin
from puretls.handshake.server.choice import Results
from puretls.handshake.server.flight import negotiate
from puretls.handshake.server.resumption import find_session, resume
from puretls.handshake.states import ServerState
from puretls.iana import AlertDescription, CipherSuiteId, CompressionMethod, ExtensionType, ProtocolVersion
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import ClientHello

S = ServerState


def on_client_hello(context: ServerContext, hello: ClientHello) -> Step:
    """RFC 5246 7.4.1.2: resume the session that is shown, or agree on new parameters."""
    context = _configured_for(context, hello)
    given = index_extensions(hello.extensions, "ClientHello")
    _check_version(hello, given)
    context = begin(context).evolve(_offer=Offer(hello, known_suites(hello.cipher_suites), given))
    results = _accept_extensions(context)
    results[RenegotiationInfo] = _check_renegotiation(context, results)
    session, ticket_keys = find_session(context, results)
    if session is not None:
        return resume(context, results, session, ticket_keys)
    return negotiate(context, results)


def _configured_for(context: ServerContext, hello: ClientHello) -> ServerContext:
    """With the configuration that the application chooses for this client, where it chooses one; in the first handshake only."""
    ask = context.config.config_for
    if ask is None or context.established is not None:
        return context
    with calling("config_for", ask):
        chosen = ask(hello)
    return context if chosen is None else context.configured(chosen)


def on_client_hello_again(context: ServerContext, hello: ClientHello) -> Step:
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


def _accept_extensions(context: ServerContext) -> Results:
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


def _check_renegotiation(context: ServerContext, results: Results) -> bool:
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
