"""What both roles do with hellos: duplicate checks, parsing the bodies of extensions (RFC 5246 7.4.1.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from puretls.errors import DecodeError, PeerError, Reason
from puretls.extensions import Extension
from puretls.iana import ExtensionType
from puretls.messages.extension import RawExtension, body_name
from puretls.suites import BY_ID, Suite
from puretls.wire.schema import Struct, parse


def index_extensions(extensions: Iterable[RawExtension] | None, message: str) -> dict[int, RawExtension]:
    """By type; raises where one comes twice (RFC 5246 7.4.1.4)."""
    found: dict[int, RawExtension] = {}
    for number, extension in enumerate(extensions or ()):
        if extension.extension_type in found:
            raise PeerError(
                Reason.DUPLICATE_EXTENSION, extension_name(extension.extension_type), path=f"{message}.extensions[{number}].extension_type"
            )
        found[extension.extension_type] = extension
    return found


def extension_name(type_: int) -> str:
    """For people: the registered name, or the number."""
    return type_.name.lower() if isinstance(type_, ExtensionType) else str(type_)


def extension_path(message: str, given: Mapping[int, RawExtension], type_: int, field: str = "") -> str:
    """The path, in the hello called `message`, of a field in the body of one of its extensions; where that is missing, of their length.

    `given` holds the extensions by type, in the order of the message, each type once.
    """
    if type_ not in given:
        return f"{message}.extensions.length"
    place = f"{message}.extensions[{list(given).index(type_)}]"
    return f"{place}.{body_name(given[type_].extension_type)}.{field}" if field else f"{place}.extension_type"


def parse_body(body: type[Struct], raw: RawExtension, extension: Extension) -> Any:
    """The body of an extension; a malformed one is a decode error with the extension's own section."""
    small = len(raw.extension_data) <= _REMEMBERED_LENGTH
    try:
        return (_parse_remembered if small else parse)(body, raw.extension_data)
    except DecodeError as error:
        raise PeerError(
            Reason.MALFORMED_EXTENSION,
            f"{extension_name(raw.extension_type)}: {error.message}",
            path=error.path.removeprefix(body.path_name).removeprefix("."),
            rfc=extension.rfc,
        ) from None


_REMEMBERED_LENGTH = 128
"""Bytes; longer bodies, tickets above all, do not come twice."""
_parse_remembered: Callable[[type, bytes], Any] = lru_cache(maxsize=256)(parse)
"""The same peers send the same extensions again and again; bodies are frozen, so one will do for all."""


def known_suites(numbers: Iterable[int], allowed: Mapping[int, Suite] = BY_ID) -> tuple[Suite, ...]:
    """The suites among `numbers` that are known, in their order."""
    return tuple([suite for suite in map(allowed.get, numbers) if suite is not None])
