"""Messages of the protocol: honest ones, and ones of which a few fields have any value that their field lists allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from puretls.errors import UsageError
from puretls.handshake.states import Role
from puretls.iana import AlertDescription, AlertLevel, ContentType, HandshakeType
from puretls.messages import handshake as hs
from puretls.messages import key_exchange as kx
from puretls.messages.extension import RawExtension
from puretls.messages.records import MAX_PLAINTEXT, Alert, ApplicationData, ChangeCipherSpec, Record
from puretls.testing import honest
from puretls.testing.flights import BEGINS, Flight, follows, is_over
from puretls.testing.strategies.fields import (
    Unshown,
    Zeros,
    edges,
    either,
    extension_in,
    indices,
    made_of,
    some_bytes,
    strategy_for,
)
from puretls.wire.schema import Struct

M = TypeVar("M", bound=hs.HandshakeMessage)
Strategy = st.SearchStrategy
CHANGED = 2
"""Fields of an honest message that are others, at most."""


def _near_honest(cls: type[hs.HandshakeMessage]) -> Strategy[Any]:
    """Honest messages of a class, and such of which a few fields are others: they shrink to an honest one, then to the least change."""
    fields = {name: strategy_for(codec) for name, codec in cls.wire_fields}
    if not fields:
        return st.just(cls())
    bases = honest.messages(cls)
    if not bases:
        return strategy_for(cls)
    if "extensions" in fields:
        fields[_ONE_EXTENSION] = extensions(cls.path_name)
    names = (*fields, *[_ONE_EXTENSION] * (_ONE_EXTENSION in fields))
    changes = st.lists(_change(Unshown(fields.items()), names), max_size=CHANGED)
    return _changed(Unshown((st.sampled_from(bases), changes)))


_near: Callable[[type], Strategy[Any]] = cache(_near_honest)
_ONE_EXTENSION = "one extension"
"""In place of the one of its type, or behind the others: a hello whose list is another altogether is soon refused."""


@st.composite
def _changed(draw: Any, parts: Unshown) -> Any:
    bases, changes = parts
    message = draw(bases)
    for name, value in draw(changes):
        message = replace(message, **({"extensions": _with(message, value)} if name == _ONE_EXTENSION else {name: value}))
    return message


def _with(hello: Any, extension: RawExtension) -> tuple[RawExtension, ...]:
    kept = hello.extensions or ()
    if all(one.extension_type != extension.extension_type for one in kept):
        return (*kept, extension)
    return tuple(extension if one.extension_type == extension.extension_type else one for one in kept)


@st.composite
def _change(draw: Any, fields: Unshown, names: tuple[str, ...]) -> tuple[str, Any]:
    """A field and its new value, next to each other, so that they are left out together."""
    name = names[draw(indices(len(names)))]
    return name, draw(dict(fields)[name])


def client_hellos() -> Strategy[hs.ClientHello]:
    """ClientHellos (RFC 5246 7.4.1.2): honest ones of which up to `CHANGED` fields are others; `strategy_for` gives any."""
    return _near(hs.ClientHello)


_DOWNGRADE = tuple(b"r" * 24 + b"DOWNGRD" + bytes((last,)) for last in (0, 1))


def server_hellos() -> Strategy[hs.ServerHello]:
    """ServerHellos (RFC 5246 7.4.1.3), some with the marks that a newer server leaves in its random (RFC 8446 4.1.3)."""
    plain = _near(hs.ServerHello)
    return either(plain, plain, plain, _marked(plain))


@st.composite
def _marked(draw: Any, hellos: Strategy[hs.ServerHello]) -> hs.ServerHello:
    hello: hs.ServerHello = draw(hellos)
    return replace(hello, random=draw(st.sampled_from(_DOWNGRADE)))


def certificate_messages() -> Strategy[hs.Certificate]:
    """Certificate messages (RFC 5246 7.4.2): honest chains, chains in another order, bytes that are no certificate."""
    ders = sorted({der for message in honest.messages(hs.Certificate) for der in message.certificate_list})
    entries = either(st.sampled_from(ders), some_bytes(1, 2**24 - 1))
    return either(_near(hs.Certificate), made_of(hs.Certificate, (st.lists(entries, max_size=4).map(tuple),)))


def certificate_statuses() -> Strategy[hs.CertificateStatus]:
    """CertificateStatus messages (RFC 6066 8)."""
    return _near(hs.CertificateStatus)


def server_key_exchanges() -> Strategy[kx.ServerKeyExchange]:
    """ServerKeyExchange messages of every form (RFC 5246 7.4.3, RFC 8422 5.4, RFC 4279, RFC 5489)."""
    return _forms(kx.ServerKeyExchange)


def certificate_requests() -> Strategy[hs.CertificateRequest]:
    """CertificateRequests (RFC 5246 7.4.4)."""
    return _near(hs.CertificateRequest)


def server_hello_dones() -> Strategy[hs.ServerHelloDone]:
    """ServerHelloDone (RFC 5246 7.4.5), of which there is one."""
    return _near(hs.ServerHelloDone)


def client_key_exchanges() -> Strategy[kx.ClientKeyExchange]:
    """ClientKeyExchange messages of every form (RFC 5246 7.4.7, RFC 8422 5.7, RFC 4279, RFC 5489)."""
    return _forms(kx.ClientKeyExchange)


def certificate_verifies() -> Strategy[hs.CertificateVerify]:
    """CertificateVerify messages (RFC 5246 7.4.8)."""
    return _near(hs.CertificateVerify)


def finished_messages() -> Strategy[hs.Finished]:
    """Finished messages (RFC 5246 7.4.9)."""
    return _near(hs.Finished)


def new_session_tickets() -> Strategy[hs.NewSessionTicket]:
    """NewSessionTickets (RFC 5077 3.3)."""
    return _near(hs.NewSessionTicket)


def hello_requests() -> Strategy[hs.HelloRequest]:
    """HelloRequest (RFC 5246 7.4.1.1), of which there is one."""
    return _near(hs.HelloRequest)


def _all_forms(base: type[hs.HandshakeMessage]) -> Strategy[Any]:
    """All forms of a message, those without a key exchange last."""
    forms = sorted(base.__subclasses__(), key=lambda cls: (cls.__name__.endswith("Unknown"), cls.__name__))
    return either(*map(_near, forms))


_forms: Callable[[type], Strategy[Any]] = cache(_all_forms)


@cache
def handshake_messages() -> Strategy[hs.HandshakeMessage]:
    """Any message of a handshake, those included that TLS 1.2 does not have."""
    return either(*(make() for make in _BY_CLASS.values() if make not in _NO_HANDSHAKE), _unknowns())


@st.composite
def _unknowns(draw: Any) -> Any:
    """Bodies under a number that no message of TLS 1.2 has. The class has no number of its own: one is made for each."""
    number = draw(st.sampled_from([number for number in range(256) if number not in hs.BY_TYPE and number not in {12, 16}]))
    return _unknown_class(number)(draw(some_bytes(0, 2**14)))


@cache
def _unknown_class(number: int) -> type[hs.Unknown]:
    return type("Unknown", (hs.Unknown,), {"handshake_type": number, "__slots__": ()})


# Extensions


_HELLOS: Mapping[str, tuple[HandshakeType, type[Any]]] = {
    "clienthello": (HandshakeType.CLIENT_HELLO, hs.ClientHello),
    "serverhello": (HandshakeType.SERVER_HELLO, hs.ServerHello),
}


def extensions(message: HandshakeType | str = HandshakeType.CLIENT_HELLO) -> Strategy[RawExtension]:
    """Extensions of a hello, "client_hello" or "server_hello": bodies of their types, honest ones, and any bytes under any number.

    Raises `UsageError` for another message.
    """
    name = (message if isinstance(message, str) else message.name).replace("_", "").lower()
    if name not in _HELLOS:
        raise UsageError(f"extensions are those of client_hello or server_hello, not {message!r}")
    where, cls = _HELLOS[name]
    found = [one for hello in honest.messages(cls) for one in hello.extensions or ()]
    honest_ones = st.sampled_from(sorted(set(found), key=lambda one: (one.extension_type, one.extension_data)))
    return either(honest_ones, extension_in(where), extension_in(where))


# Records, and what else they carry


@cache
def alerts() -> Strategy[Alert]:
    """Alerts (RFC 5246 7.2): with names three times in four, else any two bytes."""
    named = made_of(Alert, (st.sampled_from(AlertLevel), st.sampled_from(AlertDescription)))
    return either(named, named, named, strategy_for(Alert))


@cache
def change_cipher_specs() -> Strategy[ChangeCipherSpec]:
    """ChangeCipherSpec (RFC 5246 7.1): mostly the one that is legal."""
    return either(st.just(ChangeCipherSpec(1)), strategy_for(ChangeCipherSpec))


@cache
def application_data() -> Strategy[ApplicationData]:
    """Application data (RFC 5246 10), from nothing to a full record."""
    return made_of(ApplicationData, (either(some_bytes(0, MAX_PLAINTEXT), st.sampled_from((1, MAX_PLAINTEXT)).map(Zeros)),))


_FULL = (MAX_PLAINTEXT - 1, MAX_PLAINTEXT, MAX_PLAINTEXT + 1, MAX_PLAINTEXT + 2048, MAX_PLAINTEXT + 2049, 2**16 - 1)
"""Lengths of a fragment at which a record is just legal, or just not (RFC 5246 6.2.1 to 6.2.3)."""


@cache
def records() -> Strategy[Record]:
    """Records (RFC 5246 6.2.1) in the clear: of a message, of alerts, of any bytes under any type and version."""
    types = st.sampled_from((*ContentType, *(number for number in edges(1) if number not in set(ContentType))))
    versions = st.sampled_from((0x0303, 0x0303, 0x0301, 0x0300, 0x0304, 0x0002, 0, 0xFFFF))
    any_bytes = either(some_bytes(0, 2**14), st.sampled_from(_FULL).map(Zeros))
    whole = either(handshake_messages(), alerts(), change_cipher_specs(), application_data())
    carried = whole.map(_carrying)
    return either(carried, st.builds(Record, types, versions, any_bytes))


def _carrying(message: Struct) -> Record:
    record = Flight("", (message,)).records()[0]
    return record if any(record.fragment) else replace(record, fragment=Zeros(record.fragment))


# Flights

_BY_CLASS: Mapping[type[Struct], Callable[[], Strategy[Any]]] = {
    hs.ClientHello: client_hellos,
    hs.ServerHello: server_hellos,
    hs.Certificate: certificate_messages,
    hs.CertificateStatus: certificate_statuses,
    kx.ServerKeyExchange: server_key_exchanges,
    hs.CertificateRequest: certificate_requests,
    hs.ServerHelloDone: server_hello_dones,
    kx.ClientKeyExchange: client_key_exchanges,
    hs.CertificateVerify: certificate_verifies,
    hs.Finished: finished_messages,
    hs.NewSessionTicket: new_session_tickets,
    hs.HelloRequest: hello_requests,
    ChangeCipherSpec: change_cipher_specs,
    ApplicationData: application_data,
    Alert: alerts,
}
_NO_HANDSHAKE = (change_cipher_specs, application_data, alerts)


def messages(cls: type[Struct]) -> Strategy[Any]:
    """Messages of a class of the handshake table, and of the three others that records carry. Raises `UsageError` for other classes."""
    for known, make in _BY_CLASS.items():
        if issubclass(cls, known):
            return make() if cls is known else _near(cls)
    raise UsageError(f"{cls.__name__} is no message that a record carries")


def flights(role: str) -> Strategy[Flight]:
    """What a "client" or "server" may send at once: messages in an order that the handshake table allows, each drawn as above.

    Order and form are legal, what the messages say need not be. Raises `UsageError` for another role.
    """
    if role not in {"client", "server"}:
        raise UsageError(f"a role is client or server, not {role!r}")
    return _flights(role, Role.SERVER if role == "client" else Role.CLIENT)


@st.composite
def _flights(draw: Any, sender: str, receiver: Role) -> Flight:
    state, sent, over = draw(st.sampled_from(BEGINS[receiver])), [], False
    while not over:
        input_, after = draw(st.sampled_from(follows(receiver, state)))
        sent.append(draw(messages(input_)))
        state, over = after, is_over(receiver, input_, after)
    return Flight(sender, tuple(sent))
