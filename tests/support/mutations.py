"""Conversations with something wrong in them: what a careless tap, a broken peer or an attacker makes of their bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from puretls.inspect import Chunk, Conversation, Gap, Stream

GAP, UNKNOWN_GAP = -1, -2
"""Offsets of chunks whose data is missing: a gap of so many bytes, or one of a length that nobody knows."""


def mutated(conversation: Conversation, seed: int) -> tuple[str, Conversation]:
    """What was done, and the conversation: one to three changes, the same for the same seed."""
    random = Random(seed)
    sides = {"client": list(conversation.client.chunks), "server": list(conversation.server.chunks)}
    story = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        kind, side = random.choice((*EDITS, *MOVES)), random.choice(("client", "server"))
        chunks = sides[side]
        if not chunks:
            continue
        index = random.randrange(len(chunks))
        story.append(f"{kind} in chunk {index} of the {side}")
        sides[side] = _changed(kind, random, chunks, index)
    made = [_stream(conversation.stream(side), sides[side]) for side in ("client", "server")]
    return ", ".join(story), Conversation(*made, conversation.knowledge, name=conversation.name, provider=conversation.provider)


def _stream(before: Stream, chunks: list[Chunk]) -> Stream:
    """The chunks and gaps one behind the other."""
    placed, gaps, offset = [], [], 0
    for chunk in chunks:
        if chunk.offset == UNKNOWN_GAP:
            gaps.append(Gap(offset, 0, "lost"))
            continue
        if chunk.offset == GAP:
            gaps.append(Gap(offset, len(chunk.data), "not captured"))
        else:
            placed.append(replace(chunk, offset=offset))
        offset += len(chunk.data)
    return Stream(tuple(placed), tuple(gaps), before.end)


Edit = Callable[[bytes, int, int, Random], bytes]
"""(data, start, stop, random) -> data: what is made of the bytes of a chunk."""
EDITS: dict[str, Edit] = {
    "flip": lambda data, start, stop, random: (
        data[:start] + bytes(byte ^ random.randrange(1, 256) for byte in data[start:][:1]) + data[start + 1 :]
    ),
    "zero": lambda data, start, stop, random: data[:start] + bytes(stop - start) + data[stop:],
    "delete": lambda data, start, stop, random: data[:start] + data[stop:],
    "insert": lambda data, start, stop, random: data[:start] + random.randbytes(random.choice((1, 5, 60))) + data[start:],
    "length": lambda data, start, stop, random: data[:3] + random.randbytes(2) + data[5:],
}
Chunks = list[Chunk]
MOVES: dict[str, Callable[[Chunks, int, int, int, Random], Chunks]] = {
    "truncate": lambda chunks, index, start, stop, random: [*chunks[:index], _part(chunks[index], 0, start)],
    "duplicate": lambda chunks, index, start, stop, random: [*chunks[: index + 1], *chunks[index:]],
    "swap": lambda chunks, index, start, stop, random: [*chunks[:index], *chunks[index : index + 2][::-1], *chunks[index + 2 :]],
    "beginning": lambda chunks, index, start, stop, random: chunks[index + 1 :],
    "reorder": lambda chunks, index, start, stop, random: [
        *chunks[:index],
        replace(chunks[index], order=random.randrange(20)),
        *chunks[index + 1 :],
    ],
    "gap": lambda chunks, index, start, stop, random: _with_gap(chunks, index, start, stop, GAP),
    "unknown gap": lambda chunks, index, start, stop, random: _with_gap(chunks, index, start, stop, UNKNOWN_GAP),
}
"""What is made of the chunks of a side."""


def _part(chunk: Chunk, start: int, stop: int, mark: int | None = None) -> Chunk:
    return Chunk(chunk.offset if mark is None else mark, chunk.data[start:stop], chunk.time, chunk.order)


def _with_gap(chunks: Chunks, index: int, start: int, stop: int, mark: int) -> Chunks:
    chunk = chunks[index]
    torn = _part(chunk, 0, start), _part(chunk, start, stop, mark), _part(chunk, stop, len(chunk.data))
    return [*chunks[:index], *torn, *chunks[index + 1 :]]


def _changed(kind: str, random: Random, chunks: Chunks, index: int) -> Chunks:
    data = chunks[index].data
    start = random.randrange(len(data) + 1)
    stop = min(len(data), start + random.choice((1, 1, 2, 5, 40, 400)))
    if kind in MOVES:
        return MOVES[kind](chunks, index, start, stop, random)
    return [*chunks[:index], replace(chunks[index], data=EDITS[kind](data, start, stop, random)), *chunks[index + 1 :]]
