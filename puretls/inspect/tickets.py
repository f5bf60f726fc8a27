"""Session tickets of puretls's own servers, seen by who has their keys (RFC 5077 4 leaves the form to each server)."""

from __future__ import annotations

from typing import NamedTuple

from puretls.crypto.aead import AES_256_GCM
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret
from puretls.errors import DecodeError
from puretls.inspect.knowledge import Knowledge
from puretls.session import TICKET_NAME_LENGTH, TICKET_NONCE_LENGTH, Session


class Opened(NamedTuple):
    """A ticket whose key is known: `key` has 48 bytes, 16 of name and 32 for AES; `state` is what `Session.to_bytes` made."""

    key: Secret
    state: Secret
    session: Session


def opened(ticket: bytes, knowledge: Knowledge, provider: Provider) -> Opened | None:
    """What is in a ticket; None where no key that is known has sealed it."""
    name, rest = ticket[:TICKET_NAME_LENGTH], ticket[TICKET_NAME_LENGTH:]
    for key in knowledge.ticket_keys:
        if key[:TICKET_NAME_LENGTH] != name or len(rest) <= TICKET_NONCE_LENGTH:
            continue
        aead = provider.aead(AES_256_GCM, Secret(key[TICKET_NAME_LENGTH:]))
        state = aead.open(rest[:TICKET_NONCE_LENGTH], rest[TICKET_NONCE_LENGTH:], name)
        try:
            return Opened(key, Secret(state), Session.from_bytes(state)) if state is not None else None
        except DecodeError:
            return None
    return None
