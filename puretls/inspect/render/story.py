"""The thread of a page: each message in order, what it is, what it changes, and its bytes; and the keys where they come to be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from puretls.errors import DecodeError
from puretls.inspect import texts
from puretls.inspect.bytemap import Leaf
from puretls.inspect.ledger.handshakes import suffix
from puretls.inspect.ledger.nodes import GIVEN
from puretls.inspect.render import keys
from puretls.inspect.render.dumps import MOST_OF_A_LEAF, Dumps
from puretls.inspect.render.fields import fields
from puretls.inspect.render.ladder import message_label
from puretls.inspect.render.markup import Html, children, element, sections
from puretls.inspect.render.scenes import Scene, scenes
from puretls.inspect.seen import MessageSeen, RecordSeen, StraySeen
from puretls.inspect.streams import SIDES
from puretls.messages.handshake import Certificate
from puretls.text import counted, printable
from puretls.x509.certificates.certificate import Certificate as X509Certificate
from puretls.x509.certificates.text import certificate_text

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

MOST_BYTES = 2**16
"""Bytes that the dumps of a page show in all; further messages are told without theirs."""
MOST_SCENES = 400
_RECORDS_TOLD = 12
_LATER_RECORDS = "How this record and those after it were protected is left out here; the ledger as a program tells it."
"""Protected records of which nonce and additional data are shown."""
_COMPUTATION = (
    "Nothing is sent here. From the key exchange both ends have the same premaster secret, and with the two randoms they compute the same "
    "keys: the master secret first, then a block of bytes that is cut into one key for each purpose and direction."
)


class Story:
    """What the parts of one page share: the scenes, the bytes that were shown, and where each value of the ledger stands."""

    def __init__(self, conversation: Conversation) -> None:
        self.seen = conversation
        self.dumps: Dumps = Dumps(conversation, most=MOST_BYTES)
        self.scenes: list[Scene] = scenes(conversation)
        self._told = 0
        """Protected records whose nonce was shown."""
        self._texts: set[str] = set()
        """What was told of fields."""
        self._first: dict[str | bytes, str] = {}
        """Texts of messages, and certificates, with the name of the scene that tells them; others lead there."""

    @cached_property
    def anchors(self) -> dict[str, str]:
        """Where each value of the ledger is on the page: messages at their scenes, the rest in the ledger."""
        at = {scene.seen.path: f"m{index}" for index, scene in enumerate(self.scenes[:MOST_SCENES])}
        return {node.name: at.get(node.name, f"k{index}") for index, node in enumerate(self.seen.ledger.nodes)}

    def link(self, name: str) -> str:
        return f"#{self.anchors[name]}" if name in self.anchors else ""

    def thread(self) -> Html:
        rungs = []
        for index, scene in enumerate(self.scenes[:MOST_SCENES]):
            sealed = any(record.epoch for record in scene.records)
            size = element("span", f"{scene.size:,}", class_="size") if scene.size else None
            text = element(
                "a", element("span", _direction(scene.side), class_="hidden"), element("b", name(scene)), size, href=f"#m{index}"
            )
            bad = " bad" if is_refused(scene) else ""
            rungs.append(element("li", text, class_=f"{scene.side}{' sealed' if sealed else ''}{bad}"))
        heads = element("p", element("span", "client"), element("span", "server"), class_="ends", aria_hidden="true")
        return element("nav", heads, element("ol", *rungs), class_="thread", aria_label="Messages in order")

    def told(self) -> Iterator[Html]:
        yield element("h2", "Messages", id="messages")
        computed: set[int] = set()
        for index, scene in enumerate(self.scenes):
            if index == MOST_SCENES:
                rest = len(self.scenes) - index
                yield element("p", f"{counted(rest, 'more message')} are not on this page; the JSON of the conversation has them all.",
                              class_="note")  # fmt: skip
                return
            seen = scene.seen
            if (
                isinstance(seen, MessageSeen)
                and seen.name == "ChangeCipherSpec"
                and (number := seen.handshake or 0) not in computed
            ):
                computed.add(number)
                yield self._computation(number)
            yield self._scene(index, scene)
        if not self.scenes:
            yield element("p", "Nothing was sent.", class_="note")

    def ledger(self) -> list[Html]:
        """The values of the key ledger that are made of others, one by one."""
        used, nodes = keys.uses(self.seen.ledger), self.seen.ledger.nodes
        made = [node for node in nodes if not (node.formula == GIVEN and node.path == node.name)]
        empty = [element("p", "No handshake came far enough for keys.", class_="note")]
        return [keys.card(node, self.link, name=self.anchors[node.name], used=used[node.name]) for node in made] or empty

    def scene(self, index: int) -> Html:
        """One message with all that belongs to it; `dumps` then has the rows of its bytes."""
        return self._scene(index, self.scenes[index])

    def _scene(self, index: int, scene: Scene) -> Html:
        seen, told = scene.seen, texts.explain_path(scene.seen.path)
        head = element(
            "header",
            element("p", _direction(scene.side), class_=f"side {scene.side}"),
            element("h3", name(scene)),
            element("p", element("code", seen.path), class_="path"),
        )
        words = [self._words(index, scene, told)] if told else []
        return element(
            "section",
            head,
            *words,
            self._situation(scene),
            self._trouble(scene),
            self._bytes(index, scene),
            self._fields(index, scene),
            self._certificates(index, seen),
            self._sealing(scene),
            self._links(seen),
            id=f"m{index}",
            class_=f"scene {scene.side}",
        )

    def _words(self, index: int, scene: Scene, told: texts.Text) -> Html:
        """What it is; of what was told before, where."""
        first = self._first.setdefault(told.meaning, f"m{index}")
        if first == f"m{index}":
            return element("p", told.meaning, " ", told.why, " ", sections(told.rfc), class_="words")
        place = element("a", "the first of its kind", href=f"#{first}")
        return element("p", "What it is and why it is sent stands at ", place, ".", class_="words")

    def _situation(self, scene: Scene) -> Html:
        seen = scene.seen
        moved = [_moved(side, seen) for side in SIDES] if isinstance(seen, MessageSeen) else []
        how = self._protection(scene)
        time = getattr(seen, "time", None)
        began = (
            self.seen.began
            if self.seen.began is not None
            else next((r.time for r in self.seen.records if r.time is not None), None)
        )
        after = (
            f"{(time - began) / 1e6:,.3f} ms after the beginning."
            if time is not None and began is not None and time > began
            else None
        )
        return element("p", *(children(each, " ") for each in moved), how, f" {after}" if after else None, class_="situation")

    def _protection(self, scene: Scene) -> Html:
        sealed = [record for record in scene.records if record.epoch]
        if not scene.records:
            return children("It shares a record with the message before it." if isinstance(scene.seen, MessageSeen) else "")
        numbers = ", ".join(str(record.number) for record in scene.records)
        which = f"Record {numbers} of the {scene.side}" if len(scene.records) == 1 else f"Records {numbers} of the {scene.side}"
        if not sealed:
            return children(f"{which}, in the clear.")
        key = sealed[0].key
        name = key.name if key else ""
        return children(f"{which}, protected with ", self._key_link(scene, name), f", sequence number {sealed[0].sequence}.")

    def _key_link(self, scene: Scene, name: str) -> Html:
        leaf = next((leaf for leaf in (*scene.plain, *scene.wire) if leaf.key), None)
        names = self.dumps.keys_of(leaf) if leaf else []
        return element("a", names[0], href=self.link(names[0])) if names else element("code", name)

    @staticmethod
    def _trouble(scene: Scene) -> Html | None:
        told = [str(record.problem) for record in scene.records if record.problem] + [_problem(scene)]
        lines = [element("li", line) for line in dict.fromkeys(told) if line]
        return element("ul", *lines, class_="trouble" if is_refused(scene) else "closed") if lines else None

    def _bytes(self, index: int, scene: Scene) -> Html | None:
        if not scene.wire and not scene.plain:
            return None
        if self.dumps.left <= 0:
            return element(
                "p", f"Its {counted(scene.size, 'byte')} are not shown: this page has shown {MOST_BYTES:,} bytes.", class_="note"
            )
        views = [(f"w{index}", "On the wire", scene.wire), (f"p{index}", "Decrypted", scene.plain)]
        shown = [self._dump(name, title, leaves) for name, title, leaves in views if leaves]
        return element("div", *shown, class_="views two" if len(shown) == 2 else "views")

    def _dump(self, name: str, title: str, leaves: tuple[Leaf, ...]) -> Html:
        text = self.dumps.hexadecimal(name, leaves)
        size = sum(leaf.length for leaf in leaves)
        left = sum(max(0, leaf.length - MOST_OF_A_LEAF) for leaf in leaves)
        more = element("p", f"{left:,} bytes of long fields are left out.", class_="note") if left else None
        first = leaves[0]
        label = f"{title}, {counted(size, 'byte')} of the {first.side} from offset {first.start} on"
        box = element("div", text, id=name, class_="hex", data_side=first.side, data_view=first.view, data_label=label)
        return element(
            "div", element("h5", title, element("span", counted(size, "byte"), class_="size")), box, more, class_="dump"
        )

    def _fields(self, index: int, scene: Scene) -> Html | None:
        if not isinstance(scene.seen, MessageSeen):
            return None
        leaves, dump = (scene.plain, f"p{index}") if scene.plain else (scene.wire, f"w{index}")
        return fields(self.dumps, leaves, scene.seen.path, dump, self._texts)

    def _certificates(self, index: int, seen: object) -> Html | None:
        message = seen.message if isinstance(seen, MessageSeen) else None
        if not isinstance(message, Certificate):
            return None
        made = []
        for number, raw in enumerate(message.certificate_list):
            first = self._first.setdefault(bytes(raw), f"m{index}")
            if first != f"m{index}":
                made.append(element("p", f"Certificate {number} is one that was ", element("a", "shown before", href=f"#{first}"), ".",
                                    class_="note"))  # fmt: skip
                continue
            try:
                told = certificate_text(X509Certificate.read(bytes(raw)))
            except DecodeError as bad:
                told = printable(f"cannot be read: {bad}")
            made.append(
                element(
                    "details", element("summary", f"Certificate {number} in words"), element("pre", *_lines(told), tabindex=0)
                )
            )
        return element("div", *made, class_="certificates")

    def _computation(self, number: int) -> Html:
        """What both ends compute before the first ChangeCipherSpec of a handshake."""
        end = suffix(number)
        names = ["pre_master_secret", "session_hash", "master_secret", "key_block"]
        names += [f"{side}_write_{kind}" for kind in ("MAC_key", "key", "IV") for side in SIDES]
        nodes = [self.seen.ledger[name + end] for name in names if name + end in self.seen.ledger]
        rows = [
            element(
                "div",
                element("dt", element("a", node.name, href=self.link(node.name))),
                element("dd", keys.formula(node, self.link), keys.value(node)),
            )
            for node in nodes
        ]
        return element(
            "section", element("header", element("p", "client and server, each for itself", class_="side both"),
                               element("h3", "Both ends compute the keys")),
            element("p", _COMPUTATION, class_="words"), element("dl", *rows, class_="computed"), class_="scene both",
        )  # fmt: skip

    def _sealing(self, scene: Scene) -> Html | None:
        """Nonce and additional data, or the MAC, of the first protected records."""
        made = []
        for record in scene.records:
            nodes = self.seen.ledger.record(record.side, record.number) if self._told <= _RECORDS_TOLD else ()
            self._told += bool(nodes)
            if nodes and self._told > _RECORDS_TOLD:
                made.append(element("p", _LATER_RECORDS, class_="note"))
                break
            made += [keys.card(node, self.link, name=None) for node in nodes]
        return element("details", element("summary", "How the record was protected"), *made, class_="sealing") if made else None

    def _links(self, seen: object) -> Html | None:
        path = f"{seen.path}." if isinstance(seen, MessageSeen) else ""
        nodes = [node for node in self.seen.ledger.nodes if path and (node.path or node.name).startswith(path)]
        links = [
            children(", " if index else None, element("a", node.name, href=self.link(node.name)))
            for index, node in enumerate(nodes)
        ]
        return element("p", "In the key ledger: ", *links, class_="note") if links else None


def name(scene: Scene) -> str:
    """What a message is called, in a word or two."""
    seen = scene.seen
    if isinstance(seen, MessageSeen):
        return message_label(seen)
    if isinstance(seen, StraySeen):
        return "Not a record"
    return f"{seen.name}, encrypted" if seen.epoch else f"Record {seen.number}: {seen.name}"


def _direction(side: str) -> str:
    return "client to server" if side == "client" else "server to client"


def is_refused(scene: Scene) -> bool:
    """Whether a peer may not take it; what is only closed for want of a secret is well."""
    seen = scene.seen
    problems = [record.problem for record in scene.records] + ([] if isinstance(seen, StraySeen) else [seen.problem])
    return isinstance(seen, StraySeen) or any(problem.refused for problem in problems if problem)


def _problem(scene: Scene) -> str:
    seen = scene.seen
    if isinstance(seen, StraySeen):
        return seen.why
    return str(seen.problem) if isinstance(seen, MessageSeen | RecordSeen) and seen.problem else ""


def _moved(side: str, seen: MessageSeen) -> Html:
    before, after = getattr(seen.states_before, side), getattr(seen.states_after, side)
    who = element("b", f"The {side}")
    if before == after:
        return children(who, " stays in ", _state(side, before), ".")
    return children(who, " goes from ", _state(side, before), " to ", _state(side, after), ".")


def _state(side: str, names: tuple[str, ...]) -> Html:
    links = [element("a", name, href=f"#state-{side}-{name}", class_="state") for name in names]
    return children(*(children(" or " if index else None, link) for index, link in enumerate(links)))


def _lines(text: str) -> Iterator[Html]:
    for line in text.splitlines():
        yield children(line, Html("\n"))
