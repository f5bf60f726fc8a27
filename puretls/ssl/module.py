"""The module `_ssl`, made for one version of the standard library's `ssl.py`.

Light: the core is loaded when a context is made, not when `ssl` is imported.
"""

from __future__ import annotations

import operator
import os
import sys
from types import ModuleType
from typing import Any

from puretls.ssl import errors
from puretls.ssl.bio import MemoryBIO
from puretls.ssl.constants import constants
from puretls.ssl.context import _SSLContext
from puretls.ssl.conversions import octets
from puretls.ssl.objects import nid2obj, txt2obj
from puretls.ssl.session import SSLSession

_LATER = {
    "_SSLSocket": ("puretls.ssl.socket", "_SSLSocket"),
    "Certificate": ("puretls.ssl.certificates", "Certificate"),
    "_test_decode_cert": ("puretls.ssl.certificates", "test_decode_cert"),
}
"""Names that load the core, found when they are asked for."""


def build(version: tuple[int, int] = sys.version_info[:2]) -> ModuleType:
    """A new `_ssl`, as the `ssl.py` of this `version` wants it, such as (3, 13). It is put nowhere."""
    module = ModuleType("_ssl", "The module _ssl of the standard library, in pure Python (puretls).")
    module.__dict__.update(constants(version))
    module.__dict__.update({exception.__name__: exception for exception in errors.EXCEPTIONS})
    module.__dict__.update(
        _SSLContext=_SSLContext,
        MemoryBIO=MemoryBIO,
        SSLSession=SSLSession,
        txt2obj=txt2obj,
        nid2obj=nid2obj,
        RAND_bytes=rand_bytes,
        RAND_add=rand_add,
        RAND_status=rand_status,
        get_default_verify_paths=get_default_verify_paths,
        __getattr__=_later,
    )
    if version < (3, 12):
        module.__dict__["RAND_pseudo_bytes"] = rand_pseudo_bytes
    return module


def _later(name: str) -> Any:
    """Module-level `__getattr__` (PEP 562)."""
    from importlib import import_module

    if name not in _LATER:
        raise AttributeError(f"module '_ssl' has no attribute {name!r}")
    home, attribute = _LATER[name]
    return getattr(import_module(home), attribute)


def rand_bytes(n: int, /) -> bytes:
    """Generate n cryptographically strong pseudo-random bytes."""
    if operator.index(n) < 0:
        raise ValueError("num must be positive")
    return os.urandom(n)


def rand_pseudo_bytes(n: int, /) -> tuple[bytes, bool]:
    """Generate n pseudo-random bytes, and whether they are cryptographically strong."""
    import warnings

    warnings.warn("ssl.RAND_pseudo_bytes() is deprecated", DeprecationWarning, stacklevel=2)
    return rand_bytes(n), True


def rand_add(string: Any, entropy: float, /) -> None:
    """Mix string into the pool: the operating system's needs none."""
    if not isinstance(string, str):
        octets(string).release()
    if not isinstance(entropy, float | int):
        raise TypeError(f"must be real number, not {type(entropy).__name__}")


def rand_status() -> bool:
    """Whether the source of randomness has been seeded with enough data: the operating system's has."""
    return True


def get_default_verify_paths() -> tuple[str, str, str, str]:
    """Names of the environment variables, and the paths, of the certificates that are trusted by default."""
    from puretls.ssl.trust import default_paths

    return default_paths()
