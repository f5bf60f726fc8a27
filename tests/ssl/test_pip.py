"""pip on puretls: a real package from an https index that OpenSSL serves; and with the one file alone, in a Python built without OpenSSL."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from puretls._version import __version__

pytestmark = pytest.mark.interop
needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not installed here")
QUIET = ("--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--retries", "0")
ENVIRONMENT = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | {"PIP_CONFIG_FILE": os.devnull, "PIP_ROOT_USER_ACTION": "ignore"}

PROJECT = """
[build-system]
requires = ["six"]
build-backend = "backend"
backend-path = ["."]
[project]
name = "made"
version = "1"
"""
BACKEND = """
import zipfile, six

def build_wheel(folder, settings=None, metadata=None):
    with zipfile.ZipFile(folder + "/made-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("made.py", f"by = {six.__name__!r}\\n")
        wheel.writestr("made-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: made\\nVersion: 1\\n")
        wheel.writestr("made-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("made-1.dist-info/RECORD", "")
    return "made-1-py3-none-any.whl"
"""


@pytest.fixture(scope="module")
def pyz(root, tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "puretls.pyz"
    subprocess.run([sys.executable, root / "tools" / "zipapp.py", path], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def bare(root):
    """A Python that was built without OpenSSL."""
    spec = importlib.util.spec_from_file_location("python_without_openssl", root / "tools" / "python_without_openssl.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool.find() or pytest.skip("no Python without OpenSSL: python tools/python_without_openssl.py builds one, in a minute or two")


def run(folder, *command, **more):
    return subprocess.run(list(map(str, command)), cwd=folder, env=ENVIRONMENT | more, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
@needs_pip
def test_pip_downloads_through_a_proxy_with_connect(root, site, proxy, pki, tmp_path):
    command = (sys.executable, "-m", "puretls", "run", "--force", "-m", "pip", "download", *QUIET, "--cert", pki.ca, "-i", f"{site.url}/simple/")
    done = run(tmp_path, *command, "--proxy", f"http://127.0.0.1:{proxy.port}", "six", PYTHONPATH=str(root))
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in tmp_path.iterdir()] == [".whl"]
    assert f"localhost:{site.port}" in proxy.asked


@pytest.mark.slow
@needs_pip
def test_pip_refuses_an_index_that_it_cannot_verify(root, site, pki, tmp_path):
    command = (sys.executable, "-m", "puretls", "run", "--force", "-m", "pip", "download", *QUIET, "--cert", pki.wrong, "-i", f"{site.url}/simple/")
    done = run(tmp_path, *command, "six", PYTHONPATH=str(root))
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
class TestWithoutOpenssl:
    """Nothing but the interpreter, its own pip, and puretls.pyz."""

    def test_there_is_no_ssl(self, bare, tmp_path):
        assert "No module named '_ssl'" in run(tmp_path, bare, "-c", "import ssl").stderr
        assert "No module named '_hashlib'" in run(tmp_path, bare, "-c", "import _hashlib").stderr

    def test_pip_installs_over_https(self, bare, pyz, site, pki, tmp_path):
        install = ("-m", "pip", "install", *QUIET, "--cert", pki.ca, "-i", f"{site.url}/simple/", "--target", tmp_path / "there", "six")
        alone = run(tmp_path, bare, *install)
        assert "SSL module is not available" in alone.stdout + alone.stderr
        done = run(tmp_path, bare, pyz, "run", *install)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "there" / "six.py").read_bytes() == Path(importlib.util.find_spec("six").origin).read_bytes()

    def test_pip_installs_over_https_through_a_proxy(self, bare, pyz, site, proxy, pki, tmp_path):
        install = ("-m", "pip", "install", *QUIET, "--cert", pki.ca, "-i", f"{site.url}/simple/", "--target", tmp_path / "there", "six")
        done = run(tmp_path, bare, pyz, "run", *install, "--proxy", f"http://127.0.0.1:{proxy.port}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "there" / "six.py").exists()

    def test_pip_builds_a_package_whose_build_needs_another(self, bare, pyz, site, pki, tmp_path):
        """pip starts a pip of its own for that, which has https as well."""
        project = tmp_path / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text(PROJECT)
        (project / "backend.py").write_text(BACKEND)
        install = ("-m", "pip", "install", *QUIET, "-i", f"{site.url}/simple/", "--target", tmp_path / "there", project)
        done = run(tmp_path, bare, pyz, "run", *install, PIP_CERT=str(pki.ca))  # an option would not reach the other pip
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "there" / "made.py").read_text() == "by = 'six'\n"

    def test_pip_refuses_an_index_that_it_cannot_verify(self, bare, pyz, site, pki, tmp_path):
        install = ("-m", "pip", "install", *QUIET, "--cert", pki.wrong, "-i", f"{site.url}/simple/", "--target", tmp_path / "there", "six")
        done = run(tmp_path, bare, pyz, "run", *install)
        assert done.returncode == 1
        assert "CERTIFICATE_VERIFY_FAILED" in done.stdout + done.stderr
        assert not (tmp_path / "there").exists()

    def test_a_script_fetches_by_urllib_with_certificates_from_the_environment(self, bare, pyz, site, pki, tmp_path):
        (tmp_path / "fetch.py").write_text("import sys, urllib.request as u; print(len(u.urlopen(sys.argv[1]).read()))")
        done = run(tmp_path, bare, pyz, "run", "fetch.py", f"{site.url}/big", SSL_CERT_FILE=str(pki.ca))
        assert done.stdout == "1000000\n", done.stderr
        wrong = run(tmp_path, bare, pyz, "run", "fetch.py", f"{site.url}/big", SSL_CERT_FILE=str(pki.wrong))
        assert "CERTIFICATE_VERIFY_FAILED" in wrong.stderr

    def test_one_line_in_a_program_is_enough(self, bare, pyz, site, pki, tmp_path):
        script = f"import sys; sys.path.append({str(pyz)!r}); import puretls.ssl; puretls.ssl.install(); import urllib.request as u; print(u.urlopen('{site.url}/hello').read())"
        assert run(tmp_path, bare, "-c", script, SSL_CERT_FILE=str(pki.ca)).stdout == "b'hello'\n"

    def test_a_pth_file_gives_it_to_every_program_of_an_environment(self, bare, pyz, site, pki, tmp_path):
        """Programs that are started by others too, as pip does for packages that it builds."""
        assert run(tmp_path, bare, "-m", "venv", "--without-pip", "env").returncode == 0
        packages = next((tmp_path / "env" / "lib").glob("python3.*/site-packages"))
        (packages / "path.pth").write_text(f"{pyz}\n")
        (packages / "puretls.pth").write_text(run(tmp_path, bare, pyz, "run", "--pth").stdout)
        child = "import ssl, urllib.request as u; print(ssl.OPENSSL_VERSION, u.urlopen('" + site.url + "/hello').read())"
        parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
        done = run(tmp_path, tmp_path / "env" / "bin" / "python", "-c", parent, SSL_CERT_FILE=str(pki.ca))
        assert done.stdout == f"OpenSSL 3.0.0 (puretls {__version__}) b'hello'\n", done.stderr
