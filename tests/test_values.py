"""Frozen values do what the standard library's frozen dataclasses do, with slots (`frozen`) and without (`extensible`)."""

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls import values
from puretls.values import extensible, frozen, replace


class Base:
    __slots__ = ()

    def total(self):
        return self.a + self.b


def declared(decorator, field, name):
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


Ours, Theirs = declared(frozen, values.field, "Ours"), declared(dataclass(frozen=True, slots=True), field, "Theirs")
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


def test_signatures_and_fields_are_those_of_the_standard_library():
    ours, theirs = inspect.signature(Ours).parameters.values(), inspect.signature(Theirs).parameters.values()
    assert [(p.name, p.kind, p.default is p.empty) for p in ours] == [(p.name, p.kind, p.default is p.empty) for p in theirs]
    assert dataclasses.is_dataclass(Ours)
    for mine, other in zip(dataclasses.fields(Ours), dataclasses.fields(Theirs), strict=True):
        assert all(getattr(mine, name) == getattr(other, name) for name in ("name", "type", "default", "default_factory", "repr", "compare", "kw_only"))


@pytest.mark.parametrize("field", [values.field, field], ids=["ours", "standard"])
def test_fields_of_either_kind_mean_the_same(field):
    cls = declared(frozen, field, "Value")
    assert repr(cls(1, secret=b"x")) == "Value(a=1, b=2, note='', many=[])"
    assert cls(1, note="x") == cls(1, note="y")
    assert cls(1).many is not cls(1).many


@BOTH
def test_wrong_arguments_are_type_errors(cls):
    with pytest.raises(TypeError, match=rf"{cls.__name__}.__init__\(\) missing 1 required positional argument: 'a'"):
        cls()
    for wrong in (cls, lambda: cls(1, c=2), lambda: cls(1, 2, b"", "", [], 6), lambda: cls(1, a=1)):
        with pytest.raises(TypeError):
            wrong()


@BOTH
@pytest.mark.parametrize("replace", [replace, dataclasses.replace], ids=["ours", "standard"])
def test_replace_match_and_copies(cls, replace):
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


@pytest.mark.parametrize("decorator", [frozen, extensible(), dataclass(frozen=True)], ids=["frozen", "extensible", "standard"])
def test_a_field_without_a_default_does_not_follow_one_that_has_one(decorator):
    class Odd:
        a: int = 0
        b: int

    with pytest.raises(TypeError, match=r"b.*default"):
        decorator(Odd)


@pytest.mark.parametrize("decorator", [frozen, extensible(), dataclass(frozen=True)], ids=["frozen", "extensible", "standard"])
def test_a_default_that_all_values_would_change_together_is_refused(decorator):
    with pytest.raises(ValueError, match=r"default_factory"):
        decorator(type("Odd", (), {"__annotations__": {"a": "list"}, "a": []}))


@pytest.mark.parametrize("option", [{"kw_only": True}, {"init": False}])
def test_fields_that_would_be_taken_for_others_are_refused(option):
    class Odd:
        a: int = field(default=0, **option)

    with pytest.raises(TypeError, match=r"Odd\.a: @frozen knows positional fields only"):
        frozen(Odd)


def test_values_survive_pickling():
    assert pickle.loads(pickle.dumps(Named(1, 2, "x"))) == Named(1, 2, "x")


# Classes of which applications make subclasses


def opened(decorator, keyword_decorator):
    """A base, and a subclass of it, as configurations and extensions are."""

    class Base:
        kind: ClassVar[str] = "base"
        name: str
        size: int = 3
        secret: bytes = field(default=b"", repr=False)
        many: list = field(default_factory=list, compare=False)
        enabled: bool = field(default=True, kw_only=True)

        def doubled(self):
            return 2 * self.size

    Base.__qualname__ = Base.__name__ = "Base"
    base = decorator(Base)

    class More(base):
        size: int = 5
        extra: str = "x"

    More.__qualname__ = More.__name__ = "More"
    return base, keyword_decorator(More)


OPEN, STANDARD = opened(extensible(), extensible(kw_only=True)), opened(dataclass(frozen=True), dataclass(frozen=True, kw_only=True))
base_arguments = st.fixed_dictionaries(
    {"name": st.text(max_size=1)},
    optional={"size": st.integers(3, 5), "secret": st.binary(max_size=1), "many": st.lists(st.integers(), max_size=1), "enabled": st.booleans()},
)


@given(base_arguments, base_arguments, st.sampled_from([0, 1]))
def test_open_classes_compare_and_show_as_those_of_the_standard_library(one, other, index):
    ours, theirs = OPEN[index], STANDARD[index]
    if index:
        one, other = ({"extra": "y", **arguments} for arguments in (one, other))
    assert (ours(**one) == ours(**other)) == (theirs(**one) == theirs(**other))
    assert repr(ours(**one)) == repr(theirs(**one))
    assert hash(ours(**one)) == hash(ours(**one))
    assert [(f.name, f.kw_only, getattr(ours(**one), f.name)) for f in dataclasses.fields(ours)] == [
        (f.name, f.kw_only, getattr(theirs(**one), f.name)) for f in dataclasses.fields(theirs)
    ]
    assert replace(ours(**one), size=9).doubled() == 18
    assert ours(**one) != theirs(**one)


BOTH_OPEN = pytest.mark.parametrize("base", [OPEN[0], STANDARD[0]], ids=["ours", "standard"])


@BOTH_OPEN
def test_fields_of_open_classes_are_where_the_standard_library_has_them(base):
    assert base.__match_args__ == ("name", "size", "secret", "many")
    assert base.size == 3
    assert not hasattr(base, "many")
    assert base("a", 1, b"", [], enabled=False).enabled is False
    for wrong in (base, lambda: base("a", 1, b"", [], False), lambda: base("a", other=1)):
        with pytest.raises(TypeError):
            wrong()
    value = base("a")
    assert copy.copy(value) == copy.deepcopy(value) == value
    assert copy.deepcopy(value).many is not value.many


def test_what_a_subclass_sets_without_an_annotation_is_no_field():
    class More(OPEN[0]):
        size = 9
        other: int = 1

    made = extensible()(More)
    assert (made.size, made("a").size, made("a").other) == (9, 3, 1)


@BOTH_OPEN
def test_applications_make_subclasses_with_the_standard_decorator_or_with_none(base):
    @dataclass(frozen=True)
    class Decorated(base):
        more: int = 1

    class Plain(base):
        def __init__(self, name):
            super().__init__(name)
            self.note = "set by a subclass"

    assert (Decorated("a", more=2).more, Decorated("a").size, Decorated("a") == Decorated("a")) == (2, 3, True)
    assert Plain("a").note == "set by a subclass"
    assert replace(Decorated("a", more=2), size=9) == Decorated("a", 9, more=2)
    assert repr(Decorated("a", more=2)).endswith("many=[], enabled=True, more=2)")
    for value, name in ((Decorated("a"), "more"), (Decorated("a"), "new"), (Plain("a"), "size"), (base("a"), "name"), (base("a"), "new")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 1)
        with pytest.raises(FrozenInstanceError):
            delattr(value, name)
    with pytest.raises(TypeError, match="frozen"):
        dataclass(type("Thawed", (base,), {"__annotations__": {"x": int}, "x": 1}))


@pytest.mark.parametrize(("ours", "theirs"), [(extensible(eq=False), dataclass(frozen=True, eq=False)), (extensible(init=False), dataclass(frozen=True, init=False))])
def test_options_of_open_classes(ours, theirs):
    made = []
    for decorator in (ours, theirs):

        class Value:
            a: int = 1

            def __init__(self, a=7):
                object.__setattr__(self, "a", a)

        Value.__qualname__ = "Value"
        made.append(decorator(Value))
    for cls in made:
        assert (cls() == cls()) == (made[1]() == made[1]())
        assert repr(cls()) == repr(made[1]())


def test_a_class_without_a_docstring_is_made_without_a_signature(monkeypatch):
    """So are all classes under `python -OO`; 3.11.2 finds no signature of a class without `__init__`, and raises."""
    monkeypatch.delattr(inspect, "signature")

    @frozen
    class Bare:
        number: int

    assert Bare(1).number == 1
