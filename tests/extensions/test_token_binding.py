import pytest

from puretls.errors import UsageError
from puretls.extensions import ExtendedMasterSecret, TokenBinding
from puretls.extensions.token_binding import ECDSAP256, RSA2048_PSS
from tests.support.pair import pair

pytestmark = pytest.mark.rfc("8472", "2")


def results(client, server, **fields):
    joined = pair({"extensions": (client,)}, {"extensions": (server, *fields.get("server_extensions", ()))}).handshake()
    return tuple(end.connection.negotiated.result(TokenBinding) for end in (joined.client, joined.server))


def test_the_servers_favourite_among_the_clients_keys_is_agreed_on():
    both = TokenBinding((ECDSAP256, RSA2048_PSS))
    assert results(both, TokenBinding((RSA2048_PSS, ECDSAP256))) == (RSA2048_PSS, RSA2048_PSS)


def test_without_a_key_in_common_nothing_is_agreed_on():
    assert results(TokenBinding((ECDSAP256,)), TokenBinding((RSA2048_PSS,))) == (None, None)


def test_a_client_that_offers_nothing_gets_nothing():
    assert results(TokenBinding(), TokenBinding((ECDSAP256,))) == (None, None)


@pytest.mark.rfc("8472", "3")
def test_without_extended_master_secret_the_client_gets_no_answer():
    without = ExtendedMasterSecret(enabled=False)
    client, _ = results(TokenBinding((ECDSAP256,)), TokenBinding((ECDSAP256,)), server_extensions=(without,))
    assert client is None


def test_key_parameters_are_bytes():
    with pytest.raises(UsageError):
        TokenBinding((256,))
