"""The event loop: alone, under asyncio, inside slots and coroutines, in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from puretls.qt import (
    QCoreApplication,
    QEventLoop,
    QHostAddress,
    QObject,
    Qt,
    QTcpServer,
    QTcpSocket,
    QTimer,
    Signal,
    SignalInstance,
)


def nest(levels: int, log: list[tuple[str, int]]) -> None:
    """Event loops inside slots of timers, `levels` deep below the first."""
    loop = QEventLoop()
    log.append(("in", levels))
    if levels:
        QTimer.singleShot(0, lambda: (nest(levels - 1, log), loop.quit()))
    else:
        QTimer.singleShot(0, loop.quit)
    assert loop.exec() == 0
    log.append(("out", levels))


EXPECTED = [("in", 3), ("in", 2), ("in", 1), ("in", 0), ("out", 0), ("out", 1), ("out", 2), ("out", 3)]


def test_loops_nest_without_asyncio() -> None:
    log: list[tuple[str, int]] = []
    nest(3, log)
    assert log == EXPECTED


@pytest.mark.parametrize("debug", [False, True])
def test_loops_nest_inside_a_coroutine_and_other_tasks_go_on(debug: bool) -> None:
    log: list[tuple[str, int]] = []

    async def main() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(tick())
        nest(3, log)
        during = ticks
        await asyncio.sleep(0)
        task.cancel()
        return during

    assert asyncio.run(main(), debug=debug) > 3
    assert log == EXPECTED


def test_nested_loop_waits_for_what_a_task_does() -> None:
    async def main() -> str:
        loop, said = QEventLoop(), []

        async def answer() -> None:
            for _ in range(10):
                await asyncio.sleep(0)  # a turn of the loop
            said.append("answered")
            loop.exit(7)

        task = asyncio.create_task(answer())
        code = loop.exec()
        assert asyncio.current_task() is not None
        await task
        return f"{said[0]} {code}"

    assert asyncio.run(main()) == "answered 7"


def test_callbacks_of_the_outer_turn_are_neither_lost_nor_run_twice() -> None:
    async def main() -> list[int]:
        ran: list[int] = []
        running = asyncio.get_running_loop()

        def slot() -> None:
            loop = QEventLoop()
            QTimer.singleShot(5, loop.quit)
            loop.exec()
            ran.append(0)

        running.call_soon(slot)
        for number in range(1, 30):
            running.call_soon(ran.append, number)
        async with asyncio.timeout(20):
            while set(ran) != set(range(30)):
                await asyncio.sleep(0)
        for _ in range(10):  # turns in which something may run again
            await asyncio.sleep(0)
        return ran

    ran = asyncio.run(main())
    assert sorted(ran) == list(range(30))


def test_tasks_run_under_exec(app: QCoreApplication) -> None:
    done: list[str] = []

    def start() -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            done.append("worked")
            app.quit()

        done.append("started")
        tasks.append(asyncio.get_running_loop().create_task(work()))

    tasks: list[asyncio.Task[None]] = []
    QTimer.singleShot(0, start)
    assert app.exec() == 0
    assert done == ["started", "worked"]


def test_quit_ends_all_loops_of_the_thread(app: QCoreApplication) -> None:
    codes: list[int] = []

    def inner() -> None:
        loop = QEventLoop()
        QTimer.singleShot(0, lambda: QCoreApplication.exit(3))
        codes.append(loop.exec())

    QTimer.singleShot(0, inner)
    codes.append(app.exec())
    assert codes == [3, 3]


def test_sockets_move_from_one_asyncio_loop_to_the_next() -> None:
    server = QTcpServer()
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    client = QTcpSocket()
    client.connectToHost("127.0.0.1", server.serverPort())  # before any loop runs

    async def until(signal: SignalInstance, condition: Callable[[], object]) -> None:
        happened = asyncio.Event()
        link = signal.connect(happened.set)
        async with asyncio.timeout(20):
            while not condition():
                await happened.wait()
                happened.clear()
        QObject.disconnect(link)

    async def accepted() -> QTcpSocket | None:
        QTimer.singleShot(0, lambda: None)  # whatever is touched attaches the thread's sockets to the loop that runs
        await until(server.newConnection, server.hasPendingConnections)
        await until(client.connected, lambda: client.state() is QTcpSocket.ConnectedState)
        return server.nextPendingConnection()

    other = asyncio.run(accepted())
    assert other is not None
    other.write(b"hello")

    async def read() -> bytes:
        other.flush()
        await until(client.readyRead, lambda: client.bytesAvailable() >= 5)
        return client.readAll().data()

    assert asyncio.run(read()) == b"hello"
    client.abort()
    other.abort()
    server.close()


def test_signal_to_an_object_of_another_thread_runs_there() -> None:
    class Receiver(QObject):
        def take(self, value: int) -> None:
            got.append((value, threading.get_ident()))
            loop.quit()

    class Sender(QObject):
        told = Signal(int)

    got: list[tuple[int, int]] = []
    loop, receiver = QEventLoop(), Receiver()

    def work() -> None:
        sender = Sender()
        sender.told.connect(receiver.take)
        sender.told.emit(5)

    thread = threading.Thread(target=work)
    QTimer.singleShot(0, thread.start)
    loop.exec()
    thread.join()
    assert got == [(5, threading.get_ident())]


def test_threads_have_loops_of_their_own() -> None:
    codes: list[int] = []

    def work(code: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(1, lambda: loop.exit(code))
        codes.append(loop.exec())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == list(range(8))


def test_timer_repeats_stops_and_counts_once_when_single() -> None:
    count, loop, timer = [0], QEventLoop(), QTimer()

    def fire() -> None:
        count[0] += 1
        if count[0] == 3:
            timer.stop()
            loop.quit()

    timer.timeout.connect(fire)
    timer.start(1)
    assert timer.isActive()
    assert timer.interval() == 1
    loop.exec()
    assert count == [3]
    assert not timer.isActive()
    assert timer.remainingTime() == -1
    once = QTimer()
    once.setSingleShot(True)
    once.timeout.connect(loop.quit)
    once.start(0)
    loop.exec()
    assert not once.isActive()


def test_exception_in_a_timer_is_shown_and_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[type] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, value, trace: shown.append(kind))
    loop = QEventLoop()
    QTimer.singleShot(0, lambda: 1 / 0)
    QTimer.singleShot(1, loop.quit)
    assert loop.exec() == 0
    assert shown == [ZeroDivisionError]


def test_queued_connection_runs_from_the_loop() -> None:
    class Box(QObject):
        told = Signal(str)

    box, log, loop = Box(), [], QEventLoop()
    box.told.connect(lambda text: (log.append(text), loop.quit()), Qt.QueuedConnection)
    box.told.emit("later")
    assert log == []
    loop.exec()
    assert log == ["later"]
