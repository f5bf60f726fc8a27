"""Makes text of others safe to show. Only here is text of a peer escaped, for terminals, logs and exceptions alike."""

from __future__ import annotations

from collections.abc import Iterable


def printable(text: str | bytes) -> str:
    r"""`text` with an escape for every character that does not show as itself: `\n`, `\x1b`, `\u202e`.

    Escaped are control characters, line breaks of every kind, characters that change the direction of writing or show nothing
    (categories Cc, Cf, Zl, Zp of Unicode, and spaces other than U+0020), surrogates, private and unassigned code points: what
    `str.isprintable` calls unprintable. Bytes are taken for UTF-8. A backslash stays as it is, so that nothing is escaped twice.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def has_utf8(text: str) -> bool:
    """Whether there is UTF-8 for a text: none for half of a surrogate pair, which JSON can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable_lines(lines: Iterable[str]) -> str:
    """Joins lines to one text. A line break inside a line is escaped."""
    return "\n".join(map(printable, lines))


def counted(number: int, noun: str) -> str:
    """A number of things: "1 byte", "2 bytes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def describe(error: OSError) -> str:
    """An operating system error as one line, with the file's name in front."""
    text = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {text}" if error.filename else text
