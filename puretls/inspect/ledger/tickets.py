"""The ledger of a session ticket of puretls: its parts, the key that sealed it, and the session that it holds."""

from __future__ import annotations

from puretls.inspect.ledger.nodes import Builder, Ref
from puretls.inspect.tickets import Opened
from puretls.session import TICKET_KEY_LENGTH, TICKET_NAME_LENGTH, TICKET_NONCE_LENGTH, Session
from puretls.wire.schema import annotate

_RFC = "RFC 5077 4"
_STATE = {
    "master_secret": "The master secret of the session.",
    "created": "When the session was made, in seconds since 1970.",
    "lifetime": "For how many seconds it can be resumed.",
}
"""Fields of the session that have a node of their own."""
_START = 1
"""A session's fields begin behind the number of its format."""


def ticket_nodes(builder: Builder, ticket: Ref, length: int, opened: Opened) -> Ref:
    """Write the nodes of a ticket of so many bytes that stands in `ticket`; gives that of its master secret."""
    head = TICKET_NAME_LENGTH + TICKET_NONCE_LENGTH
    name = builder.made(
        f"{ticket.name}.key_name",
        "cut",
        (ticket, 0, TICKET_NAME_LENGTH),
        "Which key of the server sealed it, in the clear.",
        _RFC,
    )
    nonce = builder.made(f"{ticket.name}.nonce", "cut", (ticket, TICKET_NAME_LENGTH, head), "Drawn for this ticket alone.", _RFC)
    sealed = builder.made(f"{ticket.name}.sealed", "cut", (ticket, head, length), "The session, encrypted, and the tag.", _RFC)
    key = _key(builder, opened.key)
    meaning = "The session as the server keeps it, opened by AES-256-GCM; the name of the key is authenticated with it."
    state = builder.made(f"{ticket.name}.state", "aes_256_gcm_open", (key, nonce, sealed, name), meaning, _RFC, secret=True)
    fields = {span.path.rpartition(".")[2]: span for span in annotate(Session, opened.state, _START)}
    made = {
        field: builder.made(
            f"{state.name}.{field}",
            "cut",
            (state, fields[field].start, fields[field].end),
            told,
            _RFC,
            secret=field == "master_secret",
        )
        for field, told in _STATE.items()
    }
    return made["master_secret"]


def _key(builder: Builder, material: bytes) -> Ref:
    """The AES key, cut from a ticket key, which is written once."""
    name = f"ticket_key_{material[:4].hex()}"
    if name not in builder:
        whole = builder.given(name, material, "A key of the server for tickets: 16 bytes of name, 32 of key.", _RFC, secret=True)
        meaning = "What encrypts and authenticates tickets; the server alone has it."
        builder.made(f"{name}.aes_key", "cut", (whole, TICKET_NAME_LENGTH, TICKET_KEY_LENGTH), meaning, _RFC, secret=True)
    return Ref(f"{name}.aes_key")
