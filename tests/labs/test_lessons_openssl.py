"""What the lessons teach, tried on a connection of OpenSSL: the right answers to the exercises read it from the first byte to the last."""

import ssl
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from puretls.testing.honest import issued

pytestmark = pytest.mark.interop
ANSWERS = Path(__file__).parent / "answers"
HANDSHAKE, APPLICATION_DATA, ALERT = 22, 23, 21


@cache
def lesson(number):
    """The functions of the right answers to a lesson."""
    namespace = {}
    exec((ANSWERS / f"lesson_{number:02}.py").read_text(), namespace)
    return SimpleNamespace(**namespace)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Both streams of a connection between two ends of OpenSSL, the key log that it wrote, and the server's certificate."""
    folder = tmp_path_factory.mktemp("openssl")
    leaf = issued("secp256r1", "shop.test")
    (folder / "chain.pem").write_text(leaf.chain_pem)
    (folder / "key.pem").write_text(leaf.key_pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    client.keylog_filename = str(folder / "keys.txt")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    wires = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, wires[0], server_hostname="shop.test"),
        server.wrap_bio(to_server, wires[1], server_side=True),
    )
    sent = [b"", b""]

    def carry():
        for side, target in enumerate((to_server, to_client)):
            data = wires[side].read()
            sent[side] += data
            target.write(data)

    def until_done(call):
        try:
            return call()
        except ssl.SSLWantReadError:
            return None

    for _ in range(4):
        for end in ends:
            until_done(end.do_handshake)
            carry()
    ends[0].write(b"tea, please")
    carry()
    assert ends[1].read() == b"tea, please"
    until_done(ends[0].unwrap)
    carry()
    return SimpleNamespace(client=sent[0], server=sent[1], key_log=(folder / "keys.txt").read_text(), certificate=leaf.chain[0])


@pytest.fixture(scope="module")
def flow(recorded):
    """Records of both sides, and the handshake messages in the clear, by the answers to lesson 1."""
    records, messages = {}, {}
    for side in ("client", "server"):
        records[side], rest = lesson(1).split_records(getattr(recorded, side))
        assert rest == b""
        change = next(at for at, (kind, _) in enumerate(records[side]) if kind == 20)
        messages[side] = lesson(1).join_messages([fragment for kind, fragment in records[side][:change] if kind == HANDSHAKE])
    return SimpleNamespace(records=records, messages=messages)


@pytest.fixture(scope="module")
def secrets(recorded, flow):
    """Randoms, master secret and keys, by the answers to lessons 2, 6 and 12."""
    _, client_random, *_ = lesson(2).parse_client_hello(flow.messages["client"][0][1])
    server_random = flow.messages["server"][0][1][2:34]
    master = lesson(12).master_secret_of(recorded.key_log, client_random)
    keys = lesson(6).key_block(master, client_random, server_random, 0, 16, 4)
    return SimpleNamespace(randoms=(client_random, server_random), master=master, keys=keys)


def opened(flow, secrets, side):
    """Type and content of what a side sent under its keys, by the answers to lesson 8."""
    change = next(at for at, (kind, _) in enumerate(flow.records[side]) if kind == 20)
    key, iv = (secrets.keys[2], secrets.keys[4]) if side == "client" else (secrets.keys[3], secrets.keys[5])
    for sequence, (kind, fragment) in enumerate(flow.records[side][change + 1 :]):
        record = bytes([kind]) + b"\3\3" + len(fragment).to_bytes(2, "big") + fragment
        yield kind, lesson(8).open_gcm(key, iv, sequence, record)


@pytest.mark.rfc("5246", "7.4.1.2")
def test_hello_is_read(flow):
    kind, body = flow.messages["client"][0]
    version, _, _, suites, compression = lesson(2).parse_client_hello(body)
    assert (kind, version, compression) == (1, 0x0303, b"\0")
    assert 0xC02B in suites
    assert lesson(2).host_name(dict(lesson(2).parse_extensions(body))[0]) == "shop.test"


@pytest.mark.rfc("5246", "7.4.3")
def test_signature_covers_what_the_lesson_says(recorded, flow, secrets):
    body = next(body for kind, body in flow.messages["server"] if kind == 12)
    _, _, scheme, signature = lesson(5).read_key_exchange(body)
    assert scheme == 0x0403
    key = x509.load_der_x509_certificate(recorded.certificate).public_key()
    key.verify(signature, lesson(5).signed_content(*secrets.randoms, body), ec.ECDSA(SHA256()))  # raises where it is wrong


@pytest.mark.rfc("5280", "4.2.1.6")
def test_name_is_found_in_the_certificate(recorded):
    names = recorded.certificate[recorded.certificate.index(bytes.fromhex("0603551d11")) + 5 :]
    _, value, _ = lesson(4).der_element(names)
    assert lesson(4).dns_names(value) == ["shop.test"]
    assert lesson(4).covers("shop.test", "SHOP.test")


@pytest.mark.rfc("5246", "6.2.3.3")
def test_content_is_opened(flow, secrets):
    finished, request, close = opened(flow, secrets, "client")
    assert finished[1][:4] == b"\x14\0\0\x0c"
    assert request == (APPLICATION_DATA, b"tea, please")
    assert close[0] == ALERT
    assert lesson(11).read_alert(close[1]) == (False, 0)


@pytest.mark.rfc("5246", "7.4.9")
def test_both_finished_are_right(flow, secrets):
    def whole(side):
        return [(side, bytes([kind]) + len(body).to_bytes(3, "big") + body) for kind, body in flow.messages[side]]

    client, server = whole("client"), whole("server")
    tickets = [one for one in server if one[1][0] == 4]
    server = [one for one in server if one[1][0] != 4]
    finished = {side: (side, next(content for _, content in opened(flow, secrets, side))) for side in ("client", "server")}
    said = [client[0], *server, *client[1:], finished["client"], *tickets, finished["server"]]
    assert lesson(7).wrong_finished(secrets.master, said) == []


@pytest.mark.rfc("5077", "3.4")
def test_handshake_was_a_full_one(recorded):
    assert lesson(9).is_resumed(recorded.server) is False
