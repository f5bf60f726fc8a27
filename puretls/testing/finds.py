"""What was found, written down: a tape that plays it again, a capture to look at, and a test to paste."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path

from puretls import danger
from puretls.errors import UsageError
from puretls.handshake.states import Role
from puretls.inspect.conversation import Conversation
from puretls.inspect.knowledge import Knowledge
from puretls.inspect.named import described_side, write_bytes
from puretls.inspect.streams import Chunk, Stream
from puretls.inspect.tape import SIDES, Script, Step, Tape
from puretls.net.secret_files import write_secret
from puretls.testing.bout import SEED, TICKET_KEY, Bout, Violation, World, chain_with
from puretls.testing.honest import NAME, NOW
from puretls.testing.runs import Plan, Run
from puretls.values import frozen
from puretls.x509.pem import write_pem


def tape_of(run: Run, note: str = "") -> Tape:
    """A tape of the connections under test: what their peer said is injected byte for byte. Played, they say and tell the same."""
    sides = dict.fromkeys(SIDES, _side(run.world))
    ours = run.world.role is Role.CLIENT
    scripts = tuple(Script(tuple(_heard_at_once(bout)), NAME, bout.session if ours else None) for bout in run.bouts)
    other = run.world.role.other
    silent = {"credentials": [{"kind": "secp256r1", "names": [NAME]}]} if other is Role.SERVER else {}
    sides[other.value] = {"verifier": "nobody", **silent}  # it is never asked: all that it says is injected
    return Tape(sides["client"], sides["server"], scripts, seed=SEED, clock=NOW, name="a find", note=note)


def _heard_at_once(bout: Bout) -> Iterator[Step]:
    """The steps of a bout, in which what the connection has to say is taken before the next one."""
    take = Step("deliver", bout.role.value)
    for step in bout.steps:
        yield step
        if step.do not in {"inject", "tick"}:
            yield take
    yield take


def _side(world: World) -> dict[str, object]:
    config = replace(world.config, provider=danger.no_secrecy_provider())
    said: dict[str, object] = {"provider": "danger: no secrecy"}
    said["verifier"] = [write_pem("CERTIFICATE", root) for root in chain_with().anchors]
    if world.role is Role.SERVER:
        said["tickets"] = [write_bytes(TICKET_KEY)]
    return dict(described_side(config, **said))


def conversations_of(run: Run) -> list[Conversation]:
    """The connections of a run, with their secrets, as the inspector reads them."""
    return [_conversation(bout, run.world.key_log) for bout in run.bouts if bout.chunks]


def _conversation(bout: Bout, key_log: list[str]) -> Conversation:
    chunks: dict[str, list[Chunk]] = {side: [] for side in SIDES}
    for order, (side, data) in enumerate(bout.chunks):
        before = chunks[side][-1] if chunks[side] else None
        offset = before.offset + len(before.data) if before else 0
        chunks[side].append(Chunk(offset, data, int(NOW) * 10**9 + order * 10**6, order))
    streams = [Stream(tuple(chunks[side]), end="fin") for side in SIDES]
    return Conversation(streams[0], streams[1], Knowledge.of(key_log=key_log), provider=danger.no_secrecy_provider())


def played(plan: Plan) -> tuple[Run, Violation | None]:
    """A plan played to its end or to what it shows."""
    run = Run(plan.role, certificates=plan.certificates)
    try:
        run.begin()
        for move in plan.moves:
            run.play(move)
    except Violation as violation:
        return run, violation
    return run, None


@frozen
class Find:
    """What was found: the rule that was broken, what shows it, and what is written: suffix -> content, under one name."""

    rule: str
    text: str
    name: str
    files: Mapping[str, bytes] = field(repr=False)

    def keep(self, folder: Path) -> Path:
        """Write the files into a folder, which is made, for their owner alone. Returns the tape's path. Raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.tape"
        for suffix, content in self.files.items():
            write_secret(path.with_suffix(suffix), content)
        return path


def found(rule: str, text: str, name: str, tape: Tape, test: str, conversations: Sequence[Conversation]) -> Find:
    """A find, whose files have this name. The capture is left out where dpkt is not installed, or nothing was said."""
    files = {".tape": tape.dumps().encode(), ".py": test.encode()}
    capture = _capture(conversations)
    return Find(rule, text, _slug(name, "-"), files | ({".pcapng": capture} if capture else {}))


def _capture(conversations: Sequence[Conversation]) -> bytes:
    from puretls.inspect.captures.write import write_capture

    made = io.BytesIO()
    if conversations:
        with suppress(UsageError):
            write_capture(made, *conversations)
    return made.getvalue()


def _slug(text: str, joint: str) -> str:
    return re.sub(r"[^a-z0-9]+", joint, text.lower()).strip(joint)[:70]


def find_of(plan: Plan) -> Find:
    """What a plan shows."""
    run, violation = played(plan)
    rule = violation.rule if violation is not None else "nothing"
    tape = tape_of(run, note=str(violation or ""))
    return found(rule, str(violation or ""), f"{plan.role.value} {rule}", tape, test_of(plan, violation), conversations_of(run))


def keep(folder: Path, plan: Plan) -> Path:
    """Write what a plan shows into a folder. Returns the tape's path. Raises `OSError`."""
    return find_of(plan).keep(folder)


def test_of(plan: Plan, violation: Violation | None) -> str:
    """A test to paste: it fails while the rule is broken."""
    story = "".join(f"#   {move}\n" for move in (violation.moves if violation else ()))
    name = _slug(violation.rule if violation else "nothing", "_")
    moves = "".join(f"        Move({move.name!r}, {move.number}),\n" for move in plan.moves)
    return (
        f"# {violation.rule if violation else 'nothing'}: {violation.detail if violation else ''}\n{story}"
        "from puretls.handshake.states import Role\nfrom puretls.testing.runs import Move, Plan, play\n\n\n"
        f"def test_{name}():\n    moves = (\n{moves}    )\n"
        f"    play(Plan(Role.{plan.role.name}, {plan.certificates}, moves))\n"
    )
