"""What pressure changes, second by second."""

import math

from firstbell.gate.brownout import CALM_SECONDS, LEVELS_MAX, Brownout
from firstbell.gate.entry import EntryBudget


def test_pages_leave_things_out_before_the_gate_refuses_and_take_their_time_to_bring_them_back() -> None:
    brownout = Brownout(queuing_s_max=0.02)
    brownout.adjust(0.012)
    assert brownout.level == 1, "below what counts as overload"
    for _ in range(10):
        brownout.adjust(0.1)
    assert brownout.level == LEVELS_MAX
    for _ in range(CALM_SECONDS - 1):
        brownout.adjust(0.0)
    assert brownout.level == LEVELS_MAX
    for _ in range(CALM_SECONDS * LEVELS_MAX):
        brownout.adjust(0.0)
    assert brownout.level == 0


def test_a_level_that_the_operator_asks_for_stays_in_peace() -> None:
    brownout = Brownout(queuing_s_max=0.02, least=1)
    brownout.adjust(0.1)
    assert brownout.level == 2
    for _ in range(CALM_SECONDS * LEVELS_MAX):
        brownout.adjust(0.0)
    assert brownout.level == 1


def test_entries_are_counted_from_the_first_overload_until_nobody_waits_any_more() -> None:
    budget = EntryBudget(least_per_s=1.0)
    for _ in range(50):
        budget.enter()
    budget.adjust(1.0, is_overloaded=False, waiting=0)
    assert not budget.is_limited
    for _ in range(50):
        budget.enter()
    budget.adjust(1.0, is_overloaded=True, waiting=0)
    assert budget.rate_per_s == 45
    for _ in range(100):
        budget.adjust(1.0, is_overloaded=True, waiting=500)
    assert budget.rate_per_s == 1, "the line always moves"
    for _ in range(20):
        budget.adjust(1.0, is_overloaded=False, waiting=500)
    assert 20 <= budget.rate_per_s < math.inf
    for _ in range(10):
        budget.adjust(1.0, is_overloaded=False, waiting=0)
    assert not budget.is_limited
