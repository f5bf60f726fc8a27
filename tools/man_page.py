"""Writes the manual page of the command, for `man puretls`, from the same parser as `--help`: tools/puretls.1.

    python tools/man_page.py            # --check: whether it would be the same

Needs `pip install argparse-manpage`. argparse words its usage lines differently from version to version: write it with Python 3.11.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "tools" / "puretls.1"
sys.path.insert(0, str(ROOT))

AFTER = """.SH EXIT STATUS
0: good. 1: a failure of TLS, or what was asked for was not found. 2: a fault of yours or of this machine.
.SH ENVIRONMENT
SSL_CERT_FILE, SSL_CERT_DIR: where the trusted roots are. SSLKEYLOGFILE: see the option \\fB\\-\\-keylog\\fR.
PURETLS_PROVIDER: what computes the cryptography. NO_COLOR, COLUMNS: as everywhere.
.SH SEE ALSO
The manual, in the folder puretls/manual of the package; \\fBpuretls explain\\fR for names of the protocol.
"""


def page() -> str:
    """The page in roff; the same for the same options, whatever the day and the width of the terminal."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning), contextlib.suppress(ImportError):
        import setuptools  # noqa: F401  where it is old, it must come before the distutils that the next line asks for
    from build_manpages.manpage import Manpage

    from puretls import __version__
    from puretls.cli import parser

    os.environ |= {"COLUMNS": "80"}
    text = str(Manpage(parser(), format="single-commands-section"))
    _, rest = text.split("\n", 1)
    return f'.TH PURETLS 1 "" "puretls {__version__}" "User Commands"\n{rest.rstrip()}\n{AFTER}'.replace(
        ".SH NAME\npuretls\n", ".SH NAME\npuretls \\- TLS 1.2 in pure Python: every byte explained, every step changeable\n"
    )


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
