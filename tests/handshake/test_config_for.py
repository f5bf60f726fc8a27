"""A server that chooses its configuration by the ClientHello (RFC 6066 3)."""

import pytest

from puretls.errors import Aborted, FatalAlert, UsageError
from puretls.extensions import Alpn
from puretls.extensions.server_name import asked_name
from puretls.iana import AlertDescription
from tests.support.credentials import NAME, credential
from tests.support.pair import Pair, client_config, server_config

pytestmark = pytest.mark.rfc("6066", "3")


def test_another_configuration_serves_another_name():
    asked = []
    other = server_config(credentials=(credential(name="other.test"),), extensions=(Alpn("h2"),))

    def choose(hello):
        asked.append(asked_name(hello))
        return other if asked_name(hello) == "other.test" else None

    config = server_config(config_for=choose, extensions=(Alpn("http/1.1"),))
    for name, protocol in ((NAME, "http/1.1"), ("other.test", "h2"), ("127.0.0.1", "http/1.1")):
        client, server = Pair(client_config(extensions=(Alpn("h2", "http/1.1"),)), config, name).handshake().ends()
        assert client.error is server.error is None
        assert client.connection.negotiated.alpn == protocol
    assert asked == [NAME, "other.test", None]


def test_it_refuses_with_the_alert_of_its_choice():
    def refuse(hello):
        raise Aborted(AlertDescription.ACCESS_DENIED)

    client, server = Pair(client_config(), server_config(config_for=refuse)).handshake().ends()
    assert isinstance(server.error, Aborted)
    assert isinstance(client.error, FatalAlert)
    assert client.error.description == AlertDescription.ACCESS_DENIED


def test_what_is_no_configuration_of_a_server_ends_the_connection():
    client, server = Pair(client_config(), server_config(config_for=lambda hello: client_config())).handshake().ends()
    assert isinstance(server.error, UsageError)
    assert client.error.description == AlertDescription.INTERNAL_ERROR
