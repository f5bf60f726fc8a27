"""application_layer_protocol_negotiation (RFC 7301)."""

import pytest

from puretls.extensions import Alpn
from puretls.messages.handshake import ServerHello
from tests.support.breaks import extension
from tests.support.pair import pair

pytestmark = pytest.mark.rfc("7301", "3.2")


def chosen(client, server):
    joined = pair({"extensions": (client,)}, {"extensions": (server,)}).handshake()
    joined.check_secrets()
    return joined.client.connection.negotiated.alpn


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        (Alpn("h2", "http/1.1"), Alpn("http/1.1", "h2"), "http/1.1"),
        (Alpn("h2"), Alpn("h2"), "h2"),
        (Alpn("\xe9"), Alpn("\xe9"), "\xe9"),
        (Alpn("a", "b"), Alpn("c", "b"), "b"),
        (Alpn("h2"), Alpn(), None),
        (Alpn(), Alpn("h2"), None),
        (Alpn("h2"), Alpn("h3", required=False), None),
        (Alpn("h2", enabled=False), Alpn("h2"), None),
        (Alpn("h2"), Alpn("h2", enabled=False), None),
        (Alpn("h2", "x"), Alpn(select=lambda offered: offered[-1]), "x"),
        (Alpn("h2"), Alpn(select=lambda offered: None), None),
        (Alpn("a" * 255), Alpn("a" * 255), "a" * 255),
    ],
)
def test_servers_favourite_among_what_is_offered(client, server, expected):
    assert chosen(client, server) == expected


def test_selector_is_told_what_is_offered():
    seen = []
    chosen(Alpn("one", "two"), Alpn(select=seen.append))
    assert seen == [("one", "two")]


@pytest.mark.rfc("7301", "3.2")
@pytest.mark.parametrize("switch", [False, True])
def test_protocol_that_was_not_offered_is_taken_only_where_that_danger_is_wanted(switch):
    other = extension(ServerHello, Alpn.type, lambda body: body.replace(b"h2", b"h9"))
    server = {"extensions": (Alpn("h2"),), "interceptors": (other,)}
    joined = pair({"extensions": (Alpn("h2", danger_any_answer=switch),)}, server).handshake()
    if switch:
        assert joined.client.connection.negotiated.alpn == "h9"
    else:
        assert joined.server.alerts_received == ["illegal_parameter"]
