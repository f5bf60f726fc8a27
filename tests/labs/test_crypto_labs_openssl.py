"""The attacks of the labs 1, 2, 4, 5, 6 and 7 against OpenSSL in the place of one end; and their weak ends, which speak TLS with it."""

import pytest

ssl = pytest.importorskip("ssl", reason="this Python has no OpenSSL")

from puretls import danger  # noqa: E402
from puretls.crypto.kernels.modular.ffdhe import named_prime  # noqa: E402
from puretls.crypto.keys import RsaPublicKey  # noqa: E402
from puretls.der.writer import integer, sequence  # noqa: E402
from puretls.extensions import EncryptThenMac  # noqa: E402
from puretls.iana import ContentType  # noqa: E402
from puretls.intercept import Interceptor  # noqa: E402
from puretls.labs import downgrade, freak, lab, length_over_read, logjam, padding_oracle, stage  # noqa: E402
from puretls.labs.browser import CBC, recast  # noqa: E402
from puretls.labs.ends import End, relay  # noqa: E402
from puretls.messages.key_exchange import ClientKeyExchangeRsa  # noqa: E402
from puretls.messages.records import Record  # noqa: E402
from puretls.values import replace  # noqa: E402
from puretls.x509.pem import write_pem  # noqa: E402
from tests.labs.openssl import OpenSslEnd, client_context, server_context  # noqa: E402

RSA, DHE, CBC_NAME = "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labs")


def talking(theirs, **settings):
    """A puretls client that has shaken hands with OpenSSL's server."""
    end = End("the client", stage.Seeded("openssl", 1).client(**settings))
    relay(end, theirs)
    assert end.error is None
    assert theirs.failure is None
    return end


@pytest.mark.rfc("6520", "4")
def test_heartbeats_are_nothing_to_openssl(folder):
    theirs = OpenSslEnd(server_context(folder), server_side=True)
    ours = talking(theirs, extensions=(length_over_read.Heartbeat(),))
    danger.parts(ours._connection).outbound.send(ContentType.HEARTBEAT, b"\1\xff\xff", 2**14)
    theirs.give(*ours.take())
    assert sum(map(len, theirs.take())) < 100
    assert theirs.failure in {"UNEXPECTED_RECORD", "UNEXPECTED_MESSAGE"}


class OtherPremaster(Interceptor):
    """Another number in the place of the encrypted premaster secret; its messages up to there are the client's."""

    def __init__(self, change):
        self._change = change

    def message(self, message, where):
        if isinstance(message, ClientKeyExchangeRsa):
            return (replace(message, encrypted_premaster_secret=self._change(message.encrypted_premaster_secret)),)
        return (message,)


def _times(factor):
    key = downgrade.bank().key.public
    assert isinstance(key, RsaPublicKey)
    return lambda encrypted: (int.from_bytes(encrypted) * pow(factor, key.e, key.n) % key.n).to_bytes(len(encrypted))


@pytest.mark.rfc("5246", "7.4.7.1")
@pytest.mark.parametrize("factor", [1, 2, 3], ids=["right padding", "times 2", "times 3"])
def test_openssl_does_not_tell_padding_apart(folder, factor):
    """What the attacker sends is a ClientKeyExchange alone: no alert, whatever is in it; the alert of the weak peer is not there."""
    theirs = OpenSslEnd(server_context(folder, "bank", credential=downgrade.bank(), ciphers=RSA), server_side=True)
    suites, tap = (stage.suite(freak.USUAL.name),), OtherPremaster(_times(factor))
    ours = End("the client", stage.Seeded("openssl", 1).client(suites=suites, interceptors=(tap,)))
    theirs.give(*ours.take(1))
    ours.give(*theirs.take())
    exchange, *_ = ours.take(3)
    theirs.give(exchange)
    assert theirs.take() == []
    assert theirs.failure is None


@pytest.mark.rfc("5246", "6.2.3.2")
@pytest.mark.parametrize("filler", [15, 0], ids=["right padding", "padding of zeros"])
def test_openssl_looks_at_every_byte_of_padding(folder, filler):
    """A record whose MAC is right, and whose last byte tells the length of its padding: the weak server takes it whatever is between."""
    theirs = OpenSslEnd(server_context(folder, ciphers=f"{CBC_NAME}:@SECLEVEL=0"), server_side=True)
    ours = talking(theirs, suites=(stage.suite(CBC),), extensions=(EncryptThenMac(enabled=False),))
    channel = danger.parts(ours._connection).outbound.channel
    plain = channel.protection

    class Padded(type(plain)):
        def _pad(self, data):
            return data + bytes((filler,)) * 15 + bytes((15,))

    channel.protection = recast(plain, Padded)
    record = channel.fork().seal(ContentType.APPLICATION_DATA, bytes(12))  # with a MAC of 20 bytes two blocks
    opened = {cls: recast(plain, cls).open(channel.sequence, record.type, record.fragment) for cls in (padding_oracle.Unchecked, type(plain))}
    assert opened == {padding_oracle.Unchecked: bytes(12), type(plain): bytes(12) if filler else None}
    theirs.give(record.to_bytes())
    assert theirs.received == (bytes(12) if filler else b"")
    assert theirs.failure == (None if filler else "DECRYPTION_FAILED_OR_BAD_RECORD_MAC")


@pytest.mark.rfc("7525", "3.3")
def test_openssl_offers_no_compression():
    hello = downgrade._content(OpenSslEnd(client_context(), server_side=False, server_name=stage.NAME).take(1)[0])
    assert downgrade._hello(hello).compression_methods == (0,)


DOWNGRADES = {6: (RSA, freak), 7: (DHE, logjam)}


@pytest.mark.parametrize("number", DOWNGRADES)
def test_a_downgrade_is_refused_by_openssl(number):
    """RFC 5246 7.4.3: no ServerKeyExchange with RSA; and no group that is so small."""
    made = lab.load(number).peer(1, False)
    theirs = OpenSslEnd(client_context(ciphers=f"{DOWNGRADES[number][0]}:@SECLEVEL=0"), server_side=False, server_name=stage.NAME)
    made._client, made.hello = theirs, downgrade._content(theirs.take(1)[0])
    made._transcript = made.hello
    with pytest.raises(lab.Refused):
        lab.load(number).reference(made)
    assert theirs.failure in {6: {"UNEXPECTED_MESSAGE"}, 7: {"DH_KEY_TOO_SMALL", "BAD_DH_VALUE", "MODULUS_TOO_SMALL"}}[number]


@pytest.mark.parametrize("number", DOWNGRADES)
def test_a_weak_client_shakes_hands_with_openssl_when_nobody_attacks(folder, number):
    """The weak peers are real: they differ in what they take from an attacker alone."""
    name, module = DOWNGRADES[number]
    context = server_context(folder, "bank", credential=downgrade.bank(), ciphers=name)
    group = folder / "ffdhe2048.pem"
    group.write_text(write_pem("DH PARAMETERS", sequence(integer(named_prime("ffdhe2048")), integer(2))))
    context.load_dh_params(group)
    theirs = OpenSslEnd(context, server_side=True)
    made = module.Peer(1, False)
    theirs.give(Record(ContentType.HANDSHAKE, downgrade.VERSION, made.hello).to_bytes())
    relay(made._client, theirs)
    assert theirs.received == made.request
