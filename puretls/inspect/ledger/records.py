"""The ledger of single records: nonce and additional data of an AEAD, MAC of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.signatures import digest_size
from puretls.inspect.ledger.handshakes import suffix
from puretls.inspect.ledger.nodes import Builder, Node, Ref
from puretls.inspect.seen import RecordSeen
from puretls.record.framing import HEADER_LENGTH

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

_AEAD, _MAC, _ETM = "RFC 5246 6.2.3.3", "RFC 5246 6.2.3.1", "RFC 7366 3"


KINDS = ("key", "MAC_key", "IV")
"""What a direction has of each at most (RFC 5246 6.3)."""


def key_name(conversation: Conversation, record: RecordSeen, kind: str) -> str:
    """The name of the key of this kind that a protected record is under: each ChangeCipherSpec of a side begins an epoch."""
    changes = [seen for seen in conversation.messages if (seen.side, seen.name) == (record.side, "ChangeCipherSpec")]
    handshake = changes[record.epoch - 1].handshake if 0 < record.epoch <= len(changes) else None
    return f"{record.side}_write_{kind}{suffix(handshake or 0)}"


def record_nodes(conversation: Conversation, record: RecordSeen) -> tuple[Node, ...]:
    """What protects one record that was opened; nothing for others."""
    if record.opener is None or record.plaintext is None or record.sequence is None:
        return ()
    builder = Builder(conversation.ledger.nodes)
    if isinstance(record.opener.suite.bulk, AeadAlgorithm):
        _aead(conversation, record, builder)
    else:
        _mac(conversation, record, builder)
    return tuple(builder.nodes)


def _aead(conversation: Conversation, record: RecordSeen, builder: Builder) -> None:
    iv, path, sequence = Ref(key_name(conversation, record, "IV")), record.path, record.sequence
    explicit = dict(record.parts).get("nonce_explicit", 0)
    if iv.name not in builder:
        return
    if explicit:  # the nonce is secret, since the IV is a part of it
        value = record.raw[HEADER_LENGTH : HEADER_LENGTH + explicit]
        part = builder.given(
            f"{path}.nonce_explicit", value, "The part of the nonce that travels.", "RFC 5288 3", f"{path}.nonce_explicit"
        )
        builder.made(f"{path}.nonce", "join", (iv, part), "Fixed part and explicit part.", "RFC 5288 3", secret=True)
    else:
        meaning = "The IV, XORed with the sequence number."
        builder.made(f"{path}.nonce", "nonce_from_sequence", (iv, sequence or 0), meaning, "RFC 7905 2", secret=True)
    arguments = (sequence or 0, record.content_type, len(record.plaintext or b""))
    builder.made(f"{path}.additional_data", "header", arguments, "What the tag covers besides the ciphertext.", _AEAD)


def _mac(conversation: Conversation, record: RecordSeen, builder: Builder) -> None:
    opener, path, plaintext = record.opener, record.path, record.plaintext
    assert opener is not None
    assert plaintext is not None
    hash_name, key = opener.suite.mac or "", Ref(key_name(conversation, record, "MAC_key"))
    if key.name not in builder:
        return
    if opener.encrypt_then_mac:
        end = HEADER_LENGTH + sum(size for name, size in record.parts if name != "mac")
        covered, what, rfc = record.raw[HEADER_LENGTH:end], "IV and ciphertext, which the MAC covers.", _ETM
        data = builder.given(f"{path}.encrypted", covered, what, rfc)
    else:
        covered, rfc = plaintext, _MAC
        data = builder.given(f"{path}.content", covered, "The content, which the MAC covers.", rfc, secret=True)
    head = builder.made(
        f"{path}.mac_header",
        "header",
        (record.sequence or 0, record.content_type, len(covered)),
        "What the MAC covers besides.",
        rfc,
    )
    builder.made(
        f"{path}.mac", "mac", (hash_name, key, head, data), f"{8 * digest_size(hash_name)} bits of HMAC.", rfc, f"{path}.mac"
    )
