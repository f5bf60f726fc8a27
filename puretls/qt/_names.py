"""Qt's ways of naming: enum values reached through their class, and snake_case beside camelCase.

Owns no behaviour of sockets; every class of the facade inherits `QtNames`.
"""

from __future__ import annotations

import enum
import re

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNDERSCORE = re.compile(r"_([a-z0-9])")


def snake(name: str) -> str:
    """`peerVerifyMode` as `peer_verify_mode`."""
    return _WORD.sub("_", name).lower()


def camel(name: str) -> str:
    """`peer_verify_mode` as `peerVerifyMode`."""
    return _UNDERSCORE.sub(lambda match: match[1].upper(), name)


class QtNames:
    """Gives a class both spellings of each member and the short form of its enum values.

    An override works under either name: a subclass that defines `incoming_connection` is called through
    `incomingConnection`, and the other way round.
    """

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            if name.startswith("_"):
                continue
            if isinstance(value, type) and issubclass(value, enum.Enum):
                export_values(cls, value)
                continue
            if not hasattr(value, "__get__"):
                continue
            other = snake(name) if snake(name) != name else camel(name)
            if other != name and other not in vars(cls) and (snake(name) != name or hasattr(cls, other)):
                setattr(cls, other, value)


def export_values(owner: type, *enums: type[enum.Enum]) -> None:
    """Makes `owner.Value` stand for `owner.Enum.Value`, for each value that has no member in its way."""
    for kind in enums:
        for name, value in kind.__members__.items():
            if not hasattr(owner, name):
                setattr(owner, name, value)
