"""The ledger as a Python program of its own: it recomputes every value, and says which is the first that is wrong."""

from __future__ import annotations

import hashlib
import inspect
from types import ModuleType
from typing import TYPE_CHECKING

from puretls.inspect.ledger import aes, formulas
from puretls.inspect.ledger.nodes import GIVEN, MISSING, Argument, Node, Ref
from puretls.inspect.streams import SIDES

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.ledger.ledger import Ledger

CHECK_LENGTH = 16
"""Hex digits of SHA-256 by which the program notices that a value it was given is not what was recorded."""

_HEAD = '''#!/usr/bin/env python3
"""{title}

This program recomputes every value from those before it, prints each as hex, and compares it with what was seen. It needs nothing but
Python. Change a value or a formula and run it again: it says which value is the first that is wrong. It holds secrets: whoever has them
reads what was protected by them.
"""

import sys
'''

_ENGINE = '''
V = {}  # every value by its name
WRONG = []


def show(name, value, fine, note):
    V[name] = value
    print(f"{name} = {value.hex()}" + ("" if fine else f"\\n    WRONG: {note}"))
    if not fine:
        WRONG.append(name)


def given(name, value, check):
    """What was seen or is known; `check` begins its SHA-256."""
    value = bytes.fromhex(value)
    show(name, value, hashlib.sha256(value).hexdigest().startswith(check), "this is not what was recorded")


def made(name, value, expected):
    """What a formula gives."""
    show(name, value, value.hex() == expected, f"it should be {expected}")


def missing(name, why):
    """What is not known."""
    print(f"{name}: not known. {why}")

'''

_TAIL = """
if WRONG:
    print(f"\\nthe first wrong value is {WRONG[0]}; {len(WRONG)} of {len(V)} are wrong")
    sys.exit(1)
print(f"\\nall {len(V)} values are right")
"""


def python_script(conversation: Conversation, ledger: Ledger, records: int) -> str:
    """The text of the program, with at most `records` protected records of each side."""
    lines = [_HEAD.format(title=f"The key ledger of {_title(conversation)}."), _functions(ledger), _ENGINE]
    lines += [_statement(node) for node in ledger.nodes]
    for side in SIDES:
        protected = [seen for seen in conversation.records if seen.side == side and seen.opener and seen.plaintext is not None]
        lines += [_statement(node) for seen in protected[:records] for node in ledger.record(side, seen.number)]
        if len(protected) > records:
            lines.append(f"# {len(protected) - records} more records of the {side} are left out.")
    return "\n".join([*lines, _TAIL])


def _title(conversation: Conversation) -> str:
    suite = conversation.suite
    name = conversation.name.encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'")
    return " with ".join(part for part in (name or "a TLS 1.2 conversation", suite.name if suite else "") if part)


def _functions(ledger: Ledger) -> str:
    """The source of the formulas; of AES only where a ticket is opened."""
    needed = [formulas, aes] if any(hasattr(aes, node.formula) for node in ledger.nodes) else [formulas]
    return "\n\n\n".join(map(_source, needed)) + "\n\n"


def _source(module: ModuleType) -> str:
    """From its imports on."""
    source = inspect.getsource(module)
    return source[source.index("\nimport ") :].strip()


def _statement(node: Node) -> str:
    about = f"\n# {node.meaning} [{node.rfc}]\n"
    value = (node.value or b"").hex()
    if node.formula == GIVEN:
        check = hashlib.sha256(node.value or b"").hexdigest()[:CHECK_LENGTH]
        return f'{about}given("{node.name}", "{value}", "{check}")'
    if node.formula == MISSING:
        return f"\nmissing({node.name!r}, {node.meaning!r})"
    arguments = ", ".join(_argument(argument) for argument in node.arguments)
    return f'{about}made("{node.name}", {node.formula}({arguments}), "{value}")'


def _argument(argument: Argument) -> str:
    if isinstance(argument, Ref):
        return f'V["{argument.name}"]'
    if isinstance(argument, str):
        return f'"{argument}"'
    return str(argument) if argument < 1 << 64 else hex(argument)
