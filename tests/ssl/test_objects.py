"""Numbers and names of objects, beside those of the C module `_ssl`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.ssl import objects
from tools import gen_objects

_ssl = pytest.importorskip("_ssl", reason="compares with the C module _ssl")


def outcome(function, *arguments):
    try:
        return tuple(function(*arguments))
    except Exception as error:
        return type(error), str(error)


def test_every_object_is_found_by_number_by_names_and_by_identifier_as_the_c_module_finds_it():
    for nid in range(-2, 1400):
        assert outcome(objects.nid2obj, nid) == outcome(_ssl.nid2obj, nid)
    for line in gen_objects.rows():
        for text in line.split("\t"):
            for name in (True, False):
                assert outcome(objects.txt2obj, text, name) == outcome(_ssl.txt2obj, text, name), (text, name)


UNKNOWN = [
    "1.2.3.4.5",
    "2.5.4.3.99",
    "1.40.1",
    "2.999.1",
    "01.02.3",
    " 1.2.3",
    "9.9",
    "1",
    "x",
    "",
    "cn",
    "UNDEF",
    "undefined",
    "0.0",
    "a\0b",
]


@pytest.mark.parametrize("text", [*UNKNOWN, "1.2." + "9" * 50, "x" * 200])
@pytest.mark.parametrize("name", [True, False])
def test_what_is_not_known_is_refused_in_the_same_words(text, name):
    assert outcome(objects.txt2obj, text, name) == outcome(_ssl.txt2obj, text, name)


@pytest.mark.parametrize("nid", [-1, 0, 2**31, -(2**31) - 1, 2**70, "a", None, 1.5])
def test_numbers_out_of_range_and_other_types_raise_what_the_c_module_raises(nid):
    assert outcome(objects.nid2obj, nid)[0] == outcome(_ssl.nid2obj, nid)[0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8).map(lambda arcs: ".".join(map(str, arcs))), st.booleans())
def test_any_small_identifier_is_known_or_not_as_to_the_c_module(text, name):
    assert outcome(objects.txt2obj, text, name) == outcome(_ssl.txt2obj, text, name)


def test_the_table_is_what_its_tool_writes():
    assert gen_objects.rows() == [line for line in gen_objects.MODULE.read_text().splitlines() if line[:1].isdigit()]
