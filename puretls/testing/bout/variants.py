"""Ways to say a message that an honest peer has not: each has one thing wrong, or nothing, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from puretls.handshake.context import ClientContext
from puretls.handshake.states import Role
from puretls.iana import CipherSuiteId, CompressionMethod, ExtensionType, ProtocolVersion, SignatureScheme
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import Certificate, ClientHello, Finished, ServerHello
from puretls.testing.bout.world import SUITES, chain_with, clients_chain
from puretls.testing.learning.mapper import RESUMING
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.testing.bout.bout import Bout

DEFECTS = (
    "path length",
    "name not permitted",
    "expired",
    "not yet valid",
    "wrong name",
    "root not trusted",
    "not a CA",
    "wrong EKU",
    "bad signature",
)
"""What may be wrong with the chain of the mapper's server: names of `pki.DEFECTS`."""


@frozen
class Variant:
    """`change(message, context)`; what must come of it.

    "go on"; "in full": it goes on, and nothing is resumed; "end" at once; "refused" once the chain is complete; or "never complete".
    """

    name: str
    change: Callable[[Any, Any], Any]
    outcome: str = "end"
    applies: Callable[[Bout], bool] = lambda bout: True


def _extensions(message: Any, without: int, *more: RawExtension) -> Any:
    kept = tuple(one for one in message.extensions or () if one.extension_type != without)
    return replace(message, extensions=(*kept, *more) or None)


_EMS, _RENEGOTIATION_INFO = ExtensionType.EXTENDED_MASTER_SECRET, ExtensionType.RENEGOTIATION_INFO
_STRANGE = b"\0\2\x77\x77"
"""A list of one number that nobody knows."""
_OTHER_NAME = b"\0\x0f\0\0\x0canother.test"
_FORGED = RawExtension(_RENEGOTIATION_INFO, b"\x0c" + bytes(12))


def without_ems(message: Any, context: Any) -> Any:
    """A hello that does not have extended_master_secret (RFC 7627 5.1)."""
    return _extensions(message, _EMS)


def _last_flipped(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,))


def _flipped(field: str) -> Callable[[Any, Any], Any]:
    def change(message: Any, context: Any) -> Any:
        return replace(message, **{field: _last_flipped(getattr(message, field))})

    return change


def _badly_signed(message: Any, context: Any) -> Any:
    return replace(message, signed=_flipped("signature")(message.signed, context))


def _strangely_signed(message: Any, context: Any) -> Any:
    return replace(message, signed=replace(message.signed, algorithm=SignatureScheme.ECDSA_SHA1))


def _defective(defect: str) -> Variant:
    def change(message: Certificate, context: Any) -> Certificate:
        return Certificate(chain_with(defect).certificates)

    return Variant(defect, change, "refused", _is_client)


def _is_client(bout: Bout) -> bool:
    return bout.role is Role.CLIENT


def _is_server(bout: Bout) -> bool:
    return bout.role is Role.SERVER


def _is_first(bout: Bout) -> bool:
    return not bout.course.completed


def _is_again(bout: Bout) -> bool:
    return bool(bout.course.completed)


def _is_resumed(bout: Bout) -> bool:
    """Whether the mapper's server resumes."""
    return bool(bout.mapper.context.negotiated.resumed)


def _session_has_ems(bout: Bout) -> bool:
    return bout.world.session is not None and bout.world.session.extended_master_secret


def _fields(**fields: Any) -> Callable[[Any, Any], Any]:
    return lambda message, context: replace(message, **fields)


def _with(type_: int, data: bytes) -> Callable[[Any, Any], Any]:
    """With another content of an extension."""
    return lambda message, context: _extensions(message, type_, RawExtension(type_, data))


def _doubled(message: Any, context: Any) -> Any:
    return replace(message, extensions=(*message.extensions, message.extensions[0]))


def _forged_ticket(hello: ClientHello, context: ClientContext) -> ClientHello:
    assert context.session is not None
    return _with(ExtensionType.SESSION_TICKET, _last_flipped(context.session.ticket))(hello, context)  # type: ignore[no-any-return]


def _last_suite(hello: ClientHello, context: Any) -> ClientHello:
    return replace(hello, cipher_suites=hello.cipher_suites[-1:])


def _other_suites(hello: ClientHello, context: ClientContext) -> ClientHello:
    assert context.session is not None
    return replace(hello, cipher_suites=tuple(suite.id for suite in SUITES if suite.id != context.session.suite))


def _other_suite(hello: ServerHello, context: Any) -> ServerHello:
    return replace(hello, cipher_suite=next(suite.id for suite in SUITES if suite.id != hello.cipher_suite))


def _other_renegotiation_info(hello: Any, context: Any) -> Any:
    return _extensions(hello, _RENEGOTIATION_INFO, _FORGED)


def _without_renegotiation_info(hello: Any, context: Any) -> Any:
    return _extensions(hello, _RENEGOTIATION_INFO)


def _strange_extension(hello: Any, context: Any) -> Any:
    return _extensions(hello, 0x7777, RawExtension(0x7777, b""))


def _strange_group(message: Any, context: Any) -> Any:
    return replace(message, params=replace(message.params, named_curve=0x0001))


def _expired(message: Certificate, context: Any) -> Certificate:
    return Certificate(clients_chain("expired").certificates)


def _cut_short(message: Finished, context: Any) -> Finished:
    return Finished(message.verify_data[:-1])


VARIANTS: Mapping[str, tuple[Variant, ...]] = {
    "ClientHello": (
        Variant("without extended_master_secret", without_ems, "go on", _is_first),
        Variant("with the last suite alone", _last_suite, "go on"),
        Variant("with suites that nobody has", _fields(cipher_suites=(CipherSuiteId.TLS_NULL_WITH_NULL_NULL,))),
        Variant("of TLS 1.1", _fields(client_version=ProtocolVersion.TLS_1_1)),
        Variant("without the null compression", _fields(compression_methods=(CompressionMethod(1),))),
        Variant("with another renegotiation_info", _other_renegotiation_info),
        Variant("without renegotiation_info", _without_renegotiation_info, "end", _is_again),
        Variant("with groups that nobody has", _with(ExtensionType.SUPPORTED_GROUPS, _STRANGE)),
        Variant("with signature schemes that nobody has", _with(ExtensionType.SIGNATURE_ALGORITHMS, _STRANGE)),
        Variant("with an extension twice", _doubled),
    ),
    RESUMING: (
        Variant("without extended_master_secret", without_ems, "end", _session_has_ems),
        Variant("with another suite alone", _other_suites, "in full"),
        Variant("under another server name", _with(ExtensionType.SERVER_NAME, _OTHER_NAME), "in full"),
        Variant("with a ticket that was changed", _forged_ticket, "in full"),
    ),
    "ServerHello": (
        Variant("with a suite not offered", _fields(cipher_suite=CipherSuiteId.TLS_RSA_WITH_AES_128_CBC_SHA)),
        Variant("with a compression not offered", _fields(compression_method=CompressionMethod(1))),
        Variant("of TLS 1.1", _fields(server_version=ProtocolVersion.TLS_1_1)),
        Variant("with an extension not offered", _strange_extension),
        Variant("with another renegotiation_info", _other_renegotiation_info),
        Variant("without renegotiation_info", _without_renegotiation_info, "end", _is_again),
        Variant("with an extension twice", _doubled),
        Variant("of a session, without extended_master_secret", without_ems, "end", _is_resumed),
        Variant("of a session, with another suite", _other_suite, "end", _is_resumed),
    ),
    "Certificate": (
        *(_defective(defect) for defect in DEFECTS),
        Variant("empty", _fields(certificate_list=()), "end", _is_client),
        Variant("expired", _expired, "end", _is_server),
    ),
    "ServerKeyExchange": (
        Variant("signed wrongly", _badly_signed),
        Variant("signed by a scheme not offered", _strangely_signed),
        Variant("of a group not offered", _strange_group),
    ),
    "CertificateVerify": (
        Variant("signed wrongly", _flipped("signature")),
        Variant("signed by a scheme not offered", _fields(algorithm=SignatureScheme.ECDSA_SHA1)),
    ),
    "ChangeCipherSpec": (Variant("of type 2", _fields(type=2)),),
    "Finished": (
        Variant("over another handshake", _flipped("verify_data")),
        Variant("of zeros", _fields(verify_data=bytes(12))),
        Variant("cut short", _cut_short),
    ),
}
