"""ConnectionMachine: nothing is found in puretls, and what is planted into it is found, told by the least conversation, and written down."""

import runpy
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from puretls.handshake.states import Role
from puretls.inspect import Tape, replay
from puretls.inspect.captures import read_capture
from puretls.inspect.peer import MemoryPeer
from puretls.testing import bout
from puretls.testing.bout import DEFECTS, FLOODS, RAW, SERVER, Bout, Violation, World, world
from puretls.testing.bout.world import REPEATS
from puretls.testing.finds import keep, played, tape_of
from puretls.testing.machine import UNIFORM, WEIGHTS, ConnectionMachine
from puretls.testing.runs import TICKS, Move, Plan, Run, broken, drawn, minimal
from tests.testing.faults import CONNECTED, FAULTS, HELLO
from tests.testing.more_faults import MORE

BY_NAME = {fault.name: fault for fault in FAULTS}
SERVER_FLIGHT = CONNECTED[1:]
OTHERS = {fault.name: fault for fault in MORE}
EACH = pytest.mark.parametrize("name", list(BY_NAME))


class TestConnection(ConnectionMachine.TestCase):
    settings = settings(max_examples=4, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


def test_advance_is_three_times_as_likely_as_deviate():
    assert WEIGHTS["advance"] == 3 * WEIGHTS["deviate"]
    assert set(UNIFORM.values()) == {1}


def _nothing_in(count, seed=0):
    random = Random(seed)
    deepest = 0
    for _ in range(count):
        plan = drawn(random, 50)
        run, violation = played(plan)
        assert violation is None, violation
        deepest = max(deepest, *(one.course.completed for one in run.bouts))
    return deepest


@pytest.mark.rfc("5246", "7.3")
def test_nothing_is_found_in_puretls():
    assert _nothing_in(12) >= 1  # and runs go deep enough to find something


@pytest.mark.full
def test_nothing_is_found_in_puretls_many_times():
    assert _nothing_in(500, seed=1) >= 2


def _hunt(fault, seed, most, weights=WEIGHTS):
    """How many plans it takes until one shows the fault, and what the least of it shows; None where none of `most` does."""
    random = Random(seed)
    with pytest.MonkeyPatch.context() as patched:
        fault.plant(patched)
        bout.forget()
        try:
            for count in range(1, most + 1):
                plan = drawn(random, 50, weights)
                if broken(plan) is not None:
                    return count, broken(minimal(plan))
        finally:
            bout.forget()
    return most, None


def _story(violation):
    return tuple(move.partition("  ->")[0] for move in violation.moves)


def test_messages_said_at_one_go_do_not_stand_in_the_way_of_the_least():
    """They stop where a connection ends; said one by one, those that are left begin another."""
    with pytest.MonkeyPatch.context() as patched:
        fault = BY_NAME["data before Finished"]
        fault.plant(patched)
        plan = Plan(SERVER, True, (Move("close"), Move("advance", 5), Move("advance", 4), Move("deviate", 1)))
        assert _story(broken(minimal(plan))) in fault.least


QUICK = ("nonce reuse", "downgrade of the suite", "truncation taken for close")


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_fault_is_found(name):
    fault = BY_NAME[name]
    _, violation = _hunt(fault, 1, 400)
    assert violation is not None
    assert _story(violation) in fault.least


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(OTHERS))
def test_plans_find_each_fault_of_another_kind(name):
    """Three seeds, without hypothesis: the median of the plans, and how often the conversation shrinks to the least."""
    hunts = [_hunt(OTHERS[name], seed, 1_000) for seed in range(3)]
    counts = sorted(count for count, _ in hunts)
    least = sum(violation is not None and _story(violation) in OTHERS[name].least for _, violation in hunts)
    print(f"{name}: median {counts[1]} of {counts}, least {least}/3")
    assert counts[-1] < 1_000
    assert least >= 2


@pytest.mark.parametrize("name", [*BY_NAME, *OTHERS])
def test_the_least_conversation_of_a_fault_shows_it_and_nothing_without(name):
    """The known least conversations, move by move, with and without the fault."""
    fault = (BY_NAME | OTHERS)[name]
    for least in fault.least:
        _talk(least)
        with pytest.MonkeyPatch.context() as patched:
            fault.plant(patched)
            bout.forget()
            with pytest.raises(Violation):
                _talk(least)
        bout.forget()


def _talk(story):
    asks = story[0] == "a server" and any(move.startswith("Certificate") for move in story)
    world = World(Role(story[0].removeprefix("a ")), certificates=asks)
    one = Bout(world).begin()
    for move in story[1:]:
        if move.startswith(story[0]):
            one = Bout(world, resume=True).begin()
            continue
        calls = {
            "the application sends": one.write,
            "end of file": one.end_of_file,
            "the application renegotiates": one.renegotiate,
        }
        calls |= {name: partial(one.inject, name) for name in RAW}
        calls |= {f"{REPEATS + 1} {name}": partial(one.flood, name) for name in FLOODS}
        calls |= {f"{seconds} seconds pass": partial(one.tick, seconds) for seconds in TICKS}
        if move in calls:
            calls[move]()
            continue
        symbol, _, name = move.partition(" ")
        one.say(symbol, next(variant for variant in one.variants(symbol) if variant.name == name) if name else None)


ENOUGH = 300
"""Examples after which moves drawn uniformly are given up."""


@pytest.mark.long
@pytest.mark.timeout(7200)
@EACH
def test_hypothesis_finds_each_fault_within_two_hundred_examples(name, record_property):
    """Fifteen seeds: the median of the examples, and how often the conversation shrinks to the least."""
    fault, counts, least = BY_NAME[name], [], 0
    for seed in range(15):
        count, violation = _campaign(fault, seed, WEIGHTS)
        counts.append(count)
        least += violation is not None and _story(violation) in fault.least
    uniform = sorted(_campaign(fault, seed, UNIFORM, most=ENOUGH, least=False)[0] for seed in range(3))[1]
    told = f"{uniform}{' or more' if uniform == ENOUGH else ''}"
    print(f"{name}: median {sorted(counts)[7]} of {sorted(counts)}, least {least}/15, uniform {told}")
    assert sorted(counts)[7] <= 200
    assert least >= 14


def _campaign(fault, seed, weights, most=2_000, least=True):
    counted, found = [0], []

    class Machine(ConnectionMachine):
        def __init__(self):
            super().__init__()
            counted[0] += not found

        def _tell(self, plan, violation):
            if not found:
                found.append(counted[0])
            if not least:
                raise Violation("found", "", [])
            super()._tell(plan, violation)

    Machine.weights = weights
    phases = (Phase.generate,)  # what is raised is the least already
    options = settings(max_examples=most, stateful_step_count=50, deadline=None, database=None, phases=phases,
                       suppress_health_check=list(HealthCheck), print_blob=False)  # fmt: skip
    with pytest.MonkeyPatch.context() as patched:
        fault.plant(patched)
        bout.forget()
        try:
            run_state_machine_as_test(seeded(seed)(Machine), settings=options)
        except Violation as violation:
            return found[0], violation
        finally:
            bout.forget()
    return most, None


# What is found is written down


def _plays_again(plan):
    """A run and its tape say and tell the same, connection by connection."""
    run, _ = played(plan)
    again = replay(Tape.loads(tape_of(run).dumps()))
    for one, other in zip(run.bouts, again.connections, strict=True):
        side = one.role.value
        assert b"".join(data for sender, data in one.chunks if sender == side) == other.sent(side), run.story
        assert one.told == [told for teller, told in other.told if teller == side], run.story
    return run


RESUMED = (*[Move("advance")] * 9, Move("write"), Move("close"), Move("again"), Move("tick", 2), *[Move("advance")] * 6, Move("write"))


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_a_tape_plays_a_run_again_in_which_time_passed_and_a_session_was_resumed(role):
    run = _plays_again(Plan(role, False, RESUMED))
    assert [told.detail.endswith("resumed") for one in run.bouts for told in one.told if told.kind == "handshake"] == [False, True]


def test_a_tape_knows_whom_a_server_trusts():
    run = _plays_again(Plan(SERVER, True, (Move("advance"), Move("vary"))))
    assert run.story[-1] == "Certificate expired  ->  Alert(fatal certificate_expired)"


def _all_play_again(count, seed):
    random = Random(seed)
    for _ in range(count):
        _plays_again(drawn(random, 40))


def test_a_tape_plays_any_run_again():
    _all_play_again(8, seed=3)


@pytest.mark.full
def test_a_tape_plays_any_run_again_many_times():
    _all_play_again(200, seed=4)


@pytest.mark.parametrize("seconds", [0, 3 * 24 * 3600], ids=["fresh", "too old"])
def test_a_tape_knows_how_old_a_session_was(seconds):
    """A client does not offer what is too old, and the tape of it has the same hello."""
    run = Run(Role.CLIENT, certificates=False).begin()
    for _ in range(9):
        run.play(Move("advance"))
    run.bout.tick(seconds)
    run.play(Move("again"))
    made = replay(tape_of(run)).connections[1].sent("client")
    assert made == b"".join(data for side, data in run.bout.chunks if side == "client")
    assert (run.world.session.ticket in made) is not bool(seconds)


def test_a_find_is_a_tape_a_capture_and_a_test(tmp_path):
    with pytest.MonkeyPatch.context() as patched:
        BY_NAME["early CCS"].plant(patched)
        plan = minimal(Plan(SERVER, False, (Move("tick", 3), Move("advance"), Move("deviate", 0), Move("advance"))))
        path = keep(tmp_path, plan)
        assert _story(broken(plan)) == BY_NAME["early CCS"].least[0]
        pasted = runpy.run_path(str(path.with_suffix(".py")))
        tests = [value for name, value in pasted.items() if name.startswith("test_")]
        with pytest.raises(Violation, match="what may not come ends the connection"):
            tests[0]()
    tests[0]()  # without the fault it passes
    assert {one.suffix for one in tmp_path.iterdir()} == {".tape", ".py", ".pcapng"}
    assert Tape.load(path).note.startswith("what may not come")
    (capture,) = read_capture(path.with_suffix(".pcapng")).conversations()
    assert [message.name for message in capture.messages][:2] == ["ClientHello", "ServerHello"]


# The judge


@pytest.mark.parametrize("seconds", [0, 1_800], ids=["at once", "after half an hour"])
def test_every_defect_is_refused_and_nothing_else_is(seconds):
    for defect in ("", *DEFECTS):
        one = Bout(World(Role.CLIENT)).begin()
        one.tick(seconds)
        for symbol in ("ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"):
            variants = {variant.name: variant for variant in one.variants(symbol)}
            one.say(symbol, variants.get(defect))
        assert one.is_over == bool(defect)


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_a_flood_ends_a_connection_in_every_state_of_a_handshake(role, name):
    steps = HELLO if role is SERVER else SERVER_FLIGHT
    for count in range(len(steps) + 1):
        one = Bout(World(role)).begin()
        for symbol in steps[:count]:
            one.say(symbol)
        one.flood(name)
        assert one.is_over


def test_a_flood_in_pieces_costs_in_proportion_to_the_pieces():
    one = Bout(World(Role.CLIENT)).begin()
    for symbol in SERVER_FLIGHT[:-1]:
        one.say(symbol)
    one.size = 1
    one.flood("warnings")
    assert one.is_over


def test_a_flood_that_is_borne_is_a_violation(monkeypatch):
    monkeypatch.setattr(world, "LIMITS", replace(world.LIMITS, warning_alerts=2**20))
    with pytest.raises(Violation, match="what leads nowhere is not borne for ever"):
        Bout(World(SERVER)).begin().flood("warnings")


def test_work_that_grows_with_every_record_is_a_violation(monkeypatch):
    honest = MemoryPeer.receive
    seen = []

    def careless(self, data):
        seen.append(data)
        for _ in range(20 * len(seen)):
            bound()
        honest(self, data)

    def bound():
        return seen

    monkeypatch.setattr(MemoryPeer, "receive", careless)
    with pytest.raises(Violation, match="work is in proportion to what comes"):
        Bout(World(SERVER)).begin().flood("warnings")


def test_what_a_connection_raises_is_a_violation(monkeypatch):
    monkeypatch.setattr(MemoryPeer, "take", lambda self: {}["no such key"])
    with pytest.raises(Violation, match=r"raises nothing.*KeyError"):
        Bout(World(SERVER)).begin()


@pytest.mark.parametrize("name", RAW)
def test_a_broken_record_ends_a_connection_that_is_established(name):
    one = Bout(World(SERVER)).begin()
    for symbol in HELLO:
        one.say(symbol)
    assert one.course.completed
    one.inject(name)
    assert one.is_over
