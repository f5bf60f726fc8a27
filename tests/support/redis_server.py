"""A real Redis server for tests."""

import subprocess
import time

import pytest

pytest.importorskip("ssl")  # the package redis cannot be imported without
redis = pytest.importorskip("redis")


class RedisServer:
    """A Redis server at a socket in the file system, which can be ended and started again (empty)."""

    def __init__(self, folder):
        self._folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self.start()

    def start(self):
        command = [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            self._folder / "redis.sock",
            "--save",
            "",
            "--dir",
            self._folder,
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _answers(self):
        with redis.Redis.from_url(self.url, decode_responses=False) as client:
            try:
                return client.ping()
            except redis.exceptions.RedisError:
                return False

    def end(self):
        self._process.kill()
        self._process.wait()
