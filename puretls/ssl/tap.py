"""What a message call-back is told, in OpenSSL's order: the header of each record, then the message in it (SSL_CTX_set_msg_callback(3))."""

from __future__ import annotations

from collections.abc import Callable

from puretls.iana import ContentType
from puretls.intercept import Direction, Interceptor, Where
from puretls.messages.records import Record

Tell = Callable[[str, int, int, int, bytes], None]
"""Direction, version, content type, type of the message, bytes."""

TLS_1_2 = 0x303
HEADER = 0x100
CHANGE_CIPHER_SPEC = 0x101
_DIRECTIONS = {Direction.INBOUND: "read", Direction.OUTBOUND: "write"}


class MessageTap(Interceptor):
    """Tells of headers, handshake messages, alerts, and the ChangeCipherSpecs that leave; changes nothing."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._leaving: list[tuple[int, int, bytes]] = []  # messages whose record has not left yet

    def handshake(self, raw: bytes, where: Where) -> tuple[bytes]:
        self._message(ContentType.HANDSHAKE, raw[0], raw, where)
        return (raw,)

    def plaintext(self, record: Record, where: Where) -> tuple[Record]:
        fragment = record.fragment
        if record.type == ContentType.ALERT:
            self._message(record.type, fragment[1] if len(fragment) > 1 else -1, fragment, where)
        elif record.type == ContentType.CHANGE_CIPHER_SPEC and where.direction is Direction.OUTBOUND:
            self._message(record.type, CHANGE_CIPHER_SPEC, fragment, where)
        return (record,)

    def ciphertext(self, raw: bytes, where: Where) -> tuple[bytes]:
        direction = _DIRECTIONS[where.direction]
        self._tell(direction, int.from_bytes(raw[1:3], "big"), HEADER, raw[0], raw[:5])
        if where.direction is Direction.OUTBOUND:
            for content_type, kind, data in self._leaving:
                self._tell(direction, TLS_1_2, content_type, kind, data)
            self._leaving.clear()
        return (raw,)

    def _message(self, content_type: int, kind: int, data: bytes, where: Where) -> None:
        if where.direction is Direction.OUTBOUND:
            self._leaving.append((content_type, kind, data))
        else:
            self._tell("read", TLS_1_2, content_type, kind, data)
