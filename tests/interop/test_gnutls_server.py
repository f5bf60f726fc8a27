"""puretls as client, gnutls-serv."""

from dataclasses import replace

import pytest

from puretls import Alpn, DataReceived, FatalAlert, HandshakeCompleted, PeerError, Reason, RenegotiationRefused
from puretls.extensions import EncryptThenMac, ExtendedMasterSecret, MaxFragmentLength, RecordSizeLimit, SessionTicket
from puretls.iana import AlertDescription, NamedGroup
from tests.interop.cells import (
    CBC,
    DHE,
    ECDSA,
    GCM,
    GNUTLS_BULKS,
    GNUTLS_EVERYTHING,
    HINT,
    IDENTITY,
    NAMED,
    PSK,
    cells,
    certificate_for,
    client,
    gnutls_groups,
    gnutls_signing_cells,
    gnutls_suites,
    suite_cells,
    suite_for,
)
from tests.interop.ends import connect, converse
from tests.interop.peers import program

pytestmark = pytest.mark.skipif(program("gnutls-serv") is None, reason="gnutls-serv (gnutls-bin) is not installed")
SUITES = gnutls_suites()


@pytest.fixture(scope="session")
def psk_file(certificates):
    path = certificates.folder / "psk.txt"
    path.write_text(f"{IDENTITY.decode()}:{PSK.hex()}\n")
    return path


@pytest.fixture
def options(certificates, psk_file):
    """Two certificates and a pre-shared key."""
    return (*certificates.leaf("rsa").gnutls, *certificates.leaf("p256").gnutls, f"--pskpasswd={psk_file}")


@pytest.fixture
def everything(pool, options):
    """A server with every suite."""
    return pool.gnutls(GNUTLS_EVERYTHING, *options)


@pytest.mark.parametrize("suite", suite_cells(SUITES, "gnutls-cli"))
def test_suite(everything, certificates, suite):
    negotiated = converse(client(certificates, suite), everything.port).connection.negotiated
    assert negotiated.suite is suite
    assert negotiated.extended_master_secret
    assert negotiated.encrypt_then_mac == suite.is_cbc


@pytest.mark.rfc("7919", "4")
@pytest.mark.parametrize("group", cells(gnutls_groups(), lambda group: group.name, "gnutls-cli"))
def test_group(everything, certificates, group):
    suite = DHE if group >= NamedGroup.FFDHE2048 else GCM
    assert converse(client(certificates, suite, groups=(group,)), everything.port).connection.negotiated.group == group


def test_finite_field_of_the_server(pool, certificates):
    """It takes a field of its own choice where no group is named; ours are named again by their prime."""
    peer = pool.gnutls(GNUTLS_EVERYTHING, *certificates.leaf("rsa").gnutls)
    config = client(certificates, DHE, groups=(NamedGroup.X25519,))
    assert converse(config, peer.port).connection.negotiated.group_name.startswith(("ffdhe", "dh"))


@pytest.mark.parametrize("pair", gnutls_signing_cells())
def test_certificate_and_scheme(pool, certificates, pair):
    kind, scheme = pair
    peer = pool.gnutls(GNUTLS_EVERYTHING, *certificates.leaf(kind).gnutls)
    config = client(certificates, suite_for(kind), signature_schemes=(scheme,))
    assert converse(config, peer.port).connection.negotiated.signature_scheme == scheme


@pytest.mark.parametrize("ems", ["ems", "no-ems", "ems-not-offered"])
@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
@pytest.mark.parametrize("suite", suite_cells([*GNUTLS_BULKS, NAMED["PSK-AES128-GCM-SHA256"]] if SUITES else [], "gnutls"))
def test_resumption(pool, options, certificates, suite, tickets, ems):
    peer = pool.gnutls(GNUTLS_EVERYTHING + (":%NO_SESSION_HASH" if ems == "no-ems" else ""), *options)
    extensions = (ExtendedMasterSecret(enabled=False),) if ems == "ems-not-offered" else ()
    config = client(certificates, suite, tickets=tickets, extensions=extensions)
    first = converse(config, peer.port)
    session = first.connection.session
    assert bool(session.ticket) == tickets
    assert session.extended_master_secret == (ems == "ems")
    assert converse(config, peer.port, session=session).connection.negotiated.resumed


def test_server_without_tickets(pool, options, certificates):
    peer = pool.gnutls(GNUTLS_EVERYTHING + ":%NO_TICKETS", *options)
    first = converse(client(certificates, GCM), peer.port).connection
    assert not first.negotiated.result(SessionTicket)
    assert converse(client(certificates, GCM), peer.port, session=first.session).connection.negotiated.resumed


@pytest.mark.parametrize("pair", gnutls_signing_cells())
def test_client_certificate(pool, certificates, pair):
    kind, scheme = pair
    demand = ("--require-client-cert", "--verify-client-cert", f"--x509cafile={certificates.root}")
    peer = pool.gnutls(GNUTLS_EVERYTHING, *certificates.leaf("rsa").gnutls, *demand)
    own = certificates.leaf(kind, "client.test").credential
    config = client(certificates, GCM, credentials=(own,))
    config = replace(config, signature_schemes=(scheme, *config.signature_schemes))
    assert converse(config, peer.port).connection.negotiated.client_signature_scheme == scheme


@pytest.mark.parametrize("required", [False, True])
def test_no_client_certificate(pool, certificates, required):
    demand = ("--require-client-cert",) if required else ()
    peer = pool.gnutls(GNUTLS_EVERYTHING, *certificates.leaf("rsa").gnutls, *demand, f"--x509cafile={certificates.root}")
    if not required:
        assert converse(client(certificates, GCM), peer.port).connection.certificate_request is not None
        return
    with pytest.raises(FatalAlert):
        converse(client(certificates, GCM), peer.port)


@pytest.mark.parametrize(("offered", "chosen"), [(("h2", "http/1.1"), "http/1.1"), (("h2",), None), ((), None)])
def test_alpn(pool, certificates, offered, chosen):
    peer = pool.gnutls(GNUTLS_EVERYTHING, *certificates.leaf("rsa").gnutls, "--alpn=http/1.1")
    config = client(certificates, GCM, extensions=(Alpn(*offered),) if offered else ())
    assert converse(config, peer.port).connection.negotiated.alpn == chosen


@pytest.mark.rfc("7301", "3.2")
def test_alpn_without_overlap(pool, certificates):
    peer = pool.gnutls(GNUTLS_EVERYTHING, *certificates.leaf("rsa").gnutls, "--alpn=http/1.1", "--alpn-fatal")
    with pytest.raises(FatalAlert) as caught:
        converse(client(certificates, GCM, extensions=(Alpn("h2"),)), peer.port)
    assert caught.value.description == AlertDescription.NO_APPLICATION_PROTOCOL


@pytest.mark.rfc("7366", "3")
@pytest.mark.parametrize("off", ["by-us", "by-them"])
@pytest.mark.parametrize("suite", suite_cells([suite for suite in SUITES if suite.is_cbc], "gnutls"))
def test_mac_then_encrypt(pool, options, certificates, suite, off):
    peer = pool.gnutls(GNUTLS_EVERYTHING + (":%NO_ETM" if off == "by-them" else ""), *options)
    extensions = (EncryptThenMac(enabled=False),) if off == "by-us" else ()
    assert not converse(client(certificates, suite, extensions=extensions), peer.port).connection.negotiated.encrypt_then_mac


@pytest.mark.rfc("7627", "5.2")
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_no_extended_master_secret(pool, options, certificates, suite):
    peer = pool.gnutls(GNUTLS_EVERYTHING + ":%NO_SESSION_HASH", *options)
    assert not converse(client(certificates, suite), peer.port).connection.negotiated.extended_master_secret
    with pytest.raises(PeerError) as caught:
        converse(client(certificates, suite, extensions=(ExtendedMasterSecret(required=True),)), peer.port)
    assert caught.value.reason is Reason.EMS_REQUIRED


TEXT = bytes(range(32, 127)) * 80


@pytest.mark.rfc("6066", "4")
@pytest.mark.parametrize("length", [512, 1024, 2048, 4096])
@pytest.mark.parametrize("suite", [GCM, CBC], ids=str)
def test_max_fragment_length(everything, certificates, suite, length):
    """Ours to it: it grants a length, and refuses longer records. (Its own it does not shorten: OpenSSL refuses them, too.)"""
    config = client(certificates, suite, extensions=(MaxFragmentLength(length),))
    end = connect(config, everything.port)
    with end.sock:
        end.handshake()
        assert end.connection.negotiated.result(MaxFragmentLength) == length
        end.send(b"\n".join([b"x" * 100] * 60) + b"\n")
        assert [end.line() for _ in range(60)] == [b"x" * 100] * 60
        end.close()


@pytest.mark.rfc("8449", "4")
@pytest.mark.parametrize("theirs", [None, 600])
@pytest.mark.parametrize("ours", [512, 1000, 4000, 16384])
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_record_size_limit(pool, options, certificates, suite, ours, theirs):
    peer = pool.gnutls(GNUTLS_EVERYTHING, *options, *((f"--recordsize={theirs}",) if theirs else ()))
    config = client(certificates, suite, extensions=(RecordSizeLimit(ours),))
    end = converse(config, peer.port, text=TEXT)
    assert end.connection.negotiated.send_limit == (theirs or 16384)
    assert max(len(event.data) for event in end.saw(DataReceived)) <= ours


@pytest.mark.rfc("6066", "3")
def test_server_name(pool, certificates):
    other = certificates.leaf("rsa", "other.test")
    peer = pool.gnutls(GNUTLS_EVERYTHING, *other.gnutls, "--sni-hostname=server.test")
    converse(client(certificates, GCM), peer.port)
    fatal = pool.gnutls(GNUTLS_EVERYTHING, *other.gnutls, "--sni-hostname=other.test", "--sni-hostname-fatal")
    with pytest.raises(FatalAlert) as caught:
        converse(client(certificates, GCM), fatal.port)
    assert caught.value.description == AlertDescription.UNRECOGNIZED_NAME


@pytest.mark.rfc("6066", "8")
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_stapled_ocsp_response(pool, certificates, suite):
    leaf = certificates.leaf(certificate_for(suite))
    path = certificates.folder / f"{leaf.name}.gnutls.ocsp"
    if not path.exists():
        path.write_bytes(certificates.ca.ocsp_response(leaf.issued.certificate))
    peer = pool.gnutls(GNUTLS_EVERYTHING, *leaf.gnutls, f"--ocsp-response={path}", "--ignore-ocsp-response-errors")
    end = converse(client(certificates, suite), peer.port)
    assert end.connection.ocsp_response == path.read_bytes()


@pytest.mark.parametrize("name", ["PSK", "DHE-PSK", "ECDHE-PSK", "RSA-PSK"])
def test_psk_hint(pool, options, certificates, name):
    hints = []

    def choose(hint):
        hints.append(hint)
        return IDENTITY, PSK

    peer = pool.gnutls(GNUTLS_EVERYTHING, *options, f"--pskhint={HINT.decode()}")
    suite = NAMED[f"{name}-CHACHA20-POLY1305"]
    converse(replace(client(certificates, suite), psk=choose), peer.port)
    assert hints == [HINT]


@pytest.mark.parametrize("name", ["PSK", "DHE-PSK", "ECDHE-PSK", "RSA-PSK"])
def test_wrong_psk(everything, certificates, name):
    config = replace(client(certificates, NAMED[f"{name}-CHACHA20-POLY1305"]), psk=lambda hint: (IDENTITY, b"another key"))
    with pytest.raises(FatalAlert) as caught:
        converse(config, everything.port)
    assert caught.value.description in {AlertDescription.BAD_RECORD_MAC, AlertDescription.DECRYPT_ERROR}


@pytest.mark.rfc("5705", "4")
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_exporter_and_channel_binding(pool, options, certificates, suite):
    peer = pool.gnutls(GNUTLS_EVERYTHING, *options, "--keymatexport=EXPERIMENTAL puretls", "--keymatexportsize=40")
    start = len(peer.output)
    end = converse(client(certificates, suite), peer.port)
    theirs = peer.wait_for(r"(?s)'tls-unique': ([0-9a-f]+).*Key material: ([0-9a-f]+)", start)
    assert end.connection.channel_binding("tls-unique").hex() == theirs.group(1)
    assert end.connection.export_keying_material(b"EXPERIMENTAL puretls", 40).hex() == theirs.group(2)
    other = peer.wait_for(r"'tls-exporter': ([0-9a-f]+)", start).group(1)
    assert end.connection.channel_binding("tls-exporter").hex() == other


@pytest.mark.rfc("5746", "3.5")
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_renegotiation_by_us(everything, certificates, suite):
    end = connect(client(certificates, suite, renegotiation=True), everything.port)
    with end.sock:
        end.handshake()
        end.connection.renegotiate()
        end.flush()
        end.until(HandshakeCompleted)
        end.send(b"after\n")
        assert end.line() == b"after"
        end.close()


@pytest.mark.rfc("5746", "3.5")
def test_renegotiation_asked_for_by_the_server(everything, certificates):
    end = connect(client(certificates, GCM, renegotiation=True), everything.port)
    with end.sock:
        end.handshake()
        end.send(b"**REHANDSHAKE**\n")
        end.until(HandshakeCompleted)
        end.close()


@pytest.mark.rfc("5246", "7.2.2")
def test_renegotiation_asked_for_by_the_server_is_refused_by_default(everything, certificates):
    end = connect(client(certificates, GCM), everything.port)
    with end.sock:
        end.handshake()
        end.send(b"**REHANDSHAKE**\n")
        assert end.until(RenegotiationRefused) == RenegotiationRefused(by_peer=False)


@pytest.mark.rfc("5746", "4.1")
@pytest.mark.parametrize("required", [False, True])
def test_server_without_secure_renegotiation(pool, certificates, required):
    peer = pool.gnutls(GNUTLS_EVERYTHING + ":%DISABLE_SAFE_RENEGOTIATION", *certificates.leaf("rsa").gnutls)
    config = client(certificates, GCM, require_secure_renegotiation=required)
    if not required:
        assert not converse(config, peer.port).connection.negotiated.secure_renegotiation
        return
    with pytest.raises(PeerError) as caught:
        converse(config, peer.port)
    assert caught.value.reason is Reason.INSECURE_RENEGOTIATION


def test_no_suite_in_common(pool, certificates):
    peer = pool.gnutls("NORMAL:-VERS-TLS1.3:-ECDHE-RSA:-ECDHE-ECDSA", *certificates.leaf("rsa").gnutls)
    with pytest.raises(FatalAlert) as caught:
        converse(client(certificates, GCM, ECDSA), peer.port)
    assert caught.value.description == AlertDescription.HANDSHAKE_FAILURE
