"""A conversation as one HTML file that needs nothing else: read from top to bottom, down to each byte.

The file loads nothing from anywhere, and its policy forbids that too. Without JavaScript it tells the same in the same order; with it every
byte can be chosen. Stylesheet and program lie in the folder `assets` and are read when a page is made.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from puretls.inspect import forensics, texts
from puretls.inspect.render.document import without_secrets
from puretls.inspect.render.markup import Html, children, element, json_text
from puretls.inspect.render.statepath import arrowhead, state_picture
from puretls.inspect.render.story import Story
from puretls.inspect.streams import SIDES, Gap
from puretls.text import counted

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation


def page(conversation: Conversation, *, secrets: bool = True) -> str:
    """The conversation as the text of an HTML file.

    With `secrets` the page shows what could be decrypted, and the values of the key ledger as far as they are known: who reads it can
    decrypt what was recorded. Without them it shows what somebody sees who has the bytes alone. Of long conversations the page shows the
    first 64 KiB of bytes and names the rest, message by message, up to 400; where it leaves something out it says so.
    """
    return _Page(conversation if secrets else without_secrets(conversation), secrets=secrets).text()


def asset(name: str) -> str:
    """A file of the folder `assets`."""
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """A content security policy under which nothing but these two texts has an effect, and nothing is loaded."""
    style_hash, script_hash = (b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    return f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'"


_GAPS = 8
"""Gaps that are told one by one."""


class _Page:
    """One page on its way: its story, and what stands around that."""

    def __init__(self, conversation: Conversation, *, secrets: bool) -> None:
        self.seen, self.secrets = conversation, secrets
        self.story = Story(conversation)

    def text(self) -> str:
        """The file."""
        style, script = asset("page.css"), asset("bytes.js") + asset("page.js")
        main = element("main", self._findings(), *self.story.told(), self._ledger(), self._states())
        data = self.story.dumps.tables | {"dumps": self.story.dumps.rows, "keys": self.story.anchors}
        body = element("body", self._bar(), element("div", self._head(), self.story.thread(), main, _panel(), class_="page"),
                       element("script", json_text(data), id="data", type="application/json"),
                       element("script", Html(script)))  # fmt: skip
        head = element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", name="referrer", content="no-referrer"),
            element("title", self._title),
            element("style", Html(style)),
        )
        return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"

    # What is said of the whole

    @property
    def _title(self) -> str:
        return f"TLS 1.2, byte by byte: {self.seen.name}" if self.seen.name else "A TLS conversation, byte by byte"

    def _bar(self) -> Html:
        links = [("#top", "Top"), ("#messages", "Messages"), ("#ledger", "Keys"), ("#states", "States")]
        find = element("input", type="search", id="find", placeholder="Find a field, for example random", aria_label="Find a field",
                       autocomplete="off", spellcheck="false")  # fmt: skip
        return element(
            "header",
            element("a", "Skip to the messages", href="#messages", class_="skip"),
            element("nav", *(element("a", name, href=to) for to, name in links), aria_label="Parts of this page"),
            element("div", find, element("span", id="found", role="status"), class_="find"),
            class_="bar",
        )

    def _head(self) -> Html:
        seen = self.seen
        suite = texts.cipher_suite(seen.suite.id) if seen.suite else None
        facts = [
            ("Outcome", children(_sentence(seen.outcome.sentence))),
            (
                "Cipher suite",
                children(element("code", seen.suite.name), f" {suite.meaning}" if suite else None) if seen.suite else None,
            ),
            ("Bytes", children(f"{seen.client.length:,} from the client, {seen.server.length:,} from the server")),
            ("Missing", children(self._missing()) if self._missing() else None),
            ("Between", children(f"{seen.addresses[0]} and {seen.addresses[1]}") if seen.addresses != SIDES else None),
            ("Began", children(_moment(seen.began)) if seen.began is not None else None),
            ("Secrets", children(self._secrets_told())),
        ]
        return element(
            "section",
            element("h1", self._title),
            element("p", _LEAD, class_="lead"),
            element(
                "dl", *(element("div", element("dt", name), element("dd", told)) for name, told in facts if told), class_="facts"
            ),
            element("p", _HOW, class_="how js"),
            element("noscript", element("p", "Without JavaScript the bytes cannot be chosen; all else is here.", class_="how")),
            legend(),
            id="top",
            class_="head",
            aria_label="About this conversation",
        )

    def _missing(self) -> str:
        gaps = [(side, gap) for side in SIDES for gap in self.seen.gaps(side)]
        told = [_gap(side, gap) for side, gap in gaps[:_GAPS]]
        return " ".join([*told, f"There are {len(gaps) - _GAPS} more gaps." if len(gaps) > _GAPS else ""]).strip()

    def _secrets_told(self) -> str:
        if not self.secrets:
            return "Left out: keys, and all that was encrypted."
        if any(node.secret and node.value is not None for node in self.seen.ledger.nodes):
            return "This page holds secrets: who has it can read, and forge, what this connection protected."
        return "None are known: what is encrypted stays closed."

    def _findings(self) -> Html | None:
        found = forensics.examine(self.seen)
        return (
            element("section", element("h2", "What went wrong"), *map(told, found), id="findings", class_="findings")
            if found
            else None
        )

    def _ledger(self) -> Html:
        return element(
            "section", element("h2", "Key ledger"), element("p", LEDGER, class_="words"), *self.story.ledger(), id="ledger"
        )

    def _states(self) -> Html:
        pictures = [element("figure", element("figcaption", f"The {side}"), state_picture(self.seen, side)) for side in SIDES]
        return element("section", element("h2", "States"), element("p", _STATES, class_="words"), arrowhead(),
                       element("div", *pictures, class_="pictures"), id="states")  # fmt: skip


_LEAD = (
    "This is everything that a client and a server sent each other on one connection. Read it from top to bottom: each message says what "
    "it is, why it is sent, and what it changes. Under each stand its bytes, as they travelled and, where they were encrypted, as they "
    "were meant."
)
_HOW = (
    "Choose a byte to see what it means: click it, or reach it with Tab and go on with the arrow keys. Enter goes to the same byte in the "
    "other view, n and p to the next and the previous field, Home and End to the ends of a block, Escape closes what was shown."
)
LEDGER = (
    "Every value between the two hellos and the last Finished, what it is made of, and by which formula. PRF is the pseudorandom function "
    "of RFC 5246 section 5, + puts bytes one after the other."
)
_STATES = (
    "Each end goes through states, and in each it takes only some messages; any other is refused. Filled boxes and bold arrows are the way "
    "of this connection, thin lines are the other ways that there are. Numbers count the steps."
)


def told(finding: forensics.Finding) -> Html:
    """One thing that went wrong, with the bytes at fault and what to try."""
    return element(
        "dl", *(element("div", element("dt", name), element("dd", told)) for name, told in finding.lines()), class_="facts"
    )


def legend() -> Html:
    """What the colours of bytes say."""
    kinds = [("frame", "record header"), ("seal", "nonce, tag, MAC, padding"), ("sealed", "encrypted"), ("frame2", "type, tag, length"),
             ("", "content"), ("fault", "cannot be read")]  # fmt: skip
    return element(
        "p", *(children(element("span", "00", class_=f"key {kind}"), f" {name} ") for kind, name in kinds), class_="legend"
    )


def _panel() -> Html:
    close = element("button", "Close", type="button", id="close")
    return element("aside", element("div", id="told"), close, id="panel", aria_label="The byte that was chosen")


def _gap(side: str, gap: Gap) -> str:
    size = counted(gap.length, "byte") if gap.length else "some bytes"
    return f"{size} of the {side} are missing from offset {gap.offset} on: {gap.why}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _moment(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
