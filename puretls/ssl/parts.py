"""What a context is made of, besides its call-backs and numbers: each part keeps one thing that a program has set."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from typing import Any

from puretls.config import DEFAULT_GROUPS
from puretls.errors import DecodeError, UsageError
from puretls.iana import NamedGroup
from puretls.net.keylog_file import KeyLogFile
from puretls.net.secret_files import open_to_append
from puretls.session import TICKET_KEY_LENGTH, MemorySessionStore, Session, SessionStore, TicketKeys
from puretls.ssl import cipher_list
from puretls.ssl.constants import _DEFAULT_CIPHERS
from puretls.ssl.credentials import Credentials
from puretls.ssl.errors import SSLError, failure
from puretls.ssl.levels import DEFAULT_LEVEL
from puretls.ssl.trust import Trust
from puretls.suites import Suite

FINITE_FIELDS = tuple(group for group in DEFAULT_GROUPS if group.name.startswith("FFDHE"))
_CURVES = {"prime256v1": "SECP256R1"}


class Parts:
    """Of one context."""

    def __init__(self) -> None:
        self.trust: Trust = Trust()
        self.credentials: Credentials = Credentials()
        self.ciphers: Ciphers = Ciphers()
        self.sessions: Sessions = Sessions()
        self.key_log: KeyLog = KeyLog()
        self.alpn: tuple[str, ...] = ()
        self.groups: tuple[NamedGroup, ...] = DEFAULT_GROUPS
        self.dh_parameters: tuple[int, int] | None = None

    def load_cert_chain(self, certfile: Any, keyfile: Any, password: Any) -> None:
        try:
            self.credentials.load(certfile, keyfile, password, self.ciphers.level)
        finally:
            del password  # what shows the frames of an error shows no secret
        self.sessions.forget_servers()

    def set_alpn(self, wire: bytes) -> None:
        """Names in the form of RFC 7301 3.1, without the length of the whole."""
        names: list[str] = []
        while wire:
            size = wire[0]
            if not 0 < size < len(wire):
                raise SSLError("ALPN protocols must be 1 to 255 in length")
            names.append(wire[1 : 1 + size].decode("latin-1"))
            wire = wire[1 + size :]
        self.alpn = tuple(names)

    def set_curve(self, name: Any) -> None:
        """One curve, by OpenSSL's name; finite fields stay. Raises `ValueError` for one that is not known."""
        if not isinstance(name, str | bytes):
            raise TypeError(f"expected str, bytes or os.PathLike object, not {type(name).__name__}")
        text = os.fsdecode(name)
        member = _CURVES.get(text, text.upper())
        group = NamedGroup.__members__.get(member)
        if group is None or group not in DEFAULT_GROUPS or group in FINITE_FIELDS:
            raise ValueError(f"unknown elliptic curve name {name!r}")
        self.groups = (group, *FINITE_FIELDS)

    def load_dh_params(self, path: Any) -> None:
        """P and g in PEM (PKCS #3), for clients that name no finite field."""
        from puretls.der.reader import Reader
        from puretls.x509.pem import read_pem

        with open(path, "rb") as file:
            content = file.read()
        try:
            block = next((one for one in read_pem(content) if one.label == "DH PARAMETERS"), None)
            if block is None:
                raise failure("NO_START_LINE", library="PEM")
            reader = Reader(block.data, name="DHParameter").enter(name="DHParameter")
            self.dh_parameters = reader.integer("prime"), reader.integer("base")
        except DecodeError as error:
            raise failure("BAD_BASE64_DECODE", str(error), library="PEM") from None


class Ciphers:
    """The suites of a context, and the level that a cipher string gives it."""

    def __init__(self) -> None:
        self.level: int = DEFAULT_LEVEL
        self.suites: tuple[Suite, ...] = ()
        self.set(_DEFAULT_CIPHERS)

    def set(self, text: str) -> None:
        try:
            found = cipher_list.parse(text)
        except UsageError:
            raise SSLError("No cipher can be selected.") from None
        self.suites = found.suites
        if found.security_level is not None:
            self.level = found.security_level

    def usable(self) -> tuple[Suite, ...]:
        """Those that the level allows."""
        return cipher_list.usable(self.suites, self.level)

    def described(self) -> list[dict[str, object]]:
        return [cipher_list.describe(suite) for suite in self.usable()]


_COUNTS = (
    "number", "connect", "connect_good", "connect_renegotiate", "accept", "accept_good", "accept_renegotiate", "hits", "misses",
    "timeouts", "cache_full",
)  # fmt: skip


TICKET_KEYS = "PURETLS_TICKET_KEYS"
"""The variable that names a file of ticket keys: processes that have it take each other's tickets."""


def ticket_keys() -> TicketKeys:
    """The keys in the file that `PURETLS_TICKET_KEYS` names, 48 bytes each, the first of which seals; without it random ones.

    Raises `OSError` for a file that cannot be read, and `SSLError` for one that is none of keys.
    """
    path = os.environ.get(TICKET_KEYS)
    if not path:
        return TicketKeys()
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:  # it comes to a server that has never heard of this file
        raise OSError(error.errno, f"{TICKET_KEYS}: {error.strerror}", path) from None
    if not data or len(data) % TICKET_KEY_LENGTH:
        raise SSLError(f"{TICKET_KEYS}: {path} is no file of ticket keys, {TICKET_KEY_LENGTH} bytes each (openssl rand 48)")
    return TicketKeys(data[start : start + TICKET_KEY_LENGTH] for start in range(0, len(data), TICKET_KEY_LENGTH))


class Sessions:
    """What a context keeps to resume, as a server and as a client, and how many handshakes there were."""

    def __init__(self) -> None:
        self.cache: MemorySessionStore = MemorySessionStore()
        self.of_servers: MemorySessionStore = MemorySessionStore(100)
        self.ticket_keys: TicketKeys = ticket_keys()
        self.count: Counter[str] = Counter()

    def kept_for(self, place: bytes) -> SessionStore:
        """Where a client keeps the session of the server at this place: a second connection to it resumes."""
        return _OneServer(self.of_servers, place)

    def forget_servers(self) -> None:
        """Another identity makes other sessions."""
        self.of_servers = MemorySessionStore(100)

    def stats(self) -> dict[str, int]:
        counts = {name: self.count[name] for name in _COUNTS}
        counts["number"] = len(self.cache)
        return counts


class _OneServer:
    """A store that has room for the sessions of one server, whatever its name."""

    def __init__(self, store: MemorySessionStore, place: bytes) -> None:
        self._store, self._place = store, place

    def get(self, key: bytes) -> Session | None:
        return self._store.get(self._place)

    def put(self, key: bytes, session: Session) -> None:
        self._store.put(self._place, session)

    def discard(self, key: bytes) -> None:
        self._store.discard(self._place)


class KeyLog:
    """The file for Wireshark, if there is one. It is opened for each line: a context does not hold a file."""

    _HEADER = "# TLS secrets log file, generated by OpenSSL / Python\n"

    def __init__(self) -> None:
        self.path: Any = None

    def open(self, path: Any) -> None:
        """Names the file, which must be one that can be written; None for none. Raises as `KeyLogFile` does."""
        self.path = None
        if path is not None:
            with os.fdopen(open_to_append(os.fspath(path)), "a", encoding="ascii") as file:
                if file.tell() == 0:
                    file.write(self._HEADER)
            self.path = path

    def write(self, line: str) -> None:
        with closing(KeyLogFile(self.path)) as log:
            log(line)
