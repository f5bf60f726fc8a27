"""Tracebacks with locals, as many loggers write them, show no secret whatever call-back raises, and whatever a peer sends."""

import traceback
from collections import Counter
from dataclasses import replace

import pytest

from puretls import Credential, danger
from puretls.crypto.kernels.ec import eddsa, weierstrass
from puretls.crypto.kernels.modular import ffdhe
from puretls.crypto.keys import EdPrivateKey, RsaPrivateKey
from puretls.crypto.secret import Secret
from puretls.errors import DecodeError, PuretlsError, UsageError
from puretls.intercept import Interceptor
from puretls.net.keylog_file import KeyLogFile
from puretls.session import MemorySessionStore, Session, TicketKeys
from puretls.x509.keys import parse_private_key, private_key_der
from puretls.x509.pem import write_pem
from puretls.x509.pkcs8 import encrypted_key_pem
from puretls.x509.pkcs12 import parse_pkcs12
from tests.support.breaks import bad_group
from tests.support.credentials import issued
from tests.support.pair import PSK, Pair, real
from tests.support.reference import REFERENCE, configurations

WANTED = ("RSA, CBC, MAC first", "ECDHE, RSA, ChaCha20", "ECDHE on P-256, ECDSA on P-384, GCM", "ECDHE, ECDSA, CCM_8", "ECDHE, Ed25519, ChaCha20",
          "DHE, RSA marked for PSS, ChaCha20", "PSK, GCM", "DHE_PSK, CCM", "RSA_PSK, CBC", "client certificate, then refused data")  # fmt: skip
ROWS = [row for row in REFERENCE if row.name in WANTED]
QUICK = ("ECDHE on P-256, ECDSA on P-384, GCM", "PSK, GCM", "client certificate, then refused data")
TAPS = ("flight", "message", "handshake", "plaintext", "ciphertext")


class Boom(Exception):
    pass


class Known:
    """Every secret of a conversation, and every text that would give one away."""

    def __init__(self):
        self.values = {PSK}

    def key(self, key):
        if isinstance(key, RsaPrivateKey):
            self.values |= {int(getattr(key, name)) for name in ("d", "p", "q", "dp", "dq", "qinv")}
        elif isinstance(key, EdPrivateKey):
            self.values |= {bytes(key.seed), eddsa._expand(eddsa.SCHEMES[key.public.curve], key.seed)[0]}
        else:
            self.values.add(bytes(key.scalar))

    def drawn(self, data):
        """Entropy, and the scalars that the groups make of it."""
        number = int.from_bytes(data, "big")
        self.values.add(data)
        for name in ("secp256r1", "secp384r1"):
            n = weierstrass.curve(name).n
            if len(data) == n.bit_length() // 8 + 9:
                self.values.add(number % (n - 1) + 1)
        bits = ffdhe.EXPONENT_BITS["ffdhe2048"]
        if len(data) == (bits + 7) // 8:
            self.values.add(number & ((1 << bits) - 1) | 1 << (bits - 1))

    def prf(self, hash_name, secret, label, seed, length):
        out = real().prf(hash_name, secret, label, seed, length)
        self.values.add(bytes(secret))
        if label == b"key expansion":
            self.values |= {out[start : start + 16] for start in range(0, len(out) - 15, 4)}
        elif b"finished" not in label:
            self.values.add(bytes(out))
        return out

    def texts(self, public):
        found = set()
        for value in self.values:
            if isinstance(value, bytes):
                if len(value) < 12 or value in public or not any(value[4:-4]):
                    continue
                found |= {repr(value)[2:-1], value.hex()}
                numbers = int.from_bytes(value, "big"), int.from_bytes(value, "little")
            else:
                numbers = (value,)
            for number in numbers:
                found |= {str(number), f"{number:x}"}
        return {text for text in found if len(text) >= 16}


class Trap:
    """Wraps the call-backs of one side; the call of that name and number raises, all others are counted."""

    def __init__(self, known, name="", number=-1):
        self.known, self.name, self.number, self.calls = known, name, number, Counter()

    def step(self, name):
        self.calls[name] += 1
        if name == self.name and self.calls[name] == self.number + 1:
            raise Boom(name)

    def around(self, name, inner, seen=lambda result: None):
        def call(*arguments):
            self.step(name)
            result = inner(*arguments)
            seen(result)
            return result

        return call if inner is not None else None

    def config(self, config, store):
        fields = {name: self.around(name, getattr(config, name)) for name in ("clock", "verifier", "psk")}
        fields["random"] = self.around("random", config.random, self.known.drawn)
        fields["key_log"] = self.around("key_log", lambda line: None)
        fields["provider"] = replace(config.provider, prf=self.known.prf)
        fields["interceptors"] = (self.taps(),)
        fields["session_cache" if hasattr(config, "session_cache") else "session_store"] = self.store(store)
        if hasattr(config, "tickets") and not isinstance(config.tickets, bool):
            fields["tickets"] = None
        else:
            fields["client_certificate"] = self.around("client_certificate", lambda request: (*config.credentials, None)[0])
        for credential in config.credentials:
            self.known.key(credential.key)
        return replace(config, **fields)

    def taps(self):
        class Taps(Interceptor):
            pass

        for tap in TAPS:
            setattr(Taps, tap, self.around(tap, getattr(Interceptor, tap)))
        return Taps()

    def store(self, inner):
        class Store:
            get, put, discard = (staticmethod(self.around(f"store.{name}", getattr(inner, name))) for name in ("get", "put", "discard"))

        return Store()


def _conversation(row, side=0, name="", number=-1):
    """The trap, what is known, the pair, and the error that its end was given."""
    known = Known()
    traps = [Trap(known, *(name, number) if role == side else ()) for role in (0, 1)]
    configs = [trap.config(config, MemorySessionStore()) for trap, config in zip(traps, configurations(row), strict=True)]
    try:
        joined = Pair(*configs)
    except (Boom, PuretlsError) as error:  # the store is asked before there is a connection
        return traps[side], known, None, error
    end = joined.ends()[side]
    try:
        joined.handshake()
        if joined.connected:
            joined.client.connection.send(b"up")
            joined.server.connection.send(b"down")
            joined.run()
    except PuretlsError as error:  # raised by what the application called
        end.error = error
    return traps[side], known, joined, end.error


def _rendered(error):
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def _shown(error, known, public):
    text = _rendered(error)
    return [secret[:40] for secret in known.texts(public) if secret in text], text


def _cases(every):
    """Each call of each call-back, in every row or a few; of the taps, which are many, each where nothing else is new."""
    for row in ROWS if every else [row for row in ROWS if row.name in QUICK]:
        for side in (0, 1):
            trap, _, joined, error = _conversation(row, side)
            assert error is None, joined.story()
            for name, count in trap.calls.items():
                taps = name in TAPS
                if not taps or row.name == "RSA, CBC, MAC first":
                    yield from ((row, side, name, number) for number in range(count))
                else:
                    yield row, side, name, count // 2


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.full)])
def test_no_call_back_that_raises_shows_a_secret(every):
    names, found = Counter(), {}
    public = {}
    for row, side, name, number in _cases(every):
        if row.name not in public:
            _, _, joined, _ = _conversation(row)
            public[row.name] = bytes(joined.client.sent + joined.server.sent)
        _, known, joined, error = _conversation(row, side, name, number)
        case = (row.name, ("client", "server")[side], name, number)
        if error is None:
            assert name == "store.discard", case
            continue
        assert Boom in {type(error), type(error.__cause__)}, (case, error)
        names[case[1], name] += 1
        secrets, text = _shown(error, known, public[row.name])
        assert "joined" in text or "self" in text  # there are locals
        if secrets:
            found[case] = secrets
    assert not found
    both = {"random", "clock", "verifier", "psk", "key_log", "store.put", *TAPS}
    assert {name for side, name in names if side == "client"} >= both | {"store.get", "client_certificate"}
    assert {name for side, name in names if side == "server"} >= both


@pytest.mark.parametrize(
    ("name", "public"),
    [("ECDHE, RSA, ChaCha20", bytes(32)), ("ECDHE, RSA, ChaCha20", b"short"), ("DHE, RSA, GCM", b"\1"), ("DHE_PSK, CCM", b"\xff" * 256),
     ("ECDHE on P-256, ECDSA on P-384, GCM", b"\4" + b"\1" * 64)],
)  # fmt: skip
@pytest.mark.parametrize("side", [0, 1])
def test_a_bad_public_value_shows_no_secret(name, public, side):
    row = next(row for row in REFERENCE if row.name == name)
    known = Known()
    configs = [Trap(known).config(config, MemorySessionStore()) for config in configurations(row)]
    configs[1 - side] = replace(configs[1 - side], provider=bad_group(configs[1 - side].provider, public))
    joined = Pair(*configs).handshake()
    error = joined.ends()[side].error
    assert error.reason.name == "BAD_PUBLIC_VALUE"
    assert _shown(error, known, bytes(joined.client.sent + joined.server.sent))[0] == []


@pytest.mark.parametrize(("side", "answer"), [
    (0, lambda _: (b"i" * 70_000, PSK)), (0, lambda _: (b"i", PSK * 3000)), (0, lambda _: (b"i", bytearray(PSK))), (0, lambda _: (PSK,)),
    (1, lambda _: PSK * 3000), (1, lambda _: bytearray(PSK)), (1, lambda _: (PSK, PSK)),
])  # fmt: skip
def test_a_pre_shared_key_that_will_not_do_is_not_shown(side, answer):
    known = Known()
    configs = [Trap(known).config(config, MemorySessionStore()) for config in configurations(next(row for row in ROWS if row.name == "PSK, GCM"))]
    configs[side] = replace(configs[side], psk=answer)
    joined = Pair(*configs).handshake()
    error = joined.ends()[side].error
    assert isinstance(error, PuretlsError)
    assert _shown(error, known, bytes(joined.client.sent + joined.server.sent))[0] == []


def test_a_fault_in_an_rsa_operation_shows_no_factor():
    row, known = REFERENCE[4], Known()
    client, server = configurations(row)
    key = server.credentials[0].key
    known.key(key)
    broken = replace(server.credentials[0])
    object.__setattr__(broken, "key", replace(key, dp=int(key.dp) + 2))
    joined = Pair(client, replace(server, credentials=(broken,))).handshake()
    assert "a fault" in str(joined.server.error)
    secrets, text = _shown(joined.server.error, known, b"")
    assert secrets == []
    assert "m1 =" not in text


def test_a_key_log_file_that_fails_shows_no_secret(tmp_path):
    row, known = REFERENCE[4], Known()
    client, server = (Trap(known).config(config, MemorySessionStore()) for config in configurations(row))
    log = KeyLogFile(tmp_path / "keys")
    log.close()
    joined = Pair(replace(client, key_log=log), server).handshake()
    assert isinstance(joined.client.error.__cause__, OSError)
    secrets, text = _shown(joined.client.error, known, bytes(joined.client.sent + joined.server.sent))
    assert "keylog_file.py" in text
    assert secrets == []


def _der(kind, change):
    key = bytearray(private_key_der(issued(kind).key))
    return bytes(change(key))


def _touched(key):
    key[-3] ^= 1
    return key


def _encrypted():
    return encrypted_key_pem(issued().key, "the right password", danger.fixed_random(), real())


def _chain(kind):
    return write_pem("CERTIFICATE", issued(kind).chain[0])


def test_a_credential_file_that_is_not_there_shows_no_password(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        Credential.from_files(tmp_path / "no.pem", password="the password")
    assert "the password" not in _rendered(caught.value.with_traceback(caught.value.__traceback__.tb_next))


@pytest.mark.parametrize("kind", ["rsa2048", "secp256r1", "ed25519"])
@pytest.mark.parametrize("read", [
    pytest.param(lambda kind: parse_private_key(_der(kind, lambda key: key[:-1])), id="cut"),
    pytest.param(lambda kind: parse_private_key(_der(kind, lambda key: key + b"!")), id="longer"),
    pytest.param(lambda kind: parse_private_key(_der("rsa2048", _touched)), id="numbers that do not fit"),
    pytest.param(lambda kind: parse_private_key(write_pem("PRIVATE KEY", _der(kind, lambda key: key[:-1]))), id="PEM"),
    pytest.param(lambda kind: parse_private_key(_encrypted(), "the wrong password"), id="wrong password"),
    pytest.param(lambda kind: Credential.from_pem(_chain(kind), write_pem("PRIVATE KEY", _der(kind, lambda key: key[:-1]))), id="credential"),
    pytest.param(lambda kind: Credential.from_pem(_chain(kind), _encrypted(), "the wrong password"), id="credential, wrong password"),
    pytest.param(lambda kind: parse_pkcs12(_der(kind, lambda key: key), "the wrong password"), id="no PKCS#12"),
])  # fmt: skip
def test_a_key_that_cannot_be_read_shows_no_secret(kind, read):
    with pytest.raises((DecodeError, UsageError)) as caught:
        read(kind)
    known = Known()
    for each in ("rsa2048", "secp256r1", "ed25519"):
        known.key(issued(each).key)
        known.values.add(private_key_der(issued(each).key)[60:90])
    assert _shown(caught.value, known, b"")[0] == []
    assert not [text for text in ("wrong password", "PRIVATE KEY--") if f"{text}'" in _rendered(caught.value).replace(str(caught.value), "")]


@pytest.mark.parametrize("wrong", [Secret(b"\1" + b"m" * 300), Secret(b"\2\xc0\x2f" + b"m" * 48 + b"!" * 3)], ids=["old", "cut"])
def test_a_session_that_cannot_be_read_shows_no_secret(wrong):
    with pytest.raises(DecodeError) as caught:
        Session.from_bytes(wrong)
    assert not [part for part in ("m" * 12,) if part in _rendered(caught.value)]


def test_a_ticket_key_of_a_wrong_length_is_not_shown():
    keys = [Secret(b"w" * 47)]
    with pytest.raises(UsageError) as caught:
        TicketKeys(keys, random=danger.fixed_random())
    assert not [part for part in ("w" * 12,) if part in _rendered(caught.value)]
