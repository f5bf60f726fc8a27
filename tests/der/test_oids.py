"""Object identifiers are compared as bytes; text is for people and its cost is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.der import oids
from puretls.der.reader import Reader
from puretls.der.writer import oid

arcs = st.tuples(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**128), max_size=3))


@given(arcs)
def test_dotted_text_survives(parts):
    first, second, rest = parts
    text = ".".join(str(arc) for arc in (first, second, *rest))
    assert oids.dotted(Reader(oid(text)).oid()) == text


def test_an_arc_of_thousands_of_digits_is_shown_in_hexadecimal():
    """CVE-2023-2650: turning a giant arc into decimal text is quadratic."""
    bomb = b"\x2a" + b"\xff" * 50_000 + b"\x01"
    assert oids.dotted(bomb) == "oid:" + bomb.hex()


def test_names_are_of_the_rfc():
    assert oids.describe(oids.SUBJECT_ALT_NAME) == "subjectAltName"
    assert oids.describe(oids.encode_oid("1.2.3.4")) == "1.2.3.4"


@pytest.mark.parametrize("text", ["", "1", "3.1", "1.40", "1.2.-3", "a.b"])
def test_text_that_is_no_identifier_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        oids.encode_oid(text)
