"""Which sections of the RFCs have tests, and which have none.

    python tools/rfc_coverage.py            # every RFC, a line a section
    python tools/rfc_coverage.py --missing  # only sections without a test

A test names its section with `@pytest.mark.rfc("5246", "7.4.1.3")`; a row of the table of refusals names it in its first column. Tests
count where they name the section itself, not one above or below it.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SECTIONS = {
    "5246": "4.3 4.4 4.6 4.7 5 6.1 6.2.1 6.2.3 6.2.3.1 6.2.3.2 6.2.3.3 6.3 7.1 7.2 7.2.1 7.2.2 7.3 7.4 7.4.1.1 7.4.1.2 7.4.1.3 7.4.1.4 "
            "7.4.1.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.4.6 7.4.7 7.4.7.1 7.4.7.2 7.4.8 7.4.9 8.1 8.1.1 8.1.2 10 A.5 E.1 E.2 F.1.1.3 F.1.4",
    "5746": "3.2 3.4 3.5 3.6 3.7 4.1 4.2 4.3 4.4 4.5 5",
    "5077": "3.1 3.2 3.3 3.4 4",
    "7627": "1 4 5.1 5.2 5.3 5.4 6.1",
    "7366": "2 3 3.1",
    "7905": "2 3",
    "8422": "2 5.1.1 5.1.2 5.1.3 5.2 5.3 5.4 5.5 5.6 5.7 5.8 5.10 5.11",
    "7919": "3 4 5.1",
    "6066": "3 4 8",
    "7301": "3.1 3.2",
    "8449": "4 5",
    "5705": "4",
    "5929": "3 4",
    "9266": "4.2",
    "7507": "3",
    "7685": "3",
    "6962": "3.3 3.3.1",
    "4279": "2 3 4",
    "5489": "2",
    "6655": "4",
    "5288": "3",
    "8446": "4.2.1 4.2.3",
}  # fmt: skip
"""Sections with rules that a peer, or an implementation, can break. Prose, examples and registries are left out."""


def marked() -> Counter[tuple[str, str]]:
    """Sections that marks name, found in the source so that nothing need be imported."""
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "rfc"
                and len(node.args) == 2
            ):
                number, section = (getattr(argument, "value", None) for argument in node.args)
                if isinstance(number, str) and isinstance(section, str):
                    found[number, section] += 1
    return found


def rows() -> Counter[tuple[str, str]]:
    """Sections that rows of the table of refusals name."""
    sys.path.insert(0, str(ROOT))
    from tests.conformance.test_refusals import ROWS

    return Counter((number, section) for number, section in (row.rfc.split() for row in ROWS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--missing", action="store_true", help="only sections without a test")
    options = parser.parse_args()
    tests, refusals = marked(), rows()
    bare = 0
    for number in [*SECTIONS, *sorted({key[0] for key in tests + refusals} - SECTIONS.keys())]:
        wanted = SECTIONS.get(number, "").split()
        for section in [*wanted, *sorted({key[1] for key in tests + refusals if key[0] == number} - set(wanted))]:
            marks, refused = tests[number, section], refusals[number, section]
            bare += not (marks or refused)
            if not options.missing:
                print(f"RFC {number} {section:10} {marks:4} tests {refused:4} refusals" + ("" if marks or refused else "   NONE"))
            elif not (marks or refused):
                print(f"RFC {number} {section}")
    print(f"{sum(tests.values())} marks, {sum(refusals.values())} refusals, {bare} sections without either")


if __name__ == "__main__":
    main()
