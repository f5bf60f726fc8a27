"""The generated modules are what the tool writes, and their numbers stay as small as the tool's reductions promise."""

import importlib.util
import random
import sys

import pytest

from puretls.crypto.kernels.arithmetic import PYTHON
from puretls.crypto.kernels.ec import edwards, montgomery, weierstrass
from puretls.crypto.kernels.generated import curve448, curve25519, edwards448, edwards25519, p256, p384, p521


@pytest.fixture(scope="module")
def tool(root):
    spec = importlib.util.spec_from_file_location("gen_curves", root / "tools" / "gen_curves.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_modules_are_as_generated(tool):
    assert tool.main(["--check"]) == 0


def test_check_notices_a_change(tool, tmp_path, monkeypatch, capsys):
    written = list(tool.sources())
    for name, text in written:
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(tool, "OUT", tmp_path)
    monkeypatch.setattr(tool, "sources", lambda: written)
    assert tool.main(["--check"]) == 0
    (tmp_path / "p256.py").write_text("# changed")
    assert tool.main(["--check"]) == 1
    assert "p256.py" in capsys.readouterr().out


@pytest.mark.parametrize("module", [p256, p384, p521, edwards25519, edwards448])
def test_coordinates_stay_small(module):
    """From the largest coordinates, over many rounds: 34 bits above p at most, so that products keep their number of digits."""
    rng = random.Random(1)
    top = module.P - 1
    minus = module in (edwards25519, edwards448)
    width = 4 if minus else 3
    entry = 4 if module is edwards448 else 3 if minus else 2
    for point in ((top,) * width, tuple(rng.randrange(module.P) for _ in range(width))):
        rows = [(rng.randrange(3), [tuple(rng.choice((top, rng.randrange(module.P))) for _ in range(entry)) for _ in range(rng.randrange(3))]) for _ in range(300)]
        for value in module.accumulate(point, rows, module.CONSTANTS):
            assert 0 <= value < module.P << 3


@pytest.mark.parametrize("module", [curve25519, curve448])
def test_ladder_values_stay_small(module):
    rng = random.Random(2)
    for u in (module.P - 1, 1, rng.randrange(module.P)):
        for value in module.ladder(u, module.P - 1, [rng.randrange(2) for _ in range(300)], module.CONSTANTS):
            assert 0 <= value < module.P << 3


DIVIDED = PYTHON._replace(name="divided", divides=True)


@pytest.mark.parametrize("name", weierstrass.NAMES)
def test_reduction_by_division_gives_the_same_on_weierstrass_curves(name):
    folded, divided = weierstrass.curve(name), weierstrass.curve(name, DIVIDED)
    for k in (1, 2, folded.n - 2, folded.n // 3, folded.n // 5 * 2):
        point = folded.multiply_base(k, 3)
        assert divided.multiply_base(k, 3) == point
        assert divided.multiply(k, folded.base, 3) == point
        assert divided.sum_has_x(point[0] % folded.n, k - 1, 1, folded.base)


@pytest.mark.parametrize("name", ["edwards25519", "edwards448"])
def test_reduction_by_division_gives_the_same_on_edwards_curves(name):
    folded, divided = edwards.edwards(name), edwards.edwards(name, DIVIDED)
    for k in (1, 2, folded.n - 2, folded.n // 3, folded.n // 5 * 2):
        x, y, z = folded.multiply_base(k, 1)
        x2, y2, z2 = divided.multiply_base(k, 1)
        assert (x * z2 - x2 * z) % folded.p == (y * z2 - y2 * z) % folded.p == 0


@pytest.mark.parametrize("name", montgomery.NAMES)
def test_reduction_by_division_gives_the_same_ladder(name):
    folded, divided = montgomery.group(name), montgomery.group(name, DIVIDED)
    for seed in (b"\0", b"\xff", b"\xa5", b"\x01"):
        private, u = seed * {"x25519": 32, "x448": 56}[name], b"\x07" * {"x25519": 32, "x448": 56}[name]
        assert folded.multiply(private, u) == divided.multiply(private, u)
