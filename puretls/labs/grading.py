"""Grading: a file that a learner wrote is run and judged, in a child process with limits, or in this one.

A grader is a function `grader(answer, *arguments) -> Verdict`. `answer` maps names to what the file defines; `arguments` are values that
JSON knows. A grader calls what the learner wrote by `call` alone, so that a fault there is told with its line.

The child has limits of time, memory and output, for exercises that never end. It is no sandbox: a file that is graded may do what its
user may do.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from threading import Event, Thread, Timer
from types import ModuleType
from typing import IO, Any

import puretls
from puretls.errors import InternalError, PuretlsError, UsageError
from puretls.text import printable
from puretls.values import frozen

SECONDS = 60.0
MEGABYTES = 1024
MOST_PRINTED = 2**20
"""Bytes that an answer may print; more is taken for a loop that has gone wrong."""
GRACE = 1.0
"""Seconds for what is still in the pipe when the child has ended; a process that left its group may hold the pipe open for ever."""
KEPT = 2000
"""Characters of what it printed that are kept."""


@frozen
class Verdict:
    """What a grader found: `lines` say it in plain words, `printed` is the beginning of what the learner's code printed."""

    passed: bool
    lines: tuple[str, ...] = ()
    printed: str = ""


Answer = Mapping[str, Any]
"""What a file defines, by name."""
Grader = Callable[..., Verdict]


class Failed(PuretlsError):
    """The answer is at fault; the text is one line for the learner."""


def failed(*lines: str) -> Verdict:
    """A verdict of this kind."""
    return Verdict(False, lines)


# What graders use


def function(answer: Answer, name: str, form: str = "") -> Callable[..., Any]:
    """The function of this name. Raises `Failed` where the file defines none; `form` shows how it is to begin."""
    found = answer.get(name)
    if not callable(found):
        raise Failed(f"the file defines no function {form or name}")
    return found  # type: ignore[no-any-return]


def call(what: Callable[..., Any], *arguments: Any) -> Any:
    """Call a learner's function. Whatever it raises becomes `Failed`, with the line of the learner's file."""
    try:
        return what(*arguments)
    except (Failed, KeyboardInterrupt):
        raise
    except BaseException as error:  # a class of the learner's own may be one
        file = getattr(what, "__globals__", {}).get("__file__", "")
        raise Failed(_line(error, file)) from error


def _line(error: BaseException, file: str) -> str:
    """The file's name, the last line of it that ran, and the error."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == file else lines[-1] if lines else None
    text = (error.msg if isinstance(error, SyntaxError) else _said(error)).partition("\n")[0]
    place = f"{Path(file).name}, line {line}: " if line else f"{Path(file).name}: " if file else ""
    return printable(f"{place}{type(error).__name__}{': ' if text else ''}{text[:300]}")


def _said(error: BaseException) -> str:
    """Its text; "" where a class of the learner's own has none to give."""
    try:
        return str(error)
    except Exception:
        return ""


def as_literal(value: Any, form: Callable[[Any], str] = repr) -> str:
    """A learner's value as Python writes it; its class alone where Python cannot, as an integer of more than 4,300 digits."""
    try:
        return form(value)
    except Exception:
        return f"<{type(value).__name__}>"


_told: Path | None = None
"""Where the child tells what it does and what it has found."""


def note(what: str) -> None:
    """A grader says what it does next: it is told of an answer that does not come to an end there."""
    if _told is not None:
        _tell(_told, {"at": what})


def _tell(file: Path, what: dict[str, Any]) -> None:
    """Replaces the file at once: its reader may end us at any time."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(what))
    new.replace(file)


# Running


def here(path: str | Path, grader: Grader, *arguments: Any) -> Verdict:
    """Judge a file in this process, without any limit. Raises `UsageError` where it cannot be read."""
    source = _read(path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        verdict = _judge(str(path), source, grader, arguments)
    return Verdict(verdict.passed, verdict.lines, printed.getvalue()[:KEPT])


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _judge(path: str, source: bytes, grader: Grader, arguments: tuple[Any, ...]) -> Verdict:
    module = ModuleType("answer")
    module.__file__ = path
    sys.modules[module.__name__] = module  # dataclasses look their module up there
    try:
        return judged(lambda: grader(_executed(path, source, vars(module)), *arguments))
    finally:
        del sys.modules[module.__name__]


def judged(grader: Grader, *arguments: Any) -> Verdict:
    """What the grader says; an answer that failed is a verdict, too."""
    try:
        return grader(*arguments)
    except Failed as error:
        return failed(str(error))


def _executed(path: str, source: bytes, names: dict[str, Any]) -> Answer:
    try:
        exec(compile(source, path, "exec", dont_inherit=True), names)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Failed(_line(error, path)) from error
    return names


def in_child(path: str | Path, grader: Grader, *arguments: Any, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Verdict:
    """Judge a file in a child process, which is killed after `seconds`; `megabytes` bound its memory where the system can do that.

    Raises `UsageError` where the file cannot be read, and `InternalError` where the grader itself fails.
    """
    _read(path)
    with tempfile.TemporaryDirectory(prefix="puretls-grading-") as folder:
        told = Path(folder) / "verdict.json"
        request = {
            "path": str(Path(path).absolute()),
            "grader": [grader.__module__, grader.__qualname__],
            "arguments": arguments,
            "megabytes": megabytes,
            "told": str(told),
        }
        end = _run(json.dumps(request).encode(), seconds)
        verdict = json.loads(told.read_text()) if told.exists() else {}
    name, at = Path(path).name, f" ({verdict['at']})" if "at" in verdict else ""
    if end.late and "passed" not in verdict:
        return Verdict(False, (f"{name} does not come to an end{at}: stopped after {seconds:g} seconds",), end.text)
    if end.loud:
        return Verdict(False, (f"{name} prints more than {MOST_PRINTED // 2**20} MB{at}: stopped",), end.text)
    if at or not verdict:
        return Verdict(False, (f"{name} ended the process before it was judged{at} (status {end.status})",), end.text)
    if "fault" in verdict:
        raise InternalError(f"the grader failed: {verdict['fault']}")
    return Verdict(verdict["passed"], tuple(verdict["lines"]), end.text)


@frozen
class _End:
    """How the child ended."""

    status: int
    late: bool
    loud: bool
    text: str


def _run(request: bytes, seconds: float) -> _End:
    """Runs the child until it ends, its time is over, or it has printed too much."""
    root = str(Path(puretls.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    # -P: a file of the learner's folder must not stand in for a module of the standard library
    command = [sys.executable, "-P", "-c", "from puretls.labs.grading import child; child()"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    late, printed = Event(), bytearray()

    def stop() -> None:
        late.set()
        _kill(process)

    def listen(output: IO[bytes]) -> None:
        with output:
            while len(printed) <= MOST_PRINTED and (data := os.read(output.fileno(), 2**16)):
                printed.extend(data)
        if len(printed) > MOST_PRINTED:
            _kill(process)

    timer = Timer(seconds, stop)
    listener = Thread(target=listen, args=(process.stdout,), daemon=True)
    timer.start()
    listener.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(request)
            process.stdin.close()
        status = process.wait()
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
    listener.join(GRACE)
    return _End(status, late.is_set(), len(printed) > MOST_PRINTED and not late.is_set(), printed.decode(errors="replace")[:KEPT])


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the child and what it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


# The child's part


def child() -> None:
    """What the child runs: reads the request from standard input, writes the verdict into the file that it names."""
    global _told
    request = json.loads(sys.stdin.buffer.read())
    path, _told = request["path"], Path(request["told"])
    sys.path.append(str(Path(path).parent))
    module, name = request["grader"]
    grader = getattr(import_module(module), name)
    with _bounded(request["megabytes"]):
        verdict = _as_json(lambda: _judge(path, _read(path), grader, tuple(request["arguments"])))
    with contextlib.suppress(AttributeError, OSError, ValueError):  # the answer may have closed it
        sys.stdout.flush()
    _tell(_told, verdict)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # what the learner started holds our output open
    os._exit(0)  # threads of the learner's may go on


def _as_json(judge: Callable[[], Verdict]) -> dict[str, Any]:
    try:
        verdict = judge()
    except Exception as error:
        traceback.print_exc()
        return {"fault": printable(f"{type(error).__name__}: {error}")}
    return {"passed": verdict.passed, "lines": list(verdict.lines)}


@contextlib.contextmanager
def _bounded(megabytes: int) -> Iterator[None]:
    """Bounds the memory of this process in the block, where the system has such a bound."""
    try:
        import resource
    except ImportError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, hard))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
