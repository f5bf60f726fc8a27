"""`puretls serve --redis`: servers that share sessions and ticket keys through a real Redis server."""

import shutil
import sys
from contextlib import contextmanager

import pytest

from tests.cli.command import in_process, serving

pytest.importorskip("ssl")
pytest.importorskip("redis")
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]

from tests.support.redis_server import RedisServer  # noqa: E402


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("5a" * 32 + "\n")
    return path


@pytest.fixture
def store(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.end()


@pytest.fixture
def machine(files, store, secret, tmp_path):
    """Starts a server that knows of others by the store alone."""

    @contextmanager
    def serve(*arguments):
        options = ("--cert", files.cert, "--key", files.key, "--redis", store.url, "--redis-secret", secret)
        with serving(tmp_path, "--echo", *options, *arguments) as server:
            yield server

    return serve


@pytest.fixture
def talk(files):
    from tests.support.openssl import resuming

    return resuming(files.ca)


@pytest.mark.rfc("5077", "4")
def test_sessions_of_one_server_are_resumed_by_another_and_its_workers_until_the_store_goes(machine, store, talk):
    with machine() as one, machine("--workers", "2") as other:
        by_ticket, by_id = talk(one)[0], talk(one, tickets=False)[0]
        assert (by_ticket.has_ticket, by_id.has_ticket) == (True, False)
        for server in (one, other):
            assert talk(server, by_ticket)[1]
            assert talk(server, by_id, tickets=False)[1]
        store.end()
        assert not talk(one, by_id, tickets=False)[1]
        assert not talk(one)[1]
        assert talk(one, by_ticket)[1], "this server knows the key"
        assert one.log.count("the store of sessions is away") == 1
        assert "Traceback" not in one.log + other.log


@pytest.mark.parametrize("more", [(), pytest.param(("--workers", "1"), marks=pytest.mark.slow)], ids=["alone", "workers"])
def test_server_whose_store_is_away_says_so_in_a_line_and_serves(machine, store, talk, more):
    store.end()
    with machine(*more) as server:
        session = talk(server)[0]
        assert talk(server, session)[1], "by a key that nobody shares"
        away = [line for line in server.log.splitlines() if "the store of sessions is away" in line]
        assert len(away) == 1, "workers have it from the process that forked them"


def refusal(files, *arguments):
    result = in_process("serve", "--port", "0", "--cert", files.cert, "--key", files.key, *arguments)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    return line


def test_without_the_package_the_way_to_get_it_is_told(files, secret, monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    assert "pip install 'puretls[redis]'" in refusal(files, "--redis", "redis://localhost", "--redis-secret", secret)


@pytest.mark.parametrize(
    ("content", "told"), [("5a" * 31, "openssl rand -hex 32"), ("no digits", "has hexadecimal digits"), ("\u00fc" * 32, "has hexadecimal digits")]
)
def test_a_secret_is_64_digits(files, secret, content, told):
    secret.write_text(content)
    line = refusal(files, "--redis", "redis://localhost", "--redis-secret", secret)
    assert told in line
    assert str(secret) in line
    assert content not in line.replace(str(secret), "")


def test_what_goes_together_and_what_does_not(files, secret):
    for half in (("--redis", "redis://localhost"), ("--redis-secret", secret)):
        assert "go together" in refusal(files, *half)
    assert "named by redis://" in refusal(files, "--redis", "localhost", "--redis-secret", secret)
    assert "one process" in refusal(files, "--redis", "redis://localhost", "--redis-secret", secret, "--danger-seed", "1")
