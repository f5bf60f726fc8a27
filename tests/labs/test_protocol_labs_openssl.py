"""The attacks of the labs 9 to 14 against OpenSSL in the place of one end: what was mended there long ago is refused, what was not works."""

import contextlib

import pytest

ssl = pytest.importorskip("ssl", reason="this Python has no OpenSSL")

from puretls.labs import lab, stage  # noqa: E402
from puretls.labs.ends import End, NotSent  # noqa: E402
from puretls.labs.triple_handshake import ORDER  # noqa: E402
from tests.labs.openssl import OpenSslEnd, client_context, server_context  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labs")


def peer(number):
    return lab.load(number).peer(1, False)


def test_triple_handshake_synchronises_with_openssl_as_the_bank(folder):
    """RFC 7627 1: what an attacker sent on the resumed connection is the client's, to a server that does not insist on RFC 7627."""
    context, banks = server_context(folder, "rsa2048", ciphers="AES128-GCM-SHA256"), []

    def bank():
        banks.append(OpenSslEnd(context, server_side=True))
        return banks[-1]

    made = peer(9)
    made.bank = bank
    lab.load(9).reference(made)
    assert len(banks) == 2
    assert banks[1].tls.session_reused
    assert banks[1].received == ORDER


def test_skipped_messages_are_missed_by_openssl(folder):
    """RFC 5246 7.3, at both ends."""
    made, servers, context = peer(10), [], server_context(folder, verify=ssl.CERT_REQUIRED)

    def server():
        servers.append(OpenSslEnd(context, server_side=True))
        return servers[-1]

    made.client, made.server = OpenSslEnd(client_context(), server_side=False, server_name=stage.NAME), server
    password, code = lab.load(10).reference(made)
    assert not password
    assert made.client.failure == "UNEXPECTED_MESSAGE"
    assert not code
    assert servers[1].failure in {"UNEXPECTED_MESSAGE", "CCS_RECEIVED_EARLY"}


@pytest.mark.parametrize("side", ["client", "server"])
def test_early_change_cipher_spec_is_refused_by_openssl(folder, side):
    """CVE-2014-0224, mended in 2014."""
    made = peer(11)
    if side == "client":
        made.client = OpenSslEnd(client_context(), server_side=False, server_name=stage.NAME)
    else:
        made.server = OpenSslEnd(server_context(folder), server_side=True)
    with pytest.raises(NotSent):
        lab.load(11).reference(made)
    assert getattr(made, side).failure in {"UNEXPECTED_MESSAGE", "CCS_RECEIVED_EARLY", "BAD_CHANGE_CIPHER_SPEC"}


def test_renegotiation_of_a_stranger_is_refused_by_openssl(folder):
    """RFC 5746 3.7: the client's hello has no renegotiation_info."""
    made = peer(12)
    made.server = OpenSslEnd(server_context(folder), server_side=True)
    with pytest.raises(NotSent):
        lab.load(12).reference(made)
    assert made.server.received == b"GET /transfer?to=mallory HTTP/1.1\r\nX-Ignore: "


REFUSED = {13: "invalid CA certificate", 14: "Hostname mismatch"}


@pytest.mark.parametrize("number", REFUSED)
def test_a_forged_certificate_is_refused_by_openssl_for_the_one_reason(number):
    """It is good but for the flag, or the name: RFC 5280 6.1.4 (k), RFC 9525."""
    made = peer(number)
    lab.load(number).reference(made)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context().wrap_bio(to_client, to_server, server_hostname=stage.NAME)
    server = End("the server", stage.Seeded("openssl", 1).server(credentials=(made.shown,)))
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    server.give(to_server.read())
    to_client.write(b"".join(server.take(4)))
    with pytest.raises(ssl.SSLCertVerificationError, match=REFUSED[number]):
        client.do_handshake()
