"""Configurations by name: what a tape says of client and server, in values that JSON knows, and the configurations made of it.

One table has a row for each field of `ClientConfig` and `ServerConfig` that has a name: how it is written, and how it is read again.
Fields with their usual values are left out. What only a program can say (a call-back, an interceptor, a store of one's own) has no name.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, TypeVar

from puretls import algorithm_names as names
from puretls import danger
from puretls.arguments import described
from puretls.config import ClientConfig, Config, Credential, Limits, ServerConfig, Verifier
from puretls.crypto import provider as providers
from puretls.crypto.keys import RsaPrivateKey, RsaPublicKey
from puretls.errors import DecodeError, UsageError
from puretls.extensions import ORDER, Extension
from puretls.iana import NamedGroup, SignatureScheme
from puretls.session import MemorySessionStore, TicketKeys
from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES, SUITES, Suite
from puretls.values import frozen

C = TypeVar("C", ClientConfig, ServerConfig)
Json = Any
Side = Mapping[str, Json]
"""What a tape says of one end: the names of fields with their values."""

NOBODY, ANYBODY, AUTHORITY, SYSTEM = "nobody", "danger: anybody", "authority", "system"
"""Whom an end trusts, besides a list of certificates in PEM: no one, everyone, the tape's own authority, the system's roots."""


# Bytes


def write_bytes(data: bytes) -> Json:
    """Bytes as JSON: text where they are printable ASCII, else hexadecimal; what repeats is written once."""
    period = (data + data).find(data, 1) if data else 0
    short = data[:period]
    made = {"text": short.decode("ascii")} if short.isascii() and short.decode("ascii").isprintable() else {"hex": short.hex()}
    return made | ({"times": len(data) // period} if period < len(data) else {})


def read_bytes(value: Json, what: str) -> bytes:
    """What `write_bytes` wrote. Raises `UsageError`, which names `what`."""
    match value:
        case {"text": str(text), **rest}:
            data = text.encode()
        case {"hex": str(text), **rest} if _is_hex(text):
            data = bytes.fromhex(text)
        case _:
            raise UsageError(f'{what} is {{"text": "..."}} or {{"hex": "..."}}, not {described(value)}')
    times = rest.pop("times", 1)
    if rest or type(times) is not int or not 0 <= times * len(data) <= 2**27:
        raise UsageError(f'{what} has "text" or "hex", and perhaps "times" with a number, and no more than 128 MiB in all')
    return data * times


def _is_hex(text: str) -> bool:
    try:
        return bytes.fromhex(text) is not None
    except ValueError:
        return False


# Where entropy and credentials come from

MOST_CREDENTIALS = 16
"""Credentials of one end: an RSA key takes seconds to make, and whoever opens a tape of a stranger's would wait for all of them."""


def standing() -> float:
    """How many seconds have passed for a clock that stands."""
    return 0.0


@frozen
class Source:
    """What everything random in a tape follows from: its seed, and its clock (seconds since 1970), for which `elapsed()` seconds passed."""

    seed: str
    clock: float
    elapsed: Callable[[], float] = dataclasses.field(default=standing, compare=False, repr=False)

    def random(self, purpose: str) -> Callable[[int], bytes]:
        """A stream of bytes of its own for each purpose, so that one more use of one changes no other."""
        return danger.fixed_random((self.seed + purpose).encode())

    def time(self) -> float:
        return self.clock + self.elapsed()

    def authority(self) -> Any:
        """The development CA of the tape."""
        from puretls.ca import DevelopmentCa

        return DevelopmentCa.create(self.random("authority"), self.clock)

    def issue(self, kind: str, listed: tuple[str, ...], usage: str, *, pss_only: bool = False) -> Credential:
        """A credential of the tape's authority; the same whatever else is issued."""
        return _issued(self, kind, listed, usage, pss_only)


@lru_cache(maxsize=2 * MOST_CREDENTIALS)
def _issued(source: Source, kind: str, listed: tuple[str, ...], usage: str, pss_only: bool) -> Credential:
    """Kept, since an RSA key takes seconds to make, and a tape is made configurations of more than once."""
    from puretls.ca import DevelopmentCa
    from puretls.x509.keys import spki_bytes

    made = source.authority()
    random = source.random(f"credential {kind} {' '.join(listed)} {usage}")
    authority = DevelopmentCa.load(made.root, made.intermediate, random, source.clock)
    leaf = authority.issue(listed, kind, usage=usage)
    if pss_only and isinstance(leaf.key, RsaPrivateKey):
        key = dataclasses.replace(leaf.key, public=dataclasses.replace(leaf.key.public, pss_only=True))
        leaf = authority.issued(dataclasses.replace(leaf.draft, spki=spki_bytes(key.public)), key)
    return Credential(leaf.chain, leaf.key)


# Rows


@frozen
class _Row:
    """`write(value)` gives JSON, `read(json, source)` the value again; both may raise `UsageError`."""

    write: Callable[[Any], Json]
    read: Callable[[Json, Source], Any]


def _same(*kinds: type) -> _Row:
    def read(value: Json, _source: Source) -> Any:
        if not isinstance(value, kinds):
            raise UsageError(f"not {described(value)}, but {' or '.join(kind.__name__ for kind in kinds)}")
        return value

    return _Row(lambda value: value, read)


def _listed(write: Callable[[Any], Json], read: Callable[[Json, Source], Any], most: int | None = None) -> _Row:
    """A tuple, written as a list of at most so many."""

    def read_all(value: Json, source: Source) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise UsageError(f"a list, not {described(value)}")
        if most is not None and len(value) > most:
            raise UsageError(f"{most} are the most, not {len(value):,}")
        return tuple(read(one, source) for one in value)

    return _Row(lambda values: [write(one) for one in values], read_all)


_SUITES_BY_NAME = {suite.name: suite for suite in SUITES}


def _suite(name: Json, _source: Source) -> Suite:
    if name not in _SUITES_BY_NAME:
        raise UsageError(f"no cipher suite is called {name!r}: `puretls list suites` names them")
    return _SUITES_BY_NAME[name]


def _named(look_up: Callable[[str], Any]) -> Callable[[Json, Source], Any]:
    return lambda name, _source: look_up(str(name))


def _optional(row: _Row) -> _Row:
    return _Row(
        lambda value: None if value is None else row.write(value),
        lambda value, source: None if value is None else row.read(value, source),
    )


def _write_extension(extension: Extension) -> Json:
    if type(extension) not in ORDER:
        raise UsageError(f"{type(extension).__name__} has no name in a tape: it is not one of puretls's extensions")
    made: dict[str, Json] = {"name": type(extension).__name__}
    for field in dataclasses.fields(extension):
        value = getattr(extension, field.name)
        if value == field.default:
            continue
        if callable(value):
            raise UsageError(f"{type(extension).__name__}.{field.name} is a function, which has no name in a tape")
        made[field.name] = list(value) if isinstance(value, tuple) else value
    return made


def _read_extension(value: Json, _source: Source) -> Extension:
    by_name = {cls.__name__: cls for cls in ORDER}
    match value:
        case {"name": str(name), **more} if name in by_name:
            fields: dict[str, Json] = {str(key): one for key, one in more.items()}
            protocols = fields.pop("protocols", ())  # of Alpn, whose constructor takes them one by one
            try:
                return by_name[name](*protocols, **fields)
            except TypeError as error:
                raise UsageError(f"{name}: {error}") from None
    raise UsageError(f'an extension is {{"name": ...}} with one of {", ".join(by_name)}, not {described(value)}')


def _write_credential(credential: Credential) -> Json:
    from puretls.x509.keys import private_key_pem
    from puretls.x509.pem import write_pem

    made: dict[str, Json] = {
        "certificates": "".join(write_pem("CERTIFICATE", der) for der in credential.chain),
        "key": private_key_pem(credential.key),
    }
    for name in ("ocsp_response", "sct_list"):
        if getattr(credential, name) is not None:
            made[name] = getattr(credential, name).hex()
    return made


def _read_credential(value: Json, source: Source) -> Credential:
    rest: dict[Any, Json] = {}
    match value:
        case {"certificates": str(chain), "key": str(key), **more}:
            rest |= more
            made = Credential.from_pem(chain, key)
        case {"kind": str(kind), "names": [*listed], **more}:
            rest |= more
            usage, pss_only = str(rest.pop("usage", "server")), rest.pop("pss_only", False) is True
            made = source.issue(kind, tuple(map(str, listed)), usage, pss_only=pss_only)
        case _:
            raise UsageError(
                'a credential has "certificates" and "key" in PEM, or "kind" and "names" to be issued by the tape\'s authority'
            )
    extra: dict[str, Any] = {
        name: bytes.fromhex(rest.pop(name)) for name in ("ocsp_response", "sct_list") if _is_hex(rest.get(name, "-"))
    }
    if rest:
        raise UsageError(f"a credential has no {next(iter(rest))!r}")
    return dataclasses.replace(made, **extra)


def _read_verifier(value: Json, source: Source) -> Verifier | None:
    from puretls.x509.verifier import chain_verifier

    match value:
        case "nobody":
            return None
        case "danger: anybody":
            return danger.accept_any_chain
        case "system":
            from puretls.roots import system_verifier

            return system_verifier()
        case "authority":
            return chain_verifier([source.authority().root.certificate], provider=providers.default())
        case [*anchors] if anchors:
            from puretls.x509.pem import load_certificates

            return chain_verifier([der for pem in anchors for der in load_certificates(str(pem))], provider=providers.default())
    raise UsageError(f'a verifier is "{NOBODY}", "{ANYBODY}", "{AUTHORITY}", "{SYSTEM}" or a list of certificates in PEM')


def _cannot_be_written(value: Any) -> Json:
    raise UsageError("what it does cannot be read from it: give its name, as by `described_side(config, verifier=...)`")


def _read_provider(value: Json, _source: Source) -> Any:
    if value == "danger: no security":
        return danger.no_security_provider()
    if value == "danger: no secrecy":
        return danger.no_secrecy_provider()
    raise UsageError(f'providers with a name are "danger: no security" and "danger: no secrecy", not {described(value)}')


def _read_limits(value: Json, _source: Source) -> Limits:
    try:
        return Limits(**value)
    except TypeError as error:
        raise UsageError(f"limits: {error}") from None


def _write_tickets(keys: TicketKeys | None) -> Json:
    return False if keys is None else _cannot_be_written(keys)


def _read_tickets(value: Json, source: Source) -> TicketKeys | None:
    if isinstance(value, bool):
        return TicketKeys() if value else None
    return TicketKeys([read_bytes(one, "a ticket key") for one in value])


def _read_store(value: Json, source: Source) -> MemorySessionStore | None:
    return MemorySessionStore(clock=source.time) if value else None


def _read_client_psk(value: Json, _source: Source) -> Any:
    identity, key = _psk(value)
    return lambda hint: (identity, key)


def _read_server_psk(value: Json, _source: Source) -> Any:
    identity, key = _psk(value)
    return lambda shown: key if shown == identity else None


def _psk(value: Json) -> tuple[bytes, bytes]:
    match value:
        case {"identity": identity, "key": key, **rest} if not rest:
            return read_bytes(identity, "identity"), read_bytes(key, "key")
    raise UsageError(f'a pre-shared key is {{"identity": ..., "key": ...}}, not {described(value)}')


_FLAG, _TEXT, _NUMBER = _same(bool), _same(str), _same(int)
_BYTES = _Row(write_bytes, lambda value, _source: read_bytes(value, "a value"))
_SUITE_LIST = _listed(lambda suite: suite.name, _suite)
_SCHEMES = _listed(lambda scheme: SignatureScheme(scheme).name.lower(), _named(names.signature_scheme))
_STORE = _Row(lambda store: store is not None, _read_store)

_SHARED: Mapping[str, _Row] = {
    "provider": _Row(_cannot_be_written, _read_provider),
    "suites": _SUITE_LIST,
    "groups": _listed(lambda group: NamedGroup(group).name.lower(), _named(names.group)),
    "signature_schemes": _SCHEMES,
    "signing_schemes": _optional(_SCHEMES),
    "extensions": _listed(_write_extension, _read_extension),
    "credentials": _listed(_write_credential, _read_credential, MOST_CREDENTIALS),
    "verifier": _Row(_cannot_be_written, _read_verifier),
    "limits": _Row(
        lambda limits: {
            f.name: getattr(limits, f.name) for f in dataclasses.fields(limits) if getattr(limits, f.name) != f.default
        },
        _read_limits,
    ),
    "max_send_fragment": _NUMBER,
    "renegotiation": _FLAG,
    "require_secure_renegotiation": _FLAG,
    "half_close": _FLAG,
    "danger_suites": _FLAG,
}
_CLIENT: Mapping[str, _Row] = {
    **_SHARED,
    "psk": _Row(_cannot_be_written, _read_client_psk),
    "tickets": _FLAG,
    "session_store": _STORE,
    "fallback_scsv": _FLAG,
}
_SERVER: Mapping[str, _Row] = {
    **_SHARED,
    "client_authentication": _TEXT,
    "certificate_authorities": _listed(lambda der: der.hex(), lambda text, _source: bytes.fromhex(text)),
    "session_cache": _STORE,
    "tickets": _Row(_write_tickets, _read_tickets),
    "session_lifetime": _NUMBER,
    "psk": _Row(_cannot_be_written, _read_server_psk),
    "psk_hint": _optional(_BYTES),
    "refuse_unknown_identities": _FLAG,
    "dh_parameters": _optional(_listed(hex, lambda text, _source: int(text, 16))),
    "prefer_client_order": _FLAG,
    "equal_suites": _listed(_SUITE_LIST.write, _SUITE_LIST.read),
    "refuse_unknown_names": _FLAG,
}
_ROWS: Mapping[type[Config], Mapping[str, _Row]] = {ClientConfig: _CLIENT, ServerConfig: _SERVER}
_USUAL: Mapping[str, Callable[[Any], bool]] = {
    "provider": lambda value: value == providers.default(),
    "session_cache": lambda value: isinstance(value, MemorySessionStore),
    "tickets": lambda value: value is True or (isinstance(value, TicketKeys) and value._automatic),
    "suites": lambda value: value in (DEFAULT_SUITES, DEFAULT_PSK_SUITES + DEFAULT_SUITES),
}
"""Which values of a field go without saying, where that is more than its default."""
_OF_THE_TAPE = frozenset(("random", "clock", "key_log", "trace_level", "trace_limit"))
"""What a tape says once for both, and what changes no byte."""


def described_side(config: Config, **said: Json) -> Side:
    """What a tape says of this configuration. `said` names what cannot be read from it: verifier, psk, provider, credentials...

    Raises `UsageError` for a field that has no name.
    """
    rows = _ROWS[type(config)]
    side: dict[str, Json] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in said:
            side[field.name] = said[field.name]
        elif field.name not in _OF_THE_TAPE and not _is_usual(field, value):
            if field.name not in rows:
                raise UsageError(f"{type(config).__name__}.{field.name} has no name in a tape: only a program can say it")
            try:
                side[field.name] = rows[field.name].write(value)
            except UsageError as error:
                raise UsageError(f"{type(config).__name__}.{field.name}: {error}") from None
    return side


def _is_usual(field: dataclasses.Field[Any], value: Any) -> bool:
    usual = _USUAL.get(field.name)
    return usual(value) if usual is not None else bool(value == field.default)


def configuration(cls: type[C], side: Side, source: Source, **more: Any) -> C:
    """The configuration that a tape describes, with the entropy and the clock of `source`; `more` are fields that no tape has.

    Raises `UsageError` for names that are none, with the field.
    """
    role = "client" if cls is ClientConfig else "server"
    fields: dict[str, Any] = {"random": source.random(role), "clock": source.time}
    for name, value in side.items():
        row = _ROWS[cls].get(name)
        if row is None:
            raise UsageError(f"{role}: no field is called {name!r}; there are {', '.join(_ROWS[cls])}")
        try:
            fields[name] = row.read(value, source)
        except (UsageError, DecodeError) as error:
            raise UsageError(f"{role}.{name}: {error}") from None
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise UsageError(f"{role}.{name}: cannot be {described(value)} ({type(error).__name__})") from None
    return cls(**fields, **more)


# Without secrets


def without_secrets(side: Side) -> Side:
    """The same, with other keys in place of those that only its owner may know: of the same kind, and made anew from the seed."""
    made = dict(side)
    if "credentials" in made:
        made["credentials"] = [_reissued(one) for one in made["credentials"]]
        made.setdefault("verifier", NOBODY)
    if isinstance(made.get("verifier"), list):
        made["verifier"] = AUTHORITY
    if "psk" in made:
        made["psk"] = {
            "identity": {"text": "somebody"},
            "key": write_bytes(hashlib.sha256(b"a pre-shared key that everybody knows").digest()),
        }
    if isinstance(made.get("tickets"), list):
        made["tickets"] = True
    return made


def _reissued(value: Json) -> Json:
    """A credential of the tape's authority for the names of this one, with a key of its kind."""
    if "kind" in value:
        return value
    credential = Credential.from_pem(value["certificates"], value["key"])
    public, leaf = credential.public_key, credential.leaf
    made = {key: one for key, one in value.items() if key not in {"certificates", "key"}}
    made["names"] = [*leaf.dns_names, *(str(ip_address(octets)) for octets in leaf.ip_addresses)] or ["localhost"]
    made["usage"] = "both"
    if isinstance(public, RsaPublicKey):
        made["kind"] = "rsa2048"
        return made | ({"pss_only": True} if public.pss_only else {})
    return made | {"kind": public.curve}
