"""From what is known to a master secret: key log, premaster secret, RSA key, pre-shared key, an earlier session."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from os import urandom
from typing import NamedTuple

from puretls import schedule
from puretls.crypto.keys import RsaPrivateKey
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret
from puretls.extensions import EncryptThenMac, ExtendedMasterSecret, MaxFragmentLength, RecordSizeLimit
from puretls.extensions.max_fragment_length import LENGTHS
from puretls.inspect.knowledge import KEY_LOG, NOTHING, Knowledge
from puretls.inspect.tickets import opened
from puretls.messages.handshake import ClientHello, ServerHello
from puretls.messages.records import MAX_PLAINTEXT
from puretls.suites import BY_ID, Suite
from puretls.wire.schema import Struct

PREMASTER_LENGTH = 48


class Found(NamedTuple):
    """A master secret, and where it is from."""

    master: Secret
    source: str
    premaster: Secret | None = None


class RecordLimit(NamedTuple):
    """Bytes of plaintext that a record may carry, and who says so."""

    size: int
    rfc: str


NO_LIMIT = RecordLimit(MAX_PLAINTEXT, "RFC 5246 6.2.1")
"""Where nothing was agreed on."""


class Handshake:
    """What one handshake of a conversation agreed on, and its secrets as far as they are known.

    `number` counts from 0. `transcript` is what Finished hashes; `upto_key_exchange` is what an extended master secret is made over
    (RFC 7627 4). `resumed` is None until the server showed it.
    """

    def __init__(self, number: int, client_hello: ClientHello | None) -> None:
        self.number = number
        self.client_hello = client_hello
        self.server_hello: ServerHello | None = None
        self.client_key_exchange: Struct | None = None
        self.transcript: bytearray = bytearray()
        self.upto_key_exchange = b""
        self.resumed: bool | None = None
        self.found: Found | None = None
        self.missing: str = "there was no ServerHello to tell the cipher suite"
        self.fits: bool | None = None
        """Whether a record or a Finished proved the master secret right or wrong."""
        self.keys: schedule.KeyBlock | None = None
        self._derived_for: object = self
        """The ClientKeyExchange with which the secrets were last looked for."""
        self.verify_data: dict[str, bytes] = {}
        """What each side's Finished must hold, by side."""
        self.finished: set[str] = set()
        self.tickets: list[bytes] = []
        self.requested = False
        """Whether the server asked for a certificate."""

    def __repr__(self) -> str:
        return f"Handshake({self.number}, {self.suite.name if self.suite else 'no suite'}, {'open' if self.found else 'closed'})"

    @property
    def suite(self) -> Suite | None:
        """The cipher suite; None before the ServerHello, and for one that is not known here."""
        return BY_ID.get(int(self.server_hello.cipher_suite)) if self.server_hello else None

    @property
    def is_open(self) -> bool:
        """Whether a master secret is known which no record and no Finished proved wrong."""
        return self.found is not None and self.fits is not False

    @property
    def told(self) -> str:
        """Where its secrets are from, or what is missing, in a few words."""
        if self.found is None:
            agreed = self.resumed or self.client_key_exchange is not None
            return self.missing if agreed else "the handshake came to no key exchange"
        if self.fits is False:
            return f"the master secret from {self.found.source} opens no record: it belongs to another connection"
        return f"known from {self.found.source}"

    @property
    def client_random(self) -> bytes:
        return self.client_hello.random if self.client_hello else b""

    @property
    def server_random(self) -> bytes:
        return self.server_hello.random if self.server_hello else b""

    def answered(self, extension_type: int) -> bool:
        """Whether the server answered the extension of this type."""
        return self._body(self.server_hello, extension_type) is not None

    @property
    def extended_master_secret(self) -> bool:
        """RFC 7627 5.2: the server answered the extension."""
        return self.answered(ExtendedMasterSecret.type)

    @property
    def encrypt_then_mac(self) -> bool:
        """RFC 7366 2: the server answered the extension."""
        return self.answered(EncryptThenMac.type)

    # Limits

    def _body(self, hello: ClientHello | ServerHello | None, extension_type: int) -> bytes | None:
        """What stands in an extension of a hello; None without it."""
        extensions = (hello.extensions if hello else None) or ()
        return next((one.extension_data for one in extensions if one.extension_type == extension_type), None)

    @property
    def record_limit(self) -> RecordLimit:
        """Of records of both sides since the ServerHello (RFC 6066 4); record_size_limit takes its place (RFC 8449 5)."""
        code = self._body(self.server_hello, MaxFragmentLength.type)
        if code is None or len(code) != 1 or code[0] not in LENGTHS or self.answered(RecordSizeLimit.type):
            return NO_LIMIT
        return RecordLimit(LENGTHS[code[0]], MaxFragmentLength.rfc)

    def record_limit_under_keys(self, side: str) -> RecordLimit:
        """Of records that `side` sends under the keys of this handshake: what the other one asked for (RFC 8449 4)."""
        asked = self._body(self.server_hello if side == "client" else self.client_hello, RecordSizeLimit.type)
        if asked is None or len(asked) != 2 or not self.answered(RecordSizeLimit.type):
            return NO_LIMIT
        return RecordLimit(min(int.from_bytes(asked, "big"), MAX_PLAINTEXT), RecordSizeLimit.rfc)

    # Secrets

    def derive(self, knowledge: Knowledge, provider: Provider) -> None:
        """Find the master secret and make the keys; `missing` tells what there is not. Looks again only after a ClientKeyExchange."""
        if self._derived_for is self.client_key_exchange:
            return
        self._derived_for = self.client_key_exchange
        suite = self.suite
        if suite is None:
            if self.server_hello is not None:
                self.missing = f"cipher suite 0x{int(self.server_hello.cipher_suite):04X} is not known here"
            return
        if self.client_hello is None:
            self.missing = "there was no ClientHello, and its random is needed"
            return
        self.found = next(self._candidates(knowledge, provider, suite), None)
        if self.found is None:
            self.missing = self._what_is_missing(knowledge, suite)
            return
        self.keys = schedule.key_block(provider.prf, suite, self.found.master, self.client_random, self.server_random)

    def _candidates(self, knowledge: Knowledge, provider: Provider, suite: Suite) -> Iterator[Found]:
        if (master := knowledge.masters.get(self.client_random)) is not None:
            yield Found(master, knowledge.sources.get(self.client_random, KEY_LOG))
        if (premaster := knowledge.premasters.get(self.client_random)) is not None:
            yield self._from_premaster(provider, suite, premaster, "the premaster secret that was recorded")
        if self.client_key_exchange is not None:
            yield from self._from_key_exchange(knowledge, provider, suite)
        else:
            yield from self._from_session(knowledge, provider)

    def _from_premaster(self, provider: Provider, suite: Suite, premaster: Secret, source: str) -> Found:
        if self.extended_master_secret:
            digest = hashlib.new(suite.prf_hash, self.upto_key_exchange).digest()
            master = schedule.extended_master_secret(provider.prf, suite.prf_hash, premaster, digest)
        else:
            master = schedule.master_secret(provider.prf, suite.prf_hash, premaster, self.client_random, self.server_random)
        return Found(master, source, premaster)

    def _from_key_exchange(self, knowledge: Knowledge, provider: Provider, suite: Suite) -> Iterator[Found]:
        """What the server's RSA key or the pre-shared key gives (RFC 5246 8.1.1, RFC 4279 2 and 4)."""
        message = self.client_key_exchange
        encrypted = getattr(message, "encrypted_premaster_secret", None)
        psk = knowledge.psks.get(getattr(message, "psk_identity", b"")) if suite.is_psk else None
        shares: list[tuple[bytes, str]] = []
        if encrypted is not None:
            shares = [
                (share, "the server's RSA key") for key in knowledge.rsa_keys if (share := decrypted(key, encrypted, provider))
            ]
        elif psk is not None and not suite.is_ephemeral:
            shares = [(bytes(len(psk)), "the pre-shared key")]
        for share, source in shares:
            if not suite.is_psk:
                yield self._from_premaster(provider, suite, Secret(share), source)
            elif psk is not None:
                both = len(share).to_bytes(2, "big") + share + len(psk).to_bytes(2, "big") + psk
                yield self._from_premaster(
                    provider, suite, Secret(both), f"{source}, with the pre-shared key" if encrypted else source
                )

    def _from_session(self, knowledge: Knowledge, provider: Provider) -> Iterator[Found]:
        for name in self.session_names():
            if name in knowledge.sessions:
                yield Found(knowledge.sessions[name], "the session that is resumed")
            if (ticket := opened(name, knowledge, provider)) is not None:
                yield Found(ticket.session.master_secret, "the client's ticket, by the key that sealed it")

    def session_names(self) -> list[bytes]:
        """By what the session may be found that the client offers: the ticket, and the identifier."""
        from puretls.iana import ExtensionType

        extensions = (self.client_hello.extensions if self.client_hello else None) or ()
        tickets = [e.extension_data for e in extensions if e.extension_type == ExtensionType.SESSION_TICKET and e.extension_data]
        session_id = self.client_hello.session_id if self.client_hello else b""
        return tickets + ([session_id] if session_id else [])

    def _what_is_missing(self, knowledge: Knowledge, suite: Suite) -> str:
        name = f"no master secret for client random {self.client_random.hex()}"
        wanted = ["a key log"]
        rsa = suite.kx.name in {"RSA", "RSA_PSK"}
        if rsa:
            wanted.append("the server's RSA key")
        if suite.is_psk and not suite.is_ephemeral:
            wanted.append("the pre-shared key")
        text = f"{name}: give {' or '.join(wanted)}"
        if knowledge.masters:
            count = len(knowledge.masters)
            text += f"; the key log given has {count} other connection{'s' if count != 1 else ''}"
        if knowledge.rsa_keys and rsa and self.client_key_exchange is not None:
            text += "; the RSA key given does not decrypt the ClientKeyExchange"
        elif knowledge.rsa_keys and not rsa:
            text += f"; an RSA key does not open {suite.kx.name}, which has forward secrecy or needs none"
        return text

    def learned(self) -> Knowledge:
        """What this handshake tells about others: those that resume its session."""
        if self.found is None or self.fits is False:
            return NOTHING
        names = [*self.tickets, self.server_hello.session_id if self.server_hello else b""]
        masters, sources = {self.client_random: self.found.master}, {self.client_random: self.found.source}
        return Knowledge(masters, sessions={name: self.found.master for name in names if name}, sources=sources)

    def expect(self, provider: Provider, side: str) -> bytes | None:
        """What `side`'s Finished must hold over the transcript as it stands (RFC 5246 7.4.9)."""
        if self.found is None or self.suite is None:
            return None
        label = schedule.CLIENT_FINISHED if side == "client" else schedule.SERVER_FINISHED
        digest = hashlib.new(self.suite.prf_hash, self.transcript).digest()
        made = schedule.verify_data(provider.prf, self.suite.prf_hash, self.found.master, label, digest)
        self.verify_data[side] = made
        return made


def decrypted(key: object, encrypted: bytes, provider: Provider) -> bytes | None:
    """The premaster secret under this RSA key (RFC 5246 7.4.7.1); None where it was not made for this key."""
    if not isinstance(key, RsaPrivateKey):
        return None
    length = (key.public.n.bit_length() + 7) // 8
    number = int.from_bytes(encrypted, "big")
    if len(encrypted) != length or number >= key.public.n:
        return None
    block = provider.rsa_private(key, number, urandom).to_bytes(length, "big")
    padding, zero, message = block[2:-PREMASTER_LENGTH].rpartition(b"\0")
    if block[:2] != b"\0\2" or not zero or message or 0 in padding:
        return None
    return Secret(block[-PREMASTER_LENGTH:])
