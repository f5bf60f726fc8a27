"""Pictures of a conversation in text."""

import io

from puretls.cli.ladder import Rung, explained, ladder, shortened
from puretls.spans import Span


class Ascii(io.StringIO):
    encoding = "ascii"


def test_arrows_point_and_flights_stand_apart():
    rungs = [Rung(True, "Hello", 5, "A", "B"), Rung(True, "More", 6, "A", "B"), Rung(False, "Reply", 7, "C", "B", protected=True)]
    lines = ladder(rungs, Ascii())
    assert lines[1].startswith("A       -- Hello --")
    assert lines[1].endswith("-- 5 -->  B")
    assert lines[3] == ""
    assert lines[4].startswith("C       <== 7 ==")
    assert {len(line) for line in (lines[1], lines[2], lines[4])} == {len(lines[1])}


def test_states_stand_below_the_arrow_where_there_is_no_room_beside_it():
    rungs = [Rung(True, "Hello", 5, "WAIT_ONE", "WAIT_TWO"), Rung(False, "Reply", 7, "C", "B", protected=True)]
    assert ladder(rungs, Ascii(), columns=30) == [
        "client      server",
        "-- Hello --- 5 -->",
        "WAIT_ONE  WAIT_TWO",
        "",
        "<== 7 === Reply ==",
        "C                B",
    ]


def test_long_fields_take_rows_of_sixteen_bytes():
    raw = bytes(range(20))
    rows = list(explained(raw, [Span(0, 1, "M.a", 1), Span(1, 1, "M.empty"), Span(1, 20, "M.b", raw[1:], "RFC 1")]))
    assert rows == [
        ("0", "00", "M.a", "1", ""),
        ("1-16", "01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10", "M.b", "19 bytes", "RFC 1"),
        ("17-19", "11 12 13", "", "", ""),
    ]


def test_faults_are_marked():
    assert list(explained(b"\0", [Span(0, 1, "M.fault", b"\0", "cut short", fault=True)])) == [
        ("0", "00", "M.fault", "FAULT: cut short", "")
    ]


def test_certificate_that_does_not_parse_is_one_field():
    assert [row[2] for row in explained(b"\0\0", [Span(0, 2, "Certificate.certificate_list[0]", b"\0\0")])] == [
        "Certificate.certificate_list[0]"
    ]


def test_long_paths_lose_their_middle():
    assert shortened("ServerHello.random") == "random"
    assert (
        shortened("A.extensions[5].application_layer_protocol_negotiation.names[0].length") == "extensions[5].*.names[0].length"
    )
