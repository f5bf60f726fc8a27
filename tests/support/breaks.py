"""Ways to break a rule: interceptors for the end that misbehaves, given as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from puretls.crypto.groups import Group, KeyShare
from puretls.crypto.secret import Secret
from puretls.intercept import Direction, Interceptor
from puretls.messages.extension import RawExtension
from puretls.messages.records import Record
from puretls.messages.registry import annotate_handshake
from puretls.spans import patch


@dataclass
class Break(Interceptor):
    """At one tap, outbound: what `wanted(value, where)` picks is replaced by what `change(value)` gives (a value, or a list)."""

    tap: str
    wanted: Callable[[Any, Any], bool]
    change: Callable[[Any], Any]

    def _pass(self, tap, value, where):
        if tap != self.tap or where.direction is not Direction.OUTBOUND or not self.wanted(value, where):
            return [value]
        changed = self.change(value)
        return changed if isinstance(changed, list) else [changed]

    def flight(self, effects, where):
        return self.change(effects) if self.tap == "flight" and self.wanted(effects, where) else effects

    def message(self, message, where):
        return self._pass("message", message, where)

    def handshake(self, raw, where):
        return self._pass("handshake", raw, where)

    def plaintext(self, record, where):
        return self._pass("plaintext", record, where)

    def ciphertext(self, raw, where):
        return self._pass("ciphertext", raw, where)


def message(cls, change, epoch=None):
    """A typed message; lengths follow."""
    return Break("message", lambda value, where: isinstance(value, cls) and epoch in {None, where.epoch}, change)


def fields(cls, epoch=None, **new):
    """Fields of a message set to other values."""
    return message(cls, lambda value: replace(value, **new), epoch)


def drop(cls):
    return message(cls, lambda value: [])


def repeat(cls):
    return message(cls, lambda value: [value, value])


def before(cls, *extra):
    """More messages in front of one."""
    return message(cls, lambda value: [*extra, value])


def after(cls, *extra):
    return message(cls, lambda value: [value, *extra])


def instead(cls, other):
    return message(cls, lambda value: [other])


def late(cls):
    """A message comes after the one that should follow it."""
    held = []

    def change(value):
        if isinstance(value, cls):
            held.append(value)
            return []
        return [value, held.pop()] if held else value

    return Break("message", lambda value, where: True, change)


def body(number, change, epoch=None):
    """The body of a handshake message as bytes; the header's length follows."""

    def changed(raw):
        new = change(raw[4:])
        return raw[:1] + len(new).to_bytes(3, "big") + new

    return Break("handshake", lambda raw, where: raw[0] == number and epoch in {None, where.epoch}, changed)


def raw(number, change):
    """A whole handshake message as bytes."""
    return Break("handshake", lambda value, where: value[0] == number, change)


def patched(number, path, new, key_exchange=None):
    """The bytes of one field replaced, no length touched but the message's own."""

    def change(value):
        made = patch(value, annotate_handshake(value, key_exchange), path, new)
        return made[:1] + (len(made) - 4).to_bytes(3, "big") + made[4:]

    return Break("handshake", lambda value, where: value[0] == number, change)


def record(type_, change, epoch=None):
    """A record before it is sealed."""
    return Break("plaintext", lambda value, where: value.type == type_ and epoch in {None, where.epoch}, change)


def wire(type_, change, epoch=None):
    """A record as it leaves."""
    return Break("ciphertext", lambda value, where: value[0] == type_ and epoch in {None, where.epoch}, change)


def extension(cls, type_, change, epoch=None):
    """The body of an extension in a hello; None takes the extension out."""

    def changed(hello):
        kept = []
        for one in hello.extensions or ():
            if one.extension_type == type_:
                new = change(one.extension_data)
                kept += [] if new is None else [RawExtension(type_, new)]
            else:
                kept.append(one)
        return replace(hello, extensions=tuple(kept) or None)

    return message(cls, changed, epoch)


def add_extension(cls, type_, data=b"", epoch=None):
    return message(cls, lambda hello: replace(hello, extensions=(*(hello.extensions or ()), RawExtension(type_, data))), epoch)


def twice(cls, type_):
    def change(hello):
        found = [one for one in hello.extensions if one.extension_type == type_]
        assert found, f"extension {type_} is not there to be doubled"
        return replace(hello, extensions=(*hello.extensions, *found))

    return message(cls, change)


class BadGroup(Group):
    """A group whose public value is wrong: for the end that misbehaves."""

    def __init__(self, group, public, **parameters) -> None:
        self.name = group.name
        self.p, self.g = getattr(group, "p", 0), getattr(group, "g", 0)
        self.public = public(self) if callable(public) else public
        self.__dict__.update(parameters)

    def generate(self, random):
        return KeyShare(Secret(b"x"), self.public)

    def shared_secret(self, private, peer):
        return Secret(b"any")


def bad_group(provider, public, **parameters):
    """A provider whose groups all send this public value."""
    return replace(
        provider,
        group=lambda name: BadGroup(provider.group(name), public, **parameters),
        finite_field=lambda p, g, **options: BadGroup(provider.finite_field(p, g, **options), public, **parameters),
    )


def plain(type_, data) -> Record:
    return Record(type_, 0x0303, data)
