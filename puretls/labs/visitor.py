"""A client of bank.example that shows a password to whom it trusts: what the labs about certificates attack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from puretls.config import Credential
from puretls.connection import Connection
from puretls.crypto.keys import PrivateKey
from puretls.labs.ends import End, as_text, endings, relay
from puretls.labs.grading import Verdict
from puretls.labs.lab import Scene
from puretls.labs.stage import Seeded

_CHAIN = "server.Certificate.certificate_list"


class Visitor:
    """Connects to bank.example whenever `visit` is called, and comes to you."""

    def __init__(self, seeded: Seeded, verifier: Any) -> None:
        self._seeded = seeded
        self._verifier = verifier
        self._password = seeded.hex("password", 8)
        self._visits: list[End] = []
        self.shown: Credential | None = None
        """What the client was shown last."""

    def visit(self, chain: Iterable[bytes], key: PrivateKey) -> bytes:
        """Answer the client with this chain (DER, leaf first) and the leaf's private key. Gives what it sends; b"" where it refuses.

        Raises `UsageError` where the key is not that of the first certificate.
        """
        number = len(self._visits)
        self.shown = Credential(tuple(chain) if isinstance(chain, Iterable) else chain, key)
        server = self._seeded.server(number, credentials=(self.shown,))
        client = self._seeded.client(number, verifier=self._verifier, tickets=False)
        self._visits.append(End("the client", client, self._log_in))
        there = End("your server", server)
        relay(self._visits[-1], there)
        return there.received

    def _log_in(self, connection: Connection, data: bytes) -> None:
        if not data:
            connection.send(f"POST /login HTTP/1.1\r\n\r\npassword={self._password}".encode())


def check(peer: Visitor, answer: Any) -> Verdict:
    """The password, as text or bytes."""
    if as_text(answer) == peer._password:
        return Verdict(True, ("the client took you for its bank, and told you its password.",))
    return Verdict(False, ("the answer is the password that the client sends, as text.", *endings(peer._visits[-1:])))


def scenes(peer: Visitor, answer: Any) -> Iterable[Scene]:
    """What the client was shown, and what it did."""
    seen = peer._visits[-1].conversation()
    names = tuple(
        f"{_CHAIN}[{index}].tbs_certificate.subject[0][0].value" for index in range(len(peer.shown.chain if peer.shown else ()))
    )
    yield Scene("The names in the chain", "From the leaf upwards: who each certificate is for.", conversation=seen, paths=names)
    yield Scene("What the client did", "A handshake as with the bank; the password follows.", conversation=seen)
    yield Scene("What the attacker has", lines=(f"the password {answer}",))


def password_in(request: bytes) -> str:
    """What stands behind "password=" in a request."""
    return request.partition(b"password=")[2].decode()
