"""Channel bindings: what ties an authentication inside the connection to the connection itself (RFC 5929, RFC 9266)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from puretls.errors import DecodeError, UsageError
from puretls.handshake.context import Context, Established
from puretls.handshake.states import Role

if TYPE_CHECKING:
    from puretls.connection import Connection


def channel_binding(connection: Connection, context: Context, established: Established, kind: str) -> bytes:
    """See `Connection.channel_binding`."""
    if kind == "tls-unique":
        return _unique(established)
    if kind == "tls-server-end-point":
        return _server_end_point(context)
    if kind == "tls-exporter":
        if not established.negotiated.extended_master_secret:
            raise UsageError("tls-exporter needs extended_master_secret in TLS 1.2 (RFC 9266 4.2)")
        return connection.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
    raise UsageError(f"channel binding {kind!r} is unknown; there are tls-unique, tls-server-end-point and tls-exporter")


def _unique(established: Established) -> bytes:
    """RFC 5929 3.1: the first Finished of the last handshake, which in a resumption is the server's."""
    negotiated = established.negotiated
    if negotiated.resumed and not negotiated.extended_master_secret:
        raise UsageError("tls-unique is not unique on a session resumed without extended_master_secret (RFC 7627 1)")
    client, server = established.verify_data
    return server if negotiated.resumed else client


def _server_end_point(context: Context) -> bytes:
    """RFC 5929 4.1: the server's certificate under its own signature's hash, SHA-256 for MD5 and SHA-1."""
    from puretls.x509.certificate import Certificate

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
