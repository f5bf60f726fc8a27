"""A key exchange of one's own: a message, a part and a row, with nothing of the package changed for it."""

import hashlib

import pytest

from puretls import suites
from puretls.crypto.aead import AES_128_GCM
from puretls.iana import CipherSuiteId
from puretls.key_exchange.base import KeyExchange, Part, Sends
from puretls.key_exchange.rsa import RsaPremaster
from puretls.messages.key_exchange import ClientKeyExchangeRsa, ServerKeyExchange
from puretls.suites import Authentication, Suite
from puretls.wire.schema import opaque_vector, wire
from tests.support.pair import fields_for, pair

LENGTH = 16


@wire("5246 7.4.3")
class ServerKeyExchangeCookie(ServerKeyExchange):
    cookie: bytes = opaque_vector(LENGTH, LENGTH)


class Cookie(Part):
    """The server sends some bytes, and the premaster secret is hashed with them."""

    server_sends = Sends.MUST

    def prepare(self, context, theirs):
        return context.evolve(peer=context.peer.evolve(share=context.random(LENGTH)))

    def add_server_fields(self, context, fields):
        fields["cookie"] = context.peer.share

    def learn(self, context, message):
        return context.evolve(peer=context.peer.evolve(share=message.cookie))

    def combine(self, context, premaster):
        return hashlib.sha256(context.peer.share + premaster).digest()


COOKIE = KeyExchange("COOKIE", (Cookie(), RsaPremaster()), ServerKeyExchangeCookie, ClientKeyExchangeRsa, "COOKIE", "COOKIE")
SUITE = Suite(CipherSuiteId.TLS_KRB5_WITH_RC4_128_SHA, COOKIE, Authentication.RSA, AES_128_GCM, "", "sha256", "", danger=True)


@pytest.fixture
def cookie_suite(monkeypatch):
    monkeypatch.setitem(suites.BY_ID, int(SUITE.id), SUITE)
    return SUITE


def test_a_key_exchange_of_ones_own_shakes_hands_and_carries_data(cookie_suite):
    joined = pair(*fields_for(cookie_suite)).handshake()
    joined.check_secrets()
    joined.exchange(b"u" * 40, b"d" * 3000)
    assert joined.client.connection.negotiated.suite is cookie_suite


def test_a_key_exchange_of_ones_own_is_in_the_trace_with_its_fields(cookie_suite):
    connection = pair(*fields_for(cookie_suite)).handshake().client.connection
    sent = next(entry for entry in connection.trace.messages() if entry.name == "ServerKeyExchange")
    assert "ServerKeyExchange.cookie" in [span.path for span in sent.spans()]


def test_a_key_exchange_of_ones_own_is_named_by_its_row(cookie_suite):
    assert cookie_suite.openssl_name == "COOKIE-AES128-GCM-SHA256"
    assert not cookie_suite.is_ephemeral
    assert not cookie_suite.is_psk
