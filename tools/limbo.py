"""Runs x509-limbo cases: `python tools/limbo.py [--profile P] [FILE]`, the document from standard input without FILE; results as JSON."""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from puretls.cli.limbo import run
from puretls.crypto.provider import default, reference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument(
        "--profile", choices=["default", "strict", "webpki"], help="for all cases, instead of one by the id's prefix"
    )
    parser.add_argument("--provider", choices=["default", "reference"], default="default")
    arguments = parser.parse_args()
    text = arguments.file.read_text() if arguments.file else sys.stdin.read()
    provider = default() if arguments.provider == "default" else reference()
    json.dump(run(json.loads(text), provider, time.time(), arguments.profile), sys.stdout)


if __name__ == "__main__":
    main()
