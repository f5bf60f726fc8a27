"""The module `ssl` for Pythons without one, on this Python: beside the standard library's own over the same `_ssl`, and over puretls's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pyodide import servers

INSTALL = {
    "OpenSSL's _ssl": "import _ssl",
    "puretls's _ssl": "from puretls.ssl.module import build; sys.modules['_ssl'] = build()",
}
PROGRAM = """
import importlib.machinery, importlib.util, json, sys, warnings
{install}
from puretls.ssl.stdlib import load_shape
load_shape()
import ssl

found = importlib.machinery.PathFinder.find_spec("ssl")
found.name = found.loader.name = "own"
sys.modules["own"] = own = importlib.util.module_from_spec(found)
found.loader.exec_module(own)
{program}
"""
GONE = {"match_hostname", "wrap_socket"}
"""What CPython 3.12 removed."""


def run(kind, program, *arguments):
    """What the program prints as JSON, where the shaped `ssl` is in place and the standard library's is called `own`."""
    source = PROGRAM.format(install=INSTALL[kind], program=program)
    done = subprocess.run([sys.executable, "-c", source, *map(str, arguments)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SURFACE = """
def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}

modules = {name for name in public(own) if type(getattr(own, name)) is type(sys)}
classes = [name for name in public(own) - modules if isinstance(getattr(own, name), type)]
values = [name for name in public(own) if isinstance(getattr(own, name), (int, str, tuple, list))]
print(json.dumps({
    "missing": sorted(public(own) - modules - public(ssl)),
    "attributes": sorted(f"{name}.{each}" for name in classes if hasattr(ssl, name)
                         for each in public(getattr(own, name)) - public(getattr(ssl, name))),
    "values": sorted(name for name in values if hasattr(ssl, name) and getattr(own, name) != getattr(ssl, name)),
    "reprs": sorted(name for name in values if hasattr(ssl, name) and repr(getattr(own, name)) != repr(getattr(ssl, name))),
    "wire": sorted(name for name in ("_TLSAlertType", "_TLSContentType", "_TLSMessageType")
                   if {m.name: int(m) for m in getattr(own, name)} != {m.name: int(m) for m in getattr(ssl, name)}),
}))
"""


@pytest.mark.parametrize("kind", INSTALL)
def test_it_has_the_names_and_values_of_the_standard_librarys(kind):
    told = run(kind, SURFACE)
    assert set(told.pop("missing")) <= GONE
    assert not any(told.values()), told


DEFAULTS = """
def settings(module, make):
    try:
        context = make(module)
    except ValueError as error:
        return {"error": str(error)}
    names = ("protocol", "verify_mode", "verify_flags", "check_hostname", "options", "minimum_version", "maximum_version",
             "hostname_checks_common_name", "post_handshake_auth")
    return {name: int(getattr(context, name)) for name in names}

def differing(make):
    ours, theirs = settings(ssl, make), settings(own, make)
    return sorted(name for name in ours.keys() | theirs if ours.get(name) != theirs.get(name))

def refused(module, **arguments):
    try:
        module._create_unverified_context(**arguments)
    except Exception as error:
        return [type(error).__name__, str(error)]

makers = [
    lambda m: m.create_default_context(),
    lambda m: m.create_default_context(m.Purpose.CLIENT_AUTH),
    lambda m: m._create_unverified_context(),
    lambda m: m._create_stdlib_context(cert_reqs=m.CERT_REQUIRED, check_hostname=True),
    lambda m: m._create_unverified_context(cert_reqs=None),
    lambda m: m._create_unverified_context(check_hostname=True),
    lambda m: m._create_unverified_context(purpose=m.Purpose.CLIENT_AUTH),
    lambda m: m.SSLContext(m.PROTOCOL_TLS_CLIENT),
]
wrong = [{"keyfile": "key.pem"}, {"purpose": "1.2.3"}]
print(json.dumps([differing(make) for make in makers] + [[x for x in [refused(ssl, **w)] if x != refused(own, **w)] for w in wrong]))
"""


@pytest.mark.parametrize("kind", INSTALL)
def test_its_contexts_begin_with_the_same_settings(kind):
    assert not any(run(kind, DEFAULTS))


TEXTS = """
def both(call):
    results = []
    for module in (ssl, own):
        try:
            results.append(call(module))
        except Exception as error:
            results.append([type(error).__name__, str(error)])
    return results

der = open(sys.argv[1], "rb").read()
calls = [
    lambda m: m.DER_cert_to_PEM_cert(der),
    lambda m: m.PEM_cert_to_DER_cert(m.DER_cert_to_PEM_cert(der)) == der,
    lambda m: m.PEM_cert_to_DER_cert("text"),
    lambda m: m.PEM_cert_to_DER_cert(m.PEM_HEADER + "AA"),
    lambda m: m.cert_time_to_seconds("Jan  5 09:34:43 2018 GMT"),
    lambda m: m.cert_time_to_seconds("jan 05 09:34:43 2018 GMT"),
    lambda m: m.cert_time_to_seconds("Foo  5 09:34:43 2018 GMT"),
    lambda m: m.cert_time_to_seconds("Jan  5 09:34:43 2018 UTC"),
    lambda m: m.get_protocol_name(m.PROTOCOL_TLS_CLIENT),
    lambda m: m.get_protocol_name(99),
    lambda m: tuple(m.Purpose.SERVER_AUTH),
    lambda m: m._ASN1Object.fromname("serverAuth"),
    lambda m: m._ASN1Object.fromnid(129),
    lambda m: m._ASN1Object("1.3.6.1.5.5.7.3.2"),
    lambda m: m.SSLSocket(),
    lambda m: m.SSLObject(),
    lambda m: m.create_default_context("server"),
    lambda m: m.SSLContext(m.PROTOCOL_TLS_CLIENT).set_alpn_protocols(["x" * 256]),
]
print(json.dumps([pair for pair in map(both, calls) if pair[0] != pair[1]]))
"""


@pytest.mark.parametrize("kind", INSTALL)
def test_its_functions_and_their_errors_are_the_same(kind, ca, tmp_path):
    (tmp_path / "root.der").write_bytes(ca.root.certificate)
    assert run(kind, TEXTS, tmp_path / "root.der") == []


FETCH = """
import socket
port, file = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=file)
with context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost") as tls:
    tls.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    with tls.makefile("rb") as answer:
        size = len(answer.read().partition(b"\\r\\n\\r\\n")[2])
pem = ssl.get_server_certificate(("localhost", port), ca_certs=file)
try:
    ssl.create_default_context(cafile=sys.argv[3]).wrap_socket(
        socket.create_connection(("localhost", port)), server_hostname="localhost")
except ssl.SSLCertVerificationError as error:
    print(json.dumps([size, pem[:27], error.reason]))
"""


@pytest.mark.parametrize("kind", INSTALL)
def test_a_page_is_read_and_a_wrong_authority_refused(kind, https, folder):
    told = run(kind, FETCH, https.port, folder / "ca.pem", folder / "other.pem")
    assert told == [len(servers.BODY), "-----BEGIN CERTIFICATE-----", "CERTIFICATE_VERIFY_FAILED"]


WITHOUT = """
import sys
sys.path[:] = [sys.argv[4], *(path for path in sys.path if "site-packages" in path or path == sys.argv[5])]
import puretls.ssl
puretls.ssl.install()
import json
import ssl
assert ssl.__file__.endswith("shape.py")
"""


def test_a_python_whose_ssl_is_missing_gets_this_one(https, folder, root, tmp_path):
    """The standard library as it lies there, but for `ssl.py`, `_ssl` and `_hashlib`."""
    library = Path(os.__file__).parent
    for path in [*library.iterdir(), *(library / "lib-dynload").iterdir()]:
        if path.name.partition(".")[0] not in {"ssl", "_ssl", "_hashlib", "site-packages", "lib-dynload"}:
            (tmp_path / path.name).symlink_to(path)
    arguments = [https.port, folder / "ca.pem", folder / "other.pem", tmp_path, root]
    command = [sys.executable, "-B", "-c", WITHOUT + FETCH, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [len(servers.BODY), "-----BEGIN CERTIFICATE-----", "CERTIFICATE_VERIFY_FAILED"]
