"""What a connection is held to is settled when it is made: `ssl.py` on puretls and the real one give the same verdicts."""

import copy
import pickle
import ssl as real_ssl
import sys

import pytest

from tests.support.credentials import NAME
from tests.support.pure_ssl import Pair, client_context, failures, pure_ssl, server_context

BOTH = {"puretls": pure_ssl(), "OpenSSL": real_ssl}


@pytest.fixture(params=BOTH)
def lib(request):
    return BOTH[request.param]


def lax(ssl):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return unverified(ssl, context)


def unverified(ssl, context):
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def without_names(ssl, end):
    end.context.check_hostname = False


def without_crls(ssl, end):
    end.context.verify_flags &= ~ssl.VERIFY_CRL_CHECK_LEAF


def without_verification(ssl, end):
    unverified(ssl, end.context)


def in_another_context(ssl, end):
    end.context = lax(ssl)


@pytest.mark.parametrize(
    ("name", "flags", "loosen"),
    [
        ("other.test", 0, without_names),
        ("other.test", 0, without_verification),
        (NAME, real_ssl.VERIFY_CRL_CHECK_LEAF, without_crls),
        (NAME, real_ssl.VERIFY_CRL_CHECK_LEAF, without_verification),
        (NAME, real_ssl.VERIFY_CRL_CHECK_LEAF, in_another_context),
    ],
)
def test_a_context_that_verifies_less_later_frees_no_connection(lib, name, flags, loosen):
    client = client_context(lib)
    client.verify_flags |= flags
    pair = Pair(client, server_context(real_ssl), name)
    loosen(lib, pair.client)
    assert isinstance(failures(pair)["client"], lib.SSLCertVerificationError)


def test_a_server_that_asks_for_a_certificate_does_so_whatever_its_context_becomes(lib):
    server = server_context(lib, verify_mode=lib.CERT_REQUIRED)
    pair = Pair(client_context(real_ssl), server)
    server.verify_mode = lib.CERT_NONE
    assert failures(pair)["server"].reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"


def test_options_are_those_of_the_context_as_it_was(lib):
    client = client_context(lib)
    pair = Pair(client, server_context(real_ssl))
    client.options |= lib.OP_NO_TICKET
    assert pair.shake().client.session.has_ticket


def test_a_certificate_that_nobody_verified_is_not_shown_as_verified():
    """OpenSSL's answer follows the context, and shows it: see the manual's page on the module."""
    ours = pure_ssl()
    context = lax(ours)
    pair = Pair(context, server_context(real_ssl)).shake()
    context.verify_mode = ours.CERT_REQUIRED
    assert pair.client.getpeercert() == {}
    assert pair.client.getpeercert(binary_form=True)


@pytest.mark.parametrize("kind", ["context", "session", "_sslobj", "bio", "certificate"])
@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda make: make.__qualname__)
def test_what_holds_secrets_is_neither_copied_nor_pickled(kind, make, monkeypatch):
    def refused(ssl):
        monkeypatch.setitem(sys.modules, "_ssl", ssl._ssl)
        client = Pair(client_context(ssl), server_context(real_ssl)).shake().client
        kept = {"bio": ssl.MemoryBIO(), "certificate": client._sslobj.get_unverified_chain()[0]}
        with pytest.raises(TypeError) as told:
            make(kept[kind] if kind in kept else getattr(client, kind))
        return str(told.value)

    assert refused(pure_ssl()) == refused(real_ssl)
