"""The programs of the manual's page `qt.md`, with an OpenSSL server in place of those that they name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from puretls import qt
from puretls.qt import QHostAddress, QSslConfiguration, QSslSocket
from tests.qt.conftest import Pki, run_until
from tests.support.openssl import answering, server_context

ROOT = Path(__file__).resolve().parents[2]
CHANGED_IMPORT, CLIENT, SERVER, WAITING, EXCERPT, UNDER_QT = re.findall(
    r"```python\n(.*?)```", (ROOT / "puretls" / "manual" / "qt.md").read_text(), re.S
)
BELOW = "tlsdriver.py"
"""Where the excerpt is from."""


def run(source: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    names = vars(qt) | (names or {})
    exec(compile(source, "qt.md", "exec"), names)
    return names


@pytest.fixture
def port(pki: Pki, tmp_path: Path):
    """A server for the names of the page; its root is trusted by default."""
    QSslConfiguration.setDefaultConfiguration(pki.configuration())
    with answering(server_context(pki.ca.issue(["imap.example.com", "http.example.com"]), tmp_path)) as (number, _):
        yield number


def there(source: str, port: int) -> str:
    """The source with this machine's server in place of another; its name stays to be verified."""
    return re.sub(r'"(\w+\.example\.com)", \d+', rf'"127.0.0.1", {port}, "\1"', source)


def test_changed_import() -> None:
    assert run(CHANGED_IMPORT)["QSslSocket"] is QSslSocket


def test_client_by_signals(app: qt.QCoreApplication, port: int) -> None:
    client = run(there(CLIENT, port))["Client"]()
    assert run_until(lambda: client.socket.bytesAvailable() >= 15)
    assert client.socket.readAll().data() == b"A1 CAPABILITY\r\n"


def test_client_that_waits(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    run(there(WAITING, port).replace("while", "if"))  # the server of this test closes only after the client
    assert "GET / HTTP/1.0" in capsys.readouterr().out


def test_server(app: qt.QCoreApplication, pki: Pki) -> None:
    encrypted: list[bool] = []
    QSslConfiguration.setDefaultConfiguration(pki.configuration(pki.server))
    made = run(SERVER)["SslServer"]
    made.ready = lambda self: encrypted.append(True)
    server = made()
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    client = QSslSocket()
    client.connectToHostEncrypted("127.0.0.1", server.serverPort())
    assert run_until(lambda: encrypted and client.isEncrypted())


def test_excerpt_stands_in_the_driver() -> None:
    source = (ROOT / "puretls" / "qt" / BELOW).read_text()
    assert textwrap.indent(EXCERPT, 8 * " ") in source


@pytest.mark.skipif(find_spec("PySide6") is None, reason="PySide6 is not installed")
def test_program_under_qt() -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", UNDER_QT], env=environment, check=True, timeout=60)
