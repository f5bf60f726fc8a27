"""Key exchange: groups and shares, pre-shared keys, RSA; how each makes and reads its messages and its premaster secret.

RFC 5246 7.4.3, 7.4.7 and 8.1; RFC 8422 5.4, 5.7 and 5.10; RFC 7919 4; RFC 4279 2 to 4; RFC 5489 2.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from puretls.crypto.groups import BadPublicValue, Group
from puretls.crypto.keys import RsaPrivateKey, RsaPublicKey
from puretls.crypto.secret import Secret, leaving_no_frames
from puretls.errors import InternalError, PeerError, Reason, UsageError, calling
from puretls.extensions.supported_groups import FINITE_FIELD
from puretls.handshake.authenticate import KEY_PATH, sign, verify
from puretls.handshake.context import Context
from puretls.iana import ECCurveType, NamedGroup
from puretls.messages import key_exchange as messages
from puretls.messages.registry import KeyExchange
from puretls.suites import Suite
from puretls.wire.schema import Struct, serialise

T = TypeVar("T")

_PREMASTER_LENGTH = 48
_LONGEST = 2**16 - 1
"""Bytes of a pre-shared key, and of an identity (RFC 4279 2)."""
_NOBODYS_KEY_LENGTH = 32

# Groups


def group_name(group: int) -> str:
    """The name by which a provider knows a group."""
    return NamedGroup(group).name.lower()


def group_number(group: Group) -> NamedGroup | None:
    """The registered number of a group; None for a finite field that has no name."""
    return NamedGroup.__members__.get(group.name.upper())


def choose_group(ours: Sequence[int], theirs: Sequence[int] | None, suite: Suite) -> int | None:
    """The group for `suite`: our first that the peer has too. None where there is none (RFC 8422 5.1.1, RFC 7919 4).

    A client that sends no list can do any curve, in practice P-256; one that lists no finite-field group gets one of ours, which
    `choose_group` leaves to the caller.
    """
    finite = suite.is_finite_field
    candidates = [group for group in ours if (group in FINITE_FIELD) == finite]
    if theirs is None:
        return NamedGroup.SECP256R1 if NamedGroup.SECP256R1 in candidates else next(iter(candidates), None)
    return next((group for group in candidates if group in theirs), None)


def lists_finite_fields(theirs: Sequence[int] | None) -> bool:
    """Whether a client names finite-field groups, and so must be given one of them or no DHE suite at all (RFC 7919 4)."""
    return any(group in FINITE_FIELD for group in theirs or ())


def server_group(context: Context, group: int | None) -> Group:
    """The group a server uses: the one agreed on, or its own finite field for a client that names none."""
    provider = context.config.provider
    if group is not None:
        return provider.group(group_name(group))  # type: ignore[no-any-return]
    if context.server_config.dh_parameters is not None:
        return provider.finite_field(*context.server_config.dh_parameters)  # type: ignore[no-any-return]
    own = next((group for group in context.config.groups if group in FINITE_FIELD), NamedGroup.FFDHE2048)
    return provider.group(group_name(own))  # type: ignore[no-any-return]


# Messages of the server


def _to_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _server_params(context: Context) -> Struct:
    group: Any = context.peer.group
    share = context.secrets.share
    if share is None:
        raise InternalError("the server has no share")
    if context.suite.is_finite_field:
        return messages.ServerDhParams(_to_bytes(group.p), _to_bytes(group.g), share.public)
    curve = context.negotiated.group
    return messages.ServerEcdhParams(ECCurveType.NAMED_CURVE, NamedGroup.SECP256R1 if curve is None else curve, share.public)


def _signed(context: Context, params: Struct) -> messages.DigitallySigned:
    negotiated = context.negotiated
    if context.credential is None or negotiated.signature_scheme is None:
        raise InternalError("the server has nothing to sign with")
    data = negotiated.client_random + negotiated.server_random + serialise(params)
    return sign(context, context.credential, negotiated.signature_scheme, data)


def needs_server_message(context: Context) -> bool:
    """RSA has no ServerKeyExchange; PSK and RSA_PSK only where there is a hint (RFC 4279 2)."""
    if context.suite.kx is KeyExchange.RSA:
        return False
    return context.suite.is_ephemeral or context.server_config.psk_hint is not None


def make_server_key_exchange(context: Context) -> Struct:
    """The ServerKeyExchange of the suite in force."""
    kx, hint = context.suite.kx, context.server_config.psk_hint or b""
    if not context.suite.is_ephemeral:
        return messages.ServerKeyExchangePsk(hint)
    params: Any = _server_params(context)
    if kx is KeyExchange.DHE:
        return messages.ServerKeyExchangeDhe(params, _signed(context, params))
    if kx is KeyExchange.ECDHE:
        return messages.ServerKeyExchangeEcdhe(params, _signed(context, params))
    if kx is KeyExchange.DH_ANON:
        return messages.ServerKeyExchangeDhAnon(params)
    if kx is KeyExchange.ECDH_ANON:
        return messages.ServerKeyExchangeEcdhAnon(params)
    if kx is KeyExchange.DHE_PSK:
        return messages.ServerKeyExchangeDhePsk(hint, params)
    return messages.ServerKeyExchangeEcdhePsk(hint, params)


def read_server_key_exchange(context: Context, message: Any) -> Context:
    """Client: check and keep what the server sent; its signature is verified here."""
    peer = context.peer
    if hasattr(message, "psk_identity_hint"):
        peer = peer.evolve(psk_hint=message.psk_identity_hint)
    negotiated = context.negotiated
    if context.suite.is_ephemeral:
        params = message.params
        if context.suite.is_signed:
            _verify_params(context, message)
            negotiated = negotiated.evolve(signature_scheme=message.signed.algorithm)
        finite = isinstance(params, messages.ServerDhParams)
        group = _finite_field(context, params) if finite else _named_curve(context, params)
        negotiated = negotiated.evolve(group=group_number(group), group_name=group.name)
        peer = peer.evolve(group=group, share=params.dh_ys if finite else params.public)
    return context.evolve(peer=peer, _negotiated=negotiated)


def _verify_params(context: Context, message: Any) -> None:
    if context.peer.public_key is None:
        raise InternalError("the server has no certificate")
    negotiated = context.negotiated
    data = negotiated.client_random + negotiated.server_random + serialise(message.params)
    verify(context, context.peer.public_key, message.signed, data, "ServerKeyExchange.signed")


def _named_curve(context: Context, params: messages.ServerEcdhParams) -> Group:
    if params.curve_type != ECCurveType.NAMED_CURVE:
        raise PeerError(Reason.NOT_A_NAMED_CURVE, str(params.curve_type), path="ServerKeyExchange.params.curve_type")
    if params.named_curve not in context.config.groups or params.named_curve in FINITE_FIELD:
        raise PeerError(Reason.GROUP_NOT_OFFERED, str(params.named_curve), path="ServerKeyExchange.params.named_curve")
    return context.config.provider.group(group_name(params.named_curve))  # type: ignore[no-any-return]


def _finite_field(context: Context, params: messages.ServerDhParams) -> Group:
    """The server's group. Its prime is not tested for being one: a server that signs a bad group could as well tell the key."""
    limits = context.config.limits
    p, g = int.from_bytes(params.dh_p, "big"), int.from_bytes(params.dh_g, "big")
    if not limits.smallest_dh_prime <= p.bit_length() <= limits.largest_dh_prime:
        wanted = f"wanted are {limits.smallest_dh_prime} to {limits.largest_dh_prime}"
        raise PeerError(Reason.WEAK_DH_GROUP, f"{p.bit_length()} bits, {wanted}", path="ServerKeyExchange.params.dh_p")
    try:
        return context.config.provider.finite_field(p, g, min_bits=limits.smallest_dh_prime)  # type: ignore[no-any-return]
    except BadPublicValue as error:
        raise PeerError(Reason.BAD_PUBLIC_VALUE, str(error), path="ServerKeyExchange.params.dh_p") from None


# Messages of the client


def client_exchange(context: Context) -> tuple[Context, Secret]:
    """Client: make a share, choose a key, and compute the premaster secret. Reads `peer`, fills `secrets`."""
    suite = context.suite
    if suite.is_psk:
        context = _choose_psk(context)
    other = b""
    if suite.is_ephemeral:
        group = context.peer.group
        if group is None:
            raise InternalError("the server's share is missing")
        path = f"ServerKeyExchange.params.{_share_field(suite, 'dh_ys')}"
        share, other = _agree(lambda: group.answer(context.random, context.peer.share), path)
        context = context.evolve(secrets=context.secrets.evolve(share=share))
    elif suite.kx in {KeyExchange.RSA, KeyExchange.RSA_PSK}:
        version = int(context.offer.hello.client_version).to_bytes(2, "big")
        other = Secret(version + context.random(_PREMASTER_LENGTH - 2))
        context = context.evolve(secrets=context.secrets.evolve(premaster=other))
    return context, Secret(_combine(context, other))


@leaving_no_frames
def _choose_psk(context: Context) -> Context:
    callback = context.client_config.psk
    with calling("psk", callback):
        chosen = callback(context.peer.psk_hint) if callback else None
    if chosen is None:
        raise PeerError(Reason.NO_PSK)
    if not isinstance(chosen, tuple | list) or len(chosen) != 2:
        raise UsageError(f"psk must give (identity, key) or None, not {type(chosen).__name__}")
    identity, key = chosen
    if not isinstance(identity, bytes) or len(identity) > _LONGEST:
        raise UsageError("psk must give an identity of at most 65,535 bytes (RFC 4279 2)")
    return _with_psk(context, identity, key)


def _with_psk(context: Context, identity: bytes, key: object) -> Context:
    """The key is judged here for both roles: an empty one would leave no secret at all (RFC 4279 5.3 and 7.1)."""
    if not isinstance(key, bytes) or not 1 <= len(key) <= _LONGEST:
        raise UsageError("psk must give a key of 1 to 65,535 bytes (RFC 4279 2 and 5.3)")
    return context.evolve(
        _negotiated=context.negotiated.evolve(psk_identity=identity),
        secrets=context.secrets.evolve(psk=Secret(key)),
    )


def _share_field(suite: Suite, finite: str) -> str:
    """What the field with a public value is called: `finite` in a finite field."""
    return finite if suite.is_finite_field else "public"


def _agree(compute: Callable[[], T], path: str) -> T:
    """What the group makes of the peer's public value, which is at `path`."""
    try:
        return compute()
    except BadPublicValue as error:
        raise PeerError(Reason.BAD_PUBLIC_VALUE, str(error), path=path) from None


def _combine(context: Context, other: bytes) -> bytes:
    """The premaster secret: the shared secret itself, or with a pre-shared key as RFC 4279 2 lays it out."""
    if not context.suite.is_psk:
        return other
    psk = context.secrets.psk
    if context.suite.kx is KeyExchange.PSK:
        other = bytes(len(psk))
    return len(other).to_bytes(2, "big") + other + len(psk).to_bytes(2, "big") + psk


def make_client_key_exchange(context: Context) -> Struct:
    """The ClientKeyExchange of the suite in force, from what `client_exchange` left in `secrets`."""
    kx, identity = context.suite.kx, context.negotiated.psk_identity or b""
    public = context.secrets.share.public if context.secrets.share else b""
    if kx in {KeyExchange.RSA, KeyExchange.RSA_PSK}:
        encrypted = _rsa_encrypt(context)
        if kx is KeyExchange.RSA:
            return messages.ClientKeyExchangeRsa(encrypted)
        return messages.ClientKeyExchangeRsaPsk(identity, encrypted)
    if kx in {KeyExchange.DHE, KeyExchange.DH_ANON}:
        return messages.ClientKeyExchangeDh(public)
    if kx in {KeyExchange.ECDHE, KeyExchange.ECDH_ANON}:
        return messages.ClientKeyExchangeEcdh(public)
    if kx is KeyExchange.DHE_PSK:
        return messages.ClientKeyExchangeDhePsk(identity, public)
    if kx is KeyExchange.ECDHE_PSK:
        return messages.ClientKeyExchangeEcdhePsk(identity, public)
    return messages.ClientKeyExchangePsk(identity)


def read_client_key_exchange(context: Context, message: Any) -> tuple[Context, Secret]:
    """Server: the premaster secret from what the client sent."""
    suite = context.suite
    if suite.is_psk:
        context = _find_psk(context, message.psk_identity)
    other = b""
    if suite.is_ephemeral:
        group, share = context.peer.group, context.secrets.share
        if group is None or share is None:
            raise InternalError("the server has no share")
        field = _share_field(suite, "dh_yc")
        public = getattr(message, field)
        other = _agree(lambda: group.shared_secret(share.private, public), f"ClientKeyExchange.{field}")
    elif suite.kx in {KeyExchange.RSA, KeyExchange.RSA_PSK}:
        other = _rsa_decrypt(context, message.encrypted_premaster_secret)
    return context, Secret(_combine(context, other))


@leaving_no_frames
def _find_psk(context: Context, identity: bytes) -> Context:
    """The key of an identity; one that nobody has for an unknown identity, so that the client learns what a wrong key tells (RFC 4279 2).

    It is drawn for a known identity, too.
    """
    callback = context.server_config.psk
    nobodys = Secret(context.random(_NOBODYS_KEY_LENGTH))
    with calling("psk", callback):
        key = callback(identity) if callback else None
    if key is None and context.server_config.refuse_unknown_identities:
        raise PeerError(Reason.UNKNOWN_PSK_IDENTITY, path="ClientKeyExchange.psk_identity")
    return _with_psk(context, identity, nobodys if key is None else key)


# RSA


def _rsa_encrypt(context: Context) -> bytes:
    """RSAES-PKCS1-v1_5 (RFC 8017 7.2.1): 00 02, at least eight non-zero random bytes, 00, the message."""
    key = context.peer.public_key
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


def _rsa_decrypt(context: Context, encrypted: bytes) -> bytes:
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
    version = int(context.offer.hello.client_version).to_bytes(2, "big")
    frame = block[:2] + block[-_PREMASTER_LENGTH - 1 : -_PREMASTER_LENGTH + 2]
    good = hmac.compare_digest(frame, b"\0\2\0" + version)
    good &= 0 not in block[2 : -_PREMASTER_LENGTH - 1]
    good &= in_range
    choices: tuple[bytes, bytes] = random, block[-_PREMASTER_LENGTH:]
    return choices[good]
