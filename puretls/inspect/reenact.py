"""What a connection of puretls's own refuses of what was sent: a fault that an observer of two streams does not see.

An end that was offered what stands in a recorded hello is given what the other side answered, up to the first change of keys: beyond it
one would need the secrets of who took part. Of a renegotiation the hellos and the server's certificate are judged, by the handlers that
judge them in a connection, after what the handshake before it agreed on. The verdict counts only where the real end sent the very alert
that it calls for, since what an end accepts is a matter of its configuration, too.
"""

from __future__ import annotations

from typing import Any

from puretls import danger, drive
from puretls.config import ClientConfig, ServerConfig
from puretls.connection import Connection
from puretls.crypto.secret import Secret
from puretls.errors import PeerError, PuretlsError, Reason
from puretls.extensions import Alpn, Extension, MaxFragmentLength, RecordSizeLimit
from puretls.handshake.client.answer import on_server_hello
from puretls.handshake.client.hello import keep_offer
from puretls.handshake.context import ClientContext, Established, Peer, ServerContext
from puretls.handshake.renegotiation import begin, check_same_peer
from puretls.handshake.server.hello import on_client_hello
from puretls.iana import ContentType, ExtensionType
from puretls.inspect.conversation import Conversation
from puretls.inspect.secrets import Handshake
from puretls.inspect.streams import other
from puretls.intercept import Interceptor
from puretls.messages.handshake import Certificate, ClientHello
from puretls.suites import SUITES

OWN = frozenset(
    {Reason.NO_SHARED_SUITE, Reason.NO_SHARED_DH_GROUP, Reason.NO_SHARED_SCHEME, Reason.NO_PSK, Reason.VERIFICATION_FAILED}
)
"""Reasons that follow from the configuration of who refuses, which an observer does not know."""


def refusal(conversation: Conversation, by: str) -> PeerError | None:
    """What `by` would refuse of the other side's part of the last handshake; None where nothing, or where that cannot be told."""
    handshakes = conversation.handshakes
    if not handshakes or handshakes[0].resumed:
        return None
    try:
        if len(handshakes) == 1:
            _first(conversation, by)
        else:
            _again(conversation, by, *handshakes[-2:])
    except PeerError as error:
        return None if error.reason in OWN else error
    except PuretlsError:
        return None  # such an end cannot be set up, or ends otherwise
    return None


def _first(conversation: Conversation, by: str) -> None:
    hello = conversation.handshakes[0].client_hello
    if hello is not None:
        end = _server(conversation) if by == "server" else _client(conversation, hello)
        end.receive_bytes(_until_keys_change(conversation, other(by)))
        list(drive.events(end))


def _again(conversation: Conversation, by: str, before: Handshake, now: Handshake) -> None:
    """What follows a handshake on the same connection (RFC 5746 3.4 to 3.7, RFC 7366 3.1, RFC 7627 1 and 5.4)."""
    if not (before.client_hello and before.server_hello and now.client_hello):
        return
    begun = ClientContext(_client_config(conversation, before.client_hello))
    agreed = on_server_hello(keep_offer(begun, before.client_hello), before.server_hello).context.negotiated
    finished = before.verify_data.get("client", b""), before.verify_data.get("server", b"")
    established = Established(agreed, Peer(chain=_chain(conversation, before)), Secret(b""), finished, 1)
    if by == "server":
        on_client_hello(ServerContext(_server_config(conversation), established=established), now.client_hello)
    elif now.server_hello is not None:
        offering = keep_offer(begin(begun.evolve(established=established)), now.client_hello)
        answered = on_server_hello(offering, now.server_hello).context
        if chain := _chain(conversation, now):
            check_same_peer(answered, chain)


def _chain(conversation: Conversation, handshake: Handshake) -> tuple[bytes, ...]:
    """What the server showed."""
    shown = (seen.message for seen in conversation.messages if (seen.side, seen.handshake) == ("server", handshake.number))
    return next((message.certificate_list for message in shown if isinstance(message, Certificate)), ())


def _until_keys_change(conversation: Conversation, side: str) -> bytes:
    """The records of a side that come before its ChangeCipherSpec, as far as they are there without a gap."""
    sent = bytearray()
    for record in (one for one in conversation.records if one.side == side):
        if record.content_type == ContentType.CHANGE_CIPHER_SPEC or record.start != len(sent) or not record.complete:
            break
        sent += record.raw
    return bytes(sent)


class _Says(Interceptor):
    """Sends the recorded hello in place of its own."""

    def __init__(self, hello: ClientHello) -> None:
        self._hello = hello

    def message(self, message: Any, where: Any) -> list[Any]:
        return [self._hello if isinstance(message, ClientHello) else message]


def _common(conversation: Conversation) -> dict[str, Any]:
    """What both ends are given: all suites, no judgement of certificates, nothing from the system."""
    return {
        "suites": SUITES,
        "danger_suites": True,
        "provider": conversation.provider,
        "verifier": danger.accept_any_chain,
        "random": danger.fixed_random(b"observer"),
        "clock": lambda: (conversation.began or 0) / 1e9,
    }


def _client(conversation: Conversation, hello: ClientHello) -> Connection:
    """A client that has sent this hello."""
    end = Connection.client(_client_config(conversation, hello))
    end.start()
    end.bytes_to_send()
    return end


def _client_config(conversation: Conversation, hello: ClientHello) -> ClientConfig:
    return ClientConfig(
        **_common(conversation),
        **_lists(conversation),
        extensions=tuple(_mirrored(conversation)),
        psk=lambda hint: (b"observer", b"observer"),
        interceptors=(_Says(hello),),
    )


def _server(conversation: Conversation) -> Connection:
    """A server that takes whatever hello is well-formed."""
    return Connection.server(_server_config(conversation))


def _server_config(conversation: Conversation) -> ServerConfig:
    return ServerConfig(**_common(conversation), psk=lambda identity: b"observer")


def _values(conversation: Conversation, kind: ExtensionType) -> tuple[Any, ...]:
    """The values in the body of an extension of the ClientHello, its lengths left out."""
    leaves = conversation.byte_map.find("client.ClientHello.extensions")
    inside = f"].{kind.name.lower()}."
    return tuple(
        leaf.value for leaf in leaves if leaf.view == "wire" and inside in leaf.path and not leaf.path.endswith(".length")
    )


def _lists(conversation: Conversation) -> dict[str, Any]:
    """Groups and signature schemes as the client listed them."""
    kinds = {"groups": ExtensionType.SUPPORTED_GROUPS, "signature_schemes": ExtensionType.SIGNATURE_ALGORITHMS}
    return {field: values for field, kind in kinds.items() if (values := _values(conversation, kind))}


def _mirrored(conversation: Conversation) -> list[Extension]:
    """The extensions whose answers depend on what the client asked for."""
    made: list[Extension] = []
    if names := _values(conversation, ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION):
        made.append(Alpn(*(name.decode("latin-1") for name in names)))
    if codes := _values(conversation, ExtensionType.MAX_FRAGMENT_LENGTH):
        made.append(MaxFragmentLength(2 ** (8 + codes[0])))
    if limits := _values(conversation, ExtensionType.RECORD_SIZE_LIMIT):
        made.append(RecordSizeLimit(limits[0]))
    return made
