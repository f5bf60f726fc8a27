"""The differential bench: what puretls, OpenSSL, tlslite-ng and pyca/cryptography disagree on is in a table, with the reason."""

import shutil
import warnings
from pathlib import Path

import pytest

from puretls.errors import UsageError
from puretls.inspect.edit import Edit
from puretls.testing.differential import CRASHES, Disagreement, Known, Outcome, chains, flights, lines, table

HERE = Path(__file__).parent
FLIGHTS, CHAINS = (table((HERE / f"differential-{name}.txt").read_text()) for name in ("flights", "chains"))
OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def _check(outcome, rows):
    assert outcome.unclassified(rows) == [], "\n".join(lines(outcome, rows))
    assert not any(one.verdicts.get("puretls") == CRASHES for one in outcome.found)


@pytest.mark.interop
def test_servers_disagree_on_what_is_known():
    outcome = flights(60)
    assert outcome.asked == 60
    _check(outcome, FLIGHTS)


@pytest.mark.interop
@OPENSSL
def test_validators_disagree_on_what_is_known():
    pytest.importorskip("cryptography.x509.verification")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyca/cryptography warns of what it will refuse one day
        _check(chains(20), CHAINS)


@pytest.mark.interop
@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("share", range(1, 21))
def test_a_hundred_thousand_flights(share):
    """In shares, each of which can be run by itself."""
    _check(flights(5_000, seed=share), FLIGHTS)


@pytest.mark.interop
@pytest.mark.long
@pytest.mark.timeout(7200)
@OPENSSL
@pytest.mark.filterwarnings("ignore")
def test_twenty_thousand_chains():
    _check(chains(20_000, seed=1), CHAINS)


def test_a_disagreement_that_no_row_covers_is_told_once_and_the_shortest():
    edit = Edit("client.ClientHello.cipher_suites[3]", "flip", "1")
    verdicts = {"puretls": "refuses", "openssl": "goes on"}
    found = (Disagreement((edit, edit), verdicts), Disagreement((edit,), verdicts))
    outcome = Outcome(7, found)
    assert outcome.unclassified(()) == [found[1]]
    assert "ClientHello.cipher_suites[*]" in found[1].line
    covering = Known("puretls refuses, openssl *", "ClientHello.cipher_suites[*]", "known")
    assert outcome.unclassified((covering,)) == []
    assert outcome.unclassified((Known("puretls goes on, *", "*", "another"),)) == [found[1]]
    assert next(lines(outcome)).startswith("7 asked about, 2 disagreements, 1 kinds")


def test_a_table_that_is_none_is_refused():
    with pytest.raises(UsageError, match="line 2"):
        table("# a remark\nverdicts | field\n")


def test_a_crash_is_a_verdict():
    """A server that raises what is not its own, on a hello that the others take."""
    from puretls.testing import adapters

    class Broken:
        def receive(self, data):
            raise KeyError("no such thing")

        def take(self):
            return b""

        def events(self):
            return []

    ends = {"puretls": adapters.puretls("server", secure=True), "broken": adapters.Factory("broken", "server", Broken)}
    outcome = flights(3, chosen=ends)
    assert {one.verdicts["broken"] for one in outcome.found} == {CRASHES}
