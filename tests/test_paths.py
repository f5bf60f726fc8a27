"""Paths are one language: the grammar, every span of every conversation, every place that an error names."""

import ast
import re
from collections import Counter
from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import puretls
from puretls.errors import PeerError, Reason, UsageError
from puretls.nearest import nearest
from puretls.paths import GRAMMAR, Path, enclosing, parse_path
from puretls.spans import Span
from puretls.trace import Layer
from tests.support.conversations import flows, mapped, resumptions
from tests.support.credentials import credential
from tests.support.pair import no_security, pair, server_config
from tests.support.places import NO_BYTE_AT_FAULT, check_place

FULL = {"client": {"trace_level": "full"}, "server": {"trace_level": "full"}}
PATHS = (
    "client.ClientHello.extensions[3].server_name.names[0].length",
    "client.ClientHello#2.random",
    "server.Certificate.certificate_list[0].tbs_certificate.validity.not_after",
    "server.record[4].nonce",
    "record[0].length",
    "Finished",
    "ServerKeyExchange.params.dh_p",
)


@pytest.mark.parametrize("text", PATHS)
def test_path_comes_back_as_it_was_written(text):
    assert str(parse_path(text)) == text


def test_parts_of_a_path():
    assert parse_path("client.ClientHello#2.extensions[3].server_name") == Path(
        "ClientHello", 2, ("extensions[3]", "server_name"), "client"
    )
    assert parse_path("record[4].tag") == Path("record", 4, ("tag",))


@pytest.mark.parametrize(
    "text",
    ["", "client", "hello", "record", "record[]", "record[01]", "ClientHello#0", "ClientHello[0]", "ClientHello.Random", "ClientHello.",
     "ClientHello..random", "peer.ClientHello", "record#1.type", "ClientHello.random\n", "ClientHello.cipher_suites[-1]", "Client-Hello"],
)  # fmt: skip
def test_what_is_no_path_is_refused(text):
    with pytest.raises(UsageError, match="is no path"):
        parse_path(text)


@settings(max_examples=25)
@given(st.from_regex(GRAMMAR, fullmatch=True))
def test_any_path_comes_back(text):
    assert str(parse_path(text)) == re.sub(r"#1(?!\d)", "", text)


def test_path_one_level_up():
    steps, path = [], "A.b[3].c"
    while path:
        steps.append(path)
        path = enclosing(path)
    assert steps == ["A.b[3].c", "A.b[3]", "A.b", "A"]


SPANS = [
    Span(0, 1, "A.msg_type"), Span(1, 4, "A.length"), Span(4, 5, "A.list.length"), Span(5, 6, "A.list[0].x"), Span(6, 7, "A.list[0].y"),
    Span(7, 8, "A.empty.length"), Span(8, 10, "A.extensions[0].extension_data.length"), Span(10, 10, "A.extensions[0].name.x", fault=True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("A.list[0].y", "A.list[0].y"),
        ("A.list[0]", "A.list[0].x"),
        ("A.list", "A.list[0].x"),
        ("A", "A.msg_type"),
        ("A.empty", "A.empty.length"),
        ("A.empty[0]", "A.empty.length"),
        ("A.list[1].x", "A.list.length"),
        ("A.missing.length", "A.length"),
        ("A.extensions[0].name.x", "A.extensions[0].extension_data.length"),
        ("B", "A.msg_type"),
    ],
)
def test_error_is_placed_at_the_span_that_its_path_is_about(path, found):
    assert nearest(SPANS, path).path == found
    assert nearest([], path) is None


# Everything that conversations show


def check_spans(end):
    for entry in end.connection.trace:
        spans = entry.spans()
        for span in spans:
            found = parse_path(span.path)
            assert str(found) == span.path
            assert not found.side
            if entry.layer is Layer.RECORD:
                assert (found.thing, found.number) == ("record", entry.number)
            else:
                assert found.thing == ("ApplicationData" if entry.content_type == 23 else entry.name)
                assert found.number == 1
        twice = [path for path, count in Counter(span.path for span in spans if not span.fault).items() if count > 1]
        assert not twice, "a path is an address"


@pytest.mark.parametrize(
    "conversation", [*mapped(), *flows(no_security), *resumptions(no_security)], ids=lambda conversation: conversation.name
)
def test_every_span_of_a_conversation_keeps_to_the_grammar(conversation):
    joined = conversation.make(**FULL).handshake()
    joined.exchange()
    joined.client.connection.close()
    joined.run()
    for end in joined.ends():
        assert len(end.connection.trace) > 8
        check_spans(end)


def test_certificates_are_explained_inside_by_the_names_of_rfc_5280():
    joined = pair().handshake()
    entry = next(entry for entry in joined.client.connection.trace.messages() if entry.name == "Certificate")
    der = credential().chain[0]
    spans = {span.path: span for span in entry.spans()}
    start = spans["Certificate.certificate_list[0].certificate.tag"].start
    assert entry.raw[start : start + len(der)] == der
    for field in ("tbs_certificate.validity.not_after", "tbs_certificate.subject_public_key_info.algorithm.algorithm", "signature_value"):
        assert f"Certificate.certificate_list[0].{field}" in spans
    assert spans["Certificate.certificate_list[0].length"].value == len(der)


# Errors


def test_no_error_counts_its_offset_by_hand():
    """Offsets come from the byte map: `PeerError.place` is told where."""
    for file in sorted(File(puretls.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "PeerError":
                assert "offset" not in {keyword.arg for keyword in node.keywords}, f"{file}:{node.lineno}"


def test_every_error_in_the_core_names_a_field_unless_no_byte_is_at_fault():
    free = {reason.name for reason in NO_BYTE_AT_FAULT}
    own = {"EMS_REQUIRED", "TLS_1_2_NOT_SUPPORTED", "EXTENSION_NOT_IN_SERVER_HELLO", "ETM_WITHOUT_CBC"}  # of an extension as a whole
    core = File(puretls.__file__).parent
    for file in [*core.glob("*.py"), *(core / "handshake").glob("*.py"), *(core / "record").glob("*.py"), *(core / "extensions").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "PeerError":
                text = ast.unparse(node)
                named = "path" in {keyword.arg for keyword in node.keywords}
                assert named or any(f"Reason.{name}" in text for name in free | own), f"{file}:{node.lineno}: {text}"


@pytest.mark.parametrize("level", ["off", "handshake", "full"])
def test_place_does_not_depend_on_the_trace(level):
    refused = pair({}, {"trace_level": level, "suites": server_config().suites[:1]}, name=None)
    refused.client.connection.start()
    hello = bytearray(refused.client.take())
    hello[9] = 2
    refused.server.feed(bytes(hello))
    error = refused.server.error
    assert isinstance(error, PeerError)
    assert (error.path, error.offset) == ("ClientHello.client_version", 4)


def test_verdict_names_the_field_of_the_certificate():
    """The chain is judged two messages after it came."""
    joined = pair({"verifier": None, "trace_level": "full"}).handshake()
    error = joined.client.error
    assert error.reason is Reason.VERIFICATION_FAILED
    assert error.path.startswith("Certificate.certificate_list[")
    check_place(joined.client)


def test_nothing_is_annotated_while_nothing_is_wrong(monkeypatch):
    import puretls.connection.blame
    import puretls.connection.transfer

    def never(*_):
        raise AssertionError("the good path annotates nothing")

    for module, name in ((puretls.connection.blame, "annotate_content"), (puretls.connection.blame, "deepened"), (puretls.connection.transfer, "annotate_record")):
        monkeypatch.setattr(module, name, never)
    joined = pair().handshake()
    joined.exchange(b"x" * 40000, b"y" * 40000)
    assert joined.connected
