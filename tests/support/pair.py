"""Two connections joined in memory, and configurations for them."""

from __future__ import annotations

from functools import lru_cache
from itertools import count

from puretls import danger, drive
from puretls.config import ClientConfig, Config, ServerConfig
from puretls.connection import Connection
from puretls.crypto import provider as providers
from puretls.errors import PuretlsError
from puretls.events import AlertReceived, AlertSent, DataReceived, Event, HandshakeCompleted
from puretls.suites import SUITES
from tests.support.credentials import NAME, NOW, credential

PSK = b"\x17" * 32
IDENTITY = b"somebody"


@lru_cache
def no_security():
    return danger.no_security_provider()


@lru_cache
def real():
    return providers.default(accelerated=False)


_SEEDS = count()


def _defaults(seed: bytes) -> dict:
    return {
        "provider": no_security(),
        "verifier": danger.accept_any_chain,
        "random": danger.fixed_random(seed + str(next(_SEEDS)).encode()),
        "clock": lambda: NOW,
    }


def client_config(**fields) -> ClientConfig:
    return ClientConfig(**_defaults(b"client") | fields)


def server_config(**fields) -> ServerConfig:
    """One P-256 certificate unless told otherwise; tickets under keys that cost nothing."""
    settings = _defaults(b"server") | {"credentials": (credential(),), "tickets": None, "session_cache": None}
    return ServerConfig(**settings | fields)


class End:
    """A connection with what it told: events, the error that ended it, the bytes it sent."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self.error: PuretlsError | None = None
        self.sent = bytearray()
        self.received = bytearray()

    def feed(self, data: bytes) -> None:
        """Hand over bytes and take events until there are none."""
        self.received += data
        self.connection.receive_bytes(data)
        self.drain()

    def drain(self) -> None:
        if self.error is None:
            try:
                self.events.extend(drive.events(self.connection))
            except PuretlsError as error:
                self.error = error

    def take(self) -> bytes:
        out = self.connection.bytes_to_send()
        self.sent += out
        return out

    @property
    def state(self) -> str:
        return self.connection.state.name

    @property
    def data(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, DataReceived))

    @property
    def alerts_sent(self) -> list[str]:
        return [alert_name(event.description) for event in self.events if isinstance(event, AlertSent)]

    @property
    def alerts_received(self) -> list[str]:
        return [alert_name(event.description) for event in self.events if isinstance(event, AlertReceived)]

    @property
    def completed(self) -> int:
        return sum(isinstance(event, HandshakeCompleted) for event in self.events)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def alert_name(description: int) -> str:
    return getattr(description, "name", str(description)).lower()


class Pair:
    """A client and a server; `run` carries bytes until neither has anything to say."""

    def __init__(self, client: Config | None = None, server: Config | None = None, name: str | None = NAME, session=None) -> None:
        self.client = End(Connection.client(client or client_config(), name, session))
        self.server = End(Connection.server(server or server_config()))

    def handshake(self) -> Pair:
        self.client.connection.start()
        return self.run()

    def run(self, cut=None) -> Pair:
        """`cut(bytes)` gives the pieces in which bytes arrive; as one piece by default."""
        moved = True
        while moved:
            moved = False
            for near, far in ((self.client, self.server), (self.server, self.client)):
                near.drain()
                out = near.take()
                if out:
                    moved = True
                    for piece in cut(out) if cut else (out,):
                        far.feed(piece)
        return self

    @property
    def connected(self) -> bool:
        return self.client.state == self.server.state == "CONNECTED"

    def ends(self) -> tuple[End, End]:
        return self.client, self.server

    def check_secrets(self) -> None:
        """Both ends derived the same secrets, and agree on what was negotiated."""
        assert self.connected, self.story()
        near, far = (end.connection for end in self.ends())
        for context in (None, b"", b"context"):
            exported = near.export_keying_material(b"EXPERIMENTAL test", 40, context)
            assert exported == far.export_keying_material(b"EXPERIMENTAL test", 40, context)
        ours, theirs = near.negotiated, far.negotiated
        for field in ("suite", "group", "group_name", "signature_scheme", "client_signature_scheme", "resumed", "alpn", "session_id",
                      "extended_master_secret", "encrypt_then_mac", "secure_renegotiation", "psk_identity", "client_random",
                      "server_random"):  # fmt: skip
            assert getattr(ours, field) == getattr(theirs, field), field

    def exchange(self, up: bytes = b"from the client", down: bytes = b"from the server") -> None:
        """Application data both ways."""
        before_up, before_down = self.server.data, self.client.data
        self.client.connection.send(up)
        self.server.connection.send(down)
        self.run()
        assert self.server.data[len(before_up) :] == up
        assert self.client.data[len(before_down) :] == down

    def story(self) -> str:
        return "\n".join(f"{end.connection.role.value} {end.state} {end.kinds()} {end.error}" for end in self.ends())


def pair(client: dict | None = None, server: dict | None = None, **options) -> Pair:
    """A pair from fields of the two configurations."""
    return Pair(client_config(**client or {}), server_config(**server or {}), **options)


def psk_client(hint: bytes | None):
    return IDENTITY, PSK


def psk_server(identity: bytes):
    return PSK if identity == IDENTITY else None


def fields_for(suite, kind: str | None = None) -> tuple[dict, dict]:
    """Fields of client and server that agree on exactly this suite."""
    client = {"suites": (suite,), "danger_suites": True}
    server = dict(client)
    if suite.is_psk:
        client["psk"], server["psk"] = psk_client, psk_server
    server["credentials"] = ()
    if suite.has_certificate:
        server["credentials"] = (credential(kind or {"RSA": "rsa2048", "ECDSA": "secp256r1"}[suite.auth.value]),)
    return client, server


def suite_named(name: str):
    return next(suite for suite in SUITES if suite.name == name)
