"""The tapes of vectors/regressions end as they must: each was once, or was planted to be, a conversation in which a rule was broken.

A tape's note says how each of its connections ends, as `Played.outcome` tells it, up to the alert. To add one: `puretls fuzz` writes tapes.
"""

from pathlib import Path

import pytest

from puretls.inspect import Tape, replay

FOLDER = Path(__file__).parents[2] / "vectors" / "regressions"
TAPES = sorted(FOLDER.glob("*.tape"))


def test_there_are_tapes():
    assert len(TAPES) >= 10


@pytest.mark.parametrize("path", TAPES, ids=lambda path: path.stem)
def test_a_conversation_that_breaks_a_rule_ends_as_it_must(path):
    tape = Tape.load(path)
    outcomes = [played.outcome for played in replay(tape).connections]
    wanted = tape.note.split(" | ")
    assert len(outcomes) == len(wanted)
    for outcome, end in zip(outcomes, wanted, strict=True):
        assert outcome == end or outcome.startswith(f"{end}:"), outcome
