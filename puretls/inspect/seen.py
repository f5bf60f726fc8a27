"""What a decoder saw: records, messages, states, and what was wrong with them. Values without behaviour."""

from __future__ import annotations

from dataclasses import field
from typing import NamedTuple

from puretls.display import in_notebooks
from puretls.errors import DecodeError, Reason
from puretls.iana import ContentType, known
from puretls.inspect.opening import Opener
from puretls.key_exchange import KeyExchange
from puretls.values import frozen
from puretls.wire.schema import Struct


@frozen
class Problem:
    """Why something could not be read, or would have been refused; `str` gives the sentence.

    `path` names the field at fault where one is, without the side; `offset` counts from the first byte of the message or record.
    `refused` tells whether a peer stops there: a secret that is missing here is no fault of the conversation's.
    """

    sentence: str
    path: str = ""
    offset: int | None = None
    rfc: str = ""
    reason: Reason | None = None
    refused: bool = True

    def __str__(self) -> str:
        return self.sentence + (f" [{self.rfc}]" if self.rfc else "")

    @classmethod
    def of(cls, error: DecodeError) -> Problem:
        """Of bytes that do not parse."""
        return cls(error.message, error.path, error.offset, error.rfc, Reason.DECODE)

    @classmethod
    def missing(cls, sentence: str) -> Problem:
        """What the observer lacks."""
        return cls(sentence, refused=False)


@frozen
class KeyUse:
    """The key that protected a record: `str` gives "server_write_key, epoch 1, sequence number 3"."""

    side: str
    epoch: int
    sequence: int | None

    @property
    def name(self) -> str:
        """As RFC 5246 6.3 calls it."""
        return f"{self.side}_write_key"

    @property
    def mac_name(self) -> str:
        """The MAC key beside it; AEADs have none."""
        return f"{self.side}_write_MAC_key"

    def __str__(self) -> str:
        return self.told(self.name)

    def told(self, name: str) -> str:
        """The same use of another key of this direction."""
        count = "unknown" if self.sequence is None else str(self.sequence)
        return f"{name}, epoch {self.epoch}, sequence number {count}"


class Piece(NamedTuple):
    """Bytes of a record as they lie in the stream."""

    start: int
    data: bytes


@frozen
class RecordSeen:
    """One record on the wire, and what it holds.

    `number` counts from 0 on each side; `start` is the offset in the stream, `raw` all bytes that are there (those of a gap are not),
    `length` what header and fragment have together. `parts` are names and lengths in the fragment. `plaintext` is the content, None
    where it could not be opened: `problem` says why. `inner` is the length of all that was decrypted, MAC and padding included, and
    `plain_start` where that begins in the plaintext view. `order` is the position among the records of both sides.
    """

    side: str
    number: int
    start: int
    raw: bytes = field(repr=False)
    length: int
    content_type: int
    version: int
    epoch: int = 0
    sequence: int | None = 0
    parts: tuple[tuple[str, int], ...] = ()
    plaintext: bytes | None = field(default=None, repr=False)
    problem: Problem | None = None
    time: int | None = None
    order: int = 0
    plain_start: int = 0
    inner: int = 0
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    opener: Opener | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Its content type, as the registry has it: "handshake"."""
        kind = known(ContentType, self.content_type)
        return kind.name.lower() if isinstance(kind, ContentType) else f"type {self.content_type}"

    @property
    def path(self) -> str:
        """Its address: "server.record[4]"."""
        return f"{self.side}.record[{self.number}]"

    @property
    def complete(self) -> bool:
        """Whether all its bytes are there."""
        return len(self.raw) == self.length

    @property
    def key(self) -> KeyUse | None:
        """The key that protected it; None in the clear."""
        return KeyUse(self.side, self.epoch, self.sequence) if self.epoch else None

    _repr_html_ = in_notebooks


@frozen
class States:
    """Where both ends may be, by the names of their states; one each where the observer can tell."""

    client: tuple[str, ...]
    server: tuple[str, ...]

    def __str__(self) -> str:
        return f"client {' or '.join(self.client)}, server {' or '.join(self.server)}"


class Range(NamedTuple):
    """`length` bytes of a message from `start` on lie at `plain_start` in the plaintext view, in the record of this number."""

    start: int
    plain_start: int
    length: int
    record: int


@frozen
class MessageSeen:
    """One message: of the handshake, or what a record of another type carries.

    `name` is the general name, whatever the key exchange; `nth` counts from 1 among the messages of that name from that side. `message`
    is None where it does not parse. `legal` tells whether the receiver's table has a row for it.
    """

    side: str
    name: str
    nth: int
    content_type: int
    raw: bytes = field(repr=False)
    message: Struct | None
    problem: Problem | None
    ranges: tuple[Range, ...] = field(repr=False)
    states_before: States
    states_after: States
    legal: bool = True
    complete: bool = True
    key_exchange: KeyExchange | None = None
    handshake: int | None = None
    """Which handshake of the conversation it belongs to, from 0."""
    time: int | None = None
    order: int = 0
    opaque: bool = False
    """Whether it is of another version of TLS, where its body has a form that is not known here."""

    @property
    def path(self) -> str:
        """Its address: "client.ClientHello#2"."""
        return f"{self.side}.{self.name}" + (f"#{self.nth}" if self.nth != 1 else "")

    @property
    def records(self) -> tuple[int, ...]:
        """The numbers of the records that hold it."""
        return tuple(dict.fromkeys(piece.record for piece in self.ranges))

    @property
    def plain_start(self) -> int:
        """Where it begins in the plaintext view."""
        return self.ranges[0].plain_start if self.ranges else 0

    _repr_html_ = in_notebooks


@frozen
class StraySeen:
    """Bytes on the wire that are no record, and why; `nth` counts from 1 on each side."""

    side: str
    nth: int
    start: int
    raw: bytes = field(repr=False)
    why: str
    order: int = 0

    @property
    def path(self) -> str:
        """Its address: "client.Unframed"."""
        return f"{self.side}.Unframed" + (f"#{self.nth}" if self.nth != 1 else "")


@frozen
class Outcome:
    """How the conversation ended, in one word and in a sentence.

    `kind` is "closed", "alert", "sealed alert" (one that cannot be opened), "reset", "truncated", "open", "not TLS", "not TLS 1.2" or
    "nothing"; `side` is who ended it, "" for both or nobody.
    """

    kind: str
    sentence: str
    side: str = ""
    completed: int = 0
    """Handshakes that both ends finished."""

    def __str__(self) -> str:
        return self.sentence
