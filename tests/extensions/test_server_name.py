"""server_name (RFC 6066 section 3)."""

import pytest

from puretls.extensions import ServerName
from puretls.messages.handshake import ClientHello
from puretls.messages.registry import parse_handshake
from tests.support.breaks import extension
from tests.support.credentials import NAME, credential
from tests.support.pair import pair

pytestmark = pytest.mark.rfc("6066", "3")


def test_name_of_the_connection_is_sent_and_answered():
    joined = pair(name="Server.Test").handshake()
    joined.check_secrets()
    assert joined.server.connection.negotiated.server_name == "server.test"
    assert joined.client.connection.negotiated.server_name == "server.test"


def test_another_name_may_be_sent():
    joined = pair({"extensions": (ServerName("other.test"),)}).handshake()
    joined.check_secrets()
    assert joined.server.connection.server_name == "other.test"
    assert joined.client.connection.server_name == "server.test"


def test_no_name_or_switched_off_sends_none():
    for options in ({"name": None}, {"client": {"extensions": (ServerName(enabled=False),)}}):
        joined = pair(**options).handshake()
        joined.check_secrets()
        assert joined.server.connection.server_name is None


def test_international_names_travel_in_their_ascii_form():
    joined = pair({}, {"credentials": (credential(),)}, name="b\xfccher.test").handshake()
    assert joined.server.connection.server_name == "xn--bcher-kva.test"


def test_names_of_unknown_types_are_passed_over():
    entry = b"\7\0\3abc" + b"\0\0\x06a.test"
    joined = pair({"interceptors": (extension(ClientHello, 0, lambda body: len(entry).to_bytes(2, "big") + entry),)}).handshake()
    assert joined.server.connection.server_name == "a.test"


@pytest.mark.parametrize(("refuse", "alert"), [(False, []), (True, ["unrecognized_name"])])
def test_unknown_name_gets_the_first_certificate_unless_refused(refuse, alert):
    joined = pair({}, {"refuse_unknown_names": refuse}, name="unknown.test").handshake()
    assert joined.server.alerts_sent == alert


@pytest.mark.parametrize(("name", "answered"), [("server.test", True), ("unknown.test", False)])
def test_name_is_answered_only_where_the_certificate_is_made_for_it(name, answered):
    joined = pair(name=name).handshake()
    raw = next(entry.raw for entry in joined.client.connection.trace.messages() if entry.name == "ServerHello")
    extensions = parse_handshake(raw, None).extensions
    assert (ServerName.type in {one.extension_type for one in extensions}) is answered
    assert joined.server.connection.server_name == name


@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize("name", [NAME, "other.test"])
@pytest.mark.parametrize("acknowledge", [None, True, False])
def test_server_acknowledges_a_name_of_its_certificate_or_as_it_is_told(name, acknowledge):
    joined = pair({}, {"extensions": (ServerName(acknowledge=acknowledge),)}, name=name).handshake()
    joined.check_secrets()
    wanted = name == NAME if acknowledge is None else acknowledge
    assert (joined.client.connection.negotiated.server_name == name) is wanted
