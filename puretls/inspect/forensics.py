"""Why a conversation failed: each refused message, each fatal alert, and ends without any alert, with the bytes at fault and what to try.

`examine` looks at a conversation from outside. Whoever took part knows more: with the error that ended one end of it, the bytes are
those that this error names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from puretls.errors import FatalAlert, PeerError, PuretlsError, Reason, UsageError
from puretls.handshake.states import ClientState, LocalInput, ServerState
from puretls.handshake.table import TABLES
from puretls.iana import AlertDescription, AlertLevel, known
from puretls.inspect import hints, texts
from puretls.inspect.bytemap import PLAINTEXT, WIRE, Leaf
from puretls.inspect.conversation import Conversation
from puretls.inspect.reenact import refusal
from puretls.inspect.seen import MessageSeen, RecordSeen, StraySeen
from puretls.inspect.streams import SIDES, other
from puretls.messages.records import Alert
from puretls.paths import RECORD, enclosing, parse_path
from puretls.record.framing import HEADER_LENGTH
from puretls.text import printable
from puretls.values import frozen

REFUSED, ALERT, ENDED = "refused", "alert", "ended"
_WHOLE = frozenset({Reason.BAD_RECORD_MAC, Reason.RECORD_OVERFLOW, Reason.UNEXPECTED_MESSAGE, Reason.BAD_SIGNATURE})
"""Reasons that are about all bytes of a record or message, whatever field they name: any of them may be the one that was changed."""


@frozen
class Finding:
    """One thing that went wrong.

    `kind`: "refused", `by` may not take what `side` sent; "alert", `by` gave up and said so; "ended", `by` ended the stream, or was silent,
    and said nothing. `state` is where `by` was, `expected` the messages that it may take there; of an end without an alert those that the
    other one waited for. `path` names the field at fault, with its side; `wire` and `plaintext` are its ranges of bytes in the two views
    of `side`, None where no byte is at fault or the view has none. `alert` is the alert that answers, or that was seen. `why` says what
    the rule is for; `tries` what to do about it, most likely first.
    """

    kind: str
    sentence: str
    side: str = ""
    by: str = ""
    state: str = ""
    expected: tuple[str, ...] = ()
    path: str = ""
    wire: tuple[int, int] | None = None
    plaintext: tuple[int, int] | None = None
    alert: str = ""
    rfc: str = ""
    why: str = ""
    tries: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f" at {self.path}" if self.path else ""
        where = self.wire or self.plaintext
        if where:
            view = "" if self.wire else " of the plaintext"
            place += f", bytes {where[0]} to {where[1] - 1}{view}" if where[1] - where[0] > 1 else f", byte {where[0]}{view}"
        return printable(f"{self.sentence}{place}" + (f" [{self.rfc}]" if self.rfc else ""))

    def lines(self) -> list[tuple[str, str]]:
        """Labels and what there is to say, for whoever shows it."""
        told = (
            ("what", str(self)),
            ("state", f"the {self.by} was in {self.state}" if self.state and self.by else ""),
            ("expected", ", ".join(self.expected)),
            ("alert", self.alert),
            ("why", self.why),
            *(("try", each) for each in self.tries),
        )
        return [line for line in told if line[1]]


def examine(conversation: Conversation, error: PuretlsError | None = None, by: str = "") -> tuple[Finding, ...]:
    """All that went wrong, in the order in which it happened; empty where nothing did.

    `error` is what ended one end of a live connection and `by` which end that was, "client" or "server".
    """
    if error is not None and by not in SIDES:
        raise UsageError(f'say which end the error ended: by="client" or by="server", not {by!r}')
    found = []
    if isinstance(error, PeerError):
        found.append(_of_error(conversation, error, by))
    found += (
        _refusal(conversation, seen, side)
        for side in SIDES
        if not (found and found[0].by == side) and (seen := conversation.stopped(side)) is not None
    )
    alerts = [_of_alert(conversation, seen) for seen in conversation.messages if is_fatal(seen)]
    found += (alert for alert in alerts if not any(_answers(alert, refusal) for refusal in found))
    found.sort(key=lambda finding: _when(conversation, finding))
    if not found and not isinstance(error, FatalAlert) and (silent := _without_alert(conversation)) is not None:
        found.append(silent)
    return tuple(found)


def _when(conversation: Conversation, finding: Finding) -> int:
    """The place, among the records of both sides, of the one that holds the bytes at fault; what has no bytes comes last."""
    first = finding.wire[0] if finding.wire else None
    holding = (one for one in conversation.records if one.side == finding.side and first is not None and one.start <= first)
    return max((one.order for one in holding), default=-1) if first is not None else len(conversation.records)


def is_fatal(seen: MessageSeen) -> bool:
    """Whether this is an alert that ends the connection other than well."""
    alert = seen.message
    return isinstance(alert, Alert) and alert.level == AlertLevel.FATAL and alert.description != AlertDescription.CLOSE_NOTIFY


def _answers(alert: Finding, refusal: Finding) -> bool:
    """Whether an alert tells of this refusal, which then tells more."""
    return alert.by == refusal.by and alert.alert == refusal.alert


# Where the bytes are


def located(conversation: Conversation, finding: Finding, path: str) -> Finding:
    """The finding with the ranges of `path`; of a field that is not there, those of the length or the field that should hold it."""
    while path and not path.endswith((f".{RECORD}", *SIDES)):
        leaves = conversation.byte_map.find(path)
        if leaves:
            exact = [leaf for leaf in leaves if leaf.path == path] or leaves
            return replace(finding, path=path, wire=_range(exact, WIRE), plaintext=_range(exact, PLAINTEXT))
        path = enclosing(path)
    return _at_stray(conversation, finding)


def _at_stray(conversation: Conversation, finding: Finding) -> Finding:
    """A record that was refused by its header is none for the observer: the first bytes that are no record."""
    stray = next((one for one in conversation.strays if one.side == finding.side), None)
    if stray is None:
        return finding
    return replace(finding, path=f"{stray.path}.bytes", wire=(stray.start, stray.start + min(len(stray.raw), HEADER_LENGTH)))


def _range(leaves: Iterable[Leaf], view: str) -> tuple[int, int] | None:
    """First and last byte in a view; where only the other one has the field, the bytes that it is linked to."""
    chosen = [leaf for leaf in leaves if leaf.view == view]
    places = [(leaf.start, leaf.end) for leaf in chosen] or [leaf.linked for leaf in leaves if leaf.linked]
    return (min(start for start, _ in places), max(end for _, end in places)) if places else None


# What is found


def _of_error(conversation: Conversation, error: PeerError, by: str) -> Finding:
    """What ended an end that took part: it names the field, and its message is the newest of that name that it handled."""
    side = other(by)
    finding = Finding(
        REFUSED, error.reason.sentence + (f": {error.detail}" if error.detail else ""), side, by, error.state,
        legal(by, (error.state,)), alert=error.alert.name.lower(), rfc=error.rfc, why=texts.reason(error.reason).why,
    )  # fmt: skip
    if error.path:
        finding = located(conversation, finding, _wide(_addressed(conversation, _about(error), side), error.reason))
    return _with_tries(finding, _clues(conversation, finding), texts.reason(error.reason).mend)


def _clues(conversation: Conversation, finding: Finding) -> tuple[hints.Clue, ...]:
    return tuple(hints.clues(conversation, finding.alert, finding.by))


def _about(error: PeerError) -> str:
    """What the error is about, which may be a list or a struct; its first field where what was named is not there."""
    return error.about if error.path.startswith((f"{error.about}.", f"{error.about}[")) else error.path


def _wide(path: str, reason: Reason) -> str:
    """The path of all bytes that may be at fault: of a whole record or message for some reasons; the extension for its type."""
    if reason in _WHOLE:
        return str(replace(parse_path(path), fields=()))
    return path.removesuffix(".extension_type")


def _addressed(conversation: Conversation, path: str, side: str) -> str:
    """The path of an error with its side, and with the number of its message."""
    parsed = parse_path(path)
    if parsed.thing == RECORD:
        return f"{side}.{path}"
    handled = [seen for seen in conversation.messages if (seen.side, seen.name) == (side, parsed.thing)]
    stop = next((seen for seen in handled if seen.problem and seen.problem.refused), None)
    last = stop or (handled[-1] if handled else None)
    return str(replace(parsed, side=side, number=last.nth if last else 1))


def _refusal(conversation: Conversation, seen: MessageSeen | RecordSeen | StraySeen, by: str) -> Finding:
    """The first thing that `by` must refuse."""
    if isinstance(seen, StraySeen):
        reason = Reason.NOT_TLS if seen.start == 0 else Reason.UNKNOWN_CONTENT_TYPE
        sentence, path, rfc = f"{reason.sentence}: {seen.why}", f"{seen.path}.bytes", reason.rfc
    else:
        problem = seen.problem
        assert problem is not None
        reason = problem.reason or Reason.DECODE
        sentence, rfc = problem.sentence, problem.rfc or reason.rfc
        path = _problem_path(seen, problem.path)
    states = _states(conversation, seen, by)
    finding = Finding(
        REFUSED, sentence, seen.side, by, " or ".join(states), legal(by, states), alert=reason.alert.name.lower(), rfc=rfc,
        why=texts.reason(reason).why,
    )  # fmt: skip
    finding = located(conversation, finding, _wide(path, reason))
    return _with_tries(finding, _clues(conversation, finding), texts.reason(reason).mend)


def _problem_path(seen: MessageSeen | RecordSeen, path: str) -> str:
    """The path of a problem with the side and number of what it is in."""
    head, dot, rest = path.partition(".")
    return f"{seen.path}{dot}{rest}" if head else seen.path


def _states(conversation: Conversation, seen: MessageSeen | RecordSeen | StraySeen, by: str) -> tuple[str, ...]:
    """Where `by` was: as it is known of the message, or of the last one before it from the same side."""
    if isinstance(seen, MessageSeen):
        states: tuple[str, ...] = getattr(seen.states_before, by)
        return states
    last = None
    for message in conversation.messages:
        if message.side == seen.side and message.plain_start <= (
            seen.plain_start if isinstance(seen, RecordSeen) else seen.start
        ):
            last = message
    return getattr(last.states_after, by) if last else ("START",)


def legal(side: str, states: Iterable[str]) -> tuple[str, ...]:
    """The messages that an end may take in one of these states."""
    role = next(role for role in TABLES if role.value == side)
    kind = ClientState if side == "client" else ServerState
    wanted = {kind[name] for name in states if name in kind.__members__}
    rows = [row for row in TABLES[role] if row.state in wanted and not issubclass(row.input, LocalInput)]
    return tuple(dict.fromkeys(row.input.__name__ for row in rows))


def _of_alert(conversation: Conversation, seen: MessageSeen) -> Finding:
    """A fatal alert: what it answers is the last thing that its sender took, and the field that such an alert is mostly about."""
    assert isinstance(seen.message, Alert)
    description = known(AlertDescription, seen.message.description)
    error = refusal(conversation, seen.side)
    if error is not None and error.alert == description:
        return _of_error(conversation, error, seen.side)
    name = description.name.lower() if isinstance(description, AlertDescription) else f"number {int(description)}"
    text = texts.alert(int(description))
    refused = [one for one in conversation.messages if one.side != seen.side and one.order < seen.order]
    finding = Finding(
        ALERT, f"the {seen.side} gave up with the fatal alert {name}", other(seen.side), seen.side, alert=name,
        rfc=text.rfc if text else "RFC 5246 7.2", why=text.meaning if text else "",
    )  # fmt: skip
    clues = tuple(hints.clues(conversation, name, seen.side))
    paths = [clue.path for clue in clues] + [path for one in refused[-1:] for path in (one.path, _last_record(one))]
    path = next((path for path in paths if conversation.byte_map.find(path)), "")
    finding = located(conversation, finding, path) if path else finding
    about = next((one for one in reversed(refused) if finding.path.startswith((f"{one.path}.", one.path))), None)
    states = getattr((about or seen).states_before, seen.side)
    finding = replace(finding, state=" or ".join(states), expected=legal(seen.side, states))
    return _with_tries(finding, clues, text.mend if text else "")


def _last_record(seen: MessageSeen) -> str:
    """The path of the record that a message ends in: all that there is of one without content."""
    return f"{seen.side}.{RECORD}[{seen.records[-1]}]" if seen.records else ""


def _with_tries(finding: Finding, clues: Iterable[hints.Clue], general: str) -> Finding:
    """What the evidence speaks for, and then what is good advice anyway."""
    return replace(finding, tries=tuple(filter(None, dict.fromkeys((*(clue.text for clue in clues), general)))))


def _without_alert(conversation: Conversation) -> Finding | None:
    """A handshake that came to no end, and nobody said why: what the last flight asked for."""
    outcome, messages = conversation.outcome, conversation.messages
    protected = {record.side for record in conversation.records if record.epoch}
    if (
        outcome.completed
        or outcome.kind in {"closed", "sealed alert", "not TLS 1.2"}
        or not messages
        or len(protected) == len(SIDES)
    ):
        return None
    last = messages[-1]
    by = outcome.side or other(last.side)
    waiting = getattr(last.states_after, other(by))
    flight = [seen.name for seen in messages[_flight_start(messages) :]]
    sentence = f"{outcome.sentence}; the last flight, of the {last.side} ({', '.join(flight)}), {hints.asked_for(last)}"
    finding = Finding(
        ENDED, sentence, last.side, by, " or ".join(getattr(last.states_after, by)), legal(other(by), waiting), rfc="RFC 5246 7.3",
        why="An end that gives up should say why by an alert. One that has crashed does not, and neither does a box in between.",
    )  # fmt: skip
    clues = tuple(hints.clues(conversation, hints.NONE, by))
    places = [clue.path for clue in clues if conversation.byte_map.find(clue.path)]
    return _with_tries(located(conversation, finding, (*places, last.path)[0]), clues, "")


def _flight_start(messages: tuple[MessageSeen, ...]) -> int:
    """Where the last run of messages of one side begins."""
    start = len(messages)
    while start and messages[start - 1].side == messages[-1].side:
        start -= 1
    return start
