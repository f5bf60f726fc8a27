"""status_request and signed_certificate_timestamp: what a server staples (RFC 6066 section 8, RFC 6962 section 3.3.1)."""

from dataclasses import replace

import pytest

from puretls import danger
from puretls.extensions import SignedCertificateTimestamp, StatusRequest
from puretls.messages.handshake import CertificateStatus, ClientHello
from tests.support.breaks import drop, extension
from tests.support.credentials import credential
from tests.support.pair import pair

OCSP, SCTS = b"\x30\x03\x0a\x01\x00", b"\0\x09\0\3abc\0\2de"
STAPLES = {"credentials": (replace(credential(), ocsp_response=OCSP, sct_list=SCTS),)}


def asked(client=None, server=None):
    requests = []

    def verify(request):
        requests.append(request)
        return danger.AcceptedUnverified()

    joined = pair({"verifier": verify} | (client or {}), STAPLES | (server or {})).handshake()
    joined.check_secrets()
    return joined, requests[0]


@pytest.mark.rfc("6066", "8")
def test_staples_reach_the_verifier():
    joined, request = asked()
    assert (request.ocsp_response, request.sct_list) == (OCSP, SCTS)
    assert joined.client.connection.ocsp_response == OCSP


@pytest.mark.rfc("6066", "8")
def test_server_need_not_send_the_status_it_promised():
    _joined, request = asked(server={"interceptors": (drop(CertificateStatus),)})
    assert request.ocsp_response is None


@pytest.mark.parametrize("off", [StatusRequest, SignedCertificateTimestamp])
def test_what_is_not_asked_for_is_not_sent(off):
    _, request = asked({"extensions": (off(enabled=False),)})
    assert (request.ocsp_response is None) == (off is StatusRequest)
    assert (request.sct_list is None) == (off is SignedCertificateTimestamp)


def test_server_without_staples_sends_none():
    joined = pair().handshake()
    joined.check_secrets()
    assert joined.client.connection.ocsp_response is None


@pytest.mark.rfc("6066", "8")
def test_status_of_an_unknown_type_is_not_answered():
    _joined, request = asked({"interceptors": (extension(ClientHello, 5, lambda body: b"\x77whatever"),)})
    assert request.ocsp_response is None


@pytest.mark.rfc("6066", "8")
def test_responders_and_extensions_may_be_named():
    _joined, request = asked({"interceptors": (extension(ClientHello, 5, lambda body: b"\1\0\5\0\3abc\0\2xy"),)})
    assert request.ocsp_response == OCSP
