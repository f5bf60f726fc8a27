"""The table of performance.md that has two Pythons side by side, from two runs of `tools/bench.py all --json FILE`.

    python tools/two_pythons.py FILE FILE

Rows are those with a ratio to tlslite-ng.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.harness import put_into

PAGE = Path(__file__).resolve().parent.parent / "puretls" / "manual" / "performance.md"
MARKS = ("<!-- two Pythons -->", "<!-- end of two Pythons -->")


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    ratios = [{(row["bench"], row["case"], row["size"]): row.get("ratio") for row in run["rows"]} for run in runs]
    lines = [f"| bench | case | bytes | {' | '.join(run['python'].partition(' GCC')[0] for run in runs)} |", "|---|---|---|---|---|"]
    for key in (key for key in ratios[0] if ratios[0][key]):
        figures = [f"{one[key]:.3g}" if one.get(key) else "-" for one in ratios]
        lines.append(f"| {' | '.join((*key, *figures))} |")
    put_into(PAGE, "\n".join(lines), MARKS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
