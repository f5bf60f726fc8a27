"""Every Wycheproof file for public-key operations, through the default provider, and with gmpy2 where it is installed.

How "acceptable" is treated, file by file: what RFC 8422 or our own rules forbid is refused (compressed points, curve parameters
spelled out, lax DER, all-zero shared secrets, DigestInfo without NULL, keys with e below 3), the rest (points of the twist, coordinates
above p, small but sane exponents, old hashes) must give the result of the file. Counts are printed; run with -s to see them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter

import pytest

from puretls.crypto.groups import BadPublicValue
from puretls.crypto.kernels.modular import primes
from puretls.crypto.keys import EcPublicKey, EdPublicKey, RsaPrivateKey, RsaPublicKey
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.errors import DecodeError, UsageError
from puretls.x509.keys import parse_spki
from tests.support import shared
from tests.support.providers import compared

PROVIDERS = compared()
PROVIDER = PROVIDERS[0]
FOLDER = shared.FOLDER / "wycheproof"
CURVES = {"secp256r1": 32, "secp384r1": 48, "secp521r1": 66}
EDDSA = {"ed25519": SignatureKind.ED25519, "ed448": SignatureKind.ED448}

@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.name, autouse=True)
def chosen(request, monkeypatch):
    shared.shared_file("wycheproof")
    monkeypatch.setitem(globals(), "PROVIDER", request.param)


def groups(name):
    for group in json.loads((FOLDER / name).read_text())["testGroups"]:
        yield group, group["tests"]


def files(pattern):
    """The names of the files; the pattern itself where there are none, so that the test is there to be skipped by name."""
    return sorted(path.name for path in FOLDER.glob(pattern)) or [pattern]


def stream(seed=b""):
    """Entropy that repeats from run to run."""
    state = [0]

    def random(length):
        state[0] += 1
        return hashlib.shake_256(seed + state[0].to_bytes(8, "big")).digest(length)

    return random


class Tally(Counter):
    def check(self, test, right, refused=False):
        self["refused" if refused else "right" if right else "wrong"] += 1
        if not right:
            self.setdefault("tests", []).append((test["tcId"], test["comment"], test["flags"], test["result"]))

    def report(self, name):
        print(f"\n{name}: {self['right']} right, {self['refused']} refused as they must be, {self['wrong']} wrong", end="")
        assert not self["wrong"], self["tests"]
        assert self["right"]


def shared_or_none(group, test, parse):
    try:
        public, private = parse(test)
        return bytes(PROVIDER.group(group).shared_secret(Secret(private), public))
    except (BadPublicValue, DecodeError, UsageError):
        return None


def ecdh_private(test, size):
    return (int(test["private"], 16)).to_bytes(size, "big")


@pytest.mark.parametrize("name", files("ecdh_*_ecpoint_test.json"))
@pytest.mark.rfc("8422", "5.10")
def test_ecdh_points(name):
    tally = Tally()
    for group, tests in groups(name):
        for test in tests:
            size = CURVES[group["curve"]]
            shared = shared_or_none(group["curve"], test, lambda t, n=size: (bytes.fromhex(t["public"]), ecdh_private(t, n)))
            good = test["result"] == "valid"  # the acceptable ones are compressed points, which RFC 8422 5.1.2 deprecates
            tally.check(test, shared == (bytes.fromhex(test["shared"]) if good else None), refused=not good and shared is None)
    tally.report(name)


@pytest.mark.parametrize("name", [n for n in files("ecdh_*_test.json") if "ecpoint" not in n])
def test_ecdh_keys(name):
    tally = Tally()
    for group, tests in groups(name):
        curve = group["curve"]
        for test in tests:

            def parse(t, curve=curve):
                key = parse_spki(bytes.fromhex(t["public"]))
                if not isinstance(key, EcPublicKey) or key.curve != curve:
                    raise BadPublicValue("a key of another curve")
                return key.point, ecdh_private(t, CURVES[curve])

            shared = shared_or_none(curve, test, parse)
            good = test["result"] == "valid"
            lenient = test["result"] == "acceptable" and shared == bytes.fromhex(test["shared"])
            tally.check(test, lenient or shared == (bytes.fromhex(test["shared"]) if good else None), refused=not good and shared is None)
    tally.report(name)


XDH = {"curve25519": "x25519", "curve448": "x448"}


@pytest.mark.parametrize("name", ["x25519_test.json", "x448_test.json"])
@pytest.mark.rfc("8422", "5.11")
def test_xdh(name):
    check_xdh(name, lambda group, test: (bytes.fromhex(test["public"]), bytes.fromhex(test["private"])))


XDH_DER = {
    "x25519": ("302a300506032b656e032100", "302e020100300506032b656e04220420"),
    "x448": ("3042300506032b656f033900", "3046020100300506032b656f043a0438"),
}


@pytest.mark.parametrize("name", ["x25519_asn_test.json", "x448_asn_test.json"])
def test_xdh_keys(name):
    """SubjectPublicKeyInfo and PrivateKeyInfo of RFC 8410: keys of one length have one encoding, all before the key is fixed."""

    def strip(group, test):
        keys = []
        for prefix, text in zip(XDH_DER[group], (test["public"], test["private"]), strict=True):
            if not text.startswith(prefix):
                raise BadPublicValue("not the encoding of such a key")
            keys.append(bytes.fromhex(text[len(prefix) :]))
        return keys

    check_xdh(name, strip)


def check_xdh(name, parse):
    tally = Tally()
    for group, tests in groups(name):
        curve = XDH[group["curve"]]
        for test in tests:
            shared = shared_or_none(curve, test, lambda t, c=curve: parse(c, t))
            expected = bytes.fromhex(test["shared"])
            good = test["result"] != "invalid" and any(expected)
            tally.check(test, shared == (expected if good else None), refused=not good and shared is None)
    tally.report(name)


def sha(name):
    return name.lower().replace("sha-", "sha").replace("/", "_")


def verdicts(name, algorithm, key, tests, tally):
    for test in tests:
        found = PROVIDER.verify(algorithm, key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
        good = test["result"] == "valid"  # the acceptable ones leave NULL out of DigestInfo
        tally.check(test, found == good, refused=not good and not found)


@pytest.mark.parametrize("name", files("ecdsa_*_test.json"))
def test_ecdsa(name):
    tally = Tally()
    for group, tests in groups(name):
        key = parse_spki(bytes.fromhex(group["publicKeyDer"]))
        verdicts(name, SignatureAlgorithm(SignatureKind.ECDSA, sha(group["sha"])), key, tests, tally)
    tally.report(name)


@pytest.mark.parametrize("curve", ["ed25519", "ed448"])
def test_eddsa(curve):
    tally = Tally()
    for group, tests in groups(f"{curve}_test.json"):
        key = EdPublicKey(curve, bytes.fromhex(group["publicKey"]["pk"]))
        verdicts(curve, SignatureAlgorithm(EDDSA[curve]), key, tests, tally)
    tally.report(curve)


def rsa_public(group):
    numbers = group.get("publicKey") or group["privateKey"]
    return RsaPublicKey(int(numbers["modulus"], 16), int(numbers["publicExponent"], 16))


@pytest.mark.parametrize("name", files("rsa_signature_*_test.json"))
@pytest.mark.rfc("8017", "8.2.2")
def test_rsa_pkcs1_signatures(name):
    tally = Tally()
    for group, tests in groups(name):
        verdicts(name, SignatureAlgorithm(SignatureKind.RSA_PKCS1, sha(group["sha"])), rsa_public(group), tests, tally)
    tally.report(name)


def supported(hash_name):
    return hash_name in ("sha1", "sha224", "sha256", "sha384", "sha512")


@pytest.mark.parametrize("name", files("rsa_pss_*_test.json"))
@pytest.mark.rfc("8017", "8.1.2")
def test_rsa_pss_signatures(name):
    tally = Tally()
    for group, tests in groups(name):
        hashes = sha(group["sha"]), sha(group["mgfSha"])
        if not all(map(supported, hashes)):  # SHA-512/256 and its like, SHAKE: no scheme of TLS has them
            tally["refused"] += len(tests)
            continue
        verdicts(name, SignatureAlgorithm(SignatureKind.RSA_PSS, hashes[0], group["sLen"], hashes[1]), rsa_public(group), tests, tally)
    tally.report(name)


def factors(n, e, d):
    """The two primes, from a square root of 1 that e * d - 1 leads to (SP 800-56B C.2)."""
    odd = e * d - 1
    odd //= odd & -odd
    for base in range(2, 100):
        x = pow(base, odd, n)
        while x not in (1, n - 1):
            x, root = x * x % n, x
            if x == 1:
                p = math.gcd(root - 1, n)
                return p, n // p
    raise AssertionError("no factors found")


def rsa_private(group):
    numbers = {name: int(value, 16) for name, value in group["privateKey"].items() if name != "otherPrimeInfos"}
    n, e, d = numbers["modulus"], numbers["publicExponent"], numbers["privateExponent"]
    p, q = (numbers["prime1"], numbers["prime2"]) if "prime1" in numbers else factors(n, e, d)
    return RsaPrivateKey(RsaPublicKey(n, e), d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))


@pytest.mark.slow
@pytest.mark.parametrize("name", files("rsa_pkcs1_*_sig_gen_test.json"))
@pytest.mark.rfc("8017", "8.2.1")
def test_rsa_pkcs1_signing(name):
    tally = Tally()
    for group, tests in groups(name):
        algorithm = SignatureAlgorithm(SignatureKind.RSA_PKCS1, sha(group["sha"]))
        key = rsa_private(group)
        for test in tests:
            message = bytes.fromhex(test["msg"])
            if not supported(algorithm.hash):
                tally["refused"] += 1
                continue
            signature = PROVIDER.sign(algorithm, key, message, stream())
            small = key.public.e < 3
            verified = PROVIDER.verify(algorithm, key.public, message, signature)
            tally.check(test, signature.hex() == test["sig"] and verified is not small)
    tally.report(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in files("rsa_pkcs1_*_test.json") if "sig_gen" not in n])
@pytest.mark.rfc("8017", "7.2.2")
def test_rsa_decryption(name):
    """The private operation; the padding is taken off here, since in the handshake that never reveals whether it was right."""
    tally = Tally()
    for group, tests in groups(name):
        key = rsa_private(group)
        length = (key.public.n.bit_length() + 7) // 8
        for test in tests:
            ciphertext = bytes.fromhex(test["ct"])
            message = None
            if len(ciphertext) == length and int.from_bytes(ciphertext, "big") < key.public.n:
                encoded = PROVIDER.rsa_private(key, int.from_bytes(ciphertext, "big"), stream()).to_bytes(length, "big")
                end = encoded.find(0, 2)
                message = encoded[end + 1 :] if encoded[:2] == b"\0\2" and end >= 10 else None
            good = test["result"] == "valid"
            tally.check(test, message == (bytes.fromhex(test["msg"]) if good else None), refused=not good and message is None)
    tally.report(name)


@pytest.mark.slow
def test_primality():
    """"Acceptable" are negative numbers whose opposite is prime: they are no primes here."""
    tally = Tally()
    for _, tests in groups("primality_test.json"):
        for test in tests:
            value = int.from_bytes(bytes.fromhex(test["value"]), "big", signed=True)
            good = test["result"] == "valid"
            found = primes.is_prime(value, stream(), rounds=5)
            tally.check(test, found == good, refused=not good and not found)
    tally.report("primality")
