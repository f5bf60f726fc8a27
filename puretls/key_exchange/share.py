"""The ephemeral share: a Diffie-Hellman group, of a finite field or a curve, and a fresh public value of each side in it.

RFC 5246 7.4.3, 7.4.7.2 and 8.1.2; RFC 7919 4; RFC 8422 5.4, 5.7 and 5.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from puretls.crypto.groups import BadPublicValue, Group, KeyShare
from puretls.errors import InternalError, PeerError, Reason
from puretls.iana import ECCurveType, NamedGroup
from puretls.key_exchange.base import Groups, Lack, Part, Sends, agree
from puretls.key_exchange.signature import sign, verify
from puretls.messages.key_exchange import DigitallySigned, ServerDhParams, ServerEcdhParams
from puretls.wire.schema import Struct, serialise

if TYPE_CHECKING:
    from puretls.config import ServerConfig
    from puretls.handshake.context import ClientContext, Context, ServerContext

FINITE_FIELD = frozenset(range(0x0100, 0x0200))
"""The code points reserved for finite-field groups; not all have a group yet (RFC 7919 2). In a range an enum would be searched for."""
_PARAMS = "ServerKeyExchange.params"


class Share(Part):
    """What both kinds of group have in common. `signed`: the server signs its parameters (not if anonymous or with a PSK)."""

    server_sends = Sends.MUST
    server_field: ClassVar[str]
    """The server's public value, in its parameters."""
    client_field: ClassVar[str]
    """The client's, in its message."""

    def __init__(self, *, signed: bool = False) -> None:
        self.is_signed = signed

    def group(self, context: ServerContext, theirs: Groups) -> Group:
        """Server: the group to use, after `lack` has found nothing missing."""
        raise NotImplementedError

    def params(self, context: ServerContext, group: Any, public: bytes) -> Struct:
        """Server: group and public value, as they are sent."""
        raise NotImplementedError

    def read_group(self, context: ClientContext, params: Any) -> Group:
        """Client: the group that the server has chosen. Raises `PeerError` for a group that was not offered."""
        raise NotImplementedError

    def prepare(self, context: ServerContext, theirs: Groups) -> ServerContext:
        group = self.group(context, theirs)
        return context.evolve(
            _negotiated=context.negotiated.evolve(group=group_number(group), group_name=group.name),
            peer=context.peer.evolve(group=group),
            secrets=context.secrets.evolve(share=group.generate(context.random)),
        )

    def add_server_fields(self, context: ServerContext, fields: dict[str, Any]) -> None:
        group, share = _prepared(context)
        fields["params"] = params = self.params(context, group, share.public)
        if self.is_signed:
            fields["signed"] = _signed(context, params)

    def learn(self, context: ClientContext, message: Any) -> ClientContext:
        negotiated = context.negotiated
        if self.is_signed:
            _verify(context, message.params, message.signed)
            negotiated = negotiated.evolve(signature_scheme=message.signed.algorithm)
        group = self.read_group(context, message.params)
        return context.evolve(
            peer=context.peer.evolve(group=group, share=getattr(message.params, self.server_field)),
            _negotiated=negotiated.evolve(group=group_number(group), group_name=group.name),
        )

    def respond(self, context: ClientContext) -> tuple[ClientContext, bytes]:
        group = context.peer.group
        if group is None:
            raise InternalError("the server's share is missing")
        share, shared = agree(lambda: group.answer(context.random, context.peer.share), f"{_PARAMS}.{self.server_field}")
        return context.evolve(secrets=context.secrets.evolve(share=share)), shared

    def add_client_fields(self, context: ClientContext, fields: dict[str, Any]) -> None:
        if context.secrets.share is None:
            raise InternalError("the client has no share")
        fields[self.client_field] = context.secrets.share.public

    def receive(self, context: ServerContext, message: Any) -> tuple[ServerContext, bytes]:
        group, share = _prepared(context)
        public = getattr(message, self.client_field)
        return context, agree(lambda: group.shared_secret(share.private, public), f"ClientKeyExchange.{self.client_field}")


class FiniteField(Share):
    """DHE. A client that names finite-field groups gets one of them or no DHE at all; one that names none gets ours (RFC 7919 4)."""

    is_finite_field = True
    server_field = "dh_ys"
    client_field = "dh_yc"

    def lack(self, config: ServerConfig, theirs: Groups) -> Lack | None:
        return Lack.DH_GROUP if _names_finite_fields(theirs) and self._common(config.groups, theirs) is None else None

    def group(self, context: ServerContext, theirs: Groups) -> Group:
        config = context.config
        common = self._common(config.groups, theirs)
        if common is None and config.dh_parameters is not None:
            return config.provider.finite_field(*config.dh_parameters)
        if common is None:
            common = next((group for group in config.groups if group in FINITE_FIELD), NamedGroup.FFDHE2048)
        return config.provider.group(group_name(common))

    def params(self, context: ServerContext, group: Any, public: bytes) -> ServerDhParams:
        return ServerDhParams(_to_bytes(group.p), _to_bytes(group.g), public)

    def read_group(self, context: ClientContext, params: ServerDhParams) -> Group:
        """The server's group. Its prime is not tested for primality: a server that signs a bad group could publish the key as well."""
        limits = context.config.limits
        p, g = int.from_bytes(params.dh_p, "big"), int.from_bytes(params.dh_g, "big")
        if not limits.smallest_dh_prime <= p.bit_length() <= limits.largest_dh_prime:
            wanted = f"wanted are {limits.smallest_dh_prime} to {limits.largest_dh_prime}"
            raise PeerError(Reason.WEAK_DH_GROUP, f"{p.bit_length()} bits, {wanted}", path=f"{_PARAMS}.dh_p")
        try:
            return context.config.provider.finite_field(p, g, min_bits=limits.smallest_dh_prime)
        except BadPublicValue as error:
            raise PeerError(Reason.BAD_PUBLIC_VALUE, str(error), path=f"{_PARAMS}.dh_p") from None

    @staticmethod
    def _common(ours: tuple[int, ...], theirs: Groups) -> int | None:
        return next((group for group in ours if group in FINITE_FIELD and group in (theirs or ())), None)


class Elliptic(Share):
    """ECDHE. A client that sends no list of groups can do any curve, in practice P-256 (RFC 8422 5.1.1)."""

    is_elliptic = True
    server_field = client_field = "public"

    def lack(self, config: ServerConfig, theirs: Groups) -> Lack | None:
        return Lack.CURVE if self._common(config.groups, theirs) is None else None

    def group(self, context: ServerContext, theirs: Groups) -> Group:
        common = self._common(context.config.groups, theirs)
        if common is None:
            raise InternalError("a curve was chosen that nobody has")
        return context.config.provider.group(group_name(common))

    def params(self, context: ServerContext, group: Any, public: bytes) -> ServerEcdhParams:
        return ServerEcdhParams(ECCurveType.NAMED_CURVE, NamedGroup[group.name.upper()], public)

    def read_group(self, context: ClientContext, params: ServerEcdhParams) -> Group:
        if params.curve_type != ECCurveType.NAMED_CURVE:
            raise PeerError(Reason.NOT_A_NAMED_CURVE, str(params.curve_type), path=f"{_PARAMS}.curve_type")
        if params.named_curve not in context.config.groups or params.named_curve in FINITE_FIELD:
            raise PeerError(Reason.GROUP_NOT_OFFERED, str(params.named_curve), path=f"{_PARAMS}.named_curve")
        return context.config.provider.group(group_name(params.named_curve))

    @staticmethod
    def _common(ours: tuple[int, ...], theirs: Groups) -> int | None:
        curves = [group for group in ours if group not in FINITE_FIELD]
        if theirs is None:
            return NamedGroup.SECP256R1 if NamedGroup.SECP256R1 in curves else next(iter(curves), None)
        return next((group for group in curves if group in theirs), None)


def group_name(group: int) -> str:
    """The name by which a provider knows a group."""
    return NamedGroup(group).name.lower()


def group_number(group: Group) -> NamedGroup | None:
    """The registered number of a group; None for a finite field that has no name."""
    return NamedGroup.__members__.get(group.name.upper())


def _names_finite_fields(theirs: Groups) -> bool:
    return any(group in FINITE_FIELD for group in theirs or ())


def _to_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _prepared(context: Context) -> tuple[Group, KeyShare]:
    group, share = context.peer.group, context.secrets.share
    if group is None or share is None:
        raise InternalError("the server has no share")
    return group, share


def _covered(context: Context, params: Struct) -> bytes:
    """What the signature is over (RFC 5246 7.4.3)."""
    return context.negotiated.client_random + context.negotiated.server_random + serialise(params)


def _signed(context: Context, params: Struct) -> DigitallySigned:
    scheme = context.negotiated.signature_scheme
    if context.credential is None or scheme is None:
        raise InternalError("the server has nothing to sign with")
    return sign(context, context.credential, scheme, _covered(context, params))


def _verify(context: ClientContext, params: Struct, signed: DigitallySigned) -> None:
    """The chain is judged when the server has shown everything (RFC 5246 7.4.5)."""
    verify(context, context.peer_key, signed, _covered(context, params), "ServerKeyExchange.signed", context.peer.chain)
