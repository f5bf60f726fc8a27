"""tools/zipapp.py: the one file works as a command and as a place to import from, with no pip and nothing else installed."""

import os
import re
import subprocess
import sys
import time
import zipfile
from types import SimpleNamespace

import pytest

from puretls.ca import DevelopmentCa
from tests.support.https import https
from tests.support.interpreters import interpreter
from tests.support.openssl import server_context

_OWN_FILE = re.compile(r"""(?<![."])\b__file__""")
REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
BARE = ("-I", "-S")
"""Neither the environment nor site-packages."""


@pytest.fixture(scope="module")
def pyz(root, tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "puretls.pyz"
    made(root, path)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """OpenSSL for localhost: port, and the files `ca` that it is verified with, and `wrong`."""
    folder = tmp_path_factory.mktemp("pki")
    authorities = {name: DevelopmentCa.create(os.urandom, time.time(), organization=name) for name in ("ca", "wrong")}
    for name, authority in authorities.items():
        (folder / f"{name}.pem").write_text(authority.root_pem)
    with https(server_context(authorities["ca"].issue(["localhost"]), folder), {"/": b"hello"}) as serving:
        yield SimpleNamespace(port=serving.port, ca=folder / "ca.pem", wrong=folder / "wrong.pem")


def made(root, path):
    done = subprocess.run([sys.executable, root / "tools" / "zipapp.py", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(folder, python, *arguments, stdin=""):
    """In an empty directory, without the variables of this process."""
    return subprocess.run(
        [python, *map(str, arguments)],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_two_runs_make_the_same_bytes(root, pyz, tmp_path):
    made(root, tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == pyz.read_bytes()


LEFT = tuple(f"puretls/{name}/" for name in ("labs", "manual", "qt", "testing"))


def test_it_holds_the_licences_and_every_module_but_those_left_out(root, pyz):
    assert pyz.stat().st_size <= 1_400_000
    with zipfile.ZipFile(pyz) as archive:
        names = set(archive.namelist())
    for name in ("puretls", "tlslite-ng", "ecdsa", "six", "certifi"):
        assert [entry for entry in names if re.match(rf"licenses/{name}(-[\w.]+)?/LICENSE", entry)], name
    wanted = {
        path.relative_to(root).as_posix()
        for path in (root / "puretls").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith("puretls/")} == {
        name for name in wanted if not name.startswith(LEFT)
    }


def test_no_module_looks_for_data_beside_its_file(root):
    """In a zip there are no files: data comes by importlib.resources."""
    places = {
        path.relative_to(root).as_posix() for path in (root / "puretls").rglob("*.py") if _OWN_FILE.search(path.read_text())
    }
    assert {name for name in places if not name.startswith(LEFT)} == {
        "puretls/cli/demo.py",
        "puretls/ssl/children/sitecustomize.py",
    }  # where the manual is; what a zip's path is made of


def check(folder, python, flags, pyz, server):
    """A verified conversation, a refused one."""
    address = f"localhost:{server.port}"
    fetched = run(folder, python, *flags, pyz, "connect", address, "--ca", server.ca, stdin=REQUEST)
    assert (fetched.returncode, fetched.stdout.splitlines()[-1:]) == (0, ["hello"]), fetched.stderr
    refused = run(folder, python, *flags, pyz, "connect", address, "--ca", server.wrong, stdin=REQUEST)
    assert refused.returncode == 1
    assert refused.stderr.count("certificate") >= 1
    assert list(folder.iterdir()) == []


@pytest.mark.interop
def test_it_is_a_command_on_a_python_that_has_nothing_else(pyz, server, tmp_path):
    check(tmp_path, sys.executable, BARE, pyz, server)


FETCH = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in ("_ssl", "_hashlib"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import puretls.ssl
puretls.ssl.install()
import ssl, urllib.request
with urllib.request.urlopen(sys.argv[2], context=ssl.create_default_context(cafile=sys.argv[3])) as response:
    print(response.read())
"""


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_urllib_has_https_by_two_lines_on_every_python(pyz, server, tmp_path, version):
    python = interpreter(version) or pytest.skip(f"there is no Python {version} here")
    url = f"https://localhost:{server.port}/"
    assert run(tmp_path, python, *BARE, "-c", FETCH, pyz, url, server.ca).stdout == "b'hello'\n"
    assert "CERTIFICATE_VERIFY_FAILED" in run(tmp_path, python, *BARE, "-c", FETCH, pyz, url, server.wrong).stderr


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.parametrize("flags", [(), BARE], ids=["plain", "bare"])
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_it_is_a_command_on_every_python(pyz, server, tmp_path, version, flags):
    python = interpreter(version) or pytest.skip(f"there is no Python {version} here")
    check(tmp_path, python, flags, pyz, server)
    demo = run(tmp_path, python, *flags, pyz, "demo")
    assert demo.returncode == 0, demo.stderr
    assert "ClientHello" in demo.stdout


@pytest.mark.parametrize("command", ["fuzz connection", "learn self-server", "flip", "lab list", "lesson", "completion bash"])
def test_commands_of_what_is_left_out_say_so_in_a_line(pyz, tmp_path, command):
    done = run(tmp_path, sys.executable, *BARE, pyz, *command.split())
    assert done.returncode == 2
    assert re.fullmatch(r"puretls: puretls\.(labs|testing)[\w.]* is not in this file: pip install puretls has it\n", done.stderr)


def test_it_is_a_place_to_import_from(pyz, tmp_path):
    """A machine without a bundle of roots has those of certifi, from inside the file, and data files are read there, too."""
    script = f"""
import sys
sys.path.insert(0, {str(pyz)!r})
import puretls, puretls.roots
puretls.roots.BUNDLES = puretls.roots.DIRECTORIES = ()
import certifi
assert certifi.__file__.startswith({str(pyz)!r}), certifi.__file__
print(puretls.Connection.__module__, len(puretls.roots.system_roots()) > 50)

from puretls.inspect.render import document, page
from puretls.inspect.texts import text
print(all((page.asset("page.css"), page.asset("page.js"), page.asset("bytes.js"), document.schema(), text.table("alerts"))))
"""
    done = run(tmp_path, sys.executable, *BARE, "-c", script)
    assert done.stdout.split() == ["puretls.connection.facade", "True", "True"], done.stderr


@pytest.mark.slow
def test_every_module_in_it_can_be_imported(pyz, tmp_path):
    """What is left out is missed by none, but for what an extra installs."""
    script = f"""
import importlib, sys, warnings, zipfile
warnings.simplefilter("ignore")
sys.path.insert(0, {str(pyz)!r})
with zipfile.ZipFile({str(pyz)!r}) as archive:
    names = [name[:-3].replace("/", ".").removesuffix(".__init__") for name in archive.namelist() if name.endswith(".py")]
for name in names:
    if "__main__" not in name:
        try:
            importlib.import_module(name)
        except Exception as error:
            if "pip install 'puretls[" not in str(error):
                print(name, type(error).__name__, error)
"""
    done = run(tmp_path, sys.executable, *BARE, "-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_an_old_python_gets_a_line(pyz, tmp_path):
    with zipfile.ZipFile(pyz) as archive:
        main = archive.read("__main__.py").decode()
    (tmp_path / "main.py").write_text(main.replace("import sys\n", "import sys\nsys.version_info = (3, 8, 1)\n", 1))
    done = run(tmp_path, sys.executable, "main.py")
    assert (done.returncode, done.stderr) == (1, "puretls: needs Python 3.11 or newer, this is 3.8\n")
