"""Completion by the shell, and the page for `man`: both are made from the parser, so they know what it knows."""

import shlex
import shutil
import subprocess
import sys

import pytest

from puretls.cli import parser
from tests.cli.command import in_process as puretls

ASK = """
eval "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_puretls puretls "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [(["puretls", "ins"], {"inspect"}), (["puretls", "x509", "ver"], {"verify"}), (["puretls", "connect", "--servern"], {"--servername"})],
)
def test_bash_completes_commands_and_options(words, expected):
    script = puretls("completion", "bash").stdout
    done = subprocess.run(["bash", "-c", ASK, "bash", script, *words], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["inspect", "de"], {"demo.json"}),
        (["replay", "de"], {"demo.json"}),
        (["inspect", "x", "--html", "de"], {"demo.json"}),
        (["grade", "lesson", "1", "de"], {"demo.json"}),
        (["ca", "--out", "de"], {"den"}),
        (["fuzz", "server", "--finds", "de"], {"den"}),
    ],
    ids=" ".join,
)
def test_bash_completes_files_and_folders(words, expected, tmp_path):
    (tmp_path / "demo.json").touch()
    (tmp_path / "den").mkdir()
    script = puretls("completion", "bash").stdout
    done = subprocess.run(["bash", "-c", ASK, "bash", script, "puretls", *words], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert expected <= set(done.stdout.split()) <= expected | {"den"}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script():
    script = puretls("completion", "zsh").stdout
    for option in ("--html", "--out", "--csv"):
        assert any(option in line and "_files" in line for line in script.splitlines())
    done = subprocess.run(["zsh", "-f", "-c", f"autoload -U compinit; compinit -u -D; eval {shlex.quote(script)}; whence -w _shtab_puretls"], capture_output=True, text=True, check=False)
    assert done.stdout == "_shtab_puretls: function\n", done.stderr


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_are_told_every_command(shell):
    script = puretls("completion", shell).stdout
    assert [name for name in parser()._subparsers._group_actions[0].choices if name not in script] == []


def test_shtab_that_is_missing_is_told_in_a_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    done = puretls("completion", "bash")
    assert (done.returncode, done.stderr) == (2, "puretls: shtab is not installed: pip install 'puretls[cli]'\n")


def test_unknown_shell_is_told_in_a_line():
    done = puretls("completion", "fish")
    assert done.returncode == 2
    assert "fish" in done.stderr


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse words its usage lines as this page has them on Python 3.11")
def test_page_for_man_is_made_from_the_parser(root):
    """In a process of its own: what makes it loads parts of setuptools, which take offence at others that are loaded already."""
    done = subprocess.run([sys.executable, "tools/man_page.py", "--check"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run tools/man_page.py {done.stderr}"
