import pytest

from puretls.crypto.kernels.ec import combs


@pytest.fixture(autouse=True)
def empty():
    combs.clear()
    yield
    combs.clear()


def test_comb_is_made_at_the_third_use_and_kept():
    made = []

    def make():
        made.append(1)
        return "comb"

    assert [combs.comb_for("key", make) for _ in range(5)] == [None, None, "comb", "comb", "comb"]
    assert len(made) == 1


def test_combs_are_few_and_the_last_used_stay():
    for key in range(40):
        for _ in range(3):
            combs.comb_for(key, lambda key=key: key)
        combs.comb_for(0, lambda: "again")
    assert len(combs._combs) == combs.MAX_COMBS
    assert combs._combs[0] == 0


def test_counts_are_bounded():
    for key in range(3 * combs.MAX_COUNTED):
        combs.comb_for(key, dict)
    assert len(combs._counts) == combs.MAX_COUNTED
    assert not combs._combs


def test_clear_forgets_everything():
    for _ in range(4):
        combs.comb_for("key", dict)
    combs.clear()
    assert combs.comb_for("key", dict) is None
