"""Any bytes, any parser: nothing but our own exceptions leaves a public function that takes bytes. They are found, not listed."""

import contextlib
import importlib
import inspect
import pkgutil
import random
from functools import lru_cache

import pytest

import puretls
from puretls.crypto import provider
from puretls.errors import InternalError, PuretlsError
from puretls.inspect.knowledge import Knowledge
from puretls.key_exchange import KEY_EXCHANGES
from puretls.x509.pem import read_pem
from tests.support.conversations import tickets
from tests.support.credentials import credential, issued
from tests.support.pair import pair
from tests.x509 import chains
from tests.x509.messages import _crl

CASES = 150
NOT_PARSERS = (
    "puretls.qt",  # the mirrored API has its own conventions, and reads by the functions below
    "puretls.crypto",  # keys and blocks of fixed sizes, chosen by us
    "puretls.cli",
    "puretls.testing",  # bytes there are the caller's; `der.annotate`, which reads any, has a test of its own
    "puretls.labs",  # toys that hear each other; what a visitor of the playground sends has a test of its own
    "puretls.der.writer",
    "puretls.danger",
    "puretls.__main__",
)
COMPUTES = {
    "puretls.ca.Authority.load": "reads a private key's certificate: the key is no bytes",
    "puretls.handshake.effects.send_data": "an effect",
    "puretls.record.fragment.split": "pieces of a size",
    "puretls.spans.patch": "the spans are the caller's",
    "puretls.x509.keys.algorithms.allows": "the algorithm is the caller's",
    "puretls.x509.drafts.extension": "writes",
    "puretls.x509.drafts.cert_id": "writes",
    "puretls.x509.drafts.ocsp_response": "writes",
    "puretls.x509.certificates.explain.annotated": "the parser is the caller's",
    "puretls.x509.names.general.ip_text": "the bytes of an address, 4 or 16, checked where it is read",
    "puretls.x509.keys.pbkdf.openssl_kdf": "derives a key",
    "puretls.x509.keys.scrypt.scrypt": "derives a key",
    "puretls.x509.keys.scrypt.scrypt_python": "derives a key",
    "puretls.ssl.certificates.test_decode_cert": "the path of a file, with the errors of the mirrored module",
    "puretls.x509.keys.rc2.expand_key": "a key",
    "puretls.x509.keys.rc2.decrypt_cbc": "a key",
    "puretls.inspect.edit.changes": "the spans are the caller's",
    "puretls.inspect.edit.edited": "the spans are the caller's",
    "puretls.inspect.render.hexdump.of_spans": "the spans are the caller's",
}
"""What takes bytes and parses none, and what it does instead."""
ARGUMENTS = {
    "key_exchange": lambda rng, data: rng.choice((None, *KEY_EXCHANGES)),
    "at": lambda rng, data: 0,
    "end": lambda rng, data: len(data),
    "number": lambda rng, data: 0,
    "label": lambda rng, data: "CERTIFICATE",
    "name": lambda rng, data: "ClientHello",
    "server": lambda rng, data: rng.choice((b"", data)),
    "knowledge": lambda rng, data: Knowledge(ticket_keys=((data + bytes(16))[:16] + bytes(32),)),
    "provider": lambda rng, data: provider.default(),
}
"""Required parameters after the bytes, by name."""

PATHS = {"puretls.inspect.captures.capture.read_capture"}
"""Where a str is no text to parse, but the path of a file."""


def public_functions():
    """Functions, class methods and static methods of the package, by their names."""
    for module in pkgutil.walk_packages(puretls.__path__, "puretls."):
        if module.name.startswith(NOT_PARSERS):
            continue
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.name:
                continue
            if inspect.isfunction(value):
                yield f"{module.name}.{name}", value
            elif inspect.isclass(value):
                for inner, method in vars(value).items():
                    if not inner.startswith("_") and isinstance(method, classmethod | staticmethod):
                        yield f"{module.name}.{name}.{inner}", getattr(value, inner)


def required(function):
    """The parameters without a default, in order."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind not in kinds]


@lru_cache
def readers():
    """Name to function: all whose first required parameter is bytes."""
    found = {}
    for name, function in public_functions():
        parameters = required(function)
        if parameters and "bytes" in str(parameters[0].annotation).split(" | "):
            found[name] = function
    return found


def parsers():
    return sorted(set(readers()) - set(COMPUTES))


@lru_cache
def samples():
    """What somebody may hand over: certificates, keys, a CRL, a session, messages and records; DER and PEM."""
    joined = pair({}, {"tickets": tickets()}).handshake()
    session = joined.client.connection.session
    assert session is not None
    top = chains.root("Example Root")
    made = [*credential("rsa2048").chain, *credential().chain, _crl(top, top).raw, session.to_bytes()]
    made += [entry.raw for entry in joined.client.connection.trace if entry.raw]
    texts = [one for kind in ("rsa2048", "secp256r1", "ed25519") for one in (issued(kind).key_pem, issued(kind).chain_pem)]
    made += [text.encode() for text in texts] + [block.data for text in texts for block in read_pem(text)]
    return made


def flipped(rng, data):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def replaced(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + rng.choice((b"", b"\0", b"\xff\xff", rng.randbytes(4))) + data[at + rng.randrange(3) :]


def any_bytes(rng):
    """Nothing, noise, a sample, and samples that were tampered with or cut off."""
    chance = rng.random()
    if chance < 0.15:
        return rng.randbytes(rng.choice((0, 1, 2, 3, 5, 30)))
    data = rng.choice(samples())
    if chance < 0.25:
        return data
    if chance < 0.4:
        return data[: rng.randrange(len(data))]
    return rng.choice((flipped, replaced))(rng, data)


def call(name, rng, data):
    function = readers()[name]
    first, *others = required(function)
    if name not in PATHS and "str" in str(first.annotation).split(" | ") and rng.random() < 0.5:
        return function(data.decode("latin-1"), *(ARGUMENTS[p.name](rng, data) for p in others))
    return function(data, *(ARGUMENTS[p.name](rng, data) for p in others))


@pytest.mark.parametrize("name", parsers())
def test_nothing_but_our_own_exceptions_leaves_a_parser(name):
    for case in range(CASES):
        rng = random.Random(f"{name} {case}")
        data = any_bytes(rng)
        try:
            call(name, rng, data)
        except PuretlsError as error:
            told = repr(error) if isinstance(error, InternalError) else str(error)
            told_well = told and "\n" not in told and not isinstance(error, InternalError)
            if not told_well:
                raise AssertionError(f"{name}, case {case}: {told!r}") from error
        except Exception as error:
            raise AssertionError(f"{name}, case {case}: {error!r} of {data[:80].hex()}") from error


@pytest.mark.parametrize("name", parsers())
def test_no_bytes_at_all_are_survived(name):
    with contextlib.suppress(PuretlsError):
        call(name, random.Random(1), b"")


def test_the_parsers_are_found():
    assert len(parsers()) >= 20
    assert {"puretls.x509.certificates.certificate.Certificate.parse", "puretls.messages.registry.parse_handshake", "puretls.session.Session.from_bytes",
            "puretls.x509.keys.private.parse_private_key", "puretls.x509.pkcs12.parse_pkcs12", "puretls.x509.ocsp.responses.OcspResponse.parse",
            "puretls.x509.crl.lists.Crl.parse", "puretls.x509.pem.read_pem", "puretls.x509.show.show"} <= set(parsers())  # fmt: skip
    assert set(COMPUTES) <= set(readers()), "a name here is of nothing"
