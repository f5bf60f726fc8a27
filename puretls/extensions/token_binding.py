"""token_binding (RFC 8472): agrees on how application tokens are bound to this connection (RFC 8471).

Only the negotiation is here; what the key signs is `Connection.export_keying_material(b"EXPORTER-Token-Binding", 32, b"")`.
"""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import UsageError
from puretls.extensions.base import Extension, StructClass, View
from puretls.extensions.extended_master_secret import ExtendedMasterSecret
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.codec import Uint
from puretls.wire.schema import Struct, u8, vector, wire

RSA2048_PKCS1_5, RSA2048_PSS, ECDSAP256 = range(3)
"""Key parameters (RFC 8471 3.1)."""


@wire("8472 2")
class TokenBindingParameters(Struct):
    """Highest version of the sender, and the keys it can use; the server answers with one."""

    major: int = u8()
    minor: int = u8()
    key_parameters_list: tuple[int, ...] = vector(Uint(1), 1, 2**8 - 1)


@extensible()
class TokenBinding(Extension):
    """`TokenBinding((ECDSAP256,))` offers, or accepts, version 1.0 with these keys, the favourite first; off by default.

    The result on both sides is the key parameter agreed on.
    """

    type: ClassVar[int] = ExtensionType.TOKEN_BINDING
    rfc = "RFC 8472 2"
    fixed_offer = True
    client_body: ClassVar[StructClass] = TokenBindingParameters
    server_body: ClassVar[StructClass | None] = TokenBindingParameters

    keys: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if any(key not in range(256) for key in self.keys):
            raise UsageError("token binding key parameters are numbers of one byte (RFC 8471 3.1)")

    def offer(self, view: View) -> TokenBindingParameters | None:
        return TokenBindingParameters(1, 0, self.keys) if self.keys else None

    def accept(self, body: TokenBindingParameters, view: View) -> int | None:
        if body.major < 1:
            return None
        return next((key for key in self.keys if key in body.key_parameters_list), None)

    def answer(self, result: int, view: View) -> TokenBindingParameters | None:
        # RFC 8472 3: never without extended_master_secret, which stands earlier in the wire order.
        return TokenBindingParameters(1, 0, (result,)) if view.result(ExtendedMasterSecret) else None

    def confirm(self, body: TokenBindingParameters, view: View) -> int | None:
        if len(body.key_parameters_list) != 1 or body.key_parameters_list[0] not in self.keys:
            raise self.illegal("not one of the keys that were offered", "key_parameters_list")
        if not view.result(ExtendedMasterSecret):
            raise self.illegal("without extended_master_secret")
        if (body.major, body.minor) > (1, 0):
            raise self.illegal("a version that was not offered", "major")
        return body.key_parameters_list[0] if (body.major, body.minor) == (1, 0) else None
