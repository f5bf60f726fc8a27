"""Writes the straight-line curve arithmetic of `puretls/crypto/kernels/generated/`.

    python tools/gen_curves.py           write the modules
    python tools/gen_curves.py --check   exit 1 if one differs from what would be written

Templates are Python with three more signs: `v := expr` reduces a product modulo p, `v :- expr` only so far that it can be
multiplied once more, `v :~ expr` is for products with a small constant. What a reduction is depends on the prime. Functions take
the points to add as rows of (doublings, points), so that combs, windows and interleaved forms share one loop: see
`kernels/ec/recoding.py`.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "puretls" / "crypto" / "kernels" / "generated"

Reduce = Callable[[str, str], list[str]]
"""(variable, expression) -> the lines that set one to the other, reduced"""


def divide(v: str, expr: str) -> list[str]:
    return [f"{v} = {expr} % p" if re.fullmatch(r"\w+ \* \w+", expr) else f"{v} = ({expr}) % p"]


def keep(v: str, expr: str) -> list[str]:
    return [f"{v} = {expr}"]


def fold(bits: int, factor: str, times: int) -> Reduce:
    """2^bits = factor (mod p): add the high part times `factor` to the low part, so many times."""

    def lines(v: str, expr: str) -> list[str]:
        high = f"({v} >> {bits})" + (f" * {factor}" if factor else "")
        return [f"{v} = {expr}", *[f"{v} = ({v} & mask) + {high}"] * times]

    return lines


def fold_448(times: int) -> Reduce:
    """2^448 = 2^224 + 1 (mod p): a shift and an addition are cheaper than a multiplication by that."""

    def lines(v: str, expr: str) -> list[str]:
        return [f"{v} = {expr}", *[f"high = {v} >> 448", f"{v} = ({v} & mask) + high + (high << 224)"] * times]

    return lines


@dataclass(frozen=True)
class Module:
    """One module to write. `constants` become a tuple of numbers that its functions take, so that any kind of number will do."""

    name: str
    about: str
    p: str
    constants: dict[str, str]
    full: Reduce
    half: Reduce
    template: str
    pads: dict[str, str]
    small: Reduce = keep


# --- templates

WEIERSTRASS = '''
def accumulate(point: Point, rows: Rows, constants: tuple[Any, ...]) -> Point:
    """From a Jacobian point (x, v = 2y, z): for each row so many doublings, then the mixed additions of its points (x, 2y).

    An addition of a point to itself or to its negative gives z = 0 (mod p), which stays: the caller looks once, at the end.
    """
    UNPACK
    x, v, z = point
    for doublings, points in rows:
        for _ in range(doublings):
            t := z * z
            g := v * v
            z := v * z
            a := 3 * (x - t PAD2) * (x + t)
            b := x * g
            x := a * a - b - b PAD4
            v := (a + a) * (b - x PAD2) - g * g PADPRODUCT
        for x2, v2 in points:
            t := z * z
            h := x2 * t - x PAD2
            t := z * t
            r := v2 * t - v PAD2
            g = h + h
            z := z * g
            t := g * g
            j := h * t
            q := x * t
            x := r * r - j - q - q PAD4
            v := 2 * (r * (q - x PAD2) - v * j PADPRODUCT)
    return x, v, z
'''

EDWARDS_MINUS = '''
def accumulate(point: Point, rows: Rows, constants: tuple[Any, ...]) -> Point:
    """From an extended point (x, y, z, t): for each row so many doublings, then the additions of its points (y+x, y-x, 2dxy).

    The formulas are complete (Hisil, Wong, Carter, Dawson, 2008, for a = -1): no input is an exception. Factors e * h of t are
    multiplied only where an addition follows, and at the end.
    """
    UNPACK
    x, y, z, e = point
    h = one
    for doublings, points in rows:
        for _ in range(doublings):
            a :- x * x
            b :- y * y
            c :- 2 * z * z
            e :- (x + y) * (x + y)
            h = a + b
            e = h - e PAD
            g = a - b PAD
            f = c + g
            x := e * f
            y := g * h
            z := f * g
        for plus, minus, t2 in points:
            t := e * h
            a :- (y - x PAD2) * minus
            b :- (y + x) * plus
            c :- t * t2
            d = z + z
            e = b - a PAD
            h = b + a
            f = d - c PAD
            g = d + c
            x := e * f
            y := g * h
            z := f * g
    t := e * h
    return x, y, z, t
'''

EDWARDS_PLUS = '''
def accumulate(point: Point, rows: Rows, constants: tuple[Any, ...]) -> Point:
    """From an extended point (x, y, z, t): for each row so many doublings, then the additions of its points (x, y, x+y, -dxy).

    The formulas are complete (Hisil, Wong, Carter, Dawson, 2008, for a = 1): no input is an exception. Factors e * h of t are
    multiplied only where an addition follows, and at the end.
    """
    UNPACK
    x, y, z, e = point
    h = one
    for doublings, points in rows:
        for _ in range(doublings):
            a :- x * x
            b :- y * y
            c :- 2 * z * z
            e :- (x + y) * (x + y)
            g = a + b
            e = e - g PAD
            f = g - c PAD
            h = a - b PAD
            x := e * f
            y := g * h
            z := f * g
        for x2, y2, sum2, t2 in points:
            t := e * h
            a :- x * x2
            b :- y * y2
            c :- t * t2
            e :- (x + y) * sum2
            e = e - a - b PAD
            f = z + c
            g = z - c PAD
            h = b - a PAD
            x := e * f
            y := g * h
            z := f * g
    t := e * h
    return x, y, z, t
'''

LADDER = '''
def ladder(u: Any, z: Any, swaps: Iterable[int], constants: tuple[Any, ...]) -> tuple[Any, Any]:
    """The Montgomery ladder of RFC 7748 5 from (z : 0) and (u*z : z), as (x2, z2): their quotient is the result.

    `swaps` tells for each bit of the scalar, highest first, whether it differs from the one before. Both arms move two pairs.
    """
    UNPACK
    x2 = z
    z2 = z - z
    x3 := u * z
    z3 = z
    for swap in swaps:
        if swap:
            x2, x3 = x3, x2
            z2, z3 = z3, z2
        else:
            x2, x3 = x2, x3
            z2, z3 = z2, z3
        a = x2 + z2
        b = x2 - z2 PAD2
        c = x3 + z3
        d = x3 - z3 PAD2
        aa :- a * a
        bb :- b * b
        da :- d * a
        cb :- c * b
        e = aa - bb PAD
        a :~ aa + a24 * e
        x2 := aa * bb
        z2 := e * a
        a = da + cb
        b = da - cb
        x3 := a * a
        z3 :- b * b
        z3 := z3 * u
    return x2, z2
'''

# --- modules

P256 = "2**256 - 2**224 + 2**192 + 2**96 - 1"
P384 = "2**384 - 2**128 - 2**96 + 2**32 - 1"
P521 = "2**521 - 1"
P25519 = "2**255 - 19"
P448 = "2**448 - 2**224 - 1"

MODULES = (
    Module("p256", "P-256 (SP 800-186 3.2.1.3): reduction by division.", P256, {"p": "P"}, divide, divide, WEIERSTRASS, {}),
    Module(
        "p384",
        "P-384 (SP 800-186 3.2.1.4): reduction by folding, 2^384 = 2^128 + 2^96 - 2^32 + 1.",
        P384,
        {"pad2": "2 * P", "pad4": "4 * P", "pad_product": "P << 388", "mask": "2**384 - 1", "c": "2**384 - P"},
        fold(384, "c", 2),
        fold(384, "c", 2),
        WEIERSTRASS,
        {"PAD2": "pad2", "PAD4": "pad4", "PADPRODUCT": "pad_product"},
    ),
    Module(
        "p521",
        "P-521 (SP 800-186 3.2.1.5): reduction by folding, 2^521 = 1.",
        P521,
        {"pad2": "2 * P", "pad4": "4 * P", "pad_product": "P << 525", "mask": "2**521 - 1"},
        fold(521, "", 2),
        fold(521, "", 2),
        WEIERSTRASS,
        {"PAD2": "pad2", "PAD4": "pad4", "PADPRODUCT": "pad_product"},
    ),
    Module(
        "edwards25519",
        "edwards25519 (RFC 7748 4.1): reduction by folding, 2^255 = 19.",
        P25519,
        {"one": "1", "pad2": "2 * P", "pad": "P << 9", "mask": "2**255 - 1"},
        fold(255, "19", 2),
        fold(255, "19", 1),
        EDWARDS_MINUS,
        {"PAD": "pad", "PAD2": "pad2"},
    ),
    Module(
        "edwards448",
        "edwards448 (RFC 7748 4.2): reduction by folding, 2^448 = 2^224 + 1.",
        P448,
        {"one": "1", "pad": "P << 8", "mask": "2**448 - 1"},
        fold_448(3),
        fold_448(2),
        EDWARDS_PLUS,
        {"PAD": "pad"},
    ),
    Module(
        "curve25519",
        "curve25519 (RFC 7748 4.1): reduction by folding, 2^255 = 19.",
        P25519,
        {"pad2": "2 * P", "pad": "P << 9", "mask": "2**255 - 1", "a24": "121665"},
        fold(255, "19", 2),
        fold(255, "19", 1),
        LADDER,
        {"PAD": "pad", "PAD2": "pad2"},
    ),
    Module(
        "curve448",
        "curve448 (RFC 7748 4.2): reduction by folding, 2^448 = 2^224 + 1.",
        P448,
        {"pad2": "2 * P", "pad": "P << 8", "mask": "2**448 - 1", "a24": "39081"},
        fold_448(3),
        fold_448(2),
        LADDER,
        {"PAD": "pad", "PAD2": "pad2"},
        fold_448(1),
    ),
)


def divided(module: Module) -> Module:
    """The same reduced by division, for numbers that divide fast."""
    kept = {name: text for name, text in module.constants.items() if name in ("one", "a24")}
    about = module.about.partition(":")[0] + ": reduction by division, for numbers that divide fast."
    return Module(f"{module.name}_divided", about, module.p, {"p": "P", **kept}, divide, divide, module.template, {})


ALL_MODULES = (*MODULES, *(divided(module) for module in MODULES if module.full is not divide))


def _unpacking(module: Module) -> str:
    names = ", ".join(module.constants)
    return f"({names},) = constants" if len(module.constants) == 1 else f"{names} = constants"


def expand(module: Module) -> Iterable[str]:
    """The lines of the module's template, its signs replaced.

    Pads, multiples of p, keep products above zero: masks and shifts of negative ints are slow.
    """
    signs = {" := ": module.full, " :- ": module.half, " :~ ": module.small}
    for line in module.template.strip().splitlines():
        text = re.sub(r" PAD\w*", lambda pad: " + " + module.pads[pad[0][1:]] if module.pads else "", line.strip())
        text = text.replace("UNPACK", _unpacking(module))
        indent = line[: len(line) - len(line.lstrip())]
        sign = next((sign for sign in signs if sign in text), None)
        lines = signs[sign](*text.split(sign)) if sign else [text]
        yield from (indent + text if text else "" for text in lines)


def source(module: Module) -> str:
    constants = ", ".join(module.constants.values()) + ("," if len(module.constants) == 1 else "")
    lines = [
        f'"""Straight-line arithmetic of {module.about}',
        "",
        "Generated by tools/gen_curves.py: change that, not this.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Iterable",
        "from typing import Any",
        "",
        f"P = {module.p}",
        f"CONSTANTS = ({constants})",
        "",
    ]
    if module.template is not LADDER:
        coordinates = 3 if module.template is WEIERSTRASS else 4
        lines += [
            f"Point = tuple[{', '.join(['Any'] * coordinates)}]",
            "Rows = Iterable[tuple[int, Iterable[tuple[Any, ...]]]]",
            "",
        ]
    lines += ["", *expand(module)]
    return "\n".join(lines) + "\n"


# --- tables

COMBS = {"p256_comb": "P-256", "edwards25519_comb": "edwards25519"}


def comb_source(name: str) -> str:
    """The upper halves of the base point's comb, which the kernels would else compute in each process that needs them."""
    sys.path.insert(0, str(OUT.parents[3]))
    from puretls.crypto.kernels.ec.edwards import edwards
    from puretls.crypto.kernels.ec.weierstrass import curve

    on = curve("secp256r1") if name == "p256_comb" else edwards("edwards25519")
    numbers = [number for upper in on.make_uppers(on.base, on.comb_shape) for entry in upper for number in entry]
    text = base64.b64encode(b"".join(number.to_bytes(32, "big") for number in numbers)).decode()
    lines = [f'    "{text[i : i + 120]}"' for i in range(0, len(text), 120)]
    return (
        f'"""Comb of the base point of {COMBS[name]}: {on.comb_shape.tables} tables, the entries for columns that begin with plus.\n\n'
        'Generated by tools/gen_curves.py: change that, not this.\n"""\n\n'
        "ENTRIES = (\n" + "\n".join(lines) + "\n)\n"
    )


def sources() -> Iterable[tuple[str, str]]:
    """File name and text of all that is generated; the combs last, since they are computed with the modules."""
    for module in ALL_MODULES:
        yield f"{module.name}.py", source(module)
    for name in COMBS:
        yield f"{name}.py", comb_source(name)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on a difference")
    options = parser.parse_args(arguments)
    stale = []
    for name, text in sources():
        path = OUT / name
        if options.check and (not path.exists() or path.read_text("utf-8") != text):
            stale.append(path.name)
        elif not options.check:
            path.write_text(text, "utf-8")
    if stale:
        print("differ from what tools/gen_curves.py writes:", ", ".join(stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
