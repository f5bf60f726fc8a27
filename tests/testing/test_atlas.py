"""The flip atlas: nothing completes silently but what is published, and every outcome says alert, rule and section."""

import re

import pytest

from puretls.cli import main
from puretls.errors import Reason
from puretls.iana import AlertDescription
from puretls.testing.atlas import ALLOWED, NO_ANSWER, Flip, atlas, html, text, write
from puretls.testing.honest import client_config, no_security, server_config

REASONS = {reason.name.lower() for reason in Reason} | {NO_ANSWER}
ALERTS = {alert.name.lower() for alert in AlertDescription}


@pytest.fixture(scope="module")
def sparse():
    """Two bits of every thirty-second byte, with cryptography."""
    return atlas(bits=(0, 7), stride=32)


def _check(made):
    assert made.unallowed == (), text(made)
    for flip in made.flips:
        if flip.is_silent:
            assert (flip.side, flip.offset) in ALLOWED
            assert flip.path.endswith("record[0].version")
            continue
        assert flip.rule in REASONS
        assert flip.alert in ALERTS
        assert re.match(r"(RFC \d+|X\.\d+|SEC 1) [A-Z\d]", flip.rfc), flip
        assert flip.by in {"client", "server"}
        assert flip.state
        assert flip.path


@pytest.mark.rfc("5246", "7.4.9")
def test_every_flip_is_caught_and_told(sparse):
    _check(sparse)
    assert {flip.side for flip in sparse.flips} == {"client", "server"}


@pytest.mark.full
def test_every_bit_of_every_byte_is_caught_and_told(tmp_path):
    made = atlas()
    _check(made)
    sizes = {side: len(b"".join(chunk.data for chunk in made.conversation.stream(side).chunks)) for side in ("client", "server")}
    assert len(made.flips) == 8 * sum(sizes.values())
    assert {(flip.side, flip.offset) for flip in made.silent} == ALLOWED
    write(made, tmp_path / "atlas.html")


def test_a_check_that_is_missing_shows_up_as_silent_completion(monkeypatch):
    """An end that takes any Finished, on a provider that has no other protection: what is changed passes, and is not allowed to."""
    from puretls.handshake import finished
    from puretls.handshake.client import end as client_end
    from puretls.handshake.server import end as server_end

    def unchecked(context, message, peer):
        return finished._keep_finished(peer)(context, message)

    monkeypatch.setattr(server_end, "check_finished", unchecked)
    monkeypatch.setattr(client_end, "check_finished", unchecked)
    made = atlas(client_config(provider=no_security()), server_config(provider=no_security()), bits=(7,), stride=24)
    assert made.unallowed
    assert "NOT IN THE ALLOWANCE" in text(made)


def test_the_heat_map_has_a_cell_for_each_byte_that_leads_to_the_page(sparse, tmp_path):
    beside = write(sparse, tmp_path / "atlas.html")
    map_ = (tmp_path / "atlas.html").read_text()
    cells = re.findall(r'<a href="([^"]*)"', map_)
    assert len(cells) == len({(flip.side, flip.offset) for flip in sparse.flips})
    assert cells[0] == f"{beside.name}#client/wire/0"
    assert "<b" in beside.read_text()
    assert "nothing caught it" not in html(sparse, "x").partition("<h2>")[2] or sparse.silent


def test_a_flip_tells_all():
    flip = Flip("client", 3, 0, "client.record[0].length", NO_ANSWER)
    assert not flip.is_silent


def test_the_command_refuses_what_it_cannot_write(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("puretls.testing.atlas.atlas", lambda **options: atlas(bits=(0,), stride=400))
    assert main(["flip", "--html", str(tmp_path / "no" / "where.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["flip", "--html", str(tmp_path / "map.html")]) == 0
    assert {one.name for one in tmp_path.iterdir()} == {"map.html", "map-conversation.html"}
