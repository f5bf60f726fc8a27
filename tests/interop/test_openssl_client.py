"""puretls as server, OpenSSL's s_client."""

from dataclasses import replace

import pytest

from puretls import Alpn, FatalAlert, HandshakeCompleted, PeerError, Reason, RenegotiationRefused, VerificationError
from puretls.extensions import EncryptThenMac, ExtendedMasterSecret, MaxFragmentLength
from puretls.iana import AlertDescription, SignatureScheme
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
    openssl_groups,
    openssl_scheme,
    openssl_suites,
    server,
    signing_cells,
    suite_cells,
    suite_for,
)
from tests.interop.certificates import Certificates
from tests.interop.ends import Service
from tests.interop.peers import Process, program, s_client

pytestmark = pytest.mark.skipif(program("openssl") is None, reason="openssl is not installed")
SUITES = openssl_suites()
PSK_OPTIONS = ("-psk", PSK.hex(), "-psk_identity", IDENTITY.decode())


def verifying(certificates):
    return ("-CAfile", certificates.root, "-verify_return_error", "-verify_hostname", "server.test", "-servername", "server.test")


def greet(config, *options, env=None, version=("-tls1_2",), clients=1):
    """Serve one run of s_client, which must come to a good end. Returns our end, and what it said."""
    with Service(config, clients=clients) as service:
        status, output = s_client(service.port, *options, env=env, version=version)
        assert status == 0, f"{output}\n{service.error}"
    service.join()
    assert "[hello]" in output, output
    return service.end, output


def refused(config, *options, version=("-tls1_2",)):
    """Serve one run of s_client, which must fail. Returns the error on our side, and what it said."""
    with Service(config) as service:
        status, output = s_client(service.port, *options, version=version)
    assert "[hello]" not in output, output
    assert status != 0 or service.error is not None
    return service.error, output


_USUAL = (SignatureScheme.RSA_PSS_RSAE_SHA256, SignatureScheme.ECDSA_SECP256R1_SHA256)


def _sigalgs(*schemes):
    return ":".join(dict.fromkeys(map(openssl_scheme, schemes)))


@pytest.mark.parametrize("suite", suite_cells(SUITES, "openssl"))
def test_suite(certificates, suite):
    authenticated = verifying(certificates) if suite.has_certificate else ()
    options = ("-cipher", f"{suite.openssl_name}:@SECLEVEL=0", *PSK_OPTIONS, *authenticated)
    end, output = greet(server(certificates, *BULKS, suite), *options)
    assert end.connection.negotiated.suite is suite
    assert end.connection.negotiated.extended_master_secret
    assert end.connection.negotiated.encrypt_then_mac == suite.is_cbc
    assert f"Cipher    : {suite.openssl_name}\n" in output


@pytest.mark.parametrize("suite", [GCM, ECDSA], ids=str)
@pytest.mark.parametrize("group", cells(openssl_groups(), lambda group: group.name, "openssl"))
def test_group(certificates, suite, group):
    name = {"SECP256R1": "P-256", "SECP384R1": "P-384", "SECP521R1": "P-521"}.get(group.name, group.name)
    groups = name if suite is GCM or name == "P-256" else f"{name}:P-256"  # the certificate's curve must be offered as well
    end, _ = greet(server(certificates, suite, groups=(group,)), "-groups", groups, *verifying(certificates))
    assert end.connection.negotiated.group == group


@pytest.mark.rfc("7919", "4")
@pytest.mark.parametrize("parameters", ["named", "own"])
def test_finite_field(certificates, parameters):
    from puretls.crypto.provider import default

    own = default().group("ffdhe3072").p, 2
    config = server(certificates, DHE, dh_parameters=own if parameters == "own" else None)
    _, output = greet(config, "-cipher", DHE.openssl_name, *verifying(certificates))
    assert f"Server Temp Key: DH, {3072 if parameters == 'own' else 2048} bits" in output


@pytest.mark.parametrize("pair", signing_cells("openssl"))
def test_certificate_and_scheme(certificates, pair):
    kind, scheme = pair
    schemes = (*server(certificates).signature_schemes, scheme)
    config = server(certificates, suite_for(kind), kinds=(kind,), signature_schemes=schemes)
    # Its list is for certificates, too: the CA's ECDSA with SHA-256 must be in it, after the one wanted.
    config = replace(config, signature_schemes=(scheme,))
    end, _ = greet(
        config,
        "-sigalgs",
        _sigalgs(scheme, SignatureScheme.ECDSA_SECP256R1_SHA256),
        "-cipher",
        EVERY_CIPHER,
        *verifying(certificates),
    )
    assert end.connection.negotiated.signature_scheme == scheme


def test_certificate_is_chosen_by_what_the_client_can_verify(certificates):
    config = server(certificates, kinds=("ed25519", "p384", "rsa"))
    end, _ = greet(config, "-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256", *verifying(certificates), "-curves", "P-256")
    assert end.connection.negotiated.suite is GCM


@pytest.mark.rfc("6066", "3")
def test_certificate_is_chosen_by_name(certificates):
    other = certificates.leaf("p384", "other.test")
    config = server(certificates, credentials=(certificates.leaf("p256").credential, other.credential))
    end, output = greet(config, "-servername", "other.test", "-verify_hostname", "other.test", "-CAfile", certificates.root)
    assert end.connection.negotiated.server_name == "other.test"
    assert "Verification: OK" in output


@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize("strict", [False, True])
def test_unknown_name(certificates, strict):
    config = server(certificates, refuse_unknown_names=strict)
    if not strict:
        greet(config, "-servername", "unknown.test")
        return
    error, output = refused(config, "-servername", "unknown.test")
    assert error.reason is Reason.UNRECOGNIZED_NAME
    assert "unrecognized name" in output


# Resumption


@pytest.fixture(scope="session")
def no_ems(tmp_path_factory):
    """The environment in which OpenSSL does without extended_master_secret."""
    path = tmp_path_factory.mktemp("openssl") / "no-ems.cnf"
    path.write_text(
        "openssl_conf = conf\n[conf]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nOptions = -ExtendedMasterSecret\n"
    )
    return {"OPENSSL_CONF": str(path)}


@pytest.mark.parametrize("ems", ["ems", "no-ems", "ems-not-taken"])
@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
@pytest.mark.parametrize("suite", suite_cells([s for s in (*BULKS, NAMED["PSK-AES128-GCM-SHA256"]) if s in SUITES], "openssl"))
def test_resumption(certificates, no_ems, tmp_path, suite, tickets, ems):
    extensions = (ExtendedMasterSecret(enabled=False),) if ems == "ems-not-taken" else ()
    config = server(certificates, suite, extensions=extensions)
    options = ("-cipher", f"{suite.openssl_name}:@SECLEVEL=0", *PSK_OPTIONS, *(() if tickets else ("-no_ticket",)))
    env = no_ems if ems == "no-ems" else None
    end, output = greet(config, *options, "-sess_out", tmp_path / "session", env=env)
    assert not end.connection.negotiated.resumed
    assert ("TLS session ticket:" in output) == tickets
    end, output = greet(config, *options, "-sess_in", tmp_path / "session", env=env)
    assert end.connection.negotiated.resumed
    assert "\nReused, " in output
    assert end.connection.negotiated.extended_master_secret == (ems == "ems")


def _resumes(config, first_options, second_options, tmp_path, second_config=None):
    greet(config, *first_options, "-sess_out", tmp_path / "session")
    end, output = greet(second_config or config, *second_options, "-sess_in", tmp_path / "session")
    assert ("\nReused" in output) == end.connection.negotiated.resumed
    return end.connection.negotiated.resumed


def test_tickets_of_another_server_with_the_same_keys(certificates, tmp_path):
    from puretls import TicketKeys

    first, second = (server(certificates, tickets=TicketKeys([b"k" * 48])) for _ in range(2))
    assert _resumes(first, (), (), tmp_path, second)
    stranger = server(certificates, tickets=TicketKeys([b"z" * 48]))
    assert not _resumes(first, (), (), tmp_path, stranger)


def test_session_id_of_another_server(certificates, tmp_path):
    options = ("-no_ticket",)
    assert not _resumes(server(certificates), options, options, tmp_path, server(certificates))


@pytest.mark.rfc("6066", "3")
def test_session_of_another_name_is_not_resumed(certificates, tmp_path):
    assert not _resumes(server(certificates), ("-servername", "server.test"), ("-servername", "localhost"), tmp_path)


def test_no_resumption_at_all(certificates, tmp_path):
    _, output = greet(server(certificates, tickets=None, session_cache=None), "-sess_out", tmp_path / "session")
    assert "Session-ID: \n" in output
    assert not (tmp_path / "session").exists()


def test_session_by_id_where_tickets_are_off(certificates, tmp_path):
    assert _resumes(server(certificates, tickets=None), (), (), tmp_path)


def test_reconnecting_five_times(certificates):
    with Service(server(certificates), clients=6, script=lambda end: (end.handshake(), end.close())) as service:
        status, output = s_client(service.port, "-reconnect")
        service.join()
    assert status == 0, output
    assert [end.connection.negotiated.resumed for end in service.ends] == [False] + [True] * 5


# Client certificates


@pytest.mark.parametrize("pair", signing_cells("openssl"))
def test_client_certificate(certificates, pair):
    kind, scheme = pair
    leaf = certificates.leaf(kind, "client.test")
    # The list says what certificates may be signed with, too.
    config = server(certificates, GCM, client_authentication="require")
    config = replace(config, signature_schemes=(scheme, *config.signature_schemes))
    end, _ = greet(config, *leaf.s_server, "-cipher", EVERY_CIPHER, "-sigalgs", _sigalgs(scheme, *_USUAL))
    assert end.connection.negotiated.client_signature_scheme == scheme
    assert end.connection.peer_certificates == leaf.issued.chain
    assert end.connection.peer_report.accepted


@pytest.mark.parametrize("mode", ["request", "require"])
def test_no_client_certificate(certificates, mode):
    config = server(certificates, client_authentication=mode, certificate_authorities=(certificates.ca.root.name,))
    if mode == "request":
        end, output = greet(config)
        assert end.connection.peer_certificates == ()
        assert "Acceptable client certificate CA names" in output
    else:
        error, _ = refused(config)
        assert error.reason is Reason.CLIENT_CERTIFICATE_REQUIRED


def test_client_certificate_of_a_stranger(certificates, tmp_path):
    stranger = Certificates(tmp_path, "a stranger").leaf("p256", "client.test")
    error, output = refused(server(certificates, client_authentication="request"), *stranger.s_server)
    assert isinstance(error, VerificationError)
    assert "alert unknown ca" in output


@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
def test_resumption_with_client_certificate(certificates, tmp_path, tickets):
    leaf = certificates.leaf("p256", "client.test")
    options = (*leaf.s_server, *(() if tickets else ("-no_ticket",)))
    config = server(certificates, client_authentication="require")
    assert _resumes(config, options, options, tmp_path)
    greet(config, *options, "-sess_out", tmp_path / "session")
    end, _ = greet(config, *options, "-sess_in", tmp_path / "session")
    assert end.connection.peer_certificates == leaf.issued.chain


def test_session_without_certificate_does_not_do_where_one_is_required(certificates, tmp_path):
    leaf = certificates.leaf("p256", "client.test")
    config = server(certificates)
    assert not _resumes(config, (), leaf.s_server, tmp_path, replace(config, client_authentication="require"))


# Extensions


@pytest.mark.parametrize(
    ("offered", "chosen"), [("h2,http/1.1", "http/1.1"), ("http/1.0,http/1.1", "http/1.1"), (None, None)], ids=str
)
def test_alpn(certificates, offered, chosen):
    config = server(certificates, extensions=(Alpn("http/1.1", "http/1.0"),))
    end, output = greet(config, *(("-alpn", offered) if offered else ()))
    assert end.connection.negotiated.alpn == chosen
    assert (f"ALPN protocol: {chosen}" if chosen else "No ALPN negotiated") in output


@pytest.mark.rfc("7301", "3.2")
def test_alpn_without_overlap(certificates):
    error, output = refused(server(certificates, extensions=(Alpn("http/1.1"),)), "-alpn", "h2")
    assert error.reason is Reason.NO_APPLICATION_PROTOCOL
    assert "no application protocol" in output


def test_alpn_ignored_by_a_server_without_it(certificates):
    assert "No ALPN negotiated" in greet(server(certificates), "-alpn", "h2")[1]


@pytest.mark.rfc("7366", "3")
@pytest.mark.parametrize("off", ["by-us", "by-them"])
@pytest.mark.parametrize("suite", suite_cells([suite for suite in SUITES if suite.is_cbc and not suite.is_psk], "openssl"))
def test_mac_then_encrypt(certificates, suite, off):
    config = server(certificates, suite, extensions=(EncryptThenMac(enabled=False),) if off == "by-us" else ())
    options = ("-cipher", f"{suite.openssl_name}:@SECLEVEL=0", *(("-no_etm",) if off == "by-them" else ()))
    assert not greet(config, *options)[0].connection.negotiated.encrypt_then_mac


@pytest.mark.rfc("7627", "5.2")
def test_extended_master_secret_required(certificates, no_ems):
    config = server(certificates, extensions=(ExtendedMasterSecret(required=True),))
    greet(config)
    with Service(config) as service:
        s_client(service.port, env=no_ems)
    assert service.error.reason is Reason.EMS_REQUIRED


@pytest.mark.rfc("7627", "5.3")
@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
def test_session_with_ems_is_not_resumed_without(certificates, no_ems, tmp_path, tickets):
    config, options = server(certificates), () if tickets else ("-no_ticket",)
    greet(config, *options, "-sess_out", tmp_path / "session")
    with Service(config) as service:
        _, output = s_client(service.port, *options, "-sess_in", tmp_path / "session", env=no_ems)
    assert service.error.reason is Reason.EMS_MISMATCH
    assert "handshake failure" in output


@pytest.mark.rfc("6066", "4")
@pytest.mark.parametrize("length", [512, 1024, 2048, 4096])
@pytest.mark.parametrize("suite", [GCM, CBC], ids=str)
def test_max_fragment_length(certificates, tmp_path, suite, length):
    def script(end):
        end.handshake()
        end.send(b"x" * 10_000 + b"\n")  # s_client refuses records longer than it asked for
        end.close()

    config = server(certificates, suite)
    for option in ("-sess_out", "-sess_in"):
        with Service(config, script) as service:
            status, output = s_client(service.port, "-maxfraglen", length, option, tmp_path / "session")
        service.join()
        assert status == 0, output
        assert "x" * 10_000 in output
        assert service.end.connection.negotiated.result(MaxFragmentLength) == length
    assert service.end.connection.negotiated.resumed


@pytest.mark.rfc("6066", "8")
@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_stapled_ocsp_response(certificates, suite):
    leaf = certificates.leaf(certificate_for(suite))
    stapled = replace(leaf.credential, ocsp_response=certificates.ca.ocsp_response(leaf.issued.certificate))
    config = server(certificates, suite, credentials=(stapled,))
    _, output = greet(config, "-status", "-cipher", EVERY_CIPHER)
    assert "OCSP Response Status: successful" in output
    assert "Cert Status: good" in output
    assert "OCSP response:" not in greet(config, "-cipher", EVERY_CIPHER)[1]


@pytest.mark.rfc("6962", "3.3.1")
def test_certificate_timestamps(certificates):
    stapled = replace(certificates.leaf("rsa").credential, sct_list=b"\0\x07\0\x05hello")
    _, output = greet(server(certificates, GCM, credentials=(stapled,)), "-serverinfo", "18")
    assert "SERVERINFO FOR EXTENSION 18" in output


# Pre-shared keys


@pytest.mark.parametrize("name", ["PSK", "DHE-PSK", "ECDHE-PSK", "RSA-PSK"])
@pytest.mark.parametrize("hint", [None, HINT], ids=["no-hint", "hint"])
def test_psk_hint(certificates, name, hint):
    suite = NAMED[f"{name}-CHACHA20-POLY1305"]
    end, _ = greet(server(certificates, suite, psk_hint=hint), *PSK_OPTIONS, "-cipher", suite.openssl_name)
    assert end.connection.negotiated.psk_identity == IDENTITY


@pytest.mark.parametrize("name", ["PSK", "DHE-PSK", "ECDHE-PSK"])
def test_psk_without_any_certificate(certificates, name):
    suite = NAMED[f"{name}-AES128-CBC-SHA"]
    config = server(certificates, suite, credentials=())
    assert greet(config, *PSK_OPTIONS, "-cipher", suite.openssl_name)[0].connection.negotiated.suite is suite


def test_unknown_psk_identity(certificates):
    suite = NAMED["ECDHE-PSK-CHACHA20-POLY1305"]
    options = ("-psk", PSK.hex(), "-psk_identity", "nobody", "-cipher", suite.openssl_name)
    error, _ = refused(server(certificates, suite, refuse_unknown_identities=True), *options)
    assert error.reason is Reason.UNKNOWN_PSK_IDENTITY
    error, _ = refused(server(certificates, suite), *options)
    assert error.reason is Reason.BAD_RECORD_MAC  # RFC 4279 2: as a wrong key


def test_wrong_psk(certificates):
    suite = NAMED["ECDHE-PSK-CHACHA20-POLY1305"]
    error, output = refused(server(certificates, suite), "-psk", "00" * 16, "-cipher", suite.openssl_name)
    assert error.alert in {AlertDescription.BAD_RECORD_MAC, AlertDescription.DECRYPT_ERROR}
    assert "alert" in output


# Exporters


@pytest.mark.rfc("5705", "4")
@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_exporter(certificates, suite):
    label = "EXPERIMENTAL puretls"
    options = ("-cipher", EVERY_CIPHER, "-keymatexport", label, "-keymatexportlen", "40")
    end, output = greet(server(certificates, suite), *options)
    ours = end.connection.export_keying_material(label.encode(), 40).hex().upper()
    assert f"Keying material: {ours}" in output


# Renegotiation


def _converse(config, script, command, *options):
    """Serve an s_client whose input stays open, so that it heeds commands."""
    with Service(config, script) as service:
        line = ("openssl", "s_client", "-connect", f"127.0.0.1:{service.port}", "-tls1_2", *options)
        process = Process(line)
        try:
            process.wait_for("Verify return code")
            process.tell(command)
            service.join()
        finally:
            output = process.output
            process.kill()
    return service.end, output


@pytest.mark.rfc("5746", "3.7")
@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_renegotiation_by_the_client(certificates, suite):
    def script(end):
        end.handshake()
        end.until(HandshakeCompleted)
        end.send(b"twice\n")
        end.close()

    config = server(certificates, suite, renegotiation=True)
    end, _ = _converse(config, script, "R", "-cipher", f"{suite.openssl_name}:@SECLEVEL=0")
    assert len(end.saw(HandshakeCompleted)) == 2


@pytest.mark.rfc("5246", "7.2.2")
def test_renegotiation_by_the_client_is_refused_by_default(certificates):
    def script(end):
        end.handshake()
        end.until(RenegotiationRefused)

    end, _ = _converse(server(certificates), script, "R")
    assert end.saw(RenegotiationRefused) == [RenegotiationRefused(by_peer=False)]


@pytest.mark.rfc("5746", "3.7")
@pytest.mark.parametrize("change", ["nothing", "client-certificate", "suite"])
def test_renegotiation_by_us(certificates, change):
    leaf = certificates.leaf("p256", "client.test")
    config = server(certificates, GCM, renegotiation=True)
    changed = {
        "nothing": config,
        "client-certificate": replace(config, client_authentication="require"),
        "suite": replace(config, suites=(CBC,)),
    }[change]

    def script(end):
        end.handshake()
        end.connection.change_config(changed)
        end.connection.renegotiate()
        end.until(HandshakeCompleted)
        assert end.line() == b"hello"
        end.send(b"[hello]\n")
        end.close()

    with Service(config, script) as service:
        _, output = s_client(service.port, *leaf.s_server, *verifying(certificates))
    service.join()
    assert "[hello]" in output
    connection = service.end.connection
    assert connection.peer_certificates == (leaf.issued.chain if change == "client-certificate" else ())
    assert connection.negotiated.suite is (CBC if change == "suite" else GCM)
    assert connection.negotiated.resumed is (change == "nothing")  # asked for by OpenSSL's client, RFC 5246 7.4.1.2


def test_renegotiation_by_us_is_refused(certificates):
    def script(end):
        end.handshake()
        end.connection.renegotiate()
        end.until(RenegotiationRefused)
        end.close()

    with Service(server(certificates, renegotiation=True), script) as service:
        s_client(service.port, "-no_renegotiation")
    assert service.end.saw(RenegotiationRefused) or isinstance(service.error, FatalAlert)


# Versions


def test_client_that_prefers_tls_1_3(certificates):
    end, output = greet(server(certificates), version=())
    assert end.connection.negotiated.version == 0x0303
    assert "TLSv1.2" in output


@pytest.mark.rfc("8446", "4.2.1")
def test_client_that_speaks_tls_1_3_only(certificates):
    error, output = refused(server(certificates), version=("-tls1_3",))
    assert error.alert is AlertDescription.PROTOCOL_VERSION
    assert "protocol version" in output


@pytest.mark.rfc("5246", "E.1")
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_client_that_speaks_nothing_newer(certificates, version):
    error, output = refused(server(certificates), "-cipher", EVERY_CIPHER, version=(version,))
    assert error.reason is Reason.VERSION_TOO_OLD
    assert "protocol version" in output


@pytest.mark.rfc("7507", "3")
def test_fallback_scsv(certificates):
    error, output = refused(server(certificates), "-cipher", EVERY_CIPHER, "-fallback_scsv", version=("-tls1_1",))
    assert error.reason is Reason.INAPPROPRIATE_FALLBACK
    assert "inappropriate fallback" in output
    greet(server(certificates), "-fallback_scsv")  # at our own version it means nothing


def test_no_suite_in_common(certificates):
    error, output = refused(server(certificates), "-cipher", "AES128-GCM-SHA256")
    assert isinstance(error, PeerError)
    assert error.reason is Reason.NO_SHARED_SUITE
    assert "handshake failure" in output


# Much data


@pytest.mark.parametrize("suite", suite_cells([suite for suite in BULKS if suite in SUITES], "openssl"))
def test_many_records_both_ways(certificates, suite):
    text = "".join(chr(33 + index % 90) for index in range(150_000))

    def script(end):
        end.handshake()
        end.send(end.line() + b"\n")
        end.close()

    with Service(server(certificates, suite), script) as service:
        _, output = s_client(service.port, "-cipher", f"{suite.openssl_name}:@SECLEVEL=0", "-quiet", text=text + "\n")
    service.join()
    assert text in output
