"""What notebooks ask a value for, so that it shows itself as more than its `repr`."""

from __future__ import annotations

from importlib import import_module


def in_notebooks(value: object) -> str:
    """The value as a piece of HTML: a class that has a view in `puretls.inspect.render.notebook` takes this as its `_repr_html_`.

    The views stand above all that they show, and are loaded by name when somebody looks: nothing depends on them.
    """
    made: str = import_module("puretls.inspect.render.notebook").html(value)
    return made
