"""Campaigns: what workers find is kept, a campaign goes on where it was, and a worker that dies loses nothing."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from random import Random
from types import SimpleNamespace

import pytest

from puretls.cli import main
from puretls.errors import UsageError
from puretls.handshake.states import Role
from puretls.inspect import Tape
from puretls.testing import campaign
from puretls.testing.campaign import PROFILES, STATE, Campaign, Job, Profile, batch, dask, processes
from puretls.testing.runs import BYTES_OF_A_MOVE, CHOOSING, Move, Plan, read
from tests.cli.command import ENVIRONMENT
from tests.interop.peers import free_port

SMALL = Profile(2, 12)
RULE = "the best suite that both have is chosen"


@contextmanager
def threads():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_a_campaign_goes_on_where_it_was(tmp_path):
    job = Job("server", SMALL)
    Campaign(job, tmp_path).run(threads, batches=2)
    state = json.loads((tmp_path / STATE).read_text())
    assert (state["done"], state["finds"]) == ([0, 1], {})
    again = Campaign(job, tmp_path)
    again.run(threads, batches=1)
    assert again.done == {0, 1, 2}


def test_a_folder_is_of_one_campaign(tmp_path):
    """Seeds that are done and finds say nothing about another peer."""
    Campaign(Job("server", SMALL), tmp_path).run(threads, batches=1)
    for job in (Job("client", SMALL), Job("openssl-server", SMALL), Job("server", SMALL, "tests.testing.planted:Downgrade")):
        with pytest.raises(UsageError, match=r"is of a campaign against server .*: take another folder"):
            Campaign(job, tmp_path)
    assert Campaign(Job("server", PROFILES["ci"]), tmp_path).done == {0}


@pytest.mark.skipif(os.name != "posix", reason="folders are locked on POSIX alone")
def test_two_campaigns_do_not_work_in_one_folder_at_a_time(tmp_path):
    second = Campaign(Job("server", SMALL), tmp_path)

    def during(campaign):
        with pytest.raises(UsageError, match="another campaign is at work"):
            second.run(threads, batches=1)

    first = Campaign(Job("server", SMALL), tmp_path)
    first.run(threads, batches=1, progress=during)
    second.run(threads, batches=1)  # and it knows what the first one did, though it was made before
    assert second.done == {0, 1}


def test_a_campaign_ends_by_time(tmp_path, monkeypatch):
    """On a clock that goes on by a second whenever it is read, at least once for a batch."""
    monkeypatch.setattr(campaign, "time", SimpleNamespace(monotonic=count().__next__))
    one = Campaign(Job("client", SMALL), tmp_path)
    one.run(threads, seconds=10)
    assert len(one.done) < 10


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.slow
def test_workers_end_with_a_campaign_that_is_killed(tmp_path):
    """They hold both ends of the pipe from which they are given work, so its end tells them nothing."""
    state = tmp_path / "finds" / STATE
    command = [sys.executable, "-m", "puretls", "fuzz", "server", "--for", "5m", "--workers", "1", "--finds", str(state.parent)]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE) as running:
        deadline = time.monotonic() + 60
        while not state.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        running.kill()
        assert state.exists()
        while select.select([running.stderr], [], [], 30)[0]:
            if not running.stderr.read1():  # all have gone who could write to it
                return
        pytest.fail("a worker is still there")


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"done": 5, "finds": {}}', '{"done": ["x", null], "finds": {}}', '{"done": [], "finds": {"a": 1}}', '{"done": [[]], "finds": {}}'])
def test_a_broken_state_is_told(tmp_path, text):
    (tmp_path / STATE).write_text(text)
    with pytest.raises(UsageError, match="take another folder"):
        Campaign(Job("server", SMALL), tmp_path)


@pytest.mark.slow
def test_processes_find_what_is_planted_and_one_that_dies_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PURETLS_TEST_MARK", str(tmp_path / "mark"))
    job = Job("server", Profile(20, 30), "tests.testing.planted:DiesOnce", str(tmp_path / "examples"))
    campaign = Campaign(job, tmp_path / "finds")
    campaign.run(lambda: processes(2), batches=2)
    assert (tmp_path / "mark").exists()
    assert campaign.done == {0, 1}
    assert list(campaign.finds) == [RULE]
    path = tmp_path / "finds" / campaign.finds[RULE]
    assert Tape.load(path).connections
    assert "Move(" in path.with_suffix(".py").read_text()
    assert any((tmp_path / "examples").iterdir())  # hypothesis keeps the failing example


def test_any_bytes_are_a_plan_and_zeros_are_an_honest_one():
    roles = (Role.SERVER, Role.CLIENT)
    for data, wanted in ((b"", Plan(Role.SERVER)), (b"\3", Plan(Role.CLIENT, True)), (b"\0" + bytes(7), Plan(Role.SERVER, False, (Move("advance"),) * 2))):
        assert read(data, roles) == wanted
    random = Random(1)
    for size in range(60):
        plan = read(random.randbytes(size), roles)
        assert len(plan.moves) == max(0, size - 1) // BYTES_OF_A_MOVE
        assert all(move.number == 0 or move.name in CHOOSING for move in plan.moves)


@pytest.mark.slow
@pytest.mark.interop
def test_what_is_planted_is_found_by_way_of_the_code_that_is_reached(tmp_path, capsys):
    pytest.importorskip("atheris", reason="atheris is not installed: pip install 'puretls[guided]'")
    command = ["fuzz", "server", "--coverage", "--batches", "1", "--workers", "1", "--finds", str(tmp_path)]
    assert main([*command, "--machine", "tests.testing.planted:Downgrade"]) == 1
    assert RULE in capsys.readouterr().out
    (tape,) = tmp_path.glob("*.tape")
    assert "best suite" in Tape.load(tape).note
    assert len(list((tmp_path / "corpus").iterdir())) > 2  # what reached something new is kept


def test_errors_are_one_line(capsys, tmp_path):
    common = ["--finds", str(tmp_path), "--batches", "1", "--workers", "1"]
    cases = {
        ("fuzz", "server", "--for", "soon", *common): "is no time",
        ("fuzz", "server", "--database", f"redis://127.0.0.1:{free_port()}", *common): "Redis",
        ("fuzz", "server", "--workers", "-1", "--finds", str(tmp_path)): "is not a number of processes",
        ("fuzz", "openssl-server", "--coverage", *common): "atheris is not installed: pip install 'puretls[guided]'" if find_spec("atheris") is None else "not in openssl-server",
    }
    for command, wanted in cases.items():
        assert main(list(command)) == 2, command
        complaint = capsys.readouterr().err
        assert wanted in complaint
        assert complaint.count("\n") == 1
    for name, wanted in {"nowhere:Nothing": "no machine is called", "os:path": "is no subclass of", "tests.testing.planted:Path": "is no subclass of"}.items():
        with pytest.raises(UsageError, match=wanted):
            batch(Job("server", SMALL, name), 0)


@pytest.mark.parametrize("url", ["redis://:secret/2@localhost", "redis://:secret@[::1", "redis://:secret@localhost:1?bogus=1", "rediss://:secret@localhost:1", "unix:///nowhere"])
def test_database_that_cannot_be_is_told_without_its_password(url):
    pytest.importorskip("redis", reason="redis is not installed: pip install 'puretls[redis]'")
    with pytest.raises(UsageError, match="Redis") as refused:
        campaign.check_database(url)
    assert "secret" not in str(refused.value)


@contextmanager
def _redis(folder):
    port = free_port()
    process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        import redis

        client = redis.Redis(port=port)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}", client
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_a_dask_cluster_finds_the_same_as_processes_though_a_worker_is_killed(tmp_path, monkeypatch):
    """Two workers, one of which dies in the middle; the example database is in Redis."""
    pytest.importorskip("redis", reason="redis is not installed: pip install 'puretls[redis]'")
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install 'puretls[dask]'")
    monkeypatch.setenv("PURETLS_TEST_MARK", str(tmp_path / "mark"))
    with _redis(tmp_path) as (url, client):
        job = Job("server", Profile(20, 30), "tests.testing.planted:Downgrade", url)
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            found = Campaign(Job(job.target, job.profile, "tests.testing.planted:DiesOnce", url), tmp_path / "dask")
            found.run(lambda: dask(cluster.scheduler_address), batches=3)
        assert (tmp_path / "mark").exists()
        assert client.dbsize() > 0
    local = Campaign(Job(job.target, job.profile, job.machine), tmp_path / "local")
    local.run(lambda: processes(2), batches=3)
    assert found.done == local.done == {0, 1, 2}
    assert found.finds == local.finds
    assert list(found.finds) == [RULE]
    tests = [(tmp_path / folder / found.finds[RULE]).with_suffix(".py").read_text() for folder in ("dask", "local")]
    assert tests[0] == tests[1]


def test_a_module_of_the_current_folder_is_found(tmp_path, capsys, monkeypatch):
    """The script `puretls` has its own folder in the path, not the user's."""
    (tmp_path / "a_module_of_mine.py").write_text("END = 5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    assert main(["fuzz", "a_module_of_mine:END", "--batches", "1"]) == 2
    assert "is no puretls.testing.adapters.Factory" in capsys.readouterr().err


def test_a_missing_package_is_not_blamed_on_the_machine(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    for module in ("puretls.testing.machine", "hypothesis.stateful"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    assert main(["fuzz", "server", "--batches", "1", "--finds", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "puretls: hypothesis is not installed: pip install 'puretls[testing]'\n"
