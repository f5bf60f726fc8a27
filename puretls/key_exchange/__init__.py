"""The table of key exchanges. Each is a row made of up to three parts: an ephemeral share, a pre-shared key, an RSA premaster secret.

To add one that uses these parts, add a row here and its suites in `suites.py`. One with new parts or structs has a module of its own.
"""

from __future__ import annotations

from puretls.key_exchange.base import KeyExchange, Lack, Part, Sends
from puretls.key_exchange.psk import PreSharedKey
from puretls.key_exchange.rsa import RsaPremaster
from puretls.key_exchange.share import Elliptic, FiniteField
from puretls.messages import key_exchange as form

_PSK, _RSA, _EC, _FF = PreSharedKey(), RsaPremaster(), Elliptic(), FiniteField()
_SIGNED_EC, _SIGNED_FF = Elliptic(signed=True), FiniteField(signed=True)

# The parts are asked in the order in which they stand here.
# fmt: off
RSA = KeyExchange("RSA", (_RSA,), form.ServerKeyExchangeUnknown, form.ClientKeyExchangeRsa, "RSA", "")
DHE = KeyExchange("DHE", (_SIGNED_FF,), form.ServerKeyExchangeDhe, form.ClientKeyExchangeDh, "DH", "DHE")
ECDHE = KeyExchange("ECDHE", (_SIGNED_EC,), form.ServerKeyExchangeEcdhe, form.ClientKeyExchangeEcdh, "ECDH", "ECDHE")
DH_ANON = KeyExchange("DH_anon", (_FF,), form.ServerKeyExchangeDhAnon, form.ClientKeyExchangeDh, "DH", "ADH")
ECDH_ANON = KeyExchange("ECDH_anon", (_EC,), form.ServerKeyExchangeEcdhAnon, form.ClientKeyExchangeEcdh, "ECDH", "AECDH")
PSK = KeyExchange("PSK", (_PSK,), form.ServerKeyExchangePsk, form.ClientKeyExchangePsk, "PSK", "PSK")
DHE_PSK = KeyExchange("DHE_PSK", (_PSK, _FF), form.ServerKeyExchangeDhePsk, form.ClientKeyExchangeDhePsk, "DHEPSK", "DHE-PSK")
ECDHE_PSK = KeyExchange("ECDHE_PSK", (_PSK, _EC), form.ServerKeyExchangeEcdhePsk, form.ClientKeyExchangeEcdhePsk, "ECDHEPSK", "ECDHE-PSK")
RSA_PSK = KeyExchange("RSA_PSK", (_PSK, _RSA), form.ServerKeyExchangePsk, form.ClientKeyExchangeRsaPsk, "RSAPSK", "RSA-PSK")
# fmt: on

KEY_EXCHANGES = (RSA, DHE, ECDHE, DH_ANON, ECDH_ANON, PSK, DHE_PSK, ECDHE_PSK, RSA_PSK)

__all__ = [
    "DHE",
    "DHE_PSK",
    "DH_ANON",
    "ECDHE",
    "ECDHE_PSK",
    "ECDH_ANON",
    "KEY_EXCHANGES",
    "PSK",
    "RSA",
    "RSA_PSK",
    "KeyExchange",
    "Lack",
    "Part",
    "Sends",
]
