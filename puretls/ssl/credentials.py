"""The certificate chains of a context, with their keys."""

from __future__ import annotations

from typing import Any

from puretls.config import Credential
from puretls.errors import PuretlsError
from puretls.ssl.errors import failure


class Credentials:
    """At most one chain a kind of key, as in OpenSSL: a later one takes the place of an earlier one of its kind."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Credential] = {}

    def all(self) -> tuple[Credential, ...]:
        return tuple(self._by_kind.values())

    def load(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        """PEM of a chain, leaf first, and of its key, which may be in the same file."""
        with open(certfile, "rb") as file:
            chain = file.read()
        key = chain
        if keyfile is not None:
            with open(keyfile, "rb") as file:
                key = file.read()
        if callable(password):
            password = password()
        try:
            credential = Credential.from_pem(chain, key, password)
        except PuretlsError as error:
            raise failure("PEM_LIB", str(error)) from None
        self._by_kind[type(credential.public_key).__name__] = credential
