"""Signals, slots and objects."""

from __future__ import annotations

import gc

import pytest

from puretls.qt import QEventLoop, QObject, Signal, Slot


class Box(QObject):
    one = Signal(int)
    two = Signal(int, str)
    none = Signal()
    relay = Signal(int)


def test_slots_run_in_order_and_take_what_they_can() -> None:
    box, log = Box(), []
    box.two.connect(lambda *both: log.append(both))
    box.two.connect(lambda number: log.append(-number))
    box.two.connect(lambda: log.append("none"))
    box.two.connect(lambda number, text="?": log.append((text, number)))
    box.two.emit(1, "x")
    assert log == [(1, "x"), -1, "none", ("x", 1)]


def test_signal_may_be_a_slot_and_connections_end() -> None:
    box, log = Box(), []
    box.one.connect(box.relay)
    link = box.relay.connect(log.append)
    box.one.emit(1)
    assert QObject.disconnect(link)
    box.one.emit(2)
    assert log == [1]
    assert box.one.disconnect(box.relay)
    with pytest.warns(RuntimeWarning, match="Failed to disconnect"):
        assert not box.one.disconnect(box.relay)


def test_wrong_number_of_arguments_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"2 argument\(s\), 1 given"):
        Box().two.emit(1)
    with pytest.raises(TypeError, match="Expected signal or callable"):
        Box().one.connect(5)  # type: ignore[arg-type]


def test_a_slot_that_raises_does_not_stop_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("sys.excepthook", lambda *what: shown.append(what[1]))
    box, log = Box(), []
    box.none.connect(lambda: 1 / 0)
    box.none.connect(lambda: log.append("next"))
    box.none.emit()
    assert log == ["next"]
    assert len(shown) == 1


def test_methods_are_held_weakly_and_know_their_sender() -> None:
    class Listener(QObject):
        @Slot(int)
        def hear(self, number: int) -> None:
            log.append((number, self.sender()))

    log: list[object] = []
    box, listener = Box(), Listener()
    box.one.connect(listener.hear)
    box.one.emit(1)
    del listener
    gc.collect()
    box.one.emit(2)
    assert log == [(1, box)]


def test_slot_disconnected_by_an_earlier_one_is_not_called() -> None:
    box, log = Box(), []

    def second() -> None:
        log.append("second")

    box.none.connect(lambda: box.none.disconnect(second))
    box.none.connect(second)
    box.none.emit()
    assert log == []


def test_blocked_signals_are_silent() -> None:
    box, log = Box(), []
    box.none.connect(lambda: log.append(1))
    assert box.blockSignals(True) is False
    box.none.emit()
    assert box.blockSignals(False) is True
    box.none.emit()
    assert log == [1]


def test_parents_keep_children_and_delete_them() -> None:
    parent = QObject()
    child = QObject(parent)
    child.setObjectName("child")
    assert parent.findChild(QObject, "child") is child
    gone, loop = [], QEventLoop()
    child.destroyed.connect(lambda: gone.append("child"))
    parent.destroyed.connect(lambda: (gone.append("parent"), loop.quit()))
    parent.deleteLater()
    loop.exec()
    assert gone == ["child", "parent"]
    assert child.parent() is None


def test_snake_case_names_work_both_ways() -> None:
    class Named(Box):
        def timer_event(self, event: object) -> None:
            log.append(event)
            self.kill_timer(number)
            loop.quit()

    log: list[object] = []
    loop, named = QEventLoop(), Named()
    named.set_object_name("x")
    assert named.objectName() == named.object_name() == "x"
    number = named.start_timer(0)
    loop.exec()
    assert len(log) == 1


def test_meta_object_names_class_and_signals() -> None:
    assert Box.staticMetaObject.className() == "Box"
    assert [name for name in Box.staticMetaObject.signals() if name in ("one", "two")] == ["one", "two"]
