"""The fields of certificates among the spans of the message that carries them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from puretls.spans import Span
from puretls.values import replace

_CERTIFICATE = re.compile(r"Certificate\.certificate_list\[\d+\]")


def deepened(spans: Iterable[Span], raw: bytes, path: str = "") -> list[Span]:
    """The spans of a message; in place of each certificate stand those of its own fields. With `path`: only of the one that `path` lies in.

    A certificate's fields have the names of RFC 5280 below `certificate_list[i]`; its outermost tag and length are `certificate.tag` and
    `certificate.length`. One that cannot be parsed is explained as far as that goes, and then marked as fault.
    """
    made: list[Span] = []
    for span in spans:
        within = not path or path == span.path or path.startswith(f"{span.path}.")
        wanted = within and not span.fault and _CERTIFICATE.fullmatch(span.path)
        made += _certificate_spans(raw[span.start : span.end], span) if wanted else [span]
    return made


def _certificate_spans(der: bytes, span: Span) -> list[Span]:
    from puretls.x509.certificates.certificate import annotate  # explanations are text that a handshake never needs

    return [replace(inner.shifted(span.start), path=span.path + _below_root(inner.path)) for inner in annotate(der)]


def _below_root(path: str) -> str:
    below = path.removeprefix("Certificate")
    if below in {".tag", ".length"}:
        return f".certificate{below}"
    return below if below != path or not path else f".{path}"
