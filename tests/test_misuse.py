"""A caller's mistake is a `UsageError` that names what was wrong, at the earliest point there is."""

import asyncio
import dataclasses
import os
import time

import pytest

from puretls import (
    CallbackError,
    ClientConfig,
    Connection,
    Credential,
    Interceptor,
    Limits,
    MemorySessionStore,
    ServerConfig,
    TicketKeys,
    UsageError,
    danger,
)
from puretls.config import TAPS
from puretls.crypto.provider import default
from puretls.extensions import Alpn
from puretls.handshake.effects import Effect
from puretls.intercept import _RESULTS
from puretls.net import aio
from puretls.suites import DEFAULT_SUITES, SUITES
from puretls.x509.verifier import chain_verifier, pinned_verifier
from tests.support.credentials import credential, issued
from tests.support.pair import client_config, pair, server_config

WRONG = (None, True, 7, -1, 1.5, float("nan"), "text", b"bytes", object(), type, (), (1,), ("x",), (b"x", None), {"a": 1}, {1}, [object()])
"""Values of many types; most fields take one or two of these types."""


def refused_or_taken(make):
    """The value made, or None after a UsageError of one line; anything else is a failure."""
    try:
        return make()
    except UsageError as error:
        text = str(error)
    assert len(text) > 15
    assert "\n" not in text
    return None


@pytest.mark.parametrize("cls", [ClientConfig, ServerConfig, Limits, Credential])
def test_any_wrong_type_in_any_field_is_refused_when_the_value_is_made(cls):
    base = {ClientConfig: ClientConfig, Limits: Limits, ServerConfig: lambda: ServerConfig(credentials=(credential(),)), Credential: credential}[cls]()
    for field in dataclasses.fields(cls):
        taken = [value for value in WRONG if refused_or_taken(lambda: dataclasses.replace(base, **{field.name: value})) is not None]  # noqa: B023
        assert len(taken) <= 8, (field.name, taken)
        assert not any(type(value) is object or isinstance(value, dict | set) for value in taken), field.name


@pytest.mark.parametrize("role", ["client", "server"])
def test_what_is_taken_never_ends_in_a_type_error(role):
    """At construction or at first use: a handshake with each value that a field takes goes through or fails by our own errors."""
    base = {"client": client_config, "server": server_config}[role]()
    for field in dataclasses.fields(type(base)):
        for value in WRONG:
            made = refused_or_taken(lambda: dataclasses.replace(base, **{field.name: value}))  # noqa: B023
            if made is not None and not isinstance(value, type):  # a class can be called: a call-back like any other
                joined = pair(**{role: {field.name: value}}).handshake()
                for end in joined.ends():
                    assert not isinstance(getattr(end.error, "__cause__", None), TypeError | AttributeError), (field.name, value)


class Certificates:
    PEM = "-----BEGIN CERTIFICATE-----\n"


AT_ONCE = {
    "limits below zero": (lambda: Limits(-1), "Limits.handshake_message"),
    "limits without time": (lambda: Limits(handshake_time=float("inf")), "Limits.handshake_time"),
    "primes that exclude each other": (lambda: Limits(smallest_dh_prime=4096, largest_dh_prime=2048), "largest_dh_prime"),
    "no groups": (lambda: ClientConfig(groups=()), "groups is empty"),
    "no schemes": (lambda: ClientConfig(signature_schemes=()), "signature_schemes is empty"),
    "suites by name": (lambda: ClientConfig(suites=("TLS_RSA",)), "algorithm_names.suites"),
    "suites in one text": (lambda: ClientConfig(suites="ECDHE"), "algorithm_names.suites"),
    "a single suite": (lambda: ClientConfig(suites=DEFAULT_SUITES[0]), "tuple of Suites"),
    "groups by name": (lambda: ClientConfig(groups=("x25519",)), "NamedGroup"),
    "credential of texts": (lambda: Credential("x", "y"), "Credential.chain"),
    "chain of texts": (lambda: Credential((Certificates.PEM,), issued().key), r"Credential.chain\[0\]"),
    "key in PEM": (lambda: Credential(issued().chain, "y"), "parse_private_key"),
    "credential without a tuple": (lambda: ServerConfig(credentials=credential()), "tuple of Credentials"),
    "extension by name": (lambda: ClientConfig(extensions=("h2",)), "Alpn"),
    "extension class": (lambda: ClientConfig(extensions=(Alpn,)), "class Alpn"),
    "verifier that is none": (lambda: ClientConfig(verifier=True), "system_verifier"),
    "interceptor that is none": (lambda: ClientConfig(interceptors=(1,)), r"interceptors\[0\].*Interceptor"),
    "interceptor class": (lambda: ClientConfig(interceptors=(Interceptor,)), "class Interceptor"),
    "tickets by switch on a server": (lambda: ServerConfig(credentials=(credential(),), tickets=False), "TicketKeys"),
    "a DH group that is none": (lambda: ServerConfig(credentials=(credential(),), dh_parameters=(0, 0)), "dh_parameters"),
    "client of a server's configuration": (lambda: Connection.client(server_config()), "ClientConfig"),
    "server of a client's configuration": (lambda: Connection.server(client_config()), "ServerConfig"),
    "asyncio server of a client's configuration": (
        lambda: asyncio.run(aio.start_server(lambda reader, writer: None, "127.0.0.1", 0, client_config())), "ServerConfig"),
    "asyncio server of none": (lambda: asyncio.run(aio.start_server(lambda reader, writer: None, "127.0.0.1", 0, None)), "ServerConfig"),
    "client that is started twice": (lambda: [started.start() for started in [Connection.client(client_config())] * 2], "already"),
    "session that is none": (lambda: Connection.client(client_config(), "a.test", b"session"), "Session"),
    "name that is none": (lambda: Connection.client(client_config(), 7), "server name"),
    "anchor in PEM": (lambda: chain_verifier([Certificates.PEM], provider=default()), "file_verifier"),
    "anchor in PEM, as bytes": (lambda: chain_verifier([Certificates.PEM.encode()], provider=default()), "file_verifier"),
    "anchors in one text": (lambda: chain_verifier(Certificates.PEM, provider=default()), "file_verifier"),
    "anchors in one block": (lambda: chain_verifier(b"0", provider=default()), "list of certificates"),
    "provider that is none": (lambda: chain_verifier([], provider="fast"), "provider"),
    "pin in hexadecimal": (lambda: pinned_verifier(["00" * 32]), "32 bytes"),
    "pins that are no list": (lambda: pinned_verifier(5), "32 bytes"),
    "ticket key in text": (lambda: TicketKeys(["x" * 48]), "a ticket key is bytes, not str"),
    "ticket key by number": (lambda: TicketKeys([48]), "a ticket key is bytes, not 48"),
    "random that gives text": (lambda: ServerConfig(credentials=(credential(),), random=lambda count: "x" * count), "not str"),
    "room for some sessions": (lambda: MemorySessionStore("many"), "room"),
    "protocol by number": (lambda: Alpn(5), "Alpn|application protocol"),
    "bytes that are text": (lambda: Connection.client(client_config()).receive_bytes("x"), "str"),
    "bytes that are nothing": (lambda: Connection.client(client_config()).receive_bytes(None), "None"),
    "zeros by number": (lambda: Connection.client(client_config()).receive_bytes(5), "5"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "says"), AT_ONCE.values(), ids=AT_ONCE)
def test_misuse_is_refused_at_once(make, says):
    with pytest.raises(UsageError, match=says):
        make()


@pytest.mark.parametrize("wrong", [value for value in WRONG if not isinstance(value, bytes)])
def test_what_a_connection_is_asked_with_the_wrong_type_is_refused(wrong):
    connection = pair().handshake().client.connection
    calls = [connection.send, connection.receive_bytes, connection.abort, connection.answer, connection.change_config, connection.channel_binding,
             lambda value: connection.export_keying_material(value, 20)]  # fmt: skip
    for call in calls:
        with pytest.raises(UsageError):
            call(wrong)
    assert connection.is_connected


def test_secrets_given_to_the_wrong_field_are_not_shown():
    for make in (lambda: ClientConfig(psk="sesame"), lambda: Credential((), b"sesame"), lambda: Credential(issued().chain, b"sesame")):
        with pytest.raises(UsageError) as caught:
            make()
        assert "sesame" not in str(caught.value)


def test_lists_are_taken_for_tuples():
    config = ServerConfig(credentials=[credential()], suites=list(DEFAULT_SUITES[:2]), interceptors=[Interceptor()])
    assert config.credentials == (credential(),)
    assert config.suites == DEFAULT_SUITES[:2]
    assert type(config.interceptors) is tuple


def test_empty_groups_and_schemes_do_where_no_suite_needs_them():
    plain = tuple(suite for suite in SUITES if suite.name == "TLS_RSA_WITH_AES_128_GCM_SHA256")
    assert ClientConfig(suites=plain, groups=(), signature_schemes=()).groups == ()


# Call-backs


@pytest.mark.parametrize("told", ["noon", None, float("nan"), float("inf"), -1, 10**20])
@pytest.mark.parametrize("role", ["client", "server"])
def test_clock_that_tells_no_time_is_the_callers_fault(role, told):
    joined = pair(**{role: {"clock": lambda: told}}).handshake()
    ended = getattr(joined, role).error
    assert isinstance(ended, UsageError)
    assert "clock must give seconds since 1970" in str(ended)


def test_client_certificate_that_gives_no_credential_is_the_callers_fault():
    server = {"client_authentication": "request", "verifier": danger.accept_any_chain}
    joined = pair(client={"client_certificate": lambda request: 5}, server=server).handshake()
    assert isinstance(joined.client.error, UsageError)
    assert "client_certificate must give a Credential" in str(joined.client.error)


class _Unwell(TicketKeys):
    def seal(self, session, source=None):
        raise ZeroDivisionError

    open = seal


def test_ticket_keys_that_raise_are_named():
    joined = pair(server={"tickets": _Unwell()}).handshake()
    assert isinstance(joined.server.error, CallbackError)
    assert "tickets.seal raised ZeroDivisionError" in str(joined.server.error)


@pytest.mark.parametrize("verdict", [None, True, False, "yes", object(), 1], ids=lambda verdict: type(verdict).__name__)
@pytest.mark.parametrize("role", ["client", "server"])
def test_verifier_that_gives_no_report_is_named_and_refuses(verdict, role):
    def my_verifier(request):
        return verdict

    server = {"client_authentication": "require"} if role == "server" else {}
    client = {"credentials": (credential(),)}
    joined = pair(**{"client": client, "server": server, role: {"client": client, "server": server}[role] | {"verifier": my_verifier}}).handshake()
    error = getattr(joined, role).error
    assert isinstance(error, UsageError)
    assert "my_verifier" in str(error)
    assert not joined.connected


# Taps

BAD_RESULTS = {
    "flight": (None, Effect(), (1,)),
    "message": (None, "same", b"bytes"),
    "handshake": ("same", None, 7),
    "plaintext": ("same", None, (b"bytes",)),
    "ciphertext": ("same", None, ("text",)),
}


@pytest.mark.parametrize(("tap", "result"), [(tap, result) for tap, results in BAD_RESULTS.items() for result in results], ids=lambda value: value if isinstance(value, str) else type(value).__name__)  # fmt: skip
def test_tap_that_returns_anything_but_an_iterable_of_its_kind_is_named(tap, result):
    class Mine(Interceptor):
        pass

    setattr(Mine, tap, lambda self, value, where: value if result == "same" else result)
    joined = pair({"interceptors": (Mine(),)})
    with pytest.raises(UsageError, match=rf"Mine\.{tap} (returns|gives)"):
        joined.handshake()


def test_taps_have_one_list():
    assert tuple(_RESULTS) == TAPS == tuple(name for name in vars(Interceptor) if not name.startswith("_"))


@pytest.mark.parametrize("name", ["mesage", "messages", "handshakes", "plain_text", "cipher_text", "fligth", "on_message", "record"])
def test_misspelt_tap_is_refused_with_its_class(name):
    with pytest.raises(UsageError, match=rf"Mine\.{name} is no tap"):
        type("Mine", (Interceptor,), {name: lambda self, value, where: (value,)})


@pytest.mark.parametrize("function", [lambda self: (), lambda self, value: (), lambda self, value, where, more: ()])
def test_tap_of_another_form_is_refused(function):
    with pytest.raises(UsageError, match=r"Mine\.message must take"):
        type("Mine", (Interceptor,), {"message": function})


def test_helpers_are_left_alone():
    class Mine(Interceptor):
        def messages(self):
            return []

        def add(self, one, two):
            return one + two

        def _record(self, value, where):
            return value

        def message(self, message, where=None, *more):
            return (message,)

    assert ClientConfig(interceptors=(Mine(),), random=os.urandom, clock=time.time).interceptors
