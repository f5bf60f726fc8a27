"""The settings of a QSslSocket as one value: its configuration, the name to verify, which errors to ignore, who watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from puretls.handshake.states import Role
from puretls.qt.qsslconfiguration import QSslConfiguration
from puretls.qt.qsslerror import QSslError
from puretls.watch import Watcher


class SslSettings:
    """What a program has set on a socket. The socket changes it, the TLS driver reads it at the moment when it counts."""

    def __init__(self) -> None:
        self.config: QSslConfiguration = QSslConfiguration.defaultConfiguration()
        self.verify_name = ""  # to verify, and to send, instead of the host name
        self.read_limit = 0  # bytes that are decrypted ahead; 0 is no limit
        self.interceptors: tuple[Any, ...] = ()
        self.watcher: Callable[[Role], Watcher | None] | None = None
        self._ignored: list[QSslError] = []
        self._ignores_all = self._ignores_all_next = False

    def begin_connection(self) -> None:
        """Forgets what was agreed on before. That all errors are ignored holds for one connection."""
        self.config._forget_agreed()
        self._ignores_all, self._ignores_all_next = self._ignores_all_next, False

    def take_configuration(self, config: QSslConfiguration) -> None:
        """Takes a copy of another configuration; what was agreed on stays."""
        self.config = config._with_agreed_of(self.config)

    def ignore_all(self, *, next_time: bool) -> None:
        """Ignores all errors of this connection; of the next one too with `next_time`."""
        self._ignores_all, self._ignores_all_next = True, next_time

    def ignore(self, errors: Sequence[QSslError]) -> None:
        """Ignores these errors, here and later, and no others."""
        self._ignored = [QSslError(error) for error in errors]
        self._ignores_all = self._ignores_all_next = False

    def ignores(self, errors: Sequence[QSslError]) -> bool:
        """Whether the handshake goes on in spite of these errors."""
        return all(error in self._ignored for error in errors) if self._ignored else self._ignores_all
