"""OpenSSL's cipher strings (ciphers(1)): `parse` reads one, `describe` says of a suite what `SSLContext.get_ciphers` does.

The order of the result is OpenSSL's, which sorts all its suites before the string is applied to them. `algorithm_names.suites` reads the
same language for people: it knows IANA's names and refuses unknown words, where OpenSSL passes over them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from operator import is_

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
from puretls.key_exchange import KeyExchange
from puretls.ssl.levels import minimum_bits
from puretls.suites import SUITES, Authentication, Bulk, Suite
from puretls.values import frozen

Test = Callable[[Suite], bool]

DEFAULT = "ALL:!COMPLEMENTOFDEFAULT:!eNULL"
"""What the word DEFAULT at the beginning of a string stands for."""


class NoCipher(UsageError):
    """The string selects no suite, or has a command that OpenSSL does not know."""


@frozen
class CipherList:
    """What a string selects: suites in order of preference, and the security level where it names one."""

    suites: tuple[Suite, ...]
    security_level: int | None = None


def select(text: str) -> tuple[Suite, ...]:
    """The suites that `text` selects, in order of preference. Raises `NoCipher` for none."""
    return parse(text).suites


def usable(suites: Iterable[Suite], level: int) -> tuple[Suite, ...]:
    """Those that a security level allows (SSL_CTX_set_security_level(3)).

    Above 0 there is none without encryption or without authentication, from 3 on none without forward secrecy, from 4 on no SHA-1.
    """
    bits = minimum_bits(level)
    return tuple(suite for suite in suites if suite.strength >= bits and _is_allowed(suite, level))


def _is_allowed(suite: Suite, level: int) -> bool:
    if level and (suite.auth is Authentication.NONE or suite.mac == "md5"):
        return False
    if level > 3 and suite.mac == "sha1":  # 160 bits
        return False
    return level < 3 or suite.is_ephemeral


# The language


@lru_cache(maxsize=32)
def parse(text: str) -> CipherList:
    """Applies the rules of `text`, one after the other, to the suites in OpenSSL's order. Raises `NoCipher`."""
    rules = _Rules(_preferred())
    text = next((suites for beginning, suites in _SUITE_B.items() if text.startswith(beginning)), text)
    if text.startswith("DEFAULT"):
        text = DEFAULT + ":" + text.removeprefix("DEFAULT").removeprefix(":")
    rest, level = text, None
    while rest := rest.lstrip(_SEPARATORS):
        operator, words, rest = _next_item(rest)
        if operator != "@":
            rules.apply(operator, words)
        elif words == ["STRENGTH"]:
            rules.sort_by_strength()
        elif _LEVEL.fullmatch(words[0]):
            level = int(words[0][-1])
        else:
            raise NoCipher(f"the cipher string has a command that is not known: @{words[0]:.50}")
    if not rules.active:
        raise NoCipher(f"the cipher string selects no suite: {text:.200}")
    return CipherList(tuple(rules.active), level)


_SEPARATORS = ": ;,"
_ITEM = re.compile(r"([-+!@]?+)([A-Za-z0-9.=-]+(?:\+[A-Za-z0-9.=-]*)*)")
_BEHIND = re.compile(rf"[^{_SEPARATORS}]*")
_LEVEL = re.compile(r"SECLEVEL=[0-5]")
_SUITE_B = {  # whatever follows these
    "SUITEB128ONLY": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "SUITEB128C2": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "SUITEB128": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
    "SUITEB192": "ECDHE-ECDSA-AES256-GCM-SHA384",
}


def _next_item(text: str) -> tuple[str, list[str], str]:
    """The operator of the first item, the words that must all hold, and what follows: an item may follow without a separator.

    What follows an unknown word is passed over together with it. Raises `NoCipher` for what is no item.
    """
    item = _ITEM.match(text)
    words = item[2].split("+") if item else []
    unknown = [word for word in words if word and word not in _words()]
    if item is None or ("" in words and not unknown):
        raise NoCipher(f"the cipher string has an item that cannot be read: {text:.50}")
    rest = text[item.end() :]
    return item[1], words, _BEHIND.sub("", rest, count=1) if unknown else rest


class _Rules:
    """The suites while a string is applied: those that are selected, and those that still could be, each in an order of its own."""

    def __init__(self, suites: Iterable[Suite]) -> None:
        self.active: list[Suite] = []
        self._waiting = list(suites)

    def apply(self, operator: str, words: list[str]) -> None:
        """Nothing happens for a word that is not known: it may be for another version, or for what is not built in."""
        known = _words()
        if not all(word in known for word in words):
            return
        matching = {suite for suite in SUITES if all(known[word](suite) for word in words)}
        hit, rest = _split(self.active, matching)
        if operator in ("-", "!"):
            self.active = rest
            self._waiting = hit + self._waiting
        elif operator == "+":
            self.active = rest + hit
        else:
            added, self._waiting = _split(self._waiting, matching)
            self.active += added
        if operator == "!":
            self._waiting = _split(self._waiting, matching)[1]

    def sort_by_strength(self) -> None:
        self.active.sort(key=lambda suite: -suite.strength)


def _split(suites: Iterable[Suite], matching: set[Suite]) -> tuple[list[Suite], list[Suite]]:
    """Those that match and those that do not, in the order in which they were."""
    chosen: tuple[list[Suite], list[Suite]] = ([], [])
    for suite in suites:
        chosen[suite not in matching].append(suite)
    return chosen


@cache
def _preferred() -> tuple[Suite, ...]:
    """All suites in the order in which OpenSSL has them before it applies a string (ssl_create_cipher_list)."""
    return tuple(sorted((suite for suite in SUITES if suite.bulk not in (RC4_128, TRIPLE_DES_CBC)), key=_preference))


def _preference(suite: Suite) -> tuple[int, ...]:
    """The key of that order: `False` sorts before `True`. An OpenSSL 3 is built without RC4 and 3DES, so they need no place."""
    ephemeral = suite.is_ephemeral and not suite.is_psk
    return (
        not (ephemeral and suite.is_aead), not ephemeral, not suite.is_aead, minimum_version(suite) != "TLSv1.2", -suite.strength,
        suite.kx is kx.PSK, suite.kx is kx.RSA, suite.auth is Authentication.NONE, suite.mac == "md5",
        not _AESGCM(suite), suite.bulk is not CHACHA20_POLY1305, not _AES(suite),
        not (suite.kx is kx.ECDHE and suite.auth is Authentication.ECDSA), suite.kx not in (kx.ECDHE, kx.ECDH_ANON), -suite.id,
    )  # fmt: skip


# What a suite is, in OpenSSL's words


def describe(suite: Suite) -> dict[str, object]:
    """The entry of a suite in `SSLContext.get_ciphers()`, as CPython and SSL_CIPHER_description(3) word it."""
    version = minimum_version(suite)
    bulk, symmetric = _BULK[suite.bulk]
    encryption = f"{bulk}({suite.strength})" if suite.strength else bulk
    auth = "None" if suite.auth is Authentication.NONE else suite.auth.value
    mac = "AEAD" if suite.is_aead else suite.mac.upper()
    words = f"{suite.openssl_name:<30} {version:<7} Kx={suite.kx.openssl_name:<8} Au={auth:<5} Enc={encryption:<22} Mac={mac:<4}"
    return {
        "id": 0x03000000 | suite.id,
        "name": suite.openssl_name,
        "protocol": "TLSv1.0" if version == "TLSv1" else version,
        "description": words,
        "strength_bits": suite.strength,
        "alg_bits": suite.strength,
        "aead": suite.is_aead,
        "symmetric": symmetric,
        "digest": suite.mac or None,
        "kea": _KEA[suite.kx],
        "auth": "auth-null" if suite.auth is Authentication.NONE else f"auth-{suite.auth.value.lower()}",
    }


def minimum_version(suite: Suite) -> str:
    """The version that brought the suite, as OpenSSL counts: TLSv1.2, TLSv1 or SSLv3."""
    modern = suite.mac in {"sha256", "sha384"}
    if suite.is_aead or (modern and not suite.is_psk):
        return "TLSv1.2"
    return "TLSv1" if modern or suite.is_elliptic else "SSLv3"


_BULK: dict[Bulk, tuple[str, str | None]] = {
    AES_128_GCM: ("AESGCM", "aes-128-gcm"),
    AES_256_GCM: ("AESGCM", "aes-256-gcm"),
    AES_128_CCM: ("AESCCM", "aes-128-ccm"),
    AES_256_CCM: ("AESCCM", "aes-256-ccm"),
    AES_128_CCM_8: ("AESCCM8", "aes-128-ccm"),
    AES_256_CCM_8: ("AESCCM8", "aes-256-ccm"),
    CHACHA20_POLY1305: ("CHACHA20/POLY1305", "chacha20-poly1305"),
    AES_128_CBC: ("AES", "aes-128-cbc"),
    AES_256_CBC: ("AES", "aes-256-cbc"),
    TRIPLE_DES_CBC: ("3DES", "des-ede3-cbc"),
    RC4_128: ("RC4", "rc4"),
    NULL_CIPHER: ("None", None),
}
_KEA = {
    kx.RSA: "kx-rsa",
    kx.DHE: "kx-dhe",
    kx.DH_ANON: "kx-dhe",
    kx.ECDHE: "kx-ecdhe",
    kx.ECDH_ANON: "kx-ecdhe",
    kx.PSK: "kx-psk",
    kx.DHE_PSK: "kx-dhe-psk",
    kx.ECDHE_PSK: "kx-ecdhe-psk",
    kx.RSA_PSK: "kx-rsa-psk",
}


# Words: each is a question to a suite


@cache
def _words() -> dict[str, Test]:
    return _KEYWORDS | dict.fromkeys(_EMPTY, _bulk()) | {suite.openssl_name: partial(is_, suite) for suite in _preferred()}


def _kx(*kinds: KeyExchange) -> Test:
    return lambda suite: suite.kx in kinds


def _auth(kind: Authentication) -> Test:
    return lambda suite: suite.auth is kind


def _bulk(*kinds: Bulk) -> Test:
    return lambda suite: suite.bulk in kinds


def _mac(name: str) -> Test:
    return lambda suite: suite.mac == name


def _version(name: str) -> Test:
    return lambda suite: minimum_version(suite) == name


def _is_encrypted(suite: Suite) -> bool:
    return suite.bulk is not NULL_CIPHER


def _not_by_default(suite: Suite) -> bool:
    return _is_encrypted(suite) and (suite.auth is Authentication.NONE or _CCM(suite))


_CCM = _bulk(AES_128_CCM, AES_256_CCM, AES_128_CCM_8, AES_256_CCM_8)
_AES_128 = (AES_128_GCM, AES_128_CCM, AES_128_CCM_8, AES_128_CBC)
_AES_256 = (AES_256_GCM, AES_256_CCM, AES_256_CCM_8, AES_256_CBC)
_AES, _AESGCM = _bulk(*_AES_128, *_AES_256), _bulk(AES_128_GCM, AES_256_GCM)
_ECDHE, _DHE = _kx(kx.ECDHE, kx.ECDH_ANON), _kx(kx.DHE, kx.DH_ANON)
_KEYWORDS: dict[str, Test] = {
    "ALL": _is_encrypted,
    "COMPLEMENTOFALL": lambda suite: not _is_encrypted(suite),
    "COMPLEMENTOFDEFAULT": _not_by_default,
    "HIGH": _is_encrypted,
    "FIPS": lambda suite: _AESGCM(suite) or suite.is_cbc,
    "CBC": lambda suite: suite.is_cbc,
    "eNULL": lambda suite: not _is_encrypted(suite),
    "NULL": lambda suite: not _is_encrypted(suite),
    "aNULL": _auth(Authentication.NONE),
    "kRSA": _kx(kx.RSA),
    "RSA": lambda suite: suite.kx is kx.RSA and suite.auth is Authentication.RSA,
    "aRSA": _auth(Authentication.RSA),
    "kEDH": _DHE,
    "kDHE": _DHE,
    "DH": _DHE,
    "EDH": _kx(kx.DHE),
    "DHE": _kx(kx.DHE),
    "ADH": _kx(kx.DH_ANON),
    "kEECDH": _ECDHE,
    "kECDHE": _ECDHE,
    "ECDH": _ECDHE,
    "EECDH": _kx(kx.ECDHE),
    "ECDHE": _kx(kx.ECDHE),
    "AECDH": _kx(kx.ECDH_ANON),
    "aECDSA": _auth(Authentication.ECDSA),
    "ECDSA": _auth(Authentication.ECDSA),
    "kPSK": _kx(kx.PSK),
    "kRSAPSK": _kx(kx.RSA_PSK),
    "kECDHEPSK": _kx(kx.ECDHE_PSK),
    "kDHEPSK": _kx(kx.DHE_PSK),
    "aPSK": _auth(Authentication.PSK),
    "PSK": lambda suite: suite.is_psk,
    "AES128": _bulk(*_AES_128),
    "AES256": _bulk(*_AES_256),
    "AES": _AES,
    "AESGCM": _AESGCM,
    "AESCCM": _CCM,
    "AESCCM8": _bulk(AES_128_CCM_8, AES_256_CCM_8),
    "CHACHA20": _bulk(CHACHA20_POLY1305),
    "MD5": _mac("md5"),
    "SHA1": _mac("sha1"),
    "SHA": _mac("sha1"),
    "SHA256": _mac("sha256"),
    "SHA384": _mac("sha384"),
    "SSLv3": _version("SSLv3"),
    "TLSv1": _version("TLSv1"),
    "TLSv1.0": _version("TLSv1"),
    "TLSv1.2": _version("TLSv1.2"),
}
_EMPTY = (  # words of OpenSSL for what puretls does not have: they select nothing
    "LOW", "MEDIUM", "EXP", "EXPORT", "EXPORT40", "EXPORT56", "DSS", "aDSS", "kSRP", "aSRP", "SRP", "kGOST", "kGOST18", "aGOST", "aGOST01",
    "aGOST12", "GOST94", "GOST89MAC", "GOST12", "DES", "3DES", "RC4", "RC2", "IDEA", "SEED", "CAMELLIA", "CAMELLIA128", "CAMELLIA256",
    "ARIA", "ARIAGCM", "ARIA128", "ARIA256",
)  # fmt: skip
