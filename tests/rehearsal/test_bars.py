"""When a bar is held."""

from collections import Counter

import pytest
from msgspec import structs

from firstbell.rehearsal.bars import (
    alone,
    goodput,
    known_devices,
    limit_reached,
    nobody_banned,
    recovers,
    served,
    truly_measured,
    with_edge,
)
from firstbell.rehearsal.bench.meter import MachineReading
from firstbell.rehearsal.conductor import Played, Sample
from firstbell.rehearsal.load.tally import Key, Tally, bucket_of
from firstbell.rehearsal.pricing import bearable_attack_x
from firstbell.rehearsal.reckoning import reckon
from firstbell.rehearsal.results import Capacity, Prices, Results
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, everybody

SPIKE = Phase("spike", 0.5, everybody(10))
AFTER = Phase("after", 0.5, everybody(0.5))
CAPACITY = Capacity(10.0, 50.0, 100.0, 1_000.0)


def prices(kept_us: float, new_us: float) -> Prices:
    """Of refusals beside steps of a millisecond, without an edge."""
    return Prices(1_000, kept_us, new_us, kept_us, new_us)


def played(tally: Tally, priced: Prices | None = None, spike: Phase = SPIKE) -> Results:
    """The figures of ten seconds of ten times the load, and ten after it."""
    scenario = Scenario("ten-times", "", 0.3, (spike, AFTER), ())
    seen = Played(scenario, CAPACITY, [(spike, 0.0, 10.0), (AFTER, 10.0, 20.0)], priced, tally=tally)
    return reckon(seen, edge=False, lost=0, duplicates=0)


def steps(tally: Tally, second: int, number: int, seconds: float, priority: int = 1) -> None:
    """So many steps that were due in this second and took so long."""
    key = Key(second, "everybody", priority)
    tally.offered[key] += number
    for _ in range(number):
        tally.serve(key, second + seconds, seconds)


def test_goodput_is_held_against_that_of_capacity() -> None:
    tally = Tally()
    for second in range(10):
        steps(tally, second, 45, 0.01)
    results = played(tally)
    assert goodput("spike", 0.85).is_held(results)
    assert not goodput("spike", 0.95).is_held(results)


def test_what_was_not_measured_is_not_held() -> None:
    results = played(Tally())
    assert not served("spike", 0, 0.999).is_held(results)
    assert not known_devices(0.99).is_held(results)
    assert not recovers(5).is_held(results)


def test_recovery_ends_with_three_normal_seconds_in_a_row() -> None:
    tally = Tally()
    for second in range(10):
        steps(tally, second, 20, 0.01)
    for second in range(10, 20):
        steps(tally, second, 20, 0.9 if second in {10, 11, 13} else 0.01)
    assert played(tally).recovery_s == 4.0


def test_a_generator_that_is_late_makes_the_phase_invalid() -> None:
    tally = Tally()
    tally.lag[3] = Counter({bucket_of(0.05): 100})
    results = played(tally)
    assert not results.phase("spike").valid
    assert results.phase("after").valid
    assert [bar.is_held(results) for bar in truly_measured()] == [False, True, True]
    assert "spike. The generator itself was late" in results.doubts()[0]


def test_a_machine_that_its_host_gave_to_others_makes_the_phase_invalid() -> None:
    scenario = Scenario("ten-times", "", 0.3, (SPIKE, AFTER), ())
    seen = Played(scenario, CAPACITY, [(SPIKE, 0.0, 10.0), (AFTER, 10.0, 20.0)])
    seen.samples = [Sample(second, 0.5, 0.1, 100.0, 0.3 if second >= 10 else 0.02) for second in range(20)]
    results = reckon(seen, edge=False, lost=0, duplicates=0)
    assert [phase.stolen_share for phase in results.phases] == [0.02, 0.3]
    assert [phase.valid for phase in results.phases] == [True, False]
    assert [bar.is_held(results) for bar in truly_measured()] == [True, False, True]
    assert "after. The host of this virtual machine gave" in results.doubts()[0]


@pytest.mark.parametrize(("work_us", "speed"), [(15.0, 0.667), (8.0, 1.25)])
def test_a_machine_that_is_no_more_as_fast_as_its_capacity_makes_the_phase_invalid(
    work_us: float, speed: float
) -> None:
    scenario = Scenario("ten-times", "", 0.3, (SPIKE, AFTER), ())
    capacity = structs.replace(CAPACITY, work_us=10.0)
    seen = Played(scenario, capacity, [(SPIKE, 0.0, 10.0), (AFTER, 10.0, 20.0)])
    seen.samples = [
        Sample(second, 0.5, 0.1, 100.0, 0.0, work_us=(0.0 if second % 2 else work_us) if second < 10 else 10.5)
        for second in range(20)
    ]
    results = reckon(seen, edge=False, lost=0, duplicates=0)
    assert [phase.speed for phase in results.phases] == [speed, 0.952]
    assert [phase.valid for phase in results.phases] == [False, True]
    assert [bar.is_held(results) for bar in truly_measured()] == [True, True, False]
    assert "spike. This machine was" in results.doubts()[0]


def test_what_the_host_takes_is_a_share_of_all_time() -> None:
    assert MachineReading(180, 40).stolen_share_since(MachineReading(100, 20)) == 0.25
    assert MachineReading(100, 20).stolen_share_since(MachineReading(100, 20)) == 0.0
    assert MachineReading.now().whole > MachineReading.now().stolen


def test_the_limit_is_what_the_price_of_refusals_leaves() -> None:
    tally = Tally()
    for second in range(10):
        steps(tally, second, 36, 0.01)
        tally.refused[Key(second, "everybody", 1)] += 180
        tally.refused_new[Key(second, "everybody", 1)] += 72
    # Five refusals for each served step, two of them on a new connection: 3 x 40 + 2 x 65 us beside 1,000 us.
    results = played(tally, prices(40, 65))
    assert results.limit == 0.8
    assert results.limit_ratio == 0.9
    assert not limit_reached(0.95).is_held(results)
    assert limit_reached(0.85).is_held(results)


def test_without_prices_there_is_no_limit_that_could_be_held() -> None:
    tally = Tally()
    steps(tally, 1, 36, 0.01)
    tally.refused[Key(1, "everybody", 1)] += 180
    results = played(tally)
    assert results.limit_ratio is None
    assert not limit_reached(0.95).is_held(results)


def test_an_address_from_which_nobody_is_served_for_ten_seconds_is_shut_out() -> None:
    attacked = Phase("attack", 0.5, everybody(0.5), attack_x=10)
    tally = Tally()
    for second in range(20):
        tally.addresses[second, "127.64.0.1"] += 1
    tally.addresses[12, "127.64.0.2"] += 1
    results = played(tally, spike=attacked)
    assert results.addresses_banned == 1
    assert not nobody_banned().is_held(results)


def test_a_bar_may_hold_only_for_runs_with_the_edge_or_without_it() -> None:
    bars = (recovers(5), alone(goodput("spike", 0.85)), with_edge(goodput("spike", 0.95)))
    scenario = Scenario("ten-times", "", 0.3, (SPIKE, AFTER), bars)
    assert [bar.least for bar in scenario.bars_of(edge=False)] == [None, 0.85]
    assert [bar.least for bar in scenario.bars_of(edge=True)] == [None, 0.95]


def test_without_the_edge_an_attack_is_as_heavy_as_leaves_the_honest_their_part() -> None:
    attacked = Phase("attack", 0.5, everybody(0.5), attack_x=10)
    # 0.5 + x * 50 / 1,000 <= 0.9 holds up to 8.
    assert bearable_attack_x(attacked, prices(40, 60)) == 8.0
    assert bearable_attack_x(attacked, prices(10, 10)) == 10
    assert bearable_attack_x(attacked, prices(400, 600)) == 5
    assert bearable_attack_x(attacked, None) == 5
