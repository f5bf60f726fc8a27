"""`puretls run`: the program finds the interpreter as `python` would leave it to it."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from tests.cli.command import ENVIRONMENT, ROOT, in_process, puretls

TELL = """
import json, sys
print(json.dumps({"argv": sys.argv, "name": __name__, "first": sys.path[0], "main": sys.modules["__main__"].__name__, "file": __file__,
                  "errors": [sys.stdout.errors, sys.stderr.errors], "filters": len(sys.warnoptions), "mine": sys.modules["__main__"].__dict__.get("MINE")}))
"""


def told(folder, *arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def later(*what):
    return pytest.param(what, marks=pytest.mark.slow, id=" ".join(what))


@pytest.mark.parametrize("what", [("sub/tell.py",), later("-m", "package.tell"), ("-m", "package"), later("directory")], ids=" ".join)
def test_a_program_sees_what_python_would_show_it(tmp_path, what):
    for name in ("sub/tell.py", "package/tell.py", "package/__main__.py", "package/__init__.py", "directory/__main__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("MINE = 1\n" + TELL if "__init__" not in name else "")
    arguments = ("-x", "--force", "--", "a b", "-m")
    by_python = told(tmp_path, *what, *arguments)
    by_puretls = told(tmp_path, "-m", "puretls", "run", *what, *arguments)
    assert os.path.realpath(tmp_path / by_puretls.pop("first")) == os.path.realpath(tmp_path / by_python.pop("first"))
    assert os.path.realpath(tmp_path / by_puretls.pop("file")) == os.path.realpath(tmp_path / by_python.pop("file"))
    assert by_puretls == by_python


@pytest.mark.parametrize(("line", "status"), [("sys.exit('so it ends')", 1), ("sys.exit()", 0), ("1 / 0", 1)])
def test_its_end_is_the_programs(tmp_path, line, status):
    (tmp_path / "ends.py").write_text(f"import sys\n{line}\n")
    done = puretls("run", tmp_path / "ends.py")
    assert done.returncode == status
    assert not status or ("so it ends" if "exit" in line else "ZeroDivisionError") in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.py"], "nowhere.py: No such file or directory"),
        (["-m", "no_such_module"], "no module named no_such_module"),
        ([], "name a script to run, or -m and a module"),
        (["-m"], "name a script to run, or -m and a module"),
    ],
    ids=["script", "module", "nothing", "no name"],
)
def test_what_cannot_be_run_is_a_line(monkeypatch, arguments, words):
    monkeypatch.setattr(sys, "path", list(sys.path))
    done = in_process("run", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"puretls: {words}")


@pytest.mark.parametrize("what", [("folder",), later("folder.zip"), later("-m", "package"), ("-m", "package.nothing")], ids=" ".join)
def test_a_folder_or_package_that_cannot_be_run_is_a_line(tmp_path, what):
    """From the one file, too, whose own __main__ stands in the path."""
    for name in ("folder/data.txt", "package/__init__.py", "one/__main__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("" if "one" not in name else f"import sys\nsys.path.insert(1, {str(ROOT)!r})\nfrom puretls.cli import main\nsys.exit(main())\n")
    with zipfile.ZipFile(tmp_path / "folder.zip", "w") as archive:
        archive.writestr("data.txt", "")
    done = subprocess.run([sys.executable, "one", "run", *what], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if "ssl that works" not in line]
    assert len(told) == 1
    assert what[-1] in told[0]


def test_a_working_ssl_is_kept_unless_forced(tmp_path):
    (tmp_path / "tell.py").write_text("import ssl; print('puretls' in ssl.OPENSSL_VERSION)")
    kept, forced = puretls("run", tmp_path / "tell.py"), puretls("run", "--force", tmp_path / "tell.py")
    assert (kept.returncode, kept.stdout) == (0, b"False\n")
    assert kept.stderr == "puretls: this Python has an ssl that works, so the program gets that; --force replaces it\n"
    assert (forced.returncode, forced.stdout, forced.stderr) == (0, b"True\n", "")
