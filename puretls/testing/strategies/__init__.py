"""Hypothesis strategies for TLS: structs, messages, flights, configurations, certificates, and what a network does to them.

    from hypothesis import given
    from puretls.testing import strategies as tls

    @given(tls.client_hellos())
    def test_my_server(hello): ...

All come from the field lists that parse and serialise, so none can forget a field. Values are drawn more often at the edges of what is
legal; all shrink to the least that fails. A struct that fails a test is printed as the call that makes it and the map of its bytes.
Needs hypothesis: `pip install 'puretls[testing]'`.
"""

from puretls.testing.needs import need

need("hypothesis")

from puretls.testing.strategies import printing  # noqa: E402
from puretls.testing.strategies.almost import almost  # noqa: E402
from puretls.testing.strategies.certificates import certificates, chains, crls, ocsp_responses  # noqa: E402
from puretls.testing.strategies.connections import configurations, transcripts, wires  # noqa: E402
from puretls.testing.strategies.fields import all_structs, register, strategy_for  # noqa: E402
from puretls.testing.strategies.messages import (  # noqa: E402
    alerts,
    application_data,
    certificate_messages,
    certificate_requests,
    certificate_statuses,
    certificate_verifies,
    change_cipher_specs,
    client_hellos,
    client_key_exchanges,
    extensions,
    finished_messages,
    flights,
    handshake_messages,
    hello_requests,
    messages,
    new_session_tickets,
    records,
    server_hello_dones,
    server_hellos,
    server_key_exchanges,
)

printing.install(all_structs())

__all__ = [
    "alerts",
    "all_structs",
    "almost",
    "application_data",
    "certificate_messages",
    "certificate_requests",
    "certificate_statuses",
    "certificate_verifies",
    "certificates",
    "chains",
    "change_cipher_specs",
    "client_hellos",
    "client_key_exchanges",
    "configurations",
    "crls",
    "extensions",
    "finished_messages",
    "flights",
    "handshake_messages",
    "hello_requests",
    "messages",
    "new_session_tickets",
    "ocsp_responses",
    "records",
    "register",
    "server_hello_dones",
    "server_hellos",
    "server_key_exchanges",
    "strategy_for",
    "transcripts",
    "wires",
]
