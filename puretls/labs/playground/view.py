"""What the page shows of a run, as values that JSON knows: made by the inspector's renderers, so that nothing is explained twice."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from puretls.errors import FatalAlert, PeerError, UsageError
from puretls.handshake.states import ClientState, ServerState
from puretls.inspect import forensics
from puretls.inspect.bytemap import VIEWS
from puretls.inspect.edit import REPAIRS, Edit
from puretls.inspect.peer import Told, alert_name
from puretls.inspect.render import page
from puretls.inspect.render.ladder import REFUSED
from puretls.inspect.render.markup import children, element
from puretls.inspect.render.scenes import Scene
from puretls.inspect.render.statepath import arrowhead, state_picture
from puretls.inspect.render.story import Story, is_refused, name
from puretls.inspect.seen import MessageSeen
from puretls.inspect.streams import SIDES
from puretls.labs.playground import options
from puretls.labs.playground.run import Run
from puretls.paths import Path, parse_path
from puretls.text import counted, printable

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

Json = Any
_MOST_TOLD = 60
"""Events of the two ends that are shown, the newest."""
_STATES = {"client": ClientState, "server": ServerState}
_SENT = {"client": "the client", "server": "the server"}


def view(run: Run, show: str = "") -> Json:
    """The newest connection of a run; `show` is the path of the message of which everything is told ("": the one that came last)."""
    seen = run.conversation()
    story = Story(seen)
    arrived = {side: run.arrived(side) for side in SIDES}
    here = [scene for scene in story.scenes if _has_arrived(scene, arrived)]
    found = findings(run, seen)
    refused = {_thing(finding.path) for finding in found if finding.kind == forensics.REFUSED and finding.path}
    messages = [_message(run, scene, scene in here, refused) for scene in story.scenes]
    index = _shown(story.scenes, [message["arrived"] for message in messages], show)
    return {
        "connection": len(run.played),
        "step": run.taken,
        "clear": [run.taken, len(run.tape.edits)] == [0, 0],
        "messages": messages,
        "shown": messages[index]["path"] if index is not None else "",
        "scene": _scene(run, story, index, found) if index is not None else None,
        "ends": {side: _end(run, seen, side, here, refused) for side in SIDES},
        "waiting": {side: seen.stream(side).length - arrived[side] for side in SIDES},
        "outcome": outcome(run),
        "complete": any(one.kind == "handshake" for _, one in run.played[-1].told),
        "suite": seen.suite.name if seen.suite else "",
        "failed": run.failure[0] if run.failure else "",
        "why": why(run, found),
        "told": _told(run.played[-1].told[-_MOST_TOLD:]),
        "changes": _changes(run),
        "choices": options.chosen(run.tape),
        "can": _can(run),
    }


def outcome(run: Run) -> str:
    """Where the newest connection stands, in a sentence."""
    played = run.played[-1]
    if run.failure:
        side, error = run.failure
        found = f"it was told so by the alert {alert_name(error.description)}" if isinstance(error, FatalAlert) else str(error)
        return f"The {side} gave up: {error.reason.sentence if isinstance(error, PeerError) else printable(found)}."
    agreed = next((one.detail for _, one in reversed(played.told) if one.kind == "handshake"), "")
    closed = [side for side in SIDES if played.states[side] == "CLOSED"]
    if agreed:
        return f"The handshake is complete: {agreed}." + (
            f" The {' and the '.join(closed)} {'has' if len(closed) == 1 else 'have'} closed." if closed else ""
        )
    return "The handshake goes on." if run.taken else "Both ends are set up. Begin with Start."


def _has_arrived(scene: Scene, arrived: dict[str, int]) -> bool:
    """Whether its last byte on the wire has."""
    end = max((leaf.end for leaf in scene.wire), default=None)
    if end is None:  # a message that shares a record with the one before it
        records = getattr(scene.seen, "ranges", ())
        end = max((one.start + one.length for one in records if one.start is not None), default=0)
    return end <= arrived[scene.side]


def _message(run: Run, scene: Scene, arrived: bool, refused: Container[Path]) -> Json:
    """`refused` are those that an end has refused; what is still on its way has not been, whatever will become of it."""
    seen = scene.seen
    places = _places(scene)
    changed = {replace(edit.place, fields=()) for edit in run.tape.edits if edit.connection == len(run.played)}
    bad = arrived and (is_refused(scene) or any(place in refused for place in places))
    return {
        "path": seen.path,
        "side": scene.side,
        "name": name(scene).removesuffix(REFUSED) + (REFUSED if bad else ""),
        "size": scene.size,
        "sealed": any(record.epoch for record in scene.records),
        "refused": bad,
        "arrived": arrived,
        "changed": not places.isdisjoint(changed),
    }


def _thing(path: str) -> Path:
    """The message or record that a path is in."""
    return replace(parse_path(path), fields=())


def _shown(scenes: Sequence[Scene], arrived: Sequence[bool], wanted: str) -> int | None:
    """The message of this path, or in the record of this path; else the last that arrived, or the first that is on its way."""
    at = {record.path: index for index, scene in reversed(list(enumerate(scenes))) for record in scene.records}
    at |= {scene.seen.path: index for index, scene in enumerate(scenes)}
    if wanted in at:
        return at[wanted]
    came = [index for index, one in enumerate(arrived) if one]
    return came[-1] if came else (0 if scenes else None)


def _scene(run: Run, story: Story, index: int, found: Sequence[forensics.Finding]) -> Json:
    """A message with its bytes, and the tables of which `bytes.js` makes bytes that can be chosen."""
    html = story.scene(index)
    tables = story.dumps.tables | {"dumps": story.dumps.rows, "keys": story.anchors}
    return {"html": html, "data": tables, "note": _note(run, story.scenes, index, found)}


def _note(run: Run, scenes: Sequence[Scene], index: int, found: Sequence[forensics.Finding]) -> str:
    """What an end that gave up made of a message: an observer of the bytes, who cannot tell, takes it that all was taken."""
    refusal = next((one for one in found if one.kind == forensics.REFUSED and one.path and one.state), None)
    if run.failure is None or refusal is None or refusal.by != run.failure[0]:
        return ""
    scene, place = scenes[index], _thing(refusal.path)
    at = next((number for number, one in enumerate(scenes) if place in _places(one)), len(scenes))
    if index == at:
        return f"The {refusal.by} was in {refusal.state} when this came, refused it, and gave up."
    if scene.side != refusal.by and index > at:
        return f"The {refusal.by} had given up before this came: it was not read."
    if isinstance(scene.seen, MessageSeen) and scene.side == refusal.by and forensics.is_fatal(scene.seen):
        return f"The {refusal.by} was in {refusal.state} when it gave up and sent this."
    return ""


def _places(scene: Scene) -> set[Path]:
    """The message and the records that it stands in."""
    return {parse_path(scene.seen.path), *(parse_path(record.path) for record in scene.records)}


def scene(run: Run, show: str) -> Json:
    """One message. Raises `UsageError` where there is none of this path."""
    seen = run.conversation()
    story = Story(seen)
    index = next((index for index, each in enumerate(story.scenes) if each.seen.path == show), None)
    if index is None:
        raise UsageError(f"no message is called {printable(show[:80])!r} here")
    return {"shown": show, "scene": _scene(run, story, index, findings(run, seen))}


def _end(run: Run, seen: Conversation, side: str, here: Sequence[Scene], refused: Container[Path]) -> Json:
    """One end: its state, and the picture of its way there: by what it sent, and by what has come to it and was not refused."""
    state = run.played[-1].states[side]
    arrived = {scene.seen.path for scene in here}
    known = [one for one in seen.messages if one.side == side or one.path in arrived]
    if run.failure and run.failure[0] == side:
        taken = takewhile(lambda one: one.side == side or parse_path(one.path) not in refused, known)
        known = [one for one in taken if not (one.side == side and forensics.is_fatal(one))]
    return {"state": state, "meaning": _STATES[side][state].value, "picture": str(state_picture(seen, side, known, now=state))}


def _told(told: Sequence[tuple[str, Told]]) -> list[Json]:
    """What the two ends told; of data the data itself, as text."""
    texts = (one.data.decode("utf-8", "replace") if one.kind == "data" else str(one) for _, one in told)
    return [{"side": side, "kind": one.kind, "text": printable(text)} for (side, one), text in zip(told, texts, strict=True)]


def _changes(run: Run) -> list[Json]:
    """The edits in their order, each with what became of it."""
    made: list[Json] = []
    outcomes = {outcome.edit: outcome for played in run.played for outcome in played.outcomes}
    for edit in run.tape.edits:
        outcome = outcomes.get(edit)
        problem = outcome.problem if outcome else "its connection is still to come"
        text = _became(outcome.old, outcome.new) if outcome and (outcome.old or outcome.new) else ""
        made.append(
            {"path": edit.path, "operation": edit.operation, "value": edit.value, "who": who(edit), "connection": edit.connection,
             "made": not problem, "text": problem or text}
        )  # fmt: skip
    return made


def _became(old: bytes, new: bytes) -> str:
    """What has changed, in a few words: one byte, or all of them."""
    different = [at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other]
    if len(old) == len(new) > 1 and len(different) == 1:
        at = different[0]
        return f"byte {at} of it: {old[at]:02x} became {new[at]:02x}"
    return f"{_some(old)} became {_some(new)}"


def _some(data: bytes) -> str:
    return (data.hex() if len(data) <= 12 else f"{data[:6].hex()}… ({counted(len(data), 'byte')})") or "nothing"


def who(edit: Edit) -> str:
    """Who makes such a change, in a few words."""
    if not edit.repair:
        return "somebody on the way"
    if edit.repair == frozenset(REPAIRS):
        return _SENT[edit.place.side]
    return f"{_SENT[edit.place.side]} ({', '.join(one for one in REPAIRS if one in edit.repair)} put right)"


def _can(run: Run) -> Json:
    """Which buttons are of use."""
    played = run.played[-1]
    alive = run.failure is None and run.taken > 0
    open_ = {side: alive and played.states[side] not in {"CLOSED", "FAILED", "START"} for side in SIDES}
    waits = any(run.waiting(side) for side in SIDES)
    return {
        "step": waits or run.taken == 0,
        "back": run.taken > 0,
        "send": {side: alive and played.states[side] == "CONNECTED" for side in SIDES},
        "close": open_,
        "resume": run.taken > 0 and not waits,
    }


def findings(run: Run, seen: Conversation) -> tuple[forensics.Finding, ...]:
    """What went wrong: an end gave up, or both wait for each other before a handshake is complete; nothing where neither did."""
    if run.failure is not None:
        side, error = run.failure
        return forensics.examine(seen, error, side)
    stuck = run.taken > 0 and not any(map(run.waiting, SIDES)) and not seen.outcome.completed
    return forensics.examine(seen) if stuck else ()


def why(run: Run, found: Sequence[forensics.Finding]) -> str:
    """The findings as HTML; "" where nothing went wrong."""
    if not found and run.failure is not None:
        return str(element("p", outcome(run)))
    return str(children(*map(page.told, found)))


def keys(run: Run) -> Json:
    """The key ledger, as HTML."""
    return {"html": str(children(element("p", page.LEDGER, class_="words"), *Story(run.conversation()).ledger()))}


def fixed() -> Json:
    """What the page shows whatever the run: the colours of bytes, and what arrows end in."""
    return {"legend": str(page.legend()), "arrowhead": str(arrowhead())}


def leaf_at(run: Run, side: str, view_: str, offset: int) -> tuple[str, bytes, int]:
    """The field that a byte belongs to: its path, its bytes, and where in them the byte is. Raises `UsageError` where there is none."""
    if side not in SIDES or view_ not in VIEWS:
        raise UsageError(f'a byte is of the "client" or the "server", in the view {" or ".join(VIEWS)}')
    byte_map = run.conversation().byte_map
    for leaf in byte_map.leaves(side, view_):
        if leaf.start <= offset < leaf.end:
            return leaf.path, byte_map.bytes_of(leaf), offset - leaf.start
    raise UsageError(f"there is no byte {offset} of the {side} in the view {view_}")
