"""String preparation for names (RFC 4518), and what it means for chains and constraints (RFC 5280 4.2.1.10, 7.1)."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from puretls.der import oids, writer
from puretls.x509 import drafts
from puretls.x509.names import stringprep
from puretls.x509.names.distinguished import parse_name
from puretls.x509.names.stringprep import LONGEST, prepare
from tests.x509.chains import authority, ids, leaf, make, root, verify
from tests.x509.chains import key as key_of

pytestmark = pytest.mark.rfc("4518", "2")


def ranges(*pairs):
    return [code for first, last in pairs for code in range(first, last + 1)]


TO_NOTHING = ranges(
    (0x00AD, 0x00AD), (0x1806, 0x1806), (0x034F, 0x034F), (0x180B, 0x180D), (0xFE00, 0xFE0F), (0xFFFC, 0xFFFC),
    (0x0000, 0x0008), (0x000E, 0x001F), (0x007F, 0x0084), (0x0086, 0x009F), (0x06DD, 0x06DD), (0x070F, 0x070F), (0x180E, 0x180E),
    (0x200C, 0x200F), (0x202A, 0x202E), (0x2060, 0x2063), (0x206A, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0x1D173, 0x1D17A),
    (0xE0001, 0xE0001), (0xE0020, 0xE007F), (0x200B, 0x200B),
)  # fmt: skip
TO_SPACE = ranges(
    (0x0009, 0x000D), (0x0085, 0x0085), (0x0020, 0x0020), (0x00A0, 0x00A0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip
"""The whole of RFC 4518 2.2."""

LETTERS = st.sampled_from(
    "aAzZ \u00df\u1e9e\u0130\u0131\u03c2\u03a3\u210b\u2168\u0345\u03b1\u1fb3\u1f80\u0301\u0308\u0327\u00a8\u00ad\u200b\uff21\ufb03\u01c5"
)


@pytest.mark.rfc("4518", "2.2")
def test_the_whole_table_is_mapped_to_nothing_or_to_a_space():
    assert {prepare(f"Two{chr(code)}words") for code in TO_NOTHING} == {"twowords"}
    assert {prepare(f"Two{chr(code)}words") for code in TO_SPACE} == {"two words"}


@pytest.mark.rfc("4518", "2.3")
@pytest.mark.parametrize("step", [61, pytest.param(1, marks=pytest.mark.full)])
def test_every_character_is_prepared_once_and_for_all(step):
    """What is prepared stays as it is: no letter folds, and no character vanishes, only after something else was done."""
    for code in range(0, 0x110000, step):
        once = prepare(f"x{chr(code)}y")
        assert once is None or prepare(once) == once, hex(code)


@given(st.text(max_size=40) | st.text(LETTERS, max_size=20))
@example("\u03b1\u0345\u0301")
@example("a \u0301b")
def test_preparation_is_stable_and_blind_to_case_and_composition(text):
    once = prepare(text)
    if once is None:
        return
    assert prepare(once) == once
    if "\u0345" not in unicodedata.normalize("NFD", text):  # which becomes a letter, so that what follows it may not move any more
        for other in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFKD", text)):
            assert prepare(other) in (once, None)
    assert prepare(f" \u200b x{text}  ") in (prepare(f"x{text}"), None)


@pytest.mark.parametrize(
    ("one", "other"),
    [("\u210bidden", "hidden"), ("\uff21CME", "acme"), ("Stra\u00dfe", "STRASSE"), ("\u2168", "ix"), ("e\u0301", "\u00c9"),
     (" a \u2003 b\t", "a b"), ("\u1e9e", "ss"), ("I", "i"), ("\u212a", "k")],
)  # fmt: skip
def test_equal_values(one, other):
    assert prepare(one) == prepare(other)


@pytest.mark.rfc("4518", "2.6.1")
def test_a_space_that_carries_a_mark_is_no_space():
    assert prepare("a \u0301b") != prepare("a  \u0301b")
    assert prepare("a\u00a8b") == prepare("a \u0308b")


@pytest.mark.rfc("4518", "2.4")
@pytest.mark.parametrize("character", ["\ue000", "\ufffd", "\uffff", "\U000e0080", "\U0010ffff", "\u0378"])
def test_prohibited_characters_leave_a_value_that_cannot_be_compared(character):
    assert prepare(f"x{character}") is None


def test_long_values_are_not_normalised():
    assert prepare("\u00e9" * LONGEST) is not None
    assert prepare("\u00e9" * (LONGEST + 1)) is None
    assert prepare("A" * 100_000) == "a" * 100_000


# Types of strings (RFC 5280 7.1)

VISIBLE, GENERAL, OCTETS, IA5, PRINTABLE, UTF8, TELETEX, BMP = 26, 27, 4, 22, 19, 12, 20, 30


def named(*attributes):
    """A name of (type, tag, content)."""
    return writer.sequence(
        *(writer.set_of(writer.sequence(writer.oid(kind), writer.tlv(tag, content))) for kind, tag, content in attributes)
    )


@pytest.mark.rfc("5280", "7.1")
@pytest.mark.parametrize(
    ("kind", "tag", "same"),
    [
        (oids.ORGANIZATION, UTF8, True), (oids.ORGANIZATION, PRINTABLE, True), (oids.ORGANIZATION, TELETEX, True),
        (oids.ORGANIZATION, VISIBLE, False), (oids.ORGANIZATION, IA5, False), (oids.ORGANIZATION, GENERAL, False),
        (oids.COUNTRY, PRINTABLE, True), (oids.COUNTRY, UTF8, False), (oids.COUNTRY, IA5, False),
        (oids.SERIAL_NUMBER, PRINTABLE, True), (oids.SERIAL_NUMBER, UTF8, False),
        (oids.DOMAIN_COMPONENT, IA5, True), (oids.DOMAIN_COMPONENT, UTF8, False), (oids.EMAIL_ADDRESS, PRINTABLE, False),
    ],
)  # fmt: skip
def test_only_the_types_of_an_attributes_syntax_compare_as_text(kind, tag, same):
    usual = IA5 if kind in (oids.DOMAIN_COMPONENT, oids.EMAIL_ADDRESS) else PRINTABLE
    anchor = root(subject=named((kind, usual, b"XY")), issuer=named((kind, usual, b"XY")), name="")
    issuer = named((kind, tag, b"xy"))
    assert (parse_name(issuer) == parse_name(anchor.name)) is same
    assert parse_name(issuer) == parse_name(issuer)
    made = make("leaf", issuer, key_of("leaf"), anchor.key, leaf(root()).draft.extensions[:3])
    assert verify([made], [anchor]).accepted is same


# Excluded names (RFC 5280 4.2.1.10)


def directory(*attributes):
    return writer.explicit(4, named(*attributes))


def excluding(*names):
    return drafts.extension(oids.NAME_CONSTRAINTS, writer.sequence(writer.explicit(1, *(writer.sequence(n) for n in names))), critical=True)


def judged(subject, *excluded):
    """The rules of name constraints that a leaf of this subject breaks, below a CA that excludes these."""
    above = authority(root(), more=(excluding(*excluded),))
    return ids(verify([leaf(above, subject=subject), above], [root()])) & (EXCLUDED | UNPROCESSABLE)


EVIL = (oids.ORGANIZATION, UTF8, b"Evil Hidden")
EXCLUDED, UNPROCESSABLE = {"name-constraints"}, {"name-constraints-unprocessable"}


@pytest.mark.rfc("5280", "4.2.1.10")
@pytest.mark.parametrize("code", [0x00AD, 0x200B, 0xFE0F, 0, 0x2060, 0xFEFF, 0x034F, 0xE0001, 0xE0100])
def test_characters_that_are_nothing_hide_no_excluded_name(code):
    evil = f"evil{chr(code)} hidden".encode()
    assert judged(named((oids.ORGANIZATION, UTF8, evil)), directory(EVIL)) == EXCLUDED


@pytest.mark.rfc("5280", "4.2.1.10")
@pytest.mark.parametrize(
    ("tag", "value", "verdict"),
    [
        (UTF8, "evil \u210bidden".encode(), EXCLUDED),
        (BMP, "evil \u210bidden".encode("utf-16-be"), EXCLUDED),
        (GENERAL, b"evil hidden", UNPROCESSABLE),
        (VISIBLE, b"evil hidden", UNPROCESSABLE),
        (OCTETS, b"evil hidden", UNPROCESSABLE),
        (UTF8, "evil hidden\ue000".encode(), UNPROCESSABLE),
        (UTF8, b"evil hidden" + "\u200b".encode() * LONGEST, UNPROCESSABLE),
        (UTF8, b"good", set()),
    ],
)
def test_what_cannot_be_compared_is_not_taken_for_another_name(tag, value, verdict):
    assert judged(named((oids.ORGANIZATION, tag, value)), directory(EVIL)) == verdict
    assert judged(named((oids.ORGANIZATION, tag, value), (oids.COMMON_NAME, UTF8, b"x")), directory(EVIL)) == verdict


def test_values_that_meet_no_excluded_one_need_not_be_compared():
    odd = (oids.ORGANIZATIONAL_UNIT, GENERAL, b"x")
    assert judged(named((oids.ORGANIZATION, UTF8, b"good"), odd), directory(EVIL)) == set()
    assert judged(named(odd, EVIL), directory(EVIL)) == set()  # another place, another name


def test_a_base_that_cannot_be_compared_excludes_what_is_like_it_and_leaves_the_rest_unprocessable():
    odd = (oids.ORGANIZATION, GENERAL, b"Evil")
    assert judged(named(odd), directory(odd)) == EXCLUDED
    assert judged(named((oids.ORGANIZATION, UTF8, b"evil")), directory(odd)) == UNPROCESSABLE
    assert judged(named((oids.COMMON_NAME, UTF8, b"evil")), directory(odd)) == set()


@pytest.mark.parametrize(
    ("tag", "value", "verdict"),
    [
        (IA5, b"a@EVIL.test", EXCLUDED), (UTF8, b"a@evil.test", EXCLUDED), (OCTETS, b"a@evil.test", UNPROCESSABLE),
        (GENERAL, b"a@evil.test", UNPROCESSABLE), (UTF8, "a@evil\u200b.test".encode(), UNPROCESSABLE),
        (UTF8, "\u200ba@good.test".encode(), UNPROCESSABLE), (IA5, b"a@good.test", set()),
    ],
)  # fmt: skip
def test_mail_addresses_of_any_type_are_held_against_excluded_hosts(tag, value, verdict):
    assert judged(named((oids.EMAIL_ADDRESS, tag, value)), writer.implicit(1, b"evil.test")) == verdict


# What it costs


@pytest.fixture
def normalised(monkeypatch):
    """The lengths of the texts that are normalised."""
    lengths = []
    real = unicodedata.normalize

    def counted(form, text):
        lengths.append(len(text))
        return real(form, text)

    monkeypatch.setattr(stringprep.unicodedata, "normalize", counted)
    return lengths


def test_names_are_prepared_once_whatever_they_are_compared_with(normalised):
    """Eight self-made CAs of one long name, in which only the last value differs: each value is prepared once."""
    marks = "".join(chr(0x300 + n % 0x15) for n in range(LONGEST - 1))

    def long_name(number):
        return named(*((oids.ORGANIZATION, UTF8, marks.encode()),) * 4, (oids.ORGANIZATION, UTF8, f"{number}\u00e9".encode()))

    crowd = [make("", long_name(n), key_of(f"crowd {n}"), key_of("crowd 0"), root().draft.extensions, subject=long_name(n)) for n in range(8)]
    end = make("leaf", long_name(0), key_of("leaf"), key_of("crowd 0"), leaf(root()).draft.extensions[:3])
    assert not verify([end, *crowd], [root("other")]).accepted
    values = 9 * 5  # in the subjects of the crowd and the issuer of the leaf
    assert len(normalised) <= 3 * values
    assert max(normalised) <= 18 * LONGEST


def test_a_value_beyond_the_limit_is_never_normalised(normalised):
    huge = named((oids.ORGANIZATION, UTF8, ("\u0300\u0316" * 16_000).encode()))
    assert parse_name(huge) == parse_name(huge)
    assert parse_name(huge) != parse_name(named((oids.ORGANIZATION, UTF8, ("\u0316\u0300" * 16_000).encode())))
    assert normalised == []
