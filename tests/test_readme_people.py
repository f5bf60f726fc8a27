"""What the README shows to each of its three people, as it stands there: from an empty directory and a wheel house, with no network.

Names resolve to a server on this machine, which is example.org and pip's own index of packages, with the wheel house in it; any other name does not exist.
"""

import os
import re
import subprocess
import sys
import time
import tomllib
from types import SimpleNamespace

import pytest

from puretls.ca import DevelopmentCa
from tests.ssl.test_programs import ABSENT
from tests.support.https import https
from tests.support.openssl import server_context

TEACHER, TESTER, EMBEDDER = "You teach TLS, or study it", "You fuzz, or test a TLS stack", "Your Python has no OpenSSL"
PRINTS = "text output"
NAMES = """
import socket
find = socket.getaddrinfo
def found(host, *arguments, **options):
    if host in ("127.0.0.1", "localhost"):
        return find(host, *arguments, **options)
    if host in ("example.org", "{index}"):
        return find("127.0.0.1", {port}, *arguments[1:], **{{**options, "port": {port}}} if "port" in options else options)
    raise socket.gaierror(socket.EAI_NONAME, f"there is no {{host}} here")
socket.getaddrinfo = found
"""
"""Where names lead, for the sitecustomize of a Python."""


def steps(page, heading):
    """(language, text) of each block of a section."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)^## ", page, re.M | re.S)
    return re.findall(r"^```([a-z ]+)\n(.*?)^```$", section.group(1), re.M | re.S)


def is_what_came_out(shown, printed):
    """Whether the README shows what was printed; a line of dots stands for any lines, dots in a line for any text."""
    lines = [r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n" for line in shown.splitlines()]
    return re.fullmatch("".join(lines), printed) is not None


@pytest.mark.parametrize(
    ("shown", "is_so"),
    [
        ("a\nb\n", True),
        ("a\n...\n", True),
        ("...\nb\n", True),
        ("...\na\n", False),
        ("a\n", False),
        ("a\nb...\n", True),
        ("A\nb\n", False),
    ],
)
def test_difference_between_what_is_shown_and_what_came_out_is_noticed(shown, is_so):
    assert is_what_came_out(shown, "a\nb\n") is is_so


@pytest.mark.parametrize("person", [TEACHER, TESTER, EMBEDDER])
def test_each_person_sees_a_command_or_a_program_and_what_comes_out(root, person):
    kinds = [kind for kind, _ in steps((root / "README.md").read_text(), person)]
    assert set(kinds) <= {"sh", "python", PRINTS}
    assert kinds[0] != PRINTS
    assert PRINTS in kinds


@pytest.fixture
def wheel_house(root, tmp_path):
    """A folder with this tree as a wheel, and the wheels of what it needs."""
    house = tmp_path / "wheels"
    project = tomllib.loads((root / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    needed = (
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *extras["cli"],
        *extras["testing"],
        "requests",
    )
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "-w", house]
    fetched = subprocess.run([*wheel, *needed], capture_output=True, text=True, timeout=300, check=False)
    if fetched.returncode:
        pytest.skip(f"no wheels: {fetched.stderr.strip().splitlines()[-1:]}")
    built = subprocess.run(
        [*wheel, "--no-index", "-f", house, "--no-deps", root], capture_output=True, text=True, timeout=120, check=False
    )
    assert built.returncode == 0, built.stderr
    return house


def index(house):
    """The pages of a package index (PEP 503) of the wheels, by path."""
    pages = {}
    for wheel in house.glob("*.whl"):
        name = re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()
        pages[f"/wheels/{wheel.name}"] = wheel.read_bytes()
        pages[f"/simple/{name}/"] = f'<!DOCTYPE html><a href="/wheels/{wheel.name}">{wheel.name}</a>'.encode()
    return pages


def pip_index():
    """The host that pip asks for packages unless told otherwise."""
    return pytest.importorskip("pip._internal.models.index").PyPI.netloc


@pytest.fixture
def world(wheel_house, tmp_path):
    """The server, which any name of the README leads to: `port`, and the file `ca` that it is verified with."""
    folder = tmp_path / "world"
    folder.mkdir()
    authority = DevelopmentCa.create(os.urandom, time.time())
    (folder / "ca.pem").write_text(authority.root_pem)
    context = server_context(authority.issue(["example.org", pip_index()]), folder)
    with https(context, {"/": b"a page", **index(wheel_house)}) as server:
        yield SimpleNamespace(port=server.port, ca=folder / "ca.pem")


@pytest.fixture
def run(wheel_house, world, tmp_path):
    """Runs a block in an empty directory with an environment in which puretls was installed; gives status and output."""
    venv, hidden, place = (tmp_path / name for name in ("venv", "hidden", "place"))
    subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=120)
    for folder in (hidden, place):
        folder.mkdir()
    certificates = {name: str(world.ca) for name in ("SSL_CERT_FILE", "PIP_CERT")}
    environment = {"PATH": f"{venv / 'bin'}:{os.defpath}", "HOME": str(tmp_path), "COLUMNS": "100"} | certificates
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    install = [venv / "bin" / "pip", "install", "-q", "--no-index", "--find-links", wheel_house, "puretls[cli]"]
    subprocess.run(install, env=environment, check=True, timeout=120)
    names = NAMES.format(port=world.port, index=pip_index())

    def run(command, *, openssl):
        (hidden / "sitecustomize.py").write_text(names if openssl else names + ABSENT)
        done = subprocess.run(
            command,
            cwd=place,
            env=environment | {"PYTHONPATH": str(hidden)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.slow
@pytest.mark.interop
def test_blocks_run_as_they_stand_without_network(root, run):
    reached, _ = run(["python", "-c", "import socket; socket.create_connection(('example.com', 443))"], openssl=True)
    assert reached == 1
    for person, openssl in ((TEACHER, True), (TESTER, True), (EMBEDDER, False)):
        assert run(["python", "-c", "import ssl"], openssl=openssl)[0] == (0 if openssl else 1)
        blocks = steps((root / "README.md").read_text(), person)
        for (kind, block), (following, shown) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
            if kind == PRINTS:
                continue
            status, printed = run(["bash", "-ec", block] if kind == "sh" else ["python", "-c", block], openssl=openssl)
            fails = following == PRINTS and re.search(r"^\w+Error: ", shown, re.M) is not None
            assert status == fails, printed
            if following == PRINTS:
                assert is_what_came_out(shown, printed), printed
