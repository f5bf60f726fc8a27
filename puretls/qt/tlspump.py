"""Moving bytes between a TLS driver and a TCP transport. What happens meanwhile is yielded, for the socket to do: see `tlsdriver`."""

from __future__ import annotations

from collections.abc import Generator

from puretls.qt.tcptransport import TcpTransport
from puretls.qt.tlsdriver import TlsDriver
from puretls.qt.tlseffects import BytesEncrypted, Effect, Fail, Steps

AT_ONCE = 1 << 18
"""Bytes encrypted in one turn of the event loop: other sockets get theirs in between."""
ALL = 1 << 62
"""Everything is encrypted, with what slots write meanwhile."""


def pump(tls: TlsDriver, tcp: TcpTransport, limit: int) -> Steps:
    """Encrypts and sends what was written, up to `limit` bytes in one go, and decrypts what has come, until nothing is left."""
    going = True
    while going and not tls.has_ended:
        going = False
        if tls.queued and tls.is_encrypted and not tls.is_broken:
            if tls.may_write:
                yield BytesEncrypted(tls.encrypt(limit))
                going = limit == ALL and bool(tls.queued)
            else:
                yield from tls.refuse_to_write()
        if not (yield from _send(tls, tcp)) or tls.is_broken or tls.is_paused or tls.has_ended:
            return
        if (yield from _receive(tls, tcp)):
            yield from _send(tls, tcp)
            going = True


def _send(tls: TlsDriver, tcp: TcpTransport) -> Generator[Effect, bool, bool]:
    """Hands what is for the peer to the transport. False when that failed."""
    data = tls.take_output() if tcp.is_open else b""
    if not data or tcp.write(data):
        return True
    yield Fail(tcp.error, tcp.error_string)
    return False


def _receive(tls: TlsDriver, tcp: TcpTransport) -> Generator[Effect, bool, bool]:
    """Hands what has come to the driver. Whether anything but data happened: there may be more to send."""
    fed, before = False, tls.steps_taken
    if tcp.received and not tls.peer_closed and not tls.is_full:
        tls.feed(tcp.take(len(tcp.received)))
        fed = True
    if not tls.is_idle:
        yield from tls.steps()
    return fed or tls.steps_taken != before


def close(tls: TlsDriver, tcp: TcpTransport, *, tells: bool) -> Steps:
    """Sends close_notify. Without `tells` it goes past the signals, if there is room."""
    owed = tls.close()
    if tells:
        yield tls.tell_close()
        yield from _send(tls, tcp)
    else:
        tcp.write_untold(owed + tls.take_output())
