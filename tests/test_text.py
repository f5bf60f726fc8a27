"""What a peer writes is escaped, whatever it is and wherever it is shown: exceptions, reports, traces, logs."""

import importlib
import io
import logging
import pkgutil
import re
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import puretls
from puretls import danger
from puretls.ca import DevelopmentCa, spki_bytes
from puretls.cli.report import negotiated_lines, one_line, tracer
from puretls.config import Credential
from puretls.crypto.provider import default
from puretls.der import oids
from puretls.errors import DecodeError, PeerError, PuretlsError, Reason, UsageError, VerificationError
from puretls.extensions import Alpn, ServerName
from puretls.iana import AlertDescription
from puretls.inspect.render.hexdump import hexdump, of_spans
from puretls.intercept import Direction
from puretls.qt import QSslCertificate, QSslError
from puretls.text import counted, printable, printable_lines
from puretls.x509 import drafts
from puretls.x509.show import show
from puretls.x509.verifier import ChainRequest, chain_verifier
from tests.support import credentials
from tests.support.credentials import NAME
from tests.support.pair import Pair, client_config, server_config, suite_named
from tests.x509.chains import leaf, root

NOW = int(credentials.NOW)
HOSTILE = "\x1b[31mred\n127.0.0.1:1 forged\r\x00\x07\x7f\x9b31m\u202elanigiro\u2028next\u200b\ufeff\x85"


def assert_safe(text, lines=False):
    """Nothing in it that a terminal would act upon; line breaks only where many lines are meant, and none with the peer's text."""
    for line in text.split("\n") if lines else [text]:
        assert line.isprintable(), ascii(line)
        assert not line.startswith("127.0.0.1:1 forged")


@given(st.text() | st.binary())
def test_printable_text_is_printable_and_stays_so(text):
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])) | st.just("a b"))
def test_what_shows_itself_is_kept(text):
    assert printable(text) == text


def test_escapes_are_those_of_python():
    assert printable("a\nb\x1b\u202e\ud800\U000e0001é") == r"a\nb\x1b\u202e\ud800\U000e0001é"
    assert printable(b"\xffa\r") == r"\xffa\r"
    assert printable_lines(["a\nb", "c"]) == "a\\nb\nc"


def all_errors():
    for module in pkgutil.walk_packages(puretls.__path__, "puretls."):
        if module.name.endswith("__main__"):
            continue
        with suppress(ImportError, UsageError):  # what only some places have
            importlib.import_module(module.name)
    found, waiting = set(), [PuretlsError]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    return sorted((kind for kind in found if kind.__module__.startswith("puretls.")), key=lambda kind: kind.__qualname__)


def test_every_exception_is_escaped_in_the_base_class():
    """So that none can forget to."""
    for kind in all_errors():
        assert kind is PuretlsError or "__str__" not in vars(kind), kind


@pytest.mark.parametrize(
    "error",
    [
        PuretlsError(HOSTILE),
        UsageError(HOSTILE),
        DecodeError(HOSTILE, path=HOSTILE),
        PeerError(Reason.DECODE, HOSTILE, path=HOSTILE, state=HOSTILE),
        VerificationError(HOSTILE, AlertDescription.UNKNOWN_CA),
    ],
    ids=lambda error: type(error).__name__,
)
def test_text_of_an_exception(error):
    assert_safe(str(error))


@pytest.fixture(scope="module")
def hostile():
    """A CA and a leaf for NAME whose names are hostile in every field."""
    authority = DevelopmentCa.create(danger.fixed_random(), NOW, organization=HOSTILE, intermediate=False)
    key = authority.provider.generate("secp256r1", authority.random)
    name = drafts.name((oids.ORGANIZATION, HOSTILE), (oids.COMMON_NAME, HOSTILE))
    names = drafts.subject_alt_name([NAME])
    draft = drafts.CertificateDraft(name, authority.root.name, 7, NOW - 10, NOW + 10**6, spki_bytes(key.public), (names,))
    evil_names = drafts.extension(oids.SUBJECT_ALT_NAME, _general_names(HOSTILE.encode()))
    evil = drafts.CertificateDraft(name, authority.root.name, 8, NOW - 10, NOW + 10**6, spki_bytes(key.public), (evil_names,))
    return SimpleNamespace(authority=authority, key=key, leaf=authority.sign(draft), evil=authority.sign(evil))


def _general_names(text):
    """SubjectAltName with a dNSName, an rfc822Name and a URI that say `text`."""
    body = b"".join(bytes((tag, len(text))) + text for tag in (0x82, 0x81, 0x86))
    return b"\x30\x81" + bytes((len(body),)) + body if len(body) > 127 else b"\x30" + bytes((len(body),)) + body


@pytest.mark.parametrize("anchored", [True, False], ids=["accepted", "unknown CA"])
@pytest.mark.parametrize("host", [NAME, "other.test", None])
@pytest.mark.parametrize("which", ["leaf", "evil"])
def test_reports_on_certificates(hostile, which, host, anchored):
    other = DevelopmentCa.create(danger.fixed_random(b"other"), NOW, organization="other")
    anchor = (hostile.authority if anchored else other).root.certificate
    chain = (getattr(hostile, which), hostile.authority.root.certificate)
    report = chain_verifier([anchor], provider=default())(ChainRequest(chain, "server", host, NOW))
    assert_safe(str(report))
    assert_safe(report.explain(), lines=True)
    for finding in report.findings:
        assert_safe(str(finding))
        assert_safe(QSslError(QSslError.SslError.UnspecifiedError, QSslCertificate(), finding.sentence).errorString())


@pytest.mark.parametrize("which", ["leaf", "evil"])
@pytest.mark.parametrize("every_byte", [lambda data, spans: hexdump(of_spans(data, spans)), None], ids=["True", "False"])
def test_shown_certificates(hostile, which, every_byte):
    try:
        assert_safe(show(getattr(hostile, which), every_byte=every_byte), lines=True)
    except DecodeError as error:
        assert_safe(str(error))


def talk(pair):
    """What a connection shows of itself: both ends' lines, logs, traces, explanations of every byte."""
    out = io.StringIO()
    for end in (pair.client, pair.server):
        with tracer(end.connection, True, out):
            pass
        if end.error is not None:
            yield str(end.error)
        if end.connection.negotiated is not None:
            yield from negotiated_lines(end.connection)
            yield one_line(end.connection)
        for direction in Direction:
            for offset in range(0, 600, 3):
                yield str(end.connection.trace.explain(direction, offset) or "")
    yield from out.getvalue().split("\n")


def test_names_and_protocols_that_peers_give(hostile):
    """ALPN of both, certificates of a server."""
    protocol = "\x1b[31mred\n127.0.0.1:1 forged\r\x00\x9b31m\x85"
    alpn = Alpn(protocol, "h2")
    verifier = chain_verifier([hostile.authority.root.certificate], provider=default())
    server = server_config(credentials=(Credential((hostile.leaf,), hostile.key),), extensions=(Alpn(protocol),))
    pair = Pair(client_config(extensions=(alpn,), verifier=verifier), server, name=NAME).handshake()
    assert pair.client.completed, pair.client.error
    assert pair.client.connection.negotiated.alpn == protocol
    for text in talk(pair):
        assert_safe(text)


def test_server_names():
    """RFC 6066 3: a name is ASCII without anything but letters, digits, hyphens and dots."""
    for name in ("\x1b[31mred\n127.0.0.1:1 forged", "a\x00b", "a b\r"):
        pair = Pair(client_config(extensions=(ServerName(name=name),))).handshake()
        assert isinstance(pair.server.error, PeerError)
        for text in talk(pair):
            assert_safe(text)


def test_identities_of_pre_shared_keys():
    """RFC 4279 5.1: an identity is UTF-8 of any kind."""
    identity = HOSTILE.encode()
    suites = (suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"),)
    client = client_config(suites=suites, psk=lambda hint: (identity, b"k" * 16))
    known = server_config(suites=suites, credentials=(), psk_hint=identity, psk=lambda shown: b"k" * 16)
    unknown = server_config(suites=suites, credentials=(), psk_hint=identity, psk=lambda shown: None)
    for server in (known, unknown):
        for text in talk(Pair(client, server).handshake()):
            assert_safe(text)


def test_log_of_the_server_is_escaped_where_it_is_written():
    from puretls.cli.serve import LogFormatter

    record = logging.LogRecord("puretls.serve", logging.INFO, __file__, 1, "%s %s", ("127.0.0.1:1", HOSTILE), None)
    assert_safe(LogFormatter("%(message)s").format(record))


@pytest.mark.parametrize(("number", "text"), [(0, "0 bytes"), (1, "1 byte"), (2, "2 bytes")])
def test_one_is_singular(number, text):
    assert counted(number, "byte") == text


ONE = re.compile(r"\b1 (bytes|bits|records|certificates|messages|seconds)\b")


def test_one_is_singular_in_what_is_explained():
    """An extension of one byte, a message of one byte, fields of one byte in a map of all bytes."""
    certificate = leaf(root(), more=(drafts.extension(bytes((42, 3, 4)), b"\x05"),)).der
    told = [show(certificate), *talk(Pair(client_config(), server_config()).handshake())]
    assert any("1 byte," in text for text in told)
    assert not [found[0] for text in told for found in [ONE.search(text)] if found]
