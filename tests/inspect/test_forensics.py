"""Why a handshake failed: the bytes at fault, the state, what was expected, what to try. Against puretls, OpenSSL, and what is no TLS."""

import importlib.util
import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.config import ClientConfig
from puretls.connection import Connection
from puretls.errors import PeerError, UsageError
from puretls.extensions import Alpn, ExtendedMasterSecret
from puretls.iana import ExtensionType, NamedGroup
from puretls.inspect import Chunk, Conversation, Knowledge, Stream
from puretls.inspect.forensics import ALERT, ENDED, REFUSED, examine
from puretls.inspect.hints import TESTS
from puretls.inspect.reenact import refusal
from puretls.inspect.texts.text import table
from puretls.messages.handshake import ClientHello, HandshakeMessage, ServerHello
from puretls.messages.records import Record
from puretls.messages.registry import serialise_handshake
from puretls.paths import parse_path
from puretls.wire.schema import serialise
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.verifier import chain_verifier
from tests.support.breaks import Break, add_extension, body, drop, extension, fields
from tests.support.credentials import NOW, authority, credential, issued
from tests.support.mutations import mutated
from tests.support.pair import PSK, End, fields_for, pair, real, suite_named
from tests.support.recorded import every_reference, streams

# In the table of refusals: the range that is named holds the byte that was changed

TABLES = ("rows_records", "rows_handshake", "rows_key_exchange", "rows_extensions", "rows_renegotiation")
OBSERVERS = ("the end that refused", "an observer")
"""With the error of who took part, and with nothing but the bytes and a key log."""
SHARE = 0.95
"""Of rows where the range holds the byte."""


def rows():
    """The table of refusals, made anew: a row breaks its rule once."""
    found = []
    for name in TABLES:
        path = Path(__file__).parents[1] / "conformance" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"anew_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.ROWS
    return found


class Watch:
    """What interceptors made of what, and who sent what in which order."""

    def __init__(self, patched) -> None:
        self.changes, self.turns = [], []
        passing, taking = Break._pass, End.take

        def seen(interceptor, tap, value, where):
            made = passing(interceptor, tap, value, where)
            if len(made) != 1 or made[0] is not value:
                self.changes.append((tap, value, made))
            return made

        def taken(end):
            out = taking(end)
            if out:
                self.turns.append((end, out))
            return out

        patched.setattr(Break, "_pass", seen)
        patched.setattr(End, "take", taken)

    def conversation(self, joined, key_log, provider) -> Conversation:
        sides = {id(joined.client): "client", id(joined.server): "server"}
        turns = [(sides[id(end)], out) for end, out in self.turns if id(end) in sides]
        return Conversation(*streams(turns), Knowledge.of("\n".join(key_log)), provider=provider)


def changed(before, after):
    """Ranges of `after` that are not as in `before`; where bytes were taken out, their neighbours."""
    for kind, _, _, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "delete":
            yield max(start - 1, 0), start + 1
        elif kind != "equal":
            yield start, end


def raw_of(value):
    return (
        serialise_handshake(value)
        if isinstance(value, HandshakeMessage)
        else value
        if isinstance(value, bytes)
        else serialise(value)
    )


def altered(conversation, side, changes, wire):
    """Views and ranges of what interceptors changed; "gone" where something was taken out as a whole."""
    for tap, before, made in changes:
        if not made:
            yield "gone", 0, 0
        elif tap in {"message", "handshake"}:
            yield from _altered_messages(conversation, side, raw_of(before), [raw_of(one) for one in made])
        elif tap == "plaintext":
            yield from _altered_records(conversation, side, before, made, wire)
        else:
            yield from _altered_bytes(before, made, wire)


def _altered_messages(conversation, side, before, made):
    seen = [message for message in conversation.messages if message.side == side]
    for raw in made:
        if raw == before and made.count(raw) == 1:
            continue
        parts = list(changed(before, raw)) if len(made) == 1 else [(0, len(raw))]
        for message in [one for one in seen if one.raw == raw][raw == before :]:
            for start, end in parts:
                if start >= 4 or end <= 1 or len(made) > 1 or end > 4:  # the length of the message follows, and tells nothing
                    yield "plaintext", message.plain_start + start, message.plain_start + max(end, start + 1)


def _altered_records(conversation, side, before, made, wire):
    for record in made:
        if not isinstance(record, Record) or record == before:
            continue
        for seen in (one for one in conversation.records if one.side == side and one.plaintext == record.fragment):
            yield "wire", seen.start, seen.start + 5
            for start, end in changed(before.fragment, record.fragment) if len(made) == 1 else [(0, len(record.fragment))]:
                yield "plaintext", seen.plain_start + start, seen.plain_start + end
        at = wire.find(record.fragment) if record.fragment else -1
        if at >= 0:
            yield "wire", at - 5, at + len(record.fragment)


def _altered_bytes(before, made, wire):
    for raw in made:
        at = wire.find(raw)
        if raw == before and made.count(raw) > 1:
            at = wire.find(raw, at + 1)
        if at >= 0 and (raw != before or len(made) > 1):
            for start, end in changed(before, raw) if len(made) == 1 else [(0, len(raw))]:
                yield "wire", at + start, at + max(end, start + 1)


GIVEN_WRONG = ("public", "dh_yc", "dh_ys", "dh_p", "dh_g")
"""What an end sends wrong because its groups make it so: nothing is changed on the way."""


def verdict(row, who):
    """ "holds", "misses", or why a row cannot tell."""
    keys = []
    with pytest.MonkeyPatch.context() as patched:
        watch = Watch(patched)
        joined = replace(row, client=row.client | {"key_log": keys.append}).run()
    refusing, other = (joined.client, joined.server) if row.refuses == "client" else (joined.server, joined.client)
    if not isinstance(refusing.error, PeerError):
        return "no byte is at fault"
    conversation = watch.conversation(joined, keys, refusing.connection.config.provider)
    side = other.connection.role.value
    if who == "an observer":
        finding = next((one for one in examine(conversation) if one.by == row.refuses), None)
        if finding is None:
            return "misses"
    else:
        finding = examine(conversation, refusing.error, row.refuses)[0]
        assert (finding.kind, finding.by, finding.side, finding.state) == (REFUSED, row.refuses, side, refusing.error.state)
        assert finding.alert == row.alert
    check_finding(conversation, finding)
    if not watch.changes:
        field = finding.path.rpartition(".")[2]
        return "holds" if field in GIVEN_WRONG else "not broken by a change of bytes"
    places = list(altered(conversation, side, watch.changes, bytes(other.sent)))
    return "holds" if any(_holds(conversation, finding, place) for place in places) else "misses"


def _holds(conversation, finding, place):
    view, start, end = place
    if view == "gone":  # what comes in its place, which is refused as a whole
        return parse_path(finding.path).fields == ()
    named = getattr(finding, view)
    return named is not None and named[0] < end and start < named[1]


def check_finding(conversation, finding):
    """What it says is there: path, ranges that are those of the path, sentence, advice."""
    assert finding.sentence
    assert "\n" not in str(finding)
    assert finding.rfc
    assert all(label and text for label, text in finding.lines())
    if finding.path:
        assert str(parse_path(finding.path)) == finding.path
        assert finding.path.startswith(f"{finding.side}.")
        assert finding.wire or finding.plaintext
    for named, size in ((finding.wire, conversation.stream(finding.side).length if finding.side else 0),
                        (finding.plaintext, len(conversation.byte_map.plain_bytes(finding.side)) if finding.side else 0)):  # fmt: skip
        assert named is None or 0 <= named[0] < named[1] <= size


@pytest.mark.parametrize("who", OBSERVERS)
@pytest.mark.parametrize("every", [24, pytest.param(1, marks=pytest.mark.slow)])
def test_range_named_holds_the_byte_that_was_changed(every, who):
    """In at least 95 of 100 rows of the table of refusals; rows whose rule is broken by a configuration alone cannot tell."""
    verdicts = {row.name: verdict(row, who) for row in rows()[every - 1 :: every]}
    counts = Counter(verdicts.values())
    assert len(verdicts) >= 800 // every
    assert counts["not broken by a change of bytes"] + counts["no byte is at fault"] < 5 + 10 // every, counts
    share = counts["holds"] / (counts["holds"] + counts["misses"])
    assert share >= SHARE, (counts, [name for name, told in verdicts.items() if told == "misses"])


# What happens in real life


def told(findings):
    return [(finding.kind, finding.by, finding.alert) for finding in findings]


def played(client, server, name="server.test", began=NOW, act=None, **options):
    """The conversation of a pair, from outside: no error of either end, no order but that of its bytes; and the findings."""
    keys = []
    with pytest.MonkeyPatch.context() as patched:
        watch = Watch(patched)
        joined = pair({"key_log": keys.append} | client, server, name=name, **options).handshake()
        if act:
            act(joined)
    conversation = watch.conversation(joined, keys, joined.client.connection.config.provider)
    conversation = Conversation(
        conversation.client, conversation.server, conversation.knowledge, began=int(began * 1e9), provider=conversation.provider
    )
    findings = examine(conversation)
    for finding in findings:
        check_finding(conversation, finding)
    return conversation, findings


def trusting(anchors, **options):
    return {"verifier": chain_verifier(anchors, provider=real(), **options), "provider": real()}


ECDSA_ONLY = {"suites": (suite_named("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),)}
RSA_SERVER = {"credentials": (credential("rsa2048"),)}


def test_no_suite_in_common():
    _, (finding,) = played(ECDSA_ONLY, RSA_SERVER)
    assert told([finding]) == [(ALERT, "server", "handshake_failure")]
    assert finding.path == "client.ClientHello.cipher_suites"
    assert finding.state == "START"
    assert "ClientHello" in finding.expected
    assert any("suites with RSA as well" in each for each in finding.tries)


def test_no_server_name():
    _, (finding,) = played(ECDSA_ONLY, RSA_SERVER, name=None)
    assert "no server_name" in finding.tries[0]
    assert finding.path == "client.ClientHello.extensions"


def test_server_does_not_know_the_name():
    conversation, (finding,) = played({}, {"refuse_unknown_names": True}, name="stranger.test")
    assert told([finding]) == [(ALERT, "server", "unrecognized_name")]
    assert finding.path.endswith("server_name.names[0].name")
    assert conversation.client.data[finding.wire[0] : finding.wire[1]] == b"stranger.test"
    assert "stranger.test" in finding.tries[0]


@pytest.mark.parametrize(
    ("client", "server", "path", "words"),
    [
        ({"interceptors": (extension(ClientHello, ExtensionType.EXTENDED_MASTER_SECRET, lambda raw: None),)}, {"extensions": (ExtendedMasterSecret(required=True),)},
         "client.ClientHello.extensions", "extended_master_secret"),
        ({"interceptors": (extension(ClientHello, ExtensionType.SIGNATURE_ALGORITHMS, lambda raw: None),)}, {}, "client.ClientHello.extensions", "SHA-1 alone"),
        ({"interceptors": (fields(ClientHello, cipher_suites=(0x1301, 0x00FF)),)}, {}, "client.ClientHello.cipher_suites", "suite of TLS 1.2"),
        ({"groups": (NamedGroup.SECP521R1,)} | ECDSA_ONLY, {"groups": (NamedGroup.SECP256R1,)}, "supported_groups", "secp256r1 is missing"),
    ],
    ids=["extended master secret", "signature algorithms", "suites", "groups"],
)  # fmt: skip
def test_what_a_hello_lacks_is_named_before_what_it_may_lack(client, server, path, words):
    _, (finding,) = played(client, server)
    assert told([finding]) == [(ALERT, "server", "handshake_failure")]
    assert path in finding.path
    assert words in finding.tries[0]


def test_client_that_offers_newer_versions_alone():
    change = add_extension(ClientHello, ExtensionType.SUPPORTED_VERSIONS, b"\x02\x03\x04")
    _, (finding,) = played({"interceptors": (change,)}, {}, name=None)
    assert finding.alert == "protocol_version"
    assert "supported_versions" in finding.path
    assert "TLS 1.3 alone" in finding.tries[0]


def test_record_that_opens_under_the_keys_of_its_sender_was_not_changed():
    """What one end cannot read though the other's keys open it tells of different keys: the key exchange is at fault."""
    client, server = fields_for(suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"))
    wrong = {"psk": lambda hint: (b"somebody", b"another key")}
    _, findings = played(client | wrong | {"provider": real()}, server | {"provider": real()})
    assert findings[-1].path == "client.ClientKeyExchange"


def test_nothing_is_refused_of_what_both_ends_renegotiated():
    again = [one for one in every_reference() if len(one.handshakes) > 1]
    assert again
    for conversation in again:
        assert [refusal(conversation, side) for side in ("client", "server")] == [None, None]


def stranger_root():
    from puretls import danger
    from puretls.ca import DevelopmentCa

    return DevelopmentCa.create(danger.fixed_random(b"stranger"), NOW, organization="somebody else").root.certificate


def test_unknown_authority():
    _, (finding,) = played(trusting([stranger_root()]), {"provider": real()})
    assert told([finding]) == [(ALERT, "client", "unknown_ca")]
    assert finding.path == "server.Certificate.certificate_list"
    assert any("puretls development CA" in each for each in finding.tries)


def test_missing_intermediate():
    alone = replace(credential(), chain=credential().chain[:1])
    _, (finding,) = played(trusting([authority().root.certificate]), {"provider": real(), "credentials": (alone,)})
    assert finding.alert == "unknown_ca"
    assert "intermediate" in finding.tries[0]


def test_expired_certificate(root, capsys):
    later = NOW + 3e9
    conversation, (finding,) = played(
        trusting([authority().root.certificate]) | {"clock": lambda: later}, {"provider": real()}, began=later
    )
    assert told([finding]) == [(ALERT, "client", "certificate_expired")]
    assert finding.path == "server.Certificate.certificate_list[0].tbs_certificate.validity.not_after"
    assert b"Z" in conversation.server.data[finding.wire[0] : finding.wire[1]]
    assert "expired on" in finding.tries[0]
    page = (root / "puretls" / "manual" / "inspect-forensics.md").read_text("utf-8")
    program, printed = (re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1] for language in ("python", "text"))
    exec(compile(program, "inspect-forensics.md", "exec"), {"conversation": conversation})
    assert capsys.readouterr().out.split() == printed.split()


def test_wrong_name():
    _, (finding,) = played(trusting([authority().root.certificate]), {"provider": real()}, name="other.test")
    assert told([finding]) == [(ALERT, "client", "bad_certificate")]
    assert finding.path.endswith(".subject_alt_name")
    assert "server.test" in finding.tries[0]
    assert "other.test" in finding.tries[0]


def test_client_certificate_is_required():
    names = (Certificate.read(authority().root.certificate).subject.raw,)
    _, (finding,) = played({}, {"client_authentication": "require", "certificate_authorities": names})
    assert told([finding]) == [(ALERT, "server", "handshake_failure")]
    assert finding.path == "client.Certificate.certificate_list"
    assert "Give the client a certificate" in finding.tries[0]
    assert "It names" in finding.tries[0]
    assert "puretls development CA" in finding.tries[0]


def test_wrong_pre_shared_key():
    client, server = fields_for(suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"))
    wrong = {"psk": lambda hint: (b"somebody", bytes(reversed(PSK)) + b"x")}
    _, findings = played(client | wrong | {"provider": real()}, server | {"provider": real()})
    assert told(findings)[-1] == (ALERT, "server", "bad_record_mac")
    assert "identity 'somebody'" in findings[-1].tries[0]


def test_no_application_protocol():
    _, (finding,) = played({"extensions": (Alpn("h2"),)}, {"extensions": (Alpn("http/1.1"),)})
    assert "The client offers h2" in finding.tries[0]
    assert finding.path.endswith("application_layer_protocol_negotiation")


def test_what_a_peer_wrote_is_safe_to_show():
    _, (finding,) = played({"extensions": (Alpn("h2\x1b[31m\n{path}"),)}, {"extensions": (Alpn("http/1.1"),)})
    for _, text in finding.lines():
        assert text.isprintable()
    assert "{path}" in finding.tries[0]


def test_message_that_does_not_parse():
    """The refusal tells more than the alert that answers it: there is one finding of both."""
    _, (finding,) = played({}, {"interceptors": (body(2, lambda raw: raw[:-1]),)})
    assert told([finding]) == [(REFUSED, "client", "decode_error")]
    assert finding.path == "server.ServerHello.extensions"
    assert finding.state == "WAIT_SERVER_HELLO"
    assert finding.expected[0] == "ServerHello"


def test_what_the_client_refused_is_found_without_its_error():
    """A client that was offered the same hello is given the same answer, and refuses it for the same reason."""
    change = extension(ServerHello, ExtensionType.RENEGOTIATION_INFO, lambda raw: b"\x01x")
    conversation, (finding,) = played({}, {"interceptors": (change,)})
    assert told([finding]) == [(REFUSED, "client", "handshake_failure")]
    assert finding.state == "WAIT_SERVER_HELLO"
    assert "renegotiation_info" in finding.path
    assert b"\x01x" in conversation.server.data[finding.wire[0] - 1 : finding.wire[1]]


def test_wrong_signature_of_the_server_is_found_by_an_observer():
    change = Break("handshake", lambda raw, where: raw[0] == 12, lambda raw: raw[:-1] + bytes((raw[-1] ^ 1,)))
    client, server = fields_for(suite_named("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"))
    _, (finding,) = played(client | {"provider": real()}, server | {"provider": real(), "interceptors": (change,)})
    assert told([finding]) == [(REFUSED, "client", "decrypt_error")]
    assert finding.path == "server.ServerKeyExchange"
    assert "private key" in finding.tries[-1]


def test_what_both_ends_accepted_is_refused_by_nobody():
    for conversation in every_reference():
        assert refusal(conversation, "client") is None
        assert refusal(conversation, "server") is None


def test_message_that_is_missing():
    _, (finding,) = played({}, {"interceptors": (drop(ServerHello),)})
    assert told([finding]) == [(REFUSED, "client", "unexpected_message")]
    assert finding.path == "server.Certificate"


def test_record_changed_on_the_way():
    def act(joined):
        joined.client.connection.send(b"hello")
        record = bytearray(joined.client.take())
        record[-1] ^= 1
        joined.server.feed(bytes(record))
        joined.server.take()

    client, server = fields_for(suite_named("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"))
    keys = []
    with pytest.MonkeyPatch.context() as patched:
        watch = Watch(patched)
        joined = pair(client | {"key_log": keys.append, "provider": real()}, server | {"provider": real()}).handshake()
        act(joined)
    conversation = watch.conversation(joined, keys, real())
    error = joined.server.error
    for findings in (examine(conversation, error, "server"), examine(conversation)):
        assert findings[0].alert == "bad_record_mac"
        assert findings[0].path.startswith("client.record[")
        assert any("changed, dropped or repeated" in each for each in findings[0].tries)


HTTP = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "words"),
    [(HTTP, "speaks HTTP without TLS"), (b"220 mail.test ESMTP\r\n", "SMTP or FTP"), (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH")],
)
def test_server_that_does_not_speak_tls(answer, words):
    hello = every_reference()[0].client.data[:150]
    conversation = Conversation(Stream.of(hello), Stream.of(answer))
    (finding,) = examine(conversation)
    check_finding(conversation, finding)
    assert told([finding]) == [(REFUSED, "client", "unexpected_message")]
    assert finding.wire == (0, len(answer))
    assert words in finding.tries[0]


def test_client_that_speaks_http():
    conversation = Conversation(Stream.of(b"GET / HTTP/1.1\r\nHost: server.test\r\n\r\n"), Stream.of(b""))
    (finding,) = examine(conversation)
    assert "without TLS" in finding.tries[0]
    assert (finding.by, finding.side) == ("server", "client")


def cut_off(conversation, messages, end="reset", side="server"):
    """The conversation as it would be had it ended after so many messages, by this side."""
    kept = conversation.messages[:messages]
    streams_ = {}
    for who in ("client", "server"):
        last = [message for message in kept if message.side == who]
        number = last[-1].records[-1] if last else -1
        length = sum(record.length for record in conversation.records if record.side == who and record.number <= number)
        chunks = (Chunk(0, conversation.stream(who).data[:length]),) if length else ()
        streams_[who] = Stream(chunks, end=end if who == side else "open")
    return Conversation(streams_["client"], streams_["server"], provider=conversation.provider)


@pytest.mark.parametrize(
    ("messages", "end", "side", "words", "hint"),
    [
        (1, "reset", "server", "asked for a ServerHello", "Nothing came back for the ClientHello"),
        (1, "fin", "server", "asked for a ServerHello", "TLS 1.3 only"),
        (1, "open", "server", "asked for a ServerHello", "Nothing came back"),
        (5, "reset", "client", "asked for the client's key exchange", "The client left after it had seen the certificate"),
        (5, "open", "client", "asked for the client's key exchange", "The client left"),
        (7, "reset", "server", "ClientKeyExchange", "its log should say why"),
    ],
)
def test_end_without_an_alert_tells_what_was_asked_for(messages, end, side, words, hint):
    conversation = cut_off(every_reference()[4], messages, end, side)
    (finding,) = examine(conversation)
    check_finding(conversation, finding)
    assert told([finding]) == [(ENDED, side, "")]
    assert words in finding.sentence
    assert finding.expected
    assert any(hint in each for each in finding.tries), finding.tries


def test_nothing_is_found_where_nothing_is_wrong():
    for conversation in every_reference():
        if conversation.outcome.kind == "closed":
            assert examine(conversation) == ()
            unknown = Conversation(conversation.client, conversation.server, provider=real())
            assert examine(unknown) == ()


def test_the_end_that_the_error_is_of_must_be_named():
    with pytest.raises(UsageError, match="which end"):
        examine(every_reference()[0], PeerError.__new__(PeerError), "me")


@pytest.mark.parametrize("seed", range(80))
def test_whatever_is_wrong_with_the_bytes_findings_are_sound(seed):
    story, conversation = mutated(every_reference()[seed % 24], seed)
    for finding in examine(conversation):
        check_finding(conversation, finding)
        assert finding.tries or finding.kind == ENDED, story


@settings(max_examples=40)
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_can_be_examined(up, down):
    conversation = Conversation(Stream.of(up), Stream.of(down))
    for finding in examine(conversation):
        check_finding(conversation, finding)


def test_every_hint_has_a_text_and_every_text_a_test():
    assert TESTS.keys() == table("hints").keys()


# OpenSSL as the server that refuses


def against_openssl(setup, **client):
    """A client of ours and a server of OpenSSL's; what passed, with the error that ended the client."""
    ssl = pytest.importorskip("ssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    setup(ssl, context)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(into, out, server_side=True)
    name = client.pop("name", "server.test")
    end = End(
        Connection.client(
            ClientConfig(**{"verifier": chain_verifier([authority().root.certificate], provider=real())} | client), name
        )
    )
    turns = []
    end.connection.start()
    for _ in range(4):
        turns.append(("client", end.take()))
        into.write(turns[-1][1])
        with suppress(ssl.SSLError):
            server.do_handshake()
        turns.append(("server", out.read()))
        end.feed(turns[-1][1])
    conversation = Conversation(*streams(turns), began=int(NOW * 1e9))
    findings = examine(conversation)
    for finding in findings:
        check_finding(conversation, finding)
    return findings, end


def with_certificate(kind, folder):
    leaf = issued(kind)
    (folder / "chain.pem").write_text(leaf.chain_pem)
    (folder / "key.pem").write_text(leaf.key_pem)
    return lambda context: context.load_cert_chain(folder / "chain.pem", folder / "key.pem")


@pytest.mark.interop
def test_openssl_with_tls_1_3_only(tmp_path):
    def setup(ssl, context):
        with_certificate("secp256r1", tmp_path)(context)
        context.minimum_version = ssl.TLSVersion.TLSv1_3

    (finding,), _ = against_openssl(setup)
    assert told([finding]) == [(ALERT, "server", "protocol_version")]
    assert any("TLS 1.3 only" in each for each in finding.tries)


@pytest.mark.interop
def test_openssl_with_another_kind_of_key(tmp_path):
    (finding,), _ = against_openssl(lambda _, context: with_certificate("rsa2048", tmp_path)(context), **ECDSA_ONLY)
    assert told([finding]) == [(ALERT, "server", "handshake_failure")]
    assert any("suites with RSA as well" in each for each in finding.tries)


@pytest.mark.interop
def test_openssl_that_wants_a_client_certificate(tmp_path):
    def setup(ssl, context):
        with_certificate("secp256r1", tmp_path)(context)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        (tmp_path / "ca.pem").write_text(authority().root_pem)
        context.load_verify_locations(tmp_path / "ca.pem")

    (finding,), _ = against_openssl(setup, clock=lambda: NOW)
    assert (finding.kind, finding.by) == (ALERT, "server")
    assert finding.path == "client.Certificate.certificate_list"
    assert "Give the client a certificate" in finding.tries[0]
