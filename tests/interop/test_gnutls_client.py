"""puretls as server, gnutls-cli."""

from dataclasses import replace
from signal import SIGSEGV

import pytest

from puretls import Alpn, HandshakeCompleted, Reason, RenegotiationRefused, key_exchange
from puretls.extensions import EncryptThenMac, ExtendedMasterSecret, RecordSizeLimit
from puretls.iana import AlertDescription, NamedGroup
from tests.interop.cells import (
    DHE,
    GCM,
    GNUTLS_BULKS,
    GNUTLS_EVERYTHING,
    HINT,
    IDENTITY,
    NAMED,
    PSK,
    cells,
    gnutls_groups,
    gnutls_signing_cells,
    gnutls_suites,
    server,
    suite_cells,
    suite_for,
)
from tests.interop.ends import Service
from tests.interop.peers import Process, gnutls_cli, program

pytestmark = pytest.mark.skipif(program("gnutls-cli") is None, reason="gnutls-cli (gnutls-bin) is not installed")
SUITES = gnutls_suites()
PSK_OPTIONS = (f"--pskusername={IDENTITY.decode()}", f"--pskkey={PSK.hex()}")


def verifying(certificates):
    return (f"--x509cafile={certificates.root}", "--sni-hostname=server.test", "--verify-hostname=server.test")


def greet(config, *options, priority=GNUTLS_EVERYTHING, **service):
    """Serve one run of gnutls-cli, which must come to a good end. Returns our end, and what it said."""
    with Service(config, **service) as served:
        status, output = gnutls_cli(served.port, priority, *options)
        if status == -SIGSEGV and served.end.connection.negotiated.suite.kx in _CRASHES:
            served.wait()
            assert served.end.saw(HandshakeCompleted)
            return served.end, output
        assert status == 0, f"{output}\n{served.error}"
    served.join()
    assert "[hello]" in output, output
    return served.end, output


_CRASHES = {key_exchange.DHE_PSK, key_exchange.ECDHE_PSK}
"""Key exchanges after which gnutls-cli 3.7 crashes, with gnutls-serv too, so that only the handshake can be judged."""


def refused(config, *options, priority=GNUTLS_EVERYTHING):
    """Serve one run of gnutls-cli, which must fail. Returns the error on our side, and what it said."""
    with Service(config) as service:
        status, output = gnutls_cli(service.port, priority, *options)
    assert status != 0, output
    return service.error, output


@pytest.mark.parametrize("suite", suite_cells(SUITES, "gnutls-cli"))
def test_suite(certificates, suite):
    end, _ = greet(server(certificates, suite), *PSK_OPTIONS, *verifying(certificates))
    assert end.connection.negotiated.suite is suite
    assert end.connection.negotiated.extended_master_secret
    assert end.connection.negotiated.encrypt_then_mac == suite.is_cbc


@pytest.mark.rfc("7919", "4")
@pytest.mark.parametrize("group", cells(gnutls_groups(), lambda group: group.name, "gnutls-cli"))
def test_group(certificates, group):
    suite = DHE if group >= NamedGroup.FFDHE2048 else GCM
    priority = GNUTLS_EVERYTHING.replace("GROUP-ALL", f"GROUP-{group.name}")
    end, _ = greet(server(certificates, suite), *verifying(certificates), priority=priority)
    assert end.connection.negotiated.group == group


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_unnamed_finite_field(certificates, bits):
    from puretls.crypto.provider import default

    own = default().group(f"ffdhe{bits}").p, 2
    priority = GNUTLS_EVERYTHING.replace("GROUP-ALL", "GROUP-X25519")
    end, _ = greet(server(certificates, DHE, dh_parameters=own), *verifying(certificates), priority=priority)
    assert end.connection.negotiated.group_name == f"ffdhe{bits}"


@pytest.mark.parametrize("pair", gnutls_signing_cells())
def test_certificate_and_scheme(certificates, pair):
    kind, scheme = pair
    config = server(certificates, suite_for(kind), kinds=(kind,), signature_schemes=(scheme,))
    end, _ = greet(config, *verifying(certificates))
    assert end.connection.negotiated.signature_scheme == scheme


@pytest.mark.parametrize("ems", ["ems", "no-ems", "ems-not-taken"])
@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
@pytest.mark.parametrize("suite", suite_cells([*GNUTLS_BULKS, NAMED["PSK-AES128-GCM-SHA256"]] if SUITES else [], "gnutls"))
def test_resumption(certificates, suite, tickets, ems):
    def script(end):
        end.handshake()
        if len(service.ends) == 2:
            end.line()
            end.send(b"[hello]\n")
        end.close()

    extensions = (ExtendedMasterSecret(enabled=False),) if ems == "ems-not-taken" else ()
    priority = GNUTLS_EVERYTHING + (":%NO_SESSION_HASH" if ems == "no-ems" else "") + ("" if tickets else ":%NO_TICKETS")
    options = ("--resume", *PSK_OPTIONS, *verifying(certificates))
    with Service(server(certificates, suite, extensions=extensions), script, clients=2) as service:
        status, output = gnutls_cli(service.port, priority, *options)
        assert status == 0, f"{output}\n{service.error}"
    service.join()
    assert "This is a resumed session" in output
    assert [end.connection.negotiated.resumed for end in service.ends] == [False, True]
    assert service.end.connection.negotiated.extended_master_secret == (ems == "ems")


@pytest.mark.parametrize("pair", gnutls_signing_cells())
def test_client_certificate(certificates, pair):
    kind, scheme = pair
    leaf = certificates.leaf(kind, "client.test")
    config = server(certificates, GCM, client_authentication="require")
    config = replace(config, signature_schemes=(*config.signature_schemes, scheme))
    # GnuTLS chooses by its own order, so its list is cut down to what is wanted and what the rest of the handshake needs.
    name = _GNUTLS_SCHEMES.get(scheme.name, scheme.name.replace("_", "-").replace("RSA-PKCS1", "RSA"))
    signatures = f"NONE:+VERS-TLS1.2:+CIPHER-ALL:+MAC-ALL:+KX-ALL:+GROUP-ALL:+COMP-NULL:+SIGN-{name}"
    usual = ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256:%VERIFY_ALLOW_BROKEN"
    end, _ = greet(config, *leaf.gnutls, *verifying(certificates), priority=signatures + usual)
    assert end.connection.peer_certificates == leaf.issued.chain
    assert end.connection.negotiated.client_signature_scheme is not None


_GNUTLS_SCHEMES = {"ED25519": "EDDSA-ED25519", "ED448": "EDDSA-ED448"} | {
    f"RSA_PSS_PSS_SHA{bits}": f"RSA-PSS-SHA{bits}" for bits in (256, 384, 512)
}


@pytest.mark.parametrize("mode", ["request", "require"])
def test_no_client_certificate(certificates, mode):
    config = server(certificates, client_authentication=mode, certificate_authorities=(certificates.ca.root.name,))
    if mode == "request":
        end, output = greet(config, *verifying(certificates))
        assert end.connection.peer_certificates == ()
        assert "Successfully sent 0 certificate(s) to server" in output
    else:
        error, _ = refused(config, *verifying(certificates))
        assert error.reason is Reason.CLIENT_CERTIFICATE_REQUIRED


@pytest.mark.parametrize(("offered", "chosen"), [(("h2", "http/1.1"), "http/1.1"), (("http/1.1",), "http/1.1"), ((), None)])
def test_alpn(certificates, offered, chosen):
    config = server(certificates, extensions=(Alpn("http/1.1", "http/1.0"),))
    end, _ = greet(config, *(f"--alpn={name}" for name in offered), *verifying(certificates))
    assert end.connection.negotiated.alpn == chosen


@pytest.mark.rfc("7301", "3.2")
def test_alpn_without_overlap(certificates):
    error, output = refused(server(certificates, extensions=(Alpn("http/1.1"),)), "--alpn=h2", *verifying(certificates))
    assert error.reason is Reason.NO_APPLICATION_PROTOCOL
    assert "No supported application protocol" in output


@pytest.mark.rfc("7366", "3")
@pytest.mark.parametrize("off", ["by-us", "by-them"])
@pytest.mark.parametrize("suite", suite_cells([suite for suite in SUITES if suite.is_cbc], "gnutls"))
def test_mac_then_encrypt(certificates, suite, off):
    config = server(certificates, suite, extensions=(EncryptThenMac(enabled=False),) if off == "by-us" else ())
    priority = GNUTLS_EVERYTHING + (":%NO_ETM" if off == "by-them" else "")
    end, _ = greet(config, *PSK_OPTIONS, *verifying(certificates), priority=priority)
    assert not end.connection.negotiated.encrypt_then_mac


@pytest.mark.rfc("7627", "5.2")
def test_extended_master_secret_required(certificates):
    config = server(certificates, extensions=(ExtendedMasterSecret(required=True),))
    greet(config, *verifying(certificates))
    error, _ = refused(config, *verifying(certificates), priority=GNUTLS_EVERYTHING + ":%NO_SESSION_HASH")
    assert error.reason is Reason.EMS_REQUIRED


def _long(end):
    end.handshake()
    end.line()
    end.send(b"x" * 10_000 + b"\n[hello]\n")
    end.close()


@pytest.mark.rfc("8449", "4")
@pytest.mark.parametrize("ours", [None, 512, 2000])
@pytest.mark.parametrize("theirs", [512, 1000, 4096])
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_record_size_limit(certificates, suite, theirs, ours):
    """It counts before the max_fragment_length that GnuTLS sends along where it can, whether we have a limit of our own or not."""
    config = server(certificates, suite, extensions=(RecordSizeLimit(ours),) if ours else ())
    end, output = greet(config, f"--recordsize={theirs}", *verifying(certificates), script=_long)
    assert "x" * 10_000 in output
    assert end.connection.negotiated.send_limit == theirs


@pytest.mark.parametrize("name", ["PSK", "DHE-PSK", "ECDHE-PSK", "RSA-PSK"])
@pytest.mark.parametrize("hint", [None, HINT], ids=["no-hint", "hint"])
def test_psk_hint(certificates, name, hint):
    suite = NAMED[f"{name}-CHACHA20-POLY1305"]
    end, _ = greet(server(certificates, suite, psk_hint=hint), *PSK_OPTIONS, *verifying(certificates))
    assert end.connection.negotiated.psk_identity == IDENTITY


def test_unknown_psk_identity(certificates):
    suite = NAMED["ECDHE-PSK-CHACHA20-POLY1305"]
    options = ("--pskusername=nobody", f"--pskkey={PSK.hex()}", *verifying(certificates))
    error, _ = refused(server(certificates, suite, refuse_unknown_identities=True), *options)
    assert error.reason is Reason.UNKNOWN_PSK_IDENTITY
    error, _ = refused(server(certificates, suite), *options)
    assert error.reason is Reason.BAD_RECORD_MAC  # RFC 4279 2: as a wrong key


def test_wrong_psk(certificates):
    suite = NAMED["ECDHE-PSK-CHACHA20-POLY1305"]
    options = (f"--pskusername={IDENTITY.decode()}", f"--pskkey={'00' * 16}", *verifying(certificates))
    error, _ = refused(server(certificates, suite), *options)
    assert error.alert in {AlertDescription.BAD_RECORD_MAC, AlertDescription.DECRYPT_ERROR}


@pytest.mark.rfc("5705", "4")
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_exporter(certificates, suite):
    label = "EXPERIMENTAL puretls"
    options = (f"--keymatexport={label}", "--keymatexportsize=40")
    end, output = greet(server(certificates, suite), *options, *verifying(certificates))
    assert end.connection.export_keying_material(label.encode(), 40).hex() in output


@pytest.mark.rfc("5746", "3.7")
@pytest.mark.parametrize("suite", suite_cells(GNUTLS_BULKS if SUITES else [], "gnutls"))
def test_renegotiation_by_the_client(certificates, suite):
    config = server(certificates, suite, renegotiation=True)
    end, output = greet(config, "--rehandshake", *verifying(certificates))
    assert "ReHandshake was completed" in output
    assert len(end.saw(HandshakeCompleted)) == 2


@pytest.mark.rfc("5246", "7.2.2")
def test_renegotiation_by_the_client_is_refused_by_default(certificates):
    with Service(server(certificates, GCM)) as service:
        _, output = gnutls_cli(service.port, GNUTLS_EVERYTHING, "--rehandshake", *verifying(certificates))
    assert set(service.end.saw(RenegotiationRefused)) == {RenegotiationRefused(by_peer=False)}  # it asks several times
    assert "ReHandshake was completed" not in output


@pytest.mark.rfc("5746", "3.7")
@pytest.mark.parametrize("authentication", ["none", "require"])
def test_renegotiation_by_us(certificates, authentication):
    config = server(certificates, GCM, renegotiation=True)

    def script(end):
        end.handshake()
        end.connection.change_config(replace(config, client_authentication=authentication))
        end.connection.renegotiate()
        end.until(HandshakeCompleted)
        end.send(b"twice\n")
        end.close()

    leaf = certificates.leaf("p256", "client.test")
    with Service(config, script) as service:
        options = (f"--port={service.port}", f"--priority={GNUTLS_EVERYTHING}", *leaf.gnutls, *verifying(certificates))
        process = Process(("gnutls-cli", *options, "127.0.0.1"))  # with its input open: at the end of it, it closes
        try:
            process.wait_for("twice")
        finally:
            process.kill()
    assert bool(service.end.connection.peer_certificates) == (authentication == "require")


@pytest.mark.rfc("5746", "4.3")
@pytest.mark.parametrize("required", [False, True])
def test_client_without_secure_renegotiation(certificates, required):
    config = server(certificates, require_secure_renegotiation=required)
    priority = GNUTLS_EVERYTHING + ":%DISABLE_SAFE_RENEGOTIATION"
    if not required:
        end, _ = greet(config, *verifying(certificates), priority=priority)
        assert not end.connection.negotiated.secure_renegotiation
        return
    error, _ = refused(config, *verifying(certificates), priority=priority)
    assert error.reason is Reason.INSECURE_RENEGOTIATION


@pytest.mark.rfc("5746", "4.3")
def test_client_without_secure_renegotiation_is_not_renegotiated_with(certificates):
    config = server(certificates, GCM, renegotiation=True)
    priority = GNUTLS_EVERYTHING + ":%DISABLE_SAFE_RENEGOTIATION"
    with Service(config) as service:
        gnutls_cli(service.port, priority, "--rehandshake", *verifying(certificates))
    assert set(service.end.saw(RenegotiationRefused)) == {RenegotiationRefused(by_peer=False)}  # it asks several times


def test_client_that_prefers_tls_1_3(certificates):
    _, output = greet(server(certificates), *verifying(certificates), priority="NORMAL")
    assert "TLS1.2" in output


@pytest.mark.rfc("8446", "4.2.1")
@pytest.mark.parametrize("versions", ["+VERS-TLS1.3", "+VERS-TLS1.1", "+VERS-TLS1.0"])
def test_client_of_another_version(certificates, versions):
    error, output = refused(server(certificates), *verifying(certificates), priority=f"NORMAL:-VERS-ALL:{versions}")
    assert error.alert is AlertDescription.PROTOCOL_VERSION
    assert "unsupported protocol version" in output.lower() or "protocol version" in output.lower()


@pytest.mark.rfc("7507", "3")
def test_fallback_scsv(certificates):
    error, _ = refused(
        server(certificates), *verifying(certificates), priority="NORMAL:-VERS-ALL:+VERS-TLS1.1:%FALLBACK_SCSV:%COMPAT"
    )
    assert error.reason is Reason.INAPPROPRIATE_FALLBACK
