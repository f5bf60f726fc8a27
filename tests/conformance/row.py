"""A row of the table of refusals: a rule that a peer can break, how it is broken, and the alert that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from puretls.intercept import Interceptor
from tests.support.pair import Pair, pair

CLIENT, SERVER = "client", "server"


def handshake(make: Callable[..., Pair]) -> Pair:
    return make().handshake()


def renegotiated_by(side: str):
    """A handshake, then another one on the same connection."""

    def act(make: Callable[..., Pair]) -> Pair:
        joined = make().handshake()
        assert joined.connected, joined.story()
        getattr(joined, side).connection.renegotiate()
        return joined.run()

    return act


def data_from(side: str, data: bytes = b"some data", times: int = 1):
    """A handshake, then application data."""

    def act(make: Callable[..., Pair]) -> Pair:
        joined = make().handshake()
        assert joined.connected, joined.story()
        for _ in range(times):
            if getattr(joined, side).error is None:
                getattr(joined, side).connection.send(data)
        return joined.run()

    return act


@dataclass(frozen=True)
class Row:
    """`refuses` is the end that must refuse; the other one has the interceptors. `rfc` is "5246 7.4.1.3"."""

    rfc: str
    what: str
    refuses: str
    breaks: Interceptor | tuple[Interceptor, ...]
    alert: str
    client: dict = field(default_factory=dict)
    server: dict = field(default_factory=dict)
    act: Callable = handshake
    options: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.rfc} {self.refuses}: {self.what}"

    @property
    def number(self) -> str:
        return self.rfc.split()[0]

    def run(self) -> Pair:
        breaks = self.breaks if isinstance(self.breaks, tuple) else (self.breaks,)
        client, server = dict(self.client), dict(self.server)
        refusing, breaking = (client, server) if self.refuses == CLIENT else (server, client)
        breaking["interceptors"] = breaks
        refusing.setdefault("trace_level", "full")  # the place of the error is looked for in what arrived
        return self.act(lambda: pair(client, server, **self.options))


def both(rfc: str, what: str, breaks: Callable[[str], object], alert: str, **more) -> list[Row]:
    """The same rule in both roles; `breaks(side)` is told who breaks it."""
    act = more.pop("act", None)
    rows = []
    for refuses, breaking in ((CLIENT, SERVER), (SERVER, CLIENT)):
        extra = {"act": act(breaking)} if act else {}
        rows.append(Row(rfc, what, refuses, breaks(breaking), alert, **more, **extra))
    return rows
