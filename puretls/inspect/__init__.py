"""Every byte of a connection, explained: of one that puretls takes part in, replays, or reads from a capture.

A `Conversation` is two byte streams and what is known of their secrets; all views are functions of it. `import puretls` loads none of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from puretls.inspect.bytemap import ByteMap, Leaf
    from puretls.inspect.captures import Capture, CaptureError, TcpConnection, read_capture, write_capture
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.edit import Edit
    from puretls.inspect.knowledge import Knowledge
    from puretls.inspect.peer import MemoryPeer, Peer, SocketPeer, Told
    from puretls.inspect.player import Played, Replay, replay
    from puretls.inspect.recorder import Recorder, Recordings, record
    from puretls.inspect.seen import MessageSeen, Problem, RecordSeen
    from puretls.inspect.streams import Chunk, Gap, Stream
    from puretls.inspect.tape import Script, Step, Tape

_HOMES = {
    "ByteMap": "bytemap",
    "Capture": "captures",
    "CaptureError": "captures",
    "Chunk": "streams",
    "Conversation": "conversation",
    "Edit": "edit",
    "Gap": "streams",
    "Knowledge": "knowledge",
    "Leaf": "bytemap",
    "MemoryPeer": "peer",
    "MessageSeen": "seen",
    "Peer": "peer",
    "Played": "player",
    "Problem": "seen",
    "RecordSeen": "seen",
    "Recorder": "recorder",
    "Recordings": "recorder",
    "Replay": "player",
    "Script": "tape",
    "SocketPeer": "peer",
    "Step": "tape",
    "Stream": "streams",
    "Tape": "tape",
    "TcpConnection": "captures",
    "Told": "peer",
    "read_capture": "captures",
    "record": "recorder",
    "replay": "player",
    "write_capture": "captures",
}
"""Public name -> module that is loaded when it is first asked for."""

__all__ = [
    "ByteMap",
    "Capture",
    "CaptureError",
    "Chunk",
    "Conversation",
    "Edit",
    "Gap",
    "Knowledge",
    "Leaf",
    "MemoryPeer",
    "MessageSeen",
    "Peer",
    "Played",
    "Problem",
    "RecordSeen",
    "Recorder",
    "Recordings",
    "Replay",
    "Script",
    "SocketPeer",
    "Step",
    "Stream",
    "Tape",
    "TcpConnection",
    "Told",
    "read_capture",
    "record",
    "replay",
    "write_capture",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
