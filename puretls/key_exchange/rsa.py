"""The RSA premaster secret: drawn by the client, and sent under the key of the server's certificate (RFC 5246 7.4.7.1 and 8.1.1)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from puretls.crypto.keys import RsaPrivateKey, RsaPublicKey
from puretls.crypto.secret import Secret
from puretls.errors import InternalError, PeerError, Reason
from puretls.key_exchange.base import Part
from puretls.key_exchange.signature import KEY_PATH

if TYPE_CHECKING:
    from puretls.handshake.context import ClientContext, Context, ServerContext

_PREMASTER_LENGTH = 48


class RsaPremaster(Part):
    """No ServerKeyExchange: the certificate's key is all that the client needs."""

    def respond(self, context: ClientContext) -> tuple[ClientContext, bytes]:
        premaster = Secret(_offered_version(context) + context.random(_PREMASTER_LENGTH - 2))
        return context.evolve(secrets=context.secrets.evolve(premaster=premaster)), premaster

    def add_client_fields(self, context: ClientContext, fields: dict[str, Any]) -> None:
        fields["encrypted_premaster_secret"] = _encrypt(context)

    def receive(self, context: ServerContext, message: Any) -> tuple[ServerContext, bytes]:
        return context, _decrypt(context, message.encrypted_premaster_secret)


def _offered_version(context: Context) -> bytes:
    return int(context.offer.hello.client_version).to_bytes(2, "big")


def _encrypt(context: Context) -> bytes:
    """RSAES-PKCS1-v1_5 (RFC 8017 7.2.1): 00 02, at least eight non-zero random bytes, 00, the message."""
    key = context.peer_key
    if not isinstance(key, RsaPublicKey):
        raise InternalError("the server's key is not RSA")
    length = (key.n.bit_length() + 7) // 8
    count = length - 3 - _PREMASTER_LENGTH
    if count < 8:
        raise PeerError(Reason.WRONG_KEY_TYPE, f"an RSA key of {key.n.bit_length()} bits is too short", path=KEY_PATH)
    filler = b""
    while len(filler) < count:
        filler += context.random(count).replace(b"\0", b"")
    block = b"\0\2" + filler[:count] + b"\0" + context.secrets.premaster
    return pow(int.from_bytes(block, "big"), key.e, key.n).to_bytes(length, "big")


def _decrypt(context: Context, encrypted: bytes) -> bytes:
    """The premaster secret, or a random one for anything wrong (RFC 5246 7.4.7.1, against Bleichenbacher).

    All checks are made whatever the earlier ones said, and nothing tells which failed: the handshake then breaks at Finished.
    """
    credential, config = context.credential, context.config
    if credential is None or not isinstance(credential.key, RsaPrivateKey):
        raise InternalError("the server's key is not RSA")
    key = credential.key
    random = Secret(context.random(_PREMASTER_LENGTH))
    length = (key.public.n.bit_length() + 7) // 8
    number = int.from_bytes(encrypted, "big")
    in_range = len(encrypted) == length and number < key.public.n
    block = config.provider.rsa_private(key, number if in_range else 0, context.random).to_bytes(length, "big")
    # RFC 5246 7.4.7.1: the version is what the ClientHello said, checked along with the padding.
    frame = block[:2] + block[-_PREMASTER_LENGTH - 1 : -_PREMASTER_LENGTH + 2]
    good = hmac.compare_digest(frame, b"\0\2\0" + _offered_version(context))
    good &= 0 not in block[2 : -_PREMASTER_LENGTH - 1]
    good &= in_range
    choices: tuple[bytes, bytes] = random, block[-_PREMASTER_LENGTH:]
    return choices[good]
