"""Small programs written for PySide6 run unchanged on both, and a mixed pair understands each other."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
ROOT = PROGRAMS.parents[2]
needs_pyside = pytest.mark.skipif(find_spec("PySide6") is None, reason="PySide6 is not installed")
BOTH = ["puretls", pytest.param("PySide6", marks=[needs_pyside, pytest.mark.interop])]


def run(program: str, api: str, *arguments: object) -> str:
    environment = dict(os.environ, QT_API=api, QT_QPA_PLATFORM="offscreen", PYTHONPATH=str(ROOT))
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / f"{program}.py"), *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("api", BOTH)
def test_line_client(pki, ssl_peer, api: str) -> None:
    heard: list[bytes] = []

    def serve(encrypted) -> None:
        lines = encrypted.makefile("rwb")
        for answer in (b"* server ready\r\n", b"a1 OK\r\n", b"* LIST inbox\r\n* LIST sent\r\na2 OK\r\n", b"* bye\r\na3 OK\r\n"):
            if heard or not answer.startswith(b"* server"):
                heard.append(lines.readline())
            lines.write(answer)
            lines.flush()
        assert lines.read() == b""

    peer = ssl_peer(serve)
    out = run("line_client", api, peer.port, pki.folder / "root.pem")
    peer.join()
    assert out.splitlines() == ["* server ready", "a1 OK", "* LIST inbox", "* LIST sent", "a2 OK", "* bye", "a3 OK"]
    assert heard == [b"a1 LOGIN joe secret\r\n", b"a2 LIST\r\n", b"a3 LOGOUT\r\n"]


@pytest.mark.parametrize("api", BOTH)
def test_chat_with_fifty_clients(pki, api: str) -> None:
    assert run("chat", api, pki.folder) == "50 of 50 heard everybody"


@pytest.mark.parametrize("api", BOTH)
def test_file_sender(pki, ssl_peer, tmp_path: Path, api: str) -> None:
    data = os.urandom(1_000_000)
    (tmp_path / "file").write_bytes(data)
    digest = hashlib.sha256()

    def serve(encrypted) -> None:
        while block := encrypted.recv(65536):
            digest.update(block)

    peer = ssl_peer(serve)
    out = run("file_sender", api, peer.port, pki.folder / "root.pem", tmp_path / "file")
    peer.join()
    assert out == "sent 1000000 progress 100"
    assert digest.digest() == hashlib.sha256(data).digest()


def start(api: str, *arguments: object) -> subprocess.Popen[str]:
    environment = dict(os.environ, QT_API=api, QT_QPA_PLATFORM="offscreen", PYTHONPATH=str(ROOT))
    command = [sys.executable, str(PROGRAMS / "echo_pair.py"), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@needs_pyside
@pytest.mark.interop
@pytest.mark.parametrize("kind", ["certificates", "psk"])
@pytest.mark.parametrize(("server", "client"), [("PySide6", "puretls"), ("puretls", "PySide6")])
@pytest.mark.parametrize("size", [300_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
def test_mixed_pair(pki, server: str, client: str, kind: str, size: int) -> None:
    with start(server, "server", pki.folder, kind) as serving:
        port = json.loads(serving.stdout.readline())["port"]
        with start(client, "client", pki.folder, kind, port, size) as asking:
            agreed, result = (json.loads(line) for line in asking.communicate(timeout=110)[0].splitlines())
        told = json.loads(serving.communicate(timeout=20)[0])
    assert result == {"same": True, "error": ""}
    assert agreed["alpn"] == "x"
    assert told["peer"] == ("" if kind == "psk" else "client.test")
    assert ("PSK" in agreed["cipher"]) == (kind == "psk")


UNDER_QT = """
import sys
from PySide6.QtCore import QCoreApplication, QTimer as QtTimer
from puretls.qt import QEventLoop, QSslCertificate, QSslConfiguration, QSslSocket, QTimer, pyside
app = QCoreApplication([])
pyside.install()
client = QSslSocket()
configuration = QSslConfiguration.defaultConfiguration()
configuration.setCaCertificates(QSslCertificate.fromPath(sys.argv[2]))
client.setSslConfiguration(configuration)
ticks = []
timer = QtTimer()
timer.timeout.connect(lambda: ticks.append(1))
timer.start(2)
def nested():
    loop, before = QEventLoop(), len(ticks)
    QTimer.singleShot(50, loop.quit)
    loop.exec()
    assert len(ticks) > before
    client.write(b"under qt")
client.encrypted.connect(nested)
client.readyRead.connect(lambda: (print(client.readAll().data().decode()), app.quit()))
client.connectToHostEncrypted("127.0.0.1", int(sys.argv[1]))
QtTimer.singleShot(20000, app.quit)
app.exec()
client.abort()
"""


@needs_pyside
@pytest.mark.interop
def test_sockets_live_in_a_real_qt_loop(pki, ssl_peer) -> None:
    peer = ssl_peer(lambda encrypted: encrypted.sendall(encrypted.recv(100)))
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", PYTHONPATH=str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", UNDER_QT, str(peer.port), str(pki.folder / "root.pem")],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    peer.join()
    assert done.stdout.strip() == "under qt", done.stderr
