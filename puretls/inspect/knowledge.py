"""What is known beside the bytes: the secrets that open them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from puretls.crypto.keys import PrivateKey, RsaPrivateKey
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from puretls.keylog import master_secrets
from puretls.values import frozen

KEY_LOG, RECORDED, TAPE, CAPTURE, DOCUMENT = (
    "the key log",
    "the end that was recorded",
    "the tape",
    "the capture's own key log",
    "the file's own key log",
)
"""Where master secrets may be from."""


@frozen
class Knowledge:
    """Secrets, and by what they are found. Its `repr` shows counts only.

    `masters` and `premasters` are found by the random of the ClientHello, 32 bytes; `psks` by the identity (RFC 4279 2); `sessions` are
    master secrets by session identifier or by ticket, for connections that resume what is not in the key log. `ticket_keys` are those of
    servers of puretls, as `TicketKeys.export` gives them: they open tickets, and connections that resume by one. `sources` tells of master
    secrets, by random as well, where they are from, in words that follow "known from".
    """

    masters: Mapping[bytes, Secret] = field(default_factory=dict)
    premasters: Mapping[bytes, Secret] = field(default_factory=dict)
    rsa_keys: tuple[PrivateKey, ...] = ()
    psks: Mapping[bytes, Secret] = field(default_factory=dict)
    sessions: Mapping[bytes, Secret] = field(default_factory=dict)
    ticket_keys: tuple[Secret, ...] = ()
    sources: Mapping[bytes, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        key_log: str | Iterable[str] = "",
        rsa_keys: Iterable[PrivateKey] = (),
        psks: Mapping[bytes, bytes] | None = None,
        premasters: Mapping[bytes, bytes] | None = None,
        *,
        source: str = KEY_LOG,
    ) -> Knowledge:
        """From the text of a key log (NSS format) or its lines, private RSA keys of servers, and pre-shared keys by identity.

        `source` says what kind of key log it is, such as "the capture's own key log".
        Raises `UsageError` for a private key that is not RSA: no other key of a server opens anything.
        """
        keys = tuple(rsa_keys)
        for key in keys:
            if not isinstance(key, RsaPrivateKey):
                raise UsageError(f"only an RSA key opens a recorded connection, not {type(key).__name__}: give a key log")
        text = key_log if isinstance(key_log, str) else "\n".join(key_log)
        masters = master_secrets(text)
        return cls(masters, _secret(premasters), keys, _secret(psks), sources=dict.fromkeys(masters, source))

    def __or__(self, more: Knowledge) -> Knowledge:
        """Both together; where they differ, `more` counts."""
        return Knowledge(
            {**self.masters, **more.masters},
            {**self.premasters, **more.premasters},
            self.rsa_keys + tuple(key for key in more.rsa_keys if key not in self.rsa_keys),
            {**self.psks, **more.psks},
            {**self.sessions, **more.sessions},
            tuple(dict.fromkeys(self.ticket_keys + more.ticket_keys)),
            {**self.sources, **more.sources},
        )

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self.masters or self.premasters or self.rsa_keys or self.psks or self.sessions or self.ticket_keys)

    def __repr__(self) -> str:
        counts = (
            (len(self.masters), "master secrets"),
            (len(self.premasters), "premaster secrets"),
            (len(self.rsa_keys), "RSA keys"),
            (len(self.psks), "pre-shared keys"),
            (len(self.sessions), "sessions"),
            (len(self.ticket_keys), "ticket keys"),
        )
        return f"Knowledge({', '.join(f'{count} {what}' for count, what in counts if count) or 'nothing'})"


def _secret(values: Mapping[bytes, bytes] | None) -> dict[bytes, Secret]:
    return {name: Secret(value) for name, value in (values or {}).items()}


NOTHING = Knowledge()
"""What is known where nobody told."""
