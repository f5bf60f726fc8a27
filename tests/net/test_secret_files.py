"""Files of secrets: nobody who was there before reads them, no link is followed, nothing blocks."""

import os
import stat

import pytest

from puretls.cli import main
from puretls.net import secret_files
from puretls.net.keylog_file import KeyLogFile
from puretls.net.secret_files import open_to_append, write_secret

posix = pytest.mark.skipif(os.name != "posix", reason="links, FIFOs and owners of POSIX")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_who_had_the_old_file_open_reads_nothing_of_the_new(tmp_path):
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as before:
        write_secret(path, "secret")
        assert before.read() == "old"
    assert path.read_text() == "secret"
    assert mode(path) == 0o600
    assert os.listdir(tmp_path) == ["key"]


@posix
def test_a_link_is_replaced_and_not_followed(tmp_path):
    target, path = tmp_path / "target", tmp_path / "key"
    target.write_text("of somebody else")
    path.symlink_to(target)
    write_secret(path, b"secret")
    assert target.read_text() == "of somebody else"
    assert not path.is_symlink()
    assert path.read_bytes() == b"secret"


@posix
@pytest.mark.parametrize("writer", [lambda path: write_secret(path, "x"), KeyLogFile])
@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, writer, kind):
    path = tmp_path / "there"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path = type(path)("/dev/null")
    with pytest.raises(OSError, match=str(path)):
        writer(path)
    assert path.exists()


@posix
@pytest.mark.parametrize("device", ["/dev/null", "/dev/fd"])
def test_a_link_to_what_is_no_regular_file_stays(tmp_path, device):
    path = tmp_path / "link"
    path.symlink_to(device)
    with pytest.raises(OSError, match="no regular file"):
        write_secret(path, "secret")
    assert path.is_symlink()


@posix
def test_what_stands_among_the_devices_is_never_replaced(tmp_path, monkeypatch):
    """A link such as /dev/stdout leads to a regular file where the output was redirected, and root may replace it."""
    devices, redirected = tmp_path / "dev", tmp_path / "out"
    devices.mkdir()
    redirected.write_text("output")
    (devices / "stdout").symlink_to(redirected)
    monkeypatch.setattr(secret_files, "_DEVICES", devices)
    with pytest.raises(OSError, match="no regular file"):
        write_secret(devices / "stdout", "secret")
    assert (devices / "stdout").is_symlink()
    write_secret(devices / "shm", "a file of its own")


@posix
def test_a_fifo_that_is_read_gets_no_secret_either(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OSError, match="no regular file"):
            KeyLogFile(path)
    finally:
        os.close(reading)


@posix
def test_a_log_is_not_appended_through_a_link(tmp_path):
    target, path = tmp_path / "target", tmp_path / "keys"
    target.write_text("")
    path.symlink_to(target)
    with pytest.raises(OSError, match="keys"):
        KeyLogFile(path)
    assert target.read_text() == ""


@posix
def test_a_log_of_another_owner_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "keys"
    path.write_text("")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="another owner"):
        open_to_append(path)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "key"
    path.write_text("old")

    def full(number):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_secret(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["key"]


def test_without_what_posix_has_files_are_written_all_the_same(tmp_path, monkeypatch):
    """As on Windows."""
    for name in ("fchmod", "geteuid", "O_NOFOLLOW"):
        monkeypatch.delattr(os, name, raising=False)
    write_secret(tmp_path / "key", "secret")
    assert (tmp_path / "key").read_text() == "secret"
    log = KeyLogFile(tmp_path / "keys")
    log("line")
    log.close()
    assert (tmp_path / "keys").read_text() == "line\n"


@posix
def test_the_command_writes_keys_and_logs_that_way(tmp_path, capsys):
    (tmp_path / "ca").mkdir()
    key = tmp_path / "ca" / "a.test.key"
    key.write_text("")
    key.chmod(0o644)
    with key.open() as before:
        assert main(["ca", "a.test", "--out", str(tmp_path / "ca")]) == 0
        assert before.read() == ""
    assert mode(key) == 0o600
    os.mkfifo(tmp_path / "fifo")
    assert main(["connect", "127.0.0.1:1", "--keylog", str(tmp_path / "fifo")]) == 2
    assert "fifo" in capsys.readouterr().err
