"""Secure renegotiation (RFC 5746) and its refusal (RFC 5246 7.2.2)."""

from dataclasses import fields, replace

import pytest

from puretls.config import ClientConfig, Limits
from puretls.connection import Connection
from puretls.errors import UsageError
from puretls.events import RenegotiationRefused
from puretls.extensions import Alpn, ExtendedMasterSecret, RecordSizeLimit, SessionTicket
from puretls.iana import ContentType
from puretls.intercept import Direction, Interceptor
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import ClientHello
from puretls.messages.records import Record
from puretls.session import MemorySessionStore, TicketKeys
from puretls.suites import DEFAULT_SUITES
from puretls.trace import Layer
from tests.support.breaks import message
from tests.support.credentials import NOW, credential
from tests.support.pair import client_config, pair, server_config, suite_named

ON = {"renegotiation": True}
either_side = pytest.mark.parametrize("side", ["client", "server"])


@pytest.mark.rfc("5746", "3.5")
@either_side
def test_either_side_renegotiates(side):
    joined = pair(ON, ON).handshake()
    before = joined.client.connection.export_keying_material(b"EXPORTER-x", 16)
    for round_ in (2, 3):
        getattr(joined, side).connection.renegotiate()
        joined.run()
        joined.check_secrets()
        joined.exchange()
        assert (joined.client.completed, joined.server.completed) == (round_, round_)
    assert joined.client.connection.export_keying_material(b"EXPORTER-x", 16) != before


@either_side
def test_data_written_meanwhile_waits_for_the_new_keys(side):
    joined = pair(ON, ON).handshake()
    getattr(joined, side).connection.renegotiate()
    joined.client.connection.send(b"meanwhile")
    joined.server.connection.send(b"likewise")
    joined.run()
    joined.check_secrets()
    assert (joined.server.data, joined.client.data) == (b"meanwhile", b"likewise")


@pytest.mark.rfc("5746", "4.4")
def test_server_refuses_with_a_warning_and_goes_on():
    joined = pair(ON, {}).handshake()
    joined.client.connection.renegotiate()
    joined.run()
    assert joined.client.alerts_received == ["no_renegotiation"]
    assert RenegotiationRefused(by_peer=True) in joined.client.events
    assert RenegotiationRefused(by_peer=False) in joined.server.events
    joined.check_secrets()
    joined.exchange()


@pytest.mark.rfc("5746", "4.2")
def test_client_refuses_with_a_warning_and_goes_on():
    joined = pair({}, ON).handshake()
    joined.server.connection.renegotiate()
    joined.run()
    assert joined.server.alerts_received == ["no_renegotiation"]
    joined.check_secrets()
    joined.exchange()


def test_data_waiting_for_a_refused_renegotiation_still_leaves():
    joined = pair(ON, {}).handshake()
    joined.client.connection.renegotiate()
    joined.client.connection.send(b"waits")
    joined.run()
    assert joined.server.data == b"waits"


def test_renegotiation_needs_to_be_switched_on_and_a_handshake():
    with pytest.raises(UsageError, match="not switched on"):
        pair().handshake().client.connection.renegotiate()
    with pytest.raises(UsageError, match="complete handshake"):
        pair(ON, ON).client.connection.renegotiate()


@pytest.mark.rfc("5746", "3.7")
def test_suite_may_change():
    joined = pair(ON | {"suites": DEFAULT_SUITES[:1]}, ON).handshake()
    client = joined.client.connection
    client.change_config(replace(client.config, suites=(suite_named("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),)))
    client.renegotiate()
    joined.run()
    joined.check_secrets()
    joined.exchange()
    assert client.negotiated.suite.name == "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"


def test_client_authentication_may_be_asked_for_later():
    joined = pair(ON | {"credentials": (credential(usage="client"),)}, ON).handshake()
    server = joined.server.connection
    assert server.peer_certificates == ()
    server.change_config(replace(server.config, client_authentication="require"))
    server.renegotiate()
    joined.run()
    joined.check_secrets()
    assert server.peer_certificates == credential(usage="client").chain


def test_configuration_of_the_other_role_is_refused():
    joined = pair().handshake()
    with pytest.raises(UsageError, match="another role"):
        joined.client.connection.change_config(joined.server.connection.config)


@pytest.mark.rfc("7627", "6.1")
@pytest.mark.parametrize(("ems", "fails"), [(True, False), (False, True)])
def test_server_certificate_may_change_only_under_extended_master_secrets(ems, fails):
    fields = ON | {"extensions": (ExtendedMasterSecret(enabled=ems),)}
    joined = pair(fields, fields).handshake()
    server = joined.server.connection
    server.change_config(replace(server.config, credentials=(credential(name="*.test"),)))
    joined.client.connection.renegotiate()
    joined.run()
    if fails:
        assert joined.client.alerts_sent == joined.server.alerts_received == ["illegal_parameter"]
    else:
        joined.check_secrets()


@pytest.mark.rfc("7627", "5.4")
def test_client_refuses_an_extended_master_secret_that_comes_only_with_a_renegotiation():
    """The first handshake, without it, may be one that an attacker shares with a server and relays from there."""
    joined = pair(ON | {"extensions": (ExtendedMasterSecret(enabled=False),)}, ON).handshake()
    client = joined.client.connection
    client.change_config(replace(client.config, extensions=()))
    client.renegotiate()
    joined.run()
    assert joined.client.alerts_sent == joined.server.alerts_received == ["handshake_failure"]


@pytest.mark.rfc("8449", "4")
@pytest.mark.parametrize(("first", "second"), [(64, None), (None, 64), (64, 512)])
def test_record_size_limit_changes_with_the_keys(first, second):
    """The flights of a renegotiation are still protected by the old keys, and go by their limit."""

    def limited(limit):
        return (RecordSizeLimit(limit),) if limit else (RecordSizeLimit(enabled=False),)

    joined = pair(ON | {"extensions": limited(first)}, ON).handshake()
    client = joined.client.connection
    client.change_config(replace(client.config, extensions=limited(second)))
    client.renegotiate()
    joined.run()
    joined.check_secrets()
    joined.server.connection.send(bytes(2000))
    joined.run()
    assert joined.client.data == bytes(2000)
    sizes = {1: [], 2: []}
    for entry in client.trace.records(Direction.INBOUND):
        if entry.epoch:
            sizes[entry.epoch].append(entry.content_length)
    assert max(sizes[1]) <= (first or 2**14)
    assert max(sizes[2]) == (second or 2000)


@pytest.mark.rfc("7301", "3.2")
@either_side
def test_application_protocol_is_agreed_on_once_for_the_connection(side):
    fields = ON | {"extensions": (Alpn("h2"),)}
    joined = pair(fields, fields).handshake()
    getattr(joined, side).connection.renegotiate()
    joined.run()
    joined.check_secrets()
    assert joined.server.completed == 2
    messages = [entry for entry in joined.server.connection.trace if entry.layer is Layer.MESSAGE]
    hellos = [entry.raw for entry in messages if entry.content_type == ContentType.HANDSHAKE and entry.raw[0] == 1]
    assert [b"\x02h2" in hello for hello in hellos] == [True, False]
    assert (joined.client.connection.negotiated.alpn, joined.server.connection.negotiated.alpn) == ("h2", "h2")


@pytest.mark.rfc("7301", "3.2")
def test_server_answers_a_client_that_asks_for_a_protocol_again(monkeypatch):
    joined = pair(ON | {"extensions": (Alpn("h2"),)}, ON | {"extensions": (Alpn("h2", "h3"),)}).handshake()
    monkeypatch.setattr(Alpn, "of_connection", False)
    client = joined.client.connection
    client.change_config(replace(client.config, extensions=(Alpn("h3"),)))
    client.renegotiate()
    joined.run()
    assert (client.negotiated.alpn, joined.server.connection.negotiated.alpn) == ("h3", "h3")


@pytest.mark.rfc("5246", "6.2.1")
@pytest.mark.parametrize(("held", "refused"), [(1, True), (3, True), (4, False), (30, False)])
def test_application_data_may_interrupt_a_message_but_not_its_header(held, refused):
    class Splits(Interceptor):
        def plaintext(self, value, where):
            hello = where.direction is Direction.OUTBOUND and where.epoch and value.type == ContentType.HANDSHAKE
            if not hello or len(value.fragment) < 50:
                return [value]
            data = Record(ContentType.APPLICATION_DATA, value.version, b"between")
            return [replace(value, fragment=value.fragment[:held]), data, replace(value, fragment=value.fragment[held:])]

    joined = pair(ON | {"interceptors": (Splits(),)}, ON).handshake()
    joined.client.connection.renegotiate()
    joined.run()
    if refused:
        assert joined.server.alerts_sent == ["unexpected_message"]
    else:
        assert joined.server.data == b"between"
        assert joined.server.completed == 2


@pytest.mark.rfc("5746", "3.7")
def test_renegotiation_begins_with_a_full_handshake():
    store = MemorySessionStore(clock=lambda: NOW)
    joined = pair(ON, ON | {"session_cache": store}).handshake()
    joined.client.connection.renegotiate()
    joined.run()
    joined.check_secrets()
    assert not joined.client.connection.negotiated.resumed


def test_number_of_renegotiations_is_bounded():
    joined = pair(ON, ON | {"limits": Limits(renegotiations=2)}).handshake()
    for _ in range(2):
        joined.client.connection.renegotiate()
        joined.run()
        joined.check_secrets()
    joined.client.connection.renegotiate()
    joined.run()
    assert joined.server.error is not None
    assert joined.client.error is not None


@pytest.mark.rfc("5746", "5")
def test_tls_unique_is_of_the_last_handshake():
    joined = pair(ON, ON).handshake()
    before = joined.client.connection.channel_binding("tls-unique")
    assert before == joined.server.connection.channel_binding("tls-unique")
    joined.client.connection.renegotiate()
    joined.run()
    after = joined.client.connection.channel_binding("tls-unique")
    assert before != after == joined.server.connection.channel_binding("tls-unique")


def _shows(chosen):
    """An interceptor for a client that asks for the session that `chosen` gives in its second hello, as puretls itself does not."""

    def show(hello):
        session = chosen()
        kept = [one for one in hello.extensions if one.extension_type != SessionTicket.type]
        ticket = [RawExtension(SessionTicket.type, session.ticket)] if session.ticket else []
        return replace(hello, session_id=session.session_id, extensions=(*kept, *ticket))

    return message(ClientHello, show, epoch=1)


def _asking(session, server):
    """A connection, then a hello that shows `session` (None: its own); the server's answer."""
    tap = _shows(lambda: session or joined.client.connection.session)
    joined = pair(ON | {"interceptors": (tap,)}, ON | server).handshake()
    joined.client.connection.renegotiate()
    joined.server.feed(joined.client.take())
    return joined


def by_id():
    return {"session_cache": MemorySessionStore(clock=lambda: NOW)}


def by_ticket():
    return {"tickets": TicketKeys([b"k" * 48], clock=lambda: NOW)}


both_ways = pytest.mark.parametrize("way", [by_id, by_ticket])


@pytest.mark.rfc("5246", "7.4.1.2")
@both_ways
def test_session_of_the_connection_is_resumed_in_a_renegotiation(way):
    joined = _asking(None, way())
    assert joined.server.state == "WAIT_CCS", joined.story()
    assert joined.server.connection.negotiated.resumed
    assert joined.server.alerts_sent == []


@both_ways
def test_another_session_is_not_resumed_in_a_renegotiation(way):
    server = way()
    other = pair({}, server).handshake().client.connection.session
    joined = _asking(other, server)
    assert joined.server.state == "WAIT_CLIENT_KEY_EXCHANGE"
    assert not joined.server.connection.negotiated.resumed


def test_a_client_to_be_asked_for_a_certificate_does_not_get_around_it_by_resuming():
    tap = _shows(lambda: joined.client.connection.session)
    joined = pair(ON | {"interceptors": (tap,)}, ON | by_id()).handshake()
    client, server = joined.client.connection, joined.server.connection
    server.change_config(replace(server.config, client_authentication="request"))
    client.renegotiate()
    joined.server.feed(joined.client.take())
    assert joined.server.state == "WAIT_CLIENT_CERTIFICATE"


def test_no_keying_material_is_exported_while_a_renegotiation_is_under_way():
    joined = pair(ON, ON).handshake()
    before = joined.client.connection.export_keying_material(b"EXPORTER-x", 16)
    joined.client.connection.renegotiate()
    with pytest.raises(UsageError, match="under way"):
        joined.client.connection.export_keying_material(b"EXPORTER-x", 16)
    joined.run()
    assert joined.client.connection.export_keying_material(b"EXPORTER-x", 16) != before


def test_no_channel_binding_is_given_while_a_renegotiation_is_under_way():
    joined = pair(ON, ON).handshake()
    before = joined.client.connection.channel_binding("tls-server-end-point")
    joined.client.connection.renegotiate()
    for kind in ("tls-unique", "tls-server-end-point", "tls-exporter"):
        with pytest.raises(UsageError, match="under way"):
            joined.client.connection.channel_binding(kind)
    joined.run()
    assert joined.client.connection.channel_binding("tls-server-end-point") == before


@pytest.mark.rfc("8449", "4")
def test_what_the_server_asked_for_bounds_the_hello_of_a_renegotiation():
    near, far = RecordSizeLimit(1000), RecordSizeLimit(64)
    joined = pair(ON | {"extensions": (near,)}, ON | {"extensions": (far,)}).handshake()
    joined.client.connection.renegotiate()
    joined.run()
    joined.check_secrets()
    assert joined.server.completed == 2


def test_configuration_may_change_what_was_agreed_on_only_with_the_next_handshake():
    joined = pair(ON | {"extensions": (RecordSizeLimit(100),)}, ON | {"extensions": (RecordSizeLimit(200),)}).handshake()
    for end in joined.ends():
        end.connection.change_config(replace(end.connection.config, extensions=()))
    joined.exchange(up=bytes(900), down=bytes(900))
    joined.client.connection.renegotiate()
    joined.run()
    joined.exchange(up=bytes(900), down=bytes(900))


def test_number_of_renegotiations_that_a_server_asks_for_is_bounded():
    joined = pair(ON | {"limits": Limits(renegotiations=2)}, ON).handshake()
    for completed in (2, 3, 3):
        joined.server.connection.renegotiate()
        joined.server.connection.send(b"x")
        joined.run()
        assert joined.client.completed == completed
    assert joined.client.alerts_sent[-1] == "no_renegotiation"
    assert joined.client.state == "FAILED"


@pytest.mark.rfc("7627", "6.1")
@pytest.mark.parametrize(("ems", "fails"), [(True, False), (False, True)])
def test_client_certificate_may_change_only_under_extended_master_secrets(ems, fails):
    fields = ON | {"extensions": (ExtendedMasterSecret(enabled=ems),)}
    near = fields | {"credentials": (credential(usage="client"),)}
    joined = pair(near, fields | {"client_authentication": "require"}).handshake()
    client = joined.client.connection
    client.renegotiate()
    joined.run()
    joined.check_secrets()
    client.change_config(replace(client.config, credentials=(credential("ed25519", usage="client"),)))
    client.renegotiate()
    joined.run()
    if fails:
        assert joined.client.alerts_received == joined.server.alerts_sent == ["illegal_parameter"]
    else:
        joined.check_secrets()


def test_a_configuration_of_ones_own_class_can_be_changed_for_a_plain_one():
    class Mine(ClientConfig):
        pass

    plain = client_config(**ON)
    client = Connection.client(Mine(**{field.name: getattr(plain, field.name) for field in fields(plain)}))
    client.change_config(plain)
    assert type(client.config) is ClientConfig
    with pytest.raises(UsageError, match="another role"):
        client.change_config(server_config())
