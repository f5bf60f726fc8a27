"""What can be chosen for a new run: one table of choices, and the way from them to a tape and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from puretls.arguments import described
from puretls.ca import KINDS
from puretls.errors import UsageError
from puretls.iana import NamedGroup
from puretls.inspect import texts
from puretls.inspect.named import ANYBODY, AUTHORITY, NOBODY, write_bytes
from puretls.inspect.tape import Script, Tape
from puretls.suites import DEFAULT_SUITES, SUITES
from puretls.text import has_utf8
from puretls.values import frozen

Json = Any
CLOCK = 1_790_000_000
"""The time of a run, in seconds since 1970: in September 2026."""
SERVER_NAME = "shop.test"
MOST_TEXT = 253
"""Characters of a text that is chosen, as of a host name."""
_PSK: Mapping[str, Json] = {"identity": write_bytes(b"somebody"), "key": write_bytes(b"a key that everybody knows")}
_GROUPS = ("x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048", "ffdhe3072")
_SUITE_NAMES = tuple(suite.name for suite in SUITES)


@frozen
class Choice:
    """One thing to choose. `kind` is "flag", "text", "one" or "many" of `values`; nothing of "many" stands for the usual ones.

    `side` is the end that it is about, `field` the field of its configuration in a tape.
    """

    name: str
    side: str
    title: str
    kind: str
    usual: Json
    field: str = ""
    values: tuple[str, ...] = ()
    hint: str = ""

    def check(self, value: Json) -> Json:
        """The value. Raises `UsageError` where it cannot be chosen."""
        good = {
            "flag": lambda: isinstance(value, bool),
            "text": lambda: isinstance(value, str) and 0 < len(value) <= MOST_TEXT and has_utf8(value),
            "one": lambda: isinstance(value, str) and value in self.values,
            "many": lambda: isinstance(value, list) and all(isinstance(one, str) and one in self.values for one in value),
        }[self.kind]()
        if not good:
            if self.kind == "text":
                raise UsageError(f"{self.name} is a text of 1 to {MOST_TEXT} characters")
            wanted = ", ".join(self.values[:6]) + (" ..." if len(self.values) > 6 else "")
            raise UsageError(f"{self.name} cannot be {described(value)}" + (f"; there are {wanted}" if wanted else ""))
        return value


CHOICES: tuple[Choice, ...] = (
    Choice("server_name", "client", "Asks for", "text", SERVER_NAME, hint="The name that the client asks for, and verifies."),
    Choice("trust", "client", "Trusts", "one", AUTHORITY, "verifier", (AUTHORITY, NOBODY, ANYBODY),
           "The authority has signed the certificates of this run. Who trusts nobody refuses every certificate."),
    Choice("client_certificate", "client", "Own certificate", "one", "", "credentials", ("", *KINDS), "Shown when the server asks for it."),
    Choice("client_suites", "client", "Cipher suites", "many", [], "suites", _SUITE_NAMES),
    Choice("client_groups", "client", "Groups", "many", [], "groups", _GROUPS),
    Choice("client_tickets", "client", "Asks for session tickets", "flag", True, "tickets"),
    Choice("sessions", "client", "Remembers sessions", "flag", True, "session_store", hint="So that the next connection can resume one."),
    Choice("certificates", "server", "Certificates", "many", ["secp256r1"], "credentials", KINDS, "Large RSA keys take seconds to make."),
    Choice("certificate_name", "server", "Name in its certificates", "text", SERVER_NAME),
    Choice("client_authentication", "server", "Client certificates", "one", "none", "client_authentication",
           ("none", "request", "require")),
    Choice("server_suites", "server", "Cipher suites", "many", [], "suites", _SUITE_NAMES),
    Choice("server_groups", "server", "Groups", "many", [], "groups", _GROUPS),
    Choice("server_tickets", "server", "Gives session tickets", "flag", True, "tickets"),
    Choice("psk", "both", "A pre-shared key", "flag", False, "psk", hint="Both ends know it; suites with PSK are offered then."),
    Choice("danger_suites", "both", "danger: allow suites that protect little or nothing", "flag", False, "danger_suites"),
    Choice("seed", "both", "Seed", "text", "puretls", hint="Everything random follows from it: the same seed makes the same bytes."),
)  # fmt: skip
_BY_NAME = {choice.name: choice for choice in CHOICES}
PRESETS: tuple[tuple[str, str, Mapping[str, Json]], ...] = (
    ("The usual", "ECDHE and AES-GCM, with a session ticket.", {}),
    ("Client certificate", "Both ends prove who they are.", {"client_certificate": "secp256r1", "client_authentication": "require"}),
    ("RSA key exchange", "The client encrypts the premaster secret to the server's RSA key; AES-CBC with HMAC.",
     {"certificates": ["rsa2048"], "client_suites": ["TLS_RSA_WITH_AES_128_CBC_SHA"], "server_suites": ["TLS_RSA_WITH_AES_128_CBC_SHA"]}),
    ("Finite-field Diffie-Hellman", "DHE with a group of 2,048 bits, signed by RSA.",
     {"certificates": ["rsa2048"], "client_suites": ["TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"], "client_groups": ["ffdhe2048"]}),
    ("Pre-shared key", "No certificate: both ends know a key.",
     {"psk": True, "client_suites": ["TLS_PSK_WITH_AES_128_GCM_SHA256"], "server_suites": ["TLS_PSK_WITH_AES_128_GCM_SHA256"]}),
    ("Session id, no tickets", "The server remembers sessions itself.", {"client_tickets": False, "server_tickets": False}),
    ("Wrong name", "The certificate is for somebody else: the client refuses it.", {"certificate_name": "other.test"}),
    ("No suite in common", "The two ends have nothing to agree on.",
     {"client_suites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"], "server_suites": ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]}),
    ("danger: no encryption", "A suite that authenticates and hides nothing: the data is there to read.",
     {"danger_suites": True, "client_suites": ["TLS_ECDHE_ECDSA_WITH_NULL_SHA"], "server_suites": ["TLS_ECDHE_ECDSA_WITH_NULL_SHA"]}),
)  # fmt: skip
"""Title, what it shows, and the choices in which it differs from the usual ones."""


def new(chosen: Mapping[str, Json]) -> Tape:
    """The tape of a run that has not begun. Raises `UsageError` for what cannot be chosen."""
    strange = next((str(name) for name in chosen if name not in _BY_NAME), None)
    if strange is not None:
        raise UsageError(f"nothing to choose is called {strange!r}; there are {', '.join(_BY_NAME)}")
    made = {choice.name: choice.check(chosen.get(choice.name, choice.usual)) for choice in CHOICES}
    both = {name: True for name in ("danger_suites",) if made[name]} | ({"psk": dict(_PSK)} if made["psk"] else {})
    asks = made["client_authentication"]
    client = {
        "verifier": made["trust"],
        **_listed("suites", made["client_suites"]),
        **_listed("groups", made["client_groups"]),
        **({} if made["client_tickets"] else {"tickets": False}),
        **({"session_store": True} if made["sessions"] else {}),
        **_listed("credentials", [_credential(kind, "somebody@example.test", "client") for kind in [made["client_certificate"]] if kind]),
        **both,
    }  # fmt: skip
    server = {
        **_listed("credentials", [_credential(kind, made["certificate_name"]) for kind in made["certificates"]]),
        **({} if asks == "none" else {"client_authentication": asks, "verifier": AUTHORITY}),
        **_listed("suites", made["server_suites"]),
        **_listed("groups", made["server_groups"]),
        **({} if made["server_tickets"] else {"tickets": False}),
        **both,
    }  # fmt: skip
    tape = Tape(client, server, (Script((), made["server_name"]),), made["seed"], CLOCK)
    tape.configurations()
    return tape


def _listed(name: str, values: list[Json]) -> dict[str, Json]:
    return {name: values} if values else {}


def _credential(kind: str, name: str, usage: str = "server") -> Json:
    return {"kind": kind, "names": [name]} | ({"usage": usage} if usage != "server" else {})


@cache
def describe() -> Json:
    """All choices and presets, with what the things to choose are."""
    return {
        "choices": [
            {
                "name": choice.name, "side": choice.side, "title": choice.title, "kind": choice.kind, "usual": choice.usual,
                "hint": choice.hint, "values": [{"name": value, **_words(choice, value)} for value in choice.values],
            }
            for choice in CHOICES
        ],
        "presets": [{"title": title, "text": text, "choices": dict(chosen)} for title, text, chosen in PRESETS],
    }  # fmt: skip


_DEFAULT = {suite.name for suite in DEFAULT_SUITES}
_WORDS: Mapping[str, Callable[[str], str]] = {
    "suites": lambda name: _meaning(texts.cipher_suite(next(int(suite.id) for suite in SUITES if suite.name == name))),
    "groups": lambda name: _meaning(texts.group(int(NamedGroup[name.upper()]))),
}


def _words(choice: Choice, value: str) -> dict[str, Json]:
    """What a value is, whether it is among the usual ones, and whether it is dangerous."""
    suite = next((suite for suite in SUITES if suite.name == value), None) if choice.field == "suites" else None
    words = _WORDS.get(choice.field)
    return {"text": words(value) if words else ""} | ({"usual": value in _DEFAULT, "danger": suite.danger} if suite else {})


def _meaning(text: texts.Text | None) -> str:
    return text.meaning if text else ""


def chosen(tape: Tape) -> Json:
    """The choices of a tape that `new` made; of another tape as far as it says them so."""
    server, client = tape.server, tape.client
    credentials = [one for one in _items(server.get("credentials")) if "kind" in one]
    own = [one["kind"] for one in _items(client.get("credentials")) if "kind" in one]
    names = [name for one in credentials for name in one.get("names", ())]
    found = {
        "server_name": tape.connections[0].server_name,
        "trust": client.get("verifier"),
        "client_certificate": own[0] if own else "",
        "client_suites": client.get("suites", []),
        "client_groups": client.get("groups", []),
        "client_tickets": client.get("tickets", True),
        "sessions": client.get("session_store", False),
        "certificates": [one["kind"] for one in credentials],
        "certificate_name": names[0] if names else SERVER_NAME,
        "client_authentication": server.get("client_authentication", "none"),
        "server_suites": server.get("suites", []),
        "server_groups": server.get("groups", []),
        "server_tickets": server.get("tickets", True),
        "psk": "psk" in client,
        "danger_suites": client.get("danger_suites", False),
        "seed": tape.seed,
    }
    return {name: value for name, value in found.items() if _fits(_BY_NAME[name], value)}


def _items(values: Json) -> Iterable[Mapping[str, Json]]:
    return (one for one in values or () if isinstance(one, Mapping))


def _fits(choice: Choice, value: Json) -> bool:
    try:
        choice.check(value)
    except UsageError:
        return False
    return True
