"""A conversation as JSON, and back: its bytes, and every field of them with what it means.

`conversation.schema.json` beside this module is the schema (JSON Schema 2020-12). `streams` hold all bytes that were sent, so that
`conversation_of` gives the same conversation again; the rest is what puretls tells of them, for programs that do not know TLS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from puretls.errors import UsageError
from puretls.inspect.bytemap import PLAINTEXT, VIEWS, WIRE, Leaf
from puretls.inspect.conversation import Conversation
from puretls.inspect.forensics import Finding, examine
from puretls.inspect.knowledge import DOCUMENT, NOTHING, Knowledge
from puretls.inspect.render.words import value_text
from puretls.inspect.streams import SIDES, Chunk, Gap, Stream
from puretls.keylog import CLIENT_RANDOM, key_log_line

if TYPE_CHECKING:
    from puretls.inspect.seen import MessageSeen, RecordSeen, States

MARK, VERSION = "puretls_conversation", 1
SCHEMA = "conversation.schema.json"
Json = dict[str, Any]
ENDS = ("open", "fin", "reset")


def schema() -> Json:
    """The schema of the documents."""
    found: Json = json.loads(files(__package__).joinpath(SCHEMA).read_text(encoding="utf-8"))
    return found


def dumps(conversation: Conversation, *, secrets: bool = True) -> str:
    """The text of a JSON file. Without `secrets` it has neither keys nor anything that was decrypted."""
    return json.dumps(document(conversation, secrets=secrets), indent=1, ensure_ascii=True) + "\n"


def document(conversation: Conversation, *, secrets: bool = True) -> Json:
    """What a JSON file holds. Without `secrets`: what somebody sees who has the bytes alone."""
    if not secrets:
        conversation = without_secrets(conversation)
    suite, outcome, texts = conversation.suite, conversation.outcome, _Texts()
    return {
        MARK: VERSION,
        "name": conversation.name,
        "addresses": list(conversation.addresses),
        "began": conversation.began,
        "version": conversation.version,
        "suite": suite.name if suite else None,
        "outcome": {"kind": outcome.kind, "sentence": outcome.sentence, "side": outcome.side, "completed": outcome.completed},
        "key_log": list(key_log(conversation)),
        "streams": {side: _stream(conversation.stream(side)) for side in SIDES},
        "records": [_record(record) for record in conversation.records],
        "messages": [_message(seen) for seen in conversation.messages],
        "plaintext": {side: conversation.byte_map.plain_bytes(side).hex() for side in SIDES},
        "bytes": {
            side: {view: [_leaf(leaf, texts) for leaf in conversation.byte_map.leaves(side, view)] for view in VIEWS}
            for side in SIDES
        },
        "texts": texts.told,
        "findings": [_finding(finding) for finding in examine(conversation)],
    }


def without_secrets(conversation: Conversation) -> Conversation:
    """The same bytes, with nothing known beside them."""
    return Conversation(
        conversation.client,
        conversation.server,
        name=conversation.name,
        addresses=conversation.addresses,
        began=conversation.began,
        provider=conversation.provider,
        prefix=conversation.prefix,
    )


def key_log(conversation: Conversation) -> Iterator[str]:
    """Lines in the NSS format for the handshakes whose master secret is known."""
    for handshake in conversation.handshakes:
        if handshake.found:
            yield str(key_log_line(CLIENT_RANDOM, handshake.client_random, handshake.found.master))


def _stream(stream: Stream) -> Json:
    return {
        "chunks": [
            {"offset": chunk.offset, "bytes": chunk.data.hex(), "time": chunk.time, "order": chunk.order}
            for chunk in stream.chunks
        ],
        "gaps": [{"offset": gap.offset, "length": gap.length, "why": gap.why, "records": gap.records} for gap in stream.gaps],
        "end": stream.end,
    }


def _record(record: RecordSeen) -> Json:
    return {
        "path": record.path,
        "start": record.start,
        "length": record.length,
        "content_type": record.content_type,
        "version": record.version,
        "epoch": record.epoch,
        "sequence": record.sequence,
        "key": str(record.key or ""),
        "parts": [{"name": name, "length": length} for name, length in record.parts],
        "opened": record.plaintext is not None,
        "plain_start": record.plain_start,
        "plain_length": record.inner if record.opener else len(record.plaintext or b""),
        "problem": str(record.problem or ""),
        "time": record.time,
        "order": record.order,
    }


def _message(seen: MessageSeen) -> Json:
    return {
        "path": seen.path,
        "side": seen.side,
        "name": seen.name,
        "content_type": seen.content_type,
        "length": len(seen.raw),
        "records": list(seen.records),
        "ranges": [{"start": one.start, "plain_start": one.plain_start, "length": one.length} for one in seen.ranges],
        "before": _states(seen.states_before),
        "after": _states(seen.states_after),
        "legal": seen.legal,
        "complete": seen.complete,
        "problem": str(seen.problem or ""),
        "handshake": seen.handshake,
        "time": seen.time,
    }


def _states(states: States) -> Json:
    return {"client": list(states.client), "server": list(states.server)}


class _Texts:
    """Explanations, each once."""

    def __init__(self) -> None:
        self.told: list[Json] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, leaf: Leaf) -> int | None:
        """Which of them is that of a leaf."""
        text = leaf.text
        if text is None:
            return None
        key = text.meaning, text.why
        if key not in self._numbers:
            self._numbers[key] = len(self.told)
            self.told.append({"meaning": text.meaning, "why": text.why})
        return self._numbers[key]


def _leaf(leaf: Leaf, texts: _Texts) -> Json:
    return {
        "start": leaf.start,
        "end": leaf.end,
        "path": leaf.path,
        "value": "" if leaf.fault else value_text(leaf.value),
        "text": texts.number(leaf),
        "rfc": leaf.rfc,
        "note": leaf.note,
        "fault": leaf.fault,
        "key": leaf.key,
        "record": leaf.record,
        "message": leaf.message,
        "part": leaf.part,
        "linked": list(leaf.linked) if leaf.linked else None,
    }


def _finding(finding: Finding) -> Json:
    return {
        "kind": finding.kind,
        "sentence": finding.sentence,
        "side": finding.side,
        "by": finding.by,
        "state": finding.state,
        "expected": list(finding.expected),
        "path": finding.path,
        WIRE: list(finding.wire) if finding.wire else None,
        PLAINTEXT: list(finding.plaintext) if finding.plaintext else None,
        "alert": finding.alert,
        "rfc": finding.rfc,
        "why": finding.why,
        "tries": list(finding.tries),
    }


# Back


def loads(text: str | bytes) -> Conversation:
    """The conversation of a JSON file. Raises `UsageError` for text that is none."""
    try:
        return conversation_of(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"no conversation: not JSON ({type(error).__name__})") from None


def conversation_of(value: Any) -> Conversation:
    """The conversation of a document: from `streams` and `key_log`; the rest is computed again. Raises `UsageError` for what is none."""
    if not isinstance(value, dict) or MARK not in value:
        raise UsageError(f'no conversation: a JSON object with "{MARK}" is wanted')
    if value[MARK] != VERSION:
        raise UsageError(f"a conversation of version {str(value[MARK])[:20]}: this puretls reads version {VERSION}")
    try:
        client, server = (_stream_of(value["streams"][side]) for side in SIDES)
        name, began = _of(str, value.get("name", "")), _of(int | None, value.get("began"))
        addresses = tuple(_of(str, address) for address in _of(list, value.get("addresses", list(SIDES))))
        log = [_of(str, line) for line in _of(list, value.get("key_log", []))]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"no conversation: it does not follow the schema ({type(error).__name__}: {error})") from None
    if len(addresses) != len(SIDES):
        raise UsageError("a conversation has two addresses, the client's and the server's")
    known = Knowledge.of(log, source=DOCUMENT) if log else NOTHING
    return Conversation(client, server, known, name=name, addresses=(addresses[0], addresses[1]), began=began)


def _stream_of(value: Mapping[str, Any]) -> Stream:
    chunks = tuple(
        Chunk(_count(one["offset"]), bytes.fromhex(one["bytes"]), _of(int | None, one.get("time")), _count(one.get("order", 0)))
        for one in value["chunks"]
    )
    gaps = tuple(
        Gap(_count(one["offset"]), _count(one["length"]), _of(str, one["why"]), _of(int | None, one.get("records")))
        for one in value.get("gaps", ())
    )
    end = value.get("end", ENDS[0])
    if end not in ENDS:
        raise ValueError(f"end is one of {', '.join(ENDS)}")
    return Stream(chunks, gaps, end)


def _of(kind: Any, value: Any) -> Any:
    """The value, which is of this kind. Raises `TypeError`."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{str(value)[:40]!r} is out of place")
    return value


def _count(value: Any) -> int:
    number: int = _of(int, value)
    if number < 0:
        raise ValueError(f"{number} is less than 0")
    return number
