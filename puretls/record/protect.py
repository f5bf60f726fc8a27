"""The protection that a suite prescribes for one direction (RFC 5246 6.2.3): values in, a protection out, for ends and for observers."""

from __future__ import annotations

from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.cbc import CbcAlgorithm
from puretls.crypto.groups import RandomBytes
from puretls.crypto.provider import Provider
from puretls.errors import UsageError
from puretls.record.protection import AeadProtection, EncryptThenMac, MacThenEncrypt, Protection, StreamProtection
from puretls.schedule import WriteKeys
from puretls.suites import Suite


def only_opens(count: int) -> bytes:
    """The entropy of who only opens records."""
    raise UsageError("this protection was made to open records: give it `random` to seal any")


def protect(
    suite: Suite, keys: WriteKeys, provider: Provider, random: RandomBytes = only_opens, *, encrypt_then_mac: bool = False
) -> Protection:
    """The protection of records under `keys`. `random` makes the IVs of CBC, which only sealing needs; RFC 7366 concerns CBC only."""
    bulk = suite.bulk
    if isinstance(bulk, AeadAlgorithm):
        return AeadProtection(bulk, provider.aead(bulk, keys.key), keys.iv)
    if isinstance(bulk, CbcAlgorithm):
        form = EncryptThenMac if encrypt_then_mac else MacThenEncrypt
        return form(bulk, provider.cbc(bulk, keys.key), suite.mac, keys.mac_key, random)
    return StreamProtection(provider.stream(bulk, keys.key), suite.mac, keys.mac_key)
