"""Which statements run again: a module that was imported before `install` is what it would have been after it."""

import json
import subprocess
import sys

import pytest

from tests.ssl.test_install import BLOCK

PATTERNS = {
    "a name and a flag": """
try:
    import ssl
except ImportError:
    ssl, HAVE = None, False
else:
    HAVE = True
if HAVE:
    class Secure: pass
    def connect(): return ssl.SSLContext
""",
    "from ssl, with a stand-in": """
try:
    from ssl import SSLContext, SSLError as Error
except ImportError:
    SSLContext = object
    class Error(Exception): pass
KINDS = (SSLContext, bool)
class Failure(Error): pass
""",
    "a class that is overwritten later, as urllib3 does": """
try:
    import ssl
except ImportError:
    ssl = None
class Plain: pass
class Secure(Plain): kind = "real"
class Dummy: kind = "dummy"
if not ssl:
    Secure = Dummy
Alias = Secure
class Pool: Class = Secure
""",
    "a value that a function makes, as aiohttp does": """
try:
    import ssl
except ImportError:
    ssl = None
def make(verified):
    return None if ssl is None else ssl.SSLContext.__name__ + str(verified)
VERIFIED, OTHER = make(True), len("x")
""",
    "under if, with annotations that are not evaluated": """
from __future__ import annotations
import typing
if typing.TYPE_CHECKING:
    import ssl
else:
    try:
        import ssl
    except ImportError:
        ssl = None
context: ssl.SSLContext | None = None
default: int = 1 if ssl else 0
""",
    "names from another module": """
from decided import HAVE, KINDS as kinds
import decided
if hasattr(decided, "Secure"):
    from decided import Secure
class User: kinds = kinds
""",
}
TYPED = f"""
import typing
if typing.TYPE_CHECKING:
    import pattern_{len(PATTERNS)}
class Failure(ssl.SSLError if ssl else OSError): pass
"""
"""It imports the module that follows."""
PATTERNS["names from a module that imports this one for type checkers"] = """
try:
    import ssl
except ImportError:
    ssl = None
from decided import Failure, HAVE
def fail(): return Failure
FAILURES = (Failure,)
"""
DECIDED = PATTERNS["a name and a flag"] + TYPED + "KINDS = (ssl and ssl.SSLContext.__name__,)\n"
SHOW = """
import json
def plain(value):
    if isinstance(value, type):
        return [value.__name__, [base.__name__ for base in value.__mro__], {k: plain(v) for k, v in vars(value).items() if not k.startswith("_")}]
    return [plain(each) for each in value] if isinstance(value, tuple) else str(value).partition(" at ")[0]
def shown(module):
    return {name: plain(value) for name, value in sorted(vars(module).items()) if not name.startswith("__") and name != "ssl"}
print(json.dumps([shown(__import__(name)) for name in names]))
"""


def run(folder, *parts, warned=False):
    done = subprocess.run([sys.executable, "-c", "\n".join(parts)], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert bool(done.stderr) == warned, done.stderr
    return done.stdout.strip()


INSTALL = "import puretls.ssl; puretls.ssl.install()"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What is in the modules: without `install`, where they were imported before it, after it, and where it was undone."""
    folder = tmp_path_factory.mktemp("patterns")
    names = [f"pattern_{number}" for number in range(len(PATTERNS))]
    for name, pattern in zip(names, PATTERNS.values(), strict=True):
        (folder / f"{name}.py").write_text(pattern)
    (folder / "decided.py").write_text(DECIDED)
    load, tell = f"import {', '.join(names)}", f"names = {names!r}\n{SHOW}"
    modes = {"without": [], "late": [load, INSTALL], "early": [INSTALL], "undone": [load, INSTALL, "puretls.ssl.uninstall()"]}
    return {mode: dict(zip(PATTERNS, json.loads(run(folder, BLOCK, *parts, tell)), strict=True)) for mode, parts in modes.items()}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_module_is_what_it_would_have_been(seen, pattern):
    without, late, early, undone = (seen[mode][pattern] for mode in ("without", "late", "early", "undone"))
    assert late == early
    assert late != without
    assert undone == without


def test_statements_that_do_not_depend_on_it_run_once(tmp_path):
    (tmp_path / "pattern.py").write_text(PATTERNS["a name and a flag"] + "print('loaded', HAVE)\ncache = []\nclass Kept: pass\n")
    script = ("import pattern; before = pattern.cache, pattern.Kept", INSTALL, "print(before == (pattern.cache, pattern.Kept), pattern.HAVE)")
    assert run(tmp_path, BLOCK, *script).split() == ["loaded", "False", "True", "True"]


def test_what_somebody_changed_since_is_not_put_back(tmp_path):
    (tmp_path / "pattern.py").write_text(PATTERNS["a name and a flag"])
    script = ("import pattern", INSTALL, "pattern.Secure = 'mine'; puretls.ssl.uninstall(); print(pattern.Secure, pattern.HAVE, hasattr(pattern, 'connect'))")
    assert run(tmp_path, BLOCK, *script).split() == ["mine", "False", "False"]


def test_a_module_that_cannot_be_repaired_is_named_and_stays_as_it_was(tmp_path):
    (tmp_path / "pattern.py").write_text("try:\n    import ssl\nexcept ImportError:\n    ssl = None\nif ssl:\n    from nowhere import anything\n")
    script = ("import pattern, http.client", INSTALL, "print(pattern.ssl, hasattr(http.client, 'HTTPSConnection'))")
    assert run(tmp_path, BLOCK, *script, warned=True).split() == ["None", "True"]


def test_a_module_whose_file_is_another_one_by_now_stays_as_it_was(tmp_path):
    (tmp_path / "pattern.py").write_text(PATTERNS["a name and a flag"])
    change = "import pathlib; pathlib.Path('pattern.py').write_text('import ssl (')"
    script = ("import pattern, http.client", change, INSTALL, "print(pattern.ssl, hasattr(http.client, 'HTTPSConnection'))")
    assert run(tmp_path, BLOCK, *script, warned=True).split() == ["None", "True"]


def test_the_program_itself_is_not_run_again(tmp_path):
    (tmp_path / "main.py").write_text(BLOCK + "try:\n    import ssl\nexcept ImportError:\n    ssl = None\n" + INSTALL + "\nprint(ssl)\n")
    done = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "None\n", done.stderr


def test_a_module_from_a_zip_is_repaired(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "modules.zip", "w") as archive:
        archive.writestr("pattern.py", PATTERNS["a name and a flag"])
    script = ("sys.path.insert(0, 'modules.zip'); import pattern", INSTALL, "print(pattern.HAVE, pattern.connect().__name__)")
    assert run(tmp_path, BLOCK, *script).split() == ["True", "SSLContext"]
