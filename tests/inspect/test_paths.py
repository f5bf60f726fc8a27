"""Paths are one language: every leaf, problem and explanation keeps to the grammar, and a path is an address."""

import re
from collections import Counter

import pytest

from puretls.inspect.seen import MessageSeen, RecordSeen
from puretls.inspect.texts.paths import entries
from puretls.paths import parse_path
from puretls.wire.schema import Struct
from tests.support.mutations import mutated
from tests.support.recorded import conversations, every_reference
from tests.support.reference import REFERENCE

VIEWS = ("wire", "plaintext")
SIDES = ("client", "server")


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row.name)
def test_a_path_is_an_address(row):
    """In each view one field has one path; what lies in several records is numbered by `part`. Each path finds its leaf again."""
    for conversation in conversations(row.name):
        for side in SIDES:
            for view in VIEWS:
                leaves = conversation.byte_map.leaves(side, view)
                twice = [key for key, count in Counter((leaf.path, leaf.part) for leaf in leaves).items() if count > 1]
                assert not twice
            paths = {leaf.path for view in VIEWS for leaf in conversation.byte_map.leaves(side, view)}
            for path in sorted(paths)[::40]:
                assert {leaf.path for leaf in conversation.byte_map.find(path)} >= {path}


def general_names(cls=Struct):
    found = {cls.path_name} if cls.path_name else set()
    return found.union(*(general_names(child) for child in cls.__subclasses__()))


def test_messages_have_general_names_and_are_counted_from_one():
    seen = set()
    for conversation in every_reference():
        for side in SIDES:
            counts = Counter()
            for message in (message for message in conversation.messages if message.side == side):
                counts[message.name] += 1
                assert message.nth == counts[message.name]
                assert str(parse_path(message.path)) == message.path
                seen.add(message.name)
            numbers = [record.number for record in conversation.records if record.side == side]
            assert numbers == list(range(len(numbers)))
    assert {"ServerKeyExchange", "ClientKeyExchange", "ClientHello", "Alert", "ChangeCipherSpec", "ApplicationData"} <= seen
    assert not [name for name in seen if re.search("Dhe|Ecdh|Psk|Rsa|Dh", name)]


@pytest.mark.parametrize("part", range(4))
def test_problems_name_fields_of_the_grammar(part):
    met = 0
    for seed in range(part * 15, part * 15 + 15):
        all_of_them = every_reference()
        _, conversation = mutated(all_of_them[seed % len(all_of_them)], seed)
        for seen in (*conversation.records, *conversation.messages):
            if seen.problem is None or not seen.problem.path:
                continue
            met += 1
            path = parse_path(seen.problem.path)
            assert str(path) == seen.problem.path
            assert not path.side
            if isinstance(seen, RecordSeen):
                assert (path.thing, path.number) == ("record", seen.number)
            elif isinstance(seen, MessageSeen):
                assert path.thing == seen.name
    assert met


def test_keys_of_explanations_are_patterns_of_paths():
    """A key is a path with `[*]` for every index, or the end of one; an ASN.1 type of a file can be a root in another."""
    for key in entries():
        bare = key.removeprefix("der:").replace("[*]", "[0]")
        path = bare[2:] if re.match(r"\*\.[A-Z]", bare) else re.sub(r"^\*\.", "Any.", bare)
        assert str(parse_path(path)) == path, key
