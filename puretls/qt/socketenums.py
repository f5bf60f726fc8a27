"""The enums of QAbstractSocket, what the system calls its socket options, and the proxy that is none."""

from __future__ import annotations

import enum
import socket

from puretls.qt._names import QtNames


class SocketState(enum.Enum):
    """Where a socket is in its life."""

    UnconnectedState = 0
    HostLookupState = 1
    ConnectingState = 2
    ConnectedState = 3
    BoundState = 4
    ListeningState = 5
    ClosingState = 6


class SocketError(enum.Enum):
    """What went wrong last; UnknownSocketError while nothing did."""

    ConnectionRefusedError = 0
    RemoteHostClosedError = 1
    HostNotFoundError = 2
    SocketAccessError = 3
    SocketResourceError = 4
    SocketTimeoutError = 5
    DatagramTooLargeError = 6
    NetworkError = 7
    AddressInUseError = 8
    SocketAddressNotAvailableError = 9
    UnsupportedSocketOperationError = 10
    UnfinishedSocketOperationError = 11
    ProxyAuthenticationRequiredError = 12
    SslHandshakeFailedError = 13
    ProxyConnectionRefusedError = 14
    ProxyConnectionClosedError = 15
    ProxyConnectionTimeoutError = 16
    ProxyNotFoundError = 17
    ProxyProtocolError = 18
    OperationError = 19
    SslInternalError = 20
    SslInvalidUserDataError = 21
    TemporaryError = 22
    UnknownSocketError = -1


class SocketType(enum.Enum):
    """The transport; the facade has TCP."""

    TcpSocket = 0
    UdpSocket = 1
    SctpSocket = 2
    UnknownSocketType = -1


class SocketOption(enum.Enum):
    """Options of the system's socket."""

    LowDelayOption = 0
    KeepAliveOption = 1
    MulticastTtlOption = 2
    MulticastLoopbackOption = 3
    TypeOfServiceOption = 4
    SendBufferSizeSocketOption = 5
    ReceiveBufferSizeSocketOption = 6
    PathMtuSocketOption = 7
    KeepAliveIdleOption = 8
    KeepAliveIntervalOption = 9
    KeepAliveCountOption = 10


class BindFlag(enum.Flag, boundary=enum.KEEP):
    """How an address is bound."""

    DefaultForPlatform = 0
    ShareAddress = 1
    DontShareAddress = 2
    ReuseAddressHint = 4


class PauseMode(enum.Flag, boundary=enum.KEEP):
    """When a socket stops to wait for `resume()`."""

    PauseNever = 0
    PauseOnSslErrors = 1


for _kind in (SocketState, SocketError, SocketType, SocketOption, BindFlag, PauseMode):
    _kind.__qualname__ = f"QAbstractSocket.{_kind.__name__}"

SYSTEM_OPTIONS: dict[SocketOption, tuple[int, int]] = {
    option: (getattr(socket, level), getattr(socket, name))
    for option, level, name in (
        (SocketOption.LowDelayOption, "IPPROTO_TCP", "TCP_NODELAY"),
        (SocketOption.KeepAliveOption, "SOL_SOCKET", "SO_KEEPALIVE"),
        (SocketOption.MulticastTtlOption, "IPPROTO_IP", "IP_MULTICAST_TTL"),
        (SocketOption.MulticastLoopbackOption, "IPPROTO_IP", "IP_MULTICAST_LOOP"),
        (SocketOption.TypeOfServiceOption, "IPPROTO_IP", "IP_TOS"),
        (SocketOption.SendBufferSizeSocketOption, "SOL_SOCKET", "SO_SNDBUF"),
        (SocketOption.ReceiveBufferSizeSocketOption, "SOL_SOCKET", "SO_RCVBUF"),
        (SocketOption.KeepAliveIdleOption, "IPPROTO_TCP", "TCP_KEEPIDLE"),
        (SocketOption.KeepAliveIntervalOption, "IPPROTO_TCP", "TCP_KEEPINTVL"),
        (SocketOption.KeepAliveCountOption, "IPPROTO_TCP", "TCP_KEEPCNT"),
    )
    if hasattr(socket, name)
}


class QNetworkProxy(QtNames):
    """Stands for "no proxy": the facade connects directly."""

    class ProxyType(enum.Enum):
        """Kinds of proxies; only NoProxy and DefaultProxy have a meaning here."""

        DefaultProxy = 0
        Socks5Proxy = 1
        NoProxy = 2
        HttpProxy = 3
        HttpCachingProxy = 4
        FtpCachingProxy = 5

    def __init__(self, type: ProxyType = ProxyType.DefaultProxy, *_: object) -> None:
        self._type = type

    def type(self) -> ProxyType:
        return self._type
