"""When a bar is held."""

from collections import Counter

from firstbell.rehearsal.conductor import Played
from firstbell.rehearsal.load.tally import Key, Tally, bucket_of
from firstbell.rehearsal.reckoning import reckon
from firstbell.rehearsal.results import Capacity, Results, generator_kept_time, goodput, known_devices, recovers, served
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, everybody

SPIKE = Phase("spike", 0.5, everybody(10))
AFTER = Phase("after", 0.5, everybody(0.5))
CAPACITY = Capacity(10.0, 50.0, 100.0, 1_000.0)


def played(tally: Tally) -> Results:
    """The figures of ten seconds of ten times the load, and ten after it."""
    scenario = Scenario("ten-times", "", 0.3, (SPIKE, AFTER), ())
    seen = Played(scenario, CAPACITY, [(SPIKE, 0.0, 10.0), (AFTER, 10.0, 20.0)], tally)
    return reckon(seen, edge=False, lost=0, duplicates=0, refusal_cpu_us=None)


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
    assert not generator_kept_time().is_held(results)
