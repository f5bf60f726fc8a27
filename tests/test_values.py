"""Frozen values do what the standard library's frozen dataclasses with slots do."""

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.values import frozen


class Base:
    __slots__ = ()

    def total(self):
        return self.a + self.b


def declared(decorator, name="Value"):
    class Value(Base):
        """A value."""

        kind = "class attribute"
        a: int
        b: int = 2
        secret: bytes = field(default=b"", repr=False)
        note: str = field(default="", compare=False)
        many: list = field(default_factory=list)

    Value.__qualname__ = Value.__name__ = name
    return decorator(Value)


Ours, Theirs = declared(frozen, "Ours"), declared(dataclass(frozen=True, slots=True), "Theirs")
BOTH = pytest.mark.parametrize("cls", [Ours, Theirs])
arguments = st.fixed_dictionaries(
    {"a": st.integers(0, 3)},
    optional={"b": st.integers(0, 3), "secret": st.binary(max_size=1), "note": st.text(max_size=1), "many": st.lists(st.integers(0, 1), max_size=1)},
)


@given(arguments, arguments)
def test_values_compare_and_show_as_those_of_the_standard_library(one, other):
    ours, theirs = (Ours(**one), Ours(**other)), (Theirs(**one), Theirs(**other))
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    assert repr(ours[0]).replace("Ours", "Theirs") == repr(theirs[0])
    assert [getattr(ours[0], f.name) for f in dataclasses.fields(Ours)] == [getattr(theirs[0], f.name) for f in dataclasses.fields(Theirs)]
    assert ours[0] != theirs[0]
    assert ours[0] != tuple(one.values())


@BOTH
def test_nothing_can_be_set_or_deleted(cls):
    value = cls(1)
    for change in (lambda: setattr(value, "a", 2), lambda: setattr(value, "new", 2), lambda: delattr(value, "a")):
        with pytest.raises((FrozenInstanceError, TypeError)):  # the standard library's own trips over its slots for new names
            change()
    assert value.a == 1
    assert not hasattr(value, "__dict__")


@BOTH
def test_wrong_arguments_are_type_errors(cls):
    for wrong in (cls, lambda: cls(1, c=2), lambda: cls(1, 2, b"", "", [], 6), lambda: cls(1, a=1)):
        with pytest.raises(TypeError):
            wrong()


@BOTH
def test_replace_match_and_copies(cls):
    value = cls(1, 5, many=[1])
    changed = replace(value, b=7)
    match changed:
        case cls(a, b):
            assert (a, b, changed.total()) == (1, 7, 8)
    assert copy.copy(value) == copy.deepcopy(value) == value
    assert copy.deepcopy(value).many is not value.many
    assert cls(1).many is not cls(1).many
    assert cls.kind == value.kind == "class attribute"


@frozen
class Pair:
    left: int
    right: int

    def __post_init__(self):
        if self.left > self.right:
            raise ValueError("not in order")


@frozen
class Named(Pair):
    name: str = ""

    def __str__(self):
        return self.name


@frozen
class Cased:  # noqa: PLW1641  (the decorator gives it a hash)
    text: str

    def __eq__(self, other):
        return isinstance(other, Cased) and self.text.lower() == other.text.lower()


@frozen
class Nothing:
    pass


def test_fields_are_inherited_and_checked():
    named = Named(1, 2, "x")
    assert (named.left, named.right, str(named), repr(named)) == (1, 2, "x", "Named(left=1, right=2, name='x')")
    assert Pair(1, 2) != Named(1, 2)
    with pytest.raises(ValueError, match="order"):
        Named(2, 1)


def test_equal_values_hash_alike_and_own_methods_stay():
    assert {Pair(1, 2), Pair(1, 2), Named(1, 2)} == {Pair(1, 2), Named(1, 2)}
    assert Cased("A") == Cased("a")
    assert hash(Cased("a")) == hash(Cased("a"))
    assert Nothing() == Nothing()
    assert {Nothing(): 1}[Nothing()] == 1


@pytest.mark.parametrize("option", [{"kw_only": True}, {"init": False}])
def test_fields_that_would_be_taken_for_others_are_refused(option):
    class Odd:
        a: int = field(default=0, **option)

    with pytest.raises(TypeError, match=r"Odd\.a: @frozen knows positional fields only"):
        frozen(Odd)


def test_values_survive_pickling():
    assert pickle.loads(pickle.dumps(Named(1, 2, "x"))) == Named(1, 2, "x")
