"""`puretls.ssl.install`: for programs that imported first, for those with an `ssl` that works, and back again. Each in its own process."""

import os
import subprocess
import sys

import pytest

BLOCK = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in ("_ssl", "_hashlib"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
for name in ("ssl", "_ssl", "hashlib", "_hashlib"):
    sys.modules.pop(name, None)
"""
STDLIB = {
    "http.client": "HTTPSConnection",
    "urllib.request": "HTTPSHandler",
    "smtplib": "SMTP_SSL",
    "imaplib": "IMAP4_SSL",
    "poplib": "POP3_SSL",
    "ftplib": "FTP_TLS",
    "asyncio": "",
    "xmlrpc.client": "",
} | ({"nntplib": "NNTP_SSL"} if sys.version_info < (3, 13) else {})
IMPORT = "import warnings; warnings.simplefilter('ignore'); import " + ", ".join(STDLIB)
SNAPSHOT = """
import sys
def snapshot():
    "Every global of every module, and what classes and __all__ hold, by identity."
    seen = {}
    for name, module in list(sys.modules.items()):
        for key, value in list(vars(module).items()) if module is not None else ():
            seen[name, key] = value
            if key == "__all__":
                seen[name, "in __all__"] = tuple(value)
            if isinstance(value, type) and value.__module__ == name:
                seen |= {(name, key, inner): held for inner, held in vars(value).items() if inner not in ("__dict__", "__weakref__", "__doc__")}
    return seen
def differences(before, after, known):
    keys = {key for key in before.keys() | after.keys() if key[0] in known and key[0] != "__main__"}
    return sorted(map(str, (key for key in keys if before.get(key, None) is not after.get(key, None) and before.get(key) != after.get(key))))
"""


ABSENT = """
import sys
from importlib.machinery import PathFinder
class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name == "_ssl" else PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
"""As where `_ssl` was never built: finders that come later are asked."""


def run(*parts, fails=False):
    script = "\n".join(parts)
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode != 0) == fails, done.stderr
    return (done.stderr if fails else done.stdout).strip()


def test_import_ssl_works_where_there_is_none():
    assert run(BLOCK, "import puretls.ssl; puretls.ssl.install(); import ssl; print(ssl.OPENSSL_VERSION, ssl.HAS_TLSv1_3)").endswith("False")


def test_nothing_that_asks_for_ssl_is_imported_before_it_is_there():
    heavy = ("http.client", "urllib.request", "asyncio", "smtplib", "tlslite", "puretls.connection", "puretls.x509", "threading_started")
    printed = run(
        BLOCK,
        "import threading, puretls.ssl; puretls.ssl.install(); import ssl",
        f"print([name for name in {heavy!r} if name in sys.modules], threading.active_count())",
    )
    assert printed == "[] 1"


def test_modules_that_were_imported_first_have_everything_that_they_would_have_had():
    late = run(BLOCK, IMPORT, "import puretls.ssl; puretls.ssl.install()", NAMES)
    early = run(BLOCK, "import puretls.ssl; puretls.ssl.install()", IMPORT, NAMES)
    assert late == early
    assert all(name in late for name in STDLIB.values())


NAMES = f"""
for name in {list(STDLIB)!r}:
    for each in sorted(sys.modules):
        if each == name or each.startswith(name + "."):
            module = sys.modules[each]
            kinds = {{key: type(value).__name__ for key, value in vars(module).items() if not key.startswith("__")}}
            print(each, sorted(kinds.items()), sorted(getattr(module, "__all__", ())), getattr(module, "all_errors", ""))
"""


def test_classes_that_exist_stay_what_they_are():
    """An `except` clause or a subclass of before must still match."""
    printed = run(
        BLOCK,
        IMPORT,
        "before = http.client.HTTPConnection, http.client.HTTPException, urllib.request.Request, smtplib.SMTP, imaplib.IMAP4",
        "import puretls.ssl; puretls.ssl.install()",
        "print(before == (http.client.HTTPConnection, http.client.HTTPException, urllib.request.Request, smtplib.SMTP, imaplib.IMAP4))",
        "print(issubclass(http.client.HTTPSConnection, before[0]), issubclass(smtplib.SMTP_SSL, before[3]))",
    )
    assert printed.split() == ["True", "True", "True"]


def test_an_opener_from_before_speaks_https():
    printed = run(
        BLOCK,
        IMPORT,
        "urllib.request.install_opener(urllib.request.build_opener())",
        "tables = repr(vars(urllib.request._opener))",
        "import puretls.ssl; puretls.ssl.install()",
        "print('https' in urllib.request._opener.handle_open, len(urllib.request._opener.handle_open['https']))",
        "puretls.ssl.uninstall(); print(repr(vars(urllib.request._opener)) == tables)",
    )
    assert printed.split() == ["True", "1", "True"]


@pytest.mark.parametrize("blocked", [True, False], ids=["without ssl", "beside OpenSSL"])
def test_it_can_be_undone_completely(blocked):
    printed = run(
        BLOCK if blocked else "import ssl",
        IMPORT,
        SNAPSHOT,
        "import puretls.ssl, puretls.ssl.installation, puretls.ssl.module, puretls.ssl.repair, puretls.ssl.decisions, tokenize",
        "before, known = snapshot(), {*sys.modules} - {name for name in sys.modules if name.startswith('puretls')}",
        f"puretls.ssl.install(force={not blocked})",
        "import ssl; print('puretls' in ssl.OPENSSL_VERSION, len(differences(before, snapshot(), known)) > 10)",
        "puretls.ssl.uninstall()",
        "print(differences(before, snapshot(), known))",
        f"print(sys.modules.get('ssl') {'is None' if blocked else 'is not ssl'})",
    )
    assert printed.splitlines() == ["True True", "[]", "True"]


def test_twice_is_once():
    printed = run(
        BLOCK,
        "import puretls.ssl; puretls.ssl.install(); import ssl, http.client; first = ssl; puretls.ssl.install(); import ssl; print(ssl is first)",
        "puretls.ssl.uninstall(); puretls.ssl.uninstall(); print('ssl' in sys.modules); puretls.ssl.install(); import ssl; print(ssl is first)",
    )
    assert printed.split() == ["True", "False", "False"]


def test_an_ssl_that_works_is_not_replaced():
    told = run("import ssl, puretls.ssl; print(puretls.ssl.is_needed())", "puretls.ssl.install()", fails=True)
    assert "UsageError: this Python has an ssl that works (OpenSSL" in told
    kept = "import ssl, puretls.ssl, contextlib\nwith contextlib.suppress(Exception):\n    puretls.ssl.install()\n"
    assert run(kept + "import ssl as again, sys; print(again is ssl, 'puretls' in sys.modules['_ssl'].OPENSSL_VERSION)") == "True False"


def test_a_broken_ssl_is_replaced():
    """Built, but its library is not there: it cannot be imported."""
    blocker = BLOCK.replace("ModuleNotFoundError(f\"No module named {name!r}\", name=name)", "ImportError('libssl.so.3: cannot open shared object file')")
    assert run(blocker, "import puretls.ssl; print(puretls.ssl.is_needed()); puretls.ssl.install(); import ssl; print('puretls' in ssl.OPENSSL_VERSION)").split() == ["True", "True"]


def test_force_gives_modules_the_other_ssl_and_takes_it_back_from_those_imported_since():
    printed = run(
        "import sys, ssl, http.client, asyncio; own = ssl",
        "import puretls.ssl; puretls.ssl.install(force=True); import ssl, smtplib",
        "print(ssl is own, http.client.ssl is ssl, asyncio.sslproto.ssl is ssl, smtplib.ssl is ssl)",
        "print(ssl.SSLWantReadError in asyncio.sslproto.SSLAgainErrors)",
        "puretls.ssl.uninstall(); print(http.client.ssl is own, smtplib.ssl is own, own.SSLWantReadError in asyncio.sslproto.SSLAgainErrors)",
    )
    assert printed.split() == ["False", "True", "True", "True", "True", "True", "True", "True"]


def test_a_pth_file_gives_every_start_of_a_python_an_ssl(tmp_path):
    """In site-packages; here read by `site.addsitedir`, as Python does at its start."""
    (tmp_path / "puretls.pth").write_text(run("from puretls.cli import main; main(['run', '--pth'])") + "\n")
    start = f"import site; site.addsitedir({str(tmp_path)!r})"
    loaded = "print(sorted(name for name in sys.modules if name.startswith('puretls')))"
    lines = run(ABSENT, start, loaded, "import http.client, ssl; print(ssl.OPENSSL_VERSION, http.client.HTTPSConnection.__name__)").splitlines()
    assert lines[0] == "['puretls', 'puretls._version', 'puretls.ssl', 'puretls.ssl.finder']"
    assert "puretls" in lines[1]
    assert lines[1].endswith("HTTPSConnection")
    assert "puretls" not in run(start, "import ssl; print(ssl.OPENSSL_VERSION)"), "an ssl that works stays"
    assert run(ABSENT, start, "import ssl, puretls.ssl; puretls.ssl.install(); import ssl as again; print(again is ssl)") == "True"


CHILD = "import ssl, sys; print('puretls' in ssl.OPENSSL_VERSION, 'ecdsa' in sys.modules, getattr(sys.modules.get('sitecustomize'), 'mark', ''))"
PARENT = f"import subprocess, sys; raise SystemExit(subprocess.run([sys.executable, '-c', {CHILD!r}]).returncode)"


def started(root, folder, environment, *flags):
    """What a Python prints that a program under `puretls run` starts."""
    (folder / "parent.py").write_text(PARENT)
    command = [sys.executable, *flags, "-m", "puretls", "run", *([] if environment.get("WITHOUT") else ["--force"]), "parent.py"]
    done = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_what_a_program_starts_has_an_ssl_too_and_the_users_sitecustomize(root, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ABSENT + "mark = 'users'\n")
    assert started(root, tmp_path, {"PYTHONPATH": f"{root}:{tmp_path}", "WITHOUT": "1"}) == ["True", "False", "users"]


def test_what_a_program_starts_keeps_an_ssl_that_works(root, tmp_path):
    assert started(root, tmp_path, {"PYTHONPATH": str(root)}) == ["False", "False"]


def test_children_find_puretls_and_nothing_else_beside_it(root, tmp_path):
    from puretls.ssl import children

    script = "import sys, puretls; print(any(path == sys.argv[1] for path in sys.path)); import tests"
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import sitecustomize; " + script, str(root)],
        cwd=tmp_path, env={"PYTHONPATH": children.__path__[0]}, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.stdout == "False\n", done.stderr
    assert "No module named 'tests'" in done.stderr


@pytest.mark.interop
@pytest.mark.parametrize("call", ["install", "inject_into_urllib3"])
def test_requests_that_was_imported_first_speaks_https(site, pki, call):
    pytest.importorskip("requests")
    printed = run(
        BLOCK,
        "import warnings; warnings.simplefilter('ignore'); import requests, urllib3",
        f"import puretls.ssl; puretls.ssl.{call}()",
        f"print(requests.get('{site.url}/hello', verify='{pki.ca}').content, 'ssl' in sys.modules)",
        "try:",
        f"    requests.get('{site.url}/hello', verify='{pki.wrong}')",
        "except requests.exceptions.SSLError as error:",
        "    print('CERTIFICATE_VERIFY_FAILED' in str(error))",
    )
    assert printed.split() == ["b'hello'", str(call == "install"), "True"]


@pytest.mark.interop
def test_urllib3_alone_gets_another_ssl_and_gives_it_back(site, pki):
    pytest.importorskip("requests")
    printed = run(
        "import ssl, requests, http.client, urllib3.util.ssl_ as place; own = ssl.SSLContext",
        "import puretls.ssl",
        "def show():",
        f"    told = requests.get('{site.url}/hello', verify='{pki.ca}').content",
        "    print(told, isinstance(place.create_urllib3_context(), own), http.client.ssl is ssl, ssl.SSLContext is own)",
        "show(); puretls.ssl.inject_into_urllib3(); show(); puretls.ssl.inject_into_urllib3(); puretls.ssl.extract_from_urllib3(); show()",
    )
    assert [line.split()[1] for line in printed.splitlines()] == ["True", "False", "True"]
    assert all(line.startswith("b'hello'") and line.endswith("True True") for line in printed.splitlines())


def test_without_urllib3_the_error_says_what_to_install():
    hidden = "import sys; sys.modules['urllib3'] = None"
    told = run(hidden, "import puretls.ssl; puretls.ssl.inject_into_urllib3()", fails=True)
    assert "UsageError: urllib3 is not installed: pip install urllib3" in told
