"""The providers that tests put beside the reference."""

import os
from importlib.util import find_spec

from puretls.crypto.provider import VARIABLE, default, named


def compared():
    """The one that PURETLS_PROVIDER names; or that of Python alone, and that with gmpy2 where it is installed."""
    name = os.environ.get(VARIABLE)
    if name:
        return [named(name)]
    return [default(accelerated=False), *([named("gmpy2")] if find_spec("gmpy2") else [])]
