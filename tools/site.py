"""Makes the site: manual, lessons, labs and the reference of the code as pages that any web space serves and any browser opens from a disk.

    python tools/site.py OUT [--pyodide DIR]

OUT is made, or emptied if a site is in it. With --pyodide the playground is in it, too: puretls in the
visitor's browser. Needs `pip install 'puretls[site]'`, for the playground also `puretls[capture]`. The same sources make the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

try:
    from tools.website.build import build
    from tools.website.errors import SiteError
    from tools.website.links import broken
except ModuleNotFoundError as missing:
    sys.exit(f"site: {missing.name} is not installed here: pip install 'puretls[site]'")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT", type=Path, help="the folder to write")
    parser.add_argument(
        "--pyodide", metavar="DIR", type=Path, help="the npm package pyodide: npm install pyodide@314 makes node_modules/pyodide"
    )
    options = parser.parse_args()
    try:
        names = build(options.out, options.pyodide)
    except SiteError as error:
        print(f"site: {error}", file=sys.stderr)
        return 2
    weight = sum((options.out / name).stat().st_size for name in names)
    print(f"{options.out}: {len(names)} files, {weight:,} bytes")
    for fault in (faults := broken(options.out)):
        print(f"site: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
