"""Lab 10: messages left out of a handshake (SMACK; CVE-2014-6593).

The weak client's table has a row by which Finished may come right after the server's certificate; the weak server's has one by which
ChangeCipherSpec may come where CertificateVerify is due.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from puretls import danger, schedule
from puretls.connection import Connection
from puretls.errors import VerificationError
from puretls.handshake import server
from puretls.handshake.authenticate import consult, server_question
from puretls.handshake.context import ClientContext
from puretls.handshake.effects import Step
from puretls.handshake.finished import check_finished, complete
from puretls.handshake.states import ClientState, Role, ServerState
from puretls.handshake.table import row
from puretls.intercept import Direction, Interceptor, Where
from puretls.labs.ends import End, common_name, endings, octets, relay
from puretls.labs.grading import Verdict
from puretls.labs.lab import Lab, Scene, Wrong
from puretls.labs.stage import SHORTEST, Seeded, credential, provider, suite, verifier
from puretls.messages.handshake import Certificate, CertificateVerify, Finished
from puretls.messages.records import ChangeCipherSpec
from puretls.wire.schema import Struct

C, S = ClientState, ServerState
ADMIN = "admin"


# The weakness


def _finished_at_once(context: ClientContext, message: Finished) -> Step:
    """A handshake that is over after the server's certificate: Finished is computed, with the master secret of now, and no keys change."""
    question = server_question(context)
    assert question is not None  # the certificate has come
    report = consult(context.config, question)
    if not report.accepted:
        raise VerificationError(report, report.alert, state=C.WAIT_KEY_EXCHANGE.name)
    return Step(check_finished(context, message, Role.SERVER), C.CONNECTED, complete(lambda context: None))


_CLIENT_ROW = row(C.WAIT_KEY_EXCHANGE, Finished, _finished_at_once, C.CONNECTED)
_SERVER_ROW = row(S.WAIT_CERTIFICATE_VERIFY, ChangeCipherSpec, server.on_client_change_cipher_spec, S.WAIT_FINISHED)


# The peer


class Peer:
    """A client of a bank, and the bank's server, which asks its own clients for certificates.

    `client` connects to bank.example, with you in place of the network; once connected it sends a password. `server()` is a new
    connection to the bank. Both give ends with `take()`, which gives records, and `give(*records)`. `admin_chain` is the certificate of
    the bank's administrator, which is no secret.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        self._weak = not fixed
        self._seeded = Seeded("skipped messages", seed)
        self._password, self._code = self._seeded.hex("password", 8), self._seeded.hex("code", 8)
        self.admin_chain = credential(name=ADMIN, usage="client").chain
        victim = self._seeded.client(tickets=False)
        if self._weak:
            danger.add_rows(victim, _CLIENT_ROW)
        self.client = End("the client", victim, self._log_in)
        self.ends = [self.client]
        """Every end so far, for who looks into what happened."""

    def server(self) -> End:
        """A connection to the bank."""
        number = len(self.ends)
        connection = self._seeded.server(number, verifier=verifier(), client_authentication="require")
        if self._weak:
            danger.add_rows(connection, _SERVER_ROW)
        self.ends.append(End("the server", connection, self._greet))
        return self.ends[-1]

    def _log_in(self, connection: Connection, data: bytes) -> None:
        if not data:
            connection.send(f"POST /login HTTP/1.1\r\n\r\npassword={self._password}".encode())

    def _greet(self, connection: Connection, data: bytes) -> None:
        if not data:
            name = common_name(connection.peer_certificates[0])
            news = f"the code is {self._code}" if name == ADMIN else "there is nothing for you"
            connection.send(f"Welcome, {name}: {news}".encode())

    # What the attacker has

    def visit(self, interceptor: Interceptor) -> bytes:
        """Your own TLS client connects to the bank, and `interceptor` changes what it sends. Gives what the bank says.

        It has a certificate for the name "mallory", and the key of that.
        """
        own = credential(name="mallory", usage="client")
        tls = self._seeded.client(1, credentials=(own,), tickets=False, interceptors=(interceptor,))
        mine = End("your client", tls)
        self.ends.append(mine)
        relay(mine, self.server())
        return mine.received

    @staticmethod
    def verify_data(master: bytes, label: bytes, messages: bytes) -> bytes:
        """The 12 bytes of a Finished (RFC 5246 7.4.9): `label` is b"client finished" or b"server finished".

        `messages` are all handshake messages so far, with their headers and without those of records.
        """
        for what, value in (("master", master), ("label", label), ("messages", messages)):
            octets(what, value)
        hash_name = suite(SHORTEST).prf_hash
        return schedule.verify_data(provider().prf, hash_name, master, label, hashlib.new(hash_name, messages).digest())


def check(peer: Peer, answer: object) -> Verdict:
    """Password and code."""
    found = tuple(answer) if isinstance(answer, tuple | list) else (answer, None)
    has_password, has_code = peer._password in found, peer._code in found
    if has_password and has_code:
        return Verdict(True, ("you have the client's password, and the administrator's code.",))
    lines = (
        "you have the client's password." if has_password else "the password that the client sends is not in the answer yet.",
        "you have the administrator's code."
        if has_code
        else "the code that the bank tells its administrator is not in the answer yet.",
    )
    return Verdict(False, (*lines, *endings(peer.ends)))


# The reference attack


class Impostor(Interceptor):
    """Shows somebody else's certificate, and proves nothing."""

    def __init__(self, chain: tuple[bytes, ...]) -> None:
        self._chain = chain

    def message(self, message: Struct, where: Where) -> Iterable[Struct]:
        if where.direction is Direction.OUTBOUND and isinstance(message, CertificateVerify):
            return
        if where.direction is Direction.OUTBOUND and isinstance(message, Certificate):
            message = replace(message, certificate_list=self._chain)
        yield message


def attack(peer: Peer) -> tuple[str, str]:
    """Of the client: the password. Of the server: the administrator's code."""
    (hello,) = peer.client.take(1)
    bank = peer.server()
    bank.give(hello)
    server_hello, certificate, *_ = bank.take()  # the real ones; what would prove them is left out
    messages = b"".join(record[5:] for record in (hello, server_hello, certificate))
    finished = bytes.fromhex("14 00000c") + peer.verify_data(b"", b"server finished", messages)
    peer.client.give(server_hello, certificate, bytes.fromhex("16 0303 0010") + finished)
    (request,) = peer.client.take(1)  # no keys have changed: it is in the clear
    password = request.partition(b"password=")[2].decode()

    welcome = peer.visit(Impostor(peer.admin_chain)).decode()
    return password, welcome.rpartition(" ")[2]


# Wrong answers


def _without_certificate(peer: Peer) -> tuple[str, str]:
    (hello,) = peer.client.take(1)
    bank = peer.server()
    bank.give(hello)
    server_hello = bank.take()[0]
    verify_data = peer.verify_data(b"", b"server finished", hello[5:] + server_hello[5:])
    peer.client.give(server_hello, bytes.fromhex("16 0303 0010 14 00000c") + verify_data)
    password = b"".join(peer.client.take()).partition(b"password=")[2].decode(errors="replace")
    return password, peer.visit(Impostor(peer.admin_chain)).decode().rpartition(" ")[2]


class _SignsItself(Interceptor):
    def __init__(self, chain: tuple[bytes, ...]) -> None:
        self._chain = chain

    def message(self, message: Struct, where: Where) -> Iterable[Struct]:
        if where.direction is Direction.OUTBOUND and isinstance(message, Certificate):
            message = replace(message, certificate_list=self._chain)
        return (message,)


def _signed_by_another(peer: Peer) -> tuple[str, str]:
    password = _password_of(peer)
    return password, peer.visit(_SignsItself(peer.admin_chain)).decode().rpartition(" ")[2]


def _one_half(peer: Peer) -> tuple[str, str]:
    return _password_of(peer), ""


def _password_of(peer: Peer) -> str:
    return attack(peer)[0]


def scenes(peer: Peer, answer: object) -> Iterable[Scene]:
    """What the client saw."""
    yield Scene(
        "What the client saw",
        "Finished comes right after the certificate, and the password leaves in the clear.",
        conversation=peer.client.conversation(),
    )
    last = peer.ends[-1]
    yield Scene(
        "What the server saw",
        "The administrator's certificate, and no CertificateVerify: nobody has proved anything.",
        conversation=last.conversation(),
    )
    yield Scene("What the attacker has", lines=(f"password and code: {answer}",))


LAB = Lab(
    number=10,
    name="skipped-messages",
    title="Skipped messages",
    rfc=("5246 7.3", "5246 7.4.8", "5246 7.4.9"),
    peer=Peer,
    reference=attack,
    check=check,
    wrong=(
        Wrong("no certificate either", _without_certificate, "the client waits for it: only what comes after it can be left out"),
        Wrong(
            "a proof by another key",
            _signed_by_another,
            "a CertificateVerify is checked where it comes, and this one is not the administrator's",
        ),
        Wrong("one half", _one_half, "both ends have a message that they do not miss"),
    ),
    scenes=scenes,
)
