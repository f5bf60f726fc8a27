"""How a failing example is shown: the call that makes the value, and every byte of it with its field."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from hypothesis.vendor.pretty import for_type_by_name

from puretls.config import ClientConfig, Credential, ServerConfig
from puretls.inspect.render.hexdump import hexdump, of_spans
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.registry import annotate_handshake, serialise_handshake
from puretls.spans import Span
from puretls.suites import Suite
from puretls.testing import honest
from puretls.testing.mapped import WIDTH, print_lines
from puretls.wire.schema import Struct, annotate, serialise


def install(classes: Iterable[type[Struct]]) -> None:
    """Have hypothesis print values of these classes with the map of their bytes."""
    for cls in classes:
        for_type_by_name(cls.__module__, cls.__name__, _print_struct)
    for config in (ClientConfig, ServerConfig):
        for_type_by_name(config.__module__, config.__name__, _print_config)


def map_of(value: Struct) -> Iterator[str]:
    """The bytes of a struct, field by field; of a handshake message with its header."""
    data, spans = _mapped(value)
    return hexdump(of_spans(data, spans), WIDTH)


def _mapped(value: Struct) -> tuple[bytes, Sequence[Span]]:
    if isinstance(value, HandshakeMessage) and hasattr(type(value), "handshake_type"):
        data = serialise_handshake(value)
        return data, annotate_handshake(data, None) if not _depends(value) else _with_header(value, data)
    data = serialise(value)
    return data, annotate(type(value), data)


def _depends(value: HandshakeMessage) -> bool:
    """Whether the form of a message depends on a key exchange, so that its class knows more than its number."""
    return value.path_name in {"ServerKeyExchange", "ClientKeyExchange"}


def _with_header(value: HandshakeMessage, data: bytes) -> Sequence[Span]:
    return [*annotate_handshake(data, None)[:2], *annotate(type(value), data, 4)]


def _print_struct(value: Any, printer: Any, cycle: bool) -> None:
    """The call that makes the value again when it is pasted, then the map as comments."""
    indent = "\n" + " " * printer.indentation
    fields = [f"{name}={source(getattr(value, name))}" for name, _ in value.wire_fields]
    printer.text(
        f"{type(value).__name__}(" + "".join(f"{indent}    {field}," for field in fields) + f"{indent if fields else ''})"
    )
    try:
        lines = list(map_of(value))
    except Exception as error:  # a value that cannot be serialised may be what the test is about
        lines = [f"not serialised: {type(error).__name__}"]
    print_lines(printer, iter(lines))


_OWN = frozenset(("provider", "random", "clock", "verifier"))
"""Fields of a configuration that tell nothing about it."""


def _print_config(config: Any, printer: Any, cycle: bool) -> None:
    """The fields that are others than usual; what a suite or a credential is, by its name."""
    usual = honest.config_of("client" if isinstance(config, ClientConfig) else "server")
    printer.text(f"{type(config).__name__}(")
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name not in _OWN and value != getattr(usual, field.name):
            said = tuple(map(_named, value)) if isinstance(value, tuple) else _named(value)
            printer.text("\n" + " " * printer.indentation + f"    {field.name}={source(said)},")
    printer.text(")")


def _named(value: object) -> object:
    if isinstance(value, Suite):
        return value.name
    return f"a credential on {getattr(value.public_key, 'curve', 'RSA')}" if isinstance(value, Credential) else value


def source(value: object) -> str:
    """Python for a value that fields of structs have: names of registries with their class, structs as calls."""
    if isinstance(value, IntEnum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, Struct):
        return f"{type(value).__name__}({', '.join(source(getattr(value, name)) for name, _ in value.wire_fields)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(source, value))}{',' if len(value) == 1 else ''})"
    return repr(value)
