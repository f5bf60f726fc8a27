"""Explanations of what has a name or a number: alerts, suites, extensions, groups, signature schemes, rules, reasons, states, messages.

Where a text can be put together from what the library knows, it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from enum import IntEnum
from functools import cache

from puretls.errors import Reason
from puretls.handshake.states import ClientState, LocalInput, ServerState, State
from puretls.iana import AlertDescription, CipherSuiteId, ExtensionType, HandshakeType, NamedGroup, SignatureScheme, known
from puretls.inspect.texts.paths import entries, explain_path
from puretls.inspect.texts.paths import message as message_text
from puretls.inspect.texts.text import Text, by_pattern, entry, sources, table
from puretls.suites import BY_ID, Suite

# Alerts and reasons


def alert(description: int) -> Text | None:
    """An alert by its number; what to try on receiving it is in `mend`."""
    member = known(AlertDescription, description)
    if not isinstance(member, AlertDescription):
        return None
    reasons = ", ".join(one.name for one in Reason if one.alert is member)
    name = member.name.lower()
    return entry(table("alerts")[name]).about("alert", name, ("number", str(description)), ("sent here for", reasons))


def reason(which: Reason) -> Text:
    """Why puretls gives a connection up."""
    row = entry(table("reasons")[which.name])
    meaning = f"{which.sentence[0].upper()}{which.sentence[1:]}."
    return Text(meaning, row.why, which.rfc, row.mend).about("reason", which.name, ("alert", which.alert.name.lower()))


def certificate_rule(rule: str) -> Text | None:
    """A rule of certificate validation by its id, as reports and `puretls x509 rules` have it."""
    from puretls.x509.reports.rules import FIXED, RULES

    row = RULES.get(rule)
    if row is None:
        return None
    demand = f"{row.sentence[0].upper()}{row.sentence[1:]}."
    mend = f"{row.mend[0].upper()}{row.mend[1:]}."
    profiles = ", ".join(sorted(row.profiles)) or "none; asked for by name"
    fixed = "cannot be switched off" if rule in FIXED else ""
    facts = (("profiles", profiles), ("alert", row.alert.name.lower()), ("note", fixed))
    return Text(f"A rule that certificates must keep: {demand[0].lower()}{demand[1:]}", "", row.section, mend).about(
        "certificate rule", rule, *facts
    )


# What is negotiated


def cipher_suite(number: int) -> Text | None:
    """A suite by its number; put together from key exchange, authentication, cipher and hash."""
    member = known(CipherSuiteId, number)
    if not isinstance(member, CipherSuiteId):
        return None
    numbers = ("number", f"0x{number:04X}")
    stands = ("stands in", "ClientHello.cipher_suites, ServerHello.cipher_suite")
    suite = BY_ID.get(number)
    if suite is None:
        return _foreign_suite(member).about("cipher suite", member.name, numbers, stands)
    parts = _parts(suite)
    why = " ".join(dict.fromkeys(part.why for part in parts))
    facts = (numbers, ("OpenSSL's name", suite.openssl_name), ("key", f"{suite.bulk.key_length * 8} bits"), stands)
    return Text(" ".join(part.meaning for part in parts), why, sources(Text("", rfc=suite.rfc), *parts)).about(
        "cipher suite", suite.name, *facts
    )


def _parts(suite: Suite) -> list[Text]:
    rows, bulk = table("suites"), suite.bulk.name
    found = [
        entry(rows["key_exchange"][suite.kx.name]),
        entry(rows["authentication"][suite.auth.value]),
        entry(rows["cipher"][bulk]),
    ]
    found += [entry(rows["mac"][suite.mac])] if suite.mac else []
    return [*found, entry(rows["prf"][suite.prf_hash])]


def _foreign_suite(member: CipherSuiteId) -> Text:
    """One that puretls does not have: signals, suites of TLS 1.3, and those that nobody should use."""
    found = by_pattern(table("suites")["foreign"], member.name)
    assert found is not None, "the last pattern fits every name"
    return found


def extension(number: int) -> Text | None:
    """A hello extension by its number."""
    member = known(ExtensionType, number)
    if not isinstance(member, ExtensionType):
        return None
    from puretls import extensions  # registers the bodies
    from puretls.messages.extension import BODIES

    assert extensions
    homes = [kind for kind, of in BODIES if of == number]
    where = ", ".join("".join(word.capitalize() for word in kind.name.split("_")) + ".extensions" for kind in homes)
    name = member.name.lower()
    found = entries()[f"*.extensions[*].{name}"].text
    return found.about(
        "extension", name, ("number", f"{number} (0x{number:04X})"), ("stands in", where or "ClientHello.extensions")
    )


def group(number: int) -> Text | None:
    """A group by its number."""
    member = known(NamedGroup, number)
    found = by_pattern(table("groups"), member.name.lower()) if isinstance(member, NamedGroup) else None
    where = "ClientHello.extensions[*].supported_groups" + (", ServerKeyExchange.params.named_curve" if number < 256 else "")
    return found and found.about("group", _name(member), ("number", f"{number} (0x{number:04X})"), ("stands in", where))


def signature_scheme(number: int) -> Text | None:
    """A signature scheme by its number."""
    member = known(SignatureScheme, number)
    found = by_pattern(table("signatures"), member.name.lower()) if isinstance(member, SignatureScheme) else None
    where = (
        "ClientHello.extensions[*].signature_algorithms, ServerKeyExchange.signed.algorithm, "
        "CertificateRequest.supported_signature_algorithms, CertificateVerify.algorithm"
    )
    return found and found.about("signature scheme", _name(member), ("number", f"0x{number:04X}"), ("stands in", where))


def _name(member: int) -> str:
    return member.name.lower() if isinstance(member, IntEnum) else str(member)


# The course of a handshake


def state(which: State) -> Text:
    """A state: what the end waits for, what may come, and where that leads."""
    from puretls.handshake.table import CLIENT, SERVER

    role, rows = ("client", CLIENT) if isinstance(which, ClientState) else ("server", SERVER)
    legal = [row for row in rows if row.state is which]
    awaited = [row for row in legal if not issubclass(row.input, LocalInput)]
    meaning = f"A state of the {role}: {which.value}."
    expects = ", ".join(row.input.__name__ for row in awaited) or "nothing of the peer"
    leads = ", ".join(dict.fromkeys(after.name for row in legal for after in row.next_states if after is not which))
    comes = ", ".join(dict.fromkeys(row.state.name for row in rows if which in row.next_states and row.state is not which))
    why = "Any other message is refused with unexpected_message." if awaited else ""
    return Text(meaning, why, "RFC 5246 7.3").about(
        f"{role} state", which.name, ("may come", expects), ("leads to", leads), ("comes after", comes)
    )


def message(name: str) -> Text | None:
    """A message by its name ("ServerHello"): what it is, who sends it, in which states it may come, where it stands in its flight."""
    found = message_text(name)
    return found and found.about("message", name, *_stands(name))


def _stands(name: str) -> Iterator[tuple[str, str]]:
    from puretls.handshake.table import CLIENT, SERVER
    from puretls.inspect.flights import neighbours

    number = HandshakeType.__members__.get(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())
    yield "handshake type", str(int(number)) if number is not None else ""
    for sender, receiver, rows in (("client", "server", SERVER), ("server", "client", CLIENT)):
        states = dict.fromkeys(row.state.name for row in rows if row.input.__name__ == name)
        yield f"from the {sender}", f"while the {receiver} is in {', '.join(states)}" if states else ""
        yield f"{sender}'s flight", str(neighbours(sender, name) or "")


# By any name


def member(value: IntEnum) -> Text | None:
    """What a member of a registry of `puretls.iana` is."""
    make = _REGISTRIES.get(type(value).__name__)
    if make is not None:
        return make(value)
    kind = (
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(value).__name__)
        .lower()
        .replace("ecpoint", "ec_point")
        .replace("eccurve", "ec_curve")
    )
    row = table("values").get(kind, {}).get(value.name)
    return entry(row).about(kind.replace("_", " "), value.name.lower()) if row else None


def _handshake_type(value: int) -> Text | None:
    return message("".join(word.capitalize() for word in HandshakeType(value).name.split("_")))


_REGISTRIES: dict[str, Callable[[int], Text | None]] = {
    "AlertDescription": alert,
    "CipherSuiteId": cipher_suite,
    "ExtensionType": extension,
    "HandshakeType": _handshake_type,
    "NamedGroup": group,
    "SignatureScheme": signature_scheme,
}


def find(name: str) -> list[Text]:
    """Everything of this name or number: alerts, suites (IANA's and OpenSSL's names, 0xC02F), extensions, groups ... and paths.

    Case, "-" and "_" make no difference. Empty where nothing has this name; `near` then has some that are like it.
    """
    found = [text for make in _index().get(_plain(name), ()) if (text := make())]
    if not found and "." in name and (text := explain_path(name)):
        found = [text.about("path", name)]
    return found


def near(name: str, most: int = 3) -> list[str]:
    """Names that are like this one."""
    close = get_close_matches(_plain(name), list(_index()), most, 0.6)
    return [_index()[key][0]().name for key in close if _index()[key][0]()]  # type: ignore[union-attr]


def _plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


@cache
def _index() -> dict[str, list[Callable[[], Text | None]]]:
    """Plain name -> what makes its texts. Nothing is put together before it is asked for."""
    index: dict[str, list[Callable[[], Text | None]]] = {}
    for names, make, argument in _everything():
        for name in dict.fromkeys(map(_plain, names)):
            index.setdefault(name, []).append(lambda make=make, argument=argument: make(argument))  # type: ignore[misc]
    return index


_Row = tuple[Iterable[str], Callable[..., Text | None], object]


def _everything() -> Iterator[_Row]:
    from puretls import algorithm_names as names
    from puretls.x509.reports.rules import RULES

    yield from (((one.name, str(int(one))), alert, one) for one in AlertDescription)
    for number in CipherSuiteId:
        spelled = [number.name, f"0x{number:04x}", f"0x{number >> 8:02x},0x{number & 255:02x}"]
        yield (*spelled, BY_ID[number].openssl_name) if number in BY_ID else spelled, cipher_suite, number
    yield from (((one.name, str(int(one)), f"0x{one:04x}"), extension, one) for one in ExtensionType)
    yield from (((one.name, str(int(one)), f"0x{one:04x}"), group, one) for one in NamedGroup)
    yield from (((alias,), group, names.group(alias)) for alias in names.GROUP_ALIASES)
    yield from (((one.name, f"0x{one:04x}"), signature_scheme, one) for one in SignatureScheme)
    yield from (((alias,), signature_scheme, one) for alias, one in names.SCHEME_ALIASES.items())
    yield from (((rule,), certificate_rule, rule) for rule in RULES)
    yield from (((one.name,), reason, one) for one in Reason)
    yield from (((one.name,), state, one) for states in (ClientState, ServerState) for one in states)
    for key in entries():
        if re.fullmatch(r"[A-Z][A-Za-z]+", key):
            yield (key,), message, key
        elif key.startswith("*.") and "[" not in key and "." not in key[2:]:
            yield (key[2:],), explain_path, f"Certificate.certificate_list[0]{key[1:]}"
