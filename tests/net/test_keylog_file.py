"""The key log file: lines as NSS writes them, for nobody else to read."""

import stat

from puretls.keylog import CLIENT_RANDOM, key_log_line
from puretls.net.keylog_file import KeyLogFile


def test_line_has_label_random_and_secret():
    assert key_log_line(CLIENT_RANDOM, b"\x01" * 32, b"\x02" * 48) == "CLIENT_RANDOM " + "01" * 32 + " " + "02" * 48


def test_lines_are_appended_to_a_file_of_the_owner(tmp_path):
    path = tmp_path / "keys"
    path.write_text("old\n")
    path.chmod(0o644)
    first, second = KeyLogFile(path), KeyLogFile(path)
    first("a")
    second("b")
    first("c")
    first.close()
    second.close()
    assert path.read_text() == "old\na\nb\nc\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
