"""Write `aes_sbox.py` and `aes_rounds.py` of `puretls/crypto/kernels/generated`: AES on bit planes as straight-line boolean code.

The circuits are published by the Circuit Minimization Team (Boyar, Peralta, Calik): SLP_AES_113 forward, 113 gates, and Sinv,
121 gates, https://www.cs.yale.edu/homes/peralta/CircuitStuff/CMT.html. `^` is xor, `&` is and; their XNOR gates are written `^`
here, because the complement of some outputs (forward) and inputs (inverse) is the constant 0x63 of FIPS 197 5.1.1, which belongs
in the round keys.

Dead temporaries give up their names at once: CPython then reuses the memory of their big integers while it is in the cache.

    python tools/gen_sbox.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from written import written

GENERATED = Path(__file__).resolve().parent.parent / "puretls/crypto/kernels/generated"
Gate = tuple[str, str, str, str]
"""(output, left, operator, right)"""

FORWARD = """
y14=U3^U5 y13=U0^U6 y9=U0^U3 y8=U0^U5 t0=U1^U2 y1=t0^U7 y4=y1^U3 y12=y13^y14 y2=y1^U0 y5=y1^U6 y3=y5^y8 t1=U4^y12
y15=t1^U5 y20=t1^U1 y6=y15^U7 y10=y15^t0 y11=y20^y9 y7=U7^y11 y17=y10^y11 y19=y10^y8 y16=t0^y11 y21=y13^y16 y18=U0^y16
t2=y12&y15 t3=y3&y6 t4=t3^t2 t5=y4&U7 t6=t5^t2 t7=y13&y16 t8=y5&y1 t9=t8^t7 t10=y2&y7 t11=t10^t7 t12=y9&y11 t13=y14&y17
t14=t13^t12 t15=y8&y10 t16=t15^t12 t17=t4^y20 t18=t6^t16 t19=t9^t14 t20=t11^t16 t21=t17^t14 t22=t18^y19 t23=t19^y21
t24=t20^y18 t25=t21^t22 t26=t21&t23 t27=t24^t26 t28=t25&t27 t29=t28^t22 t30=t23^t24 t31=t22^t26 t32=t31&t30 t33=t32^t24
t34=t23^t33 t35=t27^t33 t36=t24&t35 t37=t36^t34 t38=t27^t36 t39=t29&t38 t40=t25^t39 t41=t40^t37 t42=t29^t33 t43=t29^t40
t44=t33^t37 t45=t42^t41 z0=t44&y15 z1=t37&y6 z2=t33&U7 z3=t43&y16 z4=t40&y1 z5=t29&y7 z6=t42&y11 z7=t45&y17 z8=t41&y10
z9=t44&y12 z10=t37&y3 z11=t33&y4 z12=t43&y13 z13=t40&y5 z14=t29&y2 z15=t42&y9 z16=t45&y14 z17=t41&y8 tc1=z15^z16
tc2=z10^tc1 tc3=z9^tc2 tc4=z0^z2 tc5=z1^z0 tc6=z3^z4 tc7=z12^tc4 tc8=z7^tc6 tc9=z8^tc7 tc10=tc8^tc9 tc11=tc6^tc5
tc12=z3^z5 tc13=z13^tc1 tc14=tc4^tc12 S3=tc3^tc11 tc16=z6^tc8 tc17=z14^tc10 tc18=tc13^tc14 S7=z12^tc18 tc20=z15^tc16
tc21=tc2^z11 S0=tc3^tc16 S6=tc10^tc18 S4=tc14^S3 S1=S3^tc16 tc26=tc17^tc20 S2=tc26^z17 S5=tc21^tc17
"""

INVERSE = """
Y0=U0^U3 Y2=U1^U3 Y4=U0^Y2 RTL0=U6^U7 Y1=Y2^RTL0 Y7=U2^Y1 RTL1=U3^U4 Y6=U7^RTL1 Y3=Y1^RTL1 RTL2=U0^U2 Y5=U5^RTL2
sa1=Y0^Y2 sa0=Y1^Y3 sb1=Y4^Y6 sb0=Y5^Y7 ah=Y0^Y1 al=Y2^Y3 aa=sa0^sa1 bh=Y4^Y5 bl=Y6^Y7 bb=sb0^sb1 ab20=sa0^sb0
ab22=al^bl ab23=Y3^Y7 ab21=sa1^sb1 abcd1=ah&bh rr1=Y0&Y4 ph11=ab20^abcd1 t01=Y1&Y5 ph01=t01^abcd1 abcd2=al&bl r1=Y2&Y6
pl11=ab22^abcd2 r2=Y3&Y7 pl01=r2^abcd2 r3=sa0&sb0 vr1=aa&bb pr1=vr1^r3 wr1=sa1&sb1 qr1=wr1^r3 ab0=ph11^rr1 ab1=ph01^ab21
ab2=pl11^r1 ab3=pl01^qr1 cp1=ab0^pr1 cp2=ab1^qr1 cp3=ab2^pr1 cp4=ab3^ab23 tinv1=cp3^cp4 tinv2=cp3&cp1 tinv3=cp2^tinv2
tinv4=cp1^cp2 tinv5=cp4^tinv2 tinv6=tinv5&tinv4 tinv7=tinv3&tinv1 d2=cp4^tinv7 d0=cp2^tinv6 tinv8=cp1&cp4
tinv9=tinv4&tinv8 tinv10=tinv4^tinv2 d1=tinv9^tinv10 tinv11=cp2&cp3 tinv12=tinv1&tinv11 tinv13=tinv1^tinv2
d3=tinv12^tinv13 sd1=d1^d3 sd0=d0^d2 dl=d0^d1 dh=d2^d3 dd=sd0^sd1 abcd3=dh&bh rr2=d3&Y4 t02=d2&Y5 abcd4=dl&bl r4=d1&Y6
r5=d0&Y7 r6=sd0&sb0 vr2=dd&bb wr2=sd1&sb1 abcd5=dh&ah r7=d3&Y0 r8=d2&Y1 abcd6=dl&al r9=d1&Y2 r10=d0&Y3 r11=sd0&sa0
vr3=dd&aa wr3=sd1&sa1 ph12=rr2^abcd3 ph02=t02^abcd3 pl12=r4^abcd4 pl02=r5^abcd4 pr2=vr2^r6 qr2=wr2^r6 p0=ph12^pr2
p1=ph02^qr2 p2=pl12^pr2 p3=pl02^qr2 ph13=r7^abcd5 ph03=r8^abcd5 pl13=r9^abcd6 pl03=r10^abcd6 pr3=vr3^r11 qr3=wr3^r11
p4=ph13^pr3 S7=ph03^qr3 p6=pl13^pr3 p7=pl03^qr3 S3=p1^p6 S6=p2^p6 S0=p3^p6 X11=p0^p2 S5=S0^X11 X13=p4^p7 X14=X11^X13
S1=S3^X14 X16=p1^S7 S2=X14^X16 X18=p0^p4 X19=S5^X16 S4=X18^X19
"""

HEADER = '''"""The AES S-box and its inverse as boolean circuits on bit planes, without tables.

Written by tools/gen_sbox.py from the straight-line programs of Boyar, Peralta and Calik (SLP_AES_113 and Sinv); change it there.

A plane is an integer that holds one bit of many bytes, one byte a lane; planes are passed and returned from bit 0 (least
significant) to bit 7. The constant 0x63 is left to the round keys.
"""


from __future__ import annotations

Planes = tuple[int, ...]
'''

FUNCTION = '''

def {name}(b0: int, b1: int, b2: int, b3: int, b4: int, b5: int, b6: int, b7: int) -> Planes:
    """{doc}"""
{body}
    return {outputs}
'''


ROUNDS_HEADER = '''"""Rounds of AES (FIPS 197 5.1) on bit planes in one piece: SubBytes, MixColumns and AddRoundKey of four rows.

Written by tools/gen_sbox.py; change it there.

Every plane is a variable that is let go when it was used for the last time. What is alive at once, some 50 planes, then stays in the
processor's first cache, and CPython takes the memory of each new plane from one that has just died.
"""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Sequence

from puretls.crypto.kernels.generated.aes_sbox import Planes

Block = list[Planes]
'''

MIDDLE_ROUNDS = '''

def middle_rounds(rows: Block, keys: Sequence[Block], n: int) -> Block:
    """A round for each key, on the 4 x 8 planes of `aes.planes` with n lanes a column."""
    n1, n2, n3 = n, 2 * n, 3 * n
    m1, m2, m3 = (1 << n1) - 1, (1 << n2) - 1, (1 << n3) - 1
    {rows} = rows
    for key in keys:
        {keys} = key
{body}
    return [{result}]
'''

SUB_AND_MIX = '''

def sub_and_mix(rows: Block, key: Block) -> Block:
    """A round without ShiftRows, on the planes of one column or of all. The caller's list is emptied, so that planes can die."""
    {rows} = rows
    rows.clear()
    {keys} = key
{body}
    return [{result}]
'''


def main() -> int:
    forward = parse(FORWARD)
    sbox = HEADER + "".join(
        FUNCTION.format(name=name, doc=doc, body=indented(lines, 4), outputs=", ".join(outputs))
        for name, doc, (lines, outputs) in (
            ("sub", "S(x) ^ 0x63 of every lane (FIPS 197 5.1.1).", allocate(forward)),
            ("inverse_sub", "The inverse S-box of x ^ 0x63, every lane (FIPS 197 5.3.2).", allocate(parse(INVERSE))),
        )
    )
    rows, keys = ([[f"{name}{row}{bit}" for bit in range(8)] for row in range(4)] for name in "sk")
    names = {"rows": ", ".join(map(bracketed, rows)), "keys": ", ".join(map(bracketed, keys))}
    rounds = ROUNDS_HEADER
    for function, shifting, depth in ((MIDDLE_ROUNDS, True, 8), (SUB_AND_MIX, False, 4)):
        body = indented(sub_bytes(forward, shifting) + mix_columns_and_add(), depth)
        rounds += function.format(**names, body=body, result=names["rows"])
    return written(GENERATED / "aes_sbox.py", sbox) | written(GENERATED / "aes_rounds.py", rounds)


def bracketed(names: list[str]) -> str:
    return f"({', '.join(names)})"


def indented(lines: list[str], depth: int) -> str:
    return "\n".join(" " * depth + line for line in lines)


def sub_bytes(gates: list[Gate], shifting: bool) -> list[str]:
    """SubBytes of the rows s, and ShiftRows where wanted, into the rows a (FIPS 197 5.1.1, 5.1.2)."""
    code = []
    for row in range(4):
        inputs = [f"s{row}{bit}" for bit in range(8)]
        lines, outputs = allocate(gates, inputs)
        code += lines
        for bit, name in enumerate(outputs):
            turned = f"{name} >> n{row} | ({name} & m{row}) << n{4 - row}" if shifting and row else name
            code.append(f"a{row}{bit} = {turned}")
        code.append(" = ".join(dict.fromkeys(inputs + outputs)) + " = 0")
    return code


def mix_columns_and_add() -> list[str]:
    """MixColumns and AddRoundKey of the rows a, into the rows s (FIPS 197 5.1.3, 5.1.4): with u_r = a_r + a_r+1, 2 u_r + a_r+1 + u_r+2."""
    code = [f"u{row}{bit} = a{row}{bit} ^ a{(row + 1) % 4}{bit}" for bit in range(8) for row in range(4)]
    for bit in range(8):
        for row in range(4):
            doubled = f"u{row}{(bit - 1) % 8}" + (f" ^ u{row}7" if bit in {1, 3, 4} else "")
            code.append(f"s{row}{bit} = {doubled} ^ a{(row + 1) % 4}{bit} ^ u{(row + 2) % 4}{bit} ^ k{row}{bit}")
        code.append(" = ".join(f"a{row}{bit}" for row in range(4)) + " = 0")
    return code


def parse(circuit: str) -> list[Gate]:
    gates = []
    for gate in circuit.split():
        output, expression = gate.split("=")
        operator = "^" if "^" in expression else "&"
        left, right = expression.split(operator)
        gates.append((output, left, operator, right))
    return gates


def allocate(gates: list[Gate], inputs: Sequence[str] = tuple(f"b{bit}" for bit in range(8))) -> tuple[list[str], list[str]]:
    """The code with as few names as a linear scan needs, and the names of the outputs from bit 0 to bit 7, as the inputs are."""
    last_use = {name: i for i, (_, left, _, right) in enumerate(gates) for name in (left, right)}
    names = {f"U{7 - bit}": name for bit, name in enumerate(inputs)}
    free: list[str] = []
    fresh = iter(f"t{i}" for i in range(len(gates)))
    lines = []
    for i, (output, left, operator, right) in enumerate(gates):
        operands = names[left], names[right]
        free += [names.pop(name) for name in dict.fromkeys((left, right)) if last_use[name] == i and not name.startswith("S")]
        names[output] = free.pop() if free else next(fresh)
        lines.append(f"{names[output]} = {operands[0]} {operator} {operands[1]}")
    return lines, [names[f"S{7 - bit}"] for bit in range(8)]


if __name__ == "__main__":
    sys.exit(main())
