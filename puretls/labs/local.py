"""Where weak code may listen: on 127.0.0.1 and on ::1, and nowhere else."""

from __future__ import annotations

import socket

from puretls.arguments import described
from puretls.errors import UsageError

HOSTS = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}
"""As literals: a name such as localhost means what a file or a server says."""


class NotLocal(UsageError):
    """Somebody wanted weak code to be reached from elsewhere."""


def check(host: str) -> str:
    """The address, when it is one of `HOSTS`. Raises `NotLocal` for anything else, names and other forms of the same address too."""
    if type(host) is not str or host not in HOSTS:  # a class of somebody's may be equal to all there is
        named = repr(host[:60]) if type(host) is str else described(host)
        raise NotLocal(f"what is weak on purpose listens on {' or '.join(HOSTS)} alone, not on {named}")
    return host


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening TCP socket; port 0 is a free one. Raises as `check` does, and `OSError` where the port is taken."""
    return socket.create_server((check(host), port), family=HOSTS[host])
