"""Suites, groups and signature schemes by the names people write: IANA's and OpenSSL's, in lists by comma or colon.

Suites also as OpenSSL cipher strings ("ECDHE+AESGCM:!aNULL:@STRENGTH"). All raise `UnknownName`, a `UsageError`, where nothing has a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NoReturn

from puretls import key_exchange as kx
from puretls.crypto.aead import (
    AES_128_CCM,
    AES_128_CCM_8,
    AES_128_GCM,
    AES_256_CCM,
    AES_256_CCM_8,
    AES_256_GCM,
    CHACHA20_POLY1305,
)
from puretls.crypto.cbc import AES_128_CBC, AES_256_CBC, NULL_CIPHER, RC4_128, TRIPLE_DES_CBC
from puretls.errors import UsageError
from puretls.iana import NamedGroup, SignatureScheme
from puretls.key_exchange import KeyExchange
from puretls.suites import DEFAULT_SUITES, SUITES, Authentication, Suite

Test = Callable[[Suite], bool]
DANGER_SWITCH = "--danger-suites (danger_suites=True in a configuration)"


class UnknownName(UsageError):
    """No suite, group or signature scheme has this name."""


def split_list(text: str) -> list[str]:
    """The items of a list by comma, colon or white space."""
    return [item for item in re.split(r"[,:;\s]+", text) if item]


# Groups and signature schemes

GROUP_ALIASES = {"p-256": "secp256r1", "prime256v1": "secp256r1", "p-384": "secp384r1", "p-521": "secp521r1"}
_HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")
_ECDSA_SCHEMES = {
    "sha1": SignatureScheme.ECDSA_SHA1,
    "sha224": SignatureScheme.ECDSA_SHA224,
    "sha256": SignatureScheme.ECDSA_SECP256R1_SHA256,
    "sha384": SignatureScheme.ECDSA_SECP384R1_SHA384,
    "sha512": SignatureScheme.ECDSA_SECP521R1_SHA512,
}
SCHEME_ALIASES = (
    {f"rsa+{name}": SignatureScheme[f"RSA_PKCS1_{name.upper()}"] for name in _HASHES}
    | {f"ecdsa+{name}": scheme for name, scheme in _ECDSA_SCHEMES.items()}
    | {f"{kind}+{name}": SignatureScheme[f"RSA_PSS_RSAE_{name.upper()}"] for kind in ("rsa-pss", "pss") for name in _HASHES[2:]}
)


def groups(text: str) -> tuple[NamedGroup, ...]:
    """Groups such as "x25519,secp256r1" or "X25519:P-256"."""
    return tuple(group(name) for name in _some(text, "group"))


def group(name: str) -> NamedGroup:
    """One group."""
    key = name.lower()
    try:
        return NamedGroup[GROUP_ALIASES.get(key, key).upper()]
    except KeyError:
        _unknown("group", name, [member.name.lower() for member in NamedGroup])


def signature_schemes(text: str) -> tuple[SignatureScheme, ...]:
    """Schemes such as "rsa_pss_rsae_sha256,ed25519" or "RSA-PSS+SHA256:ECDSA+SHA384"."""
    return tuple(signature_scheme(name) for name in _some(text, "signature algorithm"))


def signature_scheme(name: str) -> SignatureScheme:
    """One scheme."""
    alias = SCHEME_ALIASES.get(name.lower())
    if alias is not None:
        return alias
    try:
        return SignatureScheme[name.upper()]
    except KeyError:
        _unknown("signature algorithm", name, [member.name.lower() for member in SignatureScheme])


# Suites

_AES_128 = {AES_128_GCM, AES_128_CCM, AES_128_CCM_8, AES_128_CBC}
_AES_256 = {AES_256_GCM, AES_256_CCM, AES_256_CCM_8, AES_256_CBC}
_CCM_8 = {AES_128_CCM_8, AES_256_CCM_8}
_CCM = {AES_128_CCM, AES_256_CCM} | _CCM_8


def _kx(*kinds: KeyExchange) -> Test:
    return lambda suite: suite.kx in kinds


def _auth(kind: Authentication) -> Test:
    return lambda suite: suite.auth is kind


def _bulk(*kinds: object) -> Test:
    return lambda suite: suite.bulk in kinds


def _mac(name: str) -> Test:
    return lambda suite: suite.mac == name


def _is_null(suite: Suite) -> bool:
    return suite.bulk is NULL_CIPHER


def _is_anonymous(suite: Suite) -> bool:
    return suite.auth is Authentication.NONE


_RSA_KX, _ANY_ECDHE, _ANY_DHE = _kx(kx.RSA), _kx(kx.ECDHE, kx.ECDH_ANON), _kx(kx.DHE, kx.DH_ANON)
_KEYWORDS: dict[str, Test] = {  # ciphers(1) of OpenSSL
    "ALL": lambda suite: not _is_null(suite),
    "COMPLEMENTOFALL": _is_null,
    "HIGH": lambda suite: suite.strength >= 128 and suite.bulk is not RC4_128,
    "MEDIUM": lambda suite: suite.bulk in {RC4_128, TRIPLE_DES_CBC},
    "aNULL": _is_anonymous,
    "eNULL": _is_null,
    "NULL": _is_null,
    "kRSA": _RSA_KX,
    "aRSA": _auth(Authentication.RSA),
    "RSA": _RSA_KX,
    "kECDHE": _ANY_ECDHE,
    "kEECDH": _ANY_ECDHE,
    "ECDHE": _kx(kx.ECDHE),
    "EECDH": _kx(kx.ECDHE),
    "ECDH": _ANY_ECDHE,
    "kDHE": _ANY_DHE,
    "kEDH": _ANY_DHE,
    "DHE": _kx(kx.DHE),
    "EDH": _kx(kx.DHE),
    "DH": _ANY_DHE,
    "ADH": _kx(kx.DH_ANON),
    "AECDH": _kx(kx.ECDH_ANON),
    "ECDSA": _auth(Authentication.ECDSA),
    "aECDSA": _auth(Authentication.ECDSA),
    "PSK": lambda suite: suite.is_psk,
    "aPSK": _auth(Authentication.PSK),
    "kPSK": _kx(kx.PSK),
    "kDHEPSK": _kx(kx.DHE_PSK),
    "kECDHEPSK": _kx(kx.ECDHE_PSK),
    "kRSAPSK": _kx(kx.RSA_PSK),
    "AES": _bulk(*_AES_128, *_AES_256),
    "AES128": _bulk(*_AES_128),
    "AES256": _bulk(*_AES_256),
    "AESGCM": _bulk(AES_128_GCM, AES_256_GCM),
    "AESCCM": _bulk(*_CCM),
    "AESCCM8": _bulk(*_CCM_8),
    "CHACHA20": _bulk(CHACHA20_POLY1305),
    "3DES": _bulk(TRIPLE_DES_CBC),
    "RC4": _bulk(RC4_128),
    "CBC": lambda suite: suite.is_cbc,
    "MD5": _mac("md5"),
    "SHA": _mac("sha1"),
    "SHA1": _mac("sha1"),
    "SHA256": _mac("sha256"),
    "SHA384": _mac("sha384"),
    "TLSv1.2": lambda suite: suite.is_aead or suite.mac in {"sha256", "sha384"},
}
_EMPTY = frozenset(  # known to OpenSSL, implemented by nobody here: they match nothing, as in an OpenSSL built without them
    {"LOW", "EXP", "EXPORT", "EXPORT40", "EXPORT56", "DES", "IDEA", "SEED", "CAMELLIA", "CAMELLIA128", "CAMELLIA256", "ARIA"}
    | {"ARIA128", "ARIA256", "ARIAGCM", "DSS", "aDSS", "SRP", "kSRP", "aSRP", "kDH", "aDH", "kDHr", "kDHd", "aECDH", "kECDHr"}
    | {"kECDHe", "kGOST", "aGOST", "aGOST01", "GOST94", "GOST89MAC", "SSLv2", "SSLv3", "TLSv1", "TLSv1.0"}
)


def suites(text: str, *, default: Iterable[Suite] = DEFAULT_SUITES, danger: bool = False) -> tuple[Suite, ...]:
    """Suites in order of preference: a list of names, or an OpenSSL cipher string (ciphers(1): `!` `-` `+` `@STRENGTH`).

    `default` is what DEFAULT means. Without `danger`, keywords never include suites for teaching only, and the name of one is an error.
    `[A|B]` stands for both, in this order: see `equal_suites`. Raises `UnknownName` for an unknown word, and `UsageError` when nothing is
    left.
    """
    default = tuple(default)
    chosen: list[Suite] = []
    killed: set[Suite] = set()
    for word in split_list(_GROUP.sub(lambda found: f":{found[1].replace('|', ':')}:", text)):
        operator, pattern = (word[0], word[1:]) if word[0] in "!-+" else ("", word)
        if pattern.startswith("@"):
            chosen = _sorted(chosen, pattern)
            continue
        matching = _matching(pattern, default, danger or operator in ("!", "-"))
        if operator == "":
            chosen += [suite for suite in matching if suite not in chosen and suite not in killed]
        else:
            moved = [suite for suite in chosen if suite in matching] if operator == "+" else []
            chosen = [suite for suite in chosen if suite not in matching] + moved
        if operator == "!":
            killed.update(matching)
    if not chosen:
        raise UsageError(f"no suite is left of {text!r}")
    return tuple(chosen)


_GROUP = re.compile(r"\[([^][]*)\]")


def equal_suites(text: str, *, default: Iterable[Suite] = DEFAULT_SUITES, danger: bool = False) -> tuple[tuple[Suite, ...], ...]:
    """The groups of equal preference in a list such as `[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:AES128-SHA`.

    They are for `ServerConfig.equal_suites`, beside what `suites` makes of the same list. Raises the errors of `suites`, and `UsageError`
    for operators in a list that has groups, because an operator can move a suite out of its group.
    """
    groups = _GROUP.findall(text)
    if groups and re.search(r"(^|[,:;\s|[])[-+!@]", text):
        raise UsageError(f"a list with groups of equal preference has no operators: {text!r}")
    default, chosen = tuple(default), set[Suite]()
    found: list[tuple[Suite, ...]] = []
    for number, part in enumerate(_GROUP.split(text)):
        words = split_list(part.replace("|", ":") if number % 2 else part)
        named = dict.fromkeys(suite for word in words for suite in _matching(word, default, danger) if suite not in chosen)
        if number % 2 and len(named) > 1:
            found.append(tuple(named))
        chosen |= named.keys()
    return tuple(found)


def _sorted(chosen: list[Suite], command: str) -> list[Suite]:
    if command == "@STRENGTH":
        return sorted(chosen, key=lambda suite: -suite.strength)
    if re.fullmatch(r"@SECLEVEL=[0-5]", command):
        return chosen  # puretls refuses weak keys and signatures in any case, so a level changes nothing
    raise UsageError(f"unknown cipher string command {command!r}")


def _matching(pattern: str, default: tuple[Suite, ...], danger: bool) -> list[Suite]:
    if pattern == "DEFAULT":
        return list(default)
    if pattern == "COMPLEMENTOFDEFAULT":
        return [suite for suite in SUITES if suite not in default and not _is_null(suite) and (danger or not suite.danger)]
    named = _BY_NAME.get(pattern.upper())
    if named is not None:
        if named.danger and not danger:
            raise UsageError(f"{pattern} is not secure, and for teaching only: {DANGER_SWITCH} allows it")
        return [named]
    tests = [_keyword(word) for word in pattern.split("+")]
    return [suite for suite in SUITES if (danger or not suite.danger) and all(test(suite) for test in tests)]


def _keyword(word: str) -> Test:
    if word in _EMPTY:
        return lambda suite: False
    try:
        return _KEYWORDS[word]
    except KeyError:
        _unknown("suite", word, [*_BY_NAME, *_KEYWORDS])


_BY_NAME = {name.upper(): suite for suite in SUITES for name in (suite.name, suite.openssl_name)}


# Errors


def _some(text: str, what: str) -> list[str]:
    names = split_list(text)
    if not names:
        raise UsageError(f"no {what} in {text!r}")
    return names


def _unknown(what: str, name: str, choices: list[str]) -> NoReturn:
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), [choice.lower() for choice in choices], 1, 0.6)
    hint = next((f"; did you mean {choice}?" for choice in choices if close and choice.lower() == close[0]), "")
    raise UnknownName(f"unknown {what} {name!r}{hint}")
