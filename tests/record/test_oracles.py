"""No oracle: padding and MAC failures, and bad premaster secrets, are alike in alert, state, events and number of operations.

Counted, never timed: Python promises no constant time.
"""

import copy
import hashlib
import hmac
from collections import Counter
from dataclasses import replace

import pytest

from puretls import danger
from puretls.crypto.cbc import AES_128_CBC, TRIPLE_DES_CBC
from puretls.extensions import EncryptThenMac
from puretls.messages.key_exchange import ClientKeyExchangeRsa, ClientKeyExchangeRsaPsk
from puretls.record.protection import MacThenEncrypt
from tests.support.breaks import message
from tests.support.credentials import issued
from tests.support.pair import fields_for, pair, real, suite_named

new = hashlib.new


class CountedHash:
    """A hash that counts its compressions: a block each, and one or two for the padding at the end (FIPS 180-4 5.1)."""

    compressions = 0

    def __init__(self, name, data=b""):
        self._inner = new(name)
        self.block_size, self.digest_size = self._inner.block_size, self._inner.digest_size
        self._waiting = 0
        self.update(data)

    def _compress(self, blocks):
        type(self).compressions += blocks

    def update(self, data):
        blocks, self._waiting = divmod(self._waiting + len(data), self.block_size)
        self._compress(blocks)
        self._inner.update(data)

    def copy(self):
        twin = copy.copy(self)
        twin._inner = self._inner.copy()
        return twin

    def digest(self):
        padded = self._waiting + 1 + self.block_size // 8
        self._compress(1 if padded <= self.block_size else 2)
        return self._inner.digest()


class Counted:
    """Counts calls of what computes with secrets, and the compressions of every hash in them."""

    def __init__(self, monkeypatch):
        self.calls = Counter()

        class Counting(CountedHash):
            """With a count of its own."""

        self.hash = Counting

        def counted_digest(key, data, name):
            """HMAC (RFC 2104 2) by the hash that counts."""
            self.calls["hmac"] += 1
            inner, outer = Counting(name), Counting(name)
            key = (new(name, key).digest() if len(key) > inner.block_size else key).ljust(inner.block_size, b"\0")
            inner.update(bytes(byte ^ 0x36 for byte in key))
            inner.update(data)
            outer.update(bytes(byte ^ 0x5C for byte in key))
            outer.update(inner.digest())
            return outer.digest()

        def counted_new(name, data=b"", **options):
            self.calls["hash"] += 1
            return Counting(name, data)

        monkeypatch.setattr(hmac, "digest", counted_digest)
        monkeypatch.setattr(hashlib, "new", counted_new)

    @property
    def compressions(self):
        return self.hash.compressions

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
    channel = danger.parts(joined.client.connection).outbound.channel
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
        twin = type(joined.server)(danger.fork(joined.server.connection))
        with monkeypatch.context() as patched:
            counted = Counted(patched)
            twin.feed(record)
        outcomes[what] = outcome(twin)
        operations[what] = dict(counted.calls), counted.compressions
    assert len(outcomes) == 7
    assert {alerts[0] for alerts, *_ in outcomes.values()} == {"bad_record_mac"}
    assert len(set(map(repr, outcomes.values()))) == 1, outcomes
    # One HMAC and one run of the extra hash, whatever is wrong; the compressions in them add up to the same.
    assert len(set(map(repr, operations.values()))) == 1, operations


class Unciphered:
    """No cipher: what is checked here lies behind it."""

    def decrypt(self, iv, data):
        return data


def fragments(protection, length, mac_length):
    """Every fragment of `length` bytes that decrypts to data, MAC and padding, the padding right or wrong; whether it is authentic."""
    for count in range(1, min(256, length - mac_length) + 1):
        data = b"d" * (length - mac_length - count)
        good = data + protection._mac(7, 23, data) + bytes((count - 1,)) * count
        yield good, True
        yield bytes((good[0] ^ 1,)) + good[1:], False  # the MAC is wrong
        yield good[:-1] + bytes(((count + 100) % 256,)), False  # the padding, or its length, mostly
        if count > 1:
            yield good[:-count] + bytes((good[-count] ^ 1,)) + good[1 - count :], False  # the padding in its first byte


@pytest.mark.rfc("5246", "6.2.3.2")
@pytest.mark.parametrize(("mac", "algorithm"), [("sha1", TRIPLE_DES_CBC), ("sha1", AES_128_CBC), ("sha256", AES_128_CBC), ("sha384", AES_128_CBC)])
def test_compressions_are_the_same_for_every_padding_and_every_length(mac, algorithm, monkeypatch):
    key, block, hash_block = b"k" * new(mac).digest_size, algorithm.block_length, new(mac).block_size
    protection = MacThenEncrypt(algorithm, Unciphered(), mac, key, None)
    shortest = len(key) + block - len(key) % block
    remainders = set()
    for length in (*range(shortest, shortest + hash_block, block), *range(shortest + 256, shortest + 256 + hash_block, block)):
        counts = set()
        for plain, authentic in fragments(protection, length, len(key)):
            with monkeypatch.context() as patched:
                counted = Counted(patched)
                opened = protection.open(7, 23, bytes(block) + plain)
            assert (opened is not None) == authentic
            counts.add((counted.compressions, *counted.calls.items()))
            remainders.add(len(opened or b"") % hash_block)
        assert len(counts) == 1, (length, counts)
    assert remainders == set(range(hash_block))


def test_the_count_of_compressions_is_that_of_the_standard():
    """FIPS 180-4 5.1: a message of 55 bytes fits a block with its padding, one of 56 does not; SHA-384: 111 and 112."""
    for name, fits in (("sha1", 55), ("sha256", 55), ("sha384", 111)):
        for length, compressions in ((0, 1), (fits, 1), (fits + 1, 2), (2 * new(name).block_size, 3)):

            class Fresh(CountedHash):
                pass

            assert Fresh(name, bytes(length)).digest() == new(name, bytes(length)).digest()
            assert Fresh.compressions == compressions


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
        twin = type(joined.server)(danger.fork(joined.server.connection))
        protection = danger.parts(twin.connection).inbound.channel.protection
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
            randoms.clear()
            joined.server.feed(flight)
        outcomes[what] = joined.server.alerts_sent, joined.server.state, joined.server.kinds(), str(joined.server.error)
        operations[what] = sorted(counted.calls.items()), randoms[0]  # blinding takes new randomness now and then, by the number of uses
    assert len(set(map(repr, outcomes.values()))) == 1, outcomes
    assert outcomes["empty"][0] == ["bad_record_mac"]
    assert len(set(map(repr, operations.values()))) == 1, operations
    assert dict(operations["empty"][0])["rsa"] == 1
