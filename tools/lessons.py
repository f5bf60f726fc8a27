"""Put what the programs of the lessons print into their pages: `python tools/lessons.py [--check]`.

With `--check` nothing is written, and the exit status says whether the pages are as they would be written.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from puretls.labs.lessons.lesson import LESSONS
from puretls.labs.lessons.reading import page_of, played

FOLDER = Path(__file__).resolve().parent.parent / "puretls" / "manual" / "lessons"


def main(arguments: list[str]) -> int:
    changed = []
    for lesson in LESSONS:
        file = FOLDER / f"{lesson.number:02}-{lesson.name}.md"
        if not file.exists():
            continue
        page = page_of(played(file.read_text("utf-8"), file.name))
        if page != file.read_text("utf-8"):
            changed.append(file.name)
            if "--check" not in arguments:
                file.write_text(page, "utf-8")
    print("\n".join(changed) or "every page is as it would be written")
    return 1 if changed and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
