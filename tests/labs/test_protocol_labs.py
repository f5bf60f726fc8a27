"""The labs about the protocol: their peers work when nobody attacks, and the twin refuses each attack by the rule that the lab is about."""

import contextlib
import inspect
import re
import sys
import textwrap
from dataclasses import replace

import pytest

from puretls.config import ServerConfig
from puretls.connection import Connection
from puretls.der import oids, writer
from puretls.errors import PeerError, Reason, UsageError, VerificationError
from puretls.extensions import ExtendedMasterSecret
from puretls.handshake.states import ServerState
from puretls.handshake.table import SERVER
from puretls.intercept import Interceptor
from puretls.labs import grading, lab, stage
from puretls.labs.ends import End, Keys, NotSent, endings, relay
from puretls.labs.stage import SHORTEST, Seeded, suite
from puretls.labs.triple_handshake import MALLORY, RSA
from puretls.messages.records import ChangeCipherSpec
from puretls.x509 import drafts
from puretls.x509.verifier import ChainRequest

pytestmark = pytest.mark.rfc("5246", "7.3")
BOTH = pytest.mark.parametrize("fixed", [False, True], ids=["weak", "fixed"])


def peer(number, fixed, seed=1):
    return lab.load(number).peer(seed, fixed)


@BOTH
def test_nobody_attacks_triple_handshake(fixed):
    """Alice visits the site twice, the second time by resumption, and whoever visits the bank without a certificate gets nothing done."""
    made = peer(9, fixed)
    for _ in range(2):
        alice, site = made.alice(), End("site", Connection.server(_site(fixed)))
        relay(alice, site)
        assert not endings((alice, site))
    assert made.orders == []


def _site(fixed):
    return ServerConfig(
        suites=(suite(RSA),),
        credentials=(stage.credential("rsa2048", MALLORY),),
        extensions=(ExtendedMasterSecret(enabled=fixed),),
        clock=lambda: stage.CLOCK,
    )


@BOTH
def test_nobody_attacks_skipped_messages(fixed):
    """A client gets its whole handshake, and one with a proper certificate its greeting."""
    made = peer(10, fixed)
    assert made.visit(Interceptor()) == b"Welcome, mallory: there is nothing for you"
    assert not endings(made.ends)


@pytest.mark.parametrize("number", [11, 12])
@BOTH
def test_nobody_attacks_from_the_middle(number, fixed):
    made = peer(number, fixed)
    relay(made.client, made.server)
    assert not endings((made.client, made.server))
    assert b"Cookie: session=" in made.server.received
    assert made.client.received.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("number", [13, 14])
@BOTH
def test_nobody_attacks_the_visitor(number, fixed):
    """The bank's own certificate is good for both."""
    made = peer(number, fixed)
    own = stage.credential()
    assert b"password=" in made.visit(own.chain, own.key)


def _errors_of_the_twin(number):
    made = peer(number, fixed=True)
    found = lab.load(number)
    with contextlib.suppress(NotSent):
        assert not found.check(made, found.reference(made)).passed
    ends = getattr(made, "ends", None) or getattr(made, "_visits", None) or [made.client, made.server]
    return [end.error for end in ends if isinstance(end.error, PeerError)]


REFUSED = {
    9: {(Reason.BAD_RECORD_MAC, "WAIT_FINISHED")},  # the master secrets differ, so the relayed Finished does not open
    10: {(Reason.UNEXPECTED_MESSAGE, "WAIT_KEY_EXCHANGE"), (Reason.UNEXPECTED_MESSAGE, "WAIT_CERTIFICATE_VERIFY")},
    11: {(Reason.UNEXPECTED_MESSAGE, "WAIT_CERTIFICATE")},
    12: {(Reason.RENEGOTIATION_INFO_MISMATCH, "CONNECTED")},
}


@pytest.mark.parametrize("number", REFUSED)
def test_the_twin_refuses_by_the_rule(number):
    assert {(error.reason, error.state) for error in _errors_of_the_twin(number)} == REFUSED[number]


@pytest.mark.parametrize(
    ("number", "rules"), [(13, {"not-a-ca", "path-length", "key-cert-sign"}), (14, {"wrong-host"})], ids=["13", "14"]
)
def test_the_twin_refuses_the_certificate_by_the_rule(number, rules):
    (error,) = _errors_of_the_twin(number)
    assert isinstance(error, VerificationError)
    assert {finding.rule.id for finding in error.report.findings} == rules


def test_a_weak_server_is_weak_in_its_one_row_alone():
    """Whoever came through the rows of a weak peer leaves every other connection with the library's table (RFC 5246 7.3)."""
    lab.attempt(lab.load(11), lab.load(11).reference, 1, fixed=False)
    assert not any(row.state is ServerState.WAIT_CLIENT_KEY_EXCHANGE and row.input is ChangeCipherSpec for row in SERVER)
    made = peer(11, fixed=True)
    made.server.give(*made.client.take(1))
    made.server.give(bytes.fromhex("14 0303 0001 01"))
    assert made.server.error.reason is Reason.UNEXPECTED_MESSAGE


def test_an_end_tells_what_it_sends_instead():
    seeded = Seeded("ends", 1)
    client, server = End("the client", seeded.client()), End("the server", seeded.server())
    server.give(*client.take(1))
    with pytest.raises(NotSent, match=r"^the server sends 4 records, not 3$"):
        server.take(3)
    client.give(b"no TLS at all")
    with pytest.raises(NotSent, match=r"^the client sends 1 record, not 3, and ended with: "):
        client.take(3)
    client.give(b"more")  # to an end that is over nothing matters
    assert client.take() == []


def test_keys_open_what_an_end_seals_and_nothing_else():
    """RFC 5246 6.3: both randoms and the master secret, and the number of the record."""
    master, randoms = bytes(48), (b"c" * 32, b"s" * 32)
    ours, theirs = (Keys(suite(SHORTEST), master, *randoms) for _ in range(2))
    record = ours.client.seal(23, b"data")
    assert theirs.server.open(record) is None
    assert theirs.client.open(record) == b"data"
    assert theirs.client.open(record) is None
    theirs.client.sequence = 0
    assert theirs.client.open(record) == b"data"
    assert Keys(suite(SHORTEST), master, *randoms[::-1]).client.open(record) is None


def _premaster(peer, value):
    peer.client(bytes(32)).premaster = value


MISTAKES = [
    (1, lambda peer: peer.send_heartbeat("text"), "message: bytes are wanted, not str"),
    (2, lambda peer: peer.ask(5), "encrypted: bytes are wanted, not 5"),
    (2, lambda peer: peer.ask(bytes(2**16)), "encrypted: 65,535 bytes are the most, not 65,536"),
    (3, lambda peer: peer.deliver(b""), "one record is wanted, in bytes, with its header of 5; not these 0 bytes"),
    (4, lambda peer: peer.deliver([]), "one record is wanted, in bytes, with its header of 5; not list"),
    (4, lambda peer: peer.request("a", "b"), "body: bytes are wanted, not str"),
    (4, lambda peer: peer.request(b"a"), "path: a text is wanted, not bytes"),
    (5, lambda peer: peer.request(None), "path: a text is wanted, not None"),
    (6, lambda peer: peer.forward(None), "hello: bytes are wanted, not None"),
    (7, lambda peer: peer.deliver("text"), "flight: bytes are wanted, not str"),
    (8, lambda peer: peer.listen("9"), "count: a number of records is wanted, not str"),
    (9, lambda peer: peer.client(b"x"), "client_random: 32 bytes are wanted, not 1 byte"),
    (9, lambda peer: peer.server(b"x", b""), "server_random: 32 bytes are wanted, not 1 byte"),
    (9, lambda peer: peer.server(bytes(32), bytes(33)), "session_id: 32 bytes are the most"),
    (9, lambda peer: _premaster(peer, b"short"), "premaster: 48 bytes are wanted, not 5 bytes"),
    (9, lambda peer: peer.decrypt(b""), "one record is wanted, in bytes, with its header of 5; not these 0 bytes"),
    (9, lambda peer: peer.decrypt(peer.alice().take()[0]), "this record holds no ClientKeyExchange"),
    (9, lambda peer: peer.keys(bytes(48), bytes(32), bytes(32)), "randoms_of_the_master are a pair"),
    (10, lambda peer: peer.verify_data("", b"", b""), "master: bytes are wanted, not str"),
    (10, lambda peer: peer.visit(None), "an object of a subclass of Interceptor"),
    (11, lambda peer: peer.keys(b"", bytes(32), bytes(31)), "the server's random: 32 bytes are wanted, not 31 bytes"),
    (11, lambda peer: peer.keys(b"", bytes(32), bytes(32)).client.open(peer.client.take()), "one record is wanted"),
    (11, lambda peer: peer.keys(b"", bytes(32), bytes(32)).client.seal(22, "text"), "data: bytes are wanted, not str"),
    (11, lambda peer: peer.client.give("text"), "bytes are wanted here, not str"),
    (12, lambda peer: peer.mine.send(b"x"), "the handshake is not complete"),
    (12, lambda peer: peer.mine.seal(b"x"), "one record is wanted"),
    (13, lambda peer: peer.visit((), peer.mine.key), "a credential needs a certificate"),
    (13, lambda peer: peer.visit(5, peer.mine.key), "a tuple of certificates"),
    (13, lambda peer: peer.visit(peer.issue("a.example", peer.mine).chain, peer.mine.key), "the private key does not belong"),
    (13, lambda peer: peer.issue("\ud800", peer.mine), "name: a text is wanted"),
    (13, lambda peer: peer.issue("a.example", None), "an issuer is a certificate with its key"),
    (14, lambda peer: peer.order(None), "a name is text of ASCII"),
]
"""What a learner may hand over, and the line that says what is wanted."""


@pytest.mark.parametrize(("number", "call", "line"), MISTAKES, ids=[f"{number}-{line[:40]}" for number, _, line in MISTAKES])
def test_a_mistake_of_the_learner_is_a_line_that_says_what_is_wanted(number, call, line):
    with pytest.raises((UsageError, grading.Failed), match=re.escape(line)):
        call(peer(number, fixed=False))


def test_a_nul_in_subject_alt_name_is_malformed():
    """Where the lab has it in commonName, which does not count: RFC 5280 4.2.1.6."""
    leaf = stage.authority().issue(["mallory.example"])
    name = drafts.extension(oids.SUBJECT_ALT_NAME, writer.sequence(writer.implicit(2, b"bank.example\0.mallory.example")))
    others = tuple(each for each in leaf.draft.extensions if oids.SUBJECT_ALT_NAME not in each)
    made = stage.authority().issued(replace(leaf.draft, extensions=(*others, name)), leaf.key)
    report = stage.verifier()(ChainRequest(made.chain, "server", stage.NAME, stage.CLOCK))
    assert not report.accepted
    assert report.findings[0].rule.id == "malformed"


def test_the_authority_reads_the_whole_name():
    made = peer(14, fixed=False)
    for name in ("bank.example", "mallory.example.bank.example", "xmallory.example", "mallory.example\0.bank.example"):
        with pytest.raises(grading.Failed, match="does not belong"):
            made.order(name)
    assert made.order("mallory.example").leaf.subject


NUMBERS = range(9, 15)
BEHIND = {10: ("Impostor",), 12: ("inject",)}
"""What else a reference attack is made of."""


@pytest.mark.parametrize("number", NUMBERS)
def test_the_text_offers_what_the_attack_needs(number, tmp_path):
    """The reference attack is short, and as a file behind what the text begins with it passes: it imports nothing that the text does not."""
    found = lab.load(number)
    module = sys.modules[found.reference.__module__]
    parts = [textwrap.dedent(inspect.getsource(getattr(module, name))) for name in (*BEHIND.get(number, ()), "attack")]
    lines = [line for part in parts for line in part.splitlines() if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(lines) <= 30
    (beginning,) = re.findall(r"```python\n(.*?)```", lab.page(found), re.S)
    file = tmp_path / "attack.py"
    file.write_text("from __future__ import annotations\nfrom dataclasses import replace\n" + beginning + "\n".join(parts))
    assert grading.here(file, lab.grade, number, 1).passed
