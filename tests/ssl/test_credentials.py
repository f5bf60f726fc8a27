"""load_cert_chain: every form of key that OpenSSL writes, passwords in all forms, and errors, beside the C module."""

import shutil
import subprocess
import traceback

import pytest

from puretls.ssl.credentials import Credentials
from puretls.ssl.errors import SSLError
from puretls.x509.keys import private_key_der
from puretls.x509.pem import write_pem
from tests.support.credentials import issued
from tests.support.pure_ssl import pure_ssl

ssl = pytest.importorskip("ssl", reason="compares with the C module _ssl")
KINDS = {"rsa2048": "rsa", "secp256r1": "ec", "ed25519": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Chains and keys of three kinds, and files in which something is wrong."""
    path = tmp_path_factory.mktemp("credentials")
    for kind in KINDS:
        one = issued(kind)
        (path / f"{kind}.pem").write_text("".join(write_pem("CERTIFICATE", der) for der in one.chain))
        (path / f"{kind}.key").write_text(write_pem("PRIVATE KEY", private_key_der(one.key)))
        (path / f"{kind}-both.pem").write_text((path / f"{kind}.key").read_text() + (path / f"{kind}.pem").read_text())
    (path / "other.key").write_text(write_pem("PRIVATE KEY", private_key_der(issued("secp256r1", "other.test").key)))
    for name, text in BROKEN.items():
        (path / name).write_text(text)
    return path


BROKEN = {
    "empty.pem": "",
    "text.pem": "hello\n",
    "base64.pem": "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    "der.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "key.pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "unclosed.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n",
}


@pytest.fixture(scope="module")
def openssl():
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not here")
    return lambda *words: subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True)


def outcome(load, *arguments):
    """The kind of error, what programs parse of it, and its words up to where each goes its own way."""
    try:
        return load(*arguments)
    except (ssl.SSLError, SSLError) as error:
        return "SSLError", error.library, error.reason, error.strerror.partition(" (")[0]
    except OSError as error:
        return type(error), error.errno
    except Exception as error:
        return type(error), str(error)


def c_module(*arguments):
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*arguments)


def ours(*arguments):
    Credentials().load(*arguments)


FORMS = {
    "pkcs8": ("pkcs8", "-topk8", "-nocrypt"),
    "pkcs8-pbes2": ("pkcs8", "-topk8", "-passout", "pass:pw", "-iter", "1000"),
    "pkcs8-pbes2-3des": ("pkcs8", "-topk8", "-passout", "pass:pw", "-v2", "des3", "-iter", "1000"),
    "pkcs8-pbes2-sha512": (
        "pkcs8",
        "-topk8",
        "-passout",
        "pass:pw",
        "-v2",
        "aes-128-cbc",
        "-v2prf",
        "hmacWithSHA512",
        "-iter",
        "1000",
    ),
    "pkcs8-scrypt": ("pkcs8", "-topk8", "-passout", "pass:pw", "-scrypt", "-scrypt_N", "64"),
    "pkcs8-pbe-3des": ("pkcs8", "-topk8", "-passout", "pass:pw", "-v1", "PBE-SHA1-3DES"),
    "traditional": ("pkey", "-traditional"),
    "traditional-aes256": ("{kind}", "-traditional", "-aes256", "-passout", "pass:pw"),
    "traditional-aes192": ("{kind}", "-traditional", "-aes192", "-passout", "pass:pw"),
    "traditional-aes128": ("{kind}", "-traditional", "-aes128", "-passout", "pass:pw"),
    "traditional-3des": ("{kind}", "-traditional", "-des3", "-passout", "pass:pw"),
}


@pytest.mark.interop
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_key_that_openssl_writes_is_loaded(kind, form, folder, openssl):
    command = FORMS[form]
    if form.startswith("traditional") and KINDS[kind] is None:
        pytest.skip("there is no traditional form of such a key")
    words = [
        KINDS[kind] if word == "{kind}" else word
        for word in command
        if word != "-traditional" or KINDS[kind] == "rsa" or "pkey" in command
    ]
    path = folder / f"{kind}-{form}.key"
    openssl(*words, "-in", folder / f"{kind}.key", "-out", path)
    credentials = Credentials()
    credentials.load(folder / f"{kind}.pem", path, "pw")
    assert credentials.all()[0].key == issued(kind).key
    if "pass:pw" in command:
        assert outcome(ours, folder / f"{kind}.pem", path, "wrong")[:3] == ("SSLError", "SSL", None)
        assert outcome(ours, folder / f"{kind}.pem", path)[:3] == ("SSLError", "SSL", None)  # no prompt, and no hanging


def test_a_key_stands_anywhere_in_the_file_of_the_chain_and_behind_parameters(folder, openssl):
    openssl("ecparam", "-name", "prime256v1", "-out", folder / "parameters.pem")
    (folder / "mixed.pem").write_text((folder / "parameters.pem").read_text() + (folder / "secp256r1-both.pem").read_text())
    for name in ("secp256r1-both.pem", "mixed.pem"):
        ours(folder / name)
        c_module(folder / name)


@pytest.mark.interop
def test_a_chain_in_openssls_form_with_trust_settings_is_loaded(folder, openssl):
    openssl("x509", "-in", folder / "secp256r1.pem", "-trustout", "-addtrust", "serverAuth", "-out", folder / "trusted.pem")
    ours(folder / "trusted.pem", folder / "secp256r1.key")
    c_module(folder / "trusted.pem", folder / "secp256r1.key")


PASSWORDS = {
    "text": "pw",
    "bytes": b"pw",
    "bytearray": bytearray(b"pw"),
    "called": lambda: "pw",
    "called-bytes": lambda: b"pw",
    "called-bytearray": lambda: bytearray(b"pw"),
    "wrong": "x",
    "called-wrong": lambda: "x",
    "number": 5,
    "called-number": lambda: 5,
    "longest": "a" * 1024,
    "too-long": "a" * 1025,
    "called-too-long": lambda: b"a" * 1025,
    "raises": lambda: 1 / 0,
    "surrogate": "\ud800",
    "list": ["pw"],
}


@pytest.fixture
def locked(folder, openssl):
    """A key that is encrypted, for `secp256r1.pem`."""
    path = folder / "locked.key"
    if not path.exists():
        openssl("ec", "-aes128", "-passout", "pass:pw", "-in", folder / "secp256r1.key", "-out", path)
    return path


@pytest.mark.parametrize("password", PASSWORDS)
def test_passwords_are_taken_and_refused_as_the_c_module_does(password, folder, locked):
    arguments = folder / "secp256r1.pem", locked, PASSWORDS[password]
    assert outcome(ours, *arguments) == outcome(c_module, *arguments)


def test_a_key_that_is_not_encrypted_needs_no_password_and_nobody_is_called(folder):
    ours(folder / "secp256r1.pem", folder / "secp256r1.key", lambda: 1 / 0)
    ours(folder / "secp256r1.pem", folder / "secp256r1.key", "pw")
    assert outcome(ours, folder / "secp256r1.pem", folder / "secp256r1.key", 5)[0] is TypeError


PAIRS = [
    *((name, "secp256r1.key") for name in ("nowhere.pem", *BROKEN)),
    *(("secp256r1.pem", name) for name in ("nowhere.key", *BROKEN, "other.key", "rsa2048.key")),
    ("rsa2048.pem", "secp256r1.key"),
    ("secp256r1.key", None),
    ("secp256r1.pem", None),
    (".", None),
    ("secp256r1.pem", "."),
]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_what_cannot_be_loaded_raises_what_the_c_module_raises(pair, folder):
    paths = [name and folder / name for name in pair]
    assert outcome(ours, *paths) == outcome(c_module, *paths)


@pytest.mark.parametrize("arguments", [(5,), (None,), ("x", 5), ("x", True)], ids=str)
def test_what_is_no_path_is_a_type_error(arguments):
    assert outcome(ours, *arguments) == outcome(c_module, *arguments)


def test_chains_of_two_kinds_are_kept_and_a_later_one_takes_the_place_of_its_kind(folder):
    credentials = Credentials()
    for name in ("rsa2048", "secp256r1", "secp256r1"):
        credentials.load(folder / f"{name}.pem", folder / f"{name}.key")
    assert [one.chain[0] for one in credentials.all()] == [issued("rsa2048").chain[0], issued("secp256r1").chain[0]]
    with pytest.raises(SSLError, match="key values mismatch"):
        credentials.load(folder / "secp256r1.pem", folder / "other.key")
    assert len(credentials.all()) == 2


def test_a_wrong_password_is_in_no_error(folder, locked):
    with pytest.raises(SSLError) as caught:
        ours(folder / "secp256r1.pem", locked, "correct horse")
    assert "horse" not in repr(caught.value) + str(caught.value)


def frames(error):
    """The names of the functions in the tracebacks of an error and of what it came of, and what their variables show."""
    names, shown = [], ""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals["__name__"] != __name__:
                shown += repr(frame.f_locals)
            names.append(frame.f_code.co_name)
        error = error.__cause__ or error.__context__
    return names, shown


@pytest.mark.parametrize("password", ["correct horse", lambda: "correct horse", "horse" * 300, lambda: ["horse"]], ids=range(4))
@pytest.mark.parametrize("key", ["locked.key", "other.key", "secp256r1.pem"])
@pytest.mark.usefixtures("locked")
def test_no_frame_of_an_error_shows_a_password_or_a_key(key, password, folder):
    context = pure_ssl().SSLContext(pure_ssl().PROTOCOL_TLS_SERVER)
    with pytest.raises((OSError, TypeError, ValueError)) as caught:
        context.load_cert_chain(folder / "secp256r1.pem", folder / key, password)
    _, shown = frames(caught.value)
    assert "horse" not in shown
    assert "PRIVATE" not in shown


def test_the_frames_of_a_program_stay_in_an_error(folder, locked):
    """Those of its call-back, and those of an error that it was handling."""

    def ask():
        raise LookupError("nobody knows")

    def handling():
        raise OSError("before")

    try:
        handling()
    except OSError:
        with pytest.raises(LookupError) as caught:
            ours(folder / "secp256r1.pem", locked, ask)
    names, _ = frames(caught.value)
    assert {"ask", "handling"} <= set(names)


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    """Chains that a security level has something against: a small key, SHA-1, a small key above."""
    path = tmp_path_factory.mktemp("weak")
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not here")
    lines = """
        req -x509 -newkey rsa:1024 -nodes -keyout small.pem -out small.crt -subj /CN=small
        req -x509 -newkey rsa:2048 -nodes -keyout ca.pem -out ca.crt -subj /CN=ca
        req -new -newkey rsa:2048 -nodes -keyout sha1.pem -out sha1.csr -subj /CN=sha1
        x509 -req -in sha1.csr -CA ca.crt -CAkey ca.pem -sha1 -out sha1.crt
        x509 -req -in sha1.csr -CA small.crt -CAkey small.pem -out below.crt
    """
    for line in lines.strip().splitlines():
        subprocess.run(["openssl", *line.split()], cwd=path, check=True, capture_output=True)
    both = {"small": ("small.pem", "small.crt"), "sha1": ("sha1.pem", "sha1.crt"), "below": ("sha1.pem", "below.crt", "small.crt")}
    for name, parts in both.items():
        (path / f"{name}-all.pem").write_text("".join((path / part).read_text() for part in parts))
    return path


@pytest.mark.interop
@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["small", "sha1", "below"])
def test_a_level_has_the_same_against_a_chain_of_ones_own_as_openssl(kind, level, weak):
    def theirs():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(f"ALL:@SECLEVEL={level}")
        context.load_cert_chain(weak / f"{kind}-all.pem")

    mine = outcome(ours, weak / f"{kind}-all.pem", None, None, level)
    assert mine == outcome(theirs)
