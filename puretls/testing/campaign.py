"""Campaigns: ConnectionMachine for minutes or nights, or properties of somebody else's end, on any `concurrent.futures.Executor`.

That may be processes of this machine, or a Dask cluster.

Work is cut into batches, each a seed for hypothesis. What was done stands in `campaign.json` in the folder of finds: a campaign that
was stopped or killed goes on where it was; a batch whose worker died is given to another one. hypothesis's example database lies in
the same folder, or in Redis, where machines share it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from puretls.errors import UsageError
from puretls.handshake.states import Role
from puretls.net.folder_lock import alone
from puretls.testing import foreign, guided, targets
from puretls.testing.finds import Find, find_of
from puretls.testing.needs import need
from puretls.values import frozen

STATE = "campaign.json"
TARGETS = ("connection", "server", "client")
"""Connections of puretls that can be fuzzed: of both roles, or of one. `targets.target` knows who else can be."""


@frozen
class Profile:
    """Examples of a batch, and moves of an example at most."""

    examples: int
    steps: int


PROFILES = {"dev": Profile(20, 40), "ci": Profile(100, 50), "nightly": Profile(400, 80)}


@frozen
class Job:
    """What a worker needs for a batch. `target` is one of `TARGETS`, or of those of `targets.target`; `database` a folder or redis://.

    `machine` names a subclass of ConnectionMachine, "module:Class", and is for TARGETS alone; `patience` (seconds) and `server_name` are
    for the others.
    """

    target: str
    profile: Profile
    machine: str = "puretls.testing.machine:ConnectionMachine"
    database: str = ""
    patience: float = targets.PATIENCE
    server_name: str | None = None
    corpus: str = ""
    """A folder of inputs that reached something new: then atheris drives in place of hypothesis (`guided`)."""


def batch(job: Job, seed: int) -> list[Find]:
    """Run one batch: hypothesis with this seed. For workers: everything that goes in and out can be pickled."""
    if job.corpus:
        return guided.batch(_machine(job), job.profile.examples, job.profile.steps, seed, Path(job.corpus))
    hypothesis = need("hypothesis")
    settings = hypothesis.settings(
        max_examples=job.profile.examples,
        stateful_step_count=job.profile.steps,
        deadline=None,
        phases=[phase for phase in hypothesis.Phase if phase.name != "explain"],
        database=_database(job.database),
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    if job.target not in TARGETS:
        return foreign.batch(job.target, settings, seed, patience=job.patience, server_name=job.server_name)
    return _of_the_machine(job, settings, seed)


def _of_the_machine(job: Job, settings: Any, seed: int) -> list[Find]:
    hypothesis, stateful = need("hypothesis"), need("hypothesis.stateful")
    from puretls.testing.bout import Violation

    machine = _machine(job)
    unshrunk = hypothesis.settings(
        settings, phases=set(settings.phases) - {hypothesis.Phase.shrink}
    )  # `runs.minimal` has shrunk it
    try:
        stateful.run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=unshrunk)
    except Violation as violation:
        return [find_of(machine.least[violation.rule])]
    return []


def check_target(job: Job) -> None:
    """Raises `UsageError` for a target that is none, or with which no honest handshake can be had, or that cannot be watched."""
    if job.corpus:
        need("atheris", "guided")
        if job.target not in TARGETS:
            raise UsageError(f"the code that is reached can be watched in {', '.join(TARGETS)}, not in {job.target}")
    if job.target in TARGETS:
        _machine(job)
    else:
        with targets.target(job.target, patience=max(1.0, job.patience), server_name=job.server_name) as factory:
            targets.check(factory)


def _machine(job: Job) -> Any:
    """A class of its own for each batch: what it learns of least plans is not shared."""
    module, _, name = job.machine.partition(":")
    try:
        base = getattr(import_module(module), name)
    except UsageError:
        raise  # hypothesis is missing, which is not the machine's fault
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"no machine is called {job.machine!r}: {error}") from None
    if not (isinstance(base, type) and issubclass(base, need("hypothesis.stateful").RuleBasedStateMachine) and hasattr(base, "least")):
        raise UsageError(f"{job.machine} is no subclass of puretls.testing.machine.ConnectionMachine")
    roles = tuple(Role) if job.target == "connection" else (Role(job.target),)
    return type(name, (base,), {"roles": roles, "__module__": module})


def _database(where: str) -> Any:
    if not where:
        return None
    if where.startswith(_REDIS):
        return need("hypothesis.extra.redis").RedisExampleDatabase(_redis(where))
    return need("hypothesis.database").DirectoryBasedExampleDatabase(where)


def check_database(where: str) -> None:
    """Raises `UsageError` for a Redis that is not reachable."""
    if not where.startswith(_REDIS):
        return
    need("redis", "redis")
    try:
        _redis(where).ping()
    except ValueError:  # its text may have a part of the password
        from puretls.net.shared import NO_URL

        raise UsageError(NO_URL) from None
    except Exception as error:  # of many classes, by what is wrong with the parameters in the URL
        raise UsageError(f"the example database in Redis is not reachable: {error}") from None


_REDIS = ("redis://", "rediss://", "unix://")


def _redis(where: str) -> Any:
    return need("redis", "redis").Redis.from_url(where, socket_connect_timeout=3, socket_timeout=10)


# The campaign


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """A pool of processes of this machine."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")  # a fork would copy whatever threads hold
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        yield pool


def _end_with_parent() -> None:
    """Of a worker: a pool that is killed leaves its workers waiting for ever."""
    from multiprocessing import parent_process

    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=follow, daemon=True).start()


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster, which need puretls and hypothesis. Raises `UsageError` for one that is not reachable."""
    distributed = need("distributed", "dask")
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: {error}") from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()


class Campaign:
    """Batches until a time, or a number of them, is over. `finds` are those of all runs of this folder."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job: Job = job
        self.folder: Path = folder
        self.done: set[int] = set()
        self.finds: dict[str, str] = {}
        """Rule -> name of the tape."""
        self._load()

    def run(
        self,
        executors: Callable[[], Any],
        *,
        seconds: float = float("inf"),
        batches: float = float("inf"),
        width: int = 2,
        progress: Callable[[Campaign], None] = lambda campaign: None,
    ) -> None:
        """Work. `executors()` gives a context manager of an executor, a new one where one broke; `width` batches are under way at a time.

        Raises `UsageError` where another campaign is at work in the folder, or workers die again and again without finishing anything.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            try:
                held.enter_context(alone(self.folder, wait=False))
            except BlockingIOError:
                raise UsageError(f"another campaign is at work in {self.folder}: take another folder") from None
            self._load()
            self._run(executors, seconds, batches, width, progress)

    def _run(
        self, executors: Callable[[], Any], seconds: float, batches: float, width: int, progress: Callable[[Campaign], None]
    ) -> None:
        ends, goal, deaths = time.monotonic() + seconds, len(self.done) + batches, 0
        while time.monotonic() < ends and len(self.done) < goal:
            before = len(self.done)
            with executors() as executor:
                self._work(executor, ends, goal, width, progress)
            deaths = 0 if len(self.done) > before else deaths + 1
            if deaths > 2:
                raise UsageError("workers die before they finish a batch: see what they say, or take a smaller profile")

    def _work(self, executor: Executor, ends: float, goal: float, width: int, progress: Callable[[Campaign], None]) -> None:
        pending: dict[Future[list[Find]], int] = {}
        try:
            while time.monotonic() < ends and len(self.done) < goal:
                for seed in self._next(
                    set(pending.values()), int(min(width - len(pending), goal - len(self.done) - len(pending)))
                ):
                    pending[executor.submit(batch, self.job, seed)] = seed
                finished, _ = wait(pending, timeout=max(0.0, min(1.0, ends - time.monotonic())), return_when=FIRST_COMPLETED)
                for future in finished:
                    self._finished(pending.pop(future), future)
                progress(self)
        except BrokenProcessPool:
            return  # a worker died: what it was at is not done, and is drawn again
        finally:
            for future in pending:
                future.cancel()

    def _next(self, under_way: set[int], count: int) -> list[int]:
        """The lowest seeds that are neither done nor under way."""
        found: list[int] = []
        seed = 0
        while len(found) < count:
            if seed not in self.done and seed not in under_way:
                found.append(seed)
            seed += 1
        return found

    def _finished(self, seed: int, future: Future[list[Find]]) -> None:
        for find in future.result():
            if find.rule not in self.finds:
                self.finds[find.rule] = find.keep(self.folder).name
        self.done.add(seed)
        self._save()

    def _load(self) -> None:
        try:
            state = json.loads((self.folder / STATE).read_text())
            done, finds, of = set(state["done"]), dict(state["finds"]), state.get("of", self._of)
            if {*map(type, done)} - {int} or {*map(type, (*finds, *finds.values()))} - {str}:
                raise TypeError
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{self.folder / STATE} is no state of a campaign: take another folder") from None
        if of != self._of:
            raise UsageError(f"{self.folder} is of a campaign against {of}, not {self._of}: take another folder")
        self.done, self.finds = done, finds

    @property
    def _of(self) -> str:
        """Against whom it goes, and by what."""
        return f"{self.job.target} by {self.job.machine}" if self.job.target in TARGETS else self.job.target

    def _save(self) -> None:
        beside = self.folder / f"{STATE}.new"
        beside.write_text(json.dumps({"of": self._of, "done": sorted(self.done), "finds": self.finds}, indent=1))
        beside.replace(self.folder / STATE)
