"""The attacks of the labs 9 to 14 against OpenSSL in the place of one end: what was mended there long ago is refused, what was not works."""

import contextlib

import pytest

ssl = pytest.importorskip("ssl", reason="this Python has no OpenSSL")

from puretls.labs import lab, stage  # noqa: E402
from puretls.labs.ends import End, NotSent  # noqa: E402
from puretls.labs.triple_handshake import ORDER  # noqa: E402
from puretls.testing.adapters.openssl import _NO_CHECK_TIME, MemoryBioPeer  # noqa: E402
from puretls.x509.keys import private_key_pem  # noqa: E402
from puretls.x509.pem import write_pem  # noqa: E402


class OpenSslEnd(MemoryBioPeer):
    """OpenSSL as the labs talk to an end."""

    def __init__(self, context, **options):
        super().__init__(context, **options)
        self.told = []
        self.start()

    @property
    def received(self):
        self._hear()
        return b"".join(each.data for each in self.told)

    @property
    def failure(self):
        """OpenSSL's reason, as it names it."""
        self._hear()
        return next((each.detail for each in self.told if each.kind == "failed"), None)

    def _hear(self):
        self.told += self.events()

    def take(self, expected=None):
        records = [record.to_bytes() for record in stage.records(super().take())]
        if expected is not None and len(records) != expected:
            raise NotSent(f"{len(records)} records, not {expected}")
        return records

    def give(self, *records):
        for record in records:
            self.receive(record)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labs")


def _server(folder, kind="secp256r1", **settings):
    credential = stage.credential(kind)
    chain, key = folder / f"{kind}.pem", folder / f"{kind}.key"
    chain.write_text("".join(write_pem("CERTIFICATE", der) for der in credential.chain))
    key.write_text(private_key_pem(credential.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return _settled(context, **settings)


def _client(**settings):
    return _settled(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **settings)


def _settled(context, *, ciphers=None, options=0, verify=None):
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=write_pem("CERTIFICATE", stage.authority().root.certificate))
    context.verify_flags |= _NO_CHECK_TIME
    context.options |= options | ssl.OP_NO_TICKET
    if ciphers:
        context.set_ciphers(ciphers)
    if verify is not None:
        context.verify_mode = verify
    return context


def peer(number):
    return lab.load(number).peer(1, False)


def test_triple_handshake_synchronises_with_openssl_as_the_bank(folder):
    """RFC 7627 1: what an attacker sent on the resumed connection is the client's, to a server that does not insist on RFC 7627."""
    context, banks = _server(folder, "rsa2048", ciphers="AES128-GCM-SHA256"), []

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
    made, servers, context = peer(10), [], _server(folder, verify=ssl.CERT_REQUIRED)

    def server():
        servers.append(OpenSslEnd(context, server_side=True))
        return servers[-1]

    made.client, made.server = OpenSslEnd(_client(), server_side=False, server_name=stage.NAME), server
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
        made.client = OpenSslEnd(_client(), server_side=False, server_name=stage.NAME)
    else:
        made.server = OpenSslEnd(_server(folder), server_side=True)
    with pytest.raises(NotSent):
        lab.load(11).reference(made)
    assert getattr(made, side).failure in {"UNEXPECTED_MESSAGE", "CCS_RECEIVED_EARLY", "BAD_CHANGE_CIPHER_SPEC"}


def test_renegotiation_of_a_stranger_is_refused_by_openssl(folder):
    """RFC 5746 3.7: the client's hello has no renegotiation_info."""
    made = peer(12)
    made.server = OpenSslEnd(_server(folder), server_side=True)
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
    client = _client().wrap_bio(to_client, to_server, server_hostname=stage.NAME)
    server = End("the server", stage.Seeded("openssl", 1).server(credentials=(made.shown,)))
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    server.give(to_server.read())
    to_client.write(b"".join(server.take(4)))
    with pytest.raises(ssl.SSLCertVerificationError, match=REFUSED[number]):
        client.do_handshake()
