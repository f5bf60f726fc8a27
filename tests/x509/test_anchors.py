"""Files of trust anchors: what is sound is used, what is not is named by its number; marks, encodings and OpenSSL's own form."""

import shutil
import subprocess

import pytest

from puretls import roots
from puretls.cli import main
from puretls.errors import DecodeError, UsageError
from puretls.x509.keys import parse_private_key, private_key_pem
from puretls.x509.path.anchors import read_anchors
from puretls.x509.pem import load_certificates, read_pem, write_pem
from puretls.x509.verifier import ChainRequest
from tests.x509.chains import HOST, NOW, authority, ids, key, leaf, root

TOP, OTHER = root(), root("other")
MIDDLE = authority(TOP)
END = leaf(MIDDLE)
CHAIN = (END.der, MIDDLE.der)
GOOD, SECOND = (write_pem("CERTIFICATE", one.der) for one in (TOP, OTHER))
LINES = GOOD.splitlines()
ROTTEN = {
    "bad base64": (GOOD.replace(LINES[3], "!" + LINES[3][1:]), "is not base64"),
    "a character missing": (GOOD.replace(LINES[3], LINES[3][1:]), "is not base64"),
    "cut off": ("\n".join(LINES[:-2]) + "\n", "has no END line"),
    "cut off in its END line": (GOOD[:-8] + "\n", "ends as"),
    "wrong end": (GOOD.replace("END CERTIFICATE", "END X509 CRL"), "ends as"),
    "no certificate": (write_pem("CERTIFICATE", b"\x30\x03rot"), "CERTIFICATE"),
}


@pytest.mark.parametrize("rot", ROTTEN)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_rotten_block_costs_nothing_but_itself_and_is_named_by_its_number(rot, number):
    bad, why = ROTTEN[rot]
    blocks = [GOOD.replace("\n", "\r\n"), SECOND]
    blocks.insert(number - 1, bad)
    store = read_anchors("# roots\n" + "\n".join(blocks))
    assert len(store) == 2
    (fault,) = store.faults
    assert fault.startswith(f"block {number} (CERTIFICATE)")
    assert why in fault


@pytest.mark.parametrize("rot", ROTTEN)
def test_in_credentials_a_broken_block_stays_an_error(rot):
    if rot == "no certificate":
        pytest.skip("sound PEM")
    with pytest.raises(DecodeError, match=r"block 2 \(CERTIFICATE\): "):
        load_certificates(SECOND + ROTTEN[rot][0])
    with pytest.raises(DecodeError, match=r"block 1 \(CERTIFICATE\): "):
        parse_private_key(ROTTEN[rot][0] + private_key_pem(key("leaf")))


def test_a_file_of_which_nothing_can_be_used_says_why():
    with pytest.raises(DecodeError, match=r"block 1 \(CERTIFICATE\): is not base64"):
        read_anchors(ROTTEN["bad base64"][0])
    with pytest.raises(DecodeError, match="no certificate"):
        read_anchors("nothing")


def test_a_refusal_for_want_of_an_anchor_tells_of_the_block_that_is_not_used():
    store = read_anchors(SECOND + ROTTEN["bad base64"][0])
    report = _verify(store)
    assert report.findings[0].id == "unknown-issuer"
    assert "block 2 (CERTIFICATE): is not base64" in report.findings[-1].sentence


def _verify(store, purpose="server"):
    from puretls.x509.verifier import chain_verifier
    from tests.x509.chains import PROVIDER

    return chain_verifier([store], provider=PROVIDER)(ChainRequest(CHAIN, purpose, HOST, NOW))


def test_roots_of_the_system_are_read_that_way(tmp_path, monkeypatch):
    path = tmp_path / "ca.pem"
    path.write_text(ROTTEN["bad base64"][0] + GOOD + ROTTEN["cut off"][0])
    roots._store.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    assert roots.system_roots() == (TOP.der,)
    assert [fault.startswith(f"{path}: block {number} ") for fault, number in zip(roots.system_store().faults, (1, 3), strict=True)] == [
        True, True]  # fmt: skip
    assert roots.file_verifier(path)(ChainRequest(CHAIN, "server", HOST, NOW)).accepted
    path.write_text(ROTTEN["bad base64"][0])
    with pytest.raises(UsageError, match=r"ca\.pem.*block 1 \(CERTIFICATE\): is not base64"):
        roots.file_verifier(path)
    roots._store.cache_clear()


def test_the_command_names_block_and_reason_and_uses_the_rest(tmp_path, capsys):
    bad, chain = tmp_path / "bad.pem", tmp_path / "chain.pem"
    bad.write_text(ROTTEN["bad base64"][0] + GOOD)
    chain.write_text("".join(write_pem("CERTIFICATE", der) for der in CHAIN))
    arguments = ["x509", "verify", str(chain), "--host", HOST, "--at", str(NOW)]
    assert main([*arguments, "--ca", str(bad)]) == 0
    assert "bad.pem: not trusted: block 1 (CERTIFICATE): is not base64" in capsys.readouterr().err
    bad.write_text(ROTTEN["no certificate"][0])
    assert main([*arguments, "--ca", str(bad)]) == 2
    assert "block 1 (CERTIFICATE)" in capsys.readouterr().err
    assert main(["connect", "127.0.0.1:1", "--ca", str(bad)]) == 2
    assert "block 1 (CERTIFICATE)" in capsys.readouterr().err


# Marks and encodings


@pytest.mark.parametrize("text", [GOOD + SECOND, "\r\n" + (GOOD + SECOND).replace("\n", "\r\n")])
def test_a_byte_order_mark_hides_no_block(text):
    """Files of Windows' editors begin with one, and joined files have one in the middle."""
    expected = (TOP.der, OTHER.der)
    assert load_certificates("\ufeff" + text) == expected
    assert load_certificates(text.encode("utf-8-sig")) == expected
    assert load_certificates(GOOD.encode("utf-8-sig") + SECOND.encode("utf-8-sig")) == expected
    assert parse_private_key(private_key_pem(key("leaf")).encode("utf-8-sig")).public == key("leaf").public


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("read", [read_pem, load_certificates, read_anchors, parse_private_key])
def test_utf_16_is_named(codec, read):
    with pytest.raises(DecodeError, match="UTF-16"):
        read(("# comment\n" + GOOD).encode(codec))


@pytest.mark.parametrize("text", [GOOD.replace("-----BEGIN", "x-----BEGIN"), GOOD.replace("-----BEGIN", "----BEGIN"), LINES[-1]])
def test_a_block_does_not_vanish_because_of_its_first_line(text):
    with pytest.raises(DecodeError, match="no BEGIN line"):
        load_certificates(text + "\n" + SECOND)
    assert len(read_anchors(text + "\n" + SECOND)) == 1


# TRUSTED CERTIFICATE


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize(
    ("options", "servers", "clients"),
    [
        ((), True, True),
        (("-addtrust", "serverAuth"), True, False),
        (("-addtrust", "clientAuth"), False, True),
        (("-addtrust", "anyExtendedKeyUsage"), True, True),
        (("-addreject", "serverAuth"), False, True),
        (("-addreject", "anyExtendedKeyUsage"), False, False),
        (("-addtrust", "serverAuth", "-addtrust", "clientAuth", "-setalias", "mine"), True, True),
    ],
)
def test_openssl_s_trust_settings_are_heeded(tmp_path, options, servers, clients):
    (tmp_path / "in.pem").write_text(GOOD)
    subprocess.run(["openssl", "x509", "-in", "in.pem", "-trustout", *options, "-out", "out.pem"], cwd=tmp_path, check=True)
    text = (tmp_path / "out.pem").read_text()
    assert "TRUSTED CERTIFICATE" in text
    store = read_anchors(text)
    assert store.faults == []
    assert _verify(store).accepted == servers
    if not servers:
        report = _verify(store)
        assert ids(report) == {"anchor-purpose"}
        assert "serverAuth" in str(report)
    client = leaf(MIDDLE, eku=b"")
    from puretls.x509.verifier import chain_verifier
    from tests.x509.chains import PROVIDER

    both = chain_verifier([store, OTHER.der], provider=PROVIDER)
    assert both(ChainRequest((client.der, MIDDLE.der), "client", None, NOW)).accepted == clients
    assert both(ChainRequest((client.der, MIDDLE.der), "server", HOST, NOW)).accepted == servers
    roots._store.cache_clear()
    assert (TOP.der in roots.read_sources(roots.Sources((str(tmp_path / "out.pem"),)))) if servers else True


def test_trust_settings_that_cannot_be_read_are_a_fault():
    store = read_anchors(write_pem("TRUSTED CERTIFICATE", TOP.der + b"\x30\x05x") + SECOND)
    assert len(store) == 1
    assert store.faults[0].startswith("block 1 (TRUSTED CERTIFICATE)")
