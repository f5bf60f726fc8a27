"""Lesson 5: what the server signs, and how two public values become one secret."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from puretls.inspect.tape import Step
from puretls.labs.lessons.handshakes import body, shop
from puretls.labs.lessons.lesson import Case, Exercise

_SMALL = 2**64 - 59
"""A prime. One byte in 256 of a shared secret is zero, so that leading zeros come up soon; too small for anything else."""
_GROUPS = (("x25519", 29), ("secp256r1", 23), ("secp384r1", 24))
_HALF = (Step("start"), Step("carry"))


def _parameters(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "curve_type (1 byte, always 3), named_curve (2), length (1), public key, then the scheme (2), length (2), signature; only the "
        "key's length has one byte"
    )
    for name, number in _GROUPS:
        shown = shop(seed, client={"groups": list(dict.fromkeys((name, "secp256r1")))}, server={"groups": [name]}, steps=_HALF)
        raw = body(shown, "server.ServerKeyExchange")
        message = next(each.message for each in shown.messages if each.path == "server.ServerKeyExchange")
        signed = message.signed  # type: ignore[union-attr]
        yield Case((raw,), (number, message.params.public, int(signed.algorithm), signed.signature), hint)  # type: ignore[union-attr]
    for _ in range(6):
        public, signature = random.randbytes(random.choice((32, 65, 97, 133))), random.randbytes(random.choice((70, 256, 512)))
        number, scheme = random.choice((23, 24, 25, 29, 30)), random.choice((0x0401, 0x0403, 0x0804, 0x0807))
        raw = bytes([3]) + number.to_bytes(2, "big") + bytes([len(public)]) + public + scheme.to_bytes(2, "big")
        yield Case((raw + len(signature).to_bytes(2, "big") + signature,), (number, public, scheme, signature), hint)


def _signed(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "the client's random, the server's random, then the parameters as they stand in the message, from curve_type to the last "
        "byte of the public key; neither the scheme nor the signature is signed"
    )
    for _ in range(10):
        one, two, public = random.randbytes(32), random.randbytes(32), random.randbytes(random.choice((32, 65)))
        parameters = b"\x03\x00\x1d" + bytes([len(public)]) + public
        raw = parameters + b"\x08\x04\x00\x40" + random.randbytes(64)
        yield Case((one, two, raw), one + two + parameters, hint)


def _secrets(seed: str) -> Iterator[Case]:
    random = Random(seed)
    for _ in range(12):
        private, peer = random.randrange(2, _SMALL - 2), random.randrange(2, _SMALL - 2)
        yield _secret(peer, private, "peer to the power of private, modulo p, as bytes, big-endian")
    while True:  # until a secret comes up that begins with a zero byte
        private, peer = random.randrange(2, _SMALL - 2), random.randrange(2, _SMALL - 2)
        if pow(peer, private, _SMALL) < 2**56:
            yield _secret(
                peer, private, "this secret is shorter than p: zero bytes in front are left out (RFC 5246 section 8.1.2)"
            )
            break
    for peer in (0, 1, _SMALL - 1, _SMALL, _SMALL + 1):
        hint = "a public value must be more than 1 and less than p - 1, or the secret is one of two that everybody can guess"
        yield Case((_SMALL, peer.to_bytes(9, "big"), 12345), None, hint)


def _secret(peer: int, private: int, hint: str) -> Case:
    shared = pow(peer, private, _SMALL)
    return Case((_SMALL, peer.to_bytes(8, "big"), private), shared.to_bytes((shared.bit_length() + 7) // 8, "big"), hint)


EXERCISES = (
    Exercise("read_key_exchange", _parameters),
    Exercise("signed_content", _signed),
    Exercise("shared_secret", _secrets),
)
