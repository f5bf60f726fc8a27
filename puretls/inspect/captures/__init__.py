"""Captures of other people's connections: read from pcap and pcapng, taken apart into TCP connections, written for other tools.

`read_capture` gives a `Capture`; each of its connections becomes a `Conversation`. Needs the extra `capture`.
"""

from __future__ import annotations

from puretls.inspect.captures.beginning import Prefix
from puretls.inspect.captures.capture import Capture, TcpConnection, read_capture
from puretls.inspect.captures.files import CaptureError
from puretls.inspect.captures.write import write_capture

__all__ = ["Capture", "CaptureError", "Prefix", "TcpConnection", "read_capture", "write_capture"]
