"""What a peer can make us do grows with the bytes it sends: the worst inputs of `tools/bench.py hostile`, counted and not timed."""

import importlib
import sys
import unicodedata
from collections import Counter
from dataclasses import replace

import pytest

from puretls.crypto.keys import weight
from puretls.x509.keys import pbkdf
from puretls.x509.names import stringprep
from puretls.x509.path.budgets import SMALL, Budgets, Meter
from puretls.x509.path.constraints import Constraints
from puretls.x509.path.examine import EXPLANATION, Caches
from puretls.x509.path.finder import STEP_WORK
from puretls.x509.pkcs12 import MAX_WORK, most_rounds
from puretls.x509.verifier import ChainRequest

LIMITS = Budgets()


@pytest.fixture(scope="module")
def hostile(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "tools"))
        yield importlib.import_module("benchmarks.hostile")


@pytest.fixture(scope="module")
def forge(hostile):
    return hostile.Forge()


@pytest.fixture(scope="module")
def chains(hostile, forge):
    return hostile.hostile_chains(forge)


CHAINS = (
    "a leaf and eight CAs with names of 4,000 combining marks",
    "the same in values as long as are prepared",
    "eight small CAs that sign each other",
    "eight small CAs that sign each other, and say that the anchor signs them",
    "eight CAs with 400 relative names each",
    "126 CAs of one name",
    "126 CAs that say that the anchor signs them",
    "fifteen CAs that constrain names of 500 relative names",
    "fifteen CAs that constrain hosts, with hosts of 120 labels",
    "small CAs in many paths, with 100 policies each",
    "an RSA key of 8,192 bits with an exponent of 32",
)


class Counts(Counter):
    """What a verification has done: characters normalised, values prepared, signatures by weight, work, constraints compiled."""


@pytest.fixture
def counts(monkeypatch):
    made = Counts()

    def watch(owner, name, key, amount=lambda *_, **__: 1):
        real = getattr(owner, name)

        def counted(*arguments, **options):
            made[key] += amount(*arguments, **options)
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    watch(unicodedata, "normalize", "squares", lambda form, text: len(text) ** 2)
    watch(Meter, "spend", "work", lambda meter, what, amount=1, *, work=0: work)
    watch(Constraints, "__init__", "compiled")
    watch(Constraints, "violations", "held against")
    watch(pbkdf, "pkcs12_kdf", "rounds", lambda hash_name, password, salt, rounds, *rest: rounds)
    assert stringprep.unicodedata is unicodedata
    return made


def test_the_table_is_that_of_the_bench(chains):
    assert tuple(chains) == CHAINS


def verified(hostile, forge, chain, purpose, counts):
    """The report on a chain that nothing is remembered of, and the weight of the signatures that it took."""
    verifier = hostile.chain_verifier([forge.ca.root.certificate], provider=hostile.default())
    weights, real = [], verifier.settings.provider.verify

    def verify(algorithm, key, *rest):
        weights.append(weight(key))
        return real(algorithm, key, *rest)

    settings = replace(verifier.settings, provider=replace(verifier.settings.provider, verify=verify))
    verifier = replace(verifier, settings=settings, caches=Caches())
    hostile.remembered.cache_clear()
    hostile.NAMES.clear()
    counts.clear()
    request = ChainRequest(tuple(chain), purpose, hostile.NAME if purpose == "server" else None, hostile.NOW)
    return verifier(request), sum(weights)


@pytest.mark.parametrize("purpose", ["server", "client"])
@pytest.mark.parametrize("name", CHAINS)
def test_the_work_on_a_chain_is_bounded_by_its_bytes(hostile, forge, chains, counts, name, purpose):
    chain = chains[name]
    size = sum(map(len, chain))
    report, weights = verified(hostile, forge, chain, purpose, counts)
    assert not report.accepted
    allowed = (LIMITS.work_per_byte + EXPLANATION.work_per_byte) * max(size, SMALL)
    assert counts["work"] <= allowed + 2 * (STEP_WORK + size)
    assert report.steps * STEP_WORK <= counts["work"]
    assert counts["squares"] <= 3 * 18 * stringprep.LONGEST * size
    assert weights <= 2 * len(chain) + 24
    assert weights <= LIMITS.signature_work + EXPLANATION.signatures * 4
    assert counts["compiled"] <= 2 * len(chain)
    assert counts["held against"] <= 2 * len(chain) ** 2


def test_an_honest_chain_is_far_below_all_bounds(hostile, forge, counts):
    chain = forge.issued.chain
    report, weights = verified(hostile, forge, chain, "server", counts)
    assert report.accepted
    assert weights == 2
    assert counts["work"] <= LIMITS.work_per_byte * SMALL // 20
    assert counts["squares"] == 0


def test_an_exhausted_budget_of_work_is_a_finding_of_its_own(hostile, forge, chains, counts):
    chain = chains["126 CAs of one name"][:9]  # with eight keys, hence 8! ways
    verifier = hostile.chain_verifier([forge.ca.root.certificate], provider=hostile.default())
    report = verifier(ChainRequest(tuple(chain), "server", hostile.NAME, hostile.NOW))
    assert [finding.id for finding in report.findings][:1] == ["budget"]
    assert "more work than" in str(report)


# Files (RFC 8018 4.2, RFC 7292 B)


@pytest.mark.parametrize("rounds", [2, 100_000, pbkdf.MAX_ITERATIONS])
def test_the_rounds_of_a_file_are_bounded_by_its_bytes(hostile, counts, monkeypatch, rounds):
    monkeypatch.setattr(pbkdf, "pkcs12_kdf", lambda *arguments: counts.update(rounds=arguments[3]) or bytes(arguments[4]))
    data = hostile.pkcs12_file(rounds)
    outcome = hostile.opened(data)
    assert counts["rounds"] <= most_rounds(len(data)) <= MAX_WORK
    assert (counts["rounds"] == 0) is (rounds == pbkdf.MAX_ITERATIONS), outcome


# Everything else: function calls for each byte


def calls(run):
    """The calls, of Python and of C, that a function takes."""
    made = [0]

    def count(frame, event, argument):
        made[0] += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return made[0]


@pytest.mark.parametrize("kind", ["CRL", "OCSP", "records", "handshake"])
def test_a_hostile_kilobyte_takes_no_more_calls_than_five_honest_ones(hostile, kind):
    made = {}
    for case, (size, run) in hostile.KINDS[kind]().items():
        run()  # what is imported or made once is not counted
        made[case] = calls(run) / size
    honest = next(iter(made.values()))
    assert honest > 0
    assert {case: cost / honest for case, cost in made.items() if cost > hostile.WORST * honest} == {}


def test_the_table_says_what_a_kilobyte_costs(hostile):
    row = hostile.Against("hostile", "case", "1", "ms/kB", 3.0, honest=2.0)
    assert row.ratio == 1.5
    assert row.as_json()["ratio"] == 1.5
    assert hostile.Against("hostile", "case", "1", "ms/kB", 3.0).ratio is None
