"""Hello extensions as they travel, and the registry that tells which struct a body is (RFC 5246 7.4.1.4).

In a message an extension stays raw; bodies are parsed by the extension that owns them, and explained by the struct registered here.
"""

from __future__ import annotations

import struct

from puretls.iana import ExtensionType, HandshakeType
from puretls.spans import Sink
from puretls.wire.codec import Codec, Vector, names_of
from puretls.wire.schema import Struct, StructCodec, annotate, opaque_vector, u16, wire

BODIES: dict[tuple[HandshakeType, int], type[Struct]] = {}
"""(message, extension type) -> struct of the body; filled by `extensions`."""


@wire("5246 7.4.1.4")
class RawExtension(Struct):
    """An extension with its body unparsed."""

    extension_type: ExtensionType | int = u16(ExtensionType)
    extension_data: bytes = opaque_vector(0, 2**16 - 1)


_TYPE_OF = names_of(ExtensionType)
_HEAD = struct.Struct(">HH")


def body_name(extension_type: int) -> str:
    """What the body of an extension is called in paths."""
    return extension_type.name.lower() if isinstance(extension_type, ExtensionType) else "extension_data"


class ExtensionCodec(StructCodec):
    """Reads and writes a RawExtension; for a sink it looks into the body where a struct is known for it."""

    def __init__(self, message: HandshakeType) -> None:
        super().__init__(RawExtension)
        self.message = message

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[RawExtension, int]:
        """As the struct says; where all is well and nobody asks, in one step: a hello has a dozen of these."""
        start = pos + 4
        if sink is None and start <= end:
            stop = start + (data[pos + 2] << 8 | data[pos + 3])
            if stop <= end:
                return RawExtension(_TYPE_OF(data[pos] << 8 | data[pos + 1]), data[start:stop]), stop
        value, stop = super().read(data, pos, end, sink, path)
        if sink is not None:
            self._explain_body(value, data, stop, sink, path)
        return value, stop

    def write(self, value: RawExtension, out: bytearray) -> None:
        """As the struct says; in one step, likewise."""
        body = value.extension_data
        if 0 <= value.extension_type <= 0xFFFF and len(body) <= 0xFFFF:
            out += _HEAD.pack(value.extension_type, len(body))
            out += body
        else:
            super().write(value, out)

    def _explain_body(self, value: RawExtension, data: bytes, stop: int, sink: Sink, path: str) -> None:
        """The fields of the body in place of its bytes. Where they are wrong that is marked, and the next extension is read."""
        body = BODIES.get((self.message, int(value.extension_type)))
        if body is None:
            return
        if value.extension_data:
            sink.pop()
        sink += annotate(body, data, stop - len(value.extension_data), stop, f"{path}.{body_name(value.extension_type)}")


def extension_list(message: HandshakeType) -> Codec:
    """The extensions block of a hello."""
    return Vector(ExtensionCodec(message), 0, 2**16 - 1)
