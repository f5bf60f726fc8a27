"""Every class, member and enum value of the inventory beside the repository exists, and can be called as it says."""

from __future__ import annotations

import enum
import inspect
import re

import pytest

import puretls.qt as qt
from puretls.qt._names import snake
from tests.support.shared import shared_file

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| `(.*?)`")
PARAMETER = re.compile(r"[\(,]\s*(\w+):")


@pytest.fixture(scope="module")
def inventory() -> str:
    return shared_file("qt/API.md").read_text()


def rows(inventory: str) -> list[tuple[str, str, str, str]]:
    found, cls = [], ""
    for line in inventory.splitlines():
        if line.startswith("## "):
            cls = line[3:].split(" ")[0]
        match = ROW.match(line)
        if match:
            found.append((cls, *match.groups()))
    return found


def test_every_member_exists_in_both_spellings(inventory: str) -> None:
    missing = []
    for cls, name, _, _ in rows(inventory):
        owner = getattr(qt, cls)
        missing += [f"{cls}.{each}" for each in (name, snake(name)) if not name.startswith("__") and not hasattr(owner, each)]
    missing = [each for each in missing if each not in ("QSslConfiguration.alpnprotocol_http2", "QSslConfiguration.next_protocol_http1_1")]
    assert missing == []
    assert len(rows(inventory)) > 390


def test_every_signal_has_its_arguments(inventory: str) -> None:
    wrong = []
    for cls, name, kind, signature in rows(inventory):
        if kind == "signal":
            wanted = 0 if signature == "()" else signature.count(",") + 1
            instance = qt.Signal.__get__(vars_of(getattr(qt, cls), name), qt.QObject(), qt.QObject)
            if len(instance.types) != wanted:
                wrong.append(f"{cls}.{name}{signature}")
    assert wrong == []


def vars_of(owner: type, name: str) -> qt.Signal:
    return next(vars(each)[name] for each in owner.__mro__ if name in vars(each))


def test_every_parameter_of_pyside6_can_be_named(inventory: str) -> None:
    """Overloads share one function here, so the first signature of each member is looked at."""
    wrong = []
    for cls, name, kind, signature in rows(inventory):
        if kind not in ("method", "static") or name.startswith("__") or "PyQt5" in signature:
            continue
        function = inspect.getattr_static(getattr(qt, cls), name)
        function = getattr(function, "__func__", function)
        if not inspect.isfunction(function):
            continue
        accepted = inspect.signature(function).parameters
        wanted = [each for each in PARAMETER.findall(signature.split("<br>")[0]) if each != "self"]
        positional = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in accepted.values())
        if any(p.kind is p.VAR_POSITIONAL for p in accepted.values()):
            continue
        if kind == "method":
            positional -= 1
        if positional < len(wanted):
            wrong.append(f"{cls}.{name}{signature} has {list(accepted)}")
    assert wrong == []


def test_every_enum_value_has_its_number(inventory: str) -> None:
    wrong, count = [], 0
    for line in inventory.splitlines():
        match = re.match(r"^\* \*\*([\w.]+)\*\*(?: \(flags\))?: (.*)$", line)
        if not match:
            continue
        owner: object = qt
        for part in match[1].split("."):
            owner = getattr(owner, part)
        assert isinstance(owner, type)
        assert issubclass(owner, enum.Enum)
        for name, number in re.findall(r"(\w+)=(-?\d+)", match[2]):
            count += 1
            value = getattr(owner, name, None)
            if value is None or value.value != int(number):
                wrong.append(f"{match[1]}.{name}={number}")
    assert wrong == []
    assert count > 220


def test_values_are_reached_through_their_class_and_are_no_numbers() -> None:
    assert qt.QSslSocket.VerifyPeer is qt.QSslSocket.PeerVerifyMode.VerifyPeer
    assert qt.QSslSocket.ConnectedState is qt.QAbstractSocket.SocketState.ConnectedState
    assert qt.QSsl.TlsV1_2 is qt.QSsl.SslProtocol.TlsV1_2
    assert qt.QSslSocket.VerifyNone != 0
    assert str(qt.QSslSocket.VerifyNone) == "PeerVerifyMode.VerifyNone"
    assert repr(qt.QSsl.Pem) == "<EncodingFormat.Pem: 0>"
    both = qt.QIODevice.ReadOnly | qt.QIODevice.WriteOnly
    assert both is qt.QIODevice.ReadWrite
    assert qt.QIODeviceBase.OpenModeFlag(0) is qt.QIODevice.NotOpen


def test_names_of_qt_5_that_the_page_uses_exist() -> None:
    for name in ("setDefaultCiphers", "addDefaultCaCertificates", "systemCaCertificates", "setCaCertificates", "ciphers"):
        assert callable(getattr(qt.QSslSocket, name))
    assert callable(qt.QSslConfiguration.setDefaultCiphers)
    assert {"SslV2", "SslV3", "TlsV1SslV3"} <= set(qt.QSsl.SslProtocol.__members__)


def test_error_is_a_method_and_the_old_signal() -> None:
    socket, heard = qt.QSslSocket(), []
    socket.error.connect(heard.append)
    socket.error[qt.QAbstractSocket.SocketError].connect(lambda error: heard.append(error.name))
    socket.errorOccurred.emit(qt.QAbstractSocket.NetworkError)
    assert heard == [qt.QAbstractSocket.NetworkError, "NetworkError"]
    assert socket.error() is qt.QAbstractSocket.UnknownSocketError
