"""Faults that are planted into puretls while a test runs: each a call on a monkeypatch, and the conversation that shows it at the least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from puretls.connection import ending
from puretls.handshake import finished, table
from puretls.handshake.client import end as client_end
from puretls.handshake.effects import Step
from puretls.handshake.server import choice, resumption
from puretls.handshake.server import end as server_end
from puretls.handshake.states import ClientState as C
from puretls.handshake.states import ServerState as S
from puretls.messages.handshake import Finished
from puretls.messages.records import ApplicationData, ChangeCipherSpec
from puretls.record.protection import AeadProtection
from puretls.x509.path import examine

HELLO = ("ClientHello", "ClientKeyExchange", "ChangeCipherSpec", "Finished")
SERVER_HELLO = ("ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone")


@dataclass(frozen=True)
class Fault:
    """`plant(monkeypatch)` makes it; `least` are the conversations, of each role, that show it and from which nothing can be left out.

    They are told as a bout notes its moves, without what is answered.
    """

    name: str
    plant: Callable
    least: tuple[tuple[str, ...], ...]

    def __init__(self, name, plant, *least):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "plant", plant)
        object.__setattr__(self, "least", least)


def _edge(state, input_, handler):
    def plant(monkeypatch):
        states = C if isinstance(state, C) else S
        monkeypatch.setitem(table.INDEX, (state, table.input_key(input_)), table.row(state, input_, handler, *states))

    return plant


def _stay(state):
    return lambda context, message: Step(context, state)


def _row(state, input_):
    return table.lookup(state, table.input_key(input_)).handler


def _finished_unchecked(monkeypatch):
    def unchecked(context, message, peer):
        return finished._keep_finished(peer)(context, message)

    monkeypatch.setattr(server_end, "check_finished", unchecked)
    monkeypatch.setattr(client_end, "check_finished", unchecked)


def _nonce_reuse(monkeypatch):
    honest = AeadProtection._nonce
    monkeypatch.setattr(AeadProtection, "_nonce", lambda self, sequence: honest(self, sequence // 2))


def _no_ems_rule(monkeypatch):
    honest = resumption._may_resume

    def careless(context, results, session):
        from puretls.extensions import ExtendedMasterSecret

        return honest(context, {**results, ExtendedMasterSecret: session.extended_master_secret}, session)

    monkeypatch.setattr(resumption, "_may_resume", careless)


def _weakest_suite(monkeypatch):
    honest = choice.choose

    def weakest(context, results):
        from dataclasses import replace

        return honest(context.evolve(config=replace(context.config, suites=context.config.suites[::-1])), results)

    from puretls.handshake.server import flight

    monkeypatch.setattr(flight, "choose", weakest)


def _truncation_is_close(monkeypatch):
    honest = ending.Ending.receive_end
    monkeypatch.setattr(ending.Ending, "receive_end", lambda self, *, clean, **more: honest(self, clean=True, **more))


def _wrong_key_again(monkeypatch):
    honest = finished.protection

    def wrong(context, sender):
        other = sender.other
        return honest(context, other if context.established is not None else sender)

    monkeypatch.setattr(finished, "protection", wrong)


def _ignored(name):
    return lambda monkeypatch: monkeypatch.setattr(examine.Examiner, name, lambda self, path: iter(()))


FLIGHT = ("a client", *SERVER_HELLO)
CONNECTED = (*FLIGHT, "NewSessionTicket", "ChangeCipherSpec", "Finished")
FAULTS = (
    Fault("early CCS", _edge(S.WAIT_CLIENT_KEY_EXCHANGE, ChangeCipherSpec, _stay(S.WAIT_CLIENT_KEY_EXCHANGE)),
          ("a server", "ClientHello", "ChangeCipherSpec")),
    Fault("CCS skipped", _edge(S.WAIT_CCS, Finished, _row(S.WAIT_FINISHED, Finished)),
          ("a server", "ClientHello", "ClientKeyExchange", "Finished")),
    Fault("Finished skipped", _edge(C.WAIT_FINISHED, ApplicationData, _row(C.CONNECTED, ApplicationData)),
          (*CONNECTED[:-1], "ApplicationData")),
    Fault("Finished unchecked", _finished_unchecked,
          ("a server", *HELLO[:-1], "Finished over another handshake"), (*CONNECTED[:-1], "Finished over another handshake")),
    Fault("data before Finished", _edge(S.WAIT_FINISHED, ApplicationData, _row(S.CONNECTED, ApplicationData)),
          ("a server", *HELLO[:-1], "ApplicationData")),
    Fault("nonce reuse", _nonce_reuse,
          ("a server", *HELLO, "the application sends"), (*FLIGHT, "ChangeCipherSpec"), (*CONNECTED, "the application sends")),
    Fault("no rule for extended master secrets at resumption", _no_ems_rule,
          ("a server", *HELLO, "a server", "ClientHelloResuming without extended_master_secret"),
          ("a server", "ClientHello without extended_master_secret", *HELLO[1:], "a server", "ClientHelloResuming")),
    Fault("downgrade of the suite", _weakest_suite, ("a server", "ClientHello")),
    Fault("truncation taken for close", _truncation_is_close, ("a server", "end of file"), ("a client", "end of file")),
    Fault("wrong key after renegotiation", _wrong_key_again, ("a server", *HELLO, *HELLO),
          (*CONNECTED, "the application renegotiates", *SERVER_HELLO), (*CONNECTED, "HelloRequest", *SERVER_HELLO)),
    Fault("path length ignored", _ignored("_length_faults"),
          ("a client", "ServerHello", "Certificate path length", *SERVER_HELLO[2:])),
    Fault("name constraint ignored", _ignored("_constraint_faults"),
          ("a client", "ServerHello", "Certificate name not permitted", *SERVER_HELLO[2:])),
)  # fmt: skip
"""The twelve. Where a client and a server can show it, both least conversations are known."""
