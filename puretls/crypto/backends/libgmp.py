"""GMP behind the secret powers of RSA and finite fields, by ctypes: no package is needed where the system has the library."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from puretls.crypto.kernels.arithmetic import Arithmetic
from puretls.errors import UsageError

try:
    import ctypes
except ImportError as error:
    raise UsageError("libgmp is called by ctypes, which this Python was built without: choose another provider") from error

_FILES = (
    "libgmp.so.10",
    "libgmp.10.dylib",
    "/opt/homebrew/lib/libgmp.10.dylib",
    "/usr/local/lib/libgmp.10.dylib",
    "libgmp-10.dll",
)


def _loaded() -> Any:
    for name in _FILES:
        with suppress(OSError):
            return ctypes.CDLL(name)
    raise UsageError("libgmp was not found: install it (apt install libgmp10, brew install gmp), or choose another provider")


class _Mpz(ctypes.Structure):
    """`mpz_t` of gmp.h."""

    _fields_ = (("alloc", ctypes.c_int), ("size", ctypes.c_int), ("limbs", ctypes.c_void_p))


_LIBRARY = _loaded()
_NUMBER = ctypes.POINTER(_Mpz)
_ORDER = (ctypes.c_int, ctypes.c_size_t, ctypes.c_int, ctypes.c_size_t)
"""Of `mpz_import` and `mpz_export`: most significant word first, words of so many bytes, their byte order, unused bits."""
_BYTES = (1, 1, 1, 0)
for _name, _arguments in {
    "init": (_NUMBER,),
    "clear": (_NUMBER,),
    "import": (_NUMBER, ctypes.c_size_t, *_ORDER, ctypes.c_char_p),
    "export": (ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t), *_ORDER, _NUMBER),
    "powm_sec": (_NUMBER, _NUMBER, _NUMBER, _NUMBER),
}.items():
    getattr(_LIBRARY, f"__gmpz_{_name}").argtypes = _arguments
    getattr(_LIBRARY, f"__gmpz_{_name}").restype = None


def secret_power(base: int, exponent: int, modulus: int) -> int:
    """base^exponent mod modulus by `mpz_powm_sec`, whose time and memory accesses depend on the sizes alone.

    The modulus is odd, the exponent above zero: for anything else GMP would end the process, so that Python's `pow` takes it.
    """
    if exponent <= 0 or not modulus & 1:
        return pow(base, exponent, modulus)
    numbers = [_Mpz() for _ in range(4)]
    for number in numbers:
        _LIBRARY.__gmpz_init(number)
    try:
        for number, value in zip(numbers, (base % modulus, exponent, modulus), strict=False):
            data = value.to_bytes((value.bit_length() + 7) // 8)
            _LIBRARY.__gmpz_import(number, len(data), *_BYTES, data)
        _LIBRARY.__gmpz_powm_sec(numbers[3], *numbers[:3])
        length = (modulus.bit_length() + 7) // 8
        output, written = ctypes.create_string_buffer(length), ctypes.c_size_t()
        _LIBRARY.__gmpz_export(output, written, *_BYTES, numbers[3])
        return int.from_bytes(output.raw[: written.value])
    finally:
        for number in numbers:
            _LIBRARY.__gmpz_clear(number)


VERSION = ctypes.c_char_p.in_dll(_LIBRARY, "__gmp_version").value or b""
LIBGMP = Arithmetic(f"Python integers, secret powers by libgmp {VERSION.decode()}", int, pow, secret_power)
