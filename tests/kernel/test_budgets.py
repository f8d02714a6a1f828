"""Budgets: nobody gets more, nobody loses by another's greed, and memory stays as it is."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from firstbell.kernel.budgets import Budgets

CALLS = st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3)), max_size=200)


@given(CALLS)
def test_a_key_never_gets_more_than_its_burst_and_its_rate(calls: list[tuple[int, float]]) -> None:
    budgets = Budgets(per_s=2, burst=5, keys_max=1_000)
    now_s = 1_000.0
    taken: dict[int, list[float]] = defaultdict(list)
    for key, pause_s in calls:
        now_s += pause_s
        wait_s = budgets.wait_s(key, now_s)
        if budgets.take(key, now_s):
            taken[key].append(now_s)
            assert wait_s < 1e-6
        else:
            assert wait_s > 0
    for instants in taken.values():
        for number, began in enumerate(instants):
            for later, ended in enumerate(instants[number:], 1):
                assert later <= 5 + 2 * (ended - began) + 1e-6


@given(CALLS)
def test_what_one_key_takes_is_no_other_key_s(calls: list[tuple[int, float]]) -> None:
    together, alone = (Budgets(per_s=2, burst=5, keys_max=1_000) for _ in range(2))
    now_s = 1_000.0
    for key, pause_s in calls:
        now_s += pause_s
        is_given = together.take(key, now_s)
        assert key != 0 or is_given == alone.take(key, now_s)


def test_many_newcomers_take_no_memory_and_do_not_free_who_keeps_asking() -> None:
    budgets = Budgets(per_s=1, burst=10, keys_max=100)
    given_to_loud = 0
    for turn in range(10_000):
        budgets.take(turn, 1_000.0)
        if turn % 20 == 0:
            given_to_loud += budgets.take("loud", 1_000.0)
    assert given_to_loud == 10
    assert len(budgets) <= 100


def test_a_clock_that_is_set_back_keeps_nobody_out_for_long() -> None:
    budgets = Budgets(per_s=1, burst=3, keys_max=100)
    assert budgets.take("a", 10_000.0)
    assert not budgets.take("a", 1_000.0)
    assert budgets.take("a", 1_001.5)


def test_what_is_given_back_can_be_taken_again() -> None:
    budgets = Budgets(per_s=0.1, burst=1, keys_max=100)
    for _ in range(5):
        assert budgets.take("a", 1_000.0)
        budgets.give_back("a")
    assert budgets.take("a", 1_000.0)
    assert not budgets.take("a", 1_000.0)
    assert 9 < budgets.wait_s("a", 1_000.0) <= 10
