"""puretls as client, OpenSSL's s_server."""

import os
import socket
from dataclasses import replace

import pytest

from puretls import (
    Alpn,
    ConnectionClosed,
    DataReceived,
    FatalAlert,
    HandshakeCompleted,
    PeerError,
    Reason,
    RenegotiationRefused,
    VerificationError,
)
from puretls.crypto.provider import default
from puretls.der import writer
from puretls.extensions import EncryptThenMac, ExtendedMasterSecret, MaxFragmentLength, SessionTicket
from puretls.iana import AlertDescription
from puretls.x509.pem import write_pem
from tests.interop.cells import (
    BULKS,
    CBC,
    DHE,
    ECDSA,
    EVERY_CIPHER,
    GCM,
    HINT,
    IDENTITY,
    NAMED,
    PSK,
    cells,
    certificate_for,
    client,
    openssl_groups,
    openssl_scheme,
    openssl_suites,
    signing_cells,
    suite_cells,
    suite_for,
)
from tests.interop.certificates import Certificates
from tests.interop.ends import connect, converse
from tests.interop.peers import program

pytestmark = pytest.mark.skipif(program("openssl") is None, reason="openssl is not installed")
SUITES = openssl_suites()


@pytest.fixture(scope="session")
def dh_file(tmp_path_factory):
    """A group of 2,048 bits: without one, s_server takes 1,024 for anonymous suites."""
    path = tmp_path_factory.mktemp("dh") / "dh.pem"
    path.write_text(
        write_pem("DH PARAMETERS", writer.sequence(writer.integer(default().group("ffdhe2048").p), writer.integer(2)))
    )
    return path


@pytest.fixture
def everything(pool, certificates, dh_file):
    """Options of a server with an RSA and an ECDSA certificate, a pre-shared key, and every suite."""
    rsa, ec = certificates.leaf("rsa"), certificates.leaf("p256")
    second = ("-dcert", ec.chain, "-dkey", ec.key, "-dcert_chain", ec.above)
    return (*rsa.s_server, *second, "-cipher", EVERY_CIPHER, "-psk", PSK.hex(), "-dhparam", dh_file)


@pytest.mark.parametrize("suite", suite_cells(SUITES, "openssl"))
def test_suite(pool, certificates, everything, suite):
    negotiated = converse(client(certificates, suite), pool.openssl(*everything).port).connection.negotiated
    assert negotiated.suite is suite
    assert negotiated.extended_master_secret
    assert negotiated.encrypt_then_mac == suite.is_cbc


@pytest.mark.parametrize("suite", [GCM, ECDSA], ids=str)
@pytest.mark.parametrize("group", cells(openssl_groups(), lambda group: group.name, "openssl"))
def test_group(pool, certificates, everything, suite, group):
    peer = pool.openssl(*everything, "-groups", "X25519:X448:P-256:P-384:P-521")
    groups = (group,) if suite is GCM else {group: None, 23: None}  # the certificate's curve must be offered as well
    assert converse(client(certificates, suite, groups=tuple(groups)), peer.port).connection.negotiated.group == group


@pytest.mark.rfc("7919", "4")
def test_unnamed_finite_field(pool, certificates, everything):
    negotiated = converse(client(certificates, DHE), pool.openssl(*everything).port).connection.negotiated
    assert negotiated.group_name in {"ffdhe2048", "dh2048"}


def test_finite_field_too_small_is_refused(pool, certificates):
    peer = pool.openssl("-nocert", "-cipher", "ADH-AES128-GCM-SHA256:@SECLEVEL=0")
    with pytest.raises(PeerError) as caught:
        converse(client(certificates, NAMED["ADH-AES128-GCM-SHA256"]), peer.port)
    assert caught.value.reason is Reason.WEAK_DH_GROUP


@pytest.mark.parametrize("pair", signing_cells("openssl"))
def test_certificate_and_scheme(pool, certificates, pair):
    kind, scheme = pair
    peer = pool.openssl(*certificates.leaf(kind).s_server, "-cipher", EVERY_CIPHER)
    config = client(certificates, suite_for(kind), signature_schemes=(scheme,))
    end = converse(config, peer.port)
    assert end.connection.negotiated.signature_scheme == scheme
    assert end.connection.peer_certificates == certificates.leaf(kind).issued.chain


# Resumption


def _no_ems(tmp_path_factory):
    path = tmp_path_factory.mktemp("openssl") / "no-ems.cnf"
    path.write_text(
        "openssl_conf = conf\n[conf]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nOptions = -ExtendedMasterSecret\n"
    )
    return {"OPENSSL_CONF": str(path)}


@pytest.fixture(scope="session")
def no_ems(tmp_path_factory):
    """The environment in which OpenSSL does without extended_master_secret."""
    return _no_ems(tmp_path_factory)


@pytest.mark.parametrize("ems", ["ems", "no-ems", "ems-not-offered"])
@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
@pytest.mark.parametrize("suite", suite_cells([s for s in (*BULKS, NAMED["PSK-AES128-GCM-SHA256"]) if s in SUITES], "openssl"))
def test_resumption(pool, certificates, everything, no_ems, suite, tickets, ems):
    peer = pool.openssl(*everything, env=no_ems if ems == "no-ems" else None)
    extensions = (ExtendedMasterSecret(enabled=False),) if ems == "ems-not-offered" else ()
    config = client(certificates, suite, tickets=tickets, extensions=extensions)
    first = converse(config, peer.port)
    session = first.connection.session
    assert bool(session.ticket) == tickets
    assert session.extended_master_secret == (ems == "ems")
    second = converse(config, peer.port, session=session)
    assert second.connection.negotiated.resumed
    if suite.has_certificate:
        assert second.connection.peer_certificates == first.connection.peer_certificates


def test_a_session_nobody_knows_leads_to_a_full_handshake(pool, certificates, everything):
    config = client(certificates, GCM)
    session = converse(config, pool.openssl(*everything).port).connection.session
    other = pool.openssl(*certificates.leaf("rsa").s_server)
    assert not converse(config, other.port, session=session).connection.negotiated.resumed


def test_ticket_extension_switched_off_on_either_side(pool, certificates):
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-no_ticket")
    first = converse(client(certificates, GCM), peer.port).connection
    assert not first.negotiated.result(SessionTicket)
    assert converse(client(certificates, GCM), peer.port, session=first.session).connection.negotiated.resumed


# Client certificates


@pytest.mark.parametrize("pair", signing_cells("openssl"))
def test_client_certificate(pool, certificates, pair):
    kind, scheme = pair
    demand = ("-Verify", "3", "-verify_return_error", "-CAfile", certificates.root, "-cipher", EVERY_CIPHER)
    peer = pool.openssl(*certificates.leaf("rsa").s_server, *demand, "-client_sigalgs", openssl_scheme(scheme))
    own = certificates.leaf(kind, "client.test").credential
    schemes = (*client(certificates).signature_schemes, scheme)
    end = converse(client(certificates, GCM, credentials=(own,), signature_schemes=schemes), peer.port)
    assert end.connection.negotiated.client_signature_scheme == scheme


@pytest.fixture
def requesting(pool, certificates):
    return pool.openssl(*certificates.leaf("rsa").s_server, "-verify", "3", "-verify_return_error", "-CAfile", certificates.root)


def test_no_client_certificate_where_one_is_requested(requesting, certificates):
    assert converse(client(certificates, GCM), requesting.port).connection.certificate_request is not None


def test_no_client_certificate_where_one_is_required(pool, certificates):
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-Verify", "3", "-CAfile", certificates.root)
    with pytest.raises(FatalAlert) as caught:
        converse(client(certificates, GCM), peer.port)
    assert caught.value.description == AlertDescription.HANDSHAKE_FAILURE


def test_client_certificate_is_chosen_by_the_authorities_asked_for(requesting, certificates, tmp_path):
    stranger = Certificates(tmp_path, "a stranger").leaf("p256", "client.test").credential
    own = certificates.leaf("p256", "client.test").credential
    converse(client(certificates, GCM, credentials=(stranger, own)), requesting.port)
    assert "depth=0 CN = client.test" in requesting.output


@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
def test_resumption_with_client_certificate(pool, certificates, tickets):
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-Verify", "3", "-CAfile", certificates.root)
    own = certificates.leaf("p256", "client.test").credential
    config = client(certificates, GCM, credentials=(own,), tickets=tickets)
    session = converse(config, peer.port).connection.session
    assert converse(config, peer.port, session=session).connection.negotiated.resumed


# Extensions


@pytest.mark.parametrize(("offered", "chosen"), [(("h2", "http/1.1"), "http/1.1"), (("http/1.1",), "http/1.1"), ((), None)])
def test_alpn(pool, certificates, offered, chosen):
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-alpn", "http/1.1,http/1.0")
    config = client(certificates, GCM, extensions=(Alpn(*offered),) if offered else ())
    assert converse(config, peer.port).connection.negotiated.alpn == chosen


@pytest.mark.rfc("7301", "3.2")
def test_alpn_without_overlap(pool, certificates):
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-alpn", "http/1.1")
    with pytest.raises(FatalAlert) as caught:
        converse(client(certificates, GCM, extensions=(Alpn("h2"),)), peer.port)
    assert caught.value.description == AlertDescription.NO_APPLICATION_PROTOCOL


def test_alpn_of_a_server_without_it(pool, certificates):
    peer = pool.openssl(*certificates.leaf("rsa").s_server)
    assert converse(client(certificates, GCM, extensions=(Alpn("h2"),)), peer.port).connection.negotiated.alpn is None


@pytest.mark.rfc("7366", "3")
@pytest.mark.parametrize("off", ["by-us", "by-them"])
@pytest.mark.parametrize("suite", suite_cells([suite for suite in SUITES if suite.is_cbc and not suite.is_psk], "openssl"))
def test_mac_then_encrypt(pool, certificates, everything, suite, off):
    peer = pool.openssl(*everything, *(("-no_etm",) if off == "by-them" else ()))
    extensions = (EncryptThenMac(enabled=False),) if off == "by-us" else ()
    negotiated = converse(client(certificates, suite, extensions=extensions), peer.port).connection.negotiated
    assert not negotiated.encrypt_then_mac


@pytest.mark.rfc("7627", "5.2")
@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_no_extended_master_secret(pool, certificates, everything, no_ems, suite):
    peer = pool.openssl(*everything, env=no_ems)
    assert not converse(client(certificates, suite), peer.port).connection.negotiated.extended_master_secret
    with pytest.raises(PeerError) as caught:
        converse(client(certificates, suite, extensions=(ExtendedMasterSecret(required=True),)), peer.port)
    assert caught.value.reason is Reason.EMS_REQUIRED


@pytest.mark.rfc("7627", "5.3")
def test_session_without_ems_is_not_resumed_with_it(pool, certificates, everything):
    peer = pool.openssl(*everything)
    session = converse(client(certificates, GCM, extensions=(ExtendedMasterSecret(enabled=False),)), peer.port).connection.session
    assert not session.extended_master_secret
    assert not converse(client(certificates, GCM), peer.port, session=session).connection.negotiated.resumed


@pytest.mark.rfc("6066", "4")
@pytest.mark.parametrize("length", [512, 1024, 2048, 4096])
@pytest.mark.parametrize("suite", [GCM, CBC], ids=str)
def test_max_fragment_length(pool, certificates, everything, suite, length):
    peer = pool.openssl(*everything)
    config = client(certificates, suite, extensions=(MaxFragmentLength(length),))
    end = converse(config, peer.port, text=bytes(range(32, 127)) * 80)
    assert end.connection.negotiated.result(MaxFragmentLength) == length
    assert max(len(event.data) for event in end.saw(DataReceived)) == length
    resumed = converse(config, peer.port, session=end.connection.session, text=b"x" * 5000)
    assert resumed.connection.negotiated.resumed
    assert max(len(event.data) for event in resumed.saw(DataReceived)) == length


@pytest.mark.rfc("6066", "3")
def test_server_name(pool, certificates):
    other = certificates.leaf("p256", "other.test")
    named = ("-servername", "other.test", "-cert2", other.chain, "-key2", other.key)
    peer = pool.openssl(*certificates.leaf("rsa").s_server, *named)
    assert converse(client(certificates), peer.port).connection.negotiated.suite is GCM
    picked = connect(client(certificates), peer.port, "other.test")
    with picked.sock:
        with pytest.raises(VerificationError):  # its chain is sent without the intermediate certificate
            picked.handshake()
        assert picked.connection.peer_certificates[0] == other.issued.chain[0]


def test_server_name_unknown_is_a_warning_and_no_obstacle(pool, certificates):
    other = certificates.leaf("p256", "other.test")
    peer = pool.openssl(
        *certificates.leaf("rsa").s_server, "-servername", "other.test", "-cert2", other.chain, "-key2", other.key
    )
    converse(client(certificates), peer.port)


@pytest.mark.rfc("6066", "8")
@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_stapled_ocsp_response(pool, certificates, suite):
    leaf = certificates.leaf(certificate_for(suite))
    path = certificates.folder / f"{leaf.name}.ocsp"
    if not path.exists():
        path.write_bytes(certificates.ca.ocsp_response(leaf.issued.certificate))
    peer = pool.openssl(*leaf.s_server, "-cipher", EVERY_CIPHER, "-status_file", path)
    end = converse(client(certificates, suite), peer.port)
    assert end.connection.ocsp_response == path.read_bytes()
    assert end.connection.peer_report.accepted


@pytest.mark.rfc("6066", "8")
def test_revoked_by_the_stapled_response(pool, certificates):
    leaf = certificates.leaf("p256")
    path = certificates.folder / "revoked.ocsp"
    path.write_bytes(certificates.ca.ocsp_response(leaf.issued.certificate, "revoked"))
    peer = pool.openssl(*leaf.s_server, "-status_file", path)
    with pytest.raises(VerificationError) as caught:
        converse(client(certificates), peer.port)
    assert caught.value.alert is AlertDescription.CERTIFICATE_REVOKED


@pytest.mark.rfc("6962", "3.3.1")
def test_certificate_timestamps(pool, certificates):
    from puretls.extensions import SignedCertificateTimestamp

    timestamps = b"\0\x07\0\x05hello"
    path = certificates.folder / "sct.pem"
    path.write_text(write_pem("SERVERINFO FOR CT", b"\0\x12" + len(timestamps).to_bytes(2, "big") + timestamps))
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-serverinfo", path)
    negotiated = converse(client(certificates, GCM), peer.port).connection.negotiated
    assert negotiated.result(SignedCertificateTimestamp) == timestamps


# Pre-shared keys


@pytest.mark.parametrize("name", ["PSK", "DHE-PSK", "ECDHE-PSK", "RSA-PSK"])
def test_psk_hint(pool, certificates, everything, name):
    hints = []

    def choose(hint):
        hints.append(hint)
        return IDENTITY, PSK

    suite = NAMED[f"{name}-CHACHA20-POLY1305"]
    peer = pool.openssl(*everything, "-psk_hint", HINT.decode())
    end = converse(replace(client(certificates, suite), psk=choose), peer.port)
    assert hints == [HINT]
    assert end.connection.negotiated.psk_identity == IDENTITY


@pytest.mark.parametrize("name", ["PSK", "DHE-PSK", "ECDHE-PSK", "RSA-PSK"])
def test_wrong_psk(pool, certificates, everything, name):
    suite = NAMED[f"{name}-CHACHA20-POLY1305"]
    config = replace(client(certificates, suite), psk=lambda hint: (IDENTITY, b"another key"))
    with pytest.raises(FatalAlert) as caught:
        converse(config, pool.openssl(*everything).port)
    assert caught.value.description in {AlertDescription.BAD_RECORD_MAC, AlertDescription.DECRYPT_ERROR}


# Exporters


@pytest.mark.rfc("5705", "4")
@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_exporter(pool, certificates, everything, suite):
    peer = pool.openssl(*everything, "-keymatexport", "EXPERIMENTAL puretls", "-keymatexportlen", "40", mode="")
    start = len(peer.output)
    end = connect(client(certificates, suite), peer.port)
    with end.sock:
        end.handshake()
        theirs = peer.wait_for(r"Keying material: ([0-9A-F]+)", start).group(1)
        assert end.connection.export_keying_material(b"EXPERIMENTAL puretls", 40).hex().upper() == theirs
        end.close()


# Renegotiation


@pytest.fixture
def interactive(pool, certificates):
    """A server that heeds commands, and may renegotiate."""
    options = ("-client_renegotiation", "-CAfile", certificates.root)
    return pool.openssl(*certificates.leaf("rsa").s_server, *options, mode="")


@pytest.mark.rfc("5746", "3.5")
@pytest.mark.parametrize("command", ["r", "R"], ids=["plain", "with-client-certificate"])
def test_renegotiation_asked_for_by_the_server(interactive, certificates, command):
    own = certificates.leaf("p256", "client.test").credential
    end = connect(client(certificates, GCM, renegotiation=True, credentials=(own,)), interactive.port)
    with end.sock:
        end.handshake()
        interactive.tell(command)
        end.handshake()
        interactive.tell("after")
        assert end.line() == b"after"
        assert (end.connection.certificate_request is not None) == (command == "R")
        end.close()


@pytest.mark.rfc("5246", "7.2.2")
def test_renegotiation_asked_for_by_the_server_is_refused_by_default(interactive, certificates):
    end = connect(client(certificates, GCM), interactive.port)
    with end.sock:
        end.handshake()
        interactive.tell("r")
        assert end.until(RenegotiationRefused) == RenegotiationRefused(by_peer=False)


@pytest.mark.rfc("5746", "3.5")
@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_renegotiation_by_us(pool, certificates, everything, suite):
    peer = pool.openssl(*everything, "-client_renegotiation")
    end = connect(client(certificates, suite, renegotiation=True), peer.port)
    with end.sock:
        end.handshake()
        end.connection.renegotiate()
        end.flush()
        end.until(HandshakeCompleted)
        end.send(b"after\n")
        assert end.line() == b"retfa"
        end.close()


@pytest.mark.rfc("5746", "4.5")
def test_renegotiation_by_us_is_refused(pool, certificates, everything):
    peer = pool.openssl(*everything)
    end = connect(client(certificates, GCM, renegotiation=True), peer.port)
    with end.sock:
        end.handshake()
        end.connection.renegotiate()
        end.flush()
        assert end.until(RenegotiationRefused) == RenegotiationRefused(by_peer=True)
        end.send(b"after\n")
        assert end.line() == b"retfa"
        end.close()


# Refusals


@pytest.mark.rfc("9525", "6.3")
def test_wrong_name_is_refused(pool, certificates, everything):
    with pytest.raises(VerificationError):
        converse(client(certificates, GCM), pool.openssl(*everything).port, "wrong.test")


def test_unknown_authority_is_refused(pool, certificates, everything, tmp_path):
    with pytest.raises(VerificationError) as caught:
        converse(client(Certificates(tmp_path, "a stranger"), GCM), pool.openssl(*everything).port)
    assert caught.value.alert is AlertDescription.UNKNOWN_CA


@pytest.mark.rfc("5246", "E.1")
@pytest.mark.parametrize("option", ["-tls1_1", "-tls1", "-tls1_3"])
def test_server_of_another_version(pool, certificates, option):
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-cipher", EVERY_CIPHER, version=option)
    with pytest.raises((PeerError, FatalAlert)) as caught:
        converse(client(certificates), peer.port)
    assert "protocol_version" in str(caught.value) or "handshake_failure" in str(caught.value)


def test_no_suite_in_common(pool, certificates):
    peer = pool.openssl(*certificates.leaf("rsa").s_server, "-cipher", "AES128-GCM-SHA256")
    with pytest.raises(FatalAlert) as caught:
        converse(client(certificates), peer.port)
    assert caught.value.description == AlertDescription.HANDSHAKE_FAILURE


# Much data


@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_a_file_of_many_records(certificates, pool, everything, suite, monkeypatch):
    content = os.urandom(200_000)
    (certificates.folder / "large.bin").write_bytes(content)
    monkeypatch.chdir(certificates.folder)
    peer = pool.openssl(*everything, mode="-WWW")
    end = connect(client(certificates, suite), peer.port)
    with end.sock:
        end.handshake()
        end.send(b"GET /large.bin HTTP/1.0\r\n\r\n")
        while not isinstance(end.step(), ConnectionClosed):
            pass
        end.sock.shutdown(socket.SHUT_RDWR)
    assert bytes(end.received).partition(b"\r\n\r\n")[2] == content
