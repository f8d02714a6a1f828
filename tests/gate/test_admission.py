"""Admission under mornings and storms, played by seed on a simulated worker."""

import pytest

from firstbell.gate.admission import Admission, Verdict
from firstbell.gate.cursor import GROUPS, LEVELS, Cursor, fair_share, level_of
from firstbell.gate.limit import QueuingLimit
from firstbell.kernel.routes import Priority
from tests.gate.simulation import BOUNDS, GATE_S, REFUSAL_S, Simulation

SERVED_S = GATE_S + 6 * 50e-6 + 5 * 40e-6
CAPACITY_RPS = 1 / SERVED_S


def worker(seed: int) -> Simulation:
    return Simulation(seed, QueuingLimit(start=8, least=4, most=16, lag_s_max=0.005))


@pytest.mark.parametrize("times", [2, 10])
def test_a_worker_serves_what_saying_no_leaves_of_it(times: float) -> None:
    simulation = worker(1)
    offered = times * CAPACITY_RPS
    simulation.offer(lambda now: offered, 9)
    simulation.run_until(5)
    simulation.measure_from_now()
    simulation.run_until(10)
    refusal_s = GATE_S + REFUSAL_S
    most_rps = (1 - offered * refusal_s) / (SERVED_S - refusal_s)
    assert simulation.served / 4 >= 0.92 * most_rps
    first = simulation.by_class[Priority.P0]
    assert first.served >= 0.999 * first.offered
    assert all(tally.percentile(0.99) < 0.5 for tally in simulation.by_class)


def test_the_least_urgent_go_without_first() -> None:
    simulation = worker(2)
    simulation.offer(lambda now: 2 * CAPACITY_RPS, 9)
    simulation.run_until(5)
    simulation.measure_from_now()
    simulation.run_until(10)
    shares = [tally.served / tally.offered for tally in simulation.by_class]
    assert shares[Priority.P1] > 0.95
    assert shares[Priority.P4] < 0.1


def test_a_storm_at_one_school_is_not_noticed_at_the_others() -> None:
    simulation = worker(3)
    ordinary = 0.05 * CAPACITY_RPS
    for number in range(9):
        simulation.offer(lambda now: ordinary, 9, school=bytes([number]))
    simulation.offer(lambda now: ordinary if now < 2 else 40 * ordinary, 9, school=b"storm")
    simulation.run_until(3)
    simulation.measure_from_now()
    simulation.run_until(10)
    others = [tally for school, tally in simulation.by_school.items() if school != b"storm"]
    assert sum(tally.served for tally in others) >= 0.999 * sum(tally.offered for tally in others)
    assert simulation.by_school[b"storm"].served > 0.3 * CAPACITY_RPS * 6


def test_after_a_spike_all_is_as_before_within_five_seconds() -> None:
    simulation = worker(4)
    simulation.offer(lambda now: CAPACITY_RPS * (10 if 2 < now < 5 else 0.5), 12)
    simulation.run_until(10)
    simulation.measure_from_now()
    simulation.run_until(13)
    assert all(tally.served == tally.offered for tally in simulation.by_class)
    assert simulation.by_class[Priority.P1].percentile(0.99) < 0.02


def test_a_morning_is_the_same_each_time_it_is_played() -> None:
    def play() -> list[int]:
        simulation = worker(5)
        simulation.offer(lambda now: 3 * CAPACITY_RPS, 2)
        simulation.run_until(3)
        return [tally.served for tally in simulation.by_class]

    assert play() == play()


def test_lesson_groups_are_cut_whole_and_in_turn() -> None:
    cursor = Cursor()
    levels = [level_of(Priority.P2, group, hour=1) for group in range(1, 41)]
    for level in levels * 25:
        cursor.admits(level)
    cursor.aim(500)
    served = [sum(cursor.admits(level) for _ in range(25)) for level in levels]
    assert sum(25 > count > 0 for count in served) <= levels.count(cursor.cut + 1)
    assert 450 <= sum(served) <= 550
    assert [level_of(Priority.P2, group, hour=2) for group in range(1, 41)] != levels


def test_people_of_one_level_are_cut_in_part_and_what_must_not_fail_never() -> None:
    cursor = Cursor()
    stranger, first = Priority.P1 * GROUPS + GROUPS - 1, level_of(Priority.P0, 7, hour=1)
    for _ in range(1_000):
        cursor.admits(stranger)
        cursor.admits(first)
    cursor.aim(1_250)
    assert sum(cursor.admits(stranger) for _ in range(1_000)) == pytest.approx(250, abs=1)
    cursor.aim(0)
    assert all(cursor.admits(first) for _ in range(1_000))
    assert cursor.cut < LEVELS - 1


def test_whoever_asks_for_less_than_a_fair_share_gets_it_all() -> None:
    assert fair_share(100, [(10, 1), (20, 1), (1_000, 1)]) == 70
    assert fair_share(100, [(90, 3), (90, 1)]) == 25
    assert fair_share(100, [(10, 1), (20, 1)]) > 20


def test_a_machine_that_is_busy_otherwise_makes_nobody_wait() -> None:
    admission = Admission(BOUNDS, QueuingLimit(start=8, least=4, most=16, lag_s_max=0.005), now=0.0)
    for step in range(1, 200):
        now = step / 20
        if step % 4 == 0:
            assert admission.turn_away(b"school", Priority.P2, GROUPS) is None
            assert admission.enter(b"school", Priority.P2, now) is Verdict.ADMITTED
            admission.leave(b"school", now)
        admission.tick(now, lag_s=0.2, used_s=lambda: 0.0)
        assert not admission.is_overloaded


def test_requests_that_come_together_find_the_queue_no_longer_than_it_may_be() -> None:
    admission = Admission(BOUNDS, QueuingLimit(start=8, least=4, most=16, lag_s_max=0.005), now=0.0)
    together = 4 * BOUNDS.queue_max
    verdicts = [admission.turn_away(b"school", Priority.P2, GROUPS) for _ in range(together)]
    for _ in range(verdicts.count(None)):
        admission.enter(b"school", Priority.P2, 0.0)
    assert set(verdicts) == {None, Verdict.FULL}
    assert admission.inflight == admission.limit.slots
    assert BOUNDS.queue_max - admission.limit.slots <= admission.queue.size <= BOUNDS.queue_max


def test_whoever_goes_before_entering_keeps_no_place() -> None:
    admission = Admission(BOUNDS, QueuingLimit(start=8, least=4, most=16, lag_s_max=0.005), now=0.0)
    while admission.turn_away(b"school", Priority.P2, GROUPS) is None:
        pass
    admission.tick(0.01, lag_s=0.0, used_s=lambda: 0.0)
    assert admission.turn_away(b"school", Priority.P2, GROUPS) is None
