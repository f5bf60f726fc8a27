"""Stapled OCSP responses in the handshake: heeded by default, demanded by must-staple certificates, refused with the right alert."""

import pytest

from puretls.config import Credential
from puretls.errors import VerificationError
from puretls.x509 import drafts
from puretls.x509.verifier import chain_verifier
from tests.support.credentials import authority
from tests.support.pair import Pair, client_config, real, server_config

pytestmark = pytest.mark.rfc("6066", "8")
PLAIN = authority().issue(["plain.test"])
STAPLING = authority().issue(["staple.test"], extensions=(drafts.must_staple(),))


def handshake(issued, name, response):
    verifier = chain_verifier([authority().root.certificate], provider=real())
    server = server_config(provider=real(), credentials=(Credential(issued.chain, issued.key, ocsp_response=response),))
    return Pair(client_config(provider=real(), verifier=verifier), server, name).handshake()


def answer(issued, status="good"):
    return authority().ocsp_response(issued.certificate, status, reason=1)


def test_good_responses_and_none_complete_the_handshake():
    for response in (None, answer(PLAIN)):
        assert handshake(PLAIN, "plain.test", response).connected
    assert handshake(STAPLING, "staple.test", answer(STAPLING)).connected


@pytest.mark.rfc("5246", "7.2.2")
def test_a_revoked_certificate_is_refused_with_certificate_revoked():
    pair = handshake(PLAIN, "plain.test", answer(PLAIN, "revoked"))
    assert isinstance(pair.client.error, VerificationError)
    assert "keyCompromise" in str(pair.client.error)
    assert pair.server.alerts_received == ["certificate_revoked"]


@pytest.mark.rfc("7633", "4.2.3.1")
@pytest.mark.parametrize("response", [None, b"rubbish", answer(PLAIN), answer(STAPLING, "unknown")])
def test_must_staple_without_a_good_response_is_bad_certificate_status_response(response):
    pair = handshake(STAPLING, "staple.test", response)
    assert isinstance(pair.client.error, VerificationError)
    assert pair.server.alerts_received == ["bad_certificate_status_response"]
