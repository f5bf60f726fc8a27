"""Hello extensions as they travel, and the registry that tells which struct a body is (RFC 5246 7.4.1.4).

In a message an extension stays raw; bodies are parsed by the extension that owns them, and annotated by the struct registered here.
"""

from __future__ import annotations

from puretls.iana import ExtensionType, HandshakeType
from puretls.spans import Span, with_note
from puretls.wire.codec import Codec, Spans, Vector, names_of
from puretls.wire.schema import Struct, StructCodec, annotate_into, opaque_vector, u16, wire

BODIES: dict[tuple[HandshakeType, int], type[Struct]] = {}
"""(message, extension type) -> struct of the body; filled by `extensions`."""


@wire("5246 7.4.1.4")
class RawExtension(Struct):
    """An extension with its body unparsed."""

    extension_type: ExtensionType | int = u16(ExtensionType)
    extension_data: bytes = opaque_vector(0, 2**16 - 1)


_TYPE_OF = names_of(ExtensionType)


def body_name(extension_type: int) -> str:
    """What the body of an extension is called in paths."""
    return extension_type.name.lower() if isinstance(extension_type, ExtensionType) else "extension_data"


class _ExtensionCodec(StructCodec):
    """Reads and writes a RawExtension; annotates the body by its own struct where one is known."""

    def __init__(self, message: HandshakeType) -> None:
        super().__init__(RawExtension)
        self.message = message

    def read(self, data: bytes, pos: int, end: int) -> tuple[RawExtension, int]:
        """As the struct says, in one step: a hello has a dozen of these."""
        start = pos + 4
        if start <= end:
            stop = start + (data[pos + 2] << 8 | data[pos + 3])
            if stop <= end:
                return RawExtension(_TYPE_OF(data[pos] << 8 | data[pos + 1]), data[start:stop]), stop
        value: tuple[RawExtension, int] = super().read(data, pos, end)  # raises, and says where
        return value

    def write(self, value: RawExtension, out: bytearray) -> None:
        out += value.extension_type.to_bytes(2, "big") + len(value.extension_data).to_bytes(2, "big") + value.extension_data

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        raw, stop = self.read(data, pos, end)
        start = pos + 4
        spans.append(Span(pos, pos + 2, f"{path}.extension_type", raw.extension_type))
        spans.append(Span(pos + 2, start, f"{path}.extension_data.length", stop - start))
        body = BODIES.get((self.message, int(raw.extension_type)))
        if body is None:
            if start < stop:
                spans.append(Span(start, stop, f"{path}.extension_data", raw.extension_data))
            return stop
        inside: Spans = []
        # Where the body is wrong the extension is framed well all the same: it is marked, and the next one read.
        annotate_into(inside, body, data, start, stop, f"{path}.{body_name(raw.extension_type)}")
        spans += with_note(inside, body.rfc)
        return stop


def extension_list(message: HandshakeType) -> Codec:
    """The extensions block of a hello."""
    return Vector(_ExtensionCodec(message), 0, 2**16 - 1)
