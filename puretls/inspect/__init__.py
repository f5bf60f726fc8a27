"""Every byte of a connection, explained: of one that puretls takes part in, replays, or reads from a capture.

A `Conversation` is two byte streams and what is known of their secrets; all views are functions of it. `import puretls` loads none of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from puretls.inspect.bytemap import ByteMap, Leaf
    from puretls.inspect.captures import Capture, CaptureError, TcpConnection, read_capture, write_capture
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.knowledge import Knowledge
    from puretls.inspect.seen import MessageSeen, Problem, RecordSeen
    from puretls.inspect.streams import Chunk, Gap, Stream

_HOMES = {
    "ByteMap": "bytemap",
    "Capture": "captures",
    "CaptureError": "captures",
    "Chunk": "streams",
    "Conversation": "conversation",
    "Gap": "streams",
    "Knowledge": "knowledge",
    "Leaf": "bytemap",
    "MessageSeen": "seen",
    "Problem": "seen",
    "RecordSeen": "seen",
    "Stream": "streams",
    "TcpConnection": "captures",
    "read_capture": "captures",
    "write_capture": "captures",
}
"""Public name -> module that is loaded when it is first asked for."""

__all__ = [
    "ByteMap",
    "Capture",
    "CaptureError",
    "Chunk",
    "Conversation",
    "Gap",
    "Knowledge",
    "Leaf",
    "MessageSeen",
    "Problem",
    "RecordSeen",
    "Stream",
    "TcpConnection",
    "read_capture",
    "write_capture",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
