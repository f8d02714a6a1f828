"""What pressure changes, second by second."""

import math
import random
from collections import Counter

import pytest

from firstbell.gate.bearable import AT_FIRST_PER_S, BEYOND, CALM, Bearable
from firstbell.gate.brownout import CALM_SECONDS, LEVELS_MAX, Brownout
from firstbell.gate.entry import EntryBudget, Load


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
    budget.adjust(1.0, Load(False, 200.0, 0.0, 200.0), waits=False)
    assert budget.rate_per_s == math.inf
    budget.adjust(1.0, Load(True, 400.0, 200.0, 200.0), waits=False)
    assert budget.rate_per_s < math.inf
    for _ in range(100):
        budget.adjust(1.0, Load(True, 400.0, 400.0, 0.0), waits=True)
    assert budget.rate_per_s == 1, "the line always moves"
    calm = Load(False, 20.0, 0.0, 200.0)
    for _ in range(20):
        budget.adjust(1.0, calm, waits=True)
    assert budget.rate_per_s < math.inf, "somebody waits"
    for _ in range(10):
        budget.adjust(1.0, calm, waits=False)
    assert budget.rate_per_s == math.inf


def test_what_one_busy_second_of_peace_seemed_to_show_is_forgotten() -> None:
    bearable = Bearable()
    bearable.learn(500.0, 500.0, 1.0, is_overloaded=False)
    assert bearable.per_s >= 500
    for _ in range(2 * CALM):
        bearable.learn(250.0, 250.0, 1.0, is_overloaded=False)
    assert bearable.per_s >= 500, "while people are kept out less is asked because less is believed"
    bearable.rest()
    assert bearable.per_s == pytest.approx(250 * BEYOND)
    bearable.learn(600.0, 280.0, 1.0, is_overloaded=True)
    assert 270 <= bearable.per_s <= 300
    for _ in range(5):
        bearable.learn(400.0, 300.0, 1.0, is_overloaded=False)
    assert bearable.per_s >= 380, "when it was too little it grows quickly"


def test_a_worker_that_was_held_up_when_it_began_soon_believes_what_its_idle_core_shows() -> None:
    bearable = Bearable()
    bearable.learn(100.0, 10.0, 1.0, is_overloaded=True)
    assert bearable.per_s > 0.9 * AT_FIRST_PER_S, "one second with nothing in any cache is not what it can do"
    for _ in range(40):
        bearable.learn(50.0, 50.0, 0.1, is_overloaded=False)
    assert 0.8 * 500 <= bearable.per_s <= 500, "fifty take a tenth of the core"
    for _ in range(10):
        bearable.learn(10.0, 10.0, 0.5, is_overloaded=True)
    assert bearable.per_s < 0.25 * 500, "what else stands in the way is believed as well"


def test_a_quiet_minute_does_not_make_a_worker_forget_what_a_request_takes() -> None:
    bearable = Bearable()
    for _ in range(CALM):
        bearable.learn(200.0, 200.0, 0.4, is_overloaded=False)
    for _ in range(2 * CALM):
        bearable.learn(1.0, 1.0, 0.05, is_overloaded=False)
    bearable.rest()
    assert bearable.per_s >= 0.5 * 500


def test_after_peace_is_believed_what_the_core_can_do_however_little_was_asked() -> None:
    bearable = Bearable()
    for _ in range(2 * CALM):
        bearable.learn(50.0, 50.0, 0.1, is_overloaded=False)
    bearable.rest()
    assert bearable.per_s == pytest.approx(500, rel=0.01)


def test_a_worker_that_starts_again_lets_in_as_many_as_before() -> None:
    budget = EntryBudget(least_per_s=1.0)
    budget.resume(50.0)
    budget.adjust(1.0, Load(False, 200.0, 0.0, 200.0), waits=True)
    assert 40 <= budget.rate_per_s <= 60


class Morning:
    """Mornings that meet what can be served, second by second; `present` of those who are called come in."""

    CAPACITY_PER_S = 200.0
    RETRY_S = (4, 12)
    THINKS_S = (0.0, 1.0, 2.5, 0.0, 2.5, 0.5, 2.0)

    def __init__(self, seed: int, *, haste: float = 1.0) -> None:
        self.budget, self.bearable = EntryBudget(least_per_s=1.0), Bearable()
        self._chance, self._haste = random.Random(seed), haste
        self._due: Counter[int] = Counter()
        self._second = 0
        self._waiting = 0.0

    def play(self, seconds: int, *, come_per_s: float, present: float = 1.0) -> list[tuple[int, float]]:
        """What was asked for and what was worked on in each second."""
        return [self._play(come_per_s, present) for _ in range(seconds)]

    def _play(self, come: float, present: float) -> tuple[int, float]:
        called = min(self._waiting + come, self.budget.rate_per_s)
        self._waiting += come - called
        for _ in range(round(called * present)):
            self._enter()
        asked = self._due.pop(self._second, 0)
        worked = min(asked, self.CAPACITY_PER_S * self._chance.uniform(0.95, 1.05))
        self.bearable.learn(asked, worked, worked / self.CAPACITY_PER_S, is_overloaded=asked > worked)
        load = Load(asked > worked, asked, asked - worked, self.bearable.per_s)
        self.budget.learn(1.0, load, round(called))
        self.budget.adjust(1.0, load, waits=self._waiting >= 1)
        for _ in range(round(asked - worked)):
            self._due[self._second + self._chance.randint(*self.RETRY_S)] += 1
        self._second += 1
        return asked, worked

    def _enter(self) -> None:
        moment_s = self._second + self._chance.random()
        for think_s in self.THINKS_S:
            moment_s += self._chance.expovariate(1 / think_s) * self._haste if think_s else 0.0
            self._due[int(moment_s)] += 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("haste", [0.5, 1.0, 4.0])
def test_as_many_enter_as_can_be_borne_though_they_ask_for_most_of_it_later(seed: int, haste: float) -> None:
    morning = Morning(seed, haste=haste)
    morning.play(20, come_per_s=25)
    morning.play(30, come_per_s=300)
    settled = morning.play(40, come_per_s=300)
    assert sum(worked for _, worked in settled) > 0.8 * morning.CAPACITY_PER_S * len(settled), "little stands idle"
    assert sum(asked - worked for asked, worked in settled) < 0.15 * sum(asked for asked, _ in settled), "few are cut"


@pytest.mark.parametrize("seed", range(3))
def test_a_line_of_people_who_have_left_does_not_hold_up_those_who_come(seed: int) -> None:
    morning = Morning(seed)
    morning.play(20, come_per_s=25)
    morning.play(40, come_per_s=300)
    morning.play(60, come_per_s=300, present=0.2)
    settled = morning.play(40, come_per_s=300, present=0.2)
    assert sum(worked for _, worked in settled) > 0.75 * morning.CAPACITY_PER_S * len(settled)
    morning.play(70, come_per_s=300)  # all at once they are there again, many times too many
    back = morning.play(40, come_per_s=300)
    assert sum(asked - worked for asked, worked in back) < 0.15 * sum(asked for asked, _ in back)


def test_as_many_enter_at_first_as_what_people_ask_for_in_peace_leaves_room_for() -> None:
    for requests in (4, 6):
        budget = EntryBudget(least_per_s=1.0)
        for _ in range(80):
            budget.learn(1.0, Load(False, 20.0 * requests, 0.0, 300.0), 20)
        budget.adjust(1.0, Load(True, 300.0, 0.0, 300.0), waits=True)
        assert budget.pace_per_s == pytest.approx(EntryBudget.AIM * 300 / requests, rel=0.03)
