"""Faults of other kinds than the twelve, planted in the same way, each with the conversations that show it at the least."""

from dataclasses import replace

from puretls.connection.inbox import Inbox
from puretls.connection.machine import Machine
from puretls.connection.outbox import Outbox
from puretls.connection.repeats import Repeats
from puretls.extensions import RenegotiationInfo, ServerName
from puretls.handshake.client import answer
from puretls.handshake.server import end as server_end
from puretls.handshake.server import hello as server_hello
from puretls.handshake.states import ServerState as S
from puretls.handshake.states import Verdict
from puretls.iana import AlertLevel
from puretls.key_exchange import share
from puretls.messages.handshake import HelloRequest
from puretls.record.fragment import Joiner
from puretls.session import TICKET_NAME_LENGTH, TICKET_NONCE_LENGTH, Session, TicketKeys
from puretls.x509.path import examine
from tests.testing.faults import CONNECTED, FLIGHT, HELLO, SERVER_HELLO, Fault, _edge, _stay

TAG = 16


def _set(owner, name, value):
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def _around(owner, name, make):
    """`make(honest)` takes the place of a function."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, make(getattr(owner, name)))


def _fatal_ignored(honest):
    return lambda self, data: None if data[:1] == bytes((AlertLevel.FATAL,)) else honest(self, data)


def _keys_go_on_counting(honest):
    def change_keys(self, channel, *arguments):
        sequence = channel.sequence
        honest(self, channel, *arguments)
        channel.sequence = sequence

    return change_keys


def _any_suite(honest):
    def on_server_hello(context, hello):
        offer = context.offer
        both = (*offer.hello.cipher_suites, hello.cipher_suite)
        return honest(context.evolve(_offer=replace(offer, hello=replace(offer.hello, cipher_suites=both))), hello)

    return on_server_hello


def _without_tag(honest):
    """What a ticket says counts, whoever wrote it (in counter mode, sealing undoes sealing)."""

    def open_(self, ticket, source=None):
        key = self._current(source)[0]
        nonce = ticket[TICKET_NAME_LENGTH:][:TICKET_NONCE_LENGTH]
        sealed = ticket[TICKET_NAME_LENGTH + TICKET_NONCE_LENGTH :]
        return Session.from_bytes(key.aead.seal(nonce, sealed[:-TAG], key.name)[:-TAG]), False

    return open_


def _any_client(honest):
    def judge(self, report):
        if self._progress.state is not S.WAIT_CLIENT_VERDICT:
            return honest(self, report)
        self.paused = False
        return self.feed(Verdict(report))

    return judge


def _goes_on_after_close(self):
    before = self._progress.state.name
    self._ending.receive_end(clean=True)
    self._ending.is_over = False
    self._ending._move_to(before)


def _silent(honest):
    return lambda self, level, description: False if level == AlertLevel.FATAL else honest(self, level, description)


def _last_of_each(extensions, message):
    return {extension.extension_type: extension for extension in extensions or ()}


def _no_record_counts(honest):
    return lambda self, record, limits: honest(self, record, limits) if record.fragment else None


HELLO_KEY = ("a server", *HELLO[:2])
RESUMED_WITH = ("a server", *HELLO, "a server")
END = ("ChangeCipherSpec", "Finished")


def _chain(defect):
    return ("a client", "ServerHello", f"Certificate {defect}", *SERVER_HELLO[2:])


MORE = (
    Fault("HelloRequest from a client", _edge(S.WAIT_CLIENT_KEY_EXCHANGE, HelloRequest, _stay(S.WAIT_CLIENT_KEY_EXCHANGE)),
          ("a server", "ClientHello", "HelloRequest")),
    Fault("fatal alert ignored", _around(Inbox, "_on_alert", _fatal_ignored),
          ("a server", "a fatal alert"), ("a client", "a fatal alert")),
    Fault("ChangeCipherSpec inside a message", _set(Joiner, "pending", False),
          (*HELLO_KEY, "ChangeCipherSpec inside a handshake message"),
          (*CONNECTED[:-2], "ChangeCipherSpec inside a handshake message")),
    Fault("data inside a message", _set(Joiner, "torn", False),
          ("a server", *HELLO, "data inside a handshake message"), (*CONNECTED, "data inside a handshake message")),
    Fault("sequence number not reset", _around(Machine, "_change_keys", _keys_go_on_counting), ("a server", *HELLO), FLIGHT),
    Fault("signature of ServerKeyExchange unchecked", _set(share, "_verify", lambda *arguments: None),
          ("a client", "ServerHello", "Certificate", "ServerKeyExchange signed wrongly")),
    Fault("CertificateVerify unchecked", _set(server_end, "verify", lambda *arguments: None),
          ("a server", "ClientHello", "Certificate", "ClientKeyExchange", "CertificateVerify signed wrongly")),
    Fault("renegotiation_info unchecked", _set(RenegotiationInfo, "_compare", lambda self, body, expected: True),
          ("a server", "ClientHello with another renegotiation_info"), ("a client", "ServerHello with another renegotiation_info")),
    Fault("renegotiation without renegotiation_info", _set(answer, "_check_renegotiation", lambda *arguments: None),
          (*CONNECTED, "HelloRequest", "ServerHello without renegotiation_info"),
          (*CONNECTED, "the application renegotiates", "ServerHello without renegotiation_info")),
    Fault("ticket under another name", _set(ServerName, "may_resume", classmethod(lambda cls, session, result: True)),
          (*RESUMED_WITH, "ClientHelloResuming under another server name", *END)),
    Fault("ticket that was changed", _around(TicketKeys, "open", _without_tag),
          (*RESUMED_WITH, "ClientHelloResuming with a ticket that was changed", *END),
          (*RESUMED_WITH, "ClientHelloResuming", *END, "ClientHelloResuming with a ticket that was changed")),
    Fault("session outlives its time", _set(Session, "is_fresh", lambda self, now: True),
          ("a server", *HELLO, "90000 seconds pass", "a server", "ClientHelloResuming", *END),
          ("a server", *HELLO, "a server", "90000 seconds pass", "ClientHelloResuming", *END),
          (*CONNECTED, "90000 seconds pass", "a client that resumes", "ServerHello", "NewSessionTicket", *END)),
    Fault("empty records without end", _around(Repeats, "record", _no_record_counts),
          ("a server", *HELLO, "61 records without content"), (*CONNECTED, "61 records without content")),
    Fault("HelloRequests without end", _set(Repeats, "hello_request", lambda self, limits: None), ("a client", "61 HelloRequests")),
    Fault("EKU ignored", _set(examine, "purpose_faults", lambda *arguments: iter(())), _chain("wrong EKU")),
    Fault("expired leaf", _set(examine, "validity_faults", lambda *arguments: iter(())),
          _chain("expired"), _chain("not yet valid")),
    Fault("name ignored", _set(examine.Examiner, "_name_faults", lambda *arguments: iter(())), _chain("wrong name")),
    Fault("client's chain unchecked", _around(Machine, "judge", _any_client), ("a server", "ClientHello", "Certificate expired")),
    Fault("data after close_notify", _set(Inbox, "_on_close_notify", _goes_on_after_close),
          ("a server", *HELLO, "data behind close_notify"), (*CONNECTED, "data behind close_notify")),
    Fault("fails without an alert", _around(Outbox, "send_alert", _silent), ("a server", "ClientKeyExchange"), ("a client", "Certificate")),
    Fault("extension twice", lambda monkeypatch: [monkeypatch.setattr(one, "index_extensions", _last_of_each) for one in (answer, server_hello)],
          ("a server", "ClientHello with an extension twice"), ("a client", "ServerHello with an extension twice")),
)  # fmt: skip
"""Each with one thing wrong."""
