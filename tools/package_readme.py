"""The README as an index of packages shows it, where nothing relative leads anywhere: the build takes it from here (pyproject.toml).

Links to the manual become their words, pictures what they show, and a line says where the manual lies. Whoever has the sources, the sdist
included, has the README as it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_TARGET = r"\((?![a-z]+:)[^()\s]+\)"
"""Of a link that is relative."""
_PICTURE = re.compile(rf"!\[([^\]]+)\]{_TARGET}")
RELATIVE = re.compile(rf"\[([^\]]+)\]{_TARGET}")
_CODE = re.compile(r"(^```.*?^```\n)", re.MULTILINE | re.DOTALL)
WHERE = "The manual that this page speaks of comes with the package; the last line of `puretls demo` says where it lies.\n"


class PackageReadme(MetadataHookInterface):
    """Gives the build its field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": of_package(text)}


def of_package(readme: str) -> str:
    """The text for an index, of the README of the sources."""
    title, rest = readme.split("\n\n", 1)
    parts = _CODE.split(rest)
    parts[::2] = [RELATIVE.sub(r"\1", _PICTURE.sub(r"*(Picture: \1.)*", prose)) for prose in parts[::2]]
    return f"{title}\n\n{WHERE}\n{''.join(parts)}"
