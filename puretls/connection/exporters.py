"""What a connection gives to protocols above it: keying material (RFC 5705) and channel bindings (RFC 5929, RFC 9266).

Both are functions of what a complete handshake left behind; they change nothing.
"""

from __future__ import annotations

import hashlib

from puretls import schedule
from puretls.arguments import described
from puretls.connection.progress import Progress
from puretls.errors import DecodeError, UsageError
from puretls.handshake.context import Context, Established
from puretls.handshake.states import Role

_RESERVED = frozenset((b"client finished", b"server finished", b"master secret", b"key expansion", b"extended master secret"))
"""Labels that belong to TLS itself (RFC 5705 4)."""
MAX_LENGTH = 2**16 - 1
"""Bytes of keying material that are given at once. RFC 5705 has no bound; this is the one that TLS 1.3 has (RFC 8446 7.1)."""


def keying_material(progress: Progress, label: bytes, length: int, value: bytes | None) -> bytes:
    """See `Connection.export_keying_material`; `value` is the context of RFC 5705 4."""
    established = _settled(progress)
    if not isinstance(length, int) or not 1 <= length <= MAX_LENGTH:
        raise UsageError(f"the length is a number of bytes, 1 to {MAX_LENGTH:,}")
    if not isinstance(label, bytes) or not isinstance(value, bytes | None):
        raise UsageError(f"label and context are bytes, not {described(label)} and {described(value)}")
    if label in _RESERVED:
        raise UsageError("this label belongs to TLS itself (RFC 5705 4)")
    if value is not None and len(value) > 2**16 - 1:
        raise UsageError("a context has at most 65,535 bytes (RFC 5705 4)")
    negotiated = established.negotiated
    randoms = negotiated.client_random, negotiated.server_random
    prf = progress.context.config.provider.prf
    return schedule.exporter(prf, negotiated.suite.prf_hash, established.master, randoms, label, value, length)


def channel_binding(progress: Progress, kind: str) -> bytes:
    """See `Connection.channel_binding`."""
    established = _settled(progress)
    if kind == "tls-unique":
        return _unique(established)
    if kind == "tls-server-end-point":
        return _server_end_point(progress.context)
    if kind == "tls-exporter":
        if not established.negotiated.extended_master_secret:
            raise UsageError("tls-exporter needs extended_master_secret in TLS 1.2 (RFC 9266 4.2)")
        return keying_material(progress, b"EXPORTER-Channel-Binding", 32, b"")
    raise UsageError(f"channel binding {kind!r} is unknown; there are tls-unique, tls-server-end-point and tls-exporter")


def _settled(progress: Progress) -> Established:
    """The last handshake. Raises `UsageError` before it, and in a renegotiation."""
    established = progress.context.established
    if established is None:
        raise UsageError("the handshake is not complete")
    if progress.is_handshaking:
        raise UsageError("a renegotiation is under way: it is not clear whose keys are meant")
    return established


def _unique(established: Established) -> bytes:
    """RFC 5929 3.1: the first Finished of the last handshake, which in a resumption is the server's."""
    negotiated = established.negotiated
    if negotiated.resumed and not negotiated.extended_master_secret:
        raise UsageError("tls-unique is not unique on a session resumed without extended_master_secret (RFC 7627 1)")
    client, server = established.verify_data
    return server if negotiated.resumed else client


def _server_end_point(context: Context) -> bytes:
    """RFC 5929 4.1: the server's certificate under its own signature's hash, SHA-256 for MD5 and SHA-1."""
    from puretls.x509.certificates.certificate import Certificate

    chain = context.peer.chain if context.role is Role.CLIENT else (context.credential.chain if context.credential else ())
    if not chain:
        raise UsageError("there is no server certificate to bind to")
    try:
        name = Certificate.read(chain[0]).signature_algorithm.hash
    except DecodeError as error:
        raise UsageError(f"the certificate's signature is of no kind known here (RFC 5929 4.1): {error}") from None
    if not name:
        raise UsageError("the certificate's signature has no hash of its own (RFC 5929 4.1)")
    return hashlib.new("sha256" if name in {"md5", "sha1"} else name, chain[0]).digest()
