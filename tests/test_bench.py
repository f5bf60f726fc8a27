"""The measuring program: what it writes, not how fast anything is."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def harness(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "tools"))
    return importlib.import_module("benchmarks.harness")


def run(root, *arguments):
    command = [sys.executable, str(root / "tools" / "bench.py"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)


def checked(path, bench):
    document = json.loads(path.read_text())
    assert {"measured", "python", "machine", "load", "provider", "rows"} <= set(document)
    for row in document["rows"]:
        assert list(row) == ["bench", "case", "size", "unit", "puretls", "tlslite_ng", "openssl", "ratio"]
        assert row["bench"] == bench
        assert row["puretls"] > 0
    return {(row["case"], row["size"]): row for row in document["rows"]}


def test_header_says_when_what_and_where(harness):
    about = harness.environment("the provider")
    assert re.match(r"\d{4}-\d\d-\d\d, puretls [\d.]+, tlslite-ng [\d.]+, OpenSSL [\d.]+$", about["measured"])
    assert about["python"].startswith("CPython 3.")
    assert "cores" in about["machine"]


def test_provider_that_does_not_exist_is_told_in_one_line(harness, capsys):
    assert importlib.import_module("bench").main(["bulk", "--provider", "fish"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith("bench.py: no provider is called 'fish': ")


@pytest.mark.slow
def test_leaks_are_measured_as_the_manual_says(root):
    """As a script: what stands beside it has names of the standard library's."""
    command = [sys.executable, str(root / "tools" / "benchmarks" / "leaks.py"), "--rounds", "1"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured = re.findall(r"^ *(.+?) +[\d.]+% +[\d.]+%", printed, re.M)
    page = (root / "puretls" / "manual" / "side-channels.md").read_text()
    assert measured
    assert [name for name in measured if f"| {name} |" not in page] == []


@pytest.mark.slow
def test_import_is_measured_and_written_as_json(root, tmp_path):
    printed = run(root, "import", "--quick", "--json", str(tmp_path / "rows.json")).stdout
    rows = checked(tmp_path / "rows.json", "import")
    assert rows["over a bare interpreter", ""]["tlslite_ng"] > 0
    assert "over a bare interpreter" in printed
    assert "provider puretls" in printed


@pytest.mark.slow
def test_bulk_covers_every_size_sealed_and_opened(root, tmp_path):
    run(root, "bulk", "--quick", "--json", str(tmp_path / "rows.json"))
    rows = checked(tmp_path / "rows.json", "bulk")
    for cipher in ("AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-128-CBC-SHA256"):
        for verb in ("seal", "open"):
            assert {(f"{cipher} {verb}", size) for size in ("64", "1024", "16384", "64x16384")} <= set(rows)


def test_ratio_says_how_many_times_better(harness):
    faster = harness.Row("b", "c", "1", "MB/s", 20.0, 0.5)
    sooner = harness.Row("b", "c", "1", "ms", 2.0, 6.0)
    assert (faster.ratio, sooner.ratio, harness.Row("b", "c", "1", "ms", 2.0).ratio) == (40, 3, None)


def test_contenders_take_turns(harness):
    calls = []
    contenders = {name: harness.Contender(lambda name=name: calls.append(name)) for name in ("a", "b")}
    times = harness.seconds(contenders, 4, shortest=0)
    assert set(times) == {"a", "b"}
    assert "".join(calls[-8:]) == "abbaabba"


@pytest.mark.usefixtures("harness")
def test_modules_of_sub_commands_offer_cases():
    bench = importlib.import_module("bench")
    modules = [
        importlib.import_module(f"benchmarks.{module}") for name, (module, _) in bench.BENCHES.items() if bench.available(name)
    ]
    assert len(modules) >= 4
    assert all(callable(module.cases) for module in modules)


@pytest.mark.slow
def test_handshake_covers_keys_groups_and_tickets(root, tmp_path):
    run(root, "handshake", "--quick", "--json", str(tmp_path / "rows.json"))
    rows = checked(tmp_path / "rows.json", "handshake")
    for key in ("ECDHE-RSA-2048", "ECDHE-ECDSA-P256"):
        for group in ("x25519", "P-256"):
            assert rows[f"{key} {group} server", ""]["ratio"]
            assert rows[f"{key} {group} client, chain validated, first contact", ""]["tlslite_ng"]
    assert rows["ticket resumption client plus server", ""]["ratio"]


@pytest.mark.slow
def test_public_key_covers_groups_and_keys(root, tmp_path):
    run(root, "public-key", "--quick", "--json", str(tmp_path / "rows.json"))
    rows = checked(tmp_path / "rows.json", "public-key")
    for name in ("x25519", "x448", "secp256r1", "secp384r1", "secp521r1", "ffdhe2048"):
        assert {(f"{name} key", ""), (f"{name} shared secret", "")} <= set(rows)
    for kind in ("secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448", "rsa2048"):
        assert {(f"{kind} sign", ""), (f"{kind} verify", "")} <= set(rows)


@pytest.mark.slow
def test_steps_of_the_slowest_operations_are_measured(root, tmp_path):
    run(root, "steps", "--quick", "--json", str(tmp_path / "rows.json"))
    rows = checked(tmp_path / "rows.json", "steps")
    assert {case.partition(":")[0] for case, _ in rows} == {"AES-128-GCM", "AES-128-CBC, encryption", "P-256"}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_captures_are_measured_in_seconds_and_mebibytes(root, tmp_path):
    run(root, "inspect", "--quick", "--json", str(tmp_path / "rows.json"))
    rows = checked(tmp_path / "rows.json", "inspect")
    assert {case for case, _ in rows} == {"listed", "read", "opened", "explained", "page"}


@pytest.fixture
def growth(harness):
    pytest.importorskip("ssl")
    return importlib.import_module("benchmarks.growth")


def test_points_of_a_curve_say_what_is_beyond_the_work(growth):
    linear = growth.Curve("read", "entries", "ms", lambda x: x)
    rate = growth.Curve("sent", "workers", "MB/s")
    rows = [*growth._points(linear, [(10, 1.0), (100, 10.0), (1000, 250.0)]), *growth._points(rate, [(1, 20.0), (2, 40.0)])]
    assert [row.ratio for row in rows] == [1, 1, 2.5, 1, 0.5]
    assert growth.series(rows) == [
        {"name": "read", "x": "entries", "unit": "ms", "points": [[10.0, 1.0], [100.0, 10.0], [1000.0, 250.0]]},
        {"name": "sent", "x": "workers", "unit": "MB/s", "points": [[1.0, 20.0], [2.0, 40.0]]},
    ]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork") or not Path("/proc/self/statm").exists(), reason="workers are forked, their memory read from /proc")
def test_growth_is_measured_as_curves(root, tmp_path):
    run(root, "growth", "--quick", "--json", str(tmp_path / "rows.json"))
    document = json.loads((tmp_path / "rows.json").read_text())
    curves = {curve["name"]: curve for curve in document["series"]}
    assert {curve["x"] for curve in curves.values()} == {
        "workers",
        "idle connections",
        "certificates below the root",
        "entries",
        "bytes in a record",
    }
    assert {"memory of an idle connection, asyncio", "memory of an idle connection, blocking"} <= set(curves)
    assert sum(len(curve["points"]) for curve in curves.values()) == len(document["rows"])
    assert all(y > 0 for curve in curves.values() for _, y in curve["points"])


# Pictures


@pytest.fixture
def plot(root, monkeypatch):
    pytest.importorskip("matplotlib", reason="pip install 'puretls[plot]'")
    monkeypatch.syspath_prepend(str(root / "tools"))
    return importlib.import_module("benchmarks.plot")


def measured(plot, **changed):
    """A document with a row for each figure of the pictures: 2 for puretls, 1 for tlslite-ng, 30 for OpenSSL."""
    cases = [("bulk", case, size, "MB/s") for case in plot.CIPHERS for size in plot.SIZES]
    cases += [("handshake", case, "", "ms") for case in plot.HANDSHAKES]
    names = ("bench", "case", "size", "unit")
    rows = [dict(zip(names, case, strict=True), puretls=2.0, tlslite_ng=1.0, openssl=30.0) | changed for case in cases]
    return {"python": "Python <3>", "machine": "a machine", "rows": rows}


@pytest.mark.slow
def test_pictures_show_every_figure_and_the_same_figures_make_the_same_bytes(plot):
    pictures = plot.drawn(measured(plot))
    assert pictures == plot.drawn(measured(plot))
    throughput, handshakes = pictures["throughput.svg"], pictures["handshakes.svg"]
    count = len(plot.CIPHERS) * len(plot.SIZES)
    assert [throughput.count(f">{figure}</text>") for figure in ("2.0", "30")] == [count, count]
    assert [handshakes.count(f">{figure} ms</text>") for figure in ("2.0", "1.0", "30")] == [len(plot.HANDSHAKES)] * 3
    for name, svg in pictures.items():
        assert len(svg.encode()) < 60_000, name
        assert "Python &lt;3&gt;, a machine" in svg
        assert "dc:date" not in svg


@pytest.mark.slow
def test_what_was_not_measured_is_left_out(plot):
    assert ">30</text>" not in plot.drawn(measured(plot, openssl=None))["throughput.svg"]


def test_pictures_of_the_manual_are_light_and_drawn_from_what_the_readme_says(root):
    readme = (root / "README.md").read_text()
    shown = {name: (root / "puretls" / "manual" / "pictures" / name).read_text() for name in ("throughput.svg", "handshakes.svg")}
    assert all(len(svg.encode()) < 60_000 for svg in shown.values())
    figure = re.search(r"\| AES-128-GCM, 64 records in one call \| ([\d.]+) MB/s", readme)[1]
    assert f">{float(figure):.0f}</text>" in shown["throughput.svg"]
    figure = re.search(r"\| resumption by ticket, both sides \| ([\d.]+) ms", readme)[1]
    drawn = [float(number) for number in re.findall(r">([\d.]+) ms</text>", shown["handshakes.svg"])]
    assert any(abs(number - float(figure)) <= 0.06 * number for number in drawn), drawn  # pictures have fewer digits


@pytest.mark.parametrize("content", ["", "{}", '{"rows": [], "python": "", "machine": ""}'])
def test_file_without_figures_is_told(plot, tmp_path, content, capsys):
    (tmp_path / "rows.json").write_text(content)
    assert plot.main([str(tmp_path / "rows.json"), str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"plot: {tmp_path / 'rows.json'} is not what ")
