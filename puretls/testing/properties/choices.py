"""Properties of what is agreed on: in a negotiation, and where a session is resumed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from puretls.errors import DecodeError
from puretls.extensions.supported_groups import NamedGroupList
from puretls.iana import ExtensionType
from puretls.inspect.edit import Edit
from puretls.messages.handshake import ClientHello, ServerHello
from puretls.messages.key_exchange import ServerKeyExchangeEcdhe
from puretls.testing.adapters.base import Factory
from puretls.testing.properties.playing import Meeting
from puretls.testing.properties.property import Property, unless
from puretls.wire.schema import parse

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_RENEGOTIATION_SCSV = 0x00FF


# Negotiation


def _offers(subject: Factory) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    from puretls.testing import strategies

    if subject.role == "client":
        return st.sampled_from(list(_unsound()))
    names = ("suites", "groups", "signature_schemes", "extensions", "tickets")
    return strategies.configurations("client", secure=subject.secure).map(
        lambda config: {name: getattr(config, name) for name in names} | {"danger_suites": config.danger_suites}
    )


def _unsound() -> Iterator[Edit]:
    """What a server chooses that no client may accept."""
    meant = frozenset(("lengths", "mac", "transcript"))
    for suite in ("0x0005", "0x1301", "0xFFFF", "0x00FF"):
        yield Edit("server.ServerHello.cipher_suite", "set", suite, meant)
    yield Edit("server.ServerHello.compression_method", "set", "1", meant)
    for version in ("0x0300", "0x0304", "0x0301"):
        yield Edit("server.ServerHello.server_version", "set", version, meant)
    yield Edit("server.ServerHello.extensions[0]", "insert", "hex:fff00000", meant)
    yield Edit("server.ServerHello.extensions[0]", "duplicate", "", meant)
    yield Edit("server.ServerKeyExchange.params.named_curve", "set", "0x0016", meant)
    yield Edit("server.ServerKeyExchange.signed.algorithm", "set", "0x0201", meant)


def _agree(subject: Factory, case: Any) -> None:
    if isinstance(case, Edit):
        meeting = Meeting(subject, edits=(case,)).shake_hands()
        unless(
            not meeting.completed or not meeting.made, subject, negotiation_is_sound, lambda: f"after {case}: {meeting.story()}"
        )
        return
    meeting = Meeting(subject, **case).shake_hands()
    for fault in _faults(meeting):
        raise negotiation_is_sound.violated(subject, fault)


def _faults(meeting: Meeting) -> Iterator[str]:
    """What a server chose that was not offered (RFC 5246 7.4.1.3, 7.4.1.4; RFC 8422 5.4)."""
    messages = {type(one.message): one.message for one in meeting.conversation().messages if one.message is not None}
    hello, answer = messages.get(ClientHello), messages.get(ServerHello)
    if not isinstance(hello, ClientHello) or not isinstance(answer, ServerHello):
        return
    offered = {int(suite) for suite in hello.cipher_suites} - {_RENEGOTIATION_SCSV}
    if answer.cipher_suite not in offered:
        yield f"suite {answer.cipher_suite:#06x} was not offered"
    if answer.compression_method not in hello.compression_methods:
        yield f"compression {answer.compression_method} was not offered"
    if answer.server_version > hello.client_version:
        yield f"version {answer.server_version:#06x} is newer than what was offered"
    types = {int(one.extension_type) for one in hello.extensions or ()} | {int(ExtensionType.RENEGOTIATION_INFO)}
    answered = [int(one.extension_type) for one in answer.extensions or ()]
    yield from (f"extension {number} was not offered" for number in answered if number not in types)
    exchange = messages.get(ServerKeyExchangeEcdhe)
    groups = _groups(hello)
    if isinstance(exchange, ServerKeyExchangeEcdhe) and groups and exchange.params.named_curve not in groups:
        yield f"group {exchange.params.named_curve} was not offered"


def _groups(hello: ClientHello) -> tuple[int, ...]:
    for extension in hello.extensions or ():
        if extension.extension_type == ExtensionType.SUPPORTED_GROUPS:
            try:
                return tuple(parse(NamedGroupList, extension.extension_data).named_groups)
            except DecodeError:
                return ()
    return ()


negotiation_is_sound: Property = Property(
    "negotiation_is_sound",
    "only what was offered is chosen, and a client takes nothing else",
    "RFC 5246 7.4.1.3",
    _offers,
    _agree,
)


# Resumption


def _changes(subject: Factory) -> SearchStrategy[tuple[str, Edit | None]]:
    from hypothesis import strategies as st

    meant = frozenset(("lengths", "mac", "transcript"))
    if subject.role == "client":
        suites = ("0xC02C", "0xCCA9", "0xC009")
        return st.sampled_from(
            [(f"suite {one}", Edit("server.ServerHello.cipher_suite", "set", one, meant, 1)) for one in suites]
        )
    return st.sampled_from([("nothing", None), ("no extended_master_secret", None), ("another suite", None)])


def _resume(subject: Factory, case: tuple[str, Edit | None]) -> None:
    if subject.role == "client":
        _resume_client(subject, case)
    else:
        _resume_server(subject, case[0])


def _resume_server(subject: Factory, change: str) -> None:
    """RFC 5246 F.1.4, RFC 7627 5.3: what the session was made with stays as it is, or there is a full handshake, or none."""
    first = Meeting(subject).converse()
    session = first.ours.connection.session
    if session is None:
        return
    ems = _index(first, ExtensionType.EXTENDED_MASTER_SECRET)
    others = [suite for suite in _hello(first).cipher_suites if int(suite) not in {int(session.suite), _RENEGOTIATION_SCSV}]
    edits = []
    if change == "no extended_master_secret":
        edits = [Edit(f"client.ClientHello.extensions[{ems}]", "delete")]
    elif change == "another suite" and others:
        edits = [Edit("client.ClientHello.cipher_suites", "set", f"hex:{int(others[0]):04x}")]
    again = Meeting(subject, session=session, seed=b"again", edits=edits).shake_hands()
    if change != "nothing" and all(not outcome.problem for outcome in again.editor.outcomes):
        unless(not _is_resumed(again), subject, resumption_keeps_parameters, lambda: f"resumed with {change}: {again.story()}")


def _is_resumed(meeting: Meeting) -> bool:
    """Whether the server took the session up: it changed keys without a flight of its own before (RFC 5246 7.3, figure 2)."""
    names = [one.name for one in meeting.conversation().messages if one.side == "server"]
    return names[:1] == ["ServerHello"] and "ChangeCipherSpec" in names and "ServerHelloDone" not in names


def _hello(meeting: Meeting) -> ClientHello:
    return next(one.message for one in meeting.conversation().messages if isinstance(one.message, ClientHello))


def _index(meeting: Meeting, extension: int) -> int:
    types = [int(one.extension_type) for one in _hello(meeting).extensions or ()]
    return types.index(int(extension)) if int(extension) in types else len(types)


def _resume_client(subject: Factory, case: tuple[str, Edit | None]) -> None:
    """A client that keeps sessions offers one to the second server; that one resumes it with something else."""
    from puretls.session import TicketKeys
    from puretls.testing.honest import NOW

    change, edit = case
    keys = TicketKeys([b"r" * 48], clock=lambda: NOW)
    Meeting(subject, tickets=keys).converse()
    assert edit is not None
    again = Meeting(
        subject, tickets=keys, seed=b"again", edits=(Edit(edit.path, edit.operation, edit.value, edit.repair),)
    ).shake_hands()
    agreed = again.ours.connection.negotiated
    if agreed is None or not agreed.resumed or not again.made:
        return
    unless(not again.completed, subject, resumption_keeps_parameters, lambda: f"resumed with {change}: {again.story()}")


resumption_keeps_parameters: Property = Property(
    "resumption_keeps_parameters",
    "a session is resumed with the suite and the extended_master_secret that it was made with, or not at all",
    "RFC 5246 F.1.4, RFC 7627 5.3",
    _changes,
    _resume,
)
