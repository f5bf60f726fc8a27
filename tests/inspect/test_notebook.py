"""What a notebook shows of a value: small, escaped, without bytes of secrets."""

from html.parser import HTMLParser

import pytest

from puretls.inspect import Conversation, Knowledge, Stream
from puretls.inspect.compare import Comparison, compared
from puretls.inspect.render import notebook
from puretls.x509.certificates.certificate import Certificate
from tests.inspect.test_edits import run, unedited
from tests.inspect.test_page import EVIL, hostile
from tests.support.credentials import credential
from tests.support.pair import real
from tests.support.recorded import every_reference, recorded, streams

MOST = 200_000


class Read(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.told = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.told.append(data)

    @property
    def text(self):
        return "".join(self.told)


def values(conversation):
    yield conversation
    yield conversation.ledger
    yield from conversation.records
    yield from conversation.messages


@pytest.mark.slow
def test_every_value_of_a_conversation_shows_itself_in_less_than_200_kb():
    for conversation in every_reference():
        for value in values(conversation):
            text = value._repr_html_()
            assert len(text.encode()) < MOST
            assert Read(text).text


def test_a_message_shows_all_its_bytes_with_their_fields():
    conversation = every_reference()[0]
    hello = conversation.messages[0]
    read = Read(hello._repr_html_())
    assert hello.raw.hex(" ") in read.text
    for words in (
        "client.ClientHello",
        "the client opens the conversation",
        "cipher_suites[0]",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "RFC 5246 7.4.1.2",
    ):
        assert words in read.text
    record = Read(conversation.records[0]._repr_html_())
    assert "in the clear" in record.text
    assert conversation.records[0].raw[:5].hex(" ") in record.text


def test_a_certificate_shows_its_words_and_its_bytes():
    certificate = credential("secp256r1").chain[0]
    certificate = certificate if isinstance(certificate, Certificate) else Certificate.parse(certificate)
    text = certificate._repr_html_()
    read = Read(text)
    assert len(text) < MOST
    assert "server.test" in read.text
    assert "tbs_certificate.validity.not_after" in read.text
    assert certificate.raw[:64].hex(" ") in read.text.replace("\n", " ")


def test_no_view_shows_bytes_of_a_secret():
    for conversation in every_reference():
        secrets = [node.value for node in conversation.ledger.nodes if node.secret and node.value]
        shown = "".join(Read(value._repr_html_()).text for value in (conversation, conversation.ledger))
        for secret in secrets:
            if len(secret) > 4:  # four bytes come together by chance
                assert secret.hex(" ") not in shown
        assert "Secret(" not in shown


def test_names_that_are_markup_stay_text():
    conversation = hostile()
    certificates = [seen for seen in conversation.messages if seen.name == "Certificate"]
    for value in (*values(conversation), Certificate.read(bytes(certificates[0].message.certificate_list[0]))):
        read = Read(value._repr_html_())
        assert {tag for tag, _ in read.tags} <= {
            "div",
            "h4",
            "p",
            "b",
            "a",
            "span",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "code",
            "pre",
            "details",
            "summary",
        }
        assert all(attributes.get("id") != "evil" for _, attributes in read.tags)
    assert EVIL.decode() in Read(conversation.messages[0]._repr_html_()).text


def test_long_things_say_what_they_leave_out():
    turns, log = recorded("ECDHE, RSA, GCM")
    many = [*turns[0], *(("server", b"\x17\x03\x03\x40\x00" + bytes(2**14)) for _ in range(300))]
    conversation = Conversation(*streams(many), Knowledge.of(log), provider=real())
    assert "more rows, not shown here" in conversation._repr_html_() or len(conversation.messages) < notebook.MOST_ROWS
    text = conversation.records[-1]._repr_html_()
    assert "more bytes, not shown here" in text
    assert len(text) < MOST
    clear = Conversation(Stream.of(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + bytes(2**14 - 4)), Stream.of(b""))
    assert len(clear.messages[0]._repr_html_()) < MOST


def test_two_runs_show_themselves_side_by_side():
    before, after = unedited(), run("client.ClientHello.cipher_suites[0]", "set", "0x0000", "all")
    both = Comparison(before, after)
    assert "The first byte that differs" in Read(both._repr_html_()).text
    assert str(both).splitlines() == compared(before, after)
    assert str(Comparison(before, before)).startswith("Both runs are the same")


def test_what_has_no_view_says_so():
    with pytest.raises(TypeError, match="no view of int"):
        notebook.html(1)
