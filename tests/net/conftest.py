"""Two ends of a connection in one process."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from puretls.ca import DevelopmentCa
from puretls.config import ClientConfig, Credential, ServerConfig
from puretls.crypto.provider import default
from puretls.net import TlsSocket
from puretls.x509.verifier import chain_verifier
from tests.net.wires import NAME, wires


class Configs(NamedTuple):
    client: ClientConfig
    server: ServerConfig
    authority: DevelopmentCa


@pytest.fixture(scope="session")
def configs():
    authority = DevelopmentCa.create(os.urandom, time.time())
    leaf = authority.issue([NAME, "localhost", "127.0.0.1"])
    client = ClientConfig(verifier=chain_verifier([authority.root.certificate], provider=default()))
    return Configs(client, ServerConfig(credentials=(Credential(leaf.chain, leaf.key),)), authority)


@pytest.fixture
def connect(configs):
    """`connect()` gives client and server as `TlsSocket`s after their handshake."""
    opened = []

    def make(client_config=configs.client, server_config=configs.server, name=NAME, **options):
        near, far = wires()
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(TlsSocket.server, far, server_config)
            client = TlsSocket.client(near, client_config, name, **options)
            server = future.result(20)
        opened.extend((client, server))
        return client, server

    yield make
    for tls in opened:
        tls.close()


@pytest.fixture
def run():
    """`run(function, *arguments)` runs it in a thread; the test fails with what the function raised."""
    failures, threads = [], []

    def start(function, *arguments):
        def guarded():
            try:
                function(*arguments)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=guarded)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    if failures:
        raise failures[0]
