"""Objects end with the last reference to them, as under PySide6; checked with the garbage collector off, by counting descriptors."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from puretls.qt import QEventLoop, QHostAddress, QObject, QSslServer, QSslSocket, QTcpServer, QTcpSocket, QTimer
from tests.qt.conftest import run_until
from tests.qt.test_sockets import SslServer, connect, echo

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts the descriptors in /proc/self/fd")


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """What goes has to go by reference counts. The event loop's own descriptors are there before anything is counted."""
    QTimer.singleShot(0, (loop := QEventLoop()).quit)
    loop.exec()
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def port(pki) -> Iterator[int]:
    """A server that takes every connection and forgets it."""
    server = QTcpServer()
    server.setListenBacklogSize(1000)
    server.newConnection.connect(lambda: server.nextPendingConnection().deleteLater())
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    yield server.serverPort()
    server.close()


def fifty(make) -> None:
    for _ in range(50):
        make()


@pytest.mark.parametrize("kind", [QTcpSocket, QSslSocket])
def test_sockets_that_go_out_of_scope_leave_no_descriptor(kind, port, app) -> None:
    def connected() -> None:
        made = kind()
        made.connectToHost("127.0.0.1", port)
        assert made.waitForConnected(5000)

    def connecting() -> None:
        kind().connectToHost("127.0.0.1", port)

    def looking_up() -> None:
        kind().connectToHost("localhost", port)

    before = descriptors()
    for make in (kind, connecting, connected, looking_up):
        fifty(make)
        assert run_until(lambda: descriptors() <= before), make.__name__


def test_encrypted_sockets_that_go_out_of_scope_leave_no_descriptor(pki, ssl_peer) -> None:
    def encrypted(peer) -> None:
        made = connect(pki, peer.port)
        assert made.waitForEncrypted()
        made.write(b"never sent")

    before = descriptors()
    for _ in range(5):
        peer = ssl_peer(echo)
        encrypted(peer)
        peer.join()
        assert descriptors() == before


@pytest.mark.parametrize("kind", [QTcpServer, QSslServer])
def test_a_dropped_server_listens_no_more_and_drops_its_connections(kind, app, pki) -> None:
    before = descriptors()
    server = kind()
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    client = QTcpSocket()
    client.connectToHost("127.0.0.1", server.serverPort())
    assert run_until(server.children)
    port = server.serverPort()
    del server
    assert run_until(lambda: client.state() is QTcpSocket.UnconnectedState)
    assert descriptors() == before
    late = QTcpSocket()
    late.connectToHost("127.0.0.1", port)
    assert not late.waitForConnected(1000)


def test_a_server_ends_with_its_encrypted_connections(pki) -> None:
    """The children end with their parent, whoever else refers to them."""
    server = SslServer(pki.configuration(pki.server))
    client = connect(pki, server.serverPort())
    assert run_until(client.isEncrypted)
    child = server.sockets[0]
    del server
    assert child.state() is QSslSocket.UnconnectedState
    assert run_until(lambda: client.state() is QSslSocket.UnconnectedState)


def test_a_dropped_timer_does_not_fire(app) -> None:
    fired: list[str] = []

    class Ticking(QObject):
        def timerEvent(self, event: object) -> None:
            fired.append("event")

    timer = QTimer()
    timer.timeout.connect(lambda: fired.append("timeout"))
    timer.start(0)
    ticking = Ticking()
    ticking.startTimer(0)
    del timer, ticking
    QTimer.singleShot(0, lambda: fired.append("single shot"))
    assert run_until(lambda: fired)
    assert fired == ["single shot"]


def test_destroyed_is_emitted_by_the_last_reference_and_by_the_parent(app) -> None:
    told: list[str] = []
    alone, parent = QObject(), QObject()
    child = QSslSocket(parent)
    for name, each in (("alone", alone), ("parent", parent), ("child", child)):
        each.destroyed.connect(lambda *_, name=name: told.append(name))
    del child, each
    assert told == []
    del alone
    assert told == ["alone"]
    del parent
    assert told == ["alone", "child", "parent"]


def test_destroyed_is_emitted_where_the_collector_ends_a_cycle(app) -> None:
    told: list[object] = []
    made = QObject()
    made.itself = made
    made.destroyed.connect(told.append)
    del made
    assert told == []
    gc.collect()
    assert len(told) == 1


def test_a_slot_that_alone_refers_to_a_socket_keeps_it_while_it_is_connected(port, app) -> None:
    told: list[str] = []

    def begin() -> None:
        made = QTcpSocket()
        made.connected.connect(lambda: (told.append("connected"), made.close()))
        made.disconnected.connect(lambda: told.append("disconnected"))
        made.destroyed.connect(lambda: told.append("destroyed"))
        made.connectToHost("127.0.0.1", port)

    begin()
    gc.collect()
    assert run_until(lambda: "disconnected" in told)
    gc.collect()
    assert told == ["connected", "disconnected", "destroyed"]


def test_an_object_whose_last_reference_goes_in_another_thread_ends_in_its_own(port, app) -> None:
    made = [QTcpSocket()]
    made[0].connectToHost("127.0.0.1", port)
    assert made[0].waitForConnected(5000)
    threads: list[int] = []
    states: list[object] = []
    made[0].destroyed.connect(lambda: threads.append(threading.get_ident()))
    made[0].stateChanged.connect(states.append)
    thread = threading.Thread(target=made.clear)
    thread.start()
    thread.join()
    assert threads == []
    assert run_until(lambda: threads)
    assert threads == [threading.get_ident()]
    assert states[-1] is QTcpSocket.UnconnectedState


def test_an_object_that_was_deleted_is_destroyed_once(app) -> None:
    told: list[object] = []
    made = QSslSocket()
    made.destroyed.connect(told.append)
    made.deleteLater()
    made.deleteLater()
    assert run_until(lambda: told)
    del made
    assert len(told) == 1
