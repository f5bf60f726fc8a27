"""The engine of the playground: one function, JSON in and JSON out, for the local page and for Pyodide alike.

A request is an object with `do`, the `tape` that tells where the run is, and what else the request needs. An answer has the tape that the
run is at then, and what to show of it; or `error`, one line that says what to do. Nothing is kept between requests but what makes the
next one faster: the same request has the same answer, in every process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from puretls.arguments import described
from puretls.errors import PuretlsError, UsageError
from puretls.inspect.edit import OPERATIONS, REPAIRS, WHOLE, Edit
from puretls.inspect.streams import SIDES
from puretls.inspect.tape import Step, Tape
from puretls.labs.playground import options, reading, saving, view
from puretls.labs.playground.run import Run, back, changed
from puretls.text import has_utf8

Json = Any
Request = Mapping[str, Json]
_KEPT = 8
"""Runs that are kept to go on from."""
_MOST_TEXT = 2**16
"""Characters of a value or of bytes in a request."""

_runs: OrderedDict[str, Run] = OrderedDict()
"""Runs by the text of their tapes, the newest last."""


def answer(request: Json) -> Json:
    """The answer to a request. Nothing is raised, whatever the request is: an answer with `error` says what is wrong with it."""
    try:
        if not isinstance(request, dict):
            raise UsageError(f"a request is an object, not {described(request)}")
        do = request.get("do")
        if not isinstance(do, str) or do not in REQUESTS:
            raise UsageError(f"no request is called {described(do)}; there are {', '.join(REQUESTS)}")
        return REQUESTS[do](request)
    except PuretlsError as error:
        return {"error": " ".join(str(error).split())}


# Runs


def _run_of(request: Request) -> Run:
    """The run that the request's tape leads to; nobody else goes on from it."""
    tape = Tape.from_json(request.get("tape"))
    return _runs.pop(tape.dumps(), None) or Run(tape)


def _shown(run: Run, request: Request, show: str | None = None) -> Json:
    """The answer that shows a run, which is kept."""
    tape = run.tape
    _runs[tape.dumps()] = run
    while len(_runs) > _KEPT:
        _runs.popitem(last=False)
    wanted = _text(request, "show", "") if show is None else show
    return {"tape": tape.to_json(), "view": view.view(run, wanted)}


def _text(request: Request, name: str, usual: str | None = None) -> str:
    value = request.get(name, usual)
    if not isinstance(value, str):
        raise UsageError(f"{name} is a text, not {described(value)}")
    if len(value) > _MOST_TEXT:
        raise UsageError(f"{name} has {len(value):,} characters: {_MOST_TEXT:,} are the most")
    if not has_utf8(value):
        raise UsageError(f"{name} holds half of a surrogate pair, which is no character")
    return value


def _number(request: Request, name: str) -> int:
    value = request.get(name)
    if type(value) is not int or not 0 <= value < 2**32:
        raise UsageError(f"{name} is a number, not {described(value)}")
    return value


def _side(request: Request) -> str:
    side = _text(request, "side")
    if side not in SIDES:
        raise UsageError(f'a side is "client" or "server", not {described(side)}')
    return side


def _bytes(request: Request) -> bytes:
    """`hex`, or `text`."""
    if "hex" not in request:
        return _text(request, "text").encode()
    try:
        return bytes.fromhex(_text(request, "hex"))
    except ValueError:
        raise UsageError("hex is hexadecimal digits, two for each byte") from None


# What can be asked


def _new(request: Request) -> Json:
    chosen = request.get("choices", {})
    if not isinstance(chosen, dict):
        raise UsageError(f"choices are an object, not {described(chosen)}")
    return _shown(Run(options.new(chosen)), request)


def _view(request: Request) -> Json:
    return _shown(_run_of(request), request)


def _step(request: Request) -> Json:
    run = _run_of(request)
    run.step()
    return _shown(run, request, "")


def _run(request: Request) -> Json:
    run = _run_of(request)
    run.run_on()
    return _shown(run, request, "")


def _back(request: Request) -> Json:
    return _shown(Run(back(Tape.from_json(request.get("tape")))), request, "")


def _to(request: Request) -> Json:
    run, path = _run_of(request), _text(request, "path")
    run.to(path)
    return _shown(run, request, path)


def _edited(request: Request, edit: Edit) -> Json:
    """The run with one more change, which shows the message that changed."""
    run = _run_of(request)
    return _shown(changed(run, (*run.tape.edits, edit)), request, _thing(edit))


def _thing(edit: Edit) -> str:
    return edit.path[: len(edit.path) - sum(1 + len(one) for one in edit.place.fields)]


def _repair(request: Request) -> frozenset[str]:
    """Who makes the change: "sender" means it, "way" is somebody between the two ends; or a list of what is put right."""
    who = request.get("who", "way")
    if who in ("sender", "way"):
        return frozenset(REPAIRS) if who == "sender" else frozenset()
    if isinstance(who, list) and all(isinstance(one, str) for one in who):
        return frozenset(who)
    raise UsageError(f'who is "sender", "way", or a list of {", ".join(REPAIRS)}: not {described(who)}')


def _change(request: Request) -> Json:
    """A field by its path, or the byte at an offset."""
    if "offset" in request:
        return _change_byte(request)
    connection = len(Tape.from_json(request.get("tape")).connections)
    edit = Edit(
        _text(request, "path"), _text(request, "operation", "set"), _text(request, "value", ""), _repair(request), connection
    )
    return _edited(request, edit)


def _change_byte(request: Request) -> Json:
    run, value = _run_of(request), _number(request, "byte")
    path, data, at = view.leaf_at(run, _side(request), _text(request, "view", "wire"), _number(request, "offset"))
    if value > 255:
        raise UsageError(f"a byte is 0 to 255, not {value}")
    if data[at] == value:
        raise UsageError(f"that byte is 0x{value:02x} already")
    mask = bytes(data[at] ^ value if place == at else 0 for place in range(len(data)))
    edit = Edit(path, "flip", f"hex:{mask.hex()}", _repair(request), len(run.tape.connections))
    return _shown(changed(run, (*run.tape.edits, edit)), request, _thing(edit))


def _whole(operation: str) -> Callable[[Request], Json]:
    """A message or record as a whole."""

    def do(request: Request) -> Json:
        connection = len(Tape.from_json(request.get("tape")).connections)
        edit = Edit(_text(request, "path"), operation, _text(request, "value", ""), _repair(request), connection)
        if edit.place.fields or operation not in WHOLE:
            raise UsageError(f"{edit.path} is a field: name a message or a record")
        return _edited(request, edit)

    return do


def _unchange(request: Request) -> Json:
    """Without one of the changes."""
    run, number = _run_of(request), _number(request, "number")
    edits = list(run.tape.edits)
    if number >= len(edits):
        raise UsageError(f"there is no change {number}: they count from 0")
    gone = edits.pop(number)
    return _shown(changed(run, edits), request, _thing(gone))


def _call(do: str) -> Callable[[Request], Json]:
    """What the application at one side does."""

    def call(request: Request) -> Json:
        run = _run_of(request)
        data = _bytes(request) if do in {"send", "inject"} else b""
        if do in {"send", "inject"} and not data:
            raise UsageError("there is nothing to send: write some bytes")
        run.call(Step(do, _side(request), data))
        return _shown(run, request, "")

    return call


def _resume(request: Request) -> Json:
    run = _run_of(request)
    run.again()
    return _shown(run, request, "")


def _scene(request: Request) -> Json:
    run = _run_of(request)
    made = view.scene(run, _text(request, "path"))
    _runs[run.tape.dumps()] = run
    return made


def _why(request: Request) -> Json:
    run = _run_of(request)
    return {"why": view.why(run, view.findings(run, run.conversation())), "outcome": view.outcome(run)}


def _keys(request: Request) -> Json:
    run = _run_of(request)
    made = view.keys(run)
    _runs[run.tape.dumps()] = run
    return made


def _save(request: Request) -> Json:
    return saving.saved(_run_of(request), _text(request, "as"), secrets=request.get("secrets") is not False)


def _load(request: Request) -> Json:
    """A tape's file as text."""
    value = request.get("text")
    if not isinstance(value, str):
        raise UsageError(f"text is that of a tape's file, not {described(value)}")
    return _shown(Run(Tape.loads(value)), request)


def _describe(request: Request) -> Json:
    """What can be chosen, changed and read."""
    return options.describe() | {
        "operations": dict(OPERATIONS),
        "repairs": dict(REPAIRS),
        "reading": reading.titles(),
        **view.fixed(),
    }


def _read(request: Request) -> Json:
    return reading.read(_text(request, "name"))


REQUESTS: Mapping[str, Callable[[Request], Json]] = {
    "new": _new,
    "view": _view,
    "step": _step,
    "run": _run,
    "back": _back,
    "to": _to,
    "change": _change,
    "drop": _whole("delete"),
    "repeat": _whole("duplicate"),
    "swap": _whole("swap"),
    "unchange": _unchange,
    "inject": _call("inject"),
    "send": _call("send"),
    "close": _call("close"),
    "abort": _call("abort"),
    "renegotiate": _call("renegotiate"),
    "end": _call("end"),
    "resume": _resume,
    "message": _scene,
    "why": _why,
    "keys": _keys,
    "save": _save,
    "load": _load,
    "describe": _describe,
    "read": _read,
}
"""What can be asked, by the name in `do`."""
