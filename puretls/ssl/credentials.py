"""The certificate chains of a context, with their keys: `load_cert_chain`, and its errors as CPython words them."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from puretls.config import Credential
from puretls.crypto.secret import leaving_no_frames
from puretls.errors import DecodeError, UsageError
from puretls.ssl.errors import failure, pem_failure
from puretls.ssl.levels import DEFAULT_LEVEL, weaknesses
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.keys.private import KEY_LABELS, parse_private_key
from puretls.x509.path.anchors import scan_anchors
from puretls.x509.pem import read_pem

if TYPE_CHECKING:
    from puretls.ssl.trust import Trust

MAX_PASSWORD = 1024
"""Bytes of a password (PEM_BUFSIZE)."""


class Credentials:
    """At most one chain a kind of key, as in OpenSSL: a later one takes the place of an earlier one of its kind."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Credential] = {}
        self._sent: dict[int, tuple[Credential, ...]] = {}  # by the size of the store that completed the chains

    def all(self) -> tuple[Credential, ...]:
        """Chains as they were loaded."""
        return tuple(self._by_kind.values())

    def sent(self, trust: Trust) -> tuple[Credential, ...]:
        """Chains as they are sent: completed with what the context trusts."""
        if trust.size not in self._sent:
            self._sent = {trust.size: tuple(replace(one, chain=trust.completed(one.chain)) for one in self.all())}
        return self._sent[trust.size]

    @leaving_no_frames
    def load(self, certfile: Any, keyfile: Any = None, password: Any = None, level: int = DEFAULT_LEVEL) -> None:
        """PEM of a chain, leaf first, and of its key, which may be in the same file. Keys and digests are strong enough for `level`.

        `password`: text, bytes, or what is called for it once the key turns out to be encrypted. Nobody is asked at a terminal. Raises
        `SSLError` for what cannot be read or does not belong together, `OSError` of the files, `TypeError` and `ValueError` for the
        password, and whatever it raises itself. A chain that was loaded before stays then.
        """
        chain_path = fs_path(certfile, "certfile")
        key_path = chain_path if keyfile is None else fs_path(keyfile, "keyfile")
        if password is not None and not callable(password):
            password = _password(password, "password should be a string or callable")
        with open(chain_path, "rb") as file:
            chain_text = file.read()
        try:
            chain = _chain(chain_text)
            certificates = tuple(map(Certificate.read, chain))
            public = certificates[0].public_key
        except DecodeError as error:
            raise pem_failure("SSL", str(error)) from None
        for weakness in weaknesses(certificates, level):
            raise failure(weakness, f"for the security level {level}")
        with open(key_path, "rb") as file:
            key_text = file.read()
        key = _private_key(key_text, password)
        if type(key.public) is not type(public):
            raise failure("NO_CERTIFICATE_ASSIGNED", "the key is of another kind than the certificate's")
        try:
            self._by_kind[type(public).__name__] = Credential(chain, key)
            self._sent.clear()
        except UsageError as error:
            raise failure("KEY_VALUES_MISMATCH", str(error), library="X509") from None


def _chain(text: bytes) -> tuple[bytes, ...]:
    """The certificates of a file; of OpenSSL's TRUSTED CERTIFICATE the certificate. Raises `DecodeError`."""
    found = []
    for entry in scan_anchors(text):
        if isinstance(entry, DecodeError):
            raise entry
        found.append(entry.certificate)
    if not found:
        raise DecodeError("no certificate in the PEM text", path="PEM", rfc="RFC 7468 5")
    return tuple(found)


def fs_path(value: Any, name: str) -> str | bytes:
    """What `open` takes. Raises `TypeError` in CPython's words."""
    try:
        path: str | bytes = os.fspath(value)
    except TypeError:
        raise TypeError(f"{name} should be a valid filesystem path") from None
    return path


@leaving_no_frames
def _private_key(text: bytes, password: Any) -> Any:
    try:
        if callable(password) and _is_encrypted(text):
            password = _password(password(), "password callback must return a string")
        return parse_private_key(text, None if callable(password) else password)
    except (DecodeError, UsageError) as error:
        raise pem_failure("SSL", str(error)) from None


def _is_encrypted(text: bytes) -> bool:
    """Whether the first key in PEM is. Raises `DecodeError`."""
    block = next((block for block in read_pem(text) if block.label in KEY_LABELS), None)
    return block is not None and (block.label == "ENCRYPTED PRIVATE KEY" or block.header("DEK-Info") is not None)


def _password(value: Any, complaint: str) -> bytes:
    if not isinstance(value, str | bytes | bytearray):
        raise TypeError(complaint)
    data = value.encode() if isinstance(value, str) else bytes(value)
    if len(data) > MAX_PASSWORD:
        raise ValueError(f"password cannot be longer than {MAX_PASSWORD} bytes")
    return data
