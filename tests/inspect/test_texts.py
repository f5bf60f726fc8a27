"""Explanations: every field has one, each is used, each names its section, and whatever has a name is found by it."""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import puretls
from puretls.ca import DevelopmentCa
from puretls.der.tags import TAG_NAMES
from puretls.errors import Reason
from puretls.handshake.states import ClientState, ServerState
from puretls.iana import (
    AlertDescription,
    AlertLevel,
    CertificateStatusType,
    CipherSuiteId,
    ClientCertificateType,
    CompressionMethod,
    ContentType,
    ECCurveType,
    ECPointFormat,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from puretls.inspect import texts
from puretls.inspect.deeper import opaque_spans
from puretls.inspect.flights import neighbours
from puretls.inspect.texts import explain_path, find, near
from puretls.inspect.texts.paths import entries, key_of
from puretls.inspect.texts.text import table
from puretls.inspect.texts.things import member
from puretls.messages.extension import BODIES
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec, RecordHeader
from puretls.paths import enclosing
from puretls.suites import BY_ID, SUITES
from puretls.testing.strategies import all_structs, strategy_for
from puretls.wire.schema import annotate, serialise
from puretls.x509.certificates.explain import annotated
from puretls.x509.keys import spki_bytes
from puretls.x509.pem import read_pem
from puretls.x509.reports.rules import RULES
from puretls.x509.show import KINDS
from tests.support.credentials import issued
from tests.support.mutations import mutated
from tests.support.recorded import every_reference
from tests.x509.test_certificate import rich
from tools.rfc_coverage import SECTIONS


def fields_of(conversation):
    """Path and value of every leaf, on the wire and decrypted."""
    return {
        leaf.path: leaf.value
        for side in ("client", "server")
        for view in ("wire", "plaintext")
        for leaf in conversation.byte_map.leaves(side, view)
    }


@cache
def spoken():
    """Path and value of every field of the 24 reference conversations."""
    return {re.sub(r"\[\d+\]", "[0]", path): value for made in every_reference() for path, value in fields_of(made).items()}


def silent(fields):
    """Paths without an explanation, or with one that says too little."""
    told = {path: explain_path(path, value) for path, value in fields.items()}
    return [path for path, text in told.items() if text is None or not (text.meaning and text.why and "RFC " in text.rfc)]


def test_every_field_of_the_reference_conversations_has_an_explanation():
    assert len(spoken()) > 400
    assert silent(spoken()) == []


@pytest.mark.parametrize("seed", range(60))
def test_every_field_of_a_conversation_with_faults_has_an_explanation(seed):
    story, conversation = mutated(every_reference()[seed % 24], seed)
    assert silent(fields_of(conversation)) == [], story


def rarer():
    """Fields of messages, extensions and files that the reference conversations do not have."""
    registered = set(ExtensionType)  # other tests make extensions of their own
    bodies = {body: f"ClientHello.extensions[0].{ExtensionType(of).name.lower()}" for (_, of), body in BODIES.items() if of in registered}
    records = {RecordHeader: "record[0]", ChangeCipherSpec: "", Alert: "", ApplicationData: ""}
    for name in ("CertificateRequest", "CertificateVerify"):
        yield from ((span.path, span.value) for span in opaque_spans(b"\x0d\0\0\1x", name))  # of another version of TLS
    for struct in all_structs():
        if not issubclass(struct, HandshakeMessage) and struct not in bodies | records:
            continue
        name = bodies.get(struct) or records.get(struct) or struct.path_name
        for value in _examples(struct):
            yield from ((span.path, span.value) for span in annotate(struct, serialise(value), path=name) if not span.fault)


@cache
def _examples(struct, count=12):
    found = []

    @settings(max_examples=count, database=None)
    @given(strategy_for(struct))
    def collect(value):
        found.append(value)

    collect()
    return tuple(found)


@cache
def files():
    """Path and value of every field in files of each kind."""
    authority = DevelopmentCa.create(os.urandom, time.time())
    leaf = authority.issue(["leaf.test"])
    blobs = {
        "certificate": [rich().der, leaf.certificate],
        "CRL": [authority.crl([leaf.certificate], reason=1)],
        "OCSP response": [authority.ocsp_response(leaf.certificate), authority.ocsp_response(leaf.certificate, "revoked")],
    }
    return {
        re.sub(r"^Certificate\.(tag|length)$", r"Certificate.certificate_list[0].certificate.\1", span.path): span.value
        for kind in KINDS
        for blob in blobs.get(kind.name, ())
        for span in annotated(blob, kind.parse, kind.rfc)
    }


OF_LABS = (".heartbeat.", ".rsa_modulus", ".rsa_exponent")
"""What labs add to the messages while they are loaded, and explain in their texts."""


def test_every_field_of_rarer_messages_has_an_explanation():
    fields = {path: value for path, value in rarer() if not any(part in path for part in OF_LABS)}
    assert len(fields) > 60
    assert silent(fields) == []


def test_every_field_of_certificates_lists_and_responses_has_an_explanation():
    assert len(files()) > 200
    assert silent(files()) == []


@pytest.mark.parametrize("kind", ["secp256r1", "rsa2048", "ed25519"])
def test_every_field_of_key_files_has_an_explanation(kind):
    key = issued(kind)
    (block,) = read_pem(key.key_pem)
    fields: dict = {}
    for name, der in (("private key", block.data), ("public key", spki_bytes(key.key.public))):
        kind_of_file = next(one for one in KINDS if one.name == name)

        def parse(data, sink, made=kind_of_file):
            return made.parse(data, None, sink=sink) if made.secret else made.parse(data, sink)

        fields |= {span.path: None for span in annotated(der, parse, kind_of_file.rfc)}
    assert len(fields) > 20
    assert silent(fields) == []


@pytest.mark.interop
@pytest.mark.parametrize("options", [(), ("-legacy",)], ids=["usual", "legacy"])
def test_every_field_of_a_pkcs12_file_has_an_explanation(options, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    leaf = issued("rsa2048")
    (tmp_path / "chain.pem").write_text(leaf.chain_pem)
    (tmp_path / "key.pem").write_text(leaf.key_pem)
    command = ["openssl", "pkcs12", "-export", *options, "-in", "chain.pem", "-inkey", "key.pem", "-passout", "pass:pw", "-name", "x"]
    done = subprocess.run([*command, "-out", "made.p12"], cwd=tmp_path, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this OpenSSL does not write such files: {done.stderr[:80]!r}")
    kind = next(one for one in KINDS if one.name == "PKCS#12")
    spans = annotated((tmp_path / "made.p12").read_bytes(), lambda data, sink: kind.parse(data, "pw", sink=sink), kind.rfc)
    assert len(spans) > 60
    assert silent({span.path: None for span in spans}) == []


@pytest.mark.slow
def test_every_explanation_of_a_path_is_used():
    """By a field that is met above, by a member of the registry of extensions, or by a reader that has a name for it."""
    used = set()
    for path in [*spoken(), *dict(rarer()), *files()]:
        above = path
        while above:
            used.add(key_of(above))
            above = enclosing(above)
    words = words_of_the_readers() | {f"{kind.name.lower()}" for kind in ExtensionType}
    unused = [key for key in entries() if key not in used and re.split(r"\W+", key.rstrip("[*]"))[-1] not in words]
    assert not unused


@cache
def words_of_the_readers():
    """All that stands in quotes in the package, and all names of classes."""
    found = set()
    for file in File(puretls.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update((node.value, re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", node.value).lower()))
            elif isinstance(node, ast.ClassDef):
                found.add(node.name)
    return found


REGISTRIES = (
    AlertDescription, AlertLevel, CertificateStatusType, CipherSuiteId, ClientCertificateType, CompressionMethod, ContentType,
    ECCurveType, ECPointFormat, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme,
)  # fmt: skip
NOT_IN_USE = {"reserved", "gost_sign256", "gost_sign512"}


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.__name__)
def test_every_member_of_a_registry_has_an_explanation(registry):
    for one in registry:
        name = one.name.lower()
        if registry is not AlertDescription and any(name.endswith(end) for end in NOT_IN_USE):
            continue
        text = member(one)
        assert text is not None, one
        assert text.meaning, one
        assert "RFC " in text.rfc, one


def test_every_explanation_of_a_value_is_of_a_member():
    classes = {re.sub("_", "", kind).lower(): kind for kind in table("values")}
    for registry in REGISTRIES:
        kind = classes.pop(registry.__name__.lower(), None)
        assert kind is None or set(table("values")[kind]) <= set(registry.__members__)
    assert list(classes.values()) == ["der_tag"]
    assert {tag for tag in table("values")["der_tag"] if tag != "[*]"} <= set(TAG_NAMES.values())
    assert table("alerts").keys() == {one.name.lower() for one in AlertDescription}
    assert table("reasons").keys() == {one.name for one in Reason}


@pytest.mark.parametrize("name", ["groups", "signatures"])
def test_every_family_has_members(name):
    registry = NamedGroup if name == "groups" else SignatureScheme
    reached = {
        id(next(row for pattern, row in table(name).items() if fnmatchcase(one.name.lower(), pattern))) for one in registry
    }
    assert reached == {id(row) for row in table(name).values()}


def test_every_family_of_suites_that_are_not_here_has_members():
    rows = table("suites")["foreign"]
    foreign = [one.name for one in CipherSuiteId if int(one) not in BY_ID]
    reached = {next(pattern for pattern in rows if fnmatchcase(name, pattern)) for name in foreign}
    assert reached >= rows.keys() - {"*"}


def test_every_part_of_a_suite_is_used():
    rows = table("suites")
    parts = {("key_exchange", one.kx.name) for one in SUITES} | {("authentication", one.auth.value) for one in SUITES}
    parts |= {("cipher", one.bulk.name) for one in SUITES} | {("prf", one.prf_hash) for one in SUITES}
    parts |= {("mac", one.mac) for one in SUITES if one.mac}
    assert parts == {(kind, name) for kind in rows if kind != "foreign" for name in rows[kind]}


# Sections

SOURCE = re.compile(r"(RFC \d{4}|X\.690|X\.680|BR|NIST SP 800-\w+) ([A-Z]|\d+)(\.\d+)*(\.[A-Z])?( \([a-z]\)(\(\d\))?)?( to \d+)?")
BESIDE = {
    "5246": "4 5 6 6.2 7.4.7.1 7.4.7.2 B.4 F.1.1 F.1.1.1 6.1 6.3",
    "5746": "3 3.3",
    "6066": "5 6 7 9",
    "6962": "3.2",
    "7301": "6",
    "8446": "4.2.2 4.2.4 4.2.5 4.2.6 4.2.7 4.2.8 4.2.9 4.2.10 4.2.11 6.2 B.4",
    "4279": "1",
    "6655": "3",
    "8422": "2.1 5.9 6",
    "7919": "A.1 A.2 A.3 A.4 A.5",
    "7627": "6.3",
    "5489": "3.1 3.2",
}
"""Sections that explain, and have no rule that a peer could break."""


def all_texts():
    yield from (entry.text for entry in entries().values())
    yield from map(texts.reason, Reason)
    yield from filter(None, (member(one) for registry in REGISTRIES for one in registry))
    yield from filter(None, map(texts.certificate_rule, RULES))
    yield from (texts.state(one) for states in (ClientState, ServerState) for one in states)


def test_sections_are_named_in_one_form_and_exist():
    """Of the RFCs whose rules are tested, each section is one that the list of the coverage has, or one beside it."""
    for text in all_texts():
        for part in re.split("[;,] ", text.rfc):
            number, _, section = part.removeprefix("RFC ").partition(" ")
            if part.startswith("RFC ") and number in SECTIONS:
                assert section in f"{SECTIONS[number]} {BESIDE.get(number, '')}".split(), (part, text)


def test_sections_of_the_files_keep_to_one_form():
    written = [text for text in all_texts() if text.kind != "certificate rule"]
    for text in written:
        for part in text.rfc.split("; "):
            assert SOURCE.fullmatch(part), (part, text.meaning)


def test_explanations_are_sentences():
    """They begin with a capital or a name and end with a full stop; no line breaks, no two spaces."""
    for text in all_texts():
        for sentence in filter(None, (text.meaning, text.why, text.mend)):
            assert sentence.endswith("."), sentence
            assert "  " not in sentence
            assert "\n" not in sentence
            assert len(sentence) < 700, sentence


# Lookup


def test_path_may_have_side_number_and_indices():
    texts_ = {explain_path(path) for path in ("ClientHello.random", "client.ClientHello.random", "client.ClientHello#2.random")}
    assert len(texts_) == 1
    assert None not in texts_
    assert explain_path("server.record[12].tag").name == "record[*].tag"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ClientHello.length", "this message"),
        ("ClientHello.cipher_suites.length", "The cipher suites that the client supports"),
        ("Certificate.certificate_list[0].length", "One certificate in DER"),
        ("Certificate.certificate_list[0].tbs_certificate.length", "DER length"),
        ("Certificate.certificate_list[2].tbs_certificate.validity.not_after.tag", "Last second of validity"),
        ("Certificate.certificate_list[0].tbs_certificate.version.explicit.tag", "Version of the format"),
        ("ServerHello.extensions[1].server_name", "the name of the server"),
    ],
)
def test_tag_or_length_is_explained_with_what_it_stands_in_front_of(path, words):
    assert words in explain_path(path).meaning


def test_value_is_explained_with_its_field():
    text = explain_path("ServerHello.cipher_suite", CipherSuiteId.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
    assert "0xc02f, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" in text.meaning
    assert "RFC 5288 3" in text.rfc
    assert "SEQUENCE" in explain_path("Certificate.certificate_list[0].certificate.tag", "SEQUENCE").meaning
    assert explain_path("ClientHello.random", b"x" * 32) == explain_path("ClientHello.random")


@pytest.mark.parametrize("path", ["", "Nothing", "ClientHello.nothing", "record[0].nothing", "hello", "client", "Nothing.length"])
def test_unknown_path_has_no_explanation(path):
    assert explain_path(path) is None


@given(st.text(max_size=30))
def test_any_text_may_be_asked_for(text):
    assert isinstance(find(text), list)
    assert isinstance(near(text), list)
    explain_path(text)


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("handshake_failure", {"alert handshake_failure"}),
        ("0xC02F", {"cipher suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}),
        ("0xc0,0x2f", {"cipher suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}),
        ("ECDHE-RSA-AES128-GCM-SHA256", {"cipher suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}),
        ("TLS_AES_128_GCM_SHA256", {"cipher suite TLS_AES_128_GCM_SHA256"}),
        ("server_name", {"extension server_name"}),
        ("35", {"extension session_ticket", "group gc256b"}),
        ("P-256", {"group secp256r1"}),
        ("x25519", {"group x25519"}),
        ("RSA-PSS+SHA256", {"signature scheme rsa_pss_rsae_sha256"}),
        ("expired", {"certificate rule expired"}),
        ("bad_record_mac", {"alert bad_record_mac", "reason BAD_RECORD_MAC"}),
        ("WAIT_CCS", {"client state WAIT_CCS", "server state WAIT_CCS"}),
        ("ServerHello", {"message ServerHello"}),
        ("server.record[3].tag", {"path server.record[3].tag"}),
        ("not_after", set()),
    ],
)
def test_things_are_found_by_their_names(name, titles):
    assert {text.title for text in find(name)} == titles


def test_whatever_has_a_name_is_found_by_it():
    for text in all_texts():
        if text.kind and text.kind != "path" and text.kind.replace(" ", "_") not in table("values"):
            assert text.title in {found.title for found in find(text.name)}, text
    for suite in SUITES:
        assert find(suite.openssl_name) == find(suite.name)
        assert find(suite.name)[0] in find(f"0x{suite.id:04x}")


def test_state_tells_what_may_come():
    assert dict(texts.state(ServerState.WAIT_FINISHED).facts)["may come"] == "Finished"
    assert dict(texts.state(ClientState.WAIT_SERVER_HELLO).facts)["leads to"].startswith("WAIT_CERTIFICATE")


def test_message_tells_who_sends_it():
    facts = dict(texts.message("Finished").facts)
    assert facts["handshake type"] == "20"
    assert facts.keys() == {"handshake type", "from the client", "client's flight", "from the server", "server's flight"}


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize(
    ("name", "client", "server"),
    [
        ("ClientHello", "the only message", None),
        ("ServerHello", None, "first; before Certificate, ServerKeyExchange, ServerHelloDone, NewSessionTicket or ChangeCipherSpec"),
        ("Certificate", "first; before ClientKeyExchange",
         "after ServerHello; before CertificateStatus, ServerKeyExchange, ServerHelloDone or CertificateRequest"),
        ("CertificateVerify", "after ClientKeyExchange; before ChangeCipherSpec", None),
        ("ChangeCipherSpec", "after ClientKeyExchange or CertificateVerify, or first; before Finished",
         "after ServerHello or NewSessionTicket, or first; before Finished"),
        ("Finished", "after ChangeCipherSpec; last", "after ChangeCipherSpec; last"),
        ("HelloRequest", None, None),
    ],
)  # fmt: skip
def test_message_tells_what_stands_beside_it_in_its_flight(name, client, server):
    facts = dict(texts.message(name).facts)
    assert (facts.get("client's flight"), facts.get("server's flight")) == (client, server)


def test_flights_of_all_conversations_are_as_the_texts_tell():
    """Who stands beside whom in what OpenSSL and puretls said, against what `explain` says."""
    for conversation in every_reference():
        said = [seen for seen in conversation.messages if seen.content_type in {20, 22} and seen.name not in {"HelloRequest", "Unknown"}]
        for index, seen in enumerate(said):
            told = neighbours(seen.side, seen.name)
            before, after = said[index - 1] if index else None, said[index + 1] if index + 1 < len(said) else None
            alone = before is None or before.side != seen.side or before.name == "Finished"
            assert told.first if alone else before.name in told.before, (conversation.name, seen.path)
            ends = after is None or after.side != seen.side or seen.name == "Finished"
            assert told.last if ends else after.name in told.after, (conversation.name, seen.path)


def test_nothing_is_read_before_it_is_asked_for():
    code = (
        "import sys, puretls; assert not any(name.startswith('puretls.inspect') for name in sys.modules), 'inspect is loaded'\n"
        "import puretls.inspect.texts as texts; assert 'tomllib' in sys.modules; from puretls.inspect.texts.text import table\n"
        "assert table.cache_info().currsize == 0; texts.find('x25519'); assert table.cache_info().currsize > 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
