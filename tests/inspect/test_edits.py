"""Edits: what stands on the wire is what was asked for, and the peer answers as the table of refusals says; what cannot be done is told."""

import itertools
import random
import re
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.connection import Connection
from puretls.errors import UsageError
from puretls.handshake.effects import Send
from puretls.inspect import deeper
from puretls.inspect.edit import EVERYTHING, OPERATIONS, REPAIRS, Edit, changes, edited, encoded, locate, parse_repair
from puretls.inspect.editor import Editor
from puretls.inspect.peer import MemoryPeer
from puretls.inspect.player import Stage, replay
from puretls.inspect.tape import Step, Tape
from puretls.intercept import Direction, Interceptor
from puretls.messages.records import Alert
from puretls.messages.registry import annotate_content, parse_handshake
from tests.conformance.test_refusals import ROWS
from tests.inspect.test_tapes import FOLDER, TAPES, small
from tests.support.credentials import credential
from tests.support.pair import Pair, client_config, server_config

NAMED = {(row.refuses, row.alert) for row in ROWS}
"""Who refuses, and with which alert: what the table of refusals has rows for."""
QUESTION, ANSWER = b"from the client", b"from the server"
STEPS = (Step("start"), Step("carry"), Step("send", "client", QUESTION), Step("send", "server", ANSWER), Step("carry"),
         Step("close", "client"), Step("carry"))  # fmt: skip
MUTUAL, MAC_FIRST, RSA_PSK, ENCRYPT_FIRST = 20, 10, 17, 2


@lru_cache
def tape(number=MUTUAL):
    """A reference tape with a short conversation on it; the one with client certificates unless told otherwise."""
    loaded = Tape.load(FOLDER / TAPES[number])
    return replace(loaded, connections=(replace(loaded.connections[0], steps=STEPS),))


@lru_cache
def unedited(number=MUTUAL):
    return replay(tape(number))


def run(path, operation="set", value="", repair="all", number=MUTUAL):
    return replay(replace(tape(number), edits=(Edit(path, operation, value, parse_repair(repair)),)))


def outcome_of(made):
    """The one edit's."""
    return made.outcomes[0]


def failure(made):
    """Who gave up, and why."""
    return next((f"{side} failed: {told.detail}" for side, told in made.connections[0].failures), "")


def spans_of(seen):
    return [
        span
        for span in deeper.spans_of(seen.content_type, seen.raw, seen.key_exchange)
        if span.start < span.end
    ]


def path_of(seen, span):
    return f"{seen.side}.{span.path if seen.nth == 1 else span.path.replace(seen.name, f'{seen.name}#{seen.nth}', 1)}"


@lru_cache
def leaves(number=MUTUAL):
    """(path, message, span) for all leaves of all messages, of a conversation as it is without edits."""
    found = [(path_of(seen, span), seen, span) for seen in unedited(number).conversation().messages for span in spans_of(seen)]
    assert len({path for path, _, _ in found}) == len(found)
    return found


# Leaf by leaf


def check_wire(made, seen, span, new):
    """The message is what it was, but for this field, and nothing before it has changed (RFC 5246 6.2.1).

    Looked for in what was sent: in the clear in the stream itself, under keys in the records as an observer opens them. Where the tag was
    left as it was, nobody opens the record: there the difference is that of the ciphertexts (SP 800-38D 6.5: they differ as the plaintexts do).
    """
    wanted = seen.raw[: span.start] + new + seen.raw[span.end :]
    before, after = unedited_of(made), made.conversation()
    [old] = [record for record in before.records if record.side == seen.side and record.number == seen.records[0]]
    assert made.connections[0].sent(seen.side).startswith(before.stream(seen.side).data[: old.start])
    sent = made.connections[0].sent(seen.side)[old.start : old.start + old.length]
    if not old.epoch:
        assert sent[5:] == wanted
        return
    [record] = [record for record in after.records if record.side == seen.side and record.number == old.number]
    if record.plaintext is not None:
        assert record.plaintext == wanted
    elif record.opener.block_length > 1:
        assert record.opener.inside(record.sequence, record.content_type, sent[5:], b"").startswith(wanted)
    else:
        start = 5 + sum(size for _, size in old.parts[: [name for name, _ in old.parts].index("ciphertext")])
        mixed = zip(sent[start:], old.raw[start:], seen.raw, strict=False)
        assert bytes(a ^ b ^ c for a, b, c in mixed) == wanted


def unedited_of(made):
    return next(unedited(number) for number in (MUTUAL, MAC_FIRST, RSA_PSK) if tape(number).name == made.tape.name).conversation()


def check_outcome(made, path):
    """Accepted, awaited, or refused by a rule that has a row: never an error of ours."""
    played = made.connections[0]
    if played.failures:
        side, told = played.failures[0]
        assert (side, told.detail.partition(":")[0]) in NAMED, f"{path}: {played.outcome}"
    elif "completed" not in played.outcome:
        told = [
            one for _, one in played.told if one.kind == "failed"
        ]  # both wait for more, until the client's application closes
        assert {one.detail for one in told} <= {"the peer's alert close_notify"}, f"{path}: {played.outcome}"


def check_leaf(path, seen, span, repair, number=MUTUAL):
    made = run(path, "flip", "", repair, number)
    outcome = outcome_of(made)
    assert outcome.problem == ""
    assert outcome.old == seen.raw[span.start : span.end]
    new = outcome.old[:-1] + bytes((outcome.old[-1] ^ 1,))
    assert outcome.new == new
    check_wire(made, seen, span, new)
    check_outcome(made, path)


def test_there_are_more_than_250_leaves_to_edit():
    assert len(leaves()) >= 250


@pytest.mark.rfc("5246", "7.2.2")
@pytest.mark.parametrize("repair", ["none", pytest.param("all", marks=pytest.mark.slow)])
def test_an_edited_leaf_is_on_the_wire_as_asked_and_its_outcome_has_a_row(repair):
    """A sample with something of each message."""
    chosen = random.Random(5246).sample(leaves(), 45)
    firsts = {seen.path: (path, seen, span) for path, seen, span in leaves()}
    for path, seen, span in {path: (path, seen, span) for path, seen, span in (*chosen, *firsts.values())}.values():
        check_leaf(path, seen, span, repair)


@pytest.mark.full
@pytest.mark.rfc("5246", "7.2.2")
@pytest.mark.parametrize("repair", ["all", "none", "mac", "transcript"])
def test_every_leaf_edited_is_on_the_wire_as_asked_and_its_outcome_has_a_row(repair):
    for path, seen, span in leaves():
        check_leaf(path, seen, span, repair)


@pytest.mark.full
@pytest.mark.rfc("5246", "7.2.2")
@pytest.mark.parametrize("number", [MAC_FIRST, RSA_PSK])
def test_every_leaf_of_other_key_exchanges_and_ciphers_too(number):
    for path, seen, span in leaves(number):
        check_leaf(path, seen, span, "all", number)


NEEDS = {"lie": ".length", "swap": "]"}
"""How a path ends for which an operation has a meaning: a length to lie about, an element with a neighbour."""


@pytest.mark.full
@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - {"flip", "set"}))
def test_every_operation_on_leaves_ends_as_the_table_says_or_tells_why_not(operation):
    value = {"insert": "hex:00", "lie": "+1"}.get(operation, "")
    fitting = [path for path, _, _ in leaves() if path.endswith(NEEDS.get(operation, ""))]
    applied = 0
    for path in random.Random(7).sample(fitting, min(200, len(fitting))):
        made = run(path, operation, value)
        applied += not outcome_of(made).problem
        check_outcome(made, path)
    assert applied > 10


# The taps


@pytest.mark.parametrize(
    ("path", "operation", "value", "repair", "outcome"),
    [
        ("client.ClientHello.random", "flip", "", "all", "completed"),
        ("client.ClientHello.random", "flip", "", "none", "client failed: decrypt_error"),
        ("client.ClientHello.session_id", "set", "hex:0011", "all", "completed"),
        ("client.ClientHello.session_id", "set", "hex:0011", "none", "server failed: decode_error"),
        ("client.ClientHello.extensions[3]", "delete", "", "all", "completed"),
        ("client.ClientHello.extensions[3]", "swap", "", "all", "completed"),
        ("client.ClientHello.extensions[3]", "swap", "", "none", "server failed: decrypt_error"),
        ("client.ClientHello.extensions[3]", "duplicate", "", "all", "server failed: decode_error: extension given twice"),
        ("server.ServerHello.cipher_suite", "set", "TLS_RSA_WITH_NULL_SHA", "all", "client failed: illegal_parameter"),
        ("server.ServerHello", "lie", "-1", "all", "client failed: decode_error"),
        ("server.Certificate", "delete", "", "all", "client failed: unexpected_message: message in the wrong state: got ServerKeyExchange"),
        ("server.Certificate", "duplicate", "", "all", "client failed: unexpected_message: message in the wrong state: got Certificate"),
        ("server.Certificate", "duplicate", "", "none", "client failed: unexpected_message: message in the wrong state: got Certificate"),
        ("server.Certificate", "swap", "", "all", "client failed: unexpected_message: message in the wrong state: got ServerKeyExchange"),
        ("server.Certificate", "swap", "", "none", "client failed: unexpected_message: message in the wrong state: got ServerKeyExchange"),
        ("server.Certificate", "insert", "hex:0e000000", "all", "client failed: unexpected_message: message in the wrong state: got ServerHelloDone"),
        ("server.Certificate.certificate_list[0].tbs_certificate.serial_number", "truncate", "3", "all", "client failed: bad_certificate"),
        ("server.Certificate.certificate_list[0].tbs_certificate.serial_number", "truncate", "3", "none", "client failed: decode_error"),
        ("server.Certificate.certificate_list[1]", "delete", "", "all", "client failed: unknown_ca"),
        ("client.Finished.verify_data", "flip", "", "mac", "server failed: decrypt_error"),
        ("client.Finished.verify_data", "flip", "", "none", "server failed: bad_record_mac"),
        ("client.Finished.verify_data", "truncate", "", "all", "server failed: decode_error"),
        ("client.ChangeCipherSpec", "delete", "", "all", "server failed: unexpected_message"),
        ("client.ChangeCipherSpec.type", "set", "2", "none", "server failed: unexpected_message: malformed ChangeCipherSpec"),
        ("client.ApplicationData", "delete", "", "mac", "completed"),
        ("client.ApplicationData", "delete", "", "none", "server failed: bad_record_mac"),
        ("client.ApplicationData", "duplicate", "", "none", "server failed: bad_record_mac"),
        ("client.Alert.level", "set", "fatal", "all", "completed"),
        ("client.record[0].length", "lie", "+1", "none", "server failed: unexpected_message"),
        ("client.record[4].type", "set", "application_data", "all", "server failed: unexpected_message"),
        ("client.record[5].tag", "flip", "", "all", "server failed: bad_record_mac"),
        ("client.record[5].tag", "delete", "", "all", "server failed: bad_record_mac"),
        ("client.record[5].nonce_explicit", "flip", "", "none", "server failed: bad_record_mac"),
        ("client.record[6]", "swap", "", "none", "server failed: bad_record_mac"),
    ],
)  # fmt: skip
def test_each_operation_at_each_level_ends_as_it_must(path, operation, value, repair, outcome):
    made = run(path, operation, value, repair)
    assert outcome_of(made).problem == ""
    played = made.connections[0]
    told = played.outcome if not played.failures else f"{played.failures[0][0]} failed: {played.failures[0][1].detail}"
    assert told.startswith(outcome), played.outcome


@pytest.mark.rfc("5246", "7.4.1.2")
def test_a_sender_that_means_its_edit_goes_on_with_it():
    """With another random of its own the client derives other keys, and so does the server: the handshake completes."""
    made = run("client.ClientHello.random", "set", "hex:" + "ab" * 32)
    assert made.connections[0].outcome.startswith("completed")
    [hello] = [seen.message for seen in made.conversation().messages if seen.name == "ClientHello"]
    assert hello.random == b"\xab" * 32
    assert made.conversation().data("client") == QUESTION


def test_without_repair_of_lengths_nothing_but_the_field_changes_on_the_wire():
    """The record's header, too, goes on to say what it said."""
    made = run("client.ClientHello.session_id", "set", "hex:0011", "none")
    before, after = unedited().connections[0].sent("client"), made.connections[0].sent("client")
    at = 5 + 39
    assert after[: len(before) + 2].startswith(before[:at] + b"\x00\x11" + before[at : before.index(b"server.test")])


@pytest.mark.rfc("5246", "6.2.3.2")
@pytest.mark.parametrize("number", [MAC_FIRST, ENCRYPT_FIRST])
def test_under_cbc_a_message_is_changed_whether_its_mac_is_repaired_or_not(number):
    """Blocks are encrypted anew under the IV that was used; the MAC, inside or outside, is another thing."""
    for path, alert in (("client.Finished.verify_data", "decrypt_error"), ("client.ApplicationData.data", None)):
        forged = run(path, "flip", "", "none", number)
        assert outcome_of(forged).problem == ""
        assert failure(forged).startswith("server failed: bad_record_mac")
        repaired = run(path, "flip", "", "mac", number)
        assert failure(repaired).startswith(f"server failed: {alert}") if alert else not repaired.connections[0].failures
        assert len(repaired.connections[0].sent("client")) >= len(forged.connections[0].sent("client"))


@pytest.mark.rfc("5246", "6.2.3.2")
@pytest.mark.rfc("7366", "3")
@pytest.mark.parametrize(
    ("number", "field", "repair"),
    [(MAC_FIRST, "mac", "all"), (MAC_FIRST, "padding", "all"), (MAC_FIRST, "padding_length", "all"), (ENCRYPT_FIRST, "mac", "none"),
     (ENCRYPT_FIRST, "padding", "all"), (ENCRYPT_FIRST, "padding_length", "all"), (ENCRYPT_FIRST, "padding", "none")],
)  # fmt: skip
def test_what_is_inside_a_record_can_be_changed_and_is_refused_in_one_way(number, field, repair):
    """An observer with the key sees what was asked for; the peer tells no difference between bad padding and a bad MAC."""
    made = run(f"client.record[3].{field}", "flip", "", repair, number)
    assert outcome_of(made).problem == ""
    assert failure(made).startswith("server failed: bad_record_mac")
    [before] = [record for record in unedited(number).conversation().records if (record.side, record.number) == ("client", 3)]
    assert made.connections[0].sent("client")[before.start :][: before.length] != before.raw
    if number == ENCRYPT_FIRST and repair == "all":  # authentic: only what stands inside is wrong
        [after] = [record for record in made.conversation().records if (record.side, record.number) == ("client", 3)]
        assert after.raw[-12:] != before.raw[-12:]


def test_a_cbc_record_holds_whole_blocks():
    refused = run("client.record[3].padding_length", "delete", "", "all", MAC_FIRST)
    assert "blocks of 16 bytes" in outcome_of(refused).problem
    assert refused.sha256 == unedited(MAC_FIRST).sha256


@pytest.mark.slow
@pytest.mark.parametrize("number", range(24), ids=lambda number: TAPES[number].removesuffix(".json"))
def test_every_kind_of_leaf_of_the_byte_map_is_a_path_that_an_edit_takes(number):
    """Paths are one language: what the map prints can be changed. One of each kind, of both views."""
    loaded = Tape.load(FOLDER / TAPES[number])
    seen = set()
    for index, conversation in enumerate(replay(loaded).conversations):
        for side in ("client", "server"):
            for view in (conversation.byte_map.wire, conversation.byte_map.plain):
                for leaf in view(side):
                    kind = re.sub(r"\[\d+\]|#\d+", "", leaf.path)
                    if kind in seen or leaf.start == leaf.end:
                        continue
                    seen.add(kind)
                    if "tbs_certificate" not in kind or len(seen) % 4 == 0:  # of a certificate's many leaves every fourth
                        made = replay(replace(loaded, edits=(Edit(leaf.path, "flip", connection=index + 1),)))
                        assert outcome_of(made).problem == "", leaf.path
    assert len(seen) > 60


def test_several_edits_are_made_together():
    edits = (
        Edit("client.ClientHello.cipher_suites[0]", "duplicate"),
        Edit("client.ClientHello.cipher_suites[0]", "set", "0x1301"),
        Edit("server.record[1].version", "set", "0x0302", frozenset()),
    )
    made = replay(replace(tape(), edits=edits))
    assert [outcome.problem for outcome in made.outcomes] == ["", "", ""]
    assert bytes.fromhex("0004 1301 c02b") in made.connections[0].sent("client")
    assert "protocol_version" in made.connections[0].outcome


# What cannot be done


@pytest.mark.parametrize(
    ("path", "operation", "value", "repair", "why"),
    [
        ("client.ClientHello#2.random", "flip", "", "all", "the client sent ClientHello once"),
        ("client.ServerHello.random", "flip", "", "all", "the client sent no ServerHello, but ClientHello, Certificate"),
        ("client.record[60].tag", "flip", "", "all", "the client sent 8 records"),
        ("client.ClientHello.randon", "flip", "", "all", "there is no ClientHello.randon; there are, for example, ClientHello.random"),
        ("client.ClientHello.extensions[99]", "delete", "", "all", "there is no ClientHello.extensions"),
        ("client.ClientHello.cipher_suites[0]", "set", "TLS_RSA_WITH_NUL_SHA", "all", "did you mean TLS_RSA_WITH_NULL_SHA"),
        ("client.ClientHello.cipher_suites[0]", "set", "70000", "all", "70000 does not fit 2 bytes"),
        ("client.ClientHello.random", "set", "text", "all", "'text' is no number"),
        ("client.ClientHello.random", "flip", "hex:00", "all", "a mask of 32 bytes"),
        ("client.ClientHello.random", "truncate", "32", "all", "has 32 bytes"),
        ("client.ClientHello.random", "lie", "", "all", "there is no ClientHello.random.length"),
        ("client.ClientHello.random", "swap", "", "all", "no item of a list"),
        ("client.ClientHello.extensions[0]", "swap", "ClientHello.extensions", "all", "one inside the other"),
        ("client.ClientHello.extensions.length", "lie", "+100000", "all", "does not fit the 2 bytes"),
        ("client.Finished.verify_data", "truncate", "", "none", "repair the mac"),
        ("server.Alert#2", "swap", "", "all", "the server sent Alert once"),
        ("server.Alert", "swap", "", "all", "nothing followed"),
        ("server.Certificate", "insert", "0xzz", "all", "no number"),
    ],
)  # fmt: skip
def test_an_edit_that_cannot_be_made_says_why_and_the_conversation_goes_on_without_it(path, operation, value, repair, why):
    made = run(path, operation, value, repair)
    assert why in outcome_of(made).problem
    assert str(outcome_of(made)).startswith("not applied: ")
    if "nothing followed" not in why:
        assert made.sha256 == unedited().sha256


def test_without_the_key_what_is_sealed_cannot_be_changed_and_that_is_told():
    """The engine finds the key of its own side in the key log, where it is given one."""
    wanted = Edit("client.Finished.verify_data", "flip", repair=frozenset())
    editor = Editor("client", [wanted])
    joined = Pair(client_config(interceptors=(editor,)))
    editor.connection = joined.client.connection
    assert joined.handshake().connected
    assert [outcome.problem for outcome in editor.outcomes] == ["the key of this record is not in the key log"]


# The order of a flight

SECOND_FLIGHTS = {
    "client": ["Certificate", "ClientKeyExchange", "CertificateVerify", "ChangeCipherSpec", "Finished"],
    "server": ["ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone"],
}
"""What both ends of the conversation with client certificates send in the flights that have several messages."""


class Watch(Interceptor):
    """What really left, by name; and what the flights said that would."""

    def __init__(self):
        self.said, self.left = [], []

    def flight(self, effects, where):
        self.said += [effect.makes for effect in effects if isinstance(effect, Send)]
        return effects

    def message(self, message, where):
        if where.direction is Direction.OUTBOUND:
            self.left.append(message)
        return [message]


def reordered(side, *swaps):
    """The names of what an end sent with these edits, the editor, and the pair."""
    editor, watch = Editor(side, [Edit(f"{side}.{one}", "swap", f"{side}.{other}") for one, other in swaps]), Watch()
    leaf = (credential("secp256r1"),)
    fields = {"client": {"credentials": leaf}, "server": {"credentials": leaf, "client_authentication": "require"}}
    fields[side]["interceptors"] = (editor, watch)
    joined = Pair(client_config(**fields["client"]), server_config(**fields["server"]))
    editor.connection = getattr(joined, side).connection
    joined.handshake()
    return [message.path_name for message in watch.left], editor, joined


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize("side", SECOND_FLIGHTS)
def test_any_two_messages_of_a_flight_change_places_and_the_peer_refuses_what_came_too_early(side):
    flight = SECOND_FLIGHTS[side]
    for one, other in itertools.combinations(range(len(flight)), 2):
        names, editor, joined = reordered(side, (flight[one], flight[other]))
        wanted = list(flight)
        wanted[one], wanted[other] = wanted[other], wanted[one]
        start = 0 if side == "server" else 1
        assert [name for name in names if name != "Alert"][start : start + len(flight)] == wanted
        assert [outcome.problem for outcome in editor.outcomes] == [""]
        error = (joined.server if side == "client" else joined.client).error
        assert error.alert.name == "UNEXPECTED_MESSAGE"
        if wanted[one] != "ServerHelloDone" or other - one > 1:  # CertificateRequest comes after the client has answered
            assert f"got {wanted[one]}" in error.detail


def test_several_swaps_make_any_order_and_fields_are_edited_all_the_same():
    names, editor, _ = reordered("server", ("ServerHello", "ServerHelloDone"), ("ServerHello", "Certificate"))
    assert names[:5] == ["ServerHelloDone", "ServerHello", "ServerKeyExchange", "CertificateRequest", "Certificate"]
    assert [outcome.problem for outcome in editor.outcomes] == ["", ""]
    flips = (Edit("client.Finished", "swap", "ChangeCipherSpec"), Edit("client.Finished.verify_data", "set", "hex:" + "ab" * 12))
    made = replay(replace(tape(), edits=flips))
    assert [outcome.problem for outcome in made.outcomes] == ["", ""]
    finished = next(seen for seen in made.conversation().messages if (seen.side, seen.name) == ("client", "Finished"))
    assert finished.message.verify_data == b"\xab" * 12
    assert not made.conversation().records[finished.records[0]].epoch


def test_a_message_of_another_flight_does_not_change_places():
    made = run("client.ClientHello", "swap", "client.Finished")
    assert outcome_of(made).problem == "client.Finished is not in that flight, which has ClientHello"
    assert made.sha256 == unedited().sha256


@pytest.mark.parametrize("number", [MUTUAL, 21, 22])
def test_a_flight_says_truly_what_it_is_going_to_send(number):
    """Renegotiations, stapled status and tickets included."""
    watches = [Watch(), Watch()]
    loaded = Tape.load(FOLDER / TAPES[number])
    client, server = loaded.configurations()
    one = Connection.client(replace(client, interceptors=(watches[0],)), loaded.connections[0].server_name)
    two = Connection.server(replace(server, interceptors=(watches[1],)))
    Stage(MemoryPeer(one), MemoryPeer(two)).play(loaded.connections[0].steps)
    for watch in watches:
        sent = [message for message in watch.left if not isinstance(message, Alert)]
        assert len(sent) == len(watch.said) > 3
        assert all(isinstance(message, cls) for message, cls in zip(sent, watch.said, strict=True))


def test_an_edit_of_a_connection_that_there_is_not_is_told():
    made = replay(replace(tape(), edits=(Edit("client.ClientHello.random", "flip", connection=2),)))
    assert "1 connection, numbered from 1" in outcome_of(made).problem


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (("ClientHello.random", "flip"), "does not say who sends it"),
        (("client.random", "flip"), "is no path"),
        (("client.ClientHello.random", "alter"), "no operation is called 'alter'"),
        (("client.ClientHello.random", "set"), "needs a value"),
        (("client.record[0]", "flip"), "needs a field of the record"),
        (("client.ClientHello.random", "flip", "", frozenset(("tag",))), "no repair is called 'tag'"),
        (("client.Finished", "swap", "server.Finished"), "not of one side"),
        (("client.Finished", "swap", "client.Finished.verify_data"), "or with another message of its flight"),
        (("client.record[0]", "swap", "client.record[2]"), "or with another message of its flight"),
        (("client.Finished", "swap", "ChangeCipherSpec", frozenset(("mac",))), "is their sender: repair the transcript"),
        (("client.Finished", "delete", "", frozenset(), 0), "count from 1"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_at_once(fields, complaint):
    with pytest.raises(UsageError, match=complaint):
        Edit(*fields)


# Values


HELLO = bytes.fromhex("010000370303" + "11" * 32 + "00 0004 c02b c02f 01 00 000a 000a 0006 0004 001d 0017".replace(" ", ""))


def hello_spans(raw=HELLO):
    return annotate_content(22, raw, None)


def test_the_sample_is_a_hello():
    assert parse_handshake(HELLO, None).cipher_suites == (0xC02B, 0xC02F)


VECTORS = [
    "ClientHello.session_id",
    "ClientHello.cipher_suites",
    "ClientHello.compression_methods",
    "ClientHello.extensions[0].supported_groups.named_groups",
]


@given(st.sampled_from(VECTORS), st.binary(min_size=2, max_size=32).map(lambda data: data[: len(data) // 2 * 2]))
def test_with_lengths_repaired_every_length_around_the_field_fits(path, data):
    """What the parser then says is about the content alone: a length is never at fault."""
    made = edited(HELLO, hello_spans(), Edit(f"client.{path}", "set", f"hex:{data.hex()}"))
    spans = {span.path: span for span in hello_spans(made)}
    assert spans["ClientHello.length"].value == len(made) - 4
    assert spans[f"{path}.length"].value == len(data)
    assert made[spans[f"{path}.length"].end :].startswith(data)


@given(
    st.sampled_from(sorted(OPERATIONS)),
    st.integers(0, len(hello_spans()) - 1),
    st.sampled_from(["0", "1", "hex:0102", "+3", "text:abc"]),
)
def test_without_repair_an_edit_changes_one_place_only(operation, index, value):
    span = hello_spans()[index]
    edit = Edit(f"client.{span.path}", operation, "" if operation == "swap" else value, frozenset())
    try:
        [change] = changes(HELLO, hello_spans(), edit)
    except UsageError:
        return
    made = edited(HELLO, hello_spans(), edit)
    assert made == HELLO[: change.start] + change.new + HELLO[change.end :]
    if operation != "swap":
        assert (change.start, change.end) <= (span.end, span.end) or operation == "lie"


@pytest.mark.parametrize(
    ("value", "width", "wanted"),
    [("771", 2, b"\3\3"), ("0x0303", 2, b"\3\3"), ("0x3", 2, b"\0\3"), ("0x00010203", 2, b"\0\1\2\3"), ("hex:", 2, b""), ("hex:0a", 4, b"\x0a"),
     ("text:ab", 9, b"ab"), ("0", 3, b"\0\0\0")],
)  # fmt: skip
def test_values_are_written_as_people_write_them(value, width, wanted):
    assert encoded(value, width) == wanted


def test_a_list_is_its_content_and_what_moves_takes_its_length_along():
    spans = hello_spans()
    place = locate(spans, "ClientHello.cipher_suites")
    assert HELLO[place.content] == bytes.fromhex("c02bc02f")
    assert HELLO[place.whole] == bytes.fromhex("0004c02bc02f")


@given(st.sampled_from(sorted(OPERATIONS)), st.sets(st.sampled_from(sorted(REPAIRS))), st.integers(1, 4))
def test_an_edit_is_what_its_json_says(operation, repair, connection):
    edit = Edit("client.ClientHello.random", operation, "hex:00", frozenset(repair), connection)
    assert Edit.from_json(edit.to_json()) == edit


def test_repairs_are_named_in_a_list():
    assert parse_repair("none") == frozenset()
    assert parse_repair("all") == EVERYTHING
    assert parse_repair("lengths,mac") == {"lengths", "mac"}
    with pytest.raises(UsageError, match="no repair is called 'macs'"):
        parse_repair("macs")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_edits_of_any_places_end_in_a_sentence(data):
    """Whatever is edited however: neither end fails by an error of its own, and each edit is accounted for."""
    paths = [path for path, _, _ in leaves()] + [
        f"{side}.record[{n}].{part}"
        for side in ("client", "server")
        for n in range(7)
        for part in ("type", "version", "length", "tag", "fragment")
    ]
    paths += [
        f"{side}.{name}"
        for side in ("client", "server")
        for name in ("Certificate", "Finished", "ChangeCipherSpec", "record[1]", "record[5]")
    ]
    edits = []
    for _ in range(data.draw(st.integers(1, 3))):
        operation = data.draw(st.sampled_from(sorted(OPERATIONS)))
        value = data.draw(st.sampled_from(["0", "1", "hex:0102030405", "0xffff", "+7"]))
        try:
            edits.append(
                Edit(
                    data.draw(st.sampled_from(paths)),
                    operation,
                    value,
                    frozenset(data.draw(st.sets(st.sampled_from(sorted(REPAIRS))))),
                )
            )
        except UsageError:
            continue
    made = replay(replace(small(), edits=tuple(edits)))
    assert len(made.outcomes) == len(edits)
    assert not any("puretls" in told.detail and "report" in told.detail for _, told in made.connections[0].told), (
        made.connections[0].told
    )
