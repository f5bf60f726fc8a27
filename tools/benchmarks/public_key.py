"""Public-key operations against python-ecdsa and tlslite-ng, and OpenSSL by way of the package `cryptography`.

Puretls computes with Python's integers here unless `--provider` names another way; the others do, too, unless gmpy2 is installed, which
python-ecdsa takes by itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.harness import Case, Contender, Options, Row, compare
from puretls.crypto.kernels.ec import combs
from puretls.crypto.keys import PrivateKey, RsaPrivateKey
from puretls.crypto.provider import Provider, named, reference
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind

CURVES = {"x25519": "", "x448": "", "secp256r1": "sha256", "secp384r1": "sha384", "secp521r1": "sha512"}
EDWARDS = {"ed25519": SignatureKind.ED25519, "ed448": SignatureKind.ED448}
MESSAGE = b"message"
THEIRS = reference()

Run = Callable[[], object]


def cases(options: Options) -> list[Case]:
    """A case for each group and each kind of key."""
    found: list[Callable[[Options], Sequence[Row]]] = [lambda o, name=name: exchange(name, o) for name in (*CURVES, "ffdhe2048")]
    found += [lambda o, kind=kind, algorithm=algorithm: signing(kind, algorithm, o) for kind, algorithm in algorithms().items()]
    return [lambda measure=measure: measure(options) for measure in found]


def ours_of(options: Options) -> Provider:
    """Python's integers, unless a provider is named."""
    return named("puretls" if options.provider == "default" else options.provider)


def algorithms() -> dict[str, SignatureAlgorithm]:
    named = {name: SignatureAlgorithm(SignatureKind.ECDSA, hash_name) for name, hash_name in CURVES.items() if hash_name}
    named |= {name: SignatureAlgorithm(kind) for name, kind in EDWARDS.items()}
    return named | {"rsa2048": SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", 32, "sha256")}


def row(case: str, contenders: dict[str, Run | None], options: Options) -> Row:
    return compare(
        "public-key", case, "", "us", {name: Contender(run) for name, run in contenders.items() if run}, options.rounds(21)
    )


def exchange(name: str, options: Options) -> list[Row]:
    """Key generation and shared secret."""
    ours, theirs = ours_of(options).group(name), THEIRS.group(name)
    share, peer = ours.generate(os.urandom), ours.generate(os.urandom)
    openssl = openssl_exchange(name)
    return [
        row(
            f"{name} key",
            {
                "puretls": lambda: ours.generate(os.urandom),
                "tlslite_ng": lambda: theirs.generate(os.urandom),
                "openssl": openssl and openssl[0],
            },
            options,
        ),
        row(
            f"{name} shared secret",
            {
                "puretls": lambda: ours.shared_secret(share.private, peer.public),
                "tlslite_ng": lambda: theirs.shared_secret(share.private, peer.public),
                "openssl": openssl and openssl[1],
            },
            options,
        ),
    ]


def signing(kind: str, algorithm: SignatureAlgorithm, options: Options) -> list[Row]:
    """Signing, verifying with a key never seen, and with one that came again."""
    ours = ours_of(options)
    key = ours.generate(kind, os.urandom)
    signature = ours.sign(algorithm, key, MESSAGE, os.urandom)
    openssl = openssl_signing(kind, key, signature)

    def first() -> None:
        combs.clear()
        ours.verify(algorithm, key.public, MESSAGE, signature)

    def again() -> None:
        ours.verify(algorithm, key.public, MESSAGE, signature)

    def theirs() -> None:
        THEIRS.verify(algorithm, key.public, MESSAGE, signature)

    signers: dict[str, Run | None] = {
        "puretls": lambda: ours.sign(algorithm, key, MESSAGE, os.urandom),
        "tlslite_ng": lambda: THEIRS.sign(algorithm, key, MESSAGE, os.urandom),
        "openssl": openssl and openssl[0],
    }
    rows = [row(f"{kind} sign", signers, options)]
    verifier = openssl and openssl[1]
    rows.append(row(f"{kind} verify", {"puretls": first, "tlslite_ng": theirs, "openssl": verifier}, options))
    if not isinstance(key, RsaPrivateKey):
        rows.append(
            row(f"{kind} verify, key seen before", {"puretls": again, "tlslite_ng": theirs, "openssl": verifier}, options)
        )
        return rows
    return [*rows, private(key, options)]


def private(key: RsaPrivateKey, options: Options) -> Row:
    """The private operation against CRT by nothing but `pow`, in the place of tlslite-ng."""
    c = int.from_bytes(os.urandom(200), "big")

    def bare() -> None:
        m1, m2 = pow(c % key.p, key.dp, key.p), pow(c % key.q, key.dq, key.q)
        m2 + (m1 - m2) * key.qinv % key.p * key.q

    contenders: dict[str, Run | None] = {"puretls": lambda: ours_of(options).rsa_private(key, c, os.urandom), "tlslite_ng": bare}
    return row("rsa2048 private, against CRT by pow", contenders, options)


# --- OpenSSL


def openssl_exchange(name: str) -> tuple[Run, Run] | None:
    if find_spec("cryptography") is None:
        return None
    from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519

    if name in ("x25519", "x448"):
        make: Any = {"x25519": x25519.X25519PrivateKey, "x448": x448.X448PrivateKey}[name].generate
        key, peer = make(), make().public_key()
        return make, lambda: key.exchange(peer)
    if name not in CURVES:
        return None
    curve = getattr(ec, name.upper())()
    own, other = ec.generate_private_key(curve), ec.generate_private_key(curve).public_key()
    return lambda: ec.generate_private_key(curve), lambda: own.exchange(ec.ECDH(), other)


def openssl_signing(kind: str, key: PrivateKey, signature: bytes) -> tuple[Run, Run] | None:
    if find_spec("cryptography") is None:
        return None
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

    if kind in EDWARDS:
        made: Any = {"ed25519": ed25519.Ed25519PrivateKey, "ed448": ed448.Ed448PrivateKey}[kind].from_private_bytes(key.seed)
        arguments: tuple[Any, ...] = ()
    elif isinstance(key, RsaPrivateKey):
        public = rsa.RSAPublicNumbers(key.public.e, key.public.n)
        made = rsa.RSAPrivateNumbers(key.p, key.q, key.d, key.dp, key.dq, key.qinv, public).private_key()
        arguments = (padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        curve = getattr(ec, kind.upper())()
        made = ec.derive_private_key(int.from_bytes(key.scalar, "big"), curve)
        arguments = (ec.ECDSA(getattr(hashes, CURVES[kind].upper())()),)
    public_key = made.public_key()
    return lambda: made.sign(MESSAGE, *arguments), lambda: public_key.verify(signature, MESSAGE, *arguments)
