"""The ledger of handshakes: from the hellos to the last verify_data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.keys import RsaPrivateKey
from puretls.crypto.signatures import SIGNATURE_SCHEMES, digest_size
from puretls.iana import ContentType, ExtensionType, SignatureScheme, known
from puretls.inspect.deeper import spans_of
from puretls.inspect.ledger.nodes import Argument, Builder, Node, Ref
from puretls.inspect.ledger.tickets import ticket_nodes
from puretls.inspect.secrets import Handshake, decrypted
from puretls.inspect.seen import MessageSeen
from puretls.inspect.tickets import opened
from puretls.messages.handshake import HEADER_LENGTH
from puretls.spans import Span
from puretls.suites import Suite

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

RANDOM = slice(6, 38)
"""Where the random stands in both hellos: behind type, length and version (RFC 5246 7.4.1.2 and 7.4.1.3)."""
SHARES = ("params.public", "params.dh_ys", "public", "dh_yc")
"""Fields of the key exchange messages that hold a public value (RFC 8422 5.4 and 5.7, RFC 5246 7.4.3 and 7.4.7.2)."""
_PRF, _FINISHED, _KEYS = "RFC 5246 5", "RFC 5246 7.4.9", "RFC 5246 6.3"


def suffix(number: int) -> str:
    """What stands behind the names of the values of a handshake: nothing for the first, "#2" for the second."""
    return f"#{number + 1}" if number else ""


def handshake_nodes(conversation: Conversation) -> tuple[Node, ...]:
    """All nodes of all handshakes, inputs first."""
    builder = Builder()
    for handshake in conversation.handshakes:
        _Account(conversation, handshake, builder).write()
    return tuple(builder.nodes)


class _Account:
    """Writes the nodes of one handshake."""

    def __init__(self, conversation: Conversation, handshake: Handshake, builder: Builder) -> None:
        self.conversation = conversation
        self.handshake = handshake
        self.builder = builder
        self.suffix = suffix(handshake.number)
        self.messages = [
            seen
            for seen in conversation.messages
            if seen.handshake == handshake.number and seen.content_type == ContentType.HANDSHAKE and seen.name != "HelloRequest"
        ]

    def write(self) -> None:
        for seen in self.messages:
            self.builder.given(seen.path, seen.raw, "The message as it travels, with its header.", "RFC 5246 7.4", seen.path)
        hellos = [self._first("ClientHello"), self._first("ServerHello")]
        suite = self.handshake.suite
        if suite is None or None in hellos:
            return
        randoms = [self._random(seen) for seen in hellos if seen]
        self._shares()
        self._signed(randoms)
        self._new_tickets()
        master = self._master(suite, randoms)
        self._keys(suite, master, randoms)
        for side, label in (("client", "client finished"), ("server", "server finished")):
            self._finished(suite, master, side, label)

    # Names and places

    def _name(self, name: str) -> str:
        return name + self.suffix

    def _first(self, name: str) -> MessageSeen | None:
        return next((seen for seen in self.messages if seen.name == name), None)

    def _before(self, seen: MessageSeen) -> tuple[Ref, ...]:
        """The messages of the handshake up to but without this one."""
        return tuple(Ref(earlier.path) for earlier in self.messages[: self.messages.index(seen)])

    def _field(self, seen: MessageSeen, field: str) -> Span | None:
        spans = spans_of(seen.content_type, seen.raw, seen.key_exchange)
        inside = [span for span in spans if span.path == f"{seen.name}.{field}" or span.path.startswith(f"{seen.name}.{field}.")]
        inside = [span for span in inside if not span.path.endswith(".length") or span.path.count(".") > field.count(".") + 2]
        return Span(inside[0].start, inside[-1].end, f"{seen.path}.{field}") if inside else None

    def _cut(self, seen: MessageSeen, field: str, name: str, meaning: str, rfc: str) -> Ref | None:
        """A field of a message; None where the message has none."""
        span = self._field(seen, field)
        if span is None:
            return None
        return self.builder.made(name, "cut", (Ref(seen.path), span.start, span.end), meaning, rfc, span.path)

    # What is public

    def _random(self, seen: MessageSeen) -> Ref:
        name = self._name(f"{seen.side}_random")
        rfc = f"RFC 5246 {'7.4.1.2' if seen.side == 'client' else '7.4.1.3'}"
        meaning = f"What the {seen.side} gave to keep this handshake apart from all others."
        return self.builder.made(name, "cut", (Ref(seen.path), RANDOM.start, RANDOM.stop), meaning, rfc, f"{seen.path}.random")

    def _shares(self) -> None:
        for seen in self.messages:
            for field in SHARES if seen.name in {"ServerKeyExchange", "ClientKeyExchange"} else ():
                meaning = f"The public value of the {seen.side}; its private value never travels."
                self._cut(seen, field, self._name(f"{seen.side}_share"), meaning, "RFC 5246 8.1.2")

    def _new_tickets(self) -> None:
        for seen in self.messages:
            if seen.name == "NewSessionTicket":
                meaning = "The session, encrypted under a key that the server alone has; the client gives it back as it is."
                self._ticket(seen, "ticket", meaning, "RFC 5077 3.3")

    def _ticket(self, seen: MessageSeen, field: str, meaning: str, rfc: str) -> Ref | None:
        """A ticket in a field of a message; gives the master secret in it, None where no key that is known opens it."""
        ticket = self._cut(seen, field, f"{seen.path}.{field}", meaning, rfc)
        span = self._field(seen, field)
        if ticket is None or span is None:
            return None
        raw = seen.raw[span.start : span.end]
        found = opened(raw, self.conversation.knowledge, self.conversation.provider)
        return ticket_nodes(self.builder, ticket, len(raw), found) if found else None

    def _signed(self, randoms: list[Ref]) -> None:
        for seen in self.messages:
            if seen.name == "ServerKeyExchange" and (algorithm := self._field(seen, "signed.algorithm")):
                params = self.builder.made(
                    f"{seen.path}.params", "cut", (Ref(seen.path), HEADER_LENGTH, algorithm.start),
                    "The parameters of the key exchange, as they travel.", "RFC 5246 7.4.3", f"{seen.path}.params",
                )  # fmt: skip
                parts = (*randoms, params)
                self._signature(
                    seen, "signed.", parts, "Both randoms and the parameters: this is what the server signs.", "RFC 5246 7.4.3"
                )
            elif seen.name == "CertificateVerify":
                meaning = "All messages of the handshake so far: this is what the client signs."
                self._signature(seen, "", self._before(seen), meaning, "RFC 5246 7.4.8")

    def _signature(self, seen: MessageSeen, within: str, parts: tuple[Ref, ...], meaning: str, rfc: str) -> None:
        signed = self.builder.made(f"{seen.path}.signed_input", "join", parts, meaning, rfc)
        field = self._field(seen, f"{within}algorithm")
        scheme = known(SignatureScheme, int.from_bytes(seen.raw[field.start : field.end], "big")) if field else None
        algorithm = SIGNATURE_SCHEMES.get(scheme) if isinstance(scheme, SignatureScheme) else None
        if algorithm and algorithm.hash:
            text = f"What goes into the signature by {algorithm.kind.value}."
            self.builder.made(f"{seen.path}.signed_digest", "digest", (algorithm.hash, signed), text, "RFC 5246 4.7")

    # Secrets

    def _master(self, suite: Suite, randoms: list[Ref]) -> Ref:
        name, handshake = self._name("master_secret"), self.handshake
        found, meaning = handshake.found, "What all keys of the connection come from."
        exchange = self._first("ClientKeyExchange")
        premaster = self._premaster(suite, exchange) if exchange else None
        if exchange and handshake.extended_master_secret:
            upto = (*self._before(exchange), Ref(exchange.path))
            text = "The hash of the handshake up to the ClientKeyExchange."
            session_hash = self.builder.made(self._name("session_hash"), "digest", (suite.prf_hash, *upto), text, "RFC 7627 3")
            arguments: tuple[Argument, ...] = (suite.prf_hash, premaster or "", session_hash)
            formula, rfc = "extended_master_secret", "RFC 7627 4"
        else:
            arguments, formula, rfc = (suite.prf_hash, premaster or "", *randoms), "master_secret", "RFC 5246 8.1"
        if premaster is not None:
            return self.builder.made(name, formula, arguments, meaning, rfc, secret=True)
        if exchange is None and self.handshake.resumed:
            meaning, rfc = f"{meaning} It is that of the session that is resumed.", "RFC 5246 7.3"
            if (origin := self._of_session()) is not None:
                return self.builder.made(name, "join", (origin,), meaning, rfc, secret=True)
        if found is not None:
            return self.builder.given(name, found.master, f"{meaning} It is known from {found.source}.", rfc, secret=True)
        return self.builder.missing(name, handshake.missing, rfc)

    def _of_session(self) -> Ref | None:
        """Where the master secret of a session that is resumed stands: in the client's ticket, or in a handshake before this one."""
        hello = self._first("ClientHello")
        for index, extension in enumerate((getattr(hello.message, "extensions", None) or ()) if hello else ()):
            if hello and extension.extension_type == ExtensionType.SESSION_TICKET and extension.extension_data:
                meaning = "The ticket that the server once gave, which holds the session."
                origin = self._ticket(hello, f"extensions[{index}].session_ticket.ticket", meaning, "RFC 5077 3.2")
                if origin is not None:
                    return origin
        found = self.handshake.found
        before = (one for one in self.conversation.handshakes[: self.handshake.number] if found and one.found)
        same = next((one for one in before if one.found and found and one.found.master == found.master), None)
        return Ref(f"master_secret{suffix(same.number)}") if same else None

    def _premaster(self, suite: Suite, exchange: MessageSeen) -> Ref | None:
        """The premaster secret where it is known, by whatever way; else a node that says what it would take, and None."""
        knowledge, name = self.conversation.knowledge, self._name("pre_master_secret")
        recorded = knowledge.premasters.get(self.handshake.client_random)
        if recorded is not None:
            return self.builder.given(name, recorded, "What the key exchange gave both sides.", "RFC 5246 8.1", secret=True)
        share = self._decrypted(exchange, self._name("rsa_secret") if suite.is_psk else name)
        if not suite.is_psk:
            return share or self._unknown(name)
        identity = self._field(exchange, "psk_identity")
        psk = knowledge.psks.get(exchange.raw[identity.start : identity.end]) if identity else None
        if psk is None or suite.is_ephemeral or (suite.kx.name == "RSA_PSK" and share is None):
            return self._unknown(name)
        key = self.builder.given(self._name("psk"), psk, "The key that both sides had before.", "RFC 4279 2", secret=True)
        other = share or self.builder.given(
            self._name("other_secret"), bytes(len(psk)), "Zeros: there is no other key exchange.", "RFC 4279 2"
        )
        return self.builder.made(name, "psk_premaster", (other, key), "Both secrets together.", "RFC 4279 2", secret=True)

    def _decrypted(self, exchange: MessageSeen, name: str) -> Ref | None:
        field = self._field(exchange, "encrypted_premaster_secret")
        if field is None:
            return None
        sealed = exchange.raw[field.start : field.end]
        for key in self.conversation.knowledge.rsa_keys:
            if isinstance(key, RsaPrivateKey) and decrypted(key, sealed, self.conversation.provider) is not None:
                encrypted = self._cut(exchange, "encrypted_premaster_secret", self._name("encrypted_pre_master_secret"),
                                      "The premaster secret, encrypted to the server's RSA key.", "RFC 5246 7.4.7.1")  # fmt: skip
                assert encrypted is not None
                meaning = "What the client drew, and the server's RSA key decrypts."
                arguments = (encrypted, int(key.public.n), int(key.d))
                return self.builder.made(name, "rsa_premaster", arguments, meaning, "RFC 5246 7.4.7.1", secret=True)
        return None

    def _unknown(self, name: str) -> Ref | None:
        why = "It is what the private value of one side and the public value of the other give, or what was encrypted; no key log has it."
        self.builder.missing(name, why, "RFC 5246 8.1")
        return None

    def _keys(self, suite: Suite, master: Ref, randoms: list[Ref]) -> None:
        mac_length = digest_size(suite.mac) if suite.mac else 0
        iv_length = suite.bulk.fixed_iv_length if isinstance(suite.bulk, AeadAlgorithm) else 0
        lengths = (("MAC_key", mac_length), ("key", suite.bulk.key_length), ("IV", iv_length))
        total = 2 * sum(length for _, length in lengths)
        if not total:
            return
        arguments: tuple[Argument, ...] = (suite.prf_hash, master, *reversed(randoms), total)
        meaning = "As many bytes as all keys together need."
        block = self.builder.made(self._name("key_block"), "key_block", arguments, meaning, _KEYS, secret=True)
        start = 0
        for kind, length in lengths:
            for side in ("client", "server") if length else ():
                name, meaning = self._name(f"{side}_write_{kind}"), f"{_KINDS[kind]} of what the {side} sends."
                self.builder.made(name, "cut", (block, start, start + length), meaning, _KEYS, secret=True)
                start += length

    def _finished(self, suite: Suite, master: Ref, side: str, label: str) -> None:
        finished = next((seen for seen in self.messages if (seen.name, seen.side) == ("Finished", side)), None)
        if finished is None:
            return
        hashed = self.builder.made(
            self._name(f"{side}_handshake_hash"), "digest", (suite.prf_hash, *self._before(finished)),
            f"The hash of all messages before the Finished of the {side}.", _FINISHED,
        )  # fmt: skip
        meaning = f"Proof that the {side} knows the master secret and saw the same messages."
        path = f"{finished.path}.verify_data"
        self.builder.made(path, "verify_data", (suite.prf_hash, master, label, hashed), meaning, _FINISHED, path)


_KINDS = {"MAC_key": "The key of the MAC", "key": "The key of the cipher", "IV": "The fixed part of the nonce"}
