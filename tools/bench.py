"""Measure puretls against tlslite-ng and OpenSSL in the same run.

    python tools/bench.py bulk [--quick] [--json FILE]
    python tools/bench.py plot FILE [FOLDER]       pictures of what was measured

`ratio` is how many times better puretls is than tlslite-ng. Figures are medians; contenders take turns, so that the load of the
machine meets all of them alike.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from benchmarks.harness import Case, Options, Row, environment, put_into, table  # noqa: E402

BENCHES = {
    "overhead": ("overhead", "everything but cryptography: handshakes and records with the provider that computes nothing"),
    "bulk": ("bulk", "bulk ciphers"),
    "handshake": ("handshake", "processor time of handshakes, client and server"),
    "transfer": ("transfer", "downloads and uploads through a socket"),
    "import": ("imports", "import time"),
    "public-key": ("public_key", "key exchange and signatures, operation by operation"),
    "steps": ("steps", "what the slowest operations are made of"),
    "x509": ("x509", "parsing and validating certificates"),
    "hostile": ("hostile", "the worst inputs; ratio: what a kilobyte of them costs against an honest one, at most 5"),
    "memory": ("memory", "what connections, keys and batches hold"),
    "recording": ("recording", "recording a live connection; goals: 5 % of a handshake, 10 % of a transfer"),
    "pyodide": ("pyodide", "client in Pyodide (node 24), against OpenSSL; tlslite-ng verifies nothing"),
    "https": ("https", "programs on puretls.ssl, beside the same on OpenSSL"),
    "testing": ("testing", "puretls.testing: examples a second; goals: 600 hellos, 60 conversations, 300 of them without hypothesis"),
    "inspect": ("inspect", "captures: many connections listed, a long one read, opened and explained; seconds and MiB"),
    "growth": ("growth", "more workers, connections, certificates, entries, bytes; ratio: what each costs against the first point"),
    "playground": ("playground", "the playground in headless Chromium: what a visitor waits for; see the manual for the goals"),
}
"""Sub-command: module in tools/benchmarks, what it measures."""
ALONE = frozenset({"growth", "playground"})
"""Not among `all`: minutes or a browser, and a page of the manual of their own."""


def main(arguments: Sequence[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["plot"]:
        plot: int = importlib.import_module("benchmarks.plot").main(arguments[1:])
        return plot
    from puretls.errors import UsageError

    options, names, target, page = parse(arguments)
    rows: list[Row] = []
    series: list[dict[str, object]] = []
    try:
        about = environment(provider_text(options.provider))
    except UsageError as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return 2
    told = ["\n".join(f"{name}: {value}" for name, value in about.items())]
    print(told[0])
    for name in names:
        settle()
        measured = [row for case in shown(name, load(name, options)) for row in case()]
        told.append(f"\n{name}: {BENCHES[name][1]}\n{table(measured)}")
        print(told[-1], flush=True)
        rows += measured
        series += curves(name, measured)
    if target:
        document = {**about, "quick": options.quick, "rows": [row.as_json() for row in rows]}
        document |= {"series": series} if series else {}
        Path(target).write_text(json.dumps(document, indent=1) + "\n")
    if page:
        put_into(Path(page), "```text\n" + "\n".join(told) + "\n```")
    return 0


def settle() -> None:
    """Has no collection in the next bench look again at what earlier ones left: that would slow down whatever makes many objects."""
    gc.collect()
    gc.freeze()


def parse(arguments: Sequence[str] | None) -> tuple[Options, list[str], str | None, str | None]:
    """The options, the benches to run, the JSON file and the page to write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", choices=[*BENCHES, "all"])
    parser.add_argument("--quick", action="store_true", help="fewer rounds; all together under four minutes")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--page", metavar="FILE", help="put the tables between the marks of this page of the manual")
    parser.add_argument("--provider", default="default", metavar="NAME", help="as PURETLS_PROVIDER names one, such as libgmp+numpy")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="an argument of one sub-command")
    parsed = parser.parse_args(arguments)
    pairs = dict(pair.partition("=")[::2] for pair in parsed.set)
    names = [name for name in BENCHES if available(name) and name not in ALONE] if parsed.bench == "all" else [parsed.bench]
    return Options(parsed.quick, parsed.provider, pairs), names, parsed.json, parsed.page


def available(name: str) -> bool:
    return (HERE / "benchmarks" / f"{BENCHES[name][0]}.py").exists()


def load(name: str, options: Options) -> list[Case]:
    if not available(name):
        raise SystemExit(f"{name}: there is no tools/benchmarks/{BENCHES[name][0]}.py yet")
    cases: list[Case] = importlib.import_module(f"benchmarks.{BENCHES[name][0]}").cases(options)
    return cases


def curves(name: str, rows: Sequence[Row]) -> list[dict[str, object]]:
    """What a module gives to be drawn: name, what x and y are, points. Most give nothing."""
    module = importlib.import_module(f"benchmarks.{BENCHES[name][0]}")
    return module.series(rows) if hasattr(module, "series") else []


def provider_text(name: str) -> str:
    """The provider that connections get, as it tells itself."""
    from puretls.crypto.provider import named

    return named(name).describe()


def shown(name: str, cases: list[Case]) -> Iterator[Case]:
    """The cases one after the other, with a bar on stderr."""
    try:
        from rich.console import Console
        from rich.progress import track
    except ImportError:
        yield from _plain_bar(name, cases)
        return
    yield from track(cases, description=name, console=Console(stderr=True), transient=True)


def _plain_bar(name: str, cases: Iterable[Case]) -> Iterator[Case]:
    total = len(list(cases))
    for i, case in enumerate(cases):
        print(f"\r{name} {'#' * (40 * i // total):40} {i}/{total}", end="", file=sys.stderr, flush=True)
        yield case
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
