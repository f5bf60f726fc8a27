"""What contexts, memory BIOs and the functions of the module do with arguments of all kinds is what the C module does with them."""

import ssl as real_ssl
import sys
import warnings

import pytest

from tests.support.pure_ssl import files, pure_ssl

ours = pure_ssl()
NUMBERS = (-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 16, 17, 18, 0x2FF, 0x300, 0x301, 0x302, 0x303, 0x305, 1 << 33, 1 << 40)
OTHERS = ("x", b"x", None, 1.5, [], print)


def outcome(call):
    """What a call returns, or the kind of its exception and how its text begins."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as error:
            result = type(error).__name__
    return result, [(warning.category, str(warning.message)) for warning in told]


def made(ssl, protocol):
    context = ssl._ssl._SSLContext(protocol)
    return context.protocol, context.check_hostname, context.verify_mode, context.options, context.verify_flags


def put(ssl, protocol, name, value):
    context = ssl._ssl._SSLContext(protocol)
    setattr(context, name, value)
    return getattr(context, name)


@pytest.mark.parametrize("protocol", [*NUMBERS, *OTHERS], ids=str)
def test_protocols(protocol):
    assert outcome(lambda: made(ours, protocol)) == outcome(lambda: made(real_ssl, protocol))


VERSIONS = (-3, -2, 0, 1, 0x2FF, 0x300, 0x301, 0x302, 0x303, 0x305, 1 << 40, *OTHERS)  # not -1, the newest: TLS 1.2 here
PROPERTIES = {
    "minimum_version": VERSIONS,
    "maximum_version": (*VERSIONS, -1, 0x304),
    "options": (0, 1, 0x82520050, 0x4000, 0x8000000, 1 << 33, *OTHERS),
    "verify_mode": (-1, 0, 1, 2, 3, 1 << 40, *OTHERS),
    "verify_flags": (-1, 0, 4, 12, 32, 0x8000, 0x80000, *OTHERS),
    "_host_flags": (-1, 0, 1, 32, 1 << 40, *OTHERS),
    "num_tickets": (-1, 0, 1, 5, 1 << 40, *OTHERS),
    "sni_callback": (0, 1, *OTHERS),
    "_msg_callback": (0, 1, *OTHERS),
    "keylog_filename": (None, "x", b"x", 1.5, [], "/nonexistent/x", ""),
    "security_level": (0, 1, None),
    "post_handshake_auth": (0, 1, *OTHERS),
    "check_hostname": (0, 1, *OTHERS),
}


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("protocol", [5, 16, 17])
def test_properties(name, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in PROPERTIES[name]:
        found = outcome(lambda value=value: put(ours, protocol, name, value))
        assert found == outcome(lambda value=value: put(real_ssl, protocol, name, value)), value


CALLS = {
    "set_ciphers": [("",), ("foo",), ("!ALL",), (b"ALL",), (None,), ("AES128-SHA:BAD",), ()],
    "set_ecdh_curve": [
        ("prime256v1",),
        (b"prime256v1",),
        ("secp384r1",),
        ("foo",),
        (b"foo",),
        (None,),
        (1,),
        ("P-256",),
        ("",),
        (),
    ],
    "load_dh_params": [("/nonexistent",), (None,), (1.5,), ()],
    "_set_alpn_protocols": [(b"",), (b"\1a",), (None,), ("x",), ()],
    "session_stats": [(), (1,)],
    "cert_store_stats": [()],
    "get_ca_certs": [(), (True,)],
    "_wrap_bio": [(1, 2, False)],
}


@pytest.mark.parametrize("name", CALLS)
def test_methods(name):
    for arguments in CALLS[name]:
        found, expected = (
            outcome(lambda ssl=ssl, arguments=arguments: getattr(ssl._ssl._SSLContext(17), name)(*arguments))
            for ssl in (ours, real_ssl)
        )
        assert found == expected, arguments


@pytest.mark.parametrize(
    "name", ["", ".x", "a\0b", "x" * 300, "ü", 1, b"x", "a b", "xn--.com", "1.2.3.4", "::1", "-x", "a..b", "localhost."]
)
def test_names_of_servers(name):
    def wrapped(ssl):
        return ssl._ssl._SSLContext(16)._wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False, name).server_hostname

    assert outcome(lambda: wrapped(ours)) == outcome(lambda: wrapped(real_ssl))


def test_roles_that_a_context_is_not_made_for():
    for protocol, server_side in ((16, True), (17, False)):
        told = []
        for ssl in (ours, real_ssl):
            with pytest.raises(ssl.SSLError) as caught:
                ssl._ssl._SSLContext(protocol)._wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side)
            told.append((caught.value.errno, str(caught.value).partition(" (_ssl")[0]))
        assert told[0] == told[1]


def bio(ssl, *steps):
    made = ssl.MemoryBIO()
    return [outcome(lambda step=step: step(made)) for step in steps]


def test_memory_bios():
    steps = (
        lambda b: (b.pending, b.eof, b.write(b"abc"), b.pending, b.read(1), b.read(0), b.read(-1), b.read()),
        lambda b: b.write(None), lambda b: b.write("x"), lambda b: b.write(memoryview(b"abcd")[::2]), lambda b: b.write(b""),
        lambda b: b.write(bytearray(b"x")), lambda b: b.write(memoryview(b"yz")), lambda b: b.read("x"), lambda b: b.read(1.5),
        lambda b: (b.write_eof(), b.eof, b.read(), b.eof, b.read(), b.pending), lambda b: b.write(b"x"), lambda b: b.write_eof(),
    )  # fmt: skip
    assert bio(ours, *steps) == bio(real_ssl, *steps)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("RAND_bytes", (-1,)), ("RAND_bytes", ("x",)), ("RAND_bytes", ()), ("RAND_add", ("x", 1.0)), ("RAND_add", (b"x", 1)), ("RAND_status", ()),
     ("RAND_add", (1, 1.0)), ("RAND_add", ("x", "y")), ("RAND_bytes", (0,))],
    ids=str,
)  # fmt: skip
def test_functions(name, arguments):
    assert outcome(lambda: getattr(ours, name)(*arguments)) == outcome(lambda: getattr(real_ssl, name)(*arguments))
    assert len(ours.RAND_bytes(7)) == 7


def test_names_and_kinds_of_the_module():
    import _ssl as real

    module = ours._ssl
    for name in ("_SSLContext", "_SSLSocket", "MemoryBIO", "SSLSession", "SSLError", "SSLCertVerificationError"):
        mine, theirs = getattr(module, name), getattr(real, name)
        missing = {each for each in vars(theirs) if not each.startswith("__")} - set(dir(mine))
        assert not missing, name
        assert [each.__name__ for each in mine.__mro__ if each.__module__ != "puretls.ssl.settings"] == [
            e.__name__ for e in theirs.__mro__
        ]
    wanted = {each for each in vars(real) if not each.startswith("__")}
    lookups = {"err_codes_to_names", "err_names_to_codes", "lib_codes_to_names"}  # of OpenSSL's error numbers, until 3.11
    assert wanted - lookups - set(dir(module)) - {"_SSLSocket", "Certificate", "_test_decode_cert"} == set()
    assert sys.modules["_ssl"] is real


def test_groups_for_dh_are_loaded_and_what_is_none_is_named():
    context = ours.SSLContext(ours.PROTOCOL_TLS_SERVER)
    with pytest.raises(ours.SSLError) as told:
        context.load_dh_params(files() / "ca.pem")
    assert (told.value.library, told.value.reason) == ("PEM", "NO_START_LINE")
    assert str(told.value).startswith("[PEM: NO_START_LINE] no start line")
