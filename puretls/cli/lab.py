"""`puretls lab`: old weaknesses of TLS, each rebuilt as a toy that can be attacked in memory, beside a twin that is mended."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from puretls.cli import ranges, tapes

if TYPE_CHECKING:
    from puretls.inspect.bytemap import Leaf
    from puretls.labs.lab import Lab, Scene

PROSE = 80
"""Prose is easier to read in lines that are not longer, however wide the terminal is."""


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser("lab", help="learn by breaking: old attacks on weak toy peers", description=__doc__)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="list the labs")
    listed.set_defaults(action=_list)
    shown = _numbered(actions, "show", "what went wrong, and the task", _show)
    shown.set_defaults(action=_show)
    played = _numbered(actions, "run", "play the reference attack, and show what happens", _run)
    played.add_argument("--seed", metavar="N", type=ranges.SEED, default=1, help="another peer, with other secrets (%(default)s)")
    graded = _numbered(actions, "grade", "judge a file that defines attack(peer)", _grade)
    graded.add_argument("file", metavar="FILE", help="Python; its attack(peer) returns what it has found out")
    graded.add_argument("--seeds", metavar="N", type=ranges.NUMBER, default=None, help="how many peers to try (5)")
    add_seconds(graded)


def add_seconds(parser: argparse.ArgumentParser) -> None:
    """How long a learner's file may run."""
    parser.add_argument(
        "--seconds", metavar="N", type=ranges.SECONDS, default=60.0, help="stop a file that runs longer (%(default)g)"
    )


def _numbered(actions: Any, name: str, what: str, action: Any) -> Any:
    parser = actions.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    parser.add_argument("number", metavar="N", type=ranges.NUMBER, help="of the lab, as `puretls lab list` numbers them")
    parser.set_defaults(action=action)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for. Exit status 1 where an answer does not pass."""
    status: int = arguments.action(arguments)
    return status


def _list(arguments: argparse.Namespace) -> int:
    from puretls.cli.output import table
    from puretls.labs.lab import all_labs

    rows = [(str(lab.number), lab.title, _rules(lab.rfc)) for lab in all_labs()]
    table(("lab", "what is broken", "the rule that was missing"), rows)
    return 0


def _rules(sections: Sequence[str]) -> str:
    """Sections of one RFC behind its number, once."""
    pairs = [section.partition(" ")[::2] for section in sections]
    together = groupby(pairs, key=lambda pair: pair[0])
    return ", ".join(f"RFC {number} {', '.join(place for _, place in group)}" for number, group in together)


def _show(arguments: argparse.Namespace) -> int:
    from puretls.cli import markdown
    from puretls.cli.output import palette
    from puretls.labs.lab import load, page

    for line in markdown.lines(page(load(arguments.number)), min(tapes.width(), PROSE), palette()):
        print(line)
    return 0


def _grade(arguments: argparse.Namespace) -> int:
    from puretls.labs import grading, lab

    lab.load(arguments.number)
    seeds = arguments.seeds or lab.SEEDS
    verdict = grading.in_child(arguments.file, lab.grade, arguments.number, seeds, seconds=arguments.seconds)
    return say(f"lab {arguments.number}", verdict)


def say(what: str, verdict: Any) -> int:
    """Print a verdict of `grading`; returns the exit status."""
    from puretls.cli.output import wrapped
    from puretls.text import printable, printable_lines

    if verdict.printed:
        print(printable_lines(["It printed:", *("  " + line for line in verdict.printed.splitlines())]))
    head = f"{what}: {'passed' if verdict.passed else 'not passed'}: "
    for number, line in enumerate(verdict.lines):
        print("\n".join(wrapped(printable(line), "  " if number else head, 2, tapes.width())))
    return 0 if verdict.passed else 1


# The reference attack, step by step


def _run(arguments: argparse.Namespace) -> int:
    from puretls.labs.lab import attempt, load

    lab = load(arguments.number)
    peer = lab.peer(arguments.seed, False)
    answer = lab.reference(peer)
    verdict = lab.check(peer, answer)
    for line in _told(lab, arguments.seed, peer, answer):
        print(line)
    twin = _of_the_twin(lambda: attempt(lab, lab.reference, arguments.seed, fixed=True))
    print("\n".join(_paragraph(f"Against the weak peer: {' '.join(verdict.lines)}")))
    print("\n".join(_paragraph(f"Against its fixed twin: {twin}")))
    return 0 if verdict.passed else 1


def _of_the_twin(attack: Any) -> str:
    from puretls.labs.grading import Failed

    try:
        return "it wins, too." if attack().passed else "it finds nothing out."
    except Failed as error:
        return f"it finds nothing out ({error.__cause__})."


def _paragraph(text: str) -> list[str]:
    from puretls.cli.output import wrapped

    return wrapped(text, width=min(tapes.width(), PROSE))


def _told(lab: Lab, seed: int, peer: Any, answer: Any) -> Iterator[str]:
    from puretls.cli.output import palette

    yield palette().paint("title", f"Lab {lab.number}: {lab.title} (seed {seed})")
    yield ""
    for number, scene in enumerate(lab.scenes(peer, answer), 1):
        yield palette().paint("title", f"{number}. {scene.title}")
        yield from _scene(scene)
        yield ""


def _scene(scene: Scene) -> Iterator[str]:
    from puretls.cli.output import palette
    from puretls.inspect.render import terminal
    from puretls.inspect.render.ladder import ladder, rungs

    look = tapes.width(), palette()
    if scene.text:
        yield from _paragraph(scene.text)
    if scene.lines:
        yield from ("  " + line for line in scene.lines)
    if scene.conversation is None:
        return
    if scene.paths:
        leaves = [leaf for path in scene.paths for leaf in _once(scene.conversation.byte_map.find(path))]
        yield from terminal.dump(scene.conversation, leaves, *look)
    else:
        yield from ladder(rungs(scene.conversation), *look)


def _once(leaves: tuple[Leaf, ...]) -> list[Leaf]:
    """What is in both views, as what is in the clear, as it is on the wire alone."""
    return [leaf for leaf in leaves if leaf.view == leaves[0].view]
