"""Pictures of speed from what `tools/bench.py all --json FILE` measured: throughput by the size of records, and times of handshakes.

    python tools/bench.py plot FILE [FOLDER]

FOLDER is `puretls/manual/pictures` unless given. Needs `pip install 'puretls[plot]'`. The same figures make the same bytes.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "puretls" / "manual" / "pictures"
Rows = Sequence[Mapping[str, Any]]

CONTENDERS = {
    "puretls": ("puretls", "#0b5394", "o"),
    "tlslite_ng": ("tlslite-ng", "#b45f06", "s"),
    "openssl": ("OpenSSL", "#555c64", "^"),
}
"""By the name in the rows: the name for people, colour, and mark, so that colours alone tell nothing."""
SIZES = {"64": "64 B", "1024": "1 KiB", "16384": "16 KiB", "64x16384": "64 × 16 KiB\nin one call"}
CIPHERS = {
    "AES-128-GCM seal": "AES-128-GCM, sealing",
    "ChaCha20-Poly1305 seal": "ChaCha20-Poly1305, sealing",
    "AES-128-CBC-SHA256 open": "AES-128-CBC with HMAC-SHA256, opening",
}
HANDSHAKES = {
    "ECDHE-ECDSA-P256 x25519 server": "ECDSA, server",
    "ECDHE-ECDSA-P256 x25519 client, chain validated, first contact": "ECDSA, client, first contact",
    "ECDHE-ECDSA-P256 x25519 client, chain validated, again": "ECDSA, client, again",
    "ECDHE-RSA-2048 x25519 server": "RSA 2048, server",
    "ECDHE-RSA-2048 x25519 client, chain validated, first contact": "RSA 2048, client, first contact",
    "ECDHE-RSA-2048 x25519 client, chain validated, again": "RSA 2048, client, again",
    "ticket resumption client plus server": "resumption by ticket, both sides",
}
"""Cases as measured, and how a picture calls them."""
STYLE = {
    "svg.hashsalt": "puretls",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def main(arguments: Sequence[str]) -> int:
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        pictures = drawn(json.loads(Path(arguments[0]).read_text()))
    except ImportError:
        print("plot: needs matplotlib: pip install 'puretls[plot]'", file=sys.stderr)
        return 2
    except (OSError, ValueError, KeyError) as error:
        print(f"plot: {arguments[0]} is not what `tools/bench.py all --json FILE` writes: {error}", file=sys.stderr)
        return 2
    folder = Path(arguments[1]) if len(arguments) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in pictures.items():
        (folder / name).write_text(svg, encoding="utf-8")
        print(f"{folder / name}: {len(svg.encode()):,} bytes")
    return 0


def drawn(document: Mapping[str, Any]) -> dict[str, str]:
    """Names and SVGs of all pictures."""
    import matplotlib

    matplotlib.use("svg")
    about = f"{document['python']}, {document['machine']}"
    with matplotlib.rc_context(STYLE):
        return {"throughput.svg": _throughput(document["rows"], about), "handshakes.svg": _handshakes(document["rows"], about)}


def _row(rows: Rows, bench: str, case: str, size: str) -> Mapping[str, Any]:
    found = next((row for row in rows if (row["bench"], row["case"], row["size"]) == (bench, case, size)), None)
    if found is None:
        raise KeyError(f"no row for {case} {size}".rstrip())
    return found


def _throughput(rows: Rows, about: str) -> str:
    from matplotlib import pyplot, ticker

    figure, panels = pyplot.subplots(1, len(CIPHERS), figsize=(11, 4.4), sharey=True)
    for panel, (case, title) in zip(panels, CIPHERS.items(), strict=True):
        for who, (name, colour, mark) in CONTENDERS.items():
            figures = [_row(rows, "bulk", case, size)[who] for size in SIZES]
            at = [place for place, value in enumerate(figures) if value]
            shown = [value for value in figures if value]
            panel.plot(at, shown, color=colour, marker=mark, label=name)
            for place, value in zip(at, shown, strict=True):
                panel.annotate(
                    _figure(value), (place, value), (0, 6), textcoords="offset points", ha="center", fontsize=8, color=colour
                )
        panel.set_title(title, fontsize=10)
        panel.set_xticks(range(len(SIZES)), SIZES.values(), fontsize=8)
        panel.set_yscale("log")
        panel.yaxis.set_minor_locator(ticker.NullLocator())
        panel.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
        panel.margins(x=0.12, y=0.1)
        panel.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("megabytes a second")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="upper right", ncols=len(CONTENDERS), fontsize=9)
    return _svg(figure, "Throughput of one core, by the size of a record", about)


def _handshakes(rows: Rows, about: str) -> str:
    from matplotlib import pyplot

    figure, panel = pyplot.subplots(figsize=(9, 5.4))
    height = 0.26
    for shift, (who, (name, colour, _)) in enumerate(CONTENDERS.items()):
        figures = [_row(rows, "handshake", case, "")[who] or 0 for case in HANDSHAKES]
        places = [place + (shift - 1) * height for place in range(len(figures))]
        bars = panel.barh(places, figures, height, color=colour, label=name)
        panel.bar_label(bars, [f"{_figure(value)} ms" if value else "" for value in figures], padding=3, fontsize=8, color=colour)
    panel.set_yticks(range(len(HANDSHAKES)), HANDSHAKES.values())
    panel.invert_yaxis()
    panel.set_xlabel("milliseconds of processor time for one side (x25519)")
    panel.margins(x=0.1)
    panel.legend(loc="lower right")
    return _svg(figure, "What a handshake costs", about)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _svg(figure: Any, title: str, about: str) -> str:
    """The figure on white paper, with no date and no program in it."""
    from matplotlib import pyplot

    figure.suptitle(title, fontsize=12, x=0.01, ha="left")
    figure.text(0.5, 0.01, about, ha="center", fontsize=8, color="#555c64")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    pyplot.close(figure)
    return _tidy(target.getvalue().splitlines())


def _tidy(lines: Iterable[str]) -> str:
    """Without spaces at the ends of lines, and with hundredths of a point at most."""
    return "\n".join(re.sub(r"(\d+\.\d\d)\d+", r"\1", line.rstrip()) for line in lines) + "\n"
