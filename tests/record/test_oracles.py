"""No oracle: padding and MAC failures, and bad premaster secrets, are alike in alert, state, events and number of operations.

Counted, never timed: Python promises no constant time.
"""

import hashlib
import hmac
from collections import Counter
from dataclasses import replace

import pytest

from puretls.extensions import EncryptThenMac
from puretls.messages.key_exchange import ClientKeyExchangeRsa, ClientKeyExchangeRsaPsk
from tests.support.breaks import message
from tests.support.credentials import issued
from tests.support.pair import fields_for, pair, real, suite_named


class Counted:
    """Counts calls, and the bytes they were given, of what computes with secrets."""

    def __init__(self, monkeypatch):
        self.calls = Counter()
        self.blocks = 0
        digest, new = hmac.digest, hashlib.new

        def counted_digest(key, data, name):
            self.calls["hmac"] += 1
            self.blocks += (len(data) + 8) // new(name).block_size
            return digest(key, data, name)

        def counted_new(name, data=b"", **options):
            self.calls["hash"] += bool(data) or name != ""
            self.blocks += len(data) // new(name).block_size
            return new(name, data, **options)

        monkeypatch.setattr(hmac, "digest", counted_digest)
        monkeypatch.setattr(hashlib, "new", counted_new)

    def provider(self):
        """The real one, with its private operations and ciphers counted."""
        inner = real()

        def rsa_private(*arguments):
            self.calls["rsa"] += 1
            return inner.rsa_private(*arguments)

        def cbc(algorithm, key):
            self.calls["cbc"] += 1
            return inner.cbc(algorithm, key)

        def prf(*arguments):
            self.calls["prf"] += 1
            return inner.prf(*arguments)

        return replace(inner, rsa_private=rsa_private, cbc=cbc, prf=prf)


def outcome(end):
    return end.alerts_sent, end.state, end.kinds(), str(end.error), bytes(end.connection.bytes_to_send() or end.sent[-40:])[:0]


# CBC


def broken_records(connection_pair, mac_length):
    """The same record with a wrong byte in the data, in the MAC, in the padding, and with padding that claims too much."""
    joined = connection_pair
    channel = joined.client.connection._outbound.channel
    protection = channel.protection
    data = b"d" * 100
    good = protection._pad(data + protection._mac(channel.sequence, 23, data))
    padding = good[-1] + 1

    def touched(position, value=None):
        bad = bytearray(good)
        bad[position] = bad[position] ^ 1 if value is None else value
        return bytes(bad)

    variants = {
        "data": touched(3),
        "MAC": touched(-padding - 1),
        "first MAC byte": touched(100),
        "padding byte": touched(-2) if padding > 1 else touched(-1),
        "padding length 0": touched(-1, 0),
        "padding longer than the record": touched(-1, 255),
        "padding as long as can be": touched(-1, min(255, len(good) - mac_length - 1)),
    }
    iv = bytes(16)
    for name, plain in variants.items():
        yield name, b"\x17\3\3" + (len(plain) + 16).to_bytes(2, "big") + iv + protection._cipher.encrypt(iv, plain)


@pytest.mark.rfc("5246", "6.2.3.2")
@pytest.mark.parametrize("name", ["TLS_PSK_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA256", "TLS_PSK_WITH_AES_256_CBC_SHA384"])
def test_padding_and_mac_failures_are_alike(name, monkeypatch):
    client, server = fields_for(suite_named(name))
    off = {"extensions": (EncryptThenMac(enabled=False),)}
    length = {"SHA": 20, "SHA256": 32, "SHA384": 48}[name.split("_")[-1]]
    outcomes, operations = {}, {}
    joined = pair(client | off | {"provider": real()}, server | off | {"provider": real()}).handshake()
    for what, record in broken_records(joined, length):
        twin = type(joined.server)(joined.server.connection.fork())
        with monkeypatch.context() as patched:
            counted = Counted(patched)
            twin.feed(record)
        outcomes[what] = outcome(twin)
        operations[what] = dict(counted.calls), counted.blocks
    assert len(outcomes) == 7
    assert {alerts[0] for alerts, *_ in outcomes.values()} == {"bad_record_mac"}
    assert len(set(map(repr, outcomes.values()))) == 1, outcomes
    # One HMAC and one run of the extra hash, whatever is wrong; the compressions in them add up to the same.
    assert len({repr(calls) for calls, _ in operations.values()}) == 1, operations
    blocks = [count for _, count in operations.values()]
    assert max(blocks) - min(blocks) <= 1, operations


@pytest.mark.rfc("7366", "3")
def test_with_encrypt_then_mac_nothing_is_decrypted_before_the_mac_is_right(monkeypatch):
    client, server = fields_for(suite_named("TLS_PSK_WITH_AES_128_CBC_SHA256"))
    joined = pair(client | {"provider": real()}, server | {"provider": real()}).handshake()
    joined.client.connection.send(b"d" * 100)
    sealed = joined.client.take()
    decrypted = []
    for position in range(5, len(sealed)):
        touched = bytearray(sealed)
        touched[position] ^= 1
        twin = type(joined.server)(joined.server.connection.fork())
        protection = twin.connection._inbound.channel.protection
        monkeypatch.setattr(protection, "_decrypt", decrypted.append)
        twin.feed(bytes(touched))
        assert twin.alerts_sent == ["bad_record_mac"]
    assert decrypted == []


# RSA: what is wrong with a premaster secret is not told (Bleichenbacher; RFC 5246 7.4.7.1)


def premasters():
    """Blocks that are wrong in every way that can be, and one that is right but unknown to the sender."""
    filler = b"\x11" * 205
    secret = b"\3\3" + b"s" * 46
    return {
        "right, another secret": b"\0\2" + filler[:205] + b"\0" + secret,
        "first byte": b"\1\2" + filler + b"\0" + secret,
        "block type": b"\0\1" + filler + b"\0" + secret,
        "no separator": b"\0\2" + filler + b"\x11" + secret,
        "separator too early": b"\0\2" + filler[:100] + b"\0" + filler[:104] + b"\0" + secret,
        "separator within the first eight": b"\0\2\x11\x11\0" + filler[:202] + b"\0" + secret,
        "version": b"\0\2" + filler + b"\0" + b"\3\1" + secret[2:],
        "secret too short": b"\0\2" + filler + b"\x11\0" + secret[1:],
        "secret too long": b"\0\2" + filler[:204] + b"\0\3" + secret,
        "all zeros": bytes(256),
    }


def encrypted(block):
    key = issued("rsa2048").key.public
    return pow(int.from_bytes(block, "big"), key.e, key.n).to_bytes(256, "big")


CIPHERTEXTS = {
    **{name: encrypted(block) for name, block in premasters().items() if len(block) == 256},
    "not less than the modulus": b"\xff" * 256,
    "a byte too short": bytes(255),
    "a byte too long": bytes(257),
    "empty": b"",
}


@pytest.mark.rfc("5246", "7.4.7.1")
@pytest.mark.parametrize(("suite", "cls"), [("TLS_RSA_WITH_AES_128_CBC_SHA256", ClientKeyExchangeRsa), ("TLS_RSA_WITH_AES_128_GCM_SHA256", ClientKeyExchangeRsa),
                                            ("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", ClientKeyExchangeRsaPsk)])  # fmt: skip
def test_bad_premaster_secrets_are_alike(suite, cls, monkeypatch):
    outcomes, operations = {}, {}
    assert len(CIPHERTEXTS) == 14
    for what, ciphertext in CIPHERTEXTS.items():
        client, server = fields_for(suite_named(suite))
        breaks = message(cls, lambda m, ciphertext=ciphertext: replace(m, encrypted_premaster_secret=ciphertext))
        with monkeypatch.context() as patched:
            counted = Counted(patched)
            provider = counted.provider()
            randoms = []
            random = server.get("random") or (lambda count, randoms=randoms: randoms.append(count) or b"r" * count)
            joined = pair(client | {"provider": real(), "interceptors": (breaks,)}, server | {"provider": provider, "random": random})
            joined.client.connection.start()
            joined.server.feed(joined.client.take())
            joined.client.feed(joined.server.take())
            flight = joined.client.take()
            counted.calls.clear()
            counted.blocks = 0
            randoms.clear()
            joined.server.feed(flight)
        outcomes[what] = joined.server.alerts_sent, joined.server.state, joined.server.kinds(), str(joined.server.error)
        operations[what] = sorted(counted.calls.items()), randoms[0]  # blinding takes new randomness now and then, by the number of uses
    assert len(set(map(repr, outcomes.values()))) == 1, outcomes
    assert outcomes["empty"][0] == ["bad_record_mac"]
    assert len(set(map(repr, operations.values()))) == 1, operations
    assert dict(operations["empty"][0])["rsa"] == 1
