"""What programs parse of errors is what they find with OpenSSL, whichever end is ours."""

import ssl as real_ssl

import pytest

from puretls.errors import VerificationError
from puretls.x509.reports.findings import Finding
from puretls.x509.reports.report import Report
from puretls.x509.reports.rules import RULES
from tests.support.credentials import NAME
from tests.support.pure_ssl import Pair, client_context, failures, files, pure_ssl, server_context

ours = pure_ssl()
MIXES = {"client": (ours, real_ssl), "server": (real_ssl, ours), "both": (ours, ours)}
"""Which ends are ours."""


def told(pair):
    """Kind and words of what each end raises, without those in brackets at the end, which are each implementation's own."""
    return {end: parts(error) for end, error in failures(pair).items()}


def parts(error):
    names = "library", "reason", "verify_code", "verify_message"
    return type(error).__name__, error.errno, *(getattr(error, name, None) for name in names), error.strerror.partition(" (")[0]


def nothing_trusted(client, server):
    context = client.SSLContext(client.PROTOCOL_TLS_CLIENT)
    context.maximum_version = client.TLSVersion.TLSv1_2
    return Pair(context, server_context(server))


def another_name(client, server):
    return Pair(client_context(client), server_context(server), "other.test")


def another_address(client, server):
    return Pair(client_context(client), server_context(server), "127.0.0.2")


def no_client_certificate(client, server):
    return Pair(client_context(client), demanding(server))


def unknown_client_certificate(client, server):
    context = client_context(client)
    context.load_cert_chain(files() / "stranger.pem")
    return Pair(context, demanding(server))


def demanding(server):
    context = server_context(server, verify_mode=server.CERT_REQUIRED)
    context.load_verify_locations(files() / "ca.pem")
    return context


def no_suite_in_common(client, server):
    contexts = client_context(client), server_context(server)
    contexts[0].set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    return Pair(*contexts)


def no_certificate(client, server):
    context = server.SSLContext(server.PROTOCOL_TLS_SERVER)
    context.maximum_version = server.TLSVersion.TLSv1_2
    return Pair(client_context(client), context)


def refused_by_call_back(client, server):
    context = server_context(server, sni_callback=lambda *_: server.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
    return Pair(client_context(client), context)


SITUATIONS = (
    nothing_trusted, another_name, another_address, no_client_certificate, unknown_client_certificate, no_suite_in_common,
    no_certificate, refused_by_call_back,
)  # fmt: skip


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_both_ends_are_told_what_openssl_tells(situation, mix):
    assert told(situation(*MIXES[mix])) == told(situation(real_ssl, real_ssl))


FIRST_BYTES = {
    "client": [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail.test ESMTP\r\n", b"\x15\3\1\0\2\2\x28"],
    "server": [b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"CONNECT a:443 HTTP/1.1\r\n\r\n", b"hello there, server"],
}


@pytest.mark.parametrize(("end", "data"), [(end, data) for end, found in FIRST_BYTES.items() for data in found])
def test_a_peer_that_speaks_something_else_is_named_as_openssl_names_it(end, data):
    first, second = of_stream(ours, end, data)
    assert first == of_stream(real_ssl, end, data)[0]
    assert second[:4] == ("SSLEOFError", real_ssl.SSL_ERROR_EOF, None, None)


@pytest.mark.parametrize("end", FIRST_BYTES)
def test_a_stream_that_ends_in_the_handshake_is_an_eof_and_then_one_without_a_reason(end):
    first, second = of_stream(ours, end, b"")
    assert first == of_stream(real_ssl, end, b"")[0]
    assert second[:4] == ("SSLEOFError", real_ssl.SSL_ERROR_EOF, None, None)


def of_stream(ssl, end, data):
    """What the first two handshakes raise for a peer that sends `data` and ends."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(data)
    incoming.write_eof()
    names = {"server_hostname": NAME} if end == "client" else {"server_side": True}
    made = (client_context if end == "client" else server_context)(ssl).wrap_bio(incoming, outgoing, **names)
    found = []
    for _ in range(2):
        with pytest.raises(ssl.SSLError) as caught:
            made.do_handshake()
        found.append(parts(caught.value))
    return found


def test_a_server_that_speaks_tls_1_3_alone_is_told_in_words():
    server = server_context(real_ssl)
    server.maximum_version = real_ssl.TLSVersion.MAXIMUM_SUPPORTED
    server.minimum_version = real_ssl.TLSVersion.TLSv1_3
    found = failures(Pair(client_context(ours), server))
    assert found["client"].reason == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert "puretls speaks TLS 1.2; this server wants newer" in str(found["client"])


def test_a_client_that_speaks_tls_1_3_alone_is_told_and_refused():
    client = client_context(real_ssl)
    client.maximum_version = real_ssl.TLSVersion.MAXIMUM_SUPPORTED
    client.minimum_version = real_ssl.TLSVersion.TLSv1_3
    found = failures(Pair(client, server_context(ours)))
    assert found["client"].reason == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert found["server"].reason == "UNSUPPORTED_PROTOCOL"
    assert "TLS 1.2" in str(found["server"])


def test_a_context_that_forbids_tls_1_2_says_so():
    context = client_context(ours)
    with pytest.raises(ValueError, match=r"puretls speaks TLS 1\.2"):
        context.minimum_version = ours.TLSVersion.TLSv1_3
    with pytest.warns(DeprecationWarning, match="OP_NO_TLS"):
        context.options |= ours.OP_NO_TLSv1_2
    with pytest.raises(ours.SSLError) as told:
        context.wrap_bio(ours.MemoryBIO(), ours.MemoryBIO(), server_hostname=NAME).do_handshake()
    assert told.value.reason == "NO_PROTOCOLS_AVAILABLE"


def after_our_close(pair):
    pair.step(pair.client.unwrap)
    yield pair.client.write, b"x"
    yield pair.client.read, 10


def after_both_closes(pair):
    pair.step(pair.client.unwrap)
    pair.server.unwrap()
    pair.move()
    pair.client.unwrap()
    for end in pair.ends:
        yield end.read, 10
        yield end.write, b"x"


def after_the_peers_close(pair):
    pair.step(pair.client.unwrap)
    for _ in range(2):
        yield pair.server.read, 10
    yield pair.server.write, b"half-closed"
    pair.move()
    yield pair.client.read, 100


def before_the_handshake(pair):
    yield (pair.client.unwrap,)
    yield (pair.client.getpeercert,)
    yield (pair.client.get_channel_binding,)
    for told in (pair.client.cipher, pair.client.version, pair.client.pending, pair.client.selected_alpn_protocol):
        yield (told,)
    yield pair.client.get_channel_binding, "tls-exporter"


def with_data_unread(pair):
    pair.server.write(b"unread")
    pair.move()
    yield (pair.client.unwrap,)


def after_nonsense(pair):
    pair.client.write(b"good")
    pair.move()
    pair.bios[1].sides[1].write(b"no record at all, and no TLS")
    yield pair.server.read, 10
    yield pair.server.read, 10


@pytest.mark.parametrize(
    "steps", [after_our_close, after_both_closes, after_the_peers_close, with_data_unread, after_nonsense, before_the_handshake],
    ids=lambda steps: steps.__name__,
)  # fmt: skip
def test_calls_at_unusual_times_do_what_they_do_with_openssl(steps):
    assert outcomes(ours, steps) == outcomes(real_ssl, steps)


def outcomes(ssl, steps):
    pair = Pair(client_context(ssl), server_context(ssl))
    if steps is not before_the_handshake:
        pair.shake()
    found = []
    for call, *arguments in steps(pair):
        try:
            found.append(call(*arguments))
        except ValueError as error:
            found.append((type(error).__name__, str(error)))
        except OSError as error:
            found.append(parts(error)[:4])
    return found


def test_what_openssl_has_no_number_for_is_told_in_our_words():
    report = Report(False, (), (Finding(RULES["malformed"], "certificate 0 ends in the middle"),))
    connection = client_context(ours)._wrap_bio(ours.MemoryBIO(), ours.MemoryBIO(), False, NAME)
    told = connection._told(VerificationError(report, report.alert))
    assert (told.reason, told.verify_code) == ("CERTIFICATE_VERIFY_FAILED", 1)
    assert "certificate 0 ends in the middle" in str(told)
