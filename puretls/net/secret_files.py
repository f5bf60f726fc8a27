"""Files that hold secrets: replaced as a whole by a new file, or appended to if nobody else owns them.

A secret is never written into an existing file, because somebody may have that file open, or may have put a link in its place.
It goes into a new file, which then takes the name. Checks that a system cannot make (Windows has no owners) are left out.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

_MINE = 0o600
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_DEVICES = Path("/dev")
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Does not follow links, and does not wait for a FIFO that nobody reads."""


def write_secret(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Writes a file that its owner alone may read, in place of a regular file or link of that name; all of it or nothing.

    Raises `OSError` where that cannot be done, or where the name is that of something else, such as a device.
    """
    target = Path(path)
    _check_replaceable(target)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        number = os.open(temporary, _NEW | _CAREFULLY, _MINE)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None  # nobody asked for a file of the temporary name
    with os.fdopen(number, "wb") as file:
        try:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            file.close()
            os.unlink(temporary)
            raise
    try:
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _check_replaceable(path: Path) -> None:
    """A link is replaced where it leads to a regular file or nowhere. /dev/stdout is a link, too, and belongs to everybody."""
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return
    if not regular or path.parent.resolve() == _DEVICES:
        raise OSError(errno.EINVAL, "no regular file: secrets are not written there", str(path))


def open_to_append(path: str | os.PathLike[str]) -> int:
    """A descriptor that appends to a file of one's own, made where there is none; its owner alone may read it.

    Raises `OSError` for links, FIFOs, devices, and files of other owners.
    """
    name = os.fspath(path)
    if not hasattr(os, "O_NOFOLLOW") and os.path.islink(name):
        raise OSError(errno.ELOOP, "a link: secrets are not written through it", name)
    number = os.open(name, _APPEND | _CAREFULLY, _MINE)
    try:
        _check_own(os.fstat(number), name)
        if hasattr(os, "fchmod"):
            os.fchmod(number, _MINE)
    except BaseException:
        os.close(number)
        raise
    return number


def _check_own(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "no regular file: secrets are not written there", name)
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "a file of another owner: secrets are not written there", name)
