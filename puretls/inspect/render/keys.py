"""The key ledger as HTML: each value with what it is made of, linked to the values and the messages that go into it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from puretls.inspect.ledger.nodes import GIVEN, MISSING, Argument, Node, Ref
from puretls.inspect.render.markup import Html, children, element, sections
from puretls.text import counted

if TYPE_CHECKING:
    from puretls.inspect.ledger import Ledger

FORMULAS: Mapping[str, str] = {
    "master_secret": 'PRF-{0}({1}, "master secret", {2} + {3}), 48 bytes',
    "extended_master_secret": 'PRF-{0}({1}, "extended master secret", {2}), 48 bytes',
    "key_block": 'PRF-{0}({1}, "key expansion", {2} + {3}), {4} bytes',
    "verify_data": 'PRF-{0}({1}, "{2}", {3}), 12 bytes',
    "rsa_premaster": "{0}, decrypted with the server's RSA key",
    "psk_premaster": "length + {0} + length + {1}",
    "nonce_from_sequence": "{0} XOR sequence number {1}",
    "header": "sequence number {0}, content type {1}, version 0x0303, length {2}",
    "aes_256_gcm_open": "AES-256-GCM with key {0} and nonce {1} opens {2}, with {3} authenticated",
    "mac": "HMAC-{0}({1}, {2} + {3})",
}
"""Functions of `ledger.formulas` and `ledger.aes` in a line; `{0}` is the first argument. The others are written by `formula` itself."""
HIDDEN = "secret, not shown here"
_FITS = 64
"""Bytes that are shown at once on a phone; more can be scrolled, by the keyboard too."""
Link = Callable[[str], str]
"""The address of a value of the ledger, by its name; "" where it has none."""


def nowhere(name: str) -> str:
    """For renderings in which nothing can be linked to."""
    return ""


def formula(node: Node, link: Link = nowhere) -> Html:
    """How it is computed."""
    if node.formula == GIVEN:
        return Html("as it was sent") if node.path else Html("given")
    if node.formula == MISSING:
        return children("not known")
    shown = [_argument(argument, link) for argument in node.arguments]
    if node.formula == "cut":
        start, end = (argument for argument in node.arguments if isinstance(argument, int))
        return children(
            "byte " if end == start + 1 else "bytes ", start, f" to {end - 1}" if end > start + 1 else None, " of ", shown[0]
        )
    if node.formula == "join":
        return _sum(shown)
    if node.formula == "digest":
        return children(str(node.arguments[0]).upper(), "(", _sum(shown[1:]), ")")
    parts = re.split(r"\{(\d)\}", FORMULAS[node.formula])
    return children(*(shown[int(part)] if index % 2 else part for index, part in enumerate(parts)))


def _sum(shown: list[Html]) -> Html:
    return children(*(children(" + " if index else None, each) for index, each in enumerate(shown)))


def _argument(argument: Argument, link: Link) -> Html:
    if not isinstance(argument, Ref):
        return children(str(argument))
    address = link(argument.name)
    return element("a", argument.name, href=address) if address else element("span", argument.name, class_="ref")


def value(node: Node, *, secrets: bool = True, most: int = 512) -> Html:
    """The bytes in hexadecimal, unless they are secret and those are not wanted."""
    if node.value is None:
        return element("p", node.meaning, class_="missing")
    if node.secret and not secrets:
        return element("p", f"{counted(len(node.value), 'byte')}, {HIDDEN}", class_="missing")
    more = f" ... {len(node.value) - most} more" if len(node.value) > most else ""
    return element(
        "code", bytes(node.value[:most]).hex(" ") + more, class_="bytes", tabindex=0 if len(node.value) > _FITS else None
    )


def card(node: Node, link: Link, *, name: str | None, used: Iterable[str] = ()) -> Html:
    """One value: name, formula, bytes, meaning, section, and what is made of it."""
    made = list(used)
    return element(
        "div",
        element("h4", node.name, element("span", "secret", class_="tag secret") if node.secret else None),
        element("p", "= ", formula(node, link), class_="formula"),
        value(node),
        element("p", node.meaning if node.value is not None else None, " ", sections(node.rfc), class_="note"),
        element("p", "Goes into ", _listed(made, link), class_="note") if made else None,
        id=name,
        class_="node",
    )


def _listed(names: Iterable[str], link: Link) -> Html:
    return children(*(children(", " if index else None, _argument(Ref(name), link)) for index, name in enumerate(names)))


def uses(ledger: Ledger) -> dict[str, list[str]]:
    """Of each value what is made of it."""
    found: dict[str, list[str]] = {node.name: [] for node in ledger.nodes}
    for node in ledger.nodes:
        for name in dict.fromkeys(node.inputs):
            found[name].append(node.name)
    return found
