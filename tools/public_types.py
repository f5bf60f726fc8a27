"""Whether type checkers know the type of every name that the manual promises: pyright's own check, read name by name.

    python tools/public_types.py

Needs `pip install basedpyright` and every package that puretls[test,cli,fast,redis,dask] brings. Exit status 1 where a promised name, or an
attribute of a promised class, is neither known nor in `REST`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "puretls" / "manual" / "api.md"
REST = {
    "puretls.qt.QSslSocket": "methods that are those of QSslConfiguration, told to a checker by inference: qt/sslconfigured.py",
}
"""Name -> why a checker has to infer it."""


def main() -> int:
    here = Path(sys.executable).parent  # the checker looks for packages where the first python of the path has them
    environment = os.environ | {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(here.parent)}
    command = [sys.executable, "-m", "basedpyright", "--verifytypes", "puretls", "--ignoreexternal", "--outputjson"]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    try:
        completeness = json.loads(told.stdout)["typeCompleteness"]
        if not completeness["symbols"]:
            raise ValueError
    except (ValueError, KeyError):
        print(f"public_types: no answer from basedpyright: {told.stdout[:500]}{told.stderr[:500]}", file=sys.stderr)
        return 2
    known = {symbol["name"]: symbol["isTypeKnown"] for symbol in completeness["symbols"]}
    names = promised()
    unknown = [name for name in names if not known.get(name)]
    whole = completeness["completenessScore"]
    print(f"{len(names) - len(unknown)} of {len(names)} promised names are known, and {whole:.1%} of all names of the package")
    for name in unknown:
        print(f"{name}: {REST.get(name, 'not known')}")
    return 1 if set(unknown) - REST.keys() else 0


def promised() -> list[str]:
    """The names of the page, with their modules."""
    rows = re.findall(r"^\| `(puretls[\w.]*)` \| [\d.]+ \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    return [f"{module}.{name}" for module, names in rows for name in re.findall(r"`(\w+)`", names)]


if __name__ == "__main__":
    sys.exit(main())
