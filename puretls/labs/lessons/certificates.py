"""Lesson 4: elements of DER, the names in a certificate, and which host a name covers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from puretls.labs.lessons.handshakes import seen
from puretls.labs.lessons.lesson import Case, Exercise
from puretls.x509.hostname import matches, parse_reference
from puretls.x509.names.general import GeneralName, GeneralNameKind

_HOST_WORDS = ("www", "tea", "mail", "a", "shop")


def element(tag: int, content: bytes) -> bytes:
    """An element of DER (X.690 8.1, 10.1)."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _elements(seed: str) -> Iterator[Case]:
    random = Random(seed)
    for size in (3, 0, 1, 127, 128, 200, 255, 256, 1000, 70000):
        tag, content, rest = (
            random.choice((0x02, 0x04, 0x30, 0xA0)),
            random.randbytes(size),
            random.randbytes(random.randrange(5)),
        )
        hint = (
            "below 128 the byte behind the tag is the length itself"
            if size < 0x80
            else "from 128 on the byte behind the tag is 0x80 plus the number of bytes that the length takes; then come those"
        )
        yield Case((element(tag, content) + rest,), (tag, content, rest), hint)
    chain = next(each.message for each in seen("shop").messages if each.path == "server.Certificate")
    leaf = chain.certificate_list[0]  # type: ignore[union-attr]
    yield Case((leaf,), (0x30, leaf[4:], b""), "this is the shop's certificate: one SEQUENCE, and nothing behind it")


_DNS, _IP, _MAIL = 0x82, 0x87, 0x81


def _alternatives(seed: str) -> Iterator[Case]:
    random = Random(seed)
    for _ in range(8):
        names, inside = [], b""
        for _ in range(random.randrange(1, 6)):
            tag = random.choice((_DNS, _DNS, _IP, _MAIL))
            name = ".".join(random.choices(_HOST_WORDS, k=random.choice((2, 3, 30)))) + ".test"
            inside += element(tag, random.randbytes(4) if tag == _IP else name.encode())
            names += [name] if tag == _DNS else []
        hint = (
            "inside the SEQUENCE stands one element after the other; those with the tag 0x82 are DNS names, step over all others"
        )
        yield Case((element(0x30, inside),), names, hint)


def _coverings(seed: str) -> Iterator[Case]:
    random = Random(seed)
    fixed = (
        ("shop.test", "shop.test"), ("shop.test", "www.shop.test"), ("*.shop.test", "www.shop.test"), ("*.shop.test", "shop.test"),
        ("*.shop.test", "a.b.shop.test"), ("Shop.Test", "shop.TEST"), ("*.test", "shop.test"), ("w*.shop.test", "www.shop.test"),
        ("www.*.test", "www.shop.test"), ("*", "shop"), ("evil-shop.test", "shop.test"), ("*.shop.test", "www.shopXtest"),
    )  # fmt: skip
    made: list[tuple[str, str]] = []
    for _ in range(12):
        labels = random.choices(_HOST_WORDS, k=random.choice((1, 2, 3)))
        pattern = random.choice((labels, ["*", *labels[1:]], labels[1:], ["www", *labels]))
        made.append((".".join([*pattern, "test"]), ".".join([*labels, "test"])))
    hint = (
        "compare label by label, in lower case, and as many labels on both sides; a * counts as the whole first label only, stands "
        "for one label, and has at least two labels behind it (RFC 9525 sections 6.3 and 7.1)"
    )
    for presented, host in (*fixed, *made):
        name = GeneralName(GeneralNameKind.DNS, presented)
        yield Case((presented, host), matches(parse_reference(host), name), hint)


EXERCISES = (
    Exercise("der_element", _elements),
    Exercise("dns_names", _alternatives),
    Exercise("covers", _coverings),
)
