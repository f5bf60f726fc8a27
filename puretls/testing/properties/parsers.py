"""Properties of parsers: of any function that makes a value of bytes, whatever the format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from puretls.testing.properties.property import Property, Violated, unless
from puretls.values import frozen


@frozen
class Parser:
    """A parser to be tested: what it may raise, what writes its values again, and strategies of its values and of its input.

    `parse(data)` takes bytes. `inputs` are what is almost right, such as `der.almost(certificate)` or `tls.almost(tls.client_hellos())`:
    bytes, or `Mutated`. `serialise` and `values` are for `parsing_undoes_serialising` alone.
    """

    name: str
    parse: Callable[[bytes], Any]
    errors: tuple[type[Exception], ...] = ()
    inputs: Any = field(default=None, repr=False)
    serialise: Callable[[Any], bytes] | None = None
    values: Any = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.name


def _any_input(subject: Parser) -> Any:
    from hypothesis import strategies as st

    noise = st.binary(max_size=200)
    return noise if subject.inputs is None else st.one_of(subject.inputs, subject.inputs, noise)


def _parse_anything(subject: Parser, case: Any) -> None:
    data = getattr(case, "data", case)
    try:
        subject.parse(bytes(data))
    except subject.errors:
        pass
    except RecursionError as error:
        raise only_own_errors_of_parser.violated(subject, "RecursionError") from error
    except Exception as error:
        raise only_own_errors_of_parser.violated(subject, f"{type(error).__name__}: {error}") from error


only_own_errors_of_parser: Property = Property(
    "only_own_errors_of_parser",
    "any bytes make a value, or one of the parser's own exceptions",
    "RFC 5246 7.2.2",
    _any_input,
    _parse_anything,
)


def _parse_again(subject: Parser, value: Any) -> None:
    if subject.serialise is None:
        raise Violated(f"{subject.name}: a serialiser is needed")
    data = subject.serialise(value)
    again = subject.parse(data)
    unless(again == value, subject, parsing_undoes_serialising, f"{value!r} became {again!r}")
    unless(subject.serialise(again) == data, subject, parsing_undoes_serialising, "the same value was written in two ways")


parsing_undoes_serialising: Property = Property(
    "parsing_undoes_serialising",
    "what is serialised parses to the same value, and is written the same way again",
    "RFC 5246 4",
    lambda subject: subject.values,
    _parse_again,
)
