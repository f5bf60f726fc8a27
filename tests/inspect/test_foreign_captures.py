"""Conversations between implementations that are not puretls, captured on loopback: every byte is explained, and tshark agrees.

What tshark says is its JSON, with the same key log: records, handshake messages, versions, suites, extensions, server names, certificates
(serial numbers, dates, names, keys), alerts, application data. In none of these do the two differ.
"""

import random
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from puretls.extensions.server_name import ServerNameList
from puretls.iana import ContentType, ExtensionType
from puretls.inspect import Knowledge, read_capture
from puretls.inspect.captures.files import CaptureFile
from puretls.keylog import CLIENT_RANDOM, key_log_line
from puretls.messages.handshake import Certificate, ClientHello, HandshakeMessage, ServerHello
from puretls.messages.records import Alert
from puretls.wire.schema import parse
from puretls.x509.certificates.certificate import Certificate as X509
from tests.inspect.foreign import Capturing, every, raw, tshark, why_not
from tests.interop import peers
from tests.interop.certificates import Certificates
from tests.interop.peers import Process, Server, free_port, gnutls_cli, program, run, s_client
from tests.support import packets as made

pytestmark = [pytest.mark.interop]
SIDES = ("client", "server")
PSK = "0123456789abcdef0123456789abcdef"
LINES = "".join(f"line {number}\n" for number in range(100)) + "CLOSE\n"
"""What `openssl s_server -rev` sends back, and the line at which it closes."""


@dataclass(frozen=True)
class Row:
    """Who talks to whom. `server` is its kind, the kind of its certificate and its options; `clients` are kinds and options, in turn."""

    name: str
    server: tuple
    clients: tuple
    slow: bool = True
    completed: bool = True


def openssl(suite, *more, kind="rsa", client=(), name=None, both=(), **rest):
    """OpenSSL with OpenSSL: `more` are options of the server, `client` of the client, `both` of both."""
    chosen = ("-cipher", f"{suite}:@SECLEVEL=0")
    return Row(
        name or f"OpenSSL, {suite}", ("openssl", kind, *chosen, *both, *more), (("openssl", *chosen, *both, *client),), **rest
    )


def gnutls(priority, *more, kind="rsa", client=(), **rest):
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS1.2:{priority}"
    return Row(f"GnuTLS, {priority[30:]}", ("gnutls", kind, priority, *more), (("gnutls", priority, *client),), **rest)


PSKS = ("-psk", PSK)
ROWS = (
    openssl("AES128-GCM-SHA256"),
    openssl("AES256-SHA", name="OpenSSL, AES256-SHA, encrypt-then-MAC"),
    openssl("AES128-SHA256", client=("-no_etm",), name="OpenSSL, AES128-SHA256, MAC first"),
    openssl("AES128-CCM8"),
    openssl("ECDHE-RSA-AES256-GCM-SHA384", slow=False),
    openssl("ECDHE-RSA-CHACHA20-POLY1305"),
    openssl("ECDHE-RSA-AES256-SHA384", name="OpenSSL, ECDHE-RSA-AES256-SHA384, encrypt-then-MAC"),
    openssl("ECDHE-RSA-AES128-SHA", client=("-no_etm",), name="OpenSSL, ECDHE-RSA-AES128-SHA, MAC first"),
    openssl("ECDHE-ECDSA-AES128-GCM-SHA256", kind="p256"),
    openssl("ECDHE-ECDSA-AES256-CCM", kind="p384"),
    openssl("ECDHE-ECDSA-AES128-CCM8", kind="p521"),
    openssl("ECDHE-ECDSA-CHACHA20-POLY1305", kind="ed25519", name="OpenSSL, Ed25519, ChaCha20"),
    openssl("ECDHE-ECDSA-AES256-SHA384", kind="ed448", name="OpenSSL, Ed448, CBC"),
    openssl("DHE-RSA-AES256-GCM-SHA384"),
    openssl("DHE-RSA-AES128-SHA256", client=("-no_etm",), name="OpenSSL, DHE-RSA-AES128-SHA256, MAC first"),
    openssl("DHE-RSA-AES256-SHA"),
    openssl("DHE-RSA-CHACHA20-POLY1305"),
    openssl("DHE-RSA-AES256-CCM"),
    openssl("PSK-AES128-GCM-SHA256", both=PSKS),
    openssl("ECDHE-PSK-CHACHA20-POLY1305", both=PSKS),
    openssl("DHE-PSK-AES256-CBC-SHA384", both=PSKS),
    openssl("RSA-PSK-AES128-CBC-SHA256", both=PSKS),
    openssl("ECDHE-RSA-AES128-GCM-SHA256", client=("-groups", "P-384", "-alpn", "h2,http/1.1"), both=(), name="OpenSSL, P-384, ALPN"),
    openssl("ECDHE-RSA-AES128-GCM-SHA256", client=("-maxfraglen", "512"), name="OpenSSL, max_fragment_length"),
    openssl("ECDHE-RSA-AES128-GCM-SHA256", "-max_send_frag", "512", name="OpenSSL, short records"),
    openssl("ECDHE-RSA-AES128-GCM-SHA256", "-Verify", "1", client=("CLIENT", "rsa"), name="OpenSSL, client certificate, RSA"),
    openssl("ECDHE-ECDSA-AES128-SHA256", "-Verify", "1", kind="p256", client=("CLIENT", "p384"), name="OpenSSL, client certificate, ECDSA"),
    openssl("ECDHE-RSA-AES128-GCM-SHA256", "-Verify", "1", "-verify_return_error", name="OpenSSL, no client certificate", completed=False),
    openssl("ECDHE-RSA-AES128-GCM-SHA256", client=("-verify_return_error", "-CAfile", "OTHER"), name="OpenSSL, a stranger", completed=False),
    Row("OpenSSL, no suite in common", ("openssl", "rsa", "-cipher", "AES128-SHA"), (("openssl", "-cipher", "AES256-SHA"),), False, False),
    Row("OpenSSL, no version in common", ("openssl", "rsa"), (("openssl", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),), completed=False),
    Row("OpenSSL, no application protocol in common", ("openssl", "rsa", "-alpn", "h2"), (("openssl", "-alpn", "other"),), completed=False),
    Row("OpenSSL, resumed by ticket", ("openssl", "rsa"), (("openssl", "-sess_out", "S"), ("openssl", "-sess_in", "S")), False),
    Row("OpenSSL, resumed by id", ("openssl", "rsa", "-no_ticket"), (("openssl", "-sess_out", "S"), ("openssl", "-sess_in", "S"))),
    Row("OpenSSL, the client renegotiates", ("openssl", "rsa", "-client_renegotiation"), (("renegotiating", "verify return:1"),), False),
    Row("OpenSSL, the server refuses to renegotiate", ("openssl", "rsa"), (("renegotiating", "no renegotiation"),)),
    gnutls("-KX-ALL:+RSA:-CIPHER-ALL:+AES-128-GCM", slow=False),
    gnutls("-KX-ALL:+RSA:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA256:+SHA1"),
    gnutls("-KX-ALL:+RSA:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA1:%NO_ETM"),
    gnutls("-KX-ALL:+DHE-RSA:-CIPHER-ALL:+AES-256-CCM"),
    gnutls("-KX-ALL:+DHE-RSA:-CIPHER-ALL:+AES-256-GCM:-GROUP-ALL:+GROUP-FFDHE3072"),
    gnutls("-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+CHACHA20-POLY1305"),
    gnutls("-KX-ALL:+ECDHE-ECDSA:-CIPHER-ALL:+AES-128-CCM", kind="p256"),
    gnutls("-KX-ALL:+ECDHE-ECDSA:-CIPHER-ALL:+AES-256-CBC:+SHA384", kind="p384"),
    gnutls("-KX-ALL:+ECDHE-RSA", "--require-client-cert", client=("CLIENT", "rsa")),
    Row("GnuTLS, resumed", ("gnutls", "rsa", "NORMAL:-VERS-ALL:+VERS-TLS1.2"), (("gnutls", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "-r"),)),
    Row("GnuTLS with OpenSSL", ("gnutls", "rsa", "NORMAL:-VERS-ALL:+VERS-TLS1.2"), (("quitting", "-cipher", "ECDHE-RSA-AES256-SHA"),)),
    Row("OpenSSL with GnuTLS", ("openssl", "rsa"), (("gnutls", "NORMAL:-VERS-ALL:+VERS-TLS1.2"),)),
    Row("OpenSSL with curl", ("openssl", "rsa", "-www"), (("curl",),)),
    Row("NSS with curl", ("nss", "p256"), (("curl",),)),
    Row("NSS with NSS", ("nss", "rsa"), (("nss", "-c", ":009D"),)),
    Row("NSS with OpenSSL", ("nss", "rsa"), (("http", "-cipher", "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA"),)),
    Row("OpenSSL with NSS", ("openssl", "rsa"), (("nss", "-c", ":009C"),)),
    Row("OpenSSL with Java", ("openssl", "rsa"), (("java", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),)),
    Row("Java with OpenSSL", ("java", "p256"), (("keyed", "-cipher", "ECDHE-ECDSA-AES256-SHA384"),)),
    Row("Java with Java", ("java", "rsa"), (("java", "TLS_RSA_WITH_AES_128_CBC_SHA256"),)),
)  # fmt: skip
assert len(ROWS) >= 40
NEEDS = {
    **dict.fromkeys(["openssl", "quitting", "keyed", "renegotiating", "http"], "openssl"),
    **{"gnutls": "gnutls-serv", "curl": "curl", "nss": "selfserv", "java": "javac"},
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"), "puretls captures")


@pytest.fixture(scope="module")
def other_root(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("others"), "puretls others").root


@pytest.fixture(scope="module")
def nss(certificates, tmp_path_factory):
    """NSS's store, with the CA and a certificate of each kind under its name."""
    folder = tmp_path_factory.mktemp("nss")
    name = f"sql:{folder}"
    run("certutil", "-N", "-d", name, "--empty-password")
    run("certutil", "-A", "-d", name, "-n", "root", "-t", "CT,C,C", "-i", certificates.root)
    for kind in ("rsa", "p256"):
        leaf, store = certificates.leaf(kind, f"{kind}.nss.test"), folder / f"{kind}.p12"
        run(
            "openssl",
            "pkcs12",
            "-export",
            "-in",
            leaf.chain,
            "-inkey",
            leaf.key,
            "-name",
            kind,
            "-out",
            store,
            "-passout",
            "pass:x",
        )
        run("pk12util", "-i", store, "-d", name, "-W", "x")
    return name


class Play:
    """A row played: its servers and clients run, its capture is in `file`, its secrets in `log`."""

    def __init__(self, row, certificates, other_root, nss, folder):
        self.row, self.certificates, self.other_root, self.nss, self.folder = row, certificates, other_root, nss, folder
        self.file, self.log = folder / "a.pcapng", folder / "keys.log"
        self.env = {"SSLKEYLOGFILE": str(self.log)}
        kind, *options = row.server
        server = getattr(self, f"serve_{kind}")(*options)
        self.port = server.port
        try:
            with Capturing(self.file, self.port):
                for client, *words in row.clients:
                    getattr(self, f"as_{client}")(*words)
        finally:
            server.kill()

    def serve_openssl(self, kind, *options):
        leaf = self.certificates.leaf(kind)
        mode = () if "-www" in options else ("-rev",)
        command = (
            "openssl",
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-tls1_2",
            *leaf.s_server,
            "-keylogfile",
            self.log,
            *mode,
            *options,
        )
        return Server(command, r"ACCEPT 127\.0\.0\.1:(\d+)")

    def serve_gnutls(self, kind, priority, *options):
        port = free_port()
        command = ("gnutls-serv", "--echo", f"--port={port}", f"--priority={priority}", *self.certificates.leaf(kind).gnutls)
        trust = (f"--x509cafile={self.certificates.root}",)
        server = Server((*command, *trust, *options), r"Echo Server listening on IPv4 \S+ port \d+\.\.\.done", env=self.env)
        server.port = port
        return server

    def serve_nss(self, kind):
        port = free_port()
        key = ("-n", "rsa") if kind == "rsa" else ("-e", "p256")
        command = ("selfserv", "-d", self.nss, *key, "-p", port, "-V", "tls1.2:tls1.2", "-v", "-H", "1")
        server = Server(command, r"About to call accept|listen", env=self.env)
        server.port = port
        return server

    def serve_java(self, kind):
        return Server(self.java("server", kind), r"listening on port (\d+)")

    def as_java(self, suite):
        run(*self.java("client", None), f"port={self.port}", f"suite={suite}")

    def java(self, role, kind):
        """The command that runs the peer in Java."""
        run("javac", "-d", self.folder, Path(peers.__file__).parent / "Peer.java")
        given = [f"ca={self.certificates.root}"]
        if kind is not None:
            leaf = self.certificates.leaf(kind)
            given += [f"chain={leaf.chain}", f"key={leaf.key}", f"algorithm={'RSA' if kind == 'rsa' else 'EC'}"]
        return ["java", "-cp", self.folder, "Peer", role, *given]

    def as_keyed(self, *options):
        """OpenSSL writes the key log, where the server does not; it closes when it has its answer."""
        self.as_quitting("-keylogfile", self.log, *options)

    def words(self, options, own):
        """Options with the names of files put in: `CLIENT kind` is a client's certificate."""
        options = list(options)
        if "CLIENT" in options:
            at = options.index("CLIENT")
            leaf = self.certificates.leaf(options[at + 1], "client.test")
            options[at : at + 2] = own(leaf)
        places = {"S": self.folder / "session", "OTHER": self.other_root}
        return [places.get(word, word) for word in options]

    def as_openssl(self, *options):
        words = self.words(options, lambda leaf: leaf.s_server)
        version = () if "-tls1_1" in words else ("-tls1_2",)
        s_client(self.port, "-servername", "server.test", *words, text=LINES, version=version)

    def as_http(self, *options):
        s_client(self.port, "-keylogfile", self.log, *options, text="GET / HTTP/1.0\r\n\r\n")

    def as_quitting(self, *options):
        """Closes by itself when it has its answer."""
        process = Process(("openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-tls1_2", *options))
        try:
            process.wait_for("Verify return code")
            process.tell("hello")
            process.wait_for("hello")
            process.tell("Q")
            process.wait_for("DONE")
        finally:
            process.kill()

    def as_renegotiating(self, then):
        """`R` renegotiates; `then` is what OpenSSL says next."""
        process = Process(("openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-tls1_2", "-servername", "server.test"))
        try:
            process.wait_for("Verify return code")
            process.tell("hello")
            start = process.wait_for("olleh").end()
            process.tell("R")
            process.wait_for(then, start)
            if then != "no renegotiation":
                process.tell("again")
                process.wait_for("niaga", start)
        finally:
            process.kill()

    def as_gnutls(self, priority, *options):
        words = self.words(options, lambda leaf: leaf.gnutls)
        gnutls_cli(
            self.port, priority, "--sni-hostname=server.test", f"--x509cafile={self.certificates.root}", "--insecure", *words
        )

    def as_curl(self):
        run(
            "curl",
            "-sk",
            "--tls-max",
            "1.2",
            "--http1.1",
            "--max-time",
            "10",
            f"https://localhost:{self.port}/",
            text="",
            env=self.env,
        )

    def as_nss(self, *options):
        where = ("-h", "127.0.0.1", "-p", self.port, "-a", "server.test", "-d", self.nss, "-V", "tls1.2:tls1.2", "-o")
        process = Process(("tstclnt", *where, *options))
        try:
            process.tell("GET / HTTP/1.0\r\n\r")
            process.wait_for(r"Server|TTEG|0\.1/PTTH")
        finally:
            process.kill()


@pytest.fixture(scope="module")
def played(certificates, other_root, nss_or_none, tmp_path_factory):
    if reason := why_not():
        pytest.skip(reason)
    return cache(lambda row: Play(row, certificates, other_root, nss_or_none(row), tmp_path_factory.mktemp("played")))


@pytest.fixture(scope="module")
def nss_or_none(request):
    """NSS's store where a row needs it."""

    def asked(row):
        kinds = {row.server[0], *(client[0] for client in row.clients)}
        for kind in kinds:
            if program(NEEDS[kind]) is None:
                pytest.skip(f"{NEEDS[kind]} is not installed")
        return request.getfixturevalue("nss") if "nss" in kinds else None

    return asked


rows = pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=[pytest.mark.slow] if row.slow else []) for row in ROWS]
)


def conversations(play):
    """Decoded with the key log; where neither peer writes one, with the server's RSA key, and what follows from it is the log."""
    capture = read_capture(play.file)
    assert not capture.notes
    if play.log.exists():
        return list(capture.conversations(Knowledge.of(play.log.read_text())))
    made = list(capture.conversations(Knowledge.of(rsa_keys=[play.certificates.leaf("rsa").issued.key])))
    known = [handshake for conversation in made for handshake in conversation.handshakes if handshake.found]
    play.log.write_text("".join(key_log_line(CLIENT_RANDOM, each.client_random, each.found.master) + "\n" for each in known))
    return made


@pytest.mark.slow
@rows
def test_every_byte_is_explained_and_tshark_agrees(row, played):
    play = played(row)
    seen = conversations(play)
    assert len(seen) >= len(row.clients)
    for stream, conversation in enumerate(seen):
        told = tshark(play.file, play.port, play.log, stream)
        covered(conversation)
        for side in SIDES:
            agree(told[side], conversation, side)
        assert (conversation.outcome.completed > 0) == row.completed
        if row.completed:
            assert all(record.plaintext is not None for record in conversation.records)
            assert not [message for message in conversation.messages if message.problem]


def covered(conversation):
    """Leaves lie end to end over every byte of both views of both sides."""
    for side in SIDES:
        position = 0
        for leaf in conversation.byte_map.wire(side):
            assert leaf.start == position
            position = leaf.end
        assert position == len(conversation.stream(side).data)
        position = 0
        for leaf in conversation.byte_map.plain(side):
            assert leaf.start == position
            position = leaf.end
        assert position == sum(record.inner for record in conversation.records if record.side == side)


def agree(told, conversation, side):
    """tshark and the conversation say the same of one direction."""
    records = [record for record in conversation.records if record.side == side]
    assert [(record.content_type, record.version, record.length - 5) for record in records] == told.records
    messages = [seen for seen in conversation.messages if seen.side == side]
    handshakes = [seen for seen in messages if seen.content_type == ContentType.HANDSHAKE]
    assert [int(seen.raw[0]) for seen in handshakes] == [
        int(dict(handshake)["tls.handshake.type"]) for handshake in told.handshakes
    ]
    assert [len(seen.raw) - 4 for seen in handshakes] == [
        int(dict(handshake)["tls.handshake.length"]) for handshake in told.handshakes
    ]
    for seen, handshake in zip(handshakes, told.handshakes, strict=True):
        assert isinstance(seen.message, HandshakeMessage)
        same_message(seen.message, handshake)
    alerts = [seen.message for seen in messages if isinstance(seen.message, Alert)]
    assert [(alert.level, alert.description) for alert in alerts] == told.alerts
    assert conversation.data(side) == told.data


def numbers(handshake, key):
    return [int(text, 0) for text in every(handshake, key)]


def same_message(message, handshake):
    if isinstance(message, ClientHello | ServerHello):
        version = message.client_version if isinstance(message, ClientHello) else message.server_version
        suites = message.cipher_suites if isinstance(message, ClientHello) else (message.cipher_suite,)
        assert numbers(handshake, "tls.handshake.version") == [version]
        assert [raw(text) for text in every(handshake, "tls.handshake.random")] == [message.random]
        assert numbers(handshake, "tls.handshake.ciphersuite") == list(suites)
        extensions = message.extensions or ()
        assert numbers(handshake, "tls.handshake.extension.type") == [extension.extension_type for extension in extensions]
        assert names_of(extensions) == every(handshake, "tls.handshake.extensions_server_name")
        assert numbers(handshake, "tls.handshake.extension.len") == [len(extension.extension_data) for extension in extensions]
    if isinstance(message, Certificate):
        found = every(handshake, "tls.handshake.certificate")
        assert tuple(map(raw, found)) == message.certificate_list
        trees = every(handshake, "tls.handshake.certificate_tree")
        for der, tree in zip(message.certificate_list, trees, strict=True):
            same_certificate(X509.parse(der), tree)


def names_of(extensions):
    lists = [
        each.extension_data for each in extensions if each.extension_type == ExtensionType.SERVER_NAME and each.extension_data
    ]
    return [entry.name.decode() for data in lists for entry in parse(ServerNameList, data).names]


def same_certificate(certificate, tree):
    (serial,) = every(tree, "x509af.serialNumber")
    assert int.from_bytes(raw(serial), "big") == certificate.serial_number
    times = [datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for text in every(tree, "x509af.utcTime")]
    assert [time.timestamp() for time in times] == [certificate.validity.not_before, certificate.validity.not_after]
    (key,) = every(tree, "x509af.subjectPublicKey")
    assert certificate.spki.endswith(raw(key))
    for which, name in (("x509af.issuer_tree", certificate.issuer), ("x509af.subject_tree", certificate.subject)):
        texts = [text for part in every(tree, which) for text in every(part, "x509sat.uTF8String")]
        assert all(text in str(name) for text in texts)
        assert texts


# The same captures, mistreated


def frames_of(file, port):
    with file.open("rb") as opened:
        found = [(packet.time, packet.data) for packet in CaptureFile(opened, "it")]
    return [(time, frame) for time, frame in found if struct.pack(">H", port) in frame[34:38]]


def fragmented(frame, number, rng):
    """An IPv4 datagram in two or three pieces."""
    header, payload = bytearray(frame[14:34]), frame[34:]
    size = 8 * rng.randint(3, 20)
    pieces = []
    for start in range(0, len(payload), size):
        part = payload[start : start + size]
        struct.pack_into(">HHH", header, 2, 20 + len(part), number, start // 8 | (start + size < len(payload)) << 13)
        pieces.append(frame[:14] + bytes(header) + part)
    return pieces


def pieces_of_all(frames, rng):
    return [(time, piece) for number, (time, frame) in enumerate(frames) for piece in fragmented(frame, number, rng)]


def repeated(frames, rng):
    return sorted(frames + rng.choices(frames, k=len(frames)))


def shuffled(frames, rng):
    """No packet is more than a dozen places from where it was."""
    return [frames[at] for at in sorted(range(len(frames)), key=lambda at: at + rng.uniform(0, 12))]


@rows
def test_a_capture_out_of_order_repeated_or_fragmented_tells_the_same(row, played):
    play, rng = played(row), random.Random(row.name)
    frames = frames_of(play.file, play.port)
    before = by_address(read_capture(play.file))
    for mistreat in (shuffled, repeated, pieces_of_all):
        capture = read_capture(made.pcap(mistreat(frames, rng), nanoseconds=True))
        assert not capture.notes
        for one, two in zip(before, by_address(capture), strict=True):
            assert (one.addresses, one.client.data, one.server.data) == (two.addresses, two.client.data, two.server.data)
            assert two.complete
            assert order(one.conversation()) == order(two.conversation())


def by_address(capture):
    return sorted(capture.connections, key=lambda connection: connection.addresses)


def order(conversation):
    return [(record.side, record.raw) for record in conversation.records]
